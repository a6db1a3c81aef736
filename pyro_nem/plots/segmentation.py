"""What a model made of one sequence, as the arrays that a picture needs."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pyro_nem.errors import ConfigError

__all__ = ["SegmentationSample"]

# Wide enough for half precision, far below what swapped axes would give.
_SUM_TOLERANCE = 1e-2


@dataclass(frozen=True, eq=False)
class SegmentationSample:
    """One sequence, how K components explain it, and the truth if known.

    At step t the guide reads the noisy frame x_t and the components explain the clean next frame
    x_{t+1}; `inputs[t]` and `targets[t]` are these two, and `psi[t]`, `gamma[t]` and `groups[t]`
    all belong to the target.

    Attributes
    ----------
    inputs
        Noisy frames x_t, shape `[T, rows, columns, C]`, C = 1 (grey) or 3 (RGB).
    targets
        Clean next frames x_{t+1}, shape `[T, rows, columns, C]`.
    psi
        The mean that each component predicts, shape `[T, K, rows, columns, C]`. Of a Gaussian
        model it may leave [0, 1], which a display clips.
    gamma
        Responsibilities, summing to 1 over K, shape `[T, K, rows, columns]`.
    gamma_init
        The random responsibilities before the first step, shape `[K, rows, columns]`.
    groups
        True ids, integers, shape `[T, rows, columns]`, where 0 is background or overlap; None
        where the truth is not known.
    title
        What the picture says above everything else.

    Raises
    ------
    ConfigError
        An array of another type, shape or number of channels, values that are not finite, or
        responsibilities that do not sum to 1.
    """

    inputs: NDArray[Any]
    targets: NDArray[Any]
    psi: NDArray[Any]
    gamma: NDArray[Any]
    gamma_init: NDArray[Any]
    groups: NDArray[Any] | None = None
    title: str = ""

    def __post_init__(self) -> None:
        self._check_arrays()
        num_steps, num_components, rows, columns, channels = self.psi.shape
        _check_shape(
            "inputs", self.inputs, "[T, rows, columns, C]", (num_steps, rows, columns, channels)
        )
        _check_shape(
            "targets", self.targets, "[T, rows, columns, C]", (num_steps, rows, columns, channels)
        )
        _check_shape(
            "gamma", self.gamma, "[T, K, rows, columns]", (num_steps, num_components, rows, columns)
        )
        _check_shape(
            "gamma_init", self.gamma_init, "[K, rows, columns]", (num_components, rows, columns)
        )
        _check_weights("gamma", self.gamma)
        _check_weights("gamma_init", self.gamma_init)
        if self.groups is not None:
            _check_shape("groups", self.groups, "[T, rows, columns]", (num_steps, rows, columns))
            if self.groups.dtype.kind not in "bui":
                raise ConfigError(
                    f"groups: expected integer ids, got dtype {self.groups.dtype}; convert them "
                    "with .astype(int)"
                )

    def _check_arrays(self) -> None:
        """Check types and values, and psi's own shape, by which all others are judged."""
        for name in ("inputs", "targets", "psi", "gamma", "gamma_init", "groups"):
            array = getattr(self, name)
            if name == "groups" and array is None:
                continue
            if not isinstance(array, np.ndarray):
                raise ConfigError(
                    f"{name}: expected a NumPy array, got {type(array).__name__}; convert a tensor "
                    "with .detach().cpu().numpy()"
                )
            if array.dtype.kind not in "buif":
                raise ConfigError(f"{name}: expected numbers, got dtype {array.dtype}")
            if not np.isfinite(array).all():
                raise ConfigError(f"{name}: expected finite values, got NaN or infinity")
        if self.psi.ndim != 5 or 0 in self.psi.shape:
            raise ConfigError(
                "psi: expected shape [T, K, rows, columns, C] with no empty axis, got "
                f"{self.psi.shape}"
            )
        if self.psi.shape[-1] not in (1, 3):
            raise ConfigError(
                f"psi: expected C = 1 (grey) or 3 (RGB) channels to draw, got C = "
                f"{self.psi.shape[-1]} in shape {self.psi.shape}"
            )

    @property
    def num_steps(self) -> int:
        """T."""
        return int(self.psi.shape[0])

    @property
    def num_components(self) -> int:
        """K."""
        return int(self.psi.shape[1])

    @property
    def reconstruction(self) -> NDArray[np.float64]:
        """The mean of the mixture, sum_k gamma_k psi_k, shape `[T, rows, columns, C]`.

        It is no forecast: gamma has already seen the target.
        """
        mean = np.einsum("tkrc,tkrcd->trcd", self.gamma, self.psi)
        return np.asarray(mean, dtype=np.float64)


def _check_shape(name: str, array: NDArray[Any], axes: str, shape: tuple[int, ...]) -> None:
    """Raise ConfigError unless `array` has the shape that psi asks for."""
    if array.shape != shape:
        raise ConfigError(
            f"{name}: expected shape {axes} = {shape} to match psi, got {array.shape}"
        )


def _check_weights(name: str, gamma: NDArray[Any]) -> None:
    """Raise ConfigError unless `[..., K, rows, columns]` is non-negative and sums to 1 over K."""
    total = gamma.sum(axis=-3, dtype=np.float64)
    if gamma.min() < 0 or np.abs(total - 1).max() > _SUM_TOLERANCE:
        raise ConfigError(
            f"{name}: expected non-negative weights that sum to 1 over K, got a minimum of "
            f"{gamma.min():.3g} and sums from {total.min():.3g} to {total.max():.3g}"
        )
