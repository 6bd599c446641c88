"""Which trials run, from which seeds, and what the file of results says. Nothing is trained."""

import json
from contextlib import contextmanager
from unittest.mock import patch

import numpy as np
import pytest
from threadpoolctl import threadpool_info

from numpy_lstm.experiments import memory, runner
from tests.experiments.hand_made import accuracies_of, trials

CONDITIONS = {"b": {"size": 2}, "a": {"size": 1}}  # not in the order of the alphabet


@contextmanager
def experiment(run=None, conditions=CONDITIONS):
    """In place of the experiment `memory`: gives the calls of `run` and those of `draw`."""
    calls, drawings = [], []

    def recorded(settings, seed, quick):
        calls.append((settings["size"], seed, quick))
        return run(settings, seed) if run else {"score": 10 * settings["size"] + seed}

    with patch.multiple(
        memory,
        conditions=lambda quick: conditions,
        run=recorded,
        summarize=lambda trials: {t["condition"]: {"last": t["result"]["score"]} for t in trials},
        draw=lambda path, trials: drawings.append((path, trials)),
        PIVOTS=(),
    ):
        yield calls, drawings


def run_memory(folder, seeds=2, quick=False, jobs=1):
    return runner.run_experiment("memory", seeds=seeds, jobs=jobs, quick=quick, folder=folder)


def test_every_condition_runs_from_every_seed_seed_by_seed(tmp_path):
    with experiment() as (calls, drawings):
        contents = run_memory(tmp_path, seeds=3)
    assert calls == [(size, seed, False) for seed in (0, 1, 2) for size in (2, 1)]
    # Listed by condition, in the order of the conditions, and then by seed.
    assert [(t["condition"], t["seed"]) for t in contents["trials"]] == [
        *(("b", seed) for seed in (0, 1, 2)),
        *(("a", seed) for seed in (0, 1, 2)),
    ]
    scores = [20, 21, 22, 10, 11, 12]
    assert [t["result"]["score"] for t in contents["trials"]] == scores
    assert [t["settings"] for t in contents["trials"]] == [{"size": 2}] * 3 + [{"size": 1}] * 3
    assert drawings == [(tmp_path / "memory.png", contents["trials"])]


def test_seeds_are_listed_in_their_order_whatever_order_they_are_in_the_file(tmp_path):
    with experiment():
        run_memory(tmp_path, seeds=3)
        path = tmp_path / "memory.json"
        contents = json.loads(path.read_text())
        contents["trials"].reverse()
        path.write_text(json.dumps(contents))
        again = run_memory(tmp_path, seeds=3)
    assert [(t["condition"], t["seed"]) for t in again["trials"]] == [
        *(("b", seed) for seed in (0, 1, 2)),
        *(("a", seed) for seed in (0, 1, 2)),
    ]


def test_the_file_says_what_was_run_and_how(tmp_path):
    with experiment() as (calls, _):
        contents = run_memory(tmp_path, quick=True)
    assert {quick for _, _, quick in calls} == {True}
    assert json.loads((tmp_path / "memory.json").read_text()) == contents
    assert contents["experiment"] == "memory"
    assert contents["question"].startswith("Over how many steps can each cell learn to remember")
    assert contents["command"] == "python -m numpy_lstm.experiments memory"
    assert contents["quick"] is True
    assert contents["versions"]["numpy"] == np.__version__
    assert contents["summary"] == {"b": {"last": 21}, "a": {"last": 11}}
    seconds = sum(trial["seconds"] for trial in contents["trials"])
    assert contents["seconds"] == pytest.approx(seconds, abs=0.05)


def test_the_seconds_are_those_of_all_trials_together(tmp_path):
    path = tmp_path / "memory.json"
    with experiment():
        contents = run_memory(tmp_path)
        for k, trial in enumerate(contents["trials"]):
            trial["seconds"] = 10.0**k
        path.write_text(json.dumps(contents))
        assert run_memory(tmp_path)["seconds"] == 1111.0


def test_each_trial_is_in_the_file_before_the_next_begins(tmp_path):
    found = []

    def run(settings, seed):
        path = tmp_path / "memory.json"
        found.append(len(json.loads(path.read_text())["trials"]) if path.exists() else 0)
        return {"score": 0}

    with experiment(run):
        run_memory(tmp_path)
    assert found == [0, 1, 2, 3]


def test_only_what_is_missing_is_run_and_the_rest_stays(tmp_path):
    with experiment(lambda *_: {"score": "old"}):
        run_memory(tmp_path, seeds=1)
    path = tmp_path / "memory.json"
    contents = json.loads(path.read_text())
    kept = [{**trial, "seconds": 1000.0} for trial in contents["trials"] if trial["seed"] == 0][1:]
    path.write_text(json.dumps({**contents, "trials": kept}))
    with experiment() as (calls, _):
        again = run_memory(tmp_path)
    assert calls == [(2, 0, False), (2, 1, False), (1, 1, False)]
    assert [t["result"]["score"] for t in again["trials"]] == [20, 21, "old", 11]
    assert again["trials"][2] == kept[0]
    assert again["seconds"] >= 1000
    with experiment() as (calls, drawings):
        assert run_memory(tmp_path)["trials"] == again["trials"]
    assert calls == [] and drawings  # drawn anew from what is there


