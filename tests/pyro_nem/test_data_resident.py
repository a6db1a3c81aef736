"""Resident frames give the batches of the file."""

import numpy as np
import pytest
import torch

from pyro_nem.data import ArrayFrames, ResidentFrames, epoch_batches, epoch_order
from pyro_nem.errors import ConfigError

RANDOM = np.random.default_rng(0)
SHAPE = (4, 300, 3, 5, 2)
GROUPS = RANDOM.integers(0, 5, (*SHAPE[:-1], 1), np.uint8)
LEVELS = RANDOM.integers(0, 256, SHAPE)
BYTES, FLOATS = 4 * 300 * 3 * 5 * 2, 4 * 4 * 300 * 3 * 5 * 2

FEATURES = {
    "binary": LEVELS.astype(np.uint8) // 128,
    "bool": LEVELS > 99,
    "binary float": (LEVELS > 99).astype(np.float32),
    "grey": (LEVELS / 255).astype(np.float32),
    "grey double": LEVELS / 255,
    "float": RANDOM.random(SHAPE),
    # Only the last sequences, so that the first are held as bytes before.
    "float at the end": np.where(np.arange(300)[:, None, None, None] < 290, LEVELS / 255, 0.1234),
}
HELD = dict.fromkeys(FEATURES, BYTES) | {"float": FLOATS, "float at the end": FLOATS}
ORDER = {"batch_size": 16, "seed": 3, "epoch": 2, "window": 128}


def check_equal(source, device, **options):
    """Compare an epoch from the file with the same one from the device."""
    frames = ResidentFrames(source, device=device, **options)
    order = epoch_order(frames.num_sequences, **ORDER).to(device)
    batches = list(epoch_batches(source, frames=options["frames"], **ORDER))
    assert len(order) == len(batches) == 18
    for sequences, expected in zip(order, batches, strict=True):
        found = frames.batch(sequences)
        assert found.frames.device == frames.device == order.device
        assert found.frames.dtype == torch.float32
        assert found.frames.stride() == expected.frames.stride()
        assert torch.equal(found.frames.cpu(), expected.frames)
        if options.get("groups", True) and expected.groups is not None:
            assert torch.equal(found.groups.cpu(), expected.groups)
        else:
            assert found.groups is None
    return frames


@pytest.mark.parametrize("kind", FEATURES)
def test_batches_equal_those_of_the_file(kind):
    frames = check_equal(ArrayFrames(FEATURES[kind], GROUPS), "cpu", frames=4)
    assert frames.num_bytes == HELD[kind] + GROUPS.size


@pytest.mark.parametrize("groups", [None, GROUPS])
def test_groups_are_held_only_if_there_are_any_and_they_are_asked_for(groups):
    source = ArrayFrames(FEATURES["grey"], groups)
    check_equal(source, "cpu", frames=3)
    assert check_equal(source, "cpu", frames=3, groups=False).num_bytes == BYTES * 3 // 4


def test_static_images_are_held_once_and_repeated():
    source = ArrayFrames(FEATURES["grey"][:1], GROUPS[:1])
    frames = check_equal(source, "cpu", frames=6)
    assert frames.num_bytes == BYTES // 4 + GROUPS[:1].size
    assert frames.gather(torch.tensor([1, 2])).stride(0) == 0


def test_every_grey_level_is_exact():
    levels = (np.arange(256) / 255).astype(np.float32)
    source = ArrayFrames(levels[None, :, None, None, None])
    frames = ResidentFrames(source, frames=1, device="cpu")
    assert frames.num_bytes == 256
    found = frames.gather(torch.arange(256)).flatten()
    np.testing.assert_array_equal(found.numpy(), levels)


def test_any_sequences_may_be_gathered_and_changed():
    source = ArrayFrames(FEATURES["float"], GROUPS, name="mine")
    frames = ResidentFrames(source, frames=4, device="cpu")
    assert (frames.name, frames.num_sequences) == ("mine", 300)
    sequences = torch.tensor([299, 0, 299])
    first = frames.gather(sequences)
    np.testing.assert_array_equal(first.numpy(), FEATURES["float"][:, sequences].astype(np.float32))
    first.zero_()
    assert frames.gather(sequences).any()
    with pytest.raises(RuntimeError, match="out of DATA bounds"):
        frames.gather(torch.tensor([300]))


def test_arrays_may_be_read_only_and_run_backwards():
    features, groups = FEATURES["grey"][:, ::-1], GROUPS[:, ::-1]
    groups.flags.writeable = features.flags.writeable = False
    check_equal(ArrayFrames(features, groups), "cpu", frames=4)


def test_progress_is_reported():
    seen = []
    source = ArrayFrames(FEATURES["binary"])
    ResidentFrames(source, frames=2, device="cpu", report=lambda *at: seen.append(at))
    assert seen == [(128, 300), (256, 300), (300, 300)]


@pytest.mark.parametrize(
    ("kind", "groups", "needed"),
    [
        ("binary", None, BYTES),
        ("binary", GROUPS, BYTES + GROUPS.size),
        ("float", None, FLOATS),
        ("float at the end", GROUPS, FLOATS + GROUPS.size),
    ],
)
def test_the_memory_limit_is_kept(kind, groups, needed):
    source = ArrayFrames(FEATURES[kind], groups, name="mine")
    ResidentFrames(source, frames=4, device="cpu", memory_limit=needed)
    message = f"memory_limit: mine takes at least {needed:,} bytes.*limit of {needed - 1:,}; raise"
    with pytest.raises(ConfigError, match=message):
        ResidentFrames(source, frames=4, device="cpu", memory_limit=needed - 1)


def test_too_few_frames_name_the_source():
    with pytest.raises(ConfigError, match="mine has 4 frames a sequence, 5 were asked"):
        ResidentFrames(ArrayFrames(FEATURES["grey"], name="mine"), frames=5, device="cpu")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"batch_size": 0}, "batch_size: expected 1 to 10, the number of sequences, got 0"),
        ({"batch_size": 11}, "batch_size: expected 1 to 10"),
        ({"window": 0}, "window.*got 0"),
        ({"epoch": -1}, "seed and epoch.*got 0 and -1"),
    ],
)
def test_the_arguments_of_an_order_are_checked(changes, message):
    with pytest.raises(ConfigError, match=message):
        epoch_order(10, **({"batch_size": 2, "seed": 0, "epoch": 0} | changes))


needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA GPU")


@needs_cuda
@pytest.mark.parametrize("kind", FEATURES)
def test_batches_on_cuda_equal_those_of_the_file(kind):
    check_equal(ArrayFrames(FEATURES[kind], GROUPS), "cuda:0", frames=4)
    check_equal(ArrayFrames(FEATURES[kind][:1], GROUPS[:1]), "cuda:0", frames=4)


@needs_cuda
def test_gathering_on_cuda_never_waits():
    frames = ResidentFrames(ArrayFrames(FEATURES["grey"], GROUPS), frames=4, device="cuda:0")
    sequences = torch.arange(8, device="cuda:0")
    torch.cuda.set_sync_debug_mode("error")
    try:
        frames.batch(sequences)
    finally:
        torch.cuda.set_sync_debug_mode("default")
