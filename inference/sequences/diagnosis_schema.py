"""What ``posterior.nc`` of a sequence model holds."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from inference.diagnostics.schema import Variable

__all__ = ["SEQUENCE_VARIABLES"]

_DRAWS = ("chain", "draw")
_SHOWN = ("shown_sequence", "shown_step")

SEQUENCE_VARIABLES: Mapping[str, Variable] = MappingProxyType(
    {
        "posterior/z": Variable(
            (*_DRAWS, *_SHOWN, "latent"), "latents drawn from the guide, all with equal weight"
        ),
        "posterior_predictive/x": Variable(
            (*_DRAWS, *_SHOWN, "feature"),
            "steps drawn from p(x_t | z_t, h_{t-1}) at the drawn latents; h_{t-1} has read the "
            "true steps before",
        ),
        "prior_predictive/x": Variable(
            (*_DRAWS, "shown_step", "feature"), "sequences drawn from the model, step by step"
        ),
        "log_likelihood/x": Variable(
            (*_DRAWS, "sequence", "step"),
            "log p(x_t | z_t, h_{t-1}) of a particle, nats; z_t and what follows have read x_t, so "
            "it is not a pointwise likelihood for PSIS-LOO",
        ),
        "sample_stats/log_weight": Variable(
            (*_DRAWS, "sequence"), "log p(x, z) - log q(z) of all steps, nats"
        ),
        "sample_stats/elbo": Variable(
            ("chain", "sequence"), "mean of the log-weights of a chain, nats"
        ),
        "sample_stats/iwae": Variable(
            ("chain", "sequence"), "log of the mean weight of a chain, nats"
        ),
        "sample_stats/kl": Variable(
            ("chain", "sequence", "step"),
            "KL(q(z_t) || p(z_t | h_{t-1})) in closed form, mean over draws, nats",
        ),
        "sample_stats/location_z": Variable(
            ("chain", "sequence", "step", "latent"),
            "mean of q(z_t) less that of p(z_t | h_{t-1}), in standard deviations of the latter, "
            "mean over draws",
        ),
        "observed_data/x": Variable(
            (*_SHOWN, "feature"), "what is explained, in the units of the model"
        ),
        "constant_data/length": Variable(("sequence",), "steps of each sequence"),
    }
)
