"""The LSTM over two steps, worked out by hand."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import LSTMGradients, LSTMParams, bptt, lstm
from tests.comparing import assert_same, returned

LN3 = np.log(3)


@pytest.mark.parametrize("module", [bptt, lstm])
def test_two_steps_by_hand(module: Any) -> None:
    # All gates stand open half way and the candidate at ½, whatever comes in: W_x = W_h = 0 …
    b = np.array([0, 0, LN3 / 2, 0])
    params = LSTMParams(np.zeros((4, 1)), np.zeros((4, 1)), b)
    c1, c2 = 1 / 4, 3 / 8  # c_t = ½ c_{t-1} + ½ · ½
    h1, h2 = np.tanh(c1) / 2, np.tanh(c2) / 2
    zero = np.zeros((1, 1))
    out = module.lstm_forward(np.ones((2, 1, 1)), params, h0=zero, c0=zero)
    assert_same(
        returned(out),
        {"hs": np.array([[[h1]], [[h2]]]), "h_T": np.array([[h2]]), "c_T": np.array([[c2]])},
    )

    # … so the only way back from step 2 to step 1 is the cell state, and half of it arrives.
    dc2 = 1 / 2 * (1 - np.tanh(c2) ** 2)  # through h_T
    dc1 = dc2 / 2
    # Gates i, f, g, o: σ' is ¼, tanh' is ¾; i_t and g_t are ½; c_0 is 0.
    da2 = np.array([dc2 / 2 / 4, dc2 * c1 / 4, dc2 / 2 * 3 / 4, np.tanh(c2) / 4])
    da1 = np.array([dc1 / 2 / 4, 0, dc1 / 2 * 3 / 4, 0])
    expected = LSTMGradients(
        dxs=np.zeros((2, 1, 1)),
        dparams=LSTMParams(
            W_x=(da1 + da2)[:, np.newaxis], W_h=h1 * da2[:, np.newaxis], b=da1 + da2
        ),
        dh0=np.zeros((1, 1)),
        dc0=np.array([[dc1 / 2]]),
        dh_norms=np.array([[0.0], [1.0]]),
        dc_norms=np.array([[dc1], [dc2]]),
    )
    gradients = module.lstm_backward(
        out.cache, dhs=np.zeros((2, 1, 1)), dh_T=np.ones((1, 1)), dc_T=zero
    )
    assert_same(gradients, expected)
