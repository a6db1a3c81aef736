"""Pictures and sounds as data URIs."""

from __future__ import annotations

import base64
import io
from pathlib import Path

from matplotlib.figure import Figure
from PIL import Image, ImageSequence

from pyro_nem.plots import figure_png

__all__ = ["embedded", "embedded_sound"]

# WebP counts rows and columns in 14 bits.
_LARGEST = 2**14 - 1

# Of WebP: half of its effort gets nearly all of what there is to get.
_EFFORT = {"lossless": True, "quality": 50, "method": 3}


def embedded(picture: Figure | Path) -> str:
    """Return a figure, which is emptied, or a PNG or GIF file as a data URI.

    A file becomes WebP, without loss, where it fits: a fourth of the size of an animation in GIF,
    which decides whether the report of large frames can still be sent by mail.
    """
    if isinstance(picture, Figure):
        return _uri(figure_png(picture), "image/png")
    with Image.open(picture) as image:
        if max(image.size) > _LARGEST:
            return _uri(picture.read_bytes(), f"image/{picture.suffix[1:]}")
        frames, durations = [], []
        for frame in ImageSequence.Iterator(image):
            frames.append(frame.convert("RGB"))
            durations.append(frame.info.get("duration", 0))
    moving = {"save_all": True, "append_images": frames[1:], "duration": durations, "loop": 0}
    buffer = io.BytesIO()
    frames[0].save(buffer, "WEBP", **_EFFORT, **(moving if len(frames) > 1 else {}))
    return _uri(buffer.getvalue(), "image/webp")


def embedded_sound(path: Path) -> str:
    """Return a WAV file as a data URI."""
    return _uri(path.read_bytes(), "audio/wav")


def _uri(content: bytes, kind: str) -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode('ascii')}"
