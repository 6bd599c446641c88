"""The style of all figures, readable in grayscale and for the color-blind.

Matplotlib (Hunter, 2007) is imported only when a figure is drawn.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from numpy_lstm.files import write_atomically
from numpy_lstm.types import MODEL_NAMES

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Paul Tol's high-contrast scheme: distinct in grayscale too.
COLORS = {"rnn": "#BB5566", "lstm": "#004488"}
DASHES = {"rnn": (0, (4, 1.5)), "lstm": "solid"}
MARKERS = {"rnn": "s", "lstm": "o"}
# Of many series, apart in grey-scale by their dashes: Paul Tol's muted scheme.
MUTED = ("#332288", "#CC6677", "#117733", "#AA4499", "#999933", "#882255", "#44AA99", "#88CCEE")
MUTED_DASHES: tuple[Any, ...] = ("solid", (0, (4, 1.5)), (0, (1, 1)), (0, (4, 1, 1, 1)))
# Of a cell and its start, in every figure; a model's usual start is drawn as the trained model.
CELLS: dict[str, tuple[str, Any, str]] = {
    "rnn, orthogonal": (COLORS["rnn"], DASHES["rnn"], MARKERS["rnn"]),
    "rnn, uniform": ("#882255", (0, (1, 1)), "D"),
    "rnn, orthogonal x 0.5": ("#997700", (0, (4, 1, 1, 1)), "P"),
    "rnn, orthogonal x 1.5": ("#CC3311", (0, (6, 1, 1, 1, 1, 1)), "X"),
    "lstm, b_f=0": ("#117733", (0, (4, 1, 1, 1)), "v"),
    "lstm, b_f=1": (COLORS["lstm"], DASHES["lstm"], MARKERS["lstm"]),
    "lstm, b_f=3": ("#44AA99", (0, (6, 1, 1, 1, 1, 1)), "^"),
    "lstm, uniform": ("#332288", (0, (1, 1)), "<"),
    "lstm, f = 1/2": ("#555555", (0, (2, 2)), "1"),
    "lstm, f = 1": ("#777777", (0, (8, 2)), "2"),
    "lstm, chrono": ("#AA4499", (0, (2, 1)), "*"),
}
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


def cell(name: str) -> dict[str, Any]:
    """Color and dashes of a cell and its start."""
    color, dashes, _ = CELLS[name]
    return {"color": color, "linestyle": dashes, "linewidth": 1.4}


def name_of(cell: str) -> str:
    """The cell as legends call it.

    Examples
    --------
    >>> name_of("rnn, orthogonal x 1.5"), name_of("lstm, b_f=1")
    ('vanilla RNN, orthogonal × 1.5', 'LSTM, $b_f = 1$')
    """
    model, start = cell.split(", ", 1)
    start = re.sub(r"b_f=(\d+)", r"$b_f = \1$", start).replace(" x ", " × ")
    return f"{MODEL_NAMES[model]}, {start}"


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
        Of the axes, which are listed row by row.
    width, height : float
        Inches, as printed.
    """
    matplotlib = _matplotlib()
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    defaults = {name: value for name, value in matplotlib.rcParamsDefault.items()}
    del defaults["backend"]
    with matplotlib.rc_context({**defaults, **STYLE}):
        drawing = Figure(figsize=(width, height), layout="constrained")
        FigureCanvasAgg(drawing)
        axes = drawing.subplots(rows, columns, squeeze=False)
        yield drawing, list(axes.ravel())
        how: dict[str, Any] = {"format": path.suffix[1:], "metadata": {"Date": None}}
        write_atomically(path, lambda file: drawing.savefig(file, **how))


def _matplotlib() -> ModuleType:
    """Matplotlib, if need be without the user's backend and configuration, which we do not use."""
    try:
        import matplotlib
    except (ValueError, OSError):  # a backend that is not here, or a file that cannot be read
        kept = {name: os.environ.get(name) for name in ("MPLBACKEND", "MATPLOTLIBRC")}
        for name in [name for name in sys.modules if name.partition(".")[0] == "matplotlib"]:
            del sys.modules[name]
        os.environ.update(MPLBACKEND="agg", MATPLOTLIBRC=os.devnull)
        try:
            import matplotlib
        finally:
            for name, value in kept.items():
                del os.environ[name]
                if value is not None:
                    os.environ[name] = value
    return matplotlib
