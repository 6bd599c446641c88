"""A vanilla RNN and an LSTM in NumPy alone: forward and backward passes written by hand.

NumPy is that of Harris et al. (2020); REFERENCES.md lists what the docstrings cite.
"""

from typing import TYPE_CHECKING, Any

from numpy_lstm.bptt import LSTMGradients, LSTMOutput, RNNGradients, RNNOutput
from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.convert import from_keras, from_torch, to_keras, to_torch
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.lstm import lstm_backward, lstm_forward
from numpy_lstm.rnn import rnn_backward, rnn_forward

if TYPE_CHECKING:
    from numpy_lstm.estimator import ReviewClassifier

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


def __getattr__(name: str) -> Any:
    """Import the estimator on demand: its scikit-learn takes longer to import than all the rest."""
    if name == "ReviewClassifier":
        from numpy_lstm.estimator import ReviewClassifier

        return ReviewClassifier
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
