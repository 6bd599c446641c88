"""One examination: what is examined, on what, and what came of it."""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from numpy_lstm.clinic.diagnosis import Diagnosis
from numpy_lstm.clinic.explain import worst
from numpy_lstm.clinic.layouts import absent, names_in
from numpy_lstm.clinic.learner import Attempt, Functions, attempt, name_of
from numpy_lstm.clinic.matching import TOLERANCE, Index
from numpy_lstm.clinic.nodes import Node, backward_nodes, forward_nodes
from numpy_lstm.clinic.problem import draw
from numpy_lstm.clinic.reference import Results, run, step_results
from numpy_lstm.clinic.watching import Seen
from numpy_lstm.types import Array, Model

ANY_FLOAT = max(TOLERANCE.values())
# Quantities that may be the last of their line, and what returns them: a step, a sequence.
ENDS = {"dx_t": ("dx", "dxs"), "dh_prev": ("dh_prev", "dh0"), "dc_prev": ("dc_prev", "dc0")}


class Case:
    """A learner's functions, a batch, what they should give and what they gave."""

    def __init__(self, functions: Functions, cell: Model, seed: int) -> None:
        self.f, self.cell = functions, cell
        zero = absent(functions.layout, cell, sequence=functions.sequence)
        self.problem = draw(
            cell, seed, examples=functions.layout.examples, zero=zero, padded=functions.padded
        )
        self.right = run(self.problem)
        steps = self.right.forward, self.right.backward
        self.wanted: Results = self.right.results if functions.sequence else step_results(*steps)
        self.a: Attempt = attempt(functions, self.problem, self.right)
        self.notes: list[str] = []
        single = self.a.single or any(x.dtype == np.float32 for x in self.a.results.values())
        self.tolerance = TOLERANCE[np.dtype(np.float32 if single else np.float64)]
        self.names = name_of(functions.forward), name_of(functions.backward)
        self.errors = worst(self.a.results, self.wanted)
        self._indices: dict[int, Index] = {}
        self._until: dict[tuple[bool, int], Index] = {}

    def wrong(self, *, forward: bool) -> dict[str, float]:
        """The results of one pass that are wrong."""
        return {
            name: error
            for name, error in self.errors.items()
            if name.startswith("d") != forward and not error <= self.tolerance
        }

    def nodes(self, *, forward: bool) -> list[Node]:
        """The quantities of one pass."""
        made = forward_nodes if forward else backward_nodes
        nodes = made(self.cell, self.right, chained=self.f.sequence)
        returned = names_in(self.f.signatures(self.problem)[3])
        bias = bool(self.problem.params.b.any())  # else the learner has none
        for node in nodes[::-1]:  # what is neither returned nor used need not be computed
            end = ENDS.get(node.name, ("", ""))[self.f.sequence]
            if not node.children and (
                (end and end not in returned) or not (bias or node.name[-2:] != "db")
            ):
                nodes.remove(node)
                for parent in node.parents:
                    parent.children.remove(node)
        return nodes

    @functools.cached_property
    def known(self) -> Index:
        """Of all that is right."""
        arrays = [
            np.asarray(value)
            for step in (*self.right.forward, *self.right.backward)
            for value in (*step.values(), *step.get("dparams", ()))
            if isinstance(value, np.ndarray) and value.ndim
        ]
        p = self.problem
        arrays += [p.xs, p.h0, p.c0, p.dhs, p.dh_T, p.dc_T, *p.params, *self.right.results.values()]
        return Index([Seen(array, "", "", 0, "", {}) for array in arrays], self.tolerance)

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
            given = self.problem.dhs if self.f.sequence else None
            if backward and given is not None:  # to be given the last gradient is not to add to it
                seen = [s for s in seen if not _same_numbers(s.value, given)]
            seen += self.returned(backward, node.step)
            self._indices[key] = Index(seen, self.tolerance)
        return self._indices[key]

    def until(self, node: Node) -> Index | None:
        """Of these values those that were there when the node's step was done, as far as is known.

        Which step a line belongs to is told by how many times it has run.
        """
        if not self.f.sequence or not self.a.watched:
            return self.index_of(node)
        backward = node.name.startswith(("d", "sum"))
        T = len(self.problem.xs)
        step = T - 1 - node.step if backward else node.step
        if (backward, step) not in self._until:
            calls = self.a.backward_seen if backward else self.a.forward_seen
            totals = self.a.backward_ran if backward else self.a.forward_ran
            seen = []
            for each in calls[0] if calls else []:
                total = max(T, totals[0].get((each.file, each.line), T))
                if (each.round - 1) * T // total <= step:
                    seen.append(each)
            self._until[backward, step] = Index(seen, self.tolerance)
        return self._until[backward, step]

    def last_index(self, *, forward: bool) -> Index:
        """The values of the last call of a pass."""
        calls = self.a.forward_seen if forward else self.a.backward_seen
        return Index(calls[-1] if calls else [], self.tolerance)

    def returned(self, backward: bool, step: int) -> list[Seen]:
        """What the functions returned, as if it had been seen: all there is without watching."""
        found = []
        for key, array in self.a.results.items():
            if key.startswith("d") == backward:
                value = array if self.f.sequence else array[step : step + 1]
                if len(value):
                    value = np.asarray(value, np.float64)
                    found.append(Seen(value, "", "", 0, self.names[backward], {}))
        return found

    def diagnosis(self, verdict: Any, summary: str, **more: Any) -> Diagnosis:
        """With what is the same in all."""
        if not self.a.watched:
            self.notes.append(
                "Your variables could not be watched: a debugger or a coverage tool does it, your "
                "code calls sys.settrace, or this interpreter cannot do it. So only what your "
                "functions return was compared."
            )
        for name in self.a.wrote:
            self.notes.append(f"Your functions write into their argument {name}; they should not.")
        blamed = {number for fault in more.get("faults", ()) for number in fault.numbers}
        more["right"] = tuple(n for n in more.get("right", ()) if n not in blamed)
        if 1e-9 < max(more.get("errors", {"": 0.0}).values(), default=0.0) <= ANY_FLOAT:
            self.notes.append(
                "Differences as small as these come of float32: is it used anywhere? Where none of "
                "your variables shows it, everything is compared to 1e-9."
            )
        return Diagnosis(
            verdict,
            self.cell,
            self.names,
            self.f.sequence,
            summary,
            notes=tuple(dict.fromkeys(self.notes)),
            watched=self.a.watched,
            **more,
        )


def _same_numbers(value: Array, given: Array) -> bool:
    """Whether an array holds just the given numbers, in whatever order of its axes."""
    return value.size == given.size and bool(
        np.array_equal(np.sort(value, axis=None), np.sort(given, axis=None))
    )
