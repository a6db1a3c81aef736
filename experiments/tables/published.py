"""Figures of the paper to stand beside ours.

Greff, van Steenkiste, Schmidhuber (2017), test AMI, mean over five runs. They are remembered and
could not be checked against the paper, and are marked so wherever they are shown.
"""

from __future__ import annotations

__all__ = ["published_ami"]

_AMI = {
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
