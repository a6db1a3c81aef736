"""What diagnose returns for one model each, its seeds and its refusals."""

import numpy as np
import pytest
import small_run
import torch
from brightness import NormalGuide, exact_law, gaussian_model
from small_diagnosis import SIZE, frames, vrnn
from torch import nn

from inference import evaluate, guides
from inference.diagnostics import diagnose
from inference.objective import NEMObjective
from models import SpatialMixture
from pyro_nem.data import Noise
from pyro_nem.errors import ConfigError
from pyro_nem.networks import LocatedDecoder


def test_shares_and_entropy_are_those_of_the_scored_pixels():
    """One step and everything shown, so that the means can be taken again."""
    source = frames()
    tree = diagnose(*small_run.build(), source, **{**SIZE, "shown_sequences": 5}, steps=1)
    gamma = tree["sample_stats/gamma"].values[:, :, 0].reshape(3, 5, 2, 64).astype(float)
    scored = (source.read(0, 5)[1][1] > 0).reshape(5, 1, 64)
    with np.errstate(invalid="ignore"):
        share = (gamma * scored).sum(-1) / scored.sum(-1)
        entropy = -(gamma * np.log(gamma) * scored).sum((-2, -1)) / scored.sum((-2, -1))
    np.testing.assert_allclose(tree["sample_stats/component_share"], share, rtol=1e-4)
    np.testing.assert_allclose(tree["sample_stats/entropy"].isel(draw=0), entropy, rtol=1e-4)
    z = tree["posterior/assignment"].values[:, :, :, 0].reshape(3, 40, 5, 64)
    part = ((z == 1) & scored[:, 0]).sum(-1)[:, :, 0] / scored[0].sum()
    number = np.exp(-(part * np.log(part) + (1 - part) * np.log(1 - part)))
    np.testing.assert_allclose(
        tree["sample_stats/effective_components"].isel(sequence=0), number, rtol=1e-5
    )


def test_the_log_likelihood_is_that_of_an_evaluation():
    model, guide = small_run.build()
    options = {"noise": Noise("none"), "steps": 4}
    tree = diagnose(model, guide, frames(), **{**SIZE, "restarts": 40, "draws": 1}, **options)
    objective = NEMObjective(model, guide)
    found = [evaluate(objective, frames(), **options, seed=s).metrics for s in range(8)]
    expected = [each["log_likelihood"] for each in found]
    assert tree["log_likelihood/frame"].mean() == pytest.approx(np.mean(expected), rel=1e-3)


def test_a_prior_without_a_recurrence_is_said_to_make_none():
    model = gaussian_model(1)
    image = np.full((1, 2, 2, 3, 1), 0.4, np.float32)
    tree = diagnose(model, NormalGuide(model, exact_law()), image, steps=1, draws=2)
    assert tree.attrs["prior_predictive"].startswith("none: the prior follows a recurrence")
    # A single sequence or restart is no special case, and grey values stay what they are.
    assert tree["observed_data/x"].dtype == np.float32
    assert tree["observed_data/x"].values.max() == np.float32(0.4)
    assert "group" not in tree["constant_data"].data_vars
    assert (tree["constant_data/pair_same"] == -1).all()
    assert np.isfinite(tree["sample_stats/component_share"]).all()


def test_restarts_read_the_same_noise():
    """Two restarts of a guide without randomness of its own are the same."""

    class OneStart(guides.RNNEM):
        def start(self, batch, generator=None):
            return super().start(batch, torch.Generator().manual_seed(0))

    torch.manual_seed(0)
    model = SpatialMixture(LocatedDecoder((8, 8, 1), 6, template=3), 1)
    tree = diagnose(model, OneStart(model), frames(), **SIZE)
    frame = tree["log_likelihood/frame"]
    np.testing.assert_allclose(frame.isel(chain=0), frame.isel(chain=1), rtol=1e-5)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"restarts": 0}, "restarts: expected at least 1, got 0"),
        ({"draws": 0}, "draws: expected at least 1, got 0"),
        ({"sequences": 0}, "sequences: expected at least 1"),
        ({"shown_sequences": 0}, "shown_sequences: expected at least 1"),
        ({"steps": 9}, "steps: 9 steps need 10 frames"),
        ({"data": torch.zeros(3, 2, 4, 4, 1)}, r"data: frames are \(4, 4, 1\)"),
        ({"guide": small_run.build()[1]}, "guide: it was built for another model"),
    ],
)
def test_bad_input_is_explained(options, message):
    model, guide = small_run.build()
    given = {"guide": guide, "data": frames(), **options}
    with pytest.raises(ConfigError, match=message):
        diagnose(model, **given)


def test_the_callers_random_numbers_stay():
    model, guide = vrnn()
    state = torch.get_rng_state()
    diagnose(model, guide, frames(2), restarts=1, draws=2)
    assert torch.equal(torch.get_rng_state(), state)


def test_one_pixel_has_no_pairs():
    class Dot(nn.Module):
        state_size, image_shape = 1, (1, 1, 1)

    model = SpatialMixture(Dot(), 2)
    with pytest.raises(ConfigError, match="pixels: expected at least 2, got 1"):
        diagnose(model, nn.Identity(), torch.zeros(2, 1, 1, 1, 1))
