"""Recorded movements of a pen: resampled, split, scaled, from Omniglot and from IAM-OnDB."""

import re

import numpy as np
import pytest
import small_handwriting
from small_handwriting import needs_omniglot, put_iam

from pyro_nem.data import iam, omniglot, padded_batches, resampled, to_handwriting, to_moves
from pyro_nem.errors import DataError


def test_moves_lead_from_point_to_point_and_end_strokes():
    strokes = [np.array([[1, 1], [2, 4]]), np.array([[9, 9]]), np.array([[0, 9], [0, 8], [1, 8]])]
    assert to_moves(strokes).tolist() == [
        [1, 1, 3],
        [1, 7, 5],
        [0, -9, 0],
        [0, 0, -1],
        [1, 1, 0],
    ]


def test_a_resampled_stroke_is_on_the_line_of_the_recorded_one():
    # A straight line at half a unit a millisecond, recorded irregularly.
    times = np.array([0.0, 7.0, 31.0, 32.0, 90.0, 150.0, 182.0])
    stroke = np.column_stack([0.5 * times, -0.25 * times, times])
    places = resampled(stroke, np.random.default_rng(0))
    # 182 ms are three steps of about 60.
    assert places.shape == (4, 2)
    expected = np.linspace(0.0, 182.0, 4)[:, None] * (0.5, -0.25)
    left = places - expected
    assert np.abs(left).max() <= 0.35
    assert len(np.unique(left)) == left.size


def test_pauses_are_shortened_and_short_strokes_keep_both_ends():
    still = np.array([[0.0, 0.0, 0.0], [100.0, 0.0, 40.0], [100.0, 0.0, 9000.0]])
    # 40 ms and 80 of the pause.
    assert resampled(still, np.random.default_rng(0)).shape == (3, 2)
    backwards = np.array([[0.0, 0.0, 10.0], [8.0, 0.0, 5.0]])
    places = resampled(backwards, np.random.default_rng(0))
    assert places.shape == (2, 2)
    assert resampled(np.array([[3.0, 4.0, 9.0]]), np.random.default_rng(0)).shape == (1, 2)


def test_noise_is_uniform_within_a_cell():
    still = np.column_stack([np.zeros((20_000, 2)), 60.0 * np.arange(20_000)])
    left = resampled(still, np.random.default_rng(1))
    assert np.abs(left).max() <= 0.35
    np.testing.assert_allclose(left.std(0), 0.7 / np.sqrt(12.0), rtol=0.02)


def test_drawers_are_split(tmp_path, monkeypatch):
    small_handwriting.put(tmp_path, monkeypatch)
    found = omniglot()
    # Three characters, one of which is in both files.
    assert [len(part) for part in (found.training, found.validation, found.test)] == [42, 9, 9]
    first = found.training.sequences[0]
    drawn = small_handwriting.drawing(101)
    assert first[:, 0].sum() == 3
    # y grows downwards; the noise of two places is at most 0.7.
    np.testing.assert_allclose(
        first[:, 1:].sum(0), (drawn[2][-1, :2] - drawn[0][0, :2]) * (1, -1), atol=0.71
    )
    again = omniglot()
    np.testing.assert_array_equal(again.training.sequences[0], first)
    assert len({tuple(x[0]) for x in found.training.sequences}) == 42
    # Drawer 15 is the first to validate, 18 to test.
    for part, seed in ((found.validation, 115), (found.test, 118)):
        drawn = small_handwriting.drawing(seed)
        np.testing.assert_allclose(
            part.sequences[0][:, 1:].sum(0),
            (drawn[2][-1, :2] - drawn[0][0, :2]) * (1, -1),
            atol=0.71,
        )


