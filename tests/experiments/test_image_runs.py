"""``run vae_mnist`` and ``iwae_mnist`` at smoke scale, and how their options become settings."""

import json

import pytest
import torch
from small_image_run import read, run

from experiments.images.assembly import build_objective, load_data
from experiments.images.config import ImageExperiment
from experiments.images.options import ImageOptions
from experiments.images.resolving import default_directory, resolve, resume_settings
from experiments.run import main
from inference import BoundConfig, RunDirectory, run_training
from pyro_nem.errors import CheckpointError, ConfigError

pytestmark = pytest.mark.usefixtures("no_report")

FIGURES = {"samples.png", "reconstructions.png", "interpolation.png", "learning_curves.png"}


@pytest.mark.parametrize(
    ("options", "more_figures", "active"),
    [
        (("vae_mnist", "--latent-size", "2"), ["manifold.png"], ["z_1"]),
        (("vae_mnist", "--optimizer", "adagrad", "--gradient", "stl"), [], ["z_1"]),
        (("iwae_mnist", "--layers", "2"), [], ["z_1", "z_2"]),
        (("iwae_mnist", "--objective", "vae", "--layers", "2"), [], ["z_1", "z_2"]),
    ],
    ids=" ".join,
)
def test_every_model_and_objective_runs(digits, tmp_path, capsys, options, more_figures, active):
    folder = tmp_path / "run"
    figures = FIGURES | set(more_figures)
    assert run(folder, *options) == 0
    summary = read(folder)
    assert summary["updates"] == 4
    assert (summary["test.images"], summary["test.likelihood_images"]) == (8, 4)
    assert {name.rpartition("active_")[2] for name in summary if "active" in name} == set(active)
    for bound in ("elbo", "iwae_3", "iwae_20"):
        assert 0 < summary[f"test.nll_{bound}"] < 1000
        assert summary["errors"][f"nll_{bound}"] > 0
    assert {"device", "commit", "command", "versions", "wall_seconds"} <= set(summary)
    assert {path.name for path in (folder / "figures").iterdir()} == figures
    printed = capsys.readouterr().out
    assert "update 4/4 | train loss" in printed
    assert "IWAE-20" in printed
    assert "active latents: " in printed


def test_a_run_is_stopped_and_continued(digits, tmp_path, monkeypatch, capsys):
    assert run(tmp_path / "whole", "iwae_mnist") == 0

    class Impatient(run_training.Interruption):
        def requested(self):
            return True

    folder = str(tmp_path / "parts")
    with monkeypatch.context() as patch:
        patch.setattr(run_training, "Interruption", Impatient)
        assert run(folder, "iwae_mnist") == 130
    said = capsys.readouterr().out
    assert f"python -m experiments.run iwae_mnist --resume --run-dir {folder}" in said
    assert main(["iwae_mnist", "--resume", "--run-dir", folder, "--seed", "7"]) == 2
    assert "holds a run with seed 0 instead of 7, which" in capsys.readouterr().err
    assert main(["iwae_mnist", "--resume", "--run-dir", folder]) == 0
    whole, parts = read(tmp_path / "whole"), read(tmp_path / "parts")
    same = [name for name in whole if name.startswith("test.")]
    assert [whole[name] for name in same] == [parts[name] for name in same]
    assert run(folder) == 2
    assert "holds a run already" in capsys.readouterr().err


def test_more_posteriors_than_test_images_are_refused(digits, tmp_path, capsys):
    assert run(tmp_path / "run", "vae_mnist", "--posterior-images", "9") == 2
    said = capsys.readouterr().err
    assert "--posterior-images: what is scored of " in said
    assert "holds 8, fewer than the 9 asked for" in said
    assert not (tmp_path / "run").exists()


def settings(experiment="vae_mnist", **options):
    return resolve(ImageOptions(experiment, device="cpu", **options))[0]


@pytest.mark.parametrize(
    ("experiment", "options", "bound"),
    [
        ("vae_mnist", {}, BoundConfig(divergence="analytic")),
        ("vae_mnist", {"gradient": "stl"}, BoundConfig(gradient="stl")),
        ("vae_mnist", {"objective": "iwae"}, BoundConfig("iwae", 50, "dreg")),
        ("iwae_mnist", {}, BoundConfig("iwae", 50, "dreg")),
        ("iwae_mnist", {"scale": "paper"}, BoundConfig("iwae", 50)),
        ("iwae_mnist", {"particles": 5}, BoundConfig("iwae", 5, "dreg")),
        ("iwae_mnist", {"objective": "vae"}, BoundConfig("vae", divergence="analytic")),
        ("iwae_mnist", {"objective": "vae", "layers": 2}, BoundConfig("vae")),
        ("iwae_mnist", {"objective": "vae", "divergence": "sampled"}, BoundConfig("vae")),
    ],
)
def test_an_objective_is_a_bound(experiment, options, bound):
    assert settings(experiment, **options).bound == bound


