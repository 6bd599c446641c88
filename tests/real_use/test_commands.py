"""The command lines as people type them: from anywhere, into anything, and with slips."""

import configparser
import json
import multiprocessing
import os
import re
import shlex
import signal
import subprocess
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import pytest
from joblib.externals.loky.process_executor import BrokenProcessPool

import numpy_lstm
from benchmarks import __main__ as benchmarks
from benchmarks.parts import review_lengths
from benchmarks.plan import FULL, QUICK
from benchmarks.processes import Entry, race
from numpy_lstm import __main__ as numpy_lstm_command
from numpy_lstm import terminal
from numpy_lstm.__main__ import COMMANDS, main
from numpy_lstm.experiments import __main__ as experiments
from numpy_lstm.experiments import runner
from numpy_lstm.explore import make_models
from numpy_lstm.files import make_folder
from numpy_lstm.training import Diverged
from report import __main__ as report

ROOT = Path(__file__).parents[2]
MAINS = {
    **{f"numpy_lstm.{name}": import_module(f"numpy_lstm.{name}.__main__") for name in COMMANDS},
    "numpy_lstm": numpy_lstm_command,
    "numpy_lstm.explore.make_models": make_models,
    "report": report,
    "benchmarks": benchmarks,
}
SETUP = configparser.ConfigParser()
SETUP.read(ROOT / "setup.cfg", encoding="utf-8")
# What pip makes of the entry point.
SCRIPT = "import sys\nfrom numpy_lstm.__main__ import main\nsys.exit(main())\n"


