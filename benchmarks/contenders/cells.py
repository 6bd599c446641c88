"""The textbook's steps in a plain loop: what the arrangement of whole sequences saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.tasks import Recurrence
from numpy_lstm.cells import (
    LSTMParams,
    RNNParams,
    lstm_step,
    lstm_step_backward,
    rnn_step,
    rnn_step_backward,
)
from numpy_lstm.types import Array

THREADS = "one Python thread, two BLAS threads"


@contextmanager
def recurrence(task: Recurrence) -> Iterator[Callable[[], tuple[Array, ...]]]:
    """Forward and BPTT."""
    xs, params, dhs = task.draw()
    with threadpool_limits(2, user_api="blas"):
        if isinstance(params, LSTMParams):
            lstm_params = params
            yield lambda: _lstm(xs, lstm_params, dhs)
        else:
            rnn_params = params
            yield lambda: _rnn(xs, rnn_params, dhs)


def _lstm(xs: Array, params: LSTMParams, dhs: Array) -> tuple[Array, ...]:
    h_t = c_t = np.zeros_like(dhs[0])
    caches = []
    for x_t in xs:
        h_t, c_t, cache = lstm_step(x_t, h_t, c_t, params)
        caches.append(cache)

    dxs, totals = np.empty_like(xs), [np.zeros_like(array) for array in params]
    dh, dc = np.zeros_like(h_t), np.zeros_like(c_t)
    for t in reversed(range(len(xs))):
        dxs[t], dh, dc, dparams = lstm_step_backward(dhs[t] + dh, dc, caches[t])
        for total, gradient in zip(totals, dparams, strict=True):
            np.add(total, gradient, out=total)
    return dxs, *totals


def _rnn(xs: Array, params: RNNParams, dhs: Array) -> tuple[Array, ...]:
    h_t = np.zeros_like(dhs[0])
    caches = []
    for x_t in xs:
        h_t, cache = rnn_step(x_t, h_t, params)
        caches.append(cache)

    dxs, totals = np.empty_like(xs), [np.zeros_like(array) for array in params]
    dh = np.zeros_like(h_t)
    for t in reversed(range(len(xs))):
        dxs[t], dh, dparams = rnn_step_backward(dhs[t] + dh, caches[t])
        for total, gradient in zip(totals, dparams, strict=True):
            np.add(total, gradient, out=total)
    return dxs, *totals
