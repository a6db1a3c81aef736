"""What was run on sequences or images, what it scores, how it learned and what it makes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from experiments.images.config import ImageExperiment
from experiments.report.embedding import embedded, embedded_sound
from experiments.report.page import Block, Picture, Section, Sounds, Table, Text
from experiments.report.provenance import how_it_ended, how_it_was_run
from experiments.report.read_latent_run import LatentRun
from experiments.report.wording import interval, number, plural, time_span
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.resolving import usual_settings
from experiments.sequences.score_table import score_title
from inference.bound_config import WEIGHTED
from pyro_nem.plots import learning_curves

__all__ = ["latent_headline", "latent_run_sections"]

_BOUND: Final = "nll_"

# Name of a file of an image run -> what it shows.
_PICTURES: Final = {
    "samples": "Mean images of latents that were drawn from their prior.",
    "reconstructions": "Test images, each above the mean image of its latents.",
    "interpolation": "From one test image to another, in the latents.",
    "manifold": "The mean images of a grid of the latents, spread as their prior has them.",
}
_SEQUENCES: Final = (
    "Test sequences, what the model makes of their beginnings, and sequences that it draws from "
    "nothing."
)


def latent_headline(run: LatentRun) -> str:
    """Return the run in a sentence or two."""
    summary = run.summary
    updates, time = plural(summary["updates"], "update"), time_span(summary["wall_seconds"])
    name = "nll_elbo" if "nll_elbo" in summary["errors"] else "nll_exact"
    value, error = summary[f"test.{name}"], summary["errors"][name]
    return (
        f"{updates} in {time}. {score_title(name.removeprefix(_BOUND))}: "
        f"{number(value, 3, 'not a number')} {_units(run)} on {_tested(run)} "
        f"(95 % interval: {interval(value, error, 3)}); lower is better."
    )


def latent_run_sections(run: LatentRun) -> tuple[Section, ...]:
    """Return the sections that need no posterior."""
    return (
        Section("run", "What was run", tuple(_what_was_run(run))),
        Section("scores", "Scores", tuple(_scores(run))),
        Section("training", "Training", tuple(_training(run))),
        Section("pictures", "Pictures", tuple(_pictures(run))),
    )


def _units(run: LatentRun) -> str:
    return "nats a step" if run.unit == "sequence" else "nats an image"


def _tested(run: LatentRun) -> str:
    return plural(run.summary[f"test.{run.unit}s"], f"test {run.unit}")


def _scores(run: LatentRun) -> Iterator[Block]:
    summary, errors = run.summary, run.summary["errors"]
    readings = summary.get("readings", {})
    rows = []
    for name, error in errors.items():
        bound, mean = name.removeprefix(_BOUND), summary[f"test.{name}"]
        others = [summary.get(f"test.{reading}_{bound}") for reading in readings]
        rows.append(
            (
                score_title(bound),
                number(mean, 3, "not a number"),
                interval(mean, error, 3),
                *(number(other, 3, "none") for other in others),
            )
        )
    of_floors = [f"floor.{reading}_" for reading in readings]
    for name, value in summary.items():
        if name.startswith("floor.") and not any(name.startswith(start) for start in of_floors):
            floor = name.removeprefix("floor.")
            others = [summary.get(f"floor.{reading}_{floor}") for reading in readings]
            cells = (number(other, 3, "none") for other in others)
            rows.append((f"floor: {score_title(floor)}", number(value, 3, "none"), "", *cells))
    yield Table(
        f"{_units(run).capitalize()} on {_tested(run)}",
        ("bound", "mean", "95 % interval", *readings.values()),
        rows,
    )
    counts = ""
    if "test.likelihood_images" in summary:
        counts = (
            f" The bound with most draws is of the first {summary['test.likelihood_images']:,} "
            "only; images differ by more than models, so its mean goes with no other."
        )
    floors = any(name.startswith("floor.") for name in summary)
    yield Text(
        "Bounds on the negative log-likelihood: lower is better. Intervals are ± 1.96 standard "
        f"errors over the test {run.unit}s. They tell how the mean depends on the choice of these, "
        f"not how it depends on the seed of the training.{counts}"
        + (" Floors are what trivial models reach." if floors else "")
    )


def _training(run: LatentRun) -> Iterator[Block]:
    yield Text(how_it_ended(run.summary, run.settings.training, run.records))
    yield Picture(
        embedded(
            learning_curves(run.records, unit=_units(run), kl=f"KL of the latents, {_units(run)}")
        ),
        "Curves of the loss, and of the KL of the latents, over updates.",
        "A KL that falls to nothing is a posterior collapse.",
        wide=True,
    )


def _pictures(run: LatentRun) -> Iterator[Block]:
    if not run.pictures:
        yield Text("The folder of the run has no pictures.")
    for path in run.pictures:
        words = _PICTURES.get(path.stem, _SEQUENCES)
        yield Picture(embedded(path), words, words, wide=run.unit == "sequence")
    if run.sounds:
        yield Sounds([(path.stem.replace("_", " "), embedded_sound(path)) for path in run.sounds])


def _what_was_run(run: LatentRun) -> Iterator[Block]:
    settings = run.settings
    training, bound = settings.training, settings.bound
    size = f"{run.summary['parameters']:,} parameters"
    if isinstance(settings, SequenceExperiment):
        rows = _of_sequences(settings, size)
    else:
        rows = _of_images(settings, size)
    rows = {
        "experiment": settings.experiment,
        "scale": settings.scale,
        **rows,
        "objective": f"{bound.objective}, {plural(bound.particles, 'draw')}, gradient "
        f"{bound.gradient}, KL {bound.divergence}",
        "optimiser": f"{training.optimizer}, learning rate {training.learning_rate:g} "
        f"({training.decay}), batches of {training.batch_size}",
    }
    if not run.has_latents:
        rows["objective"] = "the exact likelihood"
    yield from how_it_was_run(rows, run.summary, run.directory)


def _of_sequences(settings: SequenceExperiment, size: str) -> dict[str, str]:
    data = [settings.tunes, settings.corpus, settings.normalisation]
    rows = {
        "data": ", ".join(part for part in data if part is not None) or settings.experiment,
        "model": f"{settings.model}, {size}",
        "sizes": f"H = {settings.latent_size}, G = {settings.hidden_size}, "
        f"{plural(settings.layers, 'layer')} of {settings.width}",
    }
    if settings.latent_size:
        chosen = [name for name in ("residual", "smoothing") if getattr(settings, name)]
        rows["posterior"] = ", ".join(chosen) or "plain"
    if settings.output is not None:
        rows["law of a frame"] = settings.output
    return {**rows, **_unusual(settings)}


def _unusual(settings: SequenceExperiment) -> dict[str, str]:
    """Return what was tried: how it was trained where that is not the default of the scale."""
    mine, usual = (_tried(one) for one in (settings, usual_settings(settings)))
    if settings.bound.objective in WEIGHTED:
        # It has no KL of its own, so that nothing was chosen.
        del mine["KL warm-up"], mine["free nats"]
    return {name: words for name, words in mine.items() if words != usual[name]}


def _tried(settings: SequenceExperiment) -> dict[str, str]:
    bound, schedule = settings.bound, settings.schedule
    return {
        "components": "none" if settings.components is None else str(settings.components),
        "layer normalisation": "on" if settings.layer_norm else "off",
        "batch normalisation": "on" if settings.batch_norm else "off",
        "training sequences": "whole"
        if settings.chunk is None
        else f"in pieces of {plural(settings.chunk, 'step')}",
        "replay": f"{schedule.replay:g} of a batch, from the last "
        f"{plural(schedule.memory, 'update')}"
        if schedule.replay
        else "none",
        "curriculum": f"{plural(schedule.curriculum, 'update')}, from "
        f"{plural(schedule.shortest, 'step')} on"
        if schedule.curriculum
        else "none",
        "KL warm-up": plural(bound.kl_warmup, "update") if bound.kl_warmup else "none",
        "free nats": f"{bound.free_nats:g} a step",
    }


def _of_images(settings: ImageExperiment, size: str) -> dict[str, str]:
    return {
        "data": f"MNIST, {settings.binarization} binarisation",
        "latents": " and ".join(map(str, settings.latent_sizes)),
        "network": f"{plural(settings.depth, 'layer')} of "
        f"{' and '.join(map(str, settings.widths))}, {size}",
    }
