"""Predicting a frame by the one before it."""

from dataclasses import replace

import numpy as np
import pytest

from experiments.frames.defaults import defaults
from experiments.tables.copying import COPY, FITTED, copying_scores
from pyro_nem.data import SPLITS, FrameBlock, Split, write_frames

STEPS = 3


@pytest.fixture
def frames(tmp_path):
    """Binary frames [T + 1, N, rows, columns, 1], of which some pixels stay as they are."""
    random = np.random.default_rng(0)
    found = random.integers(0, 2, (STEPS + 1, 12, 4, 4, 1), np.uint8)
    found[1:, :, :2] = found[:1, :, :2]
    blocks = [FrameBlock(found, np.zeros_like(found))]
    write_frames(tmp_path / "frames.h5", {split: Split(12, blocks) for split in SPLITS}, {})
    return found.astype(float)


def test_copying_by_hand(frames, tmp_path):
    settings = replace(
        defaults("flying_shapes", "smoke", None, None),
        data=str(tmp_path / "frames.h5"),
        steps=STEPS,
        test_sequences=5,
    )
    found = copying_scores(settings)
    last, following = frames[:-1], frames[1:]
    wrong = (last != following)[:, :5]
    plain = found[COPY]
    per_step = wrong.sum((2, 3, 4)).mean(1) * -np.log(1e-6)
    assert plain["per_step"]["next_step_bce"] == pytest.approx(per_step, rel=1e-3)
    assert plain["test.next_step_bce"] == pytest.approx(per_step.mean(), rel=1e-3)
    # Of binary frames, how often a pixel is on after it was on or off, in the training split.
    on = np.where(last == 1, following[last == 1].mean(), following[last == 0].mean())[:, :5]
    target = following[:, :5]
    nats = -(target * np.log(on) + (1 - target) * np.log1p(-on)).sum((2, 3, 4))
    fitted = found[FITTED]["per_step"]["next_step_bce"]
    assert fitted == pytest.approx(nats.mean(1), rel=1e-4)
