"""How times and memory are taken.

Each contender has a process of its own, because the threads of two libraries disturb each other in
one. All are started and warmed up first, together; then they run in rounds, one at a time while the
others wait, each round beginning with another one. So what slows the machine down for a while slows
all of them down, and the median over the rounds is of like with like.

Every race starts its processes anew, but for those of a quick run, whose times mean nothing: there
a process goes on to the next race, since starting it takes much longer than the race.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import cache
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple
from unittest.mock import patch

from threadpoolctl import threadpool_limits

from benchmarks.machine import libraries
from benchmarks.plan import Plan

WARM_UP = 2  # calls before the first round
THREADS = 2  # that each contender may use


class Entry(NamedTuple):
    """Who does what."""

    contender: str  # a module of benchmarks.contenders
    function: str  # of that module: a context manager that gives what is to be timed
    task: Any  # its argument


Result = dict[str, Any]


def race(
    entries: Mapping[str, Entry], plan: Plan, environment: Mapping[str, str] | None = None
) -> dict[str, Result]:
    """Time all entries against each other, in processes with these variables besides.

    Returns
    -------
    dict
        For each entry ``seconds`` (one a round, per call), their ``median``, ``peak_bytes`` (the
        most memory held at any time, less what the imports had taken), ``threads`` and the
        ``libraries`` that were found to run them. Of a contender that is not installed, the reason
        why it was ``skipped``.
    """
    start = _kept if plan.quick else _started
    waiting: dict[str, Connection] = {}
    results: dict[str, Result] = {}
    often: Counter[str] = Counter()
    # NumPy reads the variables when it is imported.
    with patch.dict(os.environ, environment or {}), _interrupts_ignored():
        for name, entry in entries.items():
            often[entry.contender] += 1
            waiting[name] = start(
                entry.contender, plan.least, often[entry.contender], *(environment or {})
            )
            waiting[name].send(entry)
    for name in entries:
        results[name] = waiting[name].recv()
        if "skipped" in results[name]:
            del waiting[name]
        else:
            results[name]["seconds"] = []
    for k in range(plan.rounds):
        first = k % len(waiting)
        for name in [*waiting, *waiting][first : first + len(waiting)]:
            time.sleep(plan.pause)
            waiting[name].send(True)
            results[name]["seconds"].append(waiting[name].recv())
    for name, pipe in waiting.items():
        pipe.send(False)
        results[name]["median"] = statistics.median(results[name]["seconds"])
        results[name]["peak_bytes"] = pipe.recv()
        if not plan.quick:
            pipe.close()  # which ends the process
    return results


def ratio(
    results: Mapping[str, Result], name: str, other: str, what: str = "median"
) -> float | None:
    """The median time (or `what` else) of one over another's; None if either was skipped."""
    if "skipped" in results[name] or "skipped" in results[other]:
        return None
    return float(results[name][what] / results[other][what])


def geometric_mean(ratios: list[float | None]) -> float | None:
    """None if one of the ratios is missing."""
    known = [ratio for ratio in ratios if ratio is not None]
    return statistics.geometric_mean(known) if len(known) == len(ratios) else None


@contextmanager
def _interrupts_ignored() -> Iterator[None]:
    """What is started inside goes on after Ctrl-C, until the benchmark itself has ended."""
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


def _started(contender: str, least: float, *_which: int | str) -> Connection:
    """A new process of a contender. The other arguments tell those of a quick run apart."""
    context = multiprocessing.get_context("spawn")
    pipe, far_end = context.Pipe()
    context.Process(target=_serve, args=(far_end, contender, least), daemon=True).start()
    far_end.close()
    return pipe


_kept = cache(_started)


def _serve(pipe: Connection, contender: str, least: float) -> None:
    """The contender's process: get ready for an entry, run whenever told to, and on to the next."""
    module, missing = None, ""
    try:
        module = import_module(f"benchmarks.contenders.{contender}")
    except ImportError as error:
        missing = str(error)
    threadpool_limits(THREADS)
    imported = _peak_bytes()
    with suppress(EOFError):  # the other end is closed
        while entry := pipe.recv():
            if module is None:
                pipe.send({"skipped": missing})
                continue
            with getattr(module, entry.function)(entry.task) as call:
                for _ in range(WARM_UP):
                    call()
                pipe.send({"threads": module.THREADS, "libraries": libraries()})
                while pipe.recv():
                    pipe.send(_seconds_per_call(call, least))
                pipe.send(_peak_bytes() - imported)


def _seconds_per_call(call: Callable[[], object], least: float) -> float:
    call()  # not timed: brings data back into the processor's caches, and wakes threads up
    start, calls, elapsed = time.perf_counter(), 0, 0.0
    while elapsed < least or not calls:
        call()
        calls += 1
        elapsed = time.perf_counter() - start
    return elapsed / calls


def _peak_bytes() -> int:
    # Not `ru_maxrss`: on Linux that starts at the size of the process that started this one.
    status = Path("/proc/self/status").read_text().split()
    return 1024 * int(status[status.index("VmHWM:") + 1])
