"""What simple models say of waveforms in frames, to be beaten."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy.signal import lfilter

from pyro_nem.checks import at_least
from pyro_nem.data import SequenceSet

__all__ = ["frame_volume", "linear_prediction", "moving_variance"]

Frames = NDArray[np.float64]

# Classes of volume that hold equally many training frames.
_CLASSES = 32

# Weights of the past that are tried, and the least variance as a share of the mean one: a density
# grows without bound where nothing is heard.
_DECAYS = (0.7, 0.8, 0.85, 0.9, 0.95, 0.98)
_LEAST = 1e-4


def frame_volume(training: SequenceSet, test: SequenceSet) -> float:
    """Return -log p(test) in nats a frame if volume alone is predicted, from the frame before.

    The samples of a frame are independent and Gaussian. Frames fall into 32 classes by the volume
    of the frame before, first ones into another, and each class has its training variance.

    Parameters
    ----------
    training, test
        Sequences of frames `[steps, D]`; what counts is their units in batches.
    """
    volumes = [np.square(x).mean(1) for x in training.scaled()]
    edges = np.quantile(np.concatenate(volumes), np.arange(1, _CLASSES) / _CLASSES)

    def classes(volume: Frames) -> NDArray[np.int64]:
        return np.concatenate([[0], 1 + np.searchsorted(edges, volume[:-1])])

    chosen = np.concatenate([classes(volume) for volume in volumes])
    total = np.bincount(chosen, np.concatenate(volumes), _CLASSES + 1)
    variance = total / np.bincount(chosen, minlength=_CLASSES + 1).clip(1)
    # A class without a training frame, or a silent one, has the mean variance.
    variance = np.where(variance > 0.0, variance, total.sum() / len(chosen))
    log_density = sum(
        _gaussian(x, variance[classes(np.square(x).mean(1)), None]).sum() for x in test.scaled()
    )
    return float(-log_density / test.num_steps)


def linear_prediction(training: SequenceSet, order: int) -> NDArray[np.float64]:
    """Return the coefficients that predict a sample best from those before it, `[order]`.

    The latest sample's comes first. Least squares over all sequences, with silence around each,
    so that what they predict fades.

    Parameters
    ----------
    training
        Sequences of frames `[steps, D]` in the units of batches.
    order
        How many samples before are looked at.

    Raises
    ------
    ConfigError
        The order is below 1.
    """
    at_least(1, order=order)
    square, product = np.zeros((order, order)), np.zeros(order)
    for x in _waves(training):
        silence = np.zeros(order)
        padded = np.concatenate([silence, x, silence])
        past = np.lib.stride_tricks.sliding_window_view(padded[:-1], order)[:, ::-1]
        square += past.T @ past
        product += past.T @ padded[order:]
    # Least norm, where silence leaves coefficients open.
    return np.linalg.lstsq(square, product, rcond=None)[0].astype(np.float64)


def moving_variance(training: SequenceSet, test: SequenceSet, *, order: int = 20) -> float:
    """Return -log p(test) in nats a frame of linear prediction with a variance that moves.

    Every sample is Gaussian around :func:`linear_prediction`. Its variance is the exponentially
    weighted mean of the squared errors before it, from the training mean on; the decay is the one
    of 0.7 to 0.98 that explains the training sequences best.

    Parameters
    ----------
    training, test
        Sequences of frames `[steps, D]`; what counts is their units in batches.
    order
        Of the prediction.

    Raises
    ------
    ConfigError
        The order is below 1.
    """
    whitening = np.concatenate([[1.0], -linear_prediction(training, order)])
    errors = [lfilter(whitening, [1.0], x) for x in _waves(training)]
    mean = float(np.square(np.concatenate(errors)).mean())

    def log_density(parts: list[Frames], decay: float) -> float:
        return float(sum(_gaussian(e, _moving(e, decay, mean)).sum() for e in parts))

    best = max(_DECAYS, key=lambda decay: log_density(errors, decay))
    asked = [lfilter(whitening, [1.0], x) for x in _waves(test)]
    return -log_density(asked, best) / test.num_steps


def _waves(source: SequenceSet) -> Iterator[Frames]:
    for x in source.scaled():
        yield x.ravel()


def _moving(errors: Frames, decay: float, first: float) -> Frames:
    """Return the weighted mean of the squares before each error, `[N]`."""
    new = np.concatenate([[first], (1.0 - decay) * np.square(errors[:-1])])
    variance: Frames = lfilter([1.0], [1.0, -decay], new)
    return np.maximum(variance, _LEAST * first)


def _gaussian(x: Frames, variance: Frames) -> Frames:
    density: Frames = -0.5 * (np.square(x) / variance + np.log(2.0 * np.pi * variance))
    return density
