"""What the tests let several processes do: ``torchrun tests/process_scenarios.py NAME FOLDER``."""

import os
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import small_run
import torch
from guide_zoo import build, make_clip
from small_run import CONFIG, frames, run
from smoke_commands import STATIC

from experiments import run as run_command
from inference import BoundConfig, NEMObjective, evaluate, frame_task, importance_weighted, joined
from inference.update import Update
from pyro_nem.data import Clip, Noise
from pyro_nem.errors import ConfigError

BATCH, STEPS = 6, 3
OBJECTIVES = {
    "n-em": BoundConfig(),
    "rnn-em, dense": BoundConfig(),
    "rnn-em, located": BoundConfig("trace_enum"),
    "r-nem, located": BoundConfig(),
    "vrnn": BoundConfig("elbo", 2, kl_warmup=4, free_nats=0.1),
    "vrnn stl": BoundConfig("iwae", 3, "stl"),
    "vrnn dreg": BoundConfig("iwae", 3, "dreg"),
}
_TORCHRUN = ("-m", "torch.distributed.run", "--nproc-per-node", "2")


@contextmanager
def launch(*arguments):
    """Start two processes as torchrun does; arguments are its own."""
    tests = Path(__file__).parent
    path = os.pathsep.join(map(str, (tests.parent, tests)))
    with subprocess.Popen(
        [sys.executable, *_TORCHRUN, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    ) as processes:
        try:
            yield processes
        except BaseException:
            # A test that waits in vain fails, and takes all of them with it.
            processes.terminate()
            raise


class ClipTask:
    """The loss of a process's share of one clip, with noise that belongs to the sequences."""

    def __init__(self, share):
        self.share = share
        self.seeds = []

    def loss(self, module, batch, generator, update):
        size = self.share.size(BATCH)
        columns = slice(self.share.index * size, (self.share.index + 1) * size)
        clip = Clip(batch.inputs[:, columns], batch.targets[:, columns])
        self.seeds.append(generator.initial_seed())
        with noise_of_sequences(columns):
            return module(clip, generator, update).loss, dict


@contextmanager
def noise_of_sequences(columns):
    """Draw for the whole batch from a seed and keep what belongs to some sequences."""
    draw, source = torch.randn, torch.Generator().manual_seed(5)
    size = columns.stop - columns.start

    def randn(shape, *, dtype, **_):
        particles = shape[0] // size
        whole = draw((particles, BATCH, *shape[1:]), generator=source, dtype=dtype)
        return whole[:, columns].flatten(0, 1)

    torch.randn = randn
    try:
        yield
    finally:
        torch.randn = draw


def updated(name, processes):
    """Return loss, gradient and weights after an update of one clip, in double precision."""
    module = NEMObjective(*build(name.split()[0] if "vrnn" in name else name, 2))
    module.bound = OBJECTIVES[name]
    config = replace(CONFIG, clip_norm=0.5)
    task = ClipTask(processes.share)
    step = Update(task, module, config, deferred=False, processes=processes)
    step(make_clip(STEPS, BATCH), 0)
    return {
        "seeds": task.seeds,
        "loss": step.mean_loss(),
        "gradient": {n: p.grad for n, p in module.named_parameters() if p.grad is not None},
        "average": step.averaged().state_dict(),
    }


def scores(processes):
    """Return what does not depend on the number of processes."""
    module = NEMObjective(*build("vrnn", 2))
    data, options = frames(13), {"noise": Noise(), "sequences": 11, "processes": processes}
    found = evaluate(module, data, batch_size=3, scores=("ari", "ami"), **options)
    bound = importance_weighted(module, data, particles=4, rows_at_once=8, **options)
    return {"evaluation": list(found), "iwae": bound.iwae, "elbo": bound.elbo}


@contextmanager
def signalled(number, at):
    """Let the second process send itself a signal during an update."""
    original = frame_task.FrameTask.loss

    def loss(self, module, batch, generator, update):
        if (self.processes.rank, update + 1) == (1, at):
            os.kill(os.getpid(), number)
        return original(self, module, batch, generator, update)

    frame_task.FrameTask.loss = loss
    try:
        yield
    finally:
        frame_task.FrameTask.loss = original


@contextmanager
def weights_of_its_own(rank):
    """Let each process begin with other weights."""
    original = small_run.build

    def build():
        model, guide = original()
        for parameter in model.parameters():
            parameter.data += rank
        return model, guide

    small_run.build = build
    try:
        yield
    finally:
        small_run.build = original


def caught(kind, action):
    try:
        action()
    except kind as error:
        return str(error)
    return None


def opened(path, rank):
    """Prepare a file if it is missing, and return what cannot be sent to another process."""
    if not path.exists():
        time.sleep(0.5)
        path.write_text(f"by {rank}")
    with path.open("a") as file:
        file.write(f", opened by {rank}")
    return path.read_text


def refuse():
    raise ConfigError("only the first process knows why")


def together(folder):
    """Everything that two processes can do in good order; each saves what it found."""
    found = {}
    with joined() as processes:
        rank = processes.rank
        found["updated"] = {name: updated(name, processes) for name in OBJECTIVES}
        found["scores"] = scores(processes)
        metrics = {"a": [1.0, 3.0][rank], "b": [float("nan"), 2.0][rank], "c": float("nan")}
        found["mean"] = processes.mean(metrics)
        found["in turn"] = processes.in_turn([["a", "c", "d"], ["b"]][rank])
        found["any"] = [processes.any(rank == 1), processes.any(False)]
        found["once"] = processes.once(lambda: f"by {rank}")
        found["one then all"] = processes.one_then_all(lambda: opened(folder / "file", rank))()
        found["refused by all"] = caught(ConfigError, lambda: processes.one_then_all(refuse))
        found["refused"] = caught(ConfigError, lambda: processes.once(refuse))
        layer = torch.nn.Linear(2, 2)
        processes.align(layer)
        found["aligned"] = layer.state_dict()
    for late in (0, 1):
        if rank == late:
            time.sleep(0.5)
        with joined() as processes:
            found[f"joined after {late}"] = processes.any(rank == 0)
    odd = replace(CONFIG, batch_size=3)
    found["indivisible"] = caught(ConfigError, lambda: run(folder / "indivisible", odd))
    with weights_of_its_own(rank):
        whole = run(folder / "whole")
    found["training"], found["trained"] = whole.records, whole.objective.state_dict()
    with signalled(signal.SIGTERM, at=3):
        part = run(folder / "stopped")
    found["stopped"] = (part.reason, part.updates)
    with joined() as processes:
        processes.once(lambda: shutil.copytree(folder / "stopped", folder / "continued"))
    found["continued"] = run(folder / "continued", resume=True).records
    rest = run(folder / "begun", resume=True)
    found["resumed"] = (rest.reason, rest.updates, rest.records)
    found["weights"] = rest.objective.state_dict()
    found["threads"] = [path.read_text() for path in Path("/proc/self/task").glob("*/comm")]
    torch.save(found, folder / f"found-{rank}.pt")


def killed(folder):
    """Run a command, of which the second process is killed in update 7."""
    with signalled(signal.SIGKILL, at=7):
        sys.exit(run_command.main([*STATIC, "--run-dir", str(folder)]))


if __name__ == "__main__":
    torch.manual_seed(int(os.environ["RANK"]))
    {"together": together, "killed": killed}[sys.argv[1]](Path(sys.argv[2]))
