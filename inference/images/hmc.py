"""The likelihood of images by sampling their latents (Kingma and Welling 2013, appendix D)."""

from __future__ import annotations

import math
from typing import NamedTuple

import pyro
import torch
from pyro import poutine
from pyro.infer import MCMC, NUTS
from pyro.infer.autoguide.initialization import init_to_value
from torch import Tensor
from torch.distributions import MultivariateNormal

from inference.enumerated_trace import frozen
from inference.images.levels import check_bits
from inference.images.objective import ImageObjective
from inference.modes import as_trained
from inference.reference.common import isolated
from models import ImageVAE
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

__all__ = ["HMCLikelihood", "hmc_likelihood"]

# The paper has 4 leapfrog steps throughout. A fixed number can lead around the posterior to where
# the trajectory began, which NUTS notices; up to 2^5 - 1 steps are enough for a few latents.
_DEPTH = 5
_ACCEPTANCE = 0.9

# Added to the variances of the fit, relative to them.
_JITTER = 1e-6


class HMCLikelihood(NamedTuple):
    """Estimates of log p(x).

    Attributes
    ----------
    log_likelihood
        Of each image, [N], in nats.
    spread
        Standard deviation of log f(z) - log p(x, z) over the draws, [N], where f is the fitted
        density: 0 if f is the posterior. Where it is above 1 a few draws decide the estimate.
    """

    log_likelihood: Tensor
    spread: Tensor


def hmc_likelihood(
    objective: ImageObjective,
    data: ImageSet,
    *,
    samples: int = 400,
    warmup: int = 200,
    seed: int = 0,
    progress: bool = False,
) -> HMCLikelihood:
    """Estimate log p(x) by Hamiltonian Monte Carlo, for a few latents.

    Draws of z from its posterior come from Pyro's NUTS. A Gaussian f is fitted to the first half of
    them, and the other half estimates 1 / p(x) = E_posterior[f(z) / p(x, z)]. The paper leaves the
    kind of density open. The guide only says where the chain starts, so the estimate does not
    depend on how well it was trained.

    The estimator is a mean of inverse densities: with a poor fit, which many latents make likely,
    its variance is infinite and what is reported is too high.

    Parameters
    ----------
    objective
        Model and guide. Their parameters stay as they are.
    data
        Images of 0 and 255; all move together, a gradient costs milliseconds.
    samples, warmup
        Draws that are kept, and those before that adapt step size and mass matrix.
    seed
        Fixes the numbers.
    progress
        Show a progress bar.

    Raises
    ------
    ConfigError
        If there are too few draws to fit a Gaussian to half of them, or the images are grey or of
        another size than the model's.
    """
    at_least(0, warmup=warmup)
    model = objective.model
    size = sum(model.latent_sizes)
    if samples < 4 * size:
        raise ConfigError(
            f"samples: a Gaussian over {size} latents is fitted to half of them, so expected at "
            f"least {4 * size}, got {samples}"
        )
    check_bits(model, data)
    x = data.probabilities(slice(None)).to(next(objective.parameters()))
    with as_trained(objective), isolated(seed), frozen(objective):
        kernel = NUTS(
            model,
            max_tree_depth=_DEPTH,
            target_accept_prob=_ACCEPTANCE,
            init_strategy=init_to_value(values=_starts(objective, x)),
        )
        mcmc = MCMC(kernel, samples, warmup, disable_progbar=not progress)
        mcmc.run(x)
        draws: dict[str, Tensor] = mcmc.get_samples()
    names = [f"z_{layer}" for layer in range(1, len(model.latent_sizes) + 1)]
    z = torch.cat([draws[name] for name in names], -1).detach()  # [S, B, H]
    half = samples // 2
    fitted = _fit(z[:half])
    with as_trained(objective), torch.no_grad():
        joint = _log_joint(model, x, {name: draws[name][half:].detach() for name in names})
        ratio = fitted.log_prob(z[half:]).double() - joint.double()  # [S, B]
    log_likelihood = math.log(len(ratio)) - ratio.logsumexp(0)
    return HMCLikelihood(log_likelihood, ratio.std(0))


def _starts(objective: ImageObjective, x: Tensor) -> dict[str, Tensor]:
    """Return the means that the guide expects, by site."""
    values, below = {}, x
    with torch.no_grad():
        for layer in range(1, len(objective.model.latent_sizes) + 1):
            below = objective.guide.law(layer, below).loc
            values[f"z_{layer}"] = below
    return values


def _fit(z: Tensor) -> MultivariateNormal:
    """Return the Gaussians that fit draws [S, B, H]."""
    mean = z.mean(0)
    deviations = z - mean
    covariance = torch.einsum("sbi,sbj->bij", deviations, deviations) / (len(z) - 1)
    jitter = _JITTER * covariance.diagonal(dim1=-2, dim2=-1)
    return MultivariateNormal(mean, covariance + torch.diag_embed(jitter))


def _log_joint(model: ImageVAE, x: Tensor, draws: dict[str, Tensor]) -> Tensor:
    """Return log p(x, z) of draws of the latents [S, B, H_l] by site, [S, B]."""
    count = len(next(iter(draws.values())))
    with pyro.plate("draws", count, dim=-1 - model.max_plate_nesting):
        trace = poutine.trace(poutine.condition(model, draws)).get_trace(x)
    trace.compute_log_prob()
    total: Tensor = sum(trace.nodes[name]["log_prob"] for name in (*draws, "x"))
    return total
