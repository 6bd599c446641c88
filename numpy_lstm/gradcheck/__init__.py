"""Gradient checks: ``python -m numpy_lstm.gradcheck`` prints the error of every array.

:func:`check_gradient` checks any function; :mod:`numpy_lstm.gradcheck.check` explains how.
"""

from numpy_lstm.gradcheck.check import (
    TOLERANCE,
    ArrayError,
    LostInRounding,
    Method,
    WrongGradient,
    check_gradient,
    gradient_errors,
)

__all__ = [
    "TOLERANCE",
    "ArrayError",
    "LostInRounding",
    "Method",
    "WrongGradient",
    "check_gradient",
    "gradient_errors",
]
