"""Lag and padding: what empty steps between a review and the read-out do to its gradient."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from numpy_lstm.explore.controls import Answer, Control, Question, Setting, View
from numpy_lstm.explore.drawing import (
    axis,
    chart,
    heights,
    line,
    log_axis,
    number,
    plain,
    round_ticks,
    table,
)
from numpy_lstm.explore.examples import EXAMPLES
from numpy_lstm.explore.measured import measured
from numpy_lstm.explore.words import models
from numpy_lstm.gradient_flow import from_the_end
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.recurrent import init_cell, recurrence_backward, recurrence_forward
from numpy_lstm.types import Array

H = 32  # hidden units, as in the experiment
LAGS = (0, 25, 50, 100, 200, 400)
CELLS: dict[str, dict[str, Any]] = {
    "rnn, orthogonal": {"model": "rnn"},
    "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
}
NAMES = (
    "RNN, orthogonal W_h",
    "RNN, uniform W_h",
    "LSTM, forget bias 0",
    "LSTM, forget bias 1",
    "LSTM, forget bias 3",
)
MEASURED = ("behind", "in front", "masked")  # the conditions of ``padding``
PLACES = {"behind": "padded behind", "front": "padded in front", "masked": "masked"}
ROLES = {"behind": "rnn", "front": "third", "masked": "lstm"}
LOW = -30

CONTROLS = (
    Control("cell", "untrained cell", "choice", "lstm, b_f=1", tuple(CELLS), NAMES),
    Control("lag", "empty steps, K", "slider", 0, LAGS),
)


def review() -> Array:
    """The first example, as the word vectors from which the small models start, (T, 1, D)."""
    small = models()["lstm"]
    tokens = small.vocabulary.encode([EXAMPLES[0][1]]).tokens
    return small.epochs[0].parameters["embedding"][tokens][:, np.newaxis]


@lru_cache(maxsize=len(CELLS) * len(LAGS) * len(PLACES))
def reach(cell: str, lag: int, place: str) -> Array:
    """Norm of the gradient in the input, k steps before the last one, with `lag` empty steps.

    It starts with norm 1 in the state that is read out: the last one, or with a mask that after the
    review's own last step.
    """
    words = review()
    empty = np.zeros((lag, *words.shape[1:]))
    xs = np.concatenate([empty, words] if place == "front" else [words, empty])
    lengths = np.array([len(words) if place == "masked" else len(xs)])
    how = {"rng": np.random.default_rng(0), "dtype": np.float64, **CELLS[cell]}
    params = init_cell(input_size=xs.shape[2], hidden_size=H, **how)
    dh_T = np.random.default_rng(2).standard_normal((1, H))
    out = recurrence_forward(xs, params, lengths)
    g = recurrence_backward(out.cache, dh_T=dh_T / np.linalg.norm(dh_T))
    return from_the_end(norms(g.dxs.swapaxes(1, 2)), lengths)[:, 0]


def at_its_end(cell: str, lag: int, place: str) -> float:
    """The norm at the last step of the review itself."""
    return float(reach(cell, lag, place)[lag if place == "behind" else 0])


def answer(setting: Setting) -> Answer:
    """The gradient along the steps, at the review's end for each K, and measured accuracies."""
    cell, lag = str(setting["cell"]), int(setting["lag"])
    name, accuracies = NAMES[list(CELLS).index(cell)], measured()
    model = str(CELLS[cell]["model"])
    ends = {place: [at_its_end(cell, K, place) for K in LAGS] for place in PLACES}
    last = len(reach(cell, lag, "behind")) - 1
    at_lag = [accuracies["lag"][cell][str(K)] for K in LAGS]
    lags = axis("empty steps, K", -0.3, 5.3, range(len(LAGS)), labels=[str(K) for K in LAGS])
    here = [{"x": LAGS.index(lag), "label": ""}]
    now = at_lag[LAGS.index(lag)]
    behind, front = (ends[place][LAGS.index(lag)] for place in ("behind", "front"))
    return {
        "charts": [
            chart(
                f"Gradient in the input, from the read-out back: {name}",
                axis("steps before the last one, k", 0, last, round_ticks(0, last)),
                log_axis("norm", LOW, 2, 8),
                [
                    line(said, ROLES[place], heights(reach(cell, lag, place)))
                    for place, said in PLACES.items()
                ],
                marks=[{"x": lag, "label": "← padding behind"}] if lag else [],
                wide=True,
            ),
            chart(
                "Gradient at the review's end",
                lags,
                log_axis("norm", LOW, 2, 8),
                [
                    line(said, ROLES[place], heights(np.array(ends[place])), marks=True)
                    for place, said in PLACES.items()
                ],
                marks=here,
            ),
            chart(
                "Measured: test accuracy with K empty steps behind",
                lags,
                axis("accuracy, %: median, least, most", 45, 90, (50, 60, 70, 80, 90)),
                [_with_ends(name, model, at_lag)],
                marks=here,
            ),
            chart(
                "Measured: test accuracy, behind after ten epochs, else after two",
                axis("", -0.5, 2.5, range(3), labels=MEASURED),
                axis("accuracy, %: median, least, most", 45, 90, (50, 60, 70, 80, 90)),
                [
                    _with_ends(said, role, list(accuracies["padding"][role].values()))
                    | {"marks": "only", "x": [k + aside for k in range(3)]}
                    for role, said, aside in (("rnn", "RNN", -0.04), ("lstm", "LSTM", 0.04))
                ],
                wide=True,
                flat=True,
            ),
        ],
        "table": table(
            f"{name}: norm at the review's end before training; and what was measured, in %",
            ("K", *PLACES.values(), "median accuracy", "least to most"),
            [
                (
                    K,
                    *(number(ends[place][k]) for place in PLACES),
                    f"{100 * at_lag[k][0]:.1f}",
                    f"{100 * at_lag[k][1]:.1f} to {100 * at_lag[k][2]:.1f}",
                )
                for k, K in enumerate(LAGS)
            ],
        ),
        "sentence": (
            f"With {lag} empty steps behind the review, the gradient at its end is"
            f" {number(behind)}, and {number(front)} with them in front; trained and tested"
            f" with {lag} steps behind, this cell's median accuracy is {100 * now[0]:.1f} %."
        ),
    }


