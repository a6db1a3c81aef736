"""From the files of a run to its report."""

from __future__ import annotations

from pathlib import Path

from experiments.report.findings_section import findings
from experiments.report.latent_page import latent_page
from experiments.report.page import Page, render
from experiments.report.posterior_sections import posterior_sections
from experiments.report.read_latent_run import is_latent
from experiments.report.read_run import read_run
from experiments.report.run_sections import headline, run_sections
from inference import RunDirectory
from pyro_nem.files import replacing

__all__ = ["write_report"]


def write_report(directory: RunDirectory, path: Path) -> None:
    """Write the report of a finished run, from its files alone.

    Parameters
    ----------
    directory
        The run.
    path
        The file to write; its folder must exist.

    Raises
    ------
    CheckpointError
        If a file of the run is missing, damaged or of another version.
    DataError
        If ``posterior.nc`` is missing or damaged, though the run wrote one.
    StorageError
        If the system refuses to write.
    """
    page = latent_page(directory) if is_latent(directory) else _frame_page(directory)
    text = render(page)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def _frame_page(directory: RunDirectory) -> Page:
    run = read_run(directory)
    return Page(
        title=f"{run.settings.experiment} with {run.settings.guide}",
        summary=headline(run),
        sections=(findings(run), *run_sections(run), *posterior_sections(run)),
    )
