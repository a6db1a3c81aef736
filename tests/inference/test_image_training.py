"""Models of images are trained, stopped and continued by the loop of the mixtures, and scored."""

import math
from dataclasses import replace

import pytest
import torch
from small_images import MEAN, PIXELS, Chain, Gains, build, images
from small_run import numbers

from inference import BoundConfig, TrainingConfig, run_training
from inference.images import (
    ImageObjective,
    ImagePosterior,
    diagnose_images,
    fit_images,
    hmc_likelihood,
    latent_activity,
    score_images,
)
from inference.images.evaluation import score_objective
from inference.images.task import ImageTask
from inference.update import Update
from models import BernoulliOutput, GaussianOutput, ImageVAE
from pyro_nem.data import ImageSet
from pyro_nem.errors import CheckpointError, ConfigError

CONFIG = TrainingConfig(updates=6, batch_size=4, warmup=2, log_every=1, validate_every=2)


def objective(bound=None, layers=1):
    model, guide = build(layers)
    return ImageObjective(model.float(), guide.float(), bound=bound)


def run(directory=None, config=CONFIG, bound=None, **options):
    return fit_images(
        objective(bound or BoundConfig("iwae", 3, "dreg"), 2),
        images(10),
        images(5, seed=1).binarised(0),
        config=config,
        directory=directory,
        report=lambda line: None,
        **options,
    )


@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
@pytest.mark.parametrize("stop_after", [1, 3])
def test_a_resumed_run_gives_the_numbers_of_an_uninterrupted_one(
    tmp_path, monkeypatch, stop_after, optimizer
):
    config = TrainingConfig(**{**vars(CONFIG), "optimizer": optimizer})
    whole = run(tmp_path / "whole", config)

    class Impatient(run_training.Interruption):
        asked = 0

        def requested(self):
            self.asked += 1
            return self.asked >= stop_after

    with monkeypatch.context() as patch:
        patch.setattr(run_training, "Interruption", Impatient)
        assert run(tmp_path / "parts", config).reason == "interrupted"
    parts = run(tmp_path / "parts", config, resume=True)
    assert (parts.updates, parts.reason) == (6, "finished")
    assert numbers(parts.records) == numbers(whole.records)
    for a, b in zip(whole.objective.parameters(), parts.objective.parameters(), strict=True):
        assert torch.equal(a, b)


def test_the_optimiser_is_the_one_that_was_asked_for():
    task = ImageTask(images(10), None, CONFIG)
    for name, kind, can_defer in (
        ("adam", torch.optim.Adam, True),
        ("adagrad", torch.optim.Adagrad, False),
    ):
        config = TrainingConfig(**{**vars(CONFIG), "optimizer": name, "learning_rate": 0.3})
        step = Update(task, objective(BoundConfig()), config, deferred=True)
        assert type(step.optimizer) is kind
        # Only Adam can leave out a step on the device.
        assert step.deferred == can_defer
        assert float(step.optimizer.param_groups[0]["lr"]) == pytest.approx(0.3)


def test_stages_are_those_of_burda():
    config = TrainingConfig(updates=3280 * 5, learning_rate=1e-3, warmup=0, decay="stages")
    begins = [0, *(5 * sum(3**i for i in range(stage)) for stage in range(1, 8))]
    for stage, update in enumerate(begins):
        rate = 1e-3 * 10 ** (-stage / 7)
        assert config.learning_rate_at(update) == pytest.approx(rate)
        if update:
            assert config.learning_rate_at(update - 1) > 1.3 * rate
    assert config.learning_rate_at(3280 * 5 - 1) == pytest.approx(1e-4)


def test_bits_are_learned():
    """Three pixels that are always alike, which latents can tell and frequencies cannot."""
    levels = torch.randint(0, 2, (200, 1, 1)).repeat(1, 1, 3).mul(255).byte().numpy()
    source = ImageSet("alike", levels)
    model = ImageVAE(BernoulliOutput(3, source.mean()), latent_sizes=(1,), widths=(8,), layers=1)
    bound = BoundConfig(divergence="analytic")
    learner = ImageObjective(model, ImagePosterior(model), bound=bound)
    config = TrainingConfig(updates=200, batch_size=50, learning_rate=0.05, warmup=0)
    fit_images(learner, source, config=config, report=lambda line: None)
    found = score_images(learner, source, particles=(50,)).nats
    # Frequencies alone cost 3 ln 2, knowing that they are alike ln 2.
    assert math.log(2) - 0.02 < -found["iwae_50"] < 1.2


def test_scores_are_bounds_of_each_image_and_other_parts_are_other_draws():
    trained = objective(BoundConfig("iwae", 7, "dreg"), 1)
    data = images(9).binarised(0)
    scores = score_images(trained, data, particles=(2, 500))
    assert set(scores.values) == {"elbo", "kl", "iwae_2", "iwae_500"}
    nats = scores.nats
    assert nats["elbo"] < nats["iwae_500"] < 0 < nats["kl"]
    assert scores.values["iwae_2"].shape == (9,)
    expected = scores.values["elbo"].std() / 3
    assert scores.errors["elbo"] == pytest.approx(expected.item())
    own = score_objective(trained, data, rows_at_once=7).values["bound"]
    for rows in (1, 3):
        parts = score_objective(trained, data, rows_at_once=rows).values["bound"]
        assert (parts - own).abs().max() < 3
        assert (parts != own).any()
    alone = score_objective(trained, data.first(1), rows_at_once=7).values["bound"]
    torch.testing.assert_close(alone, own[:1])
    assert torch.equal(score_images(trained, data).values["kl"], scores.values["kl"])
    single = score_images(trained, data, particles=2).values
    assert set(single) == {"elbo", "kl", "iwae_2"}
    assert torch.equal(single["iwae_2"], scores.values["iwae_2"])
    for none in (0, (2, 0)):
        with pytest.raises(ConfigError, match="particles: expected at least 1, got 0"):
            score_images(trained, data, particles=none)


