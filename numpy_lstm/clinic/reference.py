"""Every intermediate quantity of a batch, got by running the code of the package itself.

The functions of :mod:`numpy_lstm.cells` and the loops of :mod:`numpy_lstm.bptt` are compiled from
their own source, with a line before each ``return`` that hands out the local variables. So there is
no second copy of the mathematics. The same way runs them with a line replaced: a known bug.
"""

from __future__ import annotations
import __future__

import functools
from collections.abc import MutableSequence, Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm import bptt, cells
from numpy_lstm.clinic.equations import source
from numpy_lstm.clinic.problem import Problem
from numpy_lstm.types import Array

Results = dict[str, Array]


class Edit(NamedTuple):
    """In a function of cells.py or bptt.py, `new` stands for `old`, which is there once."""

    function: str
    old: str
    new: str


class Run(NamedTuple):
    """What came out, and the local variables of every step: ``forward[t]``, ``backward[t]``."""

    results: Results
    forward: list[dict[str, Any]]
    backward: list[dict[str, Any]]
    out: Any = None  # what the forward pass returned, of a run that has one


HOMES = {
    name: getattr(module, name)
    for module, names in (
        (cells, "sigmoid rnn_step rnn_step_backward lstm_step lstm_step_backward"),
        (bptt, "rnn_forward rnn_backward lstm_forward lstm_backward"),
    )
    for name in names.split()
}


def edited(edit: Edit) -> str:
    """The source of the edited function.

    Parameters
    ----------
    edit : Edit

    Returns
    -------
    str
    """
    text = source(HOMES[edit.function])[0]
    if text.count(edit.old) != 1:
        raise ValueError(f"`edit` must replace what stands once in {edit.function}: {edit.old!r}")
    return text.replace(edit.old, edit.new)


@functools.lru_cache(maxsize=4096)
def _compiled(name: str, text: str) -> Any:
    if "step" in name:
        text = text.replace("\n    return ", "\n    _record(locals())\n    return ")
    flags = __future__.annotations.compiler_flag
    return compile(text, f"<{name}>", "exec", flags=flags, dont_inherit=True)


def functions(edits: Sequence[Edit], record: MutableSequence[dict[str, Any]]) -> dict[str, Any]:
    """The package's steps and loops by name, with some lines replaced.

    Parameters
    ----------
    edits : sequence of Edit
        Later ones are made in what earlier ones have left.
    record : list
        Gets the local variables of each step that returns.

    Returns
    -------
    dict
    """
    texts = {name: source(function)[0] for name, function in HOMES.items()}
    for edit in edits:
        text = texts[edit.function]
        if text.count(edit.old) != 1:
            raise ValueError(f"`old` must stand once in {edit.function}: {edit.old!r}")
        texts[edit.function] = text.replace(edit.old, edit.new)
    names = {**vars(cells), **vars(bptt), "_record": record.append}
    for name, text in texts.items():
        exec(_compiled(name, text), names)
    return names


def run(problem: Problem, edits: Sequence[Edit] = (), right: Run | None = None) -> Run:
    """A whole sequence, forward and backward; if lengths differ, each example alone.

    Parameters
    ----------
    problem : Problem
    edits : sequence of Edit
    right : Run, optional
        Of the same problem, without edits: saves the forward pass if no edit is in it.

    Returns
    -------
    Run
    """
    if problem.lengths is not None:
        return _merged(problem, [run(_alone(problem, n), edits) for n in range(len(problem.h0))])
    record: list[dict[str, Any]] = []
    ours = functions(edits, record)
    p, cell = problem, problem.cell
    if right is None or _change_forward(edits):
        states = (p.h0, p.c0) if cell == "lstm" else (p.h0,)
        out = ours[f"{cell}_forward"](p.xs, p.params, *states)
        forward, record[:] = record[:], []
    else:
        out, forward = right.out, right.forward
    ends = (p.dh_T, p.dc_T) if cell == "lstm" else (p.dh_T,)
    g = ours[f"{cell}_backward"](out.cache, p.dhs, *ends)
    results = {"hs": out.hs, "h_T": out.h_T, "dxs": g.dxs, "dh0": g.dh0}
    results |= {f"d{name}": array for name, array in g.dparams._asdict().items()}
    if cell == "lstm":
        results |= {"c_T": out.c_T, "dc0": g.dc0}
    return Run(results, forward, record[::-1], out)


