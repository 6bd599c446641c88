"""What a loop through time, or a returned array, has instead of what it should have.

A guess is tried by running our own step with other arguments: with the gradient of another step,
without what the next step hands back, with the cache of another step. If the learner holds what
comes of it, the guess is right.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import permutations
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.clinic.matching import Index
from numpy_lstm.clinic.nodes import ELEMENTWISE
from numpy_lstm.clinic.problem import Problem
from numpy_lstm.clinic.reference import Results, Run, functions
from numpy_lstm.types import Array


class Stack(NamedTuple):
    """How the gates' gradients are put together wrongly for (27) and (28)."""

    sentence: str = ""
    gate: str = ""  # "" if no single gate is to blame
    value: Array | None = None  # what has been put together, if it is that which is wrong


def wrong_stack(right: Run, t: int, index: Index, gates: str) -> Stack:
    """How the gates' gradients are put together wrongly for (27) and (28), if that can be told.

    Parameters
    ----------
    right : Run
    t : int
    index : Index
    gates : str
        The order of the learner's gates.

    Returns
    -------
    Stack
        Empty if nothing can be told.
    """
    base = right.backward[t]
    da = {k: base[f"da_{k}"] for k in "ifgo"}
    raw = {k: base[f"d{k}_t"] for k in "ifgo"}
    guesses = {f"The part of gate {k} is missing in it.": {**da, k: 0 * da[k]} for k in "ifgo"}
    guesses |= {f"Of gate {k} it takes d{k}_t, not da_{k}.": {**da, k: raw[k]} for k in "ifgo"}
    guesses["di_t, df_t, dg_t and do_t are used where da_t should be."] = raw
    for order in permutations("ifgo"):
        text = f"da_t is stacked in the order {', '.join(order)}; that of the weights is "
        guesses[f"{text}{', '.join(gates)}."] = {
            k: da[other] for k, other in zip(gates, order, strict=True)
        }
    for weight, name in (("W_h", "dh_prev"), ("W_x", "dx_t")):
        W = dict(zip("ifgo", np.split(base[weight], 4), strict=True))
        right_value = base[name]
        for text, parts in guesses.items():
            value = sum(parts[k] @ W[k] for k in "ifgo")
            if _differs(value, right_value) and index.find_all(value) is not None:
                gate = next((k for k in "ifgo" if f"gate {k} " in text), "")
                return Stack(text, gate, np.hstack([parts[k] for k in gates]))
        for k, other in permutations("ifgo", 2):
            value = right_value + da[k] @ (W[other] - W[k])
            if index.find_all(value) is not None:
                return Stack(f"The gradient of gate {k} meets the weights of gate {other}.")
    return Stack()


class Guess(NamedTuple):
    """What may be wrong around a step, and the arguments that our own step would then have."""

    sentence: str
    arguments: tuple[Any, ...]
    either: bool = False  # whether the equation itself may be wrong, and not the loop


def wrong_arguments(
    problem: Problem,
    right: Run,
    t: int,
    index: Index,
    known: Index,
    done: set[str],
    *,
    backward: bool,
) -> Guess | None:
    """What a learner's step t takes in the place of what it should take.

    Parameters
    ----------
    problem : Problem
    right : Run
    t : int
        The first step, in the order of the pass, that goes wrong.
    index : Index
    known : Index
        Of all that is right: to hold that says nothing.
    done : set of str
        Quantities of that step that are right: no guess may make them wrong.
    backward : bool

    Returns
    -------
    Guess or None
    """
    if problem.lengths is not None:
        return None
    record: list[dict[str, Any]] = []
    ours = functions((), record)
    base = (right.backward if backward else right.forward)[t]
    step = ours[f"{problem.cell}_step" + "_backward" * backward]
    made = {name for name in ELEMENTWISE[problem.cell] if name.startswith("d") == backward}
    made |= {"dx_t", "dh_prev"} if backward else {f"a_{k}" for k in "tifgo"}
    for guess in (_backward if backward else _forward)(problem, right, t):
        record.clear()
        step(*guess.arguments)
        wrong = {n: v for n, v in record[0].items() if n in made and _differs(v, base[n])}
        new = [v for v in wrong.values() if known.find_all(v) is None]
        if not done & set(wrong) and any(index.find_all(v) is not None for v in new):
            return guess
    return None


