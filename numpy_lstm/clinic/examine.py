"""The examination: forward first, then backward, then a name."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from itertools import combinations, permutations
from typing import Any

import numpy as np

from numpy_lstm import gradcheck
from numpy_lstm.clinic import catalogue, variants
from numpy_lstm.clinic.diagnosis import Diagnosis, Fault, Name, TheirLine
from numpy_lstm.clinic.equations import LOOP, Number, code_of, equation
from numpy_lstm.clinic.explain import close, worst, wrong_arguments, wrong_result, wrong_sum
from numpy_lstm.clinic.layouts import PRESETS, Layout, absent, chosen
from numpy_lstm.clinic.learner import Attempt, Functions, attempt
from numpy_lstm.clinic.lines import Statement, reading, statement_at
from numpy_lstm.clinic.localize import Finding, Suspect, localize
from numpy_lstm.clinic.matching import TOLERANCE, Index
from numpy_lstm.clinic.nodes import Node, backward_nodes, forward_nodes
from numpy_lstm.clinic.problem import Problem, draw
from numpy_lstm.clinic.reference import Results, Run, run, run_steps, step_results
from numpy_lstm.clinic.watching import Seen
from numpy_lstm.types import Array, Model

NAMED = 1e-9  # so near a gradient must be to that of a known bug


def examine(
    step: Callable[..., Any],
    step_backward: Callable[..., Any],
    *,
    cell: Model = "lstm",
    layout: str | Layout = "numpy_lstm",
    seed: int = 0,
) -> Diagnosis:
    """Say whether a step of a cell and its backward pass are right, and if not, which line is wrong.

    Each of several steps starts from states and gradients that are right.

    Parameters
    ----------
    step : callable
        ``step(x, h, c, params) -> h, c, cache``; without ``c`` for the RNN. Another layout takes and
        returns something else (:mod:`numpy_lstm.clinic.layouts`).
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
        Whether `forward` takes the examples' lengths too, after its other arguments. Past its length
        an example's state must stand still, and its inputs have no gradient.
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


class _Case:
    """One examination: what is examined, on what, and what came of it."""

    def __init__(self, functions: Functions, cell: Model, seed: int) -> None:
        self.f, self.cell = functions, cell
        zero = absent(functions.layout, cell) if functions.sequence else frozenset()
        self.problem = draw(
            cell, seed, examples=functions.layout.examples, zero=zero, padded=functions.padded
        )
        self.right = run(self.problem)
        self.wanted = self.expected(self.right)
        self.a: Attempt = attempt(functions, self.problem, self.right)
        self.notes: list[str] = []
        single = self.a.single or any(x.dtype == np.float32 for x in self.a.results.values())
        self.tolerance = TOLERANCE[np.dtype(np.float32 if single else np.float64)]
        self.names = tuple(
            getattr(g, "__name__", type(g).__name__) for g in (functions.forward, functions.backward)
        )
        self.errors = worst(self.a.results, self.wanted)
        self._indices: dict[int, Index] = {}

    def expected(self, right: Run) -> Results:
        """What the functions should return."""
        return right.results if self.f.sequence else step_results(right.forward, right.backward)

    def wrong(self, *, forward: bool) -> dict[str, float]:
        """The results of one pass that are wrong."""
        return {
            name: error
            for name, error in self.errors.items()
            if name.startswith("d") != forward and not error <= self.tolerance
        }

    def index_of(self, node: Node) -> Index | None:
        """The values in which to look for a node: of the call that it belongs to."""
        backward = node.name.startswith(("d", "sum"))
        calls = self.a.backward_seen if backward else self.a.forward_seen
        call = 0
        if not self.f.sequence:
            call = len(self.problem.xs) - 1 - node.step if backward else node.step
        key = 1000 * backward + call
        if key not in self._indices:
            seen = list(calls[call]) if call < len(calls) else []
            seen += self.returned(backward, node.step)
            self._indices[key] = Index(seen, self.tolerance)
        return self._indices[key]

    def returned(self, backward: bool, step: int) -> list[Seen]:
        """What the functions returned, as if it had been seen: all there is without watching."""
        name = self.f.backward if backward else self.f.forward
        found = []
        for key, array in self.a.results.items():
            if key.startswith("d") == backward:
                value = array if self.f.sequence else array[step : step + 1]
                if len(value):
                    value = np.asarray(value, np.float64)
                    found.append(Seen(value, "", "", 0, getattr(name, "__name__", ""), set()))
        return found

    def diagnosis(self, verdict: Any, summary: str, **more: Any) -> Diagnosis:
        """With what is the same in all."""
        if not self.a.watched:
            self.notes.append(
                "Your variables could not be watched: this interpreter cannot, or a debugger or a "
                "coverage tool is watching already. So only what your functions return was compared."
            )
        for name in self.a.wrote:
            self.notes.append(f"Your functions write into their argument {name}; they should not.")
        return Diagnosis(
            verdict,
            self.cell,
            (str(self.names[0]), str(self.names[1])),
            self.f.sequence,
            summary,
            notes=tuple(dict.fromkeys(self.notes)),
            watched=self.a.watched,
            **more,
        )


