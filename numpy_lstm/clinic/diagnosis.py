"""What was found, as data and as text."""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any, Literal

import numpy as np

from numpy_lstm.clinic.equations import LOOP, Equation, Number, called
from numpy_lstm.types import Model

Verdict = Literal["right", "wrong", "unfinished", "other equations"]


@dataclass(frozen=True)
class TheirLine:
    """A statement of the learner's."""

    file: str
    first: int  # its lines
    last: int
    text: str

    def __str__(self) -> str:
        lines = (
            f"line {self.first}"
            if self.first == self.last
            else f"lines {self.first} to {self.last}"
        )
        cell = "ipykernel" in self.file or self.file.startswith("<")  # of a notebook, or typed in
        return f"{'the cell' if cell else os.path.basename(self.file)}, {lines}"


@dataclass(frozen=True)
class Fault:
    """A quantity that is wrong, although all that goes into it is right."""

    equations: tuple[Equation, ...]  # more than one if they cannot be told apart
    quantity: str  # our name, such as dc_t
    gate: str  # i, f, g, o, or ""
    step: int  # from 1
    line: TheirLine | None
    variable: str  # the learner's name of the wrong value, or ""
    inputs: tuple[tuple[str, str], ...]  # what goes into it: our name, the learner's
    why: str  # what else was found out

    @property
    def numbers(self) -> tuple[Number, ...]:
        """The equations' numbers."""
        return tuple(each.number for each in self.equations)


@dataclass(frozen=True)
class Name:
    """A known bug that gives the learner's gradient to 1e-9."""

    what: str
    equation: Number
    public: int | None = None  # which of the fifteen kinds
    seen: str = ""
    missed: str = ""


@dataclass(frozen=True)
class Diagnosis:
    """What :func:`numpy_lstm.clinic.examine` found. ``str`` of it is for a terminal."""

    verdict: Verdict
    cell: Model
    functions: tuple[str, str]
    sequence: bool
    summary: str
    part: Literal["forward", "backward", ""] = ""
    faults: tuple[Fault, ...] = ()  # the first is the one to mend first
    names: tuple[tuple[Name, ...], ...] = ()  # each a bug, or a pair, that gives just this gradient
    right: tuple[Number, ...] = ()  # equations of that part that are right
    errors: dict[str, float] = field(default_factory=dict)  # of results that are wrong
    todo: Equation | None = None  # what is to be written next
    blank: TheirLine | None = None  # and where
    line: TheirLine | None = None  # where a function stopped
    notes: tuple[str, ...] = ()
    watched: bool = True  # whether variables could be seen, or results alone

    @property
    def ok(self) -> bool:
        """Whether all is right."""
        return self.verdict == "right"

    @property
    def equations(self) -> tuple[Number, ...]:
        """Numbers of the equation that is wrong first; more than one if it is one of them."""
        return self.faults[0].numbers if self.faults else ()

    def as_dict(self) -> dict[str, Any]:
        """All of it in dicts, lists, numbers and strings, for JSON; an infinite error is None."""
        errors = {n: error if np.isfinite(error) else None for n, error in self.errors.items()}
        return {**asdict(self), "ok": self.ok, "equations": list(self.equations), "errors": errors}

    def __str__(self) -> str:
        return "\n".join(_text(self))


TITLES = {
    "right": "RIGHT",
    "wrong": "WRONG",
    "unfinished": "NOT FINISHED",
    "other equations": "OTHER EQUATIONS",
}


def _text(d: Diagnosis) -> list[str]:
    lines = [f"{d.functions[0]}, {d.functions[1]}: {TITLES[d.verdict]}", d.summary]
    for number, fault in enumerate(d.faults):
        lines += ["", *(_fault(fault) if number == 0 else _short(fault))]
    if d.todo:
        lines += ["", f"  ({d.todo.number})".ljust(10) + d.todo.formula]
        lines += [f'          report, section "{d.todo.section}"']
    if d.line:
        lines += ["", f"It stopped in {d.line}:", *_quoted(d.line.text)]
    if d.blank:
        lines += ["", f"The blank is {d.blank}:", *_quoted(d.blank.text)]
    if d.names:
        lines += ["", *_names(d.names)]
    elif d.part == "backward" and d.faults and d.errors and not d.faults[0].why:
        lines += ["", "No bug of the catalogue gives this gradient, so the cause has no name here."]
    if d.right and d.verdict != "right":
        lines += ["", f"Right in the {d.part} pass: {numbers(d.right)}."]
    if d.errors:
        each = ", ".join(f"{name} {error:.1e}" for name, error in d.errors.items())
        lines += ["", f"Wrong results, and their largest relative error: {each}."]
    if d.notes:
        lines += ["", *d.notes]
    return lines


