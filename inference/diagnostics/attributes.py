"""What a posterior file says of itself."""

from __future__ import annotations

from pathlib import Path

__all__ = ["attributes_of"]


def attributes_of(
    name: str, sha256: str, model: object, guide: object, seed: int, **others: int | str
) -> dict[str, int | str]:
    """Return the attributes of a tree.

    Parameters
    ----------
    name, sha256
        What the data are called, and their digest.
    model, guide
        What the tree describes.
    seed
        Of everything that was drawn.
    others
        What only trees of one kind have.
    """
    return {
        # Without the folder, which is that of one machine.
        "data": Path(name).name,
        "data_sha256": sha256,
        "model": type(model).__name__,
        "guide": type(guide).__name__,
        "stochastic": int(getattr(guide, "stochastic", True)),
        "seed": seed,
        **others,
    }