def _examine(functions: Functions, cell: Model, seed: int) -> Diagnosis:
    case = _Case(functions, cell, seed)
    wrong = case.wrong(forward=True)
    if case.a.trouble and not case.a.in_backward:
        return _stopped(case, forward=True)
    if wrong:
        return _wrong_forward(case, wrong)
    if case.a.trouble:
        return _stopped(case, forward=False)
    again = attempt(functions, case.problem, case.right, watch=False)
    if again.trouble:
        text = f"A second run with the same arguments fails: {again.trouble}"
        return case.diagnosis("wrong", text)
    changed = [n for n in case.a.results if not _equal(case.a.results[n], again.results[n])]
    if changed:
        text = f"A second run with the same arguments gives another {changed[0]}."
        if any(name[0] != "d" for name in changed):
            return case.diagnosis("wrong", f"{text} Fix what is random, or kept between calls.")
        return case.diagnosis("wrong", f"{text} Something is random, or kept between calls.")
    wrong = case.wrong(forward=False)
    if wrong:
        return _wrong_backward(case, wrong)
    changed = [n for n in again.again if not close(again.again[n], again.results[n])]
    if changed:
        return _changes_cache(case, changed)
    what = "sequence" if functions.sequence else "step"
    count = len(case.errors)
    text = (
        f"All {count} results of the {what} agree with the {_title(cell)}'s equations, the largest "
        f"relative error being {max(case.errors.values()):.0e}."
    )
    numbers = tuple(dict.fromkeys(n.equation for n in _nodes(case, True) + _nodes(case, False)))
    return case.diagnosis("right", text, right=numbers)


def _title(cell: Model) -> str:
    return "LSTM" if cell == "lstm" else "RNN"


def _equal(a: Array, b: Array) -> bool:
    return bool(np.array_equal(a, b, equal_nan=True))


def _nodes(case: _Case, forward: bool) -> list[Node]:
    made = forward_nodes if forward else backward_nodes
    return made(case.cell, case.right, chained=case.f.sequence)


# --- what is wrong where --------------------------------------------------------------------------


def _first(case: _Case, finding: Finding, *, forward: bool) -> list[Suspect]:
    """The suspects of the step that goes wrong first, in the order of the pass."""
    suspects = finding.suspects
    hidden = [s for s in suspects if not _of_weights(s) or s.version]
    if hidden:  # sums of wrong numbers are wrong: no fault of theirs, unless a share was seen
        suspects = hidden
    if not suspects:
        return []
    steps = [s.node.step for s in suspects if not s.node.name.startswith("sum")]
    if not steps:
        return suspects
    at = min(steps) if forward else max(steps)
    return [s for s in suspects if s.node.step == at and not s.node.name.startswith("sum")]


def _of_weights(suspect: Suspect) -> bool:
    return suspect.node.equation in (4, 26)


