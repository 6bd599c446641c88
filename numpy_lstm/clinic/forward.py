"""A forward pass that is not the report's: wrong, of another layout, or of other equations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from itertools import permutations

import numpy as np

from numpy_lstm import gradcheck
from numpy_lstm.clinic.case import ANY_FLOAT, Case
from numpy_lstm.clinic.diagnosis import Diagnosis, Name, listed
from numpy_lstm.clinic.equations import LOOP
from numpy_lstm.clinic.explain import close, worst
from numpy_lstm.clinic.faults import find_faults, of_results
from numpy_lstm.clinic.layouts import PRESETS, Layout, absent, chosen
from numpy_lstm.clinic.learner import attempt
from numpy_lstm.clinic.naming import NAMED, name_of, with_edits
from numpy_lstm.clinic.problem import draw
from numpy_lstm.clinic.reference import run, step_results
from numpy_lstm.clinic.variants import VARIANTS, gru, mistakes, peepholes
from numpy_lstm.types import Array


def wrong_forward(case: Case, wrong: dict[str, float]) -> Diagnosis:
    """The diagnosis of a forward pass whose results are not right.

    Parameters
    ----------
    case : Case
    wrong : dict of str to float
        Errors of the wrong results.

    Returns
    -------
    Diagnosis
    """
    hint = other_layout(case)
    if hint:
        case.notes.append(hint)
    own = _own_gradient(case)
    names: tuple[tuple[Name, ...], ...] = tuple(
        (name_of(what, equation, public),)
        for what, equation, public, edit in mistakes(case.cell)
        if _states_agree(case, with_edits(case, [edit]))
    )
    what = "" if hint or names else _other_equations(case)
    if what:
        return _others(case, what, own)
    if _padding_goes_on(case, wrong):
        name = name_of("padding goes on changing the state", LOOP, 15)
        text = "The states are right up to each example's length, but the last states are not."
        faults = of_results(case, wrong, forward=True)
        return case.diagnosis(
            "wrong", text, part="forward", faults=tuple(faults), names=((name,),), errors=wrong
        )
    faults, right = find_faults(case, forward=True)
    if faults:
        some = " or ".join(str(each) for each in faults[0].equations)
        text = f"In the forward pass the first that is wrong is {some}."
    else:
        are = "is" if len(wrong) == 1 else "are"
        text = (
            f"Every equation of the forward pass is computed, but {listed(wrong)} {are} not right."
        )
        faults = of_results(case, wrong, forward=True)
    if own is True:
        text += " The backward pass is right for it: it is the forward pass that must be mended."
    return case.diagnosis(
        "wrong",
        text,
        part="forward",
        faults=tuple(faults),
        names=names,
        right=right,
        errors=wrong,
    )


def _states_agree(case: Case, other: Mapping[str, Array]) -> bool:
    errors = worst(case.a.results, other)
    states = [error for name, error in errors.items() if name[0] != "d"]
    return bool(states) and all(error <= case.tolerance for error in states)


def _padding_goes_on(case: Case, wrong: Mapping[str, float]) -> bool:
    """Whether only what comes after the examples' ends is wrong."""
    if case.problem.lengths is None:
        return False
    hs = case.a.results.get("hs")
    if hs is None:
        return set(wrong) <= {"h_T", "c_T"}
    running = np.arange(len(hs))[:, np.newaxis] < case.problem.lengths
    return close(hs * running[..., np.newaxis], case.wanted["hs"], case.tolerance)


# --- other equations ------------------------------------------------------------------------------


