"""The vanilla RNN over two steps, worked out by hand."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import RNNGradients, RNNParams, bptt, rnn
from tests.comparing import assert_same, returned

LN3 = np.log(3)


@pytest.mark.parametrize("module", [bptt, rnn])
def test_two_steps_by_hand(module: Any) -> None:
    # h_1 = tanh(½ ln 3 · 1) = ½, and h_2 = tanh(ln 3 · ½) = ½ again; tanh' is ¾ at both.
    params = RNNParams(W_x=np.array([[LN3 / 2]]), W_h=np.array([[LN3]]), b=np.zeros(1))
    out = module.rnn_forward(np.array([[[1.0]], [[0.0]]]), params, h0=np.zeros((1, 1)))
    assert_same(returned(out), {"hs": np.full((2, 1, 1), 0.5), "h_T": np.array([[0.5]])})

    da_2 = 3 / 4  # from dh_T = 1
    da_1 = 3 / 4 * LN3 * da_2
    expected = RNNGradients(
        dxs=np.array([[[da_1]], [[da_2]]]) * LN3 / 2,
        dparams=RNNParams(
            W_x=np.array([[da_1]]),  # x_2 is 0
            W_h=np.array([[da_2 / 2]]),  # h_0 is 0
            b=np.array([da_1 + da_2]),
        ),
        dh0=np.array([[LN3 * da_1]]),
        dh_norms=np.array([[LN3 * da_2], [1.0]]),
    )
    gradients = module.rnn_backward(out.cache, dhs=np.zeros((2, 1, 1)), dh_T=np.ones((1, 1)))
    assert_same(gradients, expected)