def _differs(value: Any, right: Any) -> bool:
    if not isinstance(value, np.ndarray) or value.shape != np.shape(right):
        return False
    size = np.abs(right).max()
    return bool(np.abs(value - right).max() > 1e-6 * size and np.abs(value).max() > 1e-9 * size)


def _backward(p: Problem, right: Run, t: int) -> Iterator[Guess]:
    base, last = right.backward[t], len(p.xs) - 1
    own, lstm = p.dhs[t], p.cell == "lstm"
    dh, cache = base["dh_t"], base["cache"]
    dc: Any = base.get("dc_next")
    dh_next = dh - own
    at = f"At step {t + 1}"
    after = f"step {t + 2}"

    def guess(sentence: str, dh: Array, dc: Any = dc, cache: Any = cache, **more: Any) -> Guess:
        return Guess(f"{at} {sentence}.", (dh, dc, cache) if lstm else (dh, cache), **more)

    missing = "dh_T" if t == last else f"the dh that {after} hands back"
    yield guess(f"the gradient in h lacks {missing}", own)
    yield guess(f"the gradient in h lacks the loss's own, dhs[{t}]", dh_next)
    for s in range(len(p.xs)):
        if s != t:
            yield guess(f"dhs[{s}] is added, where dhs[{t}] should be", p.dhs[s] + dh_next)
            yield guess(f"dhs[{s}] alone stands for the gradient in h", p.dhs[s])
    yield guess(f"dhs[{t}] is added twice", own + dh)
    if t < last:
        before = right.backward[t + 1]
        yield guess("dh starts from dh_T again", own + p.dh_T)
        yield guess(
            f"the whole dh_t of {after} is handed on, not what passes through it",
            own + before["dh_t"],
        )
        if lstm:
            yield guess(f"the dc_t of {after} is handed on without f", dh, before["dc_t"])
            yield guess("dc starts from dc_T again", dh, p.dc_T, either=True)
            yield guess(f"nothing comes from {after}, neither dh nor dc", own, 0 * dh)
            yield guess(f"dh and dc of {after} have changed places", own + dc, dh_next)
    if lstm:
        missing = "dc_T" if t == last else f"the dc that {after} hands back"
        yield guess(f"the gradient in c lacks {missing}", dh, 0 * dh, either=True)
        if t == last:
            yield guess("both dh_T and dc_T are missing", own, 0 * dh)
    for s in range(len(p.xs)):
        if s != t:
            kept = f"the backward pass uses what step {s + 1} has kept for itself, its cache"
            yield guess(kept, dh, dc, right.backward[s]["cache"], either=t == last)


def _forward(p: Problem, right: Run, t: int) -> Iterator[Guess]:
    base = right.forward[t]
    lstm = p.cell == "lstm"
    h, c, x = base["h_prev"], base.get("c_prev"), base["x_t"]

    def guess(sentence: str, x: Array, h: Array, c: Array | None = c) -> Guess:
        arguments = (x, h, c, p.params) if lstm else (x, h, p.params)
        return Guess(f"At step {t + 1} {sentence}.", arguments)

    start = "h0" if t == 0 else f"the h of step {t}"
    yield guess(f"the state before is zero, not {start}", x, 0 * h)
    if c is not None:
        start = "c0" if t == 0 else f"the c of step {t}"
        yield guess(f"the cell state before is zero, not {start}", x, h, 0 * h)
        yield guess("both states before are zero", x, 0 * h, 0 * h)
        yield guess("h and c of the step before have changed places", x, c, h)
    if t:
        yield guess("the state before is h0 again", x, p.h0)
        if lstm:
            yield guess("the cell state before is c0 again", x, h, p.c0)
            yield guess("both states before are the initial ones again", x, p.h0, p.c0)
    for s in range(len(p.xs)):
        if s != t:
            yield guess(f"the inputs of step {s + 1} are read", p.xs[s], h)


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
    if mine.ndim == 2 and len(mine) % mine.shape[1] == 0:
        blocks = np.split(right, len(right) // right.shape[1])
        if close(mine, np.concatenate([block.T for block in blocks])):
            return (
                f"{name} is transposed, gate by gate."
                if len(blocks) > 1
                else f"{name} is transposed."
            )
    scale = float((mine * right).sum() / (right * right).sum())
    if close(mine, scale * right):
        hint = " Clip outside of the backward pass." if 0 < scale < 1 else ""
        return f"{name} is {scale:.6g} times what it should be.{hint}"
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
        Infinite if a number is not finite, or the shapes differ.
    """
    if mine.shape != right.shape:
        return float("inf")
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
