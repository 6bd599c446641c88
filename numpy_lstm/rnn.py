"""The vanilla RNN over whole sequences: forward, and backpropagation through time.

The same equations as :func:`numpy_lstm.cells.rnn_step`, arranged for speed; read this file beside
:mod:`numpy_lstm.lstm`, which has the same skeleton. Inside, a minibatch stands in columns, so that
a step reads as in the papers: ``W_h @ h``. In shapes, T is steps, N reviews, D inputs, H hidden
units, and n the reviews that still run.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import Array, RNNParams
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


class RNNCache(NamedTuple):
    """What :func:`rnn_backward` needs. Only inputs and states: tanh' comes from h_t itself."""

    params: RNNParams
    parts: list[Part]
    xs: Array  # (T, N, D) the caller's own: leave it as it is until the backward pass is done
    states: list[list[Array]]  # of each part and stair, h_prev: (k + 1, H, n)


class RNNOutput(NamedTuple):
    """What :func:`rnn_forward` returns."""

    hs: Array  # (T, N, H)
    h_T: Array  # (N, H)
    cache: RNNCache


class RNNGradients(NamedTuple):
    """What :func:`rnn_backward` returns."""

    dxs: Array  # (T, N, D)
    dparams: RNNParams
    dh0: Array  # (N, H)
    dh_norms: Array  # (T, N)


