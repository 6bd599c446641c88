"""Weights to and from the layouts of PyTorch and Keras.

That these libraries compute the same from them stands in test_reference.py.
"""

import numpy as np
import pytest

import numpy_lstm as nl

T, N, D, H = 7, 3, 5, 4
TOLERANCE = 1e-6  # float32 rounds at 6e-8; seven steps of sums over nine numbers
CELLS = ["rnn", "lstm"]


def params_of(cell):
    """Fresh weights with biases that are not zero."""
    rng = np.random.default_rng(1)
    params = (nl.init_rnn if cell == "rnn" else nl.init_lstm)(D, H, rng=rng)
    return params._replace(b=rng.standard_normal(params.b.shape).astype(np.float32))


def states_of(params, xs):
    forward = nl.rnn_forward if isinstance(params, nl.RNNParams) else nl.lstm_forward
    return forward(xs, params).hs


@pytest.mark.parametrize("cell", CELLS)
def test_there_and_back_gives_the_same_bits_in_arrays_of_their_own(cell):
    params = params_of(cell)
    for back in (nl.from_torch(nl.to_torch(params)), nl.from_keras(nl.to_keras(params))):
        assert type(back) is type(params)
        for one, other in zip(back, params, strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
            assert not np.shares_memory(one, other)
            assert one.flags.c_contiguous


# Two inputs and one unit; the gates i, f, g, o are told apart by the tens.
KERNEL = np.array([[11, 12], [21, 22], [31, 32], [41, 42]], np.float32)
RECURRENT = np.array([[13], [23], [33], [43]], np.float32)
BIAS = np.array([14, 24, 34, 44], np.float32)


def test_pytorch_has_our_layout_and_a_second_bias():
    arrays = nl.to_torch(nl.LSTMParams(KERNEL, RECURRENT, BIAS))
    assert list(arrays) == ["weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0"]
    for array, wanted in zip(arrays.values(), (KERNEL, RECURRENT, BIAS, 0 * BIAS), strict=True):
        np.testing.assert_array_equal(array, wanted, strict=True)
    back = nl.from_torch({**arrays, "bias_hh_l0": np.array([1, 2, 3, 4], np.float32)})
    assert isinstance(back, nl.LSTMParams)
    np.testing.assert_array_equal(back.W_x, KERNEL)
    np.testing.assert_array_equal(back.W_h, RECURRENT)
    assert back.b.tolist() == [15, 26, 37, 48]  # the sum of both
    in_another_order = nl.from_torch(dict(reversed(arrays.items())))
    np.testing.assert_array_equal(in_another_order.W_x, KERNEL)


def test_keras_has_our_matrices_transposed():
    kernel, recurrent, bias = nl.to_keras(nl.LSTMParams(KERNEL, RECURRENT, BIAS))
    assert kernel.tolist() == [[11, 21, 31, 41], [12, 22, 32, 42]]
    assert recurrent.tolist() == [[13, 23, 33, 43]]
    assert bias.tolist() == BIAS.tolist()
    back = nl.from_keras([kernel, recurrent, bias])
    for array, wanted in zip(back, (KERNEL, RECURRENT, BIAS), strict=True):
        np.testing.assert_array_equal(array, wanted, strict=True)


def test_a_square_matrix_of_a_vanilla_rnn_is_not_transposed_by_chance():
    W_x, W_h = np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6], [7, 8]])
    params = nl.RNNParams(W_x, W_h, np.array([9.0, 10]))
    assert nl.to_torch(params)["weight_hh_l0"].tolist() == [[5, 6], [7, 8]]
    assert [array.tolist() for array in nl.to_keras(params)[:2]] == [
        [[1, 3], [2, 4]],
        [[5, 7], [6, 8]],
    ]
    for back in (nl.from_torch(nl.to_torch(params)), nl.from_keras(nl.to_keras(params))):
        assert isinstance(back, nl.RNNParams)
        assert [array.tolist() for array in back] == [array.tolist() for array in params]


