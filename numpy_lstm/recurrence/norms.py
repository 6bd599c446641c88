"""Norms of gradients without overflow or underflow."""

from __future__ import annotations

import numpy as np

from numpy_lstm.types import Array


def norms(block: Array) -> Array:
    """Euclidean norm of each column: (k, H, n) to (k, n).

    If squares overflow or underflow, columns are divided by their largest number first. So the
    norm of a finite column is finite, and only a zero column has norm 0.
    """
    numbers = np.finfo(block.dtype)
    with np.errstate(over="ignore", under="ignore"):
        squares = np.einsum("khn,khn->kn", block, block)
        if squares.min() > numbers.tiny / numbers.eps and squares.max() < np.inf:
            return np.sqrt(squares)
        largest = np.abs(block).max(axis=1)
        unit = np.where((largest > 0) & (largest < np.inf), largest, 1)
        scaled = block / unit[:, np.newaxis]
        norm = unit * np.sqrt(np.einsum("khn,khn->kn", scaled, scaled))
    # The norm of a finite column can exceed the largest number of the dtype, by up to √H.
    return np.where(largest < np.inf, np.minimum(norm, numbers.max), norm)
