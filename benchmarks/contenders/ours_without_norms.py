"""numpy_lstm without the gradient's norms, in this process only: what recording them costs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from unittest.mock import patch

from benchmarks.contenders import ours
from benchmarks.tasks import Recurrence
from numpy_lstm import lstm, rnn
from numpy_lstm.types import Array

THREADS = ours.THREADS


@contextmanager
def backward(task: Recurrence) -> Iterator[Callable[[], object]]:
    """BPTT alone."""
    with (
        patch.object(lstm, "norms", _first_unit),
        patch.object(rnn, "norms", _first_unit),
        ours.backward(task) as call,
    ):
        yield call


def _first_unit(block: Array) -> Array:
    """Something of the shape of the norms, for nothing: (k, H, n) to (k, n)."""
    return block[:, 0]
