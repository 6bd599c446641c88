"""Types that many modules share."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Ints = NDArray[np.integer]
Model = Literal["rnn", "lstm"]
Readout = Literal["last", "mean", "max", "meanmax"]

MODEL_NAMES: dict[str, str] = {"rnn": "vanilla RNN", "lstm": "LSTM"}


class Batch(NamedTuple):
    """A batch of N reviews, the longest first."""

    tokens: Ints  # (L, N) word ids, 0 past a review's length
    lengths: Ints  # (N,)
    labels: Ints  # (N,)
    weights: Array  # (N,) weight of each review in the loss; their sum is about 1
