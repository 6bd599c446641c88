"""Runs the parts of a batch in parallel, each in its own thread.

NumPy releases Python's lock while it computes, so threads suffice and nothing is copied. Each
change of the lock's owner takes a few microseconds, so small batches have one part
(:mod:`numpy_lstm.recurrence.packing`). Neither the parts nor the order in which their results are
added depend on the number of threads, so the results are identical to the last bit.

BLAS is limited to one thread meanwhile, since sharing small matrix products among threads costs
more than it gains. The limit that BLAS had before also limits the number of our threads.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cached_property
from threading import RLock
from typing import Any, TypeVar

import numpy as np
from threadpoolctl import ThreadpoolController

Result = TypeVar("Result")


def in_parallel(function: Callable[[int], Result], parts: int) -> list[Result]:
    """``[function(0), …, function(parts - 1)]``, computed by as many threads as allowed.

    An exception of a call is raised here, after all other running calls have ended.
    """
    with _ONE_THREAD as threads:
        helpers = min(threads, parts) - 1
        if not helpers:
            return [function(part) for part in range(parts)]
        errors: dict[str, Any] = {**np.geterr(), "call": np.geterrcall()}

        def help_with(part: int) -> Result:
            with np.errstate(**errors):  # the caller's: each thread has its own
                return function(part)

        with ThreadPoolExecutor(helpers) as pool:
            try:
                futures = [_submit(pool, help_with, part) for part in range(parts)]
                own = {}
                for part in reversed(range(parts)):  # the helpers come from the other end
                    if futures[part].cancel():
                        own[part] = function(part)
                return [own[i] if i in own else futures[i].result() for i in range(parts)]
            finally:
                pool.shutdown(cancel_futures=True)


def _submit(
    pool: ThreadPoolExecutor, function: Callable[[int], Result], part: int
) -> Future[Result]:
    try:
        return pool.submit(function, part)
    except RuntimeError:  # no thread can be started, as while Python shuts down
        return Future()  # that nobody works on


class _OneThread:
    """Limits BLAS to one thread, in the whole process, while any of our calls runs.

    Calls may overlap, so they are counted: the first sets the limit, the last takes it back.
    """

    def __init__(self) -> None:
        self._lock, self._inside = RLock(), 0
        self._found: list[int] = []
        if hasattr(os, "register_at_fork"):  # not on Windows
            os.register_at_fork(
                before=self._lock.acquire,
                after_in_parent=self._lock.release,
                after_in_child=self._after_fork,
            )

    @cached_property
    def _libraries(self) -> list[Any]:
        """The BLAS libraries, found at the first call because the search takes a millisecond."""
        return ThreadpoolController().select(user_api="blas").lib_controllers

    def __enter__(self) -> int:
        """Set the limit; returns the number of threads that BLAS had before."""
        with self._lock:
            if not self._inside:
                self._found = [library.get_num_threads() for library in self._libraries]
                self._set([1 for _ in self._libraries])
            self._inside += 1
            return max(self._found or [os.cpu_count() or 1])

    def __exit__(self, *_: object) -> None:
        with self._lock:
            self._inside -= 1
            if not self._inside:
                self._set(self._found)

    def _set(self, numbers: list[int]) -> None:
        for library, number in zip(self._libraries, numbers, strict=True):
            _release(library)
            library.set_num_threads(number)
            _release(library)

    def _after_fork(self) -> None:
        """Restore the limit in a child process, where the parent's calls do not run."""
        if self._inside:
            self._set(self._found)
            self._inside = 0
        self._lock.release()


def _release(library: Any) -> None:
    """Let any thread set OpenBLAS's limit: in threadpoolctl 3.8 only the first one that did can.

    But the call that leaves last need not be of the thread that came first.
    """
    if hasattr(library, "clear_controlling_thread"):
        library.clear_controlling_thread(force=True)


_ONE_THREAD = _OneThread()
