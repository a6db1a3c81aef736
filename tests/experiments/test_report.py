"""The report of a run, from its files alone."""

import base64
import io
import json
import re
import shlex
import shutil

import matplotlib
import pytest
from PIL import Image, ImageSequence
from smoke_commands import read

from experiments.report import write_report
from experiments.report.__main__ import main as report
from experiments.report.embedding import embedded
from experiments.report.read_run import read_run
from experiments.report.run_sections import run_sections
from inference import RunDirectory, read_posterior, write_posterior
from pyro_nem.errors import CheckpointError, DataError, PyroNemError


@pytest.fixture
def folder(smoke_run, tmp_path):
    """A copy of a finished run, to be damaged."""
    return shutil.copytree(smoke_run, tmp_path / "run", ignore=shutil.ignore_patterns("*.pt"))


def change(path, **values):
    """Change entries of a JSON file; None removes one."""
    content = {**read(path), **values}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def page(folder):
    write_report(RunDirectory(folder), folder / "report.html")
    return (folder / "report.html").read_text()


def words(html):
    """Return what a reader sees, without tags and pictures."""
    body = html[html.index("<body>") :]
    return " ".join(re.sub(r"<[^>]*>", " ", body).split())


def test_the_command_makes_the_same_page_again(smoke_run, tmp_path, capsys):
    whole = (smoke_run / "report.html").read_text()
    again = tmp_path / "again.html"
    assert report([str(smoke_run), "--output", str(again)]) == 0
    assert f"written to {again}" in capsys.readouterr().out
    assert again.read_text() == whole


def test_the_first_command_of_a_day_is_quiet(command, smoke_run, tmp_path):
    """ArviZ notes in the cache folder that it has announced its next version today."""
    kept = {"MPLCONFIGDIR": matplotlib.get_cachedir()}
    words = ("report", smoke_run, "--output", tmp_path / "report.html")
    printed = command(*words, XDG_CACHE_HOME=str(tmp_path / "cache"), **kept)
    assert printed == f"written to {tmp_path / 'report.html'}\n"
    (tmp_path / "file").touch()
    refused = command(*words, XDG_CACHE_HOME=str(tmp_path / "file"), **kept, expect=2)
    assert "set XDG_CACHE_HOME to one that can be written" in refused


def test_files_are_embedded_without_loss(smoke_run, tmp_path):
    for name in ("segmentation_test.gif", "overview_test_0.png"):
        path = smoke_run / "figures" / name
        uri = embedded(path)
        assert uri.startswith("data:image/webp;base64,")
        content = base64.b64decode(uri.partition(",")[2])
        assert len(content) < path.stat().st_size
        with Image.open(path) as ours, Image.open(io.BytesIO(content)) as made:
            assert made.n_frames == getattr(ours, "n_frames", 1)
            pairs = zip(ImageSequence.Iterator(ours), ImageSequence.Iterator(made), strict=True)
            for one, other in pairs:
                assert one.convert("RGB").tobytes() == other.convert("RGB").tobytes()
                assert one.info.get("duration", 0) == other.info["duration"]
    wide = tmp_path / "wide.png"
    Image.new("RGB", (2**14, 2)).save(wide)
    assert base64.b64decode(embedded(wide).removeprefix("data:image/png;base64,")) == (
        wide.read_bytes()
    )


