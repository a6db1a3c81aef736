"""A variational recurrent network over sequences (Chung et al. 2015)."""

from __future__ import annotations

from functools import partial

import pyro
import pyro.distributions as dist
import torch
from pyro import poutine
from torch import Tensor, nn

from models.outputs import OutputLaw
from models.recurrent_prior import MIN_SCALE, gaussian_head
from models.rollout import StateLaw
from models.sequence_rollout import RecurrentState, SequenceRollout
from pyro_nem.checks import at_least
from pyro_nem.data import SequenceBatch, SequenceSet
from pyro_nem.errors import ConfigError
from pyro_nem.networks import perceptron

__all__ = ["SequenceVRNN"]


class SequenceVRNN(nn.Module):
    """Parameterises p(x, z) = prod_t p(z_t | h_{t-1}) p(x_t | z_t, h_{t-1}), with a recurrence.

        p(z_t | h_{t-1})      = Normal, a function of h_{t-1}; standard normal if independent
        p(x_t | z_t, h_{t-1}) = output.law(decoder([phi_z(z_t), h_{t-1}]), x_{t-1})
        h_t                   = LSTM([phi_x(x_t), phi_z(z_t)], h_{t-1})

    Calling it is a Pyro program over the steps of a rollout, all at once; :meth:`imagine` is the
    same law step by step. The feature extractors phi_x and phi_z are shared by everything that
    reads x and z. Without latents it is a plain recurrent network with an exact likelihood.

    Parameters
    ----------
    output
        The law of x_t, an nn.Module; see :class:`models.OutputLaw`.
    latent_size
        H, the size of z_t; 0 for none.
    hidden_size
        G, the size of h_t.
    width, layers
        Size and number of the layers of phi_x, phi_z, prior and decoder.
    independent_prior
        Let p(z_t) = Normal(0, 1) know nothing of the past (VRNN-I).
    layer_norm
        Layer-normalise these layers.
    min_scale
        Smallest standard deviation of p(z_t).

    Raises
    ------
    ConfigError
        If a size is out of range.
    """

    max_plate_nesting = 2

    def __init__(
        self,
        output: nn.Module,
        *,
        latent_size: int = 32,
        hidden_size: int = 64,
        width: int = 64,
        layers: int = 1,
        independent_prior: bool = False,
        layer_norm: bool = False,
        min_scale: float = MIN_SCALE,
    ) -> None:
        super().__init__()
        at_least(0, latent_size=latent_size, min_scale=min_scale)
        at_least(1, hidden_size=hidden_size)
        self.output = output
        self.latent_size = latent_size
        self.hidden_size = hidden_size
        self.width = width
        self.min_scale = min_scale
        law: OutputLaw = self.law_of_steps
        stack = partial(perceptron, layers=layers, layer_norm=layer_norm)
        self.phi_x = stack(law.num_inputs, width)
        self.phi_z: nn.Module = stack(latent_size, width) if latent_size else nn.Identity()
        latent_features = width if latent_size else 0
        learned = latent_size > 0 and not independent_prior
        self.prior = (
            nn.Sequential(stack(hidden_size, width), nn.Linear(width, 2 * latent_size))
            if learned
            else None
        )
        self.decoder = nn.Sequential(
            stack(latent_features + hidden_size, width),
            nn.Linear(width, law.num_parameters),
        )
        self.cell = nn.LSTMCell(width + latent_features, hidden_size)

    @property
    def law_of_steps(self) -> OutputLaw:
        """The law of x_t."""
        output: OutputLaw = self.output  # type: ignore[assignment]  # an nn.Module with its methods
        return output

    def check(self, data: SequenceSet) -> None:
        """Check that sequences are of the kind that the model describes.

        Raises
        ------
        ConfigError
            If steps have another size.
        DataError
            If the output law has no density for a step.
        """
        law = self.law_of_steps
        if data.size != law.size:
            raise ConfigError(
                f"{data.name}: has {data.size} numbers a step, but the model's output law "
                f"{law.size}; build it with size={data.size}"
            )
        law.check(data)

    def forward(self, batch: SequenceBatch, rollout: SequenceRollout) -> None:
        """Register the sites of a batch: "z", if there are latents, and "x".

        Plates: time (-2), batch (-1); steps after the end of a sequence are masked. The context of
        a step is that of the rollout, which has computed it on the way.

        Parameters
        ----------
        batch
            T steps of B sequences.
        rollout
            What a guide computed.
        """
        steps, size = batch.mask.shape
        with (
            pyro.plate("time", steps, dim=-2),
            pyro.plate("batch", size, dim=-1),
            poutine.mask(mask=batch.mask),
        ):
            z = rollout.z
            if self.latent_size:
                z = pyro.sample("z", self._prior_site(rollout.context))
            pyro.sample("x", self.step_laws(batch, z, rollout.context), obs=batch.x)

    def imagine(self, state: RecurrentState, steps: int, before: Tensor | None = None) -> Tensor:
        """Draw what comes next, as a Pyro program with the sites "z_t" and "x_t" for each step.

        Parameters
        ----------
        state
            The recurrence after what has been seen, [B, G]; see :meth:`initial`.
        steps
            T.
        before
            The last step that has been seen, [B, D]; 0 if not given.

        Returns
        -------
        Tensor
            The steps, [T, B, D].
        """
        drawn = []
        with pyro.plate("batch", len(state.hidden), dim=-1):
            for t in range(steps):
                z = state.hidden.new_zeros(*state.hidden.shape[:-1], 0)
                if self.latent_size:
                    z = pyro.sample(f"z_{t}", self._prior_site(state.hidden))
                raw = self.decode(z, state.hidden)  # [B, P]
                law = self.law_of_steps.law(raw, before)
                before = x = pyro.sample(f"x_{t}", law).to(raw.dtype)
                state = self.advance(state, self.read(x), z)
                drawn.append(x)
        return torch.stack(drawn)

    def initial(self, rows: int) -> RecurrentState:
        """Return h_0 = 0 for so many rows, [rows, G]."""
        zeros = self.cell.weight_hh.new_zeros(rows, self.hidden_size)
        return RecurrentState(zeros, zeros)

    def read(self, x: Tensor) -> Tensor:
        """Return phi_x of steps, [..., D] -> [..., W]."""
        features: Tensor = self.phi_x(self.law_of_steps.features(x))
        return features

    def prior_law(self, context: Tensor) -> StateLaw:
        """Return loc and scale of p(z_t | h_{t-1}), [..., G] -> [..., H]."""
        if self.prior is None:
            zeros = context.new_zeros(*context.shape[:-1], self.latent_size)
            return StateLaw(zeros, torch.ones_like(zeros))
        return gaussian_head(self.prior(context), self.min_scale)

    def decode(self, z: Tensor, context: Tensor) -> Tensor:
        """Return the numbers that the output law takes, z [..., H] -> [..., P]."""
        raw: Tensor = self.decoder(torch.cat([self.phi_z(z), context], dim=-1))
        return raw

    def step_laws(self, batch: SequenceBatch, z: Tensor, context: Tensor) -> dist.TorchDistribution:
        """Return p(x_t | z_t, h_{t-1}) of all steps of sequences, event shape [D].

        Parameters
        ----------
        batch
            T steps of B sequences: a law may read the one before.
        z, context
            z_t and h_{t-1} of each, [(S,) T, B, H] and [(S,) T, B, G].
        """
        return self.law_of_steps.law(self.decode(z, context), _before(batch))

    def advance(self, state: RecurrentState, features: Tensor, z: Tensor) -> RecurrentState:
        """Take in a step.

        Parameters
        ----------
        state
            The recurrence before it, [N, G].
        features
            phi_x(x_t), [N, W].
        z
            z_t, [N, H].
        """
        inputs = torch.cat([features, self.phi_z(z)], dim=-1)
        return RecurrentState(*self.cell(inputs, state))

    def _prior_site(self, context: Tensor) -> dist.TorchDistribution:
        return dist.Normal(*self.prior_law(context)).to_event(1)


def _before(batch: SequenceBatch) -> Tensor:
    """Return x_{t-1} of each step, [T, B, D]."""
    return torch.cat([batch.first_before.unsqueeze(0), batch.x[:-1]])
