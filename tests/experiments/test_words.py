from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import reviews, words
from numpy_lstm.experiments.padding import FILLED
from numpy_lstm.plots import COLORS
from numpy_lstm.training import Evaluation
from tests.experiments.hand_made import (
    accuracies_of,
    color_of,
    drawn,
    only,
    points,
    prepared,
    reviews_of,
    state_of,
    texts_of,
    tick_labels,
    trials,
)
from tests.on_record import contents, prose

CONDITIONS = words.conditions(False)


def test_each_condition_reads_the_words_that_it_is_named_for():
    for name, settings in CONDITIONS.items():
        model, which = name.split(", ")
        *_, number = which.split()
        assert settings["model"] == model and settings["patience"] == 0
        bag = "bags of" in which
        assert settings["bag_size"] == (int(number) if bag else 4)
        assert settings["k"] == (400 if bag else int(number))
        assert settings["end"] == ("first" if "first" in which else "last")
    for model in ("rnn", "lstm"):
        own = [settings for settings in CONDITIONS.values() if settings["model"] == model]
        last = [s["k"] for s in own if s["end"] == "last" and s["bag_size"] == 4]
        assert last == [10, 25, 50, 100, 200, 400]
        assert [s["k"] for s in own if s["end"] == "first"] == [200]
        assert [s["bag_size"] for s in own if s["bag_size"] != 4] == [1, 2, 8, 16, 400]
    quick = words.conditions(True)
    assert quick.items() <= CONDITIONS.items()
    assert {s["end"] for s in quick.values()} == {"first", "last"}


@pytest.mark.parametrize(
    ("end", "text"), [("first", [2, 3]), ("last", [4, 5])], ids=["first", "last"]
)
def test_a_condition_trains_on_its_end_of_all_parts(end, text):
    data = prepared(*(reviews_of([0], [2, 3, 4, 5]) for _ in range(3)), D=3)
    given = []

    def fit(*arguments):
        given.append(arguments)
        return state_of({}, [0.5], [0.6])

    with (
        patch.object(reviews, "data", only(data, 3, False, vector_size=64)),
        patch.object(reviews, "fit", fit),
        patch.object(reviews, "evaluate", lambda *_: Evaluation(0.25, 0.875)),
    ):
        settings = {**CONDITIONS["lstm, bags of 8"], "k": 2, "end": end}
        result = words.run(settings, 3, False)
    ((model, splits, vectors, own),) = given
    assert model == "lstm" and vectors is data.vectors
    assert [texts_of(part) for part in splits] == [[text]] * 3
    assert (own.bag_size, own.seed, own.hidden_size, own.epochs) == (8, 3, 32, 3)
    assert result["test_accuracy"] == 0.875 and result["val_accuracy"] == 0.6


def test_the_summary_and_the_figure_are_of_the_test_accuracy():
    shares = {
        f"{model}, {which}": [number, number + 0.375, number]  # the median is not the mean
        for model, number in (("rnn", 0.5), ("lstm", 0.5))
        for which in ("last 10", "last 400", "first 200", "bags of 1", "bags of 400")
    }
    shares["lstm, last 10"] = [0.25, 0.625, 0.25]
    shares["lstm, bags of 400"] = [0.125, 0.5, 0.125]
    listed = trials(accuracies_of(shares), CONDITIONS)
    summary = words.summarize(listed)
    assert summary["rnn, last 10"]["mean"] == 0.625 and summary["lstm, last 10"]["n"] == 3

    figure = drawn(words.draw, listed)
    last, bags = figure.axes
    assert "last words read" in last.get_xlabel() and "words to a step" in bags.get_xlabel()
    assert last.get_ylabel() == "test accuracy (%)"
    assert [points(line) for line in last.lines] == [
        [(10, 62.5), (400, 62.5)],
        [(10, 37.5), (400, 62.5)],
    ]
    # A bag of 4 is "last 400".
    assert [points(line) for line in bags.lines] == [
        [(1, 62.5), (4, 62.5), (400, 62.5)],
        [(1, 62.5), (4, 62.5), (400, 25)],
    ]
    for axes in (last, bags):
        assert axes.get_xscale() == "log"
        assert [str(line.get_label()) for line in axes.lines] == ["vanilla RNN", "LSTM"]
        assert [color_of(line) for line in axes.lines] == [COLORS["rnn"], COLORS["lstm"]]
    assert [line.get_marker() for line in last.lines] == ["s", "o"]
    assert [line.get_linestyle() for line in last.lines] == ["--", "-"]
    assert tick_labels(bags, "x") == {1.0: "1", 4.0: "4", 400.0: "400"}
    band = last.collections[1].get_paths()[0].vertices  # the LSTM's
    heights = {x: sorted(set(band[band[:, 0] == x, 1])) for x in (10, 400)}
    assert heights == {10: [25, 62.5], 400: [50, 87.5]}
    np.testing.assert_array_equal(
        last.collections[1].get_facecolor()[0, :3], np.array([0x00, 0x44, 0x88]) / 255
    )
    assert [text.get_text() for text in last.get_legend().get_texts()] == ["vanilla RNN", "LSTM"]