def test_a_reader_learns_what_was_run_and_found(smoke_run):
    html = (smoke_run / "report.html").read_text()
    summary, text = read(smoke_run / "summary.json"), words(html)
    for name, digits in (("ami", 4), ("ari_last", 4), ("log_likelihood", 2)):
        mean, error = summary[f"test.{name}"], summary["errors"][name]
        low, high = mean - 1.96 * error, mean + 1.96 * error
        assert f"{mean:,.{digits}f} {low:,.{digits}f} to {high:,.{digits}f}" in text
    for fact in ("commit", "device"):
        assert summary[fact] in text
    assert f"{summary['parameters']:,} parameters" in text
    assert "K = 3 components, T = 20 steps, 4 updates" in text
    assert "The states of RNNEM are point masses" in text
    assert "pixels whose assignment is nearly a guess" in text
    # One file: nothing but embedded pictures and places on the page, and every picture explained.
    assert '<html lang="en">' in html
    references = re.findall(r'(?:src|href)="([^"]{0,11})', html)
    assert {found[:5] for found in references if not found.startswith("#")} == {"data:"}
    assert "url(" not in html
    assert html.count("<img ") == len(re.findall(r'<img src="[^"]+" alt="[^"]{20,}">', html)) > 5
    assert set(re.findall(r"<th[ >][^>]*", html)) == {'<th scope="col"', '<th scope="row"'}


@pytest.mark.parametrize(
    ("name", "error"),
    [
        ("config.json", CheckpointError),
        ("metrics.jsonl", CheckpointError),
        ("summary.json", CheckpointError),
        ("posterior.nc", DataError),
        ("figures/segmentation_test.gif", CheckpointError),
        ("figures/overview_train_0.png", CheckpointError),
    ],
)
def test_a_missing_file_is_named(folder, name, error):
    before = (folder / "report.html").read_text()
    (folder / name).unlink()
    with pytest.raises(error, match=rf"{name}: expected .* found no"):
        page(folder)
    assert (folder / "report.html").read_text() == before


def test_the_command_says_what_is_missing(tmp_path, capsys):
    assert report([str(tmp_path)]) == 2
    assert "config.json: expected this file of a run" in capsys.readouterr().err


def test_a_summary_of_another_version_is_refused(folder):
    change(folder / "summary.json", errors=None)
    with pytest.raises(PyroNemError, match=r"summary.json: .* but errors is missing; .*--resume"):
        page(folder)


def test_a_run_without_a_posterior_says_so(folder):
    change(folder / "summary.json", posterior_sequences=0)
    (folder / "posterior.nc").unlink()
    text = words(page(folder))
    assert "Nothing was checked" in text
    assert text.count("--posterior-sequences 0") == 2
    assert "Uncertain pixels" not in text


def test_a_run_without_labels_is_not_scored(folder):
    scored = ("ami", "ari", "confidence")
    summary = {
        f"test.{name}{last}": None
        for name in (*scored, "effective_components")
        for last in ("", "_last")
    }
    curves = read(folder / "summary.json")["per_step"]
    summary["per_step"] = {
        n: v for n, v in curves.items() if n not in (*scored, "effective_components")
    }
    change(folder / "summary.json", **summary)
    tree = read_posterior(folder / "posterior.nc")
    tree.attrs["labels"] = 0
    write_posterior(tree, folder / "posterior.nc")
    text = words(page(folder))
    assert "The object of no pixel is known in 8 test sequences" in text
    assert "so there are no AMI and ARI" in text
    assert "AMI, mean over steps" not in text
    assert "The data have no true objects to compare with" in text


def test_what_is_not_defined_is_said_in_words(folder):
    path = folder / "summary.json"
    summary = read(path)
    summary["test.ami_last"] = summary["errors"]["ari"] = None
    path.write_text(json.dumps(summary))
    text = words(page(folder))
    assert "AMI, last step none: no frame has a scored pixel none" in text
    assert "none: there is a single value" in text
    assert not re.search(r"\b(nan|inf|None)\b", text)


def test_text_of_a_run_is_never_markup(folder, tmp_path):
    bad = "<script>alert('x')</script>"
    config = read(folder / "config.json")
    config["settings"]["data"] = bad
    (folder / "config.json").write_text(json.dumps(config))
    change(
        folder / "summary.json", command=f"python {bad}", device='"><img src=x onerror=alert(1)>'
    )
    moved = folder.rename(tmp_path / "<b>run & more")
    html = page(moved)
    assert "<script" not in html
    assert "<img src=x" not in html
    assert "<b>" not in html
    assert html.count("&lt;script&gt;alert(&#39;x&#39;)&lt;/script&gt;") == 2
    assert "&lt;b&gt;run &amp; more" in html


