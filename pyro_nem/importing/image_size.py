"""Bringing images to a size."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps

from pyro_nem.checks import at_least, one_of

__all__ = ["ImageSize", "SizeMethod"]

SizeMethod = Literal["crop", "pad", "stretch"]

_Resize = Callable[[Image.Image, tuple[int, int], Image.Resampling], Image.Image]

_METHODS: Final[dict[SizeMethod, _Resize]] = {
    "crop": lambda image, size, how: ImageOps.fit(image, size, how),
    "pad": lambda image, size, how: ImageOps.pad(image, size, how, color=0),
    "stretch": lambda image, size, how: image.resize(size, how),
}


@dataclass(frozen=True)
class ImageSize:
    """The size that images get, and what happens to another aspect ratio.

    Raises
    ------
    ConfigError
        A side is below 1, or there is no such method.
    """

    rows: int
    """Height in pixels."""
    columns: int
    """Width in pixels."""
    method: SizeMethod = "crop"
    """`crop` cuts off what is too long, `pad` adds black, `stretch` distorts."""
    smooth: bool = True
    """Interpolate frames; otherwise take the nearest pixel, which keeps binary frames binary."""

    def __post_init__(self) -> None:
        at_least(1, rows=self.rows, columns=self.columns)
        one_of(SizeMethod, method=self.method)

    def frames(self, frames: NDArray[Any]) -> NDArray[Any]:
        """Return frames `[T, rows, columns, C]`, uint8 or float32, in this size and their dtype."""
        how = Image.Resampling.BILINEAR if self.smooth else Image.Resampling.NEAREST
        planes = np.moveaxis(frames, -1, 1)  # [T, C, rows, columns]
        return np.moveaxis(self._resized(planes, how), 1, -1)

    def masks(self, masks: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Return ids of pixels `[T, rows, columns]` in this size; each is that of one pixel."""
        return self._resized(masks, Image.Resampling.NEAREST)

    def _resized(self, planes: NDArray[Any], how: Image.Resampling) -> NDArray[Any]:
        """Return `[..., rows, columns]` in this size, plane by plane."""
        if planes.shape[-2:] == (self.rows, self.columns):
            return planes
        resize, size = _METHODS[self.method], (self.columns, self.rows)
        flat = planes.reshape(-1, *planes.shape[-2:])
        images = [resize(Image.fromarray(np.ascontiguousarray(plane)), size, how) for plane in flat]
        return np.stack([np.asarray(image) for image in images]).reshape(
            *planes.shape[:-2], self.rows, self.columns
        )
