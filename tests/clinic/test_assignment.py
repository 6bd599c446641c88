"""The assignment: empty it guides, solved it passes, and its notebook prints what is committed."""

import contextlib
import io
import json
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from numpy_lstm import clinic
from tests.clinic.faults import FUNCTIONS, loaded

FOLDER = Path(__file__).parents[2] / "notebooks" / "assignment"
BLANK = re.compile(r"(?<== )\.\.\.")
EMPTY = (FOLDER / "my_lstm.py").read_text(encoding="utf-8")
SOLUTION = json.loads(Path(__file__).with_name("solution.json").read_text(encoding="utf-8"))
TESTS = re.findall(r"^def (test_\w+)", (FOLDER / "test_my_lstm.py").read_text("utf-8"), re.M)


def filled(blanks: int) -> str:
    """The assignment with its first blanks filled as in the solution."""
    parts = BLANK.split(EMPTY)
    lines = [*SOLUTION[:blanks], *["..."] * (len(SOLUTION) - blanks)]
    return parts[0] + "".join(line + part for line, part in zip(lines, parts[1:], strict=True))


@pytest.fixture
def graded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ModuleType]:
    """The tests, beside a my_lstm.py in `tmp_path`."""
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "my_lstm.py").write_text(EMPTY, encoding="utf-8")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    source = (FOLDER / "test_my_lstm.py").read_text(encoding="utf-8")
    yield loaded(source, tmp_path / "graded.py")
    sys.modules.pop("my_lstm", None)


@pytest.mark.parametrize("name", TESTS)
def test_the_empty_one_fails_with_guidance(graded: ModuleType, name: str) -> None:
    with pytest.raises(AssertionError) as error:
        getattr(graded, name)()
    said = str(error.value)
    assert (
        "NOT FINISHED" in said and "Next to write: " in said and "The blank is my_lstm.py" in said
    )
    assert "Error" not in said and "@" not in said  # neither a traceback nor the solution


@pytest.mark.parametrize("name", TESTS)
def test_the_solution_passes(graded: ModuleType, tmp_path: Path, name: str) -> None:
    (tmp_path / "my_lstm.py").write_text(filled(len(SOLUTION)), encoding="utf-8")
    getattr(graded, name)()


@pytest.mark.parametrize(
    "first", [0, *(pytest.param(k, marks=pytest.mark.slow) for k in range(1, 6))]
)
def test_after_each_blank_the_next_one_is_asked_for(tmp_path: Path, first: int) -> None:
    parts = BLANK.split(EMPTY)
    for blanks in range(first, len(SOLUTION), 6):
        module = loaded(filled(blanks), tmp_path / f"filled_{blanks}.py")
        functions = re.findall(r"def ([a-z]+)_(\w+)\(", "".join(parts[: blanks + 1]))
        diagnosis = diagnosis_of(module, functions[-1])
        assert diagnosis.verdict == "unfinished", (blanks, str(diagnosis))
        line = "".join(parts[: blanks + 1]).count("\n") + sum(
            each.count("\n") for each in SOLUTION[:blanks]
        )
        assert diagnosis.blank and diagnosis.blank.first == line + 1, (blanks, str(diagnosis))


def diagnosis_of(module: ModuleType, function: tuple[str, str]) -> clinic.Diagnosis:
    """Of the pair of functions to which one belongs: ("rnn", "step_backward") for example."""
    cell, part = function
    kind = "step" if part.startswith("step") else "sequence"
    pair = [getattr(module, name.format(cell)) for name in FUNCTIONS[kind]]
    return (clinic.examine if kind == "step" else clinic.examine_sequence)(*pair, cell=cell)


def test_a_wrong_line_before_the_next_blank_is_told(tmp_path: Path) -> None:
    source = filled(25).replace("dc = dc_next + dh * o", "dc = dc_next + dh * i")
    module = loaded(source, tmp_path / "wrong_line.py")
    diagnosis = clinic.examine(module.lstm_step, module.lstm_step_backward)
    assert diagnosis.verdict == "wrong" and diagnosis.equations == (17,)
    assert diagnosis.faults[0].line and "dh * i" in diagnosis.faults[0].line.text
    assert "What comes later is open." in diagnosis.summary


def test_the_rubric_has_all_tests_and_100_points() -> None:
    rows = re.findall(
        r"^\| `(test_\w+)` \|.*\| (\d+) \|$", (FOLDER / "RUBRIC.md").read_text(), re.M
    )
    assert [name for name, _ in rows] == TESTS
    assert sum(int(points) for _, points in rows) == 100


def test_the_notebook_prints_what_is_committed(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    notebook = json.loads((FOLDER / "assignment.ipynb").read_text(encoding="utf-8"))
    monkeypatch.syspath_prepend(str(FOLDER))
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    names: dict[str, object] = {}
    try:
        for number, cell in enumerate(c for c in notebook["cells"] if c["cell_type"] == "code"):
            printed = io.StringIO()
            source = "".join(cell["source"])
            import linecache

            file = f"<ipykernel cell {number}>"
            linecache.cache[file] = (len(source), None, source.splitlines(True), file)
            with contextlib.redirect_stdout(printed):
                exec(compile(source, file, "exec"), names)
            committed = "".join("".join(output["text"]) for output in cell["outputs"])
            assert printed.getvalue() == committed
    finally:
        sys.modules.pop("my_lstm", None)
    assert not re.search(r"/(tmp|home|root|work)/", json.dumps(notebook))
