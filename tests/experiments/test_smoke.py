"""Every experiment runs from its command to its figure; all but the slowest to smoke."""

import json
from functools import cache

import numpy as np
import pytest

from numpy_lstm import plots
from numpy_lstm.experiments import memory, runner
from numpy_lstm.experiments.__main__ import main

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def smoke_run(tmp_path_factory):
    """The folder of an experiment's smoke run, which is run once."""
    with pytest.MonkeyPatch.context() as patch:
        # Not the user's, which need not even be writable.
        patch.setenv("NUMPY_LSTM_CACHE", str(tmp_path_factory.mktemp("cache")))
        patch.setitem(plots.STYLE, "savefig.dpi", 40)  # nobody looks at them

        @cache
        def run(name):
            folder = tmp_path_factory.mktemp(name)
            assert main([name, "--quick", "--out", str(folder)]) == 0
            return folder

        yield run


@pytest.mark.parametrize("name", runner.EXPERIMENTS)
def test_a_smoke_run_gives_every_condition_and_a_figure(name, smoke_run):
    folder = smoke_run(name)
    contents = json.loads((folder / f"{name}.json").read_text())
    conditions = runner.module(name).conditions(True)
    assert [trial["condition"] for trial in contents["trials"]] == list(conditions)
    assert all(trial["settings"] == conditions[trial["condition"]] for trial in contents["trials"])
    assert contents["quick"] and contents["versions"]["numpy"] == np.__version__
    assert contents["summary"] == runner.module(name).summarize(contents["trials"])
    assert (folder / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_trials_run_anew_give_the_same_results(smoke_run, tmp_path, monkeypatch):
    contents = json.loads((smoke_run("memory") / "memory.json").read_text())
    conditions = dict(list(memory.conditions(True).items())[:2])
    monkeypatch.setattr(memory, "conditions", lambda quick: conditions)
    monkeypatch.setattr(memory, "draw", lambda *_: None)
    again = runner.run_experiment("memory", seeds=1, jobs=1, quick=True, folder=tmp_path)
    assert [t["result"] for t in again["trials"]] == [t["result"] for t in contents["trials"]][:2]


def test_dask_runs_the_same_trials(smoke_run, tmp_path):
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    alone = json.loads((smoke_run("memory") / "memory.json").read_text())
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert main(["memory", "--quick", "--cluster", address, "--out", str(tmp_path)]) == 0
    spread = json.loads((tmp_path / "memory.json").read_text())
    assert [t["result"] for t in spread["trials"]] == [t["result"] for t in alone["trials"]]
