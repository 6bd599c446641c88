"""What the benchmarks compute from the times that they take; no time is taken here."""

import os
from contextlib import redirect_stdout
from dataclasses import replace
from io import StringIO
from pathlib import Path
from threading import Thread
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

from benchmarks import exploring, figure, parts, preparation, processes, profiling, table
from benchmarks.contenders import floor
from benchmarks.figure import BARS
from benchmarks.plan import FULL, QUICK
from benchmarks.processes import Entry, geometric_mean, race, ratio
from benchmarks.tasks import TrainingStep
from numpy_lstm import plots
from numpy_lstm.data.corpus import Corpus
from numpy_lstm.data.imdb import DataNotFoundError
from tests.experiments.hand_made import figures_kept, reviews_of


def test_ratios_are_the_first_over_the_second():
    results = {
        "a": {"median": 3.0, "peak_bytes": 10},
        "b": {"median": 2.0, "peak_bytes": 40},
        "c": {"skipped": "not installed"},
    }
    assert ratio(results, "a", "b") == 1.5
    assert ratio(results, "a", "b", "peak_bytes") == 0.25
    assert ratio(results, "a", "c") is None and ratio(results, "c", "a") is None


def test_ratios_are_averaged_geometrically_and_not_without_the_missing_ones():
    assert geometric_mean([1.0, 4.0]) == pytest.approx(2.0)
    assert geometric_mean([1.0, None]) is None


def test_a_call_that_is_not_timed_comes_first_and_the_others_are_averaged():
    clock = SimpleNamespace(now=0.0)
    cost = iter([100.0, 0.5, 0.25, 0.25, 0.5, 0.5])

    def call():
        clock.now += next(cost)

    with patch.object(processes.time, "perf_counter", lambda: clock.now):
        assert processes._seconds_per_call(call, 1.0) == pytest.approx(1 / 3)
        assert processes._seconds_per_call(call, 0.0) == 0.5  # once at least


def test_memory_is_the_most_that_was_held_less_what_the_imports_took():
    status = "VmPeak: 9 kB\nVmHWM:\t 5 kB\nVmRSS:\t 3 kB\n"
    with patch.object(Path, "read_text", lambda _: status):
        assert processes._peak_bytes() == 5 * 1024

    sent, told = [], iter([Entry("floor", "calls", 1), True, False, None])
    pipe = SimpleNamespace(recv=lambda: next(told), send=sent.append)
    held = iter([1000, 1750])
    with (
        patch.object(processes, "_peak_bytes", lambda: next(held)),
        patch.object(processes, "_seconds_per_call", lambda call, least: least),
        patch.object(processes, "threadpool_limits", lambda n: None),
    ):
        processes._serve(pipe, "floor", 0.25)
    assert sent[1:] == [0.25, 750]


def test_the_calls_of_the_floor_are_as_many_as_said():
    counted = []
    with floor.calls(7) as call, patch.object(np, "add", lambda *_, out: counted.append(out)):
        call()
    assert len(counted) == 7


def test_the_grid_without_avx512_is_measured_without_it():
    with (
        patch.object(parts, "without_avx512", lambda: {"NAME": "value"}),
        patch.object(parts, "grid", lambda *given: {"given": given}),
    ):
        assert parts.grid_avx2(QUICK) == {
            "environment": {"NAME": "value"},
            "given": (QUICK, {"NAME": "value"}),
        }
    with patch.object(parts, "without_avx512", lambda: {}):
        assert parts.grid_avx2(QUICK)["cases"] == []


class Pipe:
    """In place of a contender's process: its answers; it writes down when it is told to run."""

    def __init__(self, answers, ran):
        self.answers, self.ran = iter(answers), ran

    def send(self, what):
        if what is True:
            self.ran()

    def recv(self):
        return next(self.answers)

    def close(self):
        pass


