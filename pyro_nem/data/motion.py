"""How objects move that bounce at the border and pass through each other."""

import numpy as np
from numpy.typing import NDArray

__all__ = ["bounce"]


def bounce(
    starts: NDArray[np.int64],
    velocities: NDArray[np.int64],
    room: NDArray[np.int64],
    frames: int,
) -> NDArray[np.int64]:
    """Return the top left corner of every object in every frame; shape `[T, B, n, 2]`.

    An object moves by its velocity and turns around, for each axis on its own, in the frame in
    which its bounding box touches the border: .., 20, 21, 20, .. The path is then the straight
    line folded into [0, room], a triangle wave of period 2 room.

    Parameters
    ----------
    starts
        Row and column of the corner in frame 0, within the room; shape `[B, n, 2]`.
    velocities
        Pixels a frame along rows and columns; shape `[B, n, 2]`.
    room
        The largest position that keeps an object inside; shape `[B, n, 2]`.
    frames
        T.
    """
    time = np.arange(frames)[:, None, None, None]  # [T, 1, 1, 1]
    line = starts + time * velocities  # [T, B, n, 2]
    # Without room to move the period would be 0; any period then gives position 0.
    return room - np.abs(line % np.maximum(2 * room, 1) - room)
