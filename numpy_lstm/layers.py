"""Layers before and after the recurrence, each forward pass followed by its backward pass.

:func:`bag_forward` turns word ids into the inputs of the recurrence, :func:`readout_forward` turns
its hidden states into features, :func:`affine_forward` turns features into logits. Dropout masks
are drawn separately, so that a gradient check can keep them fixed.

In shapes, L is the number of words, T of steps, N of reviews, V of words in the vocabulary, D of
numbers in a word vector, H of hidden units.
"""

from __future__ import annotations

import numbers
from typing import Any, NamedTuple, get_args

import numpy as np
from numpy.typing import DTypeLike, NDArray

from numpy_lstm.recurrence.checks import check_lengths
from numpy_lstm.types import Array, Ints, Readout

RARE = 16  # uses in a batch: a word with more is a frequent one


class RowGradient(NamedTuple):
    """Gradient of a table, stored only for the rows that were used; it is zero elsewhere."""

    rows: Ints  # (R,) distinct, ascending
    values: Array  # (R, D)


# --- bag of embeddings -----------------------------------------------------------------------


class BagCache(NamedTuple):
    """Words of a batch, and the number of words in each bag."""

    tokens: Ints  # (L, N)
    running: NDArray[np.bool_]  # (L, N) True where a word is real
    counts: Array  # (T, N, 1) real words in a bag, at least 1
    bag_size: int