def _faults(case: _Case, *, forward: bool) -> tuple[list[Fault], tuple[Number, ...]]:
    nodes = _nodes(case, forward)
    finding = localize(case.cell, nodes, case.right, case.index_of)
    suspects = _first(case, finding, forward=forward)
    start = 0 if forward else len(case.problem.xs) - 1
    missing = {n.equation for n in finding.missing if n.step == start}
    right = tuple(
        dict.fromkeys(
            n.equation for n in finding.done if n.step == start and n.equation not in missing
        )
    )
    right_lines = set()
    for node in finding.done:
        index = case.index_of(node)
        if index is not None:
            for value in node.values:
                place = index.find_all(value)
                if place is not None:
                    right_lines.add((index.seen[place].file, index.seen[place].line))
    done = {(n.name, n.gate, n.step) for n in finding.done}
    faults = []
    why = ""
    if case.f.sequence and suspects:
        index = case.index_of(suspects[0].node)
        if index is not None and not _of_weights(suspects[0]):
            t = suspects[0].node.step
            why = wrong_arguments(case.problem, case.right, t, index, backward=not forward)
    for suspect in suspects:
        node = suspect.node
        candidates: tuple[Number, ...] = suspect.candidates
        handed = node.step != start and (node.name, node.gate, start) in done
        reason = suspect.why
        if why:
            candidates, reason = (LOOP,), why
        elif handed and not node.name.startswith("sum"):
            candidates = (LOOP,)
            reason = (
                f"It is right at step {start + 1} and wrong at step {node.step + 1}: look at what the "
                "loop hands from step to step."
            )
        if node.equation in (4, 26) or node.name.startswith("sum"):
            text = _sum(case, node) if case.f.sequence else ""
            if text:
                candidates, reason = (LOOP,), text
        faults.append(_fault(case, suspect, candidates, reason, right_lines, forward))
    return _merged(faults), right


def _sum(case: _Case, node: Node) -> str:
    name = node.name.removeprefix("sum of ")
    total = case.a.results.get(name)
    if total is None:
        return ""
    shares = [getattr(s["dparams"], name[1:]) for s in case.right.backward]
    return wrong_sum(np.asarray(total), shares)


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
    case: _Case,
    suspect: Suspect,
    candidates: tuple[Number, ...],
    why: str,
    right_lines: set[tuple[str, int]],
    forward: bool,
) -> Fault:
    node, version = suspect.node, suspect.version
    index = case.index_of(node)
    wanted = _inputs(case, node, candidates, index, forward)
    line: Statement | None = None
    if version is not None:
        line = statement_at(version.file, version.line)
    if line is None and index is not None:
        line = reading(case.a.ran, [names for _, names in wanted], right_lines, node.name)
    inputs = tuple((ours, min(names, key=len)) for ours, names in wanted if names)
    return Fault(
        tuple(equation(number, case.cell) for number in candidates),
        node.name,
        node.gate,
        node.step + 1,
        TheirLine(line.file, line.first, line.text) if line else None,
        version.name if version else "",
        inputs,
        why,
    )


def _inputs(
    case: _Case, node: Node, candidates: Sequence[Number], index: Index | None, forward: bool
) -> list[tuple[str, set[str]]]:
    """What goes into an equation, and what the learner calls it."""
    if index is None:
        return []
    step = (case.right.forward if forward else case.right.backward)[node.step]
    found: dict[str, set[str]] = {}
    numbers = [n for n in candidates if isinstance(n, int)] or [
        n for n in [node.equation] if isinstance(n, int)
    ]
    made = {node.name}
    for number in numbers:
        for each in ast.walk(ast.parse(code_of(number))):
            name = each.id if isinstance(each, ast.Name) else ""
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store):
                made.add(name)
            if name not in step or not isinstance(step[name], np.ndarray):
                continue
            found[name] = index.names(_rows(name, step[name], node))
    if node.equation == LOOP and node.name == "dh_t":
        own = case.problem.dhs[node.step]
        found = {"e_t": index.names(own), "dh_t^next": index.names(step["dh_t"] - own)}
    return [(name, names) for name, names in found.items() if name not in made]


