"""The report of a run: one HTML file that needs nothing beside it."""

from experiments.report.write_report import write_report

__all__ = ["write_report"]
