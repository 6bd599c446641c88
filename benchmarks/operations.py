"""Where each microsecond of a time step goes, and what each operation would take at best.

One half of a batch, as one of two threads works it through. Every operation is timed alone, on
arrays of the size of a block, by the functions of the package. Its floor is its multiplications
and additions at the rate of a large matrix product on one thread, or the bytes it must read and
write at the rate at which NumPy adds two arrays that fit into the processor's cache.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy_lstm.sequence import BLOCK, in_pieces, norms, project, side_by_side
from numpy_lstm.threads import two_threads
from threadpoolctl import threadpool_limits

from benchmarks.plan import Plan
from numpy_lstm import init_lstm, lstm, lstm_backward, lstm_forward
from numpy_lstm.types import Array

LEAST = 0.01  # seconds that each timing lasts at least


def operations(plan: Plan) -> dict[str, Any]:
    """Microseconds a step of every operation of the LSTM, and of all together in the package."""
    cases = []
    for N, T, D, H in plan.grid:
        with threadpool_limits(1, user_api="blas"):
            rate, bandwidth = _rate(plan.square, plan.rounds), _bandwidth(plan.rounds)
            n = N // 2 if N * H >= 4096 else N
            timed = _one_by_one(n, D, H, plan.rounds, rate, bandwidth)
        case: dict[str, Any] = {
            "model": "lstm",
            **dict(zip("NTDH", (N, T, D, H), strict=True)),
            "columns": n,
            "flops_per_second": rate,
            "bytes_per_second": bandwidth,
            "operations": timed,
            "sum": sum(each["seconds"] for each in timed.values()),
            "floor": sum(each["floor"] for each in timed.values()),
            "measured": _whole(N, T, D, H, plan.rounds),
        }
        print(
            f"operations  N={N}  T={T}  D={D}  H={H}",
            *(f"{name}: {1e6 * case[name]:.0f} us" for name in ("floor", "sum", "measured")),
            sep="  ",
            flush=True,
        )
        cases.append(case)
    return {"cases": cases}


def _one_by_one(
    n: int, D: int, H: int, rounds: int, rate: float, bandwidth: float
) -> dict[str, dict[str, float]]:
    rng, k = np.random.default_rng(0), max(1, BLOCK // n)

    def some(*shape: int) -> Array:
        return rng.uniform(-1, 1, shape).astype(np.float32)

    W_h, W_hT, W_xb, W_x = some(4 * H, H), some(H, 4 * H), some(4 * H, D + 1), some(4 * H, D)
    s, r, x, x1 = some(k + 1, H, n), some(k + 1, 5 * H, n), some(k, n, D), some(k, D + 1, n)
    d, dc, dh = some(k, 5 * H, n), some(k, H, n), some(H, n)
    dh_total, hs, half = some(k, H, n), some(k, n, H), np.float32(0.5)
    da, h_prev, dx = some(4 * H, k * n), some(H, k * n), some(k * n, D)
    dW_x, dW_h = some(4 * H, D), some(4 * H, H)
    from_h, products, tanh_c = some(4 * H, n), some(2 * H, n), some(H, n)
    scratch = some(5, H, n)
    forward, backward = in_pieces(W_h, n), in_pieces(W_hT, n)
    into, back = from_h.reshape(*forward.shape[:-1], n), dh.reshape(*backward.shape[:-1], n)

    def gates() -> None:
        for a_t, sigmoids in zip(r[:-1, H:], r[:-1, 2 * H :], strict=True):
            np.add(a_t, from_h, out=from_h)
            np.tanh(a_t, out=from_h)
            np.multiply(sigmoids, half, out=from_h[H:])
            np.add(from_h[H:], half, out=from_h[H:])

    def cell() -> None:
        for c_and_g, f_and_i, o in zip(
            r[:-1, : 2 * H], r[:-1, 2 * H : 4 * H], r[:-1, 4 * H :], strict=True
        ):
            np.multiply(c_and_g, f_and_i, out=products)
            np.add(products[:H], products[H:], out=tanh_c)
            np.tanh(tanh_c, out=tanh_c)
            np.multiply(o, tanh_c, out=tanh_c)

    def gradients() -> None:
        for dh_t, dc_t, d_t in zip(dh_total, dc, d.reshape(k, 5, H, n), strict=True):
            np.add(dh_t, dh, out=products[:H])
            np.multiply(dc_t, dh_t, out=products[:H])
            np.add(products[:H], dh, out=products[:H])
            np.multiply(d_t[:4], dc_t, out=scratch[:4])  # in place, they would vanish by and by
            np.multiply(d_t[4], dh_t, out=scratch[4])

    def all_of(function: Callable[[int], object]) -> Callable[[], None]:
        def run() -> None:
            for t in range(k):
                function(t)

        return run

    def copy_in() -> None:
        x1[:, :D] = x.swapaxes(1, 2)

    def copy_out() -> None:
        hs[:] = s[1:].swapaxes(1, 2)
        dh_total[:] = hs.swapaxes(1, 2)

    def beside() -> None:
        side_by_side(d[:, H:], da)
        side_by_side(s[:k], h_prev)

    def weights() -> None:
        np.matmul(da, x.reshape(k * n, D), out=dW_x)
        np.matmul(da, h_prev.T, out=dW_h)

    product = 2 * 4 * H * n  # operations of a product with H or D rows, over that number
    numbers = 4 * H * n  # bytes of one state
    timed: dict[str, tuple[Callable[[], object], float, float]] = {
        "inputs into columns": (copy_in, 0, 2 * 4 * D * n),
        "W_x x": (lambda: project(W_xb, x1, r[:k, H:]), product * (D + 1), 0),
        "W_h h": (all_of(lambda t: np.matmul(forward, s[t], out=into)), product * H, 0),
        "gates": (gates, 0, (3 * 4 + 2 * 4 + 2 * 3 + 2 * 3) * numbers),
        "c and h": (cell, 0, (6 + 3 + 2 + 3) * numbers),
        "states and their gradients into rows": (copy_out, 0, 4 * numbers),
        "local derivatives": (
            lambda: lstm._local_derivatives(r, s[1:], dc, d),
            0,
            (2 + 2 + 2 + 3 + 6 + 6 + 6 + 3 + 2 + 3 + 3) * numbers,
        ),
        "gradients in c and a": (gradients, 0, (3 * 3 + 9 + 3) * numbers),
        "W_h^T da": (all_of(lambda t: np.matmul(backward, d[t, H:], out=back)), product * H, 0),
        "steps side by side": (beside, 0, 2 * 5 * numbers),
        "dW_x, dW_h": (weights, product * (D + H), 0),
        "W_x^T da": (lambda: np.matmul(da.T, W_x, out=dx), product * D, 0),
        "norms": (lambda: (norms(dh_total), norms(dc)), 0, 2 * numbers),
    }
    return {
        name: {
            "seconds": _seconds(function, rounds) / k,
            "floor": flops / rate + size / bandwidth,
        }
        for name, (function, flops, size) in timed.items()
    }


def _whole(N: int, T: int, D: int, H: int, rounds: int) -> float:
    """Seconds of a step of forward and BPTT on two threads."""
    rng = np.random.default_rng(0)
    params = init_lstm(D, H, rng=rng)
    xs = rng.standard_normal((T, N, D), np.float32)
    dhs = rng.standard_normal((T, N, H), np.float32)
    with two_threads():
        call = _seconds(lambda: lstm_backward(lstm_forward(xs, params).cache, dhs), rounds)
    return call / T


def _rate(side: int, rounds: int) -> float:
    rng = np.random.default_rng(0)
    a, b = (rng.standard_normal((side, side), np.float32) for _ in range(2))
    return 2 * side**3 / _seconds(lambda: np.matmul(a, b), rounds)


def _bandwidth(rounds: int) -> float:
    a, b, c = (np.ones(2**14, np.float32) for _ in range(3))  # 64 kB each
    return 3 * a.nbytes / _seconds(lambda: np.add(a, b, out=c), rounds)


def _seconds(function: Callable[[], object], rounds: int) -> float:
    function()
    runs = []
    for _ in range(rounds):
        start, calls, elapsed = time.perf_counter(), 0, 0.0
        while elapsed < LEAST:
            function()
            calls += 1
            elapsed = time.perf_counter() - start
        runs.append(elapsed / calls)
    return statistics.median(runs)
