"""Training runs in the surroundings in which people start them."""

import contextlib
import errno
import io
import json
import os
import re
import shlex
import shutil
import signal
import struct
import subprocess
import sys
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import pytest

from numpy_lstm import plots
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.environment import versions
from numpy_lstm.files import read_arrays
from numpy_lstm.settings import Settings
from numpy_lstm.terminal import standard_streams
from numpy_lstm.train import __main__ as command
from numpy_lstm.train import committed, folder, job
from numpy_lstm.train.__main__ import main
from numpy_lstm.train.progress_bar import Display
from numpy_lstm.train.table import table
from numpy_lstm.training import Epoch, initial_state

RUN = [
    *("--dataset", "synthetic", "--epochs", "2", "--hidden-size", "3", "--bag-size", "1"),
    *("--vector-size", "4", "--probes", "4", "--max-length", "24"),
]
CORPUS = synthetic_corpus(np.random.default_rng(0), n_train=60, n_test=20)


def small_job(patch, cache):
    """The job on 60 reviews, without figures and with no data of this machine."""
    patch.setattr(job, "synthetic_corpus", lambda rng: CORPUS)
    for name in ("comparison", "gradient_norms"):
        patch.setattr(job.figures, name, lambda path, *_: path.touch())
    patch.setattr("numpy_lstm.train.baselines.STRENGTHS", (1.0,))
    patch.setenv("NUMPY_LSTM_CACHE", str(cache))
    patch.delenv("NUMPY_LSTM_IMDB", raising=False)


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


@pytest.fixture(autouse=True)
def work(monkeypatch, tmp_path, cache):
    """An empty folder to work in."""
    small_job(monkeypatch, cache)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
def finished(tmp_path_factory, cache):
    """A finished run of both models, not to be changed."""
    out = tmp_path_factory.mktemp("finished") / "run"
    with pytest.MonkeyPatch.context() as patch:
        small_job(patch, cache)
        assert main([*RUN, "--out", str(out)]) == 0
    return out


@pytest.fixture
def again(finished, work):
    """A copy of the finished run, to be spoiled."""
    return Path(shutil.copytree(finished, work / "again"))


def error_of(capsys, *arguments):
    """The one line on standard error of a call that must end with status 2."""
    capsys.readouterr()
    try:
        status = main([str(argument) for argument in arguments])
    except SystemExit as end:
        status = end.code
    lines = [line for line in capsys.readouterr().err.splitlines() if not line.startswith("usage:")]
    assert (status, len(lines)) == (2, 1), lines
    return lines[0]


def everything_in(path):
    """All files below a folder and their contents."""
    return {file: file.read_bytes() for file in sorted(path.rglob("*")) if file.is_file()}


# --- what is printed -------------------------------------------------------------------------

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


# --- a resumed run ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (["--dataset", "imdb"], "--dataset"),
        (["--model", "lstm"], "--model"),
        (["--lr", "0.5"], "--lr"),
        (["--seed", "1"], "--seed"),
        (["--readout", "mean"], "--readout"),
    ],
)
def test_all_that_is_given_with_resume_is_compared(finished, capsys, given, name):
    before = everything_in(finished)
    line = error_of(capsys, "--resume", "--out", finished, *given)
    assert f"`{name}` is {given[1]}, but the run in" in line
    assert everything_in(finished) == before