def bag_forward(
    tokens: Ints, lengths: Ints, table: Array, bag_size: int = 1
) -> tuple[Array, Ints, BagCache]:
    """Look up word vectors, and average `bag_size` consecutive ones into one time step.

    With `bag_size` 1 this is the usual embedding layer; with a bag as long as the longest review it
    is the order-free bag of embeddings. Only real words are averaged.

    Parameters
    ----------
    tokens : ndarray of int, shape (L, N)
        Word ids in 0 … V - 1, time first; values past a review's length have no effect.
    lengths : ndarray of int, shape (N,)
        Words of each review, in 1 … L.
    table : ndarray, shape (V, D)
        Word vectors.
    bag_size : int
        Words in a bag, at least 1. The last bag of a review may hold fewer.

    Returns
    -------
    xs : ndarray, shape (T, N, D)
        One average per step, T = ceil(L / bag_size); 0 past a review's last bag.
    steps : ndarray of int, shape (N,)
        Bags of each review: the `lengths` for the recurrence.
    cache : BagCache
        For :func:`bag_backward`.

    Raises
    ------
    ValueError
        If an id, a length or `bag_size` is out of its range or not a whole number.

    Examples
    --------
    >>> table = np.array([[0.0], [1.0], [2.0], [4.0]])
    >>> xs, steps, _ = bag_forward(np.array([[1], [3], [2]]), np.array([3]), table, bag_size=2)
    >>> xs.ravel(), steps
    (array([2.5, 2. ]), array([2]))
    """
    L, N = tokens.shape if isinstance(tokens, np.ndarray) and tokens.ndim == 2 else (0, 0)
    if not L * N or tokens.dtype.kind not in "iu":
        raise ValueError(f"`tokens` must be whole numbers of shape (L, N); got {_what(tokens)}.")
    if not isinstance(bag_size, (int, np.integer)) or bag_size < 1:
        raise ValueError(f"`bag_size` must be a positive whole number; got {bag_size!r}.")
    lengths = check_lengths(lengths, L, N)
    T = -(-L // bag_size)
    running = np.arange(L)[:, np.newaxis] < lengths
    used = np.where(running, tokens, 0)
    if used.min() < 0 or used.max() >= len(table):
        raise ValueError(
            f"`tokens` must lie in 0 … {len(table) - 1}, the rows of `table`; got"
            f" {used.min()} … {used.max()}."
        )
    xs = np.zeros((T, N, table.shape[1]), table.dtype)
    counts = np.zeros((T, N, 1), table.dtype)
    # One word of every bag at a time, so that memory never holds all L N vectors.
    for k in range(min(bag_size, L)):
        real = running[k::bag_size, :, np.newaxis]
        vectors = table[used[k::bag_size]]
        if not real.all():
            vectors *= real
        xs[: len(vectors)] += vectors
        counts[: len(vectors)] += real
    np.maximum(counts.real, 1, out=counts.real)
    xs /= counts
    return xs, -(-lengths // bag_size), BagCache(tokens, running, counts, bag_size)


def _what(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.dtype} of shape {value.shape}"
    return type(value).__name__


def bag_backward(dxs: Array, cache: BagCache) -> RowGradient:
    """Gradient of :func:`bag_forward` in the rows of the table that were used.

    Parameters
    ----------
    dxs : ndarray, shape (T, N, D)
    cache : BagCache

    Returns
    -------
    RowGradient
        Of `table`, summed over all uses of a row.
    """
    tokens, running, counts, bag_size = cache
    dbags = (dxs / counts).reshape(-1, dxs.shape[2])  # what each word of a bag receives
    step, review = np.nonzero(running)
    bags = (step // bag_size) * tokens.shape[1] + review
    return add_rows(tokens[step, review], dbags, bags)


def add_rows(rows: Ints, values: Array, which: Ints) -> RowGradient:
    """Sum ``values[which]`` over equal `rows`.

    A few frequent words occur hundreds of times in a batch, most other words once. Each frequent
    word is summed separately; the rare words are summed together, first use by first use, second by
    second. This is faster than ``np.add.reduceat``, and much faster than ``np.add.at``.

    Parameters
    ----------
    rows : ndarray of int, shape (S,)
        At least one, in any order.
    values : ndarray, shape (B, D)
    which : ndarray of int, shape (S,)
        Index into `values` for each entry of `rows`.

    Examples
    --------
    >>> add_rows(np.array([3, 1, 3]), np.array([[1.0], [2.0], [4.0]]), np.array([0, 1, 2]))
    RowGradient(rows=array([1, 3]), values=array([[2.],
           [5.]]))
    """
    order = np.argsort(rows, kind="stable")
    rows, which = rows[order], which[order]
    firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))  # np.unique would sort again
    counts = np.diff(firsts, append=len(rows))
    sums = values[which[firsts]]
    for k in range(1, RARE):
        more = np.flatnonzero((counts > k) & (counts <= RARE))
        sums[more] += values[which[firsts[more] + k]]
    for row in np.flatnonzero(counts > RARE).tolist():
        first, count = firsts[row], counts[row]
        values[which[first : first + count]].sum(axis=0, out=sums[row])
    return RowGradient(rows[firsts], sums)


# --- dropout ---------------------------------------------------------------------------------


def dropout_mask(
    shape: tuple[int, ...], rate: float, *, rng: np.random.Generator, dtype: DTypeLike = np.float32
) -> Array:
    """Draw an inverted dropout mask: 0 with probability `rate`, else 1 / (1 - rate).

    Its mean is 1, so nothing is rescaled when dropout is off; Srivastava et al. (2014) scale the
    weights after training instead.

    Parameters
    ----------
    shape : tuple of int
    rate : float
        Share of the numbers to drop, in [0, 1).
    rng : numpy.random.Generator
    dtype : dtype

    Returns
    -------
    mask : ndarray, of that shape and dtype

    Raises
    ------
    ValueError
        If `rate` is not in [0, 1).

    Examples
    --------
    >>> np.unique(dropout_mask((100,), 0.75, rng=np.random.default_rng(0)))
    array([0., 4.], dtype=float32)
    """
    if not isinstance(rate, numbers.Real) or not 0 <= rate < 1:
        raise ValueError(f"`rate` must lie in [0, 1); got {rate}.")
    mask = (rng.random(shape) >= rate) / (1 - rate)
    return mask.astype(dtype)


def dropout_forward(x: Array, mask: Array) -> Array:
    """Multiply by a mask of :func:`dropout_mask`.

    A mask without a time axis is the same at every step (Gal and Ghahramani, 2016).

    Parameters
    ----------
    x : ndarray
        Inputs or features.
    mask : ndarray
        Of a shape that broadcasts to that of `x`.

    Returns
    -------
    ndarray
        Of the shape of `x`.
    """
    return x * mask


def dropout_backward(dx: Array, mask: Array) -> Array:
    """Gradient of :func:`dropout_forward` in its input.

    Parameters
    ----------
    dx : ndarray
        Gradient of the loss in the output.
    mask : ndarray
        The mask of the forward pass.

    Returns
    -------
    ndarray
        Of the shape of `dx`.
    """
    return dx * mask


# --- read-out --------------------------------------------------------------------------------


class ReadoutCache(NamedTuple):
    """Values for :func:`readout_backward`."""

    kind: Readout
    shape: tuple[int, int, int]  # (T, N, H)
    lengths: Ints  # (N,)
    argmax: Ints | None  # (N, H) step of each largest state


def readout_forward(
    hs: Array, h_T: Array, lengths: Ints, kind: Readout = "last"
) -> tuple[Array, ReadoutCache]:
    """Turn a review's hidden states into one vector of features.

    Parameters
    ----------
    hs : ndarray, shape (T, N, H)
        Hidden states, 0 past a review's length.
    h_T : ndarray, shape (N, H)
        Final hidden states.
    lengths : ndarray of int, shape (N,)
        Steps of each review, in 1 … T.
    kind : {"last", "mean", "max", "meanmax"}
        The final state; the mean or the maximum of each unit over the review's own steps; or both.

    Returns
    -------
    features : ndarray, shape (N, H), or (N, 2H) for "meanmax"
    cache : ReadoutCache

    Raises
    ------
    ValueError
        If `kind` is not one of the four, or a length is not in 1 … T.
    """
    if kind not in get_args(Readout):
        raise ValueError(f"`kind` must be one of {get_args(Readout)}; got {kind!r}.")
    lengths = check_lengths(lengths, *hs.shape[:2])
    features, argmax = [], None
    if kind == "last":
        features.append(h_T)
    if kind in ("mean", "meanmax"):
        features.append(hs.sum(axis=0) / lengths[:, np.newaxis].astype(hs.dtype))
    if kind in ("max", "meanmax"):
        past = np.arange(len(hs))[:, np.newaxis] >= lengths
        # -2 is below every state. Complex states are compared by their real parts.
        argmax = np.where(past[..., np.newaxis], -2, hs.real).argmax(axis=0)
        features.append(np.take_along_axis(hs, argmax[np.newaxis], axis=0)[0])
    return np.concatenate(features, axis=1), ReadoutCache(kind, hs.shape, lengths, argmax)


def readout_backward(dfeatures: Array, cache: ReadoutCache) -> tuple[Array | None, Array | None]:
    """Gradients of :func:`readout_forward` in `hs` and in `h_T`; None stands for zero.

    Parameters
    ----------
    dfeatures : ndarray, shape (N, H) or (N, 2H)
    cache : ReadoutCache

    Returns
    -------
    dhs : ndarray, shape (T, N, H), or None
        0 past a review's length.
    dh_T : ndarray, shape (N, H), or None
    """
    kind, (T, N, H), lengths, argmax = cache
    if kind == "last":
        return None, dfeatures
    dhs = np.zeros((T, N, H), dfeatures.dtype)
    if kind in ("mean", "meanmax"):
        running = (np.arange(T)[:, np.newaxis] < lengths)[..., np.newaxis]
        dhs += running * (dfeatures[:, :H] / lengths[:, np.newaxis].astype(dfeatures.dtype))
    if argmax is not None:
        reviews, units = np.ogrid[:N, :H]
        dhs[argmax, reviews, units] += dfeatures[:, -H:]
    return dhs, None


# --- affine ----------------------------------------------------------------------------------


class AffineCache(NamedTuple):
    """Values for :func:`affine_backward`."""

    x: Array  # (N, R)
    W: Array  # (C, R)


def affine_forward(x: Array, W: Array, b: Array) -> tuple[Array, AffineCache]:
    """Compute ``x W^T + b``: features to outputs.

    Parameters
    ----------
    x : ndarray, shape (N, R)
        Features.
    W : ndarray, shape (C, R)
    b : ndarray, shape (C,)

    Returns
    -------
    y : ndarray, shape (N, C)
    cache : AffineCache
        For :func:`affine_backward`.

    Examples
    --------
    >>> affine_forward(np.array([[1.0, 2.0]]), np.array([[3.0, 4.0]]), np.array([5.0]))[0]
    array([[16.]])
    """
    return x @ W.T + b, AffineCache(x, W)


def affine_backward(dy: Array, cache: AffineCache) -> tuple[Array, Array, Array]:
    """Gradients of :func:`affine_forward` in `x`, `W` and `b`.

    Parameters
    ----------
    dy : ndarray, shape (N, C)
    cache : AffineCache
        From :func:`affine_forward`.

    Returns
    -------
    dx : ndarray, shape (N, R)
    dW : ndarray, shape (C, R)
    db : ndarray, shape (C,)
        `dW` and `db` are summed over the batch.
    """
    x, W = cache
    return dy @ W, dy.T @ x, dy.sum(axis=0)
