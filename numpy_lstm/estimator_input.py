"""Checks of the estimator's texts, labels and weights, as in scikit-learn."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set, Sized
from itertools import chain
from typing import Any

import numpy as np
import numpy.typing as npt
from sklearn.utils import check_consistent_length, column_or_1d
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import assert_all_finite

from numpy_lstm.data.corpus import Corpus, Reviews, select
from numpy_lstm.data.text import number_tokens
from numpy_lstm.types import Array, Ints


def check_texts(X: Iterable[str]) -> list[str]:
    """The texts as a list."""
    if isinstance(X, str):
        raise ValueError("Iterable over raw text documents expected, string object received.")
    if isinstance(X, Set | Mapping):
        raise ValueError(
            f"The texts must have an order, that of their labels; got a {type(X).__name__}. Pass a"
            " list."
        )
    if getattr(X, "ndim", 1) != 1:
        raise ValueError(
            f"Expected 1D array of texts, got an array of shape {X.shape}."  # type: ignore[attr-defined]
            " Choose the one column that holds them."
        )
    texts = list(X)
    if not texts:
        raise ValueError("Found array with 0 sample(s) while a minimum of 1 is required.")
    for n, text in enumerate(texts):
        if not isinstance(text, str):
            raise ValueError(f"Text {n} must be a string; got {type(text).__name__}: {text!r:.40}.")
    return texts


def check_labels(name: str, y: npt.ArrayLike, texts: list[str]) -> tuple[npt.NDArray[Any], Ints]:
    """The classes, and each text's label as 0 … C - 1; `name` is the estimator's."""
    if y is None:
        raise ValueError(f"{name} requires y to be passed, but the target y is None.")
    y = column_or_1d(y, warn=True)
    assert_all_finite(y, input_name="y")
    check_classification_targets(y)
    check_consistent_length(texts, y)
    classes, labels = np.unique(y, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(
            f"{name} needs samples of at least 2 classes in the data, but the data contains only"
            " one class:"
            f" {classes[0]!r}."
        )
    return classes, labels


def check_unlabeled(texts: Iterable[str] | None) -> list[str]:
    """The texts without labels as a list; none if there are none."""
    if texts is None or (isinstance(texts, Sized) and len(texts) == 0):
        return []
    try:
        return check_texts(texts)
    except ValueError as error:
        raise ValueError(f"`unlabeled`: {error}") from None


def weighted_corpus(
    texts: list[str], labels: Ints, weights: Array, unlabeled: Sequence[str] = ()
) -> Corpus:
    """A corpus of the texts with positive weight; each text is its own film."""
    counts = np.flatnonzero(weights)
    per_class = np.bincount(labels[counts], minlength=labels.max() + 1)
    if (per_class < 2).any():
        raise ValueError(
            "Each class needs at least 2 texts with positive weight, so that one can be set aside;"
            f" got {per_class.tolist()}."
        )
    words, tokens, starts = number_tokens(chain((texts[n] for n in counts), unlabeled))
    n, films = len(counts), np.arange(len(starts) - 1, dtype=np.int32)
    if starts[n] == 0:
        raise ValueError("empty vocabulary; perhaps the texts only contain punctuation.")
    everything = Reviews(tokens, starts, np.full(len(films), -1, labels.dtype), films)
    train = select(everything, films[:n])._replace(
        labels=labels[counts],
        weights=(weights[counts] / weights[counts].mean()).astype(np.float32),
    )
    nothing = select(everything, films[:0])
    return Corpus("texts", words, train, test=nothing, unlabeled=select(everything, films[n:]))
