"""Tables of the paper's experiments."""

import shutil

import pytest
from smoke_commands import read
from table_runner import SHAPES, Runner, rows_of

from experiments.collect import main as collect
from experiments.evaluate import main as evaluate
from experiments.table import main
from experiments.tables import trials as table_tests


@pytest.fixture
def tests_done(monkeypatch):
    """The files of the tests that were scored, in turn."""
    done = []
    score = table_tests.Trial.score

    def noted(trial, run):
        done.append(str(trial.file))
        return score(trial, run)

    monkeypatch.setattr(table_tests.Trial, "score", noted)
    return done


def test_a_table_is_made_and_remade(runner, tests_done, tmp_path, capsys):
    assert main(SHAPES) == 0
    assert len(runner.begun) == 12
    rows = rows_of(tmp_path / "results")
    row = rows["main", "3/5", "test.ami"]
    assert (row["values"], row["seeds"], row["paper"]) == ([0.5, 0.51], [0, 1], 0.997)
    assert ("main", "3/1", "test.ami") not in rows
    # Seven tests of other conditions and three of more steps, two seeds each.
    assert len(tests_done) == len(set(tests_done)) == 20

    # Made by hand, the same numbers.
    folder = tmp_path / "runs/flying_shapes/smoke-rnn-em-located-3objects-k3-seed1"
    options = ["--objects", "5", "--components", "5", "--sequences", "4", "--name", "hand"]
    assert evaluate([str(folder), *options]) == 0
    row = rows["generalisation", "3/3, tested with 5/5, 4 sequences", "test.ami"]
    assert row["values"][1] == read(folder / "evaluations" / "hand.json")["test.ami"]
    assert "--objects 5 --components 5" in row["command"]
    assert row["wall_seconds"] < 60
    assert row["paper"] is None
    row = rows["generalisation", "3/3, tested with 3/5, 4 sequences", "test.ami"]
    assert row["paper"] == 0.972

    long = read(folder / "evaluations" / "test-3objects-k3-t50-4sequences-best.json")["per_step"][
        "ami"
    ]
    assert len(long) == 50
    for step in (1, 10, 50):
        row = rows["steps", "3/3, 50 steps, 4 sequences", f"test.ami, step {step}"]
        assert row["values"][1] == long[step - 1]

    bce = read(folder / "summary.json")["per_step"]["next_step_bce"]
    predicted = ("prediction", "3/1, official network, prediction")
    assert rows[*predicted, "test.next_step_bce, step 20"]["mean"] == bce[19]
    assert rows[*predicted, "test.next_step_bce"]["network"] == "official"
    copied = rows["prediction", "copy, fitted", "test.next_step_bce"]
    assert (copied["seeds"], copied["network"]) == ([], "none")
    plain = rows["prediction", "copy of the last frame", "test.next_step_bce"]
    assert copied["mean"] < plain["mean"]

    text = (tmp_path / "results" / "flying_shapes.md").read_text()
    assert "remembered" in text
    for name in ("prediction", "steps"):
        assert f"(flying_shapes_{name}.png)" in text
        assert (tmp_path / "results" / f"flying_shapes_{name}.png").stat().st_size > 1000

    capsys.readouterr()
    tests_done.clear()
    assert main(SHAPES) == 0
    assert (len(runner.begun), tests_done) == (12, [])
    assert values(tmp_path) == {key: row["values"] for key, row in rows.items()}

    # Nothing is lost when less is made again.
    assert main([*SHAPES, "--only", "prediction", "--seeds", "1"]) == 0
    assert collect([str(folder), "--output", "results"]) == 0
    assert values(tmp_path) == {key: row["values"] for key, row in rows.items()}
    assert notes(text) == notes((tmp_path / "results" / "flying_shapes.md").read_text())


def test_copies_of_other_frames_do_not_take_the_place_of_the_usual_ones(runner, tmp_path):
    prediction = [*SHAPES, "--only", "prediction", "--seeds", "1"]
    assert main(prediction) == 0
    usual = values(tmp_path)
    conditions = ["--steps", "10", "--test-sequences", "4"]
    assert main([*prediction, *conditions]) == 0
    found = values(tmp_path)
    assert {key: found[key] for key in usual} == usual
    for name in ("copy of the last frame", "copy, fitted"):
        key = ("prediction", f"{name}, steps 10, test sequences 4", "test.next_step_bce")
        assert found[key] != usual["prediction", name, "test.next_step_bce"]


def notes(text):
    """Headings, notes and links to figures, which are neither tables nor commands."""
    return [line for line in text.splitlines() if line and line[0] not in "|-"]


def values(folder):
    return {key: row["values"] for key, row in rows_of(folder / "results").items()}


def test_a_test_is_repeated_if_weights_or_conditions_changed(runner, tests_done, tmp_path):
    steps = [*SHAPES, "--only", "steps"]
    assert main(steps) == 0
    assert len(tests_done) == 6
    assert len(runner.begun) == 6
    folders = sorted((tmp_path / "runs/flying_shapes").iterdir())
    best = folders[0] / "checkpoints" / "best.pt"
    shutil.copy(folders[0] / "checkpoints" / "last.pt", best)
    tests_done.clear()
    assert main(steps) == 0
    assert [file.split("/")[2] for file in tests_done] == [folders[0].name]
    tests_done.clear()
    assert main([*steps, "--sequences", "3"]) == 0
    assert len(tests_done) == 6


