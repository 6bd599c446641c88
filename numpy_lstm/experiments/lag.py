"""How many neutral steps between the review and the read-out does a cell survive?

Every model reads the last words of a review and then K steps of the padding word. It is trained and
tested for that K at two learning rates; the one with the smaller validation loss counts, so that
no rate favors a cell. The same happens when padded reviews are read to the end without a mask.
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
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, geometric_mean

PIVOTS = ("test_accuracy",)
BAG = 4  # words in a step
STEPS = 25  # of the review itself: its last 100 words
LAGS = (0, 25, 50, 100, 200, 400)
CELLS: dict[str, dict[str, Any]] = {
    "rnn, orthogonal": {"model": "rnn", "recurrent": "orthogonal"},
    "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
}
SIZES: dict[str, Any] = {
    "n_train": 10_000,
    "epochs": 3,
    "patience": 0,
    "hidden_size": 32,
    "vector_size": 64,
    "dropout": 0.0,
    "probes": 64,
}
RATES = (1e-3, 3e-3)  # learning rates


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell at each lag."""
    return {
        f"{cell}, K={lag}": {"cell": cell, "lag": lag, **CELLS[cell], **SIZES}
        for lag in (LAGS[:2] if quick else LAGS)
        for cell in CELLS
    }


def with_lag(part: Reviews, lag: int) -> Reviews:
    """The last words of each review, in whole steps, and `lag` steps of padding.

    Examples
    --------
    >>> part = Reviews(np.arange(2, 11, dtype=np.int32), np.array([0, 9]), np.zeros(1), np.zeros(1))
    >>> with_lag(part, 1).tokens
    array([ 3,  4,  5,  6,  7,  8,  9, 10,  0,  0,  0,  0], dtype=int32)
    """
    cut = keep_last(part, BAG * STEPS)
    rest = np.full(BAG * lag, PAD, np.int32)
    pieces, lengths = [], []
    for start, end in zip(cut.starts[:-1], cut.starts[1:], strict=True):
        length = end - start
        kept = cut.tokens[end - max(length - length % BAG, min(length, BAG)) : end]
        pieces += [kept, rest]
        lengths.append(len(kept) + len(rest))
    starts = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    return cut._replace(tokens=np.concatenate(pieces), starts=starts)


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train one cell at one lag; the learning rate is chosen on the validation reviews."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, vector_size=settings["vector_size"])
    splits = reviews.cut(
        prepared.splits,
        lambda part: with_lag(part, settings["lag"]),
        settings["n_train"],
        seed,
    )
    rate, trained = reviews.fit_each_rate(
        settings["model"],
        splits,
        prepared.vectors,
        own,
        RATES,
        recurrent=settings.get("recurrent", "orthogonal"),
    )
    progress = trained[rate]
    # Row k is k steps before the last step, so row `lag` is the review's own last step.
    at_start, at_best = (
        float(np.median(progress.norms[epoch].x[settings["lag"]]))
        for epoch in (0, progress.best_epoch)
    )
    return {
        **reviews.scores(progress, splits, own),
        "gradient_at_review_end_start": at_start,
        "gradient_at_review_end_best": at_best,
        "learning_rate": rate,
        "val_accuracies": [
            reviews.training_scores(state)["val_accuracy"] for state in trained.values()
        ],
    }


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy, and gradient at the review's end, of each cell at each lag."""
    return {
        condition: {
            name: describe([result[name] for result in results])
            for name in (
                "test_accuracy",
                "gradient_at_review_end_start",
                "gradient_at_review_end_best",
            )
        }
        for condition, results in by_condition(trials).items()
    }


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracy, and the gradient that reaches the review before training, against the lag."""
    lags = sorted({trial["settings"]["lag"] for trial in trials})
    with plots.figure(path, 1, 2, 6.5, 2.8) as (drawing, (accuracy, gradient)):
        for k, cell in enumerate(CELLS):
            own = [trial for trial in trials if trial["settings"]["cell"] == cell]
            places = np.arange(len(lags)) + 0.07 * (k - 2)  # a little apart, to be told apart
            style, mark = plots.cell(cell), plots.CELLS[cell][2]
            accuracy.plot([], label=plots.name_of(cell), marker=mark, markersize=3, **style)
            for axes, measured, mean in (
                (accuracy, "test_accuracy", np.mean),
                (gradient, "gradient_at_review_end_start", geometric_mean),
            ):
                values = of_lags(own, measured, lags)
                axes.plot(places, [float(mean(of_seeds)) for of_seeds in values], **style)
                marks = [(x, y) for x, seeds in zip(places, values, strict=True) for y in seeds]
                axes.plot(*np.transpose(marks), mark, color=style["color"], alpha=0.7, markersize=3)
        accuracy.axhline(0.5, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
        accuracy.yaxis.set_major_formatter(lambda share, _: f"{100 * share:.0f} %")
        accuracy.set_title("test accuracy", fontsize=9)
        gradient.set_yscale("log")
        gradient.set_ylim(1e-30, 1e2)
        gradient.set_title("‖∂L/∂x‖ at the review's end, before training", fontsize=9)
        for axes in (accuracy, gradient):
            axes.set_xticks(range(len(lags)), lags)
            axes.set_xlabel("empty steps after the review, K")
        drawing.legend(*accuracy.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def of_lags(trials: Sequence[dict[str, Any]], name: str, lags: Sequence[int]) -> list[list[float]]:
    """A cell's results at each lag, one per seed."""
    return [[t["result"][name] for t in trials if t["settings"]["lag"] == lag] for lag in lags]
