"""The house: what may import what. docs/architecture.md draws it."""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "numpy_lstm"

# Each room may import from rooms named before it, and from itself.
ROOMS = (
    "types cells recurrence bptt initializers rnn lstm recurrent layers losses optim classifier"
    " gradient_flow"  # up to here, the mathematics
    " files settings plots environment terminal convert data gradcheck clinic weights training"
    " predict train estimator_defaults estimator_input estimator experiments explore __main__"
).split()
MATHEMATICS = ROOMS[: ROOMS.index("gradient_flow") + 1]


def modules() -> dict[str, ast.Module]:
    """Every module of the package, by its dotted name below ``numpy_lstm``."""
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        name = ".".join(path.relative_to(PACKAGE).with_suffix("").parts)
        found[name.removesuffix(".__init__")] = ast.parse(path.read_text(encoding="utf-8"))
    return found


MODULES = modules()


def imported(tree: ast.Module) -> set[str]:
    """Dotted names of what a module imports, also inside its functions."""
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            names |= whole if node.module == "numpy_lstm" else {node.module}
    return names


def own(tree: ast.Module) -> set[str]:
    """What a module imports from the package, as dotted names below it."""
    names = {name.partition(".")[2] for name in imported(tree) if name.startswith("numpy_lstm.")}
    return names - {"__version__"}


def room(module: str) -> str:
    return module.partition(".")[0]


@pytest.mark.parametrize("module", [name for name in MODULES if name != "__init__"])
def test_a_module_imports_from_its_own_floor_down(module: str) -> None:
    below = ROOMS[: ROOMS.index(room(module)) + 1]
    assert {room(name) for name in own(MODULES[module])} <= set(below)


@pytest.mark.parametrize("module", [name for name in MODULES if room(name) in MATHEMATICS])
def test_the_mathematics_imports_numpy_alone(module: str) -> None:
    outside = {room(name) for name in imported(MODULES[module])} - sys.stdlib_module_names
    allowed = {"threadpoolctl"} if module == "recurrence.parallel" else set()
    assert outside - {"numpy_lstm", "numpy"} == allowed


def test_no_import_goes_in_a_circle() -> None:
    graph = {
        name: {target if target in MODULES else target.rpartition(".")[0] for target in own(tree)}
        for name, tree in MODULES.items()
    }
    for name in graph:  # a folder's name is imported for what its __init__ offers
        graph[name].discard(name)
    assert list(TopologicalSorter(graph).static_order())


def test_the_page_names_every_room() -> None:
    page = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    table = page[page.index("| Room |") : page.index("What something new needs")]
    for name in ROOMS:
        assert f"`{name}`" in table or f"`{name}/`" in table, name
