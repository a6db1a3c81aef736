"""The commands end to end at smoke scale, as a user starts them."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from pyro_nem.data import SPLITS, FrameBlock, HDF5Frames, Split, write_frames

ROOT = Path(__file__).parents[2]
SMOKE = ("flying_shapes", "--scale", "smoke")


@pytest.fixture(scope="session")
def environment(tmp_path_factory):
    """One cache for all commands and one thread each, so that tests can run side by side."""
    cache = tmp_path_factory.mktemp("cache")
    return {**os.environ, "PYRO_NEM_CACHE": str(cache), "OMP_NUM_THREADS": "1"}


@pytest.fixture
def command(environment, tmp_path):
    def run(program, *arguments, expect=0):
        done = subprocess.run(
            [sys.executable, "-W", "error", "-m", f"experiments.{program}", *map(str, arguments)],
            cwd=ROOT,
            env=environment,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )
        assert done.returncode == expect, done.stdout + done.stderr
        if expect == 2:
            assert "Traceback" not in done.stderr
        return done.stdout + done.stderr

    return run


@pytest.fixture(scope="session")
def smoke_run(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "flying"
    start(environment, "run", *SMOKE, "--run-dir", folder).communicate(timeout=120)
    return folder


def start(environment, program, *arguments):
    return subprocess.Popen(
        [sys.executable, "-m", f"experiments.{program}", *map(str, arguments)],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        text=True,
    )


def read(path):
    return json.loads(path.read_text())


@pytest.mark.parametrize(
    ("experiment", "options"),
    [
        ("flying_shapes", ("--network", "official")),
        ("flying_shapes", ("--guide", "r-nem", "--attention", "off")),
        ("flying_shapes", ("--guide", "vrnn", "--divergence", "analytic", "--kl-warmup", "2")),
        ("static_shapes", ("--guide", "n-em")),
        ("static_shapes", ("--network", "official")),
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
    assert (folder / "rollouts" / "3objects-k3-seen20-steps3-sampled.gif").exists()
    command("evaluate", folder, "--particles", 3, "--sequences", 4, "--name", "three")
    assert read(folder / "evaluations" / "three.json")["test.iwae_particles"] == 3
    printed = command("run", "flying_shapes", "--resume", "--run-dir", folder, *options[:6])
    assert "done in" in printed
    refused = command(
        "run", "flying_shapes", "--resume", "--run-dir", folder, "--particles", 3, expect=2
    )
    assert "holds a run with particles 2, but the command line asks for 3" in refused


def test_a_run_predicts_the_future(command, smoke_run):
    options = ("--steps", 4, "--seen", 3, "--sequences", 5, "--objects", 2, "--components", 2)
    printed = command("rollout", smoke_run, *options)
    assert "3 steps seen, 4 predicted, K = 2" in printed
    folder = smoke_run / "rollouts"
    found = read(folder / "2objects-k2-seen3-steps4.json")
    assert found["sequences"] == 5
    assert {len(values) for values in found["per_step"].values()} == {4}
    for suffix in ("gif", "png"):
        assert (folder / f"2objects-k2-seen3-steps4.{suffix}").stat().st_size > 1000


def test_collisions_are_scored(command, environment, tmp_path):
    folder = tmp_path / "run"
    vrnn = ("--guide", "vrnn", "--steps", "3")
    command("run", "bouncing_balls", "--scale", "smoke", "--run-dir", folder, *vrnn)
    options = ("--objects", 6, "--most-objects", 8, "--components", 8, "--sequences", 4)
    command("evaluate", folder, *options, "--steps", "20")
    found = read(folder / "evaluations" / "test-6to8objects-k8-t20-best.json")
    assert found["test.collision_bce"] > 0


STATIC = ("static_shapes", "--scale", "smoke", "--updates", "40")


@pytest.fixture(scope="session")
def whole_run(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start(environment, "run", *STATIC, "--run-dir", folder).communicate(timeout=120)
    return folder


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_stopped_run_resumes_to_the_same_numbers(
    environment, command, whole_run, tmp_path, number, code
):
    parts = tmp_path / "parts"
    with start(environment, "run", *STATIC, "--run-dir", parts) as process:
        wait_for_update(process, 5)
        process.send_signal(number)
        printed = process.stdout.read()
        assert process.wait(timeout=60) == code
    if code == 130:
        assert f"--resume --run-dir {parts}" in printed
    assert len(metrics(parts)) < 40
    command("run", "static_shapes", "--resume", "--run-dir", parts)
    assert metrics(parts) == metrics(whole_run)
    whole, resumed = (read(folder / "summary.json") for folder in (whole_run, parts))
    assert whole["per_step"] == resumed["per_step"]
    assert resumed["command"] == whole["command"].replace(str(whole_run), str(parts))


def wait_for_update(process, update):
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if line.startswith(f"update {update:>2}/"):
            return
        assert time.monotonic() < deadline
    raise AssertionError("the run ended before it could be stopped")


def metrics(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]


def test_evaluation_under_other_conditions(command, smoke_run):
    same = command("evaluate", smoke_run, "--sequences", 8, "--name", "same")
    assert "8 sequences" in same
    found = read(smoke_run / "evaluations" / "same.json")
    summary = read(smoke_run / "summary.json")
    assert found["per_step"] == summary["per_step"]
    options = ("--components", 5, "--steps", 25, "--objects", 4, "--sequences", 6)
    command("evaluate", smoke_run, *options)
    other = read(smoke_run / "evaluations" / "test-4objects-k5-t25-best.json")
    assert len(other["per_step"]["ami"]) == 25
    assert (other["components"], other["test.sequences"]) == (5, 6)
    assert (smoke_run / "evaluations" / "segmentation_test-4objects-k5-t25-best.gif").exists()


def test_evaluation_on_a_file_and_another_split(command, smoke_run, environment):
    (file,) = Path(environment["PYRO_NEM_CACHE"]).glob("shapes-3-objects-21-*-64-64-64-*.h5")
    options = ("--data", file, "--split", "validation", "--name", "file", "--checkpoint", "last")
    command("evaluate", smoke_run, *options)
    found = read(smoke_run / "evaluations" / "file.json")
    with HDF5Frames(file, "validation", 8) as source:
        assert found["data"] == source.name
    assert "validation.ami" in found


def test_training_on_a_file(command, tmp_path, environment, smoke_run):
    (file,) = Path(environment["PYRO_NEM_CACHE"]).glob("shapes-3-objects-21-*-64-64-64-*.h5")
    folder = tmp_path / "run"
    command("run", "flying_shapes", "--scale", "smoke", "--data", file, "--run-dir", folder)
    assert read(folder / "summary.json")["per_step"] == read(smoke_run / "summary.json")["per_step"]


@pytest.mark.parametrize("program", ["run", "evaluate", "rollout", "benchmark"])
def test_help_explains(command, program):
    assert "usage: experiments." in command(program, "--help")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("flying_shapes", "--componets", "3"), "--components"),
        (("flying_shape",), "flying_shapes"),
        ((*SMOKE, "--components", "0"), "--components: expected at least 1, got 0"),
        ((*SMOKE, "--steps", "0"), "--steps: expected at least 1, got 0"),
        ((*SMOKE, "--guide", "vrnn", "--gradient", "dreg"), "dreg is an estimator of iwae"),
        (
            ("bouncing_balls", "--scale", "smoke", "--most-objects", "2"),
            "expected at least --objects",
        ),
        ((*SMOKE, "--objects", "0"), "--objects: expected at least 1, got 0"),
        ((*SMOKE, "--noise", "1.5"), "probability"),
        ((*SMOKE, "--guide", "n-em", "--network", "located"), "leave --network out"),
        ((*SMOKE, "--data", "nowhere.h5"), "nowhere.h5: expected an HDF5 file"),
        ((*SMOKE, "--device", "gpu"), "--device: expected cpu, cuda or cuda:N, got 'gpu'"),
        ((*SMOKE, "--threads", "0"), "--threads: expected at least 1, got 0"),
        ((*SMOKE, "--seed", "99999999999999999999999"), "seed: expected a number from 0"),
        ((*SMOKE, "--batch-size", "1000"), "choose a smaller batch"),
        (("flying_shapes", "--resume", "--run-dir", "/nowhere"), "config.json"),
    ],
)
def test_bad_input_is_explained_and_changes_nothing(command, tmp_path, arguments, message):
    if "--run-dir" not in arguments:
        arguments = (*arguments, "--run-dir", tmp_path / "run")
    assert message in re.sub(r"[│\s]+", " ", command("run", *arguments, expect=2))
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (SMOKE, "holds a run already"),
        (("static_shapes", "--resume"), "holds a run with experiment flying_shapes"),
        (("flying_shapes", "--resume", "--components", "4"), "holds a run with components 3"),
        (("flying_shapes", "--resume", "--updates", "9"), "holds a run with updates 4"),
    ],
)
def test_a_run_is_never_mixed_with_another(command, smoke_run, arguments, message):
    before = {p: p.read_bytes() for p in smoke_run.glob("*.json*")}
    printed = command("run", *arguments, "--run-dir", smoke_run, expect=2)
    assert message in printed
    assert {p: p.read_bytes() for p in smoke_run.glob("*.json*")} == before


def test_too_few_frames_are_explained(command, tmp_path, environment, smoke_run):
    (file,) = Path(environment["PYRO_NEM_CACHE"]).glob("shapes-3-objects-21-*-64-64-64-*.h5")
    options = (*SMOKE, "--data", file, "--steps", "30", "--run-dir", tmp_path / "run")
    assert "at most 20 steps" in command("run", *options, expect=2)
    assert not (tmp_path / "run").exists()


def test_frames_of_another_size_are_explained(command, tmp_path, smoke_run):
    blocks = [FrameBlock(*np.zeros((2, 21, 8, 32, 32, 1), np.uint8))]
    file = tmp_path / "large.h5"
    write_frames(file, {split: Split(8, blocks) for split in SPLITS}, {})
    printed = command("evaluate", smoke_run, "--data", file, expect=2)
    assert "frames are (32, 32, 1)" in printed
    assert "trained on (28, 28, 1)" in printed


def test_more_sequences_than_there_are_is_explained(command, smoke_run):
    printed = command("evaluate", smoke_run, "--sequences", "500", expect=2)
    assert "holds 64 sequences, fewer than the 500" in printed


@pytest.mark.parametrize("content", ["{}", "[", '{"settings": {"experiment": "flying_shapes"}}'])
def test_a_broken_config_is_explained(command, tmp_path, content):
    (tmp_path / "config.json").write_text(content)
    for arguments in (("run", "flying_shapes", "--resume", "--run-dir"), ("evaluate",)):
        assert "config.json" in command(*arguments, tmp_path, expect=2)


def test_a_corrupt_checkpoint_is_explained(command, smoke_run, tmp_path):
    copy = tmp_path / "copy"
    (copy / "checkpoints").mkdir(parents=True)
    (copy / "config.json").write_bytes((smoke_run / "config.json").read_bytes())
    data = (smoke_run / "checkpoints" / "best.pt").read_bytes()
    (copy / "checkpoints" / "best.pt").write_bytes(data[: len(data) // 2])
    assert "best.pt: the checkpoint is corrupt" in command("evaluate", copy, expect=2)


def test_a_checkpoint_of_another_network_is_explained(command, smoke_run, tmp_path):
    copy = tmp_path / "copy"
    (copy / "checkpoints").mkdir(parents=True)
    config = read(smoke_run / "config.json")
    config["settings"].update(network="official", views=["masked-residual"])
    (copy / "config.json").write_text(json.dumps(config))
    data = (smoke_run / "checkpoints" / "best.pt").read_bytes()
    (copy / "checkpoints" / "best.pt").write_bytes(data)
    assert "of another architecture" in command("evaluate", copy, expect=2)