def _rows(name: str, value: Array, node: Node) -> Array:
    """Rows of a local variable by which to look for it."""
    H = node.values[0].shape[1]
    if name in ("W_x", "W_h"):
        k = "ifgo".index(node.gate) if node.gate else 0
        return value[k * H : (k + 1) * H].T[:1] if len(value) > k * H else value.T[:1]
    if value.ndim == 1:
        k = "ifgo".index(node.gate) if node.gate else 0
        return value[k * H : (k + 1) * H][np.newaxis]
    if name == "da_t" and value.shape[1] > H and len(value[0]) % H == 0:
        k = "ifgo".index(node.gate) if node.gate else 0
        return value[:, k * H : (k + 1) * H]
    return value


def _wrong_backward(case: _Case, wrong: dict[str, float]) -> Diagnosis:
    faults, right = _faults(case, forward=False)
    names = _named(case, faults)
    whys = [
        text
        for name in wrong
        if (text := wrong_result(name, case.a.results[name], case.wanted[name], case.wanted))
    ]
    if faults:
        some = " or ".join(str(each) for each in faults[0].equations)
        text = f"The forward pass is right. In the backward pass the first that is wrong is {some}."
    else:
        text = "The forward pass is right, and every equation of the backward pass is computed."
        text += f" But what is returned as {' and '.join(wrong)} is not right."
    case.notes += whys if not faults or not faults[0].why else []
    return case.diagnosis(
        "wrong",
        text,
        part="backward",
        faults=tuple(faults),
        names=names,
        right=right,
        errors=wrong,
    )


def _changes_cache(case: _Case, changed: list[str]) -> Diagnosis:
    bug = catalogue.PUBLIC[12]
    text = (
        f"The first call is right. But a second call of {case.names[1]} with the same cache gives "
        f"another {changed[0]}: it writes into the cache, or adds to what it has kept."
    )
    name = Name(bug.what, LOOP, 12, bug.seen, bug.missed)
    return case.diagnosis("wrong", text, part="backward", names=((name,),))


# --- a name ---------------------------------------------------------------------------------------


def _named(case: _Case, faults: Sequence[Fault]) -> tuple[tuple[Name, ...], ...]:
    """Known bugs, or pairs of them, that give the learner's gradient."""
    if case.tolerance > NAMED or case.problem.lengths is not None:
        return ()
    known = [b for b in catalogue.bugs(case.cell) if case.f.sequence or b.equation != LOOP]
    found = [(bug,) for bug in known if _gives(case, bug.edits)]
    if not found:
        suspected = {number for fault in faults for number in fault.numbers}
        pairs = [
            pair
            for pair in combinations(known, 2)
            if not suspected or any(bug.equation in suspected for bug in pair)
        ]
        found = [pair for pair in pairs if _gives(case, (*pair[0].edits, *pair[1].edits))][:3]
    return tuple(tuple(_name(bug) for bug in group) for group in found)


def _name(bug: catalogue.Bug) -> Name:
    if bug.public is None:
        return Name(bug.what, bug.equation)
    public = catalogue.PUBLIC[bug.public]
    return Name(bug.what, bug.equation, bug.public, public.seen, public.missed)


def _gives(case: _Case, edits: Sequence[Any]) -> bool:
    """Whether code with these edits gives all that the learner's gives."""
    try:
        theirs = _with(case, edits)
    except ValueError:  # both edit one line
        return False
    return all(error <= NAMED for error in worst(case.a.results, theirs).values())


def _with(case: _Case, edits: Sequence[Any]) -> Results:
    with np.errstate(all="ignore"):
        if case.f.sequence:
            return run(case.problem, edits).results
        return run_steps(case.problem, case.right, edits)


# --- forward --------------------------------------------------------------------------------------


