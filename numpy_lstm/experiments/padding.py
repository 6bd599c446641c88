"""Why did one repository measure 50.4 % (RNN) and 78.8 % (LSTM), and what would one change bring?

Its configuration: 10,000 words, 500 steps, embeddings of 128 numbers started at random, 128 units,
Adam at 0.001, 64 reviews a batch, no dropout, Keras's initial weights; reviews cut and padded at
their ends, no mask, the last state read. Each other arm changes one thing. On tweets, Dwarampudi
and Reddy (2019) saw an LSTM fall from 80 % to 50 % when padded at the end instead of in front.
Trained on 2,500 reviews, a tenth, so that all arms and seeds fit into an hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import Reviews, keep_last
from numpy_lstm.data.text import PAD
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import accuracies
from numpy_lstm.experiments.words import keep_first

PIVOT = "test_accuracy"
PUBLISHED: dict[str, Any] = {
    "padding": "post",
    "cut": "first",
    "n_train": 2500,
    "epochs": 4,
    "patience": 0,
    "bag_size": 1,
    "hidden_size": 128,
    "vector_size": 128,
    "vocabulary_size": 10_000,
    "max_length": 500,
    "learning_rate": 1e-3,
    "clip": 1e9,  # none, in effect; infinity is no JSON
    "dropout": 0.0,
    "probes": 1,
    "recurrent": "orthogonal",
}
CHANGES: dict[str, dict[str, Any]] = {
    "as published": {},
    "padded in front": {"padding": "pre"},
    "masked": {"padding": "none"},
    "masked and last words": {"padding": "none", "cut": "last"},
    "last words": {"cut": "last"},
    "uniform weights": {"recurrent": "uniform"},
    "clipped at 1": {"clip": 1.0},
}


def arms(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell, with each change."""
    listed = {
        f"{model}, {change}": {"model": model, **PUBLISHED, **given}
        for model in ("rnn", "lstm")
        for change, given in CHANGES.items()
    }
    if quick:
        return {arm: listed[arm] for arm in list(listed)[:3]}
    return listed


def padded(part: Reviews, length: int, cut: str, padding: str) -> Reviews:
    """Reviews cut to `length` words, and filled up with the padding word, as if it were one.

    Examples
    --------
    >>> part = Reviews(np.array([7, 8], dtype=np.int32), np.array([0, 2]), np.zeros(1), np.zeros(1))
    >>> padded(part, 4, "last", "post").tokens
    array([7, 8, 0, 0], dtype=int32)
    """
    part = keep_last(part, length) if cut == "last" else keep_first(part, length)
    if padding == "none":
        return part
    table = np.full((len(part.labels), length), PAD, np.int32)
    real = np.arange(length) < part.lengths[:, np.newaxis]
    table[real if padding == "post" else real[:, ::-1]] = part.tokens
    return part._replace(tokens=table.ravel(), starts=length * np.arange(len(table) + 1))


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train one cell as its arm says."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, settings["vocabulary_size"], settings["vector_size"])
    splits = reviews.cut(
        prepared.splits,
        lambda part: padded(part, own.max_length, settings["cut"], settings["padding"]),
        settings["n_train"],
        seed,
    )
    # Keras's Embedding starts at U(-0.05, 0.05), with nothing special about the padding word.
    vectors = np.random.default_rng(seed).uniform(-0.05, 0.05, prepared.vectors.shape)
    progress = reviews.fit(
        settings["model"],
        splits,
        vectors.astype(np.float32),
        own,
        recurrent=settings["recurrent"],
    )
    return reviews.scores(progress, splits, own)


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy of each arm."""
    return accuracies(trials)


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed as a dot, a row a change."""
    with plots.figure(path, 1, 1, 6.5, 3.2) as (drawing, (axes,)):
        for model, shift in (("rnn", -0.15), ("lstm", 0.15)):
            for row, change in enumerate(CHANGES):
                values = [
                    100 * trial["result"]["test_accuracy"]
                    for trial in trials
                    if trial["arm"] == f"{model}, {change}"
                ]
                axes.plot(
                    values,
                    [row + shift] * len(values),
                    plots.MARKERS[model],
                    color=plots.COLORS[model],
                    markersize=4,
                    label=plots.NAMES[model] if row == 0 else None,
                )
        axes.axvline(50, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
        axes.set_yticks(range(len(CHANGES)), list(CHANGES))
        axes.invert_yaxis()
        axes.set_xlabel("test accuracy (%); a mark is a seed")
        axes.legend()
        drawing.suptitle("IMDB, that repository's configuration and one change at a time")
