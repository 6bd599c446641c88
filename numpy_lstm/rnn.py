"""The vanilla RNN over sequences of different lengths, fast: forward and backward pass.

The equations of :mod:`numpy_lstm.cells` in the loops of :mod:`numpy_lstm.bptt`, arranged for speed.
:mod:`numpy_lstm.lstm` has the same skeleton. Four things differ from the plain loops:

- A batch comes in parts, for several threads, and a part in blocks: stretches of steps through
  which the same reviews run (:mod:`numpy_lstm.recurrence`). What needs no order is done for all
  steps of a block at once, before the loop through them or after it.
- A minibatch stands in columns, so a step reads as in the papers, ``W_h @ h``.
- The loops compute into memory that is there already: ``out=``, ``+=``, ``*=``. So an array can
  hold a slope first and then, multiplied by the gradient that comes in, a gradient of the loss.
- A gradient that has all but vanished becomes 0 between two blocks
  (:mod:`numpy_lstm.recurrence.subnormal`).

In shapes, T is steps, N reviews, D inputs, H hidden units; k is the steps and n the reviews of a
block.
"""

from __future__ import annotations

from itertools import pairwise
from typing import NamedTuple

import numpy as np

from numpy_lstm.bptt import RNNGradients, RNNOutput
from numpy_lstm.cells import RNNParams
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


class RNNCache(NamedTuple):
    """Inputs and states for :func:`rnn_backward`; tanh' is computed from h_t."""

    params: RNNParams  # copies: the caller's may change before the backward pass
    xs: Array  # (T, N, D) the caller's own: not to be changed before the backward pass
    parts: list[list[Block]]
    kept: list[list[Array]]  # of each part and block, (k + 1, H, n): h_prev, then each h_t


def rnn_forward(
    xs: Array, params: RNNParams, lengths: object = None, h0: Array | None = None
) -> RNNOutput:
    """Run a vanilla RNN over a batch of sequences.

    Implements Elman (1990), report eqs. (1) and (2), with tanh.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is x_{t+1}. float32, float64, or complex128 (complex step).
        Not copied: they must not change before the backward pass.
    params : RNNParams
        Weights, of the same dtype.
    lengths : array of int, shape (N,), optional
        Steps of each review, in 1 … T and in any order; all T if omitted. Values in `xs` past a
        review's length have no effect.
    h0 : ndarray, shape (N, H), optional
        Initial hidden states; zero if omitted.

    Returns
    -------
    hs : ndarray, shape (T, N, H)
        h_1 … h_T, each in [-1, 1]; 0 past a review's length. h_0 is not included.
    h_T : ndarray, shape (N, H)
        Each review's hidden state at its own last step.
    cache : RNNCache
        For :func:`rnn_backward`.

    Raises
    ------
    ValueError
        If a shape, a length or a dtype does not fit.

    Examples
    --------
    >>> params = RNNParams(W_x=np.eye(1), W_h=np.eye(1), b=np.zeros(1))
    >>> out = rnn_forward(np.full((3, 1, 1), 0.5), params)
    >>> out.hs.ravel().round(4)
    array([0.4621, 0.7452, 0.8469])
    """
    dtype = check_sequence(xs, params, RNNParams, {"h0": h0})
    (T, N, D), H = xs.shape, params.W_h.shape[1]
    parts = pack(check_lengths(lengths, T, N), H)
    # The bias as a last column of W_x, multiplied by 1, saves a pass over all pre-activations.
    W_xb, W_h = np.column_stack([params.W_x, params.b]), params.W_h
    hs, h_T = np.zeros((T, N, H), dtype), np.empty((N, H), dtype)

    def forward(part: int) -> list[Array]:
        blocks, memory = parts[part], Memory(dtype)
        kept = Memory(dtype)(*((k + 1, H, n) for _, _, k, n in blocks))
        h = join_reviews(np.empty((H, 0), dtype), h0, blocks[0])
        for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=True):
            x, from_h = memory((k, D + 1, n), (H, n))
            x[:, :D], x[:, D] = xs[steps, reviews].swapaxes(1, 2), 1
            np.matmul(W_xb, x, out=block_hs[1:])  # W_x x_t + b, for all steps at once
            block_hs[0] = h[:, :n]  # the longest n reviews run on
            for h_prev, h_t in pairwise(block_hs):
                h_t += np.matmul(W_h, h_prev, out=from_h)  # (1)  the pre-activation so far
                np.tanh(h_t, out=h_t)  # (2)
            h = block_hs[-1]
            hs[steps, reviews] = block_hs[1:].swapaxes(1, 2)
            h_T[reviews] = h.T  # of those that end here, for good
        return kept

    kept = in_parallel(forward, len(parts))
    return RNNOutput(hs, h_T, RNNCache(RNNParams(*map(np.array, params)), xs, parts, kept))


