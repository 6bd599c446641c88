"""The LSTM over whole sequences: by hand, the shapes of its weights, and its cell state."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import LSTMGradients, LSTMParams, bptt, lstm, lstm_backward, lstm_forward
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


def arguments() -> dict[str, Any]:
    """Valid ones: T = 4 steps, N = 2 reviews, D = 3 inputs, H = 5 hidden units."""
    params = LSTMParams(np.full((20, 3), 0.5), np.full((20, 5), -0.25), np.full(20, 0.1))
    return {"xs": np.ones((4, 2, 3)), "params": params}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"params": LSTMParams(np.ones((20, 3)), np.ones((5, 5)), np.ones(20))},
            "`W_h` must have shape (4H, H); got (5, 5).",
        ),
        (
            {"params": LSTMParams(np.ones((5, 3)), np.ones((20, 5)), np.ones(20))},
            "`W_x` must have shape (4H=20, D); got (5, 3).",
        ),
        (
            {"params": LSTMParams(np.ones((20, 3)), np.ones((20, 5)), np.ones(5))},
            "`b` must have shape (4H=20,); got (5,).",
        ),
        ({"c0": np.ones(5)}, "`c0` must have shape (N=2, H=5); got (5,)."),
        ({"c0": 0.0}, "`c0` must be a NumPy array; got float."),
    ],
)
def test_a_wrong_argument_is_named(change: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError) as error:
        lstm_forward(**(arguments() | change))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("dc_T", "message"),
    [
        (np.ones((2, 4)), "`dc_T` must have shape (2, 5); got (2, 4)."),
        (
            np.ones((2, 5), np.float32),
            "`dc_T` must be float64 like the forward pass; got float32.",
        ),
    ],
)
def test_a_wrong_gradient_in_the_cell_state_is_named(dc_T: Any, message: str) -> None:
    cache = lstm_forward(**arguments()).cache
    with pytest.raises(ValueError) as error:
        lstm_backward(cache, dc_T=dc_T)
    assert str(error.value) == message
