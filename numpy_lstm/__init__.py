"""A vanilla RNN and an LSTM in NumPy alone: forward and backward passes written by hand.

NumPy is that of Harris et al. (2020); REFERENCES.md lists what the docstrings cite.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from numpy_lstm.bptt import LSTMGradients, LSTMOutput, RNNGradients, RNNOutput
    from numpy_lstm.cells import LSTMParams, RNNParams
    from numpy_lstm.convert import from_keras, from_torch, to_keras, to_torch
    from numpy_lstm.estimator import ReviewClassifier
    from numpy_lstm.initializers import init_lstm, init_rnn
    from numpy_lstm.lstm import lstm_backward, lstm_forward
    from numpy_lstm.rnn import rnn_backward, rnn_forward

__all__ = [
    "LSTMGradients",
    "LSTMOutput",
    "LSTMParams",
    "RNNGradients",
    "RNNOutput",
    "RNNParams",
    "ReviewClassifier",
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

_HOMES = {
    "bptt": ("LSTMGradients", "LSTMOutput", "RNNGradients", "RNNOutput"),
    "cells": ("LSTMParams", "RNNParams"),
    "convert": ("from_keras", "from_torch", "to_keras", "to_torch"),
    "estimator": ("ReviewClassifier",),
    "initializers": ("init_lstm", "init_rnn"),
    "lstm": ("lstm_backward", "lstm_forward"),
    "rnn": ("rnn_backward", "rnn_forward"),
}


def __getattr__(name: str) -> Any:
    """Import on demand: the version needs no NumPy, and most of the package no scikit-learn."""
    for home, names in _HOMES.items():
        if name == home or name in names:
            module = import_module(f"{__name__}.{home}")
            return module if name == home else getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
