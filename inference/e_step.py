"""The E-step: Pyro's exact enumeration of every pixel's assignment.

Source: Greff et al. (2017), section 3.1, the E-step of the mixture. The original adds 1e-6 to each
likelihood and drops pi; here the likelihood is floored by the pixel law itself (psi is clipped) and
pi is the model's, so gamma is exactly p(z | psi, x) of the model whose bound is trained.
"""

from __future__ import annotations

from typing import NamedTuple

from pyro import poutine
from torch import Tensor

from inference.enumerated_terms import score
from models import SpatialMixture
from pyro_nem.errors import ConfigError

__all__ = ["PixelPosterior", "pixel_posterior", "responsibilities"]


class PixelPosterior(NamedTuple):
    """The exact posterior of the assignments, and the evidence that it normalises.

    Attributes
    ----------
    gamma
        p(z_i = k | psi, x_i), shape [..., K, D], summing to one over K.
    log_evidence
        log p(x_i | psi), z summed out, in nats, shape [..., D]; 0 where the pixel is missing.
    """

    gamma: Tensor
    log_evidence: Tensor


def pixel_posterior(
    model: SpatialMixture, psi: Tensor, x: Tensor, observed: Tensor | None = None
) -> PixelPosterior:
    """Enumerate the model's pixel sub-program and normalise over the enumeration dimension.

    Unlike Pyro's ``compute_marginals`` this works for any plate size, 1 included.

    Parameters
    ----------
    model
        The spatial mixture, whose ``draw_pixels`` is enumerated.
    psi
        Pixel parameters, [T, B, K, D, C] or [B, K, D, C].
    x
        Frames, [T, B, D, C] or [B, D, C].
    observed
        Boolean, [T, B, D] or [B, D]; False marks missing pixels, whose gamma is pi.

    Raises
    ------
    ConfigError
        If the shapes of ``psi`` and ``x`` do not belong together.
    """
    log_joint = _log_joint(model, psi, x, observed)  # [K, (T,) B, D]
    return PixelPosterior(_normalised(log_joint), log_joint.logsumexp(0))


def responsibilities(
    model: SpatialMixture, psi: Tensor, x: Tensor, observed: Tensor | None = None
) -> Tensor:
    """Return gamma = p(z | psi, x) alone; see :func:`pixel_posterior`."""
    return _normalised(_log_joint(model, psi, x, observed))


def _log_joint(model: SpatialMixture, psi: Tensor, x: Tensor, observed: Tensor | None) -> Tensor:
    """Return log p(z, x | psi) of every assignment, [K, (T,) B, D]."""
    if psi.dim() not in (4, 5) or psi.shape[:-3] + psi.shape[-2:] != x.shape:
        raise ConfigError(
            "psi, x: expected shapes [(T,) B, K, D, C] and [(T,) B, D, C], "
            f"got {tuple(psi.shape)} and {tuple(x.shape)}"
        )
    if psi.dim() == 4:
        single = None if observed is None else observed[None]
        return _log_joint(model, psi[None], x[None], single)[:, 0]  # [K, B, D]
    program = poutine.enum(model.draw_pixels, first_available_dim=-1 - model.max_plate_nesting)
    # Blocked, because inside a guide these plates and sites are not the guide's own.
    with poutine.block():
        trace = poutine.trace(program).get_trace(psi, x, observed)
    return score("z", trace.nodes["z"]) + score("x", trace.nodes["x"])  # [K, T, B, D]


def _normalised(log_joint: Tensor) -> Tensor:
    return log_joint.softmax(0).movedim(0, -2)  # [(T,) B, K, D]
