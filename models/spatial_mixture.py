r"""The generative model: a spatial mixture of K components, as a Pyro program.

    plate time (-3), batch (-2)
    +-----------------------------------------------+
    |  theta_tb  ~ p(theta | h_tb)      event [K, H]|
    |  psi_tbk   = f(theta_tbk, h_tbk)  the decoder |
    |  plate pixel (-1)                             |
    |  +-----------------------------------------+  |
    |  |  z_tbi ~ Categorical(pi)   enumerated   |  |
    |  |  x_tbi ~ p(x | psi_tb,z,i)   event [C]  |  |
    |  +-----------------------------------------+  |
    +-----------------------------------------------+

Source: Greff, van Steenkiste, Schmidhuber (2017), section 3.1. There the uniform pi is implicit;
here it is a site's parameter and may be learned. The context h, what is known of the past, is there
only if the prior asks for it (Chung et al. 2015).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol, TypeVar, cast

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn

from models.pixels import BernoulliPixels, PixelLaw
from models.priors import StatePrior, UniformPrior
from models.rollout import Rollout
from models.select_component import select_component
from pyro_nem.checks import is_whole
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["Decoder", "SpatialMixture"]

OutputT = TypeVar("OutputT")


class Decoder(Protocol):
    """Parameterises psi_k = f(theta_k): any module from states to pixel parameters.

    With a prior that has a context, its input is theta and context side by side.
    """

    state_size: int
    image_shape: tuple[int, int, int]

    def __call__(self, theta: Tensor) -> Tensor:
        """Map states [N, H] to pixel parameters [N, D, C]."""
        ...


class SpatialMixture(nn.Module):
    """Defines p(theta, z, x), with every pixel's assignment z an enumerated Pyro site.

    Parameters
    ----------
    decoder
        Module that maps states [N, H] to pixel parameters [N, D, C]; has ``state_size`` H and
        ``image_shape`` (rows, columns, C). Its weights do not depend on K or T.
    num_components
        K, the number of components; 1 gives a recurrent auto-encoder.
    pixels
        The law of a pixel given its component; Bernoulli if not given.
    learn_mixing
        Learn the mixing weights pi (shape [K], shared by all pixels) instead of 1/K each. The
        components then differ, so K is fixed by the weights.
    prior
        The law of the states; uniform on [0, 1]^H if not given. A module's parameters are trained.

    Attributes
    ----------
    network_dtype
        In which the networks multiply, for instance torch.bfloat16; None for that of the weights.

    Raises
    ------
    ConfigError
        If ``num_components`` is no whole number from 1, or the decoder's input is not of the size
        of the prior's states and context.
    """

    max_plate_nesting = 3

    def __init__(
        self,
        decoder: nn.Module,
        num_components: int,
        *,
        pixels: PixelLaw | None = None,
        learn_mixing: bool = False,
        prior: StatePrior | None = None,
    ) -> None:
        super().__init__()
        if not is_whole(num_components, 1):
            raise ConfigError(
                f"num_components: expected a whole number from 1, got {num_components!r}; "
                "the paper uses one more than, or as many as, the objects"
            )
        for name in ("state_size", "image_shape"):
            if not hasattr(decoder, name):
                raise ConfigError(
                    f"decoder: expected a module with the attribute {name}, got "
                    f"{type(decoder).__name__}; see models.Decoder"
                )
        self.decoder = decoder
        self.num_components = num_components
        self.pixels: PixelLaw = BernoulliPixels() if pixels is None else pixels
        shapes = cast(Decoder, decoder)
        self.image_shape = shapes.image_shape
        self.num_pixels = shapes.image_shape[0] * shapes.image_shape[1]
        self.num_channels = shapes.image_shape[2]
        self.prior: StatePrior = UniformPrior() if prior is None else prior
        self.state_size = shapes.state_size - self.prior.context_size
        if self.state_size < 1:
            raise ConfigError(
                f"decoder: its input has the size {shapes.state_size}, which has to hold theta and "
                f"the prior's context of size {self.prior.context_size}; build it with a larger "
                "state_size"
            )
        # A prior that is the same for any size has none of its own.
        own = getattr(self.prior, "state_size", self.state_size)
        if own != self.state_size:
            raise ConfigError(
                f"prior: has states of size {own}, but the decoder's input of size "
                f"{shapes.state_size} leaves {self.state_size} beside the prior's context of size "
                f"{self.prior.context_size}; build the decoder with "
                f"state_size={own + self.prior.context_size}"
            )
        self.mixing_logits = nn.Parameter(torch.zeros(num_components)) if learn_mixing else None
        self.network_dtype: torch.dtype | None = None

    def run(self, network: Callable[..., OutputT], *inputs: Tensor) -> OutputT:
        """Call one of the networks of model and guide, with products in ``network_dtype`` if set.

        Only the network knows of it: what it returns, a tensor or a tuple of tensors, has the dtype
        of its first input.
        """
        if self.network_dtype is None:
            return network(*inputs)
        with torch.autocast(inputs[0].device.type, self.network_dtype):
            output = network(*inputs)
        same: OutputT = _as_dtype(output, inputs[0].dtype)
        return same

    def decode(self, theta: Tensor, context: Tensor | None = None) -> Tensor:
        """Return psi [..., K, D, C] of the states ``theta`` [..., K, H].

        ``context`` [..., K, G] is needed where the prior has one.
        """
        given = theta if context is None else torch.cat([theta, context], dim=-1)  # [..., K, H + G]
        psi: Tensor = self.run(self.decoder, given.flatten(0, -2))  # [N, D, C]
        return psi.view(*theta.shape[:-1], *psi.shape[1:])  # [..., K, D, C]

    def forward(
        self,
        clip: Clip | None = None,
        rollout: Rollout | None = None,
        *,
        steps: int = 1,
        batch: int = 1,
    ) -> Tensor:
        """Run the generative program and return the frames x, [T, B, D, C].

        Parameters
        ----------
        clip
            Observed frames (``clip.targets``); None generates frames.
        rollout
            States with their decoded pixels. Where the trace's theta is the rollout's own (the
            guide has registered it), its psi is used; any other theta is decoded.
        steps, batch
            T and B of the frames to generate when ``clip`` is None.

        Raises
        ------
        ConfigError
            If the prior has a context and there is no rollout to give it; a single step, whose
            context is 0, needs none.
        """
        if clip is not None:
            steps, batch = clip.targets.shape[:2]
        like = next(self.decoder.parameters())
        context = self._context(rollout, steps, batch, like)
        frames = _frame_plates(steps, batch)
        with frames[0], frames[1]:
            past = None if context is None else context.unsqueeze(-3)  # [(S,) T, B, 1, K, G]
            law = self.prior(past, (self.num_components, self.state_size), like)
            theta = pyro.sample("theta", law)  # [(S,) T, B, 1, K, H]
        if rollout is not None and theta.data_ptr() == rollout.theta.data_ptr():
            psi = rollout.psi
        else:
            states = theta.squeeze(-3)  # [(S,) T, B, K, H]
            if context is not None:
                context = context.expand(*states.shape[:-1], -1)  # [(S,) T, B, K, G]
            psi = self.decode(states, context)  # [(S,) T, B, K, D, C]
        targets = None if clip is None else clip.targets
        observed = None if clip is None else clip.observed
        return self.draw_pixels(psi, targets, observed, frames)

    def _context(
        self, rollout: Rollout | None, steps: int, batch: int, like: Tensor
    ) -> Tensor | None:
        size = self.prior.context_size
        if size == 0:
            return None
        if rollout is not None and rollout.context is not None:
            return rollout.context  # [(S,) T, B, K, G]
        if steps > 1:
            raise ConfigError(
                f"rollout: the prior of {steps} steps depends on a recurrence that the guide runs; "
                "call the model with guide.rollout(clip), or generate with guide.imagine"
            )
        return like.new_zeros(steps, batch, self.num_components, size)  # [1, B, K, G]

    def draw_pixels(
        self,
        psi: Tensor,
        targets: Tensor | None = None,
        observed: Tensor | None = None,
        frames: tuple[pyro.plate, pyro.plate] | None = None,
    ) -> Tensor:
        """Draw the assignments z and the frames x given psi: the sub-program that all share.

        Training enumerates it inside the model, the E-step on its own, and generation runs it
        without ``targets``.

        Parameters
        ----------
        psi
            Pixel parameters, [(S,) T, B, K, D, C].
        targets
            Observed frames [T, B, D, C], or None to sample them.
        observed
            Boolean [T, B, D]; False marks a pixel that is missing, whose likelihood is left out.
        frames
            The plates "time" and "batch" of the calling program; opened here if not given.

        Returns
        -------
        Tensor
            The frames, [(S,) T, B, D, C].
        """
        steps, batch, num_components, num_pixels = psi.shape[-5:-1]
        if targets is not None and observed is not None:
            # The mask below keeps the value of a missing pixel out, but not a NaN in its gradient.
            targets = torch.where(observed.unsqueeze(-1), targets, 0.0)
        uniform = psi.new_zeros(num_components)
        logits = uniform if self.mixing_logits is None else self.mixing_logits  # [K]
        time, sequences = _frame_plates(steps, batch) if frames is None else frames
        with time, sequences, pyro.plate("pixel", num_pixels, dim=-1):
            z = pyro.sample(
                "z", dist.Categorical(logits=logits), infer={"enumerate": "parallel"}
            )  # [K, (1,) 1, 1, 1] enumerated, [(S,) T, B, D] sampled
            law = self.pixels.distribution(select_component(psi, z))
            with poutine.mask(mask=True if observed is None else observed):
                x: Tensor = pyro.sample("x", law, obs=targets)
        return x


def _as_dtype(output: Any, dtype: torch.dtype) -> Any:
    if isinstance(output, Tensor):
        return output.to(dtype)
    parts = [part.to(dtype) for part in output]
    return type(output)(*parts) if hasattr(output, "_fields") else type(output)(parts)


def _frame_plates(steps: int, batch: int) -> tuple[pyro.plate, pyro.plate]:
    return pyro.plate("time", steps, dim=-3), pyro.plate("batch", batch, dim=-2)
