"""On IMDB, how do a vanilla RNN, an LSTM and what knows no order compare?

The RNN and the LSTM are those of the training job with its defaults. The wide RNN has as many cell
parameters as the LSTM, which has four times the RNN's at equal hidden units. The order-free bag is
logistic regression on the mean of the same word vectors. TF-IDF is logistic regression on weighted
counts of words and pairs of words in whole reviews.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.data.prepare import Splits
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe
from numpy_lstm.gradient_flow import decay_per_step
from numpy_lstm.settings import Settings
from numpy_lstm.train.baselines import bag_of_embeddings

LABELS = {
    "rnn": "vanilla RNN",
    "rnn-wide": "wide RNN",
    "lstm": "LSTM",
    "bag": "order-free bag",
    "tf-idf": "TF-IDF",
}


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each condition's settings."""
    H, D = Settings.hidden_size, Settings.vector_size
    wide = round((-(D + 1) + np.sqrt((D + 1) ** 2 + 16 * H * (D + H + 1))) / 2)
    return {
        "rnn": {"condition": "rnn", "model": "rnn"},
        "rnn-wide": {"condition": "rnn-wide", "model": "rnn", "hidden_size": wide},
        "lstm": {"condition": "lstm", "model": "lstm"},
        "bag": {"condition": "bag"},
        "tf-idf": {"condition": "tf-idf"},
    }


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and score one of them."""
    prepared = reviews.data(seed, quick)
    own = reviews.settings_of(settings, seed, quick)
    if settings["condition"] == "tf-idf":
        return tf_idf(prepared.splits)
    cut = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    if settings["condition"] == "bag":
        return dict(bag_of_embeddings(cut, prepared.vectors))
    state = reviews.fit(settings["model"], cut, prepared.vectors, own)
    cell = [state.parameters[name].size for name in ("W_x", "W_h", "b")]
    return {
        **reviews.scores(state, cut, own),
        "cell_parameters": sum(cell),
        "gradient_decay_per_step": decay_per_step(state.norms[state.best_epoch].x),
    }


def tf_idf(splits: Splits) -> dict[str, Any]:
    """Logistic regression on weighted counts of words and pairs; C by validation accuracy."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.metrics import log_loss

    vectorizer = TfidfVectorizer(
        ngram_range=(1, 2), min_df=3, sublinear_tf=True, token_pattern=r"\S+", dtype=np.float32
    )
    features = [vectorizer.fit_transform(reviews.texts(splits.train))]
    features += [vectorizer.transform(reviews.texts(part)) for part in splits[1:]]
    labels = [part.labels for part in splits]
    fitted = []
    for C in (1.0, 10.0, 100.0):
        model = LogisticRegression(C=C, solver="liblinear").fit(features[0], labels[0])
        fitted.append((model.score(features[1], labels[1]), C, model))
    validation, C, model = max(fitted, key=lambda entry: entry[0])
    return {
        "test_accuracy": float(model.score(features[2], labels[2])),
        "test_loss": float(log_loss(labels[2], model.predict_proba(features[2])[:, 1])),
        "val_accuracy": float(validation),
        "C": C,
    }


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and interval of each condition's test accuracy, and of the LSTM's lead over it."""
    accuracies = {
        condition: [result["test_accuracy"] for result in results]
        for condition, results in by_condition(trials).items()
    }
    summary: dict[str, Any] = {
        condition: describe(values) for condition, values in accuracies.items()
    }
    lstm = accuracies.get("lstm", [])
    for condition, values in accuracies.items():
        if condition != "lstm" and lstm and len(values) == len(lstm):  # seed by seed
            leads = [a - b for a, b in zip(lstm, values, strict=True)]
            summary[f"lstm - {condition}"] = describe(leads)
    return summary


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed as a mark, the mean as a bar."""
    with plots.figure(path, 1, 1, 6.0, 2.0) as (_, (axes,)):
        for row, (condition, results) in enumerate(by_condition(trials).items()):
            values = [100 * result["test_accuracy"] for result in results]
            model = condition.removesuffix("-wide")
            color, marker = plots.COLORS.get(model, "#555555"), plots.MARKERS.get(model, "D")
            axes.plot(values, [row] * len(values), marker, color=color, alpha=0.6, markersize=5)
            axes.plot([np.mean(values)], [row], "|", color="black", markersize=14)
        axes.set_yticks(
            range(len(by_condition(trials))),
            [LABELS[condition] for condition in by_condition(trials)],
        )
        axes.set_ylim(len(by_condition(trials)) - 0.5, -0.5)
        axes.set_xlabel("test accuracy on IMDB (%); a mark is a seed, the line their mean")
