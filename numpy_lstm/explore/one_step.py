"""One step of the LSTM, line by line: the real functions as they run, and two paths to cut."""

from __future__ import annotations

from typing import Any

import numpy as np

from numpy_lstm import bptt
from numpy_lstm.cells import LSTMParams, lstm_step, lstm_step_backward
from numpy_lstm.explore.controls import Answer, Control, Question, Setting, View, span
from numpy_lstm.explore.drawing import (
    axis,
    chart,
    heights,
    line,
    log_axis,
    number,
    round_ticks,
    table,
)
from numpy_lstm.explore.traced import Line, traced
from numpy_lstm.initializers import init_lstm
from numpy_lstm.types import Array

# A cell of one unit with one input, of which every value can be shown.
W_X, W_H = (0.6, -0.3, 1.1, 0.4), (0.4, 0.3, -0.8, 0.5)  # gates i, f, g, o
D, H, T = 8, 16, 41  # of the cell whose gradient is followed over many steps
CUTS: dict[str, tuple[int, ...]] = {
    "none": (),
    "carousel": (21,),
    "recurrent": (28,),
    "both": (21, 28),
}
CUT_NAMES = ("none", "(21), the cell state", "(28), through W_h", "both")
LOW, HIGH = -12, 2
LINES = 27  # that run in both functions
LINE_NAMES = tuple(f"{k + 1} of {LINES}" for k in range(LINES))

CONTROLS = (
    Control("line", "line", "slider", LINES - 2, tuple(range(LINES)), LINE_NAMES, local=True),
    Control("cut", "cut this path back", "choice", "none", tuple(CUTS), CUT_NAMES),
    Control("dc", "dc_next, from step t + 1", "slider", 0.0, span(-2, 2, 40), offered=(0.0, 1.0)),
    Control("dh", "dh_t, the gradient in h_t", "slider", 1.0, span(-2, 2, 40), offered=(0.0, 1.0)),
    Control("c", "c_prev", "slider", 0.8, span(-3, 3, 60), offered=(-1.5, 0.8)),
    Control("h", "h_prev", "slider", 0.3, span(-1, 1, 20), offered=(-0.6, 0.3)),
    Control("x", "x_t", "slider", 0.5, span(-2, 2, 40), offered=(-1.0, 0.5)),
    Control("forget_bias", "forget bias", "slider", 1.0, span(-2, 6, 80), offered=(0.0, 1.0, 3.0)),
)


def step(setting: Setting) -> tuple[list[Line], list[Line], dict[str, Array]]:
    """Lines of a step of one unit, forward and backward, and what arrives behind the cuts."""
    params = LSTMParams(
        np.array([W_X]).T,
        np.array([W_H]).T,
        np.array([0.0, float(setting["forget_bias"]), 0.0, 0.0]),
    )
    x_t, h_prev, c_prev, dh_t, dc_next = (
        np.full((1, 1), float(setting[name])) for name in ("x", "h", "c", "dh", "dc")
    )
    (_, _, cache), forward = traced(lstm_step, x_t, h_prev, c_prev, params)
    (dx_t, dh_prev, dc_prev, _), backward = traced(lstm_step_backward, dh_t, dc_next, cache)
    cut = CUTS[str(setting["cut"])]
    arrives = {
        "dx_t": dx_t,
        "dh_prev": dh_prev * (28 not in cut),
        "dc_prev": dc_prev * (21 not in cut),
    }
    return forward, backward, arrives


def reach(forget_bias: float, cut: tuple[int, ...]) -> Array:
    """Norm of the gradient in the input k steps before the last one, with some paths cut.

    Of an untrained cell over noise, from a gradient of norm 1 in the last h.
    """
    params = init_lstm(
        D, H, rng=np.random.default_rng(0), forget_bias=forget_bias, dtype=np.float64
    )
    xs, zeros = np.random.default_rng(1).standard_normal((T, 1, D)), np.zeros((1, H))
    dh = np.random.default_rng(2).standard_normal((1, H))
    dh, dc, dx_norms = dh / np.linalg.norm(dh), zeros, []
    for cache in bptt.lstm_forward(xs, params, zeros, zeros).cache[::-1]:
        dx_t, dh, dc, _ = lstm_step_backward(dh, dc, cache)
        dh, dc = dh * (28 not in cut), dc * (21 not in cut)
        dx_norms.append(np.linalg.norm(dx_t))
    return np.array(dx_norms)


