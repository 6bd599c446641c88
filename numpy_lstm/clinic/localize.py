"""Finds the equation that is wrong first.

An equation is done if its quantity is held, or if anything that is made from it is done: what a
learner has contracted into one line is seen in what comes of it. The first that is not done,
although all that goes into it is, is wrong. What is made from it is wrong too, and says nothing.

If a quantity is never held and is used for one thing only, its equation and that of what it is used
for are two candidates. They can often be told apart: if some value of the learner's, put in the
place of the quantity, gives by our line of code what the learner has next, then that value is the
learner's own version of it, and the first equation is wrong where that value is computed.
"""

from __future__ import annotations

import ast
import functools
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import cells
from numpy_lstm.clinic.equations import Number, code_of
from numpy_lstm.clinic.lines import plain
from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.nodes import ELEMENTWISE, Node
from numpy_lstm.clinic.problem import D, H
from numpy_lstm.clinic.reference import Run
from numpy_lstm.clinic.watching import Seen
from numpy_lstm.types import Array, Model


class Suspect(NamedTuple):
    """A node that is wrong first, and what the learner has in its place, if that is known."""

    node: Node
    candidates: tuple[Number, ...]
    version: Seen | None  # the learner's own, wrong
    why: str = ""  # what was found out besides
    end: Node | None = None  # the last of the candidates that were not told apart


Find = Callable[[Node], "Index | None"]


class Finding(NamedTuple):
    """What is done and what is wrong first."""

    suspects: list[Suspect]
    done: list[Node]
    missing: list[Node]
    places: dict[int, int | None]  # of each node, by its id, the value with which it is held


def localize(
    cell: Model, nodes: Sequence[Node], right: Run, index_of: Find, until: Find, known: Index
) -> Finding:
    """Find the first wrong equations.

    Parameters
    ----------
    cell : {"rnn", "lstm"}
    nodes : sequence of Node
        Each after those that it is made from.
    right : Run
    index_of : callable
        The values in which a node is to be looked for.
    until : callable
        Of these the ones that were there when the node's step was done.
    known : Index
        Of all that is right.

    Returns
    -------
    Finding
    """
    places = {id(node): _place(node, index_of(node)) for node in nodes}
    done: dict[int, bool] = {}
    for node in reversed(nodes):
        done[id(node)] = places[id(node)] is not None or any(done[id(c)] for c in node.children)
    first = [n for n in nodes if not done[id(n)] and all(done[id(p)] for p in n.parents)]
    suspects = [_suspect(cell, node, right, until(node), known, done) for node in first]
    evident = [s for s in suspects if s.version or s.why or not _excused(s.node, done)]
    suspects = evident or suspects
    return Finding(
        suspects,
        [node for node in nodes if done[id(node)]],
        [node for node in nodes if not done[id(node)]],
        places,
    )


def _excused(node: Node, done: dict[int, bool]) -> bool:
    """Whether all that is made from a quantity is made from another one too that is not done.

    Then a line that does both at once need not hold the quantity, and is wrong by the other.
    """
    others = [[p for p in c.parents if p is not node and not done[id(p)]] for c in node.children]
    return bool(others) and all(others)


def _suspect(
    cell: Model, node: Node, right: Run, index: Index | None, known: Index, done: dict[int, bool]
) -> Suspect:
    candidates, last = [node.equation], node
    while (
        len(last.children) == 1
        and last.children[0].step == node.step
        and not done[id(last.children[0])]
    ):
        last = last.children[0]
        candidates.append(last.equation)
    hidden = Suspect(node, tuple(dict.fromkeys(candidates)), None, end=last)
    if index is None:
        return hidden
    for value in node.values:
        place = index.find_all(value, -1)
        if place is not None:
            return Suspect(node, (node.equation,), index.seen[place], "Its sign is wrong.")
        place = index.find_all(1 - value) if node.name in ("i_t", "f_t", "o_t") else None
        if place is not None:
            why = f"It is 1 − {node.name}: look at the sign in σ."
            return Suspect(node, (node.equation,), index.seen[place], why)
    version = _version(cell, node, right, index, known)
    spoiled = _spoiled(cell, node, right, index, known)
    if spoiled is not None and spoiled.node is not node and spoiled.version is not None:
        return spoiled  # the equation is right, for what has become of one of its inputs
    if version is not None:
        if spoiled is not None:
            return spoiled._replace(version=version)
        return Suspect(node, (node.equation,), version)
    if _is_zero(cell, node, right, index, known):
        return Suspect(node, (node.equation,), None, f"Your {node.name} is zero.")
    told = spoiled or _told_apart(cell, node, last, right, index, known)
    return told or _up_to_a_version(cell, hidden, right, index, known)