def test_runs_on_published_files_are_tested_on_such(runner, smoke_file, tmp_path, capsys):
    published = tmp_path / "published"
    published.mkdir()
    for name in ("flying_shapes", "flying_shapes_4", "flying_shapes_5"):
        (published / f"{name}.h5").symlink_to(smoke_file)
    table = [*SHAPES, "--data-dir", "published", "--seeds", "1"]
    assert main([*table, "--only", "generalisation"]) == 0
    tested = [read(path)["data"] for path in tmp_path.glob("runs/*/*/evaluations/*.json")]
    expected = ("flying_shapes",) * 5 + ("flying_shapes_4", "flying_shapes_5")
    assert sorted(tested) == [f"{published}/{name}.h5, split 'test'" for name in expected]
    # No file of 51 frames was published.
    assert main([*table, "--only", "steps"]) == 1
    assert "published/flying_shapes.h5, split 'test' has 21;" in capsys.readouterr().err


def test_runs_on_a_file_of_ones_own_are_tested_on_no_other(runner, smoke_file, tmp_path, capsys):
    (tmp_path / "mine.h5").symlink_to(smoke_file)
    (tmp_path / "shapes.h5").symlink_to(smoke_file)
    static = ["static", *SHAPES[1:], "--data", "mine.h5", "--seeds", "1", "--only"]
    assert main([*static, "generalisation"]) == 1
    said = f"the run was trained on {tmp_path}/mine.h5, in place of which"
    assert capsys.readouterr().err.count(said) == 6
    assert main([*static, "generalisation", "--dry-run"]) == 0
    assert capsys.readouterr().out.count("\nrefused      runs/static_shapes/smoke-") == 6


def test_a_table_stops_when_the_time_is_up_and_goes_on(runner, tests_done, tmp_path, capsys):
    only = [*SHAPES, "--only", "main", "generalisation"]
    assert main([*only, "--minutes", "1e-9"]) == 3
    assert runner.begun == []
    error = capsys.readouterr().err
    assert error.count("interrupted: runs/flying_shapes/smoke-") == 10
    assert error.endswith(
        "the time is up\nthe same command goes on with what is interrupted or busy\n"
    )
    assert not (tmp_path / "results").exists()

    # With all runs there, the tests are what is left.
    assert main([*SHAPES, "--only", "main"]) == 0
    runner.__class__ = type("Finished", (Runner,), {"__call__": everything})
    assert main([*only, "--minutes", "1e-9"]) == 3
    assert "interrupted: 14 tests" in capsys.readouterr().err
    assert tests_done == []
    assert {section for section, *_ in rows_of(tmp_path / "results")} == {"main"}
    assert main(only) == 0
    assert len(tests_done) == 14


def everything(runner, points, options, *, time_is_up):
    return [runner.run(point) for point in points]


@pytest.mark.parametrize(("state", "code"), [("failed", 1), ("busy", 1), ("interrupted", 130)])
def test_what_is_missing_is_said(runner, tmp_path, capsys, state, code):
    runner.otherwise = {5: state}
    assert main([*SHAPES, "--only", "main"]) == code
    error = capsys.readouterr().err
    assert error.count(f"{state}: runs/flying_shapes/smoke-rnn-em-located-") == 4
    if code == 1:
        settings = {setting for _, setting, _ in rows_of(tmp_path / "results")}
        assert settings == {"3/3", "5/3", "4/4"}


def test_a_test_that_cannot_be_done_is_told_and_costs_no_other(runner, tmp_path, capsys):
    only = ["--only", "main", "steps", "--seeds", "1"]
    assert main([*SHAPES, *only]) == 0
    shutil.rmtree(tmp_path / "results")
    folder = tmp_path / "runs/flying_shapes/smoke-rnn-em-located-3objects-k5-seed0"
    (folder / "evaluations" / "test-3objects-k5-t50-4sequences-best.json").write_text("{")
    assert main([*SHAPES, *only]) == 1
    error = capsys.readouterr().err
    assert error.count("refused: ") == 1
    assert "the same command goes on" not in error
    assert f"refused: {folder.relative_to(tmp_path)}, tested with 50 steps, 4 sequences: " in error
    assert "t50-4sequences-best.json: is not valid JSON" in error
    found = {(section, setting) for section, setting, _ in rows_of(tmp_path / "results")}
    long = {setting for section, setting in found if section == "steps"}
    assert long == {f"{setting}, 50 steps, 4 sequences" for setting in ("3/3", "5/5")}
    assert ("main", "3/5") in found


def test_what_is_finished_is_written_before_the_tests(runner, tmp_path, monkeypatch):
    def killed(trial, run):
        raise KeyboardInterrupt

    monkeypatch.setattr(table_tests.Trial, "score", killed)
    assert main([*SHAPES, "--seeds", "1"]) == 130
    assert {section for section, *_ in rows_of(tmp_path / "results")} == {"main"}