def answer(setting: Setting) -> Answer:
    """The lines with their values, and how far the gradient reaches with and without the cut."""
    forward, backward, arrives = step(setting)
    cut = CUTS[str(setting["cut"])]
    bias = float(setting["forget_bias"])
    norms = {name: reach(bias, cuts) for name, cuts in CUTS.items()}
    last = T - 1
    share = norms[str(setting["cut"])][last] / norms["none"][last]
    name = CUT_NAMES[list(CUTS).index(str(setting["cut"]))]
    values = ", ".join(f"{name} = {number(float(one[0, 0]))}" for name, one in arrives.items())
    far = (
        f"with forget bias {bias:g}, the gradient in the input of a cell of {H} units has the norm"
        f" {number(norms['none'][last])} {last} steps back"
    )
    cut_off = f"; without {name}, {number(share)} of it is left." if cut else ", all paths open."
    return {
        "charts": [
            chart(
                f"The same function {last} times: gradient in the input of {H} untrained units",
                axis("steps before the last one, k", 0, last, round_ticks(0, last)),
                log_axis("norm", LOW, HIGH, 2),
                [
                    line("all paths", "lstm", heights(norms["none"])),
                    line(
                        "without (28): the cell state alone", "third", heights(norms["recurrent"])
                    ),
                    line("without (21): through W_h alone", "rnn", heights(norms["carousel"])),
                ],
                wide=True,
            )
        ],
        "lines": [
            *(_shown(each, "forward", cut) for each in forward),
            *(_shown(each, "backward", cut) for each in backward),
        ],
        "table": table(
            "Norm of the gradient in the input, k steps before the last one",
            ("k", "all paths", "without (28)", "without (21)", "without both"),
            [
                (k, *(number(norms[name][k]) for name in ("none", "recurrent", "carousel", "both")))
                for k in range(0, T, 5)
            ],
        ),
        "sentence": f"The step gives {values}; {far}{cut_off}",
    }


def _shown(each: Line, direction: str, cut: tuple[int, ...]) -> dict[str, Any]:
    """A line for the page; a value behind a cut is 0, and called cut."""
    values = {name: _written(value) for name, value in each.values.items()}
    is_cut = each.equation in cut
    if is_cut:
        values = {name: f"0, cut; it was {text}" for name, text in values.items()}
    if len(values) > 5:  # it unpacks what other lines have made
        values = {}
    return {
        "direction": direction,
        "place": each.place,
        "equation": each.equation,
        "source": each.source,
        "comment": each.comment,
        "names": list(each.values),
        "values": values,
        "cut": is_cut,
    }


def _written(value: Any) -> str:
    if isinstance(value, LSTMParams):
        return "; ".join(f"{name} {_written(array)}" for name, array in value._asdict().items())
    return ", ".join(
        np.format_float_positional(v, precision=3, fractional=False, trim="-").replace("-", "−")
        for v in np.ravel(value)
    )


DEFAULTS: Setting = {control.name: control.default for control in CONTROLS if not control.local}
BIAS = 1.0  # of the questions


def _carousel_alone() -> tuple[str, str]:
    last = T - 1
    share = reach(BIAS, CUTS["recurrent"])[last] / reach(BIAS, ())[last]
    right = "most" if share >= 0.9 else "some" if share >= 0.1 else "little"
    return right, (
        f"the cell state alone brings {number(share)} of it. The rest goes through h and W_h at one"
        " step or more."
    )


def _no_carousel() -> tuple[str, str]:
    share = reach(BIAS, CUTS["carousel"])[1] / reach(BIAS, ())[1]
    right = "nothing" if share == 0 else "all" if share >= 0.9 else "some"
    return right, (
        f"{number(share)} of it still arrives, by equation (28): from the gates through W_h to"
        " h_prev."
    )


QUESTIONS = (
    Question(
        "In the backward pass of each step, cut equation (28), the way through W_h. Only the cell"
        f" state still connects the steps. With forget bias {BIAS:g}: how much of the gradient in"
        f" the input {T - 1} steps back does it bring alone?",
        {
            "most": "Nearly all: at least nine tenths.",
            "some": "A part: between one tenth and nine tenths.",
            "little": "Little: less than a tenth.",
        },
        {"cut": "recurrent"},
        _carousel_alone,
    ),
    Question(
        "Now cut equation (21), the cell state's own way back, and leave (28). What arrives in the"
        " input one step back?",
        {
            "nothing": "Nothing: the cell state is the only way.",
            "some": "Less than before, but something.",
            "all": "As much as before, or nearly.",
        },
        {"cut": "carousel"},
        _no_carousel,
    ),
)
VIEW = View(
    "one-step",
    "One step, line by line",
    "These are lstm_step and lstm_step_backward of cells.py, as they run: a cell of one unit, each"
    " line with its equation and the value that it has assigned. Gradients are in italics.",
    CONTROLS,
    QUESTIONS,
    answer,
)
