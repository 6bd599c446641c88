"""Calls a learner's functions, and says in a sentence what went wrong if something does.

Each call gets copies of its arguments. What a function prints is swallowed, and one that does not
come to an end is stopped.
"""

from __future__ import annotations

import contextlib
import copy
import io
import signal
import threading
import time
import traceback
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.clinic.layouts import ARRAYS, SEQUENCES, Layout, Tree, names_in, signature
from numpy_lstm.clinic.problem import D, H, Problem
from numpy_lstm.clinic.reference import Results, Run
from numpy_lstm.clinic.watching import Blank, Place, Seen, Stopped, Watch, can_watch, is_learners
from numpy_lstm.types import Array

SECONDS = 10.0  # for one call


class Trouble(Exception):
    """A learner's function did not do what was asked of it."""

    def __init__(
        self,
        text: str,
        file: str = "",
        line: int = 0,
        *,
        unwritten: bool = False,
        endless: bool = False,
    ) -> None:
        super().__init__(text)
        self.file, self.line = file, line
        self.unwritten = unwritten  # whether the function is a blank
        self.endless = endless  # whether it had to be stopped: not to be run again


class Functions(NamedTuple):
    """What is examined."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    layout: Layout
    sequence: bool  # whether they run through time
    padded: bool = False  # whether the forward function takes lengths

    def signatures(self, problem: Problem) -> tuple[Tree, Tree, Tree, Tree]:
        """What forward takes and returns, what backward takes and returns."""
        texts = (
            (self.layout.forward, self.layout.backward)
            if self.sequence
            else (self.layout.step, self.layout.step_backward)
        )
        takes, returns = signature(texts[0], problem.cell)
        if self.padded:
            takes = (*takes, "lengths")
        return takes, returns, *signature(texts[1], problem.cell)


@dataclass
class Attempt:
    """What became of one run, forward and backward."""

    results: Results = field(default_factory=dict)
    again: Results = field(default_factory=dict)  # gradients of a second call on the same cache
    trouble: Trouble | None = None
    forward_seen: list[list[Seen]] = field(default_factory=list)  # of each call
    backward_seen: list[list[Seen]] = field(default_factory=list)
    forward_ran: list[dict[Place, int]] = field(default_factory=list)  # how often each line did
    backward_ran: list[dict[Place, int]] = field(default_factory=list)
    blanks: list[Blank] = field(default_factory=list)
    ran: set[tuple[str, int]] = field(default_factory=set)  # lines, by file
    wrote: list[str] = field(default_factory=list)  # arguments that were written into
    single: bool = False  # whether there was a float32
    watched: bool = True
    in_backward: bool = False  # whether the trouble is there


def attempt(functions: Functions, problem: Problem, right: Run, *, watch: bool = True) -> Attempt:
    """Run a learner's functions: steps from states that are right, or a whole sequence.

    Parameters
    ----------
    functions : Functions
    problem : Problem
    right : Run
        Of the same problem.
    watch : bool
        Whether to look at what the functions hold.

    Returns
    -------
    Attempt
    """
    result = Attempt()
    try:
        _attempt(functions, problem, right, result, watch)
    except Trouble as trouble:
        result.trouble = trouble
    return result


def _attempt(f: Functions, problem: Problem, right: Run, result: Attempt, watch: bool) -> None:
    takes, returns, back_takes, back_returns = f.signatures(problem)
    params = f.layout.weights_object(problem.params)
    weights = f.layout.weight_arrays(problem.params)
    calls = _calls(f, problem, right)
    caches: list[Any] = []
    for values in calls:
        values = {**weights, "params": params, **values}
        out = _call(f.forward, takes, values, f, result, watch)
        picked = _pick(returns, out, f.layout, f.forward)
        caches.append(picked.get("cache"))
        _collect(result.results, picked, problem, f, right)
    result.in_backward = True
    order = list(range(len(calls)))[::-1]
    gradients: list[Results] = [{} for _ in calls]
    for t in order:
        values = {**weights, "params": params, **calls[t], "cache": caches[t]}
        out = _call(f.backward, back_takes, values, f, result, watch)
        picked = _pick(back_returns, out, f.layout, f.backward)
        _collect(gradients[t], picked, problem, f, right, name_of(f.backward))
    _joined(result.results, gradients)
    if not watch:
        repeated: list[Results] = [{} for _ in calls]
        for t in order:
            values = {**weights, "params": params, **calls[t], "cache": caches[t]}
            out = _call(f.backward, back_takes, values, f, result, watch)
            picked = _pick(back_returns, out, f.layout, f.backward)
            _collect(repeated[t], picked, problem, f, right)
        _joined(result.again, repeated)


def _joined(results: Results, parts: list[Results]) -> None:
    for name in parts[0]:
        results[name] = np.concatenate([part[name] for part in parts])


def _calls(f: Functions, p: Problem, right: Run) -> list[dict[str, Any]]:
    """The arguments of each call, by the names of a layout."""
    lay = f.layout
    if f.sequence:
        ours = {name: lay.array(getattr(p, name)) for name in ("h0", "c0", "dh_T", "dc_T")}
        ours |= {name: lay.sequence(getattr(p, name)) for name in ("xs", "dhs")}
        return [{**ours, "lengths": p.lengths}]
    forward = {"x": "x_t", "h": "h_prev", "c": "c_prev"}
    backward = {"dh": "dh_t", "dc": "dc_next"}
    return [
        {
            **{n: lay.array(there[local]) for n, local in forward.items() if local in there},
            **{n: lay.array(back[local]) for n, local in backward.items() if local in back},
        }
        for there, back in zip(right.forward, right.backward, strict=True)
    ]


def _call(
    function: Callable[..., Any],
    takes: Tree,
    values: Mapping[str, Any],
    f: Functions,
    result: Attempt,
    watch: bool,
) -> Any:
    missing = [name for name in names_in(takes) if name not in values]
    if missing:
        raise ValueError(f"`layout` names {missing[0]!r}, which is no argument and no weight")

    def filled(tree: Tree) -> Any:
        if isinstance(tree, str):  # what backward gets as its cache is the learner's own
            return values[tree] if tree == "cache" else copy.deepcopy(values[tree])
        return tuple(map(filled, tree))

    given = filled(takes)
    before = copy.deepcopy(
        [None if name == "cache" else g for name, g in zip(takes, given, strict=True)]
    )
    own = frozenset(
        c.co_filename
        for g in (f.forward, f.backward)
        if (c := getattr(_inner(g), "__code__", None))
    )
    with _guarded(watch, own) as watched:
        out = _run(function, takes, given, own)
    if watch:
        seen = result.backward_seen if result.in_backward else result.forward_seen
        seen.append(watched.seen)
        totals = result.backward_ran if result.in_backward else result.forward_ran
        totals.append(watched.ran)
        result.blanks += [blank for blank in watched.blanks if blank not in result.blanks]
        result.ran |= set(watched.ran)
        # What is raised while our own function traces ends the tracing too.
        raised = isinstance(out, _Stop) and can_watch()
        result.watched = result.watched and (watched.works or raised)
        result.single = result.single or watched.single
    for name, now, then in zip(takes, given, before, strict=True):
        label = name if isinstance(name, str) else ", ".join(names_in(name))
        if then is not None and not _same(now, then) and label not in result.wrote:
            result.wrote.append(label)
    if isinstance(out, _Stop):
        raise out.trouble
    return out


class _Stop(NamedTuple):
    trouble: Trouble


def _run(
    function: Callable[..., Any], takes: Tree, given: tuple[Any, ...], own: frozenset[str]
) -> Any:
    name = name_of(function)
    try:
        return function(*given)
    except Stopped as stopped:
        text = f"{name} does not come to an end: it was stopped after {SECONDS:.0f} seconds."
        return _Stop(Trouble(text, *_where(stopped, own), endless=True))
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        file, line = _where(error, own)
        what = " ".join(str(error).split())
        kind = type(error).__name__
        if isinstance(error, NotImplementedError):
            return _Stop(Trouble(f"{name} is not written yet.", file, line, unwritten=True))
        if isinstance(error, TypeError) and not line:
            text = f"{name} is called with {', '.join(names_in(takes))}, which fails: {what}."
            return _Stop(Trouble(f"{text} See `layout`."))
        return _Stop(Trouble(f"{name} raises {kind}{f': {what}' if what else '.'}", file, line))


def _where(error: BaseException, own: frozenset[str]) -> tuple[str, int]:
    """The learner's file and line that raised; "" and 0 if none did."""
    places = [
        (frame.filename, frame.lineno or 0)
        for frame in traceback.extract_tb(error.__traceback__)
        if is_learners(frame.filename, own)
    ]
    return places[-1] if places else ("", 0)


