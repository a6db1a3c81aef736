"""Scoring traces: enumerated sites summed out, the rest added up by step and sequence."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import torch
from pyro import poutine
from torch import Tensor
from torch.distributions import kl_divergence

from inference.enumerated_trace import (
    PARTICLES,
    USE_PYRO,
    Layout,
    Site,
    is_point_mass,
    sample_sites,
)
from inference.factors import Factor, add_up, carried_sites, sum_out, total
from pyro_nem.errors import ConfigError

__all__ = ["BoundTerms", "bound_terms", "score", "weighing"]


class BoundTerms(NamedTuple):
    """The two parts of log w, so that log w = sum_t (log_likelihood - divergence).

    Both [S, T, B], in nats. T is 1 where some site stands outside the plate of steps, B where there
    are no sequences.

    Attributes
    ----------
    log_likelihood
        log p(x_t | theta_t) of the observed sites, the enumerated ones summed out.
    divergence
        log q(theta_t) - log p(theta_t) at the draws, or its expectation in closed form.
    """

    log_likelihood: Tensor
    divergence: Tensor


def bound_terms(
    model_trace: poutine.Trace,
    guide_trace: poutine.Trace,
    layout: Layout,
    *,
    analytic: bool = False,
) -> BoundTerms:
    """Return the parts of log w of a model that was traced at the values of its guide.

    Parameters
    ----------
    model_trace, guide_trace
        See :class:`inference.enumerated_trace.Programs`.
    layout
        Number of particles and place of the plates.
    analytic
        Take divergences in closed form.

    Raises
    ------
    ConfigError
        If enumerated sites depend on each other, a site stands outside the sequences, has a scale,
        or has no closed form.
    """
    divergences, factors, enumerated = [], [], []
    for name, site in sample_sites(guide_trace):
        if name not in model_trace.nodes and not site["infer"].get("is_auxiliary"):
            raise ConfigError(
                f"guide: the site {name!r} is not in the model, so that log w would weigh nothing "
                'against its density; name it as in the model, or mark it infer={"is_auxiliary": '
                "True} if it is only a step on the way to another site"
            )
        log_prob = _closed_form(name, site, model_trace) if analytic else score(name, site)
        divergences.append(Factor(name, log_prob, _plates(site)))
    for name, site in sample_sites(model_trace):
        if name in guide_trace.nodes:
            if not analytic:
                divergences.append(Factor(name, -score(name, site), _plates(site)))
            continue
        if not site["is_observed"]:
            enumerated.append((name, site["fn"].event_dim - site["value"].dim()))
            # A mask takes observations away. The law of what is summed out stays normalised.
            site = {**site, "mask": None}
        factors.append(Factor(name, score(name, site), _plates(site)))
    for factor in divergences:
        if carried := carried_sites(factor, enumerated):
            raise ConfigError(
                f"site {factor.name!r}: its prior depends on the enumerated site {carried[0]!r}, "
                f"which this bound sums out of observed sites only; {USE_PYRO}, or sum it out in "
                "the prior (pyro.distributions.MixtureSameFamily)"
            )
    sites = [*divergences, *factors]
    for factor in sites:
        if layout.sequence_plate is not None and layout.sequence_plate not in factor.plates:
            raise ConfigError(
                f"site {factor.name!r}: stands outside the plate {layout.sequence_plate!r}, so the "
                f"weights of sequences would depend on each other; {USE_PYRO}, or pass "
                "sequence_plate=None to weight the program as a whole"
            )
    stepwise = all(layout.step_plate in factor.plates for factor in sites)
    kept = (PARTICLES, layout.step_plate if stepwise else None, layout.sequence_plate)
    likelihoods = [add_up(factor, kept) for factor in sum_out(factors, enumerated)]
    penalties = [add_up(factor, kept) for factor in divergences]
    likelihood = total(likelihoods or [torch.zeros_like(part) for part in penalties])
    return BoundTerms(likelihood, total(penalties or [torch.zeros_like(likelihood)]))


def score(name: str, site: Site) -> Tensor:
    """Return the log density of a site at its value, missing entries 0.

    Pyro's ``Trace.compute_log_prob`` gives the same and sums it besides, which costs a pass.

    Raises
    ------
    ConfigError
        If the site has a scale.
    """
    log_prob: Tensor = site["fn"].log_prob(site["value"], *site["args"], **site["kwargs"])
    return _masked(name, site, log_prob)


def weighing(site: Site, share: Tensor, layout: Layout) -> Callable[[Tensor], Tensor]:
    """Return a backward hook for the value of a site that weights particles and sequences.

    Parameters
    ----------
    site
        The guide's site; its value is [(S,) plates .., event ..].
    share
        Weights [S, B].
    layout
        Number of particles and place of the plates.
    """
    plates = _plates(site)
    shape = [1] * site["value"].dim()
    for name, size in zip((PARTICLES, layout.sequence_plate), share.shape, strict=True):
        if name in plates:
            shape[plates[name] - site["fn"].event_dim] = size
    weights = share.reshape(shape)  # [(S,) 1.., B, 1..]
    return lambda gradient: gradient * weights


def _masked(name: str, site: Site, log_prob: Tensor) -> Tensor:
    _refuse_scale(name, site)
    mask = site["mask"]
    if mask is None or mask is True:
        return log_prob
    if mask is False:
        return torch.zeros_like(log_prob)
    return torch.where(mask, log_prob, 0.0)


def _refuse_scale(name: str, site: Site) -> None:
    scale = site["scale"]
    if isinstance(scale, Tensor) or scale != 1.0:
        raise ConfigError(
            f"site {name!r}: has a scale (poutine.scale, or a plate that subsamples), which "
            f"belongs outside the sum over enumerated sites; {USE_PYRO}"
        )


def _closed_form(name: str, site: Site, model_trace: poutine.Trace) -> Tensor:
    if name not in model_trace.nodes:
        raise ConfigError(
            f"divergence: the guide's site {name!r} is not in the model, so there is no closed "
            "form; use sampled"
        )
    other = model_trace.nodes[name]
    law, prior = site["fn"], other["fn"]
    if is_point_mass(law):
        raise ConfigError(
            f"divergence: the guide's site {name!r} is a point mass, which has no divergence in "
            "closed form; use sampled"
        )
    _refuse_scale(name, other)
    if other["mask"] is not site["mask"]:
        raise ConfigError(
            f"divergence: the site {name!r} has another mask in the guide than in the model, so "
            "there is no closed form; use sampled, or give both the same tensor"
        )
    try:
        divergence = kl_divergence(law, prior)
    except NotImplementedError as error:
        raise ConfigError(
            f"divergence: no closed form is known at the site {name!r} between "
            f"{type(law).__name__} and {type(prior).__name__}; use sampled"
        ) from error
    return _masked(name, site, divergence)


def _plates(site: Site) -> dict[str, int]:
    """Return the plates around a site, name -> dimension (negative)."""
    return {frame.name: frame.dim for frame in site["cond_indep_stack"] if frame.vectorized}
