"""Tables of sequences and images; their runs are made up."""

import json
import shutil
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
from matplotlib.figure import Figure

from experiments import collect, table
from experiments.processes import Outcome
from experiments.sweeping.grid import expand
from experiments.sweeping.run_points import run_name
from experiments.sweeping.run_state import run_state
from experiments.tables.bound_plans import BOUND_PLANS
from experiments.tables.bound_rows import bound_rows, setting_name
from experiments.tables.kept_rows import joined_rows, read_rows
from experiments.tables.options import TableName
from experiments.tables.result_rows import ResultRow, to_markdown
from pyro_nem.errors import CheckpointError, ConfigError

ROW = ResultRow(
    experiment="chorales",
    setting="jsb-vrnn-elbo",
    scale="laptop",
    network="lstm",
    metric="test.nll_elbo",
    mean=7.0,
    std=None,
    seeds=[0],
    values=[7.0],
    paper=None,
    command="python -m experiments.run chorales",
    commit="aaa",
    device="cpu",
    wall_seconds=10.0,
    error=0.5,
)


def finish(point, value):
    """Write the files that a finished run leaves."""
    settings = point.settings
    images = settings.experiment.endswith("mnist")
    point.directory.create({"settings": json.loads(json.dumps(settings.to_dict()))})
    scores = {"test.nll_elbo": value, "test.nll_iwae_4": value - 0.25, "test.kl": 2.0}
    summary = {
        **scores,
        **(
            {"test.likelihood_images": 9, "errors": {"nll_elbo": 0.125}}
            if images
            else {"test.steps": 9}
        ),
        **({} if images else {"floor.markov": 10.5, "test.sequences": 3}),
        "seed": settings.training.seed,
        "command": f"run {settings.training.seed}",
        "commit": "abc",
        "device": "cpu",
        "wall_seconds": 20.0,
    }
    point.directory.summary.write_text(json.dumps(summary))
    point.directory.append_metrics({"update": 5, "train.loss": 3.0})
    for update in (10, 30):
        point.directory.append_metrics({"update": update, "validation.loss": value - update / 30})


@pytest.fixture
def begun(tmp_path, monkeypatch):
    """The runs that were begun; each is finished at once."""
    monkeypatch.chdir(tmp_path)
    names = []

    def run(points, options, *, time_is_up):
        for point in points:
            if run_state(point.settings, point.directory) == "new":
                names.append(run_name(point))
                finish(point, 8.0 + len(names))
        return [Outcome(run_name(point), "finished") for point in points]

    monkeypatch.setattr(table, "run_points", run)
    return names


def make(name, *options):
    return table.main([name, "--scale", "smoke", "--output", "results", *options])


def rows_of(name):
    rows = read_rows(Path("results") / f"{name}.json")
    return {(row.section, row.setting, row.metric): row for row in rows}


def test_a_table_has_scores_floors_and_published_figures(begun, tmp_path):
    # The smoke scale's own latents are fewer than the published ones.
    latents = ("--latent-size", "32")
    assert make("chorales", "--seeds", "2", *latents) == 0
    assert len(begun) == 10
    assert {name.partition("-")[0] for name in begun} == {"runs/chorales/smoke"}
    rows = rows_of("chorales")
    row = rows["main", "jsb-vrnn-iwae4-no-smoothing-latent-size32", "test.nll_iwae_4"]
    assert (row.paper, row.seeds, row.network, row.error) == (8.25, [0, 1], "lstm", None)
    # The first seed of each setting comes before the second of any.
    assert row.values == [10.75, 15.75]
    assert (row.mean, row.std) == (13.25, pytest.approx(5 / 2**0.5))
    floor = rows["floors", "jsb-floor", "floor.markov"]
    assert (floor.mean, floor.seeds, floor.paper) == (10.5, [], None)
    assert {metric for _, _, metric in rows} == {
        *("test.nll_elbo", "test.nll_iwae_4", "test.kl", "floor.markov")
    }
    text = (tmp_path / "results" / "chorales.md").read_text()
    assert text.index("## main") < text.index("nats a step") < text.index("## floors")
    assert "standard error" not in text
    assert make("chorales", "--seeds", "1", *latents) == 0
    assert len(begun) == 10
    assert rows_of("chorales") == rows


