"""The log-odds of texts, by hand."""

from dataclasses import replace

import numpy as np
import pytest

from numpy_lstm.classifier import Classifier, classifier_forward, init_classifier
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.predict.scoring import score
from numpy_lstm.settings import Settings
from numpy_lstm.weights import Weights

VECTORS = np.random.default_rng(0).standard_normal((6, 3)).astype(np.float32)
SETTINGS = Settings(bag_size=2, max_length=4, batch_size=2, readout="mean", hidden_size=5)
WEIGHTS = Weights(
    init_classifier("lstm", VECTORS, 5, readout="mean", rng=np.random.default_rng(1)),
    SETTINGS,
    Vocabulary(["a", "b", "c", "d"]),
)
TEXTS = ["a", "quux b quux d c", "d c b a", "", "b B", "a quux quux quux quux"]
READ = [[2], [3, 1, 5, 4], [5, 4, 3, 2], [1], [3, 3], [1, 1, 1, 1]]


def logit(words: list[int]) -> float:
    exact = {name: array.astype(float) for name, array in WEIGHTS.parameters.items()}
    tokens = np.array(words)[:, np.newaxis]
    return classifier_forward(Classifier(exact, 2, "mean"), tokens, np.array([len(words)]))[0][0]


def test_the_last_words_of_each_text_are_read_and_known_ones_counted() -> None:
    _, known, reviews = score(WEIGHTS, TEXTS)
    assert [words.tolist() for words in np.split(reviews.tokens, reviews.starts[1:-1])] == READ
    assert known.tolist() == [1, 3, 4, 0, 2, 0]


def test_logits_are_those_of_each_text_alone_in_the_order_of_the_texts() -> None:
    logits = score(WEIGHTS, TEXTS).logits
    assert logits.dtype == np.float64
    np.testing.assert_allclose(logits, list(map(logit, READ)), rtol=0, atol=1e-12)


def test_nothing_is_dropped_when_a_text_is_scored() -> None:
    without = score(WEIGHTS._replace(settings=replace(SETTINGS, dropout=0.0)), TEXTS).logits
    dropout = score(WEIGHTS._replace(settings=replace(SETTINGS, dropout=0.9)), TEXTS).logits
    np.testing.assert_array_equal(without, dropout)


@pytest.mark.parametrize(("max_length", "length"), [(1, 1), (3, 3), (9, 5)])
def test_no_more_words_are_read_than_in_training(max_length: int, length: int) -> None:
    weights = WEIGHTS._replace(settings=replace(SETTINGS, max_length=max_length))
    assert score(weights, TEXTS).reviews.lengths.tolist()[1] == length