@pytest.mark.parametrize("what", ["settings", "condition", "kind"])
def test_trials_of_something_else_are_not_mixed_in(what, tmp_path):
    with experiment():
        run_memory(tmp_path, seeds=1, quick=False)
    before = (tmp_path / "memory.json").read_bytes()
    changed = {
        "settings": {**CONDITIONS, "a": {"size": 3}},
        "condition": {"b": {"size": 2}},
        "kind": CONDITIONS,
    }
    with experiment(conditions=changed[what]) as (calls, _):
        with pytest.raises(ValueError, match="holds trials of other settings"):
            run_memory(tmp_path, seeds=1, quick=what == "kind")
    assert not calls and (tmp_path / "memory.json").read_bytes() == before


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "memory.json").write_text('{"trials": [')
    with experiment(), pytest.raises(ValueError, match=r"memory\.json is damaged"):
        run_memory(tmp_path)


def test_a_trial_that_stands_twice_is_no_result(tmp_path):
    with experiment():
        contents = run_memory(tmp_path, seeds=1)
        twice = {**contents, "trials": 2 * contents["trials"]}
        (tmp_path / "memory.json").write_text(json.dumps(twice))
        with pytest.raises(ValueError, match="stands twice"):
            run_memory(tmp_path, seeds=1)


def test_versions_are_those_that_the_trials_were_run_with(tmp_path):
    with experiment() as (calls, _):
        contents = run_memory(tmp_path, seeds=1)
        older = {**contents, "versions": {"numpy": "2.0.0"}}
        (tmp_path / "memory.json").write_text(json.dumps(older))
        assert run_memory(tmp_path, seeds=1)["versions"] == {"numpy": "2.0.0"}
        assert run_memory(tmp_path, seeds=2)["versions"]["numpy"] == np.__version__
    assert len(calls) == 4


def test_trials_that_another_process_has_added_stay(tmp_path):
    path = tmp_path / "memory.json"

    def run(settings, seed):
        if settings == {"size": 1}:  # the second; by now the other process has run a later seed
            contents = json.loads(path.read_text())
            other = {**contents["trials"][0], "seed": 9, "result": {"score": "other"}}
            path.write_text(json.dumps({**contents, "trials": [*contents["trials"], other]}))
        return {"score": 0}

    with experiment(run):
        contents = run_memory(tmp_path, seeds=1)
    found = [(t["condition"], t["seed"], t["result"]["score"]) for t in contents["trials"]]
    assert found == [("b", 0, 0), ("b", 9, "other"), ("a", 0, 0)]


def test_a_trial_runs_on_one_thread_of_blas_and_is_timed(tmp_path):
    threads = []

    def run(settings, seed):
        pools = [pool for pool in threadpool_info() if pool["user_api"] == "blas"]
        threads.extend(pool["num_threads"] for pool in pools)
        return {"score": 0}

    with experiment(run), patch.object(runner.time, "perf_counter", side_effect=[100.0, 142.123]):
        trial = runner.run_trial("memory", "a", {"size": 1}, 4, False)
    assert set(threads) == {1}
    assert trial == ("a", {"size": 1}, 4, 42.12, {"score": 0})


def test_as_many_trials_run_at_a_time_as_asked_for(tmp_path):
    with experiment(), patch.object(runner, "Parallel", wraps=runner.Parallel) as parallel:
        run_memory(tmp_path, jobs=1)
        assert parallel.call_args.kwargs["n_jobs"] == 1
    with experiment(), patch.object(runner, "Parallel", return_value=lambda work: []) as parallel:
        run_memory(tmp_path, jobs=3)
        assert parallel.call_args.kwargs["n_jobs"] == 3


def test_results_are_grouped_by_condition_in_their_order():
    listed = trials(accuracies_of({"z": [0.5, 0.75], "a": [1.0]}))
    grouped = runner.by_condition(listed)
    assert list(grouped) == ["z", "a"]
    assert grouped["z"] == [{"test_accuracy": 0.5}, {"test_accuracy": 0.75}]
    means = runner.accuracies(listed)
    assert {name: of["mean"] for name, of in means.items()} == {"z": 0.625, "a": 1.0}
    assert means["z"]["n"] == 2


@pytest.mark.parametrize("name", runner.EXPERIMENTS)
def test_the_title_is_the_modules_first_line(name):
    assert runner.module(name).__name__ == f"numpy_lstm.experiments.{name}"
    title = runner.title(name)
    assert title and "\n" not in title and title == runner.module(name).__doc__.splitlines()[0]
