"""The posterior of sequences, against what is written out and a model that can be solved."""

import math

import numpy as np
import pytest
import torch
from small_sequences import LENGTHS, OPTIMAL, SIZE, A, Gain, Q, R, Walk, build, kalman, rolls

from inference.diagnostics import (
    ACTIVE,
    active_latents,
    bound_tightness,
    effective_draws,
    find_latent_problems,
    k_hat,
    latents_not_looked_for,
)
from inference.sequences import SequenceObjective, diagnose_sequences
from inference.streams import Stream, update_seed
from pyro_nem.data import SequenceSet, pad
from pyro_nem.errors import ConfigError

CHAINS, DRAWS, KEPT, SHOWN, STEPS = 2, 5, 3, 2, 4


@pytest.fixture(scope="module")
def objective():
    return SequenceObjective(*build())


@pytest.fixture(scope="module")
def tree(objective):
    return diagnose_sequences(
        objective,
        rolls(),
        restarts=CHAINS,
        draws=DRAWS,
        kept_draws=KEPT,
        shown_sequences=SHOWN,
        shown_steps=STEPS,
        rows_at_once=100,
    )


def log_normal(z, loc, scale):
    return -0.5 * ((z - loc) / scale) ** 2 - scale.log() - 0.5 * math.log(2 * math.pi)


def written_out(objective, chain):
    """Latents of a chain, log p(x_t | z_t), log q - log p, the KL and the shift of each step."""
    model, guide = objective.model, objective.guide
    batch = pad(rolls().sequences)
    batch = batch._replace(x=batch.x.double())
    generator = torch.Generator().manual_seed(update_seed(0, Stream.DIAGNOSIS, chain))
    with torch.no_grad():
        drawn = guide.rollout(batch, generator, DRAWS)
        (q, s), (p, r) = drawn.posterior, model.prior_law(drawn.context)
        raw = model.decoder(torch.cat([model.phi_z(drawn.z), drawn.context], -1))
        bits = (raw + model.output.mean.logit()).sigmoid()
        likelihood = torch.where(batch.x == 1, bits, 1 - bits).log().sum(-1)
        penalty = (log_normal(drawn.z, q, s) - log_normal(drawn.z, p, r)).sum(-1)
        kl = (((s / r) ** 2 + ((q - p) / r) ** 2 - 1) / 2 + (r / s).log()).sum(-1)
    return drawn.z, likelihood, penalty, kl, (q - p) / r  # each [S, T, B, ..]


@pytest.mark.parametrize("chain", range(CHAINS))
def test_a_chain_is_what_is_written_out(objective, tree, chain):
    z, likelihood, penalty, kl, shift = written_out(objective, chain)
    found = {
        f"{group}/{name}": tree[f"{group}/{name}"].isel(chain=chain)
        for group in ("posterior", "log_likelihood", "sample_stats")
        for name in tree[group].data_vars
    }
    for n, length in enumerate(LENGTHS):
        of = {"sequence": n}
        inside = slice(length)
        per_step = found["log_likelihood/x"][:, n]
        np.testing.assert_allclose(
            per_step[:, inside], likelihood[:KEPT, inside, n], rtol=1e-6, atol=1e-6
        )
        weights = (likelihood - penalty)[:, inside, n].sum(1)
        log_weight = found["sample_stats/log_weight"].isel(of)
        np.testing.assert_allclose(log_weight, weights, rtol=1e-12)
        assert found["sample_stats/elbo"].isel(of).item() == pytest.approx(weights.mean().item())
        iwae = weights.exp().mean().log().item()
        assert found["sample_stats/iwae"].isel(of).item() == pytest.approx(iwae)
        for name, values in (("kl", kl), ("location_z", shift)):
            stored = found[f"sample_stats/{name}"].isel(of)
            np.testing.assert_allclose(stored[inside], values[:, inside, n].mean(0), rtol=1e-5)
            assert np.isnan(stored[length:]).all()
        assert np.isnan(per_step[:, length:]).all()
    for n in range(SHOWN):
        inside = slice(min(STEPS, LENGTHS[n]))
        drawn = found["posterior/z"][:, n]
        np.testing.assert_allclose(drawn[:, inside], z[:KEPT, inside, n], rtol=1e-6)
        assert np.isnan(drawn[:, inside.stop :]).all()


