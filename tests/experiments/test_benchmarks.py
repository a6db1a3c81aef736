"""What the benchmarks of loading and of growth measure, at tiny sizes."""

import json
import time

import h5py
import numpy as np
import pytest
import torch

from experiments.benchmark import main
from experiments.benchmarks import data as measure_data
from experiments.benchmarks import training_step as step_module
from experiments.benchmarks.scaling import ScalingRow, slope_of
from experiments.benchmarks.training_step import training_step
from experiments.frames.assembly import build_objective
from experiments.frames.defaults import defaults
from pyro_nem.data import FrameBlock, HDF5Frames, Split, write_frames


@pytest.fixture
def benchmark(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))

    def run(*arguments, expect=0):
        file = tmp_path / "rows.json"
        given = [*map(str, arguments), "--repeats", "1", "--device", "cpu", "--json", str(file)]
        assert main(given) == expect
        printed = capsys.readouterr()
        return printed.err if expect else (json.loads(file.read_text()), printed.out)

    return run


def test_loading_is_compared_with_what_is_consumed(benchmark):
    found, printed = benchmark("data", "--sequences", 20, "--batch-size", 8, "--consumed", 10)
    ways = [("bytes", False), ("bytes", True), ("float32", False), ("float32", True)]
    ways.append(("resident", False))
    kinds = [("flying_shapes", 21, 784), ("bouncing_balls", 31, 4096)]
    rows = found["rows"]
    assert [(row["data"], row["frames"], row["pixels"]) for row in rows] == [
        kind for kind in kinds for _ in ways
    ]
    assert [(row["storage"], row["prefetch"]) for row in rows] == ways * 2
    for row in rows:
        assert (row["sequences"], row["batch_size"]) == (16, 8)
        assert row["sequences_per_second"] == pytest.approx(16 / row["seconds"])
        megabytes = 4e-6 * 16 * row["frames"] * row["pixels"]
        assert row["megabytes_per_second"] == pytest.approx(megabytes / row["seconds"])
        assert row["ratio"] == pytest.approx(row["sequences_per_second"] / 10)
    assert "sequences/s" in printed


def test_what_is_consumed_is_measured_for_each_kind_of_data(monkeypatch):
    calls = []

    def pretend(settings, batch_size, side, device):
        calls.append((settings.guide, settings.network, settings.steps, batch_size, side, device))
        return lambda: time.sleep(0.05)

    monkeypatch.setattr(measure_data, "training_step", pretend)
    found = [
        measure_data.consumed_per_second(data, 64, 1, "cpu")
        for data in ("flying_shapes", "bouncing_balls")
    ]
    assert found == pytest.approx([64 / 0.05, 4 / 0.05], rel=0.5)
    assert calls == [
        ("rnn-em", "official", 20, 64, 28, "cpu"),
        ("r-nem", "official", 30, 4, 64, "cpu"),
    ]


def test_the_published_copy_holds_the_same_as_float32(tmp_path):
    random = np.random.default_rng(0)
    arrays = random.integers(0, 2, (2, 3, 205, 4, 5, 1), np.uint8)
    path, copy = tmp_path / "ours.h5", tmp_path / "published.h5"
    write_frames(path, {"training": Split(205, [FrameBlock(*arrays)])}, {})
    with HDF5Frames(path, "training") as source:
        measure_data.write_as_published(copy, source)
    with h5py.File(copy) as file:
        for key, array in zip(("features", "groups"), arrays, strict=True):
            dataset = file[f"training/{key}"]
            assert (dataset.dtype, dataset.chunks) == (np.float32, (1, 100, 4, 5, 1))
            np.testing.assert_array_equal(dataset[:], array)


def test_growth_is_measured_along_each_axis_of_several_sizes(benchmark):
    # Of fewer frames, the gradient of the weights would be the peak, whatever their number.
    sizes = ("--batch-size", 4, 64, "--steps", 2, "--components", 2, "--pixels", 64, 1024)
    found, printed = benchmark("scaling", *sizes, "--particles", 1, 24)
    names = ("axis", "guide", "batch_size", "steps", "components", "pixels", "particles")
    rows = found["rows"]
    assert [tuple(row[name] for name in names) for row in rows] == [
        ("batch_size", "rnn-em", 4, 2, 2, 64, 1),
        ("batch_size", "rnn-em", 64, 2, 2, 64, 1),
        ("pixels", "rnn-em", 4, 2, 2, 64, 1),
        ("pixels", "rnn-em", 4, 2, 2, 1024, 1),
        ("particles", "vrnn", 4, 2, 2, 64, 1),
        ("particles", "vrnn", 4, 2, 2, 64, 24),
    ]
    assert [slope["axis"] for slope in found["slopes"]] == ["batch_size", "pixels", "particles"]
    for smaller, larger, slope in zip(rows[::2], rows[1::2], found["slopes"], strict=True):
        assert 0 < smaller["peak_bytes"] < larger["peak_bytes"]
        growth = np.log(larger[slope["axis"]] / smaller[slope["axis"]])
        memory = np.log(larger["peak_bytes"] / smaller["peak_bytes"]) / growth
        duration = np.log(larger["seconds"] / smaller["seconds"]) / growth
        assert (slope["memory"], slope["time"]) == pytest.approx((memory, duration))
    assert "peak, MB" in printed


def test_a_slope_is_the_exponent():
    rows = [
        ScalingRow("scaling", "steps", "rnn-em", 1, size, 1, 1, 1, 3.0 * size**2, 7 * size)
        for size in (5, 10, 40)
    ]
    slope = slope_of(rows)
    assert slope.axis == "steps"
    assert (slope.time, slope.memory) == pytest.approx((2.0, 1.0))


def test_a_training_step_updates_the_weights_and_keeps_no_gradient(monkeypatch):
    built = []

    def build(settings, image_shape):
        built.append(build_objective(settings, image_shape))
        return built[0]

    monkeypatch.setattr(step_module, "build_objective", build)
    step = training_step(defaults("flying_shapes", "smoke", None, "official"), 2, 8, "cpu")
    before = [weight.clone() for weight in built[0].parameters()]
    step()
    assert not any(map(torch.equal, before, built[0].parameters()))
    assert all(weight.grad is None for weight in built[0].parameters())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("data", "--consumed", "0"), "--consumed: expected a number above 0, got 0"),
        (("data", "--sequences", "10"), "--sequences: expected at least --batch-size 64, got 10"),
        (("scaling", "--pixels", "784", "800"), "--pixels: expected squares of whole numbers"),
        (("scaling", "--steps", "5", "5"), "--steps: expected one or more sizes, each once"),
        (("scaling", "--steps", "0", "5"), r"--steps: expected at least 1, got (0, 5)"),
        (("scaling", "--pixels", "81"), "multiples of 4, got 9x9"),
    ],
)
def test_bad_input_is_explained(benchmark, arguments, message):
    assert message in benchmark(*arguments, expect=2)
