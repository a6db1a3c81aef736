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
from torch.nn.functional import softplus

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

# Draws from the prior among which modes are looked for, and rows that are decoded together.
_PRIOR_DRAWS = 1000
_ROWS = 2000

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
    missed
        What the estimate lacks because the chain has not been everywhere, [N], in nats, as far as
        draws from the prior tell: log(1 + r), where the posterior has r times the mass beyond the
        chain's farthest draw that it has within.
    """

    log_likelihood: Tensor
    spread: Tensor
    missed: Tensor


class _Draws(NamedTuple):
    """Latents of images, and what the model says of them."""

    latents: dict[str, Tensor]
    """By site, [S, B, H_l]."""

    joint: Tensor
    """log p(x, z), [S, B]."""

    likelihood: Tensor
    """log p(x | z_1), [S, B]."""

    @property
    def z(self) -> Tensor:
        """All latents in one vector, [S, B, H]."""
        return torch.cat(list(self.latents.values()), -1)


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
    kind of density open.

    Where a posterior has several modes the single chain stays in the one in which it starts, and
    the estimate is p(x) times that mode's share. So each image starts where log p(x, z) is highest
    among the guide's mean and 1,000 draws from the prior, and ``missed`` is what the other draws
    tell of the rest. A mode that is too narrow for all of them is not seen, which more latents make
    likely: then an estimate is too low, and neither ``spread`` nor ``missed`` shows it.

    The estimator is a mean of inverse densities: with a poor fit, which many latents make likely
    too, its variance is infinite and what is reported is too high.

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
        prior = _prior_draws(model, x)
        kernel = NUTS(
            model,
            max_tree_depth=_DEPTH,
            target_accept_prob=_ACCEPTANCE,
            init_strategy=init_to_value(values=_starts(objective, x, prior)),
        )
        mcmc = MCMC(kernel, samples, warmup, disable_progbar=not progress)
        mcmc.run(x)
        sampled: dict[str, Tensor] = mcmc.get_samples()
    with as_trained(objective), torch.no_grad():
        draws = _described(model, x, samples, sampled)
        half = samples // 2
        fitted = _fit(draws.z[:half])
        density = fitted.log_prob(draws.z)  # [S, B]
        ratio = density[half:].double() - draws.joint[half:].double()
        log_likelihood = math.log(len(ratio)) - ratio.logsumexp(0)
        beyond = fitted.log_prob(prior.z) < density.amin(0)  # [S, B]
        weights = prior.likelihood.double().where(beyond, -torch.inf)
        elsewhere = weights.logsumexp(0) - math.log(len(weights))
    return HMCLikelihood(log_likelihood, ratio.std(0), softplus(elsewhere - log_likelihood))


def _prior_draws(model: ImageVAE, x: Tensor) -> _Draws:
    """Return draws of the latents of each image that do not know it."""
    at_once = max(1, _ROWS // len(x))
    counts = [min(at_once, _PRIOR_DRAWS - done) for done in range(0, _PRIOR_DRAWS, at_once)]
    with torch.no_grad():
        latents, joint, likelihood = zip(
            *(_described(model, x, count) for count in counts), strict=True
        )
    return _Draws(
        {name: torch.cat([part[name] for part in latents]) for name in latents[0]},
        torch.cat(joint),
        torch.cat(likelihood),
    )


def _starts(objective: ImageObjective, x: Tensor, prior: _Draws) -> dict[str, Tensor]:
    """Return the likeliest among the guide's means and draws from the prior, [B, H_l] by site."""
    means, below = {}, x
    with torch.no_grad():
        for layer in range(1, len(objective.model.latent_sizes) + 1):
            below = objective.guide.law(layer, below).loc
            means[f"z_{layer}"] = below.unsqueeze(0)
        joint = torch.cat([_described(objective.model, x, 1, means).joint, prior.joint])
    best, images = joint.argmax(0), torch.arange(len(x), device=x.device)
    return {
        name: torch.cat([mean, prior.latents[name]])[best, images] for name, mean in means.items()
    }


def _fit(z: Tensor) -> MultivariateNormal:
    """Return the Gaussians that fit draws [S, B, H]."""
    mean = z.mean(0)
    deviations = z - mean
    covariance = torch.einsum("sbi,sbj->bij", deviations, deviations) / (len(z) - 1)
    jitter = _JITTER * covariance.diagonal(dim1=-2, dim2=-1)
    return MultivariateNormal(mean, covariance + torch.diag_embed(jitter))


def _described(
    model: ImageVAE, x: Tensor, count: int, latents: dict[str, Tensor] | None = None
) -> _Draws:
    """Describe so many draws of the latents, those given or else new ones from the prior."""
    with pyro.plate("draws", count, dim=-1 - model.max_plate_nesting):
        trace = poutine.trace(poutine.condition(model, latents or {})).get_trace(x)
    trace.compute_log_prob()
    names = [f"z_{layer}" for layer in range(1, len(model.latent_sizes) + 1)]
    likelihood: Tensor = trace.nodes["x"]["log_prob"]
    joint: Tensor = sum((trace.nodes[name]["log_prob"] for name in names), likelihood)
    return _Draws({name: trace.nodes[name]["value"] for name in names}, joint, likelihood)
