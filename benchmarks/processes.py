"""How times and memory are taken.

Each contender has a process of its own, because the threads of two libraries disturb each other in
one. All are started and warmed up first, together; then they run in rounds, one at a time while the
others wait, each round beginning with another one. So what slows the machine down for a while slows
all of them down, and the median over the rounds is of like with like.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
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
    context = multiprocessing.get_context("spawn")
    waiting: dict[str, Connection] = {}
    results: dict[str, Result] = {}
    with patch.dict(os.environ, environment or {}):  # NumPy reads it when it is imported
        for name, entry in entries.items():
            waiting[name], far_end = context.Pipe()
            arguments = far_end, entry, plan.least
            context.Process(target=_serve, args=arguments, daemon=True).start()
            far_end.close()
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


def _serve(pipe: Connection, entry: Entry, least: float) -> None:
    """The contender's process: get ready, then run whenever told to."""
    try:
        module = import_module(f"benchmarks.contenders.{entry.contender}")
    except ImportError as error:
        pipe.send({"skipped": str(error)})
        return
    threadpool_limits(THREADS)
    imported = _peak_bytes()
    # The other end is gone if the benchmark was interrupted.
    with suppress(EOFError, KeyboardInterrupt), getattr(module, entry.function)(entry.task) as call:
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
