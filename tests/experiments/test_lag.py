from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import lag, reviews
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.plots import CELLS, cell
from numpy_lstm.training import Evaluation
from tests.experiments.hand_made import (
    color_of,
    drawn,
    labelled,
    only,
    prepared,
    reviews_of,
    state_of,
    texts_of,
    tick_labels,
    trials,
)
from tests.on_record import contents, prose

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
# comes out on the test reviews. The third has the smallest loss, and is worst everywhere else.
OF_RATE = {
    3e-4: {"losses": [0.9, 0.9, 0.9], "accuracies": [0.5, 0.8, 0.9], "test": 0.75},
    1e-3: {"losses": [0.8, 0.6, 0.7], "accuracies": [0.5, 0.875, 0.9], "test": 1.0},
    3e-3: {"losses": [0.5, 0.9, 0.9], "accuracies": [0.75, 0.8, 0.9], "test": 0.5},
    1e-2: {"losses": [0.8, 0.8, 0.8], "accuracies": [0.75, 0.8, 0.9], "test": 0.75},
}
DATA = prepared(
    reviews_of([0, 1] * 4, *[[k] * 5 for k in range(2, 10)]),
    reviews_of([0, 1, 1], [2, 3], [4], [5]),
    reviews_of([1, 0, 1], [6] * 9, [7], [8]),
)


def norms_of(rate, epoch):
    """In x, 1000 times the rate, plus epoch / 10, of the median review of those with a gradient.

    Two steps before the last one it is twice, 2 + epoch times and nine times what it is there.
    """
    last = 1000 * rate + epoch / 10 + np.array([-0.1, 0.0, 0.1, np.nan])
    x = last * np.ones((4, 4))
    x[2] *= [2, 2 + epoch, 9, 1]
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
        "learning_rate": 3e-3,
        "val_losses": {f"{rate:g}": of["losses"] for rate, of in OF_RATE.items()},
        # Before training and after each epoch; two steps before the end.
        "x_at_review_end": [6.0, 9.3, 12.8, 16.5],
        "x_at_review_end_over_last_step": [2, 3, 4, 5],
    }
    better = {**OF_RATE, 1e-3: {**OF_RATE[1e-3], "losses": [0.9, 0.4, 0.6], "test": 0.0}}
    result, _ = run("rnn, uniform, K=25", better)
    assert (result["learning_rate"], result["best_epoch"]) == (1e-3, 2)
    assert result["test_accuracy"] == 0.0
    assert result["x_at_review_end"] == [2.0, 3.3, 4.8, 6.5]


def test_all_rates_train_the_same_cell_on_the_same_reviews():
    for name, recurrent, bias in (
        ("rnn, uniform, K=25", "uniform", 1.0),
        ("rnn, orthogonal, K=25", "orthogonal", 1.0),
        ("lstm, b_f=0, K=25", "orthogonal", 0.0),
        ("lstm, b_f=3, K=25", "orthogonal", 3.0),
    ):
        _, given = run(name)
        assert [settings.learning_rate for *_, settings, _ in given] == [*OF_RATE]
        assert all(splits is given[0][1] for _, splits, *_ in given)
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


def a_result(test, start=1.0, best=1.0, rate=1e-3, epoch=2):
    """What arrives at the review's end is a tenth of it over the last step."""
    ratios = [start, 9.0, best, 9.0] if epoch == 2 else [start, best, 9.0, 9.0]
    return {
        "test_accuracy": test,
        "learning_rate": rate,
        "best_epoch": epoch,
        "x_at_review_end": [ratio / 10 for ratio in ratios],
        "x_at_review_end_over_last_step": ratios,
    }


def test_lags_stand_in_the_order_of_their_size():
    results = {f"{cell}, K={K}": [a_result(0.5, 1.0, 1.0)] for cell in lag.CELLS for K in (400, 25)}
    for axes in drawn(lag.draw, trials(results, CONDITIONS)).axes:
        assert tick_labels(axes, "x") == {0.0: "25", 1.0: "400"}


def test_the_summary_has_every_seed_and_what_arrives_at_start_and_best():
    results = {
        "rnn, uniform, K=25": [
            a_result(0.75, start=0.5, best=0.01),
            a_result(0.5, start=0.25, best=0.02, epoch=1),
            a_result(0.5625, start=0.125, best=0.04, rate=3e-3),
        ]
    }
    (own,) = lag.summarize(trials(results, CONDITIONS)).values()
    assert own["learning_rates"] == {"0.001": 2, "0.003": 1}
    assert own[lag.PIVOTS[0]] == "50.0 56.2 75.0 (1.0)"
    spreads = {
        name: tuple(of[key] for key in ("median", "min", "max"))
        for name, of in own.items()
        if isinstance(of, dict) and "median" in of
    }
    assert spreads == {
        "test_accuracy": (0.5625, 0.5, 0.75),
        "rank": (1, 1, 1),
        "x_at_review_end_start": pytest.approx((0.025, 0.0125, 0.05)),
        "x_at_review_end_best": pytest.approx((0.002, 0.001, 0.004)),
        "x_at_review_end_over_last_step_start": (0.25, 0.125, 0.5),
        "x_at_review_end_over_last_step_best": (0.02, 0.01, 0.04),
    }


