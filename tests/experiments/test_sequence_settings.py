"""How the options of ``run chorales`` become settings, and settings become objects."""

import json

import pytest
import small_rolls

from experiments.cli import parse
from experiments.sequences.assembly import build_objective
from experiments.sequences.config import SequenceExperiment
from experiments.sequences.load_data import load_data
from experiments.sequences.options import SequenceOptions
from experiments.sequences.resolving import default_directory, resolve, resume_settings
from inference import BoundConfig, RunDirectory
from models import SequenceVRNN
from pyro_nem.errors import CheckpointError, ConfigError


@pytest.fixture
def jsb(tmp_path, monkeypatch):
    small_rolls.put(tmp_path / "data", monkeypatch)


def settings(experiment="chorales", **options):
    return resolve(SequenceOptions(experiment, device="cpu", **options))[0]


@pytest.mark.parametrize(
    ("options", "bound"),
    [
        ({}, BoundConfig(divergence="analytic", kl_warmup=700)),
        ({"scale": "paper"}, BoundConfig(divergence="analytic")),
        (
            {"objective": "vae", "particles": 3, "kl_warmup": 0},
            BoundConfig("vae", 3, divergence="analytic"),
        ),
        ({"gradient": "stl"}, BoundConfig(gradient="stl", kl_warmup=700)),
        ({"objective": "iwae"}, BoundConfig("iwae", 4, gradient="dreg")),
        ({"objective": "iwae", "gradient": "standard"}, BoundConfig("iwae", 4)),
        ({"objective": "iwae", "batch_norm": "on"}, BoundConfig("iwae", 4)),
        ({"objective": "iwae", "scale": "paper"}, BoundConfig("iwae", 4)),
        ({"objective": "fivo", "particles": 8}, BoundConfig("fivo", 8)),
    ],
)
def test_an_objective_is_a_bound(options, bound):
    assert settings(**options).bound == bound


@pytest.mark.parametrize(
    ("options", "updates"),
    [
        ({}, 700),
        ({"updates": 3}, 2),
        ({"updates": 2400}, 1400),
        ({"updates": 3, "kl_warmup": 3}, 3),
        ({"updates": 3, "objective": "vae"}, 2),
        ({"updates": 3, "objective": "iwae"}, 0),
        ({"updates": 3, "scale": "paper"}, 0),
        ({"scale": "smoke"}, 2),
        ({"scale": "smoke", "updates": 2}, 1),
        ({"scale": "smoke", "kl_warmup": 700}, 700),
    ],
    ids=str,
)
def test_the_kl_warms_up_within_the_training(options, updates):
    assert settings(**options).bound.kl_warmup == updates


@pytest.mark.parametrize(
    ("options", "laptop"),
    [
        ({}, None),
        ({"tunes": "nottingham"}, 100),
        ({"experiment": "strokes"}, None),
        ({"experiment": "speech"}, 40),
        ({"experiment": "handwriting"}, 100),
    ],
    ids=str,
)
def test_sequences_are_cut_as_the_help_says(options, laptop, capsys):
    with pytest.raises(SystemExit):
        parse(SequenceOptions, "run", ["--help"])
    printed = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert "at the laptop scale 100 for nottingham and handwriting and 40 for speech" in printed
    assert "at the smoke scale 20 for all, else not cut" in printed
    chunks = [settings(scale=scale, **options).chunk for scale in ("smoke", "laptop", "paper")]
    assert chunks == [20, laptop, None]


@pytest.mark.parametrize("scale", ["smoke", "laptop", "paper"])
@pytest.mark.parametrize("tunes", ["jsb", "nottingham"])
@pytest.mark.parametrize("model", ["vrnn", "vrnn-i", "rnn"])
def test_settings_survive_a_journey_through_json(scale, tunes, model):
    found = settings(scale=scale, tunes=tunes, model=model)
    again = SequenceExperiment.from_dict(json.loads(json.dumps(found.to_dict())), "here")
    assert again == found
    with pytest.raises(CheckpointError, match="missing or unknown: tunes"):
        SequenceExperiment.from_dict(
            {k: v for k, v in found.to_dict().items() if k != "tunes"}, "x"
        )


def test_models_are_what_their_names_say(jsb):
    for model, size, learned in (("vrnn", 8, True), ("vrnn-i", 8, False), ("rnn", 0, False)):
        objective = build_objective(
            chosen := settings(scale="smoke", model=model), load_data(chosen)
        )
        assert isinstance(objective.model, SequenceVRNN)
        assert objective.model.latent_size == size
        assert (objective.model.prior is not None) == learned
    one, two = (build_objective(chosen, load_data(chosen)).state_dict() for _ in range(2))
    assert all((one[name] == two[name]).all() for name in one)


def test_batch_normalisation_has_averages_of_the_steps_that_are_trained_on(jsb):
    plain = settings(scale="smoke", chunk=None)
    data = load_data(plain)
    longest = data.training.longest
    assert build_objective(plain, data).guide.normalised is None
    for chunk, steps in ((longest + 1, longest), (2, 2)):
        chosen = settings(scale="smoke", batch_norm="on", chunk=chunk)
        assert len(build_objective(chosen, data).guide.normalised.mean) == steps
    assert longest > 2


