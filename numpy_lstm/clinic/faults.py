"""From quantities that are wrong first to faults: which equation, which line, and why."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations

import numpy as np

from numpy_lstm.clinic.case import Case
from numpy_lstm.clinic.diagnosis import Fault, TheirLine
from numpy_lstm.clinic.equations import LOOP, Number, code_of, equation
from numpy_lstm.clinic.explain import Guess, wrong_arguments, wrong_result, wrong_stack, wrong_sum
from numpy_lstm.clinic.lines import Statement, belongs, history, plain, reading, statement_at
from numpy_lstm.clinic.localize import Finding, Suspect, localize, made_of
from numpy_lstm.clinic.localize import names_in as read_by
from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.nodes import Node
from numpy_lstm.clinic.problem import H
from numpy_lstm.clinic.watching import Place, Seen
from numpy_lstm.types import Array

WEIGHTS = (4, 26)


def find_faults(case: Case, *, forward: bool) -> tuple[list[Fault], tuple[Number, ...]]:
    """What is wrong first in a pass, and the numbers of the equations that are right.

    Parameters
    ----------
    case : Case
    forward : bool

    Returns
    -------
    faults : list of Fault
    right : tuple of int or str
    """
    nodes = case.nodes(forward=forward)
    finding = localize(case.cell, nodes, case.right, case.index_of, case.until, case.known)
    suspects = _first(finding, forward=forward)
    start = 0 if forward else len(case.problem.xs) - 1
    missing = {n.equation for n in finding.missing if n.step == start}
    right = tuple(
        dict.fromkeys(
            n.equation for n in finding.done if n.step == start and n.equation not in missing
        )
    )
    done = {(n.name, n.gate, n.step) for n in finding.done}
    guess = _guess(case, suspects, done, forward=forward)
    faults = []
    for suspect in suspects:
        node, candidates, why = suspect.node, suspect.candidates, suspect.why
        of_sum = node.equation in WEIGHTS or node.name.startswith("sum")
        if guess:
            candidates = (LOOP,)
            if (
                forward or guess.either
            ):  # the equation reads what it should not, or the loop gives it
                candidates = tuple(dict.fromkeys((node.equation, LOOP)))
            why = guess.sentence
        elif node.step != start and (node.name, node.gate, start) in done and not of_sum:
            handed = 28 if case.cell == "lstm" else 6
            candidates = (LOOP, handed if node.equation == LOOP else node.equation)
            why = (
                f"It is right at step {start + 1} and wrong at step {node.step + 1}: look at what "
                "is handed from step to step."
            )
        elif not forward and case.f.sequence and _all_zero(case):
            candidates = (node.equation, LOOP)
            why = "Every gradient is zero: the loss's own never comes in."
        elif not forward and (text := _crossed(case, node)):
            why = text
        elif of_sum and case.f.sequence and (text := _sum(case, node)):
            candidates, why = (LOOP,), text
        elif node.name.startswith("sum"):
            candidates = (26 if case.cell == "lstm" else 4, LOOP)
        elif node.name in ("dx_t", "dh_prev") and case.cell == "lstm":
            index = case.index_of(node)
            if index is not None and case.problem.lengths is None:
                gates = "".join(map(case.f.layout.gate, case.f.layout.gates))
                stack = wrong_stack(case.right, node.step, index, gates)
                why = stack.sentence
                if stack.gate:
                    candidates = (node.equation, 22 + "ifgo".index(stack.gate))
                place = None if stack.value is None else index.find_all(stack.value)
                if place is not None and index.seen[place].names:
                    suspect = suspect._replace(version=index.seen[place], end=None)
        fault = _fault(case, finding, suspect, candidates, why, forward)
        faults.append(replace(fault, variable="") if " is stacked " in why else fault)
    return _merged(faults), right


# The equation of each result: of the RNN and of the LSTM.
RESULTS: dict[str, tuple[int, int]] = {
    **dict.fromkeys(("h", "hs", "h_T"), (2, 15)),
    **dict.fromkeys(("c", "c_T"), (0, 14)),
    **dict.fromkeys(("dx", "dxs"), (5, 27)),
    **dict.fromkeys(("dh_prev", "dh0"), (6, 28)),
    **dict.fromkeys(("dc_prev", "dc0"), (0, 21)),
    **dict.fromkeys(("dW_x", "dW_h", "db"), (4, 26)),
}


def of_results(case: Case, wrong: Mapping[str, float], *, forward: bool) -> list[Fault]:
    """Faults of results that are wrong, although each equation has been computed right.

    Parameters
    ----------
    case : Case
    wrong : dict of str to float
        Errors of the wrong results.
    forward : bool

    Returns
    -------
    list of Fault
    """
    faults = []
    for name in wrong:
        mine, right = np.asarray(case.a.results[name]), case.wanted[name]
        handed = "states" if forward else "sum" if name[1:] in case.problem.params._fields else "dh"
        numbers: tuple[Number, ...] = (RESULTS[name][case.cell == "lstm"],)
        if case.f.sequence:
            numbers = (*numbers, LOOP)
        index = case.last_index(forward=forward)
        line, variable = None, ""
        whole = mine if case.f.sequence else mine[0 if not forward else -1]
        place = index.holder(whole)
        if place is not None:
            line = _line_of(index.seen[place], case.known, name)
            variable = _variable(index.seen[place], line)
        why = wrong_result(name, mine, right, case.wanted)
        if "holds what should be" in why:  # right where it is computed
            line, variable = None, ""
        faults.append(
            Fault(
                tuple(equation(number, case.cell, handed) for number in numbers),
                name,
                "",
                1,
                their_lines(line) if line else None,
                variable,
                (),
                why,
            )
        )
    return _merged(faults)


def _first(finding: Finding, *, forward: bool) -> list[Suspect]:
    """The suspects of the step that goes wrong first, in the order of the pass."""
    others = [s for s in finding.suspects if s.node.equation not in WEIGHTS or s.version]
    # Sums of wrong numbers are wrong: no fault of theirs.
    suspects = others or finding.suspects
    of_steps = [s for s in suspects if not s.node.name.startswith("sum")]
    if not of_steps:
        return suspects
    at = (min if forward else max)(s.node.step for s in of_steps)
    return [s for s in of_steps if s.node.step == at]


def _guess(
    case: Case, suspects: Sequence[Suspect], done: set[tuple[str, str, int]], *, forward: bool
) -> Guess | None:
    if not case.f.sequence or not suspects or suspects[0].node.equation in WEIGHTS:
        return None
    node = suspects[0].node
    index = case.index_of(node)
    if index is None or node.name.startswith("sum"):
        return None
    names = {name for name, _, t in done if t == node.step}
    return wrong_arguments(
        case.problem, case.right, node.step, index, case.known, names, backward=not forward
    )


def _all_zero(case: Case) -> bool:
    return not any(np.any(array) for name, array in case.a.results.items() if name[0] == "d")


# What a forward pass may keep.
KEPT = ("i_t", "f_t", "g_t", "o_t", "c_t", "tanh_c", "h_t", "c_prev", "h_prev")


def _crossed(case: Case, node: Node) -> str:
    """Whether two variables of the forward pass have changed places in the backward pass."""
    before = next(n for n in case.nodes(forward=True) if n.step == node.step)
    indices = case.index_of(before), case.index_of(node)
    if indices[0] is None or indices[1] is None or not isinstance(node.equation, int):
        return ""
    values = {k: v for k, v in case.right.forward[node.step].items() if k in KEPT}
    called = [
        {k: set(filter(str.isidentifier, i.names(v))) for k, v in values.items()}
        for i in indices
        if i
    ]
    then, now = called
    for one, other in combinations(values, 2):
        mine = (then[one] & now[other]) - then[other] - now[one]
        theirs = (then[other] & now[one]) - then[one] - now[other]
        if mine and theirs and {one, other} & set(read_by(node.equation)):
            name = min(mine)
            return (
                f"Your `{name}` is {one} in the forward pass and {other} here: what you keep is "
                "taken out in another order."
            )
    return ""


def _sum(case: Case, node: Node) -> str:
    name = node.name.removeprefix("sum of ")
    total = case.a.results.get(name)
    if total is None:
        return ""
    k = "ifgo".index(node.gate) if node.gate else 0
    own = slice(k * H, (k + 1) * H)
    shares = [getattr(s["dparams"], name[1:])[own] for s in case.right.backward]
    return wrong_sum(np.asarray(total)[own], shares)


def _merged(faults: list[Fault]) -> list[Fault]:
    """One for all gates, if they are wrong for the same reason or on the same line."""
    found: list[Fault] = []
    for fault in faults:
        for k, other in enumerate(found):
            same_line = fault.line == other.line and fault.line is not None
            if fault.why == other.why != "" or (fault.numbers == other.numbers and same_line):
                gates = other.gate if fault.gate in other.gate else other.gate + fault.gate
                found[k] = replace(other, gate="" if len(gates) == 4 else gates)
                break
        else:
            found.append(fault)
    return found


def _fault(
    case: Case,
    finding: Finding,
    suspect: Suspect,
    candidates: Sequence[Number],
    why: str,
    forward: bool,
) -> Fault:
    node, version = suspect.node, suspect.version
    index = case.index_of(node)
    wanted = _inputs(case, node, candidates, index, forward)
    if version is None and index is not None:
        version = _returned(case, suspect.end or node, index)
    line = _line_of(version, case.known, node.name) if version else None
    if node.name.startswith("sum") and why and index is not None:  # not where the share was made
        share = next(parent for parent in node.parents if parent.step == 0)
        names = [index.names(share.values[0])]
        functions = {each.function for each in index.seen}
        line = reading(case.a.ran, names, set(), set(), share.name, functions) or line
    if line is None and index is not None:
        start = 0 if forward else len(case.problem.xs) - 1
        right, wrong = _lines(index, case.known, once=node.step == start)
        for other in finding.done:
            place = finding.places[id(other)]
            if place is not None and case.index_of(other) is index:
                right.add((index.seen[place].file, index.seen[place].line))
        functions = {each.function for each in index.seen}
        names = [names for _, names in wanted]
        for parent in node.parents:  # in one line with it
            if finding.places.get(id(parent)) is None and isinstance(parent.equation, int):
                more = _inputs(case, parent, (parent.equation,), index, forward)
                names += [each for _, each in more if each]
        line = reading(case.a.ran, names, right, wrong, node.name, functions)
    handed = "states" if forward else "dc" if node.name.startswith("dc") else "dh"
    handed = "sum" if node.equation in WEIGHTS or node.name.startswith("sum") else handed
    shown = suspect.end if suspect.end is not None and version is not None else node
    return Fault(
        tuple(equation(number, case.cell, handed) for number in candidates),
        shown.name,
        node.gate,
        node.step + 1,
        their_lines(line) if line else None,
        _variable(version, line),
        tuple((ours, _read(names, line)) for ours, names in wanted if names),
        why,
    )


def their_lines(statement: Statement) -> TheirLine:
    """A statement, with those before it that begin what it goes on with.

    Parameters
    ----------
    statement : Statement

    Returns
    -------
    TheirLine
    """
    whole = history(statement)
    text = "\n".join(each.text for each in whole)
    return TheirLine(statement.file, whole[0].first, whole[-1].last, text)


def _returned(case: Case, node: Node, index: Index) -> Seen | None:
    """The wrong value of a node that a function returns: where the code has it."""
    t, a = node.step, case.a.results
    if case.f.sequence:
        total = node.name.removeprefix("sum of ")
        last = {"dx_t": "dxs", "h_t": "hs"}.get(node.name)
        if last in a:
            mine = a[last][t]
        elif t == 0 and f"{node.name[:2]}0" in a and node.name in ("dh_prev", "dc_prev"):
            mine = a[f"{node.name[:2]}0"]
        elif total in a:
            mine = a[total]
        else:
            return None
    else:
        name = {"h_t": "h", "c_t": "c", "dx_t": "dx"}.get(node.name, node.name)
        if name not in a or len(a[name]) <= t:
            return None
        mine = a[name][t]
    if node.name.endswith(("dW_x", "dW_h", "db")):
        k = "ifgo".index(node.gate) if node.gate else 0
        block = mine[k * H : (k + 1) * H]
        mine = block.T if block.ndim == 2 else block[np.newaxis]
    place = index.find_all(np.asarray(mine, np.float64))
    return index.seen[place] if place is not None and index.seen[place].names else None


def _line_of(version: Seen, known: Index, called: str) -> Statement | None:
    """Where a wrong value got its name.

    If it is right for something else, it has other names too: then where it got one that is like
    ours, or its last.
    """
    named = []
    for name, (file, line) in version.names.items():
        statement = statement_at(file, line, name)
        written = statement.writes if statement else ()
        if statement and any(belongs(name, w) or belongs(w, name) for w in written):
            named.append((name, statement))
    alike = [statement for name, statement in named if plain(name) == plain(called)]
    if made_of(version, known):
        return alike[0] if alike else named[-1][1] if named else None
    return named[0][1] if named else statement_at(version.file, version.line)


def _variable(version: Seen | None, line: Statement | None) -> str:
    """The learner's name of the wrong value, as the line writes it if it does."""
    if version is None:
        return ""
    written = [name for name in version.names if line and name in line.writes]
    return written[0] if written else _shortest(version.names)


