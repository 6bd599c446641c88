"""Does the clinic find the wrong line? Known bugs, pairs, and random faults, for the record.

    python -m tests.records.clinic [FAULTS]

Hands to the clinic each bug of its catalogue, pairs of them, 500 random faults a layout, or FAULTS,
right implementations in many styles, and wrong networks in the styles of public code. Writes
results/clinic.json. Exit status 1 if a right implementation is refused, a known bug is not named,
or too few faults are localized. Takes about an hour of one core.

A fault is localized if an equation that its line computes is the one that is named first, or one
of two. It is named elsewhere if it has, number for number, the gradient of a known bug of none of
these.
"""

import argparse
import itertools
import json
import platform
import random
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from joblib import Parallel, delayed

from numpy_lstm import bptt, cells
from numpy_lstm.clinic import PRESETS, Diagnosis, examine, examine_sequence
from numpy_lstm.clinic.catalogue import PUBLIC, Bug, bugs
from numpy_lstm.clinic.layouts import absent, chosen
from numpy_lstm.clinic.learner import Functions, attempt
from numpy_lstm.clinic.problem import draw
from numpy_lstm.clinic.reference import functions, run
from tests.clinic.faults import (
    FUNCTIONS,
    STUDENTS,
    functions_of,
    lines_of,
    loaded,
    plant,
    source_of,
    student,
)
from tests.clinic.wrong_networks import NETWORKS, diagnosis_of, marked
from tests.records.stability import commit

ROOT = Path(__file__).parents[2]
FILE = ROOT / "results" / "clinic.json"
CELLS = ("rnn", "lstm")


def with_bugs(cell: str, edits: Sequence[Any]) -> Diagnosis:
    """What the clinic says of our own code with these edits: of a step, or of the loops."""
    ours = functions(edits, [])
    if all("step" in edit.function for edit in edits):
        return examine(ours[f"{cell}_step"], ours[f"{cell}_step_backward"], cell=cell)
    return examine_sequence(ours[f"{cell}_forward"], ours[f"{cell}_backward"], cell=cell)


def known_bugs() -> dict[str, Any]:
    """Each bug of the catalogue: is it named, and by nothing else?"""
    rows = []
    for cell in CELLS:
        for bug in bugs(cell):
            diagnosis = with_bugs(cell, bug.edits)
            names = [[each.what for each in group] for group in diagnosis.names]
            rows.append(
                {
                    "cell": cell,
                    "what": bug.what,
                    "public": bug.public,
                    "named": [bug.what] in names,
                    "names": len(names),
                    "localized": bug.equation in diagnosis.equations,
                }
            )
    return {
        "bugs": len(rows),
        "named": sum(row["named"] for row in rows),
        "localized": sum(row["localized"] for row in rows),
        "rows": rows,
    }


def pairs() -> dict[str, Any]:
    """All pairs: is the gradient of each pair the pair's own, or another bug's or pair's too?

    Only the numbers are compared, as the clinic does; to run it on each would take hours.
    """
    found = {}
    for cell in CELLS:
        problem = draw(cell, 0)
        keys: dict[tuple[int, ...], list[tuple[Bug, ...]]] = {}
        right = _key(run(problem).results)
        singles = bugs(cell)
        alone = {_key(run(problem, bug.edits).results) for bug in singles}
        count = conflicts = silent = 0
        for pair in itertools.combinations(singles, 2):
            try:
                with np.errstate(all="ignore"):
                    key = _key(run(problem, (*pair[0].edits, *pair[1].edits)).results)
            except ValueError:  # both are in one line, or one makes the other impossible
                conflicts += 1
                continue
            count += 1
            silent += key == right or key in alone
            keys.setdefault(key, []).append(pair)
        shared = sum(len(group) for group in keys.values() if len(group) > 1)
        sample = random.Random(0).sample(
            [group[0] for key, group in keys.items() if len(group) == 1 and key not in alone], 40
        )
        named = sum(
            {bug.what for bug in pair} in [{n.what for n in group} for group in d.names]
            for pair in sample
            for d in [with_bugs(cell, (*pair[0].edits, *pair[1].edits))]
        )
        found[cell] = {
            "pairs": count,
            "in_one_line": conflicts,
            "like_a_single_bug": silent,
            "like_another_pair": shared,
            "handed_to_the_clinic": len(sample),
            "of_these_named": named,
        }
    return found


