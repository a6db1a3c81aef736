"""Measure speed: ``python -m experiments.benchmark step``."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from typing import Literal, cast

import pyro
import torch
import tyro
from torch import Tensor, nn

from experiments.assembly import build_objective
from experiments.cli import (
    Count,
    File,
    Text,
    provenance,
    resolve_device,
    run_command,
    use_threads,
)
from experiments.config import NetworkName
from experiments.defaults import defaults
from experiments.eager import EagerRNNEM
from inference import NEMObjective
from inference.guides import RNNEM
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError
from pyro_nem.files import write_json
from pyro_nem.networks import Cell

__all__ = ["BenchmarkOptions", "StepRow", "main", "measure_step"]

_PROGRAM = "experiments.benchmark"
_IMAGE_SHAPE = (28, 28, 1)


@dataclass(frozen=True)
class BenchmarkOptions:
    """Time this package against the same thing written by hand, in one run.

    step: one training step of flying shapes (forward, backward, Adam) against eager PyTorch
    without Pyro. The two take turns, and the medians are compared.
    """

    benchmark: tyro.conf.Positional[Literal["step"]]
    """What to measure."""

    network: NetworkName = "official"
    """Whose layers: the paper's, or those of the small located network."""

    batch_size: int = 64
    """B."""

    components: int = 3
    """K."""

    steps: int = 20
    """T."""

    repeats: int = 5
    """Timed steps of each; one more is run first."""

    threads: Count = None
    """CPU threads. Default: PyTorch's choice, the number of cores."""

    device: Text = None
    """cpu, cuda or cuda:N. Default: CUDA where there is one."""

    json: File = None
    """File to write the rows to."""

    def __post_init__(self) -> None:
        for name in ("batch_size", "components", "steps", "repeats"):
            if getattr(self, name) < 1:
                raise ConfigError(
                    f"--{name.replace('_', '-')}: expected at least 1, got {getattr(self, name)}"
                )


@dataclass(frozen=True)
class StepRow:
    """One measurement; times in seconds, ``ratio`` = seconds / reference_seconds."""

    benchmark: str
    network: str
    batch_size: int
    components: int
    steps: int
    pixels: int
    seconds: float
    reference_seconds: float
    ratio: float


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(BenchmarkOptions, lambda options: _run(options, given), _PROGRAM, given)


def _run(options: BenchmarkOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    device = resolve_device(options.device)
    row = measure_step(options, device)
    source = provenance(_PROGRAM, arguments, device)
    print(f"{'network':<10}{'B':>5}{'K':>4}{'T':>5}{'ours, s':>11}{'eager, s':>11}{'ratio':>8}")
    print(
        f"{row.network:<10}{row.batch_size:>5}{row.components:>4}{row.steps:>5}"
        f"{row.seconds:>11.4f}{row.reference_seconds:>11.4f}{row.ratio:>8.3f}"
    )
    print(f"on {source['device']}")
    if options.json is not None:
        write_json(options.json, {"rows": [asdict(row)], **source})
    return 0


def measure_step(options: BenchmarkOptions, device: str) -> StepRow:
    """Time a training step of the Pyro program and of its hand-written twin, in turns."""
    settings = defaults("flying_shapes", "paper", "rnn-em", options.network)
    settings = replace(
        settings,
        components=options.components,
        steps=options.steps,
        device=device,
        # The twin knows the paper's input only.
        views=("masked-residual",),
        gradient_psi=True,
    )
    ours = build_objective(settings, _IMAGE_SHAPE)
    twin = _twin(build_objective(settings, _IMAGE_SHAPE))
    generator = torch.Generator().manual_seed(0)
    shape = (options.steps + 1, options.batch_size, _IMAGE_SHAPE[0] * _IMAGE_SHAPE[1], 1)
    frames = (torch.rand(shape, generator=generator) < 0.1).float().to(device)
    clip = Clip(frames[:-1], frames[1:])
    steps = [_stepper(module, clip) for module in (ours, twin)]
    # Pyro's checks run in the first update of a training only.
    with pyro.validation_enabled(False):
        times: list[list[float]] = [[], []]
        for repeat in range(options.repeats + 1):
            for kind, step in enumerate(steps):
                seconds = _time(step, device)
                if repeat > 0:
                    times[kind].append(seconds)
    seconds, reference = (statistics.median(measured) for measured in times)
    return StepRow(
        benchmark="step",
        network=options.network,
        batch_size=options.batch_size,
        components=options.components,
        steps=options.steps,
        pixels=shape[2],
        seconds=seconds,
        reference_seconds=reference,
        ratio=seconds / reference,
    )


def _twin(objective: NEMObjective) -> EagerRNNEM:
    guide = objective.guide
    assert isinstance(guide, RNNEM)
    model = objective.model
    return EagerRNNEM(guide.encoder, cast(Cell, guide.cell), model.decoder, model.num_components)


def _stepper(module: nn.Module, clip: Clip) -> Callable[[], None]:
    optimizer = torch.optim.Adam(module.parameters(), lr=1e-3)

    def step() -> None:
        optimizer.zero_grad(set_to_none=True)
        loss: Tensor = module(clip).loss
        loss.backward()
        optimizer.step()

    return step


def _time(step: Callable[[], None], device: str) -> float:
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    started = time.perf_counter()
    step()
    if device.startswith("cuda"):
        torch.cuda.synchronize(device)
    return time.perf_counter() - started


if __name__ == "__main__":
    sys.exit(main())
