"""Elastic balls in a box, event by event, for many boxes at once.

Between two events all balls move straight on, so the time of the next event of every box is
known exactly: no time step, hence no error but that of rounding. Balls have no spin and walls no
friction.

Only +, -, *, / and square roots are used, which every IEEE machine rounds alike: the paths are
chaotic, and one different bit would soon be another video.
"""

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

__all__ = ["BallMotion", "Balls", "masses", "simulate_balls"]

# Two balls that have just bounced off, or only graze, may still approach by a rounding error,
# [pixel^2 / frame]; taken for another collision, that could go on for ever.
_APPROACH: Final = 1e-9


class Balls(NamedTuple):
    """Balls at one moment, up to n in each of B boxes; units are pixels and frames."""

    radii: NDArray[np.float64]
    """Radius, which also tells the mass; 0 marks a place without a ball; shape `[B, n]`."""
    positions: NDArray[np.float64]
    """Row and column of the centre, from the top left corner of the box; shape `[B, n, 2]`."""
    velocities: NDArray[np.float64]
    """Along rows and columns, 0 where there is no ball; shape `[B, n, 2]`."""


class BallMotion(NamedTuple):
    """Balls in T frames."""

    positions: NDArray[np.float64]
    """Shape `[T, B, n, 2]`, as in `Balls`."""
    velocities: NDArray[np.float64]
    """Shape `[T, B, n, 2]`, as in `Balls`."""
    collided: NDArray[np.bool_]
    """Whether the ball met another since the frame before, False in frame 0; `[T, B, n]`."""


def masses(radii: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return masses proportional to the area, in units of that of a ball of radius 1."""
    return radii * radii


def simulate_balls(balls: Balls, frames: int, box: tuple[float, float]) -> BallMotion:
    """Let balls move, bounce off the walls, and collide elastically with each other.

    Parameters
    ----------
    balls
        Where they are in frame 0, inside the box and not overlapping.
    frames
        T.
    box
        Height and width of the box in pixels.

    Returns
    -------
    BallMotion
        Frames 0 to T - 1.
    """
    motion = BallMotion(
        np.empty((frames, *balls.positions.shape)),
        np.empty((frames, *balls.positions.shape)),
        np.zeros((frames, *balls.radii.shape), np.bool_),
    )
    pairs = np.stack(np.triu_indices(balls.radii.shape[1], 1))  # [2, P]
    now = Balls(balls.radii, balls.positions.copy(), balls.velocities.copy())
    for frame in range(frames):
        if frame > 0:
            _to_next_frame(now, pairs, box, motion.collided[frame])
        motion.positions[frame], motion.velocities[frame] = now.positions, now.velocities
    return motion


def _to_next_frame(
    balls: Balls,
    pairs: NDArray[np.int64],
    box: tuple[float, float],
    collided: NDArray[np.bool_],
) -> None:
    """Let the balls move for one frame, in place, and mark who `collided`, `[B, n]`."""
    left = np.ones(len(balls.radii))  # [B]: time to the next frame
    boxes = np.arange(len(left))  # those that have not reached it
    while boxes.size:
        here = Balls(*(part[boxes] for part in balls))
        at_walls = _time_to_walls(here, box).reshape(len(boxes), -1)  # [b, n 2]
        at_pairs = _time_to_pairs(here, pairs)  # [b, P]
        times = np.concatenate([at_walls, at_pairs], axis=1)  # [b, n 2 + P]
        event = times.argmin(1)  # [b]
        time = times[np.arange(len(boxes)), event]  # [b]
        step = np.minimum(time, left[boxes])  # [b]
        balls.positions[boxes] += here.velocities * step[:, None, None]
        left[boxes] -= step
        happens = step == time  # else the frame comes first
        boxes, event = boxes[happens], event[happens]
        bounces = event < at_walls.shape[1]
        ball, axis = np.divmod(event[bounces], 2)
        balls.velocities[boxes[bounces], ball, axis] *= -1.0
        first, second = pairs[:, event[~bounces] - at_walls.shape[1]]
        _collide(balls, boxes[~bounces], first, second)
        collided[boxes[~bounces], first] = True
        collided[boxes[~bounces], second] = True


def _time_to_walls(balls: Balls, box: tuple[float, float]) -> NDArray[np.float64]:
    """Return the time until each ball touches a wall along each axis, `[b, n, 2]`."""
    radii = balls.radii[..., None]  # [b, n, 1]
    ahead = balls.velocities > 0
    room = np.where(ahead, np.array(box) - radii - balls.positions, balls.positions - radii)
    never = np.full(room.shape, np.inf)
    time: NDArray[np.float64] = np.divide(
        # Rounding can leave a ball that turned around a little outside.
        np.maximum(room, 0.0),
        np.abs(balls.velocities),
        out=never,
        where=balls.velocities != 0,
    )
    return time


def _time_to_pairs(balls: Balls, pairs: NDArray[np.int64]) -> NDArray[np.float64]:
    """Return the time until the balls of each pair touch, `[b, P]`.

    |d + u t|^2 = (r1 + r2)^2 with distance d and relative velocity u is a quadratic equation,
    a t^2 + 2 b t + c = 0; the smaller root is c / (-b + sqrt(b^2 - a c)), without cancellation.
    """
    first, second = pairs
    d = balls.positions[:, second] - balls.positions[:, first]  # [b, P, 2]
    u = balls.velocities[:, second] - balls.velocities[:, first]  # [b, P, 2]
    reach = balls.radii[:, second] + balls.radii[:, first]  # [b, P]
    a = _dot(u, u)
    b = _dot(d, u)
    c = _dot(d, d) - reach * reach
    inside = b * b - a * c
    both = np.minimum(balls.radii[:, first], balls.radii[:, second]) > 0
    meet = both & (b < -_APPROACH) & (inside > 0)
    never = np.full(b.shape, np.inf)
    time: NDArray[np.float64] = np.divide(
        np.maximum(c, 0.0), np.sqrt(np.maximum(inside, 0.0)) - b, out=never, where=meet
    )
    return time


def _collide(
    balls: Balls, boxes: NDArray[np.int64], first: NDArray[np.int64], second: NDArray[np.int64]
) -> None:
    """Collide one pair in each of some boxes, in place: an impulse along the line of centres."""
    d = balls.positions[boxes, second] - balls.positions[boxes, first]  # [b, 2]
    u = balls.velocities[boxes, second] - balls.velocities[boxes, first]  # [b, 2]
    normal = d / np.sqrt(_dot(d, d))[:, None]
    mass, other = masses(balls.radii[boxes, first]), masses(balls.radii[boxes, second])  # [b]
    impulse = (2.0 * mass * other / (mass + other) * _dot(u, normal))[:, None] * normal  # [b, 2]
    balls.velocities[boxes, first] += impulse / mass[:, None]
    balls.velocities[boxes, second] -= impulse / other[:, None]


def _dot(left: NDArray[np.float64], right: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the scalar product over the last axis, added in an order that never changes."""
    product: NDArray[np.float64] = left[..., 0] * right[..., 0] + left[..., 1] * right[..., 1]
    return product
