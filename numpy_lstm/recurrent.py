"""Functions that choose the vanilla RNN or the LSTM by the type of the parameters."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from numpy_lstm.bptt import LSTMGradients, LSTMOutput, RNNGradients, RNNOutput
from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.lstm import LSTMCache, lstm_backward, lstm_forward
from numpy_lstm.rnn import RNNCache, rnn_backward, rnn_forward
from numpy_lstm.types import Array, Model

Params = RNNParams | LSTMParams


def init_cell(
    model: Model, input_size: int, hidden_size: int, *, forget_bias: float = 1.0, **how: Any
) -> Params:
    """Initial weights from :func:`~numpy_lstm.init_rnn` or :func:`~numpy_lstm.init_lstm`.

    `how` is what both take: `rng`, `recurrent`, `dtype`. The vanilla RNN has no `forget_bias`.
    """
    if model == "rnn":
        return init_rnn(input_size, hidden_size, **how)
    return init_lstm(input_size, hidden_size, forget_bias=forget_bias, **how)


def cell_of(parameters: Mapping[str, Array]) -> Params:
    """The cell's weights among a classifier's parameters; only the LSTM's W_h is not square."""
    W_x, W_h, b = (parameters[name] for name in ("W_x", "W_h", "b"))
    return (RNNParams if W_h.shape[0] == W_h.shape[1] else LSTMParams)(W_x, W_h, b)


def recurrence_forward(
    xs: Array, params: Params, lengths: object = None, state: Sequence[Array] = ()
) -> RNNOutput | LSTMOutput:
    """:func:`~numpy_lstm.rnn_forward` or :func:`~numpy_lstm.lstm_forward`.

    `state` is empty, or the initial ``h0`` (vanilla RNN), or ``h0`` and ``c0`` (LSTM).
    """
    if isinstance(params, RNNParams):
        return rnn_forward(xs, params, lengths, *state)
    return lstm_forward(xs, params, lengths, *state)


def recurrence_backward(
    cache: RNNCache | LSTMCache, dhs: Array | None = None, dh_T: Array | None = None
) -> RNNGradients | LSTMGradients:
    """:func:`~numpy_lstm.rnn_backward` or :func:`~numpy_lstm.lstm_backward`."""
    if isinstance(cache, RNNCache):
        return rnn_backward(cache, dhs, dh_T)
    return lstm_backward(cache, dhs, dh_T)
