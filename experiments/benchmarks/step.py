"""The cost of a training step: ours, the same written by hand, and the networks alone.

On CUDA also ours as a training does it: compiled, and captured as a CUDA graph.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Literal

import torch
from torch import Tensor

from experiments.benchmarks.arithmetic import count_operations
from experiments.benchmarks.eager import eager_twin
from experiments.benchmarks.peak_memory import peak_memory
from experiments.benchmarks.timing import medians_in_turns
from experiments.benchmarks.training_step import ClipTask, random_clip, update_of
from experiments.frames.assembly import build_objective
from experiments.frames.config import FrameExperiment, GuideName, NetworkName
from experiments.frames.defaults import defaults
from inference import Execution
from inference.captured import CapturedUpdate
from inference.guides import Guide, RecurrentGuide
from models import Rollout
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["StepRow", "measure_step"]

Form = Literal["plain", "compiled", "captured"]
"""How the step is carried out; a captured one is compiled too where that is usual."""

_SIDE = 28

# More updates than are done before one is recorded.
_UNTIL_CAPTURED = 6


@dataclass(frozen=True)
class StepRow:
    """One measurement; times in seconds, ``ratio`` = seconds / reference_seconds.

    The reference is the twin written by hand, which takes turns with all others. ``machinery`` is
    the share of the step that is not spent in the networks: E-steps, bound, regulariser and Pyro.
    ``of_limit`` is the rate of the step's matrix products and convolutions as a share of what the
    device reaches on a large one. These belong to the plain step alone. The memory of a captured
    one includes weights and moments.
    """

    benchmark: str
    guide: GuideName
    network: NetworkName
    form: Form
    batch_size: int
    components: int
    steps: int
    pixels: int
    seconds: float
    reference_seconds: float
    ratio: float
    peak_bytes: int
    reference_peak_bytes: int
    machinery: float | None
    gigaflop: float | None
    of_limit: float | None


def measure_step(
    guide: GuideName,
    network: NetworkName,
    size: tuple[int, int, int],
    repeats: int,
    device: str,
    rate: float,
    *,
    compiled: bool = False,
) -> list[StepRow]:
    """Time a training step of the Pyro program and of its hand-written twin, in turns.

    A row for each form of the step: plain, compiled if asked for, and captured on CUDA.

    Parameters
    ----------
    guide, network
        What is trained on flying shapes, and whose layers.
    size
        B, T, K.
    repeats
        Timed steps of each.
    device
        Where to run.
    rate
        Operations a second that the device can do; see
        :func:`experiments.benchmarks.arithmetic.matrix_rate`.
    compiled
        Measure the step with compiled networks too.
    """
    batch, steps, components = size
    if guide == "n-em":
        # Gradient N-EM has its own one-matrix decoder.
        network = "official"
    settings = replace(
        defaults("flying_shapes", "paper", guide, network),
        components=components,
        steps=steps,
        device=device,
        # The twins know the paper's input only.
        views=("masked-residual",),
        gradient_psi=True,
    )
    usual = Execution.usual(device)
    settings = replace(settings, execution=replace(Execution(), precision=usual.precision))
    ours, copied, bare = (build_objective(settings, (_SIDE, _SIDE, 1)) for _ in range(3))
    twin = eager_twin(copied)
    clip = random_clip(batch, steps, _SIDE, device)
    step = update_of(ours, lambda: ours(clip).loss)
    reference = update_of(twin, lambda: twin(clip).loss)
    kinds = [step, reference, update_of(bare, _networks_alone(bare.guide, clip))]
    others: dict[Form, int] = {}
    if compiled:
        fused_settings = replace(settings, execution=replace(settings.execution, compile=True))
        fused = build_objective(fused_settings, (_SIDE, _SIDE, 1))
        kinds.append(update_of(fused, lambda: fused(clip).loss))
        others["compiled"] = peak_memory(kinds[-1], device)
    if usual.capture:
        captured, others["captured"] = _captured(replace(settings, execution=usual), clip)
        kinds.append(captured)
    seconds, reference_seconds, networks_seconds, *rest = medians_in_turns(kinds, repeats, device)
    operations = count_operations(step)
    row = StepRow(
        benchmark="step",
        guide=guide,
        network=network,
        form="plain",
        batch_size=batch,
        components=components,
        steps=steps,
        pixels=_SIDE**2,
        seconds=seconds,
        reference_seconds=reference_seconds,
        ratio=seconds / reference_seconds,
        peak_bytes=peak_memory(step, device),
        reference_peak_bytes=peak_memory(reference, device),
        machinery=1.0 - networks_seconds / seconds,
        gigaflop=1e-9 * operations,
        of_limit=operations / seconds / rate,
    )
    beside = [
        replace(
            row,
            form=form,
            seconds=other,
            ratio=other / reference_seconds,
            peak_bytes=peak,
            machinery=None,
            gigaflop=None,
            of_limit=None,
        )
        for (form, peak), other in zip(others.items(), rest, strict=True)
    ]
    return [row, *beside]


def _networks_alone(guide: Guide, clip: Clip) -> Callable[[], Tensor]:
    """Return a loss that runs the recurrence with given responsibilities, and no bound."""
    assert isinstance(guide, RecurrentGuide)
    gamma = guide.start(clip.inputs.shape[1]).gamma

    def loss() -> Tensor:
        rollout: Rollout = guide.rollout(clip)
        return rollout.psi.sum()

    guide.assign = lambda psi, targets, observed: gamma  # type: ignore[method-assign]
    return loss


def _captured(settings: FrameExperiment, clip: Clip) -> tuple[Callable[[], None], int]:
    """Return a captured update, past its recording, and the bytes that all of it takes."""
    device = settings.device
    torch.cuda.reset_peak_memory_stats(device)
    resting = torch.cuda.memory_allocated(device)
    objective = build_objective(settings, (_SIDE, _SIDE, 1))
    update = CapturedUpdate(ClipTask(clip), objective, settings.training, report=_fail)
    number = itertools.count()

    def step() -> None:
        update(clip, next(number))

    for _ in range(_UNTIL_CAPTURED):
        step()
    update.check()
    return step, torch.cuda.max_memory_allocated(device) - resting


def _fail(reason: str) -> None:
    raise ConfigError(f"device: {reason}; measure on a device that can capture")
