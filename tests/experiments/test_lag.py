import json
from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import lag, reviews
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.plots import CELLS
from numpy_lstm.training import Evaluation
from tests.experiments.hand_made import (
    color_of,
    drawn,
    labelled,
    only,
    points,
    prepared,
    reviews_of,
    state_of,
    texts_of,
    tick_labels,
    trials,
)

CONDITIONS = lag.conditions(False)


def test_each_condition_is_what_it_is_named_for():
    starts = {
        "rnn, orthogonal": {"model": "rnn", "recurrent": "orthogonal"},
        "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
        "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
        "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
        "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
    }
    for name, settings in CONDITIONS.items():
        cell, K = name.rsplit(", K=", 1)
        assert settings["cell"] == cell and settings["lag"] == int(K)
        own = {key: settings.get(key) for key in ("model", "recurrent", "forget_bias")}
        assert own == {"recurrent": None, "forget_bias": None, **starts[cell]}
        # A step takes several words on average of the padded review too: bags stay full.
        assert settings.get("bag_size", 4) == lag.BAG
    assert {settings["lag"] for settings in CONDITIONS.values()} == {0, 25, 50, 100, 200, 400}
    assert len(CONDITIONS) == 30
    assert lag.conditions(True).items() <= CONDITIONS.items()


def test_a_lag_starts_after_a_whole_step():
    part = lag.with_lag(reviews_of([0, 1, 1], [5, 6], [1, 2, 3, 4, 7, 8], [2, 3, 4, 5]), 2)
    pads = [0] * 8
    assert texts_of(part) == [[5, 6, *pads], [3, 4, 7, 8, *pads], [2, 3, 4, 5, *pads]]
    assert part.labels.tolist() == [0, 1, 1]
    assert texts_of(lag.with_lag(reviews_of([0], [5, 6]), 0)) == [[5, 6]]


def test_of_a_long_review_the_last_hundred_words_are_read():
    part = lag.with_lag(reviews_of([0], range(2, 209)), 1)
    assert texts_of(part) == [[*range(109, 209), *[0] * 4]]


# Of each learning rate, the losses and accuracies of the epochs on the validation reviews, and what
# comes out on the test reviews. The larger rate has the smaller loss, and is worse everywhere else.
OF_RATE = {
    1e-3: {"losses": [0.8, 0.6, 0.7], "accuracies": [0.5, 0.875, 0.9], "test": 1.0},
    3e-3: {"losses": [0.5, 0.9, 0.9], "accuracies": [0.75, 0.8, 0.9], "test": 0.5},
}
DATA = prepared(
    reviews_of([0, 1] * 4, *[[k] * 5 for k in range(2, 10)]),
    reviews_of([0, 1, 1], [2, 3], [4], [5]),
    reviews_of([1, 0, 1], [6] * 9, [7], [8]),
)


def norms_of(rate, epoch):
    """In x, 1000 times the rate, plus epoch / 10, plus the row / 100; the median review's."""
    rows = 1000 * rate + epoch / 10 + np.arange(4)[:, np.newaxis] / 100
    x = rows + np.array([0, 1.0, -0.001])
    return GradientNorms(h=x + 50, c=None, x=x)


def run(name, of_rate=OF_RATE, **changes):
    """The result of a condition without training, and what was given to `fit`."""
    given = []

    def fit(model, splits, vectors, settings, *, recurrent):
        rate = settings.learning_rate
        given.append((model, splits, settings, recurrent))
        own = of_rate[rate]
        epochs = [norms_of(rate, k) for k in range(4)]
        return state_of({"rate": rate}, own["losses"], own["accuracies"], epochs)

    def evaluate(parameters, part, settings):
        assert texts_of(part)[0][-1] == 0 and len(part.labels) == 3
        return Evaluation(0.25, of_rate[float(parameters["rate"])]["test"])

    with (
        patch.object(reviews, "data", only(DATA, 7, False, vector_size=64)),
        patch.object(reviews, "fit", fit),
        patch.object(reviews, "evaluate", evaluate),
    ):
        settings = {**CONDITIONS[name], "lag": 2, "n_train": 3, **changes}
        return lag.run(settings, 7, False), given


