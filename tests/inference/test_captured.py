"""Updates that are recorded once and replayed: the same numbers as without."""

import weakref
from dataclasses import replace

import pytest
import torch
from small_run import CONFIG, build, frames

from inference import BoundConfig, Execution, NEMObjective, fit, fit_objective
from inference.captured import CapturedUpdate
from inference.frame_task import FrameTask
from inference.update import Update
from pyro_nem.data import FrameBatch, Noise, ResidentFrames

needs_cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
NOISE = Noise("bitflip", 0.2)


class Recording:
    """Stands in for a CUDA graph: what is replayed is the function that was recorded."""

    def __init__(self):
        self.beside_others = self.recorded = self.replayed = 0

    def beside(self, body):
        self.beside_others += 1
        return body()

    def record(self, body, generator):
        self.recorded += 1

        def replay():
            self.replayed += 1
            return body()

        return replay


def task(config, settled=0, device="cpu", resident=True):
    source = frames(sequences=16)
    resident = ResidentFrames(source, frames=4, device=device) if resident else None
    return FrameTask(source, None, 3, NOISE, config, settled=settled, resident=resident)


def train(make, updates=8, settled=0, bound=None, device="cpu", config=CONFIG, resident=True):
    config = replace(config, updates=updates)
    model, guide = build()
    objective = NEMObjective(model.to(device), guide.to(device), bound=bound).to(device)
    what = task(config, settled, device, resident)
    step = make(what, objective, config)
    losses, measured = [], []
    for update, batch in zip(range(updates), what.batches(0), strict=False):
        measure = step(batch, update)
        losses.append(step.mean_loss())
        measured.append(measure())
    return losses, measured, step


def usual(task, objective, config):
    return Update(task, objective, config, deferred=True)


def captured(recorder, lines=None):
    def make(task, objective, config):
        report = (lambda line: None) if lines is None else lines.append
        return CapturedUpdate(task, objective, config, report=report, recorder=recorder)

    return make


def graphs(task, objective, config):
    return CapturedUpdate(task, objective, config, report=pytest.fail)


def same(one, two, **tolerance):
    torch.testing.assert_close(torch.tensor(one[0]), torch.tensor(two[0]), **tolerance)
    for first, second in zip(one[1], two[1], strict=True):
        assert first == pytest.approx(second, rel=1e-3)
    for first, second in zip(
        one[2].module.state_dict().values(), two[2].module.state_dict().values(), strict=True
    ):
        torch.testing.assert_close(first, second, **tolerance)


def test_a_replayed_update_takes_the_batch_the_seed_and_the_learning_rate_of_its_number():
    recording = Recording()
    found = train(captured(recording))
    assert (recording.beside_others, recording.recorded, recording.replayed) == (3, 1, 5)
    same(found, train(usual), rtol=0, atol=0)
    assert len(set(found[0])) == 8


def test_nothing_is_recorded_while_the_loss_still_changes():
    recording = Recording()
    bound = BoundConfig(kl_warmup=4)
    train(captured(recording), settled=bound.kl_warmup)
    assert (recording.recorded, recording.replayed) == (1, 1)


def test_a_recording_that_fails_is_reported_and_changes_nothing():
    class Refusing(Recording):
        def record(self, body, generator):
            try:
                raise RuntimeError("operation not permitted when stream is capturing\nand more")
            finally:
                # As when PyTorch ends a recording that has failed.
                raise RuntimeError("a previous error during capture")

    lines = []
    same(train(captured(Refusing(), lines)), train(usual), rtol=0, atol=0)
    assert lines == [
        "the update cannot be captured (operation not permitted when stream is capturing); "
        "training goes on without"
    ]


def test_other_errors_are_not_taken_for_a_failed_recording():
    class Broken(Recording):
        def record(self, body, generator):
            raise TypeError("a mistake")

    with pytest.raises(TypeError, match="a mistake"):
        train(captured(Broken()))


def test_what_measures_a_batch_does_not_keep_the_graph_of_its_gradient():
    model, guide = build()
    objective = NEMObjective(model, guide)
    what = task(CONFIG)
    weight = next(objective.parameters())
    loss, measure = what.loss(objective, next(what.batches(0)), torch.Generator(), 0)
    # The node that a gradient ends in lives as long as something holds the graph.
    node = weak_node(weight)
    assert node() is not None
    del loss
    assert measure()["ari"] <= 1.0
    assert node() is None


