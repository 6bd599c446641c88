"""The experiments run, keep what is done, and go on; their figures follow from their trials."""

import json

import numpy as np
import pytest

from numpy_lstm.data.long_lag import adding, first_symbol, temporal_order
from numpy_lstm.experiments import lag, padding, runner
from numpy_lstm.experiments.__main__ import main
from numpy_lstm.experiments.statistics import describe

# All but the slowest to smoke, which CI runs too.


@pytest.fixture(scope="module", autouse=True)
def own_cache(tmp_path_factory):
    """Not the user's, which need not even be writable."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_LSTM_CACHE", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.mark.parametrize("name", runner.EXPERIMENTS)
def test_a_smoke_run_gives_every_arm_and_a_figure(name, tmp_path):
    assert main([name, "--quick", "--out", str(tmp_path)]) == 0
    contents = json.loads((tmp_path / f"{name}.json").read_text())
    conditions = runner.module(name).conditions(True)
    assert [trial["condition"] for trial in contents["trials"]] == list(conditions)
    assert all(trial["settings"] == conditions[trial["condition"]] for trial in contents["trials"])
    assert contents["quick"] and contents["versions"]["numpy"] == np.__version__
    assert contents["summary"] == runner.module(name).summarize(contents["trials"])
    assert (tmp_path / f"{name}.png").read_bytes().startswith(b"\x89PNG")


def test_a_stopped_run_goes_on_with_what_is_missing(tmp_path, monkeypatch):
    from numpy_lstm.experiments import memory

    conditions = dict(list(memory.conditions(True).items())[:3])
    monkeypatch.setattr(memory, "conditions", lambda quick: conditions)
    path = tmp_path / "memory.json"
    whole = runner.run_experiment("memory", seeds=1, jobs=1, quick=True, folder=tmp_path)
    contents = json.loads(path.read_text())
    kept = contents["trials"][1]
    path.write_text(json.dumps({**contents, "trials": [kept]}))
    again = runner.run_experiment("memory", seeds=1, jobs=1, quick=True, folder=tmp_path)
    assert again["trials"][1] == kept  # with its seconds: it was not run again
    assert [t["result"] for t in again["trials"]] == [t["result"] for t in whole["trials"]]


def test_trials_of_other_settings_are_not_mixed_in(tmp_path, monkeypatch, capsys):
    from numpy_lstm.experiments import memory

    conditions = dict(list(memory.conditions(True).items())[:1])
    monkeypatch.setattr(memory, "conditions", lambda quick: conditions)
    assert main(["memory", "--quick", "--out", str(tmp_path)]) == 0
    changed = {condition: {**settings, "updates": 25} for condition, settings in conditions.items()}
    monkeypatch.setattr(memory, "conditions", lambda quick: changed)
    assert main(["memory", "--quick", "--out", str(tmp_path)]) == 2
    assert "holds trials of other settings" in capsys.readouterr().err


def test_dask_runs_the_same_trials(tmp_path, monkeypatch):
    distributed = pytest.importorskip("distributed", reason="needs the extra cluster")
    alone = runner.run_experiment("memory", seeds=1, jobs=1, quick=True, folder=tmp_path / "alone")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
    ) as cluster:
        address = cluster.scheduler_address
        assert main(["memory", "--quick", "--cluster", address, "--out", str(tmp_path)]) == 0
    spread = json.loads((tmp_path / "memory.json").read_text())
    assert [t["result"] for t in spread["trials"]] == [t["result"] for t in alone["trials"]]


def test_list_gives_every_question(capsys):
    assert main(["list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(runner.EXPERIMENTS)
    assert all(line.rstrip().endswith(("?", ".")) for line in lines)


@pytest.mark.parametrize(
    "arguments", [["nothing"], ["memory", "--seeds", "0"], ["memory", "--jobs", "0"]]
)
def test_impossible_options_end_with_status_2(arguments):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)


def test_the_mean_lies_in_its_interval_and_one_value_is_its_own():
    summary = describe([0.1, 0.4, 0.2, 0.3])
    assert summary["mean"] == pytest.approx(0.25)
    assert summary["low"] < summary["mean"] < summary["high"]
    assert describe([0.5]) == {"n": 1, "mean": 0.5, "sd": 0.0, "low": 0.5, "high": 0.5}


def test_the_answer_of_each_long_lag_task_stands_where_it_should():
    rng = np.random.default_rng(0)
    xs, targets = first_symbol(20, 50, rng)
    assert xs.shape == (21, 50, 12)
    np.testing.assert_array_equal(xs[0].argmax(axis=1), targets)
    assert (xs[1:].argmax(axis=2) >= 2).all()  # never again

    xs, targets = adding(20, 2000, rng)
    np.testing.assert_array_equal(xs[:10, :, 1].sum(axis=0), 1)
    np.testing.assert_array_equal(xs[10:, :, 1].sum(axis=0), 1)
    np.testing.assert_allclose((xs[..., 0] * xs[..., 1]).sum(axis=0), targets, rtol=1e-6)
    assert np.mean((targets - 1) ** 2) == pytest.approx(1 / 6, rel=0.1)

    xs, targets = temporal_order(50, 200, rng)
    symbols = xs.argmax(axis=2)
    for k in range(200):
        first, second = np.flatnonzero(symbols[:, k] < 2)
        assert 5 <= first < 10 and 25 <= second < 30
        assert targets[k] == 2 * symbols[first, k] + symbols[second, k]


def test_padding_stands_where_the_arm_says(reviews):
    for cut, mode, row in (
        ("first", "post", [5, 6, 0, 0]),
        ("first", "pre", [0, 0, 5, 6]),
        ("last", "none", [5, 6]),
    ):
        part = padding.padded(reviews, 4, cut, mode)
        assert part.tokens[: len(row)].tolist() == row
    assert padding.padded(reviews, 4, "first", "post").tokens[4:].tolist() == [1, 2, 3, 4]
    assert padding.padded(reviews, 4, "last", "post").tokens[4:].tolist() == [3, 4, 7, 8]


def test_a_lag_starts_after_a_whole_step(reviews):
    part = lag.with_lag(reviews, 2)
    assert part.tokens.tolist() == [5, 6, *[0] * 8, 3, 4, 7, 8, *[0] * 8]


@pytest.fixture
def reviews():
    from numpy_lstm.data.corpus import Reviews

    tokens = np.array([5, 6, 1, 2, 3, 4, 7, 8], np.int32)
    return Reviews(tokens, np.array([0, 2, 8]), np.array([0, 1], np.int8), np.zeros(2, np.int32))
