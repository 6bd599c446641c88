"""The rules for threads: who helps, what BLAS may do meanwhile, and that nothing is left behind.

Other processes, and pools of other libraries, are in test_processes.py.
"""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from numpy_lstm.recurrence import parallel
from numpy_lstm.recurrence.parallel import in_parallel
from tests.comparing import assert_identical, mapped, returned
from tests.conftest import PROFILE
from tests.strategies import CELLS, Case, Cell, Recipe, sequence_case

both_cells = pytest.mark.parametrize("cell", CELLS)

# Seconds after which a thread that waits for another says that it never came.
PATIENCE = 2.0 if PROFILE == "planted" else 60.0
ALLOWED = 2


@pytest.fixture(autouse=True)
def two_threads() -> Iterator[None]:
    """What the tests find, and must leave behind: BLAS with two threads, and no thread of ours."""
    threads = threading.enumerate()
    with threadpool_limits(ALLOWED, user_api="blas"):
        yield
        assert set(limits()) == {ALLOWED}
    assert threading.enumerate() == threads


def limits() -> list[int]:
    return [info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"]


def in_helper() -> bool:
    return threading.current_thread() is not threading.main_thread()


def side_by_side(function: Callable[[], Any]) -> list[Any]:
    """Two parts that are certainly in two threads."""
    both = threading.Barrier(2)

    def part(_: int) -> Any:
        both.wait(PATIENCE)
        return function()

    return in_parallel(part, 2)


# --- who does what -------------------------------------------------------------------------------


@pytest.mark.parametrize("threads", [1, 2, 3, 8])
@pytest.mark.parametrize("parts", [1, 2, 7])
def test_each_part_is_done_once_and_results_come_in_their_order(threads: int, parts: int) -> None:
    done = []
    with threadpool_limits(threads, user_api="blas"):
        results = in_parallel(lambda part: done.append(part) or -part, parts)  # type: ignore[func-returns-value]
    assert results == [-part for part in range(parts)]
    assert sorted(done) == list(range(parts))


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_there_are_as_many_threads_as_blas_may_have(threads: int) -> None:
    together = threading.Barrier(threads)

    def part(_: int) -> threading.Thread:
        together.wait(PATIENCE)  # only as many as there are get by
        time.sleep(0.01)
        return threading.current_thread()

    with threadpool_limits(threads, user_api="blas"):
        assert len(set(in_parallel(part, 2 * threads))) == threads


def test_there_are_no_more_threads_than_parts() -> None:
    others = threading.active_count() - 1
    with threadpool_limits(8, user_api="blas"):
        assert max(in_parallel(lambda part: threading.active_count(), 2)) - others <= 2
        assert in_parallel(lambda part: threading.active_count(), 1) == [1 + others]


def test_the_caller_does_not_wait_for_a_helper_while_a_part_is_left() -> None:
    helper_has_come, others_are_done = threading.Event(), threading.Event()
    by_caller = []

    def part(number: int) -> None:
        if in_helper():
            helper_has_come.set()
            assert others_are_done.wait(PATIENCE)
            return
        assert helper_has_come.wait(PATIENCE)
        by_caller.append(number)
        if len(by_caller) == 3:
            others_are_done.set()

    in_parallel(part, 4)
    assert len(by_caller) == 3


def test_without_a_thread_to_be_had_the_caller_does_everything(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(self: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert in_parallel(lambda part: (part, in_helper()), 3) == [(part, False) for part in range(3)]


# --- results -------------------------------------------------------------------------------------


def large_case(cell: Cell, dtype: Any = np.float64) -> Case:
    """A ragged one of four parts, each of several blocks."""
    lengths = tuple(np.random.default_rng(0).integers(1, 7, 520).tolist())
    case = sequence_case(cell, Recipe(6, 520, 3, 128, lengths, 0.1, start="both", seed=0))
    assert len(case.run().cache.parts) == 4
    return case._replace(point=mapped(dtype, case.point), incoming=mapped(dtype, case.incoming))


def results(case: Case) -> Any:
    return returned(case.run()), case.gradients()


@both_cells
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_number_of_threads_changes_no_bit(cell: Cell, dtype: Any) -> None:
    case = large_case(cell, dtype)
    with threadpool_limits(1, user_api="blas"):
        expected = results(case)
    for threads in (2, 3, 4, 8):
        with threadpool_limits(threads, user_api="blas"):
            assert_identical(results(case), expected)


@both_cells
def test_calls_from_several_threads_at_once_give_the_right_numbers(cell: Cell) -> None:
    lengths = (9,) * 66 + (3, 7, 5, 1)
    case = sequence_case(cell, Recipe(9, 70, 3, 64, lengths, 0.1, start="both", seed=0))
    expected = results(case)
    with ThreadPoolExecutor(3) as callers:
        for each in callers.map(lambda _: results(case), range(60)):
            assert_identical(each, expected)


# --- BLAS ----------------------------------------------------------------------------------------


def test_blas_has_one_thread_inside() -> None:
    assert set(limits()) == {2}
    assert [set(inside) for inside in in_parallel(lambda part: limits(), 4)] == 4 * [{1}]


@pytest.mark.parametrize("first_out", [0, 1])
def test_the_last_of_two_calls_to_leave_gives_blas_its_threads_back(first_out: int) -> None:
    calls, leave = [], [threading.Event(), threading.Event()]
    for each in leave:
        entered = threading.Event()

        def part(_: int, entered: Any = entered, leave: Any = each) -> None:
            entered.set()
            leave.wait(PATIENCE)

        call = threading.Thread(target=in_parallel, args=(part, 1))
        call.start()
        assert entered.wait(PATIENCE)
        calls.append(call)
    for k in (first_out, 1 - first_out):
        assert set(limits()) == {1}
        leave[k].set()
        calls[k].join()
    assert set(limits()) == {2}


def test_after_a_call_every_thread_can_limit_blas() -> None:
    with ThreadPoolExecutor(1) as other:  # a thread that lives on
        other.submit(in_parallel, lambda part: None, 2).result()
        with threadpool_limits(3, user_api="blas"):
            assert set(limits()) == {3}


class Library:
    """Of linear algebra, with a number of threads."""

    def __init__(self, threads: int) -> None:
        self.threads = threads

    def get_num_threads(self) -> int:
        return self.threads

    def set_num_threads(self, number: int) -> None:
        self.threads = number


def test_of_several_libraries_the_largest_limit_counts_and_each_gets_its_own_back() -> None:
    one_thread = parallel._OneThread()
    libraries = [Library(3), Library(5), Library(2)]
    one_thread._libraries = libraries
    with one_thread as outer, one_thread as inner:
        assert [library.threads for library in libraries] == [1, 1, 1]
    assert (outer, inner) == (5, 5)
    assert [library.threads for library in libraries] == [3, 5, 2]


@pytest.mark.parametrize(("processors", "threads"), [(6, 6), (None, 1)])
def test_where_no_library_can_be_limited_the_processors_count(
    processors: int | None, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: processors)
    one_thread = parallel._OneThread()
    one_thread._libraries = []
    with one_thread as found:
        assert found == threads


def test_a_system_without_fork_will_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(os, "register_at_fork", raising=False)
    with parallel._OneThread() as threads:
        assert threads == 2


def test_a_fork_waits_for_a_limit_being_set_and_ends_all_calls_in_the_child(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    at_fork: dict[str, Callable[[], Any]] = {}
    monkeypatch.setattr(os, "register_at_fork", at_fork.update, raising=False)
    one_thread, library = parallel._OneThread(), Library(3)
    one_thread._libraries = [library]
    one_thread.__enter__()

    def is_free() -> bool:
        with ThreadPoolExecutor(1) as other:
            return other.submit(lambda: one_thread._lock.acquire(blocking=False)).result()

    at_fork["before"]()
    assert not is_free()
    at_fork["after_in_parent"]()
    assert library.threads == 1

    at_fork["before"]()
    at_fork["after_in_child"]()
    assert library.threads == 3
    with one_thread as threads:
        assert (threads, library.threads) == (3, 1)
    assert library.threads == 3
    at_fork["before"]()
    library.threads = 2
    at_fork["after_in_child"]()
    assert library.threads == 2  # nothing was inside
    assert is_free()


# --- errors --------------------------------------------------------------------------------------


@pytest.mark.parametrize("helper", [True, False], ids=["a helper", "the caller"])
def test_an_exception_is_raised_once_no_part_is_running(helper: bool) -> None:
    finished = []

    def part() -> None:
        if in_helper() == helper:
            raise ZeroDivisionError
        time.sleep(0.05)
        finished.append(True)

    with pytest.raises(ZeroDivisionError):
        side_by_side(part)
    assert finished


def test_after_an_exception_no_other_part_is_begun() -> None:
    begun = []
    both = threading.Barrier(2)

    def part(number: int) -> None:
        begun.append(number)
        both.wait(PATIENCE)
        if not in_helper():
            raise ZeroDivisionError
        time.sleep(0.05)

    with pytest.raises(ZeroDivisionError):
        in_parallel(part, 8)
    assert len(begun) == 2


def interrupt_caller() -> None:
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="signals go to no thread here")
@pytest.mark.parametrize("busy", [True, False], ids=["computes", "waits"])
def test_ctrl_c_reaches_a_caller_that(busy: bool) -> None:
    # A process that was started in the background ignores it.
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    finished = []

    def part() -> None:
        if in_helper():
            time.sleep(0.05)
            interrupt_caller()
            time.sleep(0.05)
            finished.append(True)
        elif busy:
            time.sleep(PATIENCE)

    try:
        with pytest.raises(KeyboardInterrupt):
            side_by_side(part)
    finally:
        signal.signal(signal.SIGINT, before)
    assert finished


@pytest.mark.parametrize("error", ["over", "under"])
def test_the_callers_errstate_holds_in_a_helper(error: Any) -> None:
    number = np.array([1e200 if error == "over" else 1e-200])
    seen = []

    def part() -> None:
        if in_helper():
            np.square(number)

    def call(kind: str, flag: int) -> None:
        seen.append(kind)

    with np.errstate(all="ignore", **{error: "raise"}), pytest.raises(FloatingPointError):
        side_by_side(part)
    with np.errstate(all="ignore", **{error: "warn"}), pytest.raises(RuntimeWarning):
        side_by_side(part)
    with np.errstate(all="raise", **{error: "ignore"}):
        side_by_side(part)
    with np.errstate(all="raise", **{error: "call"}, call=call):
        side_by_side(part)
    assert seen == [f"{error}flow"]


@both_cells
@pytest.mark.parametrize("size", [2e38, 2e-38])
@pytest.mark.parametrize("review", [0, 69], ids=["first part", "last part"])
def test_an_overflow_or_underflow_in_one_part_is_the_callers_to_allow(
    cell: Cell, size: float, review: int
) -> None:
    recipe = Recipe(9, 70, 3, 64, (9,) * 70, 0.1, start="neither", seed=0)
    case = sequence_case(cell, recipe)
    point = mapped(np.float32, case.point)
    incoming = mapped(np.zeros_like, mapped(np.float32, case.incoming))
    incoming["dhs"][-1, review] = incoming["dh_T"][review] = size  # they are added up
    if size < 1:
        incoming["dh_T"][:] = 0  # and multiplied by less than 1
    case = case._replace(point=point, incoming=incoming)
    with np.errstate(all="raise"), pytest.raises(FloatingPointError, match="flow"):
        case.gradients()
    with np.errstate(all="ignore"):
        case.gradients()
