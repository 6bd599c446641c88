"""The recorded norms of gradients that are far too large or too small to be squared."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import LSTMParams, RNNParams, lstm_backward, lstm_forward, rnn_backward, rnn_forward
from numpy_lstm.recurrence.norms import norms

FLOATS = [np.float32, np.float64]
INF, NAN = np.inf, np.nan


def columns(dtype: Any, *numbers: list[float]) -> Any:
    """Those of one step."""
    return np.array(numbers, dtype).T[np.newaxis]


@pytest.mark.parametrize("dtype", FLOATS)
def test_every_norm_is_right_whatever_the_other_columns_are(dtype: Any) -> None:
    numbers = np.finfo(dtype)
    large, small = numbers.max, numbers.smallest_subnormal
    block = columns(
        dtype,
        [3, 4],
        [0, 0],
        [large / 2, 0],
        [-large, 0],
        [large, -large],  # the norm would be √2 times the largest number
        [small, 0],
        [3 * small, -4 * small],
        [3, small],
        [INF, 1],
        [-INF, INF],
        [NAN, 1],
        [NAN, INF],
    )
    expected = [5, 0, large / 2, large, large, small, 5 * small, 3, INF, INF, NAN, NAN]
    with np.errstate(all="raise"):
        np.testing.assert_array_equal(norms(block), np.array([expected], dtype), strict=True)


@pytest.mark.parametrize("dtype", FLOATS)
def test_each_column_alone_has_the_norm_that_it_has_beside_others(dtype: Any) -> None:
    # From where all squares are subnormal to where they overflow, by way of where neither happens.
    numbers = np.finfo(dtype)
    scales = dtype(2) ** np.arange(numbers.minexp - numbers.nmant, numbers.maxexp - 2, dtype=dtype)
    together = norms(columns(dtype, *([3 * scale, 4 * scale] for scale in scales)))[0]
    alone = [norms(columns(dtype, [3 * scale, 4 * scale]))[0, 0] for scale in scales]
    np.testing.assert_array_equal(together, 5 * scales)
    np.testing.assert_array_equal(alone, 5 * scales)


@pytest.mark.parametrize(
    ("dtype", "factor", "T", "last"),
    [
        (np.float32, 2, 100, 1),  # to 1.27e30
        (np.float32, 2, 100, 2.0**24),  # to 1e37
        (np.float64, 2, 995, 1),  # to 1e299
        (np.float32, 0.5, 140, 1),  # to 7e-43, which is subnormal
        (np.float64, 0.5, 1060, 1),  # to 8e-320, likewise
    ],
)
def test_a_gradient_that_explodes_or_vanishes_is_recorded_as_long_as_there_is_one(
    dtype: Any, factor: float, T: int, last: float
) -> None:
    # Inputs of 0 leave all states at 0, where tanh' is 1: each step back multiplies by the factor.
    params = RNNParams(np.zeros((2, 1), dtype), factor * np.eye(2, dtype=dtype), np.zeros(2, dtype))
    cache = rnn_forward(np.zeros((T, 1, 1), dtype), params).cache
    gradients = rnn_backward(cache, dh_T=np.array([[3 * last, 4 * last]], dtype))
    by_distance = last * float(factor) ** np.arange(T + 1)
    np.testing.assert_array_equal(gradients.dh_norms[::-1, 0], 5 * by_distance[:-1])
    np.testing.assert_array_equal(gradients.dh0, [[3 * by_distance[-1], 4 * by_distance[-1]]])


@pytest.mark.parametrize(
    ("dtype", "size"), [(np.float32, 2.0**120), (np.float64, 2.0**1000), (np.float32, 2.0**-100)]
)
def test_a_huge_or_tiny_gradient_in_the_cell_state_is_recorded(dtype: Any, size: float) -> None:
    b = np.repeat(np.array([-1000, 1000, 0, -1000], dtype), 2)  # f is 1; i and o are 0
    params = LSTMParams(np.zeros((8, 1), dtype), np.zeros((8, 2), dtype), b)
    cache = lstm_forward(np.zeros((50, 1, 1), dtype), params).cache
    gradients = lstm_backward(cache, dc_T=np.array([[3 * size, 4 * size]], dtype))
    np.testing.assert_array_equal(gradients.dc_norms, np.full((50, 1), 5 * size))
    assert not gradients.dh_norms.any()
