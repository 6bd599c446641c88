"""The LSTM over whole sequences: forward, and backpropagation through time.

The same equations as :func:`numpy_lstm.cells.lstm_step`, arranged for speed; read this file beside
:mod:`numpy_lstm.rnn`, which has the same skeleton. Inside, a minibatch stands in columns, so that
a step reads as in the papers: ``W_h @ h``. In shapes, T is steps, N reviews, D inputs, H hidden
units, and n the reviews that still run.

What a step leaves behind is one block of 5H rows, in the order c_prev, g, f, i, o. So the three
sigmoids stand together, and so do the two products that make c_t: (c_prev, g) times (f, i). The
gradients of a step have the same rows: dc_prev, da_g, da_f, da_i, da_o. All but the last are dc_t
times something, so that one product makes four.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import Array, LSTMParams
from numpy_lstm.sequence import (
    Part,
    blocks,
    check_gradient,
    check_lengths,
    check_real,
    check_sequence,
    in_pieces,
    lay_out,
    norms,
    project,
    side_by_side,
    widen,
)
from numpy_lstm.threads import Workspace, each


class LSTMCache(NamedTuple):
    """What :func:`lstm_backward` needs. tanh c_t is computed again: that saves T N H numbers."""

    params: LSTMParams
    parts: list[Part]
    xs: Array  # (T, N, D) the caller's own: leave it as it is until the backward pass is done
    states: list[list[Array]]  # of each part and stair, h_prev: (k + 1, H, n)
    cells: list[list[Array]]  # and c_prev, g_t, f_t, i_t, o_t: (k + 1, 5H, n)


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
    (T, N, D), H = xs.shape, params.W_h.shape[1]
    W_x, W_h, b = (_swap(array).astype(dtype, copy=False) for array in params)
    for array in (W_x, W_h, b):
        array[H:] *= 0.5  # σ(a) = ½ + ½ tanh(a / 2): one tanh then serves all four gates
    # The bias as a last column, to be multiplied by 1: saves a pass over all pre-activations.
    W_xb = np.concatenate([W_x, b[:, np.newaxis]], axis=1)
    half = np.array(0.5, dtype)  # an array, lest it be converted at every step
    hs = np.zeros((T, N, H), dtype)
    h_T, c_T = np.empty((N, H), dtype), np.empty((N, H), dtype)

    def forward(part: Part, workspace: Workspace) -> tuple[list[Array], list[Array]]:
        h, c = np.zeros((H, part.width), dtype), np.zeros((H, part.width), dtype)
        if h0 is not None:
            h[:] = h0[part.columns].T
        if c0 is not None:
            c[:] = c0[part.columns].T
        states, cells = [], []
        for stair in part.stairs:
            length, n = stair.stop - stair.start, stair.width
            s = np.empty((length + 1, H, n), dtype)
            r = np.empty((length + 1, 5 * H, n), dtype)
            s[0], r[0, :H] = h[:, :n], c[:, :n]
            W_h_pieces = in_pieces(W_h, n)
            from_h = workspace("from_h", (4 * H, n), dtype)
            from_h_pieces = from_h.reshape(*W_h_pieces.shape[:-1], n)
            products = workspace("products", (2 * H, n), dtype)
            from_c, from_g = products[:H], products[H:]
            tanh_c = workspace("tanh_c", (H, n), dtype)
            for block in blocks(stair):
                first, last = block.start - stair.start, block.stop - stair.start
                x1 = workspace("x1", (last - first, D + 1, n), dtype)
                x1[:, :D] = xs[block.start : block.stop, stair.columns].swapaxes(1, 2)
                x1[:, D] = 1
                project(W_xb, x1, out=r[first:last, H:])  # all steps at once
                for h_prev, a_t, sigmoids, c_prev_and_g, f_and_i, o_t, c_t, h_t in zip(
                    s[first:last],
                    r[first:last, H:],
                    r[first:last, 2 * H :],
                    r[first:last, : 2 * H],
                    r[first:last, 2 * H : 4 * H],
                    r[first:last, 4 * H :],
                    r[first + 1 : last + 1, :H],
                    s[first + 1 : last + 1],
                ):
                    np.matmul(W_h_pieces, h_prev, out=from_h_pieces)
                    a_t += from_h  # (9)
                    np.tanh(a_t, out=a_t)  # (12)
                    sigmoids *= half  # (10), (11), (13)
                    sigmoids += half
                    np.multiply(c_prev_and_g, f_and_i, out=products)
                    np.add(from_c, from_g, out=c_t)  # (14)
                    np.tanh(c_t, out=tanh_c)
                    np.multiply(o_t, tanh_c, out=h_t)  # (15)
            h, c = s[-1], r[-1, :H]
            hs[stair.start : stair.stop, stair.columns] = s[1:].swapaxes(1, 2)
            h_T[stair.columns], c_T[stair.columns] = h.T, c.T  # of those that end here, for good
            states.append(s)
            cells.append(r)
        return states, cells

    parts = lay_out(check_lengths(lengths, T, N), H)
    states, cells = map(list, zip(*each(forward, parts)))
    return LSTMOutput(hs, h_T, c_T, LSTMCache(params, parts, xs, states, cells))


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
    params, parts, xs, states, cells = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], states[0][0].dtype
    check_real(dtype)
    check_gradient("dhs", dhs, (T, N, H), dtype)
    check_gradient("dh_T", dh_T, (N, H), dtype)
    check_gradient("dc_T", dc_T, (N, H), dtype)

    W_x, W_hT = _swap(params.W_x), np.ascontiguousarray(_swap(params.W_h).T)
    dxs = np.zeros((T, N, D), dtype)
    dh0, dc0 = np.empty((N, H), dtype), np.empty((N, H), dtype)
    dh_norms, dc_norms = np.zeros((T, N), dtype), np.zeros((T, N), dtype)

    def backward(number: int, workspace: Workspace) -> LSTMParams:
        part = parts[number]
        dW_x, dW_h, db = dparams = LSTMParams(*map(np.zeros_like, params))  # rows g, f, i, o
        dh, dc = np.empty((H, 0), dtype), np.empty((H, 0), dtype)
        for stair, s, r in zip(
            part.stairs[::-1], states[number][::-1], cells[number][::-1], strict=True
        ):
            n = stair.width
            dh, dc = widen(dh, dh_T, stair, part), widen(dc, dc_T, stair, part)
            W_hT_pieces = in_pieces(W_hT, n)
            dh_pieces = dh.reshape(*W_hT_pieces.shape[:-1], n)
            for block in reversed(blocks(stair)):
                k, first = len(block), block.start - stair.start
                steps = slice(block.start, block.stop)
                dh_total = workspace("dh_total", (k, H, n), dtype)
                dh_total[:] = 0 if dhs is None else dhs[steps, stair.columns].swapaxes(1, 2)
                # These two start as derivatives within a step, and become gradients of the loss.
                dc_total = workspace("dc_total", (k, H, n), dtype)
                d = workspace("d", (k, 5 * H, n), dtype)  # rows dc_prev, da_g, da_f, da_i, da_o
                _local_derivatives(r[first : first + k + 1], s[first + 1 :], dc_total, d)
                da = d[:, H:]
                d_by_dc, d_by_dh = d[:, : 4 * H].reshape(k, 4, H, n), d[:, 4 * H :]
                for dh_t, dc_t, d_by_dc_t, d_by_dh_t, da_t, dc_prev in zip(
                    dh_total[::-1],
                    dc_total[::-1],
                    d_by_dc[::-1],
                    d_by_dh[::-1],
                    da[::-1],
                    d[::-1, :H],
                ):
                    dh_t += dh
                    dc_t *= dh_t
                    dc_t += dc  # (17)
                    d_by_dc_t *= dc_t
                    d_by_dh_t *= dh_t
                    dc = dc_prev  # (21)
                    np.matmul(W_hT_pieces, da_t, out=dh_pieces)  # (28)

                dc = dc.copy()
                x = workspace("x", (k, n, D), dtype)
                x[:] = xs[steps, stair.columns]
                x = x.reshape(k * n, D)
                h_prev = side_by_side(s[first : first + k], workspace("h_prev", (H, k * n), dtype))
                da = side_by_side(da, workspace("da", (4 * H, k * n), dtype))
                dW_x += np.matmul(da, x, out=workspace("dW_x", dW_x.shape, dtype))  # (26)
                dW_h += np.matmul(da, h_prev.T, out=workspace("dW_h", dW_h.shape, dtype))
                db += da.sum(axis=1)
                dx = np.matmul(da.T, W_x, out=workspace("dx", (k * n, D), dtype))  # (27)
                dxs[steps, stair.columns] = dx.reshape(k, n, D)
                dh_norms[steps, stair.columns] = norms(dh_total)
                dc_norms[steps, stair.columns] = norms(dc_total)
        dh0[part.columns], dc0[part.columns] = dh.T, dc.T
        return dparams

    of_parts = each(backward, range(len(parts)))
    dparams = LSTMParams(*(_swap(sum(arrays)) for arrays in zip(*of_parts)))
    return LSTMGradients(dxs, dparams, dh0, dc0, dh_norms, dc_norms)


def _local_derivatives(r: Array, h: Array, dc_by_dh: Array, d: Array) -> None:
    """What the loop of the backward pass multiplies by, for all steps of a block at once.

    With o tanh(c) = h, which the forward pass has kept, two products are saved.

    Parameters
    ----------
    r : ndarray, shape (k + 1, 5H, n)
        A block's c_prev, g_t, f_t, i_t, o_t.
    h : ndarray, shape (k or more, H, n)
        Its h_t.
    dc_by_dh : ndarray, shape (k, H, n)
        Result: the factor of dh_t in dc_t, report eq. (17).
    d : ndarray, shape (k, 5H, n)
        Result: the factors of dc_t in dc_prev, da_g, da_f, da_i, and of dh_t in da_o: eqs. (16),
        (18) to (25), each gate's pair in one product.
    """
    k, H = dc_by_dh.shape[:2]
    g, f, i, o = (r[:-1, q * H : (q + 1) * H] for q in (1, 2, 3, 4))
    c_prev_and_g, f_and_i, sigmoids = r[:-1, : 2 * H], r[:-1, 2 * H : 4 * H], r[:-1, 2 * H :]

    d[:, :H] = f  # (21)
    of_g = d[:, H : 2 * H]
    np.multiply(g, g, out=of_g)
    np.subtract(1, of_g, out=of_g)
    of_g *= i  # (20), (24)
    np.subtract(1, sigmoids, out=d[:, 2 * H :])
    of_f_and_i = d[:, 2 * H : 4 * H]
    of_f_and_i *= f_and_i
    of_f_and_i *= c_prev_and_g  # (18), (19), (22), (23)
    d[:, 4 * H :] *= h[:k]  # (16), (25)

    np.tanh(r[1:, :H], out=dc_by_dh)
    dc_by_dh *= h[:k]
    np.subtract(o, dc_by_dh, out=dc_by_dh)  # o (1 - tanh(c)²)


def _swap(array: Array) -> Array:
    """A copy with the rows of the gates i and g exchanged: i, f, g, o to g, f, i, o, and back."""
    gates = array.reshape(4, -1, *array.shape[1:])
    return gates[[2, 1, 0, 3]].reshape(array.shape)
