"""How far does the gradient reach, and does theory say so?

On 256 long validation reviews of IMDB, four words per step: norms of the gradient in h, c and x at
every distance from the last step, the product of the forget gates, the singular values of the
Jacobian of the last state in an earlier one, and the share of saturated units. Untrained cells show
the effect of the initial weights. Two cells are instruments with W_h = 0 and a forget gate fixed at
1/2 or 1: their gradient in c passes only through c, and must fall as 2^-k or stay constant.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm import gradient_flow as flow
from numpy_lstm import plots
from numpy_lstm.classifier import init_classifier
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, geometric_mean
from numpy_lstm.training import classifier_of, probe_batch
from numpy_lstm.types import MODEL_NAMES, Array

if TYPE_CHECKING:
    from matplotlib.axes import Axes

LAGS = (1, 2, 5, 10, 20, 50, 100)  # at which Jacobians are worked out
TENTH = 10  # largest singular value that is drawn; a smoke run has 8
HELD = 40.0  # a pre-activation whose sigmoid is 1 to the last digit
BOUND, RADIUS = r"$σ_\mathrm{max}(W_h)^k$", "$ρ(W_h)^k$"
# How untrained cells are drawn: as which of the series, the same in other experiments; the name,
# and where it stands.
DRAWN = {
    "rnn, orthogonal": (0, "orthogonal", 113, 1e-9),
    "rnn, uniform": (1, "uniform", 61, 1e-12),
    "rnn, orthogonal x 0.5": (2, "orthogonal × ½", 2, 1e-18),
    "rnn, orthogonal x 1.5": (3, "orthogonal × 3/2", 64, 4e1),
    "lstm, b_f=0": (2, "$b_f = 0$", 113, 1e-16),
    "lstm, b_f=1": (3, "$b_f = 1$", 113, 1e-5),
    "lstm, b_f=3": (4, "$b_f = 3$", 113, 1),
    "lstm, uniform": (5, "uniform", 113, 1e-8),
    "lstm, f = 1/2": (0, "f held at ½", 8, 1e-14),
    "lstm, f = 1": (1, "f held at 1", 8, 1e1),
}


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell and its initial weights."""
    listed: dict[str, dict[str, Any]] = {
        "rnn, trained": {"model": "rnn", "trained": True},
        "lstm, trained": {"model": "lstm", "trained": True},
        "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
        "rnn, orthogonal": {"model": "rnn"},
        "rnn, orthogonal x 0.5": {"model": "rnn", "scale": 0.5},
        "rnn, orthogonal x 1.5": {"model": "rnn", "scale": 1.5},
        "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
        "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
        "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
        "lstm, uniform": {"model": "lstm", "recurrent": "uniform"},
        "lstm, f = 1/2": {"model": "lstm", "held": 0.0},
        "lstm, f = 1": {"model": "lstm", "held": HELD},
    }
    return listed


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Measure one cell, after training if the condition says so."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick)
    splits = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    if settings.get("trained"):
        parameters = reviews.fit(settings["model"], splits, prepared.vectors, own).best_parameters
    else:
        parameters = untrained(settings, prepared.vectors, seed, own)
    probes = probe_batch(splits.validation, own.probes)
    classifier = classifier_of(parameters, own)
    norms = flow.record(classifier, probes)
    inner = flow.diagnose(classifier, probes)
    lags = [lag for lag in LAGS if lag < len(norms.x)]
    recorded = {name: norm for name, norm in norms._asdict().items() if norm is not None}
    decays = {name: flow.decay_per_step(norm) for name, norm in recorded.items()}
    return {
        "norms": {name: quartiles(norm) for name, norm in recorded.items()},
        # With W_h = 0 only the last h has a gradient, so there is no decay.
        "decay_per_step": {name: decay for name, decay in decays.items() if np.isfinite(decay)},
        "spectral_radius": inner.spectral_radius,
        "largest_singular_value": inner.largest_singular_value,
        "saturated": inner.saturated,
        "forget_product": rounded(inner.forget_product),
        "jacobians": {
            str(lag): rounded(flow.jacobian_singular_values(classifier, probes, lag))
            for lag in lags
        },
    }


