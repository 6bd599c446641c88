"""What a loop through time, or a returned array, has instead of what it should have.

A guess is tried by running our own step with other arguments: with the gradient of another step,
without what the next step hands back, with the cache of another step. If the learner holds what
comes of it, the guess is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.problem import Problem
from numpy_lstm.clinic.reference import Results, Run, functions
from numpy_lstm.types import Array


def wrong_arguments(problem: Problem, right: Run, t: int, index: Index, *, backward: bool) -> str:
    """What a learner's step t takes in the place of what it should take.

    Parameters
    ----------
    problem : Problem
    right : Run
    t : int
        The first step, in the order of the pass, that goes wrong.
    index : Index
    backward : bool

    Returns
    -------
    str
        A sentence, or "" if no guess is right.
    """
    if problem.lengths is not None:
        return ""
    record: list[dict[str, Any]] = []
    ours = functions((), record)
    base = (right.backward if backward else right.forward)[t]
    step = ours[f"{problem.cell}_step" + "_backward" * backward]
    guesses = _backward(problem, right, t) if backward else _forward(problem, right, t)
    for sentence, arguments in guesses:
        record.clear()
        step(*arguments)
        for name, value in record[0].items():
            if name in base and _is_result(name) and _differs(value, base[name]):
                if index.find_all(value) is not None:
                    return sentence
    return ""


def _is_result(name: str) -> bool:
    return name.endswith(("_t", "_prev")) or name[:3] in ("da_",) or name[:2] == "a_"


def _differs(value: Any, right: Any) -> bool:
    if not isinstance(value, np.ndarray) or value.shape != np.shape(right):
        return False
    size = np.abs(right).max()
    return bool(np.abs(value - right).max() > 1e-6 * size and np.abs(value).max() > 1e-9 * size)


def _backward(p: Problem, right: Run, t: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    base, last = right.backward[t], len(p.xs) - 1
    own, lstm = p.dhs[t], p.cell == "lstm"
    dh_next = base["dh_t"] - own
    step = f"step {t + 1}"
    after = f"step {t + 2}" if t < last else "the loss on the last state"
    dc = base.get("dc_next")

    def arguments(dh: Array, dc_next: Any = dc, cache: Any = base["cache"]) -> tuple[Any, ...]:
        return (dh, dc_next, cache) if lstm else (dh, cache)

    name = "dh_T" if t == last else f"the dh that {after} hands back"
    yield f"At {step} the gradient in h lacks {name}.", arguments(own)
    yield f"At {step} the gradient in h lacks the loss's own, dhs[{t}].", arguments(dh_next)
    for s in range(len(p.xs)):
        if s != t:
            text = f"At {step} the loss's gradient of step {s + 1}, dhs[{s}], is added"
            yield f"{text} in the place of dhs[{t}].", arguments(p.dhs[s] + dh_next)
            yield f"{text} alone.", arguments(p.dhs[s])
    yield f"At {step} the loss's own gradient, dhs[{t}], is added twice.", arguments(own + base["dh_t"])
    if t < last:
        before = right.backward[t + 1]
        yield f"At {step} dh starts from dh_T again.", arguments(own + p.dh_T)
        yield f"At {step} the total dh of step {t + 2} is handed on.", arguments(own + before["dh_t"])
        if lstm:
            text = f"At {step} the total dc of step {t + 2} is handed on, without f."
            yield text, arguments(base["dh_t"], before["dc_t"])
            yield f"At {step} dc starts from dc_T again.", arguments(base["dh_t"], p.dc_T)
            both = f"At {step} nothing comes from {after}: neither dh nor dc."
            yield both, arguments(own, 0 * base["dh_t"])
            swapped = f"At {step} dh and dc of {after} have changed places."
            yield swapped, arguments(own + dc, dh_next)
    if lstm:
        name = "dc_T" if t == last else f"the dc that {after} hands back"
        yield f"At {step} the gradient in c lacks {name}.", arguments(base["dh_t"], 0 * base["dh_t"])
        if t == last:
            text = "The gradients dh_T and dc_T on the last states are forgotten."
            yield text, arguments(own, 0 * own)
    for s in range(len(p.xs)):
        if s != t:
            other = right.backward[s]["cache"]
            text = f"Step {t + 1} backward uses what step {s + 1} has kept, its cache."
            yield text, arguments(base["dh_t"], dc, other)


def _forward(p: Problem, right: Run, t: int) -> Iterator[tuple[str, tuple[Any, ...]]]:
    base = right.forward[t]
    lstm = p.cell == "lstm"
    h, c, x = base["h_prev"], base.get("c_prev"), base["x_t"]
    step = f"step {t + 1}"

    def arguments(x_t: Array, h_prev: Array, c_prev: Any = c) -> tuple[Any, ...]:
        return (x_t, h_prev, c_prev, p.params) if lstm else (x_t, h_prev, p.params)

    zero = 0 * h
    start = "h0" if t == 0 else f"the h of step {t}"
    yield f"At {step} the state before is zero, not {start}.", arguments(x, zero)
    if lstm:
        start = "c0" if t == 0 else f"the c of step {t}"
        yield f"At {step} the cell state before is zero, not {start}.", arguments(x, h, zero)
        yield f"At {step} both states before are zero.", arguments(x, zero, zero)
        yield f"At {step} h and c before have changed places.", arguments(x, c, h)
    if t:
        yield f"At {step} the state before is h0 again.", arguments(x, p.h0)
        if lstm:
            yield f"At {step} the cell state before is c0 again.", arguments(x, h, p.c0)
            yield f"At {step} both states are the initial ones again.", arguments(x, p.h0, p.c0)
    for s in range(len(p.xs)):
        if s != t:
            yield f"Step {t + 1} reads the inputs of step {s + 1}.", arguments(p.xs[s], h)


def wrong_sum(total: Array, shares: list[Array]) -> str:
    """What a sum over the steps is instead.

    Parameters
    ----------
    total : ndarray
        What the learner returned.
    shares : list of ndarray
        Of each step.

    Returns
    -------
    str
        A sentence, or "".
    """
    T = len(shares)
    right = np.sum(shares, axis=0)
    guesses = {
        f"It is the share of step {t + 1} alone: overwritten, not added up.": shares[t]
        for t in range(T)
    }
    guesses |= {
        f"The share of step {t + 1} is missing from the sum.": right - shares[t] for t in range(T)
    }
    guesses |= {
        f"The share of step {t + 1} is in the sum twice.": right + shares[t] for t in range(T)
    }
    return next((text for text, guess in guesses.items() if close(total, guess)), "")


def wrong_result(name: str, mine: Array, right: Array, others: Mapping[str, Array]) -> str:
    """What a returned array is, although all that it is made from is right.

    Parameters
    ----------
    name : str
    mine, right : ndarray
        As returned, and as it should be.
    others : dict of str to ndarray
        All right results.

    Returns
    -------
    str
        A sentence, or "".
    """
    bound = float(np.abs(mine).max())
    if bound == 0:
        return f"{name} is zero."
    if close(mine, -right):
        return f"{name} has the wrong sign."
    if bound < np.abs(right).max() and close(mine, np.clip(right, -bound, bound)):
        return f"{name} is clipped at {bound:.6g}: clip outside of the backward pass."
    if name in ("hs", "dxs"):
        for shift in range(1, len(right)):
            if close(mine, np.roll(right, shift, axis=0)):
                return f"{name} has its steps shifted by {shift}."
        if close(mine, right[::-1]):
            return f"{name} has its steps in the opposite order."
    for other, value in others.items():
        if other != name and value.shape == mine.shape and close(mine, value):
            return f"{name} holds what should be {other}."
    if mine.ndim == 2 and mine.shape[0] == mine.shape[1] and close(mine, right.T):
        return f"{name} is transposed."
    scale = float((mine * right).sum() / (right * right).sum())
    if close(mine, scale * right):
        return f"{name} is {scale:.6g} times what it should be."
    return ""


def close(mine: Array, right: Array, tolerance: float = 1e-9) -> bool:
    """Whether two arrays agree, relative to the largest number.

    Parameters
    ----------
    mine, right : ndarray
    tolerance : float

    Returns
    -------
    bool
    """
    return distance(mine, right) <= tolerance


def distance(mine: Array, right: Array) -> float:
    """The largest difference, relative to the largest number of both arrays.

    Parameters
    ----------
    mine, right : ndarray

    Returns
    -------
    float
        Infinite if a number is not finite.
    """
    with np.errstate(all="ignore"):
        size = max(float(np.abs(mine).max()), float(np.abs(right).max()))
        if not np.isfinite(size):
            return float("inf")
        return float(np.abs(mine - right).max()) / size if size else 0.0


def worst(mine: Results, right: Mapping[str, Array]) -> dict[str, float]:
    """The distance of every array that both have; of two biases the worse.

    Parameters
    ----------
    mine, right : dict of str to ndarray

    Returns
    -------
    dict of str to float
    """
    found: dict[str, float] = {}
    for name, array in mine.items():
        key = name.rstrip("'")
        if key in right:
            found[key] = max(found.get(key, 0.0), distance(array, right[key]))
    return found