def test_seed_ideas_are_compared_with_their_learning(begun, tmp_path, monkeypatch):
    drawn = []
    monkeypatch.setattr(table, "seed_curves", lambda *curves: drawn.append(curves) or Figure())
    assert make("ideas", "--seeds", "2") == 0
    ((scores, label, _, updates),) = drawn
    assert list(scores) == ["vrnn", "replay", "curriculum", "layer norm", "batch norm"]
    assert updates == [10, 30]
    assert scores["replay"] == pytest.approx(np.array([[9.667, 9.0], [14.667, 14.0]]), abs=1e-3)
    settings = {row[1] for row in rows_of("ideas") if row[0] == "main"}
    assert settings == {
        "vrnn-elbo-kl-warmup100-updates400",
        "vrnn-elbo-kl-warmup100-replay0.5-updates400",
        "vrnn-elbo-kl-warmup100-curriculum150-updates400",
        "vrnn-elbo-layer-norm-kl-warmup100-updates400",
        "vrnn-elbo-batch-norm-kl-warmup100-updates400",
    }
    text = (tmp_path / "results" / "ideas.md").read_text()
    assert f"![{label}, over updates](ideas_main.png)" in text
    # A run that was stopped early is not drawn.
    metrics = Path(begun[1], "metrics.jsonl")
    metrics.write_text("".join(metrics.read_text().splitlines(keepends=True)[:-1]))
    assert make("ideas", "--seeds", "2") == 0
    assert len(drawn[-1][0]["replay"]) == 1
    # Without any record of the validation there is no figure.
    for name in begun:
        Path(name, "metrics.jsonl").write_text('{"update": 5, "train.loss": 3.0}\n')
    count = len(drawn)
    assert make("ideas", "--seeds", "2") == 0
    assert len(drawn) == count


def test_images_have_errors_over_the_images(begun, tmp_path):
    assert make("vae_mnist", "--seeds", "1", "--latent-size", "3") == 0
    row = rows_of("vae_mnist")["main", "dynamic-elbo-latent-size3-adagrad", "test.nll_elbo"]
    assert (row.error, row.network) == (0.125, "tanh")
    assert "test.likelihood_images" not in {metric for _, _, metric in rows_of("vae_mnist")}
    text = (tmp_path / "results" / "vae_mnist.md").read_text()
    assert "| std | standard error | seeds |" in text
    assert "| test.nll_elbo | 9.0000 |  | 0.1250 | 0 |  |" in text
    assert "| test.kl | 2.0000 |  |  | 0 |  |" in text


def test_rows_whose_runs_are_gone_stay(begun, tmp_path, capsys):
    assert make("strokes", "--seeds", "2") == 0
    before = rows_of("strokes")
    shutil.rmtree("runs/strokes/smoke-vrnn-elbo-seed0")
    others = sorted(map(str, (tmp_path / "runs" / "strokes").iterdir()))
    assert collect.main([*others, "--output", "results"]) == 0
    assert rows_of("strokes") == before
    assert collect.main([others[0], "--output", "alone"]) == 0
    alone = read_rows(tmp_path / "alone" / "strokes.json")
    assert {tuple(row.seeds) for row in alone} == {(0,), ()}
    for folder in ("results", "alone"):
        assert BOUND_PLANS["strokes"].note in (tmp_path / folder / "strokes.md").read_text()
    kept = tmp_path / "alone" / "strokes.json"
    kept.write_text(json.dumps({**json.loads(kept.read_text()), "notes": {"main": "![a](b.png)"}}))
    assert collect.main([others[0], "--output", "alone"]) == 0
    assert "![a](b.png)" in (tmp_path / "alone" / "strokes.md").read_text()
    assert collect.main([others[0], others[0], "--output", "alone"]) == 2
    assert "is there twice" in capsys.readouterr().err
    (tmp_path / "alone" / "strokes.json").write_text('{"rows": [{"mean": 1}]}')
    assert collect.main([others[0], "--output", "alone"]) == 2
    assert "expected the rows of a table of this version" in capsys.readouterr().err


