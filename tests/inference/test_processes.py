"""Two processes do what one does, and stop together."""

import math
from dataclasses import replace
from pathlib import Path

import process_scenarios
import pytest
import torch
from process_scenarios import OBJECTIVES, launch, scores, updated
from small_run import CONFIG, frames, numbers, run

from inference import RunDirectory, expected_processes, joined, load_checkpoint, run_training
from inference.frame_task import FrameTask
from inference.processes import ALONE, Processes
from inference.streams import Stream, update_seed
from pyro_nem.data import Noise
from pyro_nem.errors import ConfigError


class Impatient(run_training.Interruption):
    """Asks to stop after three updates."""

    asked = 0

    def requested(self):
        self.asked += 1
        return self.asked >= 3


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two processes have been through everything, beginning with a run that one had begun."""
    folder = tmp_path_factory.mktemp("processes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_training, "Interruption", Impatient)
        assert run(folder / "begun").updates == 3
    with launch(process_scenarios.__file__, "together", folder) as processes:
        printed = processes.communicate(timeout=60)[0]
    assert processes.returncode == 0, printed
    return folder


@pytest.fixture(scope="module")
def found(folder):
    """What each of the two found."""
    return [torch.load(folder / f"found-{rank}.pt") for rank in range(2)]


@pytest.mark.parametrize("name", OBJECTIVES)
def test_an_update_is_that_of_one_process_with_the_whole_batch(found, name):
    alone = updated(name, ALONE)
    one, two = (part["updated"][name] for part in found)
    assert one["seeds"] == alone["seeds"] != two["seeds"]
    assert one["loss"] == two["loss"] == pytest.approx(alone["loss"], rel=1e-12)
    assert set(one["gradient"]) == set(alone["gradient"])
    for part in ("gradient", "average"):
        for key, value in one[part].items():
            assert torch.equal(value, two[part][key])
            torch.testing.assert_close(value, alone[part][key], rtol=1e-10, atol=1e-12)


def test_scores_do_not_depend_on_the_number_of_processes(found):
    alone = scores(ALONE)
    for part in found:
        assert part["scores"]["evaluation"] == alone["evaluation"]
        assert torch.equal(part["scores"]["iwae"], alone["iwae"])
        assert torch.equal(part["scores"]["elbo"], alone["elbo"])


def test_what_is_exchanged(found):
    for rank, part in enumerate(found):
        assert part["mean"]["a"] == 2.0
        assert part["mean"]["b"] == 2.0
        assert math.isnan(part["mean"]["c"])
        assert part["in turn"] == ["a", "b", "c", "d"]
        assert part["any"] == [True, False]
        assert part["once"] == "by 0"
        opened = "by 0, opened by 0" + rank * ", opened by 1"
        assert part["one then all"].startswith(opened)
        assert part["refused"] == part["refused by all"] == "only the first process knows why"
    assert torch.equal(found[0]["aligned"]["weight"], found[1]["aligned"]["weight"])


def test_processes_that_left_meet_again_however_late(found):
    assert all(part[f"joined after {late}"] for part in found for late in (0, 1))


@pytest.mark.skipif(not Path("/proc/self/task").exists(), reason="threads are listed on Linux only")
def test_no_thread_of_gloo_is_left_to_abort_the_interpreter(found):
    for part in found:
        assert part["threads"]
        assert not [name for name in part["threads"] if "gloo" in name]


def test_a_batch_that_cannot_be_shared_is_refused(found, folder):
    for part in found:
        assert "2 processes share each batch equally, but 3 is no multiple" in part["indivisible"]
    assert not (folder / "indivisible").exists()


def test_one_process_writes_what_all_agree_on(found, folder):
    written = RunDirectory(folder / "whole").read_metrics()
    assert [record["update"] for record in written] == [1, 2, 3, 4, 5, 6]
    assert written == found[0]["training"]
    assert numbers(found[1]["training"]) == numbers(written)
    for name, value in found[0]["trained"].items():
        assert torch.equal(found[1]["trained"][name], value)


def test_sigterm_to_one_process_stops_all_after_the_same_update(found, folder):
    assert [part["stopped"] for part in found] == [("interrupted", 3)] * 2
    directory = RunDirectory(folder / "stopped")
    assert load_checkpoint(directory.last)["update"] == 3
    assert numbers(directory.read_metrics()) == numbers(found[0]["training"][:3])


def test_what_two_processes_began_one_goes_on_with(folder):
    rest = run(folder / "stopped", resume=True)
    assert (rest.reason, rest.updates) == ("finished", 6)
    updates = [record["update"] for record in RunDirectory(folder / "stopped").read_metrics()]
    assert updates == [1, 2, 3, 4, 5, 6]


def test_two_processes_go_on_with_the_numbers_of_an_uninterrupted_run(found):
    for part in found:
        assert numbers(part["continued"]) == numbers(part["training"])


def test_what_one_process_began_two_go_on_with(found, folder):
    assert [part["resumed"][:2] for part in found] == [("finished", 6)] * 2
    written = RunDirectory(folder / "begun").read_metrics()
    assert [record["update"] for record in written] == [1, 2, 3, 4, 5, 6]
    assert numbers(found[1]["resumed"][2]) == numbers(written)
    best = load_checkpoint(folder / "begun" / "checkpoints" / "best.pt")["evaluated"]
    for name, value in best.items():
        assert torch.equal(found[0]["weights"][name], value)
        assert torch.equal(found[1]["weights"][name], value)


def test_each_process_needs_a_gpu_of_its_own(monkeypatch):
    for name, value in (("WORLD_SIZE", "2"), ("RANK", "1"), ("LOCAL_RANK", "1")):
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: 1)
    with pytest.raises(ConfigError, match="--nproc-per-node 1"), joined("cuda"):
        pass
    assert expected_processes() == Processes(1, 2)


def test_each_process_reads_its_part_of_a_batch():
    noise, config = Noise(), replace(CONFIG, batch_size=6)
    one, two, whole = (
        next(FrameTask(frames(), None, 3, noise, config, processes).batches(3)).frames
        for processes in (Processes(0, 2), Processes(1, 2), ALONE)
    )
    assert torch.equal(torch.cat([one, two], 1), whole)


def test_the_first_process_draws_as_a_single_one_and_the_others_otherwise():
    seeds = [update_seed(2**40, Stream.TRAINING, 7, rank) for rank in range(4)]
    assert seeds[0] == update_seed(2**40, Stream.TRAINING, 7)
    assert len(set(seeds)) == 4
