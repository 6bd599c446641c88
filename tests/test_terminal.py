"""How a command was called, and output that cannot be written, without a process of its own."""

import io
import sys
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from importlib import import_module
from typing import Any
from unittest.mock import patch

import pytest

from numpy_lstm import __main__ as numpy_lstm_command
from numpy_lstm import terminal


@pytest.mark.parametrize(
    ("called", "train", "alone"),
    [
        ("/usr/bin/numpy-lstm", "numpy-lstm train", "numpy-lstm"),
        ("numpy-lstm.exe", "numpy-lstm train", "numpy-lstm"),
        ("/src/numpy_lstm/train/__main__.py", "python -m numpy_lstm.train", "python -m numpy_lstm"),
        ("", "python -m numpy_lstm.train", "python -m numpy_lstm"),
    ],
)
def test_a_command_is_named_as_it_was_called(called: str, train: str, alone: str) -> None:
    with patch.object(sys, "argv", [called, "--help"]):
        assert (terminal.program("train"), terminal.program()) == (train, alone)


def test_a_command_in_capitals_is_known_to_be_one() -> None:
    told = io.StringIO()
    with redirect_stderr(told), pytest.raises(SystemExit):
        numpy_lstm_command.main(["TRAIN"])
    assert "Did you mean train?" in told.getvalue()


@pytest.mark.parametrize(
    ("command", "argv", "needed"),
    [
        ("numpy_lstm", ["--help"], True),
        ("numpy_lstm.train", [], False),
        ("numpy_lstm.predict", [], True),
        ("numpy_lstm.gradcheck", [], True),
        ("numpy_lstm.experiments", ["list"], True),
        ("numpy_lstm.experiments", ["lag"], False),
        ("benchmarks", [], False),
        ("report", [], False),
    ],
)
def test_only_what_is_there_to_be_printed_ends_with_its_reader(
    command: str, argv: list[str], needed: bool
) -> None:
    module = import_module(f"{command}.__main__")
    asked: list[bool] = []

    def streams(*, needed: bool) -> Any:
        asked.append(needed)
        raise OSError

    used = module if hasattr(module, "standard_streams") else terminal
    with (
        patch.object(used, "standard_streams", streams),
        suppress(OSError),
        redirect_stderr(io.StringIO()),
    ):
        module.main(argv)
    assert asked == [needed]


class Keeps(io.StringIO):
    """A stream that takes all, and fails when it is to pass it on."""

    def __init__(self, error: OSError) -> None:
        super().__init__()
        self.error = error

    def flush(self) -> None:
        raise self.error

    def fileno(self) -> int:
        raise io.UnsupportedOperation


def ended(command: Callable[[], int], out: io.StringIO, *, needed: bool) -> tuple[int, str]:
    """The status, and what is printed to standard error."""
    told = io.StringIO()
    with redirect_stdout(out), redirect_stderr(told):
        return terminal.run(command, needed=needed), told.getvalue()


def said() -> int:
    print("result")
    return 7


def test_what_is_only_kept_back_and_then_lost_is_an_error_if_it_was_needed() -> None:
    full = OSError("No space left on device")
    status = (2, "error: No space left on device\n")
    assert ended(said, Keeps(full), needed=True) == status
    assert ended(said, Keeps(full), needed=False) == (7, "")
    assert ended(said, Keeps(BrokenPipeError("gone")), needed=True) == (0, "")
    out = io.StringIO()
    assert (ended(said, out, needed=True), out.getvalue()) == ((7, ""), "result\n")


@pytest.mark.parametrize(
    ("error", "status"),
    [(KeyboardInterrupt(), (130, "")), (OSError("no disk"), (2, "error: no disk\n"))],
)
def test_the_status_stands_for_a_traceback(error: Any, status: tuple[int, str]) -> None:
    def fails() -> int:
        raise error

    assert ended(fails, io.StringIO(), needed=False) == status


def test_a_letter_that_the_terminal_lacks_is_written_as_an_escape() -> None:
    out = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    with redirect_stdout(out):
        assert terminal.run(lambda: print("schön", "\N{GRINNING FACE}") or 0, needed=True) == 0
    assert out.buffer.getvalue() == b"sch\\xf6n \\U0001f600\n"


def test_a_stream_that_was_closed_before_its_wrapper_needs_no_flush() -> None:
    """Python 3.13 reports what a wrapper raises as it is thrown away."""
    inner = io.StringIO()
    wrapper = terminal._Stream(inner, needed=False)
    inner.close()
    wrapper.flush()
    wrapper.close()
