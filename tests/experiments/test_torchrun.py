"""The command in two processes, as torchrun starts, stops and loses them."""

import signal

import process_scenarios
import pytest
from process_scenarios import launch
from smoke_commands import STATIC, read

from experiments.run import main
from inference import RunDirectory, load_checkpoint

RUN = ("-m", "experiments.run", *STATIC)


@pytest.fixture
def cache(tmp_path, monkeypatch):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))


def updates(folder):
    return [record["update"] for record in RunDirectory(folder).read_metrics()]


def advice(folder):
    command = "torchrun --nproc-per-node 2 -m experiments.run static_shapes"
    return f"{command} --resume --run-dir {folder}"


def test_when_a_process_is_killed_the_other_says_so_and_one_can_go_on(cache, tmp_path):
    folder = tmp_path / "run"
    with launch(process_scenarios.__file__, "killed", folder) as processes:
        printed = processes.communicate(timeout=60)[0]
    assert processes.returncode != 0
    assert printed.count("error in process 0 of 2: lost another one of 2 processes") == 1
    assert advice(folder) in printed
    assert printed.count("static_shapes at smoke scale") == 1
    assert load_checkpoint(folder / "checkpoints" / "last.pt")["update"] == 6
    assert read(folder / "config.json")["processes"] == 2
    assert main(["static_shapes", "--resume", "--run-dir", str(folder)]) == 0
    assert updates(folder) == list(range(1, 41))
    assert read(folder / "summary.json")["processes"] == 1


def test_sigterm_to_torchrun_saves_once(cache, tmp_path):
    folder = tmp_path / "run"
    with launch(*RUN, "--run-dir", folder) as processes:
        lines = iter(processes.stdout)
        assert any(line.startswith("update  5/") for line in lines)
        processes.send_signal(signal.SIGTERM)
        printed = "".join(lines)
    assert "interrupted; continue with" in printed
    assert advice(folder) in printed
    done = updates(folder)
    assert done == list(range(1, len(done) + 1))
    assert load_checkpoint(folder / "checkpoints" / "last.pt")["update"] == done[-1] < 40


def test_an_error_of_all_processes_is_shown_once_and_changes_nothing(cache, tmp_path):
    folder = tmp_path / "run"
    with launch(*RUN, "--batch-size", "5", "--run-dir", folder) as processes:
        printed = processes.communicate(timeout=60)[0]
    assert processes.returncode != 0
    assert printed.count("2 processes share each batch equally, but 5 is no multiple of 2") == 1
    assert not folder.exists()
