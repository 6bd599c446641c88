"""The benchmarks are complete and honest. Nothing here depends on how fast the machine is."""

import io
import json
import os
import re
import statistics
import subprocess
import sys
from contextlib import redirect_stderr
from dataclasses import asdict, replace
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from benchmarks.__main__ import PARTS, main
from benchmarks.calls import Counted, calls_a_step
from benchmarks.contenders import bptt, ours
from benchmarks.figure import time_ratios
from benchmarks.machine import machine, without_avx512
from benchmarks.plan import FULL, QUICK
from benchmarks.profiling import PARTS as STEP_PARTS
from benchmarks.table import block, summary
from benchmarks.tasks import MODELS, Recurrence, TrainingStep

ROOT = Path(__file__).parents[1]
COMMITTED = ROOT / "results" / "benchmarks.json"
# Sums of some hundred products in float32, in different orders.
FLOAT32 = {"rtol": 1e-4, "atol": 1e-4}
ROUNDING = 1e-12  # Python 3.12 and later sum floats with less rounding than those before
SKIPPED = "left out by the test"

linux = pytest.mark.skipif(sys.platform != "linux", reason="peak memory is read from /proc")


@pytest.fixture(scope="module")
def quick_run(tmp_path_factory):
    """What the command writes, and prints in ASCII, without PyTorch, Keras and IMDB."""
    folder = tmp_path_factory.mktemp("benchmarks")
    for package in ("torch", "keras", "tensorflow"):
        (folder / f"{package}.py").write_text(f"raise ImportError({SKIPPED!r})")
    environment = {
        **os.environ,
        "PYTHONPATH": str(folder),
        "NUMPY_LSTM_CACHE": str(folder),
        "NUMPY_LSTM_IMDB": "",
        "PYTHONIOENCODING": "ascii",
    }
    command = [sys.executable, "-m", "benchmarks", "--quick", "--out", str(folder)]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return json.loads((folder / "benchmarks.json").read_text()), done.stdout


def assert_honest(results):
    """All parts are there, and whatever was computed follows from the raw times."""
    assert list(results) == list(PARTS)
    for part in results.values():
        assert {"cpu", "kind", "cores", "load_average", "versions"} <= set(part["machine"])
        assert part["machine"]["versions"]["numpy"]
        assert {case["model"] for case in part["cases"]} <= set(MODELS)
    for part in ("grid", "grid_avx2", "step", "length", "ragged", "vanishing"):
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
    grids = [results[name] for name in ("grid", "grid_avx2") if "skipped" not in results[name]]
    for grid in grids:
        for model, means in grid["geometric_means"].items():
            for name, mean in means.items():
                ratios = [c["ratios"][name] for c in grid["cases"] if c["model"] == model]
                if None in ratios:
                    assert mean is None
                else:
                    assert mean == pytest.approx(statistics.geometric_mean(ratios), rel=ROUNDING)
        for case in grid["cases"]:
            floor = case["results"]["floor"]
            assert floor["products"] == floor["flops"] / floor["flops_per_second"]
            assert floor["calls"] == case["T"] * floor["calls_a_step"] * floor["seconds_a_call"]
            assert floor["median"] == floor["products"] + floor["calls"]
    for case in results["grid_avx2"]["cases"]:
        for result in case["results"].values():
            used = f"{result.get('threads')} {result.get('libraries')}"
            assert not re.search("AVX-?512|X86_V4|SkylakeX", used)
    for case in results["profile"]["cases"]:
        assert set(case["seconds"]) == {*STEP_PARTS, "rest", "whole"}
        shares = [share for part, share in case["shares"].items() if part != "whole"]
        assert sum(shares) == pytest.approx(1)


@pytest.mark.slow
@linux
def test_the_command_measures_everything_and_computes_what_it_says(quick_run):
    results, printed = quick_run
    assert_honest(results)
    assert all(part["quick"] for part in results.values())
    assert block(results).encode("ascii", "backslashreplace").decode() in printed


@pytest.mark.slow
@linux
def test_a_contender_that_is_not_installed_is_skipped_with_the_reason(quick_run):
    results, printed = quick_run
    step = results["step"]["cases"][0]["results"]
    assert step["pytorch"] == step["keras"] == {"skipped": SKIPPED}
    assert "median" in step["ours"]
    assert "benchmarks.png is not drawn: PyTorch was not measured" in printed


