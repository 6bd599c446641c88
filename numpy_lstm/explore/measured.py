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

    Of each the median, the least and the most of the seeds.
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
        by_cell.setdefault(cell, {})[lag_of_it] = _accuracies(scores)
    by_model = {
        model: {
            name: _accuracies(padding[f"{model}, {change}"]) for name, change in PADDINGS.items()
        }
        for model in ("rnn", "lstm")
    }
    return {"lag": by_cell, "padding": by_model}


def _accuracies(scores: dict[str, Any]) -> list[float]:
    return [round(scores["test_accuracy"][name], 5) for name in ("median", "min", "max")]


def main() -> None:
    """Write ``measured.json``."""
    write_json(PATH, contents(RESULTS))


if __name__ == "__main__":
    main()
