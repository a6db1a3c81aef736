"""Figures of papers to stand beside ours.

They are remembered and could not be checked against the papers, and are marked so wherever they are
shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import defaults
from experiments.frames.published_files import published_name
from experiments.images.config import ImageExperiment
from experiments.kinds import Settings
from experiments.sequences.config import SequenceExperiment

__all__ = ["published", "published_transfer"]

# Greff, van Steenkiste, Schmidhuber (2017), test AMI, mean over five runs, by guide, objects, K and
# whether few digits were learned before all.
_AMI: Final[Mapping[tuple[str, str, int, int, bool], float]] = {
    ("flying_shapes", "rnn-em", 3, 3, False): 0.970,
    ("flying_shapes", "rnn-em", 3, 5, False): 0.997,
    ("flying_shapes", "rnn-em", 5, 3, False): 0.614,
    ("flying_shapes", "rnn-em", 5, 5, False): 0.878,
    ("flying_mnist", "rnn-em", 2, 2, False): 0.819,
    ("flying_mnist", "rnn-em", 2, 2, True): 0.917,
    ("static_shapes", "rnn-em", 3, 4, False): 0.826,
    ("static_shapes", "n-em", 3, 4, False): 0.475,
}

# The same weights tested otherwise: experiment, staged, objects and K of the training, those of the
# test, and its frames and steps.
_TRANSFER: Final[Mapping[tuple[str, bool, tuple[int, int], tuple[int, int], int, int], float]] = {
    ("flying_shapes", False, (3, 3), (3, 5), 21, 20): 0.972,
    ("flying_shapes", False, (3, 5), (3, 3), 21, 20): 0.914,
    ("flying_shapes", False, (5, 3), (3, 3), 21, 20): 0.886,
    ("flying_shapes", False, (5, 5), (3, 5), 21, 20): 0.981,
    ("flying_mnist", False, (2, 2), (3, 3), 21, 20): 0.729,
    ("flying_mnist", True, (2, 2), (3, 3), 21, 20): 0.838,
    ("flying_mnist", False, (2, 2), (2, 2), 1, 50): 0.619,
    ("flying_mnist", True, (2, 2), (2, 2), 1, 50): 0.772,
}

# Nats a step of a VRNN with 32 latents, trained and scored by the same bound of four particles: the
# tables of McBits (Ruan et al. 2021).
_CHORALES: Final[Mapping[tuple[str, int], tuple[str, float]]] = {
    ("elbo", 1): ("nll_elbo", 8.69),
    ("iwae", 4): ("nll_iwae_4", 8.25),
    ("fivo", 4): ("nll_fivo_4", 7.60),
}

# Nats an image by 5,000 draws: Burda et al. (2015), table 1, by binarisation, bound, draws and
# sizes of the latents.
_IMAGES: Final[Mapping[tuple[str, str, int, tuple[int, ...]], float]] = {
    ("dynamic", "vae", 1, (50,)): 86.76,
    ("dynamic", "iwae", 5, (50,)): 85.54,
    ("dynamic", "iwae", 50, (50,)): 84.78,
    ("dynamic", "vae", 1, (100, 50)): 85.33,
    ("dynamic", "iwae", 5, (100, 50)): 83.89,
    ("dynamic", "iwae", 50, (100, 50)): 82.90,
    ("fixed", "vae", 1, (50,)): 88.71,
    ("fixed", "iwae", 5, (50,)): 87.63,
    ("fixed", "iwae", 50, (50,)): 87.10,
}


def published(settings: Settings) -> dict[str, float]:
    """Return the figures of papers for a model, by metric without "test."; mostly none.

    Models and data decide, not how long and how well one is trained, which differs anyway.

    Parameters
    ----------
    settings
        Of a run.
    """
    if isinstance(settings, FrameExperiment):
        return _of_frames(settings)
    if isinstance(settings, SequenceExperiment):
        return _of_sequences(settings)
    return _of_images(settings)


def published_transfer(trained: FrameExperiment, tested: Mapping[str, Any]) -> dict[str, float]:
    """Return the figures of papers for weights that are tested otherwise than trained.

    Parameters
    ----------
    trained
        The settings of the training.
    tested
        Those of the test, as JSON keeps them.
    """
    usual = (trained.guide, tested["noise"], tested["variant"])
    paper = defaults(trained.experiment, "paper", None, None)
    if not (_is_known(trained.to_dict()) and _is_known(tested)):
        return {}
    if usual != (paper.guide, asdict(paper.noise), paper.variant):
        return {}
    key = (
        trained.experiment,
        trained.staged,
        (trained.objects, trained.components),
        (tested["objects"], tested["components"]),
        tested["frames"],
        tested["steps"],
    )
    return _both(_TRANSFER.get(key))


def _is_known(settings: Mapping[str, Any]) -> bool:
    """Return whether data are generated or the published file of them, and not a user's own."""
    if settings["data"] is None:
        return True
    names = ("objects", "most_objects", "variant", "frames")
    of_them = {name: settings[name] for name in names}
    return Path(settings["data"]).name == published_name(settings["experiment"], **of_them)


def _both(ami: float | None) -> dict[str, float]:
    # Whether the paper's tables use the mean over steps or the last step is not known.
    return {} if ami is None else {"ami": ami, "ami_last": ami}


def _of_frames(settings: FrameExperiment) -> dict[str, float]:
    paper = defaults(settings.experiment, "paper", settings.guide, None)
    tested = (settings.steps, settings.noise, settings.most_objects, settings.variant)
    if tested != (paper.steps, paper.noise, paper.most_objects, paper.variant):
        return {}
    if not _is_known(settings.to_dict()):
        return {}
    objects, components = settings.objects, settings.components
    key = (settings.experiment, settings.guide, objects, components, settings.staged)
    return _both(_AMI.get(key))


def _of_sequences(settings: SequenceExperiment) -> dict[str, float]:
    model = (settings.tunes, settings.model, settings.latent_size, settings.smoothing)
    optimizer = settings.training.optimizer
    if (*model, optimizer) != ("jsb", "vrnn", 32, False, "adam"):
        return {}
    found = _CHORALES.get((settings.bound.objective, settings.bound.particles))
    return {} if found is None else dict([found])


def _of_images(settings: ImageExperiment) -> dict[str, float]:
    bound = settings.bound
    key = (settings.binarization, bound.objective, bound.particles, settings.latent_sizes)
    trained = (settings.experiment, settings.training.optimizer)
    if trained != ("iwae_mnist", "adam") or key not in _IMAGES:
        return {}
    return {"nll_iwae_5000": _IMAGES[key]}
