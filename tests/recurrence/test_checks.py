"""What does not fit is refused by its name, with what was wanted and what came."""

from typing import Any

import numpy as np
import pytest

import numpy_lstm as nl
from tests.arguments import BACKWARD, FORWARD, arguments
from tests.strategies import CELLS, Cell

both_cells = pytest.mark.parametrize("cell", CELLS)


@both_cells
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
        ({"xs": np.ones((4, 2, 5, 7))}, "`xs` must have shape (T, N, D=3); got (4, 2, 5, 7)."),
        ({"xs": np.ones((4, 2, 7))}, "`xs` must have shape (T, N, D=3); got (4, 2, 7)."),
        (
            {"xs": np.ones((0, 2, 3))},
            "`xs` must hold at least one step and one review; got shape (0, 2, 3).",
        ),
        (
            {"xs": np.ones((4, 0, 3))},
            "`xs` must hold at least one step and one review; got shape (4, 0, 3).",
        ),
        ({"xs": [[[1.0]]]}, "`xs` must be a NumPy array; got list. Use np.array(xs)."),
        (
            {"xs": np.ones((4, 2, 3), int)},
            "`xs` must be float32, float64 or complex128; got int64. Use xs.astype(np.float32).",
        ),
        (
            {"xs": np.ones((4, 2, 3), np.uint8)},
            "`xs` must be float32, float64 or complex128; got uint8. Use xs.astype(np.float32).",
        ),
        (
            {"xs": np.ones((4, 2, 3), bool)},
            "`xs` must be float32, float64 or complex128; got bool. Use xs.astype(np.float32).",
        ),
        (
            {"xs": np.ones((4, 2, 3), np.float16)},
            "`xs` must be float32, float64 or complex128; got float16. Use xs.astype(np.float32).",
        ),
        (
            {"xs": np.ones((4, 2, 3), np.float32)},
            "`xs` must be float64 like the other arrays; got float32.",
        ),
        ({"h0": 0.0}, "`h0` must be a NumPy array; got float."),
        ({"h0": np.ones((1, 5))}, "`h0` must have shape (N=2, H=5); got (1, 5)."),
        (
            {"h0": np.ones((2, 5), np.float32)},
            "`h0` must be float64 like the other arrays; got float32.",
        ),
        (
            {"lengths": [4.0, 2.0]},
            "`lengths` must be whole numbers; got dtype float64. Use lengths.astype(int).",
        ),
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
    cell: Cell, change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as error:
        FORWARD[cell](**(arguments(cell) | change))
    assert str(error.value) == message


def with_weights(cell: Cell, **weights: Any) -> dict[str, Any]:
    right = arguments(cell)
    return {**right, "params": right["params"]._replace(**weights)}


