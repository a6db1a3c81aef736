"""The base of guides that read their model."""

from __future__ import annotations

from typing import Generic, TypeVar

from torch import nn

__all__ = ["ModelGuide"]

ModelT = TypeVar("ModelT", bound=nn.Module)


class ModelGuide(nn.Module, Generic[ModelT]):
    """A guide that reads its model without owning the model's parameters; a base class.

    Parameters
    ----------
    model
        The Pyro program that it inverts.
    """

    def __init__(self, model: ModelT) -> None:
        super().__init__()
        # In a list, which nn.Module does not register: the model's weights would appear twice in
        # the state dict of a module that holds model and guide.
        self._models = [model]

    @property
    def model(self) -> ModelT:
        """The model that this guide inverts."""
        return self._models[0]