def test_contenders_run_in_rounds_that_begin_with_another_each_time():
    ready = {"threads": "two", "libraries": ["BLAS"]}
    answers = {
        "a": [dict(ready), 5.0, 1.0, 1.0, 1000],
        "b": [{"skipped": "not installed"}],
        "c": [dict(ready), 3.0, 9.0, 4.0, 2000],
    }
    order = []

    def started(contender, *_):
        return Pipe(answers[contender], lambda: order.append(contender))

    entries = {name: Entry(name, "recurrence", None) for name in "abc"}
    with patch.object(processes, "_started", started):
        results = race(entries, FULL._replace(rounds=3, pause=0.0))
    assert order == ["a", "c", "c", "a", "a", "c"]
    assert results["a"] == {**ready, "seconds": [5.0, 1.0, 1.0], "median": 1.0, "peak_bytes": 1000}
    assert results["c"] == {**ready, "seconds": [3.0, 9.0, 4.0], "median": 4.0, "peak_bytes": 2000}
    assert results["b"] == {"skipped": "not installed"}


def raced(medians, given=None):
    """In place of `race`: the medians, or what a function of the task gives."""

    def race(entries, plan, environment=None):
        if given is not None:
            given.append((entries, environment))
        return {
            name: {"median": medians(name, entry.task), "peak_bytes": 100 * entry.task.T}
            if hasattr(entry.task, "T")
            else {"median": medians(name, entry.task)}
            for name, entry in entries.items()
        }

    return patch.object(parts, "race", race)


def test_the_floor_is_the_products_at_full_rate_and_the_calls():
    times = {"ours": 2.0, "bptt": 3.0, "pytorch": 4.0, "product": 0.5, "calls": 0.1}
    printed = StringIO()
    with (
        redirect_stdout(printed),
        raced(lambda name, _: times[name]),
        patch.object(parts, "calls_a_step", {"lstm": 17, "rnn": 6}.get),
    ):
        part = parts.grid(QUICK._replace(square=10, grid=((4, 6, 5, 3), (1, 2, 1, 1))))
    case = part["cases"][0]
    floor = case["results"]["floor"]
    assert case["model"] == "lstm" and [case[name] for name in "NTDH"] == [4, 6, 5, 3]
    assert floor["flops_per_second"] == 2 * 10**3 / 0.5
    assert floor["flops"] == 3 * 2 * 4 * 3 * (5 + 3) * 6 * 4
    assert floor["products"] == floor["flops"] / 4000
    assert floor["seconds_a_call"] == pytest.approx(1e-4)
    assert floor["calls"] == pytest.approx(6 * 17 * 1e-4)
    assert floor["median"] == floor["products"] + floor["calls"]
    assert case["ratios"]["ours / pytorch"] == 0.5 and case["ratios"]["bptt / pytorch"] == 0.75
    assert case["ratios"]["ours / bptt"] == pytest.approx(2 / 3)
    assert case["ratios"]["ours / floor"] == 2 / floor["median"]
    assert case["ratios"]["floor / pytorch"] == floor["median"] / 4
    assert [c["model"] for c in part["cases"]] == ["lstm", "lstm", "rnn", "rnn"]
    for model in ("lstm", "rnn"):
        own = [c["ratios"]["ours / floor"] for c in part["cases"] if c["model"] == model]
        mean = part["geometric_means"][model]["ours / floor"]
        assert mean == pytest.approx(np.sqrt(own[0] * own[1]))
    assert "lstm  N=4  T=6  D=5  H=3  ours / pytorch: 0.500" in printed.getvalue()


def test_the_exponent_is_that_of_a_law_through_all_lengths():
    assert parts._exponent((1, 10, 100), [2.0, 200.0, 20000.0]) == pytest.approx(2)
    with raced(lambda name, task: task.T**1.5 if name == "ours" else 1.0):
        part = parts.length(QUICK._replace(lengths=(100, 200, 400)))
    for model in ("lstm", "rnn"):
        assert part["exponents"][model] == pytest.approx({"median": 1.5, "peak_bytes": 1.0})
    assert [case["T"] for case in part["cases"]] == 2 * [100, 200, 400]
    assert part["cases"][0]["ratios"]["ours / pytorch"] == pytest.approx(1000)
    assert part["cases"][0]["memory_ratios"]["ours / pytorch"] == 1.0


