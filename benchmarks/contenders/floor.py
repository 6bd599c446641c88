"""What no arrangement of the steps can save: the matrix products, and calling NumPy."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

THREADS = "one Python thread, two BLAS threads"


@contextmanager
def product(side: int) -> Iterator[Callable[[], object]]:
    """A product of two (side, side) matrices, float32: 2 side³ operations."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((side, side), np.float32) for _ in range(2))
    product = np.empty_like(a)
    yield lambda: np.matmul(a, b, out=product)


@contextmanager
def calls(n: int) -> Iterator[Callable[[], None]]:
    """So many sums of one number each: NumPy does next to nothing but to be called."""
    a, b, total = (np.ones(1, np.float32) for _ in range(3))  # in place would take longer

    def call() -> None:
        for _ in range(n):
            np.add(a, b, out=total)

    yield call
