"""Log-odds of texts, for the command line and the estimator."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from numpy_lstm.data.corpus import Reviews, keep_last
from numpy_lstm.data.text import UNKNOWN
from numpy_lstm.training import predict_logits
from numpy_lstm.types import Array, Ints
from numpy_lstm.weights import Weights


class Scoring(NamedTuple):
    """Results of a classifier for n texts."""

    logits: Array  # (n,) log-odds of label 1, float64
    known: Ints  # (n,) number of known words among those that were read
    reviews: Reviews  # the words that were read


def score(weights: Weights, texts: Iterable[str]) -> Scoring:
    """Read each text's last words, as in training, and compute its logit.

    A text without a word is read as one unknown word.
    """
    reviews = keep_last(weights.vocabulary.encode(texts), weights.settings.max_length)
    logits = predict_logits(weights.parameters, reviews, weights.settings)
    known = np.add.reduceat(reviews.tokens != UNKNOWN, reviews.starts[:-1], dtype=np.intp)
    return Scoring(logits, known, reviews)
