"""Which data the options of a run on sequences ask for, and which law of a step."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from experiments.resolving import path_digits
from experiments.sequences.config import CorpusName, LawName, SequenceExperiment
from experiments.sequences.options import SequenceOptions
from experiments.sequences.recorded_defaults import SPEECH
from pyro_nem.data import TuneName
from pyro_nem.errors import ConfigError

__all__ = ["chosen_collection", "data_changes", "data_name", "is_mixture"]

_DEFAULTS: Final[dict[str, CorpusName]] = {"speech": "digits", "handwriting": "omniglot"}

# What has to be licensed, so that nobody can download it.
_USERS: Final = ("timit", "blizzard", "iam")

_COMPONENTS: Final = 20


def chosen_collection(options: SequenceOptions) -> tuple[TuneName | None, CorpusName | None]:
    """Return the tunes or the corpus of the experiment.

    Raises
    ------
    ConfigError
        If the experiment has no such thing.
    """
    tunes, corpus = options.tunes, options.corpus
    if options.experiment == "chorales":
        tunes = tunes or "jsb"
    elif tunes is not None:
        raise ConfigError(f"--tunes: {options.experiment} has none; leave it out, or run chorales")
    if options.experiment in _DEFAULTS:
        corpus = corpus or _DEFAULTS[options.experiment]
        if (corpus in SPEECH) != (options.experiment == "speech"):
            other = "speech" if corpus in SPEECH else "handwriting"
            raise ConfigError(
                f"--corpus: {corpus} is {other}, not {options.experiment}; run {other}, or choose "
                "another corpus"
            )
    elif corpus is not None:
        raise ConfigError(
            f"--corpus: {options.experiment} has none; leave it out, or run speech or handwriting"
        )
    return tunes, corpus


def data_changes(options: SequenceOptions, settings: SequenceExperiment) -> dict[str, Any]:
    """Return what the options change in the settings' data and law of a step.

    Raises
    ------
    ConfigError
        If an option is for another experiment, or the user's folder is missing.
    """
    for name, experiment in (("law", "speech"), ("normalisation", "handwriting")):
        if getattr(options, name) is not None and settings.experiment != experiment:
            raise ConfigError(f"--{name}: is for {experiment}; leave it out")
    # Absolute, so that a run is continued and scored from anywhere.
    data_dir = settings.data_dir if options.data_dir is None else str(options.data_dir.resolve())
    if settings.corpus in _USERS and data_dir is None:
        raise ConfigError(
            f"--data-dir: expected the folder where you have {settings.corpus}, whose licence "
            "forbids to download it for you"
        )
    if settings.corpus not in _USERS and data_dir is not None:
        raise ConfigError(
            f"--data-dir: is for {', '.join(_USERS)}; other data are looked for in $PYRO_NEM_DATA"
        )
    output = options.law or settings.output
    mixed = output == "mixture" or settings.experiment == "handwriting"
    components = settings.components if options.components is None else options.components
    if options.components is not None and (not mixed or options.components < 1):
        raise ConfigError(
            f"--components: expected a number from 1, with --law mixture or for handwriting, "
            f"got {options.components}"
        )
    return {
        "data_dir": data_dir,
        "output": output,
        "components": (components or _COMPONENTS) if mixed else None,
        "normalisation": options.normalisation or settings.normalisation,
    }


def is_mixture(experiment: str, output: LawName | None, components: int | None) -> bool:
    """Return whether several Gaussians explain a step, which has baselines of another width.

    Parameters
    ----------
    experiment, output, components
        As in the options; None is their default.
    """
    if experiment == "handwriting":
        return components is None or components > 1
    return output == "mixture"


def data_name(settings: SequenceExperiment) -> list[str]:
    """Return what the name of a run's folder says of its data and law of a step.

    A user's folder is told by its name, and from others of that name by some digits.
    """
    parts: list[str | None] = [settings.tunes, settings.corpus]
    if settings.data_dir is not None:
        parts.append(f"{Path(settings.data_dir).name}-{path_digits(settings.data_dir)}")
    parts.append(settings.output)
    if settings.normalisation == "published":
        parts.append("published")
    if settings.components not in (None, _COMPONENTS):
        parts.append(f"components{settings.components}")
    return [part for part in parts if part is not None]
