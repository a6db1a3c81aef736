"""Every command and example of README and docs runs, at smoke size."""

import contextlib
import importlib
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import get_args

import pytest
import small_handwriting
import small_mnist
import small_rolls
import small_speech
import small_strokes
from image_files import save_videos, videos

from experiments.images import ImageExperimentName
from experiments.sequences import SequenceExperimentName
from pyro_nem.data import data_dir

ROOT = Path(__file__).parents[1]
DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
DIGITS = "runs/flying_mnist/laptop-rnn-em-located-2objects-k2-seed0"
CHORALES = "runs/chorales/laptop-jsb-vrnn-elbo-seed0"
IMAGES = "runs/vae_mnist/laptop-dynamic-elbo-latent-size2-seed0"
PAPER = "runs/flying_shapes/paper-rnn-em-official-3objects-k3-seed0"
RUN_DIRS = {
    "flying_shapes": "runs/flying_shapes/laptop-rnn-em-located-3objects-k3-seed0",
    "bouncing_balls": "runs/bouncing_balls/laptop-r-nem-located-4objects-k5-seed0",
}

# What makes an example small: fewer sequences, fewer updates.
SMALLER = {
    "ShapesConfig(objects=3)": "ShapesConfig(objects=3, training=64, validation=8, test=8)",
    "run = fit(model, guide, data, ": "run = fit(model, guide, data, config=TINY, ",
    "TrainingConfig(updates=1000, clip_norm=5.0)": "TINY",
}
BENCHMARKS = {
    "step": "--repeats 1 --batch-size 2 --steps 2",
    "bound": "--repeats 1 --batch-size 2 --steps 2 --components 2 --pixels 9",
    "data": "--repeats 1 --batch-size 2 --sequences 8 --consumed 1",
    "scaling": "--repeats 1 --batch-size 1 2 --steps 2 --components 2 --pixels 64 --particles 1",
    "processes": "--repeats 1 --batch-size 2 --steps 2",
    "epoch": "--batch-size 2 --sequences 4 --network located",
}
COMMANDS = (
    "import_frames",
    "run",
    "sweep",
    "evaluate",
    "sequences.evaluate",
    "sequences.generate",
    "images.evaluate",
    "images.sweep",
    "report",
    "rollout",
    "compare",
    "benchmark",
    "collect",
    "release",
    "table",
)
WITHOUT = {
    **dict.fromkeys(get_args(SequenceExperimentName), "--posterior-sequences"),
    **dict.fromkeys(get_args(ImageExperimentName), "--posterior-images"),
}
PREAMBLE = "from inference import TrainingConfig\nTINY = TrainingConfig(updates=2, batch_size=4)\n"
WITHOUT_MNIST = not small_mnist.is_there()
if WITHOUT_MNIST:
    PREAMBLE += "import pytest, small_mnist\nsmall_mnist.accept(pytest.MonkeyPatch())\n"


def blocks(language):
    for document in DOCUMENTS:
        text = document.read_text(encoding="utf-8")
        found = re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)
        for number, block in enumerate(found):
            yield pytest.param(block, id=f"{document.name}-{number}")


def commands():
    seen = []
    for parameter in blocks("bash"):
        for line in parameter.values[0].splitlines():
            if "-m experiments." in line and line not in seen:
                seen.append(line)
    return [line.split("&&")[-1].strip() for line in seen]


@pytest.fixture(scope="module")
def workspace(tmp_path_factory):
    """A folder in which the runs that the documents speak of exist, at smoke size."""
    folder = tmp_path_factory.mktemp("documents")
    with pytest.MonkeyPatch.context() as patch:
        if WITHOUT_MNIST:
            stand_in(folder / "data", patch)
        furnish(folder)
        yield folder


def stand_in(folder, patch):
    """Make a folder of data with a stand-in for MNIST and what else there is."""
    others = [] if data_dir() is None else [*data_dir().glob("*")]
    small_mnist.put(folder, patch)
    for other in others:
        if other.name != "mnist":
            (folder / other.name).symlink_to(other.resolve())


def furnish(folder):
    run_dirs = RUN_DIRS | {"flying_mnist": DIGITS, "vae_mnist": IMAGES}
    if small_rolls.are_there():
        run_dirs["chorales"] = CHORALES
    for experiment, run_dir in run_dirs.items():
        size = ["--latent-size", "2"] if experiment == "vae_mnist" else []
        options = ["--scale", "smoke", "--run-dir", run_dir, *size]
        call(folder, "experiments.run", [experiment, *options])
    shutil.copytree(folder / RUN_DIRS["flying_shapes"], folder / PAPER)
    own = [RUN_DIRS["flying_shapes"], "my_shapes", "--output", "my_weights"]
    call(folder, "experiments.release", own)
    five = ["--components", "5", "--run-dir", RUN_DIRS["flying_shapes"].replace("k3", "k5")]
    call(folder, "experiments.run", ["flying_shapes", "--scale", "smoke", *five])
    file = next((folder / "cache").glob("shapes-3-objects-21*.h5"))
    (folder / "published").mkdir()
    (folder / "published" / "flying_shapes.h5").symlink_to(file)
    frames, masks = videos(count=12, frames=9)
    save_videos(folder / "toys" / "frames", frames)
    save_videos(folder / "toys" / "masks", masks)
    call(folder, "experiments.import_frames", ["toys/frames", "--size", "64", "64"])
    (folder / "frames.h5").rename(folder / "toys.h5")
    small_speech.put_timit(folder / "timit")
    small_handwriting.put_iam(folder / "iam")


