"""The LSTM over sequences of different lengths, fast: forward and backward pass.

The equations of :mod:`numpy_lstm.cells` in the loops of :mod:`numpy_lstm.bptt`, arranged for speed.
Read this file after :mod:`numpy_lstm.rnn`, which has the same skeleton and says what differs from
the plain loops; the shapes are named there too. Here each gate of a step is one contiguous stretch
of memory, and the four stand behind each other: ``gates`` and ``da`` are (k, 4, H, n), and their
views (k, 4H, n) share their memory.
"""

from __future__ import annotations

from itertools import chain
from typing import NamedTuple

import numpy as np

from numpy_lstm.bptt import LSTMGradients, LSTMOutput
from numpy_lstm.cells import LSTMParams
from numpy_lstm.recurrence.checks import (
    check_cache,
    check_incoming,
    check_lengths,
    check_sequence,
)
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.recurrence.packing import Block, Memory, join_reviews, pack
from numpy_lstm.recurrence.parallel import in_parallel
from numpy_lstm.recurrence.subnormal import flush_to_zero
from numpy_lstm.types import Array


class LSTMKept(NamedTuple):
    """Values kept for a block. tanh(c_t) is computed again, which saves T N H numbers."""

    gates: Array  # (k, 4, H, n) i_t, f_t, g_t, o_t of each step
    cs: Array  # (k + 1, H, n) c_prev of the first step, then each c_t
    hs: Array  # (k + 1, H, n) h_prev of the first step, then each h_t


class LSTMCache(NamedTuple):
    """Values for :func:`lstm_backward`."""

    params: LSTMParams  # copies: the caller's may change before the backward pass
    xs: Array  # (T, N, D) the caller's own: not to be changed before the backward pass
    parts: list[list[Block]]
    kept: list[list[LSTMKept]]  # of each part and block


