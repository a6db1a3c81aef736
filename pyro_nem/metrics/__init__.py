"""How good a segmentation and a prediction are.

Scored pixels are those of exactly one object (label != 0), as in the N-EM paper: background and
overlaps never count. A frame without scored pixels scores NaN, and `segmentation_scores` leaves
it out and says how many there were. For sequences of bits, symbols,
movements and frames of a waveform there are the scores of simple models.
"""

from pyro_nem.metrics.adjusted_mutual_information import adjusted_mutual_information
from pyro_nem.metrics.adjusted_rand_index import adjusted_rand_index
from pyro_nem.metrics.bit_floors import independent_bits, markov_bits
from pyro_nem.metrics.confidence import confidence
from pyro_nem.metrics.effective_components import effective_components
from pyro_nem.metrics.move_floors import linear_moves
from pyro_nem.metrics.next_step_bce import next_step_bce
from pyro_nem.metrics.segmentation_scores import SegmentationScores, segmentation_scores
from pyro_nem.metrics.standard_error import standard_errors
from pyro_nem.metrics.symbol_floors import ngram_symbols
from pyro_nem.metrics.wave_floors import frame_volume, linear_prediction, moving_variance

__all__ = [
    "SegmentationScores",
    "adjusted_mutual_information",
    "adjusted_rand_index",
    "confidence",
    "effective_components",
    "frame_volume",
    "independent_bits",
    "linear_moves",
    "linear_prediction",
    "markov_bits",
    "moving_variance",
    "next_step_bce",
    "ngram_symbols",
    "segmentation_scores",
    "standard_errors",
]
