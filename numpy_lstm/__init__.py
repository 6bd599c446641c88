"""A vanilla RNN and an LSTM in NumPy alone: forward and backward passes written by hand."""

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.exchange import from_keras, from_torch, to_keras, to_torch
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.lstm import LSTMGradients, LSTMOutput, lstm_backward, lstm_forward
from numpy_lstm.rnn import RNNGradients, RNNOutput, rnn_backward, rnn_forward

__all__ = [
    "LSTMGradients",
    "LSTMOutput",
    "LSTMParams",
    "RNNGradients",
    "RNNOutput",
    "RNNParams",
    "from_keras",
    "from_torch",
    "init_lstm",
    "init_rnn",
    "lstm_backward",
    "lstm_forward",
    "rnn_backward",
    "rnn_forward",
    "to_keras",
    "to_torch",
]
__version__ = "0.1.0"
