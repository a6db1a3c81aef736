"""What ``posterior.nc`` of a model of images holds."""

from __future__ import annotations

from collections.abc import Mapping

from inference.diagnostics.schema import Variable

__all__ = ["image_variables"]

_DRAWS = ("chain", "draw")
_PIXELS = ("row", "column")


def image_variables(layers: int) -> Mapping[str, Variable]:
    """Return the variables of a model with so many layers of latents."""
    numbers = range(1, layers + 1)
    return {
        **{
            f"posterior/z_{layer}": Variable(
                (*_DRAWS, "image", f"latent_{layer}"),
                "latents drawn from the guide, all with equal weight",
            )
            for layer in numbers
        },
        "posterior_predictive/x": Variable(
            (*_DRAWS, "image", *_PIXELS), "images drawn from p(x | z_1) at the drawn latents"
        ),
        "prior_predictive/x": Variable((*_DRAWS, *_PIXELS), "images drawn from the model"),
        "log_likelihood/x": Variable(
            (*_DRAWS, "image"),
            "log p(x | z_1) of a draw, nats; each image has latents of its own, so it is not a "
            "pointwise likelihood for PSIS-LOO",
        ),
        "sample_stats/log_weight": Variable((*_DRAWS, "image"), "log p(x, z) - log q(z | x), nats"),
        "sample_stats/elbo": Variable(("chain", "image"), "mean of the log-weights, nats"),
        "sample_stats/iwae": Variable(("chain", "image"), "log of the mean weight, nats"),
        "sample_stats/kl": Variable(
            ("chain", "image"), "log q(z | x) - log p(z), mean over draws, nats"
        ),
        **{
            f"sample_stats/location_z_{layer}": Variable(
                ("chain", "image", f"latent_{layer}"),
                "mean of the law that the latent was drawn from, mean over draws",
            )
            for layer in numbers
        },
        "observed_data/x": Variable(("image", *_PIXELS), "what is explained"),
    }