def _forward_agrees(case: _Case, results: Results, other: Mapping[str, Array]) -> bool:
    errors = worst(results, other)
    states = {name: error for name, error in errors.items() if name[0] != "d"}
    return bool(states) and all(error <= case.tolerance for error in states.values())


def _wrong_forward(case: _Case, wrong: dict[str, float]) -> Diagnosis:
    hint = _other_layout(case)
    if hint:
        case.notes.append(hint)
    own = _own_gradient(case)
    faults, right = _faults(case, forward=True)
    for what, edit in variants.VARIANTS[case.cell]:
        if _forward_agrees(case, case.a.results, _with(case, [edit])):
            return _other_equations(case, what, own)
    names: tuple[tuple[Name, ...], ...] = ()
    for what, public, edit in variants.mistakes(case.cell):
        if _forward_agrees(case, case.a.results, _with(case, [edit])):
            bug = catalogue.PUBLIC.get(public or 0)
            seen = (bug.seen, bug.missed) if bug else ("", "")
            names = ((Name(what, 9 if case.cell == "lstm" else 1, public, *seen),),)
    if case.a.forward_seen and not names and not hint:
        index = case.index_of(_nodes(case, True)[0])
        assert index is not None
        gates = variants.peepholes(case.right, index) if case.cell == "lstm" else ""
        if gates:
            return _other_equations(case, f"peepholes, from the cell to gate {' and '.join(gates)}", own)
        first = case.a.results.get("hs", case.a.results.get("h"))
        if first is not None and variants.gru(case.right, index, np.asarray(first[0])):
            return _other_equations(case, "a GRU", own)
    if _padding_goes_on(case, wrong):
        bug = catalogue.PUBLIC[15]
        name = Name(bug.what, LOOP, 15, bug.seen, bug.missed)
        text = "Up to each example's length the states are right; the last states are not."
        return case.diagnosis("wrong", text, part="forward", names=((name,),), errors=wrong)
    if faults:
        some = " or ".join(str(each) for each in faults[0].equations)
        text = f"In the forward pass the first that is wrong is {some}."
    else:
        text = f"Every equation of the forward pass is computed, but {' and '.join(wrong)} is not right."
        case.notes += [
            why
            for name in wrong
            if (why := wrong_result(name, case.a.results[name], case.wanted[name], case.wanted))
        ]
    if own is True:
        text += " The backward pass is right for this forward pass: it is the forward pass to mend."
    return case.diagnosis(
        "wrong",
        text,
        part="forward",
        faults=tuple(faults),
        names=names,
        right=right,
        errors=wrong,
    )


def _padding_goes_on(case: _Case, wrong: dict[str, float]) -> bool:
    """Whether only what comes after the examples' ends is wrong."""
    if case.problem.lengths is None:
        return False
    hs = case.a.results.get("hs")
    if hs is None:
        return set(wrong) <= {"h_T", "c_T"}
    running = np.arange(len(hs))[:, np.newaxis] < case.problem.lengths
    return close(hs * running[..., np.newaxis], case.wanted["hs"], case.tolerance)


def _other_equations(case: _Case, what: str, own: bool | None) -> Diagnosis:
    text = f"Your forward pass computes other equations than the report's: {what}."
    after = {
        True: " For these the backward pass is right, as far as a difference along one direction tells.",
        False: " For these the backward pass is wrong.",
        None: "",
    }[own]
    case.notes.append(
        "The clinic knows the report's equations alone. numpy_lstm.gradcheck.check_gradient(f, point, "
        "gradient) checks the gradient of any function."
    )
    return case.diagnosis("other equations", text + after, part="forward")


def _other_layout(case: _Case) -> str:
    """A hint if the forward pass is right in another layout, or with the gates in another order."""
    layout = case.f.layout
    if case.cell == "lstm" and not any("{}" in name for name in layout.weights):
        for order in permutations("ifgo"):
            gates = "".join(order)
            if gates != layout.gates.replace("c", "g"):
                if _right_in(case, replace(layout, gates=gates)):
                    return f"With the gates in the order {', '.join(order)} your forward pass is right: layout gates={gates!r}."
    for name in PRESETS:
        other = chosen(name, case.cell)
        if other != layout and _right_in(case, other):
            return f"With layout={name!r} your forward pass is right."
    return ""


