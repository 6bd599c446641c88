"""The networks of tests/clinic/wrong, and what is wrong with each."""

import importlib
import re
from pathlib import Path

from numpy_lstm.clinic import Diagnosis, examine, examine_sequence

FOLDER = Path(__file__).with_name("wrong")
NETWORKS = sorted(path.stem for path in FOLDER.glob("[a-z]*.py"))


def marked(name: str) -> tuple[int, int | str]:
    """The line that is wrong, and the equation."""
    for number, line in enumerate((FOLDER / f"{name}.py").read_text("utf-8").splitlines(), 1):
        if match := re.search(r"# WRONG \((\w+)\)", line):
            return number, int(match[1]) if match[1].isdigit() else match[1]
    raise AssertionError(f"{name}.py marks no line")


def diagnosis_of(name: str) -> Diagnosis:
    """What the clinic says of its step, or of its sequence if it has no step."""
    module = importlib.import_module(f"tests.clinic.wrong.{name}")
    layout = getattr(module, "LAYOUT", "numpy_lstm")
    cell = "rnn" if any(each.startswith("rnn_") for each in vars(module)) else "lstm"
    step = getattr(module, f"{cell}_step", None)
    if step:
        return examine(step, getattr(module, f"{cell}_step_backward"), cell=cell, layout=layout)
    return examine_sequence(
        getattr(module, f"{cell}_forward"),
        getattr(module, f"{cell}_backward"),
        cell=cell,
        layout=layout,
        padded=getattr(module, "PADDED", False),
    )
