"""Prepares a corpus for training: the split, the vocabulary, the word vectors."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.data.corpus import Corpus, Reviews, keep_last, select, split_by_film
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.data.vectors import learn_vectors, word_vectors
from numpy_lstm.settings import Settings
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


def prepare(corpus: Corpus, settings: Settings, *, keep_vectors: bool = True) -> Prepared:
    """Split by film, count the vocabulary, learn the word vectors, cut the reviews.

    The vocabulary and the word vectors depend on the training part only (the vectors also on the
    unlabeled reviews), never on the test or the validation reviews.

    Parameters
    ----------
    corpus : Corpus
    settings : Settings
        ``seed`` is that of the split and of the vectors.
    keep_vectors : bool
        Whether the word vectors are kept in the cache.

    Returns
    -------
    Prepared
    """
    rng = np.random.default_rng(settings.seed)
    train, validation = (
        select(corpus.train, indices)
        for indices in split_by_film(corpus.train, settings.validation_fraction, rng)
    )
    vocabulary = Vocabulary.from_corpus(corpus.words, train, settings.vocabulary_size)
    known = [vocabulary.remap(corpus.words, reviews) for reviews in (train, corpus.unlabeled)]
    learn = word_vectors if keep_vectors else learn_vectors
    vectors = learn(known, len(vocabulary), settings.vector_size, seed=settings.seed)
    splits = Splits(
        *(
            keep_last(vocabulary.remap(corpus.words, reviews), settings.max_length)
            for reviews in (train, validation, corpus.test)
        )
    )
    return Prepared(splits, vocabulary, vectors)