def _right_in(case: _Case, layout: Layout) -> bool:
    try:
        other = _quick(case.f._replace(layout=layout), case.cell)
    except ValueError:
        return False
    return other


def _quick(functions: Functions, cell: Model) -> bool:
    zero = absent(functions.layout, cell) if functions.sequence else frozenset()
    layout = functions.layout
    problem = draw(cell, 1, examples=layout.examples, zero=zero, padded=functions.padded)
    right = run(problem)
    a = attempt(functions, problem, right, watch=False)
    wanted = right.results if functions.sequence else step_results(right.forward, right.backward)
    states = {n: e for n, e in worst(a.results, wanted).items() if n[0] != "d"}
    return bool(states) and all(e <= 2e-4 for e in states.values())


def _own_gradient(case: _Case) -> bool | None:
    """Whether the backward pass is right for the learner's own forward pass; None if unknown."""
    if case.a.trouble or case.tolerance > NAMED or case.problem.lengths is not None:
        return None
    p, f = case.problem, case.f
    point: dict[str, Array] = {"W_x": p.params.W_x, "W_h": p.params.W_h, "b": p.params.b}
    gradient = {name: np.asarray(case.a.results[f"d{name}"]) for name in point}
    if not f.sequence:
        gradient = {name: array[0] for name, array in gradient.items()}

    def loss(at: dict[str, Array]) -> float:
        moved = p._replace(params=type(p.params)(**at))
        right = case.right
        if not f.sequence:
            right = right._replace(forward=right.forward[:1], backward=right.backward[:1])
        a = attempt(f, moved, right, watch=False)
        total = 0.0
        upstream = {"hs": p.dhs, "h_T": p.dh_T, "c_T": p.dc_T}
        if not f.sequence:
            first = case.right.backward[0]
            upstream = {"h": first["dh_t"], "c": first.get("dc_next", np.zeros(1))}
        for name, array in upstream.items():
            if name in a.results:
                total += float(np.sum(array * a.results[name]))
        return total

    try:
        errors = gradcheck.gradient_errors(
            loss, point, gradient, method="direction", rng=np.random.default_rng(0)
        )
    except (ValueError, KeyError):
        return None
    return all(each.error <= 1e-5 for each in errors)


# --- what does not run ----------------------------------------------------------------------------


def _stopped(case: _Case, *, forward: bool) -> Diagnosis:
    """A function raised, did not end, or returned what cannot be used: what is right so far."""
    trouble = case.a.trouble
    assert trouble is not None
    part = "forward" if forward else "backward"
    faults, right = _faults(case, forward=forward)
    done = set(right)
    todo = [n.equation for n in _nodes(case, forward) if n.equation not in done]
    blank = next(iter(case.a.blanks), None)
    unfinished = blank is not None or "not written yet" in str(trouble) or "returns None" in str(trouble)
    text = ""
    if not forward:
        text = "The forward pass is right. "
    if unfinished:
        first = todo[0] if todo else None
        text += f"Next to write: {equation(first, case.cell)}." if first is not None else ""
        faults = [
            replace(fault, line=None, variable="")
            for fault in faults[:1]
        ]
        where = None
        if blank is not None:
            at = statement_at(blank.file, blank.line)
            where = TheirLine(blank.file, at.first, at.text) if at else None
        return case.diagnosis(
            "unfinished",
            text.strip() or str(trouble),
            part=part,
            faults=tuple(faults),
            right=right,
            blank=where,
        )
    if forward:
        hint = _other_layout(case)
        if hint:
            case.notes.append(hint)
    at = statement_at(trouble.file, trouble.line) if trouble.line else None
    return case.diagnosis(
        "wrong",
        text + str(trouble),
        part=part,
        right=right,
        line=TheirLine(trouble.file, trouble.line, at.text) if at else None,
    )