def rnn_backward(
    cache: RNNCache, dhs: Array | None = None, dh_T: Array | None = None
) -> RNNGradients:
    """Backpropagate through time (Werbos, 1990), report eqs. (3) to (6).

    Parameters
    ----------
    cache : RNNCache
        From :func:`rnn_forward`; not changed. Its `xs`, unlike `params`, must be as they were.
    dhs : ndarray, shape (T, N, H), optional
        Gradient of a scalar loss in `hs`; values past a review's length have no effect.
    dh_T : ndarray, shape (N, H), optional
        Gradient of the loss in `h_T`, added to that in `hs`. Either may be omitted.

    Returns
    -------
    dxs : ndarray, shape (T, N, D)
        Exactly 0 past a review's length.
    dparams : RNNParams
        Summed over steps and reviews.
    dh0 : ndarray, shape (N, H)
    dh_norms : ndarray, shape (T, N)
        Euclidean norm, per review, of the total gradient in h_{t+1}, unclipped; 0 past the length,
        and where it is about to underflow (1e-31 in float32, 1e-292 in float64).

    Raises
    ------
    ValueError
        If a shape or a dtype does not fit.
    """
    check_cache(cache, RNNCache, "rnn_forward")
    params, xs, parts, kept = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], kept[0][0].dtype
    check_incoming(dtype, (T, N, H), dhs, dh_T=dh_T)
    W_hT = np.ascontiguousarray(params.W_h.T)
    dxs, dh0 = np.zeros((T, N, D), dtype), np.empty((N, H), dtype)
    dh_norms = np.zeros((T, N), dtype)

    def backward(part: int) -> Array:
        blocks, memory = parts[part], Memory(dtype)
        dW = np.zeros((H, D + H + 1), dtype)  # of W_x, W_h and b beside each other
        dh_next = np.empty((H, 0), dtype)
        for block, block_hs in zip(blocks[::-1], kept[part][::-1], strict=True):
            steps, reviews, k, n = block
            dh, da, da_rows, inputs, dW_block, dx = memory(
                (k, H, n), (k, H, n), (H, k, n), (k, n, D + H + 1), dW.shape, (k * n, D)
            )
            dh[:] = 0 if dhs is None else dhs[steps, reviews].swapaxes(1, 2)
            np.multiply(block_hs[1:], block_hs[1:], out=da)
            np.subtract(1, da, out=da)  # tanh' as yet
            # The reviews that end with this block join those that run on.
            if n > dh_next.shape[1]:
                dh_next = join_reviews(dh_next, dh_T, block)
            flush_to_zero(dh_next)
            for dh_t, da_t in zip(dh[::-1], da[::-1]):
                dh_t += dh_next  # the total gradient in h_t
                da_t *= dh_t  # (3)
                np.matmul(W_hT, da_t, out=dh_next)  # (6)
            dh_norms[steps, reviews] = norms(dh)

            # Steps side by side, so that one matrix product sums over all of them.
            da_rows[:] = da.swapaxes(0, 1)
            da = da_rows.reshape(H, k * n)
            inputs[:, :, :D] = xs[steps, reviews]
            inputs[:, :, D:-1] = block_hs[:-1].swapaxes(1, 2)  # h_prev
            inputs[:, :, -1] = 1
            dW += np.matmul(da, inputs.reshape(k * n, D + H + 1), out=dW_block)  # (4)
            dxs[steps, reviews] = np.matmul(da.T, params.W_x, out=dx).reshape(k, n, D)  # (5)
        dh0[blocks[0].reviews] = dh_next.T
        return dW

    dW = np.sum(in_parallel(backward, len(parts)), axis=0)
    dparams = RNNParams(dW[:, :D].copy(), dW[:, D:-1].copy(), dW[:, -1].copy())
    return RNNGradients(dxs, dparams, dh0, dh_norms)
