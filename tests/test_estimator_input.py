"""What becomes of the estimator's texts, labels and weights."""

from typing import Any

import numpy as np
import pytest
from sklearn.exceptions import DataConversionWarning

from numpy_lstm.estimator_input import check_labels, check_texts, weighted_corpus

TEXTS = ["a b", "c", "d a", "e", "f f f"]


@pytest.mark.parametrize("texts", [TEXTS, tuple(TEXTS), iter(TEXTS), np.array(TEXTS, object)])
def test_texts_stay_in_their_order(texts: Any) -> None:
    assert check_texts(texts) == TEXTS


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ("a b", "string object received"),
        ({"a", "b"}, "got a set"),
        (["a", None], "Text 1 must be a string; got NoneType: None"),
        (["a", b"b"], "Text 1 must be a string; got bytes"),
        ([], r"0 sample\(s\)"),
        (np.array([["a"], ["b"]]), r"1D array of texts, got an array of shape \(2, 1\)"),
    ],
)
def test_what_are_no_texts_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_texts(texts)


@pytest.mark.parametrize(
    ("y", "classes", "labels"),
    [
        (["up", "down", "up", "up", "down"], ["down", "up"], [1, 0, 1, 1, 0]),
        ([3, -1, 3, -1, 7], [-1, 3, 7], [1, 0, 1, 0, 2]),
        ([True, False, False, True, True], [False, True], [1, 0, 0, 1, 1]),
    ],
)
def test_labels_are_numbered_in_their_sorted_order(
    y: list[Any], classes: list[Any], labels: list[int]
) -> None:
    found = check_labels("Estimator", y, TEXTS)
    assert (found[0].tolist(), found[1].tolist()) == (classes, labels)


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (None, "Estimator requires y"),
        ([1, 0], "inconsistent numbers of samples"),
        ([1, 1, 1, 1, 1], "contains only one class: .*1"),
        ([0.1, 0.2, 0.3, 0.4, 0.5], "Unknown label type"),
        ([0, 1, np.nan, 1, 0], "NaN"),
        ([[0, 1]] * 5, "1d array"),
    ],
)
def test_what_are_no_labels_is_refused(y: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_labels("Estimator", y, TEXTS)


def test_a_column_of_labels_is_taken_with_a_warning() -> None:
    with pytest.warns(DataConversionWarning, match="column-vector y"):
        _, labels = check_labels("Estimator", np.array([[1], [0], [1], [1], [0]]), TEXTS)
    assert labels.tolist() == [1, 0, 1, 1, 0]


def test_a_text_of_weight_zero_is_not_read_and_the_others_weigh_one_on_average() -> None:
    weights = np.array([3.0, 0.0, 1.0, 1.0, 3.0])
    corpus = weighted_corpus(TEXTS, np.array([0, 0, 1, 0, 1]), weights)
    name, words, reviews, test, unlabeled = corpus[:5]
    assert name == "texts"
    assert words == ["a", "b", "d", "e", "f"]
    assert reviews.tokens.tolist() == [0, 1, 2, 0, 3, 4, 4, 4]
    assert reviews.starts.tolist() == [0, 2, 4, 5, 8]
    assert reviews.labels.tolist() == [0, 1, 0, 1]
    assert reviews.weights is not None
    assert reviews.weights.tolist() == [1.5, 0.5, 0.5, 1.5]
    assert reviews.weights.dtype == np.float32
    assert len(set(reviews.films.tolist())) == 4  # each text its own
    assert len(test.labels) == len(unlabeled.labels) == 0


def test_unlabeled_texts_stand_apart_from_those_to_train_on() -> None:
    labels, weights = np.array([0, 0, 1, 0, 1]), np.array([1.0, 1, 1, 0, 1])
    corpus = weighted_corpus(TEXTS, labels, weights, ["z a", "", "y"])
    assert corpus.words == ["a", "b", "c", "d", "f", "y", "z"]
    assert corpus.train.tokens.tolist() == [0, 1, 2, 3, 0, 4, 4, 4]
    assert corpus.train.labels.tolist() == [0, 0, 1, 1]
    assert corpus.unlabeled.tokens.tolist() == [6, 0, 5]
    assert corpus.unlabeled.starts.tolist() == [0, 2, 2, 3]
    assert corpus.unlabeled.labels.tolist() == [-1, -1, -1]
    assert len(corpus.test.labels) == 0
    films = [*corpus.train.films.tolist(), *corpus.unlabeled.films.tolist()]
    assert len(set(films)) == 7


def test_weights_count_relative_to_each_other() -> None:
    labels = np.array([0, 0, 1, 0, 1])
    one, other = (weighted_corpus(TEXTS, labels, np.full(5, w)).train.weights for w in (0.1, 50.0))
    np.testing.assert_allclose(one, np.ones(5))
    np.testing.assert_allclose(other, np.ones(5))


@pytest.mark.parametrize(
    ("labels", "weights", "counts"),
    [([0, 0, 0, 0, 1], [1.0] * 5, r"\[4, 1\]"), ([0, 1, 0, 1, 2], [1, 1, 1, 1, 0], r"\[2, 2, 0\]")],
)
def test_a_class_of_a_single_text_is_refused(
    labels: list[int], weights: list[float], counts: str
) -> None:
    with pytest.raises(ValueError, match=f"at least 2 texts .* got {counts}"):
        weighted_corpus(TEXTS, np.array(labels), np.array(weights))
    fits = weighted_corpus(TEXTS, np.array([0, 0, 1, 1, 1]), np.array([1, 1, 1, 0, 1.0]))
    assert fits.train.labels.tolist() == [0, 0, 1, 1]


def test_texts_without_words_are_refused() -> None:
    with pytest.raises(ValueError, match="empty vocabulary"):
        weighted_corpus(["...", "", "-", ":"], np.array([0, 0, 1, 1]), np.ones(4))
