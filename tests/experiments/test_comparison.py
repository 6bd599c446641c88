from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import comparison, reviews
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.plots import COLORS
from tests.experiments.hand_made import (
    accuracies_of,
    color_of,
    drawn,
    only,
    points,
    prepared,
    reviews_of,
    state_of,
    tick_labels,
    trials,
)
from tests.on_record import contents, prose

PREPARED = prepared(
    reviews_of([0, 1], [2] * 900, [3]), reviews_of([1], [4, 5]), reviews_of([0], [*[6] * 801, 7])
)


def log_odds_of_best(parameters, part, settings):
    assert parameters["W_out"] == 1.0  # and not those of the last epoch
    assert part.lengths.tolist() == [min(801 + 1, settings.max_length)]
    return np.array([-2.0])


def run(condition, *, fit=None, settings=None):
    """The result of a condition, with what `fit` gives in place of training."""
    with (
        patch.object(reviews, "data", only(PREPARED, 3, False)),
        patch.object(reviews, "fit", fit),
        patch.object(comparison, "predict_logits", log_odds_of_best),
    ):
        return comparison.run(settings or comparison.conditions(False)[condition], 3, False)


def cell_parameters(settings, gates):
    H, D = settings.get("hidden_size", 128), 128
    return gates * (H * D + H * H + H)


def test_the_wide_rnn_has_as_many_cell_parameters_as_the_lstm():
    conditions = comparison.conditions(False)
    assert {name: own.get("model") for name, own in conditions.items()} == {
        "rnn": "rnn",
        "rnn-wide": "rnn",
        "lstm": "lstm",
        "bag": None,
        "tf-idf": None,
        "tf-idf, words": None,
        "tf-idf, last 800 words": None,
    }
    assert all(own["condition"] == name for name, own in conditions.items())
    assert "hidden_size" not in conditions["rnn"] and "hidden_size" not in conditions["lstm"]
    wide = conditions["rnn-wide"]
    lstm = cell_parameters({}, 4)
    off = [
        abs(cell_parameters({"hidden_size": wide["hidden_size"] + change}, 1) - lstm)
        for change in (-1, 0, 1)
    ]
    assert off[1] == min(off) and off[1] < 0.005 * lstm


@pytest.mark.parametrize("condition", ["rnn", "rnn-wide", "lstm"])
def test_the_networks_are_the_jobs_and_are_scored_at_their_best_epoch(condition):
    given = []
    norms = [
        GradientNorms(h=np.full((5, 1), k), c=None, x=3.0 * factor ** np.arange(5.0)[:, np.newaxis])
        for k, factor in enumerate((0.1, 0.2, 0.5, 0.8))
    ]

    def fit(*arguments):
        given.append(arguments)
        parts = {"W_x": np.ones((4, 3)), "W_h": np.ones((4, 4)), "b": np.ones(4), "W_out": 1.0}
        return state_of(parts, [0.6, 0.4, 0.5], [0.5, 0.75, 0.8], norms)

    result = run(condition, fit=fit)
    assert result == {
        "test_accuracy": 1.0,
        "test_loss": pytest.approx(np.log1p(np.exp(-2))),
        "test_right": "gA==",  # 1, then seven zeros
        "val_accuracy": 0.75,
        "val_loss": 0.4,
        "best_epoch": 2,
        "epochs": 3,
        "training_seconds": 12.3,
        "cell_parameters": 12 + 16 + 4,
        "gradient_decay_per_step": pytest.approx(0.5),
    }
    ((model, splits, vectors, settings),) = given
    assert model == condition.removesuffix("-wide") and vectors is PREPARED.vectors
    wide = comparison.conditions(False)["rnn-wide"]["hidden_size"]
    assert (settings.seed, settings.hidden_size) == (3, wide if "wide" in condition else 128)
    assert [part.lengths.tolist() for part in splits] == [[800, 1], [2], [800]]
    assert splits.test.tokens[-1] == 7  # the last words


def test_the_bag_and_one_tf_idf_read_what_the_networks_read_the_others_whole_reviews():
    def fit_bag(splits, vectors):
        assert vectors is PREPARED.vectors
        seen.append(splits)
        return {"test_accuracy": 0.0, "C": 10.0}, np.array([0.5])  # which is wrong

    seen, given = [], {}
    with patch.object(comparison, "fit_bag", fit_bag):
        assert run("bag") == {
            "test_accuracy": 0.0,
            "test_loss": pytest.approx(np.log1p(np.exp(0.5))),
            "test_right": "AA==",
            "C": 10.0,
        }
    with patch.object(comparison, "tf_idf", lambda *arguments: arguments):
        for name in ("tf-idf", "tf-idf, words", "tf-idf, last 800 words"):
            splits, given[name] = run(name)
            seen.append(splits)
    assert given == {"tf-idf": 2, "tf-idf, words": 1, "tf-idf, last 800 words": 2}
    lengths = [[part.lengths.tolist() for part in splits] for splits in seen]
    cut, whole = [[800, 1], [2], [800]], [[900, 1], [2], [802]]
    assert lengths == [cut, whole, whole, cut]


