"""The picture of the grids."""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

from benchmarks.table import kind
from benchmarks.tasks import MODELS
from numpy_lstm.plots import figure
from numpy_lstm.types import MODEL_NAMES

# Grays from dark to light: the colors of numpy_lstm.plots stand for the cells.
BARS = {
    "ours": ("numpy_lstm", "#222222"),
    "bptt": ("bptt.py, the plain loop", "#888888"),
    "floor": ("its matrix products and calls alone", "#CCCCCC"),
}


def time_ratios(path: Path, grids: list[dict[str, Any]]) -> None:
    """Bars from the line at 1: down is faster than PyTorch, up is slower.

    Draws nothing if PyTorch was not measured.

    Parameters
    ----------
    path : Path
        Where the PNG goes.
    grids : list of dict
        The parts of that name in ``benchmarks.json``: a row of panels for each.
    """
    cases = [case for grid in grids for case in grid["cases"]]
    if any(case["ratios"]["ours / pytorch"] is None for case in cases):
        print(f"{path} is not drawn: PyTorch was not measured.")
        return
    everything = [case["ratios"][f"{name} / pytorch"] for case in cases for name in BARS]
    rows = len(grids)
    with figure(path, rows, 2, 7.0, 1.5 + 2.0 * rows) as (drawing, panels):
        for axes, (grid, model) in zip(panels, product(grids, MODELS), strict=True):
            cases = [case for case in grid["cases"] if case["model"] == model]
            for k, (contender, (label, color)) in enumerate(BARS.items()):
                places = [place + 0.27 * (k - 1) for place in range(len(cases))]
                ratios = [case["ratios"][f"{contender} / pytorch"] for case in cases]
                heights = [ratio - 1 for ratio in ratios]
                axes.bar(places, heights, 0.25, bottom=1, color=color, label=label)
            axes.axhline(1, color="black", linewidth=0.8)
            axes.set_yscale("log")
            ticks = [0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10]
            axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.set_ylim(min(everything) / 1.2, max(everything) * 1.2)
            axes.minorticks_off()
            axes.set_xticks(range(len(cases)), [""] * len(cases))
            axes.set_title(f"{MODEL_NAMES[model]}\n{kind(grid)}", fontsize=8)
            axes.grid(axis="x", visible=False)
            axes.set_axisbelow(True)
        sizes = ["\n".join(f"{case[name]}" for name in "NTDH") for case in cases]
        for axes in panels[-2:]:
            axes.set_xticks(range(len(sizes)), sizes)
            axes.set_xlabel("N, T, D, H from top to bottom")
        for axes in panels[::2]:
            axes.set_ylabel("time / PyTorch's")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        drawing.suptitle("Forward and backward through time: below 1 is faster than PyTorch")