def test_groups_and_axes_have_names(tree):
    assert set(tree.children) == {
        "posterior", "posterior_predictive", "prior_predictive", "log_likelihood", "sample_stats",
        "observed_data", "constant_data",
    }  # fmt: skip
    assert tree["posterior/z"].dims == (
        "chain", "draw", "shown_sequence", "shown_step", "latent",
    )  # fmt: skip
    assert tree["posterior/z"].shape == (CHAINS, KEPT, SHOWN, STEPS, 2)
    assert tree["sample_stats/log_weight"].shape == (CHAINS, DRAWS, len(LENGTHS))
    assert tree["log_likelihood/x"].dims == ("chain", "draw", "sequence", "step")
    assert list(tree["log_likelihood/x"]["step"].values) == [1, 2, 3, 4, 5]
    assert tree["constant_data/length"].values.tolist() == list(LENGTHS)
    observed = tree["observed_data/x"]
    np.testing.assert_array_equal(observed[0, :3], rolls().sequences[0])
    assert np.isnan(observed[0, 3:]).all()
    for group in ("posterior_predictive", "prior_predictive"):
        drawn = tree[f"{group}/x"]
        assert drawn.sizes["feature"] == SIZE
        assert set(np.unique(drawn.values[~np.isnan(drawn.values)])) == {0.0, 1.0}
    assert all("nats" in tree[f"sample_stats/{n}"].attrs["description"] for n in ("elbo", "kl"))
    assert (tree.attrs["unit"], tree.attrs["guide"]) == ("sequence", "SequencePosterior")


def test_the_same_seed_gives_the_same_posterior_and_chains_differ(objective, tree):
    options = {"restarts": CHAINS, "draws": DRAWS, "kept_draws": KEPT}
    shown = {"shown_sequences": SHOWN, "shown_steps": STEPS, "rows_at_once": 100}
    again = diagnose_sequences(objective, rolls(), **options, **shown)
    assert again.identical(tree)
    other = diagnose_sequences(objective, rolls(), **options, **shown, seed=1)
    assert not np.isin(other["sample_stats/elbo"], tree["sample_stats/elbo"]).any()
    assert other.attrs["data_sha256"] == tree.attrs["data_sha256"]
    one, two = tree["sample_stats/log_weight"].values
    assert (one != two).all()


def test_batches_of_other_lengths_are_joined(objective):
    whole = rolls((2, 5, 3, 4))
    found = diagnose_sequences(
        objective, whole, sequences=3, draws=2, kept_draws=1, shown_sequences=2, rows_at_once=1
    )
    assert found["log_likelihood/x"].shape == (4, 1, 3, 5)
    assert found["log_likelihood/x"].notnull().sum("step")[0, 0].values.tolist() == [2, 5, 3]
    assert found["posterior/z"].notnull().all("latent").sum("shown_step")[0, 0].values.tolist() == [
        2,
        5,
    ]


def walk(scale=1.0, proposal=OPTIMAL, steps=4, number=6, equal=False, **options):
    """Sequences of a linear Gaussian walk, their posterior and log p(x)."""
    generator = np.random.default_rng(3)
    waves = [generator.normal(size=(steps, 1)).cumsum(0) for _ in range(number)]
    waves = [waves[0]] * number if equal else waves
    model = Walk().double()
    guide = Gain(model, proposal[0], scale * proposal[1]).double()
    options = {"sequences": number, "restarts": 4, "draws": 500, "kept_draws": 1, **options}
    found = diagnose_sequences(
        SequenceObjective(model, guide), SequenceSet("walks", waves), rows_at_once=3000, **options
    )
    return found, [kalman(wave.astype(np.float32).ravel()) for wave in waves]


def test_k_hat_tells_a_narrow_guide_from_the_optimal_one():
    good, _ = walk()
    narrow, _ = walk(scale=0.1)
    assert (k_hat(good).values < 0.5).all()
    assert (k_hat(narrow).values > 0.7).all()
    assert (k_hat(good).above, k_hat(narrow).above) == (0, 6)
    assert (effective_draws(good) > 10 * effective_draws(narrow)).all()


