"""Bounds on log p(x) with the model's discrete sites summed out, on Pyro's public poutine API."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any, Literal

import torch
from pyro import poutine
from pyro.infer import ELBO
from torch import Tensor

from inference.enumerated_terms import BoundTerms, bound_terms, weighing
from inference.enumerated_trace import (
    Layout,
    Programs,
    carries_gradient,
    frozen,
    require_densities,
    require_frozen,
    sample_sites,
    with_values,
)
from inference.step_weights import weigh_steps
from pyro_nem.checks import at_least, one_of
from pyro_nem.errors import ConfigError

__all__ = ["BoundName", "Divergence", "EnumeratedBound", "Estimator", "combine"]

BoundName = Literal["elbo", "vae", "iwae"]
Estimator = Literal["standard", "stl", "dreg"]
Divergence = Literal["sampled", "analytic"]

Program = Callable[..., Any]
"""A Pyro program; stl and dreg need an nn.Module."""

Rescore = Callable[[tuple[Any, ...], dict[str, Tensor]], tuple[Any, ...]]
"""(arguments of model and guide, values of the guide's sites) -> arguments at these values."""


class EnumeratedBound(ELBO):  # type: ignore[misc]  # pyro is untyped
    """A lower bound on log p(x) of each sequence, with every enumerated site summed out exactly.

    The guide is traced under a plate of S particles, the model replayed under ``poutine.enum``, and
    each enumerated site is summed out by a stable logsumexp. With w_s = p(x, theta_s) / q(theta_s):

        elbo, vae    1/S sum_s log w_s
        iwae         log 1/S sum_s w_s               the weight belongs to the whole sequence

    ``vae`` is the name that ``elbo`` has in tables beside IWAE (VAE_S: the average of S one-sample
    bounds). Value and gradient of ``elbo`` are those of Pyro's ``TraceEnum_ELBO``, without its
    underflow when prior and likelihood disagree by more than 88 nats, and without host
    synchronisation once Pyro's validation is off.

    It holds for any program whose enumerated sites are independent of each other given the guide's
    sites, and whose guide is reparameterised. What it cannot do exactly, it refuses.

    Parameters
    ----------
    bound
        Which of the three.
    particles
        S.
    gradient
        "standard" differentiates log w as it stands. "stl" (Roeder et al. 2017) leaves out the
        score of q: no bias for elbo and vae, and for iwae with one particle; with more, iwae's
        gradient is then biased unless q is exact (Tucker et al. 2018). "dreg" (Tucker et al. 2018),
        for iwae only, has no bias and less variance, as long as nothing cuts log w off from the
        draws: a recurrence that detaches what earlier draws did (gradient_psi or gradient_gamma
        off) changes its mean. Both run the guide once more, dreg the model's part too.
    divergence
        "sampled" takes log q - log p at the draws, "analytic" (elbo and vae) in closed form.
    max_plate_nesting
        Number of plate dimensions of the model.
    sequence_plate
        Plate whose members have weights of their own; None takes the program as one.
    step_plate
        Plate that ``step_weights`` belong to.
    step_weights
        One number >= 0 for each step, times which its part of log w counts; if not given, 1. With
        others the result is an objective and no bound.
    rescore
        For programs that take as an argument what was computed from the guide's own draws: returns
        the arguments at other values. stl and dreg need it there, and refuse arguments with a
        gradient without it.
    rescore_model
        The same for dreg's second run of the model, which may need less of them than the guide;
        ``rescore`` if not given.

    Raises
    ------
    ConfigError
        If an argument is out of range, or the arguments contradict each other.
    """

    def __init__(
        self,
        bound: BoundName = "elbo",
        *,
        particles: int = 1,
        gradient: Estimator = "standard",
        divergence: Divergence = "sampled",
        max_plate_nesting: int,
        sequence_plate: str | None = "batch",
        step_plate: str = "time",
        step_weights: Sequence[float] | None = None,
        rescore: Rescore | None = None,
        rescore_model: Rescore | None = None,
    ) -> None:
        one_of(BoundName, bound=bound)
        one_of(Estimator, gradient=gradient)
        one_of(Divergence, divergence=divergence)
        at_least(1, particles=particles)
        if not all(0.0 <= weight < math.inf for weight in step_weights or ()):
            raise ConfigError(f"step_weights: expected finite weights >= 0, got {step_weights}")
        if gradient == "dreg" and bound != "iwae":
            raise ConfigError(
                f"gradient: dreg is an estimator of iwae, not of {bound}; use stl, which is the "
                "same where every particle weighs the same"
            )
        if gradient == "dreg" and any(weight != 1.0 for weight in step_weights or ()):
            raise ConfigError(
                "gradient: dreg holds for weights p/q, which step weights other than 1 do not "
                "give; use standard"
            )
        if divergence == "analytic" and (bound == "iwae" or gradient != "standard"):
            raise ConfigError(
                "divergence: a closed form has no draws to weight, so it goes with elbo or vae and "
                f"gradient standard, got {bound} and {gradient}; use sampled"
            )
        super().__init__(num_particles=particles, max_plate_nesting=max_plate_nesting)
        self.bound: BoundName = bound
        self.gradient: Estimator = gradient
        self.divergence: Divergence = divergence
        self.sequence_plate = sequence_plate
        self.step_plate = step_plate
        self.step_weights = step_weights
        self.rescore = rescore
        self.rescore_model = rescore if rescore_model is None else rescore_model

    def terms(self, model: Program, guide: Program, *args: Any, **kwargs: Any) -> BoundTerms:
        """Return the parts of the log-weights, by step and sequence, with the chosen gradient.

        Parameters
        ----------
        model, guide
            Pyro programs.
        *args, **kwargs
            Their arguments.

        Raises
        ------
        ConfigError
            If the programs have sites that this bound cannot treat exactly; the message says which
            and what to use instead.
        """
        programs = Programs(model, guide, kwargs, self.layout)
        guide_trace = programs.trace_guide(args)
        if self.gradient == "standard" or not torch.is_grad_enabled():
            model_trace = programs.trace_model(args, guide_trace)
            analytic = self.divergence == "analytic"
            return bound_terms(model_trace, guide_trace, self.layout, analytic=analytic)
        require_densities(guide_trace, self.gradient)
        if self.rescore is None and carries_gradient((args, kwargs)):
            raise ConfigError(
                "gradient: stl and dreg score the guide again at its draws, but an argument "
                "carries a gradient already, of draws or parameters; give rescore, or use standard"
            )
        draws = {name: site["value"] for name, site in sample_sites(guide_trace)}
        model_args = args
        if self.gradient == "dreg":
            # Through these copies flows the derivative with respect to the draws as such, not yet
            # through what earlier draws did to later ones: only that is weighted once more.
            draws = {name: value.clone() for name, value in draws.items()}
            model_args = _at(self.rescore_model, args, draws)
        at_draws = with_values(guide_trace, draws)
        model_trace = programs.trace_model(model_args, at_draws)
        with frozen(model, guide):
            scored = programs.trace_guide(_at(self.rescore, args, draws), at_draws)
        require_frozen(scored)
        terms = bound_terms(model_trace, scored, self.layout)
        if self.gradient == "dreg":
            share = self.weigh(terms).detach().softmax(0)  # [S, B]
            for name, value in draws.items():
                if value.requires_grad:
                    value.register_hook(weighing(scored.nodes[name], share, self.layout))
        return terms

    @property
    def layout(self) -> Layout:
        """Number of particles and place of the plates."""
        return Layout(
            self.num_particles, self.max_plate_nesting, self.step_plate, self.sequence_plate
        )

    def log_weights(self, model: Program, guide: Program, *args: Any, **kwargs: Any) -> Tensor:
        """Return log w of every particle and sequence, [S, B], in nats; see :meth:`terms`."""
        return self.weigh(self.terms(model, guide, *args, **kwargs))

    def differentiable_loss(
        self, model: Program, guide: Program, *args: Any, **kwargs: Any
    ) -> Tensor:
        """Return the negative bound summed over the sequences, a scalar."""
        return -self.combine(self.terms(model, guide, *args, **kwargs)).sum()

    def loss(self, model: Program, guide: Program, *args: Any, **kwargs: Any) -> float:
        """Return the value of :meth:`differentiable_loss` without its gradient."""
        with torch.no_grad():
            return self.differentiable_loss(model, guide, *args, **kwargs).item()

    def loss_and_grads(self, model: Program, guide: Program, *args: Any, **kwargs: Any) -> float:
        """Return the loss after adding its gradient to that of the parameters."""
        loss = self.differentiable_loss(model, guide, *args, **kwargs)
        loss.backward(retain_graph=self.retain_graph)
        return loss.item()

    def combine(self, terms: BoundTerms) -> Tensor:
        """Return the bound of every sequence, [B], in nats."""
        return combine(self.bound, self.weigh(terms))

    def weigh(self, terms: BoundTerms) -> Tensor:
        """Return the log-weights [S, B] of their parts, each step times its weight."""
        parts = terms.log_likelihood - terms.divergence  # [S, T, B]
        if self.step_weights is None:
            return parts.sum(1)  # [S, B]
        steps = parts.shape[1]
        if len(self.step_weights) != steps:
            raise ConfigError(
                f"step_weights: expected {steps} weights, one a step, got {len(self.step_weights)}"
            )
        return weigh_steps(parts, self.step_weights, dim=1)  # [S, B]

    def _get_trace(
        self, model: Program, guide: Program, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[poutine.Trace, poutine.Trace]:
        programs = Programs(model, guide, kwargs, self.layout)
        guide_trace = programs.trace_guide(args)
        return programs.trace_model(args, guide_trace), guide_trace


def combine(bound: BoundName, log_weights: Tensor) -> Tensor:
    """Return the bound [B] of log-weights [S, B].

    Source: Burda, Grosse and Salakhutdinov (2015), equation 8, for iwae.
    """
    if bound == "iwae":
        return log_weights.logsumexp(0) - math.log(log_weights.shape[0])
    return log_weights.mean(0)


def _at(
    rescore: Rescore | None, args: tuple[Any, ...], draws: dict[str, Tensor]
) -> tuple[Any, ...]:
    return args if rescore is None else rescore(args, draws)
