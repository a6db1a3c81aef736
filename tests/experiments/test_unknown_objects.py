"""Frames whose groups are all 0, as files of earlier imports without masks have."""

import math

import numpy as np
import torch
from small_run import build, frames

from experiments.frames.pictures import clip_samples
from experiments.frames.scores import score_table
from inference import NEMObjective, evaluate
from pyro_nem.data import ArrayFrames, Noise, make_clip, read_batch

FEATURES = frames().read(0, 12)[0]
SOURCE = ArrayFrames(FEATURES, np.zeros((4, 12, 8, 8, 1), np.uint8))


def test_the_score_table_says_it_once():
    objective = NEMObjective(*build())
    found = evaluate(objective, SOURCE, noise=Noise(), scores=["ari", "ami"])
    assert math.isnan(found.metrics["ami"])
    text = score_table(found)
    assert text.count("no masks of objects, so no AMI and ARI") == 1
    assert "nan" not in text
    assert "next-step BCE" in text
    known = evaluate(objective, frames(), noise=Noise(), scores=["ari", "ami"])
    assert "no masks" not in score_table(known)


def test_pictures_have_no_row_of_objects():
    _, guide = build()
    for source, known in ((SOURCE, False), (frames(), True)):
        batch = read_batch(source, 0, 2, 4)
        clip = make_clip(batch.frames, Noise(), torch.Generator().manual_seed(0))
        with torch.no_grad():
            rollout = guide.rollout(clip, torch.Generator().manual_seed(0))
        samples = clip_samples(clip, rollout, batch, "test")
        assert [sample.groups is not None for sample in samples] == [known] * 2