def _other_equations(case: Case) -> str:
    """What the forward pass computes, if that is known and not the report's."""
    for what, edit in VARIANTS[case.cell]:
        if _states_agree(case, with_edits(case, [edit])):
            return what
    if not case.a.watched:
        return ""
    index = case.index_of(case.nodes(forward=True)[0])
    first = case.a.results.get("hs", case.a.results.get("h"))
    if index is None or first is None:
        return ""
    h = np.asarray(first[0])
    gates = peepholes(case.right, index, h) if case.cell == "lstm" else ""
    if gates:
        return f"peepholes, from the cell to gate{'s' * (len(gates) > 1)} {listed(gates)}"
    return "a GRU" if gru(case.right, index, h) else ""


def _others(case: Case, what: str, own: bool | None) -> Diagnosis:
    text = f"Your forward pass computes other equations than the report's: {what}."
    text += {
        True: " For these the backward pass is right, as far as one direction can tell.",
        False: " For these the backward pass is wrong.",
        None: "",
    }[own]
    case.notes.append(
        "The clinic knows the report's equations alone. For any others there is "
        "numpy_lstm.gradcheck.check_gradient(f, point, gradient)."
    )
    return case.diagnosis("other equations", text, part="forward")


def _own_gradient(case: Case) -> bool | None:
    """Whether the backward pass is right for the learner's own forward pass; None if unknown."""
    p, f, a = case.problem, case.f, case.a
    weights = [f"d{name}" for name in p.params._fields]
    if a.trouble or case.tolerance > NAMED or p.lengths is not None:
        return None
    weights = [name for name in weights if name in a.results]
    if len(weights) < 2:
        return None
    first = case.right._replace(forward=case.right.forward[:1], backward=case.right.backward[:1])
    upstream = {"hs": p.dhs, "h_T": p.dh_T, "c_T": p.dc_T}
    if not f.sequence:
        back = first.backward[0]
        upstream = {"h": back["dh_t"], "c": back.get("dc_next", np.zeros(1))}

    def loss(at: dict[str, Array]) -> float:
        moved = p._replace(params=p.params._replace(**at))
        found = attempt(f, moved, case.right if f.sequence else first, watch=False).results
        return float(
            sum(np.sum(up * found[name]) for name, up in upstream.items() if name in found)
        )

    point = {name[1:]: getattr(p.params, name[1:]) for name in weights}
    gradient = {
        name[1:]: np.asarray(a.results[name] if f.sequence else a.results[name][0])
        for name in weights
    }
    try:
        errors = gradcheck.gradient_errors(
            loss, point, gradient, method="direction", rng=np.random.default_rng(0)
        )
    except ValueError:
        return None
    return all(each.error <= 1e-5 for each in errors)


# --- another layout -------------------------------------------------------------------------------


def other_layout(case: Case) -> str:
    """A hint if the forward pass is right in another layout, or with the gates in another order.

    Parameters
    ----------
    case : Case

    Returns
    -------
    str
    """
    layout = case.f.layout
    if case.a.results and max(case.wrong(forward=True).values(), default=0.0) <= ANY_FLOAT:
        return ""
    if case.cell == "lstm" and not any("{}" in name for name in layout.weights):
        for order in permutations("ifgo"):
            if _right_in(case, replace(layout, gates="".join(order))):
                names = ", ".join(order)
                text = f"With the gates in the order {names} your forward pass is right"
                return f"{text}: that is gates={''.join(order)!r} of a Layout."
    for name in PRESETS:
        if _right_in(case, chosen(name, case.cell)):
            return f"With layout={name!r} your forward pass is right."
    return ""


def _right_in(case: Case, layout: Layout) -> bool:
    if layout == case.f.layout:
        return False
    f = case.f._replace(layout=layout)
    zero = absent(layout, case.cell, sequence=f.sequence)
    problem = draw(case.cell, 1, examples=layout.examples, zero=zero, padded=f.padded)
    right = run(problem)
    wanted = right.results if f.sequence else step_results(right.forward, right.backward)
    errors = worst(attempt(f, problem, right, watch=False).results, wanted)
    states = [error for name, error in errors.items() if name[0] != "d"]
    return bool(states) and all(error <= ANY_FLOAT for error in states)
