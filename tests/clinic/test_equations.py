"""The clinic's equations are the report's, and their lines are in our code."""

import re
from pathlib import Path

import pytest

from numpy_lstm.clinic.equations import FORMULAS, HANDED, LOOP, SECTIONS, code_of, equation

ROOT = Path(__file__).parents[2]
REPORT = (ROOT / "report" / "lstm_tutorial_report.typ").read_text(encoding="utf-8")


def plain(typst: str) -> str:
    """A formula of the report as the clinic writes it, without blanks."""
    for old, new in (
        ("(dd a_t)", "da_t"),
        ("dd ", "d"),
        (" dot.o ", " ⊙ "),
        ("adds", "+="),
        ("quad", ""),
        ("\\", ""),
        ("sigma", "σ"),
        ("^top", "ᵀ"),
        ('^"next"', "^next"),
        ("^2", "²"),
        ("_(t-1)", "_{t−1}"),
        ("-", "−"),
    ):
        typst = typst.replace(old, new)
    return re.sub(r"\s", "", typst)


@pytest.mark.parametrize("number", FORMULAS)
def test_a_formula_is_the_reports(number: int) -> None:
    found = re.search(rf'#step\({number}, "[^"]*",\s*\$(.*?)\$\)', REPORT, re.S)
    assert found
    assert plain(found[1]) == re.sub(r"\s", "", FORMULAS[number])


@pytest.mark.parametrize("number", FORMULAS)
def test_it_stands_in_the_section_that_is_named(number: int) -> None:
    section = equation(number, "rnn" if number < 9 else "lstm").section
    text = REPORT[REPORT.index(f"= {section}\n") :]
    text = text[: text.index("\n= ", 1)]
    assert f"#step({number}, " in text


@pytest.mark.parametrize("number", FORMULAS)
def test_the_line_of_our_code_bears_the_number(number: int) -> None:
    line = equation(number, "rnn" if number < 9 else "lstm").line
    source = (ROOT / "numpy_lstm" / line.file).read_text(encoding="utf-8").splitlines()
    assert source[line.number - 1].strip().startswith(f"{line.code}  # ({number})")
    assert code_of(number) == line.code


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
@pytest.mark.parametrize("handed", HANDED)
def test_what_the_loop_hands_on_has_a_line_too(cell: str, handed: str) -> None:
    line = equation(LOOP, cell, handed).line
    source = (ROOT / "numpy_lstm" / "bptt.py").read_text(encoding="utf-8").splitlines()
    assert source[line.number - 1].strip().startswith(line.code)
    assert HANDED[handed][1] in line.code


def test_every_equation_has_a_section_and_7_and_8_have_no_code() -> None:
    numbers = {n for each in SECTIONS.values() for n in each}
    assert numbers == {*FORMULAS, LOOP} == {*range(1, 7), *range(9, 29), LOOP}