def weak_node(parameter):
    """Return a weak reference to the mark of the node that gathers a parameter's gradient."""

    class Mark:
        pass

    node = parameter.view_as(parameter).grad_fn.next_functions[0][0]
    node.metadata["mark"] = mark = Mark()
    return weakref.ref(mark)


@needs_cuda
@pytest.mark.parametrize("resident", [False, True])
@pytest.mark.parametrize("averaging", [None, 0.9])
@pytest.mark.parametrize("warmup", [0, 4])
def test_a_graph_gives_the_losses_of_usual_updates(averaging, warmup, resident):
    config = replace(CONFIG, averaging=averaging, clip_norm=1.0)
    options = {"device": "cuda", "config": config, "settled": warmup, "resident": resident}
    found = train(graphs, updates=10, **options)
    assert found[2]._replay is not None
    same(found, train(usual, updates=10, **options), rtol=1e-4, atol=1e-5)


@needs_cuda
@pytest.mark.filterwarnings("ignore:Synchronization debug mode")
def test_a_captured_update_does_not_wait():
    model, guide = build()
    objective = NEMObjective(model, guide).cuda()
    what = task(CONFIG, device="cuda")
    step = CapturedUpdate(what, objective, CONFIG, report=pytest.fail)
    batches = what.batches(0)
    for update in range(5):
        step(next(batches), update)
    # Within an epoch: its order is sent to the device when it begins.
    order = torch.arange(4, device="cuda")
    torch.cuda.set_sync_debug_mode("error")
    try:
        batch = what.resident.batch(order)
        for update in range(5, 9):
            step(batch, update)
    finally:
        torch.cuda.set_sync_debug_mode("default")
    step.check()


@needs_cuda
def test_a_guide_that_waits_is_trained_without_capture():
    model, guide = build()

    class Waiting(type(guide)):
        def step(self, state, *args, **options):
            assert state.psi.sum().item() >= 0
            return super().step(state, *args, **options)

    lines = []
    waiting = Waiting(model).cuda()
    stream = torch.cuda.current_stream()
    execution = Execution(capture=True, resident=True)
    config = replace(CONFIG, updates=6)
    found = fit(
        model.cuda(), waiting, frames(), config=config, execution=execution, report=lines.append
    )
    assert found.updates == 6
    (line,) = [line for line in lines if "cannot be captured" in line]
    assert "previous error" not in line
    assert torch.cuda.current_stream() == stream


@needs_cuda
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor", "ignore:`torch.jit.script")
@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_a_training_with_everything_on_learns_as_without(precision):
    records = []
    for everything in (False, True):
        model, guide = build()
        found = fit(
            model.cuda(),
            guide.cuda(),
            frames(),
            config=replace(CONFIG, updates=12),
            execution=Execution(precision, *[everything] * 3),
            report=lambda line: None,
        )
        records.append([record["train.loss"] for record in found.records])
    torch.testing.assert_close(*map(torch.tensor, records), rtol=2e-2, atol=1e-3)


@pytest.mark.skipif(torch.cuda.device_count() < 2, reason="needs two CUDA devices")
def test_the_second_gpu_captures_its_own_work():
    found = train(graphs, device="cuda:1")
    assert found[2]._replay is not None
    same(found, train(usual, device="cuda:1"), rtol=1e-4, atol=1e-5)


def test_the_batches_of_a_task_are_those_of_its_file():
    config = replace(CONFIG, batch_size=4)
    source = frames(sequences=10)
    held = task(config)
    held = replace(held, training=source, resident=ResidentFrames(source, frames=4, device="cpu"))
    read = replace(held, resident=None)
    for start in (0, 1, 3):
        pairs = zip(held.batches(start), read.batches(start), strict=False)
        for _, (ours, theirs) in zip(range(4), pairs, strict=False):
            assert isinstance(ours, FrameBatch)
            for one, two in zip(ours[:2], theirs[:2], strict=True):
                assert torch.equal(one, two)


def test_an_objective_that_cannot_be_captured_is_named():
    lines = []
    model, guide = build()
    objective = NEMObjective(model, guide, bound=BoundConfig("trace_enum"))
    fit_objective(
        objective,
        frames(),
        None,
        steps=3,
        noise=NOISE,
        config=replace(CONFIG, updates=2),
        directory=None,
        description={},
        resume=False,
        report=lines.append,
        execution=Execution(capture=True),
    )
    assert "TraceEnum_ELBO waits for the device" in lines[0]
