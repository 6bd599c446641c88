"""Which of its parts makes a seed's vanilla RNN lose its gradient?

A seed of `gradient_flow` decides four things: which reviews are kept for validation, the word
vectors, the first weights, and the order of the reviews with the dropout masks. Of five pairs
of seeds, a, whose trained vanilla RNN keeps little of the gradient, and b, whose keeps much, every
combination of the four is trained and measured in the same way. A control shows how far chance
alone spreads the outcome: everything is a's, and each entry of W_h is off by about a millionth of
itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.data.prepare import Prepared
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.gradient_flow import every_epoch, measured
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import spread
from numpy_lstm.training import initial_state, train
from numpy_lstm.types import Array

PARTS = ("data", "vectors", "weights", "order")
DRAWS, OFF = 4, 1e-6  # of the control: how many, and how far off W_h is
# The seeds a and b of trial 0, 1, …: of results/gradient_flow.json the trained vanilla RNN of the
# smallest and of the largest decay per step in x, then the next of each; as `extremes` gives them.
PAIRS = ((10, 14), (4, 1), (11, 12), (18, 13), (8, 16))


def extremes(trials: Sequence[Mapping[str, Any]], n: int) -> list[tuple[int, int]]:
    """The seeds of the smallest and the largest decay per step, and the next ones of each."""
    decays = {
        trial["seed"]: trial["result"]["decay_per_step"]["x"]
        for trial in trials
        if trial["condition"] == "rnn, trained"
    }
    order = sorted(decays, key=lambda seed: decays[seed])
    return list(zip(order, reversed(order), strict=True))[: min(n, len(order) // 2)]


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Every combination of the parts of a and b, and the control."""
    combinations: dict[str, dict[str, Any]] = {
        combination(chosen): {"model": "rnn", **dict(zip(PARTS, chosen, strict=True))}
        for chosen in product("ab", repeat=len(PARTS))
    }
    all_a = {"model": "rnn", **dict.fromkeys(PARTS, "a")}
    control = {f"all a, W_h off by {OFF:g}, {n}": {**all_a, "off": n} for n in range(1, DRAWS + 1)}
    return combinations | control


def combination(chosen: Iterable[str]) -> str:
    """The condition of which each part is a's or b's.

    Examples
    --------
    >>> combination("aaba")
    'data a, vectors a, weights b, order a'
    """
    return ", ".join(f"{part} {of}" for part, of in zip(PARTS, chosen, strict=True))


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and measure a vanilla RNN whose parts come from the seeds of a pair."""
    if seed >= len(PAIRS):
        raise ValueError(f"`seeds` must be at most {len(PAIRS)}, the number of pairs of seeds.")
    a_and_b = dict(zip("ab", PAIRS[seed], strict=True))
    seeds = {part: a_and_b[settings[part]] for part in PARTS}
    prepared, other = (reviews.data(seeds[part], quick) for part in ("data", "vectors"))
    own = reviews.settings_of(settings, seeds["order"], quick)
    splits = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    first = initial_state("rnn", vectors_of(prepared, other), replace(own, seed=seeds["weights"]))
    if "off" in settings:
        W_h, rng = first.parameters["W_h"], np.random.default_rng(settings["off"])
        W_h += np.float32(OFF) * W_h * rng.standard_normal(W_h.shape, dtype=np.float32)
    train(first, splits, own)
    return {
        "seeds": seeds,
        **reviews.scores(first, splits, own),
        **measured(first.norms[first.best_epoch]),
        **every_epoch(first),
    }


def vectors_of(prepared: Prepared, other: Prepared) -> Array:
    """The other's word vectors in the order of the vocabulary; its own for words only it knows."""
    place = {word: k for k, word in enumerate(other.vocabulary.words)}
    rows = np.array([place.get(word, -1) for word in prepared.vocabulary.words])
    known = rows[:, np.newaxis] >= 0
    return np.where(known, other.vectors[rows], prepared.vectors)


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each combination's decay and accuracy; and what each part of b changes, pair by pair."""
    grouped = by_condition(trials)
    summary: dict[str, Any] = {
        condition: {
            "x": spread([result["decay_per_step"]["x"] for result in results]),
            "test_accuracy": spread([result["test_accuracy"] for result in results]),
        }
        for condition, results in grouped.items()
    }
    counts = {len(results) for results in grouped.values()}
    if len(grouped) == len(conditions(False)) and len(counts) == 1:
        for part in PARTS:
            summary[f"{part}: b - a"] = {"x": spread(gains(grouped, part))}
    return summary


def gains(grouped: Mapping[str, Sequence[Any]], part: str) -> list[float]:
    """Decay per step with b's part less that with a's: of each pair, the mean of the others.

    The trainings of a alone and of b alone are left out: they were chosen for their decay.
    """
    chosen = {combination(of * len(PARTS)) for of in "ab"}
    changes = [
        [
            b["decay_per_step"]["x"] - a["decay_per_step"]["x"]
            for a, b in zip(results, grouped[other], strict=True)
        ]
        for condition, results in grouped.items()
        if (other := condition.replace(f"{part} a", f"{part} b")) != condition
        and chosen.isdisjoint((condition, other))
    ]
    return [float(gain) for gain in np.mean(changes, axis=0)]


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Decay per step of every combination, a row each; a number is a pair of seeds."""
    grouped = by_condition(trials)
    with plots.figure(path, 1, 1, 6.0, 5.2) as (_, (axes,)):
        for row, results in enumerate(grouped.values()):
            decays = [result["decay_per_step"]["x"] for result in results]
            axes.plot(decays, [row] * len(decays), "|", color="#999999", markersize=12)
            for pair, decay in enumerate(decays):
                axes.annotate(
                    str(pair + 1),
                    (decay, row),
                    (0, 3 * (pair % 3 - 1)),  # apart, where several stand together
                    textcoords="offset points",
                    color=plots.series(pair)["color"],
                    fontsize=7,
                    ha="center",
                    va="center",
                )
        axes.set_yticks(range(len(grouped)), list(grouped))
        axes.tick_params(axis="y", labelsize=7)
        axes.locator_params(axis="x", nbins=6)
        axes.set_ylim(len(grouped) - 0.5, -0.5)
        axes.set_xlabel("factor a step of ‖∂L/∂x‖, best epoch\n(a number is a pair of seeds)")
