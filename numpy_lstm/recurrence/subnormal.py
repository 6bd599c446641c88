"""Keeps a gradient that vanishes from slowing the backward pass down."""

from __future__ import annotations

import numpy as np

from numpy_lstm.types import Array


def flush_to_zero(gradient: Array) -> None:
    """Set the numbers next to underflow to 0, in place: below 1e-31 in float32, 1e-292 in float64.

    A gradient that vanishes passes through the subnormal numbers (below 1.2e-38 in float32), with
    which a processor calculates many times slower. The bound leaves room for what the steps of one
    block still shrink it by. What it saves is what the plain loops, which do without, take longer:
    docs/benchmarks.md, "A gradient that vanishes".

    Examples
    --------
    >>> gradient = np.array([1e-30, -1e-40], np.float32)
    >>> flush_to_zero(gradient)
    >>> gradient
    array([1.e-30, 0.e+00], dtype=float32)
    """
    numbers = np.finfo(gradient.dtype)
    gradient[np.abs(gradient) < numbers.tiny / numbers.eps] = 0
