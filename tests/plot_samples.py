"""A random sample to draw, shared by the tests of figures and animations."""

import numpy as np

from pyro_nem.plots import SegmentationSample


def make_sample(num_steps=3, num_components=2, rows=5, columns=6, channels=1, groups=True, seed=0):
    generator = np.random.default_rng(seed)

    def weights(*shape):
        mass = generator.random(shape)
        return mass / mass.sum(-3, keepdims=True)

    frames = (num_steps, rows, columns, channels)
    return SegmentationSample(
        inputs=generator.random(frames),
        targets=generator.random(frames),
        # Beyond [0, 1] on both sides, as a Gaussian model's means may be.
        psi=generator.normal(0.5, 0.6, (num_steps, num_components, rows, columns, channels)),
        gamma=weights(num_steps, num_components, rows, columns),
        gamma_init=weights(num_components, rows, columns),
        groups=generator.integers(3, size=frames[:3]) if groups else None,
    )
