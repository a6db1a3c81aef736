"""Tables from finished runs."""

import csv
import io
import json
import statistics
from pathlib import Path

import pytest

from experiments.collect import collect, main
from experiments.frames.defaults import defaults
from experiments.frames.options import resolve
from experiments.frames.run_options import RunOptions
from experiments.tables.result_rows import to_csv, to_markdown
from experiments.tables.run_groups import frames_name, setting_name
from inference import RunDirectory
from pyro_nem.errors import CheckpointError, ConfigError

METRICS = ("ami", "ami_last", "ari", "ari_last", "next_step_bce", "log_likelihood")


def make_run(
    folder, seed, value, *, finished=True, guide="rnn-em", bound=(), training=(), **others
):
    settings = defaults("flying_shapes", "smoke", guide, None).to_dict()
    settings["training"].update(training, seed=seed)
    settings["bound"].update(bound)
    settings.update(others)
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"settings": settings}))
    summary = {
        **{f"test.{name}": value for name in METRICS},
        "seed": seed,
        "command": f"python -m experiments.run --seed {seed}",
        "commit": "abc",
        "device": settings["device"],
        "wall_seconds": 10.0 * seed,
    }
    if finished:
        (folder / "summary.json").write_text(json.dumps(summary))
    return RunDirectory(folder)


def test_seeds_of_one_setting_are_averaged(tmp_path):
    runs = [make_run(tmp_path / str(s), s, v) for s, v in ((2, 0.9), (0, 0.5), (1, 0.7))]
    runs.append(make_run(tmp_path / "other", 0, 0.1, objects=5))
    rows = {(row.setting, row.metric): row for row in collect(runs)}
    row = rows["3/3", "test.ami"]
    assert row.seeds == [0, 1, 2]
    assert row.values == [0.5, 0.7, 0.9]
    assert row.mean == pytest.approx(0.7)
    assert row.std == pytest.approx(statistics.stdev([0.5, 0.7, 0.9]))
    assert row.wall_seconds == pytest.approx(10.0)
    assert row.paper == 0.970
    assert row.command.endswith("--seed 0")
    assert rows["3/3", "test.ari"].paper is None
    assert rows["5/3", "test.ami"].std is None


def test_a_setting_says_what_is_not_the_default(tmp_path):
    iwae = {"objective": "iwae", "particles": 5, "gradient": "dreg"}
    runs = [
        make_run(tmp_path / "a", 0, 0.5, guide="vrnn"),
        make_run(tmp_path / "b", 0, 0.5, guide="vrnn", bound=iwae, training={"batch_size": 9}),
        make_run(tmp_path / "c", 0, 0.5, bound={"objective": "trace_enum"}),
    ]
    settings = {row.setting for row in collect(runs)}
    assert settings == {
        "3/3 vrnn",
        "3/3 vrnn iwae-5, gradient dreg, batch 9",
        "3/3 trace_enum-1",
    }


def test_a_setting_says_other_data_and_training(tmp_path):
    noise = {"probability": 0.5, "kind": "bitflip"}
    rate = {"learning_rate": 0.5, "clip_norm": 2.0}
    make_run(tmp_path / "a", 0, 0.5, steps=7, noise=noise)
    make_run(tmp_path / "b", 0, 0.5, training=rate, data="/of/one/machine/x.h5")
    make_run(tmp_path / "c", 0, 0.5, training=rate)
    rows = collect([RunDirectory(tmp_path / name) for name in "abc"])
    # Of other steps, noise and data the paper has no figure.
    assert {(row.setting, row.paper) for row in rows if row.metric == "test.ami"} == {
        ("3/3, steps 7, noise 0.5", None),
        ("3/3, learning rate 0.5, clip norm 2.0, data x.h5", None),
        ("3/3, learning rate 0.5, clip norm 2.0", 0.970),
    }


def test_frames_are_named_by_what_is_not_the_default():
    def name(experiment="flying_mnist", **others):
        return frames_name(resolve(RunOptions(experiment, scale="laptop", **others))[0])

    assert name(components=3, updates=7, noise=0.0) == ""
    assert name(objects=3, variant="20", steps=10) == "objects 3, 20 digits, steps 10"
    assert name("sprites", objects=2, most_objects=4) == "objects 2, most objects 4"
    assert name(data=Path("/x/toys.h5"), test_sequences=9) == "test sequences 9, data toys.h5"


def test_data_of_one_name_in_two_folders_are_not_mixed(tmp_path):
    runs = [
        make_run(tmp_path / folder, seed, value, data=f"/{folder}/toys.h5")
        for folder, seed, value in (("x", 0, 0.9), ("y", 1, 0.1))
    ]
    said = (
        r"y: its row of the table would be named '3/3, data toys\.h5', as that of .*x, a run with "
        r"data /x/toys\.h5 instead of /y/toys\.h5; give each"
    )
    with pytest.raises(ConfigError, match=said):
        collect(runs)
    assert main([str(tmp_path / "x"), str(tmp_path / "y"), "--output", str(tmp_path / "o")]) == 2
    assert not (tmp_path / "o").exists()
    # Where they are the same, the user says so.
    for folder in ("x", "y"):
        assert main([str(tmp_path / folder), "--output", str(tmp_path / "o")]) == 0
    row = json.loads((tmp_path / "o" / "flying_shapes.json").read_text())["rows"][0]
    assert (row["seeds"], row["values"]) == ([0, 1], [0.9, 0.1])


