"""The figure of :mod:`numpy_lstm.experiments.gradient_flow`: eight panels, a function each.

Of untrained cells a line is the mean over the seeds; of trained ones every seed is drawn.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.experiments.statistics import geometric_mean
from numpy_lstm.types import MODEL_NAMES, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

BOUND, RADIUS = r"$σ_\mathrm{max}(W_h)^k$", "$ρ(W_h)^k$"
RADIUS_DASHES: Any = (0, (10, 3))
# The names of untrained cells in the figure, and where they stand.
DRAWN = {
    "rnn, orthogonal": ("orthogonal", 113, 1e-9),
    "rnn, uniform": ("uniform", 61, 1e-12),
    "rnn, orthogonal x 0.5": ("orthogonal × 0.5", 1, 4e-20),
    "rnn, orthogonal x 1.5": ("orthogonal × 1.5", 64, 4e1),
    "lstm, b_f=0": ("$b_f = 0$", 113, 1e-15),
    "lstm, b_f=1": ("$b_f = 1$", 113, 1e-4),
    "lstm, b_f=3": ("$b_f = 3$", 113, 8),
    "lstm, uniform": ("uniform", 113, 1e-7),
    "lstm, f = 1/2": ("f held at ½", 2, 1e-14),
    "lstm, f = 1": ("f held at 1", 8, 1e2),
}


def draw(path: Path, grouped: Mapping[str, Any]) -> None:
    """All panels, from the results of each condition."""
    with plots.figure(path, 4, 2, 7.0, 10.4) as (_, axes):
        draw_untrained(axes[0], axes[1], grouped)
        draw_seeds(axes[2], grouped, "median")
        draw_seeds(axes[3], grouped, "low")
        draw_epochs(axes[4], grouped)
        draw_accuracies(axes[5], grouped)
        draw_jacobians(axes[6], grouped)
        draw_beginnings(axes[7], grouped)


def draw_untrained(rnn: Axes, lstm: Axes, grouped: Mapping[str, Any]) -> None:
    """What is kept in the state, the mean over the seeds, with theory as thin lines."""
    for condition, (name, x, y) in DRAWN.items():
        axes = rnn if condition.startswith("rnn") else lstm
        results, style = grouped[condition], plots.cell(condition)
        line = center(results)
        axes.plot(line, **style)
        axes.text(x, y, name, color=style["color"], fontsize=7.5, clip_on=True)
        if axes is rnn:
            theory = powers(results, "largest_singular_value", len(line))
        else:
            theory = forget_product(results)[: len(line)]
        axes.plot(theory, **{**style, "linewidth": 0.6})
    # Of the orthogonal ones the spectral radius is the largest singular value.
    uniform = grouped["rnn, uniform"]
    radius = powers(uniform, "spectral_radius", len(center(uniform)))
    rnn.plot(
        radius, linestyle=RADIUS_DASHES, color=plots.cell("rnn, uniform")["color"], linewidth=0.8
    )
    _finish(rnn, "vanilla RNN, untrained: ‖∂L/∂h‖", BOUND, RADIUS)
    _finish(lstm, "LSTM, untrained: ‖∂L/∂c‖", r"mean $∏\,f_t$")
    for axes in (rnn, lstm):
        axes.set(xlim=(0, 160), xticks=range(0, 101, 20), ylim=(1e-20, 1e5))


def draw_seeds(axes: Axes, grouped: Mapping[str, Any], edge: str) -> None:
    """What is kept in the input of trained cells, a line a seed: a quartile of the reviews."""
    lines = {
        model: [result["x_by_distance"][edge] for result in grouped[f"{model}, trained"]]
        for model in MODEL_NAMES
    }
    steps = max(len(line) for of_seeds in lines.values() for line in of_seeds)
    for model in ("lstm", "rnn"):  # dashes hide less of what is below them
        for line in lines[model]:
            axes.plot(line, linewidth=0.7, **of_model(model))
    name_lines(
        axes,
        {
            model: (steps, float(np.median([line[-1] for line in of_seeds])))
            for model, of_seeds in lines.items()
        },
    )
    which = {"low": "lower quartile", "median": "median"}[edge]
    _finish(axes, f"trained: {which} of ‖∂L/∂x‖")
    axes.set_xlim(0, 165)
    axes.set_xticks(range(0, 101, 20))


def draw_epochs(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Decay per step in x before training and after each epoch, a line a seed."""
    starts = {}
    for model in MODEL_NAMES:
        for result in grouped[f"{model}, trained"]:
            decays = [epoch["decay_per_step"]["x"] for epoch in result["by_epoch"]]
            best = result["best_epoch"]
            axes.plot(decays, linewidth=0.7, **of_model(model))
            axes.plot(best, decays[best], plots.MARKERS[model], color=plots.COLORS[model], ms=2.5)
            starts[model] = (-0.1, decays[0])
    name_lines(axes, starts, ha="right")
    axes.set_xlim(-2.2, None)
    axes.set_xticks(range(6))
    axes.set_xlabel("epoch; a mark is the best one")
    axes.set_title("trained, every seed: factor a step of ‖∂L/∂x‖", fontsize=9)


