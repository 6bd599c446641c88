"""The contribution of each word to the log-odds of a class: integrated gradients.

Sundararajan, M., Taly, A. and Yan, Q. (2017) 'Axiomatic attribution for deep networks',
Proceedings of the 34th International Conference on Machine Learning, PMLR 70, pp. 3319–3328.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.classifier import Classifier, Masks, classifier_backward, classifier_forward
from numpy_lstm.losses import log_odds, log_odds_backward
from numpy_lstm.types import Array, Ints

INTERVALS = 8  # of the line at the start; inaccurate ones are halved
HALVINGS = 9  # at most
TOLERANCE = 1e-3  # largest error of an interval, in log-odds


class Explanation(NamedTuple):
    """The log-odds of a class as the sum of a baseline and of a contribution per word."""

    baseline: float  # log-odds of a review of the same length with zero word vectors
    contributions: Array  # (L,) log-odds, positive towards the class


def explain(classifier: Classifier, tokens: Ints, label: int = 1) -> Explanation:
    """Integrate the gradient of log-odds along the straight line from zero to the word vectors.

    Implements Sundararajan, Taly and Yan (2017), eq. (1), by Gauss-Legendre quadrature with four
    points per interval. In each interval the contributions must add up to the change of the
    log-odds (completeness); otherwise, for example where a gate switches, the interval is halved.
    In a few reviews this is not enough: the caller should then show the residual.

    Parameters
    ----------
    classifier : Classifier
    tokens : ndarray of int, shape (L,)
        Word ids of one review.
    label : int
        The class, in 0 … C - 1. The log-odds of class 1 of two are the logit.

    Returns
    -------
    Explanation
    """
    used, rows = np.unique(tokens, return_inverse=True)
    few = {**classifier.parameters, "embedding": classifier.parameters["embedding"][used]}
    nodes, weights = np.polynomial.legendre.leggauss(4)
    edges = np.linspace(0, 1, INTERVALS + 1)
    starts, stops = edges[:-1], edges[1:]
    contributions = np.zeros(len(tokens))
    baseline = 0.0
    for halving in range(HALVINGS + 1):
        inner = (starts + stops + nodes[:, np.newaxis] * (stops - starts)) / 2  # (4, intervals)
        points = np.concatenate([starts, stops, inner.ravel()])
        values, slopes = _along_the_line(classifier._replace(parameters=few), rows, points, label)
        k = len(starts)
        if halving == 0:
            baseline = float(values[0])
        integrals = np.tensordot(weights, slopes[2 * k :].reshape(4, k, -1), axes=1)
        integrals *= (stops - starts)[:, np.newaxis] / 2  # (intervals, L)
        error = np.abs(integrals.sum(axis=1) - (values[k : 2 * k] - values[:k]))
        is_exact = (error <= TOLERANCE) | (halving == HALVINGS)
        contributions += integrals[is_exact].sum(axis=0)
        starts, stops = starts[~is_exact], stops[~is_exact]
        if len(starts) == 0:
            break
        middles = (starts + stops) / 2
        starts, stops = np.append(starts, middles), np.append(middles, stops)
    return Explanation(baseline, contributions)


def _along_the_line(
    classifier: Classifier, tokens: Ints, points: Array, label: int
) -> tuple[Array, Array]:
    """Log-odds at points of the line from the baseline (0) to the review (1), and their slopes.

    Returns
    -------
    values : ndarray, shape (P,)
    slopes : ndarray, shape (P, L)
        Derivative of each value along the line, by word.
    """
    parameters, bag_size, _ = classifier
    L, P = len(tokens), len(points)
    scale = points[:, np.newaxis].astype(parameters["W_h"].dtype)
    # All points are one batch: copies of the review, scaled by a dropout mask.
    logits, cache = classifier_forward(
        classifier,
        np.repeat(tokens[:, np.newaxis], P, axis=1),
        np.full(P, L),
        Masks(inputs=scale, features=np.ones_like(scale)),
    )
    dxs = classifier_backward(log_odds_backward(logits, label), cache).dxs
    dxs = dxs / np.where(scale > 0, scale, 1)  # the mask's backward has multiplied by it
    step = np.arange(L) // bag_size
    vectors = parameters["embedding"][tokens] / np.bincount(step)[step, np.newaxis]
    slopes = np.empty((P, L))
    for k in range(0, L, bag_size):  # one bag at a time, so that memory never holds all L P vectors
        slopes[:, k : k + bag_size] = dxs[k // bag_size] @ vectors[k : k + bag_size].T
    return log_odds(logits, label).astype(np.float64), slopes
