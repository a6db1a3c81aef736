"""The options of ``python -m experiments.sweep``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import torch
import tyro

from experiments.cli import Count, Text
from experiments.kinds import AnyExperimentName
from pyro_nem.errors import ConfigError

__all__ = ["SweepOptions"]


@dataclass(frozen=True)
class SweepOptions:
    """Run a grid of runs side by side and gather their scores: mean and deviation over seeds.

    Behind the experiment, every option of experiments.run (see its --help) is taken too, with one
    value for all runs or with several, which make an axis of the grid: "--components 3 5 --objects
    3 5 --scale laptop" is four settings. Each run gets the folder that experiments.run would
    choose.

    The same command goes on where the last one stopped: finished runs are not run again, and
    interrupted ones are resumed. It exits with 0 when all runs are finished, else with 1.
    """

    experiment: tyro.conf.Positional[AnyExperimentName]
    """What to run, as for experiments.run."""

    seeds: Count = None
    """Run each setting with so many seeds, from 0. Or name them: --seed 3 7. Default: 5."""

    jobs: Count = None
    """Runs at a time. Default: one a device; on a cluster, what the scheduler allows."""

    threads: Count = None
    """CPU threads of each run. Default: the cores divided by --jobs; on a cluster, PyTorch's
    choice."""

    devices: tuple[str, ...] = ()
    """Devices that the runs are dealt out to, as cuda:0 cuda:1; with more jobs than devices, runs
    share them. Default: that of experiments.run."""

    cluster: Text = None
    """Submit each run as a job with submitit: slurm, or local to try that on this machine. Wants
    --scale and: pip install 'pyro-nem[cluster]'. Stopping the sweep cancels its jobs."""

    cluster_options: tuple[str, ...] = ()
    """What each job asks for, NAME=VALUE as in submitit: timeout_min=600 gpus_per_node=1
    slurm_partition=gpu. A job whose time is up resumes by itself, as does one that was preempted.
    Default: timeout_min=720."""

    output: Path = Path("runs/tables")
    """Folder for the table: EXPERIMENT.md, .csv and .json, replaced each time."""

    dry_run: bool = False
    """Only list the runs, how far they are and the commands that would be run."""

    def __post_init__(self) -> None:
        for name in ("seeds", "jobs", "threads"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"--{name}: expected at least 1, got {value}")
        if self.cluster is None and self.cluster_options:
            raise ConfigError("--cluster-options: are of no use without --cluster slurm")
        if self.cluster is not None and self.devices:
            raise ConfigError(
                "--devices: on a cluster each run uses what the scheduler gives it; leave it out, "
                "and ask for GPUs with --cluster-options gpus_per_node=1"
            )

    def runs_at_once(self) -> int:
        """Return how many runs share this machine."""
        return max(1, len(self.devices)) if self.jobs is None else self.jobs

    def threads_of_a_run(self) -> int | None:
        """Return the CPU threads of each run; None leaves it to PyTorch."""
        if self.threads is not None or self.cluster is not None:
            return self.threads
        return max(1, torch.get_num_threads() // self.runs_at_once())
