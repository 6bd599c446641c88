"""Norm of the gradient at every time step, and its decay with the distance from the last step.

Hochreiter (1991) and Bengio, Simard and Frasconi (1994) showed that it decays or grows
exponentially. Norms are taken per review (in an average, gradients would cancel), before any
clipping, and in float64: float32 has nothing between 0 and 1e-45.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm import bptt
from numpy_lstm.cells import RNNParams
from numpy_lstm.classifier import (
    Classifier,
    Gradients,
    loss_and_gradients,
)
from numpy_lstm.layers import bag_forward
from numpy_lstm.lstm import lstm_backward, lstm_forward
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.recurrent import Params, cell_of
from numpy_lstm.rnn import rnn_backward, rnn_forward
from numpy_lstm.types import Array, Batch, Ints


class GradientNorms(NamedTuple):
    """Norms of the gradient of each review's own loss.

    A column is a review; row k is k steps before its last step, NaN if there is no such step.
    """

    h: Array  # (T, N) in the hidden state
    c: Array | None  # (T, N) in the cell state; None for the vanilla RNN
    x: Array  # (T, N) in the input: the one that can be compared between the cells


def record(
    classifier: Classifier, batch: Batch, gradients_of: Gradients = loss_and_gradients
) -> GradientNorms:
    """Norms of the gradient at every step of every review, in float64.

    Parameters
    ----------
    classifier : Classifier
        Not changed; the computation is in float64.
    batch : Batch
        The weights are not used: each review's loss is its own cross-entropy, in nats.
    gradients_of : callable
        As of :func:`numpy_lstm.training.train`.

    Returns
    -------
    GradientNorms
    """
    exact, tokens = _in_float64(classifier, batch)
    each = batch._replace(tokens=tokens, weights=np.ones(len(batch.labels)))
    _, _, gradients = gradients_of(exact, each, None)
    steps = -(-batch.lengths // classifier.bag_size)
    dx_norms = norms(gradients.dxs.swapaxes(1, 2))
    return GradientNorms(
        h=from_the_end(gradients.dh_norms, steps),
        c=None if gradients.dc_norms is None else from_the_end(gradients.dc_norms, steps),
        x=from_the_end(dx_norms, steps),
    )


def from_the_end(per_step: Array, lengths: Ints) -> Array:
    """Reverse each column: row k becomes the step k before the last; NaN where there is none.

    Parameters
    ----------
    per_step : ndarray, shape (T, N)
        Row t belongs to step t + 1.
    lengths : ndarray of int, shape (N,)

    Examples
    --------
    >>> from_the_end(np.array([[1.0, 4.0], [2.0, 0.0], [3.0, 0.0]]), np.array([3, 1]))
    array([[ 3.,  4.],
           [ 2., nan],
           [ 1., nan]])
    """
    step = lengths - 1 - np.arange(len(per_step))[:, np.newaxis]
    turned = np.take_along_axis(per_step, np.maximum(step, 0), axis=0)
    return np.where(step >= 0, turned, np.nan)


def decay_per_step(by_distance: Array) -> float:
    """Factor by which the median norm changes with each step further from the end.

    The slope of a straight line fitted to log(median norm) against the distance, by least squares:
    0.5 halves the norm at every step, 1 keeps it.

    Parameters
    ----------
    by_distance : ndarray, shape (T, N)
        Norms, row k at distance k; NaN where there is none.

    Returns
    -------
    float
        NaN if fewer than two distances have a positive median.

    Examples
    --------
    >>> round(decay_per_step(0.5 ** np.arange(10.0)[:, np.newaxis]), 12)
    0.5
    """
    median = np.nanmedian(by_distance, axis=1)
    distance = np.flatnonzero(median > 0)
    if len(distance) < 2:
        return float("nan")
    slope, _ = np.polyfit(distance, np.log(median[distance]), 1)
    return float(np.exp(slope))


def ratio_at(by_distance: Array, distance: int) -> float:
    """Norm at a distance from the last step over the norm at the last step; the reviews' median.

    Unlike :func:`decay_per_step` it asks of each review what is left of its own gradient.

    Parameters
    ----------
    by_distance : ndarray, shape (T, N)
        Norms, row k at distance k; NaN where there is none.
    distance : int
        Steps, at least 0.

    Returns
    -------
    float
        NaN if no review is that long, or none has a positive norm at its last step.

    Examples
    --------
    >>> ratio_at(np.array([[1.0, 4.0], [0.5, 3.0], [0.25, np.nan]]), 2)
    0.25
    """
    if distance >= len(by_distance):
        return float("nan")
    last, before = by_distance[0], by_distance[distance]
    usable = (last > 0) & np.isfinite(last) & np.isfinite(before)
    return float(np.median(before[usable] / last[usable])) if usable.any() else float("nan")


class Diagnostics(NamedTuple):
    """Quantities on which the gradient depends in theory."""

    spectral_radius: float  # of W_h; for the LSTM, of the candidate's block
    largest_singular_value: float  # of the same
    saturated: float  # share of units: |h| above 0.95, or a gate within 0.05 of 0 or 1
    forget_product: Array | None  # (T,) mean over reviews and units of f_T ... f_{T-k+1}


def diagnose(classifier: Classifier, batch: Batch) -> Diagnostics:
    """Spectrum of the recurrent weights, saturation, and the forget gates' products.

    Parameters
    ----------
    classifier : Classifier
        Not changed; the computation is in float64.
    batch : Batch
        Reviews of the same length.

    Returns
    -------
    Diagnostics
    """
    xs, params = _recurrence(classifier, batch)
    H = params.W_h.shape[1]
    product = None
    if isinstance(params, RNNParams):
        square = params.W_h
        saturated = float((abs(rnn_forward(xs, params).hs) > 0.95).mean())
    else:
        square = params.W_h[2 * H : 3 * H]
        zeros = np.zeros((xs.shape[1], H))
        steps = bptt.lstm_forward(xs, params, zeros, zeros).cache
        gates = np.array([(step.i_t, step.f_t, step.o_t) for step in steps])
        saturated = float((abs(gates - 0.5) > 0.45).mean())
        # At distance 0, the last step itself, the product has no factor.
        log_f = np.log(gates[:0:-1, 1]).cumsum(axis=0)
        product = np.concatenate([[1.0], np.exp(log_f).mean(axis=(1, 2))])
    return Diagnostics(
        spectral_radius=float(abs(np.linalg.eigvals(square)).max()),
        largest_singular_value=float(np.linalg.norm(square, 2)),
        saturated=saturated,
        forget_product=product,
    )


def jacobian_singular_values(classifier: Classifier, batch: Batch, lag: int) -> Array:
    """Singular values of the Jacobian of the last state in the state `lag` steps before.

    The state is h for the vanilla RNN, (h, c) for the LSTM. The Jacobian of the batch's first
    review takes one backward pass over copies of the review, one per row. The logarithm of a
    singular value, divided by `lag`, tends to a Lyapunov exponent (Vogt et al., 2022).

    Parameters
    ----------
    classifier : Classifier
        Not changed; the computation is in float64.
    batch : Batch
    lag : int
        Steps, at least 1 and fewer than the batch has.

    Returns
    -------
    ndarray, shape (H,) or (2H,)
        Largest first.

    Raises
    ------
    ValueError
        If `lag` is out of its range.
    """
    xs, params = _recurrence(classifier, batch)
    H = params.W_h.shape[1]
    if not isinstance(lag, (int, np.integer)) or not 1 <= lag < len(xs):
        raise ValueError(
            f"`lag` must be a whole number in 1 … {len(xs) - 1}, as the batch has {len(xs)} steps;"
            f" got {lag!r}."
        )
    before, after = xs[:-lag, :1], xs[-lag:, :1]
    if isinstance(params, RNNParams):
        h = rnn_forward(before, params).h_T
        copies = rnn_forward(np.repeat(after, H, axis=1), params, h0=np.repeat(h, H, axis=0))
        jacobian = rnn_backward(copies.cache, dh_T=np.eye(H)).dh0
    else:
        _, h, c, _ = lstm_forward(before, params)
        h, c = np.repeat(h, 2 * H, axis=0), np.repeat(c, 2 * H, axis=0)
        copied = lstm_forward(np.repeat(after, 2 * H, axis=1), params, h0=h, c0=c)
        units = np.eye(2 * H)
        g = lstm_backward(
            copied.cache,
            dh_T=np.ascontiguousarray(units[:, :H]),
            dc_T=np.ascontiguousarray(units[:, H:]),
        )
        jacobian = np.concatenate([g.dh0, g.dc0], axis=1)
    values: Array = np.linalg.svd(jacobian, compute_uv=False)
    return values


def _recurrence(classifier: Classifier, batch: Batch) -> tuple[Array, Params]:
    """Inputs of the recurrence and its weights, in float64."""
    (parameters, bag_size, _), tokens = _in_float64(classifier, batch)
    xs, _, _ = bag_forward(tokens, batch.lengths, parameters["embedding"], bag_size)
    return xs, cell_of(parameters)


def _in_float64(classifier: Classifier, batch: Batch) -> tuple[Classifier, Ints]:
    """The classifier in float64 with only the batch's word vectors, and the new token ids."""
    used, tokens = np.unique(batch.tokens, return_inverse=True)
    few = {**classifier.parameters, "embedding": classifier.parameters["embedding"][used]}
    exact = {name: array.astype(np.float64) for name, array in few.items()}
    return classifier._replace(parameters=exact), tokens.reshape(batch.tokens.shape)
