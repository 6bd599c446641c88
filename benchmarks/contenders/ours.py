"""numpy_lstm, as its training job runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

from benchmarks.tasks import Recurrence, TrainingStep
from numpy_lstm import (
    LSTMGradients,
    LSTMParams,
    RNNGradients,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from numpy_lstm.training import initial_state, train_step

THREADS = "two Python threads with a part of the batch each, a small batch in one; no BLAS threads"


@contextmanager
def recurrence(task: Recurrence) -> Iterator[Callable[[], tuple[object, ...]]]:
    """Forward and BPTT."""
    xs, params, dhs = task.draw()

    def call() -> tuple[object, ...]:
        gradients: LSTMGradients | RNNGradients
        if isinstance(params, LSTMParams):
            gradients = lstm_backward(lstm_forward(xs, params, task.lengths).cache, dhs)
        else:
            gradients = rnn_backward(rnn_forward(xs, params, task.lengths).cache, dhs)
        return gradients.dxs, *gradients.dparams

    yield call


@contextmanager
def training_step(task: TrainingStep) -> Iterator[Callable[[], float]]:
    """A step of :func:`numpy_lstm.training.train_step`."""
    state = initial_state(task.model, task.draw_vectors(), task.settings)
    batches = cycle(task.draw_batches())
    yield lambda: train_step(state, next(batches), task.settings)[0]
