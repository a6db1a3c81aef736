"""What is drawn for a posterior: assignments, and frames that follow them."""

import numpy as np
import pytest
import torch
from brightness import (
    CONTEXT,
    IMAGE,
    PIXELS,
    SHAPE,
    SIGMA,
    NormalGuide,
    gaussian_model,
    prior_scale,
)

from inference.diagnostics import diagnose
from inference.diagnostics.assignments import draw_assignments, effective_number
from inference.guides import VRNN
from models import StateLaw
from pyro_nem.data import Noise
from pyro_nem.metrics import effective_components
from pyro_nem.networks import FlatEncoder, GatedCell

CHANCES = torch.tensor([0.2, 0.0, 0.5, 0.3])


def generator():
    return torch.Generator().manual_seed(0)


def test_assignments_have_the_chances_of_the_responsibilities():
    gamma = CHANCES.view(1, 1, 1, 4, 1).expand(2, 3, 5, 4, 7)  # [R, S, B, K, D]
    z = draw_assignments(gamma, 400, generator())
    assert z.shape == (2, 3 * 400, 5, 7)
    often = torch.stack([(z == k).float().mean() for k in range(4)])
    torch.testing.assert_close(often, CHANCES, atol=0.01, rtol=0)
    assert not (z == 1).any()


def test_draws_of_a_state_stand_side_by_side():
    gamma = torch.eye(3).view(1, 3, 1, 3, 1)
    z = draw_assignments(gamma, 2, generator())
    assert z.flatten().tolist() == [0, 0, 1, 1, 2, 2]


def test_draws_are_independent():
    gamma = torch.full((1, 1, 1, 2, 4000), 0.5)
    one, other = draw_assignments(gamma, 2, generator())[0, :, 0].float()
    assert abs(torch.corrcoef(torch.stack([one, other]))[0, 1]) < 0.08
    assert abs(torch.corrcoef(torch.stack([one[1:], one[:-1]]))[0, 1]) < 0.08


def test_the_effective_number_is_that_of_the_metric():
    z = torch.randint(3, (2, 4, 5, 7), generator=generator())
    labels = torch.randint(3, (5, 7), generator=generator())
    found = effective_number(z, labels != 0, 3)
    hard = torch.nn.functional.one_hot(z, 3).movedim(-1, -2).flatten(0, 1)  # [8, B, K, D]
    expected = effective_components(hard, labels.expand(8, 5, 7)).view(2, 4, 5)
    torch.testing.assert_close(found.double(), expected, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("draws", [1, 200])
def test_frames_are_replicated_by_the_component_of_the_draw(draws):
    model = gaussian_model()

    def law(targets):
        loc = torch.tensor([0.1, 0.9]).double().view(1, 1, 2, 1).expand(1, targets.shape[1], 2, 1)
        return StateLaw(loc, torch.full_like(loc, 1e-3))

    image = np.array(IMAGE, np.float32).reshape(1, 1, *SHAPE)
    size = {"restarts": 200 // draws + 1, "draws": draws}
    tree = diagnose(model, NormalGuide(model, law), image, steps=1, noise=Noise("none"), **size)
    z = tree["posterior/assignment"].values.reshape(-1, PIXELS)
    x = tree["posterior_predictive/x"].values.reshape(-1, PIXELS)
    theta = tree["posterior/theta"].values.reshape(-1, 2)
    rest = x - np.take_along_axis(theta, z.astype(int), 1)
    assert abs(rest.mean()) < 4 * SIGMA / np.sqrt(rest.size)
    assert abs(rest.std() / SIGMA - 1) < 4 / np.sqrt(2 * rest.size)
    assert 0 < z.mean() < 1


def test_batches_do_not_repeat_each_others_noise():
    model = gaussian_model()

    def law(targets):
        loc = torch.full((1, targets.shape[1], 2, 1), 0.5).double()
        return StateLaw(loc, torch.full_like(loc, 1e-9))

    images = np.array([IMAGE, IMAGE], np.float32).reshape(1, 2, *SHAPE)
    size = {"restarts": 1, "draws": 40, "rows_at_once": 1, "shown_sequences": 2}
    tree = diagnose(model, NormalGuide(model, law), images, steps=1, noise=Noise("none"), **size)
    x = tree["posterior_predictive/x"].transpose("shown_sequence", ...).values.reshape(2, -1)
    assert abs(np.corrcoef(x)[0, 1]) < 4 / np.sqrt(x.shape[1])


def test_videos_of_the_prior_have_its_moments():
    """The prior of the toy does not depend on the past: a pixel is theta_z with noise."""
    model = gaussian_model()
    encoder, cell = FlatEncoder((2, 3, 4)), GatedCell(4 * PIXELS + 1, CONTEXT)
    guide = VRNN(model, encoder, cell, hidden=4).double()
    tree = diagnose(model, guide, np.zeros((4, 1, *SHAPE), np.float32), restarts=1, draws=2000)
    x = tree["prior_predictive/x"].squeeze("channel")
    spread = np.hypot(prior_scale(), SIGMA)
    assert x.sizes["step"] == 3
    assert (abs(x.mean("draw") - 0.5) < 4.5 * spread / np.sqrt(2000)).all()
    assert (abs(x.std("draw") / spread - 1) < 4.5 / np.sqrt(4000)).all()
    # Pixels of one frame share two states, frames share nothing.
    values = x.values[0].reshape(2000, 3, PIXELS)
    within, across = (np.corrcoef(values[:, 0, 0], values[:, t, 1])[0, 1] for t in (0, 1))
    assert abs(within - 0.5 * (prior_scale() / spread) ** 2) < 0.08
    assert abs(across) < 0.08
