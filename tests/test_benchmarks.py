"""The benchmarks are complete and honest. Nothing here depends on how fast the machine is."""

import json
import os
import re
import statistics
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from benchmarks.__main__ import PARTS, main
from benchmarks.contenders import cells, ours, ours_without, ours_without_norms
from benchmarks.figure import time_ratios
from benchmarks.machine import machine
from benchmarks.plan import QUICK
from benchmarks.profiling import PARTS as STEP_PARTS
from benchmarks.table import block
from benchmarks.tasks import MODELS, Recurrence, TrainingStep
from numpy_lstm import lstm, rnn

ROOT = Path(__file__).parents[1]
COMMITTED = ROOT / "results" / "benchmarks.json"
# Sums of some hundred products in float32, in different orders.
FLOAT32 = {"rtol": 1e-4, "atol": 1e-4}
ROUNDING = 1e-12  # Python 3.12 and later sum floats with less rounding than those before
SKIPPED = "left out by the test"

linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """What the command writes and prints where PyTorch, Keras and IMDB are not installed."""
    folder = tmp_path_factory.mktemp("benchmarks")
    for package in ("torch", "keras", "tensorflow"):
        (folder / f"{package}.py").write_text(f"raise ImportError({SKIPPED!r})")
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "NUMPY_LSTM_CACHE": str(folder),
        "NUMPY_LSTM_IMDB": "",
    }
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads((folder / "benchmarks.json").read_text()), done.stdout


def results_of(results):
    """Every case's timings, by name."""
    return [
        (case, case["results"])
        for part in results.values()
        for case in part["cases"]
        if "results" in case
    ]


def assert_honest(results):
    """All parts are there, and whatever was computed follows from the raw times."""
    assert list(results) == list(PARTS)
    for part in results.values():
        assert {"cpu", "cores", "load_average", "versions"} <= set(part["machine"])
        assert part["machine"]["versions"]["numpy"]
        assert {case["model"] for case in part["cases"]} <= set(MODELS)
    for part in ("grid", "step", "length", "ragged", "norms", "tricks"):
        for case in results[part]["cases"]:
            for result in case["results"].values():
                if "seconds" in result:
                    assert len(result["seconds"]) == results[part]["rounds"]
                    assert min(result["seconds"]) > 0
                    assert result["median"] == statistics.median(result["seconds"])
                    assert result["peak_bytes"] >= 0
                    assert result["threads"] and result["libraries"]
            for name, ratio in case["ratios"].items():
                one, other = (case["results"][who] for who in name.split(" / "))
                if "skipped" in one or "skipped" in other:
                    assert ratio is None
                else:
                    assert ratio == one["median"] / other["median"]
    for model, means in results["grid"]["geometric_means"].items():
        for name, mean in means.items():
            ratios = [c["ratios"][name] for c in results["grid"]["cases"] if c["model"] == model]
            if None in ratios:
                assert mean is None
            else:
                assert mean == pytest.approx(statistics.geometric_mean(ratios), rel=ROUNDING)
    for case in results["grid"]["cases"]:
        floor = case["results"]["floor"]
        assert floor["median"] == floor["flops"] / floor["flops_per_second"]
    for case in results["profile"]["cases"]:
        assert set(case["seconds"]) == {*STEP_PARTS, "rest", "whole"}
        shares = [share for part, share in case["shares"].items() if part != "whole"]
        assert sum(shares) == pytest.approx(1)
    for case in results["operations"]["cases"]:
        for what, total in (("seconds", "sum"), ("floor", "floor")):
            summed = sum(each[what] for each in case["operations"].values())
            assert case[total] == pytest.approx(summed, rel=ROUNDING)
        assert case["measured"] > 0


@linux
def test_the_command_measures_everything_and_computes_what_it_says(quick_run):
    results, printed = quick_run
    assert_honest(results)
    assert all(part["quick"] for part in results.values())
    assert block(results) in printed


@linux
def test_a_contender_that_is_not_installed_is_skipped_with_the_reason(quick_run):
    results, printed = quick_run
    step = results["step"]["cases"][0]["results"]
    assert step["pytorch"] == step["keras"] == {"skipped": SKIPPED}
    assert "median" in step["ours"]
    assert "benchmarks.png is not drawn: PyTorch was not measured" in printed


@linux
def test_lengths_that_are_not_real_are_called_so(quick_run):
    results, _ = quick_run
    assert results["ragged"]["lengths_from"].startswith("drawn from a log-normal distribution")


@linux
def test_what_each_step_leaves_out_is_said(quick_run):
    results, _ = quick_run
    assert "Zipf" in results["step"]["words"]
    assert "only the rows" in results["step"]["adam"]


def test_a_damaged_file_of_results_is_an_error_of_one_line(tmp_path, capsys):
    (tmp_path / "benchmarks.json").write_text("{")
    with pytest.raises(SystemExit, match="2"):
        main(["--quick", "--only", "norms", "--out", str(tmp_path)])
    assert "benchmarks.json is damaged" in capsys.readouterr().err.splitlines()[-1]


@linux
def test_the_machine_is_named():
    where = machine()
    assert where["cpu"] and where["cores"] >= 1
    assert where["versions"]["numpy"] == np.__version__


@pytest.mark.parametrize("model", MODELS)
def test_the_plain_loop_computes_what_ours_computes(model):
    task = Recurrence(model, N=4, T=7, D=5, H=3)
    with ours.recurrence(task) as one, cells.recurrence(task) as other:
        for a, b in zip(one(), other(), strict=True):
            np.testing.assert_allclose(a, b, **FLOAT32)


