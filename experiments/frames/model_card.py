"""The model card of released weights."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from experiments.frames.config import FrameExperiment
from experiments.frames.released import Released
from experiments.frames.scores import metric_titles

__all__ = ["model_card"]

_DATA = {
    "flying_shapes": "binary videos of {} shapes that fly through each other",
    "static_shapes": "binary images of {} shapes",
    "flying_mnist": "grey videos of {} MNIST digits that fly through each other",
    "bouncing_balls": "binary videos of {} balls that collide",
    "bouncing_balls_curtain": "binary videos of {} balls that collide, partly hidden by a curtain",
    "sprites": "coloured videos of {} sprites that hide each other",
}
_METRICS = {
    "ami": "AMI, {}",
    "ami_last": "AMI, last step",
    "ari": "ARI, {}",
    "ari_last": "ARI, last step",
    "next_step_bce": "next-step BCE, nats a frame",
    "log_likelihood": "log likelihood, nats a frame",
}


def model_card(
    name: str,
    released: Released,
    scores: Mapping[str, float],
    *,
    size: int,
    made: Mapping[str, Any],
    packaged: bool,
) -> str:
    """Return the card as Markdown.

    Parameters
    ----------
    name
        Of the weights.
    released
        The weights as they are in the file.
    scores
        Test scores of these.
    size
        Bytes of the file.
    made
        Provenance of the file.
    packaged
        Whether the file comes with the package, where commands find it by its name.
    """
    settings, summary = released.settings, released.summary
    rows, columns, channels = released.image_shape
    noise = "with noise" if settings.noise.probability else "without noise"
    lines = [
        f"# {name}",
        "",
        f"Segments {_data(settings)} into objects, without labels: {settings.guide} with the "
        f"{settings.network} network, trained with K = {settings.components} components and T = "
        f"{settings.steps} steps. Frames are {rows}x{columns} with {channels} "
        f"channel{'s' if channels > 1 else ''}, in [0, 1], before black.",
        "",
        *([] if packaged else ["In the folder of this card:", ""]),
        "```bash",
        f"python -m experiments.evaluate {name}{'' if packaged else '.safetensors'}",
        "```",
        "",
        f"| test, {summary['test.sequences']:,} sequences {noise} | the run | this file |",
        "|---|---|---|",
        *(
            f"| {title} | {summary[f'test.{metric}']:.4f} | {scores[metric]:.4f} |"
            for metric, title in metric_titles(settings, _METRICS, "mean over the steps").items()
            if metric in scores
        ),
        "",
        f"- Trained by `{summary['command']}`, seed {summary['seed']}, commit "
        f"{summary['commit']}, on {summary['device']}, in {summary['wall_seconds']:.0f} s: "
        f"{summary['updates']:,} updates of {settings.training.batch_size} sequences, the weights "
        f"of update {released.update:,}.",
        f"- {summary['parameters']:,} parameters in half precision, {size / 1e6:.1f} MB, written "
        f"by `{made['command']}` at commit {made['commit']}.",
        "- The weights depend neither on K nor on T: `--components` and `--steps` test others.",
        *_limits(settings),
        "- Licence: MIT, as the project.",
        "",
    ]
    return "\n".join(lines)


def _data(settings: FrameExperiment) -> str:
    most = "" if settings.most_objects is None else f" to {settings.most_objects}"
    return _DATA[settings.experiment].format(f"{settings.objects}{most}")


def _limits(settings: FrameExperiment) -> list[str]:
    limits = [
        "- Scores count pixels of exactly one object. It has seen generated data only and knows "
        "nothing of photographs, nor of other sizes of objects or frames."
    ]
    if settings.network == "located":
        limits.append(
            "- A component draws one thing at one place, no larger than its template; a larger "
            "object is cut or split."
        )
    return limits
