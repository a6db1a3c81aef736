"""The figures of a run on images."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.distributions import Normal

from inference.images import ImageObjective
from inference.modes import as_trained
from inference.seeded import seeded
from pyro_nem.data import ImageSet
from pyro_nem.plots import image_grid, learning_curves, save_figure

__all__ = ["draw_pictures"]

_SIDE = 10
_PAIRS = 5
_MANIFOLD = 20


def draw_pictures(
    objective: ImageObjective,
    test: ImageSet,
    records: Sequence[Mapping[str, float]],
    folder: Path,
    *,
    seed: int = 0,
) -> None:
    """Write the figures of a run into a folder; all show means of bits.

    With two latents in the top layer there is the manifold too: a grid of the unit square, taken to
    the latents by the inverse distribution function of their prior (Kingma and Welling 2013,
    figure 4).

    Parameters
    ----------
    objective
        The trained model and guide.
    test
        Whose first images are reconstructed and interpolated.
    records
        The lines of progress for the learning curves.
    folder
        Where the files go; it has to exist.
    seed
        Seed of the samples.
    """
    model, guide = objective.model, objective.guide
    like = next(objective.parameters())

    def page(images: Tensor, columns: int) -> NDArray[Any]:
        grid: NDArray[Any] = images.reshape(-1, columns, *test.shape).cpu().numpy()
        return grid

    digits = test.probabilities(slice(0, 2 * _SIDE)).to(like)  # [N, D]
    with as_trained(objective), torch.no_grad(), seeded(seed):
        samples = model.imagine(_SIDE * _SIDE)  # [N, D]
        z = digits
        latents = []
        for layer in range(1, len(model.latent_sizes) + 1):
            z = guide.law(layer, z).loc
            latents.append(z)
        rows = len(digits) // 2
        halves = (digits[:rows], model.mean_image(latents[0][:rows]))
        rebuilt = (*halves, digits[rows : 2 * rows], model.mean_image(latents[0][rows : 2 * rows]))
        pairs = min(_PAIRS, len(digits) // 2)
        weights = torch.linspace(0.0, 1.0, _SIDE, device=like.device)[:, None]  # [columns, 1]
        between = torch.lerp(z[0 : 2 * pairs : 2, None], z[1 : 2 * pairs : 2, None], weights)
        interpolated = model.descend(between)  # [pairs, columns, D]
        figures = {
            "samples": (page(samples, _SIDE), "drawn from the prior"),
            "reconstructions": (
                page(torch.cat(rebuilt), rows),
                "test digits, each above its reconstruction",
            ),
            "interpolation": (
                page(interpolated, _SIDE),
                "from one test digit to another, in the latents",
            ),
        }
        if model.latent_sizes[-1] == 2:
            quantiles = (torch.arange(_MANIFOLD, device=like.device) + 0.5) / _MANIFOLD
            axis = Normal(0.0, 1.0).icdf(quantiles)
            # As in the paper: z_1 to the right, z_2 upwards.
            grid = torch.stack(torch.meshgrid(axis.flip(0), axis, indexing="ij")[::-1], -1)
            manifold = page(model.descend(grid), _MANIFOLD)
            figures["manifold"] = (manifold, "the latents' unit square")
    for name, (images, title) in figures.items():
        save_figure(image_grid(images, title), folder / f"{name}.png")
    if records:
        curves = learning_curves(
            records, unit="nats an image", kl="KL of the latents, nats an image"
        )
        save_figure(curves, folder / "learning_curves.png")
