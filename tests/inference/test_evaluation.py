"""Scores of a guide whose segmentation is known."""

import math
import statistics

import numpy as np
import pytest
import torch
from torch import nn

from inference import NEMObjective, TrainingConfig, evaluate, importance_weighted, predict
from inference.frame_scores import bound_scores
from inference.frame_task import FrameTask
from inference.guides import RNNEM, register_states
from inference.held_out import held_out_batches
from inference.score_summary import over_time
from models import GaussianPixels, Rollout, SpatialMixture
from pyro_nem.data import ArrayFrames, Noise, as_source, make_clip
from pyro_nem.errors import ConfigError
from pyro_nem.networks import DenseDecoder

SHAPE = (6, 6, 1)


class Oracle(nn.Module):
    """Reads the group of a pixel off its grey value in the clean next frame."""

    def __init__(self, model, *, wrong_until=0):
        super().__init__()
        self.scale = nn.Parameter(torch.ones(()))
        self.components = model.num_components
        self.wrong_until = wrong_until

    def rollout(self, clip, generator=None, particles=1):
        k = (clip.targets.squeeze(-1) * 4).round().long() % self.components  # [T, B, D]
        k[: self.wrong_until] = 0
        gamma = nn.functional.one_hot(k, self.components).movedim(-1, 2).float()  # [T, B, K, D]
        psi = self.scale * clip.targets.unsqueeze(2).expand(*gamma.shape, 1)
        theta = torch.full((*gamma.shape[:3], 5), 0.5)
        return Rollout(theta, psi, gamma, gamma[0])

    def forward(self, clip, rollout):
        register_states(rollout)


def moving_scene(steps=4, sequences=3):
    """Two bars that move a pixel a frame; a pixel's grey value is its group / 4."""
    groups = np.zeros((steps + 1, sequences, *SHAPE), np.uint8)
    for t in range(steps + 1):
        groups[t, :, t % 6] = 1
        groups[t, :, (t + 3) % 6] = 2
    return ArrayFrames(groups / np.float32(4), groups)


def objective(**options):
    torch.manual_seed(0)
    model = SpatialMixture(DenseDecoder(SHAPE, 5), 3, pixels=GaussianPixels())
    return NEMObjective(model, Oracle(model, **options))


def test_responsibilities_are_scored_against_the_frame_that_they_explain():
    found = evaluate(objective(), moving_scene(), noise=Noise("none"), scores=("ari", "ami"))
    for name in ("ari", "ari_last", "ami", "ami_last", "confidence"):
        assert found.metrics[name] == pytest.approx(1.0)
    assert found.metrics["effective_components"] == pytest.approx(2.0)
    assert found.sequences == 3


def test_training_scores_the_same_frame():
    module = objective()
    task = FrameTask(moving_scene(), None, 4, Noise("none"), TrainingConfig(batch_size=3))
    _, measure = task.loss(module, next(task.batches(0)), torch.Generator(), 0)
    assert measure()["ari"] == pytest.approx(1.0)
    assert measure()["ari_last"] == pytest.approx(1.0)


def test_means_over_steps_and_the_last_step():
    found = evaluate(objective(wrong_until=1), moving_scene(), noise=Noise("none"))
    assert found.per_step["ari"] == pytest.approx([0.0, 1.0, 1.0, 1.0])
    assert found.metrics["ari"] == pytest.approx(0.75)
    assert found.metrics["ari_last"] == pytest.approx(1.0)


def test_step_weights_weigh_the_scores():
    module = objective(wrong_until=1)
    module.step_weights = (3.0, 1.0, 0.0, 0.0)
    found = evaluate(module, moving_scene(), noise=Noise("none"))
    assert found.metrics["ari"] == pytest.approx(0.25)


def rnn_em():
    torch.manual_seed(0)
    model = SpatialMixture(DenseDecoder((8, 8, 1), 5), 2)
    return NEMObjective(model, RNNEM(model))


