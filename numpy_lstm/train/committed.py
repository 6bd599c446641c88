"""What the repository's own runs reached, to compare a run with.

In the repository, ``python -m numpy_lstm.train.committed`` writes ``committed.json`` anew from
``results/``: from the comparison's and the main job's runs on IMDB, and from five runs on the
built-in reviews, which it starts if ``results/built_in.json`` is not there.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from numpy_lstm.files import write_json
from numpy_lstm.types import MODEL_NAMES

PATH = Path(__file__).with_name("committed.json")
RESULTS = Path("results")
SEEDS = range(5)


def committed_range(metrics: dict[str, Any]) -> str | None:
    """A line on the test accuracies of runs that differ from this one in the seed alone, if any."""
    for kind in json.loads(PATH.read_text(encoding="utf-8")):
        if kind["sizes"] == metrics["sizes"] and kind["run"] == _but_for_the_seed(metrics):
            ranges = ", ".join(
                f"{MODEL_NAMES[model]} {100 * low:.1f} to {100 * high:.1f} %"
                for model, (low, high) in kind["test_accuracy"].items()
            )
            return f"The repository's {kind['seeds']} seeds: {ranges}"
    return None


def contents(results: Path) -> list[dict[str, Any]]:
    """The contents of ``committed.json``, a kind of runs each."""
    main = _read(results / "imdb" / "metrics.json")
    built_in = _read(results / "built_in.json")
    trials = [
        (trial["condition"], trial["result"]["test_accuracy"])
        for trial in _read(results / "comparison.json")["trials"]
        if trial["condition"] in MODEL_NAMES  # with the main job's settings
    ]
    return [
        _kind(main, [*trials, *_accuracies(main)], len(trials) // len(MODEL_NAMES)),
        _kind(built_in[0], [one for run in built_in for one in _accuracies(run)], len(built_in)),
    ]


def _kind(like: dict[str, Any], runs: list[tuple[str, float]], seeds: int) -> dict[str, Any]:
    found = {model: [value for name, value in runs if name == model] for model in MODEL_NAMES}
    return {
        "run": _but_for_the_seed(like),
        "sizes": like["sizes"],
        "seeds": seeds,
        "test_accuracy": {model: [min(values), max(values)] for model, values in found.items()},
    }


def _but_for_the_seed(metrics: dict[str, Any]) -> dict[str, Any]:
    settings = {**metrics["config"]["settings"]}
    del settings["seed"]
    return {"dataset": metrics["dataset"], "settings": settings}


def _accuracies(metrics: dict[str, Any]) -> list[tuple[str, float]]:
    return [(model, scores["test_accuracy"]) for model, scores in metrics["models"].items()]


def _read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def main() -> None:
    """Write ``committed.json``."""
    if not (RESULTS / "built_in.json").exists():
        runs = []
        for seed in SEEDS:
            with TemporaryDirectory() as folder:
                options = ["--dataset", "synthetic", "--seed", str(seed), "--out", folder]
                subprocess.run([sys.executable, "-m", "numpy_lstm.train", *options], check=True)
                runs.append(_read(Path(folder) / "metrics.json"))
        write_json(RESULTS / "built_in.json", runs)
    write_json(PATH, contents(RESULTS))


if __name__ == "__main__":
    main()