def test_what_is_the_same_may_be_given_again(again):
    assert main(["--resume", "--model", "both", *RUN, "--out", str(again)]) == 0


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda c: c.update(models=[]), "`models` must be"),
        (lambda c: c.update(models="rnn"), "`models` must be"),
        (lambda c: c.update(models=["gru"]), "`models` must be"),
        (lambda c: c.update(models=["rnn", "rnn"]), "`models` must be"),
        (lambda c: c.update(dataset="mnist"), "`dataset` must be"),
        (lambda c: c.update(dataset=["imdb"]), "`dataset` must be"),
        (lambda c: c.update(settings=[]), "`settings` must be"),
        (lambda c: c["settings"].update(epochs="2"), "`epochs` must be"),
        (lambda c: c["settings"].update(epochs=True), "`epochs` must be"),
        (lambda c: c["settings"].update(learning_rate=float("nan")), "`learning_rate` must be"),
        (lambda c: c["settings"].update(layers=2), "knows no setting layers"),
        (lambda c: c.pop("models"), "it must hold"),
        (lambda c: c["settings"].update(learning_rate=0.5), "its `learning_rate` is"),
        (lambda c: c["settings"].update(patience=1), "its `patience` is"),
        (lambda c: c["settings"].update(seed=1), "its `seed` is"),
        (lambda c: c["settings"].pop("hidden_size"), "its `hidden_size` is"),
        (lambda c: c.update(models=["rnn"]), "its `models` is"),
        (lambda c: c.update(dataset="imdb"), "IMDB"),
    ],
)
def test_a_configuration_changed_by_hand_is_noticed(again, capsys, monkeypatch, change, words):
    monkeypatch.setattr(job, "load_imdb", no_imdb)
    config = json.loads((again / "config.json").read_text())
    change(config)
    (again / "config.json").write_text(json.dumps(config))
    before = everything_in(again)
    assert words in error_of(capsys, "--resume", "--out", again)
    assert everything_in(again) == before


def no_imdb(*_, **__):
    from numpy_lstm.data.imdb import DataNotFoundError

    raise DataNotFoundError("IMDB is not here.")


@pytest.mark.parametrize("contents", [b"", b"\xff", b"[" * 100_000, b"null", b"{}"])
def test_a_configuration_that_is_none_ends_in_one_line(again, capsys, contents):
    (again / "config.json").write_bytes(contents)
    assert "config.json cannot be read" in error_of(capsys, "--resume", "--out", again)


def test_a_checkpoint_under_another_models_name_is_refused(again, capsys):
    shutil.copy(again / "checkpoint-lstm.npz", again / "checkpoint-rnn.npz")
    line = error_of(capsys, "--resume", "--out", again)
    assert "checkpoint-rnn.npz is of another run: its `model` is lstm" in line


@pytest.mark.parametrize(
    "other", [["--hidden-size", "5"], ["--vocabulary-size", "50"], ["--readout", "mean"]]
)
def test_a_checkpoint_of_other_settings_is_refused(again, capsys, work, other):
    assert main([*RUN, "--model", "rnn", *other, "--out", str(work / "other")]) == 0
    shutil.copy(work / "other" / "checkpoint-rnn.npz", again)
    line = error_of(capsys, "--resume", "--out", again)
    assert "checkpoint-rnn.npz is of another run: its `" in line and "delete it" in line


def spoiled(state=None, **arrays):
    """A change of a checkpoint's numbers, or of some of its arrays."""

    def spoil(contents):
        for name, change in arrays.items():
            contents[name.replace("__", "/")] = change(contents[name.replace("__", "/")])
        if state:
            numbers = json.loads(str(contents["state"]))
            numbers.update(state)
            contents["state"] = np.array(json.dumps(numbers))

    return spoil


def without(name):
    return lambda contents: contents.pop(name)


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (without("state"), "is not a checkpoint"),
        (without("x/0001"), "is not a checkpoint"),
        (without("parameters/W_x"), "`parameters` must be"),
        (without("m/b_out"), "`m` must be"),
        (spoiled(parameters__W_h=lambda a: a[:2]), "`parameters/W_h` must be float32 of shape"),
        (spoiled(best__b=lambda a: a.astype(float)), "`best/b` must be float32"),
        (spoiled(parameters__b=lambda a: a * np.nan), "`parameters/b` holds"),
        (spoiled(v__b=lambda a: a - 1), "`v/b` holds"),
        (spoiled(h__0001=lambda a: a[:3]), "gradient norms"),
        (spoiled(h__0001=lambda a: a.astype(np.float32)), "gradient norms"),
        (without("h/0002"), "gradient norms"),
        (spoiled({"epoch": 3}), "no step 0 after epoch 3"),
        (spoiled({"epoch": -1}), "`epoch` must be"),
        (spoiled({"epoch": "2"}), "`epoch` must be"),
        (spoiled({"step": 10**6}), "no step 1000000"),
        (spoiled({"t": 1}), "`t` must be 4"),
        (spoiled({"reviews": 5}), "`reviews`"),
        (spoiled({"seconds": float("nan")}), "`seconds` must be"),
        (spoiled({"history": []}), "`history` must hold"),
        (spoiled({"history": [[1, 2]]}), "is not a checkpoint"),
        (spoiled({"history": [[k, 0.5, float("nan"), 0.5, 1, 1] for k in (1, 2)]}), "`history`"),
    ],
)
def test_a_checkpoint_that_fits_no_run_is_refused_in_one_line(again, capsys, spoil, words):
    path = again / "checkpoint-rnn.npz"
    contents = read_arrays(path)
    spoil(contents)
    np.savez(path, **contents)
    line = error_of(capsys, "--resume", "--out", again)
    assert words in line and "delete it to train this model anew" in line


