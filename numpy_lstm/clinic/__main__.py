"""Examines the RNN and the LSTM in a file: ``python -m numpy_lstm.clinic FILE.py``."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import inspect
import io
import json
import sys
import traceback
import warnings
from difflib import get_close_matches
from pathlib import Path
from typing import Any, get_args

from numpy_lstm.clinic import Diagnosis, examine, examine_sequence
from numpy_lstm.clinic.layouts import PRESETS
from numpy_lstm.clinic.learner import SECONDS, time_limit
from numpy_lstm.clinic.watching import Stopped
from numpy_lstm.terminal import program, run
from numpy_lstm.types import Model

# The names of the assignment: forward and backward of a step, and of a sequence.
PAIRS: list[tuple[Model, str, str]] = [
    (cell, f"{cell}_{forward}", f"{cell}_{backward}")
    for cell in get_args(Model)
    for forward, backward in (("step", "step_backward"), ("forward", "backward"))
]
EPILOG = (
    "Functions that are looked for: "
    + "; ".join(f"{forward} and {backward}" for _, forward, backward in PAIRS)
    + ". The file is imported, so what stands at its top level runs. Exit status: 0 if all that "
    "was found is right, 1 if something is wrong or not finished, 2 if nothing can be examined."
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    return run(lambda: _main(argv), needed=True)


def _main(argv: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog=program("clinic"),
        description="Say which line of your own RNN or LSTM in NumPy is wrong.",
        epilog=EPILOG,
    )
    parser.add_argument("file", metavar="FILE.py", help="with your functions")
    parser.add_argument(
        "--layout",
        default="numpy_lstm",
        metavar="NAME",
        help="how your arrays lie: " + ", ".join(PRESETS) + " (default: %(default)s)",
    )
    parser.add_argument(
        "--padded",
        action="store_true",
        help="the forward functions of sequences take lengths as their last argument",
    )
    parser.add_argument("--json", action="store_true", help="the diagnoses as a JSON list")
    arguments = parser.parse_args(argv)

    def refuse(text: str) -> int:
        parser.exit(2, f"{parser.prog}: error: {text}\n")

    if arguments.layout not in PRESETS:
        near = get_close_matches(arguments.layout.lower(), PRESETS, n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(PRESETS)}."
        return refuse(f"argument --layout: no layout {arguments.layout!r}. {hint}")
    try:
        names = _names(Path(arguments.file))
    except ValueError as error:
        return refuse(str(error))
    found = [
        (cell, forward, backward)
        for cell, forward, backward in PAIRS
        if callable(names.get(forward)) and callable(names.get(backward))
    ]
    if not found:
        return refuse(_nothing(arguments.file, names))
    diagnoses: list[Diagnosis] = []
    for cell, forward, backward in found:
        pair, layout = (names[forward], names[backward]), arguments.layout
        diagnoses.append(
            examine(*pair, cell=cell, layout=layout)
            if forward.endswith("_step")
            else examine_sequence(*pair, cell=cell, layout=layout, padded=arguments.padded)
        )
    if arguments.json:
        print(json.dumps([d.as_dict() for d in diagnoses], ensure_ascii=False, indent=1))
    else:
        print("\n\n".join(map(str, diagnoses)))
    return int(not all(d.ok for d in diagnoses))


def _names(path: Path) -> dict[str, Any]:
    """What a file defines; ValueError if it cannot be imported."""
    if path.is_dir():
        raise ValueError(f"{str(path)!r} is a folder")
    if not path.is_file():
        raise ValueError(f"no file {str(path)!r}")
    spec = importlib.util.spec_from_file_location("the_learners_file", path.resolve())
    if spec is None or spec.loader is None:
        raise ValueError(f"{str(path)!r} is no Python file: its name must end in .py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[module.__name__] = module
    sys.path.insert(0, str(path.resolve().parent))
    try:
        quiet = contextlib.redirect_stdout(io.StringIO())
        with quiet, warnings.catch_warnings(), time_limit():
            warnings.simplefilter("ignore")
            spec.loader.exec_module(module)
    except Stopped as error:
        limit = f"{SECONDS:.0f} seconds"
        raise ValueError(
            f"{path.name} does not come to an end when it is imported: {limit}"
        ) from error
    except SyntaxError as error:
        where = f", line {error.lineno}" if error.lineno else ""
        raise ValueError(f"{path.name}{where}: {error.msg}") from error
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        lines = [
            f.lineno
            for f in traceback.extract_tb(error.__traceback__)
            if f.filename == str(path.resolve())
        ]
        where = f", line {lines[-1]}" if lines else ""
        what = " ".join(str(error).split())
        raise ValueError(
            f"{path.name}{where} raises {type(error).__name__} when it is imported: {what}"
        ) from error
    finally:
        sys.path.pop(0)
    return vars(module)


def _nothing(file: str, names: dict[str, Any]) -> str:
    wanted = [name for _, *pair in PAIRS for name in pair]
    there = [name for name in wanted if callable(names.get(name))]
    if there:
        _, forward, backward = next(p for p in PAIRS if there[0] in p)
        missing = backward if there[0] == forward else forward
        return f"{file} has {there[0]}, but no {missing}: both are needed"
    functions = [name for name, value in names.items() if inspect.isfunction(value)]
    near = next((n for f in functions for n in get_close_matches(f.lower(), wanted, n=1)), "")
    hint = f"; one of yours is like {near}" if near else ""
    return f"{file} has no function of these names: {', '.join(wanted)}{hint}"


if __name__ == "__main__":
    sys.exit(main())