def started(*arguments, **options):
    """A process of this Python, which finds the package wherever it runs."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    environment = {**os.environ, "PYTHONPATH": str(ROOT), **options.pop("env", {})}
    command = [sys.executable, *map(str, arguments)]
    return subprocess.Popen(command, text=True, env=environment, **{**pipes, **options})


def ended(*arguments, **options):
    """Status, output and errors of a process."""
    process = started(*arguments, **options)
    out, err = process.communicate()
    return process.returncode, out, err


def status(call, argv):
    """The exit status of a command line, however it ends."""
    try:
        return call(argv)
    except SystemExit as end:
        return end.code or 0


# --- numpy-lstm ---------------------------------------------------------------------------------


@pytest.mark.parametrize("flags", [["-W", "error"], ["-O"], ["-OO"], ["-X", "utf8=0"]])
def test_the_version_is_told_under_any_flags_of_python(flags):
    told = ended(*flags, "-m", "numpy_lstm", "--version", env={"LC_ALL": "C"})
    assert told == (0, f"numpy-lstm {numpy_lstm.__version__}\n", "")


def test_without_a_command_the_commands_are_listed(capsys):
    assert main([]) == 0
    printed = capsys.readouterr().out
    assert all(re.search(rf"^ +{name} +\w", printed, re.M) for name in COMMANDS)


@pytest.mark.parametrize(
    ("argv", "hint"),
    [
        (["trian", "--epochs", "3"], "Did you mean train?"),
        (["Predict"], "Did you mean predict?"),
        (["version"], "Did you mean --version?"),
        (["help", "train"], "Did you mean --help?"),
        (["--epochs", "3", "train"], "There are train, predict, "),
        ([""], "There are train, predict, "),
    ],
)
def test_an_unknown_command_is_one_line_with_a_hint(argv, hint, capsys):
    assert status(main, argv) == 2
    out, err = capsys.readouterr()
    assert out == "" and err.count("\n") == 1
    assert f"error: no command {argv[0]!r}. {hint}" in err


def test_the_console_command_is_the_one_of_python_m(tmp_path):
    points = SETUP["options.entry_points"]["console_scripts"].split()
    assert points == ["numpy-lstm", "=", "numpy_lstm.__main__:main"]
    script = tmp_path / "numpy-lstm"
    script.write_text(SCRIPT)
    assert ended(script, "-V") == ended("-m", "numpy_lstm", "-V")
    _, out, _ = ended(script, "gradcheck", "-h")
    assert out.startswith("usage: numpy-lstm gradcheck ")
    _, out, _ = ended("-m", "numpy_lstm", "gradcheck", "-h")
    assert out.startswith("usage: python -m numpy_lstm.gradcheck ")


def test_files_that_are_named_as_modules_do_not_harm_the_console_command(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "numpy-lstm").write_text(SCRIPT)
    for name in ("random", "types", "files", "report", "numpy_lstm"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('not this one')")
    _, out, err = ended("bin/numpy-lstm", "gradcheck", "--help", cwd=tmp_path)
    assert out.startswith("usage: numpy-lstm gradcheck") and err == ""


# --- every command ------------------------------------------------------------------------------


@pytest.mark.parametrize("name", MAINS)
def test_help_is_plain_text_that_fits_a_terminal(name, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    assert status(MAINS[name].main, ["--help"]) == 0
    printed = capsys.readouterr().out
    assert printed.startswith(f"usage: python -m {name} ")
    assert not re.search(r"``|:\w+:`|^\.\. ", printed, re.M)
    assert printed.isascii() and max(map(len, printed.splitlines())) <= 80


@pytest.mark.parametrize("name", [name for name in MAINS if name != "numpy_lstm"])
def test_an_unknown_option_is_named(name, capsys):
    needed = {"numpy_lstm.experiments": ["list"], "numpy_lstm.clinic": ["my_lstm.py"]}
    argv = [*needed.get(name, []), "--nothing"]
    assert status(MAINS[name].main, argv) == 2
    assert capsys.readouterr().err.endswith("error: unrecognized arguments: --nothing\n")


@pytest.mark.parametrize("option", ["--seeds", "--jobs"])
@pytest.mark.parametrize("value", ["0", "x", "1.5"])
def test_a_number_that_is_none_is_named_with_its_option(option, value, capsys):
    assert status(experiments.main, ["memory", option, value]) == 2
    err = capsys.readouterr().err
    assert f"error: argument {option}: " in err and "_" not in err.partition("error: ")[2]


def test_an_interrupt_ends_with_130_and_no_traceback(monkeypatch, capsys):
    def interrupted(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(numpy_lstm_command, "import_module", interrupted)
    assert main(["train"]) == terminal.run(interrupted, needed=True) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.skipif(os.name == "nt", reason="no such signal")
def test_a_real_interrupt_ends_a_command_in_the_middle(interruptible):
    with started("-m", "numpy_lstm", "gradcheck") as process:
        process.stdout.readline()
        process.send_signal(signal.SIGINT)
        assert (process.wait(), process.stderr.read()) == (130, "")


@pytest.mark.parametrize(
    "command", [["gradcheck"], ["experiments", "list"], ["--help"]], ids=" ".join
)
def test_a_reader_that_has_gone_ends_a_command_in_silence(command):
    reader, writer = os.pipe()
    os.close(reader)
    code, _, err = ended("-m", "numpy_lstm", *command, stdout=writer)
    os.close(writer)
    assert (code, err) == (0, "")


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="no full disk to write to")
@pytest.mark.parametrize(
    "command",
    [pytest.param(["gradcheck"], marks=pytest.mark.slow), ["experiments", "list"]],
    ids=" ".join,
)
def test_output_that_is_lost_is_an_error_of_one_line(command):
    with open("/dev/full", "w") as full:
        kept_back = {"PYTHONUNBUFFERED": ""}  # so that only the last flush meets the full disk
        code, _, err = ended("-m", "numpy_lstm", *command, stdout=full, env=kept_back)
    assert code == 2 and re.fullmatch("error: .*No space left on device\n", err)


def test_a_list_is_printed_in_ascii():
    code, out, err = ended(
        "-m", "numpy_lstm", "experiments", "list", env={"PYTHONIOENCODING": "ascii"}
    )
    assert code == 0 and len(out.splitlines()) == len(runner.EXPERIMENTS), err


# --- experiments --------------------------------------------------------------------------------


@pytest.fixture
def experiment(monkeypatch):
    """An experiment of two conditions that takes no time."""

    def draw(path, trials):
        path.write_bytes(b"")

    module = SimpleNamespace(
        __doc__="Is it quick?",
        conditions=lambda quick: {"a": {"x": 1}, "b": {"x": 2}},
        run=lambda settings, seed, quick: {"y": settings["x"]},
        summarize=lambda trials: {"n": {"n": len(trials)}},
        draw=draw,
    )
    monkeypatch.setattr(runner, "module", lambda name: module)
    return module


@pytest.mark.parametrize("where", ["file", "file/inside", "/proc/1/inside"])
def test_a_folder_that_takes_no_results_is_refused_before_the_work(
    where, experiment, tmp_path, monkeypatch, capsys
):
    (tmp_path / "file").touch()
    monkeypatch.setattr(runner, "run_trial", pytest.fail)
    monkeypatch.setitem(benchmarks.PARTS, "grid", pytest.fail)
    assert experiments.main(["lag", "--out", str(tmp_path / where)]) == 2
    assert capsys.readouterr().err.startswith("error: results cannot be written to ")
    if sys.platform == "linux":
        assert status(benchmarks.main, ["--out", str(tmp_path / where)]) == 2
        assert "error: results cannot be written to " in capsys.readouterr().err


def test_a_file_that_the_last_experiment_would_refuse_stops_all_before_the_first(
    experiment, tmp_path, monkeypatch, capsys
):
    (tmp_path / f"{runner.EXPERIMENTS[-1]}.json").write_text("{}")
    monkeypatch.setattr(runner, "run_trial", pytest.fail)
    assert experiments.main(["all", "--out", str(tmp_path)]) == 2
    assert "is damaged" in capsys.readouterr().err


def test_a_run_with_nothing_to_do_leaves_the_results_as_they_are(experiment, tmp_path, monkeypatch):
    assert experiments.main(["lag", "--seeds", "2", "--out", str(tmp_path)]) == 0
    before = (tmp_path / "lag.json").read_bytes()
    monkeypatch.setattr(runner, "versions", lambda: {"numpy": "of another day"})
    assert experiments.main(["lag", "--seeds", "1", "--out", str(tmp_path)]) == 0
    assert (tmp_path / "lag.json").read_bytes() == before


def test_two_runs_in_one_folder_keep_the_trials_of_both(experiment, tmp_path):
    at_once = {"quick": False, "jobs": 1, "folder": tmp_path}

    def run(settings, seed, quick):
        if seed == 1 and settings["x"] == 1:
            experiment.run = lambda *_: {"y": 9}
            runner.run_experiment("lag", seeds=3, **at_once)
        return {"y": 0}

    experiment.run = run
    contents = runner.run_experiment("lag", seeds=2, **at_once)
    assert len(contents["trials"]) == 6
    assert json.loads((tmp_path / "lag.json").read_text())["trials"] == contents["trials"]


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        Diverged("the loss is NaN"),
        BrokenProcessPool("killed\nby what"),
        OSError("full"),
    ],
)
def test_a_trial_that_fails_is_an_error_of_one_line(error, experiment, tmp_path, capsys):
    def run(*_):
        raise error

    experiment.run = run
    assert experiments.main(["lag", "--out", str(tmp_path)]) == 2
    printed = capsys.readouterr().err.splitlines()[-1]
    assert printed == f"error: {str(error).partition(chr(10))[0] or 'MemoryError'}"


def test_experiments_take_the_reviews_that_data_names(monkeypatch, tmp_path, capsys):
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "elsewhere")
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path))
    missing = str(tmp_path / "aclImdb")
    assert experiments.main(["saliency", "--data", missing, "--out", str(tmp_path)]) == 2
    assert capsys.readouterr().err.startswith(f"error: NUMPY_LSTM_IMDB: {missing} does not exist")


@pytest.mark.parametrize(
    ("call", "other"),
    [
        (experiments.main, ["lag", "--quick"]),
        (experiments.main, ["lag", "--cluster", "tcp://x"]),
        (benchmarks.main, ["--quick"]),
    ],
)
def test_reviews_that_would_not_be_read_are_refused(call, other, capsys):
    assert status(call, [*other, "--data", "aclImdb"]) == 2
    assert "error: argument --data: " in capsys.readouterr().err


def test_a_cluster_without_dask_is_an_error_with_the_command_that_mends_it(
    experiment, monkeypatch, tmp_path, capsys
):
    monkeypatch.setitem(sys.modules, "dask", None)
    monkeypatch.setitem(sys.modules, "dask.distributed", None)
    assert experiments.main(["lag", "--cluster", "tcp://x", "--out", str(tmp_path)]) == 2
    assert (
        capsys.readouterr().err == 'error: --cluster needs Dask: pip install "dask" "distributed"\n'
    )


# --- benchmarks and report ----------------------------------------------------------------------

linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


@linux
@pytest.mark.parametrize("argv", [[], ["--quick"], ["--quick", "--only", "grid"]], ids=" ".join)
def test_figures_that_took_an_hour_are_not_replaced_unasked(argv, tmp_path, monkeypatch, capsys):
    path = tmp_path / "benchmarks.json"
    path.write_text('{"grid": {"quick": false}}')
    monkeypatch.setitem(benchmarks.PARTS, "grid", pytest.fail)
    assert status(benchmarks.main, [*argv, "--out", str(tmp_path)]) == 2
    assert f"error: {path} holds grid. Choose another --out" in capsys.readouterr().err
    assert path.read_text() == '{"grid": {"quick": false}}'


@linux
@pytest.mark.parametrize("argv", [["--only", "grid"], ["--overwrite", "--only", "grid", "--quick"]])
def test_figures_are_replaced_when_that_is_asked_for(argv, tmp_path, monkeypatch):
    path = tmp_path / "benchmarks.json"
    path.write_text('{"grid": {"quick": false}, "step": {"quick": false}}')
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "")
    monkeypatch.setitem(benchmarks.PARTS, "grid", lambda plan: {"cases": [], "skipped": "a test"})
    monkeypatch.setattr(benchmarks, "block", lambda results: "")
    assert benchmarks.main([*argv, "--out", str(tmp_path)]) == 0
    results = json.loads(path.read_text())
    assert results["grid"]["skipped"] == "a test" and results["step"] == {"quick": False}


@linux
def test_reviews_that_are_not_there_stop_the_benchmarks_before_the_work(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "")
    monkeypatch.setitem(benchmarks.PARTS, "grid", pytest.fail)
    missing = str(tmp_path / "aclImdb")
    assert status(benchmarks.main, ["--data", missing, "--out", str(tmp_path)]) == 2
    assert f"error: NUMPY_LSTM_IMDB: {missing} does not exist" in capsys.readouterr().err


@linux
def test_a_quick_benchmark_starts_its_processes_once_and_reads_no_reviews(monkeypatch):
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "/nothing")
    assert "log-normal" in review_lengths(2, QUICK)[1]
    with pytest.raises(ValueError, match="does not exist"):
        review_lengths(2, FULL)
    others = set(multiprocessing.active_children())
    calls = {name: Entry("floor", "calls", 1) for name in ("one", "other")}
    race(calls, QUICK)
    first = set(multiprocessing.active_children()) - others
    race(calls, QUICK)
    assert set(multiprocessing.active_children()) - others == first and len(first) <= 2


def test_the_report_without_its_extra_is_an_error_with_the_command_that_mends_it(
    monkeypatch, capsys
):
    monkeypatch.setitem(sys.modules, "typst", None)
    assert report.main([]) == 2
    err = capsys.readouterr().err
    assert err.count("\n") == 1 and err.endswith('pip install -e ".[report]"\n')


def test_results_go_into_a_folder_that_is_made(tmp_path):
    make_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


# --- what the documents say to type -------------------------------------------------------------


def typed():
    """Every command of the package in README.md, docs/ and the notebooks: its arguments."""
    for path in [
        ROOT / "README.md",
        *(ROOT / "docs").rglob("*.md"),
        *ROOT.glob("notebooks/*.ipynb"),
    ]:
        text = path.read_text(encoding="utf-8").replace("\n", " \n")
        found = re.findall(
            r"((?:python -m (?:numpy_lstm|report|benchmarks)|numpy-lstm)(?![/-])[^`\n&]*)", text
        )
        for command in found:
            yield pytest.param(
                shlex.split(command.removeprefix("python -m ").split("\\n")[0]),
                id=f"{path.name}: {command.strip()[:50]}",
            )


@pytest.mark.parametrize("words", list(typed()))
def test_a_command_in_the_documents_is_one_that_there_is(words, capsys):
    name, *arguments = words
    if name == "numpy-lstm":
        name = "numpy_lstm"
        if arguments and arguments[0] in COMMANDS:
            name = f"numpy_lstm.{arguments.pop(0)}"
    assert status(MAINS[name].main, ["--help"]) == 0
    options = [word for word in arguments if word.startswith("--")]
    known = re.findall(r"--[\w-]+", capsys.readouterr().out)
    assert [option for option in options if option not in known] == []


def test_the_readme_says_what_it_needs_before_what_needs_it():
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    needed = SETUP["options"]["python_requires"].removeprefix(">=")
    assert readme.index(f"Python {needed} or later") < readme.index("-m venv")
    assert readme.index(". .venv/bin/activate") < readme.index("python -m numpy_lstm.predict")
    extras = set(SETUP["options.extras_require"])
    named = re.findall(r'\. ?\[([\w,]+)\]"|extra `(\w+)`', readme)
    assert named and {name for pair in named for name in pair if name} <= extras
