"""numpy_lstm, as its training job runs it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

from numpy_lstm.threads import two_threads

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

THREADS = "two Python threads with half of the batch each, one BLAS thread (threads.two_threads)"


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

    with two_threads():
        yield call


@contextmanager
def backward(task: Recurrence) -> Iterator[Callable[[], object]]:
    """BPTT alone."""
    xs, params, dhs = task.draw()
    with two_threads():
        if isinstance(params, LSTMParams):
            lstm_cache = lstm_forward(xs, params).cache
            yield lambda: lstm_backward(lstm_cache, dhs)
        else:
            rnn_cache = rnn_forward(xs, params).cache
            yield lambda: rnn_backward(rnn_cache, dhs)


@contextmanager
def training_step(task: TrainingStep) -> Iterator[Callable[[], float]]:
    """A step of :func:`numpy_lstm.training.train_step`."""
    state = initial_state(task.model, task.draw_vectors(), task.settings)
    batches = cycle(task.draw_batches())
    with two_threads():
        yield lambda: train_step(state, next(batches), task.settings)[0]
