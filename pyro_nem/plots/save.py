"""Writing a figure so that a reader never meets half a file."""

import io
from pathlib import Path

from matplotlib.figure import Figure

from pyro_nem.errors import ConfigError
from pyro_nem.files import replacing

__all__ = ["figure_png", "save_figure"]


def save_figure(figure: Figure, path: Path, dpi: float | None = None) -> None:
    """Write a figure as PNG, atomically, and free it.

    Parameters
    ----------
    figure
        Emptied once written: it can hold hundreds of images, and a run draws many figures.
    path
        Ends in `.png`; its folder must exist.
    dpi
        Dots an inch; the figure's own if None, at which an overview's pixels are sharp.

    Raises
    ------
    ConfigError
        `path` has another suffix.
    StorageError
        The system refuses to write; an earlier file is untouched.
    """
    if path.suffix.lower() != ".png":
        raise ConfigError(f"path: expected a name that ends in .png, got {path}")
    with replacing(path) as temporary:
        figure.savefig(temporary, format="png", dpi="figure" if dpi is None else dpi)
    figure.clear()


def figure_png(figure: Figure) -> bytes:
    """Return a figure as the bytes of a PNG, at its own dots an inch, and free it."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi="figure")
    figure.clear()
    return buffer.getvalue()
