"""What the commands refuse, and how they explain it."""

import json
import re

import numpy as np
import pytest
from smoke_commands import SMOKE, read

from experiments import evaluate, rollout
from experiments.images import evaluate as image_evaluate
from experiments.sequences import evaluate as sequence_evaluate
from pyro_nem.data import SPLITS, FrameBlock, Split, write_frames


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("flying_shapes", "--componets", "3"), "--components"),
        (("flying_shape",), "flying_shapes"),
        ((*SMOKE, "--components", "0"), "--components: expected at least 1, got 0"),
        ((*SMOKE, "--steps", "0"), "--steps: expected at least 1, got 0"),
        ((*SMOKE, "--guide", "vrnn", "--gradient", "dreg"), "--gradient: dreg is an est"),
        (
            ("bouncing_balls", "--scale", "smoke", "--most-objects", "2"),
            "expected at least --objects",
        ),
        ((*SMOKE, "--objects", "0"), "--objects: expected at least 1, got 0"),
        ((*SMOKE, "--noise", "1.5"), "--noise: expected a number in [0, 1], got 1.5"),
        ((*SMOKE, "--guide", "n-em", "--network", "located"), "leave --network out"),
        ((*SMOKE, "--data", "nowhere.h5"), "nowhere.h5: expected an HDF5 file"),
        ((*SMOKE, "--device", "gpu"), "--device: expected cpu, cuda or cuda:N, got 'gpu'"),
        ((*SMOKE, "--posterior-sequences", "-1"), "expected 0 or more, got -1"),
        ((*SMOKE, "--threads", "0"), "--threads: expected at least 1, got 0"),
        ((*SMOKE, "--seed", "99999999999999999999999"), "--seed: expected a number from 0"),
        ((*SMOKE, "--updates", "0"), "--updates: expected at least 1, got 0"),
        ((*SMOKE, "--batch-size", "1000"), "--batch-size: "),
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
        (("flying_shapes", "--resume", "--components", "4"), "with components 3 instead of 4,"),
        (("flying_shapes", "--resume", "--updates", "9"), "with updates 4 instead of 9, which"),
        (("flying_shapes", "--resume", "--data", "a", "--data-dir", "b"), "leave one of them out"),
    ],
)
def test_a_run_is_never_mixed_with_another(command, smoke_run, arguments, message):
    before = {p: p.read_bytes() for p in smoke_run.glob("*.json*")}
    printed = command("run", *arguments, "--run-dir", smoke_run, expect=2)
    assert message in printed
    assert {p: p.read_bytes() for p in smoke_run.glob("*.json*")} == before


def test_a_run_without_draws_has_none_to_sample(command, smoke_run):
    printed = command("rollout", smoke_run, "--sample", expect=2)
    assert "--sample: the states of guide rnn-em are point masses" in printed


def test_too_few_frames_are_explained(command, tmp_path, smoke_file):
    options = (*SMOKE, "--data", smoke_file, "--steps", "30", "--run-dir", tmp_path / "run")
    assert "at most 20 steps" in command("run", *options, expect=2)
    assert not (tmp_path / "run").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--test-sequences", "65"), "--test-sequences: {} holds 64, fewer than the 65 asked for"),
        (
            ("--test-sequences", "64", "--posterior-sequences", "65"),
            "--posterior-sequences: what is scored of {} holds 64, fewer than the 65 asked for",
        ),
    ],
)
def test_more_test_sequences_than_there_are_are_refused(
    command, tmp_path, smoke_file, options, message
):
    options = (*SMOKE, "--data", smoke_file, *options, "--run-dir", tmp_path / "run")
    assert message.format(f"{smoke_file}, split 'test'") in command("run", *options, expect=2)
    assert not (tmp_path / "run").exists()


def test_frames_of_another_size_are_explained(command, tmp_path, smoke_run):
    blocks = [FrameBlock(*np.zeros((2, 21, 8, 32, 32, 1), np.uint8))]
    file = tmp_path / "large.h5"
    write_frames(file, {split: Split(8, blocks) for split in SPLITS}, {})
    printed = command("evaluate", smoke_run, "--data", file, expect=2)
    assert "frames are (32, 32, 1)" in printed
    assert "trained on (28, 28, 1)" in printed


def test_no_threads_are_explained(command, smoke_run):
    printed = command("evaluate", smoke_run, "--threads", "0", expect=2)
    assert "--threads: expected at least 1, got 0" in printed


@pytest.mark.parametrize("module", [evaluate, rollout, image_evaluate, sequence_evaluate])
@pytest.mark.parametrize("name", ["a/b", "../a", "..", ""])
def test_names_that_are_paths_are_refused_before_the_run_is_opened(module, name, capsys):
    assert module.main(["nowhere", "--name", name]) == 2
    assert "--name: expected letters, digits, -, _ and, beh" in capsys.readouterr().err


def test_more_sequences_than_there_are_is_explained(command, smoke_run):
    for program, *options in (("evaluate",), ("rollout", "--seen", "10", "--steps", "5")):
        printed = command(program, smoke_run, *options, "--sequences", "500", expect=2)
        assert "--sequences: " in printed
        assert "holds 64, fewer than the 500 asked for" in printed


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
