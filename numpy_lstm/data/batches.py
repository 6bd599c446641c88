"""Reviews into minibatches: time first, longest review first, of like lengths."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from numpy_lstm.data.corpus import Reviews
from numpy_lstm.types import Batch, Ints

POOL = 32  # batches that are sorted together


def length_buckets(
    lengths: Ints, batch_size: int, *, rng: np.random.Generator
) -> list[NDArray[np.intp]]:
    """Deal all reviews into batches of like lengths, in random order.

    The reviews are shuffled, then sorted by length within pools of 32 batches. So a batch wastes
    next to nothing on the differences of its lengths, and still no two epochs have the same
    batches.

    Parameters
    ----------
    lengths : ndarray of int, shape (n,)
    batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    list of ndarray of int
        Each review's index stands in exactly one batch; the last of them may be smaller.
    """
    shuffled = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(shuffled), POOL * batch_size):
        pool = shuffled[start : start + POOL * batch_size]
        pool = pool[np.argsort(-lengths[pool], kind="stable")]
        batches += [pool[k : k + batch_size] for k in range(0, len(pool), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def by_length(lengths: Ints, batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Batches for scoring: all reviews once, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def make_batch(reviews: Reviews, indices: NDArray[np.intp]) -> Batch:
    """Lay out the reviews at `indices`, which need not be sorted, beside each other."""
    lengths = reviews.lengths[indices]
    order = np.argsort(-lengths, kind="stable")
    indices, lengths = indices[order], lengths[order]
    steps = np.arange(lengths[0])[:, np.newaxis]
    running = steps < lengths
    tokens = np.zeros(running.shape, reviews.tokens.dtype)
    tokens[running] = reviews.tokens[(reviews.starts[indices] + steps)[running]]
    weights = np.full(len(indices), 1 / len(indices), np.float32)
    if reviews.weights is not None:
        weights *= reviews.weights[indices]
    return Batch(tokens, lengths, reviews.labels[indices], weights)
