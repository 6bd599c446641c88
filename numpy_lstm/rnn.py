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


class RNNCache(NamedTuple):
    """What :func:`rnn_backward` needs. Only inputs and states: tanh' comes from h_t itself."""

    params: RNNParams
    layout: Layout
    xs: Array  # (T, N, D) the caller's own: leave it as it is until the backward pass is done
    states: list[Array]  # a stair's h_prev: (k + 1, H, n)


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
    (T, N, _), H = xs.shape, params.W_h.shape[1]
    layout = lay_out(check_lengths(lengths, T, N))
    W_x, W_h, b = (array.astype(dtype, copy=False) for array in params)

    hs = np.zeros((T, N, H), dtype)
    h_T = np.empty((N, H), dtype)
    h = np.zeros((H, N), dtype)
    if h0 is not None:
        h[:] = h0[layout.order].T
    states = []
    for stair in layout.stairs:
        n = stair.width
        s = np.empty((stair.stop - stair.start + 1, H, n), dtype)
        s[0] = h[:, :n]
        h_part = np.empty((H, n), dtype)

        def project(block: range, stair: Stair = stair, s: Array = s) -> range:
            """The inputs' part of a_t, for all steps of a block at once, put where h_t will be."""
            a = s[block.start - stair.start + 1 : block.stop - stair.start + 1]
            x = xs[block.start : block.stop, stair.columns].swapaxes(1, 2)
            np.matmul(W_x, x, out=a)
            a += b[:, np.newaxis]
            return block

        for block in ahead(project, blocks(stair), worthwhile=H * n >= WORTHWHILE):
            for t in range(block.start - stair.start, block.stop - stair.start):
                h_t = s[t + 1]
                np.matmul(W_h, s[t], out=h_part)
                h_t += h_part  # (1)
                np.tanh(h_t, out=h_t)  # (2)
        h = s[-1]
        hs[stair.start : stair.stop, stair.columns] = s[1:].swapaxes(1, 2)
        h_T[layout.order[:n]] = h.T
        states.append(s)
    return RNNOutput(hs, h_T, RNNCache(params, layout, xs, states))


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
    params, layout, xs, states = cache
    (T, N, D), H, dtype = xs.shape, params.W_h.shape[1], states[0].dtype
    check_real(dtype)
    check_gradient("dhs", dhs, (T, N, H), dtype)
    check_gradient("dh_T", dh_T, (N, H), dtype)

    W_hT = np.ascontiguousarray(params.W_h.T)
    dxs = np.zeros((T, N, D), dtype)
    dparams = RNNParams(*(np.zeros_like(array) for array in params))
    dh_norms = np.zeros((T, N), dtype)
    dh = np.empty((H, 0), dtype)

    with Later(worthwhile=H * N >= WORTHWHILE) as later:
        for stair, s in zip(reversed(layout.stairs), reversed(states), strict=True):
            dh = widen(dh, dh_T, stair, layout.order)
            for block in reversed(blocks(stair)):
                k, first = len(block), block.start - stair.start
                h = s[first + 1 : first + k + 1]
                dtanh = 1 - h * h

                dh_total = gather(dhs, block, stair, H, dtype)
                da = np.empty_like(dh_total)
                for t in reversed(range(k)):
                    dh_total[t] += dh
                    np.multiply(dh_total[t], dtanh[t], out=da[t])  # (3)
                    np.matmul(W_hT, da[t], out=dh)  # (6)

                steps = slice(block.start, block.stop)
                x = xs[steps, stair.columns]
                later(add_weight_gradients, dparams, da, s[first : first + k], x)  # (4)
                dxs[steps, stair.columns] = np.matmul(da.swapaxes(1, 2), params.W_x)  # (5)
                dh_norms[steps, stair.columns] = norms(dh_total)

    dh0 = np.empty((N, H), dtype)
    dh0[layout.order] = dh.T
    return RNNGradients(dxs, dparams, dh0, dh_norms)
