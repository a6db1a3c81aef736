"""The posterior of a model of images in ArviZ's schema."""

from __future__ import annotations

import numpy as np
import pyro
import torch
import xarray as xr
from pyro import poutine
from torch import Tensor

from inference.bound_config import BoundConfig
from inference.bounds import combine
from inference.diagnostics.attributes import attributes_of
from inference.diagnostics.batch_draws import compact
from inference.diagnostics.schema import Arrays
from inference.diagnostics.tree import build_tree, join_batches
from inference.images.diagnosis_schema import image_variables
from inference.images.levels import check_bits
from inference.images.objective import ImageObjective
from inference.modes import as_trained
from inference.seeded import drawn_seed, seeded
from inference.streams import Stream, update_seed
from pyro_nem.checks import at_least
from pyro_nem.data import ImageSet, arrays_sha256
from pyro_nem.errors import ConfigError

__all__ = ["diagnose_images"]


def diagnose_images(
    objective: ImageObjective,
    data: ImageSet,
    *,
    images: int = 100,
    restarts: int = 4,
    draws: int = 100,
    kept_draws: int = 25,
    rows_at_once: int = 2000,
    seed: int = 0,
) -> xr.DataTree:
    """Describe what a guide believes of each image, for ArviZ and :mod:`inference.diagnostics`.

    A draw is one of the guide, not weighted; a chain is a set of draws with a seed of its own. All
    draws have weights; latents, replicated images and likelihoods are stored of the first ones
    only. Every variable tells its meaning in its attribute ``description``.

    ``log_likelihood`` is log p(x | z_1) of a draw and whole image. It is not what PSIS-LOO wants:
    each image has latents of its own, of which nothing is known when it is left out.

    Parameters
    ----------
    objective
        Model and guide; which bound they were trained with does not matter.
    data
        Images of 0 and 255.
    images
        Describe so many, the first ones, or all if there are fewer.
    restarts
        Chains. Active latents need two.
    draws
        Draws of each chain, at least two.
    kept_draws
        Of so many of them latents, replicates and likelihoods are stored.
    rows_at_once
        Draws of several images are computed together, as many as this, and one image at least.
    seed
        Seed of the draws.

    Returns
    -------
    xr.DataTree
        The groups ``posterior``, ``posterior_predictive``, ``prior_predictive``,
        ``log_likelihood``, ``sample_stats`` and ``observed_data``.

    Raises
    ------
    ConfigError
        If a number is out of range, or the images are grey or of another size than the model's.
    """
    at_least(1, images=images, restarts=restarts, kept_draws=kept_draws, rows_at_once=rows_at_once)
    at_least(2, draws=draws)
    if kept_draws > draws:
        raise ConfigError(f"kept_draws: expected at most the {draws} draws, got {kept_draws}")
    source = data.first(images)
    check_bits(objective.model, source)
    like = next(objective.parameters())
    weighted = ImageObjective(objective.model, objective.guide, bound=BoundConfig("iwae", draws))
    size = max(1, rows_at_once // draws)
    parts: list[Arrays] = []
    for index, start in enumerate(range(0, len(source), size)):
        x = source.probabilities(slice(start, start + size)).to(like)
        seeds = [update_seed(seed, Stream.DIAGNOSIS, index * restarts + n) for n in range(restarts)]
        with as_trained(objective), torch.no_grad(), pyro.validation_enabled(False):
            chains = [_chain(weighted, x, kept_draws, each) for each in seeds]
        found = {path: np.stack([chain[path] for chain in chains]) for path in chains[0]}
        parts.append({**found, "observed_data/x": compact(x)})
    variables = image_variables(len(objective.model.latent_sizes))
    arrays = join_batches(parts, variables=variables)
    nothing = like.new_zeros(kept_draws, source.size)
    own = update_seed(seed, Stream.DIAGNOSIS, len(parts) * restarts)
    with as_trained(objective), torch.no_grad(), seeded(own):
        drawn = poutine.trace(poutine.uncondition(objective.model)).get_trace(nothing)
    arrays["prior_predictive/x"] = compact(drawn.nodes["x"]["value"][None])
    return build_tree(
        arrays,
        source.shape,
        {},
        attributes_of(
            source.name,
            arrays_sha256([source.levels]),
            objective.model,
            objective.guide,
            seed,
            unit="image",
        ),
        variables,
    )


def _chain(weighted: ImageObjective, x: Tensor, kept: int, seed: int) -> Arrays:
    """Return the variables of a chain, without its axis."""
    model, guide = weighted.model, weighted.guide
    draws = weighted.bound.particles
    terms = weighted(x, torch.Generator(x.device).manual_seed(seed))
    likelihood = (terms.log_weights + terms.divergence)[:kept]  # [Q, B]
    log_weight = terms.log_weights.double()  # [S, B]
    found = {
        "log_likelihood/x": likelihood.float().cpu().numpy(),
        "sample_stats/log_weight": log_weight.cpu().numpy(),
        "sample_stats/elbo": combine("elbo", log_weight).cpu().numpy(),
        "sample_stats/iwae": combine("iwae", log_weight).cpu().numpy(),
        "sample_stats/kl": terms.divergence.mean(0).float().cpu().numpy(),
    }
    # The noise of the weights, from which the same latents are made.
    generator = torch.Generator(x.device).manual_seed(seed)
    latents, below = [], x
    for layer, noise in enumerate(guide.noise(len(x), draws, generator), 1):
        law = guide.law(layer, below)
        below = law.loc + law.scale * noise  # [S, B, H]
        latents.append(below)
        mean = law.loc.expand_as(below).mean(0)  # [B, H]
        found[f"posterior/z_{layer}"] = below[:kept].float().cpu().numpy()
        found[f"sample_stats/location_z_{layer}"] = mean.float().cpu().numpy()
    with seeded(drawn_seed(generator)):
        replicated = model.law_of_images.law(model.decode(latents[0][:kept])).sample()
    found["posterior_predictive/x"] = compact(replicated)
    return found
