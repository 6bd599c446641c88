"""How many neutral steps between the review and the read-out does a cell survive?

Every model reads the last words of a review and then K steps of the padding word. It is trained and
tested for that K at four learning rates; the one with the smallest validation loss counts, so that
no rate favors a cell. The same happens when padded reviews are read to the end without a mask. What
arrives of the gradient at the review's end is measured before training and after every epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from scipy.stats import rankdata

from numpy_lstm import plots
from numpy_lstm.data.corpus import Reviews, keep_last
from numpy_lstm.data.text import PAD
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.gradient_flow import kept, rounded
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import spread
from numpy_lstm.types import Array

PIVOTS = ("test_accuracies_(rank)",)
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
RATES = (3e-4, 1e-3, 3e-3, 1e-2)  # learning rates

GRADIENTS = ("x_at_review_end", "x_at_review_end_over_last_step")
ARRIVES = "‖∂L/∂x‖, review's end over last step,\nbefore training"
DRAWN: dict[str, Callable[[dict[str, Any]], float]] = {
    "test accuracy (%)": lambda result: 100 * result["test_accuracy"],
    ARRIVES: lambda result: result[GRADIENTS[1]][0],
    "the same, at the best epoch": lambda result: result[GRADIENTS[1]][result["best_epoch"]],
}


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
    return {
        **reviews.scores(progress, splits, own),
        "learning_rate": rate,
        "val_losses": {
            f"{tried:g}": rounded([epoch.val_loss for epoch in state.history])
            for tried, state in trained.items()
        },
        # Row k is k steps before the last step, so row `lag` is the review's own last step.
        "x_at_review_end": [median_at(norms.x, settings["lag"]) for norms in progress.norms],
        "x_at_review_end_over_last_step": [
            median_at(kept(norms.x), settings["lag"]) for norms in progress.norms
        ],
    }


def median_at(by_distance: Array, distance: int) -> float:
    """Median of the reviews that have a gradient, to four digits."""
    return rounded([np.nanmedian(by_distance[distance])])[0]


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy of every seed, and what arrives at the review's end, of each cell at each lag.

    A seed's rank is among the cells of the same seed and lag, from the best on; equal accuracies,
    to a tenth of a point, share their mean rank.
    """
    grouped = by_condition(trials)
    ranks = ranks_of(trials)
    summary: dict[str, Any] = {}
    for condition, results in grouped.items():
        accuracies = sorted(result["test_accuracy"] for result in results)
        listed = " ".join(f"{100 * accuracy:.1f}" for accuracy in accuracies)
        rates = sorted(result["learning_rate"] for result in results)
        summary[condition] = {
            PIVOTS[0]: f"{listed} ({np.mean(ranks[condition]):.1f})",
            "test_accuracy": spread(accuracies),
            "rank": spread(ranks[condition]),
            "learning_rates": {f"{rate:g}": rates.count(rate) for rate in dict.fromkeys(rates)},
        }
        for name in GRADIENTS:
            for when, epoch in (("start", lambda _: 0), ("best", lambda r: r["best_epoch"])):
                values = [result[name][epoch(result)] for result in results]
                summary[condition][f"{name}_{when}"] = spread(values)
    return summary


def ranks_of(trials: Sequence[dict[str, Any]]) -> dict[str, list[float]]:
    """Of each condition, every seed's rank among the cells of the same seed and lag."""
    rivals: dict[tuple[int, int], list[dict[str, Any]]] = {}
    for trial in trials:
        rivals.setdefault((trial["settings"]["lag"], trial["seed"]), []).append(trial)
    ranks: dict[str, list[float]] = {}
    for against in rivals.values():
        accuracies = [round(trial["result"]["test_accuracy"], 3) for trial in against]
        for trial, rank in zip(against, rankdata(np.negative(accuracies)), strict=True):
            ranks.setdefault(trial["condition"], []).append(float(rank))
    return ranks


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracy, and what arrives at the review's end before and after training, every seed."""
    lags = sorted({trial["settings"]["lag"] for trial in trials})
    with plots.figure(path, 1, 3, 7.2, 3.0) as (drawing, panels):
        for k, cell in enumerate(CELLS):
            own = [trial for trial in trials if trial["settings"]["cell"] == cell]
            places = np.arange(len(lags)) + 0.14 * (k - 2)  # a little apart, to be told apart
            style, mark = plots.cell(cell), plots.CELLS[cell][2]
            panels[0].plot([], label=plots.name_of(cell), marker=mark, markersize=3, **style)
            for axes, value in zip(panels, DRAWN.values(), strict=True):
                of = [[value(t["result"]) for t in own if t["settings"]["lag"] == K] for K in lags]
                axes.plot(places, [float(np.median(seeds)) for seeds in of], **style)
                marks = [(x, y) for x, seeds in zip(places, of, strict=True) for y in seeds]
                axes.plot(*np.transpose(marks), mark, color=style["color"], alpha=0.7, markersize=3)
        panels[0].axhline(50, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
        for axes, title in zip(panels, DRAWN, strict=True):
            axes.set_title(title, fontsize=8)
            axes.set_xticks(range(len(lags)), lags)
        for axes in panels[1:]:
            axes.set_yscale("log")
            axes.set_ylim(1e-14, 1e2)
        panels[1].set_xlabel("empty steps after the review, K")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
