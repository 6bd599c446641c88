"""Two halves of a batch at once, each in a thread of its own.

The mathematics calls :func:`each`, which is ``map``: what it is given are parts of a batch that do
not depend on each other. Inside ``with two_threads():`` they are worked out side by side, each in a
:class:`Workspace` that is kept for the next batch. The parts are the same with one thread or two,
and what they give is added up in the same order, so the results are the same to the last bit.

NumPy lets another thread run while it computes, so threads are enough and nothing is copied; but
each handing over of Python's lock takes a few microseconds. So parts of small arrays are not worth
a thread: :mod:`numpy_lstm.sequence` cuts a batch in two only where the arrays are large. With 64
reviews and 128 hidden units that saves two fifths of the time.

What the tricks save was measured by ``python -m benchmarks --only tricks``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar, copy_context
from typing import Literal, NamedTuple, TypeVar, get_args

import numpy as np
from threadpoolctl import threadpool_limits

from numpy_lstm.cells import Array

Item = TypeVar("Item")
Result = TypeVar("Result")


Name = Literal[
    "from_h", "x1", "products", "tanh_c",
    "dh_total", "dc_total", "d", "x", "h_prev", "da", "dW_x", "dW_h", "dx",
]  # fmt: skip


class Workspace:
    """Arrays to compute in, used again and again.

    Memory that is fresh from the operating system takes longer to be made than to be computed in:
    keeping it saves a quarter of the time of small batches. A misspelt name would go unnoticed and
    cost an array, so there are no names but those of `Name`.
    """

    def __init__(self) -> None:
        self._rooms: dict[tuple[str, np.dtype], Array] = {}

    def __call__(self, name: Name, shape: tuple[int, ...], dtype: np.dtype) -> Array:
        """An array that shares its memory with the last one of this name; it holds anything."""
        assert name in get_args(Name), name
        size = math.prod(shape)
        room = self._rooms.get((name, dtype))
        if room is None or room.size < size:
            room = self._rooms[name, dtype] = np.empty(size, dtype)
        return room[:size].reshape(shape)


class _Team(NamedTuple):
    second: ThreadPoolExecutor | None
    workspaces: tuple[Workspace, Workspace]


_team: ContextVar[_Team | None] = ContextVar("team", default=None)


@contextmanager
def two_threads(enabled: bool = True) -> Iterator[None]:
    """Let a second thread help inside this block.

    BLAS is held to one thread meanwhile (threadpoolctl): its own threads would share each small
    matrix product, at more cost than gain.

    Parameters
    ----------
    enabled : bool
        False: only hold BLAS to one thread, and keep the workspaces.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as second:
        token = _team.set(_Team(second if enabled else None, (Workspace(), Workspace())))
        try:
            yield
        finally:
            _team.reset(token)


def each(function: Callable[[Item, Workspace], Result], items: Sequence[Item]) -> list[Result]:
    """Call ``function(item, workspace)`` for one item or two, the second perhaps in its thread."""
    second, workspaces = _team.get() or _Team(None, (Workspace(), Workspace()))
    if second is None or len(items) == 1:
        return list(map(function, items, workspaces))
    # In a copy of the caller's context, so that its np.errstate holds there too.
    later = second.submit(copy_context().run, function, items[1], workspaces[1])
    return [function(items[0], workspaces[0]), later.result()]