def test_reviews_of_different_lengths_run_beside_the_same_padded():
    given = []
    lengths = (9, 2, 4)
    with (
        raced(lambda name, task: float(len(name)), given),
        patch.object(parts, "review_lengths", lambda n, plan: (lengths, f"{n}, {plan.quick}")),
    ):
        part = parts.ragged(QUICK._replace(usual=(3, 99, 5, 2)))
    assert part["lengths_from"] == "3, True"
    assert part["real_share"] == 15 / 27
    entries = given[0][0]
    assert {name: (e.contender, e.task.lengths, e.task.T) for name, e in entries.items()} == {
        "ours": ("ours", lengths, 9),
        "ours, padded": ("ours", None, 9),
        "pytorch, packed": ("pytorch", lengths, 9),
        "pytorch, padded": ("pytorch", None, 9),
    }
    assert part["cases"][0]["ratios"]["ours / ours, padded"] == 4 / 12


def test_a_gradient_in_the_last_state_alone_runs_beside_one_in_every_state():
    given = []
    with raced(lambda name, task: float(len(name)), given):
        part = parts.vanishing(QUICK._replace(vanishing=(3, 9, 5, 2)))
    entries = given[0][0]
    sizes = {(e.task.model, *e.task[1:5]) for e in entries.values()}
    assert sizes == {("lstm", 3, 9, 5, 2)}
    assert {name: (e.contender, e.task.last) for name, e in entries.items()} == {
        "ours": ("ours", False),
        "pytorch": ("pytorch", False),
        "bptt": ("bptt", False),
        "ours, last": ("ours", True),
        "pytorch, last": ("pytorch", True),
        "bptt, last": ("bptt", True),
    }
    assert part["cases"][0]["ratios"] == {
        "ours, last / ours": 10 / 4,
        "pytorch, last / pytorch": 13 / 7,
        "bptt, last / bptt": 10 / 4,
        "ours, last / pytorch, last": 10 / 13,
    }
    every, last = (entries[name].task.draw() for name in ("ours", "ours, last"))
    np.testing.assert_array_equal(last[0], every[0])
    np.testing.assert_array_equal(last[2][-1], every[2][-1])
    assert every[2].all() and not last[2][:-1].any()


def cut_at(longest):
    return FULL._replace(job=replace(FULL.job, max_length=longest))


def test_review_lengths_are_cut_and_drawn_without_repetition():
    reviews = SimpleNamespace(train=SimpleNamespace(lengths=np.arange(10, 40)))
    with patch.object(parts, "load_imdb", lambda allow_download: reviews):
        lengths, source = parts.review_lengths(30, cut_at(25))
        assert sorted(lengths) == [*range(10, 25), *[25] * 15] and lengths != tuple(sorted(lengths))
        assert source == "IMDB training reviews, cut at 25 words"

    def missing(allow_download):
        assert allow_download is False
        raise DataNotFoundError

    with patch.object(parts, "load_imdb", missing):
        lengths, source = parts.review_lengths(20_000, cut_at(800))
        assert source.startswith("drawn from a log-normal") and source.endswith("cut at 800 words")
    assert np.median(lengths) == pytest.approx(190, rel=0.03) and max(lengths) == 800
    below = np.log([n for n in lengths if n < 800])
    assert below.std() == pytest.approx(0.62, abs=0.03)  # 0.64 but for those that are cut


def test_shares_are_of_the_whole_and_parts_within_parts_count_once():
    seconds = {"recurrence backward": [2.0, 4.0], "rest": [1.0, 1.0], "whole": [4.0, 6.0]}
    with patch.object(profiling, "profile_steps", lambda task, steps: seconds):
        part = profiling.profile(QUICK)
    assert [(case["name"], case["model"]) for case in part["cases"]] == [
        ("brief", "lstm"),
        ("brief", "rnn"),
        ("job", "lstm"),
        ("job", "rnn"),
    ]
    assert part["cases"][0]["shares"] == {"recurrence backward": 0.6, "rest": 0.2, "whole": 1.0}


