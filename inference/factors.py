"""Log densities as factors in their plates: enumerated sites summed out, plates added up."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from torch import Tensor

from inference.enumerated_trace import USE_PYRO
from pyro_nem.errors import ConfigError

__all__ = ["Factor", "add_up", "carried_sites", "sum_out", "total"]


class Factor(NamedTuple):
    """A log density [enumerated dimensions .., plates ..] with the plates that it stands in."""

    name: str
    log_prob: Tensor
    plates: dict[str, int]


def sum_out(factors: Sequence[Factor], enumerated: Sequence[tuple[str, int]]) -> list[Factor]:
    """Return the factors, those of each enumerated site made one by summing it out."""
    groups: dict[str, list[Factor]] = {name: [] for name, _ in enumerated}
    free: list[Factor] = []
    for factor in factors:
        carried = carried_sites(factor, enumerated)
        if len(carried) > 1:
            raise ConfigError(
                f"site {factor.name!r}: depends on several enumerated sites ({', '.join(carried)}),"
                f" or on ones under pyro.markov, which this bound does not sum out; {USE_PYRO}"
            )
        (groups[carried[0]] if carried else free).append(factor)
    for name, dim in enumerated:
        own = next(factor for factor in groups[name] if factor.name == name)
        free.append(_contract(own, groups[name], dim))
    return free


def _contract(own: Factor, group: Sequence[Factor], dim: int) -> Factor:
    """Return log sum_z exp(sum of the factors), standing in the plates of z."""
    parts = []
    for factor in group:
        if not own.plates.items() <= factor.plates.items():
            raise ConfigError(
                f"site {factor.name!r}: depends on the enumerated site {own.name!r}, but stands "
                "outside one of its plates; move it inside"
            )
        inner = [d for name, d in factor.plates.items() if name not in own.plates]
        parts.append(factor.log_prob.sum(inner, keepdim=True) if inner else factor.log_prob)
    return Factor(own.name, total(parts).logsumexp(dim), own.plates)


def add_up(factor: Factor, kept: Collection[str | None]) -> Tensor:
    """Sum a factor over all dimensions but those of the kept plates: [S, T, B]."""
    log_prob = factor.log_prob
    dims = [factor.plates.get(name) if name is not None else None for name in kept]
    present = [d for d in dims if d is not None]
    others = [d for d in range(-log_prob.dim(), 0) if d not in present]
    if others:
        log_prob = log_prob.sum(others, keepdim=True)
    order = [d % log_prob.dim() for d in present]
    rest = [d for d in range(log_prob.dim()) if d not in order]  # of size 1 by now
    sizes = [log_prob.shape[d] for d in order]
    summed = log_prob.permute([*order, *rest]).reshape(sizes)
    for position, dim in enumerate(dims):
        if dim is None:
            summed = summed.unsqueeze(position)
    return summed  # [S, T, B]


def carried_sites(factor: Factor, enumerated: Sequence[tuple[str, int]]) -> list[str]:
    """Return the enumerated sites that a factor depends on."""
    shape = factor.log_prob.shape
    return [
        name
        for name, dim in enumerated
        if factor.name == name or (len(shape) >= -dim and shape[dim] > 1)
    ]


def total(parts: Sequence[Tensor]) -> Tensor:
    """Return the sum of one or more tensors that broadcast."""
    result = parts[0]
    for part in parts[1:]:
        result = result + part
    return result
