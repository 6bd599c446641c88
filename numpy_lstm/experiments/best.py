"""How accurate is the best single model that NumPy trains from the IMDB texts in minutes?

An LSTM whose states are averaged and maximized over the review, with larger word vectors and more
dropout than the training job's: a first guess, not tuned yet. That of Dai and Le (2015), tuned but
not pretrained, reached 86.5 %. Beside it, what would show a leak: the same model trained on
shuffled labels, the words of the vocabulary that stand in no training review, and the test reviews
that are, word for word, training or validation reviews too.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import Reviews, keep_last
from numpy_lstm.data.prepare import Splits
from numpy_lstm.data.text import UNKNOWN
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_arm
from numpy_lstm.experiments.statistics import describe

BEST: dict[str, Any] = {
    "model": "lstm",
    "readout": "meanmax",
    "bag_size": 4,
    "vector_size": 256,
    "dropout": 0.5,
    "epochs": 4,
    "patience": 0,
    "probes": 1,
}


def arms(quick: bool) -> dict[str, dict[str, Any]]:
    """The model, and the same on labels that mean nothing."""
    return {
        "best": {**BEST, "shuffled": False},
        "shuffled labels": {**BEST, "shuffled": True, "epochs": 1},
    }


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and score one of them."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, vector_size=settings["vector_size"])
    splits = prepared.splits
    leaks = {
        "words_in_no_training_review": words_in_no_training_review(
            splits.train, len(prepared.vocabulary)
        ),
        "test_reviews_seen": copies(splits),
    }
    if settings["shuffled"]:
        labels = np.random.default_rng(seed).permutation(splits.train.labels)
        splits = splits._replace(train=splits.train._replace(labels=labels))
    splits = reviews.cut(splits, lambda part: keep_last(part, own.max_length))
    progress = reviews.fit(settings["model"], splits, prepared.vectors, own)
    return {**reviews.scores(progress, splits, own), **leaks}


def words_in_no_training_review(train: Reviews, vocabulary_size: int) -> int:
    """Entries of the vocabulary that only other texts can have put there."""
    counts = np.bincount(train.tokens, minlength=vocabulary_size)
    return int((counts[UNKNOWN + 1 :] == 0).sum())


def copies(splits: Splits) -> int:
    """Test reviews that stand, word for word, among the training or validation reviews."""

    def texts(part: Reviews) -> list[bytes]:
        return [piece.tobytes() for piece in np.split(part.tokens, part.starts[1:-1])]

    seen = {*texts(splits.train), *texts(splits.validation)}
    return sum(text in seen for text in texts(splits.test))


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy, with its interval, and the leak checks."""
    return {
        arm: {
            "test_accuracy": describe([result["test_accuracy"] for result in results]),
            "words_in_no_training_review": max(r["words_in_no_training_review"] for r in results),
            "test_reviews_seen": max(result["test_reviews_seen"] for result in results),
            "training_seconds": max(result["training_seconds"] for result in results),
        }
        for arm, results in by_arm(trials).items()
    }


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed as a dot."""
    with plots.figure(path, 1, 1, 6.0, 1.8) as (drawing, (axes,)):
        grouped = by_arm(trials)
        for row, results in enumerate(grouped.values()):
            values = [100 * result["test_accuracy"] for result in results]
            axes.plot(values, [row] * len(values), "o", color="#004488", alpha=0.6, markersize=5)
        axes.set_yticks(range(len(grouped)), list(grouped))
        axes.set_ylim(len(grouped) - 0.5, -0.5)
        axes.set_xlabel("test accuracy (%); a dot is a seed")
        drawing.suptitle("The best single model, and the same on shuffled labels")