def _key(results: dict[str, Any]) -> tuple[int, ...]:
    """Numbers that agree if all results agree to nine digits."""
    numbers = np.concatenate([results[name].ravel() for name in sorted(results)])
    weights = np.cos(np.arange(1.0, 7 * len(numbers) + 1)).reshape(7, -1)
    with np.errstate(all="ignore"):
        sums = weights @ numbers
    return tuple(float(f"{x:.9g}").__hash__() for x in sums)


def random_faults(layout: str, number: int) -> dict[str, Any]:
    """Random faults in a right implementation of a layout."""
    with tempfile.TemporaryDirectory() as folder:
        return faults_in(Path(folder), layout, number)


def faults_in(folder: Path, layout: str, number: int) -> dict[str, Any]:
    source, rng = source_of(layout), random.Random(layout)
    right = loaded(source, folder / "right.py")
    kinds = [
        (c, k)
        for c in ("lstm", "lstm", "rnn")
        for k in FUNCTIONS
        if len(functions_of(right, c, k)) == 2
    ]
    counts: Counter[str] = Counter()
    by_equation: dict[str, Counter[str]] = {}
    while counts["faults"] < number:
        cell, kind = rng.choice(kinds)
        names = {name.format(cell) for name in FUNCTIONS[kind]}
        planted = plant(source, lines_of(source, names), rng)
        path = folder / f"{layout.replace('-', '_')}_{sum(counts.values())}.py"
        try:
            module = loaded(planted.source, path)
        except Exception:
            continue
        pair = functions_of(module, cell, kind)
        if not runs(pair, cell, kind, layout):
            counts["did_not_run"] += 1  # raised, or returned what has another shape: a sentence
            continue
        d = (examine if kind == "step" else examine_sequence)(*pair, cell=cell, layout=layout)
        path.unlink()
        if d.ok:
            counts["without_effect"] += 1
            continue
        counts["faults"] += 1
        outcome = judged(d, planted.truth)
        counts[outcome] += 1
        line = d.faults[0].line if d.faults else None
        counts["line"] += bool(line and line.first <= planted.line <= line.last)
        for equation in planted.truth:
            row = by_equation.setdefault(str(equation), Counter())
            row["faults"] += 1
            row["localized"] += outcome in ("one", "two", "other_equations")
        wrong_names = [g for g in d.names if not planted.truth & {n.equation for n in g}]
        counts["names"] += bool(d.names)
        counts["named_elsewhere"] += bool(wrong_names)
    return {
        **counts,
        "by_equation": {k: dict(v) for k, v in sorted(by_equation.items(), key=_order)},
    }


def runs(pair: Sequence[Any], cell: Any, kind: str, layout: str) -> bool:
    """Whether both functions return what can be compared at all."""
    f = Functions(*pair, chosen(layout, cell), kind == "sequence")
    zero = absent(f.layout, cell, sequence=f.sequence)
    problem = draw(cell, 0, examples=f.layout.examples, zero=zero)
    return attempt(f, problem, run(problem), watch=False).trouble is None


def _order(item: tuple[str, Any]) -> tuple[bool, int]:
    return (not item[0].isdigit(), int(item[0]) if item[0].isdigit() else 0)


def judged(d: Diagnosis, truth: frozenset[int | str]) -> str:
    """How near the diagnosis came to the equations that the faulty line computes."""
    if d.verdict == "other equations":
        return "other_equations"
    if truth & set(d.equations):
        return {1: "one", 2: "two"}.get(len(d.equations), "more")
    return "missed"


