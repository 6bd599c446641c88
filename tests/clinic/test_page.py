"""docs/clinic.md shows what the clinic says, and the figures of results/clinic.json."""

import json
import re
from typing import Any

import pytest

from numpy_lstm.clinic import PRESETS
from tests.clinic.page import PAGE, RECORD, ROOT, filled
from tests.records.clinic import found, verdict


def test_the_page_has_the_layouts_the_diagnoses_and_the_figures() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert page == filled(page), "python -m tests.clinic.page writes them anew"


def test_every_link_and_every_file_that_is_named_is_there() -> None:
    page = PAGE.read_text(encoding="utf-8")
    for name in re.findall(r"`((?:tests|numpy_lstm|notebooks|results)/[\w/.]+)`", page):
        assert (ROOT / name).exists() or name == "results/clinic.json", name


@pytest.fixture(scope="module")
def record() -> dict[str, Any]:
    if not RECORD.exists():
        pytest.skip("python -m tests.records.clinic has not been run")
    return json.loads(RECORD.read_text(encoding="utf-8"))


def test_every_layout_has_500_random_faults_and_95_percent_are_localized(record: Any) -> None:
    assert set(record["random"]) == set(PRESETS)
    for counts in record["random"].values():
        assert counts["faults"] >= 500
        assert found(counts) >= 0.95 * counts["faults"]
    assert verdict(record) == 0


def test_the_random_faults_are_in_all_equations_and_in_the_loop(record: Any) -> None:
    numbers = {number for counts in record["random"].values() for number in counts["by_equation"]}
    assert numbers == {*map(str, [*range(1, 7), *range(9, 29)]), "loop"}


def test_every_known_bug_is_named_and_localized_and_every_right_style_accepted(record: Any) -> None:
    known, right, wrong = record["known"], record["right"], record["wrong"]
    assert known["named"] == known["localized"] == known["bugs"]
    assert all(row["names"] == 1 for row in known["rows"])
    assert right["accepted"] == right["implementations"] and right["styles"] >= 10
    assert wrong["localized"] == wrong["networks"] >= 15
    for counts in record["pairs"].values():
        assert counts["of_these_named"] == counts["handed_to_the_clinic"] >= 40