def _with_ends(name: str, role: str, measured: list[list[float]]) -> dict[str, Any]:
    middle, low, high = (plain(100 * np.array(part), 2) for part in zip(*measured, strict=True))
    return line(name, role, middle, low=low, high=high, marks=True)


def _no_forget_bias() -> tuple[str, str]:
    median, low, high = measured()["lag"]["lstm, b_f=0"]["100"]
    gradient = at_its_end("lstm, b_f=0", 100, "behind")
    return "chance" if median < 0.55 else "some" if median < 0.8 else "all", (
        f"{100 * median:.1f} % ({100 * low:.1f} to {100 * high:.1f}), the median of five seeds, the"
        " least and the most. Before training, with a gradient of norm 1 in the last state, the"
        f" norm in the input is {number(gradient)} at the review's end."
    )


def _in_front() -> tuple[str, str]:
    behind, front, masked = (accuracy[0] for accuracy in measured()["padding"]["lstm"].values())
    return "same" if front < 0.55 else "some" if front < 0.8 else "all", (
        f"{100 * front:.1f} % after two epochs, and {100 * masked:.1f} % with a mask, where it is"
        f" {100 * behind:.1f} % after ten with the padding behind: medians of five seeds. In front,"
        " nothing has to be kept over the empty steps. The chart of K empty steps has LSTMs with"
        " other first weights and a chosen learning rate."
    )


QUESTIONS = (
    Question(
        "An LSTM whose forget bias starts at 0 reads a review and then 100 empty steps, in training"
        " and in the test. How many of the test reviews does it get right?",
        {
            "chance": "About 50 %, as by chance.",
            "some": "Between 55 and 80 %.",
            "all": "More than 80 %: the LSTM remembers.",
        },
        {"cell": "lstm, b_f=0", "lag": 100},
        _no_forget_bias,
    ),
    Question(
        "An LSTM reads reviews that are filled up to 500 steps, without a mask. The padding is put"
        " in front of them, not behind. What is the accuracy after two epochs?",
        {
            "same": "About 50 %: where the padding stands makes no difference.",
            "some": "Between 55 and 80 %.",
            "all": "More than 80 %.",
        },
        {"lag": 400},
        _in_front,
    ),
)
VIEW = View(
    "lag-and-padding",
    "Lag and padding",
    "One review, the first one under “A review's words”, is filled up with empty steps: behind, in"
    " front, or behind with a mask, which skips them. The accuracies were measured on IMDB, with"
    " five seeds.",
    CONTROLS,
    QUESTIONS,
    answer,
)