def test_the_page_says_what_the_results_say():
    page, summary = prose("words"), contents("words")["summary"]
    # At a learning rate of its own, and whole.
    at_own_rate = contents("gradient_or_memory")["summary"]["lstm, b_f=1, whole"]["test_accuracy"]
    assert f"the LSTM has {100 * at_own_rate['mean']:.1f} % word by word" in page
    by_bag = {
        model: [
            100 * summary[f"{model}, {bag}"]["mean"]
            for bag in ("bags of 1", "bags of 2", "last 400", "bags of 8", "bags of 400")
        ]
        for model in ("rnn", "lstm")
    }
    assert 100 * at_own_rate["mean"] > max(by_bag["lstm"])
    one = max(summary[f"{model}, bags of 400"]["mean"] for model in ("rnn", "lstm"))
    assert f"and {100 * (at_own_rate['mean'] - one):.1f} points behind the LSTM" in page
    assert max(of["mean"] for of in summary.values()) - one < 0.01
    # Counted by the steps of padding that a review of 500 steps needs.
    counts = [n for _, n in contents("padding")["trials"][0]["result"]["test_right_by_filled"]]
    assert FILLED[4:] == (400, 500) and sum(counts[4:]) / sum(counts) > 0.5
    for name in ("words", "gradient_or_memory"):
        assert "half of the test reviews have fewer than 200 words" in prose(name)

    def percent(model, words):
        return 100 * summary[f"{model}, last {words}"]["mean"]

    ten = f"the vanilla RNN has {percent('rnn', 10):.1f} %, the LSTM {percent('lstm', 10):.1f} %."
    assert f"From the last ten words alone {ten}" in page
    leads = [percent("lstm", n) - percent("rnn", n) for n in (10, 25, 50, 100, 200, 400)]
    assert f"stay within {max(leads[:3]):.1f} points of each other" in page
    assert "lead grows with the words read, to three points at 200 and little more at 400." in page
    assert leads[1:5] == sorted(leads[1:5]) and round(leads[4]) == 3
    assert "From 200 to 400 neither cell gains much" in page
    assert max(percent(cell, 400) - percent(cell, 200) for cell in ("rnn", "lstm")) < 1
    assert "it is eight points behind the LSTM; with one step it is level with it." in page
    assert round(by_bag["lstm"][0] - by_bag["rnn"][0]) == 8
    assert "the vanilla RNN is the less accurate the more steps they take" in page
    assert by_bag["rnn"] == sorted(by_bag["rnn"])
    assert "up to bags of eight, and gains the vanilla RNN eight points there" in page
    assert round(by_bag["rnn"][3] - by_bag["rnn"][0]) == 8
    assert abs(by_bag["lstm"][-1] - by_bag["rnn"][-1]) < 0.25
    assert f"loses {max(by_bag['lstm']) - by_bag['lstm'][0]:.1f} points from its best bags" in page
