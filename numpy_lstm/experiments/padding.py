"""Why did one repository measure 50.4 % (RNN) and 78.8 % (LSTM), and what would one change bring?

Its configuration: 10,000 words, 500 steps, random embeddings of 128 numbers, 128 units, Adam at
0.001, batches of 64, no dropout, Keras's initial weights; reviews cut and padded at the end, no
mask, the last state read. It is trained here for four of the published ten epochs. Then, at half
the width and for one epoch, each change is tested alone, and compared with no change. For tweets,
Dwarampudi and Reddy (2019) report a fall of an LSTM from 80 % to 50 % when padded at the end
instead of in front. Accuracy by the amount of padding tells whether reviews without padding are
learned first.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import Reviews, keep_first, keep_last
from numpy_lstm.data.text import PAD
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe
from numpy_lstm.training import predict_logits
from numpy_lstm.types import MODEL_NAMES, Array

PIVOTS = ("test_accuracy",)
FOREVER = 10**6  # epochs over which the learning rate falls to 0: constant in the first few
PUBLISHED: dict[str, Any] = {
    "padding": "post",
    "cut": "first",
    "stop_after": 4,
    "epochs": FOREVER,
    "patience": 0,
    "bag_size": 1,
    "hidden_size": 128,
    "vector_size": 128,
    "vocabulary_size": 10_000,
    "max_length": 500,
    "learning_rate": 1e-3,
    "clip": 1e9,  # no clipping in effect; JSON has no infinity
    "dropout": 0.0,
    "probes": 1,
    "recurrent": "orthogonal",
}
HALF: dict[str, Any] = {"hidden_size": 64, "vector_size": 64, "stop_after": 1}
CHANGES: dict[str, dict[str, Any]] = {
    "as published": {},
    "half as wide": HALF,
    "padded in front": {**HALF, "padding": "pre"},
    "masked": {**HALF, "padding": "none"},
    "last words": {**HALF, "cut": "last"},
    "uniform weights": {**HALF, "recurrent": "uniform"},
    "clipped at 1": {**HALF, "clip": 1.0},
}
FILLED = (0, 100, 200, 300, 400, 500)  # most steps of padding in each group


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell with each change."""
    listed = {
        f"{model}, {change}": {"model": model, **PUBLISHED, **given}
        for model in ("rnn", "lstm")
        for change, given in CHANGES.items()
    }
    if quick:
        return {condition: listed[condition] for condition in list(listed)[:3]}
    return listed


def padded(part: Reviews, length: int, cut: str, padding: str) -> Reviews:
    """Reviews cut to `length` words, or filled up with the padding word as an ordinary word.

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
    """Train and evaluate one condition."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, settings["vocabulary_size"], settings["vector_size"])
    splits = reviews.cut(
        prepared.splits,
        lambda part: padded(part, own.max_length, settings["cut"], settings["padding"]),
    )
    # Keras's Embedding starts from U(-0.05, 0.05), also for the padding word.
    vectors = np.random.default_rng(seed).uniform(-0.05, 0.05, prepared.vectors.shape)
    state = reviews.fit(
        settings["model"],
        splits,
        vectors.astype(np.float32),
        own,
        recurrent=settings["recurrent"],
        stop_after=settings["stop_after"],
    )
    right = (predict_logits(state.best_parameters, splits.test, own) > 0) == splits.test.labels
    filled = own.max_length - np.minimum(prepared.splits.test.lengths, own.max_length)
    return {
        "test_accuracy": float(right.mean()),
        "test_right_by_filled": count_by_filled(right, filled),
        "val_accuracies": [epoch.val_accuracy for epoch in state.history],
        **reviews.training_scores(state),
    }


def count_by_filled(right: Array, filled: Array) -> list[tuple[int, int]]:
    """Numbers of right and of all reviews with 0 steps of padding, up to 100 steps, and so on.

    Examples
    --------
    >>> count_by_filled(np.array([True, False, True, True]), np.array([0, 0, 100, 101]))
    [(1, 2), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]
    """
    groups = np.searchsorted(FILLED, filled)
    return [(int(np.sum(right[groups == k])), int(np.sum(groups == k))) for k in range(len(FILLED))]


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy of each condition, on all reviews and by the steps of padding."""
    return {
        condition: {
            "test_accuracy": describe([result["test_accuracy"] for result in results]),
            **{
                f"at_most_{steps}_steps_of_padding": share(
                    np.sum([result["test_right_by_filled"][k] for result in results], axis=0)
                )
                for k, steps in enumerate(FILLED)
            },
        }
        for condition, results in by_condition(trials).items()
    }


def share(right_and_all: Sequence[int] | Array) -> float | None:
    """The first number divided by the second; None if that is 0."""
    right, total = right_and_all
    return float(right / total) if total else None


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed as a mark, one row per change; the published condition by steps of padding."""
    grouped = by_condition(trials)
    with plots.figure(path, 1, 2, 7.2, 3.4) as (drawing, (changes, groups)):
        for model, shift in (("rnn", -0.15), ("lstm", 0.15)):
            style: dict[str, Any] = {"color": plots.COLORS[model], "markersize": 4}
            for row, change in enumerate(CHANGES):
                values = [
                    100 * result["test_accuracy"]
                    for result in grouped.get(f"{model}, {change}", [])
                ]
                places = [row + shift] * len(values)
                changes.plot(values, places, plots.MARKERS[model], **style)
            for k, result in enumerate(grouped.get(f"{model}, as published", [])):
                shares = [share(counts) for counts in result["test_right_by_filled"]]
                groups.plot(
                    FILLED,
                    100 * np.array(shares, np.float64),  # a group without reviews is a gap
                    marker=plots.MARKERS[model],
                    linestyle=plots.DASHES[model],
                    label=MODEL_NAMES[model] if k == 0 else None,
                    **style,
                )
        changes.axvline(50, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
        changes.set_yticks(range(len(CHANGES)), list(CHANGES))
        changes.invert_yaxis()
        changes.set_xlabel("test accuracy (%); a mark is a seed")
        groups.axhline(50, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
        groups.set_title("as published", fontsize=9)
        groups.set_xlabel("steps of padding, at most")
        groups.set_ylabel("test accuracy (%); a line is a seed")
        groups.legend()
        drawing.suptitle("IMDB, that repository's configuration and one change at a time")
