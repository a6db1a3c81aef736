"""Figures of papers to stand beside ours.

They are remembered and could not be checked against the papers, and are marked so wherever they are
shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

__all__ = ["published", "published_ami"]

# Greff, van Steenkiste, Schmidhuber (2017), test AMI, mean over five runs.
_AMI: Final = {
    ("flying_shapes", "3/3"): 0.970,
    ("flying_shapes", "3/5"): 0.997,
    ("flying_shapes", "5/3"): 0.614,
    ("flying_shapes", "5/5"): 0.878,
    ("flying_mnist", "direct"): 0.819,
    ("flying_mnist", "staged"): 0.917,
    ("static_shapes", "rnn-em"): 0.826,
    ("static_shapes", "n-em"): 0.475,
}


def published_ami(experiment: str, setting: str) -> float | None:
    """Return the paper's test AMI as remembered, or None where it has none.

    Parameters
    ----------
    experiment
        "flying_shapes", "flying_mnist" or "static_shapes".
    setting
        objects/K for flying shapes ("3/5"), "direct" or "staged" for flying MNIST, the guide's
        name for static shapes.
    """
    return _AMI.get((experiment, setting))


# Nats a step of a VRNN with 32 latents, trained and scored by the same bound of four particles: the
# tables of McBits (Ruan et al. 2021). Nats an image: Burda et al. (2015), table 1.
_BOUNDS: Final[Mapping[tuple[str, str, str], float]] = {
    ("chorales", "jsb-vrnn-elbo-no-smoothing-kl-warmup0", "nll_elbo"): 8.69,
    ("chorales", "jsb-vrnn-iwae4-no-smoothing", "nll_iwae_4"): 8.25,
    ("chorales", "jsb-vrnn-fivo4-no-smoothing", "nll_fivo_4"): 7.60,
    ("iwae_mnist", "dynamic-vae", "nll_iwae_5000"): 86.76,
    ("iwae_mnist", "dynamic-iwae5", "nll_iwae_5000"): 85.54,
    ("iwae_mnist", "dynamic-iwae50", "nll_iwae_5000"): 84.78,
    ("iwae_mnist", "dynamic-vae-2layers", "nll_iwae_5000"): 85.33,
    ("iwae_mnist", "dynamic-iwae5-2layers", "nll_iwae_5000"): 83.89,
    ("iwae_mnist", "dynamic-iwae50-2layers", "nll_iwae_5000"): 82.90,
    ("iwae_mnist", "fixed-vae", "nll_iwae_5000"): 88.71,
    ("iwae_mnist", "fixed-iwae5", "nll_iwae_5000"): 87.63,
    ("iwae_mnist", "fixed-iwae50", "nll_iwae_5000"): 87.10,
}


def published(experiment: str, setting: str, metric: str) -> float | None:
    """Return the figure of a paper for a row of a table, or None where it has none.

    Parameters
    ----------
    experiment, setting
        As in the row.
    metric
        Its name without "test."
    """
    if metric in ("ami", "ami_last"):
        # Whether the paper's tables use the mean over steps or the last step is not known.
        return published_ami(experiment, setting)
    return _BOUNDS.get((experiment, setting, metric))
