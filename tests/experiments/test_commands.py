"""The commands end to end at smoke scale, as a user starts them."""

import re

import pytest
from smoke_commands import SMOKE, read

from inference import read_posterior
from pyro_nem.data import HDF5Frames


@pytest.mark.parametrize(
    ("experiment", "options"),
    [
        ("flying_shapes", ("--network", "official")),
        ("flying_shapes", ("--guide", "r-nem", "--attention", "off")),
        ("flying_shapes", ("--guide", "vrnn", "--divergence", "analytic", "--kl-warmup", "2")),
        ("static_shapes", ("--guide", "n-em")),
        ("static_shapes", ("--network", "official", "--steps", "1")),
        ("static_shapes", ("--guide", "vrnn", "--network", "official", "--free-nats", "0.5")),
        ("bouncing_balls_curtain", ("--network", "official")),
    ],
    ids=str,
)
def test_every_experiment_and_guide_runs(command, tmp_path, experiment, options):
    folder = tmp_path / "run"
    printed = command("run", experiment, "--scale", "smoke", "--run-dir", folder, *options)
    assert re.search(r"update 4/4 \| train loss .*ARI .*validation loss .* left", printed)
    summary = read(folder / "summary.json")
    keys = ("ami", "ami_last", "ari", "ari_last", "next_step_bce", "log_likelihood")
    assert all(isinstance(summary[f"test.{key}"], float) for key in keys)
    assert summary["updates"] == 4
    assert summary["wall_seconds"] > 0
    assert summary["parameters"] > 100_000
    assert {"device", "commit", "command", "versions"} <= set(summary)
    assert "describing the posterior of 2 of them" in printed
    assert set(read_posterior(folder / "posterior.nc").children) >= {"posterior", "sample_stats"}
    assert "</html>" in (folder / "report.html").read_text()
    names = {p.name for p in (folder / "figures").iterdir()}
    assert {"learning_curves.png", "overview_test_0.png", "segmentation_train.gif"} <= names


def test_the_bound_of_a_stochastic_guide_is_reported(command, tmp_path):
    folder = tmp_path / "run"
    options = ("--guide", "vrnn", "--objective", "iwae", "--particles", "2", "--gradient", "dreg")
    printed = command("run", *SMOKE, "--run-dir", folder, *options)
    assert "IWAE-5, 4 sequences" in printed
    summary = read(folder / "summary.json")
    for name in ("bound", "kl", "prior_bce", "iwae", "iwae_elbo"):
        assert isinstance(summary[f"test.{name}"], float)
    assert summary["test.iwae"] >= summary["test.iwae_elbo"]
    assert summary["test.bound"] < summary["test.log_likelihood"]
    shares = summary["per_component"]["component_share"]
    assert sum(shares) == pytest.approx(1.0)
    assert shares == sorted(shares, reverse=True)
    assert len(summary["per_component"]["component_kl"]) == 3
    command("rollout", folder, "--steps", 3, "--sequences", 4, "--sample")
    assert (folder / "rollouts" / "3objects-k3-seen20-steps3-sampled-4sequences.gif").exists()
    command("evaluate", folder, "--particles", 3, "--sequences", 4, "--name", "three")
    assert read(folder / "evaluations" / "three.json")["test.iwae_particles"] == 3
    printed = command("run", "flying_shapes", "--resume", "--run-dir", folder, *options[:6])
    assert "done in" in printed
    refused = command(
        "run", "flying_shapes", "--resume", "--run-dir", folder, "--particles", 3, expect=2
    )
    assert "holds a run with particles 2 instead of 3, which the command line asks for" in refused


def test_a_run_predicts_the_future(command, smoke_run):
    options = ("--steps", 4, "--seen", 3, "--sequences", 5, "--objects", 2, "--components", 2)
    printed = command("rollout", smoke_run, *options)
    assert "3 steps seen, 4 predicted, K = 2" in printed
    folder = smoke_run / "rollouts"
    found = read(folder / "2objects-k2-seen3-steps4-5sequences.json")
    assert found["sequences"] == 5
    assert {len(values) for values in found["per_step"].values()} == {4}
    for suffix in ("gif", "png"):
        assert (folder / f"2objects-k2-seen3-steps4-5sequences.{suffix}").stat().st_size > 1000


def test_collisions_are_scored(command, tmp_path):
    folder = tmp_path / "run"
    vrnn = ("--guide", "vrnn", "--steps", "3")
    command("run", "bouncing_balls", "--scale", "smoke", "--run-dir", folder, *vrnn)
    options = ("--objects", 6, "--most-objects", 8, "--components", 8, "--sequences", 4)
    command("evaluate", folder, *options, "--steps", "20")
    found = read(folder / "evaluations" / "test-6to8objects-k8-t20-4sequences-best.json")
    assert found["test.collision_bce"] > 0


def test_evaluation_under_other_conditions(command, smoke_run):
    same = command("evaluate", smoke_run, "--sequences", 8, "--name", "same")
    assert "8 sequences" in same
    found = read(smoke_run / "evaluations" / "same.json")
    summary = read(smoke_run / "summary.json")
    assert found["per_step"] == summary["per_step"]
    options = ("--components", 5, "--steps", 25, "--objects", 4, "--sequences", 6)
    command("evaluate", smoke_run, *options)
    other = read(smoke_run / "evaluations" / "test-4objects-k5-t25-6sequences-best.json")
    assert len(other["per_step"]["ami"]) == 25
    assert (other["components"], other["test.sequences"]) == (5, 6)
    assert (
        smoke_run / "evaluations" / "segmentation_test-4objects-k5-t25-6sequences-best.gif"
    ).exists()


def test_evaluation_on_a_file_and_another_split(command, smoke_run, smoke_file):
    options = ("--split", "validation", "--name", "file", "--checkpoint", "last")
    command("evaluate", smoke_run, "--data", smoke_file, *options)
    found = read(smoke_run / "evaluations" / "file.json")
    with HDF5Frames(smoke_file, "validation", 8) as source:
        assert found["data"] == source.name
    assert "validation.ami" in found


def test_training_on_a_file(command, tmp_path, smoke_run, smoke_file):
    folder = tmp_path / "run"
    options = ("--data", smoke_file, "--posterior-sequences", 0)
    command("run", "flying_shapes", "--scale", "smoke", *options, "--run-dir", folder)
    assert not (folder / "posterior.nc").exists()
    assert read(folder / "summary.json")["per_step"] == read(smoke_run / "summary.json")["per_step"]


@pytest.mark.parametrize("program", ["run", "evaluate", "report", "rollout", "benchmark"])
def test_help_explains(command, program):
    assert "usage: experiments." in command(program, "--help")
