"""The examination: what does not run, forward, backward, and a name."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from typing import Any

import numpy as np

from numpy_lstm.clinic.case import Case
from numpy_lstm.clinic.diagnosis import Diagnosis, TheirLine, listed
from numpy_lstm.clinic.equations import LOOP, called, equation
from numpy_lstm.clinic.explain import close
from numpy_lstm.clinic.faults import find_faults, of_results, their_lines
from numpy_lstm.clinic.forward import other_layout, wrong_forward
from numpy_lstm.clinic.layouts import Layout, chosen
from numpy_lstm.clinic.learner import Functions, attempt
from numpy_lstm.clinic.lines import before, is_blank, statement_at
from numpy_lstm.clinic.naming import name_of, named
from numpy_lstm.types import MODEL_NAMES, Model


def examine(
    step: Callable[..., Any],
    step_backward: Callable[..., Any],
    *,
    cell: Model = "lstm",
    layout: str | Layout = "numpy_lstm",
    seed: int = 0,
) -> Diagnosis:
    """Say whether a step of a cell, forward and backward, is right; if not, which line is wrong.

    Each of several steps starts from states and gradients that are right.

    Parameters
    ----------
    step : callable
        ``step(x, h, c, params) -> h, c, cache``; without ``c`` for the RNN. Another layout takes
        and returns something else (:mod:`numpy_lstm.clinic.layouts`).
    step_backward : callable
        ``step_backward(dh, dc, cache) -> dx, dh_prev, dc_prev, dparams``.
    cell : {"lstm", "rnn"}
    layout : str or Layout
        How the arrays lie and what the functions take: the name of a preset, or one of your own. An
        adapter is as good: two functions in the form above that call yours.
    seed : int
        Of the random batch.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If the layout is not one. What goes wrong in the functions themselves is in the diagnosis.
    """
    return _examine(Functions(step, step_backward, chosen(layout, cell), False), cell, seed)


def examine_sequence(
    forward: Callable[..., Any],
    backward: Callable[..., Any],
    *,
    cell: Model = "lstm",
    layout: str | Layout = "numpy_lstm",
    padded: bool = False,
    seed: int = 0,
) -> Diagnosis:
    """Say whether a whole backpropagation through time is right, and if not, which line is wrong.

    Parameters
    ----------
    forward : callable
        ``forward(xs, params, h0, c0) -> hs, h_T, c_T, cache``; without ``c0`` and ``c_T`` for the
        RNN.
    backward : callable
        ``backward(cache, dhs, dh_T, dc_T) -> dxs, dparams, dh0, dc0``.
    cell : {"lstm", "rnn"}
    layout : str or Layout
        As in :func:`examine`.
    padded : bool
        Whether `forward` takes the examples' lengths too, after its other arguments. Past its
        length an example's state must stand still, and its inputs have no gradient.
    seed : int
        Of the random batch.

    Returns
    -------
    Diagnosis

    Raises
    ------
    ValueError
        If the layout is not one.
    """
    functions = Functions(forward, backward, chosen(layout, cell), True, padded)
    return _examine(functions, cell, seed)


def _examine(functions: Functions, cell: Model, seed: int) -> Diagnosis:
    case = Case(functions, cell, seed)
    if case.a.trouble and not case.a.in_backward:
        return _stopped(case, forward=True)
    if wrong := case.wrong(forward=True):
        return wrong_forward(case, wrong)
    if case.a.trouble:
        return _stopped(case, forward=False)
    again = attempt(functions, case.problem, case.right, watch=False)
    if again.trouble:
        text = (
            f"A second run on the same batch goes wrong, where the first did not: {again.trouble}"
        )
        return case.diagnosis("wrong", text)
    changed = [
        name
        for name, array in case.a.results.items()
        if not np.array_equal(array, again.results[name], equal_nan=True)
    ]
    if changed:
        text = f"A second run on the same batch gives another {changed[0]}."
        text += " Something is random, or is kept from call to call."
        return case.diagnosis("wrong", text)
    if wrong := case.wrong(forward=False):
        return _wrong_backward(case, wrong)
    changed = [n for n in again.again if not close(again.again[n], again.results[n])]
    if changed:
        return _changes_cache(case, changed)
    text = (
        f"All {len(case.errors)} results agree with the equations of the {MODEL_NAMES[cell]}: the "
        f"largest relative error is {max(case.errors.values()):.0e}."
    )
    nodes = [*case.nodes(forward=True), *case.nodes(forward=False)]
    return case.diagnosis("right", text, right=tuple(dict.fromkeys(n.equation for n in nodes)))


def _wrong_backward(case: Case, wrong: dict[str, float]) -> Diagnosis:
    faults, right = find_faults(case, forward=False)
    if faults:
        some = " or ".join(str(each) for each in faults[0].equations)
        text = f"The forward pass is right. In the backward pass the first that is wrong is {some}."
    else:
        text = "The forward pass is right, and every equation of the backward pass is computed."
        text += f" But what is returned as {listed(wrong)} is not right."
        faults = of_results(case, wrong, forward=False)
    return case.diagnosis(
        "wrong",
        text,
        part="backward",
        faults=tuple(faults),
        names=named(case, faults),
        right=right,
        errors=wrong,
    )


def _changes_cache(case: Case, changed: list[str]) -> Diagnosis:
    text = (
        f"The first call is right. But a second call of {case.names[1]} with the same cache gives "
        f"another {changed[0]}: it writes into its cache, or adds to what it has kept."
    )
    name = name_of("the backward pass changes its cache", LOOP, 12)
    return case.diagnosis("wrong", text, part="backward", names=((name,),))


def _stopped(case: Case, *, forward: bool) -> Diagnosis:
    """A function raised, did not end, or returned what cannot be used: what is right so far."""
    trouble = case.a.trouble
    assert trouble is not None
    part: Any = "forward" if forward else "backward"
    faults, right = find_faults(case, forward=forward)
    text = "" if forward else "The forward pass is right. "
    stopped = statement_at(trouble.file, trouble.line) if trouble.line else None
    at = their_lines(stopped) if stopped else None
    if trouble.line and not stopped:  # of a for, an if, an assert
        line = linecache.getline(trouble.file, trouble.line).rstrip()
        at = TheirLine(trouble.file, trouble.line, trouble.line, line)
    blanks = [statement_at(blank.file, blank.line) for blank in case.a.blanks]
    blanks += [stopped] if stopped and is_blank(stopped) else []
    blank = min((their_lines(b) for b in blanks if b), key=lambda b: b.first, default=None)
    fault = faults[0] if faults else None
    there = fault.line if fault and LOOP not in fault.numbers else None
    if fault and blank and there and before((there.file, there.last), (blank.file, blank.first)):
        some = " or ".join(str(each) for each in fault.equations)
        text += f"In the {part} pass the first that is wrong is {some}. What comes later is open."
        return case.diagnosis("wrong", text, part=part, faults=(fault,), right=right)
    if trouble.unwritten or blank:
        todo = [n for n in case.nodes(forward=forward) if n.equation not in right]
        handed = "states" if forward else "dh"
        if not blank:
            text += f"{trouble} "
        if not (blank or todo):
            return case.diagnosis("unfinished", text.rstrip(), part=part, right=right)
        number = LOOP if (blank and blank == at) or not todo else todo[0].equation
        text += f"Next to write: {called(number)}."
        return case.diagnosis(
            "unfinished",
            text,
            part=part,
            todo=equation(number, case.cell, handed),
            right=right,
            blank=blank,
        )
    if forward and not trouble.endless and (hint := other_layout(case)):
        case.notes.append(hint)
    return case.diagnosis("wrong", text + str(trouble), part=part, right=right, line=at)
