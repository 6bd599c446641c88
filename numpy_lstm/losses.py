"""Losses, in nats, and their gradients, each forward pass followed by its backward pass.

Every loss is a mean over the N reviews of the batch, weighted if `weights` is given.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import sigmoid
from numpy_lstm.recurrence.checks import check_array
from numpy_lstm.types import Array, Ints


class LossCache(NamedTuple):
    """Values for the backward pass of a loss."""

    outputs: Array  # (N,) or (N, C)
    targets: Array | Ints  # (N,)
    weights: Array  # (N,) adding up to 1


def binary_cross_entropy(
    logits: Array, labels: Ints, weights: Array | None = None
) -> tuple[float, LossCache]:
    """Negative log-likelihood of labels 0 and 1 under the probabilities sigmoid(logits).

    Computed from the logits, as -log sigmoid(z) = log(1 + exp(-z)) with an exponent that is never
    positive: accurate for any logit, unlike the log of a rounded probability.

    Parameters
    ----------
    logits : ndarray, shape (N,)
        Log-odds of label 1.
    labels : ndarray of int, shape (N,)
        0 or 1.
    weights : ndarray, shape (N,), optional
        Weight of each review, not negative, with sum 1; 1 / N each if omitted.

    Returns
    -------
    loss : float (complex if the logits are)
        Nats per review.
    cache : LossCache

    Examples
    --------
    >>> loss, _ = binary_cross_entropy(np.array([0.0, 1000.0]), np.array([1, 0]))
    >>> float(loss.round(4))
    500.3466
    """
    weights = _weights(weights, logits, labels)
    if not ((labels == 0) | (labels == 1)).all():
        raise ValueError(f"`labels` must be 0 or 1; got {np.unique(labels)}.")
    against = np.where(labels == 1, -logits, logits)  # log-odds of the wrong label
    # max(z, 0) + log(1 + exp(-|z|)), written without max and abs so that it is analytic.
    positive = against.real > 0
    losses = np.where(positive, against, 0) + np.log1p(
        np.exp(np.where(positive, -against, against))
    )
    return (weights * losses).sum(), LossCache(logits, labels, weights)


def binary_cross_entropy_backward(cache: LossCache) -> Array:
    """Gradient of :func:`binary_cross_entropy` in the logits.

    Parameters
    ----------
    cache : LossCache
        From :func:`binary_cross_entropy`; it is not changed.

    Returns
    -------
    dlogits : ndarray, shape (N,)
    """
    logits, labels, weights = cache
    return weights * (sigmoid(logits) - labels.astype(logits.dtype))


def softmax_cross_entropy(
    logits: Array, labels: Ints, weights: Array | None = None
) -> tuple[float, LossCache]:
    """Negative log-likelihood of labels 0 … C - 1 under softmax(logits).

    Parameters
    ----------
    logits : ndarray, shape (N, C)
    labels : ndarray of int, shape (N,)
    weights : ndarray, shape (N,), optional
        Weight of each review, not negative, with sum 1; 1 / N each if omitted.

    Returns
    -------
    loss : float (complex if the logits are)
        Nats per review.
    cache : LossCache
    """
    weights = _weights(weights, logits, labels)
    classes = logits.shape[1]
    if labels.dtype.kind not in "iu" or labels.min() < 0 or labels.max() >= classes:
        raise ValueError(
            f"`labels` must be whole numbers in 0 … {classes - 1}; got {np.unique(labels)}."
        )
    log_p = _log_softmax(logits)
    return -(weights * log_p[np.arange(len(labels)), labels]).sum(), LossCache(
        logits, labels, weights
    )


def softmax_cross_entropy_backward(cache: LossCache) -> Array:
    """Gradient of :func:`softmax_cross_entropy` in the logits.

    Parameters
    ----------
    cache : LossCache
        From :func:`softmax_cross_entropy`; it is not changed.

    Returns
    -------
    dlogits : ndarray, shape (N, C)
    """
    logits, labels, weights = cache
    dlogits = np.exp(_log_softmax(logits))
    dlogits[np.arange(len(labels)), labels] -= 1
    return weights[:, np.newaxis] * dlogits


def cross_entropy(
    logits: Array, labels: Ints, weights: Array | None = None
) -> tuple[float, LossCache]:
    """:func:`binary_cross_entropy` or :func:`softmax_cross_entropy`, by the shape of the logits.

    Parameters
    ----------
    logits : ndarray, shape (N,), or (N, C) for more than two classes
    labels : ndarray of int, shape (N,)
    weights : ndarray, shape (N,), optional
        Weight of each review, not negative, with sum 1; 1 / N each if omitted.

    Returns
    -------
    loss : float
        Nats per review.
    cache : LossCache
    """
    entropy = binary_cross_entropy if logits.ndim == 1 else softmax_cross_entropy
    return entropy(logits, labels, weights)


def cross_entropy_backward(cache: LossCache) -> Array:
    """Gradient of :func:`cross_entropy` in the logits.

    Parameters
    ----------
    cache : LossCache
        From :func:`cross_entropy`; it is not changed.

    Returns
    -------
    dlogits : ndarray, shape (N,) or (N, C)
    """
    binary = cache.outputs.ndim == 1
    return (binary_cross_entropy_backward if binary else softmax_cross_entropy_backward)(cache)


def class_probabilities(logits: Array) -> Array:
    """Probability of each class.

    Parameters
    ----------
    logits : ndarray, shape (N,), or (N, C) for more than two classes

    Returns
    -------
    ndarray, shape (N, C)
    """
    if logits.ndim == 1:
        positive = sigmoid(logits)
        return np.column_stack([1 - positive, positive])
    probabilities: Array = np.exp(_log_softmax(logits))
    return probabilities


def likeliest(logits: Array) -> Ints:
    """The class of the largest probability; of two that are equal, the first.

    Parameters
    ----------
    logits : ndarray, shape (N,), or (N, C) for more than two classes

    Returns
    -------
    ndarray of int, shape (N,)
    """
    return (logits > 0).astype(np.intp) if logits.ndim == 1 else logits.argmax(axis=1)


def log_odds(logits: Array, label: int) -> Array:
    """Log-odds of one class, log(p / (1 - p)).

    Parameters
    ----------
    logits : ndarray, shape (N,), or (N, C) for more than two classes
    label : int
        The class, in 0 … C - 1. The log-odds of class 1 of two are the logits.

    Returns
    -------
    ndarray, shape (N,)
    """
    if logits.ndim == 1:
        return logits if label == 1 else -logits
    return logits[:, label] - _log_sum_exp(np.delete(logits, label, axis=1))[:, 0]


def log_odds_backward(logits: Array, label: int) -> Array:
    """Gradient of the sum of :func:`log_odds` in the logits.

    Parameters
    ----------
    logits : ndarray, shape (N,) or (N, C)
    label : int

    Returns
    -------
    dlogits : ndarray, shape (N,) or (N, C)
    """
    if logits.ndim == 1:
        return np.full_like(logits, 1 if label == 1 else -1)
    others = np.delete(logits, label, axis=1)
    return np.insert(-np.exp(others - _log_sum_exp(others)), label, 1, axis=1)


def squared_error(
    outputs: Array, targets: Array, weights: Array | None = None
) -> tuple[float, LossCache]:
    """Squared error of N numbers: ``(outputs - targets)**2``, without a half.

    Parameters
    ----------
    outputs, targets : ndarray, shape (N,)
    weights : ndarray, shape (N,), optional
        Weight of each number, not negative, with sum 1; 1 / N each if omitted.

    Returns
    -------
    loss : float (complex if the outputs are)
        In the squared unit of the targets, not in nats.
    cache : LossCache

    Examples
    --------
    >>> float(squared_error(np.array([1.0, 2.0]), np.array([1.0, 4.0]))[0])
    2.0
    """
    weights = _weights(weights, outputs, targets)
    return (weights * (outputs - targets) ** 2).sum(), LossCache(outputs, targets, weights)


def squared_error_backward(cache: LossCache) -> Array:
    """Gradient of :func:`squared_error` in the outputs.

    Parameters
    ----------
    cache : LossCache
        From :func:`squared_error`; it is not changed.

    Returns
    -------
    doutputs : ndarray, shape (N,)
    """
    outputs, targets, weights = cache
    return 2 * weights * (outputs - targets)


def _weights(weights: Array | None, outputs: Array, targets: Array) -> Array:
    """The weights, or equal ones; shapes that do not fit would be broadcast in silence."""
    check_array("outputs", outputs)
    N = len(outputs)
    if weights is None:
        weights = np.full(N, 1 / N, outputs.real.dtype)
    for name, array in {"targets": targets, "weights": weights}.items():
        check_array(name, array)
        if array.shape != (N,):
            raise ValueError(f"`{name}` must have shape (N={N},); got {array.shape}.")
    return weights


def _log_softmax(logits: Array) -> Array:
    # A shift of all logits does not change softmax; with the largest at 0, exp cannot overflow.
    shifted = logits - logits.real.max(axis=1, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=1, keepdims=True))


def _log_sum_exp(logits: Array) -> Array:
    return logits[:, :1] - _log_softmax(logits)[:, :1]
