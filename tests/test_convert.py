"""Weights to and from PyTorch and Keras: the real libraries compute what ours does."""

import os

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


@pytest.fixture
def xs():
    return np.random.default_rng(2).standard_normal((T, N, D)).astype(np.float32)


@pytest.mark.parametrize("cell", CELLS)
def test_there_and_back_gives_the_same_bits_in_arrays_of_their_own(cell):
    params = params_of(cell)
    for back in (nl.from_torch(nl.to_torch(params)), nl.from_keras(nl.to_keras(params))):
        assert type(back) is type(params)
        for one, other in zip(back, params, strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
            assert not np.shares_memory(one, other)
            assert one.flags.c_contiguous


def test_a_layer_without_bias_has_zero_biases():
    W_x, W_h, _ = params = params_of("lstm")
    for back in (
        nl.from_torch({"weight_ih_l0": W_x, "weight_hh_l0": W_h}),
        nl.from_keras(nl.to_keras(params)[:2]),
    ):
        np.testing.assert_array_equal(back.b, np.zeros(4 * H, np.float32), strict=True)


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


def test_other_weights_from_keras_are_refused():
    kernel, recurrent, bias = nl.to_keras(params_of("lstm"))
    with pytest.raises(ValueError, match="got 1 arrays"):
        nl.from_keras([kernel])
    with pytest.raises(ValueError, match=r"got \(5, 16\)"):
        nl.from_keras([kernel.T, recurrent, bias])


@pytest.mark.parametrize("cell", CELLS)
def test_pytorch_computes_the_same(cell, xs):
    torch = pytest.importorskip("torch", reason="PyTorch is not installed")
    module = (torch.nn.RNN if cell == "rnn" else torch.nn.LSTM)(D, H)
    with torch.no_grad():
        ours = nl.from_torch(module.state_dict())
        theirs = module(torch.from_numpy(xs))[0].numpy()
        np.testing.assert_allclose(states_of(ours, xs), theirs, rtol=0, atol=TOLERANCE)

        params = params_of(cell)
        state = {name: torch.from_numpy(array) for name, array in nl.to_torch(params).items()}
        module.load_state_dict(state)
        theirs = module(torch.from_numpy(xs))[0].numpy()
        np.testing.assert_allclose(states_of(params, xs), theirs, rtol=0, atol=TOLERANCE)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.filterwarnings("ignore")  # Keras's and its backends' own
def test_keras_computes_the_same(cell, xs):
    if not os.environ.get("KERAS_BACKEND"):
        os.environ["KERAS_BACKEND"] = "torch"
    keras = pytest.importorskip("keras", reason="Keras is not installed")
    layer = (keras.layers.SimpleRNN if cell == "rnn" else keras.layers.LSTM)(
        H, return_sequences=True
    )

    def states():
        return keras.ops.convert_to_numpy(layer(xs.swapaxes(0, 1))).swapaxes(0, 1)

    theirs = states()
    ours = nl.from_keras(layer.get_weights())
    np.testing.assert_allclose(states_of(ours, xs), theirs, rtol=0, atol=TOLERANCE)

    params = params_of(cell)
    layer.set_weights(nl.to_keras(params))
    np.testing.assert_allclose(states_of(params, xs), states(), rtol=0, atol=TOLERANCE)