# Of each C, the share of right answers on training, validation and test reviews, and the
# probability of positive that it gives to each test review.
OF_C = {
    0.1: (0.7, 0.2, 0.9, 0.7),
    1.0: (1.0, 0.25, 1.0, 0.9),
    10.0: (0.5, 0.75, 0.5, 0.75),
    100.0: (0.9, 0.5, 0.8, 0.6),
}


class Regression:
    """In place of scikit-learn's: its scores are those of `OF_C`."""

    def __init__(self, C, solver):
        self.C = C

    def fit(self, features, labels):
        self.fitted = features, labels
        assert features.shape[0] == len(labels) == 6
        return self

    def score(self, features, labels):
        assert features.shape[0] == len(labels)
        return OF_C[self.C][{6: 0, 4: 1, 5: 2}[len(labels)]]

    def decision_function(self, features):
        positive = np.full(features.shape[0], OF_C[self.C][3])
        return np.log(positive / (1 - positive))


def test_c_of_tf_idf_is_chosen_on_the_validation_reviews():
    splits = prepared(
        reviews_of([0, 1] * 3, *[[2, 3, 4]] * 6),
        reviews_of([0, 1] * 2, *[[2, 3]] * 4),
        reviews_of([1, 1, 1, 1, 0], *[[2]] * 5),
    ).splits
    with patch("sklearn.linear_model.LogisticRegression", Regression):
        result = comparison.tf_idf(splits, 2)
        # Other labels of the test reviews change what is reported of them, and nothing else.
        flipped = splits._replace(test=splits.test._replace(labels=1 - splits.test.labels))
        of_flipped = comparison.tf_idf(flipped, 2)
    assert result["C"] == of_flipped["C"] == 10.0
    assert result["val_accuracy"] == of_flipped["val_accuracy"] == 0.75
    assert result["test_accuracy"] == 0.8  # each is called positive, and one is not
    assert result["test_right"] == "8A=="  # 11110 and three zeros
    assert result["test_loss"] == pytest.approx(-(4 * np.log(0.75) + np.log(0.25)) / 5)


def test_tf_idf_knows_the_words_and_pairs_of_three_training_reviews():
    tables = []

    class Spy(Regression):
        def fit(self, features, labels):
            tables.append(features.toarray())
            return super().fit(features, labels)

        def score(self, features, labels):
            tables.append(features.toarray())
            return super().score(features, labels)

    splits = prepared(
        # Of words: 2, 3 and 4 three times or more; of pairs "2 3". 5 and "5 5" in two reviews.
        reviews_of([0, 1] * 3, [2, 3], [2, 3], [2, 3], [5, 5, 5, 4], [5, 5, 5, 4], [4]),
        reviews_of([0, 1] * 2, [2], [4] * 8 + [2], [9, 9, 9], [8]),
        reviews_of([1, 1, 1, 1, 0], *[[9, 9]] * 5),
    ).splits
    with patch("sklearn.linear_model.LogisticRegression", Spy):
        comparison.tf_idf(splits, 2)
        of_words = len(tables)
        comparison.tf_idf(splits, 1)
    assert tables[of_words].shape == (6, 3)  # without the pair
    assert tables[0].shape == (6, 4)
    np.testing.assert_array_equal(tables[0][0] > 0, tables[0][2] > 0)
    assert (tables[0][0] > 0).sum() == 3  # 2, 3 and "2 3"
    validation = tables[1]
    assert (validation[2:] == 0).all()  # words that no training review has
    one, eight = sorted(value for value in validation[1] if value)
    # Eight times counts as 1 + log 8, not as 8; 2 and 4 are in as many reviews.
    assert eight / one == pytest.approx(1 + np.log(8), rel=1e-5)


def answered(*right):
    """A result with these answers to some test reviews, as 1 and 0."""
    labels = np.ones(len(right), np.int8)
    return comparison.answers(2.0 * np.array(right) - 1, labels)


def test_the_lead_is_the_lstms_over_the_other_seed_by_seed():
    given = {
        "rnn": [answered(*[1] * 4, *[0] * 4), answered(*[1] * 6, 0, 0)],
        "lstm": [answered(*[1] * 6, 0, 0), answered(*[1] * 7, 0)],
        "bag": [answered(*[1] * 8)],  # lacks a seed
    }
    summary = comparison.summarize(trials(given))
    assert list(summary) == ["rnn", "lstm", "bag", "lstm - rnn", "lstm beside rnn"]
    assert summary["rnn"]["mean"] == 0.625 and summary["lstm"]["mean"] == 0.8125
    lead = summary["lstm - rnn"]
    assert lead["mean"] == pytest.approx(0.1875)
    assert (lead["low"], lead["high"]) == (0.125, 0.25)
    assert lead["sd"] == pytest.approx(0.125 / np.sqrt(2))


