"""The posterior of images, against what is written out and against models that can be solved."""

import math

import numpy as np
import pytest
import torch
from small_images import SIZES, A, Chain, Gains, Q, R, build, images

from inference.diagnostics import (
    ACTIVE,
    active_latents,
    bound_tightness,
    find_latent_problems,
    k_hat,
    latents_not_looked_for,
)
from inference.images import ImageObjective, diagnose_images, latent_activity
from inference.streams import Stream, update_seed
from pyro_nem.data import ImageSet
from pyro_nem.errors import ConfigError

COUNT, CHAINS, DRAWS, KEPT = 5, 2, 6, 3


def objective(layers=1):
    return ImageObjective(*build(layers))


def digits(count=COUNT):
    return images(count).binarised(0)


def diagnose(layers=1, **options):
    options = {"restarts": CHAINS, "draws": DRAWS, "kept_draws": KEPT, **options}
    return diagnose_images(objective(layers), digits(), **options)


def log_normal(z, law):
    return torch.distributions.Normal(*law).log_prob(z).sum(-1)


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("chain", range(CHAINS))
def test_a_chain_is_what_is_written_out(layers, chain):
    """Batches of two images, so that the second chain of the second one has the fourth seed."""
    found = diagnose(layers, rows_at_once=2 * DRAWS)
    model, guide = build(layers)
    for index, of in enumerate((slice(0, 2), slice(2, 4), slice(4, 5))):
        x = digits().probabilities(of).double()
        seed = update_seed(0, Stream.DIAGNOSIS, index * CHAINS + chain)
        generator = torch.Generator().manual_seed(seed)
        zero = torch.zeros((), dtype=torch.double)
        with torch.no_grad():
            below, log_q, latents = x, 0.0, []
            for layer, noise in enumerate(guide.noise(len(x), DRAWS, generator), 1):
                law = guide.law(layer, below)
                below = law.loc + law.scale * noise
                log_q = log_q + log_normal(below, law)
                latents.append(below)
                mean = law.loc.expand_as(below).mean(0)
                stored = found[f"sample_stats/location_z_{layer}"][chain, of]
                np.testing.assert_allclose(stored, mean, rtol=1e-5)
                np.testing.assert_allclose(
                    found[f"posterior/z_{layer}"][chain, :, of], below[:KEPT], rtol=1e-5
                )
            log_p = log_normal(latents[-1], (zero, zero + 1))
            if layers == 2:
                log_p = log_p + log_normal(latents[0], model.prior_law(1, latents[1]))
            p = (model.decoders[0](latents[0]) + model.output.mean.logit()).sigmoid()
            likelihood = (x * p + (1 - x) * (1 - p)).log().sum(-1)  # [S, B]
        weights = likelihood + log_p - log_q
        stats = {name: found[f"sample_stats/{name}"][chain] for name in ("elbo", "iwae", "kl")}
        np.testing.assert_allclose(found["sample_stats/log_weight"][chain, :, of], weights)
        np.testing.assert_allclose(
            found["log_likelihood/x"][chain, :, of], likelihood[:KEPT], rtol=1e-5
        )
        np.testing.assert_allclose(stats["elbo"][of], weights.mean(0))
        np.testing.assert_allclose(stats["iwae"][of], weights.exp().mean(0).log())
        np.testing.assert_allclose(stats["kl"][of], (log_q - log_p).mean(0), rtol=1e-5)


