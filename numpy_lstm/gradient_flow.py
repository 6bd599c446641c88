"""How far the gradient reaches: its norm at every time step, and how fast it falls.

Always per review (an average of vectors would cancel), in float64 (float32 underflows after 75 to
150 steps of a vanishing gradient), before any clipping, and against the distance from the last
real step.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import Array, sigmoid
from numpy_lstm.classifier import classifier_backward, classifier_forward
from numpy_lstm.data.batches import Batch
from numpy_lstm.layers import Ints, Readout
from numpy_lstm.sequence import norms


class GradientNorms(NamedTuple):
    """Norms, per review, of the gradient of that review's own loss. NaN past its last step.

    Reviews stand in columns; row k is the step that lies k steps before the review's last one.
    """

    h: Array  # (T, N) in the hidden state
    c: Array | None  # (T, N) in the cell state; None for the vanilla RNN
    x: Array  # (T, N) in the input: the one that compares directly between cells


def record(
    parameters: dict[str, Array], batch: Batch, *, bag_size: int, readout: Readout
) -> GradientNorms:
    """Norms of the gradient at every step of every review, in float64.

    Parameters
    ----------
    parameters : dict of ndarray
        Of a classifier; computed with in float64, not changed.
    batch : Batch
        The weights are not used: each review's loss is its own cross-entropy, in nats.
    bag_size : int
    readout : {"last", "mean", "max", "meanmax"}

    Returns
    -------
    GradientNorms
    """
    exact = {
        name: array.astype(np.float64) for name, array in parameters.items() if name != "embedding"
    }
    # Only the rows that the batch uses: saves copying the whole table.
    used, tokens = np.unique(batch.tokens, return_inverse=True)
    exact["embedding"] = parameters["embedding"][used].astype(np.float64)
    logits, cache = classifier_forward(
        exact, tokens.reshape(batch.tokens.shape), batch.lengths, bag_size=bag_size, readout=readout
    )
    gradients = classifier_backward(sigmoid(logits) - batch.labels, cache)
    steps = -(-batch.lengths // bag_size)
    dx_norms = norms(gradients.dxs.swapaxes(1, 2))
    return GradientNorms(
        h=from_the_end(gradients.dh_norms, steps),
        c=None if gradients.dc_norms is None else from_the_end(gradients.dc_norms, steps),
        x=from_the_end(dx_norms, steps),
    )


def from_the_end(per_step: Array, lengths: Ints) -> Array:
    """Turn columns around: row k becomes the step k before the last; NaN where there is none.

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
    0.5 halves at every step, 1 does not vanish.

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