def lstm_forward(
    xs: Array,
    params: LSTMParams,
    lengths: object = None,
    h0: Array | None = None,
    c0: Array | None = None,
) -> LSTMOutput:
    """Run an LSTM over a batch of sequences.

    Implements Hochreiter and Schmidhuber (1997) with the forget gate of Gers, Schmidhuber and
    Cummins (2000), report eqs. (9) to (15); see :func:`numpy_lstm.cells.lstm_step` for differences.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is x_{t+1}. float32, float64, or complex128 (complex step).
        Not copied: they must not change before the backward pass.
    params : LSTMParams
        Weights, of the same dtype; gate rows in the order i, f, g, o.
    lengths : array of int, shape (N,), optional
        Steps of each review, in 1 … T and in any order; all T if omitted. Values in `xs` past a
        review's length have no effect.
    h0, c0 : ndarray, shape (N, H), optional
        Initial hidden and cell states; zero if omitted.

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
    dtype = check_sequence(xs, params, LSTMParams, {"h0": h0, "c0": c0})
    (T, N, D), H = xs.shape, params.W_h.shape[1]
    parts = pack(check_lengths(lengths, T, N), H)
    # σ(a) = ½ tanh(a / 2) + ½, so one tanh, one product and one sum serve all four gates.
    scale = np.repeat(np.array([0.5, 0.5, 1, 0.5], dtype), H)[:, np.newaxis]
    # The bias as a last column of W_x, multiplied by 1, saves a pass over all pre-activations.
    W_xb, W_h = scale * np.column_stack([params.W_x, params.b]), scale * params.W_h
    hs, h_T, c_T = np.zeros((T, N, H), dtype), np.empty((N, H), dtype), np.empty((N, H), dtype)

    def forward(part: int) -> list[LSTMKept]:
        blocks, memory = parts[part], Memory(dtype)
        shapes = (((k, 4, H, n), (k + 1, H, n), (k + 1, H, n)) for _, _, k, n in blocks)
        arrays = iter(Memory(dtype)(*chain.from_iterable(shapes)))
        kept = list(map(LSTMKept, arrays, arrays, arrays))  # three of them for each block
        h, c = (join_reviews(np.empty((H, 0), dtype), state, blocks[0]) for state in (h0, c0))
        for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=True):
            x, from_h, scratch, scales, shifts = memory(
                (k, D + 1, n), (4 * H, n), (H, n), (4 * H, n), (4 * H, n)
            )
            x[:, :D], x[:, D] = xs[steps, reviews].swapaxes(1, 2), 1
            a = np.matmul(W_xb, x, out=gates.reshape(k, 4 * H, n))  # W_x x_t + b, all steps at once
            scales[:], shifts[:] = scale, 1 - scale
            block_hs[0], block_cs[0] = h[:, :n], c[:, :n]  # the longest n reviews run on
            for a_t, i_t, f_t, g_t, o_t, h_prev, c_prev, h_t, c_t in zip(
                a, *gates.swapaxes(0, 1), block_hs, block_cs, block_hs[1:], block_cs[1:]
            ):
                a_t += np.matmul(W_h, h_prev, out=from_h)  # (9)
                np.tanh(a_t, out=a_t)
                a_t *= scales
                a_t += shifts  # (10) to (13)
                np.multiply(f_t, c_prev, out=c_t)
                c_t += np.multiply(i_t, g_t, out=scratch)  # (14)
                np.multiply(o_t, np.tanh(c_t, out=scratch), out=h_t)  # (15)
            h, c = block_hs[-1], block_cs[-1]
            hs[steps, reviews] = block_hs[1:].swapaxes(1, 2)
            h_T[reviews], c_T[reviews] = h.T, c.T  # of those that end here, for good
        return kept

    kept = in_parallel(forward, len(parts))
    return LSTMOutput(hs, h_T, c_T, LSTMCache(LSTMParams(*map(np.array, params)), xs, parts, kept))


def lstm_backward(
    cache: LSTMCache,
    dhs: Array | None = None,
    dh_T: Array | None = None,
    dc_T: Array | None = None,
) -> LSTMGradients:
    """Backpropagate through time, report eqs. (16) to (28): the full gradient, not truncated.

    Parameters
    ----------
    cache : LSTMCache
        From :func:`lstm_forward`; not changed. Its `xs`, unlike `params`, must be as they were.
    dhs : ndarray, shape (T, N, H), optional
        Gradient of a scalar loss in `hs`; values past a review's length have no effect.
    dh_T, dc_T : ndarray, shape (N, H), optional
        Gradients of the loss in `h_T` and `c_T`, added to that in `hs`. Any may be omitted.

    Returns
    -------
    dxs : ndarray, shape (T, N, D)
        Exactly 0 past a review's length.
    dparams : LSTMParams
        Summed over steps and reviews.
    dh0, dc0 : ndarray, shape (N, H)
    dh_norms, dc_norms : ndarray, shape (T, N)
        Euclidean norms, per review, of the total gradients in h_{t+1} and c_{t+1}, through all
        later steps and without clipping; 0 past the length, and where they are about to underflow
        (1e-31 in float32, 1e-292 in float64).

    Raises
    ------
    ValueError
        If a shape or a dtype does not fit.
    """
    check_cache(cache, LSTMCache, "lstm_forward")
    params, xs, parts, kept = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], kept[0][0].hs.dtype
    check_incoming(dtype, (T, N, H), dhs, dh_T=dh_T, dc_T=dc_T)
    W_hT = np.ascontiguousarray(params.W_h.T)
    dxs, dh0, dc0 = np.zeros((T, N, D), dtype), np.empty((N, H), dtype), np.empty((N, H), dtype)
    dh_norms, dc_norms = np.zeros((T, N), dtype), np.zeros((T, N), dtype)

    def backward(part: int) -> Array:
        blocks, memory = parts[part], Memory(dtype)
        dW = np.zeros((4 * H, D + H + 1), dtype)  # of W_x, W_h and b beside each other
        dh_next = dc_next = np.empty((H, 0), dtype)
        for block, kept_block in zip(blocks[::-1], kept[part][::-1], strict=True):
            steps, reviews, k, n = block
            dh, dc, da, da_rows, inputs, dW_block, dx = memory(
                (k, H, n), (k, H, n), (k, 4, H, n), (4 * H, k, n), (k, n, D + H + 1),
                dW.shape, (k * n, D),
            )  # fmt: skip
            dh[:] = 0 if dhs is None else dhs[steps, reviews].swapaxes(1, 2)
            _slopes(kept_block, dc, da)
            # The reviews that end with this block join those that run on.
            if n > dh_next.shape[1]:
                dh_next = join_reviews(dh_next, dh_T, block)
                dc_next = join_reviews(dc_next, dc_T, block)
            flush_to_zero(dh_next)
            flush_to_zero(dc_next)
            for dh_t, dc_t, da_ifg, da_o, da_t, f_t in zip(
                dh[::-1],
                dc[::-1],
                da[::-1, :3],
                da[::-1, 3],
                da.reshape(k, 4 * H, n)[::-1],
                kept_block.gates[::-1, 1],
            ):
                dh_t += dh_next  # the total gradient in h_t
                da_o *= dh_t  # (16), (25)
                dc_t *= dh_t
                dc_t += dc_next  # (17)
                da_ifg *= dc_t  # (18) to (20), (22) to (24)
                np.multiply(dc_t, f_t, out=dc_next)  # (21)
                np.matmul(W_hT, da_t, out=dh_next)  # (28)
            dh_norms[steps, reviews], dc_norms[steps, reviews] = norms(dh), norms(dc)

            # Steps side by side, so that one matrix product sums over all of them.
            da_rows[:] = da.reshape(k, 4 * H, n).swapaxes(0, 1)
            da = da_rows.reshape(4 * H, k * n)
            inputs[:, :, :D] = xs[steps, reviews]
            inputs[:, :, D:-1] = kept_block.hs[:-1].swapaxes(1, 2)  # h_prev
            inputs[:, :, -1] = 1
            dW += np.matmul(da, inputs.reshape(k * n, D + H + 1), out=dW_block)  # (26)
            dxs[steps, reviews] = np.matmul(da.T, params.W_x, out=dx).reshape(k, n, D)  # (27)
        dh0[blocks[0].reviews], dc0[blocks[0].reviews] = dh_next.T, dc_next.T
        return dW

    dW = np.sum(in_parallel(backward, len(parts)), axis=0)
    dparams = LSTMParams(dW[:, :D].copy(), dW[:, D:-1].copy(), dW[:, -1].copy())
    return LSTMGradients(dxs, dparams, dh0, dc0, dh_norms, dc_norms)


def _slopes(kept: LSTMKept, dc: Array, da: Array) -> None:
    """What the loop of the backward pass multiplies by, for all steps of a block at once.

    The kept h = o tanh(c) saves two products.

    Parameters
    ----------
    kept : LSTMKept
    dc : ndarray, shape (k, H, n)
        Result: the factor of dh_t in dc_t.
    da : ndarray, shape (k, 4, H, n)
        Result: the factors of dc_t in da_i, da_f and da_g, and of dh_t in da_o.
    """
    gates, cs, hs = kept
    i, f, g, o = gates.swapaxes(0, 1)
    np.subtract(1, gates, out=da)
    da_i, da_f, da_g, da_o = da.swapaxes(0, 1)
    da_o *= hs[1:]  # (16), (25)  tanh(c) o (1 - o)
    np.tanh(cs[1:], out=dc)
    dc *= hs[1:]
    np.subtract(o, dc, out=dc)  # (17)  o (1 - tanh(c)²)
    da_i *= i
    da_i *= g  # (18), (22)
    da_f *= f
    da_f *= cs[:-1]  # (19), (23)
    np.multiply(g, g, out=da_g)
    np.subtract(1, da_g, out=da_g)
    da_g *= i  # (20), (24)