def test_paper_scales_are_those_of_the_papers():
    vae = settings("vae_mnist", scale="paper")
    assert (vae.latent_sizes, vae.widths, vae.depth) == ((20,), (500,), 1)
    assert vae.training.updates * vae.training.batch_size == 10**8
    assert (vae.training.optimizer, vae.training.decay) == ("adagrad", "constant")
    assert settings("vae_mnist", scale="paper", optimizer="adam").training.learning_rate == 1e-3
    one, two = (settings("iwae_mnist", scale="paper", layers=n) for n in (1, 2))
    assert (one.latent_sizes, one.widths) == ((50,), (200,))
    assert (two.latent_sizes, two.widths) == ((100, 50), (200, 100))
    for found in (one, two):
        # 3,280 passes through 50,000 images.
        assert found.training.updates * found.training.batch_size == 3280 * 50_000
        assert (found.training.decay, found.training.learning_rate) == ("stages", 1e-3)
        assert found.likelihood_images is found.test_images is None


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize("layers", [1, 2])
def test_settings_survive_a_journey_through_json(scale, layers):
    found = settings("iwae_mnist", scale=scale, layers=layers, binarization="fixed")
    again = ImageExperiment.from_dict(json.loads(json.dumps(found.to_dict())), "here")
    assert again == found
    content = {name: value for name, value in found.to_dict().items() if name != "widths"}
    with pytest.raises(CheckpointError, match="missing or unknown: widths"):
        ImageExperiment.from_dict(content, "x")


def test_weights_and_the_mean_image_come_from_settings_and_data(digits):
    chosen = settings("iwae_mnist", scale="smoke", layers=2)
    data = load_data(chosen)
    assert [len(part) for part in data] == [30, 8, 8]
    one, two = (build_objective(chosen, data.training).state_dict() for _ in range(2))
    assert all(torch.equal(one[name], two[name]) for name in one)
    assert one["model.output.mean"] == pytest.approx(data.training.mean().clamp(1e-4))
    assert one["model.decoders.0.0.0.bias"].abs().max() == 0
    vae = build_objective(settings(scale="smoke"), data.training)
    assert vae.model.decoders[0][0][0].bias.abs().max() > 0


def test_the_name_of_a_folder_tells_what_is_unusual():
    def name(experiment="vae_mnist", **options):
        return default_directory(settings(experiment, scale="laptop", **options)).as_posix()

    assert name() == "runs/vae_mnist/laptop-dynamic-elbo-seed0"
    assert name("iwae_mnist", layers=2) == ("runs/iwae_mnist/laptop-dynamic-iwae50-2layers-seed0")
    assert name("iwae_mnist", binarization="fixed", gradient="standard", seed=2).endswith(
        "/laptop-fixed-iwae50-standard-seed2"
    )
    assert name(optimizer="adagrad").endswith("elbo-adagrad-seed0")
    assert name(optimizer="adagrad", learning_rate=0.1).endswith("-adagrad-learning-rate0.1-seed0")
    assert name(latent_size=2, width=9, updates=3).endswith(
        "elbo-latent-size2-width9-updates3-seed0"
    )
    assert name(divergence="sampled").endswith("elbo-sampled-seed0")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"layers": 2}, "--layers: vae_mnist has one"),
        ({"latent_size": 0}, "--latent-size: expected at least 1"),
        ({"experiment": "iwae_mnist", "layers": 2, "width": 9}, "--width: several layers"),
        ({"objective": "iwae", "divergence": "analytic"}, "closed form has no draws"),
        (
            {
                "experiment": "iwae_mnist",
                "layers": 2,
                "objective": "elbo",
                "divergence": "analytic",
            },
            "with several layers of latents",
        ),
    ],
)
def test_contradictions_are_refused(digits, options, message):
    with pytest.raises(ConfigError, match=message):
        build_objective(found := settings(scale="smoke", **options), load_data(found).training)


def test_a_continued_run_has_the_settings_of_its_folder(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    found = settings("iwae_mnist", scale="smoke", objective="vae", layers=2)
    directory.create({"settings": found.to_dict()})
    same = ImageOptions("iwae_mnist", resume=True, device="cpu", layers=2, objective="vae")
    assert resume_settings(same, directory) == found
    for options, different in (
        ({"layers": 1}, "layers 2 instead of 1"),
        ({"binarization": "fixed"}, "binarization dynamic instead of fixed"),
        ({"optimizer": "adagrad"}, "optimizer adam instead of adagrad"),
        ({"particles": 2}, "particles 1 instead of 2"),
    ):
        asked = ImageOptions("iwae_mnist", resume=True, device="cpu", **options)
        with pytest.raises(CheckpointError, match=f"holds a run with {different}, which"):
            resume_settings(asked, directory)


def test_an_option_of_another_size_is_named_as_it_is_typed(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    directory.create({"settings": settings(scale="smoke").to_dict()})
    asked = ImageOptions("vae_mnist", resume=True, device="cpu", latent_size=3, width=5)
    with pytest.raises(
        CheckpointError, match=r"with latent-size .* of \(3,\), width .* \(5,\), wh"
    ):
        resume_settings(asked, directory)


@pytest.mark.parametrize(
    "options", [{"objective": "elbo"}, {"particles": 1}, {"gradient": "standard"}, {}]
)
def test_a_continued_run_keeps_its_divergence(tmp_path, options):
    directory = RunDirectory(tmp_path / "run")
    found = settings(scale="smoke", divergence="sampled")
    directory.create({"settings": found.to_dict()})
    same = ImageOptions("vae_mnist", resume=True, device="cpu", **options)
    assert resume_settings(same, directory) == found
    asked = ImageOptions("vae_mnist", resume=True, device="cpu", divergence="analytic", **options)
    with pytest.raises(CheckpointError, match="divergence sampled instead of analytic"):
        resume_settings(asked, directory)