# --- results and pictures --------------------------------------------------------------------


def test_results_are_written_and_printed_before_the_first_picture(monkeypatch, capsys, work):
    def broken(*_):
        assert {"metrics.json", "weights-rnn.npz"} <= {path.name for path in (work / "o").iterdir()}
        assert "vanilla RNN" in capsys.readouterr().out
        raise ModuleNotFoundError("No module named 'nowhere'\nat all")

    monkeypatch.setattr(job.figures, "comparison", broken)
    assert main([*RUN, "--model", "rnn", "--out", "o"]) == 0
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("warning: lstm_rnn_performance_comparison.png could not be drawn")
    assert (work / "o" / "gradient_norms.png").exists()


def test_a_run_killed_before_its_pictures_gets_them_by_resume(again):
    (again / "gradient_norms.png").unlink()
    assert main(["--resume", "--out", str(again)]) == 0
    assert (again / "gradient_norms.png").exists()


DRAW = """
import hashlib, os, pathlib, sys
from numpy_lstm import plots
path = pathlib.Path(sys.argv[1])
with plots.figure(path, 1, 1, 3, 2) as (_, (axes,)):
    axes.plot([1, 2], label="a")
    axes.set_title("of a figure")
    axes.legend()
print(hashlib.sha256(path.read_bytes()).hexdigest(), os.environ.get("MPLBACKEND"))
"""
OWN_STYLE = """
text.usetex: True
font.family: No Such Font
font.size: 30
savefig.bbox: tight
axes.prop_cycle: cycler("color", "r")
no such line
backend: nonsense
"""


def test_figures_depend_on_nobodys_configuration(work):
    (work / "own").write_text(OWN_STYLE)
    (work / "broken").write_bytes(b"\xff\xfe")
    surroundings = [
        {},
        {"MPLBACKEND": "module://no.such.module", "MATPLOTLIBRC": "own"},
        {"MPLBACKEND": "inline_of_a_notebook", "MATPLOTLIBRC": "broken"},
    ]
    plain = {name: value for name, value in os.environ.items() if not name.startswith("MPLB")}
    # What Matplotlib calls of pyparsing may be deprecated there.
    warnings = ["-W", "error", "-W", "ignore::DeprecationWarning"]
    drawing = [
        subprocess.Popen(
            [sys.executable, *warnings, "-c", DRAW, str(work / f"{k}.png")],
            stdout=subprocess.PIPE,
            text=True,
            env={**plain, "PYTHONPATH": os.pathsep.join(sys.path), **more},
        )
        for k, more in enumerate(surroundings)
    ]
    drawn = [process.communicate()[0].split() for process in drawing]
    assert [backend for _, backend in drawn] == [
        more.get("MPLBACKEND", "None") for more in surroundings
    ]
    assert len({shown for shown, _ in drawn}) == 1


def test_a_users_settings_of_matplotlib_are_what_they_were_after_a_figure(work):
    import matplotlib

    with matplotlib.rc_context({"font.size": 33, "text.usetex": True}):
        before = dict(matplotlib.rcParams)
        with plots.figure(work / "figure.png", 1, 1, 1, 1):
            assert not matplotlib.rcParams["text.usetex"]
        assert dict(matplotlib.rcParams) == before


# --- folders ---------------------------------------------------------------------------------


def test_runs_that_start_in_the_same_second_get_folders_of_their_own(monkeypatch):
    class Frozen(folder.datetime):
        @classmethod
        def now(cls, tz=None):
            return cls(2026, 1, 2, 3, 4, 5)

    monkeypatch.setattr(folder, "datetime", Frozen)
    with contextlib.ExitStack() as held:
        runs = [held.enter_context(folder.new_run(None, overwrite=False)) for _ in range(3)]
        assert [str(path) for path in runs] == [
            str(Path("runs") / f"20260102-030405{more}") for more in ("", "-2", "-3")
        ]
    assert not Path("runs").exists()  # nothing was put in them