def test_a_rank_is_among_the_cells_of_the_same_seed_and_lag():
    results = {
        "rnn, uniform, K=25": [a_result(0.5), a_result(0.9)],
        "lstm, b_f=1, K=25": [a_result(0.8), a_result(0.7)],
        "lstm, b_f=3, K=25": [a_result(0.5004), a_result(0.8)],  # equal to a tenth of a point
        "lstm, b_f=3, K=50": [a_result(0.1), a_result(0.1)],
    }
    listed = trials(results, CONDITIONS)
    assert lag.ranks_of(listed) == {
        "rnn, uniform, K=25": [2.5, 1.0],
        "lstm, b_f=1, K=25": [1.0, 3.0],
        "lstm, b_f=3, K=25": [2.5, 2.0],
        "lstm, b_f=3, K=50": [1.0, 1.0],
    }
    assert lag.summarize(listed)["lstm, b_f=1, K=25"][lag.PIVOTS[0]] == "70.0 80.0 (2.0)"


def test_the_figure():
    results = {
        f"{name}, K={K}": [
            a_result(0.5 + k / 16, 10.0 ** -(k + K / 25), 10.0 ** -(2 * k)),
            a_result(0.75 + k / 16, 10.0 ** -(k + 2 + K / 25), 10.0 ** -(2 * k + 4)),
            a_result(0.5 + k / 16, 10.0 ** -(k + 4 + K / 25), 10.0 ** -(2 * k + 1)),
        ]
        for k, name in enumerate(lag.CELLS)
        for K in (25, 0)  # whatever the order
    }
    figure = drawn(lag.draw, trials(results, CONDITIONS))
    accuracy, start, best = figure.axes
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
        assert line.get_marker() == CELLS[name][2]
        # Of each cell an empty line for its name, then the medians, and the marks of the seeds.
        places = [pytest.approx(place + 0.14 * (k - 2)) for place in (0, 1)]
        for axes, first, middle, seeds in (
            (accuracy, 3 * k + 1, [50 + 6.25 * k] * 2, [50 + 6.25 * k, 75 + 6.25 * k] * 3),
            (start, 2 * k, [10.0 ** -(k + 2), 10.0 ** -(k + 3)], None),
            (best, 2 * k, [10.0 ** -(2 * k + 1)] * 2, None),
        ):
            medians, marks = axes.lines[first : first + 2]
            assert medians.get_xdata().tolist() == places
            np.testing.assert_allclose(medians.get_ydata(), middle)
            color = cell(name)["color"]
            assert color_of(line) == color_of(medians) == color_of(marks) == color
            assert marks.get_marker() == CELLS[name][2] and len(marks.get_ydata()) == 6
            if seeds:
                assert {*marks.get_ydata()} == {*seeds}
        np.testing.assert_allclose(
            start.lines[2 * k + 1].get_ydata(),
            10.0 ** -np.array([k, k + 2, k + 4, k + 1, k + 3, k + 5.0]),
        )
        np.testing.assert_allclose(
            best.lines[2 * k + 1].get_ydata(),
            10.0 ** -np.array([2 * k, 2 * k + 4, 2 * k + 1.0] * 2),
        )
    assert accuracy.lines[-1].get_ydata()[0] == 50  # chance
    assert accuracy.get_yscale() == "linear"
    assert start.get_yscale() == best.get_yscale() == "log"
    assert start.get_ylim() == best.get_ylim() == (1e-14, 100)
    assert [axes.get_title() for axes in figure.axes] == [
        "test accuracy (%)",
        "‖∂L/∂x‖, review's end over last step,\nbefore training",
        "the same, at the best epoch",
    ]
    assert start.get_xlabel() == "empty steps after the review, K"
    for axes in figure.axes:
        assert tick_labels(axes, "x") == {0.0: "0", 1.0: "25"}


