"""Runs that are stopped, and go on as if they had not been."""

import json
import shlex
import signal
import time

import pytest
from smoke_commands import STATIC, read, start


@pytest.fixture(scope="module")
def whole_run(environment, tmp_path_factory):
    folder = tmp_path_factory.mktemp("runs") / "whole"
    start(environment, "run", *STATIC, "--run-dir", folder).communicate(timeout=120)
    return folder


@pytest.mark.parametrize(
    ("number", "code"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 130), (signal.SIGKILL, -signal.SIGKILL)],
)
def test_a_stopped_run_resumes_to_the_same_numbers(
    environment, command, whole_run, tmp_path, number, code
):
    parts = tmp_path / "parts"
    unsaved = ("--threads", "1", "--posterior-sequences", "0")
    with start(environment, "run", *STATIC, "--run-dir", parts, *unsaved) as process:
        wait_for_update(process, 5)
        process.send_signal(number)
        printed = process.stdout.read()
        assert process.wait(timeout=60) == code
    if code == 130:
        assert printed.endswith(f"--resume --run-dir {parts} {shlex.join(unsaved)}\n")
    assert len(metrics(parts)) < 40
    command("run", "static_shapes", "--resume", "--run-dir", parts, *unsaved)
    assert metrics(parts) == metrics(whole_run)
    whole, resumed = (read(folder / "summary.json") for folder in (whole_run, parts))
    assert whole["per_step"] == resumed["per_step"]
    began = whole["command"].replace(str(whole_run), str(parts))
    assert resumed["command"] == f"{began} {shlex.join(unsaved)}"


def wait_for_update(process, update):
    deadline = time.monotonic() + 60
    for line in process.stdout:
        if line.startswith(f"update {update:>2}/"):
            return
        assert time.monotonic() < deadline
    raise AssertionError("the run ended before it could be stopped")


def metrics(folder):
    lines = (folder / "metrics.jsonl").read_text().splitlines()
    return [{k: v for k, v in json.loads(line).items() if k != "seconds"} for line in lines]
