"""Over how many steps can each cell learn to remember, and how many sequences does it need?

In three tasks (:mod:`numpy_lstm.data.long_lag`) the answer depends on early steps. Every cell has
the same number of updates at each of two learning rates; the better rate counts. A task is solved
when two evaluations in a row on 256 new sequences have 99 % right answers or, for adding, a mean
squared error below 0.01 (a constant 1 has 1/6). Only chrono initialization (Tallec and Ollivier,
2018) depends on T.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.long_lag import Sequences, adding, first_symbol, temporal_order
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.initializers import glorot_uniform
from numpy_lstm.layers import affine_backward, affine_forward
from numpy_lstm.losses import (
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_error,
    squared_error_backward,
)
from numpy_lstm.optim import Adam, clip_by_global_norm
from numpy_lstm.recurrent import cell_of, init_cell, recurrence_backward, recurrence_forward
from numpy_lstm.types import Array

PIVOTS = ("solved_by_and_after",)
TASKS: dict[str, tuple[Callable[[int, int, np.random.Generator], Sequences], int]] = {
    "first_symbol": (first_symbol, 2),
    "adding": (adding, 1),
    "temporal_order": (temporal_order, 4),
}
LENGTHS = {
    "first_symbol": (10, 20, 40, 80, 160),
    "adding": (25, 50, 100),
    "temporal_order": (25, 50, 100),
}
BUDGETS = {"first_symbol": 1000, "adding": 2000, "temporal_order": 2000}  # updates
CELLS: dict[str, dict[str, Any]] = {
    "rnn, orthogonal": {"model": "rnn"},
    "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
    "lstm, chrono": {"model": "lstm", "chrono": True},
}
HIDDEN, BATCH, CLIP = 32, 32, 1.0
RATES = (1e-3, 3e-3)  # learning rates of Adam
EVERY, IN_A_ROW, FRESH = 25, 2, 256
ASIDE = 1.03  # times T, from the marks of one cell to those of the next


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell at each task and length."""
    return {
        f"{task}, {cell}, T={T}": {
            "task": task,
            "T": T,
            "cell": cell,
            "updates": 2 if quick else BUDGETS[task],
            **CELLS[cell],
        }
        for T in sorted({T for lengths in LENGTHS.values() for T in lengths})
        for task in TASKS
        if T in (LENGTHS[task][:1] if quick else LENGTHS[task])
        for cell in CELLS
    }


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train at each learning rate; the one that solves the task first counts."""
    tried = {rate: sequences_needed(settings, seed, rate) for rate in RATES}
    solved = {rate: needed for rate, needed in tried.items() if needed is not None}
    rate = min(solved, key=lambda rate: solved[rate]) if solved else None
    return {
        "solved": bool(solved),
        "sequences": None if rate is None else solved[rate],
        "learning_rate": rate,
        "sequences_by_rate": list(tried.values()),
    }


def sequences_needed(settings: dict[str, Any], seed: int, learning_rate: float) -> int | None:
    """Number of sequences until the task is solved; None if it is not solved within the budget."""
    draw_batch, outputs = TASKS[settings["task"]]
    T, is_number = settings["T"], outputs == 1
    rng = np.random.default_rng(seed)
    parameters = fresh(settings, draw_batch(T, 1, rng).xs.shape[2], outputs, rng)
    optimizer = Adam(learning_rate)
    in_a_row = 0
    for update in range(1, settings["updates"] + 1):
        gradients = gradients_of(parameters, draw_batch(T, BATCH, rng))
        optimizer.step(parameters, clip_by_global_norm(gradients, CLIP)[0])
        if update % EVERY == 0:
            test = draw_batch(T, FRESH, rng)
            answers = predict(parameters, test.xs)[0]
            is_good = (
                ((answers[:, 0] - test.targets) ** 2).mean() < 0.01
                if is_number
                else (answers.argmax(axis=1) == test.targets).mean() >= 0.99
            )
            in_a_row = in_a_row + 1 if is_good else 0
            if in_a_row == IN_A_ROW:
                return update * BATCH
    return None


def fresh(
    settings: dict[str, Any], D: int, outputs: int, rng: np.random.Generator
) -> dict[str, Array]:
    """A cell and an affine read-out of its last hidden state."""
    start = {name: settings[name] for name in ("recurrent", "forget_bias") if name in settings}
    cell = init_cell(settings["model"], D, HIDDEN, rng=rng, **start)
    if settings.get("chrono"):
        # Tallec and Ollivier (2018): b_f is log U(1, T_max - 1), and b_i its opposite.
        cell.b[HIDDEN : 2 * HIDDEN] = np.log(rng.uniform(1, settings["T"] - 1, HIDDEN))
        cell.b[:HIDDEN] = -cell.b[HIDDEN : 2 * HIDDEN]
    W_out = glorot_uniform(outputs, HIDDEN, rng=rng).astype(np.float32)
    return {**cell._asdict(), "W_out": W_out, "b_out": np.zeros(outputs, np.float32)}


def predict(parameters: dict[str, Array], xs: Array) -> tuple[Array, Any, Any]:
    """Outputs (N, C), and the caches of the recurrence and the read-out."""
    out = recurrence_forward(xs, cell_of(parameters))
    outputs, affine = affine_forward(out.h_T, parameters["W_out"], parameters["b_out"])
    return outputs, out.cache, affine


def gradients_of(parameters: dict[str, Array], batch: Sequences) -> dict[str, Array]:
    """Gradients of the loss of a batch: cross-entropy, or the squared error of one number."""
    outputs, cache, affine = predict(parameters, batch.xs)
    if outputs.shape[1] == 1:
        _, loss = squared_error(outputs[:, 0], batch.targets.astype(np.float32))
        doutputs = squared_error_backward(loss)[:, np.newaxis]
    else:
        _, loss = softmax_cross_entropy(outputs, batch.targets)
        doutputs = softmax_cross_entropy_backward(loss)
    dh_T, dW_out, db_out = affine_backward(doutputs, affine)
    dcell = recurrence_backward(cache, dh_T=dh_T).dparams
    return {**dcell._asdict(), "W_out": dW_out, "b_out": db_out}


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Share of the seeds that solved each task, and the median number of sequences needed."""
    summary = {}
    for condition, results in by_condition(trials).items():
        needed = [result["sequences"] for result in results if result["solved"]]
        median = int(np.median(needed)) if needed else None
        summary[condition] = {
            "seeds": len(results),
            "solved": len(needed) / len(results),
            "median_sequences": median,
            "solved_by_and_after": f"{len(needed)}" + (f", {median:,}" if needed else ""),
        }
    return summary


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Share of the seeds that solve the task against T, one panel per task."""
    with plots.figure(path, 1, len(TASKS), 7.2, 3.0) as (drawing, panels):
        for axes, task in zip(panels, TASKS, strict=True):
            for k, cell in enumerate(CELLS):
                own = [
                    t["settings"] | t["result"]
                    for t in trials
                    if t["settings"]["task"] == task and t["settings"]["cell"] == cell
                ]
                lengths = sorted({trial["T"] for trial in own})
                shares = [
                    np.mean([trial["solved"] for trial in own if trial["T"] == T]) for T in lengths
                ]
                # Marks a little aside of each other, so that those of the same height are seen.
                places = np.array(lengths) * ASIDE ** (k - (len(CELLS) - 1) / 2)
                mark: dict[str, Any] = {"marker": plots.CELLS[cell][2], "markersize": 4}
                axes.plot(places, shares, label=plots.name_of(cell), **mark, **plots.cell(cell))
            axes.set_xscale("log")
            axes.set_xticks(LENGTHS[task], [str(T) for T in LENGTHS[task]])
            axes.minorticks_off()
            axes.set_yticks(np.arange(6) / 5)
            axes.set_ylim(-0.1, 1.1)
            axes.set_xlabel("steps, T")
            axes.set_title(task.replace("_", " "), fontsize=9)
        panels[0].set_ylabel("share of seeds that solve it")
        drawing.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
        drawing.suptitle("Long-lag tasks, the same budget of updates for every cell")
