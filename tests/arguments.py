"""Arguments of a recurrence that fit, to be changed until they do not."""

from typing import Any

import numpy as np

from numpy_lstm import (
    LSTMParams,
    RNNParams,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from tests.strategies import Cell

FORWARD = {"rnn": rnn_forward, "lstm": lstm_forward}
BACKWARD = {"rnn": rnn_backward, "lstm": lstm_backward}


def arguments(cell: Cell) -> dict[str, Any]:
    """T = 4 steps, N = 2 reviews, D = 3 inputs, H = 5 hidden units."""
    kind, rows = (RNNParams, 5) if cell == "rnn" else (LSTMParams, 20)
    params = kind(np.full((rows, 3), 0.5), np.full((rows, 5), -0.25), np.full(rows, 0.1))
    return {"xs": np.linspace(-1, 1, 24).reshape(4, 2, 3), "params": params}
