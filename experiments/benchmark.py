"""Measure speed: ``python -m experiments.benchmark step``."""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import tyro

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
from experiments.measure_bound import SIZES, measure_bound
from experiments.measure_step import measure_step
from pyro_nem.errors import ConfigError
from pyro_nem.files import write_json

__all__ = ["BoundOptions", "StepOptions", "main"]

_PROGRAM = "experiments.benchmark"


@dataclass(frozen=True)
class _Common:
    repeats: int = 5
    """How often each is timed; once more is run first."""

    threads: Count = None
    """CPU threads. Default: PyTorch's choice, the number of cores."""

    device: Text = None
    """cpu, cuda or cuda:N. Default: CUDA where there is one."""

    json: File = None
    """File to write the rows to."""

    def __post_init__(self) -> None:
        for name, value in vars(self).items():
            if isinstance(value, int) and value < 1:
                raise ConfigError(f"--{name.replace('_', '-')}: expected at least 1, got {value}")


@dataclass(frozen=True)
class StepOptions(_Common):
    """Time one training step of flying shapes (forward, backward, Adam) against eager PyTorch.

    The eager twin is the same written by hand, without Pyro. The two take turns, and the medians
    are compared.
    """

    network: NetworkName = "official"
    """Whose layers: the paper's, or those of the small located network."""

    batch_size: int = 64
    """B."""

    components: int = 3
    """K."""

    steps: int = 20
    """T."""


@dataclass(frozen=True)
class BoundOptions(_Common):
    """Time the bound alone, value and gradient, against Pyro's TraceEnum_ELBO.

    States and pixel parameters are given; nothing is decoded. Beside it stands the same sum in
    plain PyTorch. All take turns, and the medians are compared.
    """

    batch_size: Count = None
    """B of a single row, in place of the table's; the other sizes have to be given too."""

    steps: Count = None
    """T of that row."""

    components: Count = None
    """K of that row."""

    pixels: Count = None
    """D of that row."""


Options = (
    Annotated[StepOptions, tyro.conf.subcommand("step")]
    | Annotated[BoundOptions, tyro.conf.subcommand("bound")]
)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    options: Any = Options
    return run_command(options, lambda chosen: _run(chosen, given), _PROGRAM, given)


def _run(options: StepOptions | BoundOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    device = resolve_device(options.device)
    rows: list[Mapping[str, Any]] = []
    if isinstance(options, StepOptions):
        size = (options.batch_size, options.steps, options.components)
        rows.append(asdict(measure_step(options.network, size, options.repeats, device)))
        _print_table(rows)
    else:
        for number, bound_size in enumerate(_sizes(options)):
            rows.append(asdict(measure_bound(bound_size, options.repeats, device)))
            _print_table(rows[-1:], header=number == 0)
    source = provenance(_PROGRAM, arguments, device)
    print(f"on {source['device']}; times in milliseconds, ratio = ours / reference")
    if options.json is not None:
        write_json(Path(options.json), {"rows": rows, **source})
    return 0


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
    titles = {name: name.replace("_", " ").replace(" seconds", ", ms") for name in names}
    titles["seconds"] = "ours, ms"
    width = max(len(title) for title in titles.values()) + 2
    if header:
        print("".join(f"{titles[name]:>{width}}" for name in names))
    for row in rows:
        print("".join(f"{_cell(name, row[name]):>{width}}" for name in names))


def _cell(name: str, value: Any) -> str:
    if name.endswith("seconds"):
        return f"{1e3 * value:.2f}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    sys.exit(main())
