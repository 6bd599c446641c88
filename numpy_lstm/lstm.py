"""The LSTM over whole sequences: forward, and backpropagation through time.

The same equations as :func:`numpy_lstm.cells.lstm_step`, arranged for speed; read this file beside
:mod:`numpy_lstm.rnn`, which has the same skeleton. Inside, a minibatch stands in columns, so that
a step reads as in the papers: ``W_h @ h``. In shapes, T is steps, N reviews, D inputs, H hidden
units, and n the reviews that still run.

What a step leaves behind is one block of 5H rows, in the order c_prev, g, f, i, o. So the three
sigmoids stand together, and so do the two products that make c_t: (c_prev, g) times (f, i).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import Array, LSTMParams
from numpy_lstm.overlap import Later, ahead
from numpy_lstm.sequence import (
    WORTHWHILE,
    Layout,
    Stair,
    add_weight_gradients,
    blocks,
    check_gradient,
    check_lengths,
    check_real,
    check_sequence,
    gather,
    lay_out,
    norms,
    widen,
)


class LSTMCache(NamedTuple):
    """What :func:`lstm_backward` needs. tanh c_t is computed again: that saves T N H numbers."""

    params: LSTMParams
    layout: Layout
    xs: Array  # (T, N, D) the caller's own: leave it as it is until the backward pass is done
    states: list[Array]  # a stair's h_prev: (k + 1, H, n)
    cells: list[Array]  # a stair's c_prev, g_t, f_t, i_t, o_t: (k + 1, 5H, n)


class LSTMOutput(NamedTuple):
    """What :func:`lstm_forward` returns."""

    hs: Array  # (T, N, H)
    h_T: Array  # (N, H)
    c_T: Array  # (N, H)
    cache: LSTMCache


class LSTMGradients(NamedTuple):
    """What :func:`lstm_backward` returns."""

    dxs: Array  # (T, N, D)
    dparams: LSTMParams
    dh0: Array  # (N, H)
    dc0: Array  # (N, H)
    dh_norms: Array  # (T, N)
    dc_norms: Array  # (T, N)


def lstm_forward(
    xs: Array,
    params: LSTMParams,
    lengths: object = None,
    h0: Array | None = None,
    c0: Array | None = None,
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences.

    Implements Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
    Cummins (2000), report eqs. (9) to (15); :func:`numpy_lstm.cells.lstm_step` says where it
    differs from them.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is the papers' x_{t+1}. float32, float64, or complex128 for
        the complex-step check.
    params : LSTMParams
        Weights, of the same dtype; gate rows in the order i, f, g, o.
    lengths : array of int, shape (N,), optional
        Steps of each review, in 1 … T and any order; all T if left out. What stands in `xs` past a
        review's length has no effect.
    h0, c0 : ndarray, shape (N, H), optional
        Initial hidden and cell states; zero if left out.

    Returns
    -------
    hs : ndarray, shape (T, N, H)
        h_1 … h_T, each in [-1, 1]; 0 past a review's length. h_0 is not included.
    h_T, c_T : ndarray, shape (N, H)
        Each review's hidden and cell state at its own last step.
    cache : LSTMCache
        For :func:`lstm_backward`.

    Raises
    ------
    ValueError
        If a shape, a length or a dtype does not fit.

    Examples
    --------
    >>> params = LSTMParams(W_x=np.ones((4, 1)), W_h=np.ones((4, 1)), b=np.zeros(4))
    >>> out = lstm_forward(np.full((3, 1, 1), 0.5), params)
    >>> out.hs.ravel().round(4)
    array([0.1743, 0.3462, 0.4971])
    """
    dtype = check_sequence(xs, params, 4, {"h0": h0, "c0": c0})
    (T, N, _), H = xs.shape, params.W_h.shape[1]
    layout = lay_out(check_lengths(lengths, T, N))
    W_x, W_h, b = (_swap(array).astype(dtype, copy=False) for array in params)
    for array in (W_x, W_h, b):
        array[H:] *= 0.5  # σ(a) = ½ + ½ tanh(a / 2): one tanh then serves all four gates
    b = b[:, np.newaxis]

    hs = np.zeros((T, N, H), dtype)
    h_T, c_T = np.empty((N, H), dtype), np.empty((N, H), dtype)
    h, c = np.zeros((H, N), dtype), np.zeros((H, N), dtype)
    if h0 is not None:
        h[:] = h0[layout.order].T
    if c0 is not None:
        c[:] = c0[layout.order].T
    states, cells = [], []
    for stair in layout.stairs:
        n = stair.width
        s = np.empty((stair.stop - stair.start + 1, H, n), dtype)
        r = np.empty((stair.stop - stair.start + 1, 5 * H, n), dtype)
        s[0], r[0, :H] = h[:, :n], c[:, :n]
        h_part, products, tanh_c = (np.empty((rows * H, n), dtype) for rows in (4, 2, 1))

        def project(block: range, stair: Stair = stair, r: Array = r) -> range:
            """The inputs' part of a_t, for all steps of a block at once, put where a_t will be."""
            x = xs[block.start : block.stop, stair.columns].swapaxes(1, 2)
            a = r[block.start - stair.start : block.stop - stair.start, H:]
            np.matmul(W_x, x, out=a)
            a += b
            return block

        for block in ahead(project, blocks(stair), worthwhile=H * n >= WORTHWHILE):
            for t in range(block.start - stair.start, block.stop - stair.start):
                r_t, c_t = r[t], r[t + 1, :H]
                a_t, sigmoids = r_t[H:], r_t[2 * H :]
                np.matmul(W_h, s[t], out=h_part)
                a_t += h_part  # (9)
                np.tanh(a_t, out=a_t)  # (12)
                sigmoids *= 0.5  # (10), (11), (13)
                sigmoids += 0.5
                np.multiply(r_t[: 2 * H], r_t[2 * H : 4 * H], out=products)
                np.add(products[:H], products[H:], out=c_t)  # (14)
                np.tanh(c_t, out=tanh_c)
                np.multiply(r_t[4 * H :], tanh_c, out=s[t + 1])  # (15)
        h, c = s[-1], r[-1, :H]
        hs[stair.start : stair.stop, stair.columns] = s[1:].swapaxes(1, 2)
        h_T[layout.order[:n]] = h.T
        c_T[layout.order[:n]] = c.T
        states.append(s)
        cells.append(r)
    return LSTMOutput(hs, h_T, c_T, LSTMCache(params, layout, xs, states, cells))