@contextlib.contextmanager
def _guarded(watch: bool, own: frozenset[str]) -> Iterator[Watch]:
    watched = Watch(own, time.perf_counter() + SECONDS)
    quiet = io.StringIO()
    with (
        warnings.catch_warnings(),
        np.errstate(all="ignore"),
        contextlib.redirect_stdout(quiet),
        _nothing_left_over(),
    ):
        warnings.simplefilter("ignore")
        if watch and watched.works:
            with watched:
                yield watched
        else:
            with time_limit():
                yield watched


@contextlib.contextmanager
def _nothing_left_over() -> Iterator[None]:
    """Inside, ``np.empty`` gives NaN, not what memory holds: that may be our own right values."""
    numpy: Any = np
    originals = {name: getattr(numpy, name) for name in ("empty", "empty_like")}

    def filling(original: Callable[..., Any]) -> Callable[..., Any]:
        def made(*arguments: Any, **more: Any) -> Any:
            array = original(*arguments, **more)
            if array.dtype.kind == "f":
                array.fill(np.nan)
            return array

        return made

    for name, original in originals.items():
        setattr(numpy, name, filling(original))
    try:
        yield
    finally:
        for name, original in originals.items():
            setattr(numpy, name, original)


@contextlib.contextmanager
def time_limit() -> Iterator[None]:
    """Inside, :class:`Stopped` is raised after a while, whatever runs.

    Only a signal can do that without tracing: in the main thread, and not on Windows.
    """
    if not hasattr(signal, "setitimer") or (
        threading.current_thread() is not threading.main_thread()
    ):
        yield
        return

    def stop(*_: object) -> None:
        raise Stopped

    old = signal.signal(signal.SIGALRM, stop)
    signal.setitimer(signal.ITIMER_REAL, SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, old)