def _up_to_a_version(
    cell: Model, hidden: Suspect, right: Run, index: Index, known: Index
) -> Suspect:
    """Of the equations that were not told apart, those up to a quantity that the learner has."""
    node, numbers = hidden.node, [hidden.node.equation]
    while node is not hidden.end:
        node = node.children[0]
        numbers.append(node.equation)
        version = _version(cell, node, right, index, known)
        if version is not None:
            return Suspect(hidden.node, tuple(dict.fromkeys(numbers)), version, end=node)
    return hidden


def _place(node: Node, index: Index | None) -> int | None:
    """The value with which the node is held."""
    if index is None:
        return None
    found = (index.find_all(value) for value in node.values)
    return next((place for place in found if place is not None), None)


# --- a learner's own version of a quantity --------------------------------------------------------


@functools.cache
def _expression(number: int) -> Any:
    statement = ast.parse(code_of(number)).body[0]
    assert isinstance(statement, ast.Assign)
    return compile(ast.Expression(statement.value), f"<({number})>", "eval")


def value_of(number: int, variables: dict[str, Any]) -> Array:
    """What the line of cells.py for an equation gives with these local variables.

    Parameters
    ----------
    number : int
    variables : dict

    Returns
    -------
    ndarray
    """
    with np.errstate(all="ignore"):
        result: Array = eval(_expression(number), {**vars(cells), **variables})
    return result


def _is_part(row: Array, made: Node, right: Run) -> bool:
    """Whether a row is of a right product that a step may compute, such as dh ⊙ o in (17)."""
    step = {**vars(cells), **variables(made, right)}
    for name, (number, _) in {**ELEMENTWISE["rnn"], **ELEMENTWISE["lstm"]}.items():
        for part in _parts(number) if name in step else []:
            if not set(part.co_names) <= step.keys():  # (2) is of the RNN, (15) of the LSTM
                continue
            value = eval(part, step)
            if np.ndim(value) == 2 and np.isclose(value, row, rtol=1e-9, atol=0).all(1).any():
                return True
    return False


@functools.cache
def _parts(number: int) -> list[Any]:
    """The expressions in the line of an equation, and each product without one of its factors."""
    tree = ast.parse(code_of(number)).body[0]
    inner = [each for each in ast.walk(tree) if isinstance(each, ast.BinOp)]
    texts = [ast.unparse(each) for each in inner]
    for each in inner:
        left = each.left
        if isinstance(each.op, ast.Mult) and isinstance(left, ast.BinOp):
            texts += [
                f"{ast.unparse(e)} * ({ast.unparse(each.right)})" for e in (left.left, left.right)
            ]
    return [compile(text, f"<{text}>", "eval") for text in dict.fromkeys(texts)]


def names_in(number: int) -> list[str]:
    """The variables that the line of an equation reads, in order.

    Parameters
    ----------
    number : int

    Returns
    -------
    list of str
    """
    tree = ast.walk(ast.parse(code_of(number)))
    names = [n.id for n in tree if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Load)]
    return list(dict.fromkeys(names))


def variables(node: Node, right: Run) -> dict[str, Any]:
    """The local variables of the step that a node belongs to.

    Parameters
    ----------
    node : Node
    right : Run

    Returns
    -------
    dict
    """
    steps = right.backward if node.name.startswith("d") else right.forward
    return steps[node.step]


