"""``python -m benchmarks``: measure everything, write it down, draw it."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.figure import time_ratios
from benchmarks.machine import machine
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.preparation import preparation
from benchmarks.profiling import profile
from benchmarks.table import block
from numpy_lstm.files import write_json

PARTS = {
    "grid": parts.grid,
    "grid_avx2": parts.grid_avx2,
    "step": parts.step,
    "length": parts.length,
    "ragged": parts.ragged,
    "profile": profile,
    "preparation": preparation,
}


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]  # "²" in ASCII
    parser = argparse.ArgumentParser("python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument(
        "--only", choices=PARTS, help="measure one part, and keep the others as they are in --out"
    )
    parser.add_argument(
        "--out",
        type=Path,
        help="folder of benchmarks.json and benchmarks.png"
        " (default: results, or runs/benchmarks with --quick)",
    )
    options = parser.parse_args(argv)
    if sys.platform != "linux":
        parser.error("the benchmarks need Linux: peak memory is read from /proc")
    plan = QUICK if options.quick else FULL
    out = options.out or Path("runs/benchmarks" if options.quick else "results")
    try:
        results = run(plan, out, options.only)
    except (OSError, ValueError) as error:
        parser.error(str(error))
    except EOFError:
        parser.exit(1, "A contender's process ended too early; it said why above.\n")
    except KeyboardInterrupt:
        parser.exit(130, f"Stopped; the parts that were finished are in {out}.\n")
    print(block(results))
    return 0


def run(plan: Plan, out: Path, only: str | None) -> dict[str, Any]:
    """Measure all parts or one, and write ``benchmarks.json`` after each."""
    path = out / "benchmarks.json"
    out.mkdir(parents=True, exist_ok=True)
    results = _read(path) if only and path.exists() else {}
    for name in [only] if only else PARTS:
        about = {"quick": plan.quick, "rounds": plan.rounds, "machine": machine()}
        results[name] = {**about, **PARTS[name](plan)}
        write_json(path, {name: results[name] for name in PARTS if name in results})
    grids = [results[name] for name in ("grid", "grid_avx2") if results.get(name, {}).get("cases")]
    if grids:
        time_ratios(out / "benchmarks.png", grids)
    return results


def _read(path: Path) -> dict[str, Any]:
    try:
        return dict(json.loads(path.read_text(encoding="utf-8")))
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}. Delete it to measure anew.") from error


if __name__ == "__main__":
    sys.exit(main())
