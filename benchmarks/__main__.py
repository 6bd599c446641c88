"""``python -m benchmarks``: measure everything, write it down, draw it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path
from typing import Any

from benchmarks import parts
from benchmarks.exploring import exploring
from benchmarks.figure import time_ratios
from benchmarks.machine import machine
from benchmarks.plan import FULL, QUICK, Plan
from benchmarks.preparation import preparation
from benchmarks.profiling import profile
from benchmarks.table import block
from numpy_lstm import terminal
from numpy_lstm.data.imdb import load_imdb
from numpy_lstm.files import make_folder, write_json

PARTS = {
    "grid": parts.grid,
    "grid_avx2": parts.grid_avx2,
    "step": parts.step,
    "length": parts.length,
    "ragged": parts.ragged,
    "vanishing": parts.vanishing,
    "profile": profile,
    "preparation": preparation,
    "page": exploring,
}


def main(argv: list[str] | None = None) -> int:
    """The command line; returns the exit code."""
    return terminal.run(lambda: _main(argv), needed=False)


def _main(argv: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        "python -m benchmarks",
        usage="%(prog)s [options]",
        description="Measure time and memory beside PyTorch and Keras, write it down, draw it.",
    )
    parser.add_argument("--quick", action="store_true", help="tiny sizes, to see that it works")
    parser.add_argument(
        "--only", choices=PARTS, help="measure one part, and keep the others as they are in --out"
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="an IMDB archive or an extracted aclImdb/; also the variable NUMPY_LSTM_IMDB",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        help="folder of benchmarks.json and benchmarks.png"
        " (default: results, or runs/benchmarks with --quick)",
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the figures in --out DIR")
    options = parser.parse_args(argv)
    if sys.platform != "linux":
        parser.error("the benchmarks need Linux: peak memory is read from /proc")
    if options.data and options.quick:
        parser.error("argument --data: not together with --quick, which reads no reviews")
    plan = QUICK if options.quick else FULL
    out = options.out or Path("runs/benchmarks" if options.quick else "results")
    if options.data:
        os.environ["NUMPY_LSTM_IMDB"] = options.data  # load_imdb reads it
    try:
        results = run(plan, out, options.only, overwrite=options.overwrite)
    except (EOFError, ConnectionError):
        parser.exit(1, "A contender's process ended too early; it said why above.\n")
    except (OSError, ValueError) as error:
        parser.error(str(error))
    except KeyboardInterrupt:
        parser.exit(130, f"Stopped; the parts that were finished are in {out}.\n")
    print(block(results))
    return 0


def run(plan: Plan, out: Path, only: str | None, *, overwrite: bool) -> dict[str, Any]:
    """Measure all parts or one, and write ``benchmarks.json`` after each.

    Raises
    ------
    ValueError
        If parts that are no quick run's would be replaced without being asked for, if their file is
        damaged, or if NUMPY_LSTM_IMDB names no reviews.
    OSError
        If `out` cannot be written to.
    """
    path = out / "benchmarks.json"
    make_folder(out)
    results = _read(path) if path.exists() else {}
    names = [only] if only else list(PARTS)
    lost = [name for name in names if name in results and not results[name]["quick"]]
    asked = overwrite or (only and not plan.quick)  # to measure a part anew is what --only is for
    if lost and not asked:
        raise ValueError(
            f"{path} holds {', '.join(lost)}. Choose another --out, measure one part anew by"
            " --only, or replace what is there by --overwrite."
        )
    if os.environ.get("NUMPY_LSTM_IMDB") and not plan.quick:
        load_imdb(allow_download=False)  # else a wrong path would show after an hour
    for name in names:
        about = {"quick": plan.quick, "rounds": plan.rounds, "machine": machine()}
        results[name] = {**about, **PARTS[name](plan)}
        write_json(path, {name: results[name] for name in PARTS if name in results})
    grids = [results[name] for name in ("grid", "grid_avx2") if results.get(name, {}).get("cases")]
    if grids:
        time_ratios(out / "benchmarks.png", grids)
    return results


def _read(path: Path) -> dict[str, Any]:
    try:
        results = dict(json.loads(path.read_text(encoding="utf-8")))
        _ = [part["quick"] for part in results.values()]
    except (ValueError, TypeError, KeyError) as error:
        raise ValueError(f"{path} is damaged: {error}. Delete it to measure anew.") from error
    return results


if __name__ == "__main__":
    sys.exit(main())