def test_a_setting_of_static_shapes_says_other_objects_and_components():
    def name(**others):
        options = RunOptions("static_shapes", scale="laptop", **others)
        return setting_name(resolve(options)[0])

    assert name(components=4) == "rnn-em"
    assert name(components=5, guide="n-em") == "n-em 3/5"
    assert name(objects=2) == "rnn-em 2/3"
    assert name(network="official") == "rnn-em, official network"
    assert name(network="official", recipe="official") == "rnn-em, official recipe"


def test_a_setting_says_what_differs_from_its_recipe(tmp_path):
    official = resolve(RunOptions("flying_shapes", scale="smoke", recipe="official"))[0].to_dict()
    others = {name: official[name] for name in ("recipe", "network", "views", "gradient_psi")}
    rate = {name: official["training"][name] for name in ("learning_rate", "warmup", "decay")}
    parts = {"views": ["frame", "gamma"], "gradient_psi": True, "step_weights": "last", "steps": 1}
    training = {"warmup": 7, "decay": "constant", "averaging": 0.9}
    runs = [
        make_run(tmp_path / "a", 0, 0.5, **others, training=rate),
        make_run(tmp_path / "b", 0, 0.5, **parts, training=training),
    ]
    assert [row.setting for row in collect(runs) if row.metric == "test.ami"] == [
        "3/3, official recipe",
        "3/3, warmup 7, decay constant, averaging 0.9, views frame gamma, gradient psi on, "
        "step weights last, steps 1",
    ]


def test_seeds_may_have_run_on_different_devices(tmp_path):
    runs = [make_run(tmp_path / str(s), s, 0.5, device=f"cuda:{s}") for s in (0, 1)]
    rows = collect(runs)
    assert {tuple(row.seeds) for row in rows} == {(0, 1)}
    assert {row.device for row in rows} == {"cuda:0, cuda:1"}


def test_csv_has_the_columns_of_the_rows(tmp_path):
    runs = [make_run(tmp_path / str(s), s, v) for s, v in ((0, 0.5), (1, 0.9))]
    runs.append(make_run(tmp_path / "other", 0, 0.1, objects=6, training={"batch_size": 9}))
    lines = list(csv.DictReader(io.StringIO(to_csv(collect(runs)))))
    assert len(lines) == 2 * len(METRICS)
    first, other = lines[0], lines[len(METRICS)]
    assert (first["setting"], first["metric"], first["paper"]) == ("3/3", "test.ami", "0.97")
    assert float(first["mean"]) == pytest.approx(0.7)
    # The deviation of a sample of two is their distance over the square root of two.
    assert float(first["std"]) == pytest.approx(0.4 / 2**0.5)
    assert (first["seeds"], first["values"]) == ("0 1", "0.5 0.9")
    assert (other["setting"], other["std"], other["paper"]) == ("6/3, batch 9", "", "")


def test_the_table_says_that_the_papers_figures_are_unchecked(tmp_path):
    table = to_markdown(collect([make_run(tmp_path / "a", 0, 0.5)]))
    assert "as remembered (unchecked)" in table
    assert "| 3/3 | smoke, located | test.ami | 0.5000 |  | 0 | 0.970 |" in table
    assert "commit abc" in table


def test_files_are_written(tmp_path):
    make_run(tmp_path / "a", 0, 0.5)
    assert main([str(tmp_path / "a"), "--output", str(tmp_path / "results")]) == 0
    rows = json.loads((tmp_path / "results" / "flying_shapes.json").read_text())["rows"]
    assert {row["metric"] for row in rows} == {f"test.{name}" for name in METRICS}
    assert (tmp_path / "results" / "flying_shapes.md").read_text().startswith("# flying_shapes")
    assert (tmp_path / "results" / "flying_shapes.csv").read_text().startswith("experiment,setting")


@pytest.mark.parametrize(
    ("scales", "folder"),
    [(["laptop"], "docs/results"), (["smoke"], "runs/tables"), (["paper", "smoke"], "runs/tables")],
)
def test_smoke_runs_stay_out_of_published_tables(tmp_path, monkeypatch, capsys, scales, folder):
    monkeypatch.chdir(tmp_path)
    runs = [make_run(tmp_path / scale, 0, 0.5, scale=scale) for scale in scales]
    assert main([str(run.path) for run in runs]) == 0
    assert [path.parent for path in tmp_path.rglob("flying_shapes.*")] == [tmp_path / folder] * 3
    assert f"in {folder}\n" in capsys.readouterr().out


def test_unlabelled_data_have_fewer_rows(tmp_path):
    run = make_run(tmp_path / "a", 0, None)
    assert collect([run]) == []


def test_bad_runs_are_refused(tmp_path):
    with pytest.raises(CheckpointError, match=r"summary\.json"):
        collect([make_run(tmp_path / "a", 0, 0.5, finished=False)])
    twice = [make_run(tmp_path / name, 0, 0.5) for name in ("b", "c")]
    with pytest.raises(ConfigError, match="seed 0 of these settings is there twice"):
        collect(twice)
    with pytest.raises(ConfigError, match="run_dirs"):
        collect([])
