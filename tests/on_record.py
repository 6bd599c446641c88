"""The results on record, and the pages that tell them."""

import json
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
PAGES = ROOT / "docs" / "experiments"


@cache
def contents(name: str) -> dict[str, Any]:
    """What ``results/NAME.json`` holds; not to be changed."""
    path = ROOT / "results" / f"{name}.json"
    of_file: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return of_file


def page(name: str) -> str:
    return (PAGES / f"{name}.md").read_text(encoding="utf-8")


def prose(name: str) -> str:
    """The page on one line, so that a sentence is found wherever its lines break."""
    return " ".join(page(name).split())
