"""The checks are checked: each known bug, planted into a copy of our source, must be caught.

The same tests pass on a copy without a bug, so it is the bug that they fail for.

All fifteen bugs can be written into our code. Number 4 only gate by gate in the LSTM, whose W_h,
(4H, H), is not square.
"""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.conftest import PROFILE
from tests.planted import BUGS, Bug
from tests.planting import copy_of_the_source, planted, run_check, run_checks

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def few_examples() -> Iterator[None]:
    settings.load_profile("planted")
    yield
    settings.load_profile(PROFILE)


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return copy_of_the_source(tmp_path_factory.mktemp("source"))


@pytest.mark.parametrize("bug", BUGS, ids=[f"{b.number} {b.file}: {b.what}" for b in BUGS])
def test_a_planted_bug_is_caught(bug: Bug, package: Path) -> None:
    with (
        planted(package, bug.file, bug.old, bug.new),
        pytest.raises((AssertionError, pytest.fail.Exception)),  # and not, say, a NameError
    ):
        run_check(package, bug.caught_by, bug.arguments)


def test_the_same_checks_pass_without_a_bug(package: Path) -> None:
    different = {(bug.caught_by, tuple(bug.arguments.items())) for bug in BUGS}
    run_checks(package, [(caught_by, dict(arguments)) for caught_by, arguments in different])


def test_all_fifteen_are_there() -> None:
    assert {bug.number for bug in BUGS} == set(range(1, 16))
