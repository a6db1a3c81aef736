"""A step of training moves nothing between the host's memory and the device's."""

import guide_zoo
import pyro
import pytest
import torch
from small_run import CONFIG, frames
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from inference import BoundConfig, NEMObjective
from inference.frame_task import FrameTask
from inference.weight_average import WeightAverage
from pyro_nem.data import FrameBatch, Noise

NOISE = Noise("bitflip", 0.2)


class OneDevice(TorchDispatchMode):
    """Refuses operations between the host's memory and the device's."""

    def __torch_dispatch__(self, operation, types, args=(), kwargs=None):
        result = operation(*args, **(kwargs or {}))
        tensors = [part for part in tree_leaves((args, kwargs, result)) if torch.is_tensor(part)]
        kinds = {part.device.type for part in tensors}
        assert len(kinds) < 2, f"{operation} works on {kinds}"
        return result


@pytest.fixture
def no_tensors_of_numbers(monkeypatch):
    """Refuse tensors made of Python's numbers elsewhere than on the CPU: they would be sent."""
    for name in ("tensor", "as_tensor"):
        original = getattr(torch, name)

        def checked(*args, original=original, device=None, **options):
            assert device is None or torch.device(device).type == "cpu", "sent to the device"
            return original(*args, device=device, **options)

        monkeypatch.setattr(torch, name, checked)


@pytest.mark.parametrize("missing", [False, True])
@pytest.mark.parametrize("name", guide_zoo.GUIDES)
def test_a_step_sends_nothing_to_the_device(name, missing, no_tensors_of_numbers):
    model, guide = guide_zoo.build(name, 2)
    bounds = [BoundConfig()]
    if name == "vrnn":
        bounds += [BoundConfig(kl_warmup=3, free_nats=0.1), BoundConfig("iwae", 3)]
        bounds += [BoundConfig("iwae", 3, "dreg"), BoundConfig("elbo", 3, "stl")]
        bounds += [BoundConfig(divergence="analytic")]
    for bound in bounds:
        weights = "all" if bound.gradient == "dreg" else (0.5, 0.0, 2.0)
        objective = NEMObjective(model, guide, bound=bound, step_weights=weights)
        clip = guide_zoo.make_clip(3, 2)
        if missing:
            clip = clip._replace(observed=clip.targets.squeeze(-1) < 2)
        # The device "meta" computes nothing, but knows where everything is.
        objective.to("meta")
        there = type(clip)(*(None if part is None else part.to("meta") for part in clip))
        with pyro.validation_enabled(False), OneDevice():
            objective(there, update=0).loss.backward()


def test_noise_loss_and_average_send_nothing_to_the_device(no_tensors_of_numbers):
    model, guide = guide_zoo.build("vrnn", 2)
    objective = NEMObjective(model, guide)
    average = WeightAverage(objective, 0.9)
    for module in (objective, average.module):
        module.to("meta")
    batch = frames(sequences=4)
    what = FrameTask(batch, None, 3, NOISE, CONFIG)
    there = next(what.batches(0))
    there = FrameBatch(there.frames.double().to("meta"), there.groups.to("meta"))
    with pyro.validation_enabled(False), OneDevice():
        for _ in range(2):
            what.loss(objective, there, None, 0)[0].backward()
            average.update(objective)


def test_what_a_step_sends_is_noticed(no_tensors_of_numbers):
    with OneDevice(), pytest.raises(AssertionError, match="works on"):
        torch.ones(3).to("meta")
    with pytest.raises(AssertionError, match="sent to the device"):
        torch.tensor([1.0], device="meta")
