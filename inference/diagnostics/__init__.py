"""What the posterior says, and whether it can be trusted."""

from inference.diagnostics.active_latents import ACTIVE, ActiveLatents, active_latents
from inference.diagnostics.alignment import aligned_gamma
from inference.diagnostics.calibration import Calibration, calibration, co_assignment_calibration
from inference.diagnostics.comparison import Standing, Verdict, rank_by_likelihood
from inference.diagnostics.diagnose import diagnose
from inference.diagnostics.effective_draws import effective_draws
from inference.diagnostics.findings import PROBLEMS, Finding, find_problems, not_looked_for
from inference.diagnostics.k_hat import UNRELIABLE, KHat, k_hat, loo_k_hat
from inference.diagnostics.latent_findings import (
    LATENT_PROBLEMS,
    find_latent_problems,
    latents_not_looked_for,
)
from inference.diagnostics.posterior_file import read_posterior, write_posterior
from inference.diagnostics.restarts import Agreement, largest_by_chance, restart_agreement
from inference.diagnostics.simulation import (
    Posterior,
    SimulatedCalibration,
    guide_posterior,
    nuts_posterior,
    simulation_based_calibration,
)
from inference.diagnostics.tightness import bound_tightness

__all__ = [
    "ACTIVE",
    "LATENT_PROBLEMS",
    "PROBLEMS",
    "UNRELIABLE",
    "ActiveLatents",
    "Agreement",
    "Calibration",
    "Finding",
    "KHat",
    "Posterior",
    "SimulatedCalibration",
    "Standing",
    "Verdict",
    "active_latents",
    "aligned_gamma",
    "bound_tightness",
    "calibration",
    "co_assignment_calibration",
    "diagnose",
    "effective_draws",
    "find_latent_problems",
    "find_problems",
    "guide_posterior",
    "k_hat",
    "largest_by_chance",
    "latents_not_looked_for",
    "loo_k_hat",
    "not_looked_for",
    "nuts_posterior",
    "rank_by_likelihood",
    "read_posterior",
    "restart_agreement",
    "simulation_based_calibration",
    "write_posterior",
]
