"""In other processes and in other libraries' threads: no call hangs, none takes a thread too many.

Each test is a process of its own, with a time limit: what hangs would hang all tests.
"""

import os
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from threadpoolctl import threadpool_info

from numpy_lstm.gradcheck.pytrees import leaves
from numpy_lstm.recurrence.parallel import in_parallel
from tests.comparing import returned
from tests.strategies import CELLS, Recipe, sequence_case

ROOT = Path(__file__).parents[2]
TIMEOUT = 600.0  # seconds, of which two or three are needed: a deadlock, not a busy machine

pytestmark = pytest.mark.slow

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system cannot fork")


def python(script: str, threads: int = 2) -> str:
    """What a script prints in a fresh Python whose BLAS has so many threads."""
    names = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS")
    command = [sys.executable, "-c", f"from tests.recurrence.test_processes import *\n{script}"]
    environment = {**os.environ, **dict.fromkeys(names, str(threads)), "PYTHONPATH": str(ROOT)}
    run = subprocess.run(
        command, cwd=ROOT, env=environment, timeout=TIMEOUT, capture_output=True, text=True
    )
    assert run.returncode == 0, run.stderr
    return run.stdout


# --- what the scripts do -------------------------------------------------------------------------


def numbers(_: Any = None) -> bytes:
    """Of both cells, forward and backward, in two parts."""
    recipe = Recipe(9, 70, 3, 64, (9,) * 66 + (3, 7, 5, 1), 0.1, start="both", seed=0)
    cases = [sequence_case(cell, recipe) for cell in CELLS]
    results = [(returned(case.run()), case.gradients()) for case in cases]
    return b"".join(array.tobytes() for array in leaves(results).values())


def started(_: Any = None) -> int:
    """How many threads that starts: in each cell one forward pass, and one with a backward pass."""
    start, count = threading.Thread.start, []

    def counted(self: threading.Thread) -> None:
        count.append(self)
        start(self)

    threading.Thread.start = counted  # type: ignore[method-assign]
    numbers()
    threading.Thread.start = start  # type: ignore[method-assign]
    return len(count)


def limits() -> set[int]:
    return {info["num_threads"] for info in threadpool_info() if info["user_api"] == "blas"}


def while_inside(function: Callable[[], None]) -> None:
    """Call `function` while another thread is within a call of ours."""
    inside, leave = threading.Event(), threading.Event()

    def part(_: int) -> None:
        inside.set()
        leave.wait(TIMEOUT)

    call = threading.Thread(target=in_parallel, args=(part, 2))
    call.start()
    inside.wait(TIMEOUT)
    function()
    leave.set()
    call.join()


def check_in_a_child(expected: bytes, threads: int) -> None:
    """Fork; the child must have `threads`, compute what is `expected`, and have them again."""
    child = os.fork()
    if not child:
        try:
            right = limits() == {threads} and numbers() == expected and limits() == {threads}
            os._exit(0 if right else 1)
        finally:
            os._exit(2)
    assert os.waitpid(child, 0)[1] == 0


# --- threads -------------------------------------------------------------------------------------


def test_with_two_threads_for_blas_each_pass_has_a_helper() -> None:
    assert python("print(started())") == "6\n"


def test_with_one_thread_for_blas_no_pass_has_a_helper() -> None:
    assert python("print(started())", threads=1) == "0\n"


def test_what_limits_blas_limits_helpers() -> None:
    script = """
from threadpoolctl import threadpool_limits
with threadpool_limits(1):
    print(started())
print(started())
"""
    assert python(script) == "0\n6\n"


def test_workers_of_joblib_that_have_one_thread_each_start_no_second_one() -> None:
    script = """
from joblib import Parallel, delayed, parallel_config
with parallel_config(backend="loky", inner_max_num_threads=1):
    print(*Parallel(n_jobs=2)(delayed(started)() for _ in range(4)))
"""
    assert python(script) == "0 0 0 0\n"


def test_of_the_first_calls_of_several_threads_at_once_blas_gets_its_threads_back() -> None:
    script = """
from concurrent.futures import ThreadPoolExecutor
callers, together = ThreadPoolExecutor(4), threading.Barrier(4)
def call(_):
    together.wait()
    return numbers()
assert len(set(callers.map(call, range(4)))) == 1
print(limits())
"""
    assert python(script) == "{2}\n"


def test_while_python_shuts_down_batches_are_still_worked_out() -> None:
    script = """
import atexit
expected = numbers()
atexit.register(lambda: print(numbers() == expected))
"""
    assert python(script) == "True\n"


# --- other people's threads and processes --------------------------------------------------------


@needs_fork
def test_a_child_forked_while_a_call_is_inside_is_none_the_worse() -> None:
    script = """
expected = numbers()
while_inside(lambda: check_in_a_child(expected, threads=2))
check_in_a_child(expected, threads=2)
print(limits(), numbers() == expected)
"""
    assert python(script) == "{2} True\n"


@needs_fork
def test_children_forked_at_any_moment_are_none_the_worse() -> None:
    script = """
expected, done = numbers(), threading.Event()
def calls():
    while not done.is_set():
        in_parallel(lambda part: None, 2)
        numbers()
caller = threading.Thread(target=calls)
caller.start()
for _ in range(30):
    check_in_a_child(expected, threads=2)
done.set()
caller.join()
print(limits(), numbers() == expected)
"""
    assert python(script) == "{2} True\n"


@needs_fork
def test_a_pool_of_forked_processes_gives_the_right_numbers() -> None:
    script = """
from multiprocessing import get_context
expected = numbers()
with get_context("fork").Pool(2) as pool:
    print(set(pool.map(numbers, range(4))) == {expected})
"""
    assert python(script) == "True\n"


@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib_gets_the_right_numbers(backend: str) -> None:
    script = f"""
from joblib import Parallel, delayed
expected = numbers()
several = Parallel(n_jobs=2, backend={backend!r})(delayed(numbers)() for _ in range(4))
print(set(several) == {{expected}}, limits())
"""
    assert python(script) == "True {2}\n"


def test_asyncio_gets_the_right_numbers() -> None:
    script = """
import asyncio
async def several():
    return await asyncio.gather(*(asyncio.to_thread(numbers) for _ in range(8)))
print(set(asyncio.run(several())) == {numbers()}, limits())
"""
    assert python(script) == "True {2}\n"
