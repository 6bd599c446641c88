"""On IMDB, how do a vanilla RNN, an LSTM and what knows no order compare?

The RNN and the LSTM are those of the training job with its defaults. The wide RNN has as many cell
parameters as the LSTM, which has four times the RNN's at equal hidden units. The order-free bag is
logistic regression on the mean of the same word vectors. TF-IDF is logistic regression on weighted
counts: of words and pairs of words in whole reviews, of words alone, and of words and pairs in the
last 800 words, which is what the networks read. McNemar's (1947) test compares the LSTM with each
of the others on the 25,000 test reviews, for each seed.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
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
from numpy_lstm.losses import binary_cross_entropy
from numpy_lstm.settings import Settings
from numpy_lstm.train.baselines import fit_bag
from numpy_lstm.training import predict_logits
from numpy_lstm.types import Array, Ints

WHOLE = 10**9  # words of a review: all
LABELS = {
    "rnn": "vanilla RNN",
    "rnn-wide": "wide RNN",
    "lstm": "LSTM",
    "bag": "order-free bag",
    "tf-idf": "TF-IDF",
    "tf-idf, words": "TF-IDF, no pairs",
    "tf-idf, last 800 words": "TF-IDF, last 800 words",
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
        "tf-idf": {"condition": "tf-idf", "n_grams": 2, "max_length": WHOLE},
        "tf-idf, words": {"condition": "tf-idf, words", "n_grams": 1, "max_length": WHOLE},
        "tf-idf, last 800 words": {"condition": "tf-idf, last 800 words", "n_grams": 2},
    }


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and score one of them."""
    prepared = reviews.data(seed, quick)
    own = reviews.settings_of(settings, seed, quick)
    cut = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    if "n_grams" in settings:
        return tf_idf(cut, settings["n_grams"])
    if settings["condition"] == "bag":
        scores, log_odds = fit_bag(cut, prepared.vectors)
        return {**scores, **answers(log_odds, cut.test.labels)}
    state = reviews.fit(settings["model"], cut, prepared.vectors, own)
    log_odds = predict_logits(state.best_parameters, cut.test, own)
    cell = [state.parameters[name].size for name in ("W_x", "W_h", "b")]
    return {
        **answers(log_odds, cut.test.labels),
        **reviews.training_scores(state),
        "cell_parameters": sum(cell),
        "gradient_decay_per_step": decay_per_step(state.norms[state.best_epoch].x),
    }


def tf_idf(splits: Splits, n_grams: int) -> dict[str, Any]:
    """Logistic regression on weighted counts of up to `n_grams` words; C by validation accuracy."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectorizer = TfidfVectorizer(
        ngram_range=(1, n_grams),
        min_df=3,
        sublinear_tf=True,
        token_pattern=r"\S+",
        dtype=np.float32,
    )
    features = [vectorizer.fit_transform(reviews.texts(splits.train))]
    features += [vectorizer.transform(reviews.texts(part)) for part in splits[1:]]
    labels = [part.labels for part in splits]
    fitted = []
    for C in (0.1, 1.0, 10.0, 100.0):
        model = LogisticRegression(C=C, solver="liblinear").fit(features[0], labels[0])
        fitted.append((model.score(features[1], labels[1]), C, model))
    validation, C, model = max(fitted, key=lambda entry: entry[0])
    return {
        **answers(model.decision_function(features[2]), labels[2]),
        "val_accuracy": float(validation),
        "C": C,
    }


def answers(log_odds: Array, labels: Ints) -> dict[str, Any]:
    """Accuracy and loss on the test reviews, and which of them are right: a bit each, as text.

    Examples
    --------
    >>> answers(np.array([2.0, -1.0, 3.0]), np.array([1, 0, 0]))["test_right"]
    'wA=='
    """
    right = (log_odds > 0) == labels
    return {
        "test_accuracy": float(right.mean()),
        "test_loss": float(binary_cross_entropy(log_odds, labels)[0]),
        "test_right": b64encode(np.packbits(right).tobytes()).decode(),
    }


def only_one_right(one: str, other: str) -> tuple[int, int]:
    """Number of test reviews that the first alone has right, and the other alone.

    Examples
    --------
    >>> only_one_right("wA==", "IA==")  # right are the first and second, and the third
    (2, 1)
    """
    a, b = (np.frombuffer(b64decode(text), np.uint8) for text in (one, other))
    return int(np.unpackbits(a & ~b).sum()), int(np.unpackbits(b & ~a).sum())


def mcnemar(first: int, second: int) -> float:
    """Probability of a split at least as uneven if each review were as likely in either number.

    Examples
    --------
    >>> mcnemar(1, 4)  # 2 (1 + 5) / 32
    0.375
    """
    from scipy.stats import binomtest

    return float(binomtest(first, first + second).pvalue) if first + second else 1.0


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Mean and interval of each condition's test accuracy, and the LSTM beside each of the others.

    Seed by seed: its lead, the test reviews that it alone or the other alone has right, and the
    largest p of McNemar's test.
    """
    grouped = by_condition(trials)
    summary: dict[str, Any] = {
        condition: describe([result["test_accuracy"] for result in results])
        for condition, results in grouped.items()
    }
    lstm = grouped.get("lstm", [])
    pairs = {
        condition: list(zip(lstm, results, strict=True))
        for condition, results in grouped.items()
        if condition != "lstm" and lstm and len(results) == len(lstm)
    }
    for condition, of_seeds in pairs.items():
        leads = [a["test_accuracy"] - b["test_accuracy"] for a, b in of_seeds]
        summary[f"lstm - {condition}"] = describe(leads)
    for condition, of_seeds in pairs.items():
        counts = [only_one_right(a["test_right"], b["test_right"]) for a, b in of_seeds]
        ours, theirs = (f"{min(n):,} to {max(n):,}" for n in zip(*counts, strict=True))
        summary[f"lstm beside {condition}"] = {
            "only_the_lstm_right": ours,
            "only_the_other_right": theirs,
            "largest_p": max(mcnemar(*pair) for pair in counts),
        }
    return summary


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed as a mark, the mean as a bar."""
    grouped = by_condition(trials)
    with plots.figure(path, 1, 1, 6.0, 2.4) as (_, (axes,)):
        for row, (condition, results) in enumerate(grouped.items()):
            values = [100 * result["test_accuracy"] for result in results]
            model = condition.removesuffix("-wide")
            color, marker = plots.COLORS.get(model, "#555555"), plots.MARKERS.get(model, "D")
            axes.plot(values, [row] * len(values), marker, color=color, alpha=0.6, markersize=5)
            axes.plot([np.mean(values)], [row], "|", color="black", markersize=14)
        axes.set_yticks(range(len(grouped)), [LABELS[condition] for condition in grouped])
        axes.set_ylim(len(grouped) - 0.5, -0.5)
        axes.set_xlabel("test accuracy on IMDB (%); a mark is a seed, the line their mean")
