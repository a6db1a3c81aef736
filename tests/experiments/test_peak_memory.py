"""The peak of steps whose allocations are known."""

import pytest
import torch
from torch import nn

from experiments.benchmarks.peak_memory import peak_memory

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="PyTorch finds no CUDA GPU")
on_devices = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda:0", marks=needs_cuda)])
UNIT = 2**20
"""Bytes; CUDA's allocator hands out whole multiples of 512."""


def units(count, device):
    return torch.ones(count * UNIT // 4, device=device)


@on_devices
def test_what_lives_at_once_is_counted(device):
    def step():
        a = units(4, device)
        b = units(2, device)
        del a
        c = units(3, device)
        view = c[:10].add_(1.0)
        del b, c, view
        units(1, device)

    assert peak_memory(step, device) == 6 * UNIT


@on_devices
def test_what_a_step_leaves_is_resting_and_makes_room_when_it_is_freed(device):
    kept = {}

    def step():
        kept.pop("before", None)
        passing = units(3, device)
        kept["before"] = units(2, device)
        del passing

    assert peak_memory(step, device) == 3 * UNIT


@on_devices
def test_what_a_step_adds_for_good_is_counted(device):
    kept = []
    assert peak_memory(lambda: kept.append(units(2, device)), device) == 2 * UNIT


@on_devices
def test_what_was_there_before_is_not_counted(device):
    data = units(8, device)
    assert peak_memory(lambda: data.neg_().view(2, -1).t(), device) == 0


@on_devices
def test_what_is_saved_for_the_gradient_is_counted(device):
    x = units(1, device).requires_grad_()

    def step():
        x.grad = None
        y = x
        for _ in range(8):
            y = y.sigmoid()  # keeps its result until the gradient is taken
        y.sum().backward()

    # The gradient that is freed first is part of the resting state; two are alive going back.
    found = peak_memory(step, device)
    assert 8 * UNIT <= found <= 9 * UNIT + 4096


def test_it_is_the_same_each_time():
    torch.manual_seed(0)
    layers = nn.Sequential(nn.Conv2d(1, 8, 5), nn.GroupNorm(1, 8), nn.ELU(), nn.Conv2d(8, 8, 5))
    optimizer = torch.optim.Adam(layers.parameters())
    images = torch.randn(16, 1, 28, 28)

    def step():
        optimizer.zero_grad()
        layers(images).square().sum().backward()
        optimizer.step()

    first = peak_memory(step, "cpu")
    saved = 4 * 16 * 8 * (3 * 24 * 24 + 20 * 20)  # outputs of the four layers, bytes
    assert saved < first < 3 * saved
    assert peak_memory(step, "cpu") == first


def test_measuring_is_silent(capfd):
    peak_memory(lambda: None, "cpu")
    assert capfd.readouterr() == ("", "")
