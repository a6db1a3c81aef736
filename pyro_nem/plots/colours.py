"""One colour per component, and soft assignments as mixtures of those colours."""

from typing import Any

import numpy as np
from matplotlib.colors import hsv_to_rgb, to_rgb
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["check_colours", "component_colours", "hue_colours", "mix_colours"]

# The hues of Okabe and Ito (2008), chosen to stay apart under the common forms of colour blindness,
# made lighter or darker until any two differ by 7 in CIE lightness, so that a print in grey can be
# read as well. The first three and the first five average to grey: an undecided pixel then looks
# like no component. Black, which in these pictures means "no object", gives way to the wine of Paul
# Tol.
_SAFE = ("#00659E", "#E6A004", "#CF82AD", "#00996F", "#BE5400", "#89CBF0", "#F0E442", "#802050")

_BLUE_HUE = 2 / 3


def hue_colours(num_components: int) -> NDArray[np.float64]:
    """Return the colours of the original code: equally spaced hues, starting at blue.

    Component k has hue 2/3 + k/K (modulo 1) at full saturation and value.

    Parameters
    ----------
    num_components
        K, at least 1.

    Returns
    -------
    NDArray
        RGB in [0, 1], shape `[K, 3]`.

    Raises
    ------
    ConfigError
        K is below 1.
    """
    if num_components < 1:
        raise ConfigError(f"num_components: expected at least 1, got {num_components}")
    hsv = np.ones((num_components, 3))
    hsv[:, 0] = (_BLUE_HUE + np.arange(num_components) / num_components) % 1.0
    return np.asarray(hsv_to_rgb(hsv), dtype=np.float64)


def component_colours(num_components: int) -> NDArray[np.float64]:
    """Return the colours that every picture uses unless it is given others.

    Up to 8 components take the hues of Okabe and Ito, which colour-blind readers can tell apart, in
    shades that differ in grey too. A component keeps its colour when K changes. More components
    than a qualitative palette can hold take the equally spaced hues of `hue_colours`, which neither
    can tell apart.

    Parameters
    ----------
    num_components
        K, at least 1.

    Returns
    -------
    NDArray
        RGB in [0, 1], shape `[K, 3]`; the first is a blue.

    Raises
    ------
    ConfigError
        K is below 1.
    """
    if 1 <= num_components <= len(_SAFE):
        return np.array([to_rgb(colour) for colour in _SAFE[:num_components]])
    return hue_colours(num_components)


def check_colours(colours: NDArray[Any] | None, num_components: int) -> NDArray[np.float64]:
    """Return `colours` `[K, 3]` once checked, or the default ones in place of None.

    Raises
    ------
    ConfigError
        Another shape, or values outside [0, 1].
    """
    if colours is None:
        return component_colours(num_components)
    palette = np.asarray(colours)
    if palette.shape != (num_components, 3):
        raise ConfigError(
            f"colours: expected shape [K, 3] = {(num_components, 3)}, got {palette.shape}"
        )
    if not (palette.min() >= 0 and palette.max() <= 1):
        raise ConfigError(
            f"colours: expected RGB values in [0, 1], got {palette.min()} to {palette.max()}"
        )
    return palette.astype(np.float64)


def mix_colours(gamma: NDArray[Any], colours: NDArray[Any] | None = None) -> NDArray[np.float64]:
    """Paint each pixel with the mean colour of the components, weighted by its assignment.

    A pixel that belongs to one component has that component's colour; one that is undecided has
    the dull mean of all.

    Parameters
    ----------
    gamma
        Responsibilities, non-negative and summing to 1 over K; shape `[..., K, rows, columns]`.
    colours
        RGB in [0, 1], shape `[K, 3]`; `component_colours(K)` if None.

    Returns
    -------
    NDArray
        RGB in [0, 1], shape `[..., rows, columns, 3]`.

    Raises
    ------
    ConfigError
        `gamma` has fewer than 3 axes, or `colours` do not fit it.
    """
    if gamma.ndim < 3:
        raise ConfigError(f"gamma: expected shape [..., K, rows, columns], got {gamma.shape}")
    palette = check_colours(colours, gamma.shape[-3])
    mixed = np.einsum("...krc,kd->...rcd", gamma, palette)
    # Rounding may carry a sum of weights just past 1, where image writers complain.
    return np.asarray(mixed.clip(0.0, 1.0), dtype=np.float64)
