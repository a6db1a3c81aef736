"""How the world is inverted: E-step, guides, objective, training and evaluation."""

from inference import guides
from inference.checkpoints import load_checkpoint, load_weights, save_checkpoint
from inference.e_step import PixelPosterior, pixel_posterior, responsibilities
from inference.evaluation import Evaluation, evaluate
from inference.fitting import Run, fit, fit_objective
from inference.frame_task import check_source
from inference.objective import LossTerms, NEMObjective, resolve_step_weights
from inference.progress import duration
from inference.run_directory import RunDirectory
from inference.training import Outcome, train
from inference.training_config import TrainingConfig

__all__ = [
    "Evaluation",
    "LossTerms",
    "NEMObjective",
    "Outcome",
    "PixelPosterior",
    "Run",
    "RunDirectory",
    "TrainingConfig",
    "check_source",
    "duration",
    "evaluate",
    "fit",
    "fit_objective",
    "guides",
    "load_checkpoint",
    "load_weights",
    "pixel_posterior",
    "resolve_step_weights",
    "responsibilities",
    "save_checkpoint",
    "train",
]