@pytest.mark.skipif(os.name == "nt", reason="no flock")
@pytest.mark.parametrize("number", [errno.ENOLCK, errno.ENOTSUP, errno.ENOSYS])
def test_a_file_system_without_locks_is_no_reason_not_to_run(monkeypatch, capsys, work, number):
    def flock(*_):
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr("fcntl.flock", flock)
    (work / ".config.json.1.tmp").touch()
    with folder.new_run(work, overwrite=False):
        (line,) = capsys.readouterr().err.splitlines()
        assert "cannot be locked" in line
        assert (work / ".config.json.1.tmp").exists()  # it may be another run's


@pytest.mark.skipif(os.name == "nt", reason="no flock")
def test_a_lock_that_another_run_holds_is_never_taken_for_none(monkeypatch, work):
    def flock(*_):
        raise BlockingIOError(errno.EWOULDBLOCK, "held")

    monkeypatch.setattr("fcntl.flock", flock)
    with (
        pytest.raises(ValueError, match="in use by another run"),
        folder.new_run(work, overwrite=False),
    ):
        pass


def test_a_tilde_is_the_home_folder(monkeypatch, work):
    monkeypatch.setenv("HOME", str(work))
    monkeypatch.setenv("USERPROFILE", str(work))
    given = command.parse(["--out", "~/my runs", "--data", "~/aclImdb"])
    assert (given.out, Path(given.data)) == (work / "my runs", work / "aclImdb")


@pytest.mark.parametrize("out", ["", " ", "~no-such-user-here/x"])
def test_an_out_that_names_no_folder_is_refused(capsys, work, out):
    assert "argument --out: " in error_of(capsys, *RUN, "--out", out)
    assert list(work.iterdir()) == []


@pytest.mark.parametrize("out", ["file", "file/below", "link", "x" * 300, "run"])
def test_an_out_that_cannot_be_written_is_refused_before_the_data_are_read(
    monkeypatch, capsys, work, out
):
    def never(*_):
        raise AssertionError("read")

    monkeypatch.setattr(job, "load_corpus", never)
    (work / "file").touch()
    (work / "link").symlink_to("nowhere")
    opened = open

    def read_only(path, mode="r", **options):
        if str(path).endswith(".lock"):
            raise OSError(errno.EROFS, "Read-only file system", str(path))
        return opened(path, mode, **options)

    monkeypatch.setattr(folder, "open", read_only, raising=False)
    before = sorted(work.iterdir())
    assert out[:20] in error_of(capsys, *RUN, "--out", out)
    assert sorted(work.iterdir()) == before


def test_only_what_a_killed_run_left_is_deleted_and_nothing_of_the_users(work):
    users = [".notes.tmp", ".a.b.tmp", ".config.json.mine.tmp", ".thesis.npz.12.tmp", "config.tmp"]
    left = [".config.json.12.tmp", ".weights-lstm.npz.4194304.tmp"]
    for name in users + left:
        (work / name).touch()
    with folder.new_run(work, overwrite=True):
        assert sorted(path.name for path in work.iterdir()) == sorted([*users, ".lock"])


def test_old_results_are_kept_until_a_new_run_can_begin(again, capsys, monkeypatch):
    monkeypatch.setattr(job, "load_imdb", no_imdb)
    before = everything_in(again)
    error_of(capsys, *RUN, "--dataset", "imdb", "--overwrite", "--out", again)
    error_of(capsys, *RUN, "--validation-fraction", "1e-9", "--overwrite", "--out", again)
    assert everything_in(again) == before


def test_a_number_too_large_for_numpy_is_refused_by_its_option(capsys):
    for name in ("--epochs", "--bag-size", "--max-length", "--hidden-size", "--probes"):
        assert f"argument {name}: must be less than 2**63" in error_of(capsys, name, 10**30)
    assert "--forget-bias" in error_of(capsys, "--forget-bias", "1e39")  # not in float32


# --- stopping --------------------------------------------------------------------------------

SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]


