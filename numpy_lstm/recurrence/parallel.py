"""The parts of a batch at once, each in a thread of its own.

NumPy lets other threads run while it computes, so threads are enough and nothing is copied; but
each handing over of Python's lock takes a few microseconds, so small batches are not dealt into
parts (:mod:`numpy_lstm.recurrence.packing`). The parts are the same however many threads there
are, and what they give is added up in the same order: the number of threads changes no bit.

BLAS is held to one thread meanwhile: its own threads would share each small matrix product, at more
cost than gain. Its limit also says how many threads we may use: whoever limits BLAS limits us.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import cache
from threading import Lock
from typing import TypeVar

from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


def in_parallel(function: Callable[[int], Result], parts: int) -> list[Result]:
    """``[function(0), …, function(parts - 1)]``, worked out by as many threads as there may be.

    What a call raises is raised here, once no other is running.
    """
    with _blas() as threads:
        helpers = min(threads, parts) - 1
        if not helpers:
            return [function(part) for part in range(parts)]
        with ThreadPoolExecutor(helpers) as pool:
            # Each in a copy of the caller's context, so that its np.errstate holds there too.
            others = [pool.submit(copy_context().run, function, part) for part in range(1, parts)]
            try:
                results = [function(0)]
                for part, other in enumerate(others, start=1):
                    results.append(function(part) if other.cancel() else other.result())
            finally:
                pool.shutdown(cancel_futures=True)
        return results


class _OneThread:
    """BLAS's number of threads, which is the whole process's: 1 while any call of ours is inside.

    Calls may overlap, so they are counted: the first sets the limit, the last takes it back.
    """

    def __init__(self) -> None:
        self._libraries = ThreadpoolController().select(user_api="blas").lib_controllers
        self._found = [1 for _ in self._libraries]
        self._begin()
        os.register_at_fork(after_in_child=self._after_fork)

    def _begin(self) -> None:
        self._lock, self._inside = Lock(), 0

    def __enter__(self) -> int:
        """How many threads BLAS had."""
        with self._lock:
            if not self._inside:
                self._found = [library.get_num_threads() for library in self._libraries]
                self._set([1 for _ in self._libraries])
            self._inside += 1
            return max(self._found, default=os.cpu_count() or 1)

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._set(self._found)

    def _set(self, numbers: list[int]) -> None:
        for library, number in zip(self._libraries, numbers, strict=True):
            library.set_num_threads(number)

    def _after_fork(self) -> None:
        """In the child of a process that forked while a call was inside, that call is not."""
        if self._inside:
            self._set(self._found)
        self._begin()


@cache
def _blas() -> _OneThread:
    """Made at the first call: to look for the libraries takes a millisecond."""
    return _OneThread()
