"""Small numbers of a gradient that vanishes become 0, and no others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from numpy_lstm import bptt
from numpy_lstm.lstm import lstm_backward, lstm_forward
from numpy_lstm.recurrence.subnormal import flush_to_zero
from numpy_lstm.recurrent import init_cell
from numpy_lstm.rnn import rnn_backward, rnn_forward
from numpy_lstm.types import Array, Model


@pytest.mark.parametrize(("dtype", "bound"), [(np.float32, 1e-31), (np.float64, 1e-292)])
def test_numbers_below_the_bound_become_0_of_either_sign(dtype: Any, bound: float) -> None:
    gradient = np.array([2 * bound, -2 * bound, bound / 2, -bound / 2, 1, 0], dtype)
    flush_to_zero(gradient)
    np.testing.assert_array_equal(gradient, np.array([2 * bound, -2 * bound, 0, 0, 1, 0], dtype))


@pytest.mark.parametrize(("dtype", "power"), [(np.float32, -126 + 23), (np.float64, -1022 + 52)])
def test_the_bound_itself_stays(dtype: Any, power: int) -> None:
    gradient = np.array([2.0**power, np.nextafter(dtype(2.0**power), dtype(0))], dtype)
    flush_to_zero(gradient)
    np.testing.assert_array_equal(gradient, np.array([2.0**power, 0], dtype))


def test_numbers_that_are_not_finite_stay() -> None:
    gradient = np.array([np.inf, -np.inf, np.nan], np.float32)
    flush_to_zero(gradient)
    np.testing.assert_array_equal(gradient, np.array([np.inf, -np.inf, np.nan], np.float32))


def vanishing(model: Model) -> tuple[Any, Any]:
    """Gradients of the last of many steps: of the fast recurrence in float32, the exact ones."""
    rng = np.random.default_rng(0)
    params: Any = init_cell(model, 3, 4, rng=rng, dtype=np.float64)
    params = type(params)(*(0.5 * parameter for parameter in params))
    xs, dh_T = rng.standard_normal((300, 64, 3)), rng.standard_normal((64, 4))
    zeros, dhs = np.zeros((64, 4)), np.zeros((300, 64, 4))
    exact: Any
    if model == "rnn":
        exact = bptt.rnn_backward(bptt.rnn_forward(xs, params, zeros).cache, dhs, dh_T)
    else:
        cache = bptt.lstm_forward(xs, params, zeros, zeros).cache
        exact = bptt.lstm_backward(cache, dhs, dh_T, zeros)
    xs, dh_T = xs.astype(np.float32), dh_T.astype(np.float32)
    params = type(params)(*(parameter.astype(np.float32) for parameter in params))
    if model == "rnn":
        return rnn_backward(rnn_forward(xs, params).cache, dh_T=dh_T), exact
    return lstm_backward(lstm_forward(xs, params).cache, dh_T=dh_T), exact


def subnormal(norms: Array) -> int:
    return np.count_nonzero((norms > 0) & (norms < np.finfo(np.float32).tiny))


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_gradient_that_vanishes_has_no_subnormal_numbers(model: Model) -> None:
    fast, exact = vanishing(model)
    assert subnormal(exact.dh_norms.clip(1e-45)) > 1000
    assert subnormal(fast.dh_norms) == 0
    if model == "lstm":
        assert subnormal(exact.dc_norms.clip(1e-45)) > 1000
        assert subnormal(fast.dc_norms) == 0


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_weights_and_larger_norms_are_those_of_the_plain_loops(model: Model) -> None:
    fast, exact = vanishing(model)
    for ours, other in zip(fast.dparams, exact.dparams, strict=True):
        np.testing.assert_allclose(ours, other, rtol=0, atol=1e-5 * np.abs(other).max())
    large = exact.dh_norms > 1e-29
    np.testing.assert_allclose(fast.dh_norms[large], exact.dh_norms[large], rtol=1e-3)
    assert np.all(fast.dh_norms[~large] < 1e-28)