def test_a_step_is_divided_into_its_parts_and_the_mean_of_both_threads_counts():
    clock = SimpleNamespace(now=0.0, steps=0)

    def spend(seconds):
        clock.now += seconds

    def backward():
        # Of the norms 2 s in this thread, and 4 s in another.
        profiling.lstm.norms(2.0)
        thread = Thread(target=lambda: profiling.lstm.norms(4.0))
        thread.start()
        thread.join()
        spend(5.0)

    def train_step(*_):
        clock.steps += 1
        spend(1.0 if clock.steps > processes.WARM_UP else 100.0)  # of no part
        profiling.classifier.recurrence_backward()
        profiling.training.clip_by_global_norm(0.5)
        profiling.training.clip_by_global_norm(0.25)

    with (
        patch.object(profiling.time, "perf_counter", lambda: clock.now),
        patch.object(profiling, "train_step", train_step),
        patch.object(profiling.classifier, "recurrence_backward", backward),
        patch.object(profiling.lstm, "norms", spend),
        patch.object(profiling.training, "clip_by_global_norm", spend),
    ):
        seconds = profiling.profile_steps(TrainingStep("lstm", QUICK.brief), 3)
    spent = {part: values for part, values in seconds.items() if any(values)}
    assert spent == {
        "recurrence backward": [8.0] * 3,  # 11 seconds, without 3 of the norms
        "norms": [3.0] * 3,
        "clipping": [0.75] * 3,
        "rest": [1.0] * 3,
        "whole": [12.75] * 3,
    }
    assert set(seconds) == {*profiling.PARTS, "rest", "whole"}


def test_what_comes_before_the_first_step_is_timed_on_the_reviews_that_are_named():
    clock = iter([0, 1, 10, 12, 20, 23, 30, 34, 40, 45, 50, 56])  # 1 s, 2 s, 3 s ...
    given = []
    reviews = reviews_of([0, 1, 0, 1], [0, 1], [0], [1, 1], [2])
    corpus = Corpus("imdb", ["a", "b", "c"], reviews, reviews, reviews)
    with (
        patch.dict(os.environ, {"NUMPY_LSTM_IMDB": "there"}),
        patch.object(preparation.time, "perf_counter", lambda: next(clock)),
        patch.object(preparation, "parse", lambda *what: given.append(what)),
        patch.object(preparation, "load_imdb", lambda: corpus),
        patch.object(preparation, "cooccurrences", lambda texts, n: ("counts", len(texts))),
        patch.object(preparation, "positive_pmi", lambda counts: ("pmi", counts)),
        patch.object(preparation, "reduce_pmi", lambda *what: given.append(what)),
        redirect_stdout(StringIO()),
    ):
        part = preparation.preparation(FULL)
    assert given == [
        (Path("there"), preparation.PUBLISHED_COUNTS),
        (("pmi", ("counts", 2)), FULL.job.vector_size, FULL.job.seed),
    ]
    assert part == {
        "cases": [],
        "reviews": 100_000,
        "seconds": {
            "parsing and tokenizing": 1,
            "the same from the cache": 2,
            "split and vocabulary": 3,
            "counting pairs of words": 4,
            "pointwise mutual information": 5,
            "singular value decomposition": 6,
        },
    }


@pytest.mark.parametrize(("plan", "named"), [(FULL, ""), (QUICK, "there")], ids=["none", "quick"])
def test_without_reviews_and_at_tiny_sizes_nothing_is_prepared(plan, named):
    with patch.dict(os.environ, {"NUMPY_LSTM_IMDB": named}):
        part = preparation.preparation(plan)
    assert part["cases"] == [] and "NUMPY_LSTM_IMDB names no reviews" in part["skipped"]


def test_of_the_pages_answers_the_middle_and_the_longest_are_told():
    assert exploring._described([0.2, 0.5, 0.1]) == {
        "seconds": [0.2, 0.5, 0.1],
        "median": 0.2,
        "longest": 0.5,
    }

    def found(*times):
        names = ("answer", "picture")
        return {
            name: {"median": median, "longest": longest}
            for name, (median, longest) in zip(names, times, strict=True)
        }

    part = {
        "browser": "120",
        "first": found((1.5, 2.5), (3.5, 4.5)),
        "moves": {"words": found((0.0123, 0.2), (0.045, 0.3))},
    }
    intro, *_, row = table._page(part).splitlines()
    assert "to the first answer 1.50 s, 2.50 s at most, and to the first picture" in intro
    assert "already, 3.50 s, 4.50 s at most." in intro
    assert row == "| words | 12.3 | 200 | 45 | 300 |"


