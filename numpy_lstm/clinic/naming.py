"""A name for a wrong gradient: a known bug, or two together, that give just this one."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import combinations

import numpy as np

from numpy_lstm.clinic.case import Case
from numpy_lstm.clinic.catalogue import PUBLIC, Bug, bugs
from numpy_lstm.clinic.diagnosis import Fault, Name
from numpy_lstm.clinic.equations import LOOP, Number
from numpy_lstm.clinic.explain import worst
from numpy_lstm.clinic.reference import Edit, Results, run, run_steps

NAMED = 1e-9  # so near the gradients must be


def named(case: Case, faults: Sequence[Fault]) -> tuple[tuple[Name, ...], ...]:
    """Known bugs, or else pairs of them, that give the learner's gradient.

    Parameters
    ----------
    case : Case
    faults : sequence of Fault
        Of a pair one must be a bug in an equation that is suspected.

    Returns
    -------
    tuple of tuples of Name
        More than one if several give the same numbers.
    """
    if case.tolerance > NAMED or case.problem.lengths is not None:
        return ()
    known = [b for b in bugs(case.cell) if case.f.sequence or b.equation != LOOP]
    found: list[tuple[Bug, ...]] = [(bug,) for bug in known if gives(case, bug.edits)]
    if not found:
        suspected = {number for fault in faults for number in fault.numbers}
        pairs = [
            pair
            for pair in combinations(known, 2)
            if not suspected or any(bug.equation in suspected for bug in pair)
        ]
        found = [pair for pair in pairs if gives(case, (*pair[0].edits, *pair[1].edits))]
    return tuple(tuple(name_of(bug.what, bug.equation, bug.public) for bug in g) for g in found)


def name_of(what: str, equation: Number, public: int | None) -> Name:
    """A name, with what is known of the public bug.

    Parameters
    ----------
    what : str
    equation : int or str
    public : int or None

    Returns
    -------
    Name
    """
    if public is None:
        return Name(what, equation)
    bug = PUBLIC[public]
    return Name(what, equation, public, bug.seen, bug.missed)


def gives(case: Case, edits: Sequence[Edit]) -> bool:
    """Whether our code with these edits gives all that the learner's gives.

    Parameters
    ----------
    case : Case
    edits : sequence of Edit

    Returns
    -------
    bool
    """
    try:
        theirs = with_edits(case, edits)
    except ValueError:  # both edit one line
        return False
    return all(error <= NAMED for error in worst(case.a.results, theirs).values())


def with_edits(case: Case, edits: Sequence[Edit]) -> Results:
    """What our code with these edits gives on the batch of an examination.

    Parameters
    ----------
    case : Case
    edits : sequence of Edit

    Returns
    -------
    dict of str to ndarray
    """
    with np.errstate(all="ignore"):
        if case.f.sequence:
            return run(case.problem, edits, case.right).results
        return run_steps(case.problem, case.right, edits)