@pytest.mark.usefixtures("double_precision")
@pytest.mark.parametrize("rows", [4096, 100])
def test_many_draws_come_to_the_likelihood_in_whatever_parts(rows):
    model = Chain(2)
    x = torch.tensor([1.0, 0.0])
    data = ImageSet("two", (x * 255).byte().numpy()[:, None, None])
    trained = ImageObjective(model, Gains(model, offset=0.2), bound=BoundConfig("iwae", 4096))
    found = score_objective(trained, data, rows_at_once=rows).values["bound"]
    torch.testing.assert_close(found, model.log_likelihood(x[:, None]), atol=0.02, rtol=0)


@pytest.mark.usefixtures("double_precision")
def test_latents_that_follow_the_image_are_active():
    model, guide = build(2)
    with torch.no_grad():
        # z_1 tells pixel 0 (1 or not) and nothing else; z_2 tells z_1, loosely.
        for encoder, (row, column, gain) in zip(
            guide.encoders, ((0, 0, 0.8), (1, 0, 0.7)), strict=True
        ):
            encoder[0] = torch.nn.Identity()
            size = PIXELS if row == 0 else 3
            encoder[1] = torch.nn.Linear(size, encoder[1].out_features).double()
            encoder[1].weight.zero_()
            encoder[1].bias.zero_()
            encoder[1].weight[row, column] = gain
    data = images(2000).binarised(0)
    activity = latent_activity(ImageObjective(model, guide), data)
    assert activity.active == (1, 1)
    frequency = data.mean()[0].item()
    spread = 0.64 * frequency * (1 - frequency)
    assert activity.variances[0][0].item() == pytest.approx(spread, rel=0.01)
    # The noise of z_1 around its mean, of variance 1, is no activity of z_2.
    assert activity.variances[1][1].item() == pytest.approx(0.49 * spread, rel=0.1)
    assert activity.variances[1][0].item() == pytest.approx(0.0, abs=1e-12)
    with pytest.raises(ConfigError, match="draws: expected an even number"):
        latent_activity(ImageObjective(model, guide), data, draws=3)


def test_a_run_is_resumed_with_its_own_settings_only(tmp_path):
    folder = str(tmp_path / "run")
    run(folder)
    for name, change in {
        "training": {"config": replace(CONFIG, decay="constant")},
        "bound": {"bound": BoundConfig("iwae", 4, "dreg")},
    }.items():
        with pytest.raises(CheckpointError, match=f"holds a run with {name} = "):
            run(folder, resume=True, **change)
    assert run(folder, resume=True).updates == 6


def test_what_does_not_fit_is_refused():
    wide = ImageSet("wide", images(8).levels.repeat(2, 1))
    with pytest.raises(ConfigError, match=r"wide: has 12 pixels an image, but .* 6"):
        fit_images(objective(), wide, report=lambda line: None)
    for look in (
        lambda trained, data: fit_images(trained, images(8), data, report=lambda line: None),
        score_images,
        diagnose_images,
        latent_activity,
        hmc_likelihood,
    ):
        with pytest.raises(ConfigError, match=r"wide: has 12 pixels an image, but .* 6"):
            look(objective(), wide.binarised(0))
        with pytest.raises(ConfigError, match=r"data: expected images .* images are grey"):
            look(objective(), images(5))
    grey = ImageVAE(GaussianOutput(PIXELS), latent_sizes=(2,), widths=(3,))
    with pytest.raises(ConfigError, match="its output law, GaussianOutput, describes the levels"):
        fit_images(ImageObjective(grey, ImagePosterior(grey)), images(8), report=lambda line: None)
    for sizes, widths in (((), ()), ((2,), (3, 4))):
        with pytest.raises(ConfigError, match="widths: expected one for each"):
            ImageVAE(BernoulliOutput(PIXELS, MEAN), latent_sizes=sizes, widths=widths)
    with pytest.raises(ConfigError, match="latent_sizes: expected at least 1"):
        ImageVAE(BernoulliOutput(PIXELS, MEAN), latent_sizes=(0,), widths=(3,))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no CUDA device")
@pytest.mark.parametrize("optimizer", ["adam", "adagrad"])
def test_a_gpu_trains_and_scores(optimizer):
    model, guide = build(2)
    bound = BoundConfig("iwae", 3, "dreg")
    learner = ImageObjective(model.float(), guide.float(), bound=bound).to("cuda")
    config = TrainingConfig(**{**vars(CONFIG), "optimizer": optimizer})
    held_out = images(5, seed=1).binarised(0)
    trained = fit_images(learner, images(10), held_out, config=config, report=lambda line: None)
    losses = [record["validation.loss"] for record in trained.records if record["update"] % 2 == 0]
    assert len(losses) == 3
    assert losses[-1] != losses[0]
    assert score_images(learner, held_out, particles=(9,)).nats["iwae_9"] < 0
    assert latent_activity(learner, held_out).variances[1].shape == (2,)
    found = hmc_likelihood(learner, held_out.first(2), samples=40)
    assert found.log_likelihood.isfinite().all()
