"""How the world is inverted: E-step, guides, objective, training and evaluation."""

from inference import guides
from inference.bound_config import BoundConfig, ObjectiveName
from inference.bounds import BoundName, Divergence, EnumeratedBound, Estimator, combine
from inference.checkpoints import load_checkpoint, load_weights, save_checkpoint
from inference.diagnostics import diagnose, read_posterior, write_posterior
from inference.e_step import PixelPosterior, pixel_posterior, responsibilities
from inference.enumerated_terms import BoundTerms
from inference.evaluation import Evaluation, evaluate
from inference.execution import Execution, Precision, prepare
from inference.fit_modules import fit
from inference.fitting import fit_objective
from inference.importance import ImportanceWeighted, importance_weighted
from inference.interruption import Interruption
from inference.joining import expected_processes, joined, said_first
from inference.objective import LossTerms, NEMObjective
from inference.pixel_levels import check_levels
from inference.prediction import Imagination, Prediction, imagine_clip, predict
from inference.processes import ALONE, Processes
from inference.progress import duration
from inference.reference import (
    AmortisationGap,
    StateFit,
    StateSamples,
    amortisation_gap,
    co_assignment,
    fit_states,
    sample_states,
)
from inference.regularisers import inter_cluster, state_divergence
from inference.run_directory import RunDirectory
from inference.run_training import Run
from inference.source_check import check_source
from inference.step_weights import resolve_step_weights
from inference.training import Outcome, train
from inference.training_config import TrainingConfig

__all__ = [
    "ALONE",
    "AmortisationGap",
    "BoundConfig",
    "BoundName",
    "BoundTerms",
    "Divergence",
    "EnumeratedBound",
    "Estimator",
    "Evaluation",
    "Execution",
    "Imagination",
    "ImportanceWeighted",
    "Interruption",
    "LossTerms",
    "NEMObjective",
    "ObjectiveName",
    "Outcome",
    "PixelPosterior",
    "Precision",
    "Prediction",
    "Processes",
    "Run",
    "RunDirectory",
    "StateFit",
    "StateSamples",
    "TrainingConfig",
    "amortisation_gap",
    "check_levels",
    "check_source",
    "co_assignment",
    "combine",
    "diagnose",
    "duration",
    "evaluate",
    "expected_processes",
    "fit",
    "fit_objective",
    "fit_states",
    "guides",
    "imagine_clip",
    "importance_weighted",
    "inter_cluster",
    "joined",
    "load_checkpoint",
    "load_weights",
    "pixel_posterior",
    "predict",
    "prepare",
    "read_posterior",
    "resolve_step_weights",
    "responsibilities",
    "said_first",
    "sample_states",
    "save_checkpoint",
    "state_divergence",
    "train",
    "write_posterior",
]
