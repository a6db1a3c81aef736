"""Tables tell what the posteriors of runs on sequences and images say."""

import json

import numpy as np
import pytest
from small_sequences import build, rolls

from experiments import collect
from experiments.sweeping.grid import expand
from experiments.tables.kept_rows import read_notes, read_rows
from experiments.tables.posterior_rows import posterior_notes, posterior_scores
from inference.diagnostics import k_hat, write_posterior
from inference.diagnostics.schema import variable
from inference.sequences import SequenceObjective, diagnose_sequences

METRICS = ("effective_draws", "bound_gap", "k_hat", "k_hat_above_0.7", "active_z")


def described(draws, seed=0):
    """The posterior of three sequences: [C, draws, 3] weights."""
    return diagnose_sequences(
        SequenceObjective(*build()), rolls(), restarts=2, draws=draws, kept_draws=2, seed=seed
    )


@pytest.fixture(scope="module")
def trees():
    return [described(40, seed) for seed in (0, 1)]


@pytest.fixture
def runs(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    points = expand("strokes", {"--scale": ("smoke",), "--seed": ("0", "1")}, "cpu", "test")
    for point in points:
        point.directory.create({"settings": json.loads(json.dumps(point.settings.to_dict()))})
        origin = {"command": "run", "commit": "abc", "device": "cpu", "wall_seconds": 20.0}
        summary = {"test.nll_elbo": 3.0, "seed": point.settings.training.seed, **origin}
        point.directory.summary.write_text(json.dumps(summary))
    return [point.directory for point in points]


def test_scores_are_those_of_the_weights(trees):
    tree = trees[0]
    found = posterior_scores(tree)
    assert set(found) == set(METRICS)
    log_weights = variable(tree, "sample_stats/log_weight").transpose("chain", "draw", "sequence")
    logs = log_weights.values.astype(float)
    weights = np.exp(logs).reshape(80, 3)
    equal = weights.sum(0) ** 2 / (weights**2).sum(0)
    assert found["effective_draws"] == pytest.approx(np.median(equal))
    bound = np.log(np.exp(logs).mean(1)).mean(0)
    assert found["bound_gap"] == pytest.approx((bound - logs.mean((0, 1))).mean())
    shapes = k_hat(tree).values.values
    assert found["k_hat"] == sorted(shapes)[1]
    assert found["k_hat_above_0.7"] == sum(shapes > 0.7) / 3


def test_what_is_not_known_is_left_out():
    assert set(posterior_scores(described(5))) == {"effective_draws", "bound_gap", "active_z"}


def test_a_table_has_them_if_every_seed_has_a_posterior(runs, trees):
    folders = [str(run.path) for run in runs]
    write_posterior(trees[0], runs[0].posterior)
    assert collect.main([*folders, "--output", "partly"]) == 0
    assert {row.section for row in read_rows(runs[0].path.parents[2] / "partly/strokes.json")} == {
        "main"
    }
    write_posterior(trees[1], runs[1].posterior)
    assert collect.main([*folders, "--output", "whole"]) == 0
    file = runs[0].path.parents[2] / "whole" / "strokes.json"
    rows = {row.metric: row for row in read_rows(file) if row.section == "posterior"}
    assert set(rows) == {f"test.{metric}" for metric in METRICS}
    values = [posterior_scores(tree)["bound_gap"] for tree in trees]
    assert rows["test.bound_gap"].values == pytest.approx(values)
    assert (rows["test.bound_gap"].seeds, rows["test.bound_gap"].commit) == ([0, 1], "abc")
    assert posterior_notes(rows.values()).items() <= read_notes(file).items()
    assert posterior_notes([]) == {}
