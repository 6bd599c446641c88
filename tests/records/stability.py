"""Is any test flaky? The whole suite, many times in a row, for the record.

    python -m tests.records.stability [RUNS] [--out FILE]

Runs it 50 times, or RUNS, and writes results/stability.json, or FILE. Stops at the first run that
is not green, with that run's output and exit status 1. Takes RUNS times as long as the suite.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
FILE = ROOT / "results" / "stability.json"
SUITE = [sys.executable, "-m", "pytest", "-q", "--color=no", "-p", "no:cacheprovider"]


def commit() -> str:
    """The commit that is tested, with "-dirty" behind it if files outside results/ differ."""
    head, changed = (
        subprocess.run(
            ["git", *command], cwd=ROOT, capture_output=True, text=True, check=True
        ).stdout.strip()
        for command in (
            ["rev-parse", "HEAD"],
            ["status", "--porcelain", "--untracked-files=no", "--", ".", ":!results"],
        )
    )
    return f"{head}-dirty" if changed else head


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.records.stability",
        description="Run the whole suite many times in a row.",
    )
    parser.add_argument("runs", nargs="?", type=int, default=50, metavar="RUNS")
    parser.add_argument("--out", type=Path, default=FILE, metavar="FILE")
    arguments = parser.parse_args(argv)
    if arguments.runs < 1:
        parser.error(f"argument RUNS: must be at least 1; got {arguments.runs}")

    record: dict[str, Any] = {
        "script": "python -m tests.records.stability",
        "commit": commit(),
        "versions": {
            "python": platform.python_version(),
            **{name: version(name) for name in ("numpy", "pytest", "hypothesis")},
        },
        "machine": f"{platform.machine()}, {os.cpu_count()} cores",
        "asked_for": arguments.runs,
    }
    runs: list[dict[str, Any]] = []
    while len(runs) < arguments.runs and all(run["green"] for run in runs):
        start = time.perf_counter()
        done = subprocess.run(SUITE, cwd=ROOT, capture_output=True, text=True)
        seconds = round(time.perf_counter() - start, 1)
        *_, summary = done.stdout.strip().splitlines() or [""]
        runs.append({"green": done.returncode == 0, "seconds": seconds, "summary": summary})
        print(f"{len(runs)} of {arguments.runs}: {summary}", flush=True)
        # After each, so that one that is broken off leaves what was seen until then.
        record |= {"runs": len(runs), "green": sum(run["green"] for run in runs), "each": runs}
        arguments.out.parent.mkdir(exist_ok=True)
        arguments.out.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    if not runs[-1]["green"]:
        print(done.stdout, done.stderr, sep="\n")
    return int(not runs[-1]["green"])


if __name__ == "__main__":
    sys.exit(main())
