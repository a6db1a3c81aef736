"""A line of progress that a person can read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

__all__ = ["ProgressPrinter", "duration"]


class ProgressPrinter:
    """Prints a training's records: loss, KL, ARI, effective components (what there is), time left.

    What is NaN, as scores of frames in which no object is known, is left out.

    Parameters
    ----------
    updates
        Number of updates of the whole training.
    report
        Takes each line.
    """

    def __init__(self, updates: int, report: Callable[[str], None]) -> None:
        self.updates = updates
        self.report = report
        self._previous: tuple[int, float] | None = None

    def __call__(self, record: Mapping[str, float | int]) -> None:
        """Print one record of :func:`inference.training.train`."""
        update, seconds = int(record["update"]), float(record["seconds"])
        parts = [f"update {update:>{len(str(self.updates))}}/{self.updates}"]
        parts.append(_scores("train", record))
        if "validation.loss" in record:
            parts.append(_scores("validation", record))
        left = self._seconds_left(update, seconds)
        if left is not None:
            parts.append(f"{duration(left)} left")
        self.report(" | ".join(parts))

    def _seconds_left(self, update: int, seconds: float) -> float | None:
        previous, self._previous = self._previous, (update, seconds)
        if previous is None or update == previous[0]:
            return None
        return (self.updates - update) * (seconds - previous[1]) / (update - previous[0])


def duration(seconds: float) -> str:
    """Return a time span as h:mm:ss, or m:ss below an hour."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _scores(split: str, record: Mapping[str, float | int]) -> str:
    loss = record[f"{split}.loss"]
    # Of a frame or sequence it is hundreds of nats, of a step a few.
    text = f"{split} loss {loss:.{1 if abs(loss) >= 100 else 3}f}"
    known = {name for name, value in record.items() if not math.isnan(value)}
    if f"{split}.kl" in known:
        text += f", KL {record[f'{split}.kl']:.2f}"
    if f"{split}.ari" in known:
        text += f", ARI {record[f'{split}.ari']:.3f} (last step {record[f'{split}.ari_last']:.3f})"
    if f"{split}.effective_components" in known:
        text += f", effective K {record[f'{split}.effective_components']:.2f}"
    return text
