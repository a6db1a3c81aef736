"""The report of a run on sequences or images."""

from __future__ import annotations

from experiments.report.findings_section import latent_findings
from experiments.report.latent_run_sections import latent_headline, latent_run_sections
from experiments.report.latent_sections import latent_sections
from experiments.report.page import Page
from experiments.report.read_latent_run import read_latent_run
from experiments.sequences.config import SequenceExperiment
from inference import RunDirectory

__all__ = ["latent_page"]


def latent_page(directory: RunDirectory) -> Page:
    """Return the report of a finished run, from its files alone.

    Raises
    ------
    CheckpointError
        If a file of the run is missing, damaged or of another version.
    DataError
        The same of ``posterior.nc``.
    """
    run = read_latent_run(directory)
    title = run.settings.experiment
    return Page(
        title=f"{title} with {run.settings.model}"
        if isinstance(run.settings, SequenceExperiment)
        else title,
        summary=latent_headline(run),
        sections=(latent_findings(run), *latent_run_sections(run), *latent_sections(run)),
    )