def draw_accuracies(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Test accuracy against the decay per step in x, a mark a seed."""
    for model, name in MODEL_NAMES.items():
        results = grouped[f"{model}, trained"]
        decays = [result["decay_per_step"]["x"] for result in results]
        accuracies = [100 * result["test_accuracy"] for result in results]
        color, mark = plots.COLORS[model], plots.MARKERS[model]
        axes.plot(decays, accuracies, mark, color=color, alpha=0.6, markersize=4)
        place, where = (0.98, float(np.median(accuracies))), axes.get_yaxis_transform()
        axes.text(*place, name, color=color, fontsize=8, ha="right", transform=where)
    axes.margins(x=0.6)
    axes.set_xlabel("factor a step of ‖∂L/∂x‖, best epoch")
    axes.set_title("trained, every seed: test accuracy (%)", fontsize=9)


def draw_jacobians(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Singular values from a state to the last one, of trained cells, with theory."""
    for model, name in MODEL_NAMES.items():
        results, style = grouped[f"{model}, trained"], of_model(model)
        lags = [int(lag) for lag in results[0]["jacobians"]]
        for rank, (marker, which) in enumerate((("o", "largest"), ("v", "tenth"))):
            values = [np.median([r["jacobians"][str(lag)][rank] for r in results]) for lag in lags]
            axes.plot(lags, values, marker=marker, markersize=4, **style)
            place = (lags[-1] + 3, values[-1])
            va = "top" if model == "rnn" else "bottom"
            axes.text(*place, f"{name}, {which}", color=style["color"], fontsize=7, va=va)
        theory = (
            powers(results, "largest_singular_value", lags[-1] + 1)
            if model == "rnn"
            else forget_product(results)[: lags[-1] + 1]
        )
        axes.plot(theory, **{**style, "linewidth": 0.6})
    radius = powers(grouped["rnn, trained"], "spectral_radius", lags[-1] + 1)
    axes.plot(radius, linestyle=RADIUS_DASHES, color=plots.COLORS["rnn"], linewidth=0.8)
    title = "singular values of $∂s_T/∂s_{T-k}$, median seed"
    _finish(axes, title, rf"{BOUND}; LSTM: $∏\,f_t$", RADIUS)
    axes.set(xlim=(0, 165), xticks=range(0, 101, 20), ylabel="")
    axes.set_ylim(1e-22, 1e4)  # ρ^k and σ_max^k go on to 1e34 and beyond


def draw_beginnings(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Gradient in x where a sequence begins, over that with words before; a line a seed."""
    starts = {}
    for model in MODEL_NAMES:
        lines = [r["x_over_x_with_words_before"]["median"] for r in grouped[f"{model}, trained"]]
        for line in lines:
            axes.plot(range(1, len(line) + 1), line, linewidth=0.7, **of_model(model))
        starts[model] = (1, float(np.median([line[0] for line in lines])))
    name_lines(axes, starts, ha="right")
    axes.set_xlim(-2.5, None)
    axes.set_xticks(range(1, 11, 3))
    axes.set_xlabel("step of the sequence")
    axes.set_title("‖∂L/∂x‖ of the second half alone,\nover that with words before", fontsize=9)


def name_lines(axes: Axes, places: Mapping[str, tuple[float, float]], ha: str = "left") -> None:
    """The models' names beside their lines, the higher one above, the lower one below."""
    highest = max(places, key=lambda model: places[model][1])
    for model, place in places.items():
        axes.annotate(
            MODEL_NAMES[model],
            place,
            (4 if ha == "left" else -4, 2 if model == highest else -2),
            textcoords="offset points",
            ha=ha,
            va="bottom" if model == highest else "top",
            color=plots.COLORS[model],
            fontsize=8,
        )


def of_model(model: str) -> dict[str, Any]:
    """Color and dashes of a trained cell's line."""
    return {"color": plots.COLORS[model], "linestyle": plots.DASHES[model]}


def _finish(axes: Axes, title: str, *theory: str) -> None:
    axes.set_yscale("log")
    axes.set_xlabel("steps before the last one, k")
    axes.set_ylabel("norm over that at k = 0", fontsize=8)
    axes.set_title(title, fontsize=9)
    if theory:
        # Thin lines have the dashes of their cells, so that no line stands for them here.
        axes.plot([], linestyle="none", label=f"thin: {theory[0]}")
        for name in theory[1:]:
            axes.plot([], linestyle=RADIUS_DASHES, color="black", linewidth=0.8, label=name)
        axes.legend(fontsize=7, loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=2)


def center(results: Sequence[dict[str, Any]]) -> Array:
    """Geometric mean over the seeds of what is kept in the state, as far back as all seeds go."""
    # The seeds' probes differ in length, so zip stops at the shortest.
    medians = zip(*(result["state_by_distance"] for result in results), strict=False)
    return np.array([geometric_mean(values) for values in medians])


def forget_product(results: Sequence[dict[str, Any]]) -> Array:
    """Geometric mean over the seeds of the product of the forget gates."""
    products = zip(*(result["forget_product"] for result in results), strict=False)
    return np.array([geometric_mean(values) for values in products])


def powers(results: Sequence[dict[str, Any]], name: str, steps: int) -> Array:
    """The `name` of W_h, its geometric mean over the seeds, to the powers 0 … steps - 1."""
    factor = geometric_mean([result[name] for result in results])
    with np.errstate(over="ignore"):
        return np.asarray(factor ** np.arange(steps))