def test_what_is_converted_is_not_changed():
    params = nl.LSTMParams(KERNEL.copy(), RECURRENT.copy(), BIAS.copy())
    state, weights = nl.to_torch(params), nl.to_keras(params)
    for back in (nl.from_torch(state), nl.from_keras(weights)):
        for array in back:
            assert not any(np.shares_memory(array, other) for other in (*state.values(), *weights))
    for array in (*state.values(), *weights):
        array += 1
    assert [array.tolist() for array in params] == [a.tolist() for a in (KERNEL, RECURRENT, BIAS)]


def test_a_layer_without_bias_has_zero_biases():
    W_x, W_h, _ = params = params_of("lstm")
    for back in (
        nl.from_torch({"weight_ih_l0": W_x, "weight_hh_l0": W_h}),
        nl.from_keras(nl.to_keras(params)[:2]),
    ):
        np.testing.assert_array_equal(back.b, np.zeros(4 * H, np.float32), strict=True)


@pytest.mark.parametrize("cell", CELLS)
def test_every_number_has_its_place_in_the_other_layout(cell):
    rows = H if cell == "rnn" else 4 * H
    W_x = np.arange(rows * D, dtype=np.float32).reshape(rows, D)
    W_h = np.arange(rows * H, dtype=np.float32).reshape(rows, H) + 1000
    b = np.arange(rows, dtype=np.float32) + 2000
    params = (nl.RNNParams if cell == "rnn" else nl.LSTMParams)(W_x, W_h, b)
    torch = nl.to_torch(params)
    expected = {"weight_ih_l0": W_x, "weight_hh_l0": W_h, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    assert torch.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(torch[name], array, strict=True)
    for array, wanted in zip(nl.to_keras(params), (W_x.T, W_h.T, b), strict=True):
        np.testing.assert_array_equal(array, wanted, strict=True)


def test_both_biases_of_pytorch_count():
    params = params_of("lstm")
    second = np.arange(4 * H, dtype=np.float32)
    both = nl.from_torch({**nl.to_torch(params), "bias_hh_l0": second})
    np.testing.assert_array_equal(both.b, params.b + second, strict=True)


def changed(**arrays):
    return {**nl.to_torch(params_of("lstm")), **arrays}


@pytest.mark.parametrize(
    ("state", "words"),
    [
        ({}, "one layer in one direction"),
        (changed(weight_ih_l1=np.zeros((16, 4))), "got .*weight_ih_l1"),
        (changed(weight_ih_l0=np.zeros((16, 5), int)), "got int64"),
        (changed(weight_ih_l0=np.zeros((16, 5))), "throughout; got float"),
        (changed(weight_ih_l0=np.zeros((12, 5), np.float32)), r"got \(12, 5\)"),
        (changed(weight_hh_l0=np.zeros((12, 4), np.float32)), "A GRU has no counterpart"),
        (changed(weight_hh_l0=np.zeros(16, np.float32)), r"got .*\(16,\)"),
        (changed(bias_hh_l0=np.zeros(4, np.float32)), r"got .*\(4,\)"),
    ],
)
def test_other_weights_from_pytorch_are_refused(state, words):
    with pytest.raises(ValueError, match=words):
        nl.from_torch(state)


@pytest.mark.parametrize("dtype", [np.float16, np.int64, np.complex128])
def test_weights_of_another_dtype_throughout_are_refused(dtype):
    state = {name: array.astype(dtype) for name, array in nl.to_torch(params_of("rnn")).items()}
    with pytest.raises(ValueError, match=f"throughout; got {np.dtype(dtype)}"):
        nl.from_torch(state)


def test_other_weights_from_keras_are_refused():
    kernel, recurrent, bias = nl.to_keras(params_of("lstm"))
    with pytest.raises(ValueError, match="got 1 arrays"):
        nl.from_keras([kernel])
    with pytest.raises(ValueError, match=r"got \(5, 16\)"):
        nl.from_keras([kernel.T, recurrent, bias])
