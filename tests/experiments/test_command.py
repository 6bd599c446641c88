"""The command line: what is run, where its results go, what is printed. Nothing is trained."""

import json
import os
from contextlib import ExitStack, redirect_stderr, redirect_stdout
from io import BytesIO, TextIOWrapper
from unittest.mock import patch

import pytest

from numpy_lstm.experiments import memory, runner
from numpy_lstm.experiments.__main__ import main
from tests.experiments.test_runner import CONDITIONS, experiment, run_memory


def printed(*arguments):
    """The exit status, and what is printed to standard output and to standard error."""
    out, error = (TextIOWrapper(BytesIO(), encoding="utf-8") for _ in range(2))
    with redirect_stdout(out), redirect_stderr(error):
        status = main([str(argument) for argument in arguments])
    texts = []
    for stream in (out, error):
        stream.flush()
        texts.append(stream.buffer.getvalue().decode())
    return status, *texts


def test_five_seeds_and_no_smoke_run_unless_asked_for(tmp_path):
    with experiment() as (calls, _):
        assert printed("memory", "--out", tmp_path)[0] == 0
    assert calls == [(size, seed, False) for seed in range(5) for size in (2, 1)]


def test_so_many_seeds_and_one_in_a_smoke_run(tmp_path):
    with experiment() as (calls, _):
        printed("memory", "--seeds", 2, "--out", tmp_path / "a")
        assert [seed for _, seed, _ in calls] == [0, 0, 1, 1]
        calls.clear()
        printed("memory", "--seeds", 2, "--quick", "--out", tmp_path / "b")
        assert calls == [(2, 0, True), (1, 0, True)]


def test_results_go_to_results_and_those_of_a_smoke_run_elsewhere(tmp_path):
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        with experiment():
            printed("memory", "--seeds", 1)
            printed("memory", "--quick")
    finally:
        os.chdir(before)
    assert not json.loads((tmp_path / "results" / "memory.json").read_text())["quick"]
    assert json.loads((tmp_path / "runs" / "quick" / "memory.json").read_text())["quick"]


def test_the_summary_is_printed_as_the_experiments_table(tmp_path):
    with experiment():
        _, out, _ = printed("memory", "--seeds", 2, "--out", tmp_path)
    assert f"memory: results are in {tmp_path / 'memory'}.json" in out
    assert out.splitlines()[-2:] == ["| b | 21 |", "| a | 11 |"]
    two_way = {f"{part}, {size}": {"size": size} for part in ("p", "q") for size in (1, 2)}
    with experiment(conditions=two_way), patch.object(memory, "PIVOTS", ("last",)):
        _, out, _ = printed("memory", "--seeds", 1, "--out", tmp_path / "b")
    assert out.splitlines()[-4:] == [
        "| last | p | q |",
        "|---|---|---|",
        "| 1 | 10 | 10 |",
        "| 2 | 20 | 20 |",
    ]


def test_all_runs_every_experiment_once(tmp_path):
    drawn = []
    nothing = {
        "conditions": lambda quick: {},
        "draw": lambda path, trials: drawn.append(path.stem),
        "PIVOTS": (),
    }
    with ExitStack() as stack:
        for name in runner.EXPERIMENTS:
            stack.enter_context(patch.multiple(runner.module(name), create=True, **nothing))
        assert printed("all", "--out", tmp_path)[0] == 0
        assert drawn == list(runner.EXPERIMENTS)
        # What the last one would refuse is refused before the first one runs.
        drawn.clear()
        (tmp_path / f"{runner.EXPERIMENTS[-1]}.json").write_text("{")
        assert printed("all", "--out", tmp_path)[0] == 2
    assert not drawn


def test_list_gives_every_question():
    status, out, _ = printed("list")
    assert status == 0
    assert [line.split()[0] for line in out.splitlines()] == list(runner.EXPERIMENTS)
    for name, line in zip(runner.EXPERIMENTS, out.splitlines(), strict=True):
        assert line.endswith(runner.title(name)) and line.endswith(("?", "."))


def test_trials_of_other_settings_end_with_status_2(tmp_path):
    with experiment():
        run_memory(tmp_path, seeds=1)
    with experiment(conditions={**CONDITIONS, "a": {"size": 9}}):
        status, _, error = printed("memory", "--seeds", 1, "--out", tmp_path)
    assert status == 2 and "holds trials of other settings" in error


def test_a_stopped_run_says_how_to_go_on(tmp_path):
    def run(settings, seed):
        if seed == 1:
            raise KeyboardInterrupt
        return {"score": 0}

    with experiment(run):
        status, out, _ = printed("memory", "--out", tmp_path)
    assert status == 130 and "The same command goes on" in out
    assert len(json.loads((tmp_path / "memory.json").read_text())["trials"]) == 2


def test_reviews_that_are_named_are_those_that_are_read(tmp_path):
    named = []
    with patch.dict(os.environ, {"NUMPY_LSTM_IMDB": "before"}):
        with experiment(lambda *_: named.append(os.environ["NUMPY_LSTM_IMDB"]) or {"score": 0}):
            printed("memory", "--seeds", 1, "--data", "here", "--out", tmp_path)
    assert named == ["here", "here"]


def test_as_many_trials_run_at_a_time_as_asked_for_and_else_one(tmp_path):
    given = []

    def run_experiment(name, **how):
        given.append((name, how["jobs"], how["folder"]))
        return {"summary": {}}

    with experiment(), patch.object(runner, "run_experiment", run_experiment):
        for jobs in (["--jobs", 3], ["--jobs", -1], []):
            printed("memory", *jobs, "--out", tmp_path)
    assert given == [("memory", jobs, tmp_path) for jobs in (3, -1, 1)]


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["memory", "--seeds", "0"], ["memory", "--jobs", "0"]]
)
def test_impossible_options_end_with_status_2(arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