def untrained(settings: dict[str, Any], vectors: Array, seed: int, own: Any) -> dict[str, Array]:
    """The initial classifier with the changes of the condition."""
    parameters = init_classifier(
        settings["model"],
        vectors,
        own.hidden_size,
        readout=own.readout,
        rng=np.random.default_rng(seed),
        forget_bias=own.forget_bias,
    )
    H = own.hidden_size
    if settings.get("recurrent") == "uniform":
        parameters.update(reviews.uniform_cell(settings["model"], vectors.shape[1], own))
    parameters["W_h"] = parameters["W_h"] * np.float32(settings.get("scale", 1.0))
    if "held" in settings:
        forget = slice(H, 2 * H)
        parameters["W_h"][:] = 0
        parameters["W_x"][forget] = 0
        parameters["b"][forget] = settings["held"]
    return parameters


def kept(by_distance: Array) -> Array:
    """Norms over those of the same review at its last step, so that its error's size cancels.

    The gradient of a review has the factor sigma(logit) - label at every step.

    Parameters
    ----------
    by_distance : ndarray, shape (T, N)
        Norms, row k at distance k.

    Returns
    -------
    ndarray, shape (T, N)
        NaN for a review without a gradient.
    """
    last = by_distance[0]
    ratios: Array = by_distance / np.where(last > 0, last, np.nan)
    return ratios


def quartiles(by_distance: Array) -> dict[str, list[float]]:
    """Lower quartile, median and upper quartile of the reviews at each distance."""
    low, median, high = np.nanquantile(by_distance, [0.25, 0.5, 0.75], axis=1)
    return {"low": rounded(low), "median": rounded(median), "high": rounded(high)}


def rounded(values: Array | Sequence[float] | None) -> list[float]:
    """The values rounded to six digits, to keep the file small."""
    return [] if values is None else [float(f"{value:.6g}") for value in values]


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Decay per step of each norm, with intervals, and the largest error of the instruments."""
    summary: dict[str, Any] = {}
    for condition, results in by_condition(trials).items():
        summary[condition] = {
            name: describe([result["decay_per_step"][name] for result in results])
            for name in results[0]["decay_per_step"]
        }
        for name in ("spectral_radius", "largest_singular_value", "saturated"):
            summary[condition][name] = describe([result[name] for result in results])
    for condition, factor in (("lstm, f = 1/2", 0.5), ("lstm, f = 1", 1.0)):
        for result in by_condition(trials).get(condition, []):
            medians = np.array(result["norms"]["c"]["median"])
            ratios = medians[1:] / medians[:-1]
            summary[condition]["largest_error_of_the_instrument"] = max(
                summary[condition].get("largest_error_of_the_instrument", 0.0),
                float(abs(ratios / factor - 1).max()),
            )
    return summary


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Untrained RNNs, untrained LSTMs, and trained cells, together with the theory."""
    grouped = by_condition(trials)
    with plots.figure(path, 2, 2, 7.0, 5.6) as (_, (rnn, lstm, seeds, jacobians)):
        draw_untrained(rnn, lstm, grouped)
        draw_seeds(seeds, grouped)
        draw_jacobians(jacobians, grouped)


def draw_untrained(rnn: Axes, lstm: Axes, grouped: Mapping[str, Any]) -> None:
    """Norms in the state, the mean over the seeds, with theory as thin lines."""
    for condition, (k, name, x, y) in DRAWN.items():
        axes, state = (rnn, "h") if condition.startswith("rnn") else (lstm, "c")
        results, style = grouped[condition], plots.series(k)
        line = center(results, state)
        axes.plot(line, **style)
        axes.text(x, y, name, color=style["color"], fontsize=8, clip_on=True)
        if axes is rnn:
            theory = powers(results, "largest_singular_value", len(line))
        else:
            theory = forget_product(results)[: len(line)]
        axes.plot(line[0] * theory, color=style["color"], linewidth=0.6)
    # Of the orthogonal ones the spectral radius is the largest singular value.
    uniform = center(grouped["rnn, uniform"], "h")
    radius = powers(grouped["rnn, uniform"], "spectral_radius", len(uniform))
    rnn.plot(uniform[0] * radius, ":", color=plots.series(1)["color"], linewidth=1.0)
    _finish(rnn, "vanilla RNN, untrained: ‖∂L/∂h‖", BOUND, RADIUS, loc="lower right")
    _finish(lstm, "LSTM, untrained: ‖∂L/∂c‖", r"mean $∏\,f_t$", loc="lower right")
    for axes in (rnn, lstm):
        axes.set(xlim=(0, 145), xticks=range(0, 101, 20), ylim=(1e-20, 1e5))