def test_the_name_of_a_folder_tells_what_is_unusual():
    name = default_directory(settings(scale="laptop")).as_posix()
    assert name == "runs/chorales/laptop-jsb-vrnn-elbo-seed0"
    changed = settings(
        scale="laptop",
        objective="fivo",
        residual="off",
        layer_norm="on",
        hidden_size=32,
        updates=9,
        seed=3,
    )
    assert default_directory(changed).name == (
        "laptop-jsb-vrnn-fivo4-layer-norm-no-residual-hidden-size32-updates9-seed3"
    )
    name = default_directory(settings(scale="laptop", objective="elbo", kl_warmup=5)).name
    assert name == "laptop-jsb-vrnn-elbo-kl-warmup5-seed0"
    name = default_directory(settings(scale="laptop", updates=12)).name
    assert name == "laptop-jsb-vrnn-elbo-kl-warmup7-updates12-seed0"
    name = default_directory(settings(scale="laptop", model="rnn")).name
    assert name == "laptop-jsb-rnn-seed0"
    names = [default_directory(settings(divergence=kind)).name for kind in ("analytic", "sampled")]
    assert names[1] == names[0].replace("elbo", "elbo-sampled")
    everything = {"smoothing", "latent_size", "width", "layers", "chunk", "kl_warmup"}
    everything.add("curriculum")
    changes = [{option: "off" if option == "smoothing" else 3} for option in everything]
    changes += [{"replay": 0.3}, {"replay": 0.3, "memory": 3}, {"batch_norm": "on"}]
    changes.append({"curriculum": 3, "shortest": 3})
    names = {default_directory(settings(**change)).name for change in changes}
    assert len(names) == len(changes)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"model": "rnn", "objective": "iwae"}, "--objective: a model without latents"),
        (
            {"scale": "laptop", "updates": 9, "kl_warmup": 10},
            "--kl-warmup: expected at most the 9 updates of the training, got 10",
        ),
        (
            {"scale": "laptop", "updates": 9, "curriculum": 10},
            "--curriculum: expected at most the 9 updates of the training, got 10",
        ),
        ({"model": "rnn", "kl_warmup": 3}, "--kl-warmup: a model without latents"),
        ({"model": "rnn", "batch_norm": "on"}, "--batch-norm: a model without latents"),
        ({"replay": 1.0}, "replay: expected a share"),
        ({"memory": 7}, "--memory: has no effect without --replay"),
        ({"shortest": 7, "curriculum": 0}, "--shortest: has no effect without --curriculum"),
        ({"chunk": 0}, "--chunk: expected at least 1"),
        ({"latent_size": 0}, "--latent-size: expected at least 1"),
        ({"objective": "iwae", "divergence": "analytic"}, "closed form has no draws"),
        ({"objective": "fivo", "gradient": "dreg"}, "objective: fivo has gradient standard"),
        ({"objective": "fivo", "divergence": "analytic"}, "and divergence sampled only, got"),
        ({"objective": "fivo", "kl_warmup": 3}, "has no KL of its own"),
        ({"objective": "fivo", "particles": 1}, "fivo resamples among at least 2, got 1"),
        ({"batch_norm": "on", "gradient": "stl"}, "stl scores the draws in a second pass"),
        (
            {"batch_norm": "on", "gradient": "dreg", "objective": "iwae"},
            "dreg scores the draws in a second pass",
        ),
    ],
)
def test_contradictions_are_refused(jsb, options, message):
    with pytest.raises(ConfigError, match=message):
        build_objective(found := settings(**{"scale": "smoke", **options}), load_data(found))


@pytest.mark.parametrize(
    ("objective", "held", "resample"),
    [("fivo", "iwae", 0.5), ("iwae", "iwae", None), ("elbo", "elbo", None)],
)
def test_a_run_of_an_earlier_version_is_continued(tmp_path, objective, held, resample):
    """Which kept the threshold of resampling beside the bound."""
    found = settings(scale="smoke", objective=objective)
    kept = {**found.to_dict(), "resample": resample}
    del kept["bound"]["resample"]
    kept["bound"]["objective"] = held
    directory = RunDirectory(tmp_path / "run")
    directory.create({"settings": kept})
    asked = SequenceOptions("chorales", resume=True, device="cpu", objective=objective)
    assert resume_settings(asked, directory) == found
    assert default_directory(found).name.startswith(f"smoke-jsb-vrnn-{objective}")


def test_a_continued_run_has_the_settings_of_its_folder(tmp_path):
    directory = RunDirectory(tmp_path / "run")
    found = settings(scale="smoke", objective="fivo", particles=8, smoothing="on")
    directory.create({"settings": found.to_dict()})
    same = SequenceOptions("chorales", resume=True, device="cpu", smoothing="on", objective="fivo")
    assert resume_settings(same, directory) == found
    for options in ({"smoothing": "off"}, {"objective": "iwae"}, {"tunes": "nottingham"}):
        asked = SequenceOptions("chorales", resume=True, device="cpu", **options)
        with pytest.raises(CheckpointError, match="holds a run with"):
            resume_settings(asked, directory)
