"""Figures in README and docs are those of the committed results."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from experiments.cli import parse
from experiments.kinds import IMAGES
from experiments.tables.bound_rows import setting_name

ROOT = Path(__file__).parents[1]
METRICS = {
    "ELBO": "test.nll_elbo",
    "KL": "test.kl",
    "IWAE-50": "test.nll_iwae_50",
    "IWAE-5000": "test.nll_iwae_5000",
    "its error over images": "test.nll_iwae_5000",
    "active latents": "test.active_z_1",
    "time": "test.nll_elbo",
}


def results(experiment):
    path = ROOT / "docs" / "results" / f"{experiment}.json"
    return json.loads(path.read_text(encoding="utf-8"))["rows"]


def tables(document):
    """Yield the rows of each table of a document, each a list of cells, headers first."""
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        header, _, *rows = (
            [c.strip() for c in line[1:-1].split("|")] for line in table.split("\n")[:-1]
        )
        yield header, rows


def shown(row, column):
    """Return what a table shows of a row of the results."""
    if column == "time":
        return f"{row['wall_seconds'] / 60:.0f} min"
    if "error" in column:
        return f"{row['error']:.2f}"
    digits = 0 if "active" in column else 2
    std = "" if row["std"] is None else f" ± {row['std']:.{digits}f}"
    return f"{row['mean']:.{digits}f}{std}"


@pytest.mark.parametrize("experiment", ["iwae_mnist", "vae_mnist"])
def test_the_figures_of_images_are_those_of_the_committed_results(experiment):
    (table,) = (
        found for found in tables("images.md") if found[0][0].startswith(f"`{experiment}`,")
    )
    (_, *columns), rows = table
    known = {(row["setting"], row["metric"]): row for row in results(experiment)}
    seen = set()
    for name, *cells in rows:
        words = re.findall(r"`(.*)`", name)
        assert words or name.startswith("default")
        options = parse(IMAGES.options, "test", [experiment, *" ".join(words).split()])
        settings, _ = IMAGES.resolve(replace(options, scale="laptop", device="cpu"))
        setting = setting_name(settings)
        for column, cell in zip(columns, cells, strict=True):
            row = known[setting, METRICS[column]]
            assert cell == shown(row, column), (name, column)
        seen.add(setting)
    left = {setting for setting, _ in known} - seen
    assert left <= {"dynamic-elbo-latent-size2-updates1500"}


def test_the_figures_of_two_latents_are_those_of_the_committed_results():
    text = (ROOT / "docs" / "images.md").read_text(encoding="utf-8")
    own = [row for row in results("vae_mnist") if "latent-size2" in row["setting"]]
    assert len(own) == 3
    for row in own:
        assert f"{row['mean']:.2f}" in text, row
        assert 6 <= row["error"] < 7


@pytest.mark.parametrize(
    ("document", "experiments", "figures"),
    [
        ("sequences.md", ["chorales", "strokes"], 28),
        ("speech.md", ["speech"], 14),
        ("handwriting.md", ["handwriting"], 12),
    ],
)
def test_the_figures_of_sequences_are_those_of_the_committed_results(
    document, experiments, figures
):
    known = {f"{row['mean']:.{d}f}" for e in experiments for row in results(e) for d in (1, 2, 3)}
    cells = [cell for _, rows in tables(document) for row in rows for cell in row]
    numbers = [n for c in cells if "`" not in c or "KL" in c for n in re.findall(r"-?\d+\.\d+", c)]
    assert len(numbers) >= figures
    assert set(numbers) <= known


@pytest.mark.parametrize(
    ("document", "experiments"),
    [("experiments.md", ["static_shapes", "flying_shapes", "flying_mnist"])],
)
def test_means_and_deviations_are_those_of_the_committed_results(document, experiments):
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    known = {
        f"{row['mean']:.3f} ± {row['std']:.3f}"
        for experiment in experiments
        for row in results(experiment)
        if row["std"] is not None
    }
    found = re.findall(r"\d\.\d+ ± \d\.\d+", text)
    assert len(found) > 10
    assert set(found) <= known


def test_the_readmes_figures_are_those_of_the_committed_results():
    text = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = [
        row
        for path in sorted((ROOT / "docs" / "results").rglob("*_*.json"))
        if not path.name.startswith("benchmark")
        for row in json.loads(path.read_text(encoding="utf-8"))["rows"]
    ]
    known = {
        (f"{row['experiment']} {row['setting']}", row["metric"].removeprefix("test.")): row
        for row in rows
    }
    cell = r"(\d\.\d+)(?: ± (\d\.\d+))?"
    line = rf"^\| (\w+_(?:shapes|mnist) [^|]+?) \| {cell} \| {cell} \| (\S+) \|"
    table = re.findall(line, text, re.MULTILINE)
    assert len(table) == len(re.findall(r"^\| \w+_(?:shapes|mnist) ", text, re.MULTILINE)) > 2
    for name, mean, mean_std, last, last_std, paper in table:
        for metric, value, std in (("ami", mean, mean_std), ("ami_last", last, last_std)):
            row = known[name, metric]
            assert value == f"{row['mean']:.3f}"
            assert std == ("" if row["std"] is None else f"{row['std']:.3f}")
            assert paper == ("none" if row["paper"] is None else f"{row['paper']:.3f}")


def steps_of(name):
    """Return the rows of a benchmark of the training step by guide."""
    return {row["guide"]: row for row in results(name)}


def test_the_table_of_a_step_is_that_of_the_committed_benchmark():
    own = steps_of("benchmark_step")
    (rows,) = (rows for header, rows in tables("speed.md") if header[0].startswith("guide,"))
    for guide, *cells in rows:
        row = own.pop(guide)
        assert cells == [
            f"{1e3 * row['seconds']:.0f}",
            f"{1e3 * row['reference_seconds']:.0f}",
            f"{row['ratio']:.2f}",
            f"{1e-6 * row['peak_bytes']:.0f}",
            f"{1e-6 * row['reference_peak_bytes']:.0f}",
            f"{100 * row['machinery']:.0f} %",
        ]
    assert own == {}


def test_the_figures_of_a_step_of_the_small_network_are_those_of_the_committed_benchmark():
    rows = steps_of("benchmark_step_located")
    other = rows.pop("n-em")
    assert other["network"] == "official"
    assert {row["network"] for row in rows.values()} == {"located"}
    shares = sorted(100 * row["machinery"] for row in rows.values())
    ratios = sorted(row["ratio"] for row in rows.values())
    text = " ".join((ROOT / "docs" / "speed.md").read_text(encoding="utf-8").split())
    assert (
        f"at B = 32, they are {shares[0]:.0f} to {shares[-1]:.0f} % of a step, which takes "
        f"{ratios[0]:.2f} to {ratios[-1]:.2f} of the time by hand"
    ) in text
    assert f"gradient N-EM, which has no small network, {other['ratio']:.2f})" in text
