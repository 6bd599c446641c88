"""The standard streams of a command, whatever they are: of any encoding, closed, or replaced."""

from __future__ import annotations

import contextlib
import io
import os
import sys
from collections.abc import Callable, Iterator
from typing import TextIO, cast


@contextlib.contextmanager
def standard_streams(*, needed: bool) -> Iterator[None]:
    """Inside, ``sys.stdout`` and ``sys.stderr`` exist and take any text.

    A letter that their encoding lacks is written as an escape. A stream that is missing or
    closed (``>&-``, ``pythonw``) swallows what is written. Afterwards they are what they were.

    Parameters
    ----------
    needed : bool
        Whether standard output is what the command is for. If so, an error of writing to it is
        raised, at the latest when the context ends (``BrokenPipeError`` when the reader has gone,
        as in ``| head``). If not, the command goes on in silence. Errors of standard error are
        never raised.

    Raises
    ------
    OSError
        See `needed`.
    """
    _fill_closed_descriptors()
    out, err = _Stream(sys.stdout, needed=needed), _Stream(sys.stderr, needed=False)
    with (
        contextlib.redirect_stdout(cast(TextIO, out)),
        contextlib.redirect_stderr(cast(TextIO, err)),
    ):
        try:
            yield
        finally:
            err.flush()
            out.flush()


def _fill_closed_descriptors() -> None:
    """Else the next file opened, such as a checkpoint, would be standard output to a C library."""
    for descriptor in (0, 1, 2):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest one that is free


class _Stream(io.TextIOBase):
    """Passes text on to a stream for as long as that works."""

    def __init__(self, stream: TextIO | None, *, needed: bool) -> None:
        self._stream = None if getattr(stream, "closed", False) else stream
        self._needed = needed

    @property
    def encoding(self) -> str:  # type: ignore[override]
        return getattr(self._stream, "encoding", None) or "utf-8"

    def write(self, text: str) -> int:
        if self._stream is not None:
            known = text.encode(self.encoding, "backslashreplace").decode(self.encoding)
            try:
                self._stream.write(known)
            except OSError as error:
                self._fails(error)
        return len(text)

    def flush(self) -> None:
        if getattr(self._stream, "closed", False):  # before this one, which Python then flushes
            return
        try:
            getattr(self._stream, "flush", super().flush)()
        except OSError as error:
            self._fails(error)

    def isatty(self) -> bool:
        return bool(getattr(self._stream, "isatty", super().isatty)())

    def fileno(self) -> int:
        return int(getattr(self._stream, "fileno", super().fileno)())

    def _fails(self, error: OSError) -> None:
        # What is still in its buffer would fail again when Python ends, and be reported there.
        with contextlib.suppress(OSError), open(os.devnull, "wb") as nowhere:
            os.dup2(nowhere.fileno(), self.fileno())
        self._stream = None
        if self._needed:
            raise error


def run(command: Callable[[], int], *, needed: bool) -> int:
    """Call a command within :func:`standard_streams`; the exit status stands for a traceback.

    130 after Ctrl-C, 0 when the reader of the output has gone, 2 and a line after another error of
    writing it (of files too, if the command leaves them to this).
    """
    try:
        with standard_streams(needed=needed):
            return command()
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        return 0
    except OSError as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def program(command: str = "") -> str:
    """How the running command was called, for its usage and its messages.

    ``numpy-lstm train`` by that console command, which may be the only way (pipx), else
    ``python -m numpy_lstm.train``.
    """
    name = os.path.basename(sys.argv[0]) if sys.argv else ""
    if name.partition(".")[0] == "numpy-lstm":  # .exe on Windows
        return f"numpy-lstm {command}".rstrip()
    return f"python -m numpy_lstm.{command}".rstrip(".")
