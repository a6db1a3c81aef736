"""One update: failures that the device notes and the host hears of later."""

import copy
import math
from dataclasses import replace

import pytest
import torch
from small_run import CONFIG

from inference import train
from inference.update import Update
from pyro_nem.errors import NumericalError

DEVICES = [
    "cpu",
    pytest.param(
        "cuda",
        marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"),
    ),
]


class Square:
    """The loss of a linear layer, its value or gradient broken at the updates of ``bad``."""

    def __init__(self, bad=(), *, gradient=False):
        self.bad = bad
        self.gradient = gradient

    def batches(self, start):
        while True:
            yield torch.ones(3)

    def loss(self, module, batch, generator, update):
        loss = module(batch.to(generator.device)).square().sum()
        if update in self.bad and self.gradient:
            loss = loss + (0.0 * loss).sqrt()
        elif update in self.bad:
            loss = loss * math.nan
        return loss, dict

    def validate(self, module):
        return {}


def linear(device="cpu"):
    torch.manual_seed(0)
    return torch.nn.Linear(3, 1).to(device)


def values(module):
    return [parameter.detach().clone() for parameter in module.parameters()]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize(("gradient", "message"), [(False, "loss became nan"), (True, "gradient")])
def test_a_deferred_failure_changes_nothing_from_there_on(device, gradient, message):
    module = linear(device)
    step = Update(Square((2, 4), gradient=gradient), module, CONFIG, deferred=True)
    for update in range(2):
        step(torch.ones(3), update)
    step.check()
    before = values(module)
    average = values(step.averaged())
    for update in range(2, 6):
        step(torch.ones(3), update)
    for one, two in zip(before, values(module), strict=True):
        assert torch.equal(one, two)
    assert all(part.isfinite().all() for part in values(step.averaged()))
    assert not torch.equal(average[0], before[0])
    for ask in (step.check, step.mean_loss, step.state):
        with pytest.raises(NumericalError, match=f"{message}.* at update 3;"):
            ask()


def test_deferring_changes_no_number():
    modules = [linear(), linear()]
    for module, deferred in zip(modules, (False, True), strict=True):
        step = Update(
            Square(), module, replace(CONFIG, clip_norm=0.5, averaging=None), deferred=deferred
        )
        for update in range(5):
            step(torch.ones(3), update)
        assert step.mean_loss() > 0
        norm = torch.nn.utils.get_total_norm([part.grad for part in module.parameters()])
        assert norm.item() == pytest.approx(0.5)
    for one, two in zip(*map(values, modules), strict=True):
        torch.testing.assert_close(one, two)


def test_a_state_saved_on_another_device_keeps_this_ones_adam():
    saving = Update(Square(), linear(), CONFIG, deferred=False)
    saving(torch.ones(3), 0)
    state = copy.deepcopy(saving.state())
    module = linear()
    step = Update(Square((1,)), module, CONFIG, deferred=True)
    step.load(state)
    before = values(module)
    step(torch.ones(3), 1)
    assert torch.equal(before[0], values(module)[0])
    with pytest.raises(NumericalError, match="update 2"):
        step.check()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_on_a_gpu_the_host_does_not_wait_and_no_bad_checkpoint_is_written():
    saved = []

    class Keeper:
        def save(self, state, *, best):
            saved.append((state["update"], copy.deepcopy(state["module"])))

    config = replace(CONFIG, log_every=4, validate_every=4, updates=8)
    step = Update(Square(), linear("cuda"), config, deferred=True)
    step(torch.ones(3), 0)
    batch = torch.ones(3, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        step(batch, 1)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    with pytest.raises(NumericalError, match="update 6"):
        train(Square((5,)), linear("cuda"), config, log=lambda record: None, checkpointer=Keeper())
    assert [update for update, _ in saved] == [0, 4]
    assert all(part.isfinite().all() for part in saved[-1][1].values())