def test_numbers_in_the_tables():
    results = {"ours": {"median": 0.0123456, "peak_bytes": 2_500_000}, "b": {"skipped": "why"}}
    assert table._ms(results["ours"]) == "12.3" and table._ms(results["b"]) == "–"
    assert table._megabytes(results["ours"]) == "2.5" and table._megabytes(results["b"]) == "–"
    assert table._quotients({"a / b": 1.234, "a / c": None}, "a / b", "a / c") == ["1.23", "–"]
    assert table._sizes({"H": 4, "D": 3, "T": 2, "N": 1}) == "1, 2, 3, 4"
    assert table._table(("", "x"), [("a", "1"), ("b", "2")]).splitlines() == [
        "|  | x |",
        "| --- | --- |",
        "| a | 1 |",
        "| b | 2 |",
    ]


def rows_of(text):
    """The cells of a table's rows, without the header."""
    lines = [line for line in text.splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]


def timed(milliseconds, *seconds):
    return {"median": milliseconds / 1000, "seconds": [*seconds], "libraries": ["BLAS"]}


def test_the_grids_table_has_each_time_in_its_column():
    floor = {"products": 0.004, "calls": 0.005, "flops_per_second": 7e9, "seconds_a_call": 6e-7}
    results = {
        "ours": timed(1.5, 1, 2, 6),
        "pytorch": timed(2.5, 1, 1),
        "bptt": timed(3.5, 2, 3),
        "floor": {**floor, "calls_a_step": 17, "median": 0.009},
    }
    ratios = {"ours / pytorch": 0.6, "ours / floor": 0.17}
    case = {"model": "lstm", "N": 1, "T": 2, "D": 3, "H": 4, "results": results, "ratios": ratios}
    where = {"cores": 2, "cpu": "A", "versions": {"torch": "9.8"}}
    means = {"lstm": {"ours / pytorch": 0.7, "ours / floor": 0.2}}
    part = {"machine": where, "cases": [case], "geometric_means": means, "rounds": 3}
    text = table._grid(part)
    assert rows_of(text) == [
        ["LSTM", "1, 2, 3, 4", "1.5", "2.5", "3.5", "4", "5", "0.60", "0.17"],
        ["LSTM", "geometric mean", *5 * [""], "0.70", "0.20"],
    ]
    # The slowest round over the fastest: 6, 1 and 1.5.
    assert "took 1.5 times as long as the fastest" in text and "and 6.0 times at most" in text
    assert "(7 to 7 GFLOP/s)" in text and "(0.60 to 0.60 µs)" in text and "17 (LSTM)" in text


def test_the_tables_of_ragged_batches_and_of_the_profile_have_each_number_in_its_column():
    names = ("ours", "ours, padded", "pytorch, packed", "pytorch, padded")
    results = {name: timed(k + 1.5) for k, name in enumerate(names)}
    case = {"model": "rnn", "N": 9, "results": results, "ratios": {"ours / ours, padded": 0.6}}
    text = table._ragged({"cases": [case], "lengths_from": "a source", "real_share": 0.25})
    assert rows_of(text) == [["vanilla RNN", "1.5", "2.5", "0.60", "3.5", "4.5"]]
    assert "of 9 reviews" in text and "(a source)" in text and "25%" in text

    settings = {"batch_size": 4, "max_length": 5, "bag_size": 6, "vocabulary_size": 7000}
    cases = [
        {
            "model": model,
            "name": name,
            "settings": settings,
            "seconds": {"whole": [0.001, 0.001, 0.004]},
            "shares": {"norms": share, "rest": 1 - share, "whole": 1.0},
        }
        for model, name, share in (("lstm", "brief", 0.25), ("rnn", "job", 0.125))
    ]
    text = table._profile({"cases": cases})
    assert "| LSTM, the step above | vanilla RNN, the default job's |" in text
    assert rows_of(text) == [
        ["norms", "25.0 %", "12.5 %"],
        ["rest", "75.0 %", "87.5 %"],
        ["ms a step", "2", "2"],  # the mean; the median is 1
    ]


