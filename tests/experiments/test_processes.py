"""Commands side by side: slots, failures, stopping and locks."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from experiments.processes import Job, run_jobs
from pyro_nem.errors import CheckpointError

ROOT = Path(__file__).parents[2]

# Ends as a run does: SIGTERM once means to save and leave with 130.
PATIENT = """
import os, pathlib, signal, sys, time
def stop(number, frame):
    pathlib.Path("saved").write_text("once" if not pathlib.Path("saved").exists() else "twice")
    time.sleep(0.5)
    sys.exit(130)
signal.signal(signal.SIGTERM, stop)
pathlib.Path("pid").write_text(str(os.getpid()))
pathlib.Path("ready").touch()
time.sleep(60)
"""


@pytest.fixture(autouse=True)
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return tmp_path


def job(folder, name, code):
    return Job(name, folder / name / "output.log", lambda slot: [sys.executable, "-c", code])


def run(jobs, at_once=1, should_stop=lambda: False, started=lambda job, command: None, **options):
    reported = []
    found = run_jobs(
        jobs,
        at_once,
        should_stop=should_stop,
        started=started,
        ended=reported.append,
        **options,
    )
    assert reported == found
    return found


def test_output_goes_to_the_log_and_is_added_to(folder):
    for text in ("one", "two"):
        code = f"import sys; print('{text}'); print('warning', file=sys.stderr)"
        (outcome,) = run([job(folder, "a", code)])
        assert (outcome.name, outcome.state, outcome.message) == ("a", "finished", "")
    assert (folder / "a" / "output.log").read_text() == "one\nwarning\ntwo\nwarning\n"


def test_a_failure_shows_the_end_of_its_own_output_and_the_others_go_on(folder):
    run([job(folder, "bad", "print('of an earlier try')")])
    bad = "for i in range(40): print('line', i)\nraise SystemExit(3)"
    outcomes = run([job(folder, "bad", bad), job(folder, "good", "")])
    assert [outcome.state for outcome in outcomes] == ["failed", "finished"]
    lines = outcomes[0].message.splitlines()
    assert lines[0] == f"exit code 3; the end of {folder / 'bad' / 'output.log'}:"
    assert lines[1:] == [f"line {i}" for i in range(28, 40)]
    (short,) = run([job(folder, "bad", "raise SystemExit('so it is')")])
    assert short.message.splitlines()[1:] == ["so it is"]


def test_a_killed_process_has_failed(folder):
    code = "import os; os.kill(os.getpid(), 9)"
    (outcome,) = run([job(folder, "a", code)])
    assert (outcome.state, outcome.message.splitlines()[0][:18]) == ("failed", "killed by signal 9")


def test_a_job_may_find_nothing_to_do_or_a_broken_folder(folder):
    def broken(slot):
        raise CheckpointError("folder: is broken")

    jobs = [Job("done", folder / "a", lambda slot: None), Job("broken", folder / "b", broken)]
    done, wrong = run(jobs)
    assert (done.state, done.seconds) == ("finished", 0.0)
    assert (wrong.state, wrong.message) == ("failed", "folder: is broken")


def test_jobs_run_side_by_side_in_slots_that_are_used_again(folder):
    slots = []

    def prepare(slot):
        slots.append(slot)
        return [sys.executable, "-c", f"import time; time.sleep({1.5 if slot else 0})"]

    jobs = [Job(str(i), folder / str(i), prepare) for i in range(4)]
    outcomes = run(jobs, at_once=2)
    # The second one is slow, and the others take turns in the first slot.
    assert slots == [0, 1, 0, 0]
    assert [outcome.name for outcome in outcomes] == ["0", "2", "3", "1"]


def test_stopping_asks_each_process_once_waits_and_starts_no_more(folder):
    told = []
    outcomes = run(
        [job(folder, "a", PATIENT), job(folder, "b", PATIENT)],
        should_stop=(folder / "ready").exists,
        stopping=lambda: told.append("stopping"),
    )
    assert [(outcome.name, outcome.state) for outcome in outcomes] == [("a", "interrupted")]
    assert (folder / "saved").read_text() == "once"
    assert told == ["stopping"]


def test_an_exception_kills_what_runs(folder):
    def impatient():
        if (folder / "ready").exists():
            raise KeyboardInterrupt
        return False

    began = time.monotonic()
    with pytest.raises(KeyboardInterrupt):
        run([job(folder, "a", PATIENT)], should_stop=impatient)
    assert time.monotonic() - began < 40
    assert not (folder / "saved").exists()
    with pytest.raises(ProcessLookupError):
        os.kill(int((folder / "pid").read_text()), 0)


def test_a_terminal_does_not_reach_a_process(folder):
    run([job(folder, "a", "import os; print(os.getpgid(0) == os.getpid())")])
    assert (folder / "a" / "output.log").read_text() == "True\n"


def test_warnings_of_a_scheduler_do_not_reach_a_process(folder):
    code = "import os, signal; os.kill(os.getpid(), signal.SIGUSR2); print('alive')"
    assert run([job(folder, "a", code)])[0].state == "finished"
    assert signal.SIGUSR2 not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_a_job_is_busy_as_long_as_its_process_lives_even_without_its_parent(folder):
    code = f"""
import os, pathlib, sys
from experiments.processes import Job, run_jobs
job = Job("a", pathlib.Path("a/output.log"), lambda slot: [sys.executable, "-c", {PATIENT!r}])
stop = lambda: pathlib.Path("ready").exists() and os.kill(os.getpid(), 9)
run_jobs([job], 1, should_stop=stop, started=lambda job, command: None, ended=print)
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    parent = subprocess.run([sys.executable, "-c", code], env=environment, check=False)
    assert parent.returncode == -signal.SIGKILL
    again = job(folder, "a", "print('mine')")
    assert [outcome.state for outcome in run([again])] == ["busy"]
    os.kill(int((folder / "pid").read_text()), signal.SIGTERM)
    deadline = time.monotonic() + 30
    while run([again])[0].state == "busy":
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert (folder / "a" / "output.log").read_text() == "mine\n"
