"""One large product of square matrices: how fast this machine multiplies at best."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits

THREADS = "one Python thread, two BLAS threads"


@contextmanager
def square(side: int) -> Iterator[Callable[[], object]]:
    """A product of two (side, side) matrices, float32: 2 side³ operations."""
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((side, side), np.float32) for _ in range(2))
    product = np.empty_like(a)
    with threadpool_limits(2, user_api="blas"):
        yield lambda: np.matmul(a, b, out=product)
