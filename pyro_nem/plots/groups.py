"""True objects in the colours of the components that found them."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError
from pyro_nem.plots.colours import check_colours

__all__ = ["colour_groups"]


def colour_groups(
    groups: NDArray[Any], gamma: NDArray[Any], colours: NDArray[Any] | None = None
) -> NDArray[np.float64]:
    """Paint true objects so that a right segmentation and the truth look alike.

    Which component takes which object is arbitrary, so arbitrary colours would make the two
    rows of a picture impossible to compare. Pairs of object and component are matched greedily
    by shared mass, sum_{t, i in object} gamma_tki, largest first and each used once. One
    matching holds for the whole sequence: a component that changes objects halfway shows. If one
    component holds two objects, the smaller share gets another colour than in the assignment.

    Parameters
    ----------
    groups
        True ids, integers, shape `[T, rows, columns]`; 0 (background or overlap) is black.
    gamma
        Responsibilities, shape `[T, K, rows, columns]`.
    colours
        RGB in [0, 1], shape `[K, 3]`; `component_colours(K)` if None.

    Returns
    -------
    NDArray
        RGB in [0, 1], shape `[T, rows, columns, 3]`. Objects beyond the K-th are grey.

    Raises
    ------
    ConfigError
        `gamma` is not `[T, K, rows, columns]`, or `groups` or `colours` do not fit it.
    """
    if gamma.ndim != 4:
        raise ConfigError(f"gamma: expected shape [T, K, rows, columns], got {gamma.shape}")
    if groups.shape != (gamma.shape[0], *gamma.shape[2:]):
        raise ConfigError(
            f"groups: expected shape [T, rows, columns] = {(gamma.shape[0], *gamma.shape[2:])} to "
            f"match gamma, got {groups.shape}"
        )
    palette = check_colours(colours, gamma.shape[1])
    ids = [int(i) for i in np.unique(groups) if i != 0]
    members = np.stack([groups == i for i in ids]) if ids else np.zeros((0, *groups.shape))
    shared = np.einsum("gtrc,tkrc->gk", members.astype(np.float64), gamma)
    matching = _match(shared)
    unmatched = iter(np.linspace(0.8, 0.4, max(len(ids) - len(matching), 1)))
    painted = np.zeros((*groups.shape, 3))
    for g in range(len(ids)):
        painted[groups == ids[g]] = palette[matching[g]] if g in matching else next(unmatched)
    return painted


def _match(shared: NDArray[np.float64]) -> dict[int, int]:
    """Pair rows with columns of `[G, K]`, largest entry first, each row and column once."""
    matching: dict[int, int] = {}
    for flat in np.argsort(-shared, axis=None, kind="stable"):
        g, k = divmod(int(flat), shared.shape[1])
        if g not in matching and k not in matching.values():
            matching[g] = k
    return matching
