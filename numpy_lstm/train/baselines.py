"""The baseline: logistic regression on the order-free bag of embeddings."""

from __future__ import annotations

import numpy as np

from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Splits
from numpy_lstm.training import Evaluation
from numpy_lstm.types import Array

STRENGTHS = (0.01, 0.1, 1.0, 10.0, 100.0)  # scikit-learn's C, chosen on the validation reviews


def bag_features(reviews: Reviews, vectors: Array) -> Array:
    """Mean word vector of each review, shape (n, D)."""
    from scipy.sparse import csr_array

    lengths = reviews.lengths
    share = np.repeat(1 / np.maximum(lengths, 1), lengths).astype(vectors.dtype)
    shape = (len(lengths), len(vectors))
    means: Array = csr_array((share, reviews.tokens, reviews.starts), shape=shape) @ vectors
    return means


def bag_of_embeddings(splits: Splits, vectors: Array) -> dict[str, float]:
    """Train and score logistic regression on the mean word vectors, which are not trained.

    Parameters
    ----------
    splits : Splits
        The test reviews are scored once, at the end.
    vectors : ndarray, shape (V, D)

    Returns
    -------
    dict
        ``test_accuracy``, ``test_loss`` (nats per review), ``val_accuracy``, ``parameters`` (of the
        logistic regression) and ``C``, its inverse strength of regularization.
    """
    return fit_bag(splits, vectors)[0]


def fit_bag(splits: Splits, vectors: Array) -> tuple[dict[str, float], Array]:
    """As :func:`bag_of_embeddings`, with the log-odds of each test review, shape (n,)."""
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from threadpoolctl import threadpool_limits

    features = [bag_features(reviews, vectors) for reviews in splits]
    labels = [reviews.labels for reviews in splits]
    fitted = []
    for C in STRENGTHS:
        model = make_pipeline(StandardScaler(), LogisticRegression(C=C, max_iter=1000))
        with threadpool_limits(1, user_api="blas"):  # their number changes the order of sums
            model.fit(features[0], labels[0])
        fitted.append((_score(model, features[1], labels[1]), C, model))
    validation, C, model = min(fitted, key=lambda entry: entry[0].loss)
    test = _score(model, features[2], labels[2])
    scores = {
        "test_accuracy": test.accuracy,
        "test_loss": test.loss,
        "val_accuracy": validation.accuracy,
        "parameters": vectors.shape[1] + 1,
        "C": C,
    }
    return scores, model.decision_function(features[2])


def _score(model: object, features: Array, labels: Array) -> Evaluation:
    from sklearn.metrics import accuracy_score, log_loss

    probabilities = model.predict_proba(features)[:, 1]  # type: ignore[attr-defined]
    return Evaluation(
        float(log_loss(labels, probabilities)), float(accuracy_score(labels, probabilities > 0.5))
    )
