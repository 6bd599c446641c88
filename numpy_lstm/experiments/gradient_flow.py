"""How far does the gradient reach, and does theory say so?

On 256 long validation reviews of IMDB, four words per step: norms of the gradient in h, c and x at
every distance from the last step, the product of the forget gates, the singular values of the
Jacobian of the last state in an earlier one, and the share of saturated units. Untrained cells show
the effect of the initial weights. Two cells are instruments with W_h = 0 and a forget gate fixed at
1/2 or 1: their gradient in c passes only through c, and must fall as 2^-k or stay constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import gradient_flow as flow
from numpy_lstm import plots
from numpy_lstm.classifier import init_classifier
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, geometric_mean
from numpy_lstm.training import classifier_of, probe_batch
from numpy_lstm.types import Array

LAGS = (1, 2, 5, 10, 20, 50, 100)  # in steps, of the Jacobians
TENTH = 10  # rank of the other singular value that is drawn; a smoke run has 8 values
HELD = 40.0  # pre-activation whose sigmoid rounds to 1


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


def quartiles(by_distance: Array) -> dict[str, list[float]]:
    """Lower quartile, median and upper quartile of the reviews at each distance."""
    low, median, high = np.nanquantile(by_distance, [0.25, 0.5, 0.75], axis=1)
    return {"low": rounded(low), "median": rounded(median), "high": rounded(high)}


def rounded(values: Array | None) -> list[float]:
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
    untrained_conditions = [condition for condition in grouped if "trained" not in condition]
    trained_conditions = [condition for condition in grouped if "trained" in condition]
    with plots.figure(path, 2, 2, 7.2, 6.4) as (drawing, (rnn, lstm, trained, jacobians)):
        for k, condition in enumerate(
            condition for condition in untrained_conditions if condition.startswith("rnn")
        ):
            line = center(grouped[condition], "h")
            rnn.plot(line, label=condition, **plots.series(k))
            _plot_power(rnn, grouped[condition], line, "largest_singular_value", k, ":", 1.0)
            if condition == "rnn, uniform":  # equal for orthogonal ones
                _plot_power(rnn, grouped[condition], line, "spectral_radius", k, "-", 0.6)
        rnn.plot([], ":k", linewidth=1.0, label="σ_max(W_h)^k = ‖W_h‖₂^k, the bound")
        rnn.plot([], "-k", linewidth=0.6, label="ρ(W_h)^k, where it differs")
        rnn.set_title("vanilla RNN, untrained: ‖∂L/∂h‖")

        for k, condition in enumerate(
            condition for condition in untrained_conditions if condition.startswith("lstm")
        ):
            line = center(grouped[condition], "c")
            lstm.plot(line, label=condition, **plots.series(k))
            products = line[0] * forget_product(grouped[condition])[: len(line)]
            lstm.plot(products, ":", color=plots.MUTED[k], linewidth=1.0)
        lstm.plot([], ":k", linewidth=1.0, label="∏ f_t, mean of the units")
        lstm.set_title("LSTM, untrained: ‖∂L/∂c‖")

        for k, condition in enumerate(trained_conditions):
            style = plots.series(k)
            for n, result in enumerate(
                grouped[condition]
            ):  # a mean would follow the one RNN that is odd
                line = result["norms"]["x"]["median"]
                trained.plot(line, label=None if n else condition, **{**style, "linewidth": 0.8})
            lags = [int(lag) for lag in grouped[condition][0]["jacobians"]]
            for rank, marker, name in ((1, "o", "largest"), (TENTH, "v", "tenth")):
                values = [
                    np.median([r["jacobians"][str(lag)][:rank][-1] for r in grouped[condition]])
                    for lag in lags
                ]
                jacobians.plot(
                    lags, values, marker=marker, label=f"{condition}: {name}", markersize=4, **style
                )
            if condition.startswith("rnn"):
                one = np.ones(lags[-1] + 1)
                _plot_power(
                    jacobians, grouped[condition], one, "largest_singular_value", k, ":", 1.0
                )
                _plot_power(jacobians, grouped[condition], one, "spectral_radius", k, "-", 0.6)
            else:
                product = forget_product(grouped[condition])[: lags[-1] + 1]
                jacobians.plot(product, ":", color=style["color"], linewidth=1.0)
        trained.set_title("trained, every seed: ‖∂L/∂x‖")
        jacobians.plot([], ":k", linewidth=1.0, label="RNN: σ_max^k; LSTM: ∏ f_t")
        jacobians.plot([], "-k", linewidth=0.6, label="RNN: ρ^k")
        jacobians.set_title("singular values of ∂s_T/∂s_{T-k}, median seed")

        for axes in (rnn, lstm, trained, jacobians):
            axes.set_yscale("log")
            axes.set_xlabel("steps before the last one, k (1 step = 4 words)")
            corner: Any = "lower right" if axes is jacobians else "lower left"
            axes.legend(fontsize=6, frameon=True, edgecolor="none", loc=corner)
            axes.title.set_fontsize(9)
        rnn.set_ylim(1e-22, 1e4)
        lstm.set_ylim(1e-22, 1e4)
        jacobians.set_ylim(1e-12, 1e4)  # ρ^k and σ_max^k go on to 1e34 and beyond
        drawing.suptitle("How far the gradient reaches, IMDB (untrained: geometric mean of seeds)")


def center(results: Sequence[dict[str, Any]], state: str) -> Array:
    """Geometric mean over the seeds of the median norm, at each distance that all seeds have."""
    # The seeds' probes differ in length, so zip stops at the shortest.
    medians = zip(*(result["norms"][state]["median"] for result in results), strict=False)
    return np.array([geometric_mean(values) for values in medians])


def forget_product(results: Sequence[dict[str, Any]]) -> Array:
    """Geometric mean over the seeds of the product of the forget gates."""
    products = zip(*(result["forget_product"] for result in results), strict=False)
    return np.array([geometric_mean(values) for values in products])


def _plot_power(
    axes: Any,
    results: Sequence[dict[str, Any]],
    line: Array,
    name: str,
    k: int,
    dashes: str,
    width: float,
) -> None:
    """Plot line[0] times the `name` of W_h to the power of the distance."""
    factor = geometric_mean([result[name] for result in results])
    with np.errstate(over="ignore"):
        powers = line[0] * factor ** np.arange(len(line))
    axes.plot(powers, dashes, color=plots.MUTED[k], linewidth=width)
