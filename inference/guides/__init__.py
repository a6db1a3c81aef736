"""Guides: ways to invert the spatial mixture, swapped without touching the model."""

from inference.guides.drawn_normal import DrawnNormal
from inference.guides.gradient_nem import GradientNEM
from inference.guides.protocol import Guide, register_states
from inference.guides.r_nem import RNEM
from inference.guides.recurrent import Draw, RecurrentGuide, draw_with
from inference.guides.rnn_em import RNNEM
from inference.guides.state import GuideState, own_frame, stack_states
from inference.guides.views import LOCATED_VIEWS, View
from inference.guides.vrnn import VRNN

__all__ = [
    "LOCATED_VIEWS",
    "RNEM",
    "RNNEM",
    "VRNN",
    "Draw",
    "DrawnNormal",
    "GradientNEM",
    "Guide",
    "GuideState",
    "RecurrentGuide",
    "View",
    "draw_with",
    "own_frame",
    "register_states",
    "stack_states",
]
