"""Reading the next item while the present one is in use."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

__all__ = ["read_ahead"]

KeyT = TypeVar("KeyT")
ItemT = TypeVar("ItemT")


def read_ahead(read: Callable[[KeyT], ItemT], keys: Iterable[KeyT]) -> Iterator[ItemT]:
    """Return an iterator over `read(key)` for each key in order, read by a thread, one ahead.

    Nothing is read before the first item is asked for. No more than two items exist, provided
    that the caller drops each before it asks for the next. An error of `read` is raised where its
    item would have come. Whoever leaves early waits, closing the iterator, for the reading that
    has begun; then the thread ends.
    """
    # A future keeps its result: each is popped, so that only the caller holds the item.
    ahead: deque[Future[ItemT]] = deque()
    with ThreadPoolExecutor(1, "read-ahead") as thread:
        for key in keys:
            if ahead:
                ahead[0].result()  # waits; an error ends the loop before more is read
            ahead.append(thread.submit(read, key))
            if len(ahead) > 1:
                yield ahead.popleft().result()
        if ahead:
            yield ahead.popleft().result()