def _inner(function: Callable[..., Any]) -> Any:
    inner = getattr(function, "__wrapped__", function)
    inner = getattr(inner, "__func__", inner)
    return getattr(inner, "func", inner)  # functools.partial


def name_of(function: Callable[..., Any]) -> str:
    """What a sentence calls a function; an object that can be called, by its class.

    Parameters
    ----------
    function : callable

    Returns
    -------
    str
    """
    return str(getattr(_inner(function), "__name__", type(function).__name__))


def _same(now: Any, then: Any) -> bool:
    if isinstance(now, np.ndarray):
        return bool(now.shape == then.shape and np.array_equal(now, then, equal_nan=True))
    if isinstance(now, Mapping):
        return now.keys() == then.keys() and all(_same(now[key], then[key]) for key in now)
    if isinstance(now, (list, tuple)):
        return len(now) == len(then) and all(map(_same, now, then))
    return True


# --- what came back -------------------------------------------------------------------------------


def _pick(tree: Tree, value: Any, layout: Layout, function: Callable[..., Any]) -> dict[str, Any]:
    """What a function returned, by the names of the layout."""
    name = name_of(function)
    wanted = ", ".join(names_in(tree))
    if isinstance(tree, str):
        return {tree: value}
    if value is None or value is Ellipsis:
        hint = " Is the return missing?" if value is None else ""
        raise Trouble(f"{name} returns {value}. It must return {wanted}.{hint}", unwritten=True)
    if len(tree) == 1 and isinstance(tree[0], str):
        return {tree[0]: value}
    if isinstance(value, (list, tuple)) and not hasattr(value, "_fields"):
        return _by_position(tree, value, layout, function)
    if hasattr(value, "_fields") and not isinstance(value, Mapping):
        found = {each: getattr(value, each) for each in value._fields}
    else:
        found = dict(value) if isinstance(value, Mapping) else dict(getattr(value, "__dict__", {}))
    picked = {}
    for each in names_in(tree):
        keys = [layout.names.get(each, each), each, f"{each}_t"]
        key = next((key for key in keys if key in found), None)
        if key is not None:
            picked[each] = found[key]
        elif each == "dparams":
            picked[each] = found
        elif each not in ("_", "cache"):
            if isinstance(value, tuple):
                return _by_position(tree, value, layout, function)
            kind = type(value).__name__
            lacks = f" without {keys[0]!r}" if found else ""
            raise Trouble(f"{name} returns a {kind}{lacks}. It must return {wanted}.")
    return picked


def _by_position(
    tree: Tree, value: Any, layout: Layout, function: Callable[..., Any]
) -> dict[str, Any]:
    name = name_of(function)
    if len(value) < len(tree):
        number = f"{len(value)} value{'s' * (len(value) != 1)}"
        text = f"{name} returns {number}. It must return {len(tree)}: {', '.join(names_in(tree))}."
        raise Trouble(text)
    picked: dict[str, Any] = {}
    for part, each in zip(tree, value, strict=False):
        picked |= {part: each} if isinstance(part, str) else _pick(part, each, layout, function)
    return picked


