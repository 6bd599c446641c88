"""Prepares a corpus for training: the split, the vocabulary, the word vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.data.corpus import Corpus, Reviews, keep_last, select, split_by_film
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.data.vectors import learn_vectors, word_vectors
from numpy_lstm.types import Array


class Splits(NamedTuple):
    """Reviews as ids of the vocabulary, cut to their last words."""

    train: Reviews
    validation: Reviews
    test: Reviews


class Prepared(NamedTuple):
    """The reviews, the vocabulary and the word vectors for training."""

    splits: Splits
    vocabulary: Vocabulary
    vectors: Array  # (V, D) float32


def prepare(
    corpus: Corpus,
    *,
    seed: int,
    validation_fraction: float,
    vocabulary_size: int,
    vector_size: int,
    max_length: int,
    keep_vectors: bool = True,
) -> Prepared:
    """Split by film, count the vocabulary, learn the word vectors, cut the reviews.

    The vocabulary and the word vectors depend on the training part only (the vectors also on the
    unlabeled reviews), never on the test or the validation reviews.

    Parameters
    ----------
    corpus : Corpus
    seed : int
        For the split and the vectors.
    validation_fraction : float
        Share of the training reviews to validate on, in (0, 1).
    vocabulary_size : int
        Largest number of words, padding and unknown included.
    vector_size : int
        D, numbers a word vector.
    max_length : int
        Words of a review that are kept, from its end; at least 1.
    keep_vectors : bool
        Whether the word vectors are kept in the cache.

    Returns
    -------
    Prepared
    """
    rng = np.random.default_rng(seed)
    train, validation = (
        select(corpus.train, indices)
        for indices in split_by_film(corpus.train, validation_fraction, rng)
    )
    vocabulary = Vocabulary.from_corpus(corpus.words, train, vocabulary_size)
    known = [vocabulary.remap(corpus.words, reviews) for reviews in (train, corpus.unlabeled)]
    learn = word_vectors if keep_vectors else learn_vectors
    vectors = learn(known, len(vocabulary), vector_size, seed=seed)
    splits = Splits(
        *(
            keep_last(vocabulary.remap(corpus.words, reviews), max_length)
            for reviews in (train, validation, corpus.test)
        )
    )
    return Prepared(splits, vocabulary, vectors)
