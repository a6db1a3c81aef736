"""Reference inference on the same model, against which any guide can be held."""

from inference.reference.amortisation import AmortisationGap, amortisation_gap
from inference.reference.co_assignment import co_assignment
from inference.reference.state_fit import Family, StateFit, fit_states
from inference.reference.state_samples import StateSamples, sample_states

__all__ = [
    "AmortisationGap",
    "Family",
    "StateFit",
    "StateSamples",
    "amortisation_gap",
    "co_assignment",
    "fit_states",
    "sample_states",
]
