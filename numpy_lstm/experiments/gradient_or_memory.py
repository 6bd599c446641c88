"""What of the LSTM's lead is due to gradients that arrive, and what to memory that lasts?

Every cell reads one word per step, at most the last 400 of a review. At a seam, k words before the
end, one of three things happens, in training and, where it concerns the forward pass, in testing:

- whole: the state and the gradient cross the seam;
- gradient cut: the state crosses, but no gradient comes back;
- memory cut: the state starts anew at the seam, so that neither crosses.

A fourth way, recurrent weights trained with the gradient cut and read out on whole reviews, is the
second one: its read-out sees the whole review. With the gradient of 1997 the LSTM's gradient goes
back through the cell state alone. :mod:`numpy_lstm.experiments.truncated` has both gradients.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.classifier import loss_and_gradients
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, spread
from numpy_lstm.experiments.truncated import carousel_only, gradient_cut
from numpy_lstm.gradient_flow import GradientNorms

LEAD = "lead_over_the_orthogonal_rnn_in_accuracy"
GRADIENT = "what_the_gradient_across_the_seam_adds_to_accuracy"
MEMORY = "what_the_memory_across_the_seam_adds_to_accuracy"
DETOUR = "what_the_detour_adds_to_accuracy"
PIVOTS = ("test_accuracy", LEAD, GRADIENT, MEMORY, "x_200_words_back")
WORDS = 400  # of a review that are read, from its end
SEAMS = (10, 50, 200)  # words before the end
RATES = (2.5e-4, 5e-4, 1e-3, 2e-3, 4e-3, 8e-3, 1.6e-2, 3.2e-2)  # learning rates
FIRST_RATES = (2e-3, 4e-3, 8e-3)  # the search goes beyond them where the best stands at an end
SIZES: dict[str, Any] = {
    "epochs": 3,
    "patience": 0,
    "hidden_size": 32,
    "vector_size": 64,
    "bag_size": 1,
    "max_length": WORDS,
    "probes": 128,
}
CELLS: dict[str, dict[str, Any]] = {
    "rnn, orthogonal": {"model": "rnn"},
    "rnn, orthogonal x 1.5": {"model": "rnn", "scale": 1.5},
    "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
}


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell, whole and cut at each seam; of the LSTM also with the gradient of 1997.

    ``kept`` names what crosses the seam, k words before the end: where it is the memory, the
    gradient is cut, and where it is neither, the memory too. The carousel is that of 1997.
    """
    listed: dict[str, dict[str, Any]] = {}
    for cell, how in CELLS.items():
        base = {**how, **SIZES, "cell": cell}
        listed[f"{cell}, whole"] = {**base, "kept": "both", "k": WORDS}
        for k in SEAMS:
            listed[f"{cell}, gradient cut at {k}"] = {**base, "kept": "memory", "k": k}
            listed[f"{cell}, memory cut at {k}"] = {**base, "kept": "neither", "k": k}
        if how["model"] == "lstm":
            listed[f"{cell}, gradient of 1997"] = {**base, "kept": "carousel", "k": WORDS}
    if quick:
        return {
            name: listed[name]
            for name in listed
            if name.startswith(("rnn, orthogonal,", "lstm, b_f=1,"))
        }
    return listed


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train at several learning rates; the one of the smallest validation loss is tested."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, vector_size=settings["vector_size"])
    length = settings["k"] if settings["kept"] == "neither" else own.max_length
    splits = reviews.cut(prepared.splits, lambda part: keep_last(part, length))
    rate, trained = reviews.fit_best_rate(
        settings["model"],
        splits,
        prepared.vectors,
        own,
        RATES,
        FIRST_RATES,
        recurrent=settings.get("recurrent", "orthogonal"),
        scale=settings.get("scale", 1.0),
        gradients_of=gradients_of(settings),
    )
    return {
        **reviews.scores(trained[rate], splits, own),
        "learning_rate": rate,
        "val_losses": {
            f"{tried:g}": [epoch.val_loss for epoch in trained[tried].history]
            for tried in sorted(trained)
        },
        "norms": [at_distances(norms) for norms in trained[rate].norms],
    }


