"""The settings of the training loop."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from pyro_nem.checks import at_least, one_of
from pyro_nem.errors import ConfigError

__all__ = ["TrainingConfig"]

OptimizerName = Literal["adam", "adagrad"]
DecayName = Literal["constant", "cosine", "stages"]

_LARGEST_SEED = 2**63 - 1

# Burda et al. (2015): stages 0 to 7 of 3^i epochs, at 10^(-i/7) times the first learning rate.
_LAST_STAGE = 7
_EPOCHS = sum(3**stage for stage in range(_LAST_STAGE + 1))


@dataclass(frozen=True)
class TrainingConfig:
    """How the parameters are fitted."""

    updates: int = 2000
    """Number of optimiser updates."""

    batch_size: int = 32
    """B, sequences in an update, over all processes."""

    optimizer: OptimizerName = "adam"
    """What takes the steps."""

    learning_rate: float = 4e-3
    """The optimiser's learning rate, after the warm-up and before the decay."""

    warmup: int = 100
    """Updates over which the learning rate rises linearly from zero."""

    decay: DecayName = "cosine"
    """What the learning rate does after the warm-up: stay, fall to zero at the last update, or fall
    tenfold in seven equal ratios, each stage three times as long as the one before."""

    clip_norm: float | None = None
    """Gradients are scaled down to this norm over all parameters; none leaves them."""

    averaging: float | None = None
    """Decay of an exponential average of the weights, which is then what is validated and kept."""

    log_every: int = 50
    """Updates between two lines of progress."""

    validate_every: int = 250
    """Updates between two validations; a checkpoint follows each."""

    patience: int | None = None
    """Stop after this many validations without a lower loss; none never stops."""

    seed: int = 0
    """Seed of the initial weights, the order of the data, the noise and the first gamma."""

    def __post_init__(self) -> None:
        one_of(OptimizerName, optimizer=self.optimizer)
        one_of(DecayName, decay=self.decay)
        for name in ("updates", "batch_size", "log_every", "validate_every"):
            at_least(1, **{name: getattr(self, name)})
        if not (math.isfinite(self.learning_rate) and self.learning_rate > 0):
            raise ConfigError(
                f"learning_rate: expected a positive number, got {self.learning_rate}"
            )
        if self.warmup < 0:
            raise ConfigError(f"warmup: expected 0 or more updates, got {self.warmup}")
        if self.clip_norm is not None and not self.clip_norm > 0:
            raise ConfigError(f"clip_norm: expected a positive number, got {self.clip_norm}")
        if self.averaging is not None and not 0 < self.averaging < 1:
            raise ConfigError(f"averaging: expected a decay between 0 and 1, got {self.averaging}")
        if self.patience is not None and self.patience < 1:
            raise ConfigError(f"patience: expected at least 1 validation, got {self.patience}")
        if not 0 <= self.seed <= _LARGEST_SEED:
            raise ConfigError(f"seed: expected a number from 0 to {_LARGEST_SEED}, got {self.seed}")

    def learning_rate_at(self, update: int) -> float:
        """Return the learning rate of an update, counted from 0."""
        rise = min(1.0, (update + 1) / (self.warmup + 1))
        if self.decay == "constant":
            return self.learning_rate * rise
        passed, total = max(0, update - self.warmup), max(1, self.updates - self.warmup)
        if self.decay == "stages":
            fall: float = 10.0 ** (-_stage(passed, total) / _LAST_STAGE)
            return self.learning_rate * rise * fall
        done = min(1.0, passed / total)
        return self.learning_rate * rise * 0.5 * (1.0 + math.cos(math.pi * done))


def _stage(passed: int, total: int) -> int:
    """Return the stage, counted from 0, after so many of all updates."""
    stage, end = 0, 1
    while stage < _LAST_STAGE and passed * _EPOCHS >= end * total:
        stage += 1
        end += 3**stage
    return stage