def test_reviews_that_one_alone_has_right_are_counted_seed_by_seed():
    # Of ten reviews, which are two bytes.
    lstm = [answered(1, 1, 1, 1, 1, 1, 0, 0, 0, 1), answered(1, 1, 1, 1, 1, 1, 1, 1, 1, 0)]
    other = [answered(0, 0, 0, 0, 0, 0, 1, 0, 0, 1), answered(1, 1, 1, 0, 0, 0, 0, 0, 0, 1)]
    assert comparison.only_one_right(lstm[0]["test_right"], other[0]["test_right"]) == (6, 1)
    assert comparison.only_one_right(other[1]["test_right"], lstm[1]["test_right"]) == (1, 6)
    other[1] = answered(1, 1, 1, 0, 0, 0, 1, 1, 0, 1)
    summary = comparison.summarize(trials({"lstm": lstm, "tf-idf": other}))
    assert summary["lstm beside tf-idf"] == {
        "only_the_lstm_right": "4 to 6",
        "only_the_other_right": "1 to 1",
        "largest_p": pytest.approx(2 * (1 + 5) / 2**5),
    }


@pytest.mark.parametrize(
    ("first", "second", "p"),
    [(0, 0, 1), (3, 3, 1), (0, 5, 2 / 2**5), (1, 6, 2 * (1 + 7) / 2**7), (6, 1, 16 / 2**7)],
)
def test_mcnemars_test_is_exact_and_two_sided(first, second, p):
    assert comparison.mcnemar(first, second) == pytest.approx(p)


def test_every_seed_is_a_mark_in_its_conditions_row_and_the_mean_a_line():
    shares = {
        "rnn": [0.5, 0.75, 0.5],
        "rnn-wide": [0.25],
        "lstm": [0.875],
        "bag": [0.1],
        "tf-idf": [1],
        "tf-idf, words": [0.75],
        "tf-idf, last 800 words": [0.875],
    }
    (axes,) = drawn(comparison.draw, trials(accuracies_of(shares))).axes
    names = ["vanilla RNN", "wide RNN", "LSTM", "order-free bag", "TF-IDF"]
    names += ["TF-IDF, no pairs", "TF-IDF, last 800 words"]
    assert tick_labels(axes) == dict(enumerate(names))
    assert axes.get_ylim() == (6.5, -0.5)  # the first is on top
    marks, means = axes.lines[::2], axes.lines[1::2]
    for row, values in enumerate(shares.values()):
        assert points(marks[row]) == [(100 * value, row) for value in values]
        assert points(means[row]) == [(round(float(100 * np.mean(values)), 9), row)]
        assert means[row].get_marker() == "|"
    assert [color_of(line) for line in marks] == [
        COLORS["rnn"],
        COLORS["rnn"],
        COLORS["lstm"],
        *["#555555"] * 4,
    ]
    assert [line.get_marker() for line in marks] == ["s", "s", "o", *"DDDD"]
    assert "test accuracy on IMDB (%)" in axes.get_xlabel()


def test_the_page_says_what_the_results_say():
    summary, page = contents("comparison")["summary"], prose("comparison")
    lead = {
        name: [100 * summary[f"lstm - {name}"][key] for key in ("mean", "low", "high")]
        for name in ("tf-idf, words", "tf-idf, last 800 words")
    }
    mean, low, high = lead["tf-idf, words"]
    assert f"behind the LSTM by {mean:.2f} points ({low:.2f} to {high:.2f})" in page
    mean, low, high = (-value for value in lead["tf-idf, last 800 words"])
    assert f"ahead by {mean:.2f} ({high:.2f} to {low:.2f})" in page
    wide_epochs = [
        trial["result"]["best_epoch"]
        for trial in contents("comparison")["trials"]
        if trial["condition"] == "rnn-wide"
    ]
    assert wide_epochs == [5] * 5 and "at its best in the fifth and last epoch" in page
    largest = max(of["largest_p"] for of in summary.values() if "largest_p" in of)
    assert f"its largest p is {largest:.1g}." in page
    wide = sorted(
        (100 * trial["result"]["test_accuracy"], trial["result"]["gradient_decay_per_step"])
        for trial in contents("comparison")["trials"]
        if trial["condition"] == "rnn-wide"
    )
    (a, b, c, _, e), (*lower, first, second, third) = zip(*wide, strict=True)
    assert c - b > 1 and max(lower) < min(first, second, third)
    assert (
        f"describe: {a:.1f} and {b:.1f} %, whose gradient changes by ×{lower[0]:.3f} and"
        f" ×{lower[1]:.3f} a step at the best epoch, and {c:.1f} to {e:.1f} %, with"
        f" ×{min(first, second, third):.3f} to ×{max(first, second, third):.3f}."
    ) in page