def test_the_learning_rate_is_chosen_by_the_loss_on_the_validation_reviews():
    result, _ = run("rnn, uniform, K=25")
    assert result == {
        "test_accuracy": 0.5,
        "test_loss": 0.25,
        "val_accuracy": 0.75,
        "val_loss": 0.5,
        "best_epoch": 1,
        "epochs": 3,
        "training_seconds": 12.3,
        # Before training and after the best epoch; two steps before the end.
        "gradient_at_review_end_start": pytest.approx(3.02),
        "gradient_at_review_end_best": pytest.approx(3.12),
        "learning_rate": 3e-3,
        "val_accuracies": [0.875, 0.75],
    }
    better = {**OF_RATE, 1e-3: {**OF_RATE[1e-3], "losses": [0.9, 0.4, 0.6], "test": 0.0}}
    result, _ = run("rnn, uniform, K=25", better)
    assert (result["learning_rate"], result["best_epoch"]) == (1e-3, 2)
    assert result["test_accuracy"] == 0.0
    assert result["gradient_at_review_end_best"] == pytest.approx(1.22)


def test_both_rates_train_the_same_cell_on_the_same_reviews():
    for name, recurrent, bias in (
        ("rnn, uniform, K=25", "uniform", 1.0),
        ("rnn, orthogonal, K=25", "orthogonal", 1.0),
        ("lstm, b_f=0, K=25", "orthogonal", 0.0),
        ("lstm, b_f=3, K=25", "orthogonal", 3.0),
    ):
        _, given = run(name)
        assert [settings.learning_rate for *_, settings, _ in given] == [1e-3, 3e-3]
        assert given[0][1] is given[1][1]
        for model, splits, settings, start in given:
            assert model == name[: len(model)] and start == recurrent
            assert settings.forget_bias == bias and settings.seed == 7
            assert (settings.hidden_size, settings.epochs, settings.patience) == (32, 3, 0)
            assert settings.bag_size == lag.BAG
            # Three training reviews, and all of the others.
            assert [len(part.labels) for part in splits] == [3, 3, 3]
            assert all(texts_of(part)[0][-8:] == [0] * 8 for part in splits)


def test_the_training_reviews_that_are_kept_depend_on_the_seed():
    _, given = run("rnn, uniform, K=25")
    expected = reviews.cut(DATA.splits, lambda part: lag.with_lag(part, 2), 3, seed=7)
    assert texts_of(given[0][1].train) == texts_of(expected.train)


def a_result(test, start, best):
    return {
        "test_accuracy": test,
        "gradient_at_review_end_start": start,
        "gradient_at_review_end_best": best,
    }


def test_lags_stand_in_the_order_of_their_size():
    results = {f"{cell}, K={K}": [a_result(0.5, 1.0, 1.0)] for cell in lag.CELLS for K in (400, 25)}
    for axes in drawn(lag.draw, trials(results, CONDITIONS)).axes:
        assert tick_labels(axes, "x") == {0.0: "25", 1.0: "400"}