def lstm_backward(
    cache: LSTMCache,
    dhs: Array | None = None,
    dh_T: Array | None = None,
    dc_T: Array | None = None,
) -> LSTMGradients:
    """Backpropagate through time, report eqs. (16) to (28): the whole gradient, nothing truncated.

    Parameters
    ----------
    cache : LSTMCache
        From :func:`lstm_forward`; it is not changed.
    dhs : ndarray, shape (T, N, H), optional
        Gradient of a scalar loss in `hs`; what stands past a review's length has no effect.
    dh_T, dc_T : ndarray, shape (N, H), optional
        Gradients of the loss in `h_T` and `c_T`. All add up; any may be left out.

    Returns
    -------
    dxs : ndarray, shape (T, N, D)
        Exactly 0 past a review's length.
    dparams : LSTMParams
        Summed over steps and reviews.
    dh0, dc0 : ndarray, shape (N, H)
    dh_norms, dc_norms : ndarray, shape (T, N)
        Euclidean norms, per review, of the total gradient of the loss in h_{t+1} and c_{t+1}: all
        later paths included, nothing clipped; 0 past the length.

    Raises
    ------
    ValueError
        If a shape or a dtype does not fit.
    """
    params, layout, xs, states, cells = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], states[0].dtype
    check_real(dtype)
    check_gradient("dhs", dhs, (T, N, H), dtype)
    check_gradient("dh_T", dh_T, (N, H), dtype)
    check_gradient("dc_T", dc_T, (N, H), dtype)

    W_x, W_hT = _swap(params.W_x), np.ascontiguousarray(_swap(params.W_h).T)
    dxs = np.zeros((T, N, D), dtype)
    dparams = LSTMParams(*(np.zeros_like(array) for array in params))  # rows g, f, i, o
    dh_norms, dc_norms = np.zeros((T, N), dtype), np.zeros((T, N), dtype)
    dh, dc = np.empty((H, 0), dtype), np.empty((H, 0), dtype)

    with Later(worthwhile=H * N >= WORTHWHILE) as later:
        for stair, s, r in zip(
            reversed(layout.stairs), reversed(states), reversed(cells), strict=True
        ):
            n = stair.width
            dh = widen(dh, dh_T, stair, layout.order)
            dc = widen(dc, dc_T, stair, layout.order)
            for block in reversed(blocks(stair)):
                k, first = len(block), block.start - stair.start
                r_block = r[first : first + k + 1]
                f = r_block[:-1, 2 * H : 3 * H]
                dc_by_dh, da_by_state = _local_derivatives(r_block)

                dh_total = gather(dhs, block, stair, H, dtype)
                dc_total = np.empty_like(dh_total)
                da = np.empty((k, 4 * H, n), dtype)
                for t in reversed(range(k)):
                    dh_t, dc_t = dh_total[t], dc_total[t]
                    dh_t += dh
                    np.multiply(dh_t, dc_by_dh[t], out=dc_t)
                    dc_t += dc  # (17)
                    np.multiply(dc_t, da_by_state[t, :3], out=da[t, : 3 * H].reshape(3, H, n))
                    np.multiply(dh_t, da_by_state[t, 3], out=da[t, 3 * H :])
                    np.multiply(dc_t, f[t], out=dc)  # (21)
                    np.matmul(W_hT, da[t], out=dh)  # (28)

                steps = slice(block.start, block.stop)
                x = xs[steps, stair.columns]
                later(add_weight_gradients, dparams, da, s[first : first + k], x)  # (26)
                dxs[steps, stair.columns] = np.matmul(da.swapaxes(1, 2), W_x)  # (27)
                dh_norms[steps, stair.columns] = norms(dh_total)
                dc_norms[steps, stair.columns] = norms(dc_total)

    dh0, dc0 = np.empty((N, H), dtype), np.empty((N, H), dtype)
    dh0[layout.order] = dh.T
    dc0[layout.order] = dc.T
    dparams = LSTMParams(*(_swap(array) for array in dparams))
    return LSTMGradients(dxs, dparams, dh0, dc0, dh_norms, dc_norms)


