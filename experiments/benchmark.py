"""Measure speed: ``python -m experiments.benchmark step``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, get_args

import tyro

from experiments.benchmarks.arithmetic import matrix_rate
from experiments.benchmarks.bound import SIZES, measure_bound
from experiments.benchmarks.data import DataName, consumed_per_second, measure_data
from experiments.benchmarks.epoch import measure_epoch
from experiments.benchmarks.options import (
    BoundOptions,
    CommonOptions,
    DataOptions,
    EpochOptions,
    PlacedOptions,
    ProcessesOptions,
    ScalingOptions,
    StepOptions,
)
from experiments.benchmarks.processes import measure_processes
from experiments.benchmarks.scaling import Axis, StepSize, measure_growth, slope_of
from experiments.benchmarks.step import measure_step
from experiments.cli import provenance, resolve_device, run_command, use_threads
from experiments.frames.config import GuideName
from inference import Execution
from pyro_nem.errors import ConfigError
from pyro_nem.files import write_json

__all__ = ["main"]

_PROGRAM = "experiments.benchmark"
_CELL = 12
"""Least width of a column."""

Options = (
    Annotated[StepOptions, tyro.conf.subcommand("step")]
    | Annotated[BoundOptions, tyro.conf.subcommand("bound")]
    | Annotated[DataOptions, tyro.conf.subcommand("data")]
    | Annotated[ScalingOptions, tyro.conf.subcommand("scaling")]
    | Annotated[EpochOptions, tyro.conf.subcommand("epoch")]
    | Annotated[ProcessesOptions, tyro.conf.subcommand("processes")]
)

Content = dict[str, Sequence[Mapping[str, Any]]]
"""What is written: rows, and for scaling slopes."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    options: Any = Options
    return run_command(options, lambda chosen: _run(chosen, given), _PROGRAM, given)


def _run(options: CommonOptions, arguments: list[str]) -> int:
    device = "cpu"
    if isinstance(options, PlacedOptions):
        use_threads(options.threads)
        device = resolve_device(options.device)
    content = _measure(options, device)
    source = provenance(_PROGRAM, arguments, device)
    print(f"on {source['device']}; times in milliseconds")
    if options.json is not None:
        write_json(Path(options.json), {**content, **source})
    return 0


def _measure(options: CommonOptions, device: str) -> Content:
    match options:
        case StepOptions():
            return _run_step(options, device)
        case BoundOptions():
            return _run_bound(options, device)
        case DataOptions():
            return _run_data(options, device)
        case ScalingOptions():
            return _run_scaling(options, device)
        case EpochOptions():
            return _run_epoch(options, device)
        case ProcessesOptions():
            return _run_processes(options)
    raise TypeError(f"no benchmark takes {type(options).__name__}")


def _run_step(options: StepOptions, device: str) -> Content:
    size = (options.batch_size, options.steps, options.components)
    rate = matrix_rate(device)
    rows: list[Mapping[str, Any]] = []
    for guide in (options.guide,) if options.guide else get_args(GuideName):
        measured = measure_step(
            guide,
            options.network,
            size,
            options.repeats,
            device,
            rate,
            compiled=options.compiled,
        )
        _print_table([asdict(row) for row in measured], header=not rows)
        rows += [asdict(row) for row in measured]
    print("ratio = ours / reference; machinery = share of E-steps, bound and Pyro")
    print(f"of limit = share of {1e-9 * rate:.0f} Gflop/s, which a large product reaches")
    return {"rows": rows}


def _run_bound(options: BoundOptions, device: str) -> Content:
    rows: list[Mapping[str, Any]] = []
    for size in _sizes(options):
        rows.append(asdict(measure_bound(size, options.repeats, device)))
        _print_table(rows[-1:], header=len(rows) == 1)
    print("ratio = ours / reference")
    return {"rows": rows}


def _run_data(options: DataOptions, device: str) -> Content:
    rows: list[Mapping[str, Any]] = []
    for data in get_args(DataName):
        consumed = options.consumed
        if consumed is None:
            consumed = consumed_per_second(data, options.batch_size, options.repeats, device)
        size = (options.sequences, options.batch_size)
        measured = measure_data(data, *size, consumed, options.repeats, device)
        _print_table([asdict(row) for row in measured], header=not rows)
        rows += [asdict(row) for row in measured]
    print("ratio = sequences supplied / consumed")
    return {"rows": rows}


def _run_scaling(options: ScalingOptions, device: str) -> Content:
    axes: tuple[Axis, ...] = get_args(Axis)
    base = StepSize(**{axis: getattr(options, axis)[0] for axis in axes})
    rows: list[Mapping[str, Any]] = []
    slopes: list[Mapping[str, Any]] = []
    for axis in axes:
        sizes: tuple[int, ...] = getattr(options, axis)
        if len(sizes) > 1:
            grown = measure_growth(axis, base, sizes, options.network, options.repeats, device)
            _print_table([asdict(row) for row in grown], header=not rows)
            rows += [asdict(row) for row in grown]
            slopes.append(asdict(slope_of(grown)))
    if slopes:
        _print_table(slopes)
    print("slope = exponent of the growth of time or memory with the size")
    return {"rows": rows, "slopes": slopes}


def _run_epoch(options: EpochOptions, device: str) -> Content:
    execution = Execution.usual(device)
    size = (options.sequences, options.batch_size)
    rows = [asdict(measure_epoch(options.network, *size, device, execution))]
    _print_table(rows)
    return {"rows": rows}


def _run_processes(options: ProcessesOptions) -> Content:
    size = (options.batch_size, options.steps, options.components)
    rows = [asdict(measure_processes(options.processes, size, options.repeats))]
    _print_table(rows)
    print("ratio = ours / reference")
    return {"rows": rows}


def _sizes(options: BoundOptions) -> Sequence[tuple[int, int, int, int]]:
    given = (options.batch_size, options.steps, options.components, options.pixels)
    batch, steps, components, pixels = given
    if batch is None and steps is None and components is None and pixels is None:
        return SIZES
    if batch is None or steps is None or components is None or pixels is None:
        raise ConfigError(
            "--batch-size, --steps, --components, --pixels: expected all four or none of them, "
            f"got {given}; a row needs each of its sizes"
        )
    return [(batch, steps, components, pixels)]


def _print_table(rows: Sequence[Mapping[str, Any]], *, header: bool = True) -> None:
    names = [name for name in rows[0] if name != "benchmark"]
    titles = {name: _title(name) for name in names}
    widths = {name: max(len(title), _CELL) + 2 for name, title in titles.items()}
    if header:
        print("".join(f"{titles[name]:>{widths[name]}}" for name in names))
    for row in rows:
        print("".join(f"{_cell(name, row[name]):>{widths[name]}}" for name in names))


def _title(name: str) -> str:
    if name == "seconds":
        return "ours, ms"
    words = name.replace("_per_second", "/s").replace("_", " ")
    return words.replace("peak bytes", "peak, MB").replace(" seconds", ", ms")


def _cell(name: str, value: Any) -> str:
    if name.endswith("bytes") and value is not None:
        return f"{1e-6 * value:.1f}"
    if name.endswith("seconds"):
        return f"{1e3 * value:.2f}"
    if value is None:
        return ""
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