def frames(sequences=5):
    return np.random.default_rng(0).integers(0, 2, (4, sequences, 8, 8, 1), np.uint8)


def test_log_likelihood_and_loss_agree():
    module = rnn_em()
    module.inter_weight = 0.0
    found = evaluate(module, frames(), batch_size=2).metrics
    assert found["loss"] == pytest.approx(-3 * found["log_likelihood"], rel=1e-5)
    assert "ari" not in found


def test_the_seed_fixes_the_numbers():
    module = rnn_em()
    one, again, other = (evaluate(module, frames(), seed=seed).metrics for seed in (1, 1, 2))
    assert one == again
    assert one != other


def test_frames_without_scored_pixels_have_no_score():
    source = ArrayFrames(frames(), np.zeros((4, 5, 8, 8, 1), np.uint8))
    found = evaluate(rnn_em(), source, scores=("ari", "ami"))
    assert math.isnan(found.metrics["ami"])
    assert math.isnan(found.metrics["ari_last"])
    assert "ami" not in found.per_step
    assert math.isfinite(found.metrics["log_likelihood"])


def test_errors_are_those_of_a_mean_of_one_number_a_sequence():
    module, source = rnn_em(), as_source(frames(), "data")
    module.step_weights = (1.0, 0.0, 2.0)
    found = evaluate(module, source, noise=Noise("none"), seed=1)
    batches = held_out_batches(
        source, frames=4, batch_size=64, seed=1, stream=1, device=torch.device("cpu")
    )
    batch, generator = next(batches)
    clip = make_clip(batch.frames.float(), Noise("none"), generator)
    with torch.no_grad():
        each = bound_scores(module, clip, module(clip, generator))
    for name in ("log_likelihood", "next_step_bce"):
        averaged = ((each[name][0] + 2 * each[name][2]) / 3).tolist()
        assert found.metrics[name] == pytest.approx(statistics.mean(averaged))
        assert found.errors[name] == pytest.approx(statistics.stdev(averaged) / math.sqrt(5))
        step = [statistics.stdev(values) / math.sqrt(5) for values in each[name].tolist()]
        assert found.per_step_errors[name] == pytest.approx(step)
    assert math.isnan(evaluate(module, frames(1), noise=Noise("none")).errors["log_likelihood"])


def test_the_error_of_a_pooled_mean_is_that_of_a_ratio():
    """Frames with a collision are rare; sequences have 2, 1 and 3 of them."""
    nan = math.nan
    bce = np.array([[1.0, nan, 4.0], [3.0, 6.0, 2.0], [nan, nan, 2.0]])
    found = over_time({"collision_bce": bce}, np.ones(3))
    assert found.means["collision_bce"] == pytest.approx(3.0)
    excess = [4.0 - 2 * 3.0, 6.0 - 3.0, 8.0 - 3 * 3.0]
    by_hand = math.sqrt(sum(r**2 for r in excess) / 2 / 3) / 2
    assert found.errors["collision_bce"] == pytest.approx(by_hand)


def test_static_images_need_steps():
    with pytest.raises(ConfigError, match="steps: static images are repeated"):
        evaluate(rnn_em(), frames()[:1])
    assert len(evaluate(rnn_em(), frames()[:1], steps=7).per_step["log_likelihood"]) == 7


@pytest.mark.parametrize(
    "score", [evaluate, importance_weighted, lambda *args: predict(*args, seen=1, steps=2)]
)
@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (frames().reshape(4, 5, 4, 16, 1), r"data: frames are \(4, 16, 1\) .* makes \(8, 8, 1\)"),
        (frames() * np.float32(0.5), "data: Bernoulli pixels expect frames of 0 and 1, found 0.5"),
    ],
)
def test_frames_that_do_not_fit_are_not_scored(score, wrong, message):
    with pytest.raises(ConfigError, match=message):
        score(rnn_em(), wrong)
