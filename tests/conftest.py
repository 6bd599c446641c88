"""Hypothesis profiles, and what tests of several folders need.

All profiles are derandomized: the same code gives the same result on every run.

``HYPOTHESIS_PROFILE=thorough`` draws 10,000 examples a property where the usual one draws 50.
"""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import Phase, settings

settings.register_profile("ci", max_examples=50, derandomize=True, deadline=None, database=None)
settings.register_profile("thorough", settings.get_profile("ci"), max_examples=10_000)
# A planted bug need only be caught: no search for the simplest example that shows it.
settings.register_profile(
    "planted",
    settings.get_profile("ci"),
    max_examples=20,
    phases=[Phase.generate],
    report_multiple_bugs=False,
)

PROFILE = os.environ.get("HYPOTHESIS_PROFILE", "ci")
settings.load_profile(PROFILE)


@pytest.fixture
def interruptible() -> Iterator[None]:
    """A suite that runs in the background may ignore Ctrl-C, and its children then do too."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def pytest_make_parametrize_id(val: object, argname: str) -> str | None:
    """Name a test by bytes' argument: what is packed holds the time, which differs by process."""
    return argname if isinstance(val, bytes) else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With ``-m gradients``, leave out files without that mark: to import them takes seconds."""
    if config.option.markexpr != "gradients" or not collection_path.name.startswith("test_"):
        return None
    return "mark.gradients" not in collection_path.read_text(encoding="utf-8") or None