def gradients_of(settings: dict[str, Any]) -> Any:
    """The gradients of a training step in a condition."""
    if settings["kept"] == "memory":
        return partial(gradient_cut, k=settings["k"])
    return carousel_only if settings["kept"] == "carousel" else loss_and_gradients


def at_distances(norms: GradientNorms) -> dict[str, dict[str, list[float]]]:
    """Quartiles over the reviews of each norm, at the end, at each seam and at the beginning."""
    last = len(norms.x) - 1
    distances = [0, *(k for k in SEAMS if k < last), last]
    return {
        name: {
            str(k): [float(f"{q:.4g}") for q in np.nanquantile(norm[k], [0.25, 0.5, 0.75])]
            for k in distances
        }
        for name, norm in norms._asdict().items()
        if norm is not None
    }


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy, its differences to other conditions seed by seed, and how far x is reached."""
    grouped = by_condition(trials)
    accuracies = {
        condition: np.array([result["test_accuracy"] for result in results])
        for condition, results in grouped.items()
    }
    summary: dict[str, Any] = {}
    for condition, own in accuracies.items():
        summary[condition] = {"test_accuracy": describe(own.tolist())}
        for name, a, b in compared(condition):
            if all(len(accuracies.get(each, ())) == len(own) for each in (a, b)):
                summary[condition][name] = describe((accuracies[a] - accuracies[b]).tolist())
        for when, trained in (("_before_training", False), ("", True)):
            shares = [over_the_end(result, trained) for result in grouped[condition]]
            for k in ("50", "200"):
                if all(k in share for share in shares):
                    name = f"x_{k}_words_back{when}"
                    summary[condition][name] = spread([share[k] for share in shares])
    return summary


def over_the_end(result: dict[str, Any], trained: bool) -> dict[str, float]:
    """The median norm in x by words before the end, over the median norm at the end.

    At the best epoch, or before training.
    """
    norms = result["norms"][result["best_epoch"] if trained else 0]["x"]
    return {k: median / norms["0"][1] for k, (_, median, _) in norms.items()}


def compared(condition: str) -> list[tuple[str, str, str]]:
    """What is looked at beside an accuracy: a name, and the conditions of which it is a - b.

    Examples
    --------
    >>> compared("rnn, uniform, memory cut at 10")[0][1:]
    ('rnn, uniform, gradient cut at 10', 'rnn, uniform, memory cut at 10')
    """
    cell, _, treatment = condition.rpartition(", ")
    kind, _, k = treatment.partition(" cut at ")
    listed = []
    if cell.startswith("lstm"):
        listed.append((LEAD, condition, f"rnn, orthogonal, {treatment}"))
    if kind == "gradient":
        listed.append((GRADIENT, f"{cell}, whole", condition))
    if kind == "memory":
        listed.append((MEMORY, f"{cell}, gradient cut at {k}", condition))
    if kind == "gradient of 1997":
        listed.append((DETOUR, f"{cell}, whole", condition))
    return listed


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracies and leads by the place of the seam, and the gradient by the distance."""
    lowest = min(100 * trial["result"]["test_accuracy"] for trial in trials)
    of_cells: dict[str, list[dict[str, Any]]] = {}
    for trial in sorted(trials, key=lambda trial: list(CELLS).index(trial["settings"]["cell"])):
        of_cells.setdefault(trial["settings"]["cell"], []).append(trial)
    with plots.figure(path, 2, 3, 7.2, 6.0) as (drawing, panels):
        gradient, memory, leads = panels[:3]
        for n, (cell, own) in enumerate(of_cells.items()):
            style = {"label": plots.name_of(cell), **plots.cell(cell)}
            for axes, kept in ((gradient, "memory"), (memory, "neither")):
                draw_seeds(axes, at_seams(own, kept), n - 2.5, plots.CELLS[cell][2], style)
            for axes, kept, k, trained in (
                (panels[3], "both", WORDS, False),
                (panels[4], "both", WORDS, True),
                (panels[5], "memory", SEAMS[0], True),
            ):
                draw_gradient(axes, cell, of_treatment(own, kept, k), trained)
        for n, (kept, label) in enumerate((("memory", "gradient cut"), ("neither", "memory cut"))):
            lstm, rnn = (at_seams(of_cells[c], kept) for c in ("lstm, b_f=1", "rnn, orthogonal"))
            style = {"label": label, "color": ("black", "gray")[n], "linestyle": ("-", "--")[n]}
            draw_seeds(leads, np.subtract(lstm, rnn), n - 0.5, "os"[n], style)
        titles = ("gradient cut", "memory cut", "lead of LSTM, $b_f = 1$")
        for axes, title in zip(panels, titles, strict=False):
            axes.set_title(title, fontsize=9)
            axes.set_xticks(range(len(SEAMS) + 1), [*map(str, SEAMS), "whole"])
            axes.set_xlabel("words between seam and end")
        for axes in (gradient, memory):
            axes.set_ylim(lowest - 1, 92)
            axes.set_ylabel("test accuracy (%)")
        leads.axhline(0, color="black", linewidth=0.8)
        leads.set_ylabel("points over orthogonal RNN")
        leads.legend(loc="lower right", fontsize=8)
        titles = ("before training", "trained, whole", "trained, gradient cut at 10")
        for axes, title in zip(panels[3:], titles, strict=True):
            axes.set_title(title, fontsize=9)
            axes.set_yscale("log")
            axes.set_ylim(1e-12, 10)
            axes.set_xlabel("words before the end")
        panels[3].set_ylabel("‖∂L/∂x‖ over that at the end")
        drawing.legend(*gradient.get_legend_handles_labels(), loc="outside lower center", ncols=3)


