"""A review opens with its verdict, and is told a story after it: which cell can tell the verdict?

The reviews are the built-in ones (:mod:`numpy_lstm.data.synthetic`), whose label depends on their
first sentences alone. Every model reads them to the end, four words per step, and answers there.
Each is trained at four learning rates; the one of the smallest validation loss counts. What is left
of the gradient at a distance from the end is measured before training and after every epoch.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.prepare import prepare
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.gradient_flow import kept, rounded
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, spread
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.settings import Settings
from numpy_lstm.training import predict_logits
from numpy_lstm.types import Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

CELLS: dict[str, dict[str, Any]] = {
    "rnn, orthogonal": {"model": "rnn"},
    "rnn, orthogonal x 1.5": {"model": "rnn", "scale": 1.5},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
}
RATES = (1e-3, 2.5e-3, 5e-3, 1e-2)  # learning rates
STEPS = (10, 15, 20, 30, 40)  # of a review, at most; the last group has more
FAR = 20  # steps before the last one, at which the summary says what is left
SMALL: dict[str, Any] = {"epochs": 1, "hidden_size": 8, "vector_size": 8, "probes": 16}


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell and its initial weights."""
    return {cell: CELLS[cell] for cell in CELLS if not quick or "x 1.5" not in cell}


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train one cell at several learning rates, with the training job's other settings."""
    given: dict[str, Any] = {"probes": 64, **(SMALL if quick else {}), "seed": seed}
    if "forget_bias" in settings:
        given["forget_bias"] = settings["forget_bias"]
    own = Settings.for_dataset("synthetic", **given)
    sizes = {"n_train": 150, "n_test": 40} if quick else {}
    prepared = prepare(synthetic_corpus(np.random.default_rng(seed), **sizes), own)
    rate, trained = reviews.fit_each_rate(
        settings["model"],
        prepared.splits,
        prepared.vectors,
        own,
        RATES[:2] if quick else RATES,
        scale=settings.get("scale", 1.0),
    )
    state, test = trained[rate], prepared.splits.test
    right = (predict_logits(state.best_parameters, test, own) > 0) == test.labels
    return {
        **reviews.scores(state, prepared.splits, own),
        "learning_rate": rate,
        "val_losses": {
            f"{tried:g}": rounded([epoch.val_loss for epoch in of_rate.history])
            for tried, of_rate in trained.items()
        },
        "lowest_train_loss": min(
            epoch.train_loss for of_rate in trained.values() for epoch in of_rate.history
        ),
        "right_by_steps": count_by_steps(right, -(-test.lengths // own.bag_size)),
        "state_by_distance": {
            "start": in_state(state.norms[0]),
            "best": in_state(state.norms[state.best_epoch]),
        },
    }


def count_by_steps(right: Array, steps: Array) -> list[tuple[int, int]]:
    """Numbers of right and of all reviews of at most 10 steps, of 11 to 15, and so on.

    Examples
    --------
    >>> count_by_steps(np.array([True, False, True]), np.array([10, 11, 41]))
    [(1, 1), (0, 1), (0, 0), (0, 0), (0, 0), (1, 1)]
    """
    groups = np.searchsorted(STEPS, steps)
    return [
        (int(np.sum(right[groups == k])), int(np.sum(groups == k))) for k in range(len(STEPS) + 1)
    ]


def in_state(norms: GradientNorms) -> list[float]:
    """What is kept of the gradient in the state, h or c, at each distance; the reviews' median."""
    return rounded(np.nanmedian(kept(norms.h if norms.c is None else norms.c), axis=1))


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy, the lowest training loss at any rate, and what is left of the gradient."""
    return {
        condition: {
            "test_accuracy": describe([result["test_accuracy"] for result in results]),
            "lowest_train_loss": spread([result["lowest_train_loss"] for result in results]),
            **{
                f"state_{FAR}_back_{when}": spread(
                    [result["state_by_distance"][when][: FAR + 1][-1] for result in results]
                )
                for when in ("start", "best")
            },
        }
        for condition, results in by_condition(trials).items()
    }


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracy against the length of the review, and the gradient against the distance."""
    with plots.figure(path, 1, 3, 8.0, 3.0) as (drawing, (accuracy, start, best)):
        draw_accuracy(accuracy, trials)
        draw_gradient(start, trials, "start")
        draw_gradient(best, trials, "best")
        start.set_title(
            "gradient in the state, over that at\nthe last step, before training", fontsize=9
        )
        best.set_title("the same,\nat the best epoch", fontsize=9)
        drawing.legend(*accuracy.get_legend_handles_labels(), loc="outside lower center", ncols=4)


def draw_accuracy(axes: Axes, trials: Sequence[dict[str, Any]]) -> None:
    """The share of right reviews of each length, every seed as a mark, the mean as a line."""
    for k, (cell, results) in enumerate(by_condition(trials).items()):
        shares = 100 * np.array([shares_of(result["right_by_steps"]) for result in results])
        places = np.arange(shares.shape[1]) + 0.12 * (k - 1.5)
        style, mark = plots.cell(cell), plots.CELLS[cell][2]
        axes.plot(places, shares.mean(axis=0), **style)
        marks = {"color": style["color"], "alpha": 0.6, "markersize": 3}
        axes.plot(np.tile(places, len(shares)), shares.ravel(), mark, **marks)
        axes.plot([], label=plots.name_of(cell), marker=mark, markersize=3, **style)
    axes.axhline(50, color="black", linewidth=0.8, linestyle=(0, (1, 2)))
    axes.set_xticks(range(len(STEPS) + 1), [*(f"≤{last}" for last in STEPS), f">{STEPS[-1]}"])
    axes.set_ylim(30, 102)
    axes.set_xlabel("steps of the review")
    axes.set_title("test accuracy (%)", fontsize=9)


def shares_of(counts: Sequence[tuple[int, int]]) -> list[float]:
    """Right reviews over all, NaN where there are none."""
    return [right / n if n else np.nan for right, n in counts]


def draw_gradient(axes: Axes, trials: Sequence[dict[str, Any]], when: str) -> None:
    """What is left of the gradient in the state at the start or the best epoch, a line a seed."""
    for cell, results in by_condition(trials).items():
        for result in results:
            axes.plot(result["state_by_distance"][when], **{**plots.cell(cell), "linewidth": 0.9})
    axes.set_yscale("log")
    axes.set_ylim(1e-10, 1e2)
    axes.set_xlabel("steps before the last one")
