"""Reviews as one long array of word ids, and how to choose, split and shorten them.

100,000 reviews as Python lists of strings would need gigabytes; one int32 array of all reviews
needs 90 MB, is stored and loaded directly, and review i is a slice.
"""

import hashlib
from typing import NamedTuple

import numpy as np
import numpy.typing as npt


class Reviews(NamedTuple):
    """Many token sequences, one after another.

    Attributes
    ----------
    tokens : ndarray of int32, shape (S,)
        Word ids; review i is ``tokens[starts[i]:starts[i + 1]]``.
    starts : ndarray of int64, shape (n + 1,)
        Where each review starts; the last entry is S.
    labels : ndarray of int, shape (n,)
        1 positive, 0 negative, -1 unlabeled; or one of more classes.
    films : ndarray of int32, shape (n,)
        Id of the film that is reviewed.
    weights : ndarray of float32, shape (n,), optional
        Weight of each review in the loss, positive, 1 on average; if None, all are equal.
    """

    tokens: npt.NDArray[np.int32]
    starts: npt.NDArray[np.int64]
    labels: npt.NDArray[np.integer]
    films: npt.NDArray[np.int32]
    weights: npt.NDArray[np.float32] | None = None

    @property
    def lengths(self) -> npt.NDArray[np.int64]:
        """Number of tokens of each review, shape (n,)."""
        return np.diff(self.starts)


class Corpus(NamedTuple):
    """A data set: its name, its words, and three sets of reviews.

    Attributes
    ----------
    name : str
        ``"imdb"``, ``"synthetic"``, or ``"reviews"`` for others in the layout of IMDB.
    words : list of str
        Every distinct token of the corpus; token id k is ``words[k]``.
    train, test, unlabeled : Reviews
    source : str, optional
        Absolute path of the archive or folder that was named to be read.
    """

    name: str
    words: list[str]
    train: Reviews
    test: Reviews
    unlabeled: Reviews
    source: str | None = None


def content_hash(corpus: Corpus) -> str:
    """SHA-256, in hexadecimal, of all that a model can learn from: words and all reviews."""
    digest = hashlib.sha256("\n".join(corpus.words).encode())
    for reviews in (corpus.train, corpus.test, corpus.unlabeled):
        for array in reviews:
            if array is not None:
                digest.update(f"{array.dtype.str}{array.shape}".encode())
                digest.update(array.tobytes())
    return digest.hexdigest()


def select(reviews: Reviews, indices: npt.ArrayLike) -> Reviews:
    """Return the reviews at `indices` (positions or a Boolean mask), in that order."""
    chosen = np.arange(len(reviews.labels))[np.asarray(indices)]
    tokens, starts = _slices(reviews.tokens, reviews.starts[chosen], reviews.starts[chosen + 1])
    weights = None if reviews.weights is None else reviews.weights[chosen]
    return Reviews(tokens, starts, reviews.labels[chosen], reviews.films[chosen], weights)


def keep_last(reviews: Reviews, max_length: int) -> Reviews:
    """Keep the last `max_length` tokens of every review.

    The end is kept because reviews tend to end with their verdict.

    Raises
    ------
    ValueError
        If `max_length` is less than 1.
    """
    begins, ends = reviews.starts[:-1], reviews.starts[1:]
    return _keep(reviews, np.maximum(begins, ends - _limit(max_length)), ends)


def keep_first(reviews: Reviews, max_length: int) -> Reviews:
    """Keep the first `max_length` tokens of every review.

    Raises
    ------
    ValueError
        If `max_length` is less than 1.
    """
    begins, ends = reviews.starts[:-1], reviews.starts[1:]
    return _keep(reviews, begins, np.minimum(ends, begins + _limit(max_length)))


def _limit(max_length: int) -> int:
    if max_length < 1:
        raise ValueError(f"`max_length` must be at least 1; got {max_length}.")
    return max_length


def _keep(reviews: Reviews, begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> Reviews:
    tokens, starts = _slices(reviews.tokens, begins, ends)
    return reviews._replace(tokens=tokens, starts=starts)


def split_by_film(
    reviews: Reviews, fraction: float, rng: np.random.Generator
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Split so that about `fraction` of each label goes to validation, and no film to both sides.

    Reviews of one film share names and plot words: if a film is on both sides, a model can
    recognize it instead of the opinion, and the accuracy is too high.

    Parameters
    ----------
    reviews : Reviews
    fraction : float
        Share of the reviews wanted for validation, between 0 and 1.
    rng : numpy.random.Generator

    Returns
    -------
    train, validation : ndarray of int64
        Positions in `reviews`, ascending; together they are all reviews.

    Raises
    ------
    ValueError
        If `fraction` is not between 0 and 1, or the films are too few or too large to split.
    """
    if not 0 < fraction < 1:
        raise ValueError(f"`fraction` must be between 0 and 1, both excluded; got {fraction}.")
    films, film_of = np.unique(reviews.films, return_inverse=True)
    labels, label_of = np.unique(reviews.labels, return_inverse=True)
    counts = np.zeros((len(films), len(labels)), dtype=np.int64)  # reviews per film and label
    np.add.at(counts, (film_of, label_of), 1)

    # Taking a film only if every label has room for its reviews keeps the labels balanced.
    room = np.maximum(np.rint(fraction * counts.sum(axis=0)), 1)
    taken = np.zeros(len(films), dtype=bool)
    for film in rng.permutation(len(films)):
        if np.all(counts[film] <= room):
            taken[film] = True
            room -= counts[film]

    validates = taken[film_of]
    train, validation = np.flatnonzero(~validates), np.flatnonzero(validates)
    if len(train) == 0 or len(validation) == 0:
        n = len(reviews.labels)
        what = f"`reviews` cannot be split by film: {n} reviews of {len(films)} films"
        if 0 < len(films) == n:  # as the texts of the estimator, whose user knows of no films
            what = f"{n} texts cannot be split"
        raise ValueError(
            f"{what}, and one side of a split with `fraction`={fraction} would be empty."
        )
    return train, validation


def _slices(
    tokens: npt.NDArray[np.int32], begins: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Concatenate tokens[begin:end] of every pair; return them and their starts."""
    pieces = [tokens[begin:end] for begin, end in zip(begins, ends, strict=True)]
    starts = np.concatenate([[0], np.cumsum(ends - begins)]).astype(np.int64)
    return np.concatenate([tokens[:0], *pieces]), starts
