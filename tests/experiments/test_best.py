from types import SimpleNamespace
from typing import ClassVar
from unittest.mock import patch

import numpy as np
import pytest
from scipy.sparse import csr_matrix
from sklearn.linear_model import LogisticRegression

from numpy_lstm.data.batches import length_buckets
from numpy_lstm.data.prepare import Splits
from numpy_lstm.experiments import best, reviews
from numpy_lstm.experiments.best import NGramScores
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.plots import COLORS
from numpy_lstm.settings import Settings
from numpy_lstm.training import initial_state, predict_logits
from tests.experiments.hand_made import (
    color_of,
    drawn,
    only,
    points,
    prepared,
    reviews_of,
    texts_of,
    tick_labels,
    trials,
)
from tests.on_record import contents, prose

# Ten training reviews of a word each that no other has, beside a common one.
TRAIN = reviews_of([0, 1] * 5, *[[100, k] for k in range(200, 210)])
VALIDATION = reviews_of([0, 1, 1], [100, 200], [300], [100, 209, 301])
TEST = reviews_of([1, 0], [205, 302], [303])
SPLITS = Splits(TRAIN, VALIDATION, TEST)


def words_of(row):
    return frozenset(np.flatnonzero(row.toarray()))


class Memory:
    """In place of the regression: 1 for the reviews that it was fitted on, 0 for others."""

    fitted: ClassVar = []  # the labels of each fit

    def __init__(self, features, labels):
        self.seen = {words_of(row) for row in features}
        Memory.fitted.append(list(labels))

    def __call__(self, features):
        return np.array([float(words_of(row) in self.seen) for row in features])


def remembered(splits, seed=0):
    Memory.fitted = []
    with patch.object(best, "_regression", Memory), patch.object(best, "FEWEST", 1):
        return best.n_gram_scores(splits, seed)


def test_a_training_reviews_score_comes_from_a_regression_that_has_not_seen_it():
    scores = remembered(SPLITS)
    assert scores.train.tolist() == [0] * 10
    # One for each fifth of the reviews, with as many of each label, and one on all of them.
    assert sorted(map(len, Memory.fitted)) == [8] * 5 + [10]
    assert all(sum(labels) == len(labels) / 2 for labels in Memory.fitted)


def test_other_reviews_are_scored_by_the_regression_on_all_training_reviews():
    copies = Splits(TRAIN, TRAIN._replace(), reviews_of([1, 0], [100, 204], [303]))
    scores = remembered(copies)
    assert scores.train.tolist() == [0] * 10
    assert scores.validation.tolist() == [1] * 10
    assert scores.test.tolist() == [1, 0]
    assert {array.dtype for array in scores} == {np.dtype(np.float32)}


def test_the_folds_differ_between_seeds():
    unseen = []

    def regression(features, labels):
        return lambda other: (
            unseen.append([words_of(row) for row in other]) or np.zeros(other.shape[0])
        )

    with patch.object(best, "_regression", regression), patch.object(best, "FEWEST", 1):
        for seed in (0, 0, 1):
            best.n_gram_scores(SPLITS, seed)
    folds = [{frozenset(fold) for fold in unseen[k : k + 5]} for k in (0, 7, 14)]
    assert folds[0] == folds[1] != folds[2]
    assert [len(fold) for fold in unseen[:5]] == [2] * 5


def test_n_grams_are_those_of_up_to_three_words_in_three_training_reviews():
    tables = []

    def regression(features, labels):
        tables.append(features.toarray())
        return lambda other: tables.append(other.toarray()) or np.zeros(other.shape[0])

    splits = Splits(
        reviews_of([0, 1] * 5, *[[2, 3, 4, 2]] * 3, *[[5, 6]] * 2, *[[7]] * 5),
        reviews_of([0], [2, 3, 4]),
        reviews_of([0], [5, 6, 7, 7]),
    )
    with patch.object(best, "_regression", regression):
        best.n_gram_scores(splits, 0)
    whole, validation, test = tables[-3:]
    # 2, 3, 4, 7; 2 3, 3 4, 4 2; 2 3 4, 3 4 2. 5 and 6 are in two reviews, and no four words.
    assert whole.shape == (10, 9)
    assert whole[0].sum() == 8  # the second 2 does not count
    assert validation.sum() == 6 and test.sum() == 1


