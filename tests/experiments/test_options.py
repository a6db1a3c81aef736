"""How options become settings."""

from dataclasses import replace
from pathlib import Path

import pytest

from experiments.cli import resolve_device
from experiments.frames.options import resolve, resume_settings, to_score
from experiments.frames.run_names import default_run_directory
from experiments.frames.run_options import RunOptions
from experiments.frames.sources import asked_objects
from inference import Execution, RunDirectory
from pyro_nem.errors import CheckpointError, ConfigError


def settings(experiment="flying_shapes", **options):
    return resolve(RunOptions(experiment, device="cpu", **{"scale": "smoke", **options}))[0]


@pytest.mark.parametrize(
    ("options", "objects", "components"),
    [
        ({}, (3, 6), 7),
        ({"objects": 4}, (4, None), 5),
        ({"objects": 4, "most_objects": 5}, (4, 5), 6),
        ({"most_objects": 4}, (3, 4), 5),
        ({"components": 4}, (3, 6), 4),
    ],
)
def test_there_is_a_component_for_every_sprite_and_one_more(options, objects, components):
    found = settings("sprites", **options)
    assert (found.objects, found.most_objects) == objects
    assert found.components == components
    assert found.noise.kind == "masked-uniform"


@pytest.mark.parametrize(
    ("options", "components"),
    [
        ({}, 5),
        ({"objects": 6}, 7),
        ({"objects": 6, "most_objects": 8}, 9),
        ({"most_objects": 8}, 9),
        ({"most_objects": 8, "components": 4}, 4),
    ],
)
def test_there_is_a_component_for_every_ball_and_one_more(options, components):
    assert settings("bouncing_balls", **options).components == components


def test_dreg_back_propagates_through_what_components_see():
    plain = settings(guide="vrnn", objective="iwae", particles=2)
    dreg = settings(guide="vrnn", objective="iwae", particles=2, gradient="dreg")
    for option in ("gradient_gamma", "gradient_psi"):
        assert getattr(plain, option) is False
        assert getattr(dreg, option) is True


def test_runs_that_differ_have_folders_that_differ():
    variants = [
        {},
        {"objective": "trace_enum"},
        {"guide": "r-nem"},
        {"guide": "r-nem", "attention": "off"},
        {"guide": "vrnn"},
        {"guide": "vrnn", "particles": 5},
        {"guide": "vrnn", "objective": "iwae", "particles": 5},
        {"guide": "vrnn", "objective": "iwae", "particles": 5, "gradient": "stl"},
        {"guide": "vrnn", "objective": "iwae", "particles": 5, "gradient": "dreg"},
        {"guide": "vrnn", "divergence": "analytic"},
        {"guide": "vrnn", "kl_warmup": 5},
        {"guide": "vrnn", "kl_warmup": 50},
        {"guide": "vrnn", "warmup": 50},
        {"guide": "vrnn", "free_nats": 0.5},
        {"steps": 7},
        {"noise": 0.3},
        {"updates": 3},
        {"batch_size": 3},
        {"learning_rate": 0.3},
        {"clip_norm": 3.0},
        {"patience": 3},
        {"warmup": 3},
        {"decay": "constant"},
        {"averaging": 0.9},
        {"recipe": "official"},
        {"recipe": "official", "network": "located"},
        {"network": "official"},
        {"views": "frame,gamma"},
        {"views": "gamma,frame"},
        {"gradient_psi": "on"},
        {"step_weights": "last"},
    ]
    folders = [default_run_directory(settings(**options)) for options in variants]
    assert len(set(folders)) == len(variants)
    assert folders[0] == Path("runs/flying_shapes/smoke-rnn-em-located-3objects-k3-seed0")
    usual = settings(updates=4, batch_size=4, noise=0.2, steps=20)
    assert default_run_directory(usual) == folders[0]


