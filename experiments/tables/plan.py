"""What the tables of the paper's experiments consist of."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from experiments.kinds import AnyExperimentName
from experiments.sweeping.grid import Axes
from experiments.tables.options import SectionName, TableName

__all__ = ["LONG", "PLANS", "TablePlan", "Test"]

LONG = 50
"""The steps of the section "steps"."""

_PAPER = (
    "Trained and tested under the same conditions. The paper's figures are remembered and could "
    "not be checked; whether they are means over steps or of the last step is not known."
)


class Test(NamedTuple):
    """Weights of one setting under the conditions of another.

    Attributes
    ----------
    trained
        The setting that was trained.
    conditions
        In words, for the table.
    options
        The same for experiments.evaluate.
    """

    trained: str
    conditions: str
    options: tuple[str, ...]


class TablePlan(NamedTuple):
    """The settings and tests of one table.

    Attributes
    ----------
    experiment
        Of experiments.run.
    file
        Name of the files that hold the table.
    settings
        Name -> options of experiments.run.
    main
        The settings of the paper's own table.
    tests
        The generalisation to other conditions.
    predicting
        The settings whose next-step BCE is compared, a K of 1 last; none for static images.
    long
        The settings that are tested for 50 steps.
    note
        What the main section compares.
    scores
        What of the runs' scores is listed; all if not given.
    learning
        What of the validation is drawn over the updates, as ``metrics.jsonl`` has it, and its
        label; nothing if not given.
    """

    experiment: AnyExperimentName
    file: str
    settings: Mapping[str, Axes]
    main: tuple[str, ...]
    tests: tuple[Test, ...]
    predicting: tuple[str, ...]
    long: tuple[str, ...]
    note: str = _PAPER
    scores: tuple[str, ...] | None = None
    learning: tuple[str, str] | None = None

    def sections(self) -> tuple[SectionName, ...]:
        """Return the sections that the table has."""
        every: tuple[SectionName, ...] = ("main", "generalisation", "prediction", "steps")
        return tuple(section for section in every if self.needed(section))

    def varied(self) -> set[str]:
        """Return the options in which the settings differ; others may be given other values."""
        every = self.settings.values()
        names = {name for axes in every for name in axes}
        return {name for name in names if len({axes.get(name) for axes in every}) > 1}

    def needed(self, section: SectionName) -> tuple[str, ...]:
        """Return the settings that a section is made from."""
        return {
            "main": self.main,
            "generalisation": tuple(dict.fromkeys(test.trained for test in self.tests)),
            "prediction": self.predicting,
            "steps": self.long,
        }[section]


def _shapes(objects: int, components: int) -> Axes:
    return {"--objects": (str(objects),), "--components": (str(components),)}


# What a recipe's parts are compared with: the same number of updates at any scale.
_IMPROVED: Mapping[str, tuple[str, ...]] = {"--recipe": ("improved",), "--updates": ("2000",)}

_RECIPES: Mapping[str, Axes] = {
    "rnn-em": _IMPROVED,
    "rnn-em, official network, views normalised-residual frame gamma psi, gradient psi off, "
    "step weights all": {
        **_IMPROVED,
        "--network": ("official",),
        "--views": ("normalised-residual,frame,gamma,psi",),
        "--gradient-psi": ("off",),
        "--step-weights": ("all",),
    },
    "rnn-em, views normalised-residual frame gamma": {
        **_IMPROVED,
        "--views": ("normalised-residual,frame,gamma",),
    },
    "rnn-em, views masked-residual": {**_IMPROVED, "--views": ("masked-residual",)},
    "rnn-em, gradient psi on": {**_IMPROVED, "--gradient-psi": ("on",)},
    "rnn-em, step weights last": {**_IMPROVED, "--step-weights": ("last",)},
    "rnn-em, learning rate 0.001, warmup 0, decay constant": {
        **_IMPROVED,
        "--learning-rate": ("0.001",),
        "--warmup": ("0",),
        "--decay": ("constant",),
    },
    "rnn-em, official recipe": {**_IMPROVED, "--recipe": ("official",)},
}


# One component with the small network would be one template of a few pixels, which cannot draw
# several objects: the baseline has the paper's decoder.
_WHOLE: Axes = {"--components": ("1",), "--network": ("official",)}


def _other(trained: str, objects: int, components: int) -> Test:
    options = ("--objects", str(objects), "--components", str(components))
    return Test(trained, f"{objects}/{components}", options)


def _still(trained: str) -> Test:
    return Test(trained, f"still frames, {LONG} steps", ("--frames", "1", "--steps", str(LONG)))


PLANS: Mapping[TableName, TablePlan] = MappingProxyType(
    {
        "static": TablePlan(
            experiment="static_shapes",
            file="static_shapes",
            settings={
                "rnn-em": {"--guide": ("rnn-em",), "--components": ("4",)},
                "n-em": {"--guide": ("n-em",), "--components": ("4",)},
            },
            main=("rnn-em", "n-em"),
            tests=tuple(
                _other(guide, *other)
                for guide in ("rnn-em", "n-em")
                for other in ((3, 6), (2, 3), (4, 5))
            ),
            predicting=(),
            long=("rnn-em", "n-em"),
        ),
        "flying_shapes": TablePlan(
            experiment="flying_shapes",
            file="flying_shapes",
            settings={
                **{
                    f"{objects}/{components}": _shapes(objects, components)
                    for objects, components in ((3, 3), (3, 5), (5, 3), (5, 5), (4, 4))
                },
                "3/1": {"--objects": ("3",), **_WHOLE},
            },
            main=("3/3", "3/5", "5/3", "5/5", "4/4"),
            tests=(
                _other("3/3", 3, 5),
                _other("3/3", 4, 4),
                _other("3/3", 5, 5),
                _other("3/5", 3, 3),
                _other("5/3", 3, 3),
                _other("5/5", 3, 3),
                _other("5/5", 3, 5),
            ),
            predicting=("3/3", "3/5", "3/1"),
            long=("3/3", "3/5", "5/5"),
        ),
        "flying_mnist": TablePlan(
            experiment="flying_mnist",
            file="flying_mnist",
            settings={
                "direct": {"--objects": ("2",), "--components": ("2",)},
                "staged": {"--objects": ("2",), "--components": ("2",), "--staged": ()},
                "direct 2/1": {"--objects": ("2",), **_WHOLE},
            },
            main=("direct", "staged"),
            tests=tuple(
                test
                for training in ("direct", "staged")
                for test in (_other(training, 2, 3), _other(training, 3, 3), _still(training))
            ),
            predicting=("direct", "staged", "direct 2/1"),
            long=("direct", "staged"),
        ),
        "recipe": TablePlan(
            experiment="static_shapes",
            file="recipe",
            settings=_RECIPES,
            main=tuple(_RECIPES),
            tests=(),
            predicting=(),
            long=(),
            note="The improved recipe, the same without one of its parts each, and the official "
            "one, with equally many updates. Scores are of the last step: a run's mean is over the "
            "steps that its loss counts, which is a part of the recipe.",
            scores=("ami_last", "ari_last"),
            learning=("validation.ari_last", "validation ARI, last step (1 is perfect)"),
        ),
    }
)
"""The tables by name."""