def test_the_regression_weighs_n_grams_by_their_log_count_ratio():
    rng = np.random.default_rng(0)
    table = rng.integers(0, 2, (40, 3)).astype(np.float32)
    labels = (table[:, 0] + rng.random(40) > 0.9).astype(np.int8)
    positive, negative = (1 + table[labels == k].sum(axis=0) for k in (1, 0))
    ratio = np.log((positive / positive.sum()) / (negative / negative.sum()))
    model = LogisticRegression(C=0.1, solver="liblinear").fit(table * ratio, labels)
    other = np.array([[1, 0, 0], [0, 1, 1], [0, 0, 0]], np.float32)
    scores = best._regression(csr_matrix(table), labels)(csr_matrix(other))
    np.testing.assert_allclose(scores, model.decision_function(other * ratio), rtol=1e-5)
    assert scores[0] > scores[1]  # log-odds of positive: the first word makes reviews positive


# --- the LSTM beside them ------------------------------------------------------------------------

SMALL = Settings(
    seed=5, epochs=3, batch_size=4, hidden_size=3, vector_size=2, bag_size=1, dropout=0.0, probes=1
)
SHORT = reviews_of([0, 1, 1, 0, 1], [2, 3], [4], [3, 3, 2], [2], [5, 2, 4, 3])
SCORES = np.float32([0.5, -1.0, 2.0, 0.25, -3.0])


def a_state(w_score=0.75):
    vectors = np.random.default_rng(1).standard_normal((6, 2)).astype(np.float32)
    state = initial_state("lstm", vectors, SMALL)
    state.parameters["w_score"] = np.float32([w_score])
    return state


def test_the_logit_is_the_lstms_plus_the_score_times_its_weight():
    state = a_state()
    logits = best.logits_of(state.parameters, SHORT, SCORES, SMALL)
    alone = predict_logits(state.parameters, SHORT, SMALL)
    np.testing.assert_allclose(logits, alone + 0.75 * SCORES, rtol=1e-12)


def test_gradients_are_those_of_the_loss_with_each_reviews_own_score():
    state = a_state()
    indices = np.array([3, 0, 4, 1])
    gradients = best.gradients_of(state, SHORT, SCORES, indices, SMALL)

    def loss(name, change):
        changed = {key: array.astype(np.float64) for key, array in state.parameters.items()}
        changed[name] = changed[name] + change
        logits = best.logits_of(changed, SHORT, SCORES, SMALL)[indices]
        signs = 2.0 * SHORT.labels[indices] - 1
        return np.log1p(np.exp(-signs * logits)).mean()

    for name in ("w_score", "b_out"):
        slope = (loss(name, 1e-4) - loss(name, -1e-4)) / 2e-4
        np.testing.assert_allclose(gradients[name], [slope], rtol=1e-4)
    assert gradients.keys() == state.parameters.keys()


