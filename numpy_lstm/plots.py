"""Figures, in one style: colors apart in grey-scale and to the color-blind, lines apart by dash.

Matplotlib (Hunter, 2007) is imported when a figure is drawn, not before.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm.cells import Array
from numpy_lstm.files import write_atomically
from numpy_lstm.gradient_flow import GradientNorms, decay_per_step
from numpy_lstm.training import Epoch, Progress

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

NAMES = {"rnn": "vanilla RNN", "lstm": "LSTM"}
DATA_SETS = {"imdb": "IMDB", "synthetic": "built-in reviews (synthetic)"}
# Paul Tol's high-contrast scheme: distinct in print without color too.
COLORS = {"rnn": "#BB5566", "lstm": "#004488"}
DASHES = {"rnn": (0, (4, 1.5)), "lstm": "solid"}
MARKERS = {"rnn": "s", "lstm": "o"}
# Of many series, apart in grey-scale by their dashes: Paul Tol's muted scheme.
MUTED = ("#332288", "#CC6677", "#117733", "#AA4499", "#999933", "#882255", "#44AA99", "#88CCEE")
MUTED_DASHES: tuple[Any, ...] = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
STYLE: Any = {
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#DDDDDD",
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "savefig.dpi": 200,
    "svg.hashsalt": "numpy_lstm",  # the same bytes for the same drawing
}


def series(k: int) -> dict[str, Any]:
    """Color and dashes of the k-th of several lines."""
    return {
        "color": MUTED[k % len(MUTED)],
        "linestyle": MUTED_DASHES[k % len(MUTED_DASHES)],
        "linewidth": 1.4,
    }


@contextmanager
def figure(
    path: Path, rows: int, columns: int, width: float, height: float
) -> Iterator[tuple[Figure, list[Axes]]]:
    """Give a figure in the project's style, and save it on the way out.

    Parameters
    ----------
    path : Path
        A PNG, or an SVG whose letters are outlines; replaced whole, or not at all.
    rows, columns : int
        Of axes, which come as a list, row by row.
    width, height : float
        Inches, as printed.
    """
    import matplotlib
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(STYLE):
        drawing = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawing)
        axes = drawing.subplots(rows, columns, squeeze=False)
        yield drawing, list(axes.ravel())
        how: dict[str, Any] = {"format": path.suffix[1:], "metadata": {"Date": None}}
        write_atomically(path, lambda file: drawing.savefig(file, **how))


def comparison(path: Path, histories: Mapping[str, Sequence[Epoch]], dataset: str) -> None:
    """Validation loss and accuracy per epoch, every model in one picture.

    Parameters
    ----------
    path : Path
        Where the PNG goes.
    histories : mapping
        Model ("rnn", "lstm") to its epochs.
    dataset : str
        "imdb" or "synthetic", named in the title.
    """
    from matplotlib.ticker import MaxNLocator

    with figure(path, 1, 2, 7.0, 3.0) as (drawing, (loss, accuracy)):
        for model, history in histories.items():
            epochs = [line.epoch for line in history]
            style: dict[str, Any] = {
                "color": COLORS[model],
                "linestyle": DASHES[model],
                "marker": MARKERS[model],
                "label": NAMES[model],
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


def gradient_norms(path: Path, runs: Mapping[str, Progress], dataset: str, bag_size: int) -> None:
    """Norm of the gradient against the distance from the end, at the start and the best epoch.

    Median and inter-quartile range over the probe reviews, and the fitted decay. The input's
    gradient compares directly between the cells; the states' show where it travels.

    Parameters
    ----------
    path : Path
        Where the PNG goes.
    runs : mapping
        Model ("rnn", "lstm") to its progress, with the norms recorded.
    dataset : str
        "imdb" or "synthetic", named in the title.
    bag_size : int
        Words in one time step, named at the axis.
    """
    with figure(path, 2, 2, 7.0, 5.4) as (drawing, axes):
        for row, when in enumerate(("before training", "best epoch")):
            inputs, states = axes[2 * row], axes[2 * row + 1]
            for model, progress in runs.items():
                norms = progress.norms[0 if row == 0 else progress.best_epoch]
                decay = decay_per_step(norms.x)
                _band(inputs, norms.x, model, f"{NAMES[model]}: ×{decay:.3f} a step")
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
    _band(axes, norms.h, model, f"{NAMES[model]}: h")
    if norms.c is not None:
        _band(axes, norms.c, model, f"{NAMES[model]}: c (cell state)", dashes="dotted")


def _band(axes: Axes, by_distance: Array, model: str, label: str, dashes: object = None) -> None:
    positive = np.where(by_distance > 0, by_distance, np.nan)  # a log axis cannot show a zero
    steps = np.flatnonzero(np.isfinite(positive).any(axis=1))
    if len(steps) == 0:  # all gradients underflow in a network that is saturated
        axes.plot([], color=COLORS[model], linestyle=dashes or DASHES[model], label=label)
        return
    low, median, high = np.nanquantile(positive[steps], [0.25, 0.5, 0.75], axis=1)
    axes.fill_between(steps, low, high, color=COLORS[model], alpha=0.2, linewidth=0)
    axes.plot(steps, median, color=COLORS[model], linestyle=dashes or DASHES[model], label=label)


def _words(bag_size: int) -> str:
    return "1 word" if bag_size == 1 else f"{bag_size} words"
