"""Hamiltonian Monte Carlo over the states, the gold standard for small images."""

from __future__ import annotations

from typing import Any, NamedTuple

import torch
from pyro.infer import MCMC, NUTS
from torch import Tensor

from inference.enumerated_trace import frozen
from inference.reference.common import (
    isolated,
    require_own_prior,
    state_responsibilities,
)
from models import SpatialMixture
from pyro_nem.checks import at_least
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["StateSamples", "sample_states"]


class StateSamples(NamedTuple):
    """Draws from p(theta | x), successive draws of a chain depending on each other.

    Attributes
    ----------
    theta
        States, [chains, samples, T, B, K, H].
    gamma
        Responsibilities p(z | theta, x) at the draws, [chains, samples, T, B, K, D].
    acceptance
        Mean acceptance probability after warm-up, to three digits, [chains]; near
        ``target_acceptance`` if the step size fits.
    divergences
        Draws whose trajectory left the posterior's typical energy, [chains]; a few per cent already
        mean that some region is missed.
    step_size
        Step size of the integrator after warm-up, [chains].
    """

    theta: Tensor
    gamma: Tensor
    acceptance: Tensor
    divergences: Tensor
    step_size: Tensor


def sample_states(
    model: SpatialMixture,
    clip: Clip,
    *,
    samples: int,
    warmup: int,
    chains: int = 1,
    seed: int = 0,
    target_acceptance: float = 0.8,
    progress: bool = False,
) -> StateSamples:
    """Sample the states with NUTS, z summed out by Pyro's own enumeration.

    It shares no code with :class:`inference.EnumeratedBound`, which it can therefore check. A step
    costs milliseconds of Python and all sequences of a clip move together, so it is for a few small
    images. The chains run one after the other and start at random.

    Components can be numbered in K! ways, and a chain may stay in one or change between them. Means
    of ``theta`` and ``gamma`` over the draws, and diagnostics of ``theta`` such as R-hat, mean
    nothing then; those of :func:`inference.co_assignment` do.

    Pyro's enumeration underflows where pi and the likelihood of a pixel disagree by more than 88
    nats, possible with learned mixing weights only.

    Parameters
    ----------
    model
        The spatial mixture. Its parameters stay as they are.
    clip
        What to explain. Only the targets are read.
    samples, warmup
        Draws of each chain that are kept, and those before that adapt step size and mass matrix.
    chains
        Number of chains.
    seed
        Fixes the numbers.
    target_acceptance
        The step size is adapted to it; nearer to 1 it is smaller, and there are fewer divergences.
    progress
        Show a progress bar.

    Raises
    ------
    ConfigError
        If an argument is out of range, or there are several steps and the prior depends on a
        guide's recurrence (:class:`models.RecurrentPrior`).

    References
    ----------
    Hoffman and Gelman (2014), The No-U-Turn Sampler.
    """
    at_least(1, samples=samples, chains=chains)
    at_least(0, warmup=warmup)
    if not 0.0 < target_acceptance < 1.0:
        raise ConfigError(
            f"target_acceptance: expected a number between 0 and 1, got {target_acceptance}"
        )
    require_own_prior(model, clip)
    with isolated(seed), frozen(model):
        runs = [
            _run_chain(model, clip, samples, warmup, target_acceptance, progress)
            for _ in range(chains)
        ]
    theta = torch.stack([run.theta for run in runs])  # [chains, samples, T, B, K, H]
    like = theta.new_zeros(())
    return StateSamples(
        theta,
        state_responsibilities(model, clip, theta),
        like.new_tensor([run.acceptance for run in runs]),
        torch.tensor([run.divergences for run in runs], device=theta.device),
        like.new_tensor([run.step_size for run in runs]),
    )


class _Chain(NamedTuple):
    theta: Tensor
    acceptance: float
    divergences: int
    step_size: float


def _run_chain(
    model: SpatialMixture,
    clip: Clip,
    samples: int,
    warmup: int,
    target_acceptance: float,
    progress: bool,
) -> _Chain:
    noted: dict[str, Any] = {}

    def note(kernel: NUTS, _: Any, stage: str, index: int) -> None:
        # After the last draw Pyro resets the kernel.
        if stage == "Sample" and index == samples - 1:
            noted["acceptance"] = float(kernel.logging()["acc. prob"])
            noted["divergences"] = len(kernel.diagnostics()["divergences"])
            noted["step_size"] = float(kernel.step_size)

    kernel = NUTS(
        model, max_plate_nesting=model.max_plate_nesting, target_accept_prob=target_acceptance
    )
    mcmc = MCMC(
        kernel,
        num_samples=samples,
        warmup_steps=warmup,
        hook_fn=note,
        disable_progbar=not progress,
    )
    mcmc.run(clip)
    theta: Tensor = mcmc.get_samples()["theta"]  # [samples, T, B, 1, K, H]
    return _Chain(theta.squeeze(-3).detach(), **noted)