def draw_seeds(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Norms in the input of trained cells; a mean would follow the one RNN that is odd."""
    for model in MODEL_NAMES:
        for n, result in enumerate(grouped[f"{model}, trained"]):
            label = None if n else MODEL_NAMES[model]
            axes.plot(result["norms"]["x"]["median"], label=label, linewidth=0.9, **of_model(model))
    _finish(axes, "trained, every seed: ‖∂L/∂x‖")


def draw_quartiles(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Of the norms in the input, over the reviews, of the first seed's trained cells."""
    for model in MODEL_NAMES:
        norms = grouped[f"{model}, trained"][0]["norms"]["x"]
        steps, style = range(len(norms["low"])), of_model(model)
        axes.fill_between(steps, norms["low"], norms["high"], color=style["color"], alpha=0.2, lw=0)
        axes.plot(norms["median"], label=MODEL_NAMES[model], linewidth=1.4, **style)
        for edge in ("low", "high"):
            axes.plot(norms[edge], linewidth=0.4, **style)
    _finish(axes, "trained, seed 0, quartiles: ‖∂L/∂x‖")


def draw_jacobians(axes: Axes, grouped: Mapping[str, Any]) -> None:
    """Singular values from a state to the last one, of trained cells, with theory."""
    for model, name in MODEL_NAMES.items():
        results, style = grouped[f"{model}, trained"], of_model(model)
        lags = [int(lag) for lag in results[0]["jacobians"]]
        for rank, marker, which in ((1, "o", "largest"), (TENTH, "v", "tenth")):
            values = [
                np.median([r["jacobians"][str(lag)][:rank][-1] for r in results]) for lag in lags
            ]
            axes.plot(lags, values, marker=marker, label=f"{name}: {which}", markersize=4, **style)
        theory = (
            powers(results, "largest_singular_value", lags[-1] + 1)
            if model == "rnn"
            else forget_product(results)[: lags[-1] + 1]
        )
        axes.plot(theory, color=style["color"], linewidth=0.6)
    radius = powers(grouped["rnn, trained"], "spectral_radius", lags[-1] + 1)
    axes.plot(radius, ":", color=plots.COLORS["rnn"], linewidth=1.0)
    title = "singular values of $∂s_T/∂s_{T-k}$, median seed"
    _finish(axes, title, rf"{BOUND}; LSTM: $∏\,f_t$", RADIUS)
    axes.legend(fontsize=6.5, loc="lower left")  # six lines
    axes.set_ylim(1e-22, 1e4)  # ρ^k and σ_max^k go on to 1e34 and beyond


def of_model(model: str) -> dict[str, Any]:
    """Color and dashes of a trained cell's line."""
    return {"color": plots.COLORS[model], "linestyle": plots.DASHES[model]}


def _finish(axes: Axes, title: str, *theory: str, loc: Any = "lower left") -> None:
    for name, dashes in zip(theory, ("-", ":"), strict=False):
        axes.plot([], dashes, color="black", linewidth=0.8, label=name)
    axes.set_yscale("log")
    axes.set_xlabel("steps before the last one, k")
    axes.set_title(title, fontsize=9)
    axes.legend(fontsize=8, loc=loc, frameon=True, edgecolor="none", framealpha=1)


def center(results: Sequence[dict[str, Any]], state: str) -> Array:
    """Geometric mean over the seeds of the median norm, at each distance that all seeds have."""
    # The seeds' probes differ in length, so zip stops at the shortest.
    medians = zip(*(result["norms"][state]["median"] for result in results), strict=False)
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
