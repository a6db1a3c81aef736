"""Whatever looks at a model leaves the modes of its parts alone, and looks at it as it was trained.

A network with dropout or batch normalisation would otherwise be changed by its scores, or be scored
by chance.
"""

import numpy as np
import pytest
import small_images
import small_sequences
from guide_zoo import build

from inference import NEMObjective, diagnose, evaluate, importance_weighted, predict
from inference.diagnostics import guide_posterior, simulation_based_calibration
from inference.images import (
    ImageObjective,
    diagnose_images,
    hmc_likelihood,
    latent_activity,
    score_images,
)
from inference.sequences import (
    SequenceObjective,
    continue_sequences,
    diagnose_sequences,
    draw_sequences,
    score_sequences,
)

FRAMES = np.random.default_rng(0).integers(0, 2, (4, 3, 8, 8, 1), np.uint8)
BITS = small_images.images(3).binarised(0)
ROLLS = small_sequences.rolls()

VIDEOS = {
    "evaluate": lambda trained: evaluate(trained, FRAMES),
    "importance_weighted": lambda trained: importance_weighted(trained, FRAMES, particles=2),
    "predict": lambda trained: predict(trained, FRAMES, seen=1, steps=2),
    "diagnose": lambda trained: diagnose(trained.model, trained.guide, FRAMES, draws=2, restarts=1),
    "simulation": lambda trained: simulation_based_calibration(
        trained.model, guide_posterior(trained.guide), simulations=2, draws=9
    ),
}
SEQUENCES = {
    "score_sequences": lambda trained: score_sequences(trained, ROLLS),
    "diagnose_sequences": lambda trained: diagnose_sequences(trained, ROLLS, draws=2, kept_draws=2),
    "draw_sequences": lambda trained: draw_sequences(trained, 2, 2),
    "continue_sequences": lambda trained: continue_sequences(
        trained, small_sequences.batch_of((3, 3)), 2
    ),
}
IMAGES = {
    "score_images": lambda trained: score_images(trained, BITS),
    "diagnose_images": lambda trained: diagnose_images(trained, BITS, draws=2, kept_draws=2),
    "latent_activity": lambda trained: latent_activity(trained, BITS),
    "hmc_likelihood": lambda trained: hmc_likelihood(trained, BITS, samples=8, warmup=1),
}


def check(trained, look):
    parts = list(trained.modules())
    # As where a network was fixed before.
    parts[-1].eval()
    before = [part.training for part in parts]
    modes = []
    for part in parts:
        part.register_forward_pre_hook(lambda own, _: modes.append(own.training))
    look(trained)
    assert modes
    assert not any(modes)
    assert [part.training for part in parts] == before


@pytest.mark.parametrize("name", VIDEOS)
def test_videos(name):
    check(NEMObjective(*build("vrnn", 2)), VIDEOS[name])


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("name", SEQUENCES)
def test_sequences(name):
    check(SequenceObjective(*small_sequences.build()), SEQUENCES[name])


@pytest.mark.usefixtures("double_precision", "empty_param_store")
@pytest.mark.parametrize("name", IMAGES)
def test_images(name):
    check(ImageObjective(*small_images.build()), IMAGES[name])
