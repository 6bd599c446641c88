"""A function of ours as it runs: each line of its source, and what the line has assigned.

No second implementation: the values are those of the running function itself. Python calls a
tracing function (``sys.settrace``) before each line; a debugger that traces too is put back
afterwards.
"""

from __future__ import annotations

import ast
import inspect
import re
import sys
import textwrap
from collections.abc import Callable
from types import FrameType
from typing import Any, NamedTuple, TypeGuard

import numpy as np

EQUATION = re.compile(r"#\s*\((\d+)\)\s*(.*)")


class Line(NamedTuple):
    """A line that has run."""

    place: int  # its number in the file
    source: str
    equation: int | None  # the report's, by the comment
    comment: str  # what else it says
    values: dict[str, Any]  # of the names it assigns


def traced(function: Callable[..., Any], *arguments: Any) -> tuple[Any, list[Line]]:
    """Call a function, and return its result and its lines in the order in which they ran.

    Parameters
    ----------
    function : callable
        Written in Python, with each statement on lines of its own.
    *arguments
        What it takes.

    Raises
    ------
    OSError
        If its source is not here.
    """
    source, first = inspect.getsourcelines(function)
    tree = ast.parse(textwrap.dedent("".join(source))).body[0]
    statements = {first + node.lineno - 1: node for node in ast.walk(tree) if _is_run(node, tree)}
    lines: list[Line] = []
    running: list[int] = []  # the line that runs, if it has begun

    def note(frame: FrameType) -> None:
        if not running or (node := statements.get(running.pop())) is None:
            return
        text = source[node.lineno - 1].strip()
        code, _, comment = text.partition("  #")
        found = EQUATION.match(f"#{comment}")
        lines.append(
            Line(
                place=first + node.lineno - 1,
                source=code,
                equation=int(found[1]) if found else None,
                comment=(found[2] if found else comment).strip(),
                values={
                    name: _copy(frame.f_locals[name])
                    for name in _assigned(node)
                    if name in frame.f_locals
                },
            )
        )

    def within(frame: FrameType, event: str, argument: Any) -> Any:
        note(frame)
        if event == "line":
            running.append(frame.f_lineno)
        return within

    def entering(frame: FrameType, event: str, argument: Any) -> Any:
        return within if frame.f_code is function.__code__ else None

    before = sys.gettrace()
    sys.settrace(entering)
    try:
        result = function(*arguments)
    finally:
        sys.settrace(before)
    return result, lines


def _is_run(node: ast.AST, function: ast.AST) -> TypeGuard[ast.stmt]:
    """Whether it is a statement of the body, and not the docstring."""
    is_docstring = isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)
    return isinstance(node, ast.stmt) and node is not function and not is_docstring


def _assigned(node: ast.AST) -> list[str]:
    return [
        each.id
        for each in ast.walk(node)
        if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store) and each.id != "_"
    ]


def _copy(value: Any) -> Any:
    return np.copy(value) if isinstance(value, np.ndarray) else value
