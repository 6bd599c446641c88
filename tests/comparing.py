"""Comparing trees of arrays, array by array."""

from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_lstm.gradcheck.pytrees import leaves, rebuild

# Thousands of roundings of float64: two ways to the same numbers add them up in another order, and
# twelve steps of a network that is all but chaotic make much of that.
TOLERANCE = 1e-12


def assert_same(actual: Any, expected: Any, tolerance: float = TOLERANCE) -> None:
    """Equal to `tolerance`, relative to the largest number of each array.

    Or relative to 1, the size of what goes in: a gradient that vanishes on its way does not
    become more exact by that.
    """
    for path, array, wanted in _pairs(actual, expected):
        atol = tolerance * max(1, abs(wanted).max())
        assert array.shape == wanted.shape, path  # assert_allclose would broadcast
        np.testing.assert_allclose(array, wanted, rtol=0, atol=atol, err_msg=path)


def assert_identical(actual: Any, expected: Any) -> None:
    """Equal bit by bit."""
    for path, array, wanted in _pairs(actual, expected):
        np.testing.assert_array_equal(array, wanted, err_msg=path, strict=True)


def mapped(function: Callable[..., Any], *trees: Any) -> Any:
    """A tree of what `function` makes of each array, or of the arrays of several trees."""
    arrays = zip(*(leaves(tree).values() for tree in trees), strict=True)
    return rebuild(trees[0], (function(*each) for each in arrays))


def returned(out: Any) -> dict[str, Any]:
    """What a forward pass returns, without its cache."""
    return {name: array for name, array in out._asdict().items() if name != "cache"}


def _pairs(actual: Any, expected: Any) -> list[tuple[str, Any, Any]]:
    actual, expected = leaves(actual), leaves(expected)
    assert actual.keys() == expected.keys()
    return [(path, array, np.asarray(expected[path])) for path, array in actual.items()]
