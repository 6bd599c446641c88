"""Break it: what a known bug does to the loss, and which check notices it."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import lstm, rnn
from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.clinic.catalogue import Bug
from numpy_lstm.explore.bugs import CARRY, PLAIN, SLOPE, changed, planted
from numpy_lstm.explore.controls import Answer, Control, Question, Setting, View
from numpy_lstm.explore.drawing import axis, chart, line, number, plain, table
from numpy_lstm.gradcheck import TOLERANCE, gradient_errors
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.losses import cross_entropy, cross_entropy_backward
from numpy_lstm.optim import Adam
from numpy_lstm.types import Model

# The task: of N sequences of T numbers, is the sum positive?
N, T, H, STEPS, RATE = 64, 8, 6, 60, 0.02
STEPS_CHECKED = 3
LARGE = 10.0  # scale of the gradients that go into a check of everything: what is clipped shows
TINY, ABSOLUTE = 1e-3, 1e-4  # scale of weights, and error, of a check that sees little


class Check(NamedTuple):
    """What a check finds."""

    name: str
    notices: bool
    found: str


@lru_cache(maxsize=len(PLAIN) + 2)
def losses(bug: Bug | None, cell: Model) -> tuple[float, ...]:
    """Loss before each step of training with the plain loop, with a bug in it or none."""
    ours, rng = planted(bug), np.random.default_rng(0)
    xs = rng.standard_normal((T, N, 1))
    labels = (xs.sum(axis=(0, 2)) > 0).astype(np.int64)
    parameters = {**_params(cell, rng)._asdict(), "W_out": rng.standard_normal((1, H)) / H}
    optimizer, found = Adam(RATE), []
    weights, zeros = np.full(N, 1 / N), np.zeros((N, H))
    for _ in range(STEPS + 1):
        params = _kind(cell)(*(parameters[name] for name in ("W_x", "W_h", "b")))
        states = [zeros] * (1 + (cell == "lstm"))
        out = getattr(ours, f"{cell}_forward")(xs, params, *states)
        loss, cache = cross_entropy((out.h_T @ parameters["W_out"].T)[:, 0], labels, weights)
        found.append(float(loss))
        dlogits = cross_entropy_backward(cache)[:, np.newaxis]
        ends = [dlogits @ parameters["W_out"], zeros][: len(states)]
        g = getattr(ours, f"{cell}_backward")(out.cache, np.zeros((T, N, H)), *ends)
        optimizer.step(parameters, {**g.dparams._asdict(), "W_out": dlogits.T @ out.h_T})
    return tuple(found)


def checks(bug: Bug | None, cell: Model) -> list[Check]:
    """Ask several checks, of which some see little."""
    ours = planted(bug)
    return [
        _check_step(ours, cell),
        _check_sequence("the whole loop, one step long", ours, cell, steps=1),
        _check_sequence(
            "the whole loop, the weights alone, of a loss in the last h", ours, cell, narrow=True
        ),
        _check_sequence("the whole loop, every array, of a loss in every state", ours, cell),
        _check_tiny(ours, cell),
        _check_forward(ours, cell),
    ]


def answer(setting: Setting) -> Answer:
    """Both curves of the loss, and what each check finds."""
    where, new, old = changed(PLAIN[int(setting["bug"])])
    right, wrong, found = results(int(setting["bug"]))
    noticed = [check for check in found if check.notices]
    return {
        "charts": [
            chart(
                "Loss of the small task, with the right gradient and with the bug",
                axis("step of training", 0, STEPS, range(0, STEPS + 1, 10)),
                axis("loss, nats", 0, 0.8, (0, 0.2, 0.4, 0.6, 0.8)),
                [
                    line("right", "lstm", plain(np.array(right), 4)),
                    line("with the bug", "rnn", plain(np.array(wrong), 4)),
                ],
                wide=True,
            )
        ],
        "open": table(
            f"{where}: “{new}” instead of “{old}”",
            ("check", "notices it", "what it finds"),
            [(each.name, "yes" if each.notices else "no", each.found) for each in found],
        ),
        "table": table(
            "Loss in nats",
            ("step", "right", "with the bug"),
            [(k, f"{right[k]:.3f}", f"{wrong[k]:.3f}") for k in range(0, STEPS + 1, 10)],
        ),
        "sentence": (
            f"With the bug the loss falls from {wrong[0]:.2f} to {wrong[-1]:.2f} in {STEPS} steps,"
            f" with the right gradient to {right[-1]:.2f}; {len(noticed)} of {len(found)} checks"
            " notice it."
        ),
    }


@lru_cache(maxsize=len(PLAIN))
def results(bug: int) -> tuple[tuple[float, ...], tuple[float, ...], list[Check]]:
    """Losses without and with a bug, and what the checks find; they take a moment, and stay."""
    it = PLAIN[bug]
    return losses(None, it.cell), losses(it, it.cell), checks(it, it.cell)


def _kind(cell: Model) -> type[RNNParams] | type[LSTMParams]:
    return RNNParams if cell == "rnn" else LSTMParams


def _params(cell: Model, rng: np.random.Generator) -> RNNParams | LSTMParams:
    init: Callable[..., Any] = init_rnn if cell == "rnn" else init_lstm
    return init(1, H, rng=rng, dtype=np.float64)


def _point(cell: Model, steps: int, scale: float = 1.0) -> dict[str, Any]:
    """A small random batch, with weights of the size `scale`; all its sizes differ."""
    rng, (n, d, h) = np.random.default_rng(1), (3, 1, 2)
    rows = h if cell == "rnn" else 4 * h
    shapes = (rows, d), (rows, h), (rows,)
    point: dict[str, Any] = {
        "xs": rng.standard_normal((steps, n, d)),
        "params": _kind(cell)(*(scale * rng.standard_normal(shape) for shape in shapes)),
        "h0": rng.standard_normal((n, h)),
    }
    if cell == "lstm":
        point["c0"] = rng.standard_normal((n, h))
    return point


def _check_step(ours: Any, cell: Model) -> Check:
    point = _point(cell, 1)
    x_t, params = point["xs"][0], point["params"]
    states = [point[name] for name in ("h0", "c0") if name in point]
    names = ["h_prev", "c_prev"][: len(states)]
    here = {"x_t": x_t, **dict(zip(names, states, strict=True)), "params": params}
    step, backward = (getattr(ours, f"{cell}_step{end}") for end in ("", "_backward"))
    *outputs, cache = step(**here)
    up = np.random.default_rng(2).standard_normal((len(outputs), *outputs[0].shape))

    def loss(at: Any) -> Any:
        return sum(np.sum(u * out) for u, out in zip(up, step(**at)[:-1], strict=True))

    dx_t, *rest = backward(*up, cache)
    gradient = dict(zip(here, [dx_t, *rest], strict=True))
    return _judged("one step of cells.py, every array", loss, here, gradient)


def _check_sequence(
    name: str, ours: Any, cell: Model, *, steps: int = STEPS_CHECKED, narrow: bool = False
) -> Check:
    scale = 1.0 if narrow else LARGE
    loss, point, gradient = _sequence(ours, cell, _point(cell, steps), narrow=narrow, scale=scale)
    return _judged(name, loss, point, gradient)


def _check_tiny(ours: Any, cell: Model) -> Check:
    """What many do: tiny weights, central differences, and an absolute error that is allowed."""
    here = _point(cell, STEPS_CHECKED, TINY)
    loss, point, gradient = _sequence(ours, cell, here, narrow=True, scale=TINY)
    errors = gradient_errors(loss, point, gradient, method="central")
    error = max(abs(each.analytic - each.measured) for each in errors)
    name = (
        f"the weights alone again, with all weights about {TINY:g} and an absolute error of"
        f" {ABSOLUTE:g} allowed"
    )
    return Check(name, error > ABSOLUTE, f"error {number(error)}")


def _check_forward(ours: Any, cell: Model) -> Check:
    """The forward pass beside the fast loop, which is other code."""
    point = _point(cell, STEPS_CHECKED)
    fast: Any = rnn.rnn_forward if cell == "rnn" else lstm.lstm_forward
    difference = float(abs(getattr(ours, f"{cell}_forward")(**point).hs - fast(**point).hs).max())
    name = f"the forward pass, compared with that of {cell}.py"
    return Check(name, difference > 1e-12, f"difference {number(difference)}")


def _sequence(
    ours: Any, cell: Model, point: dict[str, Any], *, narrow: bool, scale: float = 1.0
) -> tuple[Any, ...]:
    """A loss, a point and its gradient by the plain loop.

    It is of everything; or, if `narrow`, in the weights alone, of a loss of the last h.
    """
    if narrow:  # as at the beginning of a sequence
        point |= {name: np.zeros_like(point[name]) for name in ("h0", "c0") if name in point}
    forward, backward = (getattr(ours, f"{cell}_{way}") for way in ("forward", "backward"))
    rng, out = np.random.default_rng(3), forward(**point)
    dhs = scale * rng.standard_normal(out.hs.shape) * (not narrow)
    ends = [
        scale * rng.standard_normal(point["h0"].shape) for name in ("h0", "c0") if name in point
    ]
    if narrow:
        ends[1:] = [np.zeros_like(end) for end in ends[1:]]

    def loss(at: Any) -> Any:
        out = forward(**{**point, **at})
        last = [out.h_T, out.c_T] if cell == "lstm" else [out.h_T]
        return np.sum(dhs * out.hs) + sum(np.sum(d * s) for d, s in zip(ends, last, strict=True))

    g = backward(out.cache, dhs, *ends)
    gradient = {"xs": g.dxs, "params": g.dparams, "h0": g.dh0}
    if cell == "lstm":
        gradient["c0"] = g.dc0
    if narrow:
        return loss, {"params": point["params"]}, {"params": g.dparams}
    return loss, point, gradient


def _judged(name: str, loss: Any, point: Any, gradient: Any) -> Check:
    errors = gradient_errors(loss, point, gradient)
    worst = max(errors, key=lambda each: each.error)
    notices = worst.error > TOLERANCE["complex step"]
    where = f" in {worst.path}" if notices else ""
    return Check(name, notices, f"relative error {number(worst.error)}{where}")


def _name(bug: Bug) -> str:
    return "RNN" if bug.cell == "rnn" else "LSTM"


def _still_learns() -> tuple[str, str]:
    right, wrong, _ = results(SLOPE)
    share = (wrong[0] - wrong[-1]) / (right[0] - right[-1])
    option = "as_far" if share > 0.8 else "less" if share > 0.1 else "not"
    return option, (
        f"the loss falls from {wrong[0]:.2f} to {wrong[-1]:.2f}, with the right gradient to"
        f" {right[-1]:.2f}."
        + (" A loss that falls says little about its gradient." if option != "not" else "")
    )


def _who_notices() -> tuple[str, str]:
    step, *_, everything, _, _ = results(CARRY)[2]
    option = {
        (True, True): "both",
        (True, False): "step",
        (False, True): "loop",
        (False, False): "none",
    }[step.notices, everything.notices]
    return option, (
        f"the check of one step finds: {step.found}; that of the loop: {everything.found}."
        + (
            " Each step is right; the mistake is in the loop that joins them."
            if option == "loop"
            else ""
        )
    )


def _tiny_weights() -> tuple[str, str]:
    tiny = results(SLOPE)[2][4]
    return "yes" if tiny.notices else "no", (
        f"it finds: {tiny.found}, and allows {ABSOLUTE:g}."
        + ("" if tiny.notices else " With tiny weights every gradient is tiny, a wrong one too.")
    )


QUESTIONS = (
    Question(
        "In the LSTM's backward pass σ(f) stands where the slope σ'(f) belongs. Does the loss of a"
        " small task still fall?",
        {
            "as_far": "Yes, about as far as with the right gradient.",
            "less": "Yes, but clearly less.",
            "not": "No, or hardly.",
        },
        {"bug": SLOPE},
        _still_learns,
    ),
    Question(
        "The loop forgets to carry dc from each step to the one before. Which gradient check"
        " notices: that of one step of cells.py, or that of the whole loop?",
        {
            "step": "That of one step.",
            "loop": "That of the whole loop.",
            "both": "Both.",
            "none": "Neither.",
        },
        {"bug": CARRY},
        _who_notices,
    ),
    Question(
        f"σ(f) for σ'(f) again. A common check starts from tiny weights, about {TINY:g}, and allows"
        f" an absolute error of {ABSOLUTE:g}. Does it notice?",
        {"yes": "Yes.", "no": "No."},
        {"bug": SLOPE},
        _tiny_weights,
    ),
)
VIEW = View(
    "break-it",
    "Break it",
    f"A bug that was found in public code is planted into the plain loop, bptt.py and its steps in"
    f" cells.py. The task: of {T} numbers, is the sum positive? It is learned in {STEPS} steps of"
    " Adam. Six checks look for the bug; some of them see little.",
    (
        Control(
            "bug",
            "bug",
            "choice",
            SLOPE,
            tuple(range(len(PLAIN))),
            tuple(f"{b.public}. {_name(b)}: {b.what} ({changed(b)[0]})" for b in PLAIN),
        ),
    ),
    QUESTIONS,
    answer,
)
