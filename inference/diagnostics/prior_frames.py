"""Videos from a learned prior."""

from __future__ import annotations

from typing import NamedTuple

import pyro
import torch
from torch import Generator, Tensor

from inference.guides import RecurrentGuide
from inference.guides.recurrent import draw_with
from inference.guides.state import own_frame
from inference.modes import as_trained
from inference.objective import NEMObjective
from inference.seeded import drawn_seed, seeded

__all__ = ["PriorFrames", "prior_frames"]


class PriorFrames(NamedTuple):
    """Frames drawn without data.

    Attributes
    ----------
    frames
        [draws, T, D, C]; None where the model has no prior to speak of.
    origin
        Where they come from, or why there are none.
    """

    frames: Tensor | None
    origin: str


def prior_frames(
    objective: NEMObjective, steps: int, draws: int, generator: Generator
) -> PriorFrames:
    """Draw videos from the prior p(theta_t | h_{t-1}) that a stochastic guide's recurrence follows.

    Each step draws its states, then each pixel its component and value. The recurrence goes on from
    the mean frame sum_k gamma_k psi_k of its own, as in :meth:`RecurrentGuide.imagine`, from a
    black frame and random responsibilities.

    The uniform prior over the states of point-mass guides is not sampled. It makes the bound exact
    and is never fitted: a decoder has no reason to make frames of states that no guide finds.
    """
    model, guide = objective.model, objective.guide
    if model.prior.context_size == 0:
        return PriorFrames(
            None, f"none: {type(model.prior).__name__} is not fitted to data, so its frames are not"
        )
    if not isinstance(guide, RecurrentGuide):
        return PriorFrames(
            None, f"none: the prior follows a recurrence, which {type(guide).__name__} has not"
        )
    frames = []
    with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
        state = guide.start(draws, generator)
        with seeded(drawn_seed(generator)):
            for _ in range(steps):
                state = guide.step(state, own_frame(state), None, draw=draw_with(generator))
                frames.append(model.draw_pixels(state.psi.unsqueeze(0))[0])  # [draws, D, C]
    return PriorFrames(torch.stack(frames, 1), "the states follow the prior, step by step")
