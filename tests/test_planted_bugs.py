"""The checks are checked: each known bug, planted into a copy of our source, must be caught.

Every copy is imported under the package's own name, together with a fresh copy of the tests, and
the test that the row names is called as pytest would call it. The same tests pass on a copy without
a bug, so it is the bug that they fail for.

All fifteen bugs can be written into our code. Number 4 only gate by gate in the LSTM, whose W_h,
(4H, H), is not square.
"""

import importlib
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import settings

from tests.conftest import PROFILE
from tests.planted import BUGS, Bug

PACKAGE = Path(__file__).parents[1] / "numpy_lstm"


def plant(bug: Bug, package: Path) -> None:
    """Replace the one place where `bug.old` stands."""
    file = package / bug.file
    source = file.read_text(encoding="utf-8")
    assert source.count(bug.old) == 1, f"{bug.old!r} must stand once in {bug.file}"
    file.write_text(source.replace(bug.old, bug.new), encoding="utf-8")


@contextmanager
def imported_from(folder: Path) -> Iterator[None]:
    """Inside, ``import numpy_lstm`` finds the copy in `folder`, and tests are imported afresh."""

    def ours() -> dict[str, Any]:
        roots = ("numpy_lstm", "tests")
        return {name: m for name, m in sys.modules.items() if name.split(".")[0] in roots}

    originals = ours()
    for name in originals:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in ours():
            del sys.modules[name]
        sys.modules.update(originals)


@pytest.fixture(autouse=True)
def few_examples() -> Iterator[None]:
    settings.load_profile("planted")
    yield
    settings.load_profile(PROFILE)


def run_checks(package: Path, caught_by: str, arguments: dict[str, Any]) -> None:
    file, _, name = caught_by.rpartition(".")
    with imported_from(package.parent):
        check = getattr(importlib.import_module(f"tests.{file}"), name)
        assert Path(sys.modules["numpy_lstm"].__file__ or "").parent == package
        check(**arguments)


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A copy of the source."""
    ignore = shutil.ignore_patterns("__pycache__", "experiments")
    return Path(shutil.copytree(PACKAGE, tmp_path / "numpy_lstm", ignore=ignore))


@pytest.mark.parametrize("bug", BUGS, ids=[f"{b.number} {b.file}: {b.what}" for b in BUGS])
def test_a_planted_bug_is_caught(bug: Bug, package: Path) -> None:
    plant(bug, package)
    with pytest.raises((AssertionError, pytest.fail.Exception)):  # and not, say, a NameError
        run_checks(package, bug.caught_by, bug.arguments)


def test_the_same_checks_pass_without_a_bug(package: Path) -> None:
    for caught_by, arguments in {(bug.caught_by, tuple(bug.arguments.items())) for bug in BUGS}:
        run_checks(package, caught_by, dict(arguments))


def test_all_fifteen_are_there() -> None:
    assert {bug.number for bug in BUGS} == set(range(1, 16))
