"""The plain loop of :mod:`numpy_lstm.bptt`: what the arrangement of whole sequences saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np

from benchmarks.tasks import Recurrence
from numpy_lstm import bptt
from numpy_lstm.cells import LSTMParams
from numpy_lstm.types import Array

THREADS = "one Python thread, two BLAS threads"


@contextmanager
def recurrence(task: Recurrence) -> Iterator[Callable[[], tuple[Array, ...]]]:
    """Forward and BPTT."""
    xs, params, dhs = task.draw()
    zero = np.zeros_like(dhs[0])

    def call() -> tuple[Array, ...]:
        gradients: bptt.LSTMGradients | bptt.RNNGradients
        if isinstance(params, LSTMParams):
            caches = bptt.lstm_forward(xs, params, zero, zero).cache
            gradients = bptt.lstm_backward(caches, dhs, zero, zero)
        else:
            caches = bptt.rnn_forward(xs, params, zero).cache
            gradients = bptt.rnn_backward(caches, dhs, zero)
        return gradients.dxs, *gradients.dparams

    yield call