def fitted(losses_of, labels=VALIDATION.labels):
    """`best.fit` with the logits of each epoch given; what it did, and what it returns."""
    done = SimpleNamespace(rates=[], batches=[], given=[])

    def gradients_of(state, part, scores, indices, own):
        assert part is TRAIN and scores == "train"
        done.batches.append(indices.tolist())
        return {"w": np.array([3.0, 4.0])}

    def logits_of(parameters, part, scores, own):
        assert part.tokens is VALIDATION.tokens and scores == "validation"
        return np.array(losses_of[len(done.batches) // 3 - 1])

    def step(parameters, gradients):
        done.rates.append(optimizer.learning_rate)
        done.given.append(gradients["w"])
        parameters["w"] += 1

    optimizer = SimpleNamespace(step=step, learning_rate=None)
    state = SimpleNamespace(
        parameters={"w": np.zeros(1)}, best_parameters={}, optimizer=optimizer, epoch=0, step=0
    )
    splits = SPLITS._replace(validation=VALIDATION._replace(labels=labels))
    with patch.multiple(best, gradients_of=gradients_of, logits_of=logits_of):
        accuracy = best.fit(state, splits, NGramScores("train", "validation", "test"), SMALL)
    return state, done, accuracy


# Of the three validation reviews, labeled 0, 1, 1, three, two and all three are right. In the
# second epoch the loss is smallest all the same.
LOGITS = [[-0.1, 0.1, 0.1], [-9.0, 9.0, -0.01], [-0.2, 0.1, 0.1]]


def test_the_best_epoch_is_that_of_the_smallest_validation_loss():
    state, _, accuracy = fitted(LOGITS)
    assert accuracy == pytest.approx(2 / 3)
    assert state.best_parameters["w"].tolist() == [6]  # after the second of three epochs
    assert state.parameters["w"].tolist() == [9]


def test_the_learning_rate_falls_linearly_and_gradients_are_clipped():
    _, done, _ = fitted(LOGITS)
    np.testing.assert_allclose(done.rates, 2e-3 * (1 - np.arange(9) / 9), rtol=1e-12)
    np.testing.assert_allclose(done.given, [[0.6, 0.8]] * 9)


def test_every_epoch_reads_the_training_reviews_in_the_jobs_order():
    _, done, _ = fitted(LOGITS)
    expected = [
        indices.tolist()
        for epoch in range(3)
        for indices in length_buckets(
            TRAIN.lengths, SMALL.batch_size, rng=np.random.default_rng((5, epoch))
        )
    ]
    assert done.batches == expected


PREPARED = prepared(
    # One training review of 801 words; words 2 to 9, so that 10 and 11 are in none.
    reviews_of([0, 1, 0, 1], [2] + [3] * 800, [4, 5], [6, 7], [8, 9]),
    reviews_of([0, 1, 1, 0], [2], [3, 4], [5], [6]),
    reviews_of([1, 1, 0, 0, 0], [4, 5], [2, 3], [3, 4], [7], [8]),
)


def ran(condition, labels=PREPARED.splits.test.labels, quick=False):
    """The result of a condition, and what was given to the regressions and to training."""
    splits = PREPARED.splits
    splits = splits._replace(test=splits.test._replace(labels=np.array(labels, np.int8)))
    scores = NGramScores(
        train=np.zeros(4),  # log-odds below one half are those of a positive review too
        validation=np.float32([-1, 0.25, -1, 1]),
        test=np.float32([0.25, 0.25, 1, 1, -1]),
    )
    given = {}

    def n_gram_scores(splits, seed):
        given["n_grams"] = splits, seed
        return scores

    def fit(state, splits, scores_, own):
        assert scores_ is scores
        given.update(state=state, splits=splits, own=own)
        given["start"] = state.parameters["w_score"].copy()
        state.best_parameters = {**state.parameters, "w_score": np.array([0.625])}
        return 0.8

    def logits_of(parameters, part, scores_, own):
        assert parameters is given["state"].best_parameters
        assert part is given["splits"].test and scores_ is scores.test
        return np.array([0.25, -1, -1, -1, -1])

    with (
        patch.object(reviews, "data", only(PREPARED._replace(splits=splits), 6, quick)),
        patch.multiple(best, n_gram_scores=n_gram_scores, fit=fit, logits_of=logits_of),
    ):
        return best.run({**best.conditions(quick)[condition], "hidden_size": 4}, 6, quick), given


def test_the_conditions_differ_in_the_labels_and_the_epochs():
    real, shuffled = best.conditions(False).values()
    assert list(best.conditions(False)) == ["LSTM and n-grams", "shuffled labels"]
    assert real["model"] == "lstm" and real["shuffled"] is False
    assert shuffled == {**real, "shuffled": True, "epochs": 1}


def test_what_is_reported_of_the_model_and_of_the_n_grams_alone():
    result, given = ran("LSTM and n-grams")
    assert result == {
        "test_accuracy": 0.8,
        "val_accuracy": 0.8,
        "n_grams_test_accuracy": 0.6,
        "n_grams_val_accuracy": 0.5,
        "w_score": 0.625,
        "words_in_no_training_review": 2,
        "test_reviews_seen": 2,  # "4 5" of the training reviews and "3 4" of the validation ones
    }
    assert given["start"] == [0.5]
    own = given["own"]
    assert (own.readout, own.bag_size, own.dropout, own.epochs) == ("meanmax", 4, 0.5, 3)
    assert own.seed == 6
    assert given["n_grams"][1] == 6 and given["n_grams"][0].train.lengths[0] == 801
    assert given["splits"].train.lengths.tolist() == [800, 2, 2, 2]
    np.testing.assert_array_equal(given["splits"].train.labels, PREPARED.splits.train.labels)
    assert given["state"].parameters["W_out"].shape == (1, 2 * 4)
    assert given["state"].parameters["W_x"].shape[0] == 4 * 4
    np.testing.assert_array_equal(given["state"].parameters["embedding"], PREPARED.vectors)


def test_shuffled_labels_are_those_of_training_alone_for_both_parts_of_the_model():
    result, given = ran("shuffled labels")
    shuffled = given["splits"].train.labels
    np.testing.assert_array_equal(shuffled, np.random.default_rng(6).permutation([0, 1, 0, 1]))
    np.testing.assert_array_equal(given["n_grams"][0].train.labels, shuffled)
    for part in ("validation", "test"):
        np.testing.assert_array_equal(
            getattr(given["splits"], part).labels, getattr(PREPARED.splits, part).labels
        )
    assert result["test_accuracy"] == 0.8


def test_other_labels_of_the_test_reviews_change_only_the_scores_on_them():
    one, given = ran("LSTM and n-grams")
    other, of_other = ran("LSTM and n-grams", labels=[0, 0, 0, 0, 1])
    assert other["test_accuracy"] == 0.6 and other["n_grams_test_accuracy"] == 0.0
    for result in (one, other):
        del result["test_accuracy"], result["n_grams_test_accuracy"]
    assert one == other
    for name, array in given["state"].parameters.items():
        np.testing.assert_array_equal(array, of_other["state"].parameters[name])


def test_words_of_no_training_review_are_counted_but_not_the_special_ones():
    train = reviews_of([0], [2, 4, 4])
    assert best.words_in_no_training_review(train, 5) == 1
    assert best.words_in_no_training_review(train, 8) == 4


def test_copies_are_test_reviews_that_training_or_validation_has():
    splits = Splits(
        reviews_of([0, 1], [2, 3], [4]),
        reviews_of([0], [5, 6]),
        reviews_of([0] * 6, [4], [5, 6], [3, 2], [2, 3, 4], [4], [7]),
    )
    assert best.copies(splits) == 3
    assert texts_of(splits.test)[0] == [4]


def a_result(test, validation, n_test, n_validation, words=0, seen=0):
    return {
        "test_accuracy": test,
        "val_accuracy": validation,
        "n_grams_test_accuracy": n_test,
        "n_grams_val_accuracy": n_validation,
        "words_in_no_training_review": words,
        "test_reviews_seen": seen,
    }


LISTED = trials(
    {
        "LSTM and n-grams": [
            a_result(0.75, 0.8, 0.5, 0.7, words=0, seen=4),
            a_result(1.0, 0.9, 0.5, 0.6, words=3, seen=1),
        ],
        "shuffled labels": [a_result(0.5, 0.4, 0.25, 0.6)],
    }
)


def test_the_gain_is_over_the_n_grams_alone_and_a_leak_in_any_seed_shows():
    summary = best.summarize(LISTED)
    own = summary["LSTM and n-grams"]
    means = {name: value["mean"] for name, value in own.items() if isinstance(value, dict)}
    assert means == pytest.approx(
        {
            "test_accuracy": 0.875,
            "val_accuracy": 0.85,
            "n_grams_test_accuracy": 0.5,
            "gain_in_test_accuracy": 0.375,
            "gain_in_val_accuracy": 0.2,
        }
    )
    assert own["words_in_no_training_review"] == 3 and own["test_reviews_seen"] == 4
    assert own["longest_trial_seconds"] == 11.0
    assert summary["shuffled labels"]["longest_trial_seconds"] == 10.0
    assert summary["shuffled labels"]["gain_in_test_accuracy"]["mean"] == 0.25


def test_the_figure_has_the_model_above_the_n_grams_and_the_shuffled_labels_beside_them():
    shares = [(0.75, 0.5), (1.0, 0.5), (0.75, 0.625)]
    results = [a_result(test, 0.9, n_grams, 0.9) for test, n_grams in shares]
    shuffled = [a_result(0.5, 0.4, 0.25, 0.6)]
    listed = trials({"LSTM and n-grams": results, "shuffled labels": shuffled})
    real, random = drawn(best.draw, listed).axes
    assert tick_labels(real) == {0: "LSTM and n-grams", 1: "n-grams alone"}
    assert tick_labels(random) == {0: "shuffled labels"}
    assert [points(line) for line in real.lines] == [
        [(75, 0), (100, 0), (75, 0)],
        [(round(250 / 3, 9), 0)],
        [(50, 1), (50, 1), (62.5, 1)],
        [(round(162.5 / 3, 9), 1)],
    ]
    assert [line.get_marker() for line in real.lines[::2]] == ["o", "D"]
    assert [color_of(line) for line in real.lines[::2]] == [COLORS["lstm"], "#555555"]
    assert points(random.lines[0]) == [(50, 0)] and points(random.lines[2])[0][0] == 50
    for axes in (real, random):
        low, high = axes.get_ylim()
        assert low > high  # the first is on top
        assert axes.get_xlabel() == "test accuracy (%)"


def test_the_page_says_what_the_results_say():
    recorded, page = contents("best"), prose("best")
    results, summary = by_condition(recorded["trials"]), recorded["summary"]
    own, shuffled = results["LSTM and n-grams"], results["shuffled labels"]

    def points_of(quantity):
        of = summary["LSTM and n-grams"][quantity]
        return tuple(f"{100 * of[key]:.2f}" for key in ("mean", "low", "high"))

    test, validation = points_of("gain_in_test_accuracy"), points_of("gain_in_val_accuracy")
    assert "The LSTM adds {} points to the n-grams ({} to {})".format(*test) in page
    assert "and {} ({} to {}) on the validation reviews".format(*validation) in page
    assert "where two of five seeds lose" in page
    assert sum(of["val_accuracy"] < of["n_grams_val_accuracy"] for of in own) == 2
    assert "is right on all but a twelfth of the test reviews" in page
    assert 1 / 13 < 1 - summary["LSTM and n-grams"]["test_accuracy"]["mean"] < 1 / 12
    assert "In about three minutes on one core, beside other work" in page
    seconds = [t["seconds"] for t in recorded["trials"] if not t["settings"]["shuffled"]]
    assert {round(each / 60) for each in seconds} == {3}
    assert "is a coin's on average. Single seeds are off it by some points, above and below" in page
    low, high = (extreme(of["test_accuracy"] for of in shuffled) for extreme in (min, max))
    interval = summary["shuffled labels"]["test_accuracy"]
    assert interval["low"] < 0.5 < interval["high"] and 0.45 < low < 0.49 and 0.51 < high < 0.55
    assert "No word of the vocabulary comes from elsewhere" in page
    assert not any(of["words_in_no_training_review"] for of in own + shuffled)
    assert "holds 123 test reviews that stand word for word" in page
    assert {of["test_reviews_seen"] for of in own + shuffled} == {123}
    # If all of them were known, what the others have: (right - 123) / (25,000 - 123).
    accuracy = summary["LSTM and n-grams"]["test_accuracy"]["mean"]
    cost = 100 * (accuracy - (25_000 * accuracy - 123) / (25_000 - 123))
    assert f"leaving them out would cost it {cost:.2f} points" in page
