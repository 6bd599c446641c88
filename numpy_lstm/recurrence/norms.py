"""The norm of a gradient at every step, however large or small it is."""

from __future__ import annotations

import numpy as np

from numpy_lstm.types import Array


def norms(block: Array) -> Array:
    """Euclidean norm of each column: (k, H, n) to (k, n).

    Finite wherever the column is, and 0 only where it is: where the squares would overflow or
    underflow, a column is divided by its largest number before it is squared.
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
    # The norm of a finite column can be up to √H times the largest number that there is.
    return np.where(largest < np.inf, np.minimum(norm, numbers.max), norm)
