"""The numbered equations of the report: what each gives, its formula, and its line in our code.

The lines of :mod:`numpy_lstm.cells` are found by the numbers in their comments, those of
:mod:`numpy_lstm.bptt` by what they have in them. A test holds the formulas and the sections against
the report.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable
from typing import Any, NamedTuple

from numpy_lstm import bptt, cells
from numpy_lstm.types import Model

LOOP = "loop"  # what has no number: how states and gradients go from step to step
Number = int | str

SECTIONS = {
    "The vanilla RNN, and backpropagation through time": (1, 2, 3, 4, 5, 6, LOOP),
    "The LSTM, gate by gate": range(9, 29),
}
FORMULAS: dict[Number, str] = {
    1: "a_t = W_x x_t + W_h h_{t−1} + b",
    2: "h_t = tanh(a_t)",
    3: "da_t = dh_t ⊙ (1 − h_t²)",
    4: "dW_x += da_t x_tᵀ, dW_h += da_t h_{t−1}ᵀ, db += da_t",
    5: "dx_t = W_xᵀ da_t",
    6: "dh_{t−1}^next = W_hᵀ da_t",
    9: "a_t = W_x x_t + W_h h_{t−1} + b",
    10: "i_t = σ(a_i)",
    11: "f_t = σ(a_f)",
    12: "g_t = tanh(a_g)",
    13: "o_t = σ(a_o)",
    14: "c_t = f_t ⊙ c_{t−1} + i_t ⊙ g_t",
    15: "h_t = o_t ⊙ tanh(c_t)",
    16: "do_t = dh_t ⊙ tanh(c_t)",
    17: "dc_t = dc_t^next + dh_t ⊙ o_t ⊙ (1 − tanh²(c_t))",
    18: "di_t = dc_t ⊙ g_t",
    19: "df_t = dc_t ⊙ c_{t−1}",
    20: "dg_t = dc_t ⊙ i_t",
    21: "dc_{t−1}^next = dc_t ⊙ f_t",
    22: "da_i = di_t ⊙ i_t ⊙ (1 − i_t)",
    23: "da_f = df_t ⊙ f_t ⊙ (1 − f_t)",
    24: "da_g = dg_t ⊙ (1 − g_t²)",
    25: "da_o = do_t ⊙ o_t ⊙ (1 − o_t)",
    26: "dW_x += da_t x_tᵀ, dW_h += da_t h_{t−1}ᵀ, db += da_t",
    27: "dx_t = W_xᵀ da_t",
    28: "dh_{t−1}^next = W_hᵀ da_t",
}
# Around the steps: what is handed on, and what its line in bptt.py has in it.
HANDED = {
    "states": ("step t starts from the states of step t − 1", "_step("),
    "dh": ("dh_t = e_t + dh_t^next", "dh_t = "),
    "dc": ("dc_t^next is what step t + 1 hands back, at the last step dc_T", "_step_backward("),
    "sum": ("every step adds its share to dW_x, dW_h and db", "np.add"),
}


class Line(NamedTuple):
    """A line of our code."""

    file: str  # such as "cells.py"
    number: int
    code: str  # without the comment


class Equation(NamedTuple):
    """One equation of the report."""

    number: Number
    formula: str
    section: str
    line: Line

    def __str__(self) -> str:
        return called(self.number)


def called(number: Number) -> str:
    """What a sentence calls an equation: "(17)", or "the loop".

    Parameters
    ----------
    number : int or str

    Returns
    -------
    str
    """
    return f"({number})" if isinstance(number, int) else "the loop"


def equation(number: Number, cell: Model, handed: str = "dh") -> Equation:
    """All that is known of the equation with that number.

    Parameters
    ----------
    number : int or str
        1 to 6, 9 to 28 or :data:`LOOP`.
    cell : {"rnn", "lstm"}
        Whose loop is meant.
    handed : {"states", "dh", "dc", "sum"}
        What of the loop.

    Returns
    -------
    Equation
    """
    section = next(title for title, numbers in SECTIONS.items() if number in numbers)
    if number != LOOP:
        return Equation(number, FORMULAS[number], section, _lines()[number, cell])
    formula, part_of_it = HANDED[handed]
    part = "forward" if handed == "states" else "backward"
    text, first = source(getattr(bptt, f"{cell}_{part}"))
    at, code = next(
        (n, line.partition("#")[0].strip())
        for n, line in enumerate(text.splitlines(), first)
        if part_of_it in line.partition("#")[0]
    )
    return Equation(LOOP, formula, section, Line("bptt.py", at, code))


def code_of(number: int) -> str:
    """The statement of cells.py that computes an equation.

    Parameters
    ----------
    number : int

    Returns
    -------
    str
    """
    return _lines()[number, "rnn" if number < 9 else "lstm"].code


@functools.cache
def source(function: Callable[..., Any]) -> tuple[str, int]:
    """The text of one of our functions, and the line on which it begins.

    Parameters
    ----------
    function : callable

    Returns
    -------
    tuple of str and int
    """
    lines, first = inspect.getsourcelines(function)
    return "".join(lines), first


@functools.cache
def _lines() -> dict[tuple[Number, str], Line]:
    found: dict[tuple[Number, str], Line] = {}
    for cell in ("rnn", "lstm"):
        for part in ("step", "step_backward"):
            text, first = source(getattr(cells, f"{cell}_{part}"))
            for number, line in enumerate(text.splitlines(), first):
                code, _, comment = line.partition("#")
                if match := re.match(r" \((\d+)\)", comment):
                    found[int(match[1]), cell] = Line("cells.py", number, code.strip())
    return found
