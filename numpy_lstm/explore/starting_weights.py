"""The starting weights decide how far the gradient of an untrained cell reaches."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import bptt
from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.explore.controls import Answer, Control, Question, Setting, View, span
from numpy_lstm.explore.drawing import (
    SUPERSCRIPTS,
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
from numpy_lstm.gradient_flow import from_the_end
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.types import Array

D, H, T = 32, 64, 120  # inputs, hidden units, steps
FAR = 100  # steps back, where the sentence and the questions look
HELD = 40.0  # a pre-activation whose sigmoid is 1 to the last digit
INSTRUMENTS = {"half": 0.0, "one": HELD}  # the forget gate's pre-activation
RADIUS = f"ρ{str(FAR).translate(SUPERSCRIPTS)}"
LOW, HIGH = -24, 4  # powers of ten on the axis

CONTROLS = (
    Control(
        "forget_bias",
        "forget bias of the LSTM",
        "slider",
        1.0,
        span(-2, 6, 80),
        offered=(-1.0, 0.0, 1.0, 2.0, 3.0, 5.0),
        needs=("instrument", "off"),
    ),
    Control(
        "gain",
        "W_h multiplied by",
        "slider",
        1.0,
        span(0.5, 2.5, 40),
        offered=(0.5, 1.0, 1.5, 2.0),
    ),
    Control(
        "lag",
        "empty steps at the end",
        "slider",
        0,
        tuple(range(0, 116, 5)),
        offered=(0, 50, 100),
    ),
    Control(
        "kind",
        "kind of W_h",
        "choice",
        "orthogonal",
        ("orthogonal", "uniform"),
        ("orthogonal, as in Keras", "uniform, as in PyTorch"),
    ),
    Control(
        "instrument",
        "instrument: an LSTM whose answer is known",
        "choice",
        "off",
        ("off", "half", "one"),
        (
            "off: the LSTM as it is",
            "LSTM with W_h = 0, f held at ½",
            "LSTM with W_h = 0, f held at 1",
        ),
    ),
)


class Flow(NamedTuple):
    """What was measured; entry k is k steps before the last step."""

    rnn_h: Array
    rnn_x: Array
    lstm_h: Array
    lstm_c: Array
    lstm_x: Array
    gates: dict[str, Array]  # means over the units
    forget_product: Array  # mean over the units of f_T … f_{T-k+1}
    radius: float  # ρ(W_h) of the RNN
    stretch: float  # σ_max(W_h) of the RNN


def flow(setting: Setting) -> Flow:
    """Run both untrained cells over noise, and back from a gradient of norm 1 in the last h.

    The `lag` last inputs are zero, as padding is.
    """
    rnn, lstm = cells(setting)
    xs = np.random.default_rng(1).standard_normal((T, 1, D))
    xs[T - int(setting["lag"]) :] = 0
    dh_T = np.random.default_rng(2).standard_normal((1, H))
    dh_T /= np.linalg.norm(dh_T)
    dhs, zeros = np.zeros((T, 1, H)), np.zeros((1, H))
    dr = bptt.rnn_backward(bptt.rnn_forward(xs, rnn, zeros).cache, dhs, dh_T)
    steps = bptt.lstm_forward(xs, lstm, zeros, zeros).cache
    dl = bptt.lstm_backward(steps, dhs, dh_T, zeros)

    def back(by_step: Array) -> Array:
        return from_the_end(by_step, np.array([T]))[:, 0]

    f = np.array([step.f_t[0] for step in steps])[::-1]
    product = np.exp(np.log(f[:-1]).cumsum(axis=0)).mean(axis=1)
    return Flow(
        rnn_h=back(dr.dh_norms),
        rnn_x=back(norms(dr.dxs.swapaxes(1, 2))),
        lstm_h=back(dl.dh_norms),
        lstm_c=back(dl.dc_norms),
        lstm_x=back(norms(dl.dxs.swapaxes(1, 2))),
        gates={
            name: np.array([getattr(step, f"{name}_t").mean() for step in steps])[::-1]
            for name in "fio"
        },
        forget_product=np.concatenate([[1.0], product]),  # the last step itself has no factor
        radius=float(abs(np.linalg.eigvals(rnn.W_h)).max()),
        stretch=float(np.linalg.norm(rnn.W_h, 2)),
    )


def cells(setting: Setting) -> tuple[RNNParams, LSTMParams]:
    """The initial weights of both cells."""
    how: dict[str, Any] = {"recurrent": setting["kind"], "dtype": np.float64}
    rnn = init_rnn(D, H, rng=np.random.default_rng(0), **how)
    how["forget_bias"] = float(setting["forget_bias"])
    lstm = init_lstm(D, H, rng=np.random.default_rng(0), **how)
    for params in (rnn, lstm):
        params.W_h[:] *= float(setting["gain"])
    if setting["instrument"] != "off":
        forget = slice(H, 2 * H)
        lstm.W_h[:], lstm.W_x[forget] = 0, 0
        lstm.b[forget] = INSTRUMENTS[str(setting["instrument"])]
    return rnn, lstm


def answer(setting: Setting) -> Answer:
    """The charts, the table and the sentence for a setting."""
    found = flow(setting)
    sigma = line("σₘₐₓᵏ", "bound", _ray(found.stretch), x=[0, T - 1])
    rho = line("ρᵏ", "radius", _ray(found.radius), x=[0, T - 1])
    product = line("∏ f", "product", heights(found.forget_product))
    distance = axis("steps before the last one, k", 0, T - 1, round_ticks(0, T - 1))
    marks = [{"x": setting["lag"], "label": "← empty"}] if setting["lag"] else []
    states = chart(
        "Gradient in the states",
        distance,
        log_axis("norm", LOW, HIGH, 4),
        [
            line("RNN h", "rnn", heights(found.rnn_h)),
            line("LSTM c", "lstm", heights(found.lstm_c)),
            line("LSTM h", "lstm-h", heights(found.lstm_h)),
            sigma,
            rho,
            product,
        ],
        marks=marks,
        wide=True,
    )
    inputs = chart(
        "Gradient in the inputs x",
        distance,
        log_axis("norm", LOW, HIGH, 4),
        [
            line("RNN", "rnn", heights(found.rnn_x)),
            line("LSTM", "lstm", heights(found.lstm_x)),
            sigma,
            rho,
            product,
        ],
        marks=marks,
    )
    gates = chart(
        "The LSTM's gates, mean of its units",
        distance,
        axis("open", 0, 1, (0, 0.25, 0.5, 0.75, 1)),
        [
            line("forget", "lstm", plain(found.gates["f"], 3)),
            line("input", "second", plain(found.gates["i"], 3)),
            line("output", "third", plain(found.gates["o"], 3)),
        ],
        marks=marks,
    )
    return {
        "charts": [states, inputs, gates],
        "table": table(
            "Norm of the gradient, and the forget gate, k steps before the last one",
            ("k", "RNN h", "RNN x", "LSTM h", "LSTM c", "LSTM x", "σₘₐₓᵏ", "ρᵏ", "∏ f", "mean f"),
            [
                (
                    k,
                    *(number(float(values[k])) for values in found[:5]),
                    number(found.stretch**k),
                    number(found.radius**k),
                    number(float(found.forget_product[k])),
                    number(float(found.gates["f"][k])),
                )
                for k in range(0, T, 10)
            ],
        ),
        "sentence": (
            f"{FAR} steps back, of a gradient of norm 1, {number(found.rnn_h[FAR])} is left in the"
            f" RNN's h, where {RADIUS} would be {number(found.radius**FAR)}, and"
            f" {number(found.lstm_c[FAR])} in the LSTM's c, where the forget gates alone would"
            f" leave {number(float(found.forget_product[FAR]))}."
        ),
    }


def _ray(factor: float) -> list[float | None]:
    """Powers of a number: on a logarithmic axis a straight line, of which the ends are enough."""
    return [0.0, round((T - 1) * float(np.log10(factor)), 2)]


def _judged(
    changes: Setting, judge: Callable[[Flow], tuple[str, str]]
) -> Callable[[], tuple[str, str]]:
    setting = {control.name: control.default for control in CONTROLS} | changes
    return lambda: judge(flow(setting))


def fate(norm: float) -> str:
    """What became of a gradient of norm 1."""
    return "explodes" if norm > 10 else "vanishes" if norm < 0.01 else "stays"


def _rnn(found: Flow) -> tuple[str, str]:
    became = fate(found.rnn_h[FAR])
    why = " The slopes of tanh, each below 1, shrink it by more than W_h stretches it."
    return became, (
        f"{number(found.rnn_h[FAR])} of it is left, where {RADIUS} is"
        f" {number(found.radius**FAR)}.{why if became == 'vanishes' else ''}"
    )


def _lstm(found: Flow) -> tuple[str, str]:
    product = float(found.forget_product[FAR])
    rest = " The rest comes through h." if product < found.lstm_c[FAR] else ""
    return fate(found.lstm_c[FAR]), (
        f"{number(found.lstm_c[FAR])} of it is left. The forget gates are open by"
        f" {found.gates['f'].mean():.2f} on average, and along the cell state every step multiplies"
        f" by one of them: {number(product)} in all.{rest}"
    )


def _both(found: Flow) -> tuple[str, str]:
    rnn, lstm = found.rnn_h[FAR], found.lstm_c[FAR]
    winner = "rnn" if rnn > 2 * lstm else "lstm" if lstm > 2 * rnn else "same"
    why = (
        " Over empty steps an orthogonal W_h only turns the gradient, and the slopes of tanh are"
        " near 1; the LSTM's gates, all below 1, shrink theirs at every step."
    )
    return winner, (
        f"the RNN keeps {number(rnn)}, the LSTM {number(lstm)}.{why if winner == 'rnn' else ''}"
    )


FATES = {
    "explodes": "It has exploded: more than 10.",
    "stays": "It is still there: between 0.01 and 10.",
    "vanishes": "It has vanished: less than 0.01.",
}
QUESTIONS = (
    Question(
        "An RNN's W_h is orthogonal and multiplied by 1.5, so that its spectral radius ρ is 1.5. A"
        " gradient of norm 1 starts in the last h. What has become of it 100 steps back?",
        FATES,
        {"gain": 1.5},
        _judged({"gain": 1.5}, _rnn),
    ),
    Question(
        "An LSTM starts with the usual forget bias of 1. A gradient of norm 1 starts in the last h."
        " What has become of it in c, 100 steps back?",
        FATES,
        {},
        _judged({}, _lstm),
    ),
    Question(
        "The last 100 steps are empty: all inputs are 0. Both cells have orthogonal weights, the"
        " LSTM a forget bias of 1. Which keeps more of the gradient over these 100 steps?",
        {
            "lstm": "The LSTM, in c.",
            "rnn": "The RNN, in h.",
            "same": "Neither: they are within a factor of two.",
        },
        {"lag": 100},
        _judged({"lag": 100}, _both),
    ),
)
VIEW = View(
    "starting-weights",
    "The starting weights",
    "Both cells are untrained. They read noise, and a gradient of norm 1 is sent back from the last"
    " hidden state, step by step. Their first weights alone decide how far it reaches.",
    CONTROLS,
    QUESTIONS,
    answer,
)