def _fault(fault: Fault) -> list[str]:
    lines = []
    for each in fault.equations:
        label = f"({each.number})"
        lines.append(f"  {label:8}{each.formula}")
        lines.append(f'          report, section "{each.section}"')
        ours = each.line
        lines.append(f"          {ours.file}, line {ours.number}: {ours.code}")
    what = _quantity(fault)
    if len(fault.equations) > 1:
        some = listed(map(called, fault.numbers))
        said = f"Your code does not show what lies between {some}: one of them is wrong."
        if LOOP in fault.numbers:
            said = "Numbers do not tell these apart: the equation is wrong, or what it is given."
        lines += ["", f"  {said}"]
    if fault.why:
        lines += ["", f"  {fault.why}"]
    if fault.line:
        lines += ["", f"  Your line, {fault.line}:", *_quoted(fault.line.text)]
    if fault.variable:
        there = " there" if fault.line else ""
        lines.append(f"  `{fault.variable}`{there} does not have the value of {what}.")
    elif fault.line and not fault.why:
        lines.append(f"  It does not give {what}.")
    elif not fault.why:
        lines.append(f"  {what} is not among the values that your code computes.")
    inputs = [each for each in fault.inputs if f"where {each[0]} belongs" not in fault.why]
    if inputs:
        each_input = ", ".join(f"{ours} is `{theirs}`" for ours, theirs in inputs)
        lines.append(f"  Right among its inputs: {each_input}.")
    return lines


def _quantity(fault: Fault) -> str:
    """Its name, with the gate if that is not in it: `dW_x of gate f`, `da_f`."""
    if fault.quantity.startswith("sum"):
        what = f"the {fault.quantity}"
    else:
        what = fault.quantity
    if not fault.gate or what.endswith(f"_{fault.gate}"):
        return what
    return f"{what} of gate{'s' * (len(fault.gate) > 1)} {listed(fault.gate)}"


def _short(fault: Fault) -> list[str]:
    where = f" {fault.line}:" if fault.line else ""
    what = _quantity(fault)
    some = " or ".join(map(called, fault.numbers))
    return [
        f"Wrong too, by itself: {some}, {what}.{where}",
        *(_quoted(fault.line.text) if fault.line else []),
    ]


def _quoted(text: str) -> list[str]:
    lines = text.splitlines()
    indent = min((len(line) - len(line.lstrip()) for line in lines if line.strip()), default=0)
    return [f"      {line[indent:]}" for line in lines[:6]] + ["      …"] * (len(lines) > 6)


def _names(names: tuple[tuple[Name, ...], ...]) -> list[str]:
    title = "Known bug" if len(names[0]) == 1 else "Two known bugs together"
    each_one = "; or ".join(" and ".join(each.what for each in group) for group in names)
    lines = [f"{title}: {each_one}{' (the numbers are the same)' * (len(names) > 1)}."]
    for each in (each for group in names for each in group):
        if each.seen:
            lines.append(f"  Seen in {each.seen}. Why a check may miss it: {each.missed}.")
    return lines


def listed(parts: Iterable[str]) -> str:
    """Parts in words: "a, b and c".

    Parameters
    ----------
    parts : iterable of str

    Returns
    -------
    str
    """
    *most, last = parts
    return f"{', '.join(most)} and {last}" if most else last


def numbers(given: tuple[Number, ...]) -> str:
    """Equation numbers in words: "(16), (18) to (21) and the loop".

    Parameters
    ----------
    given : tuple of int or str

    Returns
    -------
    str
    """
    whole = sorted(n for n in given if isinstance(n, int))
    parts, start = [], 0
    for k in range(len(whole)):
        if k + 1 == len(whole) or whole[k + 1] != whole[k] + 1:
            run = whole[start : k + 1]
            parts += [f"({run[0]}) to ({run[-1]})"] if len(run) > 2 else [f"({n})" for n in run]
            start = k + 1
    if LOOP in given:
        parts.append("the loop")
    return listed(parts)