def _read(names: set[str], line: Statement | None) -> str:
    """Of several names the one that the line reads."""
    there = {n for n in names for r in (line.reads if line else ()) if re.fullmatch(r, n)}
    return _shortest(there or names)


def _shortest(names: Iterable[str]) -> str:
    return min(filter(None, names), key=lambda name: (len(name), name), default="")


def _lines(index: Index, known: Index, *, once: bool) -> tuple[set[Place], set[Place]]:
    """Lines that gave what is right, and lines that gave something else.

    With `once`, the first value of a line counts: later steps go on with what is wrong.
    """
    right: set[Place] = set()
    wrong: set[Place] = set()
    for each in index.seen:
        place = each.file, each.line
        if not each.helper and not (once and place in right | wrong):
            (right if made_of(each, known) else wrong).add(place)
    return right, wrong


def _inputs(
    case: Case, node: Node, candidates: Sequence[Number], index: Index | None, forward: bool
) -> list[tuple[str, set[str]]]:
    """What goes into an equation, and what the learner calls it."""
    if index is None:
        return []
    step = (case.right.forward if forward else case.right.backward)[node.step]
    if node.name == "dh_t":
        own = case.problem.dhs[node.step]
        if case.problem.lengths is not None:
            own = own[case.problem.lengths > node.step]
        return [("e_t", index.names(own)), ("dh_t^next", index.names(step["dh_t"] - own))]
    numbers = [n for n in candidates if isinstance(n, int)]
    if not numbers and isinstance(node.equation, int):
        numbers = [node.equation]
    found: dict[str, set[str]] = {}
    made = {node.name}
    for number in numbers:
        for each in ast.walk(ast.parse(code_of(number))):
            if not isinstance(each, ast.Name):
                continue
            if isinstance(each.ctx, ast.Store):
                made.add(each.id)
            elif isinstance(step.get(each.id), np.ndarray):
                weight = node.name.removeprefix("sum of ")
                if weight in TIMES and each.id not in TIMES[weight]:
                    continue
                found[each.id] = index.names(_rows(step[each.id], node))
    return [(name, names) for name, names in found.items() if name not in made]


TIMES = {"dW_x": ("da_t", "x_t"), "dW_h": ("da_t", "h_prev"), "db": ("da_t",)}


def _rows(value: Array, node: Node) -> Array:
    """Rows of a local variable by which to look for it: of all gates, the node's own."""
    k = "ifgo".index(node.gate) if node.gate else 0
    part = slice(k * H, (k + 1) * H)
    if value.ndim == 1:
        return value[part][np.newaxis]
    if len(value) % H == 0 and len(value) > 3:  # weights
        return value[part].T[:1]
    return value[:, part] if value.shape[1] > H else value
