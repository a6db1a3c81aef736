"""One update of the weights."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Generic

import pyro
import torch
from torch import Tensor, nn

from inference.processes import ALONE, Processes
from inference.streams import Stream, update_seed
from inference.task import BatchT, Metrics, Task
from inference.training_config import TrainingConfig
from inference.weight_average import WeightAverage
from pyro_nem.errors import NumericalError

__all__ = ["Update"]

# Options of an optimiser that are not those of the run that saved.
_OF_THE_DEVICE = ("fused", "capturable", "lr")


class Update(Generic[BatchT]):
    """Changes the weights by a batch: loss, gradient, clipping, optimiser, average of the weights.

    A loss or gradient that is NaN or infinite changes nothing. With ``deferred`` the device notes
    it and leaves the weights as they are from there on, while the host goes on without waiting,
    until it asks for a number; otherwise it is an error at once, as it always is with Adagrad.

    Parameters
    ----------
    task
        Gives the loss.
    module
        Holds every parameter; changed in place.
    config
        Optimiser, schedule, clipping, averaging, seed.
    deferred
        Let the host run ahead of the device, as suits a GPU.
    processes
        Those that share each batch; loss and gradient are means over them.
    """

    def __init__(
        self,
        task: Task[BatchT],
        module: nn.Module,
        config: TrainingConfig,
        *,
        deferred: bool,
        processes: Processes = ALONE,
    ) -> None:
        self.task = task
        self.module = module
        self.config = config
        self.deferred = deferred and config.optimizer == "adam"
        self.processes = processes
        self.device = next(module.parameters()).device
        self.optimizer = self._optimizer()
        self.average = None if config.averaging is None else WeightAverage(module, config.averaging)
        self.generator = torch.Generator(self.device)
        self._first = True
        self._loss_sum = torch.zeros((), dtype=torch.float64, device=self.device)
        self._loss_count = 0
        self._number = torch.zeros((), dtype=torch.float64, device=self.device)
        # Number, loss and gradient norm of the first update that failed; 0 for none.
        self._failure = torch.zeros(3, dtype=torch.float64, device=self.device)

    def __call__(self, batch: BatchT, update: int) -> Callable[[], Metrics]:
        """Do update ``update``, counted from 0, and return what measures its batch.

        Raises
        ------
        NumericalError
            If loss or gradient are NaN or infinite; with ``deferred``, see :meth:`check`.
        """
        seed = update_seed(self.config.seed, Stream.TRAINING, update, self.processes.rank)
        self.generator.manual_seed(seed)
        self._number.fill_(update + 1)
        for group in self.optimizer.param_groups:
            if self.deferred:
                group["lr"].fill_(self.config.learning_rate_at(update))
            else:
                group["lr"] = self.config.learning_rate_at(update)
        measure = self.step(batch, update)
        self._loss_count += 1
        return measure

    def step(self, batch: BatchT, update: int) -> Callable[[], Metrics]:
        """Do what of an update happens on the device; all that differs from others is set."""
        # Pyro checks shapes, supports and parameters in the first update; later ones are alike.
        with pyro.validation_enabled(self._first):
            loss, measure = self.task.loss(self.module, batch, self.generator, update)
        self._first = False
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        loss = self._average(loss.detach())
        self._note_failure(loss, self._clip())
        self.optimizer.step()
        if self.average is not None:
            self.average.update(self.module)
        self._loss_sum += loss
        return measure

    def check(self) -> None:
        """Wait for the device and check that no update failed.

        Raises
        ------
        NumericalError
            If loss or gradient of one were NaN or infinite.
        """
        number, loss, norm = self._failure.tolist()
        if not number:
            return
        if not math.isfinite(loss):
            raise NumericalError(
                f"the loss became {loss} at update {number:.0f}; the last checkpoint is kept. "
                "Lower the learning rate or clip the gradient (clip_norm, --clip-norm)."
            )
        raise NumericalError(
            f"the gradient became {norm} at update {number:.0f}; the last checkpoint is kept. "
            "Lower the learning rate."
        )

    def mean_loss(self) -> float:
        """Return the mean loss of the updates since it was asked for last; see :meth:`check`."""
        self.check()
        mean = self._loss_sum.item() / self._loss_count
        self._loss_sum.zero_()
        self._loss_count = 0
        return mean

    def averaged(self) -> nn.Module:
        """Return the module with averaged weights; the module itself if none are averaged."""
        return self.module if self.average is None else self.average.module

    def state(self) -> dict[str, Any]:
        """Return everything that changes, for :meth:`load`; see :meth:`check`."""
        self.check()
        return {
            "module": self.module.state_dict(),
            "evaluated": self.averaged().state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "average": None if self.average is None else self.average.state(),
            "loss_sum": self._loss_sum,
            "loss_count": self._loss_count,
        }

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        self.module.load_state_dict(state["module"])
        # Which form of the optimiser runs is decided by this device and not by the one that saved.
        groups = [
            {**saved, **{name: own[name] for name in _OF_THE_DEVICE if name in own}}
            for saved, own in zip(
                state["optimizer"]["param_groups"], self.optimizer.param_groups, strict=True
            )
        ]
        self.optimizer.load_state_dict({**state["optimizer"], "param_groups": groups})
        if self.average is not None:
            self.average.load(state["average"])
        self._loss_sum.copy_(state["loss_sum"])
        self._loss_count = state["loss_count"]

    def _optimizer(self) -> torch.optim.Optimizer:
        parameters = self.module.parameters()
        if self.config.optimizer == "adagrad":
            return torch.optim.Adagrad(parameters, lr=self.config.learning_rate)
        # Of Adam's forms only the fused one can leave out a step without asking the host. What
        # changes from update to update is then on the device, so that updates can be recorded.
        rate = torch.tensor(self.config.learning_rate, device=self.device)
        return torch.optim.Adam(
            parameters,
            lr=rate if self.deferred else self.config.learning_rate,
            fused=self.deferred or None,
            capturable=self.deferred,
        )

    def _average(self, loss: Tensor) -> Tensor:
        """Replace the gradient by its mean over the processes, and return the mean loss.

        By hand instead of DistributedDataParallel, which sends parts of the gradient while the
        rest is computed. Here every weight is used at every step of the recurrence, so that no part
        is complete before the last one is, and there is nothing to send early. One message holds
        everything, and hooks and parameters that stl and dreg freeze for a while do not matter.
        """
        if self.processes.count == 1:
            return loss
        parameters = [p for p in self.module.parameters() if p.requires_grad]
        gradients = [torch.zeros_like(p) if p.grad is None else p.grad for p in parameters]
        values = torch.cat([part.flatten() for part in (loss, *gradients)])
        self.processes.average_(values)
        mean: Tensor
        mean, *parts = values.split([1, *(p.numel() for p in parameters)])
        for parameter, part in zip(parameters, parts, strict=True):
            parameter.grad = part.view_as(parameter)
        return mean.view_as(loss)

    def _clip(self) -> Tensor:
        """Scale the gradient down to the norm that is allowed, and return the one that it had."""
        parameters = [p for p in self.module.parameters() if p.grad is not None]
        norm = nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if self.config.clip_norm is not None:
            nn.utils.clip_grads_with_norm_(parameters, self.config.clip_norm, norm)
        return norm

    def _note_failure(self, loss: Tensor, norm: Tensor) -> None:
        found = torch.stack([self._number, loss.double(), norm.double()])
        failed = ~found.isfinite().all() & (self._failure[0] == 0)
        self._failure.copy_(torch.where(failed, found, self._failure))
        if not self.deferred:
            self.check()
        else:
            # What torch.amp.GradScaler tells optimisers too: 1 leaves the step out.
            self.optimizer.found_inf = (self._failure[0] > 0).float()  # type: ignore[attr-defined]