def _version(cell: Model, node: Node, right: Run, index: Index, known: Index) -> Seen | None:
    """The value that is used as the node's quantity is used, if one can be told."""
    for child in node.children:
        if child.step == node.step and child.name in (*ELEMENTWISE[cell], "dh_prev"):
            hits = _in_place(node.name, child, right, index, known)
            if hits:
                first = index.seen[hits[0]]
                if made_of(first, known):  # one of the learner's right values: not where it began
                    return min((index.seen[i] for i in hits), key=lambda seen: seen.value.size)
                return first
    return None


def _is_zero(cell: Model, node: Node, right: Run, index: Index, known: Index) -> bool:
    """Whether the learner has what comes of a quantity that is zero: such as σ(0)."""
    for child in node.children:
        if child.step == node.step and child.name in ELEMENTWISE[cell] and node.name != "c_t":
            zero = {**variables(child, right), node.name: 0 * node.values[0]}
            value = value_of(int(child.equation), zero)
            if np.any(value) and known.find_all(value) is None:
                return index.find_all(value) is not None
    return False


def made_of(seen: Seen, known: Index) -> bool:
    """Whether all of a value is made of rows that are right, of zeros and of ones.

    Parameters
    ----------
    seen : Seen
    known : Index
        Of all that is right.

    Returns
    -------
    bool
    """
    for axis in range(seen.value.ndim):
        rows = np.moveaxis(seen.value, axis, -1).reshape(-1, seen.value.shape[axis])
        if min(H, D) <= rows.shape[1] and all(_covered(row, known) for row in rows):
            return True
    return False


def _covered(row: Array, known: Index) -> bool:
    """Whether a row is right rows one after another."""
    at = 0
    while at < len(row):
        if row[at] in (0, 1):
            at += 1
            continue
        width = next((w for w in (H, D) if known.find(row[at : at + w]) is not None), 0)
        if not width:
            return False
        at += width
    return True


def _spoiled(cell: Model, node: Node, right: Run, index: Index, known: Index) -> Suspect | None:
    """What stands in the equation where something else should."""
    if node.name not in ELEMENTWISE[cell]:
        return None
    equation = int(node.equation)
    parents = {parent.name: parent for parent in node.parents if parent.step == node.step}
    held = variables(node, right)
    names = [n for n in names_in(equation) if isinstance(held.get(n), np.ndarray)]
    if len(names) < 2:  # of one number alone: any pair of step and slope would do
        return None
    for name in names:
        hits = _in_place(name, node, right, index, known)
        new = [i for i in hits if not made_of(index.seen[i], known)]
        new = [i for i in new if index.seen[i].names and _unknown_row(index.seen[i], known)]
        if new and name in parents:
            found, parent = index.seen[new[0]], parents[name]
            if any(plain(called) == plain(name) for called in found.names):
                return Suspect(parent, (parent.equation,), found)
            called = min(found.names, key=len)
            why = f"It takes `{called}` where {name} belongs."
            return Suspect(node, (equation, parent.equation), None, why)
        if hits:
            seen = min((index.seen[i] for i in new or hits), key=lambda each: each.value.size)
            called = min(seen.names, key=len, default="")
            if called and new:
                line = seen.names[called][1]
                why = f"The `{called}` in it, from line {line}, is not {name}."
                return Suspect(node, (equation,), None, why)
            if called:
                ours = _ours(seen, held)
                what = f"`{called}`, which is {ours}," if ours else f"`{called}`"
                return Suspect(node, (equation,), None, f"It takes {what} where {name} belongs.")
    for name in names:
        value = value_of(equation, {**held, name: 0 * held[name]})
        if known.find_all(value) is None and index.find_all(value) is not None:
            candidates = (equation, parents[name].equation) if name in parents else (equation,)
            return Suspect(node, candidates, None, f"It is what comes of {name} = 0.")
    return None


