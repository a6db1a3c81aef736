"""Guides: ways to invert the spatial mixture, swapped without touching the model."""

from inference.guides.drawn_normal import DrawnNormal
from inference.guides.gradient_nem import GradientNEM
from inference.guides.model_guide import ModelGuide
from inference.guides.protocol import Guide, register_states
from inference.guides.r_nem import RNEM
from inference.guides.recurrent import Draw, RecurrentGuide, draw_with
from inference.guides.rnn_em import RNNEM
from inference.guides.state import GuideState, own_frame, stack_states
from inference.guides.views import LOCATED_VIEWS, View, count_channels, small_encoder
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
    "ModelGuide",
    "RecurrentGuide",
    "View",
    "count_channels",
    "draw_with",
    "own_frame",
    "register_states",
    "small_encoder",
    "stack_states",
]
