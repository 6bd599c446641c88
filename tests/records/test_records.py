"""The records in results/ of checks that take too long for every day: each holds what it claims."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests import test_gradients, test_properties
from tests.records import mutation, thorough
from tests.records.equivalent import EQUIVALENT, Equivalent
from tests.strategies import CELLS

ROOT = Path(__file__).parents[2]
STABILITY = ROOT / "results" / "stability.json"
CHECKS = ROOT / "results" / "gradient_checks.json"

# --- python -m tests.records.mutation ------------------------------------------------------------


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    return json.loads((ROOT / "results" / "mutation.json").read_text(encoding="utf-8"))


def test_the_mutation_score_is_that_of_the_counts_and_at_least_98_percent(record: Any) -> None:
    files = record["files"]
    assert list(files) == mutation.FILES
    for file, figures in files.items():
        survivors = [each for each in record["survivors"] if each["file"] == file]
        assert figures["mutants"] == figures["killed"] + len(survivors)
        assert figures["score"] == round(figures["killed"] / figures["mutants"], 4)
    for count in ("mutants", "killed"):
        assert record[count] == sum(figures[count] for figures in files.values())
    assert record["score"] == round(record["killed"] / record["mutants"], 4) >= 0.98


def test_every_surviving_mutant_is_explained(record: Any) -> None:
    for each in record["survivors"]:
        assert each["why"], each["diff"]
    assert record["survivors"] == mutation.explained(record["survivors"])
    assert {mutation.key(each) for each in record["survivors"]} == {row[:4] for row in EQUIVALENT}


def test_the_survivors_are_mutants_of_the_source_as_it_stands(record: Any) -> None:
    for each in record["survivors"]:
        source = (ROOT / "numpy_lstm" / each["file"]).read_text(encoding="utf-8")
        lines = {line.strip() for line in source.splitlines()}
        assert set(each["old"].splitlines()) <= lines, each["old"]


SURVIVOR = {
    "file": "cells.py",
    "function": "sigmoid",
    "old": "a",
    "new": "b",
    "diff": "-a\n+b",
    "why": "",
}
FIGURES = {"mutants": 3, "killed": 2}


def test_a_survivor_without_explanation_fails(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.verdict({"files": {"cells.py": FIGURES}, "survivors": [SURVIVOR]}) == 1
    output = capsys.readouterr().out
    assert "cells.py                  2 of    3 killed" in output
    assert "not explained: sigmoid\n-a\n+b" in output


def test_an_explanation_fails_unless_its_mutant_survives(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    row = Equivalent("cells.py", "sigmoid", "a", "b", "It is the same.")
    monkeypatch.setattr(mutation, "EQUIVALENT", [row])
    explained = {**SURVIVOR, "why": row.why}
    assert mutation.verdict({"files": {"cells.py": FIGURES}, "survivors": [explained]}) == 0
    assert mutation.verdict({"files": {"cells.py": FIGURES}, "survivors": []}) == 1
    assert "explained, but does not survive: Equivalent(file='cells.py'" in capsys.readouterr().out
    assert mutation.verdict({"files": {"optim.py": FIGURES}, "survivors": []}) == 0  # not run


def test_a_file_that_is_not_mutated_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert mutation.main(["train.py"]) == 2
    assert "FILE must be one of ['cells.py', 'bptt.py'" in capsys.readouterr().err


# --- python -m tests.records.thorough ------------------------------------------------------------


@pytest.fixture(scope="module")
def checks() -> dict[str, Any]:
    if not CHECKS.exists():
        pytest.skip("python -m tests.records.thorough has not been run")
    return json.loads(CHECKS.read_text(encoding="utf-8"))


def test_10000_cases_a_cell_agree_with_the_complex_step_to_1e_12(checks: Any) -> None:
    arrays = {"xs", "params.W_x", "params.W_h", "params.b", "h0"}
    for cell in CELLS:
        (exact,) = (
            each
            for each in checks["checks"]
            if (each["cell"], each["method"]) == (cell, "complex step")
        )
        assert exact["cases"] == 10_000
        assert set(exact["arrays"]) == (arrays if cell == "rnn" else {*arrays, "c0"})
        assert exact["worst"] == max(array["error"] for array in exact["arrays"].values()) <= 1e-12


def test_every_property_that_was_recorded_held_for_10000_examples(checks: Any) -> None:
    for each in checks["properties"]:
        assert each["outcome"] in ("passed", "skipped")
        assert each["outcome"] == "skipped" or each["examples"] == 10_000, each["test"]


def test_every_property_was_recorded(checks: Any) -> None:
    if not checks["complete"]:
        pytest.skip("python -m tests.records.thorough was broken off; it takes about two hours")
    ours = {
        f"tests/{module.__name__.rpartition('.')[2]}.py::{name}"
        for module in (test_gradients, test_properties)
        for name, test in vars(module).items()
        if getattr(test, "is_hypothesis_test", False) and name != thorough.DONE_BEFORE
    }
    recorded = {each["test"].partition("[")[0]: each for each in checks["properties"]}
    assert ours <= set(recorded)
    assert {recorded[name]["outcome"] for name in ours} == {"passed"}


# --- python -m tests.records.stability -----------------------------------------------------------


def test_fifty_runs_of_the_suite_in_a_row_were_green() -> None:
    record = json.loads(STABILITY.read_text(encoding="utf-8"))
    assert record["runs"] == record["green"] == len(record["each"]) >= 50
    assert all(run["green"] and " passed" in run["summary"] for run in record["each"])
    assert not any(" failed" in run["summary"] for run in record["each"])
    assert not record["commit"].endswith("-dirty")