def test_the_page_says_what_the_results_say():
    page, summary, ratio = prose("lag"), contents("lag")["summary"], lag.GRADIENTS[1]
    lagged = [trial for trial in contents("lag")["trials"] if trial["settings"]["lag"]]
    results = [trial["result"] for trial in lagged]
    before = np.array([result[ratio][0] for result in results])
    after = np.array([result[ratio][result["best_epoch"]] for result in results])
    ever = np.array([max(result[ratio][1:]) for result in results])
    accuracies = np.array([result["test_accuracy"] for result in results])
    lags, cells = (np.array([t["settings"][name] for t in lagged]) for name in ("lag", "cell"))

    least, more, learnt = before < 1e-7, before > 1e-6, accuracies > 0.55
    assert not learnt[least].any()
    assert (
        f"Of the {least.sum()} trainings with empty steps where less than 1e-7 of the gradient"
        f" reaches the review before training, none gets beyond {100 * accuracies[least].max():.1f}"
        f" %. Of the {more.sum()} where more than 1e-6 does, {learnt[more].sum()} get beyond"
        " 55 %; the other four have K = 400."
    ) in page
    assert lags[more & ~learnt].tolist() == [400] * 4
    between = ~least & ~more
    assert set(zip(cells[between], lags[between], learnt[between], strict=True)) == {
        ("rnn, uniform", 25, True),
        ("lstm, b_f=0", 50, False),
    }
    assert (learnt[between].sum(), between.sum()) == (3, 8)
    rnn, lstm = (cells == name for name in ("rnn, orthogonal", "lstm, b_f=1"))
    assert (before[rnn] > before[lstm]).tolist() == [True] * 25
    worse = (accuracies[rnn] < accuracies[lstm]).sum()
    assert f"in all 25 pairs of seed and K, and is less accurate in {worse}." in page

    held = learnt & (after < 0.001)
    assert (
        f"Of the {learnt.sum()} trainings that get beyond 55 % the median has"
        f" {np.median(after[learnt]):.2f} of it at the best epoch, and"
        f" {(learnt & ~held).sum()} have more than 0.001."
    ) in page
    others = f"{(ever[~learnt] > 0.001).sum()} of the other {(~learnt).sum()} have as much"
    assert others in page
    assert set(cells[held]) == {"lstm, b_f=1"}
    for K, words in ((200, "{} % at K = 200, with {} of"), (400, "{} % at K = 400, with {}.")):
        which = np.flatnonzero(held & (lags == K))
        listed = [[f"{100 * accuracies[k]:.1f}" for k in which], [f"{after[k]:.0e}" for k in which]]
        assert words.format(*(" and ".join(each) for each in listed)) in page
    lost = more & (after < 1e-6)
    assert sorted(cells[lost & ~learnt]) == ["lstm, b_f=1", "lstm, b_f=3"]
    assert lags[lost & ~learnt].tolist() == [400] * 2
    assert np.array_equal(lost & learnt, held) and (held.sum(), lost.sum()) == (3, 5)
    assert (100 * accuracies[lost & ~learnt]).round(1).tolist() == [50.0] * 2
    assert f"before it, {before[lost].min():.0e} to {before[lost].max():.1f} reached" in page
    kept = np.flatnonzero(more & ~learnt & ~lost)
    shares, scores = after[kept], 100 * accuracies[kept]
    assert (
        "{:.2f} and {:.2f} left at the best epoch, and {:.1f} and {:.1f} %.".format(
            *shares, *scores
        )
        in page
    )

    middle = (lags >= 50) & (lags <= 200)
    ahead = sum(
        int((accuracies[middle & (cells == f"lstm, b_f={b}")] > accuracies[middle & rnn]).sum())
        for b in (1, 3)
    )
    assert f"in {ahead} of 30 pairs" in page
    far = ("lstm, b_f=1", "lstm, b_f=3", "rnn, orthogonal")
    medians = [100 * summary[f"{name}, K=400"]["test_accuracy"]["median"] for name in far]
    assert "At 400 the medians are {:.1f}, {:.1f} and {:.1f} %".format(*medians) in page
    for name in far:
        rates = [summary[f"{name}, K={K}"]["learning_rates"] for K in lag.LAGS]
        means = [
            np.mean([np.log(float(r)) for r, n in of.items() for _ in range(n)]) for of in rates
        ]
        assert np.corrcoef(range(6), means)[0, 1] < -0.9
    rates = {condition: of["learning_rates"] for condition, of in summary.items()}
    assert all(rates[f"lstm, b_f={b}, K=0"] == {"0.01": 5} for b in (0, 1, 3))
    assert rates["rnn, orthogonal, K=400"] == {"0.0003": 5}
    chosen = np.array([result["learning_rate"] for result in results])[learnt & (lags == 400)]
    ends = [
        result["learning_rate"] in (lag.RATES[0], lag.RATES[-1])
        for result in (trial["result"] for trial in contents("lag")["trials"])
        if result["test_accuracy"] > 0.55
    ]
    assert f"the smallest or the largest in {sum(ends)} of {len(ends)}." in page
    edge = f"the best rate of {(chosen == 3e-4).sum()} of the {len(chosen)} trainings that get"
    assert edge in page
