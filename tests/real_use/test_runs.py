"""Training runs in the surroundings in which people start them."""

import io
import os
import subprocess
import sys

import pytest

from numpy_lstm.terminal import standard_streams


def python(code, **options):
    """A process that runs `code`."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, **options)


PRINTED = "from numpy_lstm.terminal import standard_streams as s\nwith s(needed={needed}): {code}"


@pytest.mark.parametrize("encoding", ["cp1251", "shift_jis", "ascii", "latin-1"])
def test_a_letter_that_the_encoding_lacks_is_written_as_an_escape(monkeypatch, encoding):
    stream = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", stream)
    with standard_streams(needed=True):
        print("×0.9 of “…” and \udcff")
    printed = stream.buffer.getvalue().decode(encoding)
    assert printed.endswith("\\udcff\n") and "0.9 of " in printed
    assert ("×" in printed) == (encoding in ("latin-1", "shift_jis"))
    assert sys.stdout is stream and stream.errors == "strict"


@pytest.mark.parametrize("missing", [None, "closed"])
def test_streams_that_are_missing_or_closed_swallow_what_is_printed(monkeypatch, missing):
    for name in ("stdout", "stderr"):
        stream = io.StringIO() if missing else None
        if stream is not None:
            stream.close()
        monkeypatch.setattr(sys, name, stream)
    with standard_streams(needed=True):
        print("lost")
        print("lost", file=sys.stderr, flush=True)
        assert not sys.stdout.isatty()


@pytest.mark.skipif(os.name == "nt", reason="no such shell")
def test_a_file_never_gets_the_descriptor_of_a_closed_standard_stream():
    code = PRINTED.format(needed=False, code="open('/dev/null').fileno() > 2 or 1 / 0")
    command = f'"{sys.executable}" -c "{code}" <&- >&- 2>&-'
    assert subprocess.run(command, shell=True, check=False).returncode == 0


def test_streams_need_not_be_files(monkeypatch):
    class Tee:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

    tee = Tee()
    monkeypatch.setattr(sys, "stdout", tee)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    with standard_streams(needed=True):
        print("×", flush=True)
        print("×", file=sys.stderr)
        with pytest.raises(OSError):
            sys.stdout.fileno()
    assert tee.text == sys.stderr.getvalue() == "×\n"


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk to write to")
@pytest.mark.parametrize("needed", [True, False])
@pytest.mark.parametrize("broken", ["/dev/full", "pipe"])
def test_a_stream_that_breaks_stops_only_a_command_that_is_there_for_it(needed, broken):
    if broken == "pipe":
        reader, out = os.pipe()
        os.close(reader)
    else:
        out = os.open(broken, os.O_WRONLY)
    code = PRINTED.format(needed=needed, code="print(1, flush=True); print(2)")
    ended = subprocess.run(
        [sys.executable, "-c", code], stdout=out, stderr=subprocess.PIPE, text=True, check=False
    )
    os.close(out)
    if needed:
        assert ended.returncode == 1
        assert ended.stderr.splitlines()[-1].startswith(("BrokenPipeError", "OSError"))
        assert "Exception ignored" not in ended.stderr
    else:
        assert (ended.returncode, ended.stderr) == (0, "")
