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
        firsts = [bug for bug in known if _may_be_first(case, bug, faults)]
        pairs = [(a, b) for a, b in combinations(known, 2) if a in firsts or b in firsts]
        found = [pair for pair in pairs if gives(case, (*pair[0].edits, *pair[1].edits))]
    return tuple(tuple(name_of(bug.what, bug.equation, bug.public) for bug in g) for g in found)


def _may_be_first(case: Case, bug: Bug, faults: Sequence[Fault]) -> bool:
    """Whether what is wrong first may be this bug's doing, whatever else is wrong.

    Then the learner holds the value that the bug gives to the quantity.
    """
    fault = next((each for each in faults if bug.equation in each.numbers), None)
    if fault is None or not case.a.watched:
        return fault is not None or not faults
    step = run(case.problem, bug.edits, case.right).backward[fault.step - 1]
    nodes = [n for n in case.nodes(forward=False) if n.step == fault.step - 1]
    made = [n for n in nodes if n.equation in fault.numbers and n.name in step]
    if not made or any(not np.any(step[n.name]) for n in made):  # zeros are held by nothing
        return True
    indices = [(n, case.index_of(n)) for n in made]
    return any(i is not None and i.find_all(step[n.name]) is not None for n, i in indices)


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
