"""What the benchmarks of a step and of the bound measure, at tiny sizes."""

import json
import re
from functools import partial

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from experiments.benchmark import main
from experiments.benchmarks.arithmetic import count_operations, matrix_rate
from experiments.benchmarks.processes import measure_processes as measure


@pytest.fixture
def benchmark(tmp_path, capsys):
    def run(name, *arguments, expect=0):
        file = tmp_path / "rows.json"
        given = [name, *map(str, arguments), "--json", str(file)]
        given += [] if name == "epoch" else ["--repeats", "1"]
        given += [] if name == "processes" else ["--device", "cpu"]
        assert main(given) == expect
        printed = capsys.readouterr()
        return printed.err if expect else (json.loads(file.read_text())["rows"], printed.out)

    return run


def test_a_step_of_every_guide_is_compared_with_its_twin(benchmark):
    rows, printed = benchmark("step", "--batch-size", 2, "--steps", 2)
    assert [row["guide"] for row in rows] == ["n-em", "rnn-em", "r-nem", "vrnn"]
    for row in rows:
        assert row["ratio"] == pytest.approx(row["seconds"] / row["reference_seconds"])
        assert (row["batch_size"], row["components"], row["steps"]) == (2, 3, 2)
        assert row["machinery"] < 1
        assert 0 < row["of_limit"] < 1
        assert min(row["peak_bytes"], row["reference_peak_bytes"]) > 0
    assert "peak, MB" in printed


def test_a_step_of_one_guide_and_the_small_network(benchmark, monkeypatch):
    monkeypatch.setattr(torch.nn.Module, "compile", lambda module: None)
    size = ("--batch-size", 2, "--steps", 1, "--components", 2)
    rows, _ = benchmark("step", "--guide", "rnn-em", "--network", "located", *size, "--compiled")
    assert [row["form"] for row in rows] == ["plain", "compiled"]
    for row in rows:
        assert (row["guide"], row["network"], row["components"]) == ("rnn-em", "located", 2)
        assert row["ratio"] == pytest.approx(row["seconds"] / row["reference_seconds"])
    assert rows[1]["machinery"] is None


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_on_a_gpu_the_captured_step_is_measured_too(capsys):
    arguments = ["step", "--guide", "rnn-em", "--batch-size", "2", "--steps", "2", "--repeats", "1"]
    assert main(arguments) == 0
    assert capsys.readouterr().out.count("official") == 2


def test_the_bound_is_compared_with_pyros(benchmark):
    size = ("--batch-size", 2, "--steps", 2, "--components", 3, "--pixels", 5)
    (row,), printed = benchmark("bound", *size)
    assert row["ratio"] == pytest.approx(row["seconds"] / row["reference_seconds"])
    assert (row["batch_size"], row["steps"], row["components"], row["pixels"]) == (2, 2, 3, 5)
    assert "ratio" in printed
    refused = benchmark("bound", "--steps", 2, expect=2)
    assert "expected all four or none of them" in refused


def test_operations_of_products_and_convolutions_are_counted():
    layer = nn.Linear(5, 7)

    def step():
        # The gradient of the weights alone: the input needs none.
        layer(torch.rand(3, 5)).sum().backward()

    assert count_operations(step) == 2 * (2 * 3 * 5 * 7)
    image, kernel = torch.rand(2, 3, 6, 6), torch.rand(4, 3, 3, 3)
    assert count_operations(lambda: F.conv2d(image, kernel)) == 2 * (2 * 4 * 4 * 4) * (3 * 3 * 3)


def test_the_rate_of_a_device_is_that_of_a_large_product():
    # Slower than a hundred million a second is no processor of ours, faster than 1e16 none.
    assert 1e8 < matrix_rate("cpu") < 1e16


def test_an_epoch_is_timed_as_it_is_trained(benchmark, monkeypatch, tmp_path):
    monkeypatch.setenv("PYRO_NEM_CACHE", str(tmp_path / "cache"))
    (row,), printed = benchmark(
        "epoch", "--network", "located", "--sequences", 8, "--batch-size", 4
    )
    assert (row["sequences"], row["validation_sequences"], row["batch_size"]) == (8, 8, 4)
    assert row["sequences_per_second"] == pytest.approx(8 / row["seconds"])
    assert row["peak_bytes"] is None
    assert "validation loss" in printed


def test_processes_that_share_an_update_are_compared_with_one(benchmark, monkeypatch, tmp_path):
    monkeypatch.setattr("experiments.benchmark.measure_processes", partial(measure, rounds=1))
    # They see no GPU, so the result must name none either.
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.get_device_name", lambda device: "a GPU")
    size = ("--batch-size", 2, "--steps", 2, "--components", 2)
    (row,), printed = benchmark("processes", *size)
    assert re.search(r"^on \S+ CPU, \d+ threads;", printed, re.MULTILINE)
    assert " CPU, " in json.loads((tmp_path / "rows.json").read_text())["device"]
    assert (row["processes"], row["batch_size"], row["steps"], row["components"]) == (2, 2, 2, 2)
    assert row["ratio"] == pytest.approx(row["seconds"] / row["reference_seconds"])


def test_processes_that_cannot_be_timed(benchmark, monkeypatch):
    assert "no multiple of 2" in benchmark("processes", "--batch-size", 3, expect=2)
    monkeypatch.setattr("sys.executable", "false")
    assert "timing 2 of them failed" in benchmark("processes", expect=2)


@pytest.mark.parametrize(
    "words", ["processes --device cpu", "processes --threads 2", "epoch --repeats 3"]
)
def test_options_without_effect_are_refused(words, capsys):
    with pytest.raises(SystemExit) as refused:
        main(words.split())
    assert refused.value.code == 2
    said = " ".join(capsys.readouterr().err.split())
    assert f"misplaced options: {words.split()[1]} (applied to" in said
