"""The vanilla RNN over whole sequences: by hand, equal to its step in a plain loop, its errors."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from numpy_lstm import RNNGradients, RNNParams, rnn_backward, rnn_forward
from numpy_lstm.cells import rnn_step, rnn_step_backward
from tests.comparing import assert_identical, assert_same, mapped, returned
from tests.strategies import Case, Recipe, recipes, sequence_case

LN3 = np.log(3)


def test_two_steps_by_hand() -> None:
    # h_1 = tanh(½ ln 3 · 1) = ½, and h_2 = tanh(ln 3 · ½) = ½ again; tanh' is ¾ at both.
    params = RNNParams(W_x=np.array([[LN3 / 2]]), W_h=np.array([[LN3]]), b=np.zeros(1))
    out = rnn_forward(np.array([[[1.0]], [[0.0]]]), params)
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
    assert_same(rnn_backward(out.cache, dh_T=np.ones((1, 1))), expected)


# --- the plain loop ------------------------------------------------------------------------------


def plain_loop(case: Case) -> tuple[dict[str, Any], RNNGradients]:
    """Review by review, step by step: no padding, no blocks, no trick."""
    xs, params, h0 = case.point.values()
    dhs, dh_T = case.incoming.values()
    (T, N, _), H = xs.shape, h0.shape[1]
    hs, h_T = np.zeros((T, N, H)), np.zeros((N, H))
    dxs, dh0, dh_norms = np.zeros_like(xs), np.zeros((N, H)), np.zeros((T, N))
    dparams = mapped(np.zeros_like, params)
    for n, length in enumerate(case.lengths):
        h, caches = h0[[n]], []
        for t in range(length):
            h, cache = rnn_step(xs[t, [n]], h, params)
            hs[t, n] = h
            caches.append(cache)
        h_T[n] = h

        dh = dh_T[[n]]
        for t in reversed(range(length)):
            dh = dh + dhs[t, [n]]
            dh_norms[t, n] = np.linalg.norm(dh)
            dxs[t, n], dh, dparams_t = rnn_step_backward(dh, caches[t])
            dparams = mapped(np.add, dparams, dparams_t)
        dh0[n] = dh
    return {"hs": hs, "h_T": h_T}, RNNGradients(dxs, dparams, dh0, dh_norms)


def assert_equal_to_plain_loop(recipe: Recipe) -> None:
    case = sequence_case("rnn", recipe)
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
        "params": RNNParams(np.full((5, 3), 0.5), np.full((5, 5), -0.25), np.full(5, 0.1)),
    }


def test_what_is_left_out_is_zero_or_full_length() -> None:
    spelled_out = rnn_forward(**arguments(), lengths=[4, 4], h0=np.zeros((2, 5)))
    left_out = rnn_forward(**arguments())
    assert_identical(returned(left_out), returned(spelled_out))

    dhs, dh_T = np.ones((4, 2, 5)), np.ones((2, 5))
    for given_one, both in [
        ({"dhs": dhs}, {"dhs": dhs, "dh_T": 0 * dh_T}),
        ({"dh_T": dh_T}, {"dhs": 0 * dhs, "dh_T": dh_T}),
        ({}, {"dhs": 0 * dhs, "dh_T": 0 * dh_T}),
    ]:
        assert_identical(
            rnn_backward(left_out.cache, **given_one), rnn_backward(left_out.cache, **both)
        )


@pytest.mark.parametrize("lengths", [(2, 3), [2, 3], np.array([2, 3], np.uint8)])
def test_lengths_may_be_any_sequence_of_whole_numbers(lengths: Any) -> None:
    out = rnn_forward(**arguments(), lengths=lengths)
    assert_identical(out.h_T, np.array([out.hs[1, 0], out.hs[2, 1]]))


def test_batch_first_data_may_come_as_a_view() -> None:
    xs = arguments()["xs"]
    view = np.ascontiguousarray(xs.swapaxes(0, 1)).swapaxes(0, 1)
    out = rnn_forward(view, arguments()["params"])
    assert_identical(returned(out), returned(rnn_forward(**arguments())))


def test_a_vanishing_gradient_is_recorded_below_the_root_of_the_smallest_number() -> None:
    # tanh' is 1 at 0, so each step back multiplies by 1e-10. The square of 1e-240 is 0 in float64.
    params = RNNParams(np.zeros((2, 1)), 1e-10 * np.eye(2), np.zeros(2))
    cache = rnn_forward(np.zeros((25, 1, 1)), params).cache
    norms = rnn_backward(cache, dh_T=np.array([[3.0, 4.0]])).dh_norms[:, 0]
    np.testing.assert_allclose(norms, 5 * 1e-10 ** np.arange(25.0)[::-1], rtol=1e-12)


def test_complex_numbers_go_forward_only() -> None:
    real = rnn_forward(**arguments())
    out = rnn_forward(arguments()["xs"] + 0j, arguments()["params"])
    assert out.hs.dtype == np.complex128
    assert_same(returned(out), returned(real))
    with pytest.raises(ValueError) as error:
        rnn_backward(out.cache, dh_T=np.ones((2, 5)))
    assert str(error.value) == (
        "`cache` must come from a float32 or float64 forward pass; got complex128."
    )


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"xs": np.ones((4, 3))},
            "`xs` must have shape (T, N, D=3); got (4, 3)."
            " A single sequence? Use xs[:, np.newaxis].",
        ),
        (
            {"xs": np.ones((4, 3, 2))},
            "`xs` must have shape (T, N, D=3); got (4, 3, 2). The axes are time, review, input.",
        ),
        ({"xs": np.ones((4, 2, 7))}, "`xs` must have shape (T, N, D=3); got (4, 2, 7)."),
        (
            {"xs": np.ones((0, 2, 3))},
            "`xs` must hold at least one step and one review; got shape (0, 2, 3).",
        ),
        (
            {"xs": np.ones((4, 0, 3))},
            "`xs` must hold at least one step and one review; got shape (4, 0, 3).",
        ),
        ({"xs": [[[1.0]]]}, "`xs` must be a NumPy array; got list."),
        (
            {"xs": np.ones((4, 2, 3), int)},
            "`xs` must be float32, float64 or complex128; got int64. Use xs.astype(np.float32).",
        ),
        (
            {"xs": np.ones((4, 2, 3), np.float16)},
            "`xs` must be float32, float64 or complex128; got float16.",
        ),
        (
            {"xs": np.ones((4, 2, 3), np.float32)},
            "`xs` must be float64 like the other arrays; got float32.",
        ),
        (
            {"params": RNNParams(np.ones((5, 3)), np.ones((5, 4)), np.ones(5))},
            "`W_h` must have shape (H, H); got (5, 4).",
        ),
        (
            {"params": RNNParams(np.ones((4, 3)), np.ones((5, 5)), np.ones(5))},
            "`W_x` must have shape (H=5, D); got (4, 3).",
        ),
        (
            {"params": RNNParams(np.ones((5, 3)), np.ones((5, 5)), np.ones((5, 1)))},
            "`b` must have shape (H=5,); got (5, 1).",
        ),
        ({"h0": np.ones((1, 5))}, "`h0` must have shape (N=2, H=5); got (1, 5)."),
        (
            {"h0": np.ones((2, 5), np.float32)},
            "`h0` must be float64 like the other arrays; got float32.",
        ),
        ({"lengths": [4.0, 2.0]}, "`lengths` must be whole numbers; got dtype float64."),
        ({"lengths": [True, True]}, "`lengths` must be whole numbers; got dtype bool."),
        ({"lengths": [4]}, "`lengths` must have shape (N=2,); got (1,)."),
        (
            {"lengths": [4, 0]},
            "`lengths` must lie in 1 … T=4; got 0 … 4."
            " A review without a step cannot be run: leave it out.",
        ),
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
        rnn_forward(**(arguments() | change))
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("incoming", "message"),
    [
        ({"dhs": np.ones((2, 5))}, "`dhs` must have shape (4, 2, 5); got (2, 5)."),
        ({"dh_T": np.ones((4, 2, 5))}, "`dh_T` must have shape (2, 5); got (4, 2, 5)."),
        (
            {"dh_T": np.ones((2, 5), np.float32)},
            "`dh_T` must be float64 like the forward pass; got float32.",
        ),
        ({"dh_T": [[1.0] * 5] * 2}, "`dh_T` must be a NumPy array; got list."),
    ],
)
def test_a_wrong_incoming_gradient_is_named(incoming: dict[str, Any], message: str) -> None:
    cache = rnn_forward(**arguments()).cache
    with pytest.raises(ValueError) as error:
        rnn_backward(cache, **incoming)
    assert str(error.value) == message
