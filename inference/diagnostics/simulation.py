"""Simulation-based calibration of a guide, or of NUTS, on draws from the prior."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, cast

import numpy as np
import torch
from numpy.typing import NDArray
from pyro import poutine
from scipy.stats import chisquare
from torch import Tensor, nn

from inference.e_step import pixel_posterior
from inference.guides import Guide
from inference.modes import as_trained
from inference.reference.state_samples import sample_states
from inference.seeded import seeded
from inference.streams import Stream, update_seed
from models import SpatialMixture
from pyro_nem.checks import at_least
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = [
    "Posterior",
    "SimulatedCalibration",
    "guide_posterior",
    "nuts_posterior",
    "simulation_based_calibration",
]

Posterior = Callable[[Clip, int], Tensor]
"""(clip of one step and N images, L) -> L independent draws of the states, [L, N, K, H]."""

# A truth and draws made from the same numbers would be more alike than the posterior says.
_OF_TRUTHS, _OF_TIES, _OF_DRAWS = 0, 1, 2


class SimulatedCalibration(NamedTuple):
    """Where the true states lie among draws from the posterior.

    Attributes
    ----------
    ranks
        By quantity, how many of the L draws are below the truth, [N]; uniform on 0 to L if the
        draws are from the posterior. Too many near 0 and L: the posterior is too narrow. Too many
        in the middle: too wide. More on one side: biased.
    p_values
        By quantity, of a chi-squared test that the ranks are uniform.
    draws
        L.
    """

    ranks: dict[str, NDArray[np.int64]]
    p_values: dict[str, float]
    draws: int


def simulation_based_calibration(
    model: SpatialMixture,
    posterior: Posterior,
    *,
    simulations: int = 200,
    draws: int = 99,
    bins: int = 10,
    seed: int = 0,
) -> SimulatedCalibration:
    """Draw states and images from the model, and rank the states among those inferred.

    The quantities that are ranked do not depend on how components are numbered, so a guide that
    knows one numbering of K! can pass: ``log_likelihood`` is log p(x | theta), ``co_assignment``
    the mean over neighbouring pixels of the probability that they belong together, and
    ``mean_state`` the mean of theta.

    What it does not see: errors that leave all three as they are, and images that the prior does
    not make. A guide trained on other images than the prior's may be rejected for those alone. A
    small p-value among three is not rare; one of 0.001 is. A large one with few simulations says
    little.

    Parameters
    ----------
    model
        Its prior has to stand on its own for one image: see :func:`inference.sample_states`.
    posterior
        What is tested: :func:`guide_posterior`, :func:`nuts_posterior` or one's own.
    simulations
        N, images.
    draws
        L, for each image; L + 1 has to be a multiple of ``bins``.
    bins
        Bins of the test.
    seed
        Fixes states and images; independent of a :func:`guide_posterior` or :func:`nuts_posterior`
        with the same seed.

    Raises
    ------
    ConfigError
        If a number is out of range, or draws have another shape than asked for.

    References
    ----------
    Talts, Betancourt, Simpson, Vehtari and Gelman (2018), Validating Bayesian inference algorithms
    with simulation-based calibration; Modrak et al. (2023) for the choice of quantities.
    """
    at_least(1, simulations=simulations, draws=draws)
    at_least(2, bins=bins)
    if (draws + 1) % bins:
        raise ConfigError(
            f"draws: expected one less than a multiple of bins, so that all bins are alike, got "
            f"{draws} draws and {bins} bins; use draws={bins * (draws // bins + 1) - 1}"
        )
    own = update_seed(seed, Stream.SIMULATION, _OF_TRUTHS)
    with as_trained(model), torch.no_grad(), seeded(own):
        trace = poutine.trace(model).get_trace(steps=1, batch=simulations)
    truth = trace.nodes["theta"]["value"].squeeze(-3)  # [1, N, K, H]
    x = trace.nodes["x"]["value"]  # [1, N, D, C]
    with as_trained(model):
        theta = posterior(Clip(x, x), draws)
    if theta.shape != (draws, *truth.shape[1:]):
        raise ConfigError(
            f"posterior: expected draws of shape {[draws, *truth.shape[1:]]}, got "
            f"{list(theta.shape)}; return [L, N, K, H]"
        )
    found, true = _quantities(model, theta, x), _quantities(model, truth, x)
    generator = np.random.default_rng(update_seed(seed, Stream.SIMULATION, _OF_TIES))
    ranks, p_values = {}, {}
    for name, values in found.items():
        below = (values < true[name]).sum(0)  # [N]
        # Where probabilities saturate, draws and truth may be equal; any order of them is right.
        ties = (values == true[name]).sum(0)
        ranks[name] = below + generator.integers(0, ties + 1)
        counts = np.bincount(ranks[name] * bins // (draws + 1), minlength=bins)
        p_values[name] = float(chisquare(counts).pvalue)
    return SimulatedCalibration(ranks, p_values, draws)


def guide_posterior(guide: nn.Module, *, seed: int = 0) -> Posterior:
    """Return draws from a stochastic guide, which reads the images without noise.

    Raises
    ------
    ConfigError
        When called, if the guide's states are point masses: no single point has a rank.
    """
    program = cast(Guide, guide)

    def draw(clip: Clip, draws: int) -> Tensor:
        generator = torch.Generator(clip.targets.device).manual_seed(
            update_seed(seed, Stream.SIMULATION, _OF_DRAWS)
        )
        with as_trained(guide), torch.no_grad():
            rollout = program.rollout(clip, generator, draws)
        if rollout.posterior is None:
            raise ConfigError(
                f"guide: expected states with a density, but those of {type(guide).__name__} are "
                "point masses, all of one rank; use the guide VRNN"
            )
        theta = rollout.theta if draws > 1 else rollout.theta[None]  # [L, 1, N, K, H]
        return theta[:, 0]

    return draw


def nuts_posterior(
    model: SpatialMixture, *, warmup: int = 200, thin: int = 5, seed: int = 0
) -> Posterior:
    """Return every ``thin``-th draw of NUTS, all images in one chain.

    Draws that depend on each other make the ranks pile up at both ends, as those of a posterior
    that is too narrow do: raise ``thin`` first when NUTS is rejected.
    """

    def draw(clip: Clip, draws: int) -> Tensor:
        own = update_seed(seed, Stream.SIMULATION, _OF_DRAWS)
        found = sample_states(model, clip, samples=draws * thin, warmup=warmup, seed=own)
        return found.theta[0, thin - 1 :: thin, 0]

    return draw


def _quantities(model: SpatialMixture, theta: Tensor, x: Tensor) -> dict[str, NDArray[np.float64]]:
    """Return what is ranked, [L, N], of states [L, N, K, H] and images [1, N, D, C]."""
    size = model.prior.context_size
    with as_trained(model), torch.no_grad():
        context = theta.new_zeros(*theta.shape[:-1], size) if size else None
        psi = model.decode(theta, context)  # [L, N, K, D, C]
        gamma, evidence = pixel_posterior(model, psi, x.expand(len(theta), -1, -1, -1))
        together = (gamma[..., 1:] * gamma[..., :-1]).sum(-2).mean(-1)  # [L, N]
        quantities = {
            "log_likelihood": evidence.sum(-1),
            "co_assignment": together,
            "mean_state": theta.mean((-2, -1)),
        }
    return {name: values.double().cpu().numpy() for name, values in quantities.items()}
