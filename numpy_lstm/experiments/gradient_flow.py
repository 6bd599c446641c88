"""How far does the gradient reach, and does theory say so?

On 256 long validation reviews of IMDB, four words per step: what is left of each review's gradient
in h, c and x at every distance from the last step, over what it is there; the product of the forget
gates, the singular values of the Jacobian of the last state in an earlier one, and the share of
saturated units. Trained cells are measured before training and after every epoch. Untrained cells
show the effect of the initial weights. Two cells are instruments with W_h = 0 and a forget gate
fixed at 1/2 or 1: their gradient in c passes only through c, and must fall as 2^-k or stay
constant.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import gradient_flow as flow
from numpy_lstm.classifier import Classifier, init_classifier
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import gradient_flow_figure as figure
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import spread
from numpy_lstm.experiments.truncated import carousel_only
from numpy_lstm.training import TrainingState, classifier_of, probe_batch
from numpy_lstm.types import MODEL_NAMES, Array, Batch

LAGS = (1, 2, 5, 10, 20, 50, 100)  # at which Jacobians are worked out
DISTANCES = (1, 5, 10, 20, 50, 100)  # at which every epoch is measured, and at the first step
FAR = "50"  # the distance that the summary has
QUARTILES = ("lower_quartile", "median", "upper_quartile")
TENTH = 10  # largest singular value that is drawn; a smoke run has 8
FIRST = 10  # steps at a sequence's beginning
HELD = {0.5: 0.0, 1.0: 40.0}  # forget gates, to the last digit, and their pre-activations


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
        "lstm, f = 1/2": {"model": "lstm", "held": 0.5},
        "lstm, f = 1": {"model": "lstm", "held": 1.0},
    }
    return listed


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Measure one cell, after training if the condition says so."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick)
    splits = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    probes = probe_batch(splits.validation, own.probes)
    if settings.get("trained"):
        state = reviews.fit(settings["model"], splits, prepared.vectors, own)
        classifier = classifier_of(state.best_parameters, own)
        norms = state.norms[state.best_epoch]
        result = {
            **reviews.scores(state, splits, own),
            **every_epoch(state),
            "x_by_distance": {
                "low": rounded(np.nanquantile(kept(norms.x), 0.25, axis=1)),
                "median": rounded(np.nanmedian(kept(norms.x), axis=1)),
            },
            "x_over_x_with_words_before": over_same_steps(classifier, probes, norms.x),
        }
    else:
        parameters = untrained(settings, prepared.vectors, seed, own)
        classifier = classifier_of(parameters, own)
        norms = flow.record(classifier, probes)
        in_state = norms.h if norms.c is None else norms.c
        result = {"state_by_distance": rounded(np.nanmedian(kept(in_state), axis=1))}
        if "held" in settings:
            ratios = in_state[1:] / in_state[:-1]
            result["error_of_the_instrument"] = float(abs(ratios / settings["held"] - 1).max())
        without = flow.record(classifier, probes, carousel_only).c if norms.c is not None else None
        if without is not None:
            result["c_without_detour"] = rounded([flow.decay_per_step(without)])[0]
    inner = flow.diagnose(classifier, probes)
    return {
        **result,
        **measured(norms),
        "spectral_radius": inner.spectral_radius,
        "largest_singular_value": inner.largest_singular_value,
        "saturated": inner.saturated,
        "forget_product": rounded(inner.forget_product),
        "jacobians": {
            str(lag): largest_and_tenth(flow.jacobian_singular_values(classifier, probes, lag))
            for lag in LAGS
            if lag < len(norms.x)
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
        parameters["b"][forget] = HELD[settings["held"]]
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


def measured(norms: flow.GradientNorms) -> dict[str, Any]:
    """Decay per step of each norm, and quartiles over the reviews of what is kept of it."""
    recorded = {name: norm for name, norm in norms._asdict().items() if norm is not None}
    decays = {name: flow.decay_per_step(norm) for name, norm in recorded.items()}
    return {
        # With W_h = 0 only the last h has a gradient, so there is no decay.
        "decay_per_step": {
            name: rounded([decay])[0] for name, decay in decays.items() if np.isfinite(decay)
        },
        "kept": {name: at_distances(kept(norm)) for name, norm in recorded.items()},
    }


def every_epoch(state: TrainingState) -> dict[str, Any]:
    """What is measured before training and after each epoch, and the scores of the epochs."""
    return {
        "by_epoch": [measured(norms) for norms in state.norms],
        "val_losses": rounded([epoch.val_loss for epoch in state.history]),
        "val_accuracies": rounded([epoch.val_accuracy for epoch in state.history]),
    }


def at_distances(ratios: Array) -> dict[str, list[float]]:
    """Quartiles over the reviews at some distances, and at the first step."""
    rows = {str(k): ratios[k] for k in DISTANCES if k < len(ratios)}
    rows["first step"] = ratios[-1]
    return {name: rounded(np.nanquantile(row, [0.25, 0.5, 0.75])) for name, row in rows.items()}


def over_same_steps(classifier: Classifier, probes: Batch, xs: Array) -> dict[str, list[float]]:
    """Gradient in x where the sequence begins, over that at the same steps with words before.

    The second half of each review is read alone, so that its first steps follow a state of zeros.

    Parameters
    ----------
    classifier : Classifier
    probes : Batch
        Reviews of the same length.
    xs : ndarray, shape (T, N)
        Norms in x of the whole reviews, row k at distance k.

    Returns
    -------
    dict
        Quartiles over the reviews of the ratio, in the first steps of the second half.
    """
    half = len(xs) // 2
    words = (len(xs) - half) * classifier.bag_size
    later = probes._replace(tokens=probes.tokens[words:], lengths=probes.lengths - words)
    ratios = kept(flow.record(classifier, later).x) / kept(xs)[:half]
    low, median, high = np.nanquantile(ratios[::-1][:FIRST], [0.25, 0.5, 0.75], axis=1)
    return {"low": rounded(low), "median": rounded(median), "high": rounded(high)}


def largest_and_tenth(values: Array) -> list[float]:
    """Of singular values, largest first; the last one if there are fewer than ten."""
    return rounded([values[0], values[:TENTH][-1]])


def rounded(values: Array | Sequence[float] | None) -> list[float]:
    """The values rounded to four digits, to keep the file small."""
    return [] if values is None else [float(f"{value:.4g}") for value in values]


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Median and range over the seeds; of the trained RNN also the seeds above the LSTM's."""
    grouped = by_condition(trials)
    summary: dict[str, Any] = {}
    for condition, results in grouped.items():
        own: dict[str, Any] = {
            name: spread([result["decay_per_step"][name] for result in results])
            for name in results[0]["decay_per_step"]
        }
        own |= {
            f"x_{FAR}_back,_{edge}": spread([far(result, edge) for result in results])
            for edge in QUARTILES[:2]
        }
        for name in ("spectral_radius", "largest_singular_value", "saturated", "test_accuracy"):
            if name in results[0]:
                own[name] = spread([result[name] for result in results])
        if "c_without_detour" in results[0]:
            own["c_without_detour"] = spread([r["c_without_detour"] for r in results])
        if "by_epoch" in results[0]:
            own["range_of_x_over_the_epochs"] = spread([over_epochs(r) for r in results])
        if "error_of_the_instrument" in results[0]:
            errors = [result["error_of_the_instrument"] for result in results]
            own["largest_error_of_the_instrument"] = max(errors)
        summary[condition] = own
    rnns, lstms = (grouped.get(f"{model}, trained", []) for model in MODEL_NAMES)
    if rnns and len(rnns) == len(lstms):  # seed by seed
        for edge in QUARTILES[:2]:
            above = sum(far(a, edge) > far(b, edge) for a, b in zip(rnns, lstms, strict=True))
            summary["rnn, trained"][f"seeds_above_the_lstm,_{edge}"] = above
    return summary


def far(result: dict[str, Any], edge: str) -> float:
    """What is kept of the gradient in x far back: a quartile over the reviews."""
    kept_of_x = result["kept"]["x"]
    quartile: float = kept_of_x.get(FAR, kept_of_x["first step"])[QUARTILES.index(edge)]
    return quartile  # a smoke run's reviews are shorter


def over_epochs(result: dict[str, Any]) -> float:
    """Largest decay per step in x less the smallest, of the epochs of one training."""
    decays = [epoch["decay_per_step"]["x"] for epoch in result["by_epoch"][1:]]
    return max(decays) - min(decays)


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Untrained cells with theory; of the trained cells every seed, and every epoch."""
    figure.draw(path, by_condition(trials))
