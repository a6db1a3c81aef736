"""Balls obey the laws of elastic collision, exactly up to rounding."""

import numpy as np
import pytest

from pyro_nem.data import Balls, BallsConfig, draw_balls, simulate_balls
from pyro_nem.data.ball_physics import masses

WIDE = (1e4, 1e4)


def balls(*each):
    """One box; each ball is (radius, (row, column), velocity)."""
    return Balls(*(np.array([part], float) for part in zip(*each, strict=True)))


def drawn(objects=6, boxes=50, seed=0):
    config = BallsConfig(objects=objects)
    return draw_balls(config, boxes, np.random.default_rng(seed)).balls


def energy(motion, radii):
    return (masses(radii) * (motion.velocities**2).sum(-1)).sum(-1) / 2


def momentum(motion, radii):
    return (masses(radii)[..., None] * motion.velocities).sum(-2)


def test_a_head_on_collision_of_unequal_masses_is_that_computed_by_hand():
    # Masses 1 and 4 close a gap of 7 at speed 5, so they touch at t = 1.4; then
    # v1 = ((1 - 4) 3 + 2 4 (-2)) / 5 = -5 and v2 = ((4 - 1) (-2) + 2 1 3) / 5 = 0.
    motion = simulate_balls(balls((1, (50, 10), (0, 3)), (2, (50, 20), (0, -2))), 4, WIDE)
    np.testing.assert_allclose(motion.positions[:, 0, 0, 1], [10, 13, 14.2 - 3, 6.2], rtol=1e-14)
    np.testing.assert_allclose(motion.positions[:, 0, 1, 1], [20, 18, 17.2, 17.2], rtol=1e-14)
    np.testing.assert_allclose(motion.velocities[2, 0], [[0, -5], [0, 0]], atol=1e-14)
    assert (motion.positions[..., 0] == 50).all()
    assert motion.collided[:, 0].tolist() == [[False] * 2, [False] * 2, [True] * 2, [False] * 2]


def test_a_glancing_collision_keeps_the_velocity_along_the_surface():
    # The centres touch on the diagonal, which the struck ball takes; equal masses part at a right
    # angle.
    motion = simulate_balls(balls((1, (52, 52), (2, 0)), (1, (56, 52 + 2**0.5), (0, 0))), 4, WIDE)
    np.testing.assert_allclose(motion.velocities[-1, 0], [[1, -1], [1, 1]], atol=1e-12)


def test_a_ball_bounces_off_a_wall_at_its_surface():
    # From row 3 to row 1 takes 4/3 of a frame; the other 2/3 lead back by 1.
    motion = simulate_balls(balls((1, (3, 5), (-1.5, 0.25))), 3, (10, 10))
    np.testing.assert_allclose(motion.positions[:, 0, 0], [[3, 5], [1.5, 5.25], [2, 5.5]])
    np.testing.assert_allclose(motion.velocities[2, 0, 0], [1.5, 0.25])
    assert not motion.collided.any()


def test_a_push_goes_through_a_row_of_balls_that_touch():
    row = balls(*((1, (5, column), (0, 0)) for column in (10, 12, 14)), (1, (5, 4), (0, 8)))
    motion = simulate_balls(row, 2, WIDE)
    np.testing.assert_allclose(motion.velocities[1, 0, :, 1], [0, 0, 8, 0], atol=1e-12)
    np.testing.assert_allclose(motion.positions[1, 0, :, 1], [10, 12, 18, 8])
    assert motion.collided[1].all()


@pytest.mark.parametrize("objects", [1, 4, 8])
def test_energy_is_conserved(objects):
    start = drawn(objects)
    motion = simulate_balls(start, 100, (64, 64))
    found = energy(motion, start.radii)
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), rtol=1e-12)


def test_momentum_is_conserved_away_from_the_walls():
    start = drawn()
    far = start._replace(positions=start.positions + 5000)
    motion = simulate_balls(far, 100, WIDE)
    assert motion.collided.any((0, 2)).mean() > 0.5
    found = momentum(motion, start.radii)
    np.testing.assert_allclose(found, np.broadcast_to(found[0], found.shape), atol=1e-9)
    changed = (motion.velocities[1:] != motion.velocities[:-1]).any(-1)
    np.testing.assert_array_equal(changed, motion.collided[1:])


def test_balls_stay_inside_and_never_overlap():
    start = drawn(8)
    motion = simulate_balls(start, 200, (64, 64))
    radii = start.radii[..., None]
    assert (motion.positions >= radii - 1e-9).all()
    assert (motion.positions <= 64 - radii + 1e-9).all()
    first, second = np.triu_indices(8, 1)
    d = motion.positions[:, :, first] - motion.positions[:, :, second]
    gap = np.hypot(d[..., 0], d[..., 1]) - start.radii[:, first] - start.radii[:, second]
    assert gap.min() > -1e-9
    assert motion.collided.any((0, 2)).all()


def test_time_can_be_reversed():
    start = drawn()
    there = simulate_balls(start, 16, (64, 64))
    assert there.collided.any((0, 2)).mean() > 0.5
    end = Balls(start.radii, there.positions[-1], -there.velocities[-1])
    back = simulate_balls(end, 16, (64, 64))
    np.testing.assert_allclose(back.positions[-1], start.positions, atol=1e-6)
    np.testing.assert_allclose(-back.velocities[-1], start.velocities, atol=1e-6)


def test_boxes_know_nothing_of_each_other():
    start = drawn(4, 12)
    together = simulate_balls(start, 60, (64, 64))
    for box in range(12):
        alone = simulate_balls(Balls(*(part[box : box + 1] for part in start)), 60, (64, 64))
        for one, all_of_them in zip(alone, together, strict=True):
            np.testing.assert_array_equal(one[:, 0], all_of_them[:, box])


def test_a_place_without_a_ball_is_in_nobodys_way():
    one, none = (2, (3, 3), (-1, -1)), (0, (0, 0), (0, 0))
    alone = simulate_balls(balls(one), 30, (20, 20))
    beside = simulate_balls(balls(none, one, none), 30, (20, 20))
    np.testing.assert_array_equal(beside.positions[:, :, 1:2], alone.positions)
    assert not beside.positions[:, :, ::2].any()
    assert not beside.collided.any()


def test_the_start_is_not_changed():
    start = drawn(4, 3)
    copies = [part.copy() for part in start]
    simulate_balls(start, 20, (64, 64))
    for part, copy in zip(start, copies, strict=True):
        np.testing.assert_array_equal(part, copy)
