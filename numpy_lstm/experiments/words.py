"""Which words of a review, and how many, does each cell need?

Models read the last k words, or the first instead of the last 200; or the last 400 words in bags of
1, 2, 4, 8, 16 or all words (then there is one step, and nothing to remember).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import keep_first, keep_last
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import accuracies
from numpy_lstm.types import MODEL_NAMES

PIVOTS = ("test_accuracy",)
LAST = (10, 25, 50, 100, 200, 400)
BAGS = (1, 2, 4, 8, 16, 400)
SIZES: dict[str, Any] = {
    "epochs": 3,
    "patience": 0,
    "hidden_size": 32,
    "vector_size": 64,
    "probes": 1,
}


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell and the words it reads."""
    listed: dict[str, dict[str, Any]] = {}
    for model in ("rnn", "lstm"):
        base = {"model": model, **SIZES}
        for k in LAST[:1] if quick else LAST:
            listed[f"{model}, last {k}"] = {**base, "k": k, "end": "last", "bag_size": 4}
        listed[f"{model}, first 200"] = {**base, "k": 200, "end": "first", "bag_size": 4}
        for bag in BAGS[-1:] if quick else BAGS:
            if bag != 4:  # the same as "last 400"
                listed[f"{model}, bags of {bag}"] = {
                    **base,
                    "k": 400,
                    "end": "last",
                    "bag_size": bag,
                }
    return listed


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and evaluate one condition."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, vector_size=settings["vector_size"])
    keep = keep_last if settings["end"] == "last" else keep_first
    splits = reviews.cut(prepared.splits, lambda part: keep(part, settings["k"]))
    progress = reviews.fit(settings["model"], splits, prepared.vectors, own)
    return reviews.scores(progress, splits, own)


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy of each condition."""
    return accuracies(trials)


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracy against the words read, and against the size of the bags."""
    with plots.figure(path, 1, 2, 7.0, 3.2) as (drawing, (last, bags)):
        for model in ("rnn", "lstm"):
            style: dict[str, Any] = {
                "color": plots.COLORS[model],
                "linestyle": plots.DASHES[model],
                "marker": plots.MARKERS[model],
                "label": MODEL_NAMES[model],
            }
            own = [t["settings"] | t["result"] for t in trials if t["settings"]["model"] == model]
            for axes, name, chosen in (
                (last, "k", [t for t in own if t["bag_size"] == 4 and t["end"] == "last"]),
                (bags, "bag_size", [t for t in own if t["k"] == 400]),
            ):
                sizes = sorted({trial[name] for trial in chosen})
                values = [
                    [100 * t["test_accuracy"] for t in chosen if t[name] == size] for size in sizes
                ]
                axes.plot(sizes, [np.mean(v) for v in values], **style)
                low, high = [min(v) for v in values], [max(v) for v in values]
                axes.fill_between(sizes, low, high, color=style["color"], alpha=0.2, linewidth=0)
                axes.set_xscale("log")
                axes.set_xticks(sizes, [str(size) for size in sizes])
                axes.minorticks_off()
        last.set_xlabel("last words read, four to a step")
        bags.set_xlabel("words to a step, last 400 words")
        last.set_ylabel("test accuracy (%)")
        last.legend()
        drawing.suptitle("IMDB; line: mean, band: all seeds")