def at_seams(trials: Sequence[dict[str, Any]], kept: str) -> list[list[float]]:
    """Of one cell, the accuracies of all seeds with each seam, and whole."""
    return [*(accuracies_of(trials, kept, k) for k in SEAMS), accuracies_of(trials, "both", WORDS)]


def draw_seeds(axes: Any, seams: Any, aside: float, mark: str, style: dict[str, Any]) -> None:
    """Means as a line, every seed as a mark; lines stand a little aside of each other."""
    places = np.arange(len(seams)) + 0.06 * aside
    axes.plot([], marker=mark, markersize=3, **style)  # for the legend: the line with its mark
    axes.plot(places, [np.mean(seeds) for seeds in seams], **{**style, "label": None})
    marks = [(x, y) for x, seeds in zip(places, seams, strict=True) for y in seeds]
    axes.plot(*np.transpose(marks), mark, color=style["color"], alpha=0.7, markersize=3)


def draw_gradient(axes: Any, cell: str, trials: Sequence[dict[str, Any]], trained: bool) -> None:
    """The median review's norm in x over that at the end, by distance: the median of the seeds."""
    seeds = [over_the_end(trial["result"], trained) for trial in trials]
    medians = np.median([list(of.values()) for of in seeds], axis=0)
    axes.plot(
        [int(k) for k in seeds[0]],
        medians,
        marker=plots.CELLS[cell][2],
        markersize=3,
        **plots.cell(cell),
    )


def accuracies_of(trials: Sequence[dict[str, Any]], kept: str, k: int) -> list[float]:
    """Test accuracies in percent, one per seed, of a treatment with the seam at k."""
    return [100 * trial["result"]["test_accuracy"] for trial in of_treatment(trials, kept, k)]


def of_treatment(trials: Sequence[dict[str, Any]], kept: str, k: int) -> list[dict[str, Any]]:
    """The trials of a treatment with the seam at k."""
    wanted = {"kept": kept, "k": k}
    return [trial for trial in trials if trial["settings"].items() >= wanted.items()]