def right_ones() -> dict[str, Any]:
    """Right implementations, in float64 and cast to float32: are they accepted?"""
    rows = []
    for layout in PRESETS:
        module = student(layout)
        for cell in CELLS:
            for kind in FUNCTIONS:
                pair = functions_of(module, cell, kind)
                if len(pair) == 2:
                    for dtype in ("float64", "float32"):
                        both = [in_dtype(f, dtype) for f in pair]
                        examination = examine if kind == "step" else examine_sequence
                        d = examination(*both, cell=cell, layout=layout)
                        rows.append(row_of(layout, cell, kind, dtype, d))
    for cell in CELLS:
        d = examine(
            getattr(cells, f"{cell}_step"), getattr(cells, f"{cell}_step_backward"), cell=cell
        )
        rows.append(row_of("ours", cell, "step", "float64", d))
        d = examine_sequence(
            getattr(bptt, f"{cell}_forward"), getattr(bptt, f"{cell}_backward"), cell=cell
        )
        rows.append(row_of("ours", cell, "sequence", "float64", d))
    return {
        "styles": len(list(STUDENTS.glob("[a-z]*.py"))),
        "implementations": len(rows),
        "accepted": sum(row["accepted"] for row in rows),
        "rows": rows,
    }


def row_of(layout: str, cell: str, kind: str, dtype: str, d: Diagnosis) -> dict[str, Any]:
    return {"layout": layout, "cell": cell, "kind": kind, "dtype": dtype, "accepted": d.ok}


def in_dtype(function: Any, dtype: str) -> Any:
    """The function, given arrays of this dtype."""
    if dtype == "float64":
        return function

    def cast(value: Any) -> Any:
        if isinstance(value, np.ndarray) and value.dtype == np.float64:
            return value.astype(dtype)
        if isinstance(value, dict):
            return {key: cast(each) for key, each in value.items()}
        if hasattr(value, "_fields"):
            return type(value)(*map(cast, value))
        return type(value)(map(cast, value)) if isinstance(value, (list, tuple)) else value

    def single(*arguments: Any) -> Any:
        return function(*map(cast, arguments))

    single.__name__ = function.__name__
    return single


def wrong_ones() -> dict[str, Any]:
    """Wrong networks in the styles of public code, with faults that are not in the catalogue."""
    rows = []
    for name in NETWORKS:
        line, truth = marked(name)
        d = diagnosis_of(name)
        at = d.faults[0].line if d.faults else None
        rows.append(
            {
                "network": name,
                "equation": truth,
                "found": list(d.equations),
                "localized": truth in d.equations,
                "line": bool(at and at.first <= line <= at.last),
                "named": bool(d.names),
            }
        )
    return {
        "networks": len(rows),
        "localized": sum(row["localized"] for row in rows),
        "lines": sum(row["line"] for row in rows),
        "rows": rows,
    }


def verdict(record: dict[str, Any]) -> int:
    """Exit status: 1 if anything is worse than it should be."""
    known, right, wrong = record["known"], record["right"], record["wrong"]
    fine = known["named"] == known["bugs"] and right["accepted"] == right["implementations"]
    fine = fine and wrong["localized"] == wrong["networks"]
    for figures in record["random"].values():
        fine = fine and found(figures) >= 0.95 * figures["faults"]
    return int(not fine)


def found(figures: dict[str, Any]) -> int:
    """Random faults that were localized, or rightly told to be other equations."""
    return sum(figures.get(outcome, 0) for outcome in ("one", "two", "other_equations"))


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tests.records.clinic", description="Hand wrong networks to the clinic."
    )
    parser.add_argument("faults", nargs="?", type=int, default=500, metavar="FAULTS")
    arguments = parser.parse_args(argv)
    start = time.perf_counter()
    record: dict[str, Any] = {
        "script": f"python -m tests.records.clinic {arguments.faults}",
        "commit": commit(),
        "versions": {"python": platform.python_version(), "numpy": np.__version__},
        "public": len(PUBLIC),
        "known": known_bugs(),
        "right": right_ones(),
        "wrong": wrong_ones(),
        "pairs": pairs(),
        "random": {},
    }
    work = (delayed(random_faults)(layout, arguments.faults) for layout in PRESETS)
    with Parallel(n_jobs=-1, return_as="generator") as parallel:
        for layout, figures in zip(PRESETS, parallel(work), strict=True):
            record["random"][layout] = figures
            print(f"{layout:14} {found(figures)} of {figures['faults']} localized", flush=True)
            record["seconds"] = round(time.perf_counter() - start)
            FILE.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")
    return verdict(record)


if __name__ == "__main__":
    raise SystemExit(main())
