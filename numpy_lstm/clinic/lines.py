"""A learner's lines: which statement computes a quantity.

If the learner's own version of the quantity is known, it is the line where that was first seen.
Else it is the line that reads most of what goes into the equation, and gives nothing that is right.
"""

from __future__ import annotations

import ast
import linecache
import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from numpy_lstm.clinic.watching import Place


class Statement(NamedTuple):
    """A statement of a learner's code."""

    file: str
    first: int  # its lines
    last: int
    text: str
    reads: tuple[str, ...]  # patterns of what it reads
    writes: tuple[str, ...]  # names of what it assigns
    calls: tuple[str, ...]  # names of functions
    idle: bool  # whether it computes nothing: only returns names


def statement_at(file: str, line: int, name: str = "") -> Statement | None:
    """The statement to which a line belongs, if the source can be had.

    Parameters
    ----------
    file : str
    line : int
    name : str
        Of several on the line the one that assigns this is meant.

    Returns
    -------
    Statement or None
    """
    there = [s for s in statements(file) if s.first <= line <= s.last]
    assigns = [s for s in there if any(belongs(name, written) for written in s.writes)]
    return next(iter(assigns or there), None)


def statements(file: str) -> list[Statement]:
    """All simple statements of a file; none if it cannot be read.

    Parameters
    ----------
    file : str

    Returns
    -------
    list of Statement
    """
    lines = linecache.getlines(file)
    try:
        tree = ast.parse("".join(lines))
    except (SyntaxError, ValueError):
        return []
    found = []
    for node in ast.walk(tree):
        if isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Expr, ast.Return)):
            last = node.end_lineno or node.lineno
            text = "\n".join(line.rstrip("\n") for line in lines[node.lineno - 1 : last])
            reads = tuple(dict.fromkeys(_reads(node)))
            inner = (type(each) for each in ast.walk(node))
            idle = isinstance(node, ast.Return) and not {ast.BinOp, ast.Call} & set(inner)
            writes = tuple(_writes(node))
            calls = tuple(ast.unparse(e.func) for e in ast.walk(node) if isinstance(e, ast.Call))
            calls = tuple(call.rpartition(".")[2] for call in calls)
            found.append(Statement(file, node.lineno, last, text, reads, writes, calls, idle))
    return sorted(found, key=lambda s: (s.first, s.last))


def _indent(statement: Statement) -> int:
    return len(statement.text) - len(statement.text.lstrip())


def is_blank(statement: Statement) -> bool:
    """Whether ``...`` is assigned: a blank of the assignment.

    Parameters
    ----------
    statement : Statement

    Returns
    -------
    bool
    """
    return statement.text.partition("#")[0].rstrip().endswith("= ...")


def before(one: Place, other: Place) -> bool:
    """Whether a line stands before another one in the same function.

    Parameters
    ----------
    one, other : tuple of str and int
        File and line.

    Returns
    -------
    bool
    """
    between = linecache.getlines(one[0])[one[1] - 1 : other[1]]
    same = not any(line.lstrip().startswith(("def ", "class ")) for line in between)
    return one[0] == other[0] and one[1] < other[1] and same


def belongs(name: str, written: str) -> bool:
    """Whether what is assigned to `written` can be called `name`: itself, or a member of it.

    Parameters
    ----------
    name, written : str

    Returns
    -------
    bool
    """
    return name == written or name.startswith((f"{written}[", f"{written}."))


def history(statement: Statement) -> list[Statement]:
    """A statement, and those just before it that assign what it changes or adds to.

    Parameters
    ----------
    statement : Statement

    Returns
    -------
    list of Statement
        In the order of the file; at most four, within fifteen lines.
    """
    found = [statement]
    if len(statement.writes) != 1 or "[" in statement.writes[0]:
        return found
    name = re.escape(statement.writes[0])
    for each in reversed(statements(statement.file)):
        if each.last >= found[0].first or name not in map(re.escape, each.writes):
            continue
        if name not in found[0].reads or len(found) == 4 or each.first < statement.first - 15:
            break
        if _indent(each) != _indent(statement):
            break
        found.insert(0, each)
    return found


def reading(
    ran: set[Place],
    wanted: Sequence[set[str]],
    right: set[Place],
    wrong: set[Place],
    called: str,
    functions: set[str],
) -> Statement | None:
    """The statement that reads most of what is wanted, of those that ran and are not known right.

    Parameters
    ----------
    ran : set of (file, line)
    wanted : sequence of set of str
        For each input of an equation, what the learner calls it.
    right, wrong : set of (file, line)
        Where right values were seen first, and others.
    called : str
        Our name of the quantity: of several lines the one that assigns such a name.
    functions : set of str
        The learner's: a line that calls one computes nothing itself.

    Returns
    -------
    Statement or None
    """
    best, most = None, 1.0
    for file in sorted({file for file, _ in ran}):
        for each in statements(file):
            span = {(file, line) for line in range(each.first, each.last + 1)}
            if not span & ran or each.idle or functions & set(each.calls):
                continue
            read = sum(any(_match(r, n) for r in each.reads for n in ns) for ns in wanted)
            score = read / max(1, len(wanted)) + 0.7 * bool(span & wrong) - 0.9 * bool(span & right)
            score += 0.8 * any(plain(w) == plain(called) for w in each.writes)
            score -= 0.01 * len(each.reads)
            if read and score > most:
                best, most = each, score
    return best


def plain(name: str) -> str:
    """A name without what learners vary: d_f_t, dft and df are the same.

    Parameters
    ----------
    name : str

    Returns
    -------
    str
    """
    name = re.sub(r"^.*[.\[]", "", name).strip("]'\"").lower()
    return re.sub(r"_|t$|raw|prev|next", "", name)


def _match(pattern: str, name: str) -> bool:
    return re.fullmatch(pattern, name) is not None


def _reads(node: ast.AST) -> Iterator[str]:
    """Patterns that fit the paths of what is read."""
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    skip = set() if isinstance(node, ast.AugAssign) else {id(t) for t in targets if t}
    stack: list[ast.AST] = [node]
    while stack:
        each = stack.pop()
        if id(each) in skip:
            continue
        if isinstance(each, (ast.Name, ast.Attribute, ast.Subscript)):
            pattern = _pattern(each)
            if pattern:
                yield pattern
        stack.extend(ast.iter_child_nodes(each))


def _writes(node: ast.AST) -> Iterator[str]:
    targets = getattr(node, "targets", [getattr(node, "target", None)])
    for target in targets:
        if target is not None:
            elements = target.elts if isinstance(target, ast.Tuple) else [target]
            for element in elements:
                yield ast.unparse(element)


def _pattern(node: ast.AST) -> str:
    if isinstance(node, ast.Name):
        return re.escape(node.id)
    if isinstance(node, ast.Attribute):
        base = _pattern(node.value)
        return f"{base}\\.{re.escape(node.attr)}" if base else ""
    if isinstance(node, ast.Subscript):
        base = _pattern(node.value)
        if not base:
            return ""
        if isinstance(node.slice, ast.Constant):
            return base + re.escape(f"[{node.slice.value!r}]")
        return base + r"(\[[^\]]*\])?"
    return ""