def test_seeds_are_joined():
    new = replace(ROW, seeds=[1, 2], values=[9.0, 8.0], mean=8.5, commit="bbb", error=0.25)
    (both,) = joined_rows([ROW], [replace(new, command="later", wall_seconds=40.0)])
    assert (both.seeds, both.values, both.mean, both.std) == ([0, 1, 2], [7.0, 9.0, 8.0], 8.0, 1.0)
    assert (both.command, both.commit, both.device) == (ROW.command, "aaa, bbb", "cpu")
    assert (both.wall_seconds, both.error) == (30.0, 0.375)
    (four,) = joined_rows([new], [replace(ROW, seeds=[3, 0], values=[6.0, 7.0], wall_seconds=40.0)])
    assert (four.seeds, four.values) == ([0, 1, 2, 3], [7.0, 9.0, 8.0, 6.0])
    assert (four.wall_seconds, four.command) == (25.0, ROW.command)
    # What is measured again counts, and what has another setting, scale or section stands apart.
    again = replace(ROW, values=[6.0], mean=6.0)
    assert joined_rows([ROW], [again]) == [again]
    third = replace(new, values=[6.0, 5.0], seeds=[0, 2])
    assert joined_rows([ROW], [third]) == [third]
    for change in ({"setting": "x"}, {"scale": "paper"}, {"metric": "x"}, {"network": "x"}):
        assert joined_rows([ROW], [replace(ROW, **change)]) == [ROW, replace(ROW, **change)]
    floor = replace(ROW, section="floors", seeds=[], values=[])
    other = replace(ROW, setting="x")
    assert joined_rows([ROW, floor], [other, replace(floor, mean=1.0)]) == [
        ROW,
        other,
        replace(floor, mean=1.0),
    ]
    assert to_markdown(joined_rows([ROW], [floor])).count("| setting |") == 2
    # Predictors that were not trained have values and no seeds.
    copied = replace(ROW, section="prediction", seeds=[])
    assert joined_rows([copied], [replace(copied, values=[1.0])]) == [replace(copied, values=[1.0])]


def test_what_was_not_written_is_no_table(tmp_path):
    assert read_rows(tmp_path / "none.json") == []
    (tmp_path / "rows.json").write_text(json.dumps({"rows": [asdict(ROW)]}))
    assert read_rows(tmp_path / "rows.json") == [ROW]
    for text in ("{", "[]", "{}", '{"rows": [{"a": 1}]}'):
        (tmp_path / "rows.json").write_text(text)
        with pytest.raises(ConfigError, match=r"rows.json: expected the rows of a table"):
            read_rows(tmp_path / "rows.json")


@pytest.mark.parametrize("name", BOUND_PLANS)
def test_settings_have_folders_and_names_of_their_own(name):
    plan = BOUND_PLANS[name]
    assert name in TableName.__args__
    assert plan.sections() == ("main",)
    found = {}
    for axes in plan.settings.values():
        (point,) = expand(plan.experiment, {**axes, "--scale": ("laptop",)}, "cpu", "test")
        found[point.directory.path] = setting_name(point.settings)
        assert "laptop" not in found[point.directory.path]
        assert "seed" not in found[point.directory.path]
    assert len(found) == len(set(found.values())) == len(plan.settings)


def test_settings_that_the_name_does_not_show_are_not_mixed(begun, tmp_path):
    runs = []
    for seed, held_out in (("0", None), ("1", 5)):
        (point,) = expand("chorales", {"--scale": ("laptop",), "--seed": (seed,)}, "cpu", "x")
        finish(point._replace(settings=replace(point.settings, held_out=held_out)), 7.0)
        runs.append(point.directory)
    with pytest.raises(ConfigError, match=r"seed0, a run with held-out None instead of 5; give"):
        bound_rows(runs)


def test_a_run_of_other_settings_is_not_taken(begun):
    assert make("iwae_mnist", "--seeds", "1", "--dry-run") == 0
    assert make("iwae_mnist", "--seeds", "1") == 0
    (point,) = expand("iwae_mnist", {"--scale": ("smoke",), "--seed": ("0",)}, "cpu", "test")
    assert run_state(point.settings, point.directory) == "new"
    axes = {"--scale": ("smoke",), "--particles": ("5",)}
    (five,) = expand("iwae_mnist", axes, "cpu", "test")
    assert run_state(five.settings, five.directory) == "finished"
    there = replace(five.settings, device="cuda")
    assert run_state(there, five.directory) == "finished"
    with pytest.raises(CheckpointError, match="holds a run with test-images 8 instead of 3"):
        run_state(replace(there, test_images=3), five.directory)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chorales", "--sequences", "4"), "--sequences: the table chorales has the scores of its"),
        (("chorales", "--components", "5"), "--components: expected a number from 1, with --law"),
        (("vae_mnist", "--smoothing", "on"), "--smoothing: expected an option of this command"),
        (("speech", "--law", "mixture"), "--law: is what the runs of a table differ in"),
        (("strokes", "--only", "steps"), "has no section steps; it has main"),
    ],
)
def test_bad_command_lines_are_explained(begun, capsys, arguments, message):
    assert make(*arguments) == 2
    assert message in capsys.readouterr().err
    assert begun == []
