"""The report and the posterior of runs on sequences and images, from their files alone."""

import json
import re
import shutil

import numpy as np
import pytest
import small_speech
from smoke_commands import read

from experiments.report.__main__ import main as report
from experiments.run import main
from inference import RunDirectory, read_posterior
from inference.diagnostics import active_latents


@pytest.fixture
def folder(latent_runs, tmp_path):
    """A copy of a finished run, to be damaged."""
    return shutil.copytree(latent_runs("speech"), tmp_path / "run")


def words(folder):
    """Return what a reader sees, without tags and pictures."""
    html = (folder / "report.html").read_text()
    return " ".join(re.sub(r"<[^>]*>", " ", html[html.index("<body>") :]).split())


def change(path, **values):
    """Change entries of a JSON file; None removes one."""
    content = {**read(path), **values}
    path.write_text(json.dumps({k: v for k, v in content.items() if v is not None}))


def again(folder):
    return report([str(folder)])


def test_a_run_on_sequences_is_told(latent_runs):
    folder = latent_runs("speech")
    summary, text = read(folder / "summary.json"), words(folder)
    assert summary["posterior_sequences"] == 2
    for name in ("nll_elbo", "nll_iwae_4", "kl"):
        mean, error = summary[f"test.{name}"], summary["errors"][name]
        low, high = mean - 1.96 * error, mean + 1.96 * error
        assert f"{mean:,.3f} {low:,.3f} to {high:,.3f}" in text
    assert f"{summary['test.sample_log_likelihood_elbo']:.3f}" in text
    assert "interval log-likelihood, nats a sample, higher is better" in text
    assert f"AR(20), moving variance {summary['floor.moving_variance']:,.3f}" in text
    assert f"ELBO: {summary['test.nll_elbo']:,.3f} nats a step on 4 test sequences" in text
    tree = read_posterior(folder / "posterior.nc")
    assert f"{active_latents(tree).active['z']} of the 8 latents z differ" in text
    assert "IWAE-16" in text
    assert "2 sequences are above 0.7" in text
    for section in ("Findings", "Scores", "Pictures", "Tightness of the bound", "Latents"):
        assert section in text
    html = (folder / "report.html").read_text()
    assert html.count('<audio controls src="data:audio/wav;base64,') == 9
    references = re.findall(r'(?:src|href)="([^"]{0,11})', html)
    assert {found[:5] for found in references if not found.startswith("#")} == {"data:"}
    assert html.count("<img ") == len(re.findall(r'<img src="[^"]+" alt="[^"]{20,}">', html)) == 5


def test_what_was_tried_is_told(folder):
    config = read(folder / "config.json")
    usual = ("layer normalisation", "batch normalisation", "training sequences", "replay")
    usual += ("curriculum", "KL warm-up", "free nats", "components")
    assert not [name for name in usual if name in words(folder)]
    settings = config["settings"]
    settings.update(layer_norm=True, batch_norm=True, chunk=1, components=5)
    settings["bound"].update(kl_warmup=0, free_nats=0.25)
    settings["schedule"].update(replay=0.5, memory=7, curriculum=3, shortest=1)
    change(folder / "config.json", settings=settings)
    assert again(folder) == 0
    text = words(folder)
    for row in (
        "layer normalisation on",
        "batch normalisation on",
        "training sequences in pieces of 1 step",
        "components 5",
        "KL warm-up none",
        "free nats 0.25 a step",
        "replay 0.5 of a batch, from the last 7 updates",
        "curriculum 3 updates, from 1 step on",
    ):
        assert row in text
    settings["bound"].update(objective="iwae", free_nats=0.0)
    change(folder / "config.json", settings=settings)
    assert again(folder) == 0
    assert "KL warm-up" not in words(folder)


def test_a_run_on_images_is_told(latent_runs):
    folder = latent_runs("iwae_mnist")
    summary, text = read(folder / "summary.json"), words(folder)
    assert summary["posterior_images"] == 4
    mean, error = summary["test.nll_iwae_20"], summary["errors"]["nll_iwae_20"]
    low, high = mean - 1.96 * error, mean + 1.96 * error
    assert f"IWAE-20 {mean:,.3f} {low:,.3f} to {high:,.3f}" in text
    assert "Looked for in the posterior of 4 test images" in text
    active = active_latents(read_posterior(folder / "posterior.nc")).active
    html = (folder / "report.html").read_text()
    assert f"active are {active['z_1']} of 6 of z_1, {active['z_2']} of 4 of z_2" in html
    assert "dynamic binarisation" in text
    assert "nats an image" in text
    assert html.count("<img ") == 6


def test_a_model_without_latents_has_a_report_without_those_parts(latent_runs):
    folder = latent_runs("rnn")
    assert not (folder / "posterior.nc").exists()
    assert read(folder / "summary.json")["posterior_sequences"] == 0
    text = words(folder)
    assert "The model has no latents, so it has no posterior that could collapse" in text
    assert "The run wrote no posterior.nc: its model has no latents" in text
    assert "EXACT" in text
    assert "floor: independent notes" in text
    assert "Importance weights" not in text


@pytest.mark.parametrize("name", ["speech", "iwae_mnist", "rnn"])
def test_the_command_makes_the_same_page_again(latent_runs, tmp_path, name):
    folder = latent_runs(name)
    assert report([str(folder), "--output", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_text() == (folder / "report.html").read_text()


@pytest.mark.parametrize("name", ["metrics.jsonl", "summary.json", "posterior.nc"])
def test_a_missing_file_is_named(folder, name, capsys):
    (folder / name).unlink()
    assert again(folder) == 2
    assert f"{name}: expected" in capsys.readouterr().err


def test_a_run_of_an_earlier_version_says_how_to_score_it(folder, capsys):
    change(folder / "summary.json", errors=None, posterior_sequences=None)
    assert again(folder) == 2
    assert "but errors, posterior_sequences is missing; python -m" in capsys.readouterr().err


def test_a_run_that_described_nothing_says_so(folder):
    change(folder / "summary.json", posterior_sequences=0)
    (folder / "posterior.nc").unlink()
    assert again(folder) == 0
    text = words(folder)
    assert "Nothing was checked" in text
    assert text.count("--posterior-sequences 0") == 2


def test_the_number_to_describe_is_an_option(folder, monkeypatch, tmp_path, capsys):
    """A finished run is scored again."""
    small_speech.put(tmp_path / "data", monkeypatch)
    options = ["speech", "--resume", "--run-dir", str(folder), "--device", "cpu"]
    assert main([*options, "--posterior-sequences", "3"]) == 0
    tree = read_posterior(RunDirectory(folder).posterior)
    assert tree["constant_data/length"].sizes["sequence"] == 3
    assert np.isfinite(tree["sample_stats/elbo"]).all()
    assert "describing the posterior of 3 of them" in capsys.readouterr().out
    assert main([*options, "--posterior-sequences", "-1"]) == 2
    assert "--posterior-sequences: expected at least 0, got -1" in capsys.readouterr().err