def _told_apart(
    cell: Model, node: Node, end: Node, right: Run, index: Index, known: Index
) -> Suspect | None:
    """Which of two equations in one line takes something else, if only one of them can."""
    two = {node.name, end.name} <= set(ELEMENTWISE[cell]) and end in node.children
    if not two:
        return None
    found = []
    for one, through in ((node, node), (end, None)):
        held = variables(one, right)
        for name in names_in(int(one.equation)):
            if name == node.name or not isinstance(held.get(name), np.ndarray):
                continue
            hits = _in_place(name, end, right, index, known, through)
            called = [name for i in hits for name in index.seen[i].names]
            if hits:
                taken = f"`{min(called, key=len)}`" if called else "something else"
                why = f"It takes {taken} where {name} belongs."
                found.append(Suspect(one, (one.equation,), None, why, end))
    return found[0] if len({each.node.name for each in found}) == 1 else None


def _unknown_row(seen: Seen, known: Index) -> bool:
    """Whether a value of one batch has rows that are right for nothing at all."""
    for array in (seen.value, np.moveaxis(seen.value, 0, -1)):
        if array.shape[-1] == H:
            rows = array.reshape(-1, H)
            return not known.holds(rows).any()
    return False


def _ours(seen: Seen, held: dict[str, Any]) -> str:
    """Our name of a value that is right for something of the same step."""
    for name, value in held.items():
        if isinstance(value, np.ndarray) and value.ndim == 2:
            for mine in (seen.value, seen.value.T):
                if mine.shape == value.shape and np.allclose(mine, value, rtol=1e-9, atol=0):
                    return name
    return ""


def _in_place(
    name: str,
    made: Node,
    right: Run,
    index: Index,
    known: Index,
    through: Node | None = None,
) -> list[int]:
    """The values that, in the place of a quantity, give what the learner has for `made`.

    What is right for something is not what comes of a wrong value. With `through` the quantity
    makes that node first.
    """
    windows, owner = index.windows(H)
    with np.errstate(all="ignore"):
        varied = np.ptp(windows, axis=1) > 1e-9 * np.abs(windows).max(axis=1)
    windows, owner = windows[varied], owner[varied]
    held = variables(made, right)
    for row in range(min(len(made.values[0]), 2)):
        with np.errstate(all="ignore"):
            result = _made(name, made, held, row, windows, through)
        if result.shape != windows.shape:
            return []
        hits = [k for k in _held(result, index, windows) if known.find(result[k]) is None]
        hits = [k for k in hits if not _is_part(result[k], made, right)]
        if hits:
            return sorted({int(owner[k]) for k in hits})
    return []


def _made(
    name: str,
    made: Node,
    held: dict[str, Any],
    row: int,
    windows: Array,
    through: Node | None,
) -> Array:
    """What comes of one example if each window in turn is its value of the quantity."""
    if made.name == "dh_prev":
        k = "ifgo".index(name[-1]) if name != "da_t" else 0
        W = held["W_h"][k * H : (k + 1) * H]
        return made.values[0][row] + (windows - held[name][row]) @ W
    trial: dict[str, Any] = {
        key: value[row] if isinstance(value, np.ndarray) and value.ndim == 2 else value
        for key, value in held.items()
    }
    trial[name] = windows
    if name == "c_t":  # (15) takes it by way of tanh_c
        trial["tanh_c"] = np.tanh(windows)
    if through is not None:
        trial[through.name] = value_of(int(through.equation), trial)
    return value_of(int(made.equation), trial)


def _held(made: Array, index: Index, windows: Array) -> list[int]:
    """Which of the trial values the learner has, other than those that were tried."""
    with np.errstate(all="ignore"):
        sizes = np.abs(made).max(axis=1)
        apart = np.abs(made - windows).max(axis=1)
    possible = np.flatnonzero(
        np.isfinite(sizes) & (sizes > 1e-12) & (apart > index.tolerance * sizes)
    )
    return [int(k) for k in possible[index.holds(made[possible])]]
