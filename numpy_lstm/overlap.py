"""Two things at once: large pieces of work that another thread may do meanwhile.

The mathematics calls :func:`ahead`, which is ``map``, and :class:`Later`, which calls functions in
order. Inside ``with two_threads():`` a second thread does that work while the first goes on; the
order of every sum stays what it was, so the results are the same to the last bit.

Only matrix products over whole blocks of steps are worth handing over. The steps themselves are
not: each is a few microseconds of many small operations, and two threads would spend more time
on Python's lock than they save.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import TypeVar

from threadpoolctl import threadpool_limits

Item = TypeVar("Item")
Result = TypeVar("Result")

_worker: ContextVar[ThreadPoolExecutor | None] = ContextVar("worker", default=None)


@contextmanager
def two_threads(enabled: bool = True) -> Iterator[None]:
    """Let a second thread help inside this block.

    BLAS is held to one thread meanwhile (threadpoolctl): its own threads would share each small
    matrix product, at more cost than gain.

    Parameters
    ----------
    enabled : bool
        False: only hold BLAS to one thread.
    """
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(1) as worker:
        token = _worker.set(worker if enabled else None)
        try:
            yield
        finally:
            _worker.reset(token)


def ahead(
    function: Callable[[Item], Result], items: Iterable[Item], *, worthwhile: bool
) -> Iterator[Result]:
    """``map(function, items)``; the next two results may be worked out while one is used.

    Parameters
    ----------
    function : callable
    items : iterable
    worthwhile : bool
        Whether a call takes long enough (some 50 microseconds) to be handed to another thread.
    """
    worker = _worker.get() if worthwhile else None
    if worker is None:
        yield from map(function, items)
        return
    waiting: deque[Future[Result]] = deque()
    for item in items:
        waiting.append(worker.submit(function, item))
        if len(waiting) > 2:
            yield waiting.popleft().result()
    while waiting:
        yield waiting.popleft().result()


class Later:
    """Calls functions one after the other, perhaps while the caller goes on.

    Use it in a ``with`` block: when that ends, all calls have been made.

    Parameters
    ----------
    worthwhile : bool
        As for :func:`ahead`.
    """

    def __init__(self, *, worthwhile: bool) -> None:
        self._worker = _worker.get() if worthwhile else None
        self._calls: list[Future[None]] = []

    def __call__(self, function: Callable[..., None], *arguments: object) -> None:
        """Call ``function(*arguments)`` now or later, but in the order of these calls."""
        if self._worker is None:
            function(*arguments)
        else:
            self._calls.append(self._worker.submit(function, *arguments))

    def __enter__(self) -> Later:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for call in self._calls:
            call.result()
