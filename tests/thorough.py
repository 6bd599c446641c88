"""How exact are the gradients? The worst error over many random batches, for the record.

    python -m tests.thorough [CASES]

Draws 10,000 batches a cell, or CASES, holds every array's gradient against the complex step, and
every tenth time against central differences. No case is left out of the count. Then runs every
other property of the suite under the profile "thorough", with 10,000 examples each. Writes
results/gradient_checks.json. Exit status 1 if any error exceeds its tolerance or any property
fails. Takes about two hours on one core.
"""

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
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case
from tests.test_gradients import METHODS, TOLERANCE, gradient_of, loss_of

ROOT = Path(__file__).parents[1]
FILE = ROOT / "results" / "gradient_checks.json"
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
        "tolerance": TOLERANCE[method],
        "worst": max(error for error, _ in worst.values()),
        "cases": len(drawn),
        "distinct_cases": len(set(drawn)),
        "seconds": round(time.perf_counter() - start, 1),
        "arrays": {
            path: {"error": error, "recipe": str(recipe)} for path, (error, recipe) in worst.items()
        },
    }


def properties(tests: list[str]) -> list[dict[str, Any]]:
    """Outcome, seconds and number of examples of every property in the files `tests`.

    The number is what Hypothesis counted: not what was asked for, but what it ran and saw pass.
    """
    with tempfile.TemporaryDirectory() as folder:
        xml = Path(folder, "junit.xml")
        command = [sys.executable, "-m", "pytest", *tests, "-q", "-p", "no:cacheprovider"]
        subprocess.run(
            [*command, "-m", "hypothesis", "-k", f"not {DONE_BEFORE}", f"--junitxml={xml}"],
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
                "seconds": round(float(case.attrib["time"]), 1),
            }
        )
    return rows


def main(cases: int = 10_000) -> int:
    record: dict[str, Any] = {
        "script": f"python -m tests.thorough {cases}",
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
    for method in METHODS:
        for cell in CELLS:
            number = cases if method == "complex step" else max(1, cases // 10)
            record["checks"].append(worst_errors(cell, method, number))
            line = "{cell:4} {method:12} {cases:6} cases, worst error {worst:.1e}, {seconds:.0f} s"
            print(line.format(**record["checks"][-1]), flush=True)
            write(record)
    for file in sorted((ROOT / "tests").glob("test_*.py")):
        record["properties"] += properties([f"tests/{file.name}"])
        write(record)
    record["complete"] = True
    write(record)
    wrong = any(check["worst"] > check["tolerance"] for check in record["checks"])
    return int(wrong or any(p["outcome"] in ("failure", "error") for p in record["properties"]))


def write(record: dict[str, Any]) -> None:
    """After each part, so that a run that is broken off leaves what was done until then."""
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
