"""What Keras computes: the only place in the tests that speaks to it."""

import os

import numpy as np

os.environ["KERAS_BACKEND"] = os.environ.get("KERAS_BACKEND") or "torch"

import keras

from tests.strategies import Cell


def layer(cell: Cell, H: int, dtype: str = "float64") -> keras.Layer:
    """A ``SimpleRNN`` or ``LSTM`` that returns the states after every step."""
    kind = keras.layers.SimpleRNN if cell == "rnn" else keras.layers.LSTM
    return kind(H, return_sequences=True, dtype=dtype)


def states_of(module: keras.Layer, xs: np.ndarray) -> np.ndarray:
    """h_1 … h_T, (T, N, H): Keras has the reviews first, we have the time first."""
    return keras.ops.convert_to_numpy(module(xs.swapaxes(0, 1))).swapaxes(0, 1)


def states(cell: Cell, weights: list[np.ndarray], xs: np.ndarray) -> np.ndarray:
    """The same of a layer with these weights: kernel, recurrent kernel, bias."""
    module = layer(cell, len(weights[1]))
    module.build((None, None, xs.shape[2]))
    module.set_weights(weights)
    return states_of(module, xs)
