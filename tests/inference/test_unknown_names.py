"""A name that nothing has is refused, with those that there are, and is not taken for another."""

import numpy as np
import pytest
from small_mixture import build

from inference import BoundConfig, NEMObjective, TrainingConfig, evaluate
from inference.execution import Execution
from inference.step_weights import resolve_step_weights
from pyro_nem.errors import ConfigError

UNLABELLED = np.zeros((3, 2, 3, 4, 1), np.float32)


def score(*names):
    model, guide = build("bernoulli", 2)
    return evaluate(NEMObjective(model, guide), UNLABELLED, scores=names)


@pytest.mark.parametrize(
    ("use", "message"),
    [
        (lambda: TrainingConfig(optimizer="sgd"), "optimizer: .* adam, adagrad, got 'sgd'"),
        (lambda: TrainingConfig(decay="linear"), "decay: .* constant, cosine, stages, got"),
        (
            lambda: BoundConfig("ivae"),
            "objective: .* elbo, vae, iwae, fivo, got 'ivae'",
        ),
        (lambda: BoundConfig(gradient="reinforce"), "gradient: .* standard, stl, dreg, got"),
        (lambda: BoundConfig(divergence="exact"), "divergence: .* sampled, analytic, got"),
        (lambda: Execution("float16"), "precision: .* float32, tf32, bfloat16, got"),
        (lambda: resolve_step_weights("frist", 3), "step_weights: .* all, last, got 'frist'"),
        (lambda: score("ari", "nmi"), "scores: expected one of ari, ami, got 'nmi'"),
    ],
)
def test_unknown_names_are_refused(use, message):
    with pytest.raises(ConfigError, match=message):
        use()
