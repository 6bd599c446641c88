"""The LSTM over whole sequences: by hand, equal to its step in a plain loop, its errors.

What holds for the checks of arguments in general stands in test_rnn.py: both cells share them.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from numpy_lstm import LSTMGradients, LSTMParams, lstm_backward, lstm_forward
from numpy_lstm.cells import lstm_step, lstm_step_backward
from tests.comparing import assert_identical, assert_same, mapped, returned
from tests.strategies import Case, Recipe, recipes, sequence_case

LN3 = np.log(3)


def test_two_steps_by_hand() -> None:
    # All gates stand open half way and the candidate at ½, whatever comes in: W_x = W_h = 0 …
    b = np.array([0, 0, LN3 / 2, 0])
    params = LSTMParams(np.zeros((4, 1)), np.zeros((4, 1)), b)
    c1, c2 = 1 / 4, 3 / 8  # c_t = ½ c_{t-1} + ½ · ½
    h1, h2 = np.tanh(c1) / 2, np.tanh(c2) / 2
    out = lstm_forward(np.ones((2, 1, 1)), params)
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
    assert_same(lstm_backward(out.cache, dh_T=np.ones((1, 1))), expected)


# --- the plain loop ------------------------------------------------------------------------------


def plain_loop(case: Case) -> tuple[dict[str, Any], LSTMGradients]:
    """Review by review, step by step: no padding, no blocks, no trick."""
    xs, params, h0, c0 = case.point.values()
    dhs, dh_T, dc_T = case.incoming.values()
    (T, N, _), H = xs.shape, h0.shape[1]
    hs, h_T, c_T = np.zeros((T, N, H)), np.zeros((N, H)), np.zeros((N, H))
    dxs, dh0, dc0 = np.zeros_like(xs), np.zeros((N, H)), np.zeros((N, H))
    dh_norms, dc_norms = np.zeros((T, N)), np.zeros((T, N))
    dparams = mapped(np.zeros_like, params)
    for n, length in enumerate(case.lengths):
        h, c, caches = h0[[n]], c0[[n]], []
        for t in range(length):
            h, c, cache = lstm_step(xs[t, [n]], h, c, params)
            hs[t, n] = h
            caches.append(cache)
        h_T[n], c_T[n] = h, c

        dh, dc = dh_T[[n]], dc_T[[n]]
        for t in reversed(range(length)):
            dh = dh + dhs[t, [n]]
            dh_norms[t, n] = np.linalg.norm(dh)
            through_h = dh * caches[t].o_t * (1 - caches[t].tanh_c ** 2)
            dc_norms[t, n] = np.linalg.norm(dc + through_h)
            dxs[t, n], dh, dc, dparams_t = lstm_step_backward(dh, dc, caches[t])
            dparams = mapped(np.add, dparams, dparams_t)
        dh0[n], dc0[n] = dh, dc
    gradients = LSTMGradients(dxs, dparams, dh0, dc0, dh_norms, dc_norms)
    return {"hs": hs, "h_T": h_T, "c_T": c_T}, gradients


def assert_equal_to_plain_loop(recipe: Recipe) -> None:
    case = sequence_case("lstm", recipe)
    expected, expected_gradients = plain_loop(case)
    case.point["xs"][np.arange(recipe.T)[:, np.newaxis] >= recipe.lengths] = np.nan
    assert_same(returned(case.run()), expected)
    assert_same(case.gradients(), expected_gradients)


@given(recipe=recipes())
def test_a_ragged_batch_with_nan_in_its_padding_equals_the_plain_loop(recipe: Recipe) -> None:
    assert_equal_to_plain_loop(recipe)


@pytest.mark.parametrize(
    "recipe",
    [
        Recipe(T=1, N=1, D=1, H=1, lengths=(1,), scale=1.0, start="both", seed=0),
        Recipe(T=6, N=1, D=1, H=1, lengths=(4,), scale=1.0, start="both", seed=1),
        Recipe(T=6, N=4, D=3, H=2, lengths=(3, 1, 4, 1), scale=1.0, start="neither", seed=2),
        Recipe(T=1200, N=2, D=3, H=4, lengths=(1200, 700), scale=0.3, start="both", seed=3),
        Recipe(T=5, N=600, D=2, H=3, lengths=(5, 2) * 300, scale=0.3, start="both", seed=4),
        Recipe(T=30, N=70, D=3, H=64, lengths=(30,) * 70, scale=0.1, start="both", seed=5),
        Recipe(T=2, N=140, D=131, H=128, lengths=(2,) * 140, scale=0.05, start="both", seed=6),
    ],
    ids=[
        "one of each",
        "one review",
        "no review as long as the batch",
        "long",
        "wide",
        "large",
        "so large that matrices come in pieces",
    ],
)
def test_a_batch_of_unusual_size_equals_the_plain_loop(recipe: Recipe) -> None:
    assert_equal_to_plain_loop(recipe)


# --- arguments -----------------------------------------------------------------------------------


def arguments() -> dict[str, Any]:
    """Valid ones: T = 4 steps, N = 2 reviews, D = 3 inputs, H = 5 hidden units."""
    return {
        "xs": np.linspace(-1, 1, 24).reshape(4, 2, 3),
        "params": LSTMParams(np.full((20, 3), 0.5), np.full((20, 5), -0.25), np.full(20, 0.1)),
    }


def test_what_is_left_out_is_zero_or_full_length() -> None:
    zero = np.zeros((2, 5))
    spelled_out = lstm_forward(**arguments(), lengths=[4, 4], h0=zero, c0=zero)
    left_out = lstm_forward(**arguments())
    assert_identical(returned(left_out), returned(spelled_out))

    nothing = {"dhs": np.zeros((4, 2, 5)), "dh_T": zero, "dc_T": zero}
    for name in nothing:
        one = {name: nothing[name] + 1}
        assert_identical(
            lstm_backward(left_out.cache, **one), lstm_backward(left_out.cache, **(nothing | one))
        )
    assert_identical(lstm_backward(left_out.cache), lstm_backward(left_out.cache, **nothing))


def test_complex_numbers_go_forward_only() -> None:
    real = lstm_forward(**arguments())
    out = lstm_forward(arguments()["xs"] + 0j, arguments()["params"])
    assert out.c_T.dtype == np.complex128
    assert_same(returned(out), returned(real))
    with pytest.raises(ValueError) as error:
        lstm_backward(out.cache, dh_T=np.ones((2, 5)))
    assert str(error.value) == (
        "`cache` must come from a float32 or float64 forward pass; got complex128."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"xs": np.ones((4, 2, 7))}, "`xs` must have shape (T, N, D=3); got (4, 2, 7)."),
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
        ({"h0": np.ones((5, 2))}, "`h0` must have shape (N=2, H=5); got (5, 2)."),
        ({"c0": np.ones(5)}, "`c0` must have shape (N=2, H=5); got (5,)."),
        ({"c0": 0.0}, "`c0` must be a NumPy array; got float."),
        (
            {"lengths": [5, 1]},
            "`lengths` must lie in 1 … T=4; got 1 … 5."
            " A review without a step cannot be run: leave it out.",
        ),
    ],
)
def test_a_wrong_argument_is_named_with_what_was_wanted_and_what_came(
    change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as error:
        lstm_forward(**(arguments() | change))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("incoming", "message"),
    [
        ({"dhs": np.ones((2, 5))}, "`dhs` must have shape (4, 2, 5); got (2, 5)."),
        ({"dh_T": np.ones((4, 2, 5))}, "`dh_T` must have shape (2, 5); got (4, 2, 5)."),
        ({"dc_T": np.ones((4, 2, 5))}, "`dc_T` must have shape (2, 5); got (4, 2, 5)."),
        (
            {"dc_T": np.ones((2, 5), np.float32)},
            "`dc_T` must be float64 like the forward pass; got float32.",
        ),
    ],
)
def test_a_wrong_incoming_gradient_is_named(incoming: dict[str, Any], message: str) -> None:
    cache = lstm_forward(**arguments()).cache
    with pytest.raises(ValueError) as error:
        lstm_backward(cache, **incoming)
    assert str(error.value) == message
