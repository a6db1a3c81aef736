"""Figures in README and docs are those of the committed results."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
from document_tables import SENTENCES, TABLES

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
    assert left <= {"dynamic-elbo-latent-size2"}


def known_to(name):
    files = name.split(" + ")
    return {f"{row['setting']} | {row['metric']}": row for file in files for row in results(file)}


def as_shown(known, what, digits):
    """Return what a cell shows of a row of the results."""
    key, field = what, "mean"
    if what.count(" | ") == 2:
        key, _, field = what.rpartition(" | ")
    row = known[key]
    if field == "seeds":
        return str(len(row["seeds"]))
    if field == "paper":
        return "" if row["paper"] is None else f"{row['paper']:.3f}"
    std = "" if row["std"] is None else f" ± {row['std']:.{digits}f}"
    return f"{row['mean']:.{digits}f}{std}"


def digits_of(cell):
    """Return how many digits a number has behind its point; the documents choose."""
    return len((re.findall(r"\.(\d+)", cell) or [""])[0])


def check(known, cell, whats):
    """Check a cell with a number for each of several rows of the results, or one for all."""
    numbers = cell.split(", ")
    if len(numbers) == 1:
        numbers *= len(whats)
    expected = [as_shown(known, what, digits_of(n)) for what, n in zip(whats, numbers, strict=True)]
    assert numbers == expected, whats


@pytest.mark.parametrize("table", TABLES, ids=lambda table: table.header)
def test_each_cell_of_a_table_is_that_of_the_committed_results(table):
    header = [cell.strip() for cell in table.header[1:-1].split("|")]
    (lines,) = (lines for first, lines in tables(table.document) if first == header)
    known, seen = known_to(table.results), []
    for line in lines:
        label = " | ".join(line[: table.labels])
        kl = re.search(r" \(KL ([\d.]+)[^)]*\)", label)
        label = label if kl is None else label.replace(kl[0], "")
        seen.append(label)
        block = next((block for block in table.blocks if label in block.rows), None)
        assert block is not None, f"{label}: not in document_tables.py"
        words = block.rows[label].split(" | ")
        shown = [[what.format(*words) for what in c.split("; ")] for c in block.columns]
        cells = line[table.labels :]
        for cell, whats in zip(cells[: len(shown)], shown, strict=True):
            check(known, cell, whats)
        assert set(cells[len(shown) :]) <= {""}
        if kl is not None:
            setting = shown[0][0].split(" | ")[0]
            check(known, kl[1], [f"{setting} | test.kl"])
    assert sorted(seen) == sorted(label for block in table.blocks for label in block.rows)


def test_every_table_of_results_is_looked_up():
    listed = {(table.document, table.header) for table in TABLES}
    for document in (
        *("sequences.md", "ideas.md", "speech.md", "handwriting.md", "diagnostics.md"),
        *("experiments.md", "guides.md"),
    ):
        for header, rows in tables(document):
            cells = [cell for _, *others in rows for cell in others]
            if any(re.fullmatch(r"-?\d+\.\d+( ± \d+\.\d+)?", cell) for cell in cells):
                line = "|" + "|".join(f" {cell} " if cell else " " for cell in header) + "|"
                assert (document, line) in listed


@pytest.mark.parametrize("document", SENTENCES)
def test_means_and_deviations_in_sentences_are_those_of_the_committed_results(document):
    lines = (ROOT / "docs" / document).read_text(encoding="utf-8").splitlines()
    text = " ".join(" ".join(line for line in lines if not line.startswith("|")).split())
    total = 0
    for file, words, whats in SENTENCES[document]:
        values = [as_shown(known_to(file), what, 3) for what in whats]
        assert words.format(*values) in text
        total += len(values)
    assert len(re.findall(r"\d\.\d+ ± \d\.\d+", text)) == total


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


def test_predictions_are_compared_as_in_the_committed_results():
    known = known_to("flying_shapes")
    settings = ["3/3, prediction", "3/5, prediction", "3/1, official network, prediction"]
    settings += ["copy, fitted", "copy of the last frame"]
    means = [f"{known[f'{setting} | test.next_step_bce']['mean']:.1f}" for setting in settings]
    text = {
        name: " ".join((ROOT / name).read_text(encoding="utf-8").split())
        for name in ("README.md", "docs/experiments.md")
    }
    assert (
        "{} with K = 3 and {} with K = 5, where K = 1 with the paper's network comes to {}, a copy "
        "of the last clean frame that is fitted to {}, and the copy as it is to {}."
    ).format(*means) in text["docs/experiments.md"]
    assert (
        "{} nats a frame, mean over 20 steps, where K = 1 comes to {} and a fitted copy of the "
        "last frame to {}."
    ).format(means[0], *means[2:4]) in text["README.md"]
    small, official = (
        known_to(file)[f"rnn-em, {setting} | test.ami_last"]["mean"]
        for file, setting in (
            ("recipe", "updates 1000"),
            ("equal_compute/static_shapes", "official recipe, updates 1750"),
        )
    )
    assert (
        f"reach {small:.3f} at the last step, the released code's {official:.3f}"
        in text["README.md"]
    )


def test_predictions_of_digits_are_those_of_the_committed_results():
    known, metric = known_to("flying_mnist"), "test.next_step_bce"
    direct, staged, single = (
        f"{name}, prediction" for name in ("direct", "staged", "direct 2/1, official network")
    )
    shown = [(name, metric) for name in (direct, staged, single, "copy, fitted")]
    shown += [("copy of the last frame", metric)]
    shown += [(name, f"{metric}, step 20") for name in (single, direct)]
    assert (
        "mean over 20 steps: {} direct and {} staged, where K = 1 with the paper's network comes "
        "to {} (seed 0 alone), a copy of the last clean frame that is fitted to {}, and the copy "
        "as it is to {}. In the first three steps K = 1 is better; in the last it has {}, and "
        "direct {}."
    ).format(*(f"{known[' | '.join(key)]['mean']:.1f}" for key in shown)) in " ".join(
        (ROOT / "docs" / "experiments.md").read_text(encoding="utf-8").split()
    )
    assert known[f"{single} | {metric}"]["seeds"] == [0]


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
