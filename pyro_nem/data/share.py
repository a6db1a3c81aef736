"""The part of a batch, or of the batches, that one of several processes reads."""

from dataclasses import dataclass
from typing import Final

from pyro_nem.errors import ConfigError

__all__ = ["WHOLE", "Share"]


@dataclass(frozen=True)
class Share:
    """One of several equal shares."""

    index: int
    """Which one, counted from 0."""
    count: int
    """How many there are."""

    def size(self, batch_size: int) -> int:
        """Return how many sequences of each batch belong to it.

        Raises
        ------
        ConfigError
            The batch cannot be divided equally.
        """
        if batch_size % self.count != 0:
            raise ConfigError(
                f"batch_size: {self.count} processes share each batch equally, but {batch_size} is "
                f"no multiple of {self.count}; choose another batch size or number of processes"
            )
        return batch_size // self.count


WHOLE: Final = Share(0, 1)
"""Everything, as a single process reads it."""
