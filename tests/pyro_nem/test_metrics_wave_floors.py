"""Simple models of waveforms, on waveforms whose law is known."""

import math

import numpy as np
import pytest
from scipy.signal import lfilter
from small_speech import needs_speech

from pyro_nem.data import Scaling, SequenceSet, spoken_digits
from pyro_nem.errors import ConfigError
from pyro_nem.metrics import frame_volume, linear_prediction, moving_variance

SIZE = 40
ENTROPY = 0.5 * math.log(2 * math.pi * math.e)


def frames(waves, scaling=None):
    return SequenceSet("waves", [np.reshape(wave, (-1, SIZE)) for wave in waves], scaling)


def noise(count, frames_each, seed=0):
    return np.random.default_rng(seed).normal(size=(count, frames_each * SIZE))


def test_linear_prediction_finds_what_made_the_wave():
    filtered = lfilter([1.0], [1.0, -1.2, 0.5], noise(20, 50), axis=1)
    found = linear_prediction(frames(filtered), 4)
    np.testing.assert_allclose(found, [1.2, -0.5, 0.0, 0.0], atol=0.03)


def test_linear_prediction_by_hand():
    """Silence on both sides: the least squares of a wave 1, 2 with one sample before."""
    source = SequenceSet("two", [np.array([[1.0, 2.0]])])
    assert linear_prediction(source, 1)[0] == pytest.approx(2.0 / 5.0)


def test_prediction_always_fades():
    growing = SequenceSet("growing", [1.5 ** np.arange(20.0)[None]])
    poles = np.roots([1.0, *-linear_prediction(growing, 3)])
    assert np.abs(poles).max() < 1.0


def test_volume_is_worth_what_it_tells():
    """Nothing where all frames are alike, nearly everything where a wave keeps its volume."""
    assert frame_volume(frames(noise(50, 40)), frames(noise(20, 40, 1))) / SIZE == pytest.approx(
        ENTROPY, abs=0.01
    )
    generator = np.random.default_rng(2)

    def changing(count):
        loudness = generator.choice([0.1, 1.0], (count, 1, 1))
        return SequenceSet("x", list(loudness * generator.normal(size=(count, 30, SIZE))))

    training, test = changing(150), changing(60)
    found = frame_volume(training, test) / SIZE
    known = np.mean([ENTROPY + math.log(x.std()) for x in test.sequences])
    # Only the first of 30 frames is a surprise.
    assert known < found < known + 0.15


def test_a_variance_that_moves_follows_the_volume():
    white = moving_variance(frames(noise(20, 50)), frames(noise(10, 50, 1)), order=2) / SIZE
    assert white == pytest.approx(ENTROPY, abs=0.03)
    volume = np.exp(2.0 * np.sin(np.arange(50 * SIZE) / 150.0))
    loud, quiet = (volume * noise(n, 50, n) for n in (20, 10))
    found = moving_variance(frames(loud), frames(quiet), order=2) / SIZE
    assert found == pytest.approx(ENTROPY + np.log(volume).mean(), abs=0.06)
    constant = ENTROPY + 0.5 * math.log(np.square(volume).mean())
    assert found < constant - 0.5


def test_a_moving_variance_by_hand():
    """One wave 1, 0, 2 without anything to predict: the variance begins at the mean square."""
    x = SequenceSet("one", [np.array([[1.0, 0.0, 2.0]])])
    coefficient = linear_prediction(x, 1)[0]
    assert coefficient == 0.0
    mean = 5.0 / 3.0

    def surprise(decay):
        total, variance = 0.0, mean
        for value in (1.0, 0.0, 2.0):
            total += 0.5 * (value**2 / variance + math.log(2 * math.pi * variance))
            variance = decay * variance + (1 - decay) * value**2
        return total

    best = min(surprise(decay) for decay in (0.7, 0.8, 0.85, 0.9, 0.95, 0.98))
    assert moving_variance(x, x, order=1) == pytest.approx(best)


@pytest.mark.parametrize("factor", [0.1, 30.0])
def test_other_units_move_a_density_by_their_logarithm(factor):
    """-log p of data times s is higher by exactly D ln s a step."""
    training, test = noise(20, 20), noise(10, 20, 1)
    # In silence the least variance counts.
    test[:, 200:] = 0.0
    for floor in (frame_volume, moving_variance):
        one = floor(frames(training), frames(test))
        other = floor(frames(factor * training), frames(factor * test))
        assert other - one == pytest.approx(SIZE * math.log(factor), abs=1e-9)
        scaling = Scaling(np.zeros(SIZE), np.full(SIZE, factor))
        scaled = floor(frames(factor * training, scaling), frames(factor * test, scaling))
        assert scaled == pytest.approx(one, abs=1e-9)
        assert other == pytest.approx(scaled + scaling.log_volume, abs=1e-9)


def test_impossible_orders_are_refused():
    with pytest.raises(ConfigError, match="order: expected at least 1"):
        linear_prediction(frames(noise(1, 1)), 0)


@needs_speech
def test_simple_models_of_the_real_digits():
    digits = spoken_digits()
    assert frame_volume(digits.training, digits.test) / 200 == pytest.approx(0.728, abs=0.001)
    assert moving_variance(digits.training, digits.test) / 200 == pytest.approx(-0.700, abs=0.001)
