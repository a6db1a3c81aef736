"""What all commands share: parsing, errors, exit codes, and where a command came from."""

from __future__ import annotations

import contextlib
import os
import platform
import shlex
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from importlib import metadata
from pathlib import Path
from types import FrameType
from typing import Annotated, Any, Literal, TypeVar

import torch
import tyro

from experiments.choices import CHOICES
from experiments.option_names import naming_options
from inference import expected_processes, said_first
from pyro_nem.errors import ConfigError, ProcessError, PyroNemError

__all__ = [
    "INTERRUPTED",
    "Choice",
    "Count",
    "Counts",
    "Device",
    "File",
    "Number",
    "RunDevice",
    "Switch",
    "Text",
    "Threads",
    "launcher",
    "parse",
    "provenance",
    "resolve_device",
    "run_command",
    "use_threads",
]

INTERRUPTED = 130
"""Exit code after Ctrl-C or SIGTERM."""

OptionsT = TypeVar("OptionsT")


def _hint(metavar: str, text: str | None = None) -> Any:
    # The help texts say what happens without the option, which "(default: None)" would not.
    return tyro.conf.arg(metavar=metavar, help_behavior_hint="", help=text)


Count = Annotated[int | None, _hint("INT")]
Counts = Annotated[tuple[int, ...] | None, _hint("INT [INT ...]")]
Number = Annotated[float | None, _hint("FLOAT")]
File = Annotated[Path | None, _hint("PATH")]
Text = Annotated[str | None, _hint("TEXT")]
"""Types of options that may be left out."""

_DEVICE = "cpu, cuda or cuda:N. Default: CUDA where there is one"
Device = Annotated[str | None, _hint("TEXT", f"{_DEVICE}.")]
RunDevice = Annotated[str | None, _hint("TEXT", f"{_DEVICE}; with --resume, that of the run.")]
Threads = Annotated[
    int | None, _hint("INT", "CPU threads. Default: PyTorch's choice, the number of cores.")
]
"""Types of options that mean the same to each command, with their help."""

Choice = tyro.conf.arg(help_behavior_hint="")
"""Annotation of an option that takes one of several words, or may be left out."""

Switch = Literal["on", "off"]
"""What turns a part on or off, where leaving the option out means its default."""

_PACKAGES = ("pyro-nem", "torch", "pyro-ppl", "numpy", "h5py", "scikit-learn")


def run_command(
    options: type[OptionsT],
    action: Callable[[OptionsT], int],
    program: str,
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse a command line into ``options``, act on it and return the exit code.

    Errors that this project raises on purpose are printed without a traceback, settings by the
    names of their options, and give 2, as a mistyped option does. Ctrl-C and SIGTERM give 130. Of
    several processes that torchrun started, the first one prints; the others show errors only,
    unless one of them has shown the same.

    Parameters
    ----------
    options
        A frozen dataclass; its field docstrings are the help.
    action
        Does the work and returns the exit code.
    program
        How the command is called, for the help.
    arguments
        Command line; that of the process if not given.
    """
    # A stop is a stop, whether by Ctrl-C or by a scheduler.
    previous = signal.signal(signal.SIGTERM, _interrupt)
    try:
        with _one_voice(), naming_options(options):
            return action(parse(options, program, arguments))
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return INTERRUPTED
    except PyroNemError as error:
        # torchrun stops the processes that are left when one ends, while they say why.
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        _show(error)
        return 2
    finally:
        signal.signal(signal.SIGTERM, previous)


def parse(
    options: type[OptionsT], program: str, arguments: Sequence[str] | None = None
) -> OptionsT:
    """Return the options that a command line gives; if it does not parse, exit with 2.

    The arguments are those of :func:`run_command`.
    """
    # tyro exits itself, suggesting the right command line.
    config = (tyro.conf.FlagCreatePairsOff,)
    with CHOICES:
        return tyro.cli(options, prog=program, args=arguments, config=config)


@contextlib.contextmanager
def _one_voice() -> Iterator[None]:
    if expected_processes().writes:
        yield
        return
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stdout(nowhere):
        yield


def _show(error: PyroNemError) -> None:
    processes = expected_processes()
    # When a process is lost, each of the others says so in other words.
    if said_first("lost" if isinstance(error, ProcessError) else str(error)):
        who = f" in process {processes.rank} of {processes.count}" if processes.count > 1 else ""
        print(f"error{who}: {error}", file=sys.stderr)


def _interrupt(number: int, frame: FrameType | None) -> None:
    raise KeyboardInterrupt


def use_threads(threads: int | None) -> None:
    """Let PyTorch use so many CPU threads; None leaves its choice.

    Raises
    ------
    ConfigError
        If there would be none.
    """
    if threads is None:
        return
    if threads < 1:
        raise ConfigError(f"--threads: expected at least 1, got {threads}")
    torch.set_num_threads(threads)


def resolve_device(name: str | None) -> str:
    """Return the device to use: the one asked for, else CUDA where there is one, else the CPU.

    Raises
    ------
    ConfigError
        If the device asked for is unknown or not there, or the same for several processes.
    """
    if name is None:
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        device = torch.device(name)
    except RuntimeError as error:
        raise ConfigError(f"--device: expected cpu, cuda or cuda:N, got {name!r}") from error
    count = expected_processes().count
    if device.index is not None and count > 1:
        raise ConfigError(
            f"--device {name}: each of {count} processes takes a GPU of its own; use --device cuda"
        )
    if device.type == "cuda" and not torch.cuda.is_available():
        raise ConfigError(f"--device {name}: PyTorch finds no CUDA device here; use --device cpu")
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise ConfigError(
            f"--device {name}: PyTorch finds {torch.cuda.device_count()} CUDA device(s), counted "
            "from 0"
        )
    if device.type not in ("cpu", "cuda"):
        raise ConfigError(f"--device: expected cpu, cuda or cuda:N, got {name!r}")
    return name


def launcher(program: str) -> list[str]:
    """Return the words that start a command as this process was started."""
    if expected_processes().count == 1:
        return ["python", "-m", program]
    words = ["torchrun", "--nproc-per-node", os.environ["LOCAL_WORLD_SIZE"], "-m", program]
    if (nodes := os.environ.get("GROUP_WORLD_SIZE", "1")) != "1":
        words[1:1] = ["--nnodes", nodes]
    return words


def provenance(program: str, arguments: Sequence[str], device: str) -> dict[str, Any]:
    """Return what is needed to repeat a result: command, commit, versions and devices."""
    name = (
        torch.cuda.get_device_name(device)
        if device.startswith("cuda")
        else f"{platform.machine()} CPU, {torch.get_num_threads()} threads"
    )
    return {
        "command": shlex.join([*launcher(program), *arguments]),
        "commit": _commit(),
        "device": name,
        "processes": expected_processes().count,
        "python": platform.python_version(),
        "versions": {package: metadata.version(package) for package in _PACKAGES},
    }


def _commit() -> str:
    """Return the commit of the source, "+changes" added if files differ from it."""
    folder = Path(__file__).parent
    try:
        head = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=True
        )
        changes = subprocess.run(
            ["git", "status", "--porcelain", "--untracked-files=no"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=True,
        )
    except (FileNotFoundError, subprocess.CalledProcessError):
        return "not under version control"
    return head.stdout.strip() + ("+changes" if changes.stdout else "")
