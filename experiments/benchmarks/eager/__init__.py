"""The guides written by hand in eager PyTorch, without Pyro: what the speed is measured against.

The same networks and the same loss as model, guide and objective; the recurrence, the enumeration,
the bound and the regulariser are spelled out, and the convolutions are the textbook's.
"""

from experiments.benchmarks.eager.mixture import EagerLoss, EagerMixture
from experiments.benchmarks.eager.twins import EagerRNNEM, eager_twin, plain_convolutions

__all__ = ["EagerLoss", "EagerMixture", "EagerRNNEM", "eager_twin", "plain_convolutions"]
