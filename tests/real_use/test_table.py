"""The table in README.md names every test of this folder, and no other."""

import ast
import re
from pathlib import Path

FOLDER = Path(__file__).parent


def test_the_table_names_every_test_of_this_folder_and_no_other() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    lines = [line.strip("|").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    named = {test for *_, test in lines for test in re.findall(r"`(test_\w+\.py::test_\w+)`", test)}
    tests = {
        f"{path.name}::{node.name}"
        for path in FOLDER.glob("test_*.py")
        if path != Path(__file__)
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }
    assert named == tests


def test_every_line_of_the_table_has_four_cells_with_text_in_them() -> None:
    table = (FOLDER / "README.md").read_text(encoding="utf-8")
    for line in table.splitlines():
        if line.startswith("| "):
            cells = [cell.strip() for cell in line.strip("|").split(" | ")]
            assert len(cells) == 4 and all(cells), line
