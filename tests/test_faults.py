"""Each fault of the pipeline, planted into a copy of our source, must be caught by its test."""

from pathlib import Path

import pytest

from tests.faults import Fault, data, experiments, files, measuring, training, unnoticed
from tests.planting import copy_of_the_source, planted, run_check, run_checks

AREAS = (data, training, measuring, experiments, files, unnoticed)
FAULTS = [fault for area in AREAS for fault in area.FAULTS]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_source(tmp_path_factory.mktemp("source"))


@pytest.mark.parametrize("fault", FAULTS, ids=[f"{f.file}: {f.what}" for f in FAULTS])
def test_a_planted_fault_is_caught(fault: Fault, package: Path) -> None:
    with (
        planted(package, fault.file, fault.old, fault.new),
        pytest.raises((AssertionError, pytest.fail.Exception)),  # and not, say, a NameError
    ):
        run_check(package, fault.caught_by, dict(fault.arguments))


def test_the_same_tests_pass_without_a_fault(package: Path) -> None:
    different = {(fault.caught_by, repr(fault.arguments)): fault for fault in FAULTS}
    run_checks(package, [(f.caught_by, dict(f.arguments)) for f in different.values()])
