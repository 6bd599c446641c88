"""Would the tests notice? All the small mistakes that a tool can think of, one at a time.

    python -m tests.records.mutation [FILE...]

mutmut changes one thing in a copy of the source, a sign, a number, an argument left out, and runs
the tests that reach the place until one of them fails. A change that none of them notices has
survived; equivalent.py, beside this file, must say why it does no harm. The copies run under the
Hypothesis profile "planted", of 20 examples: what more examples would find counts as not found.

Writes results/mutation.json; with FILEs (such as lstm.py), their part of it. Exit status 1 if a
survivor is not explained, or an explanation has no survivor. Needs the extra "mutation", and a
system that can fork. Takes about a quarter of an hour on one core.
"""

import configparser
import hashlib
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import tempfile
import time
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from tests.records.equivalent import EQUIVALENT

ROOT = Path(__file__).parents[2]
RESULTS = ROOT / "results" / "mutation.json"
MUTMUT = [sys.executable, "-c", "from mutmut.__main__ import cli; cli()"]


def configured(option: str) -> list[str]:
    """A list of the section [mutmut] in setup.cfg."""
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    return config["mutmut"][option].split()


FILES = [path.removeprefix("numpy_lstm/") for path in configured("only_mutate")]
VERSIONS = ("mutmut", "pytest", "hypothesis", "numpy")


def pytest_collection_modifyitems(items: list[Any]) -> None:
    """For pytest, of which this file is a plugin there: tests of one case before those of many."""
    items.sort(key=lambda item: hasattr(item.obj, "hypothesis"))


def run(file: str, folder: Path) -> tuple[dict[str, Any], list[dict[str, str]]]:
    """Try every mutant of one file: the figures, and the survivors."""
    start = time.perf_counter()
    environment = {**os.environ, "HYPOTHESIS_PROFILE": "planted", "OPENBLAS_NUM_THREADS": "1"}
    name = f"numpy_lstm.{file.removesuffix('.py').replace('/', '.')}.*"
    command = [*MUTMUT, "run", "--max-children", "1", name]
    subprocess.run(command, cwd=folder, env=environment, check=True)
    meta = (folder / "mutants" / "numpy_lstm" / f"{file}.meta").read_text(encoding="utf-8")
    exit_codes = json.loads(meta)["exit_code_by_key"]
    survivors = [survivor(file, name, folder) for name, code in exit_codes.items() if code != 1]
    source = (folder / "numpy_lstm" / file).read_bytes()
    figures = {
        "mutants": len(exit_codes),
        "killed": len(exit_codes) - len(survivors),
        "score": score(len(exit_codes) - len(survivors), len(exit_codes)),
        "seconds": round(time.perf_counter() - start),
        "sha256": hashlib.sha256(source).hexdigest(),
    }
    return figures, survivors


def survivor(file: str, mutant: str, folder: Path) -> dict[str, str]:
    """Where a mutant differs from the source."""
    shown = subprocess.run(
        [*MUTMUT, "show", mutant], cwd=folder, capture_output=True, text=True, check=True
    )
    _, *diff = shown.stdout.rstrip().splitlines()  # the first line tells its status
    old, new = (
        "\n".join(line[1:].strip() for line in diff if line[:1] == sign and line[:3] != 3 * sign)
        for sign in "-+"
    )
    mangled = mutant.rpartition(".")[2].partition("__mutmut_")[0]
    function = re.sub("^x[_ǁ]", "", mangled).replace("ǁ", ".")
    return {"file": file, "function": function, "old": old, "new": new, "diff": "\n".join(diff)}


def explained(survivors: list[dict[str, str]]) -> list[dict[str, str]]:
    """The survivors with why they do no harm: "" where nobody has said so."""
    whys = {row[:4]: row.why for row in EQUIVALENT}
    return [{**each, "why": whys.get(key(each), "")} for each in survivors]


def key(survivor: dict[str, str]) -> tuple[str, str, str, str]:
    return survivor["file"], survivor["function"], survivor["old"], survivor["new"]


def score(killed: int, mutants: int) -> float:
    return round(killed / mutants, 4)


def main(files: list[str]) -> int:
    unknown = set(files) - set(FILES)
    if unknown:
        print(f"error: FILE must be one of {FILES}; got {min(unknown)!r}", file=sys.stderr)
        return 2
    try:
        versions = {name: version(name) for name in VERSIONS}
    except PackageNotFoundError:
        print('error: mutmut is not installed: pip install -e ".[test,mutation]"', file=sys.stderr)
        return 2
    versions = {"python": platform.python_version(), **versions}
    record: dict[str, Any] = {"versions": versions, "files": {}, "survivors": []}
    if files and RESULTS.exists():
        record = json.loads(RESULTS.read_text(encoding="utf-8"))
        if record["versions"] != versions:
            print(f"error: the other figures are of {record['versions']}", file=sys.stderr)
            return 2
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for part in ("numpy_lstm", "tests"):
            ignore = shutil.ignore_patterns("__pycache__")
            shutil.copytree(ROOT / part, folder / part, ignore=ignore)
        for part in ("setup.cfg", "pyproject.toml"):
            shutil.copy(ROOT / part, folder / part)
        for file in files or FILES:
            others = [each for each in record["survivors"] if each["file"] != file]
            record["files"][file], survivors = run(file, folder)
            record["survivors"] = others + survivors
    record["survivors"] = explained(record["survivors"])
    write(record)
    return verdict(record)


def write(record: dict[str, Any]) -> None:
    """The counts first, the survivors last; the same order whatever was run when."""
    figures = {file: record["files"][file] for file in FILES if file in record["files"]}
    mutants = sum(each["mutants"] for each in figures.values())
    killed = sum(each["killed"] for each in figures.values())
    ordered = {
        "script": "python -m tests.records.mutation",
        "tool": "mutmut",
        "versions": record["versions"],
        "tests": configured("pytest_add_cli_args_test_selection"),
        "hypothesis_profile": "planted",
        "mutants": mutants,
        "killed": killed,
        "score": score(killed, mutants),
        "files": figures,
        "survivors": sorted(record["survivors"], key=lambda each: FILES.index(each["file"])),
    }
    RESULTS.parent.mkdir(exist_ok=True)
    RESULTS.write_text(json.dumps(ordered, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def verdict(record: dict[str, Any]) -> int:
    """Print the scores and what is not in order; 1 if anything is not."""
    for file, figures in record["files"].items():
        print("{:22} {killed:4} of {mutants:4} killed".format(file, **figures))
    unexplained = [each for each in record["survivors"] if not each["why"]]
    for each in unexplained:
        print(f"\nnot explained: {each['function']}\n{each['diff']}")
    alive = set(map(key, record["survivors"]))
    idle = [row for row in EQUIVALENT if row.file in record["files"] and row[:4] not in alive]
    for row in idle:
        print(f"\nexplained, but does not survive: {row}")
    return 1 if unexplained or idle else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
