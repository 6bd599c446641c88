"""Plants a random fault into a line of a student's code that says which equation it computes."""

import ast
import importlib
import importlib.util
import inspect
import random
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

STUDENTS = Path(__file__).with_name("students")
FUNCTIONS = {
    "step": ("{}_step", "{}_step_backward"),
    "sequence": ("{}_forward", "{}_backward"),
}


class Planted(NamedTuple):
    """A fault: in `file`, `line` reads `new` where it read `old`."""

    truth: frozenset[int | str]  # the equations that the line computes
    line: int
    old: str
    new: str
    source: str


def source_of(layout: str) -> str:
    return (STUDENTS / f"{layout.replace('-', '_')}.py").read_text(encoding="utf-8")


def tags(line: str) -> frozenset[int | str]:
    """The equations that a line says it computes."""
    comment = line.partition("#")[2]
    found = re.findall(r"\((\d+|loop)\)", comment)
    return frozenset(int(each) if each != "loop" else each for each in found)


def lines_of(source: str, names: set[str]) -> set[int]:
    """Numbers of the lines of these functions, and of those that they call."""
    tree = ast.parse(source)
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    todo, seen = [name for name in names if name in functions], set()
    while todo:
        name = todo.pop()
        if name in seen:
            continue
        seen.add(name)
        for each in ast.walk(functions[name]):
            if isinstance(each, ast.Name) and each.id in functions:
                todo.append(each.id)
    return {
        line
        for name in seen
        for line in range(functions[name].lineno, (functions[name].end_lineno or 0) + 1)
    }


def plant(source: str, lines: set[int], rng: random.Random) -> Planted:
    """One random change of an expression in a line that computes an equation."""
    rows = source.splitlines()
    tagged = [n for n in sorted(lines) if tags(rows[n - 1])]
    equations = sorted({str(tag) for n in tagged for tag in tags(rows[n - 1])})
    wanted = rng.choice(equations)  # each equation as often as any other
    number = rng.choice([n for n in tagged if wanted in map(str, tags(rows[n - 1]))])
    tree = ast.parse(source)
    places = list(_changes(tree, number))
    if not places:
        return plant(source, lines, rng)
    change = rng.choice(places)
    node = change()
    segment = rows[number - 1]
    old = segment[node[0] : node[1]]
    new = node[2]
    changed = segment[: node[0]] + new + segment[node[1] :]
    if old.strip("()") == new.strip("()"):
        return plant(source, lines, rng)
    rows[number - 1] = changed
    text = "\n".join(rows) + "\n"
    try:
        compile(text, "<planted>", "exec")
    except SyntaxError:
        return plant(source, lines, rng)
    return Planted(tags(segment), number, segment.strip(), changed.strip(), text)


def _changes(tree: ast.Module, number: int) -> Iterator[Any]:
    """What can be changed on a line: each as a function that gives from, to and the new text."""
    names = sorted(
        {
            each.id
            for function in ast.walk(tree)
            if isinstance(function, ast.FunctionDef)
            and function.lineno <= number <= (function.end_lineno or 0)
            for each in ast.walk(function)
            if isinstance(each, ast.Name) and isinstance(each.ctx, ast.Store)
        }
    )

    written = {
        id(inner)
        for each in ast.walk(tree)
        if isinstance(each, (ast.Assign, ast.AugAssign))
        for target in (each.targets if isinstance(each, ast.Assign) else [each.target])
        for inner in ast.walk(target)
    }

    def text(node: ast.AST) -> str:
        return ast.unparse(node)

    def put(node: Any, new: str) -> Any:
        return lambda: (node.col_offset, node.end_col_offset, new)

    for node in ast.walk(tree):
        if getattr(node, "lineno", 0) != number or getattr(node, "end_lineno", 0) != number:
            continue
        if id(node) in written:  # what is read, not where it goes
            continue
        if isinstance(node, ast.BinOp):
            left, right = f"({text(node.left)})", f"({text(node.right)})"
            yield put(node, left)
            yield put(node, right)
            if isinstance(node.op, ast.Add):
                yield put(node, f"({left} - {right})")
            if isinstance(node.op, ast.Sub):
                yield put(node, f"({left} + {right})")
            if isinstance(node.op, ast.Mult):
                yield put(node, f"({left} + {right})")
                yield put(node, f"({left} * {left} * {right})")
            if isinstance(node.op, ast.Pow):
                yield put(node, left)
        elif isinstance(node, ast.Constant) and isinstance(node.value, int):
            yield put(node, str(node.value + 1))
        elif isinstance(node, ast.Constant) and node.value in ("i", "f", "g", "o", "h", "x"):
            for other in "ifgohx":
                if other != node.value:
                    yield put(node, repr(other))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load) and node.id in names:
            for other in names:
                if other != node.id:
                    yield put(node, other)
        elif isinstance(node, ast.Attribute) and node.attr == "T":
            yield put(node, text(node.value))
        elif isinstance(node, ast.Attribute) and node.attr in ("i", "f", "g", "o", "c", "h", "ct"):
            for other in ("i", "f", "g", "o", "c", "ct", "h"):
                if other != node.attr:
                    yield put(node, f"{text(node.value)}.{other}")
        elif isinstance(node, ast.Call) and len(node.args) == 1 and not node.keywords:
            yield put(node, f"({text(node.args[0])})")
            yield put(node, f"np.tanh({text(node)})")
        elif isinstance(node, ast.AugAssign):
            yield put(node, f"{text(node.target)} = {text(node.value)}")
            yield put(node, "pass")


def loaded(source: str, path: Path) -> ModuleType:
    """The source as a module; it is written to `path`, so that its lines can be shown."""
    path.write_text(source, encoding="utf-8")
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    try:
        exec(compile(source, str(path), "exec"), module.__dict__)
    finally:
        del sys.modules[path.stem]
    return module


def student(layout: str) -> ModuleType:
    """The right implementation in that layout."""
    return importlib.import_module(f"tests.clinic.students.{layout.replace('-', '_')}")


def functions_of(module: ModuleType, cell: str, kind: str) -> list[Any]:
    """The two functions, or fewer if the file has not both."""
    found = [getattr(module, name.format(cell), None) for name in FUNCTIONS[kind]]
    return [each for each in found if inspect.isfunction(each)]
