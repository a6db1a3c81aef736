"""Jobs through submitit, on its local executor."""

import os
import signal
import sys
import threading
import time
from pathlib import Path

import pytest

from experiments.processes import Job
from experiments.sweeping.cluster import run_on_cluster
from pyro_nem.errors import CheckpointError, ConfigError

ROOT = Path(__file__).parents[2]

# Saves when it is asked to end, as a run does.
PATIENT = """
import pathlib, signal, sys, time
def stop(number, frame):
    pathlib.Path("saved").touch()
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("ready").touch()
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    return tmp_path


def python(name, code):
    command = [sys.executable, "-c", code]
    return Job(name, Path(name) / "output.log", lambda slot: command)


def run(jobs, options=(), cluster="local"):
    reported = []
    folder = Path("submitit") / "%j"
    found = run_on_cluster(jobs, cluster, options, folder, at_once=None, ended=reported.append)
    assert reported == found
    return {outcome.name: outcome for outcome in found}


def test_jobs_run_fail_and_find_broken_folders(folder):
    def broken(slot):
        raise CheckpointError("folder: is broken")

    jobs = [
        python("good", "print('done')"),
        python("bad", "raise SystemExit('no luck')"),
        Job("broken", Path("broken/output.log"), broken),
        Job("dies", Path("dies/output.log"), lambda slot: os.kill(os.getpid(), signal.SIGKILL)),
    ]
    outcomes = run(jobs)
    states = {name: outcome.state for name, outcome in outcomes.items()}
    assert states == {"good": "finished", "bad": "failed", "broken": "failed", "dies": "failed"}
    assert (folder / "good" / "output.log").read_text() == "done\n"
    assert outcomes["bad"].message.endswith("no luck")
    assert outcomes["broken"].message == "folder: is broken"
    assert outcomes["dies"].message


def test_a_job_that_is_warned_saves_and_goes_on_in_another(folder):
    code = f"""
import os, pathlib, signal
if pathlib.Path("saved").exists():
    print("resumed")
else:
    # What Slurm sends to all processes of a job.
    os.kill(os.getppid(), signal.SIGUSR2)
    os.kill(os.getpid(), signal.SIGUSR2)
    exec({PATIENT!r})
"""
    outcomes = run([python("a", code)], ["local_max_num_timeout=5"])
    assert outcomes["a"].state == "finished"
    assert (folder / "a" / "output.log").read_text() == "resumed\n"
    (log,) = (folder / "submitit").glob("*/*_log.out")
    assert "(5 remaining timeouts)" in log.read_text()


# Nobody waits for submitit's own process, which goes on while the job saves.
@pytest.mark.filterwarnings("ignore:subprocess .* is still running:ResourceWarning")
def test_ctrl_c_cancels_jobs_which_save(folder):
    def interrupt():
        while not (folder / "ready").exists():
            time.sleep(0.1)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    assert run([python("a", PATIENT)]) == {}
    thread.join()
    deadline = time.monotonic() + 30
    while not (folder / "saved").exists():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.mark.parametrize(
    ("cluster", "options", "message"),
    [
        ("local", ["timeout_min"], "--cluster-options: expected NAME=VALUE, got 'timeout_min'"),
        ("local", ["nonsense=3"], "--cluster-options: .*'nonsense' need to be prefixed"),
        ("local", ["timeout_min=soon"], "--cluster-options: .*timeout_min.* expected type"),
        ("nowhere", [], "--cluster nowhere: .*any executor named nowhere"),
        ("slurm", [], "--cluster slurm: Could not detect .srun."),
    ],
)
def test_what_submitit_refuses_is_explained(cluster, options, message, monkeypatch):
    monkeypatch.setenv("PATH", "")
    with pytest.raises(ConfigError, match=message):
        run([], options, cluster)


def test_without_submitit_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "submitit", None)
    with pytest.raises(
        ConfigError, match=r"package submitit, .* pip install 'pyro-nem\[cluster\]'"
    ):
        run([])


def test_slurm_gets_an_array_with_its_options(folder, monkeypatch):
    """With stand-ins for Slurm's commands, which keep what is submitted."""
    commands = folder / "bin"
    commands.mkdir()
    for name, text in (("srun", ""), ("sbatch", "cp $1 submitted; echo Submitted batch job 7")):
        (commands / name).write_text(f"#!/bin/sh\n{text}\n")
        (commands / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{commands}:{os.environ['PATH']}")

    def stop(handles, poll_frequency):
        raise KeyboardInterrupt

    monkeypatch.setattr("submitit.helpers.as_completed", stop)
    cancelled = []
    monkeypatch.setattr("submitit.SlurmJob.done", lambda job: False)
    monkeypatch.setattr("submitit.SlurmJob.cancel", lambda job, check: cancelled.append(job.job_id))
    options = ["gpus_per_node=1", "slurm_partition=gpu", "timeout_min=30", "mem_gb=1.5"]
    options += ["slurm_account=007", "slurm_use_srun=False", "stderr_to_stdout=True"]
    jobs = [python(name, "") for name in "abc"]
    run_on_cluster(jobs, "slurm", options, Path("logs/%j"), at_once=2, ended=print)
    script = (folder / "submitted").read_text()
    lines = ("array=0-2%2", "partition=gpu", "gpus-per-node=1", "time=30", "signal=USR2@90")
    for line in (*lines, "mem=1536MB", "account=007"):
        assert f"#SBATCH --{line}\n" in script
    assert not [word for word in ("srun", "--error") if word in script]
    assert cancelled == ["7_0", "7_1", "7_2"]
