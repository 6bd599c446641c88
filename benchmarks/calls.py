"""How often a time step calls NumPy, counted as it runs."""

from __future__ import annotations

from typing import Any
from unittest.mock import patch

import numpy as np

from benchmarks.contenders import ours
from benchmarks.tasks import Recurrence
from numpy_lstm.recurrence.packing import Memory
from numpy_lstm.types import Array, Model


class Counted(np.ndarray):
    """An array that counts the ufuncs that work on it; a matrix product is one, ``+=`` is one."""

    calls = 0

    def __array_ufunc__(
        self, ufunc: np.ufunc, method: str, *inputs: Any, out: tuple[Any, ...] = (), **named: Any
    ) -> Any:
        Counted.calls += 1
        if out:
            named["out"] = tuple(map(_plain, out))
        result = getattr(ufunc, method)(*map(_plain, inputs), **named)
        return out[0] if out else result


def calls_a_step(model: Model) -> int:
    """NumPy's calls in one step forward and back: what two steps need more than one step."""

    def calls(T: int) -> int:
        Counted.calls = 0
        with ours.recurrence(Recurrence(model, N=1, T=T, D=1, H=1)) as call:
            call()
        return Counted.calls

    memory = Memory.__call__  # gives all arrays that the loops work on

    def counted(self: Memory, *shapes: tuple[int, ...]) -> list[Array]:
        return [array.view(Counted) for array in memory(self, *shapes)]

    with patch.object(Memory, "__call__", counted):
        return calls(2) - calls(1)


def _plain(value: Any) -> Any:
    return value.view(np.ndarray) if isinstance(value, Counted) else value
