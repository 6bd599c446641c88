"""Accuracies that the experiments ``lag`` and ``padding`` have measured, for the page.

In the repository, ``python -m numpy_lstm.explore.measured`` writes ``measured.json`` anew from
``results/``, which an installed package does not have.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from numpy_lstm.files import write_json

PATH = Path(__file__).with_name("measured.json")
RESULTS = Path("results")
PADDINGS = {"behind": "as published", "front": "padded in front", "masked": "masked"}


def measured() -> dict[str, Any]:
    """Accuracies of ``lag`` by cell and K, and of ``padding`` by model.

    Of ``lag`` the median, the least and the most of the seeds; of ``padding`` the mean and the ends
    of its 95 % interval.
    """
    contents: dict[str, Any] = json.loads(PATH.read_text(encoding="utf-8"))
    return contents


def contents(results: Path) -> dict[str, Any]:
    """The contents of ``measured.json``."""
    lag, padding = (
        json.loads((results / f"{name}.json").read_text(encoding="utf-8"))["summary"]
        for name in ("lag", "padding")
    )
    by_cell: dict[str, dict[str, list[float]]] = {}
    for condition, scores in lag.items():
        cell, _, lag_of_it = condition.partition(", K=")
        by_cell.setdefault(cell, {})[lag_of_it] = _three(scores, "median", "min", "max")
    by_model = {
        model: {
            name: _three(padding[f"{model}, {change}"], "mean", "low", "high")
            for name, change in PADDINGS.items()
        }
        for model in ("rnn", "lstm")
    }
    return {"lag": by_cell, "padding": by_model}


def _three(scores: dict[str, Any], *names: str) -> list[float]:
    return [round(scores["test_accuracy"][name], 5) for name in names]


def main() -> None:
    """Write ``measured.json``."""
    write_json(PATH, contents(RESULTS))


if __name__ == "__main__":
    main()
