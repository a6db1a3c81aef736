"""Rates, independence and determinism of the noise; the arrangement of clips."""

import math

import pytest
import torch

from pyro_nem.data import Noise, bitflip, make_clip, masked_uniform
from pyro_nem.errors import ConfigError

SHAPE = (4, 8, 20, 25, 2)
COUNT = math.prod(SHAPE)
NOISES = [bitflip, masked_uniform]


def seeded(seed=0):
    return torch.Generator().manual_seed(seed)


def binary():
    return torch.randint(0, 2, SHAPE, generator=seeded(9)).float()


@pytest.mark.parametrize("noise", NOISES)
@pytest.mark.parametrize("probability", [0.1, 0.2, 0.7])
def test_the_rate_is_the_probability(noise, probability):
    touched = (noise(binary(), probability, seeded()) != binary()).double()
    sigma = math.sqrt(probability * (1 - probability) / COUNT)
    assert abs(touched.mean().item() - probability) < 4 * sigma
    # Independent along every axis: neighbours are both touched with probability p^2.
    for axis in range(5):
        both = touched.narrow(axis, 0, SHAPE[axis] - 1) * touched.narrow(axis, 1, SHAPE[axis] - 1)
        assert both.mean().item() == pytest.approx(probability**2, abs=0.02)


@pytest.mark.parametrize("noise", NOISES)
def test_the_generator_decides_and_the_input_stays(noise):
    frames = binary()
    assert torch.equal(noise(frames, 0.2, seeded(1)), noise(frames, 0.2, seeded(1)))
    assert not torch.equal(noise(frames, 0.2, seeded(1)), noise(frames, 0.2, seeded(2)))
    generator = seeded(1)
    assert not torch.equal(noise(frames, 0.2, generator), noise(frames, 0.2, generator))
    assert torch.equal(frames, binary())


@pytest.mark.parametrize("noise", NOISES)
def test_the_global_generator_is_left_alone(noise):
    before = torch.get_rng_state()
    noise(binary(), 0.2, seeded())
    assert torch.equal(torch.get_rng_state(), before)


def test_bitflip_flips_and_keeps_the_dtype():
    frames = binary().double()
    assert torch.equal(bitflip(frames, 1.0, seeded()), 1 - frames)
    assert torch.equal(bitflip(frames, 0.0, seeded()), frames)
    assert bitflip(frames, 0.5, seeded()).dtype == torch.float64


def test_masked_uniform_replaces_with_uniform():
    frames = binary()
    assert torch.equal(masked_uniform(frames, 0.0, seeded()), frames)
    noise = masked_uniform(frames, 1.0, seeded())
    assert noise.mean().item() == pytest.approx(0.5, abs=0.01)
    assert noise.var().item() == pytest.approx(1 / 12, abs=0.005)
    # What was replaced says nothing about what replaced it.
    some = masked_uniform(frames, 0.2, seeded())
    assert some[some != frames].mean().item() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("probability", [-0.1, 1.1, math.nan])
def test_a_probability_outside_the_unit_interval_is_refused(probability):
    for noise in NOISES:
        with pytest.raises(ConfigError, match="probability"):
            noise(binary(), probability, seeded())
    with pytest.raises(ConfigError, match="probability"):
        Noise("bitflip", probability)


def test_noise_applies_its_kind():
    frames = binary()
    assert Noise("none", 0.5)(frames, seeded()) is frames
    assert torch.equal(Noise("bitflip", 0.3)(frames, seeded()), bitflip(frames, 0.3, seeded()))
    assert torch.equal(
        Noise("masked-uniform", 0.3)(frames, seeded()), masked_uniform(frames, 0.3, seeded())
    )
    with pytest.raises(ConfigError, match=r"Noise\.kind.*'salt'"):
        Noise("salt", 0.1)


def test_a_clip_pairs_noisy_frames_with_the_clean_next_ones():
    frames = torch.rand((4, 2, 3, 5, 2), generator=seeded(3))
    clip = make_clip(frames, Noise("none"), seeded())
    assert clip.inputs.shape == clip.targets.shape == (3, 2, 15, 2)
    assert clip.observed is None
    for step in range(3):
        for row in range(3):
            for column in range(5):
                pixel = row * 5 + column
                assert torch.equal(clip.inputs[step, :, pixel], frames[step, :, row, column])
                assert torch.equal(clip.targets[step, :, pixel], frames[step + 1, :, row, column])
    noisy = make_clip(frames, Noise("bitflip", 0.4), seeded(5))
    assert torch.equal(noisy.targets, clip.targets)
    assert torch.equal(noisy.inputs, bitflip(clip.inputs, 0.4, seeded(5)))


def test_static_frames_get_fresh_noise_at_every_step():
    image = torch.rand((1, 2, 8, 8, 1), generator=seeded(3)).expand(5, -1, -1, -1, -1)
    clip = make_clip(image, Noise("masked-uniform", 0.3), seeded())
    for step in range(1, 4):
        assert not torch.equal(clip.inputs[0], clip.inputs[step])
        assert torch.equal(clip.targets[0], clip.targets[step])


@pytest.mark.parametrize("shape", [(1, 2, 8, 8, 1), (3, 2, 64, 1)])
def test_a_clip_needs_two_frames_of_an_image(shape):
    with pytest.raises(ConfigError, match=r"at least 2 frames, got \["):
        make_clip(torch.zeros(shape), Noise(), seeded())
