"""Guides: ways to invert the spatial mixture, swapped without touching the model."""

from inference.guides.base import Guide, GuideState, initial_state, register_states, unroll
from inference.guides.gradient_nem import GradientNEM
from inference.guides.rnn_em import RNNEM
from inference.guides.views import LOCATED_VIEWS, View

__all__ = [
    "LOCATED_VIEWS",
    "RNNEM",
    "GradientNEM",
    "Guide",
    "GuideState",
    "View",
    "initial_state",
    "register_states",
    "unroll",
]
