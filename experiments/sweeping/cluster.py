"""Jobs on a cluster, through submitit."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from experiments.processes import Job, Outcome
from pyro_nem.errors import ConfigError

if TYPE_CHECKING:
    import submitit

__all__ = ["run_on_cluster"]

_POLL_SECONDS = 2.0


def run_on_cluster(
    jobs: Sequence[Job],
    cluster: str,
    options: Sequence[str],
    folder: Path,
    *,
    at_once: int | None,
    ended: Callable[[Outcome], None],
) -> list[Outcome]:
    """Submit jobs, wait for them and return how they ended, in that order.

    After Ctrl-C or SIGTERM the jobs that are not done are cancelled, and have no outcome.

    Parameters
    ----------
    jobs
        What is to be run.
    cluster
        submitit's name of the scheduler, as "slurm".
    options
        Parameters of ``submitit.AutoExecutor``, its ``update_parameters`` or its constructor's
        ``slurm_max_num_timeout``, each as NAME=VALUE.
    folder
        For submitit's own files; the nodes have to see it.
    at_once
        How many jobs at a time; None leaves it to the scheduler.
    ended
        Told of each outcome.

    Raises
    ------
    ConfigError
        If submitit is not installed, or refuses the cluster or the options.
    """
    parameters = {"name": "pyro_nem", "timeout_min": 720, **_parse(options)}
    if cluster == "slurm" and at_once is not None:
        parameters.setdefault("slurm_array_parallelism", at_once)
    executor = _executor(cluster, parameters, folder)
    from submitit.helpers import as_completed

    from experiments.sweeping.cluster_job import ClusterJob

    with executor.batch():
        submitted = [executor.submit(ClusterJob(job)) for job in jobs]
    names = {handle.job_id: job.name for handle, job in zip(submitted, jobs, strict=True)}
    print(f"submitted to {cluster}: {', '.join(names)}; submitit's files are in {folder}")
    outcomes = []
    try:
        for handle in as_completed(submitted, poll_frequency=_POLL_SECONDS):
            outcomes.append(_outcome(handle, names[handle.job_id]))
            ended(outcomes[-1])
    except KeyboardInterrupt:
        for handle in submitted:
            if not handle.done():
                handle.cancel(check=False)
    return outcomes


def _parse(options: Sequence[str]) -> dict[str, Any]:
    """Return parameters from NAME=VALUE, with the types that submitit tells apart."""
    found: dict[str, Any] = {}
    for option in options:
        name, equals, text = option.partition("=")
        if not (name and equals):
            raise ConfigError(f"--cluster-options: expected NAME=VALUE, got {option!r}")
        found[name] = _value(text)
    return found


def _value(text: str) -> bool | int | float | str:
    """Return the number or truth value that is written so, else the text: 007 is an account."""
    if text in ("True", "False"):
        return text == "True"
    for kind in (int, float):
        try:
            value = kind(text)
        except ValueError:
            continue
        if str(value) == text:
            return value
    return text


def _executor(cluster: str, parameters: dict[str, Any], folder: Path) -> submitit.AutoExecutor:
    try:
        import submitit
    except ModuleNotFoundError as error:
        raise ConfigError(
            f"--cluster {cluster}: wants the package {error.name}, which is not installed; "
            "pip install 'pyro-nem[cluster]'"
        ) from error
    limit = f"{cluster}_max_num_timeout"
    created_with = {limit: parameters[limit]} if limit in parameters else {}
    try:
        executor = submitit.AutoExecutor(folder, cluster=cluster, **created_with)
    except (RuntimeError, ValueError) as error:
        raise ConfigError(f"--cluster {cluster}: {error}") from error
    try:
        executor.update_parameters(
            **{name: value for name, value in parameters.items() if name not in created_with}
        )
    except (AssertionError, NameError, ValueError) as error:
        raise ConfigError(f"--cluster-options: {error}") from error
    return executor


def _outcome(handle: submitit.Job[Outcome], name: str) -> Outcome:
    """Return how a job ended, also one that died without a word."""
    error = handle.exception()
    if error is None:
        return handle.result()
    return Outcome(name, "failed", message=str(error))
