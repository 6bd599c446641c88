"""numpy_lstm without one of its tricks, in this process only: what each of them saves."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from benchmarks.contenders import ours
from benchmarks.tasks import Recurrence
from numpy_lstm import sequence, threads
from numpy_lstm.types import Array

THREADS = ours.THREADS

Call = Callable[[], tuple[object, ...]]


@contextmanager
def second_thread(task: Recurrence) -> Iterator[Call]:
    """The whole batch in one thread, though in the same two parts."""
    with ours.recurrence(task) as call, threads.two_threads(False):
        yield call


@contextmanager
def pieces(task: Recurrence) -> Iterator[Call]:
    """Every matrix multiplied as a whole."""
    with patch.object(sequence, "SMALL", float("inf")), ours.recurrence(task) as call:
        yield call


@contextmanager
def kept_memory(task: Recurrence) -> Iterator[Call]:
    """Fresh memory for everything that is computed in, at every block."""

    def fresh(self: threads.Workspace, name: str, shape: tuple[int, ...], dtype: type) -> Array:
        return threads.np.empty(shape, dtype)

    with patch.object(threads.Workspace, "__call__", fresh), ours.recurrence(task) as call:
        yield call


@contextmanager
def blocks(task: Recurrence) -> Iterator[Call]:
    """Step by step what is otherwise done for a block of steps at once."""
    with patch.object(sequence, "BLOCK", 1), ours.recurrence(task) as call:
        yield call