def test_groups_and_axes_have_names():
    found = diagnose(2)
    sizes = SIZES[2][0]
    assert found["posterior/z_2"].dims == ("chain", "draw", "image", "latent_2")
    assert found["posterior/z_1"].shape == (CHAINS, KEPT, COUNT, sizes[0])
    assert found["sample_stats/log_weight"].shape == (CHAINS, DRAWS, COUNT)
    assert found["posterior_predictive/x"].dims == ("chain", "draw", "image", "row", "column")
    assert found["posterior_predictive/x"].shape == (CHAINS, KEPT, COUNT, 2, 3)
    assert found["prior_predictive/x"].shape == (1, KEPT, 2, 3)
    for name in ("posterior_predictive/x", "prior_predictive/x"):
        assert set(np.unique(found[name])) == {0, 1}
    np.testing.assert_array_equal(found["observed_data/x"], digits().levels // 255)
    assert found.attrs["unit"] == "image"
    assert found.identical(diagnose(2))
    assert not found.identical(diagnose(2, seed=1))


def solved(offset=0.0, factor=1.0, number=50, layers=1, **options):
    """Images of one pixel, their posterior under a linear Gaussian model, and log p(x)."""
    levels = (255 * np.random.default_rng(0).integers(0, 2, (number, 1, 1))).astype(np.uint8)
    source = ImageSet("pixels", levels)
    model = Chain(layers).double()
    guide = Gains(model, offset, factor).double()
    options = {"restarts": 4, "draws": 500, "kept_draws": 1, **options}
    found = diagnose_images(ImageObjective(model, guide), source, **options)
    return found, model.log_likelihood(source.probabilities(slice(None)).double())


@pytest.mark.parametrize("layers", [1, 2])
def test_the_exact_posterior_has_equal_weights_and_a_tight_bound(layers):
    found, truth = solved(layers=layers, draws=20)
    np.testing.assert_allclose(found["sample_stats/iwae"][0], truth)
    assert (abs(bound_tightness(found).gap) < 1e-9).all()
    assert (k_hat(found).values == -math.inf).all()
    assert find_latent_problems(found) == []


def test_replicates_follow_the_law_of_an_image_and_draws_that_of_the_model():
    found, _ = solved(kept_draws=500, layers=2)
    z = found["posterior/z_1"].values[..., None]
    assert np.std(found["posterior_predictive/x"].values - z) == pytest.approx(R, rel=0.02)
    variance = A**2 + Q**2 + R**2
    assert found["prior_predictive/x"].values.var() == pytest.approx(variance, rel=0.25)


def test_k_hat_tells_a_narrow_guide_from_a_good_one():
    wide, truth = solved(factor=1.3, number=6, layers=2)
    narrow, _ = solved(factor=0.1, number=6, layers=2, draws=2000)
    assert (k_hat(wide).values < 0.5).all()
    assert (k_hat(narrow).values > 0.7).all()
    assert (abs(wide["sample_stats/iwae"].mean("chain") - truth.numpy()) < 0.05).all()
    names = [finding.name for finding in find_latent_problems(narrow)]
    assert names == ["unreliable weights", "few draws decide"]
    assert "images" in find_latent_problems(narrow)[0].message


def test_activity_is_that_of_the_scores():
    """One layer has known means; of a second one both are averages of draws."""
    for layers, tolerance in ((1, 1e-5), (2, 0.05)):
        model = objective(layers)
        source = images(400).binarised(0)
        options = {"restarts": 4, "draws": 200, "kept_draws": 1, "rows_at_once": 20_000}
        found = diagnose_images(model, source, images=400, **options)
        ours = active_latents(found)
        scored = latent_activity(model, source, draws=800)
        for layer, variances in enumerate(scored.variances, 1):
            values = ours.covariances[f"z_{layer}"]
            np.testing.assert_allclose(values, variances, rtol=tolerance, atol=1e-6)
        assert tuple(ours.active.values()) == scored.active


def test_a_latent_that_is_the_same_for_all_images_is_inactive():
    model, guide = build()
    with torch.no_grad():
        last = guide.encoders[0][-1]
        last.weight[0].zero_()  # the mean of the first of two latents
    found = diagnose_images(ImageObjective(model, guide), digits(), draws=10, kept_draws=1)
    values = active_latents(found).covariances["z_1"].values
    assert values[0] < ACTIVE < values[1]
    assert active_latents(found).active == {"z_1": 1}
    with torch.no_grad():
        last.weight.zero_()
        last.bias.zero_()
    found = diagnose_images(ImageObjective(model, guide), digits(), draws=50, kept_draws=1)
    names = [finding.name for finding in find_latent_problems(found)]
    assert names == ["silent latents", "inactive latents"]
    assert "0 of the 2 latents z_1 differ from one image" in find_latent_problems(found)[1].message


def test_what_cannot_be_seen_is_said():
    found = diagnose(restarts=1)
    assert latents_not_looked_for(found) == {
        "inactive latents": "there is a single chain to compare",
        "unreliable weights": "there are too few draws with weights that differ",
    }
    assert active_latents(found).active == {}


def test_bad_input_is_refused():
    with pytest.raises(ConfigError, match=r"those of images are grey.*binarised\(seed\)"):
        diagnose_images(objective(), images(3))
    for options, message in (
        ({"draws": 1}, "draws: expected at least 2"),
        ({"kept_draws": 7}, "kept_draws: expected at most the 6 draws, got 7"),
        ({"images": 0}, "images: expected at least 1"),
    ):
        with pytest.raises(ConfigError, match=message):
            diagnose(**options)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
@pytest.mark.parametrize("layers", [1, 2])
def test_a_gpu_finds_the_same(layers):
    """With other draws."""
    options = {"draws": 300, "kept_draws": 2}
    here = diagnose_images(objective(layers), digits(), **options)
    there = diagnose_images(objective(layers).cuda(), digits(), **options)
    for name in ("iwae", "elbo"):
        means = [tree[f"sample_stats/{name}"].mean("chain") for tree in (here, there)]
        np.testing.assert_allclose(*means, atol=0.1)
    assert here["posterior_predictive/x"].shape == there["posterior_predictive/x"].shape
