"""How exact are the gradients? The worst error over many random batches, for the record.

    python -m tests.thorough [CASES]

Draws 10,000 batches a cell, or CASES, holds every array's gradient against the complex step, and
every tenth time against central differences, and writes results/gradient_checks.json. No case is
left out of the count. Exit status 1 if any error exceeds its tolerance. Takes about half an hour.
"""

import json
import platform
import sys
import time
from pathlib import Path
from typing import Any

import hypothesis
import numpy as np
from hypothesis import Phase, given, settings

from numpy_lstm.gradcheck import Method, gradient_errors
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case
from tests.test_gradients import TOLERANCE, gradient_of, loss_of

FILE = Path(__file__).parents[1] / "results" / "gradient_checks.json"


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


def main(cases: int = 10_000) -> int:
    checks = []
    for method in TOLERANCE:
        for cell in CELLS:
            number = cases if method == "complex step" else max(1, cases // 10)
            checks.append(worst_errors(cell, method, number))
            line = "{cell:4} {method:12} {cases:6} cases, worst error {worst:.1e}, {seconds:.0f} s"
            print(line.format(**checks[-1]), flush=True)
    record = {
        "script": f"python -m tests.thorough {cases}",
        "versions": {
            "python": platform.python_version(),
            "numpy": np.__version__,
            "hypothesis": hypothesis.__version__,
        },
        "machine": platform.machine(),
        "checks": checks,
    }
    FILE.parent.mkdir(exist_ok=True)
    FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return int(any(check["worst"] > check["tolerance"] for check in checks))


if __name__ == "__main__":
    sys.exit(main(*map(int, sys.argv[1:2])))
