"""Plants a mistake into a copy of our source, and runs a test of ours on that copy.

The copy is imported under the package's own name, together with a fresh import of the tests, and
the test is called as pytest would call it.
"""

import compileall
import importlib
import inspect
import py_compile
import shutil
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

ROOT = Path(__file__).parents[1]


def copy_of_the_source(folder: Path) -> Path:
    """A copy of the package, and beside it one of the benchmarks: "../benchmarks/table.py".

    Compiled once, so that many mistakes in turn can be planted in it without compiling all of it.
    """
    ignore = shutil.ignore_patterns("__pycache__")
    for name in ("benchmarks", "numpy_lstm"):
        shutil.copytree(ROOT / name, folder / name, ignore=ignore)
    # By its contents, not by its time: a mistake of the same length may come in the same second.
    mode = py_compile.PycInvalidationMode.CHECKED_HASH
    compileall.compile_dir(folder, quiet=1, invalidation_mode=mode)
    return folder / "numpy_lstm"


@contextmanager
def planted(package: Path, file: str, old: str, new: str) -> Iterator[None]:
    """Inside, `new` stands instead of `old`, which stands in one place."""
    path = package / file
    source = path.read_text(encoding="utf-8")
    assert source.count(old) == 1, f"{old!r} must stand once in {file}"
    path.write_text(source.replace(old, new), encoding="utf-8")
    try:
        yield
    finally:
        path.write_text(source, encoding="utf-8")


@contextmanager
def imported_from(folder: Path) -> Iterator[None]:
    """Inside, ``import numpy_lstm`` finds the copy in `folder`, and tests are imported afresh."""

    def ours() -> dict[str, Any]:
        roots = ("numpy_lstm", "benchmarks", "tests")
        return {name: m for name, m in sys.modules.items() if name.split(".")[0] in roots}

    originals, writes = ours(), sys.dont_write_bytecode
    for name in originals:
        del sys.modules[name]
    sys.path.insert(0, str(folder))
    sys.dont_write_bytecode = True  # a compiled mistake would stay
    try:
        yield
    finally:
        sys.dont_write_bytecode = writes
        sys.path.remove(str(folder))
        for name in ours():
            del sys.modules[name]
        sys.modules.update(originals)


def run_check(package: Path, check: str, arguments: dict[str, Any]) -> None:
    """Run the test `check`, such as "data.test_text.test_tokens", on the copy `package`."""
    run_checks(package, [(check, arguments)])


def run_checks(package: Path, checks: Iterable[tuple[str, dict[str, Any]]]) -> None:
    """Run several tests on the copy `package`, imported once."""
    with imported_from(package.parent):
        for check, arguments in checks:
            file, _, name = check.rpartition(".")
            function = getattr(importlib.import_module(f"tests.{file}"), name)
            assert Path(sys.modules["numpy_lstm"].__file__ or "").parent == package
            if "tmp_path" in inspect.signature(function).parameters:
                arguments = {**arguments, "tmp_path": Path(mkdtemp(dir=package.parent))}
            function(**arguments)