OUR_NAMES = {"h": "h", "c": "c", "dx": "dx", "dh_prev": "dh_prev", "dc_prev": "dc_prev"}


def _collect(
    results: Results,
    picked: Mapping[str, Any],
    problem: Problem,
    f: Functions,
    right: Run,
    where: str = "",
) -> None:
    """Put what was returned into `results`, as ours; the steps of several calls are stacked."""
    layout = f.layout
    where = where or name_of(f.forward)
    n = len(problem.h0)
    for name, value in picked.items():
        if name not in ARRAYS | SEQUENCES:
            continue
        features = D if name in ("x", "dx", "xs", "dxs") else H
        if name in SEQUENCES:
            wanted = layout.sequence(np.zeros((len(problem.xs), n, features)))
            if isinstance(value, Mapping):
                value = [value[t] for t in sorted(k for k in value if k >= 0)]
            if layout.time is None or isinstance(value, (list, tuple)):
                value = [
                    _checked(f"{name}[{t}]", each, layout.array(np.zeros((n, features))), where)
                    for t, each in enumerate(value)
                ]
                if len(value) != len(problem.xs):
                    steps = f"{len(value)} steps; there are {len(problem.xs)}"
                    text = f"{where} returns {name} of {steps}."
                    raise Trouble(text)
                ours = np.stack([layout.our_array(each, features) for each in value])
            else:
                ours = layout.our_sequence(_checked(name, value, wanted, where), features)
            results[name] = ours
        else:
            wanted = layout.array(np.zeros((n, features)))
            ours = layout.our_array(_checked(name, value, wanted, where), features)
            if f.sequence:
                results[name] = ours
            else:
                results[name] = np.concatenate(
                    [*([results[name]] if name in results else []), ours[np.newaxis]]
                )
    theirs = _weights(picked, layout, problem, where)
    if theirs:
        for name, arrays in layout.our_weights(theirs, problem.params).items():
            for k, array in enumerate(arrays):
                key = f"d{name}" + "'" * k
                results[key] = array if f.sequence else array[np.newaxis]


def _weights(
    picked: Mapping[str, Any], layout: Layout, problem: Problem, where: str
) -> dict[str, Array]:
    """Gradients of the weights, by the learner's names of the weights."""
    like = layout.weight_arrays(problem.params)
    if "dparams" in picked:
        whole = picked["dparams"]
        if isinstance(whole, np.ndarray):
            whole = (whole,)
        found = {}
        if isinstance(whole, (list, tuple)) and not hasattr(whole, "_fields"):
            if len(whole) != len(like):
                some = f"{len(whole)} array{'s' * (len(whole) != 1)}"
                text = f"{where} returns {some} as dparams, which must be one for each of"
                raise Trouble(f"{text} {', '.join(like)}.")
            found = dict(zip(like, whole, strict=True))
        else:
            held = whole if isinstance(whole, Mapping) else None
            for name in like:
                for key in (f"d{name}", name, f"d_{name}", f"grad_{name}"):
                    if (key in held) if held is not None else hasattr(whole, key):
                        found[name] = held[key] if held is not None else getattr(whole, key)
                        break
    else:
        found = {name: picked[f"d{name}"] for name in like if f"d{name}" in picked}
        if not found:
            return {}
    for name in like:
        if name not in found:
            raise Trouble(f"{where} does not return the gradient of {name}.")
    return {name: _checked(f"d{name}", found[name], like[name], where) for name in like}


def _checked(name: str, value: Any, like: Array, where: str) -> Array:
    """The value as an array of the shape that it must have."""
    if value is Ellipsis or value is None:
        raise Trouble(f"{where} returns {value} for {name}.", unwritten=True)
    try:
        array = np.array(value)  # a copy: the learner's backward pass may write into it
        if array.dtype.kind not in "fiu":
            raise TypeError
    except (TypeError, ValueError):
        kind = type(value).__name__
        if isinstance(value, np.ndarray):
            kind += f" of {value.dtype}"
        text = f"{where} must return an array of real numbers for {name}; it returns a {kind}."
        raise Trouble(text) from None
    if array.shape != like.shape:
        if [n for n in array.shape if n != 1] != [n for n in like.shape if n != 1]:
            hint = " It is transposed." if array.shape == like.shape[::-1] else ""
            text = f"{where} must return {name} of shape {like.shape}; it has {array.shape}.{hint}"
            raise Trouble(text)
        array = array.reshape(like.shape)
    return array
