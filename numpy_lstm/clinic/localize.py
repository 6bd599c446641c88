"""Which equation is wrong first?

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
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import cells
from numpy_lstm.clinic.equations import LOOP, Number, code_of
from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.nodes import ELEMENTWISE, Node
from numpy_lstm.clinic.reference import Run
from numpy_lstm.clinic.watching import Seen
from numpy_lstm.types import Array, Model


class Suspect(NamedTuple):
    """A node that is wrong first, and what the learner has in its place, if that is known."""

    node: Node
    candidates: tuple[Number, ...]
    version: Seen | None  # the learner's own, wrong
    inputs: tuple[tuple[str, Seen], ...]  # what goes into it, and the learner's name of that
    why: str = ""  # what was found out besides


Find = Callable[[Node], "Index | None"]


class Finding(NamedTuple):
    """What is done and what is wrong first."""

    suspects: list[Suspect]
    done: list[Node]
    missing: list[Node]


def localize(cell: Model, nodes: Sequence[Node], right: Run, index_of: Find) -> Finding:
    """Find the first wrong equations.

    Parameters
    ----------
    cell : {"rnn", "lstm"}
    nodes : sequence of Node
        Each after those that it is made from.
    right : Run
    index_of : callable
        The values in which a node is to be looked for.

    Returns
    -------
    Finding
    """
    places = {id(node): _place(node, index_of(node)) for node in nodes}
    done: dict[int, bool] = {}
    for node in reversed(nodes):
        done[id(node)] = places[id(node)] is not None or any(done[id(c)] for c in node.children)
    first = [n for n in nodes if not done[id(n)] and all(done[id(p)] for p in n.parents)]
    suspects = []
    for node in first:
        index = index_of(node)
        inputs = []
        for parent in node.parents:
            place = places[id(parent)]
            other = index_of(parent)
            if place is not None and other is not None:
                inputs.append((parent.name, other.seen[place]))
        version = _version(cell, node, right, index) if index else None
        candidates = (node.equation,)
        if version is None and len(node.children) == 1 and not done[id(node.children[0])]:
            candidates = (node.equation, node.children[0].equation)
        suspects.append(Suspect(node, candidates, version, tuple(inputs)))
    return Finding(
        suspects,
        [node for node in nodes if done[id(node)]],
        [node for node in nodes if not done[id(node)]],
    )


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


def _uses(cell: Model, node: Node) -> Iterator[Node]:
    """What is made from the node number by number, by one line of code."""
    for child in node.children:
        if child.step == node.step and child.name in ELEMENTWISE[cell]:
            yield child


def _version(cell: Model, node: Node, right: Run, index: Index) -> Seen | None:
    """The value of the learner's that is used as the node's quantity is, if one can be told."""
    rows = len(node.values[0])
    if node.name.startswith(("dW", "db", "sum", "dx", "dh_prev")):
        return None
    name = node.name
    for child in _uses(cell, node):
        windows, owner = index.windows(node.values[0].shape[1])
        held = variables(child, right)
        if name == "c_t":  # (15) takes it by way of tanh_c
            held = {key: value for key, value in held.items() if key != "tanh_c"}
        for row in range(min(rows, 2)):
            with np.errstate(all="ignore"):
                trial: dict[str, Any] = {
                    key: value[row] if isinstance(value, np.ndarray) and value.ndim == 2 else value
                    for key, value in held.items()
                }
                trial[name] = windows
                if name == "c_t":
                    trial["tanh_c"] = np.tanh(windows)
                made = value_of(int(child.equation), trial)
            if made.shape != windows.shape:
                break
            hits = sorted({int(owner[k]) for k in _held(made, index, windows)})
            if hits:
                return index.seen[hits[0]]
    return None


def _held(made: Array, index: Index, windows: Array) -> list[int]:
    """Which of the trial values the learner has, other than those that were tried."""
    sizes = np.abs(made).max(axis=1)
    possible = np.flatnonzero(np.isfinite(sizes) & (sizes > 1e-12))
    found = []
    for k in possible:
        if np.abs(made[k] - windows[k]).max() <= index.tolerance * sizes[k]:
            continue
        place = index.find(made[k])
        if place is not None:
            found.append(int(k))
    return found
