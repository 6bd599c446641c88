"""A batch of reviews of different lengths, in parts and blocks without padding.

The reviews are sorted, the longest first. Those that still run at a step are then the first n, and
n only falls from step to step. A :class:`Block` is a stretch of steps through which the same n
reviews run, so each of its arrays is full: nothing is spent on padding, and no mask is needed.

A block is also how much is worked out at once of what needs no order: its inputs times W_x before
the loop through its steps, and the gradients of the weights after it. A few large matrix products
take half the time of many small ones.

Reviews do not depend on each other, so a large batch is dealt into parts, each with blocks of its
own, which :mod:`numpy_lstm.recurrence.parallel` works through side by side.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import DTypeLike, NDArray

from numpy_lstm.types import Array

COLUMNS = 512  # steps times reviews of a block: few enough to stay in the processor's cache
IN_TWO = 2**12  # numbers in h_t of all reviews, N H, from which two parts are faster than one
IN_MORE = 2**14  # of each of three or four parts: with fewer, two threads would be slower
LARGE_PAGES = 2**22  # bytes from which NumPy asks the operating system for large pages


class Block(NamedTuple):
    """Some steps, and the reviews that run through all of them, the longest first."""

    steps: slice  # of the batch
    reviews: slice | NDArray[np.intp]  # of the batch
    k: int  # how many steps
    n: int  # how many reviews


def pack(lengths: NDArray[np.intp], hidden_size: int) -> list[list[Block]]:
    """Deal a batch into parts of equal work, and cut each into blocks in the order of time.

    The parts depend on the sizes alone, not on the machine, so that the results do not either.

    Parameters
    ----------
    lengths : ndarray of int, shape (N,)
        Steps of each review, in any order.
    hidden_size : int

    Examples
    --------
    >>> (part,) = pack(np.array([2, 5, 2]), hidden_size=4)
    >>> for block in part:
    ...     print(block)
    Block(steps=slice(0, 2, None), reviews=array([1, 0, 2]), k=2, n=3)
    Block(steps=slice(2, 5, None), reviews=array([1]), k=3, n=1)
    """
    numbers = len(lengths) * hidden_size
    parts = 1 if numbers < IN_TWO else min(max(numbers // IN_MORE, 2), 4)
    order = np.argsort(-lengths, kind="stable")
    work = lengths[order].cumsum()
    # The long reviews for one thread, the short ones for another: dealt in turn, each thread would
    # go through all steps, with few reviews in the late ones.
    cuts = np.searchsorted(work, work[-1] * np.arange(1, parts) // parts) + 1
    return [_blocks(reviews, lengths) for reviews in np.split(order, cuts) if len(reviews)]


def _blocks(order: NDArray[np.intp], lengths: NDArray[np.intp]) -> list[Block]:
    """The blocks of some reviews, the longest of which comes first."""
    ends, ending = np.unique(lengths[order], return_counts=True)
    running = ending[::-1].cumsum()[::-1]  # reviews that stop at each end or later
    first, last = int(order[0]), int(order[-1])
    in_a_row = np.array_equal(order, np.arange(first, last + 1))
    blocks, start = [], 0
    for end, n in zip(ends.tolist(), running.tolist(), strict=True):
        # A slice makes views where an index array would copy: for batches that come sorted.
        reviews = slice(first, first + n) if in_a_row else order[:n]
        k = max(1, COLUMNS // n)
        for begin in range(start, end, k):
            stop = min(begin + k, end)
            blocks.append(Block(slice(begin, stop), reviews, stop - begin, n))
        start = end
    return blocks


class Memory:
    """Memory that every block uses again for the arrays it needs only for a while.

    The operating system must clear the memory that it gives to a process; to use the same memory
    again saves that time.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._all: Array = np.empty(0, dtype)

    def __call__(self, *shapes: Sequence[int]) -> list[Array]:
        """Arrays of these shapes, one behind the other; they hold anything."""
        size = sum(map(math.prod, shapes))
        if size > self._all.size:
            # An array of this size comes in large pages, of which there are few; and when the C
            # library has had so much back once, it keeps it for the next call.
            least = LARGE_PAGES // self._all.itemsize
            self._all = np.empty(max(size, least), self._all.dtype)
        arrays, start = [], 0
        for shape in shapes:
            stop = start + math.prod(shape)
            arrays.append(self._all[start:stop].reshape(shape))
            start = stop
        return arrays


def join_reviews(first: Array, others: Array | None, block: Block) -> Array:
    """States of all reviews of a block, or gradients in them, from two sources.

    Parameters
    ----------
    first : ndarray, shape (H, m)
        Those of the block's first m reviews, which run on when the others end.
    others : ndarray, shape (N, H), or None
        Where those of the other reviews stand, in the caller's order; zero if None.
    block : Block

    Returns
    -------
    ndarray, shape (H, n)
    """
    H, m = first.shape
    joined = np.zeros((H, block.n), first.dtype)
    joined[:, :m] = first
    if others is not None:
        joined[:, m:] = others[block.reviews][m:].T
    return joined