@pytest.mark.parametrize(
    ("cell", "weights", "message"),
    [
        ("rnn", {"W_h": np.ones((5, 4))}, "`W_h` must have shape (H, H); got (5, 4)."),
        ("rnn", {"W_h": np.ones(5)}, "`W_h` must have shape (H, H); got (5,)."),
        ("rnn", {"W_h": np.array(1.0)}, "`W_h` must have shape (H, H); got ()."),
        ("rnn", {"W_h": np.ones((0, 0))}, "`W_h` must have shape (H, H); got (0, 0)."),
        ("lstm", {"W_h": np.ones((5, 5))}, "`W_h` must have shape (4H, H); got (5, 5)."),
        ("rnn", {"W_x": np.ones((4, 3))}, "`W_x` must have shape (H=5, D); got (4, 3)."),
        ("rnn", {"W_x": np.ones(5)}, "`W_x` must have shape (H=5, D); got (5,)."),
        ("rnn", {"W_x": np.ones((5, 3, 1))}, "`W_x` must have shape (H=5, D); got (5, 3, 1)."),
        ("lstm", {"W_x": np.ones((5, 3))}, "`W_x` must have shape (4H=20, D); got (5, 3)."),
        ("rnn", {"b": np.ones((5, 1))}, "`b` must have shape (H=5,); got (5, 1)."),
        ("lstm", {"b": np.ones(5)}, "`b` must have shape (4H=20,); got (5,)."),
        ("lstm", {"b": [0.0] * 20}, "`b` must be a NumPy array; got list. Use np.array(b)."),
        (
            "rnn",
            {"W_x": [[0.0] * 3] * 5},
            "`W_x` must be a NumPy array; got list. Use np.array(W_x).",
        ),
        (
            "rnn",
            {"W_h": [[0.0] * 5] * 5},
            "`W_h` must be a NumPy array; got list. Use np.array(W_h).",
        ),
        (
            "rnn",
            {"W_h": np.ones((5, 5), np.float32)},
            "`W_h` must be float64 like the other arrays; got float32.",
        ),
        (
            "lstm",
            {"b": np.ones(20, np.float32)},
            "`b` must be float64 like the other arrays; got float32.",
        ),
    ],
)
def test_weights_that_do_not_fit_are_named(
    cell: Cell, weights: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as error:
        FORWARD[cell](**with_weights(cell, **weights))
    assert str(error.value) == message


@both_cells
def test_beside_complex_numbers_only_float64_will_do(cell: Cell) -> None:
    FORWARD[cell](**with_weights(cell, b=arguments(cell)["params"].b + 0j))
    xs, params = arguments(cell).values()
    single = type(params)(*(array.astype(np.float32) for array in params))
    with pytest.raises(ValueError) as error:
        FORWARD[cell](xs + 0j, single)
    assert str(error.value) == "`W_x` must be complex128 like the other arrays; got float32."


@pytest.mark.parametrize(
    ("c0", "message"),
    [
        (np.ones(5), "`c0` must have shape (N=2, H=5); got (5,)."),
        (0.0, "`c0` must be a NumPy array; got float."),
        (np.ones((2, 5), np.float32), "`c0` must be float64 like the other arrays; got float32."),
    ],
)
def test_a_wrong_cell_state_is_named(c0: Any, message: str) -> None:
    with pytest.raises(ValueError) as error:
        FORWARD["lstm"](**arguments("lstm"), c0=c0)
    assert str(error.value) == message


@both_cells
@pytest.mark.parametrize(
    ("incoming", "message"),
    [
        ({"dhs": np.ones((2, 5))}, "`dhs` must have shape (4, 2, 5); got (2, 5)."),
        ({"dh_T": np.ones((4, 2, 5))}, "`dh_T` must have shape (2, 5); got (4, 2, 5)."),
        (
            {"dh_T": np.ones((2, 5), np.float32)},
            "`dh_T` must be float64 like the forward pass; got float32.",
        ),
        ({"dh_T": [[1.0] * 5] * 2}, "`dh_T` must be a NumPy array; got list. Use np.array(dh_T)."),
    ],
)
def test_a_wrong_incoming_gradient_is_named(
    cell: Cell, incoming: dict[str, Any], message: str
) -> None:
    cache = FORWARD[cell](**arguments(cell)).cache
    with pytest.raises(ValueError) as error:
        BACKWARD[cell](cache, **incoming)
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
    cache = FORWARD["lstm"](**arguments("lstm")).cache
    with pytest.raises(ValueError) as error:
        BACKWARD["lstm"](cache, dc_T=dc_T)
    assert str(error.value) == message


def test_what_is_no_cache_is_named_and_the_cache_beside_it_pointed_to() -> None:
    out = nl.rnn_forward(
        np.zeros((2, 1, 3)), nl.init_rnn(3, 4, rng=np.random.default_rng(0), dtype=np.float64)
    )
    with pytest.raises(ValueError) as raised:
        nl.rnn_backward(None)  # type: ignore[arg-type]
    assert str(raised.value) == "`cache` must be the cache of rnn_forward; got NoneType."
    with pytest.raises(ValueError) as raised:
        nl.rnn_backward(out)  # type: ignore[arg-type]
    wanted = "`cache` must be the cache of rnn_forward; got RNNOutput. Use its .cache."
    assert str(raised.value) == wanted
    with pytest.raises(ValueError) as raised:
        nl.lstm_backward(7)  # type: ignore[arg-type]
    assert str(raised.value) == "`cache` must be the cache of lstm_forward; got int."


def test_the_other_cells_weights_are_named() -> None:
    params = nl.init_rnn(3, 4, rng=np.random.default_rng(0))
    with pytest.raises(ValueError) as raised:
        nl.lstm_forward(np.zeros((2, 1, 3), np.float32), params)  # type: ignore[arg-type]
    wanted = "`params` must be LSTMParams; got RNNParams. The other cell has functions of its own."
    assert str(raised.value) == wanted


@pytest.mark.parametrize(("dtype", "wanted"), [(">f4", 32), (">f8", 64), ("f2", 32)])
def test_the_dtype_to_convert_to_loses_nothing(dtype: str, wanted: int) -> None:
    params = nl.init_rnn(3, 4, rng=np.random.default_rng(0))
    with pytest.raises(ValueError, match=rf"Use xs.astype\(np.float{wanted}\)"):
        nl.rnn_forward(np.zeros((2, 1, 3), dtype), params)