def test_frames_that_cannot_be_drawn_are_no_error(folder):
    change(folder / "config.json", image_shape=[28, 28, 2])
    shutil.rmtree(folder / "figures")
    assert "Only frames of 1 or 3 channels can be drawn" in words(page(folder))


def settings_of(folder, **changes):
    """Change settings of a run."""
    config = read(folder / "config.json")
    change(folder / "config.json", settings={**config["settings"], **changes})


def section(folder, name):
    found = run_sections(read_run(RunDirectory(folder)))
    return next(s.blocks for s in found if s.name == name)


def test_scores_are_said_to_be_of_the_steps_and_noise_that_they_are_of(folder):
    def told():
        table = section(folder, "scores")[0]
        return table.caption, [row[0] for row in table.rows[:3]]

    assert told() == (
        "Means over 8 test sequences, noise on",
        ["AMI, mean over steps", "AMI, last step", "ARI, mean over steps"],
    )
    settings_of(folder, noise={"kind": "bitflip", "probability": 0.0}, step_weights="last")
    assert told() == (
        "Means over 8 test sequences, noise off",
        ["AMI, last step", "ARI, last step", "confidence, last step"],
    )
    settings_of(folder, step_weights=[0.5] * 20)
    assert told()[1][0] == "AMI, mean over steps as the loss weighs them"


@pytest.mark.parametrize(
    ("data", "variant", "told"),
    [
        (None, "full", "generated, 2 objects in each sequence, of all digits"),
        (None, "20", "generated, 2 objects in each sequence, of 20 digits"),
        ("/a/flying_mnist_hard_2digits.h5", "full", "2digits.h5, of all digits"),
        ("/a/flying_mnist_medium20_2digits.h5", "full", "/a/flying_mnist_medium20_2digits.h5"),
        ("/a/mine.h5", "full", "/a/mine.h5"),
    ],
)
def test_only_data_that_have_a_number_of_digits_are_said_to(folder, data, variant, told):
    settings_of(folder, experiment="flying_mnist", objects=2, variant=variant, data=data)
    rows = dict(section(folder, "run")[1].rows)
    assert rows["data"].endswith(told)


def test_the_command_of_a_report_can_be_pasted(folder, tmp_path):
    moved = folder.rename(tmp_path / "my run")
    command = section(moved, "run")[-1].text
    assert shlex.split(command) == ["python", "-m", "experiments.report", str(moved)]


def test_earlier_stages_are_told_without_the_published_files(folder):
    gone = "/gone/flying_mnist_hard_2digits.h5"
    settings_of(folder, experiment="flying_mnist", variant="full", staged=True, data=gone)
    for number, name in enumerate(("20", "500")):
        (folder / "stages" / name).mkdir(parents=True)
        (folder / "stages" / name / "summary.json").write_text(json.dumps({"updates": number}))
    earlier = read_run(RunDirectory(folder)).earlier
    assert earlier == {"20 digits": {"updates": 0}, "500 digits": {"updates": 1}}


def test_an_early_stop_and_earlier_stages_are_told(folder):
    change(folder / "summary.json", stopped="early")
    run = read_run(RunDirectory(folder))
    stage = {"updates": 7, "test.ami": 0.25, "errors": {"ami": 0.01}}
    sections = {s.name: s for s in run_sections(run._replace(earlier={"20 digits": stage}))}
    (text, _, table) = sections["training"].blocks
    assert text.text.startswith("The training stopped early: no lower validation loss in ")
    best = min((r["validation.loss"], r["update"]) for r in run.records if "validation.loss" in r)
    assert f"{best[0]:,.1f}, at update {best[1]}." in text.text
    assert list(table.rows) == [("20 digits", "7", "0.2500", "0.2304 to 0.2696")]