def test_a_folder_of_an_older_name_is_continued_by_its_run_alone(tmp_path):
    trained = settings(guide="vrnn", kl_warmup=50)
    name = default_run_directory(trained).name
    assert name == "smoke-vrnn-located-3objects-k3-kl-warmup50-seed0"
    directory = RunDirectory(tmp_path / name.replace("kl-warmup", "warmup"))
    directory.create({"settings": trained.to_dict()})
    asked = RunOptions("flying_shapes", resume=True, device="cpu", scale="smoke", guide="vrnn")
    assert resume_settings(replace(asked, kl_warmup=50), directory) == trained
    with pytest.raises(CheckpointError, match="with warmup 1 instead of 50"):
        resume_settings(replace(asked, warmup=50), directory)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "off"}, "--attention: the components of guide rnn-em do not interact"),
        ({"particles": 3}, "--particles: the states of guide rnn-em are point masses"),
        ({"guide": "r-nem", "kl_warmup": 3}, "--kl-warmup: the states of guide r-nem"),
        ({"guide": "n-em", "free_nats": 0.5}, "--free-nats: the states of guide n-em"),
        ({"guide": "n-em", "views": "frame"}, "--views: gradient N-EM follows the gradient"),
        ({"guide": "n-em", "gradient_psi": "on"}, "--gradient-psi: gradient N-EM follows"),
        ({"views": "frame,future"}, r"--views: .*each once, got \['frame', 'future'\]"),
        ({"experiment": "sprites", "guide": "n-em"}, "--guide n-em: .* binary frames"),
        ({"divergence": "analytic"}, "--divergence: the states of guide rnn-em"),
        ({"most_objects": 5}, "--most-objects: flying_shapes has as many objects"),
        ({"data": Path("x.h5"), "most_objects": 5}, "leave one of them out"),
        ({"variant": "20"}, "--variant: flying_shapes has no digits"),
        ({"staged": True}, "--staged: flying_shapes has no digits; .* run flying_mnist"),
    ],
)
def test_options_without_a_use_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        settings(**options)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"attention": "on"}, "--attention: the components of guide rnn-em do not interact"),
        ({"particles": 1, "gradient": "standard"}, "--particles: the states of guide rnn-em are"),
        ({"data": Path("x.h5"), "data_dir": Path()}, "--data names a file, and --data-dir a fol"),
        ({"data": Path("x.h5"), "objects": 3}, "leave one of them out"),
        ({"staged": True}, "--staged: flying_shapes has no digits"),
    ],
)
def test_options_without_a_use_are_refused_of_a_continued_run_too(tmp_path, options, message):
    directory = RunDirectory(tmp_path)
    directory.create({"settings": settings().to_dict()})
    with pytest.raises(ConfigError, match=message):
        resume_settings(RunOptions("flying_shapes", device="cpu", **options), directory)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"variant": "20", "data": Path("x.h5")}, "--variant: describes generated data"),
        ({"staged": True, "data": Path("x.h5")}, "--staged: describes generated data"),
        ({"staged": True, "variant": "500"}, "goes through all variants, but --variant 500"),
        ({"most_objects": 3}, "--most-objects: flying_mnist has as many objects"),
        ({"guide": "n-em"}, "--guide n-em: gradient N-EM expects binary frames"),
    ],
)
def test_options_of_digits_that_contradict_each_other_are_refused(options, message):
    with pytest.raises(ConfigError, match=message):
        settings("flying_mnist", **options)


def test_every_variant_of_the_digits_has_its_folder_and_rate():
    variants = [{}, {"variant": "20"}, {"variant": "500"}, {"staged": True}, {"objects": 3}]
    found = [settings("flying_mnist", **options) for options in variants]
    official = [settings("flying_mnist", recipe="official", **options) for options in variants]
    names = [default_run_directory(one).name.removeprefix("smoke-rnn-em-") for one in found]
    assert names == [
        "located-2objects-k2-seed0",
        "located-2objects-20digits-k2-seed0",
        "located-2objects-500digits-k2-seed0",
        "located-2objects-k2-staged-seed0",
        "located-3objects-k3-seed0",
    ]
    assert {one.training.learning_rate for one in found} == {4e-3}
    rates = [one.training.learning_rate for one in official]
    assert rates == [5e-4, 1e-3, 5e-4, 5e-4, 5e-4]
    assert settings("flying_mnist", variant="full") == found[0]
    given = settings("flying_mnist", variant="20", learning_rate=0.3)
    assert given.training.learning_rate == 0.3


def test_three_stages_on_a_laptop_have_the_updates_of_a_direct_training():
    direct, staged = (settings("flying_mnist", scale="laptop", staged=s) for s in (False, True))
    assert 0 <= 3 * staged.training.updates - direct.training.updates < 3
    assert default_run_directory(staged).name == "laptop-rnn-em-located-2objects-k2-staged-seed0"
    paper = [settings("flying_mnist", scale="paper", staged=s) for s in (False, True)]
    assert paper[0].training == paper[1].training


def test_fewer_balls_at_most_than_at_least_are_refused():
    with pytest.raises(ConfigError, match="--most-objects: expected at least --objects, 4, got 2"):
        settings("bouncing_balls", most_objects=2)


