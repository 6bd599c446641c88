"""Bugs of other people's code: those of the clinic's catalogue that were found in public."""

from __future__ import annotations

from collections import deque
from types import SimpleNamespace
from typing import Any, get_args

from numpy_lstm.clinic.catalogue import Bug, bugs
from numpy_lstm.clinic.reference import functions
from numpy_lstm.types import Model

PLAIN = tuple(
    bug for cell in get_args(Model) for bug in bugs(cell) if bug.public and len(bug.edits) == 1
)
# Of which the page asks: σ for σ′ at the forget gate, and dc that is not carried back.
SLOPE, CARRY = (
    [bug.what for bug in PLAIN].index(what) for what in ("σ for σ′ at f", "dc is not carried back")
)


def changed(bug: Bug) -> tuple[str, str, str]:
    """Where a bug is, what stands there, and what stands there instead of."""
    (edit,) = bug.edits
    return edit.function, edit.new.strip(), edit.old.strip()


def planted(bug: Bug | None) -> Any:
    """The steps and plain loops, compiled from their own source with a bug in them, or none."""
    # What the clinic records of each step is not kept.
    return SimpleNamespace(**functions(bug.edits if bug else (), deque(maxlen=0)))