def test_the_summary_and_the_figure():
    results = {
        f"{cell}, K={K}": [
            a_result(0.5 + k / 16, 10.0 ** -(k + K / 25), 1e-9),
            a_result(0.75 + k / 16, 10.0 ** -(k + 2 + K / 25), 3e-9),
            a_result(0.5 + k / 16, 10.0 ** -(k + 4 + K / 25), 3.5e-9),
        ]
        for k, cell in enumerate(lag.CELLS)
        for K in (25, 0)  # whatever the order
    }
    listed = trials(results, CONDITIONS)
    summary = lag.summarize(listed)["rnn, orthogonal, K=25"]
    assert {name: of["mean"] for name, of in summary.items()} == pytest.approx(
        {
            "test_accuracy": 1.75 / 3,
            "gradient_at_review_end_start": (1e-1 + 1e-3 + 1e-5) / 3,
            "gradient_at_review_end_best": 2.5e-9,
        }
    )
    figure = drawn(lag.draw, listed)
    accuracy, gradient = figure.axes
    names = [
        "vanilla RNN, orthogonal",
        "vanilla RNN, uniform",
        "LSTM, $b_f = 0$",
        "LSTM, $b_f = 1$",
        "LSTM, $b_f = 3$",
    ]
    assert list(labelled(accuracy)) == names
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names
    for k, (name, line) in enumerate(zip(lag.CELLS, labelled(accuracy).values(), strict=True)):
        color, _, mark = CELLS[name]
        assert (color_of(line), line.get_marker()) == (color, mark)
        # Of each cell an empty line for its name, the means, and the marks of the seeds.
        means, marks = accuracy.lines[3 * k + 1 : 3 * k + 3]
        places = [round(place + 0.07 * (k - 2), 9) for place in (0, 1)]
        assert points(means) == [
            (pytest.approx(x), pytest.approx(1.75 / 3 + k / 16)) for x in places
        ]
        assert [y for _, y in points(marks)] == [0.5 + k / 16, 0.75 + k / 16, 0.5 + k / 16] * 2
        assert color_of(means) == color_of(marks) == color
        means, marks = gradient.lines[2 * k : 2 * k + 2]
        np.testing.assert_allclose(means.get_ydata(), [10.0 ** -(k + 2), 10.0 ** -(k + 3)])
        np.testing.assert_allclose(
            marks.get_ydata(), 10.0 ** -np.array([k, k + 2.0, k + 4, k + 1, k + 3, k + 5])
        )
        assert color_of(means) == color_of(marks) == color
    assert accuracy.lines[-1].get_ydata()[0] == 0.5  # chance
    # All of the lines but those that vanish altogether.
    assert gradient.get_ylim() == (1e-30, 100.0)
    assert gradient.get_yscale() == "log" and accuracy.get_yscale() == "linear"
    assert accuracy.get_title() == "test accuracy"
    assert gradient.get_title() == "‖∂L/∂x‖ at the review's end, before training"
    assert accuracy.yaxis.get_major_formatter()(0.75, 0) == "75 %"
    for axes in (accuracy, gradient):
        assert tick_labels(axes, "x") == {0.0: "0", 1.0: "25"}
        assert axes.get_xlabel() == "empty steps after the review, K"


def test_the_page_says_what_the_results_say():
    root = Path(__file__).parents[2]
    contents = json.loads((root / "results" / "lag.json").read_text("utf-8"))
    page = " ".join((root / "docs" / "experiments" / "lag.md").read_text("utf-8").split())

    def of(condition, name="test_accuracy"):
        return [t["result"][name] for t in contents["trials"] if t["condition"] == condition]

    *chance, one, other = sorted(of("rnn, uniform, K=25"))
    assert chance == [0.5] * 3
    assert f"and to {100 * one:.1f} and {100 * other:.1f} % in the others" in page
    start = "gradient_at_review_end_start"
    lower = min(of("lstm, b_f=3, K=25", start))
    assert sum(norm >= lower for norm in of("lstm, b_f=3, K=400", start)) == 4
    assert max(of("lstm, b_f=3, K=400", "gradient_at_review_end_best")) < 3e-6
    assert all(max(of(f"lstm, b_f={b}, K=400")) < 0.56 for b in (0, 1, 3))
    longest = of("rnn, orthogonal, K=400")
    assert (
        f"with {100 * np.mean(longest):.1f} % in the mean, and {100 * max(longest):.1f} %" in page
    )
    latched = zip(
        of("lstm, b_f=1, K=200"),
        of("lstm, b_f=1, K=200", "gradient_at_review_end_best"),
        strict=True,
    )
    one, other, third = sorted(pair for pair in latched if pair[1] < 1e-6)[::-1]
    assert f"reach {100 * other[0]:.1f} and {100 * one[0]:.1f} % with a gradient of" in page
    assert f"of {other[1]:.0e} and {one[1]:.0e} at".replace("e-09", "e-9") in page
    assert third[0] == 0.5 and f"with {third[1]:.0e},".replace("e-09", "e-9") in page
