"""``images.evaluate``: a run scored again by each estimator, and which estimates get a star."""

import pytest
import torch
from small_image_run import read, run

from experiments.images import evaluate
from inference.images import HMCLikelihood

pytestmark = pytest.mark.usefixtures("no_report")


def test_a_run_is_scored_again(digits, tmp_path, capsys):
    folder = tmp_path / "run"
    assert run(folder, "vae_mnist", "--latent-size", "1") == 0
    options = [str(folder), "--device", "cpu", "--images", "3"]
    assert evaluate.main([*options, "--particles", "2", "400"]) == 0
    found = read(folder, "evaluations/test-iwae2-400-3images-best-seed0.json")
    assert found["images"] == 3
    bounds = [found[f"test.nll_{name}"] for name in ("elbo", "iwae_400")]
    assert evaluate.main([*options, "--particles", "2", "--seed", "3"]) == 0
    assert (folder / "evaluations" / "test-iwae2-3images-best-seed3.json").is_file()
    assert evaluate.main([*options, "--estimator", "hmc", "--samples", "20"]) == 0
    sampled = read(folder, "evaluations/test-hmc20-3images-best-seed0.json")
    # Four updates have taught nothing, so that all say nearly the same.
    assert sampled["test.nll_hmc"] == pytest.approx(bounds[1], rel=0.02)
    assert bounds[0] == pytest.approx(bounds[1], rel=0.02)
    assert 0 <= sampled["wide_spreads"] <= 3
    assert sampled["missed_modes"] == 0
    assert sampled["trusted"] == (sampled["wide_spreads"] == 0)
    printed = capsys.readouterr().out
    assert "have a spread above 1 nat, and 0 lack more than 0.5 nats of other modes" in printed
    assert evaluate.main([*options, "--estimator", "quadrature", "--points", "101"]) == 0
    summed = read(folder, "evaluations/test-quadrature101-3images-best-seed0.json")
    assert summed["test.nll_quadrature"] == pytest.approx(bounds[1], abs=0.02)
    assert summed["largest_change"] < 1e-4
    assert "sums change by up to" in capsys.readouterr().out
    split = ["--split", "training", "--checkpoint", "last", "--particles", "2"]
    assert evaluate.main([*options, *split]) == 0
    assert (folder / "evaluations" / "training-iwae2-3images-last-seed0.json").is_file()
    for idle in (
        ["--samples", "20"],
        ["--estimator", "hmc", "--particles", "2"],
        ["--estimator", "quadrature", "--samples", "20"],
    ):
        assert evaluate.main([*options, *idle]) == 2
        printed = capsys.readouterr().err
        assert (
            f"{idle[-2]}: has no effect with --estimator {idle[1] if idle[2:] else 'iwae'}"
            in printed
        )
    # The run itself was tested on 8 of them, and there are 10 of each.
    for name, count in (("test", 10), ("validation", 10), ("training", 30)):
        some = [str(folder), "--device", "cpu", "--particles", "2", "--split", name]
        assert evaluate.main([*some, "--images", str(count)]) == 0
        kept = f"evaluations/{name}-iwae2-{count}images-best-seed0.json"
        assert read(folder, kept)["images"] == count
        assert evaluate.main([*some, "--images", str(count + 1)]) == 2
        said = f"holds {count}, fewer than the {count + 1} asked for"
        assert said in capsys.readouterr().err
    assert evaluate.main([str(folder), "--device", "cpu", "--particles", "2"]) == 0
    assert (folder / "evaluations" / "test-iwae2-8images-best-seed0.json").is_file()
    assert evaluate.main([str(folder), "--images", "0"]) == 2
    assert "--images: expected at least 1, got 0" in capsys.readouterr().err
    assert evaluate.main([str(tmp_path / "nowhere")]) == 2
    assert "config.json" in capsys.readouterr().err


def test_estimates_that_are_not_to_be_trusted_are_marked(digits, tmp_path, monkeypatch, capsys):
    folder = tmp_path / "run"
    assert run(folder, "vae_mnist", "--latent-size", "1") == 0

    def estimates(spread, missed):
        parts = ([-90.0, -80.0], [0.5, spread], [0.1, missed])
        found = HMCLikelihood(*map(torch.tensor, parts))
        monkeypatch.setattr(evaluate, "hmc_likelihood", lambda *_, **__: found)
        options = [str(folder), "--device", "cpu", "--estimator", "hmc", "--images", "2"]
        assert evaluate.main(options) == 0
        written = read(folder, "evaluations/test-hmc400-2images-best-seed0.json")
        return written, capsys.readouterr().out

    def marks(written):
        return written["wide_spreads"], written["missed_modes"], written["trusted"]

    written, printed = estimates(0.9, 0.4)
    assert marks(written) == (0, 0, True)
    assert "85.000 ± 5.000\n" in printed
    assert "do not trust" not in printed
    star = "85.000 ± 5.000 *\n  * do not trust this mean: of the estimates in it "
    written, printed = estimates(1.1, 0.4)
    assert marks(written) == (1, 0, False)
    assert f"{star}a few draws decide 1\n" in printed
    written, printed = estimates(0.9, 0.6)
    assert marks(written) == (0, 1, False)
    assert f"{star}1 lack modes\n" in printed
    written, printed = estimates(1.1, 0.6)
    assert marks(written) == (1, 1, False)
    assert f"{star}a few draws decide 1 and 1 lack modes\n" in printed
