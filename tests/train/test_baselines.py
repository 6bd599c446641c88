"""The order-free baseline: its features, its choice, its scores."""

from typing import Any
from unittest import mock

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Splits
from numpy_lstm.train import baselines
from numpy_lstm.train.baselines import STRENGTHS, bag_features, bag_of_embeddings, fit_bag
from numpy_lstm.training import Evaluation

VECTORS = np.random.default_rng(0).standard_normal((30, 4)).astype(np.float32)


def reviews_of(texts: list[list[int]], labels: Any = None) -> Reviews:
    n = len(texts)
    return Reviews(
        np.array([word for text in texts for word in text], np.int32),
        np.cumsum([0, *map(len, texts)]),
        np.array(np.zeros(n) if labels is None else labels, np.int8),
        np.arange(n, dtype=np.int32),
    )


def drawn(n: int, seed: int) -> Reviews:
    """Reviews whose label is their mean vector's first number, with some noise."""
    rng = np.random.default_rng(seed)
    texts = [rng.integers(2, 30, rng.integers(1, 9)).tolist() for _ in range(n)]
    means = [VECTORS[text].mean(axis=0)[0] for text in texts]
    return reviews_of(texts, np.array(means) + rng.normal(0, 0.3, n) > 0)


SPLITS = Splits(drawn(60, 1), drawn(40, 2), drawn(41, 3))


def test_the_features_are_the_mean_vector_of_each_reviews_words() -> None:
    vectors = np.array([[0, 0], [0, 0], [1, 2], [5, 0]], np.float32)
    features = bag_features(reviews_of([[2, 3, 3, 1], [3], [], [2, 2]]), vectors)
    np.testing.assert_allclose(features, [[11 / 4, 2 / 4], [5, 0], [0, 0], [1, 2]], rtol=1e-6)
    assert features.dtype == np.float32


def chosen(losses: list[float], accuracies: list[float]) -> tuple[dict[str, float], list[Any]]:
    """The result where the validation scores are given, and the models scored on the test."""
    tested: list[Any] = []
    scores = iter(map(Evaluation, losses, accuracies))

    def score(model: Any, features: Any, labels: Any) -> Evaluation:
        if labels is SPLITS.validation.labels:
            np.testing.assert_array_equal(features, bag_features(SPLITS.validation, VECTORS))
            return next(scores)
        assert labels is SPLITS.test.labels
        np.testing.assert_array_equal(features, bag_features(SPLITS.test, VECTORS))
        tested.append(model[-1].C)
        return Evaluation(0.25, 0.875)

    with mock.patch.object(baselines, "_score", score):
        return bag_of_embeddings(SPLITS, VECTORS), tested


def test_the_strength_with_the_smallest_validation_loss_is_chosen_and_tested_once() -> None:
    result, tested = chosen([0.5, 0.3, 0.2, 0.4, 0.6], [0.9, 0.95, 0.6, 0.5, 0.99])
    assert tested == [1.0]
    assert result == {
        "test_accuracy": 0.875,
        "test_loss": 0.25,
        "val_accuracy": 0.6,
        "parameters": 5,
        "C": 1.0,
    }
    assert chosen([0.5, 0.3, 0.4, 0.3, 0.6], [0.5] * 5)[1] == [0.1]
    assert chosen([0.5, 0.4, 0.3, 0.2, 0.1], [0.5] * 5)[1] == [100.0]


def test_the_strengths_span_four_powers_of_ten() -> None:
    assert STRENGTHS == (0.01, 0.1, 1.0, 10.0, 100.0)


def test_it_is_a_logistic_regression_on_features_scaled_as_in_training() -> None:
    features = [bag_features(reviews, VECTORS) for reviews in SPLITS]
    result = bag_of_embeddings(SPLITS, VECTORS)
    scaler = StandardScaler().fit(features[0])
    model = LogisticRegression(C=result["C"], max_iter=1000)
    model.fit(scaler.transform(features[0]), SPLITS.train.labels)
    p = model.predict_proba(scaler.transform(features[2]))[:, 1]
    right = np.where(SPLITS.test.labels == 1, p, 1 - p)
    assert result["test_loss"] == pytest.approx(-np.log(right).mean(), rel=1e-5)
    assert result["test_accuracy"] == pytest.approx((right > 0.5).mean())
    assert 0.5 < result["test_accuracy"] < 1
    validated = model.predict(scaler.transform(features[1]))
    assert result["val_accuracy"] == pytest.approx((validated == SPLITS.validation.labels).mean())


def test_the_log_odds_are_those_of_the_test_reviews_in_their_order() -> None:
    scores, log_odds = fit_bag(SPLITS, VECTORS)
    assert scores == bag_of_embeddings(SPLITS, VECTORS)
    right = (log_odds > 0) == SPLITS.test.labels
    assert scores["test_accuracy"] == right.mean()
    loss = np.log1p(np.exp(-log_odds * (2.0 * SPLITS.test.labels - 1))).mean()
    assert scores["test_loss"] == pytest.approx(loss, rel=1e-5)


def test_other_test_labels_change_no_choice() -> None:
    other = SPLITS._replace(test=SPLITS.test._replace(labels=1 - SPLITS.test.labels))
    one, two = bag_of_embeddings(SPLITS, VECTORS), bag_of_embeddings(other, VECTORS)
    assert (one["C"], one["val_accuracy"]) == (two["C"], two["val_accuracy"])
    assert one["test_accuracy"] == pytest.approx(1 - two["test_accuracy"])


def test_loss_and_accuracy_are_of_the_probability_of_label_1() -> None:
    model = mock.Mock()
    model.predict_proba.return_value = np.array([[0.5, 0.5], [0.25, 0.75], [0.2, 0.8], [0.9, 0.1]])
    score = baselines._score(model, np.zeros(4), np.array([1, 1, 0, 0]))
    loss = -np.log([0.5, 0.75, 0.2, 0.9]).mean()
    assert score == pytest.approx((loss, 0.5))  # one half is not more than one half