def a_grid(kind, of_model, **named):
    cases = [
        {"model": model, "ratios": {"ours / pytorch": ratio}}
        for model, ratios in of_model.items()
        for ratio in ratios
    ]
    means = {
        model: {"ours / pytorch": geometric_mean(ratios)} for model, ratios in of_model.items()
    }
    return {"machine": {"kind": kind}, "cases": cases, "geometric_means": means, **named}


def test_the_summary_has_the_mean_and_the_range_of_each_model():
    step = {
        "machine": {"kind": "AVX-512"},
        "cases": [
            {"model": "lstm", "ratios": {"ours / pytorch": 1.25, "ours / keras": 0.5}},
            {"model": "rnn", "ratios": {"ours / pytorch": 1.75, "ours / keras": None}},
        ],
    }
    results = {
        "grid": a_grid("AVX-512", {"lstm": [1.0, 4.0], "rnn": [0.25, 1.0]}),
        "grid_avx2": a_grid("AVX-512", {"lstm": [1.0, 9.0], "rnn": [0.5, 0.5]}, environment={}),
        "step": step,
    }
    assert table.summary(results).splitlines() == [
        "|  | recurrence / PyTorch's, AVX-512"
        " | recurrence / PyTorch's, restricted to AVX2 on an AVX-512 machine"
        " | training step / PyTorch's, AVX-512 | training step / Keras's, AVX-512 |",
        "| --- | --- | --- | --- | --- |",
        "| LSTM | 2.00 (1.00 to 4.00) | 3.00 (1.00 to 9.00) | 1.25 | 0.50 |",
        "| vanilla RNN | 0.50 (0.25 to 1.00) | 0.50 (0.50 to 0.50) | 1.75 | – |",
    ]


def drawn_ratios(path, grids):
    with figures_kept() as kept, patch.object(figure, "figure", plots.figure):
        figure.time_ratios(path, grids)
    return kept[0]


def test_bars_have_the_name_and_the_color_of_their_contender(tmp_path):
    assert {name: label for name, (label, _) in BARS.items()} == {
        "ours": "numpy_lstm",
        "bptt": "bptt.py, the plain loop",
        "floor": "its matrix products and calls alone",
    }
    ratios = {
        "lstm": {"ours / pytorch": 0.75, "bptt / pytorch": 4.0, "floor / pytorch": 0.5},
        "rnn": {"ours / pytorch": 1.25, "bptt / pytorch": 3.0, "floor / pytorch": 0.25},
    }
    sizes = {"N": 4, "T": 3, "D": 2, "H": 1}
    cases = [{"model": model, **sizes, "ratios": ratios[model]} for model in ("lstm", "rnn")]
    kept = drawn_ratios(tmp_path / "x.png", [{"machine": {"kind": "AVX2"}, "cases": cases}])
    for axes, model in zip(kept.axes, ("lstm", "rnn"), strict=True):
        assert axes.get_title() == {"lstm": "LSTM\nAVX2", "rnn": "vanilla RNN\nAVX2"}[model]
        assert axes.get_yscale() == "log" and axes.get_xlabel() == "N, T, D, H from top to bottom"
        assert [text.get_text() for text in axes.get_xticklabels()] == ["4\n3\n2\n1"]
        for bars, (contender, (label, color)) in zip(axes.containers, BARS.items(), strict=True):
            (bar,) = bars
            assert bars.get_label() == label
            assert bar.get_y() + bar.get_height() == ratios[model][f"{contender} / pytorch"]
            assert bar.get_facecolor()[:3] == pytest.approx(
                [int(color[k : k + 2], 16) / 255 for k in (1, 3, 5)]
            )
        assert axes.lines[0].get_ydata()[0] == 1
    assert kept.axes[0].get_ylabel() == "time / PyTorch's"


def test_the_full_plan_takes_enough_rounds_and_the_quick_one_says_that_it_is_quick():
    assert QUICK.quick and not FULL.quick
    assert FULL.rounds >= 9 and FULL.least >= 0.05
    assert FULL.brief.bag_size == 1 and FULL.brief.dropout == 0
