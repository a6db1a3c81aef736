"""What the command line of a table takes, lists and refuses, and where its files go."""

import pytest
from table_runner import SHAPES, SMALL, rows_of

from experiments import table
from experiments.kinds import FRAMES, IMAGES, SEQUENCES
from experiments.sweeping.options import SweepOptions
from experiments.table import main
from experiments.tables.options import TableOptions
from experiments.tables.plan import PLANS


def test_a_dry_run_lists_and_touches_nothing(runner, tmp_path, capsys):
    assert main([*SHAPES, "--only", "main", "--seeds", "1"]) == 0
    capsys.readouterr()
    broken = tmp_path / "runs/flying_shapes/smoke-rnn-em-located-3objects-k5-seed1"
    broken.mkdir()
    (broken / "config.json").write_text("{")
    before = sorted(tmp_path.rglob("*"))
    assert main([*SHAPES, "--only", "steps", "--dry-run"]) == 0
    assert sorted(tmp_path.rglob("*")) == before
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == [
        *("finished", "new", "finished", "broken", "finished", "new"),
        *("new", "waiting") * 3,
    ]
    assert lines[6].endswith("k3-seed0 --steps 50 --sequences 4")
    assert lines[7].endswith("3/3, tested with 50 steps, 4 sequences: 1 runs")


def test_settings_that_share_a_folder_are_refused(runner, monkeypatch, capsys):
    # At the smoke scale a learning rate of 4e-3 is the default.
    settings = {"usual": {}, "the same": {"--learning-rate": ("4e-3",)}}
    plan = PLANS["static"]._replace(settings=settings, main=tuple(settings), tests=(), long=())
    monkeypatch.setattr(table, "PLANS", {"static": plan})
    assert main(["static", *SMALL[:4]]) == 2
    error = capsys.readouterr().err
    assert "usual and the same of the table static would share the folder" in error
    assert "runs/static_shapes/smoke-rnn-em-located-3objects-k4-seed0" in error
    assert runner.begun == []


def test_what_all_settings_have_may_be_given_otherwise(runner, tmp_path, capsys):
    dry = ["recipe", *SMALL[:4], "--dry-run"]
    assert main([*dry, "--updates", "5"]) == 0
    assert capsys.readouterr().out.count("--updates 5 ") == 16
    assert main([*dry, "--recipe", "improved"]) == 2
    assert "--recipe: is what the runs of a table differ in" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["static", "--only", "prediction"],
            "has no section prediction; it has main, generalisation, steps",
        ),
        ([*SHAPES, "--seeds", "0"], "--seeds: expected at least 1, got 0"),
        ([*SHAPES, "--minutes", "0"], "--minutes: expected a number above 0, got 0.0"),
        ([*SHAPES, "--components", "7"], "--components: is what the runs of a table differ in"),
        ([*SHAPES, "--seed", "7"], "use --seeds"),
        ([*SHAPES, "--noise", "0", "0.1"], "--noise: expected one value for all runs of the table"),
        ([*SHAPES, "--sedes", "2"], "did you mean --seeds?"),
        ([*SHAPES, "--jobs", "0"], "--jobs: expected at least 1, got 0"),
        ([*SHAPES, "--threads", "0"], "--threads: expected at least 1, got 0"),
        (
            ["static", *SMALL, "--network", "located"],
            "the setting n-em of this table, static_shapes --guide n-em --components 4 ",
        ),
    ],
)
def test_bad_command_lines_are_explained(runner, capsys, arguments, message):
    assert main(arguments) == 2
    assert message in capsys.readouterr().err
    assert runner.begun == []


def test_options_of_run_hold_for_all_runs(runner, tmp_path):
    only = ["--only", "main", "--seeds", "1", "--updates", "4", "--clip-norm", "3"]
    assert main([*SHAPES, *only]) == 0
    assert [name.split("-")[-2:] for name in runner.begun] == [["clip3.0", "seed0"]] * 5
    settings = {setting for _, setting, _ in rows_of(tmp_path / "results")}
    assert "3/3, clip norm 3.0" in settings
    assert main([*SHAPES, *only, "--only", "steps", "prediction"]) == 0
    settings |= {setting for _, setting, _ in rows_of(tmp_path / "results")}
    assert "3/3, clip norm 3.0, 50 steps, 4 sequences" in settings
    assert "3/1, official network, clip norm 3.0, prediction" in settings


def test_runs_have_as_many_threads_as_asked(runner, capsys):
    dry = [*SHAPES, "--only", "main", "--jobs", "2", "--dry-run"]
    for threads in ("3", "5"):
        assert main([*dry, "--threads", threads]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert len(lines) == 10
        assert all(line.endswith(f" --threads {threads}") for line in lines)
        assert all(line.count("--threads") == 1 for line in lines)


@pytest.mark.parametrize(
    ("options", "folder"),
    [
        (["--scale", "smoke"], "runs/tables"),
        (["--scale", "laptop"], "docs/results"),
        (["--scale", "smoke", "--output", "docs/results"], "docs/results"),
    ],
)
def test_smoke_runs_stay_out_of_published_tables(runner, tmp_path, capsys, options, folder):
    assert main(["static", "--seeds", "1", "--only", "main", *options]) == 0
    assert [path.parent for path in tmp_path.rglob("static_shapes.*")] == [tmp_path / folder] * 3
    assert f"in {folder}: static_shapes.md" in capsys.readouterr().out


@pytest.mark.parametrize("kind", [FRAMES, SEQUENCES, IMAGES])
def test_no_option_of_a_run_is_hidden_by_one_of_the_table(kind):
    of_run = set(vars(kind.options(kind.names[0])))
    assert of_run & set(vars(TableOptions("static"))) == {"scale", "threads"}
    of_sweep = of_run & set(vars(SweepOptions("flying_shapes")))
    assert of_sweep == {"experiment", "threads"}


def test_help_explains(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    assert "Stop after so many minutes" in capsys.readouterr().out
