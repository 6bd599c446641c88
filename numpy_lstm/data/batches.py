"""Batches of reviews of similar lengths: time first, the longest review first."""

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
    """Divide all reviews into batches of similar lengths, in random order.

    The reviews are shuffled, then sorted by length within pools of 32 batches. So lengths differ
    little within a batch, and batches still differ between epochs.

    Parameters
    ----------
    lengths : ndarray of int, shape (n,)
    batch_size : int
    rng : numpy.random.Generator

    Returns
    -------
    list of ndarray of int
        Each review is in exactly one batch; one batch may be smaller.
    """
    shuffled = rng.permutation(len(lengths))
    batches = []
    for start in range(0, len(shuffled), POOL * batch_size):
        pool = shuffled[start : start + POOL * batch_size]
        pool = pool[np.argsort(-lengths[pool], kind="stable")]
        batches += [pool[k : k + batch_size] for k in range(0, len(pool), batch_size)]
    return [batches[k] for k in rng.permutation(len(batches))]


def by_length(lengths: Ints, batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Batches for evaluation: all reviews once, the longest first."""
    order = np.argsort(-lengths, kind="stable")
    for start in range(0, len(order), batch_size):
        yield order[start : start + batch_size]


def make_batch(reviews: Reviews, indices: NDArray[np.intp]) -> Batch:
    """The batch of the reviews at `indices`, which need not be sorted."""
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