@pytest.mark.slow
@linux
def test_lengths_that_are_not_real_are_called_so(quick_run):
    results, _ = quick_run
    assert results["ragged"]["lengths_from"].startswith("drawn from a log-normal distribution")


@pytest.mark.slow
@linux
def test_what_is_restricted_to_avx2_uses_no_avx512_and_is_left_out_where_there_is_none(quick_run):
    results, _ = quick_run
    assert results["grid"]["machine"]["kind"] in ("AVX-512", "AVX2", "other")
    assert bool(results["grid_avx2"]["cases"]) == (results["grid"]["machine"]["kind"] == "AVX-512")
    assert ("skipped" in results["grid_avx2"]) == (without_avx512() == {})


@pytest.mark.slow
@linux
def test_what_each_step_leaves_out_is_said(quick_run):
    results, _ = quick_run
    assert "Zipf" in results["step"]["words"]
    assert "only the rows" in results["step"]["adam"]


def test_a_damaged_file_of_results_is_an_error_of_one_line(tmp_path, capsys):
    (tmp_path / "benchmarks.json").write_text("{")
    with pytest.raises(SystemExit, match="2"):
        main(["--quick", "--only", "profile", "--out", str(tmp_path)])
    assert "benchmarks.json is damaged" in capsys.readouterr().err.splitlines()[-1]


@linux
def test_the_machine_is_named():
    where = machine()
    assert where["cpu"] and where["cores"] >= 1
    assert where["versions"]["numpy"] == np.__version__


@linux
def test_a_contender_whose_process_has_died_ends_with_status_1(tmp_path, capsys):
    from benchmarks import __main__ as command

    for error in (EOFError, ConnectionResetError):
        with patch.object(command, "run", side_effect=error), pytest.raises(SystemExit, match="1"):
            main(["--quick", "--out", str(tmp_path)])
        assert "process ended too early" in capsys.readouterr().err


@linux
def test_ctrl_c_ends_with_130_and_says_where_the_finished_parts_are(tmp_path):
    from benchmarks import __main__ as command

    told = io.StringIO()
    with (
        patch.object(command, "run", side_effect=KeyboardInterrupt),
        redirect_stderr(told),
        pytest.raises(SystemExit) as ended,
    ):
        main(["--quick", "--out", str(tmp_path)])
    assert ended.value.code == 130 and f"finished are in {tmp_path}." in told.getvalue()


@linux
def test_the_load_is_that_of_the_minute_before():
    with patch.object(os, "getloadavg", lambda: (0.25, 5.0, 9.0)):
        assert machine()["load_average"] == 0.25


@pytest.mark.parametrize("model", MODELS)
def test_the_plain_loop_computes_what_ours_computes(model):
    task = Recurrence(model, N=4, T=7, D=5, H=3)
    with ours.recurrence(task) as one, bptt.recurrence(task) as other:
        for a, b in zip(one(), other(), strict=True):
            np.testing.assert_allclose(a, b, **FLOAT32)


def test_every_call_of_numpy_in_a_step_is_counted():
    # By hand, from the loops: forward and back.
    assert calls_a_step("lstm") == 10 + 7
    assert calls_a_step("rnn") == 3 + 3


def test_counting_changes_nothing():
    x, y = np.float32([1, 2]), np.float32([3, 5])
    counted, Counted.calls = x.copy().view(Counted), 0
    counted += 1
    out = np.multiply(counted, y, out=counted)
    assert out is counted and Counted.calls == 2
    np.testing.assert_array_equal(np.asarray(out), (x + 1) * y)
    assert np.tanh(out).dtype == np.float32 and Counted.calls == 3


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


def test_the_batches_are_the_drawn_reviews_one_after_another():
    task = TrainingStep("rnn", QUICK.brief)
    reviews, batches = task.draw_reviews(), task.draw_batches()
    assert len(batches) == 4
    words = np.concatenate([batch.tokens.T.ravel() for batch in batches])
    np.testing.assert_array_equal(words, reviews.tokens)
    np.testing.assert_array_equal(
        np.concatenate([batch.labels for batch in batches]), reviews.labels
    )


