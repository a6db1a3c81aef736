r"""The generative model: a spatial mixture of K components, as a Pyro program.

    plate time (-3), batch (-2)
    +-----------------------------------------------+
    |  theta_tb  ~ p(theta)             event [K, H]|
    |  psi_tbk   = f(theta_tbk)         the decoder |
    |  plate pixel (-1)                             |
    |  +-----------------------------------------+  |
    |  |  z_tbi ~ Categorical(pi)   enumerated   |  |
    |  |  x_tbi ~ p(x | psi_tb,z,i)   event [C]  |  |
    |  +-----------------------------------------+  |
    +-----------------------------------------------+

Source: Greff, van Steenkiste, Schmidhuber (2017), section 3.1. There the uniform pi is implicit;
here it is a site's parameter and may be learned.
"""

from __future__ import annotations

from typing import Protocol, cast

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn

from models.pixels import BernoulliPixels, PixelLaw
from models.priors import UnitCube
from models.rollout import Rollout
from pyro_nem.data import Clip
from pyro_nem.errors import ConfigError

__all__ = ["Decoder", "SpatialMixture", "select_component"]


class Decoder(Protocol):
    """Parameterises psi_k = f(theta_k): any module from states to pixel parameters."""

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

    Raises
    ------
    ConfigError
        If ``num_components`` is below 1.
    """

    max_plate_nesting = 3

    def __init__(
        self,
        decoder: nn.Module,
        num_components: int,
        *,
        pixels: PixelLaw | None = None,
        learn_mixing: bool = False,
    ) -> None:
        super().__init__()
        if num_components < 1:
            raise ConfigError(
                f"num_components: expected at least 1, got {num_components}; "
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
        self.state_size = shapes.state_size
        self.mixing_logits = nn.Parameter(torch.zeros(num_components)) if learn_mixing else None

    def decode(self, theta: Tensor) -> Tensor:
        """Return psi [..., K, D, C] of the states ``theta`` [..., K, H]."""
        psi: Tensor = self.decoder(theta.flatten(0, -2))  # [N, D, C]
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
        """
        if clip is not None:
            steps, batch = clip.targets.shape[:2]
        like = next(self.decoder.parameters())
        frames = _frame_plates(steps, batch)
        with frames[0], frames[1]:
            prior = UnitCube((self.num_components, self.state_size), like)
            theta = pyro.sample("theta", prior)  # [(S,) T, B, 1, K, H]
        if rollout is not None and theta.data_ptr() == rollout.theta.data_ptr():
            psi = rollout.psi
        else:
            psi = self.decode(theta.squeeze(-3))  # [(S,) T, B, K, D, C]
        targets = None if clip is None else clip.targets
        observed = None if clip is None else clip.observed
        return self.draw_pixels(psi, targets, observed, frames)

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


def _frame_plates(steps: int, batch: int) -> tuple[pyro.plate, pyro.plate]:
    return pyro.plate("time", steps, dim=-3), pyro.plate("batch", batch, dim=-2)


def select_component(psi: Tensor, z: Tensor) -> Tensor:
    """Return the parameters of the component that each pixel is assigned to.

    An enumerated z holds 0..K-1 on a dimension left of all plates: there the K axis of psi moves
    to that dimension, which costs nothing. A sampled z gathers.

    Parameters
    ----------
    psi
        Pixel parameters, [(S,) T, B, K, D, C].
    z
        Assignments: [K, (1,) 1, 1, 1] when enumerated, [(S,) T, B, D] when sampled.

    Returns
    -------
    Tensor
        [K, (S,) T, B, D, C] when enumerated, [(S,) T, B, D, C] when sampled.
    """
    plates = psi.dim() - 2
    if z.dim() > plates and z.shape[0] == psi.shape[-3] and z.shape[1:].numel() == 1:
        moved = psi.movedim(-3, 0)  # [K, (S,) T, B, D, C]
        missing = z.dim() - plates - 1
        return moved[(slice(None),) + (None,) * missing]  # [K, 1.., (S,) T, B, D, C]
    num_components, num_pixels, channels = psi.shape[-3:]
    batch = torch.broadcast_shapes(z.shape[:-1], psi.shape[:-3])  # (S,) T, B
    index = z.expand(*batch, num_pixels)[..., None, :, None]  # [(S,) T, B, 1, D, 1]
    index = index.expand(*batch, 1, num_pixels, channels)  # [(S,) T, B, 1, D, C]
    full = psi.expand(*batch, num_components, num_pixels, channels)  # [(S,) T, B, K, D, C]
    return full.gather(-3, index).squeeze(-3)  # [(S,) T, B, D, C]
