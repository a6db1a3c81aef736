"""Settings that the folder of a run keeps, whichever version wrote it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from inference.bound_config import BoundConfig

__all__ = ["current_settings"]


def current_settings(kept: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings with the fields of a bound that this version has.

    In folders of earlier versions the bound has no ``resample``, and a run by FIVO has the
    objective iwae, with the threshold beside the bound.

    Parameters
    ----------
    kept
        The settings as JSON keeps them; those without a bound come back as they are.
    """
    settings = dict(kept)
    bound = settings.get("bound")
    if not isinstance(bound, Mapping) or "resample" in bound:
        return settings
    threshold = settings.pop("resample", None)
    resampled = {} if threshold is None else {"objective": "fivo", "resample": threshold}
    return {**settings, "bound": {"resample": BoundConfig.resample, **bound, **resampled}}
