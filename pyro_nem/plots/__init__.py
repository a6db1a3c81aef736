"""Pictures of segmentations and of training, from NumPy arrays and plain records.

Nothing here knows a model or a tensor, and nothing uses pyplot: figures are values, so plotting
works without a display and leaves no global state behind.
"""

from pyro_nem.plots.animation import segmentation_gif
from pyro_nem.plots.colours import component_colours, hue_colours, mix_colours
from pyro_nem.plots.comparison import comparison_figure
from pyro_nem.plots.curve_panels import CurvePanel, curve_panels
from pyro_nem.plots.curves import learning_curves
from pyro_nem.plots.groups import colour_groups
from pyro_nem.plots.image_grid import image_grid
from pyro_nem.plots.latent_activity import activity_figure
from pyro_nem.plots.overview import overview_figure
from pyro_nem.plots.pen import PenPicture, pen_figure, pen_lines
from pyro_nem.plots.piano_roll import RollPicture, piano_roll_figure
from pyro_nem.plots.prediction import prediction_curves
from pyro_nem.plots.reliability import reliability_diagram
from pyro_nem.plots.save import figure_png, save_figure
from pyro_nem.plots.seed_curves import seed_curves
from pyro_nem.plots.segmentation import SegmentationSample
from pyro_nem.plots.step_curves import StepCurve, step_curves
from pyro_nem.plots.uncertainty import RestartSample, uncertainty_figure, uncertainty_maps
from pyro_nem.plots.waveform import WavePicture, waveform_figure

__all__ = [
    "CurvePanel",
    "PenPicture",
    "RestartSample",
    "RollPicture",
    "SegmentationSample",
    "StepCurve",
    "WavePicture",
    "activity_figure",
    "colour_groups",
    "comparison_figure",
    "component_colours",
    "curve_panels",
    "figure_png",
    "hue_colours",
    "image_grid",
    "learning_curves",
    "mix_colours",
    "overview_figure",
    "pen_figure",
    "pen_lines",
    "piano_roll_figure",
    "prediction_curves",
    "reliability_diagram",
    "save_figure",
    "seed_curves",
    "segmentation_gif",
    "step_curves",
    "uncertainty_figure",
    "uncertainty_maps",
    "waveform_figure",
]
