"""Pictures of segmentations and of training, from NumPy arrays and plain records.

Nothing here knows a model or a tensor, and nothing uses pyplot: figures are values, so plotting
works without a display and leaves no global state behind.
"""

from pyro_nem.plots.animation import segmentation_gif
from pyro_nem.plots.colours import component_colours, hue_colours, mix_colours
from pyro_nem.plots.curves import learning_curves
from pyro_nem.plots.groups import colour_groups
from pyro_nem.plots.overview import overview_figure
from pyro_nem.plots.prediction import prediction_curves
from pyro_nem.plots.save import save_figure
from pyro_nem.plots.segmentation import SegmentationSample

__all__ = [
    "SegmentationSample",
    "colour_groups",
    "component_colours",
    "hue_colours",
    "learning_curves",
    "mix_colours",
    "overview_figure",
    "prediction_curves",
    "save_figure",
    "segmentation_gif",
]
