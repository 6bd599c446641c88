"""The picture of the grid."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.tasks import MODELS
from numpy_lstm.plots import figure
from numpy_lstm.types import MODEL_NAMES

# Paul Tol's high-contrast scheme, as in numpy_lstm.plots: from dark to light in print too.
BARS = {
    "ours": ("numpy_lstm", "#004488"),
    "cells": ("cells.py in a loop", "#BB5566"),
    "floor": ("its matrix products alone", "#DDAA33"),
}


def time_ratios(path: Path, grid: dict[str, Any]) -> None:
    """Bars from the line at 1: down is faster than PyTorch, up is slower.

    Draws nothing if PyTorch was not measured.

    Parameters
    ----------
    path : Path
        Where the PNG goes.
    grid : dict
        The part of that name in ``benchmarks.json``.
    """
    if any(case["ratios"]["ours / pytorch"] is None for case in grid["cases"]):
        print(f"{path} is not drawn: PyTorch was not measured.")
        return
    with figure(path, 1, 2, 7.0, 3.4) as (drawing, panels):
        for axes, model in zip(panels, MODELS, strict=True):
            cases = [case for case in grid["cases"] if case["model"] == model]
            for k, (contender, (label, color)) in enumerate(BARS.items()):
                places = [place + 0.27 * (k - 1) for place in range(len(cases))]
                ratios = [case["ratios"][f"{contender} / pytorch"] for case in cases]
                heights = [ratio - 1 for ratio in ratios]
                axes.bar(places, heights, 0.25, bottom=1, color=color, label=label)
            axes.axhline(1, color="black", linewidth=0.8)
            axes.set_yscale("log")
            ticks = [0.1, 0.2, 0.5, 1, 2, 5, 10]
            axes.set_yticks(ticks, [f"{tick:g}" for tick in ticks])
            axes.minorticks_off()
            sizes = ["\n".join(f"{case[name]}" for name in "NTDH") for case in cases]
            axes.set_xticks(range(len(cases)), sizes)
            axes.set_xlabel("N, T, D, H from top to bottom")
            axes.set_title(MODEL_NAMES[model], fontsize=9)
            axes.grid(axis="x", visible=False)
            axes.set_axisbelow(True)
        panels[1].sharey(panels[0])
        panels[0].set_ylabel("time / PyTorch's")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        drawing.suptitle("Forward and backward through time: below 1 is faster than PyTorch")
