"""Figures of papers to stand beside ours.

They are remembered and could not be checked against the papers, and are marked so wherever they are
shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from experiments.frames.config import FrameExperiment
from experiments.frames.defaults import defaults
from experiments.images.config import ImageExperiment
from experiments.kinds import Settings
from experiments.sequences.config import SequenceExperiment

__all__ = ["published"]

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


def _of_frames(settings: FrameExperiment) -> dict[str, float]:
    paper = defaults(settings.experiment, "paper", settings.guide, None)
    tested = (settings.steps, settings.noise, settings.most_objects, settings.variant)
    if tested != (paper.steps, paper.noise, paper.most_objects, paper.variant):
        return {}
    objects, components = settings.objects, settings.components
    key = (settings.experiment, settings.guide, objects, components, settings.staged)
    # Whether the paper's tables use the mean over steps or the last step is not known.
    return {name: _AMI[key] for name in ("ami", "ami_last") if key in _AMI}


def _of_sequences(settings: SequenceExperiment) -> dict[str, float]:
    model = (settings.tunes, settings.model, settings.latent_size, settings.smoothing)
    optimizer = settings.training.optimizer
    if (*model, optimizer) != ("jsb", "vrnn", 32, False, "adam"):
        return {}
    found = _CHORALES.get((settings.objective, settings.bound.particles))
    return {} if found is None else dict([found])


def _of_images(settings: ImageExperiment) -> dict[str, float]:
    bound = settings.bound
    key = (settings.binarization, bound.objective, bound.particles, settings.latent_sizes)
    trained = (settings.experiment, settings.training.optimizer)
    if trained != ("iwae_mnist", "adam") or key not in _IMAGES:
        return {}
    return {"nll_iwae_5000": _IMAGES[key]}
