"""What reference inference takes from its callers, and what it leaves behind."""

import pyro
import pytest
import torch
from brightness import drawn_guide, gaussian_model, image
from torch import nn

from inference.reference import amortisation_gap, fit_states, sample_states
from pyro_nem.errors import ConfigError


def both(seed):
    model, clip = gaussian_model(), image(2)
    fit = fit_states(model, clip, updates=3, draws=4, restarts=2, seed=seed)
    samples = sample_states(model, clip, samples=2, warmup=2, seed=seed)
    return fit.bound, fit.theta, fit.gamma, samples.theta, samples.gamma


def test_the_seed_fixes_the_numbers():
    one, again, other = both(1), both(1), both(2)
    assert all(torch.equal(a, b) for a, b in zip(one, again, strict=True))
    assert not any(torch.equal(a, b) for a, b in zip(one, other, strict=True))


def test_the_model_and_the_callers_random_numbers_stay():
    model, guide = drawn_guide()
    before = {name: value.clone() for name, value in model.state_dict().items()}
    state = torch.get_rng_state()
    with torch.no_grad():
        fit = fit_states(model, image(), updates=2, draws=2)
    sample_states(model, image(), samples=1, warmup=1)
    amortisation_gap(model, guide, image(), updates=2, draws=2)
    assert torch.equal(torch.get_rng_state(), state)
    assert all(torch.equal(before[name], value) for name, value in model.state_dict().items())
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert not fit.theta.requires_grad


def test_pyros_parameters_stay(empty_param_store):
    model, guide = drawn_guide()

    def run():
        for family in ("normal", "delta"):
            fit_states(model, image(), family=family, updates=2, draws=2)
        sample_states(model, image(), samples=1, warmup=1)
        amortisation_gap(model, guide, image(), updates=2, draws=2)

    run()
    assert len(pyro.get_param_store()) == 0
    # The user's own may even bear the names of Pyro's automatic guides.
    pyro.param("AutoNormal.locs.theta", torch.tensor(3.0))
    pyro.param("mine", torch.tensor(2.0), constraint=torch.distributions.constraints.positive)
    raw = dict(pyro.get_param_store().named_parameters())
    run()
    after = dict(pyro.get_param_store().named_parameters())
    assert after.keys() == raw.keys()
    assert all(after[name] is raw[name] for name in raw)
    assert pyro.param("mine").item() == pytest.approx(2.0)


@pytest.mark.parametrize(
    "call",
    [
        lambda model, clip: fit_states(model, clip),
        lambda model, clip: sample_states(model, clip, samples=1, warmup=0),
        lambda model, clip: amortisation_gap(model, nn.Identity(), clip),
    ],
)
def test_videos_need_a_prior_of_their_own(call):
    with pytest.raises(ConfigError, match=r"clip: RecurrentPrior takes .* \(T = 1\), got 2; pass"):
        call(gaussian_model(), image(1, 2))