def test_the_bound_of_many_particles_reaches_the_kalman_filter():
    found, truth = walk(restarts=16)
    iwae = found["sample_stats/iwae"]
    error = iwae.std("chain", ddof=1) / 4
    assert (abs(iwae.mean("chain") - truth) < 4 * error + 1e-3).all()
    tight = bound_tightness(found)
    assert ((tight.gap > 0.01) & (tight.elbo < truth)).all()
    exact, truth = walk(steps=1)
    np.testing.assert_allclose(exact["sample_stats/log_weight"].min(("chain", "draw")), truth)


def test_replicates_follow_the_law_of_a_step_and_draws_that_of_the_model():
    found, _ = walk(kept_draws=500)
    replicates, z = (found[path].values for path in ("posterior_predictive/x", "posterior/z"))
    assert np.std(replicates - z) == pytest.approx(R, rel=0.05)
    drawn = found["prior_predictive/x"].values[0, :, :, 0]  # [draw, step]
    variance = 0.0
    for step in range(4):
        variance = A**2 * variance + Q**2
        assert drawn[:, step].var() == pytest.approx(variance + R**2, rel=0.25)


def test_a_posterior_that_follows_its_prior_has_collapsed():
    """Its mean varies with the past, but says nothing of the data that the prior does not."""
    collapsed, _ = walk(proposal=(0.0, Q))
    assert float(abs(collapsed["sample_stats/location_z"]).max()) == 0.0
    assert active_latents(collapsed).active == {"z": 0}
    names = {finding.name for finding in find_latent_problems(collapsed)}
    assert {"silent latents", "inactive latents"} <= names
    used, _ = walk()
    assert active_latents(used).active == {"z": 1}
    assert find_latent_problems(used) == []
    assert latents_not_looked_for(used) == {}


def test_noise_of_the_draws_is_no_activity():
    """Of equal sequences the means of a few draws differ by more than the threshold."""
    found, _ = walk(draws=2, number=400, equal=True)
    noise = found["sample_stats/location_z"].var("sequence", ddof=1).mean()
    assert noise > 4 * ACTIVE
    assert abs(active_latents(found).covariances["z"]) < 0.3 * ACTIVE


def test_a_model_without_latents_is_refused():
    with pytest.raises(ConfigError, match=r"expected a model with latents.*score_sequences"):
        diagnose_sequences(SequenceObjective(*build(latent_size=0)), rolls())


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"draws": 1}, "draws: expected at least 2, got 1"),
        ({"draws": 5}, "kept_draws: expected at most the 5 draws, got 25"),
        ({"sequences": 0}, "sequences: expected at least 1"),
        ({"shown_steps": 0}, "shown_steps: expected at least 1"),
        ({"restarts": 0}, "restarts: expected at least 1"),
    ],
)
def test_bad_numbers_are_refused(objective, options, message):
    with pytest.raises(ConfigError, match=message):
        diagnose_sequences(objective, rolls(), **options)


def test_a_single_sequence_has_no_activity_but_weights(objective):
    found = diagnose_sequences(objective, rolls((4,)), draws=10, kept_draws=1)
    assert active_latents(found).covariances["z"].isnull().all()
    assert latents_not_looked_for(found) == {
        "inactive latents": "there is a single sequence to compare"
    }
    assert np.isfinite(k_hat(found).values).all()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_a_gpu_finds_the_same():
    """With other draws."""
    options = {"draws": 300, "kept_draws": 2, "rows_at_once": 1000}
    here = diagnose_sequences(SequenceObjective(*build()), rolls(), **options)
    there = diagnose_sequences(SequenceObjective(*build()).cuda(), rolls(), **options)
    for name in ("iwae", "elbo"):
        means = [tree[f"sample_stats/{name}"].mean("chain") for tree in (here, there)]
        np.testing.assert_allclose(*means, atol=0.1)
    for path in ("posterior/z", "log_likelihood/x", "posterior_predictive/x"):
        np.testing.assert_array_equal(np.isnan(here[path]), np.isnan(there[path]))
