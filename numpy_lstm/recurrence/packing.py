"""Divides a batch of reviews of different lengths into parts and blocks, without padding.

The reviews are sorted, the longest first. Those that still run at a step are then the first n, and
n only falls from step to step. A :class:`Block` is a stretch of steps through which the same n
reviews run, so each of its arrays is full: nothing is spent on padding, and no mask is needed.

Operations that do not depend on the order of the steps are done for a whole block at once: its
inputs times W_x before the loop over its steps, and the gradients of the weights after it. A few
large matrix products take less time than many small ones.

Reviews are independent, so a large batch is divided into parts, each with its own blocks, which
:mod:`numpy_lstm.recurrence.parallel` runs in parallel.
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
SMALL = 2**12  # numbers up to which arrays are as large as they need to be
LARGE_PAGES = 2**22  # bytes from which NumPy asks the operating system for large pages


class Block(NamedTuple):
    """Some steps, and the reviews that run through all of them, the longest first."""

    steps: slice  # of the batch
    reviews: slice | NDArray[np.intp]  # of the batch
    k: int  # how many steps
    n: int  # how many reviews


def pack(lengths: NDArray[np.intp], hidden_size: int) -> list[list[Block]]:
    """Divide a batch into parts of equal work, and each part into blocks in the order of time.

    The parts depend on sizes only, so that results do not depend on the machine.

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
    if parts == 1:
        return [_blocks(order, lengths)]
    work = lengths[order].cumsum()
    # The long reviews for one thread, the short ones for another: dealt in turn, each thread would
    # go through all steps, with few reviews in the late ones.
    cuts = np.searchsorted(work, work[-1] * np.arange(1, parts) // parts) + 1
    return [_blocks(reviews, lengths) for reviews in np.split(order, cuts) if len(reviews)]


def _blocks(order: NDArray[np.intp], lengths: NDArray[np.intp]) -> list[Block]:
    """The blocks of some reviews, the longest first."""
    ending = np.bincount(lengths[order])  # reviews of each length
    ends = np.flatnonzero(ending)
    running = ending[ends][::-1].cumsum()[::-1]  # reviews that stop at each end or later
    first, last = int(order[0]), int(order[-1])
    in_a_row = np.array_equal(order, np.arange(first, last + 1))
    blocks, start = [], 0
    for end, n in zip(ends.tolist(), running.tolist(), strict=True):
        # For sorted batches: a slice makes views where an index array would copy.
        reviews = slice(first, first + n) if in_a_row else order[:n]
        k = max(1, COLUMNS // n)
        for begin in range(start, end, k):
            stop = min(begin + k, end)
            blocks.append(Block(slice(begin, stop), reviews, stop - begin, n))
        start = end
    return blocks


class Memory:
    """Memory for temporary arrays, used again by every block.

    This saves the time that the operating system takes to clear new memory.
    """

    def __init__(self, dtype: DTypeLike) -> None:
        self._all: Array = np.empty(0, dtype)

    def __call__(self, *shapes: Sequence[int]) -> list[Array]:
        """Uninitialized arrays of these shapes, one after another in memory."""
        size = sum(map(math.prod, shapes))
        if size > self._all.size:
            # Arrays of this size get large pages, of which few are needed; and the C library
            # keeps memory of this size for the next call once it was freed, as it does small ones.
            least = LARGE_PAGES // self._all.itemsize
            self._all = np.empty(max(size, least) if size > SMALL else size, self._all.dtype)
        arrays, start = [], 0
        for shape in shapes:
            stop = start + math.prod(shape)
            arrays.append(self._all[start:stop].reshape(shape))
            start = stop
        return arrays


def join_reviews(first: Array, others: Array | None, block: Block) -> Array:
    """Join the states of all reviews of a block, or the gradients in them, from two sources.

    Parameters
    ----------
    first : ndarray, shape (H, m)
        Values of the block's first m reviews, which are the longest.
    others : ndarray, shape (N, H), or None
        Values of all reviews in the caller's order, used for the others; zero if None.
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