def parse(line):
    """Return what starts a command in two processes, if anything, its program and arguments."""
    first, *words = shlex.split(line)
    place = words.index("-m") + 1
    if first == "torchrun":
        assert words[:place] == ["--nproc-per-node", "4", "-m"]
        launcher = ["torch.distributed.run", "--nproc-per-node", "2", "-m"]
    else:
        assert (first, place) == ("python", 1)
        launcher = []
    return launcher, words[place], words[place + 1 :]


def without(arguments, *options):
    """Return the arguments without some options and their values."""
    dropped = {a for o in options if o in arguments for a in (o, arguments[arguments.index(o) + 1])}
    return [a for a in arguments if a not in dropped]


def first_values(arguments):
    """Return the arguments with one value behind each option."""
    pairs = zip(["--", *arguments], arguments, strict=False)
    return [word for before, word in pairs if word.startswith("--") or before.startswith("--")]


def environment(folder):
    return {
        **os.environ,
        "PYRO_NEM_CACHE": str(folder / "cache"),
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'tests'}",
        "OMP_NUM_THREADS": "1",
        # Compiling takes minutes; tests/inference/test_execution.py does it.
        "TORCH_COMPILE_DISABLE": "1",
    }


def call(folder, program, arguments):
    """Run a command in this process, where everything is imported already."""
    module = f"{program}.__main__" if program == "experiments.report" else program
    main = importlib.import_module(module).main
    with contextlib.chdir(folder), pytest.MonkeyPatch.context() as patch:
        for name, value in environment(folder).items():
            patch.setenv(name, value)
        assert main(list(arguments)) == 0


def run(folder, arguments):
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=folder,
        env=environment(folder),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("block", list(blocks("python")))
def test_examples_run(block, workspace):
    for large, small in SMALLER.items():
        block = block.replace(large, small)
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", PREAMBLE + block],
        cwd=workspace,
        env=environment(workspace),
        capture_output=True,
        text=True,
        check=False,
        timeout=240,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout


@pytest.mark.parametrize("line", commands())
def test_commands_run(line, workspace):
    launcher, program, arguments = parse(line)
    if "--binarization fixed" in line and not small_mnist.fixed_is_there():
        pytest.skip(small_mnist.FIXED_MISSING)
    if "images.sweep" in line and WITHOUT_MNIST:
        # Its runs are processes of their own, which know no stand-in.
        pytest.skip(small_mnist.MISSING)
    if "chorales" in line and not small_rolls.are_there():
        pytest.skip(small_rolls.MISSING)
    if "run strokes" in line and not small_strokes.are_there():
        pytest.skip(small_strokes.MISSING)
    if "run speech" in line and "--corpus" not in line and not small_speech.are_there():
        pytest.skip(small_speech.MISSING)
    if "run handwriting" in line and "--corpus" not in line and not small_handwriting.are_there():
        pytest.skip(small_handwriting.MISSING)
    if program == "experiments.run" and "--resume" not in arguments:
        number = len(list(workspace.iterdir()))
        arguments = [*without(arguments, "--scale"), "--scale", "smoke"]
        arguments += ["--run-dir", f"new-{number}"]
        if arguments[0] in WITHOUT:
            # Those of the workspace have one, and each takes seconds.
            arguments += [WITHOUT[arguments[0]], "0"]
    elif program == "experiments.run":
        arguments += ["--run-dir", RUN_DIRS["flying_shapes"]]
    elif program == "experiments.sweep" and "--cluster" in arguments:
        arguments.append("--dry-run")
    elif program == "experiments.sweep":
        arguments = [*first_values(without(arguments, "--seeds", "--updates")), "--seeds", "1"]
        arguments += ["--scale", "smoke"]
    elif program == "experiments.table":
        number = len(list(workspace.iterdir()))
        arguments = without(arguments, "--scale", "--minutes")
        arguments += ["--scale", "smoke", "--seeds", "1", "--output", f"results-{number}"]
        if line != "python -m experiments.table static":
            # One table is enough to see that the commands are right; each wants several runs.
            arguments.append("--dry-run")
    elif program == "experiments.sequences.evaluate":
        arguments = [*without(first_values(arguments), "--particles"), "--particles", "2"]
    elif program == "experiments.sequences.generate":
        arguments = [*without(arguments, "--steps", "--count"), "--steps", "3", "--count", "2"]
    elif program == "experiments.images.evaluate":
        small = {"hmc": ["--samples", "20"], "quadrature": ["--points", "21"]}.get(
            arguments[-1], ["--particles", "2"]
        )
        arguments = without(first_values(arguments), "--particles", "--images")
        arguments += ["--images", "2", *small]
    elif program == "experiments.images.sweep":
        arguments += ["--scale", "smoke", "--latent-sizes", "2"]
    elif program == "experiments.import_frames":
        arguments.append("--overwrite")
    elif program == "experiments.rollout":
        arguments = [*without(arguments, "--steps"), "--steps", "3", "--sequences", "4"]
    elif program == "experiments.benchmark":
        arguments = without(arguments, "--batch-size", "--repeats")
        arguments += shlex.split(BENCHMARKS[arguments[0]])
    if launcher or program == "experiments.benchmark" or "compile" in line:
        run(workspace, [*launcher, program, *arguments])
    else:
        call(workspace, program, arguments)


def test_commands_are_found():
    programs = {parse(line)[1] for line in commands()}
    assert programs == {f"experiments.{n}" for n in COMMANDS}
    assert any(parse(line)[0] for line in commands())


def test_links_and_pictures_exist():
    for document in DOCUMENTS:
        for target in re.findall(r"\]\(([^)#]+)\)", document.read_text(encoding="utf-8")):
            assert target.startswith("https://") or (document.parent / target).exists(), target
