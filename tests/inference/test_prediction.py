"""Predictions of the future, scored."""

import numpy as np
import pytest
import torch
from guide_zoo import GUIDES, PIXELS, build, make_clip
from torch import nn

from inference import NEMObjective, imagine_clip, predict
from inference.streams import Stream, update_seed
from models import SpatialMixture
from pyro_nem.data import ArrayFrames, Noise
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import adjusted_rand_index
from pyro_nem.networks import DenseDecoder

SEEN, STEPS, SEQUENCES = 2, 3, 5
SILENT = Noise("none")


def source(still=False):
    random = np.random.default_rng(0)
    features = random.integers(0, 2, (SEEN + STEPS + 1, SEQUENCES, 8, 8, 1), np.uint8)
    if still:
        features[:] = features[:1]
    groups = random.integers(0, 3, features.shape, np.uint8)
    return ArrayFrames(features, groups)


def objective(name):
    return NEMObjective(*build(name, 2))


@pytest.mark.parametrize("name", GUIDES)
def test_every_guide_predicts(name):
    found = predict(objective(name), source(), seen=SEEN, steps=STEPS, noise=SILENT, batch_size=2)
    assert found.sequences == SEQUENCES
    assert set(found.per_step) == {"bce", "wrong_pixels", "wrong_pixels_copy", "ari"}
    for values in found.per_step.values():
        assert len(values) == STEPS
        assert np.isfinite(values).all()


def test_scores_are_those_of_the_imagined_frames():
    """Each imagined step is held against the frame that follows it in the video."""
    data = source()
    module = objective("rnn-em, located")
    found = predict(module, data, seen=SEEN, steps=STEPS, noise=SILENT, seed=3)
    frames, labels = (torch.from_numpy(part.astype(np.float64)) for part in data.read(0, SEQUENCES))
    generator = torch.Generator().manual_seed(update_seed(3, Stream.PREDICTION, 0))
    made = imagine_clip(module, frames, SEEN, SILENT, generator)
    future = frames.flatten(2, 3)[SEEN + 1 :]  # [N, B, D, C]
    brightest = made.imagined.psi.amax(2)
    wrong = ((brightest > 0.5) != (future > 0.5)).double().mean((1, 2, 3))
    bce = nn.functional.binary_cross_entropy(brightest, future, reduction="none")
    copied = ((frames.flatten(2, 3)[SEEN] > 0.5) != (future > 0.5)).double().mean((1, 2, 3))
    groups = labels.flatten(2).long()[SEEN + 1 :]
    ari = adjusted_rand_index(groups, made.imagined.gamma.argmax(2), 2)
    assert found.per_step["wrong_pixels"] == pytest.approx(wrong.tolist())
    assert found.per_step["wrong_pixels_copy"] == pytest.approx(copied.tolist())
    assert found.per_step["bce"] == pytest.approx(bce.sum((2, 3)).mean(1).tolist(), rel=1e-4)
    assert found.per_step["ari"] == pytest.approx(ari.double().mean(1).tolist(), abs=1e-6)


def test_copying_is_perfect_where_nothing_moves():
    found = predict(objective("vrnn"), source(still=True), seen=SEEN, steps=STEPS, noise=SILENT)
    assert found.per_step["wrong_pixels_copy"] == [0.0] * STEPS


def test_nothing_of_the_future_is_seen():
    """Imagined frames do not change with the frames that they are compared with."""
    module = objective("rnn-em, located")
    frames = make_clip(SEEN + STEPS, 2).targets.unflatten(2, (8, 8))
    frames = torch.cat([frames[:1], frames])
    other = frames.clone()
    other[SEEN + 1 :] = 1.0 - other[SEEN + 1 :]
    one, two = (
        imagine_clip(module, x, SEEN, SILENT, torch.Generator().manual_seed(1)).imagined.psi
        for x in (frames, other)
    )
    assert torch.equal(one, two)
    assert one.shape == (STEPS, 2, 2, PIXELS, 1)


def test_noise_is_on_the_seen_frames_only():
    frames = make_clip(SEEN + STEPS, 2).targets
    frames = torch.cat([frames[:1], frames])
    generator = torch.Generator().manual_seed(1)
    images, noise = frames.unflatten(2, (8, 8)), Noise("bitflip", 0.5)
    clip = imagine_clip(objective("rnn-em, located"), images, SEEN, noise, generator).clip
    assert torch.equal(clip.inputs[SEEN:], frames[SEEN:-1])
    assert (clip.inputs[:SEEN] != frames[:SEEN]).double().mean() > 0.3
    assert torch.equal(clip.targets, frames[1:])


def test_draws_differ_and_means_do_not():
    module = objective("vrnn")
    means, draws = (
        [
            predict(
                module, source(), seen=SEEN, steps=STEPS, noise=SILENT, sample=sample, seed=seed
            ).per_step["bce"]
            for seed in (0, 0, 1)
        ]
        for sample in (False, True)
    )
    assert means[0] == means[1]
    assert draws[0] == draws[1]
    assert draws[0] != draws[2]
    assert draws[0] != means[0]


@pytest.mark.parametrize(("seen", "steps"), [(0, 2), (2, 0)])
def test_there_has_to_be_something_to_see_and_to_predict(seen, steps):
    frames = torch.zeros(seen + steps + 1, 1, 8, 8, 1)
    with pytest.raises(ConfigError, match="seen, steps: expected at least one step of each"):
        imagine_clip(objective("vrnn"), frames, seen, SILENT, torch.Generator())


def test_a_guide_without_recurrence_cannot_be_fed_its_own_predictions():
    model = SpatialMixture(DenseDecoder((8, 8, 1), 5), 2)
    module = NEMObjective(model, nn.Linear(1, 1))
    with pytest.raises(ConfigError, match=r"expected a RecurrentGuide, .* got Linear"):
        imagine_clip(module, torch.zeros(4, 1, 8, 8, 1), 2, SILENT, torch.Generator())