@contextlib.contextmanager
def not_ignored():
    """Signals as in a terminal, however the tests were started."""
    before = {number: signal.getsignal(number) for number in SIGNALS}
    try:
        for number in SIGNALS:
            signal.signal(number, signal.default_int_handler)
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.skipif(os.name == "nt", reason="Windows sends signals another way")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_signal_before_training_ends_the_run_at_once(monkeypatch, capsys, work, number):
    def downloading(*_):
        os.kill(os.getpid(), number)
        time.sleep(60)

    monkeypatch.setattr(job, "load_corpus", downloading)
    with not_ignored():
        assert main([*RUN, "--out", "o"]) == 130
    assert capsys.readouterr() == ("Stopped before the training began.\n", "")
    assert list(work.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="Windows sends signals another way")
@pytest.mark.parametrize("number", SIGNALS)
def test_a_second_signal_in_training_ends_the_run_at_once(monkeypatch, capsys, number):
    def slow(state, *_, **__):
        os.kill(os.getpid(), signal.SIGINT)
        os.kill(os.getpid(), number)
        time.sleep(60)

    monkeypatch.setattr(job, "train", slow)
    with not_ignored():
        assert main([*RUN, "--out", "o"]) == 130
    out, err = capsys.readouterr()
    assert out.splitlines()[-1].startswith("Stopped. Go on with: ") and err == ""


@pytest.mark.skipif(os.name == "nt", reason="Windows sends signals another way")
def test_a_signal_in_the_last_epoch_is_not_forgotten(monkeypatch, capsys, again):
    for name in ("metrics.json", "checkpoint-lstm.npz"):
        (again / name).unlink()
    train = job.train

    def late(state, *arguments, **options):
        train(state, *arguments, **options)
        os.kill(os.getpid(), signal.SIGINT)

    monkeypatch.setattr(job, "train", late)
    with not_ignored():
        assert main(["--resume", "--out", str(again)]) == 130
    assert "Go on with" in capsys.readouterr().out
    assert not (again / "checkpoint-lstm.npz").exists()


def test_a_run_in_another_thread_needs_no_signals(again):
    status = []
    thread = threading.Thread(target=lambda: status.append(main(["--resume", "--out", str(again)])))
    thread.start()
    thread.join()
    assert status == [0]


@pytest.mark.skipif(os.name == "nt", reason="no nohup")
def test_a_signal_that_is_ignored_stays_ignored():
    with not_ignored():
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        with Display().listening():
            assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
            assert signal.getsignal(signal.SIGTERM) is not signal.default_int_handler


