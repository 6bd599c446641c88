"""One step of each cell, worked out by hand.

The numbers come out even because σ(ln 3) = 3/4, σ(-ln 3) = 1/4, σ(0) = 1/2 and tanh(½ ln 3) = 1/2.
"""

import numpy as np
import pytest
from hypothesis import given

from numpy_lstm import LSTMParams, RNNParams
from numpy_lstm.cells import lstm_step, lstm_step_backward, rnn_step, rnn_step_backward
from tests.comparing import assert_same
from tests.strategies import Recipe, recipes, sequence_case

LN3 = np.log(3)


def array(*numbers: float) -> np.ndarray:
    return np.array([numbers])


def test_rnn_step_by_hand() -> None:
    # a = 2·1 + 3·(-1) + 4·½ + (½ ln 3 - 1) = ½ ln 3, so h = ½ and tanh' = 1 - ½² = ¾.
    params = RNNParams(W_x=array(2, 3), W_h=array(4), b=np.array([LN3 / 2 - 1]))
    h_t, cache = rnn_step(array(1, -1), array(0.5), params)
    assert h_t == pytest.approx(0.5)

    dx_t, dh_prev, dparams = rnn_step_backward(array(8), cache)  # da = 8 · ¾ = 6
    assert_same(dx_t, array(6 * 2, 6 * 3))
    assert_same(dh_prev, array(6 * 4))
    assert_same(dparams, RNNParams(W_x=array(6, -6), W_h=array(6 * 0.5), b=np.array([6.0])))


def test_lstm_step_by_hand() -> None:
    # The biases are such that a_i = ln 3, a_f = 0, a_g = ½ ln 3 and a_o = -ln 3 …
    W_x, W_h = np.array([[1.0], [2], [3], [4]]), np.array([[5.0], [6], [7], [8]])
    x_t, h_prev = array(2), array(-1)
    a_t = np.array([LN3, 0, LN3 / 2, -LN3])
    params = LSTMParams(W_x, W_h, b=a_t - (2 * W_x - W_h)[:, 0])
    # … so i = ¾, f = ½, g = ½, o = ¼; and c_prev such that c = ½ c_prev + ¾·½ = ½ ln 3, tanh c = ½.
    c_prev = array(LN3 - 3 / 4)
    h_t, c_t, cache = lstm_step(x_t, h_prev, c_prev, params)
    assert_same([h_t, c_t], [array(1 / 4 * 1 / 2), array(LN3 / 2)])

    dx_t, dh_prev, dc_prev, dparams = lstm_step_backward(array(16), array(1), cache)
    dc = 1 + 16 * 1 / 4 * 3 / 4  # 4: from later steps, and through h_t
    da_i = dc * 1 / 2 * (3 / 4 * 1 / 4)
    da_f = dc * (LN3 - 3 / 4) * (1 / 2 * 1 / 2)
    da_g = dc * 3 / 4 * (1 - 1 / 4)
    da_o = 16 * 1 / 2 * (1 / 4 * 3 / 4)
    assert_same(dc_prev, array(dc / 2))
    assert_same(dx_t, array(1 * da_i + 2 * da_f + 3 * da_g + 4 * da_o))
    assert_same(dh_prev, array(5 * da_i + 6 * da_f + 7 * da_g + 8 * da_o))
    da = np.array([da_i, da_f, da_g, da_o])
    assert_same(dparams, LSTMParams(W_x=2 * da[:, np.newaxis], W_h=-da[:, np.newaxis], b=da))


@given(recipe=recipes())
def test_parameter_gradients_of_a_step_are_summed_over_its_reviews(recipe: Recipe) -> None:
    case = sequence_case("lstm", recipe)
    x_t, params = case.point["xs"][0], case.point["params"]
    h0, c0 = case.point["h0"], case.point["c0"]
    dh_t, dc_t = case.incoming["dh_T"], case.incoming["dc_T"]
    *_, together = lstm_step_backward(dh_t, dc_t, lstm_step(x_t, h0, c0, params)[2])
    each = []
    for n in range(recipe.N):
        cache = lstm_step(x_t[[n]], h0[[n]], c0[[n]], params)[2]
        each.append(lstm_step_backward(dh_t[[n]], dc_t[[n]], cache)[-1])
    assert_same(list(together), [sum(arrays) for arrays in zip(*each, strict=True)])
