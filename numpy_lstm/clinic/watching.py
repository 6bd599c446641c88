"""What arrays a learner's functions held, line by line.

``sys.settrace`` calls back before each line of the learner's own functions, and all arrays that a
function can reach are looked at: in variables, in lists and dicts, in attributes of objects, in the
module's variables that it names. A value that was not seen before is noted with the line that has
just run.

Limits. What is never assigned, passed or returned is not seen: in ``y = a * b + c``, not ``a * b``.
Nor is what runs in another thread, or in C. There is one trace function in an interpreter: while a
debugger or a coverage tool has it, or in an interpreter without it, nothing is seen, and the
diagnosis rests on what the functions return.
"""

from __future__ import annotations

import os
import re
import sys
import sysconfig
import time
from collections.abc import Callable, Iterator
from types import CodeType, FrameType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.types import Array

DEPTH, MANY, LARGE = 5, 400, 4000  # levels; members of a container; numbers in an array
MOST = 60_000  # values
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
OTHERS = tuple(
    os.path.abspath(path) + os.sep
    for path in {
        *(sysconfig.get_paths()[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")),
        os.path.dirname(np.__file__),
        OURS,
    }
)


Place = tuple[str, int]  # a file and a line


class Seen(NamedTuple):
    """A value, where it was first seen, and under what name."""

    value: Array
    name: str  # such as "cache['i']"; "" for what a function returned
    file: str
    line: int
    function: str
    names: dict[str, Place]  # all that it went by, and where first
    helper: str = ""  # the small function that gave it, such as a sigmoid; `line` is its caller's
    round: int = 1  # how many times its line had run then


class Blank(NamedTuple):
    """A variable that is ``...``: yet to be written."""

    name: str
    file: str
    line: int


class Stopped(BaseException):
    """The time is up. No ``except Exception`` of the learner's catches it."""


class Watch:
    """Inside of it the functions that run are watched, if that is possible."""

    def __init__(self, own: frozenset[str], deadline: float) -> None:
        self.seen: list[Seen] = []
        self.blanks: list[Blank] = []
        self.single = False  # whether there was a float32
        self._own, self._deadline = own, deadline
        self.ran: dict[Place, int] = {}  # how many times each line did
        self._known: dict[tuple[Any, ...], dict[str, Place]] = {}
        self._helpers: set[FrameType] = set()
        self._watched: dict[CodeType, bool] = {}
        self._line: dict[FrameType, int] = {}
        self.works = can_watch()

    def __enter__(self) -> Watch:
        if self.works:
            sys.settrace(self._call)
        return self

    def __exit__(self, *_: object) -> None:
        if self.works:
            self.works = sys.gettrace() == self._call  # else the learner's code has set its own
            sys.settrace(None)
        self._line.clear()
        self._helpers.clear()

    def _call(self, frame: FrameType, event: str, _: Any) -> Callable[..., Any] | None:
        code = frame.f_code
        if code not in self._watched:
            self._watched[code] = is_learners(code.co_filename, self._own)
        if not self._watched[code]:
            return None
        self._line[frame] = frame.f_lineno
        if is_helper(frame):
            self._helpers.add(frame)
        elif frame.f_back in self._line:  # what is worked out for an argument: the caller's line
            caller = frame.f_back
            for name, value in list(frame.f_locals.items()):
                self._note(name, value, caller, caller.f_lineno)
        return self._step

    def _step(self, frame: FrameType, event: str, value: Any) -> Callable[..., Any]:
        if time.perf_counter() > self._deadline:
            raise Stopped
        if event in ("line", "return"):
            line = self._line.get(frame, frame.f_lineno)
            place = frame.f_code.co_filename, line
            self.ran[place] = self.ran.get(place, 0) + 1
            self._look(frame, line)
            if event == "return":
                self._note("", value, frame, frame.f_lineno)
                self._line.pop(frame, None)
                self._helpers.discard(frame)
            else:
                self._line[frame] = frame.f_lineno
        return self._step

    def _look(self, frame: FrameType, line: int) -> None:
        held = dict(frame.f_locals)
        names = frame.f_code.co_names
        held |= {n: frame.f_globals[n] for n in names if n in frame.f_globals and n not in held}
        for name, value in held.items():
            self._note(name, value, frame, line)

    def _note(self, name: str, value: Any, frame: FrameType, line: int) -> None:
        if len(self.seen) > MOST:
            return
        helper = ""
        while frame in self._helpers and frame.f_back is not None:
            helper, name = frame.f_code.co_name, ""
            frame = frame.f_back
            line = frame.f_lineno
        code = frame.f_code
        place = code.co_filename, line
        for path, array in arrays(value, name):
            named = path if path[:1] not in ("", "[", ".") else ""
            if array is Ellipsis:
                if named and named not in {blank.name for blank in self.blanks}:
                    self.blanks.append(Blank(named, *place))
                continue
            self.single = self.single or array.dtype == np.float32
            key = (array.shape, array.dtype.char, array.tobytes())
            if key not in self._known:
                names = self._known[key] = {}
                values = array.astype(np.float64)
                round = self.ran.get(place, 0) + bool(helper)
                self.seen.append(Seen(values, named, *place, code.co_name, names, helper, round))
            if named:
                self._known[key].setdefault(named, place)


ACTIVATION = re.compile(r"sig|tanh|relu|act|squash|logistic|soft|exp|deriv|prime|slope|lambda")


def is_helper(frame: FrameType) -> bool:
    """Whether a call is of a small function of one array, such as a sigmoid.

    Parameters
    ----------
    frame : frame
        As it begins.

    Returns
    -------
    bool
    """
    if frame.f_back is None:
        return False
    held = dict(frame.f_locals)
    bound = [held.pop(name) for name in ("self", "cls") if name in held]
    owns = next(arrays(bound, ""), None) is not None  # not so a Sigmoid with a method grad
    if owns and not ACTIVATION.search(frame.f_code.co_name.lower()):
        return False
    return len(list(arrays(list(held.values()), ""))) <= 1


def can_watch() -> bool:
    """Whether this interpreter can, and no other tool does."""
    return hasattr(sys, "settrace") and sys.gettrace() is None


def is_learners(file: str, own: frozenset[str]) -> bool:
    """Whether a file is the learner's, and not Python's, a library's, or ours.

    Parameters
    ----------
    file : str
    own : frozenset of str
        Files that are, whatever else may be said of them.

    Returns
    -------
    bool
    """
    if file in own:
        return True
    return not file.startswith(("<frozen", "<__array", "<string>")) and not os.path.abspath(
        file
    ).startswith(OTHERS)


def arrays(value: Any, path: str, depth: int = DEPTH) -> Iterator[tuple[str, Any]]:
    """All arrays of floats that can be reached from a value, and each ``...``, with their paths.

    Parameters
    ----------
    value : object
    path : str
        Of the value.
    depth : int
        How many levels to go down.

    Yields
    ------
    tuple of str and ndarray
    """
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "f" and 0 < value.size <= LARGE and value.ndim:
            yield path, np.asarray(value)
        elif value.dtype == object and value.size <= MANY and depth:
            for i, each in enumerate(value.flat):
                yield from arrays(each, f"{path}[{i}]", depth - 1)
        return
    if value is Ellipsis:
        yield path, value
    if not depth or isinstance(value, (str, bytes, int, float, complex, type, ModuleType)):
        return
    if isinstance(value, dict):
        if len(value) <= MANY:
            for key, each in list(value.items()):
                yield from arrays(each, f"{path}[{key!r}]", depth - 1)
    elif isinstance(value, (list, tuple)):
        names = getattr(value, "_fields", None)
        if value and isinstance(value[0], (float, np.floating)):
            try:
                yield path, np.array(value, np.float64)
            except (TypeError, ValueError):
                return
        elif len(value) <= MANY:
            for i, each in enumerate(value):
                step = f".{names[i]}" if names else f"[{i}]"
                yield from arrays(each, path + step, depth - 1)
    elif type(value).__module__ not in ("builtins", "numpy") and not callable(value):
        slots = [name for kind in type(value).__mro__ for name in getattr(kind, "__slots__", ())]
        held = getattr(value, "__dict__", None) or {
            name: getattr(value, name) for name in slots if hasattr(value, name)
        }
        for name, each in list(held.items()):
            yield from arrays(each, f"{path}.{name}", depth - 1)
