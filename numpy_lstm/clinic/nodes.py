"""The quantities that a cell computes, and which is made from which.

A quantity of one gate at one step is a node. Its value is kept as rows: vectors of H numbers, one
for each example (D numbers for the inputs' gradients; a column of a weight matrix's block, for the
weights'). Rows are what is looked for in a learner's arrays (:mod:`numpy_lstm.clinic.matching`).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from numpy_lstm.clinic.equations import LOOP, Number
from numpy_lstm.clinic.problem import H
from numpy_lstm.clinic.reference import Run
from numpy_lstm.types import Array, Model

GATES = "ifgo"


@dataclass(eq=False)
class Node:
    """One quantity at one step."""

    equation: Number
    name: str  # of the variable in cells.py, or the gradient of a weight
    step: int  # from 0
    values: list[Array]  # each (rows, H or D): any of them will do
    gate: str = ""
    parents: list[Node] = field(default_factory=list)
    children: list[Node] = field(default_factory=list)

    def __str__(self) -> str:
        return f"{self.name}, gate {self.gate}" if self.gate else self.name


ELEMENTWISE = {
    "rnn": {"h_t": (2, "a_t"), "da_t": (3, "dh_t")},
    "lstm": {
        **{f"{k}_t": (n, f"a_{k}") for n, k in zip(range(10, 14), GATES, strict=True)},
        "c_t": (14, "f_t i_t g_t"),
        "h_t": (15, "o_t c_t"),
        "do_t": (16, "dh_t"),
        "dc_t": (17, "dh_t"),
        "di_t": (18, "dc_t"),
        "df_t": (19, "dc_t"),
        "dg_t": (20, "dc_t"),
        "dc_prev": (21, "dc_t"),
        **{f"da_{k}": (n, f"d{k}_t") for n, k in zip(range(22, 26), GATES, strict=True)},
    },
}


def forward_nodes(cell: Model, right: Run, *, chained: bool) -> list[Node]:
    """The nodes of the forward pass, each after those that it is made from.

    Parameters
    ----------
    cell : {"rnn", "lstm"}
    right : Run
    chained : bool
        Whether each step takes its states from the one before.

    Returns
    -------
    list of Node
    """
    nodes: dict[tuple[str, int], Node] = {}
    for t, step in enumerate(right.forward):
        for name in [f"a_{k}" for k in GATES] if cell == "lstm" else ["a_t"]:
            gate = name[2] if cell == "lstm" else ""
            before = [("h_t", t - 1)] if chained else []
            _add(nodes, Node(9 if cell == "lstm" else 1, name, t, [step[name]], gate), before)
        for name, (number, made_from) in ELEMENTWISE[cell].items():
            if name[0] == "d":
                continue
            parents = [(parent, t) for parent in made_from.split()]
            if name == "c_t" and chained:
                parents.append(("c_t", t - 1))
            _add(nodes, Node(number, name, t, [step[name]]), parents)
    return list(nodes.values())


def backward_nodes(cell: Model, right: Run, *, chained: bool) -> list[Node]:
    """The nodes of the backward pass, in its order: the last step comes first.

    Parameters
    ----------
    cell : {"rnn", "lstm"}
    right : Run
    chained : bool
        Whether it goes through time, so that steps hand on gradients, and add up the weights'.

    Returns
    -------
    list of Node
    """
    nodes: dict[tuple[str, int], Node] = {}
    gates = GATES if cell == "lstm" else " "
    das = [f"da_{k}" for k in GATES] if cell == "lstm" else ["da_t"]
    weights, inputs, hidden = (26, 27, 28) if cell == "lstm" else (4, 5, 6)
    total: dict[str, Any] = {}
    for t in reversed(range(len(right.backward))):
        step = right.backward[t]
        if chained:
            _add(nodes, Node(LOOP, "dh_t", t, [step["dh_t"]]), [("dh_prev", t + 1)])
        for name, (number, made_from) in ELEMENTWISE[cell].items():
            if name[0] == "d":
                parents = [(parent, t) for parent in made_from.split()]
                if name == "dc_t" and chained:
                    parents.append(("dc_prev", t + 1))
                _add(nodes, Node(number, name, t, [step[name]]), parents)
        for name, array in step["dparams"]._asdict().items():
            total[name] = total.get(name, 0) + array
            for k, gate in enumerate(gates):
                part = slice(k * H, (k + 1) * H)
                values = [_columns(a[part]) for a in (array, total[name])]
                node = Node(weights, f"d{name}", t, values[: 1 + chained], gate.strip())
                _add(nodes, node, [(das[k], t)])
        _add(nodes, Node(inputs, "dx_t", t, [step["dx_t"]]), [(da, t) for da in das])
        _add(nodes, Node(hidden, "dh_prev", t, [step["dh_prev"]]), [(da, t) for da in das])
    if chained:
        for name, array in total.items():
            for k, gate in enumerate(gates):
                value = _columns(array[k * H : (k + 1) * H])
                shares = [(f"d{name}{gate.strip()}", t) for t in range(len(right.backward))]
                _add(nodes, Node(LOOP, f"sum of d{name}", 0, [value], gate.strip()), shares)
    return list(nodes.values())


def _columns(block: Array) -> Array:
    return block.T if block.ndim == 2 else block[np.newaxis]


def _add(nodes: dict[tuple[str, int], Node], node: Node, parents: list[tuple[str, int]]) -> None:
    node.parents = [nodes[key] for key in parents if key in nodes]
    for parent in node.parents:
        parent.children.append(node)
    own = node.name + node.gate if node.name.startswith(("dW", "db", "sum")) else node.name
    nodes[own, node.step] = node