def test_the_picture_has_a_bar_for_every_ratio_to_pytorch(tmp_path, monkeypatch):
    from matplotlib.axes import Axes

    bars = []
    draw = Axes.bar

    def spy(axes, places, heights, *rest, bottom, **style):
        bars.extend(bottom + height for height in heights)
        return draw(axes, places, heights, *rest, bottom=bottom, **style)

    monkeypatch.setattr(Axes, "bar", spy)
    ratios = {
        "lstm": {"ours / pytorch": 0.75, "bptt / pytorch": 4.0, "floor / pytorch": 0.5},
        "rnn": {"ours / pytorch": 1.25, "bptt / pytorch": 3.0, "floor / pytorch": 0.25},
    }
    sizes = {"N": 4, "T": 3, "D": 2, "H": 1}
    cases = [{"model": model, **sizes, "ratios": ratios[model]} for model in MODELS]
    grid = {"machine": {"kind": "AVX-512"}, "cases": cases}
    time_ratios(tmp_path / "ratios.png", [grid, {**grid, "environment": {}}])
    assert bars == 2 * [0.75, 4.0, 0.5, 1.25, 3.0, 0.25]
    assert (tmp_path / "ratios.png").read_bytes().startswith(b"\x89PNG")


def test_the_committed_results_are_complete_honest_and_not_of_a_quick_run():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert_honest(results)
    for part in results.values():
        assert not part["quick"]
        assert part["rounds"] >= 9


def test_the_committed_results_are_of_all_sizes_of_the_plan():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    for part, wanted in {
        "grid": [*FULL.grid],
        "vanishing": [FULL.vanishing],
        "length": [(FULL.usual[0], T, *FULL.usual[2:]) for T in FULL.lengths],
    }.items():
        sizes = [tuple(case[name] for name in "NTDH") for case in results[part]["cases"]]
        assert sizes == len(MODELS) * wanted
    settings = [case["settings"] for case in results["step"]["cases"]]
    assert settings == len(MODELS) * [asdict(FULL.brief)]


def test_the_page_shows_the_committed_results():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- results: benchmarks -->\n(.*)<!-- end of benchmarks -->", page, re.S)
    assert shown, "docs/benchmarks.md has no block of benchmarks"
    assert shown[1].strip() == block(results)


def test_the_page_begins_with_the_committed_results_in_short():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    page = (ROOT / "docs" / "benchmarks.md").read_text(encoding="utf-8")
    shown = re.search(r"<!-- summary: benchmarks -->\n(.*?)<!-- end of summary -->", page, re.S)
    assert shown[1].strip() == summary(results)


def test_what_is_said_of_speed_follows_from_the_committed_results():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    for grid in (results["grid"], results["grid_avx2"]):
        means = {model: of["ours / pytorch"] for model, of in grid["geometric_means"].items()}
        assert means["rnn"] < 1 < means["lstm"]
        smallest = [case for case in grid["cases"] if case["H"] == 32]
        for case in smallest:
            assert case["results"]["floor"]["calls"] > case["results"]["floor"]["products"]
        behind = max(case["ratios"]["ours / pytorch"] for case in grid["cases"])
        assert behind == smallest[0]["ratios"]["ours / pytorch"]
    step = {case["model"]: case["ratios"] for case in results["step"]["cases"]}
    assert step["lstm"]["ours / pytorch"] > 1 and step["rnn"]["ours / pytorch"] > 1
    assert step["rnn"]["ours / keras"] < 1 < step["lstm"]["ours / keras"]
    for case in results["ragged"]["cases"]:
        ours, packed, padded = (
            case["results"][name]["median"]
            for name in ("ours", "pytorch, packed", "pytorch, padded")
        )
        assert ours < min(packed, padded) / 2
    for case in results["vanishing"]["cases"]:
        assert case["ratios"]["ours, last / ours"] < 1.2
        assert case["ratios"]["pytorch, last / pytorch"] > 3
        assert case["ratios"]["bptt, last / bptt"] > 2
    assert all(c["memory_ratios"]["ours / pytorch"] < 0.6 for c in results["length"]["cases"])


def test_the_page_is_as_quick_as_its_docs_say():
    part = json.loads(COMMITTED.read_text(encoding="utf-8"))["page"]
    assert part["first"]["picture"]["longest"] < 2
    assert all(found["picture"]["median"] < 0.1 for found in part["moves"].values())
    assert all(found["answer"]["median"] < 0.1 for found in part["moves"].values())


def test_recording_the_norms_takes_less_than_three_per_cent_of_a_training_step():
    results = json.loads(COMMITTED.read_text(encoding="utf-8"))
    assert all(0 < case["shares"]["norms"] < 0.03 for case in results["profile"]["cases"])