def test_a_number_alone_asks_for_so_many_balls_in_each_video():
    trained = settings("bouncing_balls", objects=4, most_objects=6)

    def asked(**options):
        return asked_objects(RunOptions("bouncing_balls", **options), trained)

    assert asked() == {"objects": 4, "most_objects": 6}
    assert asked(objects=5) == {"objects": 5, "most_objects": None}
    assert asked(most_objects=8) == {"objects": 4, "most_objects": 8}


def test_several_processes_do_not_share_a_gpu(monkeypatch):
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("RANK", "0")
    with pytest.raises(ConfigError, match="each of 2 processes takes a GPU of its own"):
        resolve_device("cuda:1")
    assert resolve_device("cpu") == "cpu"


def test_how_arithmetic_is_carried_out_follows_device_scale_and_options(monkeypatch):
    assert settings().execution == Execution()
    asked = settings(precision="bfloat16", compile="on", resident="on")
    assert asked.execution == Execution("bfloat16", compile=True, resident=True)
    with pytest.raises(ConfigError, match="capture: only CUDA devices have it"):
        settings(capture="on")
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    monkeypatch.setattr("experiments.frames.options.resolve_device", lambda name: "cuda")
    on_gpu = resolve(RunOptions("flying_shapes", capture="off"))[0]
    assert on_gpu.execution == replace(Execution.usual("cuda"), capture=False)
    assert resolve(RunOptions("flying_shapes", scale="smoke"))[0].execution == Execution()


def test_only_what_changes_learning_and_scores_shows_in_the_folder():
    plain = default_run_directory(settings())
    for options in (
        {"compile": "on", "resident": "on"},
        {"threads": 1, "posterior_sequences": 0},
        {"test_sequences": 3},
    ):
        assert default_run_directory(settings(**options)) == plain
    assert "bfloat16" in default_run_directory(settings(precision="bfloat16")).name


def test_a_run_moves_between_devices(tmp_path):
    directory = RunDirectory(tmp_path)
    trained = replace(settings(), device="cuda:3", execution=Execution.usual("cuda"))
    directory.create({"settings": trained.to_dict()})
    resumed = resume_settings(RunOptions("flying_shapes", device="cpu", compile="on"), directory)
    assert (resumed.device, resumed.execution) == ("cpu", Execution(compile=True))
    # Scores need the precision alone.
    assert to_score(trained, "cpu").execution == Execution()
    coarse = settings(precision="bfloat16", compile="on", resident="on")
    assert to_score(coarse, "cpu").execution == Execution("bfloat16")


def test_a_run_of_bfloat16_stays_one(tmp_path):
    plain, coarse = RunDirectory(tmp_path / "plain"), RunDirectory(tmp_path / "coarse")
    plain.create({"settings": settings().to_dict()})
    trained = replace(settings(precision="bfloat16"), device="cuda:3")
    coarse.create({"settings": trained.to_dict()})
    asked = RunOptions("flying_shapes", device="cpu", precision="bfloat16")
    with pytest.raises(CheckpointError, match="precision float32"):
        resume_settings(asked, plain)
    assert resume_settings(asked, coarse).execution.precision == "bfloat16"
    again = resume_settings(replace(asked, precision=None), coarse)
    assert again.execution == Execution("bfloat16")
    with pytest.raises(CheckpointError, match="precision bfloat16"):
        resume_settings(replace(asked, precision="float32"), coarse)


def test_a_run_on_a_file_is_resumed_with_the_file_given_again(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    directory = RunDirectory(tmp_path / "run")
    asked = RunOptions("flying_shapes", device="cpu", scale="smoke", data=Path("mine.h5"))
    directory.create({"settings": resolve(asked)[0].to_dict()})
    older = RunDirectory(tmp_path / "older")
    older.create({"settings": {**resolve(asked)[0].to_dict(), "data": "mine.h5"}})
    mine, again = tmp_path / "mine.h5", replace(asked, data=tmp_path / "run" / ".." / "mine.h5")
    for run in (directory, older):
        assert {resume_settings(options, run).data for options in (asked, again)} == {str(mine)}
    with pytest.raises(CheckpointError, match=r"with data .*mine\.h5 instead of /.*/other\.h5"):
        resume_settings(replace(asked, data=Path("other.h5")), directory)
    # From elsewhere the same name is another file.
    monkeypatch.chdir(tmp_path.parent)
    assert resume_settings(again, directory).data == str(mine)
    with pytest.raises(CheckpointError, match="holds a run with data"):
        resume_settings(asked, directory)


def test_a_link_to_a_published_file_keeps_its_name(tmp_path):
    (tmp_path / "flying_shapes.h5").symlink_to(tmp_path / "long-name.h5")
    assert settings(data=tmp_path / "flying_shapes.h5").data_name == "flying_shapes"