def _local_derivatives(r: Array) -> tuple[Array, Array]:
    """What the loop of the backward pass multiplies by, for all steps of a block at once.

    Parameters
    ----------
    r : ndarray, shape (k + 1, 5H, n)
        A block's c_prev, g_t, f_t, i_t, o_t.

    Returns
    -------
    dc_by_dh : ndarray, shape (k, H, n)
        The factor of dh_t in dc_t, report eq. (17).
    da_by_state : ndarray, shape (k, 4, H, n)
        The factors of dc_t in da_g, da_f, da_i, and of dh_t in da_o: eqs. (16), (18) to (20) and
        (22) to (25), each gate's pair in one product.
    """
    k, rows, n = r.shape[0] - 1, r.shape[1], r.shape[2]
    H = rows // 5
    c_prev_and_g, g, i, o = (
        r[:-1, : 2 * H],
        r[:-1, H : 2 * H],
        r[:-1, 3 * H : 4 * H],
        r[:-1, 4 * H :],
    )
    sigmoids = r[:-1, 2 * H :]
    tanh_c = np.tanh(r[1:, :H])

    factors = np.empty((k, 4 * H, n), r.dtype)
    da_g, da_f_i, da_o = factors[:, :H], factors[:, H : 3 * H], factors[:, 3 * H :]
    np.multiply(g, g, out=da_g)
    np.subtract(1, da_g, out=da_g)
    da_g *= i  # (20), (24)
    np.subtract(1, sigmoids, out=factors[:, H:])
    factors[:, H:] *= sigmoids
    da_f_i *= c_prev_and_g  # (18), (19), (22), (23)
    da_o *= tanh_c  # (16), (25)

    np.multiply(tanh_c, tanh_c, out=tanh_c)
    dc_by_dh = np.subtract(1, tanh_c, out=tanh_c)
    dc_by_dh *= o
    return dc_by_dh, factors.reshape(k, 4, H, n)


def _swap(array: Array) -> Array:
    """A copy with the rows of the gates i and g exchanged: i, f, g, o to g, f, i, o, and back."""
    gates = array.reshape(4, -1, *array.shape[1:])
    return gates[[2, 1, 0, 3]].reshape(array.shape)
