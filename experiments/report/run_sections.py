"""What was run, what it scores, how it learned and what it looks like."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path

from experiments.frames.config import FrameExperiment
from experiments.frames.published_files import published_name
from experiments.frames.scores import metric_titles
from experiments.report.embedding import embedded
from experiments.report.page import (
    Block,
    Picture,
    Section,
    Table,
    Text,
)
from experiments.report.provenance import how_it_ended, how_it_was_run
from experiments.report.read_run import RunFiles, Split
from experiments.report.wording import first, interval, margin, number, plural, time_span
from pyro_nem.plots import StepCurve, learning_curves, step_curves

__all__ = ["headline", "run_sections"]

_NOT_SCORED = "none: no frame has a scored pixel"
_UNKNOWN = "The object of no pixel is known"

# Name in the summary -> words, where {} stands for steps, and decimals.
_SCORES = {
    "ami": ("AMI, {}", 4),
    "ami_last": ("AMI, last step", 4),
    "ari": ("ARI, {}", 4),
    "ari_last": ("ARI, last step", 4),
    "confidence": ("confidence, {}", 4),
    "confidence_last": ("confidence, last step", 4),
    "effective_components": ("effective number of components", 3),
    "next_step_bce": ("next-step BCE, nats a frame", 2),
    "prior_bce": ("next-step BCE of the prior, nats a frame", 2),
    "collision_bce": ("BCE at collisions, nats a frame", 3),
    "log_likelihood": ("log p(x), nats a frame", 2),
    "kl": ("KL of the states, nats a frame", 2),
    "bound": ("ELBO, nats a frame", 2),
}


def headline(run: RunFiles) -> str:
    """Return the run in a sentence or two."""
    settings, summary = run.settings, run.summary
    trained = (
        f"K = {settings.components} components, T = {plural(settings.steps, 'step')}, "
        f"{plural(summary['updates'], 'update')} in {time_span(summary['wall_seconds'])}."
    )
    tested = plural(summary["test.sequences"], "test sequence")
    ami = summary.get("test.ami")
    if ami is None:
        return f"{trained} {_UNKNOWN} in {tested}, so the segmentation is not scored."
    between = interval(ami, summary["errors"]["ami"], 3)
    return f"{trained} AMI {number(ami, 3, '')} on {tested} (95 % interval: {between})."


def run_sections(run: RunFiles) -> tuple[Section, ...]:
    """Return the sections that need no posterior."""
    pictures: tuple[Block, ...] = tuple(
        picture for split in run.splits for picture in _pictures(split, run.settings.components)
    )
    if not pictures:
        pictures = (Text("Only frames of 1 or 3 channels can be drawn, and these have others."),)
    return (
        Section("run", "What was run", tuple(_what_was_run(run))),
        Section("scores", "Scores", tuple(_scores(run))),
        Section("training", "Training", tuple(_training(run))),
        Section("segmentation", "Segmentation over time", pictures),
    )


def _scores(run: RunFiles) -> Iterator[Block]:
    summary, errors = run.summary, run.summary["errors"]
    segmented = summary.get("test.ami") is not None
    titles = {name: words for name, (words, _) in _SCORES.items()}
    digits = {name: decimals for name, (_, decimals) in _SCORES.items()}
    rows = [
        (
            words,
            number(summary[f"test.{name}"], digits[name], _NOT_SCORED),
            interval(summary[f"test.{name}"], errors[name], digits[name]),
        )
        for name, words in metric_titles(run.settings, titles, "mean over steps").items()
        if f"test.{name}" in summary and (segmented or summary[f"test.{name}"] is not None)
    ]
    if "test.iwae" in summary:
        draws, sequences = (int(summary[f"test.iwae_{n}"]) for n in ("particles", "sequences"))
        for name, words in (("iwae", f"IWAE-{draws}"), ("iwae_elbo", "ELBO of the same draws")):
            mean = summary[f"test.{name}"]
            where = f"{words}, nats a frame, {first(sequences, 'sequence')}"
            rows.append((where, number(mean, 2, "none"), interval(mean, errors[name], 2)))
    count = plural(summary["test.sequences"], "test sequence")
    noise = "on" if run.settings.noise.probability else "off"
    yield Table(f"Means over {count}, noise {noise}", ("score", "mean", "95 % interval"), rows)
    yield Text(
        "Intervals are ± 1.96 standard errors over the test sequences. They tell how the mean "
        "depends on the choice of these, not how it depends on the seed of the training."
    )
    if not segmented:
        yield Text(f"{_UNKNOWN}, so there are no AMI and ARI.")
    curves = {
        name.upper(): StepCurve(
            summary["per_step"][name],
            [margin(error) for error in summary["per_step_errors"][name]],
        )
        for name in ("ami", "ari")
        if name in summary["per_step"]
    }
    if curves:
        last = ", ".join(f"{n} {c.means[0]:.3f} to {c.means[-1]:.3f}" for n, c in curves.items())
        yield Picture(
            embedded(step_curves(curves, "agreement with the true objects (1 is perfect)")),
            f"AMI and ARI over {plural(run.settings.steps, 'step')}: from the first to the last "
            f"{last}.",
            "The segmentation at each step, with 95 % intervals. Components begin at random and "
            "have to find their objects first.",
        )
    if components := summary["per_component"]:
        yield _components(components)


def _components(values: dict[str, list[float]]) -> Table:
    titles = {"component_share": "share of pixels", "component_kl": "KL, nats a frame"}
    count = len(next(iter(values.values())))
    return Table(
        "Components of a sequence, the one with most pixels first",
        ("", *(str(k + 1) for k in range(count))),
        [
            (title, *(number(value, 3, "none") for value in values[name]))
            for name, title in titles.items()
            if name in values
        ],
    )


def _pictures(split: Split, components: int) -> Iterator[Picture]:
    name = {"train": "training", "test": "test"}[split.name]
    shown = first(len(split.overviews), f"{name} sequence")
    yield Picture(
        embedded(split.animation),
        f"Animation of {shown}: input, target, assignment and {components} components.",
        f"{shown.capitalize()}, step by step: noisy input, the frame to explain, the assignment of "
        "its pixels, true objects where they are known, and what each component predicts.",
        wide=True,
    )
    for place, overview in enumerate(split.overviews):
        yield Picture(
            embedded(overview),
            f"All steps of {name} sequence {place} side by side.",
            f"{name.capitalize()} sequence {place}, a column for each step.",
            wide=True,
        )


def _training(run: RunFiles) -> Iterator[Block]:
    yield Text(how_it_ended(run.summary, run.settings.training, run.records))
    known = any(
        math.isfinite(record.get("train.effective_components", math.nan)) for record in run.records
    )
    yield Picture(
        embedded(learning_curves(run.records)),
        "Curves of loss, adjusted Rand index and effective number of components over updates."
        if known
        else "Curves of the loss over updates.",
        "A collapse shows in the effective number of components first."
        if known
        else f"{_UNKNOWN}, so how the segmentation went is not known.",
        wide=True,
    )
    if run.earlier:
        yield Table(
            "Earlier stages, each the start of the next",
            ("stage", "updates so far", "AMI", "95 % interval"),
            [
                (
                    name,
                    f"{stage['updates']:,}",
                    number(stage.get("test.ami"), 4, _NOT_SCORED),
                    interval(stage.get("test.ami"), stage["errors"].get("ami"), 4),
                )
                for name, stage in run.earlier.items()
            ],
        )


def _what_was_run(run: RunFiles) -> Iterator[Block]:
    settings, summary = run.settings, run.summary
    training, bound = settings.training, settings.bound
    most = "" if settings.most_objects is None else f" to {settings.most_objects}"
    data = settings.data or f"generated, {settings.objects}{most} objects in each sequence"
    if settings.variant is not None and _are_of_the_variant(settings):
        data += f", of {'all' if settings.variant == 'full' else settings.variant} digits"
    execution: list[str] = [settings.execution.precision]
    execution += [n for n in ("compile", "capture", "resident") if getattr(settings.execution, n)]
    rows = {
        "experiment": settings.experiment + (", staged" if run.earlier else ""),
        "scale": settings.scale,
        "data": data,
        "sequences": _sequences(run),
        "noise on the input": f"{settings.noise.kind}, probability {settings.noise.probability:g}",
        "guide": settings.guide,
        "network": f"{settings.network}, {summary['parameters']:,} parameters",
        "components, steps": f"K = {settings.components}, T = {settings.steps}",
        "objective": f"{bound.objective}, {plural(bound.particles, 'draw')} a sequence",
        "optimiser": f"Adam, learning rate {training.learning_rate:g} ({training.decay}), "
        f"batches of {training.batch_size}",
    }
    yield from how_it_was_run(rows, summary, run.directory, execution)


def _are_of_the_variant(settings: FrameExperiment) -> bool:
    """Return whether the data are generated, or the published ones, of the settings' digits."""
    name = published_name(
        settings.experiment,
        objects=settings.objects,
        variant=settings.variant,
        frames=settings.frames,
    )
    return settings.data is None or Path(settings.data).name == name


def _sequences(run: RunFiles) -> str:
    """Return how many sequences were read; summaries of earlier versions know of the test alone."""
    settings, summary = run.settings, run.summary
    most = "at most " if settings.data and "training.sequences" not in summary else ""
    trained = summary.get("training.sequences", settings.training_sequences)
    validated = summary.get("validation.sequences", settings.validation_sequences)
    return (
        f"{most}{trained:,} to train on, {most}{validated:,} to validate, "
        f"{summary['test.sequences']:,} to test"
    )
