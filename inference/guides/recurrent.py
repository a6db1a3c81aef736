"""The base of recurrent guides, which say how they start and what a step does."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Generator, Tensor

from inference.e_step import responsibilities
from inference.guides.model_guide import ModelGuide
from inference.guides.protocol import register_states
from inference.guides.state import GuideState, own_frame, stack_states
from inference.particles import repeat_rows
from inference.standard_normal import standard_normal
from models import Rollout, SpatialMixture, StateLaw
from pyro_nem.data import Clip

__all__ = ["Draw", "RecurrentGuide", "draw_with"]

Draw = Callable[[StateLaw], Tensor]
"""How a stochastic guide takes theta [B, K, H] from its law."""


class RecurrentGuide(ModelGuide[SpatialMixture], ABC):
    """Parameterises q(theta_{1:T} | x) by a recurrence over the frames; a base class.

    Parameters
    ----------
    model
        The spatial mixture that this guide inverts; its decoder and its E-step are used. The
        guide does not own the model's parameters.
    gradient_gamma
        Back-propagate through the responsibilities.
    """

    stochastic = False
    """Whether theta is drawn, so that several particles differ."""

    def __init__(self, model: SpatialMixture, *, gradient_gamma: bool = False) -> None:
        super().__init__(model)
        self.gradient_gamma = gradient_gamma

    @abstractmethod
    def init(self, batch: int) -> tuple[Tensor, Tensor]:
        """Return what the recurrence carries, [B, K, G], and theta, [B, K, H], before the start.

        The same at each call: only the first responsibilities are random, and the base class
        draws them.
        """

    @abstractmethod
    def step(
        self,
        state: GuideState,
        inputs: Tensor,
        targets: Tensor | None,
        observed: Tensor | None = None,
        *,
        draw: Draw | None = None,
    ) -> GuideState:
        """Take in one frame and explain the next one.

        Parameters
        ----------
        state
            The state of the step before.
        inputs, targets
            x_t with noise and x_{t+1} without, [B, D, C]. Without targets the step imagines:
            ``inputs`` is then what the guide predicted itself.
        observed
            Boolean [B, D]; False marks missing pixels of ``targets``.
        draw
            How a stochastic guide draws theta; deterministic ones do not ask.
        """

    def start(self, batch: int, generator: Generator | None = None) -> GuideState:
        """Return the state before the first frame: psi = 0 and random responsibilities.

        gamma_0 = |N(0, 1)| normalised over K, independent for each pixel: the only thing that
        breaks the symmetry between the components (code of Greff et al. 2017).

        Parameters
        ----------
        batch
            B.
        generator
            Source of gamma_0, on the model's device; None uses PyTorch's global one.
        """
        model = self.model
        like = next(model.decoder.parameters())
        shape = (batch, model.num_components, model.num_pixels)
        noise = standard_normal(shape, like, generator).abs()
        # In 32 bits one draw of ten millions is exactly 0, and 0 / 0 for a single component.
        noise = noise.clamp_min(torch.finfo(noise.dtype).tiny)
        return self._before(batch, noise / noise.sum(1, keepdim=True))

    def _before(self, batch: int, gamma: Tensor) -> GuideState:
        hidden, theta = self.init(batch)
        psi = gamma.new_zeros(*gamma.shape, self.model.num_channels)  # [B, K, D, C]
        return GuideState(hidden, theta, psi, gamma)

    def assign(self, psi: Tensor, targets: Tensor | None, observed: Tensor | None) -> Tensor:
        """Return gamma [B, K, D], the E-step against the clean next frame.

        Without one, the frame is the guide's own, which the components show together.
        """
        if targets is None:
            targets = self.model.pixels.imagined(psi)  # [B, D, C]
        if self.gradient_gamma:
            return responsibilities(self.model, psi, targets, observed)
        with torch.no_grad():
            return responsibilities(self.model, psi, targets, observed)

    def rollout(
        self, clip: Clip, generator: Generator | None = None, particles: int = 1
    ) -> Rollout:
        """Run the recurrence over a clip.

        Parameters
        ----------
        clip
            Frames of T steps.
        generator
            Source of the first responsibilities and of the states' noise.
        particles
            S, draws of a stochastic guide; a deterministic one has no use for more than one and
            gives its states without the particle axis.
        """
        particles = particles if self.stochastic else 1
        state = self.start(clip.inputs.shape[1], generator)
        draw = draw_with(generator)
        states = self._run(clip, state, particles, lambda t: draw)
        return stack_states(states, state.gamma, particles)

    def rescore(self, clip: Clip, rollout: Rollout, theta: Tensor) -> Rollout:
        """Run the recurrence again with the states given.

        What a log density of the states needs that follows the states and not the parameters, or
        the reverse; see :class:`inference.EnumeratedBound`.

        Parameters
        ----------
        clip, rollout
            What was run, and what came of it.
        theta
            The states to go through, [(S,) T, B, K, H].
        """
        particles = theta.shape[0] if theta.dim() == 5 else 1
        rows = theta.transpose(0, 1).flatten(1, 2) if theta.dim() == 5 else theta  # [T, S B, K, H]
        state = self._before(clip.inputs.shape[1], rollout.initial_gamma)
        states = self._run(clip, state, particles, lambda t: lambda law: rows[t])
        again = stack_states(states, rollout.initial_gamma, particles)
        return again._replace(theta=theta)

    def imagine(
        self,
        clip: Clip,
        steps: int,
        generator: Generator | None = None,
        *,
        sample: bool = False,
    ) -> tuple[Rollout, Rollout]:
        """See a clip, then predict what follows, fed with its own predictions.

        The input of an imagined step is sum_k gamma_k psi_k of the step before, and gamma is the
        E-step against what the components show together: of binary pixels, those that some
        component turns on (van Steenkiste et al. 2018, whose code also adds the training's noise to
        such inputs; here they have none). A stochastic guide takes theta from the prior then.

        Parameters
        ----------
        clip
            The T frames to see first.
        steps
            How many frames to predict.
        generator
            Source of the first responsibilities and of draws.
        sample
            Draw the states of a stochastic guide; otherwise they are the laws' means.

        Returns
        -------
        tuple[Rollout, Rollout]
            The T steps that were seen, and the imagined ones.
        """
        state = self.start(clip.inputs.shape[1], generator)
        initial_gamma = state.gamma
        draw = draw_with(generator) if sample else None
        seen = self._run(clip, state, 1, lambda t: draw)
        imagined = [seen[-1]]
        for _ in range(steps):
            imagined.append(self.step(imagined[-1], own_frame(imagined[-1]), None, draw=draw))
        return (
            stack_states(seen, initial_gamma),
            stack_states(imagined[1:], initial_gamma),
        )

    def forward(self, clip: Clip, rollout: Rollout | None = None) -> Rollout:
        """Register q(theta) with the plates of the model, and return the rollout.

        ``rollout`` is computed if it is not given.
        """
        if rollout is None:
            rollout = self.rollout(clip)
        register_states(rollout)
        return rollout

    def _run(
        self,
        clip: Clip,
        state: GuideState,
        particles: int,
        draw_at: Callable[[int], Draw | None],
    ) -> list[GuideState]:
        """Run all steps, the particles side by side in the batch."""
        hidden, theta, psi, gamma = (repeat_rows(part, particles) for part in state[:4])
        state = GuideState(hidden, theta, psi, gamma)
        states = []
        for t in range(clip.inputs.shape[0]):
            observed = None if clip.observed is None else repeat_rows(clip.observed[t], particles)
            inputs, targets = (repeat_rows(x[t], particles) for x in (clip.inputs, clip.targets))
            state = self.step(state, inputs, targets, observed, draw=draw_at(t))
            states.append(state)
        return states


def draw_with(generator: Generator | None) -> Draw:
    """Return the reparameterised draw loc + scale * noise, the noise from a generator."""

    def draw(law: StateLaw) -> Tensor:
        return law.loc + law.scale * standard_normal(law.loc.shape, law.loc, generator)

    return draw