@pytest.mark.parametrize("lengths", [None, (7, 2, 5, 2)])
@pytest.mark.parametrize("model", MODELS)
def test_pytorch_computes_what_ours_computes(model, lengths):
    pytest.importorskip("torch")
    from benchmarks.contenders import pytorch

    task = Recurrence(model, N=4, T=7, D=5, H=3, lengths=lengths)
    with ours.recurrence(task) as one, pytorch.recurrence(task) as other:
        for a, b in zip(one(), other(), strict=True):
            np.testing.assert_allclose(a, b.numpy(), **FLOAT32)


@pytest.mark.parametrize("model", MODELS)
def test_pytorch_trains_from_the_same_loss(model):
    pytest.importorskip("torch")
    from benchmarks.contenders import pytorch

    task = TrainingStep(model, QUICK.brief)
    with ours.training_step(task) as one, pytorch.training_step(task) as other:
        np.testing.assert_allclose(one(), other(), **FLOAT32)


@pytest.mark.parametrize("model", MODELS)
def test_leaving_out_the_norms_changes_no_gradient(model):
    task = Recurrence(model, N=4, T=7, D=5, H=3)
    with ours.backward(task) as call:
        full = call()
    with ours_without_norms.backward(task) as call:
        without = call()
    np.testing.assert_array_equal(full.dxs, without.dxs)
    np.testing.assert_array_equal(full.dparams.W_h, without.dparams.W_h)
    assert not np.array_equal(full.dh_norms, without.dh_norms)
    assert lstm.norms is rnn.norms  # the package is as it was


@pytest.mark.parametrize("trick", ["second_thread", "pieces", "kept_memory", "blocks"])
@pytest.mark.parametrize("model", MODELS)
def test_no_trick_changes_what_is_computed(model, trick):
    task = Recurrence(model, N=64, T=4, D=5, H=64)
    with ours.recurrence(task) as call:
        expected = call()
    with getattr(ours_without, trick)(task) as call:
        for a, b in zip(expected, call(), strict=True):
            np.testing.assert_allclose(a, b, **FLOAT32)


def test_the_floor_counts_every_product():
    # By hand, N = T = D = H = 1: W_x and W_h are multiplied by, once forward and twice backward;
    # each product is one multiplication and one addition.
    assert Recurrence("rnn", 1, 1, 1, 1).flops == 2 * 3 * 2
    assert Recurrence("lstm", 1, 1, 1, 1).flops == 4 * 2 * 3 * 2
    assert Recurrence("rnn", N=2, T=3, D=5, H=7).flops == 2 * 3 * (5 * 7 + 7 * 7) * 2 * 3


def test_words_follow_zipf():
    settings = replace(QUICK.brief, batch_size=64, max_length=500, vocabulary_size=100)
    counts = np.bincount(TrainingStep("rnn", settings).draw_reviews().tokens)
    assert len(counts) == 100
    # 128,000 draws: the frequent words' counts are within a few per cent of c / k.
    np.testing.assert_allclose(counts[0] / counts[[1, 3, 9]], [2, 4, 10], rtol=0.1)


def test_the_picture_has_a_bar_for_every_ratio_to_pytorch(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    bars = []
    draw = Axes.bar

    def spy(axes, places, heights, *rest, bottom, **style):
        bars.extend(bottom + height for height in heights)
        return draw(axes, places, heights, *rest, bottom=bottom, **style)

    monkeypatch.setattr(Axes, "bar", spy)
    ratios = {
        "lstm": {"ours / pytorch": 0.75, "cells / pytorch": 4.0, "floor / pytorch": 0.5},
        "rnn": {"ours / pytorch": 1.25, "cells / pytorch": 3.0, "floor / pytorch": 0.25},
    }
    sizes = {"N": 4, "T": 3, "D": 2, "H": 1}
    cases = [{"model": model, **sizes, "ratios": ratios[model]} for model in MODELS]
    time_ratios(tmp_path / "ratios.png", {"cases": cases})
    assert bars == [0.75, 4.0, 0.5, 1.25, 3.0, 0.25]
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


def test_the_committed_results_are_complete_honest_and_not_of_a_quick_run():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert_honest(results)
    for part in results.values():
        assert not part["quick"]
        assert part["rounds"] >= 9


def test_the_page_shows_the_committed_results():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- results: benchmarks -->\n(.*)<!-- end of benchmarks -->", page, re.S)
    assert shown, "docs/benchmarks.md has no block of benchmarks"
    assert shown[1].strip() == block(results)


def test_what_is_said_of_speed_follows_from_the_committed_results():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    for case in results["grid"]["cases"]:
        faster = case["ratios"]["ours / pytorch"] < 1
        if case["model"] == "rnn" or case["H"] >= 128:
            assert faster
        elif case["N"] * case["H"] < 4096:
            assert not faster
    saved = {  # shares of the time, LSTM then RNN, at the usual size and at a small one
        trick: [1 - 1 / c["ratios"][f"without {trick} / ours"] for c in results["tricks"]["cases"]]
        for trick in ("second_thread", "pieces", "kept_memory", "blocks")
    }
    assert all(0.35 < saved["second_thread"][k] < 0.5 for k in (0, 2))
    assert all(0.05 < saved["pieces"][k] < 0.12 for k in (0, 2))
    assert all(0.2 < saved["kept_memory"][k] < 0.3 for k in (1, 3))
    assert all(0.3 < share < 0.6 for share in saved["blocks"])
    ratios = {case["model"]: case["ratios"]["keras / ours"] for case in results["step"]["cases"]}
    assert ratios["lstm"] < 1 < ratios["rnn"]