def rnn_forward(
    xs: Array, params: RNNParams, lengths: object = None, h0: Array | None = None
) -> RNNOutput:
    """Run a vanilla RNN over a batch of sequences.

    Implements Elman (1990), report eqs. (1) and (2), with tanh.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is the papers' x_{t+1}. float32, float64, or complex128 for
        the complex-step check.
    params : RNNParams
        Weights, of the same dtype.
    lengths : array of int, shape (N,), optional
        Steps of each review, in 1 … T and any order; all T if left out. What stands in `xs` past a
        review's length has no effect.
    h0 : ndarray, shape (N, H), optional
        Initial hidden states; zero if left out.

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
    dtype = check_sequence(xs, params, 1, {"h0": h0})
    (T, N, D), H = xs.shape, params.W_h.shape[1]
    W_x, W_h, b = (array.astype(dtype, copy=False) for array in params)
    # The bias as a last column, to be multiplied by 1: saves a pass over all pre-activations.
    W_xb = np.concatenate([W_x, b[:, np.newaxis]], axis=1)
    hs, h_T = np.zeros((T, N, H), dtype), np.empty((N, H), dtype)

    def forward(part: Part, workspace: Workspace) -> list[Array]:
        h = np.zeros((H, part.width), dtype)
        if h0 is not None:
            h[:] = h0[part.columns].T
        states = []
        for stair in part.stairs:
            length, n = stair.stop - stair.start, stair.width
            s = np.empty((length + 1, H, n), dtype)
            s[0] = h[:, :n]
            W_h_pieces = in_pieces(W_h, n)
            from_h = workspace("from_h", (H, n), dtype)
            from_h_pieces = from_h.reshape(*W_h_pieces.shape[:-1], n)
            for block in blocks(stair):
                first, last = block.start - stair.start, block.stop - stair.start
                x1 = workspace("x1", (last - first, D + 1, n), dtype)
                x1[:, :D] = xs[block.start : block.stop, stair.columns].swapaxes(1, 2)
                x1[:, D] = 1
                project(W_xb, x1, out=s[first + 1 : last + 1])  # all steps at once
                for h_prev, h_t in zip(s[first:last], s[first + 1 : last + 1]):
                    np.matmul(W_h_pieces, h_prev, out=from_h_pieces)
                    h_t += from_h  # (1)
                    np.tanh(h_t, out=h_t)  # (2)
            h = s[-1]
            hs[stair.start : stair.stop, stair.columns] = s[1:].swapaxes(1, 2)
            h_T[stair.columns] = h.T  # of those that end here, for good
            states.append(s)
        return states

    parts = lay_out(check_lengths(lengths, T, N), H)
    return RNNOutput(hs, h_T, RNNCache(params, parts, xs, each(forward, parts)))


def rnn_backward(
    cache: RNNCache, dhs: Array | None = None, dh_T: Array | None = None
) -> RNNGradients:
    """Backpropagate through time (Werbos, 1990), report eqs. (3) to (6).

    Parameters
    ----------
    cache : RNNCache
        From :func:`rnn_forward`; it is not changed.
    dhs : ndarray, shape (T, N, H), optional
        Gradient of a scalar loss in `hs`; what stands past a review's length has no effect.
    dh_T : ndarray, shape (N, H), optional
        Gradient of the loss in `h_T`. Both add up; either may be left out.

    Returns
    -------
    dxs : ndarray, shape (T, N, D)
        Exactly 0 past a review's length.
    dparams : RNNParams
        Summed over steps and reviews.
    dh0 : ndarray, shape (N, H)
    dh_norms : ndarray, shape (T, N)
        Euclidean norm, per review, of the total gradient of the loss in h_{t+1}: all later paths
        included, nothing clipped; 0 past the length.

    Raises
    ------
    ValueError
        If a shape or a dtype does not fit.
    """
    params, parts, xs, states = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], states[0][0].dtype
    check_real(dtype)
    check_gradient("dhs", dhs, (T, N, H), dtype)
    check_gradient("dh_T", dh_T, (N, H), dtype)

    W_x, W_hT = params.W_x, np.ascontiguousarray(params.W_h.T)
    dxs, dh0 = np.zeros((T, N, D), dtype), np.empty((N, H), dtype)
    dh_norms = np.zeros((T, N), dtype)

    def backward(number: int, workspace: Workspace) -> RNNParams:
        part = parts[number]
        dW_x, dW_h, db = dparams = RNNParams(*map(np.zeros_like, params))
        dh = np.empty((H, 0), dtype)
        for stair, s in zip(part.stairs[::-1], states[number][::-1], strict=True):
            n = stair.width
            dh = widen(dh, dh_T, stair, part)
            W_hT_pieces = in_pieces(W_hT, n)
            dh_pieces = dh.reshape(*W_hT_pieces.shape[:-1], n)
            for block in reversed(blocks(stair)):
                k, first = len(block), block.start - stair.start
                steps = slice(block.start, block.stop)
                dh_total = workspace("dh_total", (k, H, n), dtype)
                dh_total[:] = 0 if dhs is None else dhs[steps, stair.columns].swapaxes(1, 2)
                # This starts as a derivative within a step, and becomes a gradient of the loss.
                da = workspace("d", (k, H, n), dtype)
                h = s[first + 1 : first + k + 1]
                np.multiply(h, h, out=da)
                np.subtract(1, da, out=da)
                for dh_t, da_t in zip(dh_total[::-1], da[::-1]):
                    dh_t += dh
                    da_t *= dh_t  # (3)
                    np.matmul(W_hT_pieces, da_t, out=dh_pieces)  # (6)

                x = workspace("x", (k, n, D), dtype)
                x[:] = xs[steps, stair.columns]
                x = x.reshape(k * n, D)
                h_prev = side_by_side(s[first : first + k], workspace("h_prev", (H, k * n), dtype))
                da = side_by_side(da, workspace("da", (H, k * n), dtype))
                dW_x += np.matmul(da, x, out=workspace("dW_x", dW_x.shape, dtype))  # (4)
                dW_h += np.matmul(da, h_prev.T, out=workspace("dW_h", dW_h.shape, dtype))
                db += da.sum(axis=1)
                dx = np.matmul(da.T, W_x, out=workspace("dx", (k * n, D), dtype))  # (5)
                dxs[steps, stair.columns] = dx.reshape(k, n, D)
                dh_norms[steps, stair.columns] = norms(dh_total)
        dh0[part.columns] = dh.T
        return dparams

    of_parts = each(backward, range(len(parts)))
    dparams = RNNParams(*(sum(arrays) for arrays in zip(*of_parts)))
    return RNNGradients(dxs, dparams, dh0, dh_norms)