@pytest.mark.parametrize(("scale", "factor"), [("pooled", 1.0), ("published", np.sqrt(2.0))])
def test_the_scale_is_that_of_both_coordinates(tmp_path, monkeypatch, scale, factor):
    small_handwriting.put(tmp_path, monkeypatch)
    found = omniglot(scale)
    moves = np.concatenate(found.training.sequences)[:, 1:]
    np.testing.assert_allclose(found.scaling.std, [1.0, *(2 * [factor * moves.std()])])
    # As the released code does it: squares of both coordinates over the number of steps.
    by_steps = np.sqrt(np.square(moves - moves.mean()).sum() / len(moves))
    if scale == "published":
        assert found.scaling.std[1] == pytest.approx(by_steps)
    batch = next(padded_batches(found.test, batch_size=1))
    recorded = found.test.sequences[0]
    np.testing.assert_allclose(
        batch.x[:, 0].numpy(), recorded / found.scaling.std, rtol=1e-5, atol=1e-6
    )
    assert found.scaling.log_volume == pytest.approx(2 * np.log(factor * moves.std()))


def test_damaged_drawings_are_refused(tmp_path, monkeypatch):
    name = "strokes_background_small1/Latin/character09/09_01.txt"
    small_handwriting.put(tmp_path, monkeypatch, **{name: "START\n1.0,2.0,later\nBREAK\n"})
    with pytest.raises(DataError, match=r"09_01.txt: expected lines of x, y and time"):
        omniglot()


def test_lines_of_iam_are_split_by_the_lists_of_the_benchmark(tmp_path):
    lines = put_iam(tmp_path)
    found = iam(tmp_path)
    assert [len(part) for part in (found.training, found.validation, found.test)] == [4, 2, 2]
    noise = []
    for found_moves, strokes in (
        (found.training.sequences[3], lines["a01-001z", 2]),
        (found.test.sequences[0], lines["c03-000a", 1]),
    ):
        moves = to_moves(strokes)
        np.testing.assert_array_equal(found_moves[:, 0], moves[:, 0])
        # Whole numbers have been moved to anywhere in their cells, places and not movements.
        moved = np.cumsum(found_moves[:, 1:] - moves[:, 1:], axis=0)
        assert np.abs(moved).max() < 1.0
        assert len(np.unique(moved)) == moved.size
        noise.append(moved[0, 0])
    assert noise[0] != noise[1]
    again = iam(tmp_path)
    np.testing.assert_array_equal(again.test.sequences[0], found.test.sequences[0])


def test_other_folders_are_refused(tmp_path):
    put_iam(tmp_path)
    path = tmp_path / "lineStrokes" / "a01" / "a01-000" / "a01-000u-01.xml"
    whole = path.read_text()
    for damaged in (whole[:200], whole.replace('x="', 'z="', 1)):
        path.write_text(damaged)
        with pytest.raises(DataError, match=r"a01-000u-01.xml: expected strokes of points"):
            iam(tmp_path)
    for strange in ("nan", "inf"):
        path.write_text(re.sub('y="[^"]*"', f'y="{strange}"', whole, count=1))
        with pytest.raises(DataError, match=r"a01-000u-01.xml: expected finite x and y"):
            iam(tmp_path)
    path.write_text(whole)
    (tmp_path / "task1" / "testset_f.txt").write_text("z99-000\n")
    with pytest.raises(DataError, match="test: expected at least one sequence"):
        iam(tmp_path)
    (tmp_path / "task1" / "testset_v.txt").unlink()
    with pytest.raises(DataError, match=r"the list testset_v.txt.* among 14 XML files"):
        iam(tmp_path)
    for place, found in ((tmp_path / "nowhere", "nothing"), (path, "a file")):
        with pytest.raises(DataError, match=f"expected a folder with IAM-OnDB, found {found}"):
            iam(place)
    with pytest.raises(DataError, match="expected movements to train on"):
        to_handwriting("nothing", [], [], [])


@needs_omniglot
def test_the_real_drawings_have_the_measured_sizes():
    found = omniglot()
    counts = [len(part) for part in (found.training, found.validation, found.test)]
    assert counts == [3388, 726, 726]
    assert found.scaling.std[1] == pytest.approx(6.24, abs=0.01)
