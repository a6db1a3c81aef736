"""Precision and compilation: the same computation, carried out otherwise."""

import shutil
from dataclasses import replace

import guide_zoo
import pytest
import torch
from small_run import CONFIG, build, frames

from inference import Execution, NEMObjective, fit, prepare
from inference.holding import hold_frames
from pyro_nem.errors import ConfigError


@pytest.fixture(autouse=True)
def precision_of_the_process():
    before = torch.get_float32_matmul_precision(), torch.backends.cudnn.allow_tf32
    yield
    torch.set_float32_matmul_precision(before[0])
    torch.backends.cudnn.allow_tf32 = before[1]


def quiet_compiler(test):
    """Let PyTorch's compiler warn of its own ways, which would be errors inside it."""
    for message in ("The .grad attribute of a Tensor", "`torch.jit.script"):
        test = pytest.mark.filterwarnings(f"ignore:{message}")(test)
    return test


def loss_and_gradient(objective, clip):
    loss = objective(clip, torch.Generator().manual_seed(3)).loss
    return loss, torch.autograd.grad(loss, list(objective.parameters()))


def single(name):
    model, guide = guide_zoo.build(name, 3)
    clip = guide_zoo.make_clip(3, 4)
    clip = type(clip)(clip.inputs.float(), clip.targets.float())
    return NEMObjective(model.float(), guide.float()), clip


def test_a_cpu_is_left_as_it_is_and_cuda_gets_everything_but_bfloat16():
    assert Execution.usual("cpu") == Execution()
    usual = Execution.usual("cuda:1")
    assert (usual.precision, usual.capture, usual.resident) == ("tf32", True, True)


@pytest.mark.parametrize(
    ("options", "message"),
    [({"precision": "tf32"}, "precision tf32: only CUDA"), ({"capture": True}, "capture: only")],
)
def test_what_only_cuda_has_is_refused_elsewhere(options, message):
    objective, _ = single("rnn-em, located")
    with pytest.raises(ConfigError, match=message):
        prepare(objective, Execution(**options))


def test_an_unknown_precision():
    with pytest.raises(ConfigError, match="precision: expected one of float32, tf32, bfloat16"):
        Execution("float16")


@pytest.mark.parametrize(("precision", "allowed"), [("bfloat16", True), ("float32", False)])
def test_pytorchs_flags_of_precision_agree(precision, allowed):
    objective, _ = single("rnn-em, located")
    prepare(objective, Execution(precision))
    assert torch.backends.cuda.matmul.allow_tf32 is allowed
    assert torch.backends.cudnn.allow_tf32 is allowed
    assert (torch.backends.cuda.matmul.fp32_precision == "tf32") is allowed
    assert (torch.get_float32_matmul_precision() == "high") is allowed
    with torch.backends.cudnn.flags(enabled=True):
        pass


@pytest.mark.parametrize("name", guide_zoo.GUIDES)
def test_bfloat16_stays_within_the_networks(name):
    objective, clip = single(name)
    exact, gradient = loss_and_gradient(objective, clip)
    prepare(objective, Execution("bfloat16"))
    seen = []
    for network in (objective.model.decoder, *objective.guide.children()):
        network.register_forward_hook(lambda *_: seen.append(torch.is_autocast_enabled("cpu")))
    coarse, rough = loss_and_gradient(objective, clip)
    assert any(seen)
    rollout = objective(clip).rollout
    assert {part.dtype for part in rollout[:4]} == {torch.float32}
    assert coarse.dtype == torch.float32
    assert coarse.item() == pytest.approx(exact.item(), rel=0.02)
    assert coarse.item() != exact.item()
    for one, two in zip(gradient, rough, strict=True):
        assert two.dtype == torch.float32
        assert (one - two).norm() <= 0.25 * one.norm() + 1e-3


@quiet_compiler
@pytest.mark.skipif(shutil.which("g++") is None, reason="needs a C++ compiler")
def test_compiled_networks_compute_the_same_and_keep_their_names():
    objective, clip = single("rnn-em, located")
    names = list(objective.state_dict())
    loss, gradient = loss_and_gradient(objective, clip)
    prepare(objective, Execution(compile=True))
    assert objective.model.decoder._compiled_call_impl is not None
    fused, compiled = loss_and_gradient(objective, clip)
    assert list(objective.state_dict()) == names
    torch.testing.assert_close(fused, loss)
    for one, two in zip(compiled, gradient, strict=True):
        torch.testing.assert_close(one, two, rtol=1e-4, atol=1e-5)


@quiet_compiler
@pytest.mark.parametrize("name", guide_zoo.GUIDES)
def test_every_network_is_compiled_in_one_piece(name, monkeypatch):
    objective, clip = single(name)
    original = torch.nn.Module.compile
    compiled = []

    def in_one_piece(module):
        compiled.append(type(module).__name__)
        original(module, backend="eager", fullgraph=True)

    monkeypatch.setattr(torch.nn.Module, "compile", in_one_piece)
    prepare(objective, Execution(compile=True))
    loss_and_gradient(objective, clip)
    assert len(compiled) == (1 if name == "n-em" else 3)


def test_training_with_resident_frames_gives_the_same_numbers():
    config = replace(CONFIG, updates=4)
    losses = []
    for execution in (Execution(), Execution(resident=True)):
        found = fit(
            *build(), frames(), config=config, execution=execution, report=lambda line: None
        )
        losses.append([record["train.loss"] for record in found.records])
    assert losses[0] == losses[1]


def test_frames_that_do_not_fit_stay_where_they_are(monkeypatch):
    monkeypatch.setattr("inference.holding.MEMORY_LIMIT", 1000)
    lines = []
    assert hold_frames(frames(), 3, torch.device("cpu"), lines.append) is None
    assert "batches are read from the source" in lines[0]
    assert "more than the limit of 1,000" in lines[0]