@pytest.mark.skipif(os.name == "nt", reason="no such shell")
@pytest.mark.parametrize("name", ["runs/one", "my runs", "it's", '"$HOME"', "runs/naïve"])
def test_the_command_to_go_on_with_can_be_pasted(monkeypatch, name):
    monkeypatch.setattr(sys, "argv", ["train/__main__.py"])
    pasted = command.resume_command(Path(name), "/data of mine/aclImdb")
    words = subprocess.run(
        ["sh", "-c", f'show() {{ printf "%s\\n" "$@"; }}; show {pasted}'],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    assert shutil.which(words[0]) == sys.executable
    rest = ["--resume", "--out", name, "--data", "/data of mine/aclImdb"]
    assert words[1:] == ["-m", "numpy_lstm.train", *rest]
    monkeypatch.setattr(sys, "argv", ["/not on the path/numpy-lstm", "train"])
    pasted = command.resume_command(Path(name), "/data of mine/aclImdb")
    assert shlex.split(pasted) == ["/not on the path/numpy-lstm", "train", *rest]
    assert shlex.split(command.resume_command(Path("x"), None))[-2:] == ["--out", "x"]


def test_a_full_disk_names_a_command_only_if_there_is_a_run_to_go_on_with(monkeypatch, capsys):
    def full(path, *_):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr(job, "write_json", full)
    assert "go on with" not in error_of(capsys, *RUN, "--out", "o")


# --- what is shown ---------------------------------------------------------------------------


@pytest.mark.skipif(os.name == "nt", reason="no pseudo-terminals")
@pytest.mark.parametrize("columns", [60, 80])
def test_the_bar_fits_the_terminal_and_every_line_80_columns(monkeypatch, finished, columns):
    leader, follower = os.openpty()
    fcntl, termios = pytest.importorskip("fcntl"), pytest.importorskip("termios")
    fcntl.ioctl(follower, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    monkeypatch.delenv("COLUMNS", raising=False)
    shown = []

    def read():
        with contextlib.suppress(OSError):  # the other end has been closed
            while piece := os.read(leader, 2**16):
                shown.append(piece)

    reader = threading.Thread(target=read)
    reader.start()
    state = initial_state("lstm", np.zeros((5, 4), np.float32), Settings())
    state.epoch, state.loss_sum, state.reviews = 11, 6931.0, 10_000
    state.history = [Epoch(12, 0.6931, 0.6931, 1.0, 123.45, 1e5)]
    with (
        open(follower, "w", encoding="utf-8") as terminal,
        contextlib.redirect_stdout(terminal),
        contextlib.redirect_stderr(terminal),
        standard_streams(needed=False),
    ):
        display = Display()
        with display.training("lstm", state, Settings(epochs=15)):
            display._bar.mininterval = 0
            for state.step in range(1, 31):
                display.step(state, 2000, 0.69, 0.5)
            display.epoch(state)
        print(table(json.loads((finished / "metrics.json").read_text())))
    reader.join()
    os.close(leader)
    lines = [line.strip() for line in re.split(r"[\r\n]+", b"".join(shown).decode())]
    bars = [line for line in lines if "accuracy 50 %" in line]
    assert len(bars) >= 3
    for line in bars:
        assert len(line) <= columns
        assert re.fullmatch(
            r"LSTM epoch 12/15 \|.{2,}\| [\d:]+ left, loss 0\.693, accuracy 50 %", line
        )
    assert max(map(len, lines)) <= 80


def test_help_and_messages_name_options_as_they_are_typed(finished, capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    assert "``" not in shown and "`" not in shown
    assert "one machine; another processor" in " ".join(shown.split())
    assert "`--lr` is 0.5" in error_of(capsys, "--resume", "--out", finished, "--lr", "0.5")


def test_metrics_name_what_the_figures_depend_on_besides_the_seed(finished):
    metrics = json.loads((finished / "metrics.json").read_text())
    assert metrics["versions"] == versions()
    for name in ("processor", "blas", "simd"):
        assert metrics["versions"][name]
    assert re.search(r"threads: \d+", metrics["versions"]["blas"])


RESULTS = Path(__file__).parents[2] / "results"


def test_committed_ranges_are_those_of_the_committed_results():
    if not RESULTS.exists():
        pytest.skip("only the repository has the results")
    assert json.loads(committed.PATH.read_text()) == committed.contents(RESULTS)


@pytest.mark.parametrize("k", [0, 1])
def test_a_run_like_the_committed_ones_is_shown_beside_their_range(k):
    kind = json.loads(committed.PATH.read_text())[k]
    dataset, settings = kind["run"]["dataset"], kind["run"]["settings"]
    assert {**settings, "seed": 0} == asdict(Settings.for_dataset(dataset))
    metrics = {
        "dataset": dataset,
        "sizes": kind["sizes"],
        "config": {"settings": {**settings, "seed": 77}},
    }
    line = committed.committed_range(metrics)
    assert line.startswith("The repository's 5 seeds: vanilla RNN ")
    assert len(line) <= 80
    metrics["config"]["settings"]["clip"] = 2.0
    assert committed.committed_range(metrics) is None
    metrics["config"]["settings"]["clip"] = settings["clip"]
    metrics["sizes"] = {"train": 1}
    assert committed.committed_range(metrics) is None


def test_what_is_shown_of_the_gradient_is_what_is_left_of_it_far_back(finished):
    metrics = json.loads((finished / "metrics.json").read_text())
    with np.load(finished / "gradient_norms.npz") as norms:
        for model, state in (("rnn", "h"), ("lstm", "c")):
            best = norms[f"{model}_{state}"][norms[f"{model}_best_epoch"]]
            ratio = metrics["models"][model]["gradient_20_steps_back"]
            assert ratio == np.median(best[20] / best[0])
            assert f"×{ratio:.2g} " in table(metrics)
    assert "gradient 20 back: " in table(metrics)
    for scores in metrics["models"].values():  # of reviews that are shorter
        scores["gradient_20_steps_back"] = None
    assert "gradient 20 back: " not in table(metrics)
