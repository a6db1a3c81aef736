"""Let a trained run predict the future: ``python -m experiments.rollout RUN_DIR --steps 30``."""

from __future__ import annotations

import sys
from dataclasses import dataclass, replace
from pathlib import Path

import torch
import tyro

from experiments.cli import Count, Device, File, Text, Threads, provenance, run_command, use_threads
from experiments.evaluations import check_count
from experiments.frames.config import FrameExperiment
from experiments.frames.open_run import open_run, trained_settings
from experiments.frames.options import to_score
from experiments.frames.pictures import clip_samples
from experiments.frames.released import find_run
from experiments.frames.sources import asked_objects, check_one_source, file_to_test, tested_name
from experiments.resolving import check_name, or_default
from experiments.scale import TEST_SEED
from inference import (
    NEMObjective,
    Prediction,
    imagine_clip,
    predict,
)
from pyro_nem.data import FrameSource, read_batch
from pyro_nem.errors import ConfigError
from pyro_nem.files import make_directory, write_json
from pyro_nem.plots import prediction_curves, save_figure, segmentation_gif

__all__ = ["RolloutOptions", "main"]

_PROGRAM = "experiments.rollout"
_SEQUENCES = 100
_DRAWN = 3


@dataclass(frozen=True)
class RolloutOptions:
    """Show a run the beginning of test videos and let it predict how they go on.

    After the frames that it sees, the model is fed its own predictions; a vrnn takes its states
    from the prior. Scores for each predicted step, a figure of them and an animation go to
    RUN_DIR/rollouts/.
    """

    run_dir: tyro.conf.Positional[Path]
    """Folder of the run, or released weights: a name of the package's, as flying_shapes, or the
    file of others."""

    steps: int = 30
    """Frames to predict."""

    seen: Count = None
    """Steps that see a frame first. Default: as many as in training."""

    sample: bool = False
    """Draw the states of a vrnn; otherwise each is the mean of its law."""

    components: Count = None
    """K to roll out with. Default: as trained."""

    objects: Count = None
    """Objects in each generated sequence. Default: as trained."""

    most_objects: Count = None
    """Balls and sprites: from --objects to this many in each video. Default: as trained; --objects
    alone asks for so many in each."""

    data: File = None
    """An HDF5 file in the published layout to roll out on."""

    data_dir: File = None
    """Folder of the papers' own files, in which that of the experiment and --objects is found."""

    sequences: Count = None
    """Test sequences to score; the first three are animated. Default: 100, or all if there are
    fewer."""

    name: Text = None
    """Name of the files. Default: made from the conditions."""

    device: Device = None

    threads: Threads = None

    def __post_init__(self) -> None:
        check_name("--name", self.name)
        for name in ("steps", "sequences", "seen"):
            if getattr(self, name) is not None and getattr(self, name) < 1:
                raise ConfigError(f"--{name}: expected at least 1, got {getattr(self, name)}")


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return the exit code, 0 or (after an error) 2."""
    given = sys.argv[1:] if arguments is None else arguments
    return run_command(RolloutOptions, lambda options: _roll_out(options, given), _PROGRAM, given)


def _roll_out(options: RolloutOptions, arguments: list[str]) -> int:
    use_threads(options.threads)
    directory = find_run(options.run_dir)
    trained = trained_settings(directory)
    settings = _conditions(options, trained)
    seen = or_default(options.seen, trained.steps)
    with open_run(directory, settings) as (objective, source, update):
        check_count("--sequences", options.sequences, source.num_sequences, source.name)
        print(
            f"{directory.path}, update {update}: {seen} steps seen, {options.steps} "
            f"predicted, K = {settings.components}, {source.name}"
        )
        found = predict(
            objective,
            source,
            seen=seen,
            steps=options.steps,
            noise=settings.noise,
            sample=options.sample,
            seed=TEST_SEED,
        )
        _print_table(found)
        folder = make_directory(directory.path / "rollouts")
        name = options.name or _name(options, settings, seen)
        _animate(objective, settings, source, seen, options, folder / f"{name}.gif")
    save_figure(prediction_curves(found.per_step), folder / f"{name}.png")
    write_json(
        folder / f"{name}.json",
        {
            "seen": seen,
            "steps": options.steps,
            "components": settings.components,
            "data": source.name,
            "sequences": found.sequences,
            "per_step": found.per_step,
            **provenance(_PROGRAM, arguments, settings.device),
        },
    )
    print(f"written to {folder / name}.json, .png and .gif")
    return 0


def _conditions(options: RolloutOptions, trained: FrameExperiment) -> FrameExperiment:
    """Return the settings of the run with the options' changes, and videos that are long enough."""
    needed = or_default(options.seen, trained.steps) + options.steps + 1
    check_one_source(options)
    if options.sample and trained.guide != "vrnn":
        raise ConfigError(
            f"--sample: the states of guide {trained.guide} are point masses, which are not drawn; "
            "leave it out"
        )
    changed = replace(
        trained,
        components=or_default(options.components, trained.components),
        **asked_objects(options, trained),
        frames=trained.frames if trained.frames == 1 else max(trained.frames, needed),
        test_sequences=or_default(options.sequences, _SEQUENCES),
    )
    data = file_to_test(options, changed, trained)
    return to_score(replace(changed, data=data), options.device)


def _animate(
    objective: NEMObjective,
    settings: FrameExperiment,
    source: FrameSource,
    seen: int,
    options: RolloutOptions,
    path: Path,
) -> None:
    wanted = 1 if settings.scale == "smoke" else _DRAWN
    count = min(wanted, source.num_sequences)
    batch = read_batch(source, 0, count, seen + options.steps + 1)
    generator = torch.Generator(settings.device).manual_seed(TEST_SEED)
    made = imagine_clip(
        objective, batch.frames, seen, settings.noise, generator, sample=options.sample
    )
    samples = clip_samples(made.clip, made.seen, batch, "rollout", imagined=made.imagined)
    labels = [f"seen {t + 1} / {seen}" for t in range(seen)]
    labels += [f"predicted {t + 1} / {options.steps}" for t in range(options.steps)]
    segmentation_gif(samples, path, labels=labels)


def _print_table(found: Prediction) -> None:
    names = list(found.per_step)
    print(f"{found.sequences} sequences; predicted step" + "".join(f"{n:>20}" for n in names))
    steps = len(found.per_step[names[0]])
    for step in sorted({1, 2, 5, 10, 20, 30, 50, steps}):
        if step <= steps:
            values = "".join(f"{found.per_step[n][step - 1]:>20.4f}" for n in names)
            print(f"{step:>{len(str(found.sequences)) + 26}}{values}")


def _name(options: RolloutOptions, settings: FrameExperiment, seen: int) -> str:
    sampled = "-sampled" if options.sample else ""
    sequences = "" if options.sequences is None else f"-{options.sequences}sequences"
    return (
        f"{tested_name(options, settings)}-k{settings.components}-seen{seen}-steps{options.steps}"
        f"{sampled}{sequences}"
    )


if __name__ == "__main__":
    sys.exit(main())
