"""How exact are the gradients? The worst error over many random batches, for the record.

    python -m tests.records.thorough [CASES] [--checks | --only NAMES]

Draws 10,000 batches a cell, or CASES, holds every array's gradient against the complex step, and
every tenth time against central differences. No case is left out of the count. Then runs every
other property of the suite under the profile "thorough", with 10,000 examples each. Writes
results/gradient_checks.json, with the commit that each part was run at. Exit status 1 if any error
exceeds its tolerance or any property fails. Takes about two hours on one core.

With --checks, runs the batches alone, and with --only the properties whose names fit (pytest's -k),
and puts them into the record in the place of what it has of them.
"""

import argparse
import base64
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import hypothesis
import numpy as np
from hypothesis import Phase, given, settings

from numpy_lstm.gradcheck import Method, gradient_errors
from tests.records.stability import commit
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case
from tests.test_gradients import METHODS, TOLERANCE, gradient_of, loss_of

ROOT = Path(__file__).parents[2]
FILE = ROOT / "results" / "gradient_checks.json"
FILES = sorted((ROOT / "tests").rglob("test_*.py"))
# The property that :func:`worst_errors` is: the same batches, the same check.
DONE_BEFORE = "test_sequence_gradients_agree_with_the_complex_step"


def worst_errors(cell: Cell, method: Method, cases: int) -> dict[str, Any]:
    """The largest relative error of each array, and the recipe of the batch it came up in."""
    drawn: list[Recipe] = []
    worst: dict[str, tuple[float, Recipe]] = {}

    @settings(
        max_examples=cases,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.generate],
    )
    @given(recipe=recipes())
    def check(recipe: Recipe) -> None:
        drawn.append(recipe)
        case = sequence_case(cell, recipe)
        for array in gradient_errors(loss_of(case), case.point, gradient_of(case), method=method):
            worst[array.path] = max(worst.get(array.path, (0.0, recipe)), (array.error, recipe))

    start = time.perf_counter()
    check()
    return {
        "cell": cell,
        "method": method,
        "commit": commit(),
        "tolerance": TOLERANCE[method],
        "worst": max(error for error, _ in worst.values()),
        "cases": len(drawn),
        "distinct_cases": len(set(drawn)),
        "seconds": round(time.perf_counter() - start, 1),
        "arrays": {
            path: {"error": error, "recipe": str(recipe)} for path, (error, recipe) in worst.items()
        },
    }


def properties(file: Path, names: str = f"not {DONE_BEFORE}") -> list[dict[str, Any]]:
    """Outcome, seconds and number of examples of every property in a file whose name fits.

    The number is what Hypothesis counted: not what was asked for, but what it ran and saw pass.
    """
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", str(file), "-q", "-p", "no:cacheprovider"]
        subprocess.run(
            [*command, "-m", "hypothesis", "-k", names, f"--junitxml={xml}"],
            cwd=ROOT,
            env={**os.environ, "HYPOTHESIS_PROFILE": "thorough"},
        )
        suite = ElementTree.parse(xml).getroot()
    statistics = {
        each.attrib["name"].removeprefix("hypothesis-statistics-"): base64.b64decode(
            each.attrib["value"]
        ).decode()
        for each in suite.iter("property")
    }
    rows = []
    for case in suite.iter("testcase"):
        module, name = case.attrib["classname"], case.attrib["name"]
        test = f"{module.replace('.', '/')}.py::{name}" if module else name
        passing = re.findall(r"(\d+) passing", statistics.get(test, ""))
        rows.append(
            {
                "test": test,
                "outcome": case[0].tag if len(case) else "passed",
                "examples": sum(map(int, passing)),
                "commit": commit(),
                "seconds": round(float(case.attrib["time"]), 1),
            }
        )
    return rows


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.records.thorough",
        description="Check the gradients over many batches.",
    )
    parser.add_argument("cases", nargs="?", type=int, default=10_000, metavar="CASES")
    part = parser.add_mutually_exclusive_group()
    part.add_argument("--checks", action="store_true", help="the batches alone, no properties")
    part.add_argument("--only", metavar="NAMES", help="properties whose names fit, as pytest's -k")
    arguments = parser.parse_args(argv)
    if arguments.checks:
        record = json.loads(FILE.read_text(encoding="utf-8"))
        check_batches(record, arguments.cases)
        return verdict(record)
    return again(arguments.only) if arguments.only else everything(arguments.cases)


def everything(cases: int) -> int:
    """All checks and all properties, into a new record."""
    record: dict[str, Any] = {
        "script": f"python -m tests.records.thorough {cases}",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "hypothesis": hypothesis.__version__,
        },
        "machine": platform.machine(),
        "complete": False,
        "checks": [],
        "properties": [],
    }
    check_batches(record, cases)
    for file in FILES:
        record["properties"] += properties(file)
        write(record)
    record["complete"] = True
    write(record)
    return verdict(record)


def check_batches(record: dict[str, Any], cases: int) -> None:
    """The checks of all cells by all methods, into the record."""
    record["checks"] = []
    for method in METHODS:
        for cell in CELLS:
            number = cases if method == "complex step" else max(1, cases // 10)
            record["checks"].append(worst_errors(cell, method, number))
            line = "{cell:4} {method:12} {cases:6} cases, worst error {worst:.1e}, {seconds:.0f} s"
            print(line.format(**record["checks"][-1]), flush=True)
            write(record)


def again(names: str) -> int:
    """Only the properties whose names fit, into the record that is there."""
    record = json.loads(FILE.read_text(encoding="utf-8"))
    for file in FILES:
        rows = {row["test"]: row for row in properties(file, names) if row["examples"]}
        old = record["properties"]
        record["properties"] = [rows.pop(row["test"], row) for row in old] + list(rows.values())
        write(record)
    return verdict(record)


def verdict(record: dict[str, Any]) -> int:
    """Exit status: 1 if anything is wrong."""
    wrong = any(check["worst"] > check["tolerance"] for check in record["checks"])
    return int(wrong or any(p["outcome"] in ("failure", "error") for p in record["properties"]))


def write(record: dict[str, Any]) -> None:
    """After each part, so that a run that is broken off leaves what was done until then."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
