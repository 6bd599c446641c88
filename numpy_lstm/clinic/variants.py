"""Other equations than the report's: a forward pass that is meant to be different.

Each is an edit of our forward step, whose states are compared with the learner's; peepholes and the
GRU, which have weights or a form of their own, are found by a relation that their values satisfy.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.reference import Edit, Run
from numpy_lstm.types import Array, Model


def _lstm(what: str, old: str, new: str) -> tuple[str, Edit]:
    return what, Edit("lstm_step", old, new)


def _rnn(what: str, new: str) -> tuple[str, Edit]:
    return what, Edit("rnn_step", "np.tanh(a_t)", new)


_SIGMOID = "0.5 + 0.5 * np.tanh(0.5 * a)"
VARIANTS: dict[str, list[tuple[str, Edit]]] = {
    "lstm": [
        _lstm("no tanh on the cell, h_t = o_t ⊙ c_t", "np.tanh(c_t)", "1 * c_t"),
        _lstm("a sigmoid on the cell, h_t = o_t ⊙ σ(c_t)", "np.tanh(c_t)", "sigmoid(c_t)"),
        _lstm("ReLU on the cell", "np.tanh(c_t)", "np.maximum(c_t, 0)"),
        _lstm("coupled gates, i_t = 1 − f_t", "sigmoid(a_i)", "1 - sigmoid(a_f)"),
        _lstm("coupled gates, f_t = 1 − i_t", "sigmoid(a_f)", "1 - i_t"),
        _lstm("no forget gate, the LSTM of 1997", "sigmoid(a_f)", "np.ones_like(a_f)"),
        _lstm("no input gate", "sigmoid(a_i)", "np.ones_like(a_i)"),
        _lstm("no output gate", "sigmoid(a_o)", "np.ones_like(a_o)"),
        _lstm("a forget bias of 1 inside the step, f_t = σ(a_f + 1)", "(a_f)", "(a_f + 1)"),
        _lstm("a sigmoid for the candidate, g_t = σ(a_g)", "np.tanh(a_g)", "sigmoid(a_g)"),
        _lstm("a linear candidate, g_t = a_g", "np.tanh(a_g)", "1 * a_g"),
        _lstm("ReLU for the candidate", "np.tanh(a_g)", "np.maximum(a_g, 0)"),
        ("a hard sigmoid, 0.2 a + 0.5", Edit("sigmoid", _SIGMOID, "np.clip(0.2 * a + 0.5, 0, 1)")),
        ("a hard sigmoid, a/6 + 1/2", Edit("sigmoid", _SIGMOID, "np.clip(a / 6 + 0.5, 0, 1)")),
    ],
    "rnn": [
        _rnn("ReLU for tanh", "np.maximum(a_t, 0)"),
        _rnn("a sigmoid for tanh, as in Elman's network", "sigmoid(a_t)"),
        _rnn("no tanh: a linear network", "1 * a_t"),
    ],
}
# A mistake, not another equation; in public code.
DOUBLED = Edit("sigmoid", _SIGMOID, "0.5 + 0.5 * np.tanh(a)")


def mistakes(cell: Model) -> list[tuple[str, int, int | None, Edit]]:
    """Forward passes that are wrong, and not meant.

    Parameters
    ----------
    cell : {"rnn", "lstm"}

    Returns
    -------
    list of (what, equation, which of the public bugs, edit)
    """
    first, step = (9, "lstm_step") if cell == "lstm" else (1, "rnn_step")
    found: list[tuple[str, int, int | None, Edit]] = [
        ("the bias is not added", first, None, Edit(step, "h_prev @ W_h.T + b", "h_prev @ W_h.T")),
        (
            "W_h stands where its transpose belongs",
            first,
            4,
            Edit(step, "h_prev @ W_h.T", _turned(cell)),
        ),
    ]
    if cell == "lstm":
        found.append(("σ(2x) for σ(x)", 10, 13, DOUBLED))
        for number, gate in ((10, "i"), (11, "f"), (13, "o")):
            tanh = Edit(step, f"sigmoid(a_{gate})", f"np.tanh(a_{gate})")
            found.append((f"tanh for σ at gate {gate}", number, None, tanh))
        swap = Edit(step, "f_t * c_prev + i_t * g_t", "i_t * c_prev + f_t * g_t")
        found.append(("i and f have changed places", 14, None, swap))
    return found


def _turned(cell: Model) -> str:
    if cell == "rnn":
        return "h_prev @ W_h"
    return "h_prev @ np.concatenate([W.T for W in np.split(W_h, 4)]).T"


def peepholes(right: Run, index: Index, h: Array) -> str:
    """The gates that also see the cell, if the learner holds gates that do.

    A gate with a peephole differs from ours before the squashing by p ⊙ c_{t−1} (the output gate's,
    by p ⊙ c_t), with the same p for every example.

    Parameters
    ----------
    right : Run
    index : Index
        Of the first step.
    h : ndarray, shape (N, H)
        The learner's state after the first step.

    Returns
    -------
    str
        Letters of gates.
    """
    first = right.forward[0]
    n, H = first["h_prev"].shape
    found = ""
    for gate in "ifo":
        for block in _blocks(index.seen, n, H):
            with np.errstate(all="ignore"):
                squashed = np.log(block / (1 - block))
                tries = [(block, first["c_prev"]), (squashed, first["c_prev"])]
                if gate == "o":  # it sees c_t, with which it makes h_t
                    tries = [(squashed, np.arctanh(h / block))]
            if any(_same_p(a - first[f"a_{gate}"], cell) for a, cell in tries):
                found += gate
                break
    return found


def gru(right: Run, index: Index, h: Array) -> bool:
    """Whether the learner holds a z with h_t = z ⊙ h_{t−1} + (1 − z) ⊙ n, and that n too.

    Parameters
    ----------
    right : Run
    index : Index
        Of the first step.
    h : ndarray, shape (N, H)
        The learner's state after the first step.

    Returns
    -------
    bool
    """
    h_prev = right.forward[0]["h_prev"]
    n, H = h_prev.shape
    for z in _blocks(index.seen, n, H):
        if not ((z > 0) & (z < 1)).all():
            continue
        for kept in (z, 1 - z):
            made = (h - kept * h_prev) / (1 - kept)
            if (np.abs(made) < 1).all() and index.find_all(made) is not None:
                return True
    return False


def _blocks(seen: Sequence[Any], n: int, H: int) -> list[Array]:
    """Every (N, H) block of the values, upright or transposed."""
    found = []
    for each in seen:
        value = each.value
        if value.ndim != 2 or value.size > 40 * n * H:
            continue
        for array in (value, value.T):
            if array.shape[0] == n:
                found += [array[:, k : k + H] for k in range(array.shape[1] - H + 1)]
    return found


def _same_p(difference: Array, cell: Array) -> bool:
    with np.errstate(all="ignore"):
        p = difference / cell
        if not np.isfinite(p).all() or np.abs(p).max() < 1e-6 or len(p) < 2:
            return False
        return bool(np.abs(p - p[0]).max() < 1e-7 * np.abs(p).max())