def _change_forward(edits: Sequence[Edit]) -> bool:
    return any("backward" not in edit.function for edit in edits)


def run_steps(problem: Problem, right: Run, edits: Sequence[Edit]) -> Results:
    """Each step by itself, from the states and gradients that are right; stacked over the steps.

    Parameters
    ----------
    problem : Problem
    right : Run
        Of the same problem, without edits.
    edits : sequence of Edit

    Returns
    -------
    dict
        As :func:`step_results`.
    """
    record: list[dict[str, Any]] = []
    ours = functions(edits, record)
    cell = problem.cell
    forward = right.forward
    if _change_forward(edits):
        for r in right.forward:
            states = [r[name] for name in ("x_t", "h_prev", "c_prev") if name in r]
            ours[f"{cell}_step"](*states, problem.params)
        forward, record[:] = record[:], []
    caches = [_cache(ours, cell, locals_) for locals_ in forward]
    for r, cache in zip(right.backward, caches, strict=True):
        incoming = [r[name] for name in ("dh_t", "dc_next") if name in r]
        ours[f"{cell}_step_backward"](*incoming, cache)
    return step_results(forward, record)


def step_results(forward: list[dict[str, Any]], backward: list[dict[str, Any]]) -> Results:
    """What steps return, stacked over the steps.

    Parameters
    ----------
    forward, backward : list of dict
        Local variables of each step.

    Returns
    -------
    dict
        ``h``, ``c``, ``dx``, ``dh_prev``, ``dc_prev``, ``dW_x``, ``dW_h``, ``db``.
    """
    names = {"h": "h_t", "c": "c_t", "dx": "dx_t", "dh_prev": "dh_prev", "dc_prev": "dc_prev"}
    results = {}
    for name, local in names.items():
        steps = backward if name[0] == "d" else forward
        if local in steps[0]:
            results[name] = np.stack([step[local] for step in steps])
    for weight in ("W_x", "W_h", "b"):
        results[f"d{weight}"] = np.stack([getattr(s["dparams"], weight) for s in backward])
    return results


def _cache(ours: dict[str, Any], cell: str, step: dict[str, Any]) -> Any:
    kind = cells.LSTMStepCache if cell == "lstm" else cells.RNNStepCache
    return kind(*(step[name] for name in kind._fields))


def _alone(p: Problem, n: int) -> Problem:
    assert p.lengths is not None
    T = p.lengths[n]
    own = {name: getattr(p, name)[n : n + 1] for name in ("h0", "c0", "dh_T", "dc_T")}
    whole = {name: getattr(p, name)[:T, n : n + 1] for name in ("xs", "dhs")}
    return p._replace(lengths=None, **own, **whole)


def _merged(problem: Problem, runs: list[Run]) -> Run:
    """Runs of single examples as one: a step has the rows of those that are still running."""
    T = len(problem.xs)
    results = {}
    for name, first in runs[0].results.items():
        arrays = [each.results[name] for each in runs]
        if name in ("hs", "dxs"):
            whole = np.zeros((T, len(runs), first.shape[2]))
            for n, array in enumerate(arrays):
                whole[: len(array), n] = array[:, 0]
            results[name] = whole
        elif name[:2] in ("dW", "db"):
            results[name] = np.sum(arrays, axis=0)
        else:
            results[name] = np.concatenate(arrays)
    steps = {
        part: [_joined([getattr(r, part)[t] for r in runs if t < len(r.forward)]) for t in range(T)]
        for part in ("forward", "backward")
    }
    return Run(results, steps["forward"], steps["backward"])


def _joined(steps: list[dict[str, Any]]) -> dict[str, Any]:
    joined: dict[str, Any] = {}
    for name, value in steps[0].items():
        if name == "dparams":
            joined[name] = type(value)(*map(sum, zip(*(s[name] for s in steps), strict=True)))
        elif isinstance(value, np.ndarray) and value.ndim == 2 and name not in ("W_x", "W_h"):
            joined[name] = np.concatenate([step[name] for step in steps])
        else:
            joined[name] = value
    return joined
