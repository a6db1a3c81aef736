"""Running a model and its guide under particles and enumeration."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import pyro
import pyro.distributions as dist
from pyro import poutine
from pyro.infer.inspect import site_is_deterministic
from pyro.poutine.util import site_is_subsample
from torch import Tensor, nn

from pyro_nem.errors import ConfigError

__all__ = [
    "PARTICLES",
    "USE_PYRO",
    "Layout",
    "Programs",
    "Site",
    "carries_gradient",
    "frozen",
    "is_point_mass",
    "require_densities",
    "require_frozen",
    "sample_sites",
    "with_values",
]

Site = dict[str, Any]
"""A sample site of a trace, as Pyro keeps it."""

PARTICLES = "bound_particles"
"""Name of the plate that the bound puts around both programs."""

USE_PYRO = "pyro.infer.TraceEnum_ELBO can (objective trace_enum)"


class Layout(NamedTuple):
    """Where particles, steps and sequences stand in a program.

    Attributes
    ----------
    particles
        S.
    max_plate_nesting
        Number of plate dimensions of the program itself.
    step_plate, sequence_plate
        Names of the plates whose members are kept apart; a program without sequences has None.
    """

    particles: int
    max_plate_nesting: int
    step_plate: str
    sequence_plate: str | None

    @property
    def particle_dim(self) -> int:
        """The dimension of the particle plate, left of all others."""
        return -1 - self.max_plate_nesting


class Programs:
    """A model and a guide, run as :class:`inference.EnumeratedBound` asks.

    Parameters
    ----------
    model, guide
        Pyro programs.
    kwargs
        Keyword arguments of both.
    layout
        Number of particles and place of the plates.
    """

    def __init__(
        self,
        model: Callable[..., Any],
        guide: Callable[..., Any],
        kwargs: Mapping[str, Any],
        layout: Layout,
    ) -> None:
        self._model = model
        self._guide = guide
        self._kwargs = kwargs
        self._layout = layout

    def trace_guide(
        self, args: tuple[Any, ...], replayed: poutine.Trace | None = None
    ) -> poutine.Trace:
        """Run the guide, with the values of another trace of it if given.

        Raises
        ------
        ConfigError
            If it has a site that is enumerated or not reparameterised.
        """
        program = self._guide
        if replayed is not None:
            program = poutine.replay(program, trace=replayed)
        trace = self._trace(program, args)
        for name, site in sample_sites(trace):
            if site["infer"].get("enumerate"):
                raise ConfigError(
                    f"guide: the site {name!r} is enumerated in the guide, which this bound cannot "
                    f"sum out; {USE_PYRO}, or enumerate it in the model"
                )
            if not site["fn"].has_rsample:
                raise ConfigError(
                    f"guide: the site {name!r} has no reparameterised draws "
                    f"({type(site['fn']).__name__}), so its gradient needs a score function; "
                    f"{USE_PYRO}, or enumerate the site in the model"
                )
        return trace

    def trace_model(self, args: tuple[Any, ...], guide_trace: poutine.Trace) -> poutine.Trace:
        """Run the model at the guide's values, its discrete sites enumerated.

        Raises
        ------
        ConfigError
            If it has a latent site that is neither the guide's nor enumerated.
        """
        replayed = poutine.replay(self._model, trace=guide_trace)
        first = self._layout.particle_dim - int(self._layout.particles > 1)
        trace = self._trace(replayed, args, first_enumerated=first)
        for name, site in sample_sites(trace):
            if site["is_observed"] or name in guide_trace.nodes:
                continue
            if site["infer"].get("num_samples") is not None:
                raise ConfigError(
                    f"model: the site {name!r} is enumerated by num_samples draws, which is no "
                    "exact sum; leave num_samples out"
                )
            if site["infer"].get("enumerate") != "parallel":
                raise ConfigError(
                    f"model: the latent site {name!r} is neither in the guide nor enumerated, so "
                    "it would be drawn from the prior; give it a site in the guide, or mark it "
                    'infer={"enumerate": "parallel"}'
                )
        return trace

    def _trace(
        self,
        program: Callable[..., Any],
        args: tuple[Any, ...],
        first_enumerated: int | None = None,
    ) -> poutine.Trace:
        layout = self._layout
        if layout.particles > 1:
            plate = pyro.plate(PARTICLES, layout.particles, dim=layout.particle_dim)
            program = plate(program)
        if first_enumerated is not None:
            program = poutine.enum(program, first_available_dim=first_enumerated)
        return poutine.trace(program).get_trace(*args, **self._kwargs)


def sample_sites(trace: poutine.Trace) -> Iterator[tuple[str, Site]]:
    """Yield name and site of every random variable, plates and deterministic sites left out."""
    for name, site in trace.nodes.items():
        if site["type"] != "sample" or site_is_subsample(site) or site_is_deterministic(site):
            continue
        yield name, site


def with_values(trace: poutine.Trace, values: Mapping[str, Tensor]) -> poutine.Trace:
    """Return a copy of a trace that holds other values, to replay a program with."""
    copy = trace.copy()
    for name, value in values.items():
        copy.nodes[name] = {**trace.nodes[name], "value": value}
    return copy


def carries_gradient(value: Any) -> bool:
    """Return whether a tensor within nested tuples, lists and mappings requires a gradient."""
    if isinstance(value, Tensor):
        return bool(value.requires_grad)
    if isinstance(value, Mapping):
        return any(carries_gradient(part) for part in value.values())
    return isinstance(value, (tuple, list)) and any(carries_gradient(part) for part in value)


def is_point_mass(law: Any) -> bool:
    """Return whether a law is a Delta, under whatever wraps it."""
    while not isinstance(law, dist.Delta) and hasattr(law, "base_dist"):
        law = law.base_dist
    return isinstance(law, dist.Delta)


def require_densities(trace: poutine.Trace, estimator: str) -> None:
    """Check that every site of a guide has a density with parameters.

    Raises
    ------
    ConfigError
        If one is a point mass.
    """
    for name, site in sample_sites(trace):
        if is_point_mass(site["fn"]):
            raise ConfigError(
                f"gradient: {estimator} leaves out the score of the guide's density, but the site "
                f"{name!r} is a point mass, which has none; use standard"
            )


def require_frozen(trace: poutine.Trace) -> None:
    """Check that a guide that ran under :func:`frozen` has no parameter that was not.

    Raises
    ------
    ConfigError
        If one is in Pyro's param store and not the module's.
    """
    for name, site in trace.nodes.items():
        if site["type"] == "param" and site["value"].requires_grad:
            raise ConfigError(
                f"gradient: stl and dreg hold the guide's parameters fixed, but {name!r} is Pyro's "
                "(pyro.param) and not the module's; make it an nn.Parameter, or use standard"
            )


@contextmanager
def frozen(*modules: Any) -> Iterator[None]:
    """Let nothing that is computed meanwhile depend on the modules' parameters.

    What is not an nn.Module, a guide written as a function say, cannot be frozen.

    Raises
    ------
    ConfigError
        If one is no nn.Module.
    """
    for module in modules:
        if not isinstance(module, nn.Module):
            raise ConfigError(
                "gradient: stl and dreg hold the parameters of model and guide fixed, so both have "
                f"to be nn.Modules, got {type(module).__name__}; use standard"
            )
    free = [p for module in modules for p in module.parameters() if p.requires_grad]
    for parameter in free:
        parameter.requires_grad_(False)
    try:
        yield
    finally:
        for parameter in free:
            parameter.requires_grad_(True)
