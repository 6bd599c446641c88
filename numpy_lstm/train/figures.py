"""The two figures of a run: learning curves and gradient norms."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm.gradient_flow import GradientNorms, decay_per_step
from numpy_lstm.plots import COLORS, DASHES, MARKERS, figure
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.types import MODEL_NAMES, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

DATA_SETS = {
    "imdb": "IMDB",
    "reviews": "reviews other than IMDB's",
    "synthetic": "built-in reviews (synthetic)",
}


def draw(folder: Path, runs: Mapping[str, TrainingState], dataset: str, bag_size: int) -> None:
    """Draw both figures of a run; one that fails is a warning, since the results are there."""
    histories = {model: state.history for model, state in runs.items()}
    drawings: dict[str, Callable[[Path], None]] = {
        "lstm_rnn_performance_comparison.png": lambda path: comparison(path, histories, dataset),
        "gradient_norms.png": lambda path: gradient_norms(path, runs, dataset, bag_size),
    }
    for name, drawing in drawings.items():
        try:
            drawing(folder / name)
        except Exception as error:  # of Matplotlib, its configuration, its fonts, or the disk
            reason = " ".join(f"{type(error).__name__}: {error}".split())
            print(
                f"warning: {name} could not be drawn ({reason}). All numbers and weights are"
                " written; --resume draws it.",
                file=sys.stderr,
            )


def comparison(path: Path, histories: Mapping[str, Sequence[Epoch]], dataset: str) -> None:
    """Validation loss and accuracy per epoch, for all models.

    Parameters
    ----------
    path : Path
        Path of the PNG.
    histories : mapping
        Model ("rnn", "lstm") to its epochs.
    dataset : str
        "imdb", "reviews" or "synthetic", named in the title.
    """
    from matplotlib.ticker import MaxNLocator

    with figure(path, 1, 2, 7.0, 3.0) as (drawing, (loss, accuracy)):
        for model, history in histories.items():
            epochs = [line.epoch for line in history]
            style: dict[str, Any] = {
                "color": COLORS[model],
                "linestyle": DASHES[model],
                "marker": MARKERS[model],
                "label": MODEL_NAMES[model],
            }
            loss.plot(epochs, [line.val_loss for line in history], **style)
            accuracy.plot(epochs, [100 * line.val_accuracy for line in history], **style)
        loss.set_ylabel("validation loss (nats per review)")
        accuracy.set_ylabel("validation accuracy (%)")
        for axes in (loss, accuracy):
            axes.set_xlabel("epoch")
            axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        accuracy.legend()
        drawing.suptitle(f"Validation loss and accuracy: {DATA_SETS[dataset]}")


def gradient_norms(
    path: Path, runs: Mapping[str, TrainingState], dataset: str, bag_size: int
) -> None:
    """Norm of the gradient against the distance from the end, at the start and the best epoch.

    Median and interquartile range over the probe reviews, and the fitted decay. Only the gradients
    in the inputs can be compared between the cells; those in the states show where they travel.

    Parameters
    ----------
    path : Path
        Path of the PNG.
    runs : mapping
        Model ("rnn", "lstm") to its state, with the norms recorded.
    dataset : str
        "imdb", "reviews" or "synthetic", named in the title.
    bag_size : int
        Words in one time step, named at the axis.
    """
    with figure(path, 2, 2, 7.0, 5.4) as (drawing, axes):
        for row, when in enumerate(("before training", "best epoch")):
            inputs, states = axes[2 * row], axes[2 * row + 1]
            for model, state in runs.items():
                norms = state.norms[0 if row == 0 else state.best_epoch]
                decay = decay_per_step(norms.x)
                _band(inputs, norms.x, model, f"{MODEL_NAMES[model]}: ×{decay:.3f} a step")
                _states(states, norms, model)
            inputs.set_title(f"input, {when}", fontsize=9)
            states.set_title(f"states, {when}", fontsize=9)
            inputs.set_ylabel("‖∂L/∂x‖ (nats per unit)")
            states.set_ylabel("‖∂L/∂h‖, ‖∂L/∂c‖ (nats per unit)")
        for panel in axes:
            panel.set_yscale("log")
            panel.legend(fontsize=8)
        for panel in axes[1:]:
            panel.sharey(axes[0])
        axes[0].autoscale(axis="y")  # over all panels; sharing alone takes the first one's limits
        for panel in axes[2:]:
            panel.set_xlabel(f"steps before the last one (1 step = {_words(bag_size)})")
        drawing.suptitle(f"How far the gradient reaches: {DATA_SETS[dataset]}")


def _states(axes: Axes, norms: GradientNorms, model: str) -> None:
    _band(axes, norms.h, model, f"{MODEL_NAMES[model]}: h")
    if norms.c is not None:
        _band(axes, norms.c, model, f"{MODEL_NAMES[model]}: c (cell state)", dashes="dotted")


def _band(axes: Axes, by_distance: Array, model: str, label: str, dashes: object = None) -> None:
    positive = np.where(by_distance > 0, by_distance, np.nan)  # a log axis cannot show a zero
    steps = np.flatnonzero(np.isfinite(positive).any(axis=1))
    if len(steps) == 0:  # all gradients of a saturated network may underflow
        axes.plot([], color=COLORS[model], linestyle=dashes or DASHES[model], label=label)
        return
    low, median, high = np.nanquantile(positive[steps], [0.25, 0.5, 0.75], axis=1)
    axes.fill_between(steps, low, high, color=COLORS[model], alpha=0.2, linewidth=0)
    axes.plot(steps, median, color=COLORS[model], linestyle=dashes or DASHES[model], label=label)


def _words(bag_size: int) -> str:
    return "1 word" if bag_size == 1 else f"{bag_size} words"
