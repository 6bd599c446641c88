from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import padding, reviews
from numpy_lstm.plots import COLORS
from tests.experiments.hand_made import (
    color_of,
    drawn,
    labelled,
    points,
    prepared,
    reviews_of,
    state_of,
    texts_of,
    tick_labels,
    trials,
)

CONDITIONS = padding.conditions(False)


def test_each_change_changes_what_it_says_and_nothing_else():
    assert len(CONDITIONS) == 14
    changed = {
        "as published": {},
        "half as wide": {},
        "padded in front": {"padding": "pre"},
        "masked": {"padding": "none"},
        "last words": {"cut": "last"},
        "uniform weights": {"recurrent": "uniform"},
        "clipped at 1": {"clip": 1.0},
    }
    for name, settings in CONDITIONS.items():
        model, change = name.split(", ", 1)
        published = CONDITIONS[f"{model}, as published"]
        assert settings["model"] == model
        half = {"hidden_size": 64, "vector_size": 64, "stop_after": 1}
        expected = {} if change == "as published" else half
        assert settings == {**published, **expected, **changed[change]}
    # The repository's configuration; no clipping.
    assert published == {
        "model": "lstm",
        "padding": "post",
        "cut": "first",
        "stop_after": 4,
        "epochs": 10**6,
        "patience": 0,
        "bag_size": 1,
        "hidden_size": 128,
        "vector_size": 128,
        "vocabulary_size": 10_000,
        "max_length": 500,
        "learning_rate": 1e-3,
        "clip": 1e9,
        "dropout": 0.0,
        "probes": 1,
        "recurrent": "orthogonal",
    }
    assert padding.conditions(True).items() <= CONDITIONS.items()


@pytest.mark.parametrize(
    ("cut", "mode", "texts"),
    [
        ("first", "post", [[5, 6, 0, 0], [1, 2, 3, 4]]),
        ("first", "pre", [[0, 0, 5, 6], [1, 2, 3, 4]]),
        ("last", "post", [[5, 6, 0, 0], [3, 4, 7, 8]]),
        ("last", "pre", [[0, 0, 5, 6], [3, 4, 7, 8]]),
        ("last", "none", [[5, 6], [3, 4, 7, 8]]),
        ("first", "none", [[5, 6], [1, 2, 3, 4]]),
    ],
)
def test_padding_stands_where_the_condition_says(cut, mode, texts):
    part = padding.padded(reviews_of([1, 0], [5, 6], [1, 2, 3, 4, 7, 8]), 4, cut, mode)
    assert texts_of(part) == texts and part.labels.tolist() == [1, 0]


def test_right_answers_are_counted_by_the_steps_of_padding():
    filled = np.array([0, 0, 1, 100, 101, 500, 400])
    right = np.array([True, False, True, False, True, True, False])
    assert padding.count_by_filled(right, filled) == [
        (1, 2),
        (1, 2),
        (1, 1),
        (0, 0),
        (0, 1),
        (1, 1),
    ]


DATA = prepared(
    reviews_of([0, 1], [2], [3]),
    reviews_of([0], [4]),
    # Of 500, 600, 450 and 100 words: 0, 0, 50 and 400 steps of padding.
    reviews_of([1, 0, 1, 0], *[[5] * n for n in (500, 600, 450, 100)]),
)


def ran(name):
    given, seen = [], []

    def fit(*arguments, **named):
        given.append((*arguments, named))
        return state_of({}, [0.5, 0.3], [0.6, 0.7])

    def data(seed, quick, vocabulary_size, vector_size):
        seen.append((seed, quick, vocabulary_size, vector_size))
        return DATA

    def predict_logits(parameters, part, own):
        assert part is given[0][1].test and parameters == {}
        return np.array([2.0, 0.5, 0.1, -1.0])  # of which the second is wrong

    with (
        patch.object(reviews, "data", data),
        patch.object(reviews, "fit", fit),
        patch.object(padding, "predict_logits", predict_logits),
    ):
        return padding.run(CONDITIONS[name], 3, False), given[0], seen[0]


def test_the_result_counts_right_answers_on_the_test_reviews_and_their_padding():
    result, _, _ = ran("lstm, as published")
    assert result == {
        "test_accuracy": 0.75,
        "test_right_by_filled": [(1, 2), (1, 1), (0, 0), (0, 0), (1, 1), (0, 0)],
        "val_accuracies": [0.6, 0.7],
        "val_accuracy": 0.7,
        "val_loss": 0.3,
        "best_epoch": 2,
        "epochs": 2,
        "training_seconds": 12.3,
    }


def test_a_condition_trains_on_what_it_says():
    _, (model, splits, vectors, own, named), seen = ran("rnn, as published")
    assert model == "rnn" and seen == (3, False, 10_000, 128)
    assert [part.lengths.tolist() for part in splits] == [[500, 500], [500], [500] * 4]
    assert texts_of(splits.train)[0] == [2] + [0] * 499
    assert named == {"recurrent": "orthogonal", "stop_after": 4}
    assert (own.seed, own.bag_size, own.learning_rate, own.epochs) == (3, 1, 1e-3, 10**6)
    # Keras's Embedding, also for the padding word.
    assert vectors.shape == DATA.vectors.shape and vectors.dtype == np.float32
    assert 0.03 < abs(vectors).max() <= 0.05 and vectors[0].any()
    np.testing.assert_array_equal(
        vectors, np.random.default_rng(3).uniform(-0.05, 0.05, vectors.shape).astype(np.float32)
    )
    _, (model, splits, _, own, named), seen = ran("lstm, padded in front")
    assert model == "lstm" and texts_of(splits.train)[0] == [0] * 499 + [2]
    assert named == {"recurrent": "orthogonal", "stop_after": 1} and seen[3] == 64
    assert ran("lstm, uniform weights")[1][4]["recurrent"] == "uniform"
    assert ran("lstm, masked")[1][1].train.lengths.tolist() == [1, 1]


def a_result(accuracy, *counts):
    return {"test_accuracy": accuracy, "test_right_by_filled": list(counts)}


def test_shares_by_padding_are_of_the_reviews_of_all_seeds():
    summary = padding.summarize(
        trials(
            {
                "rnn, as published": [
                    a_result(0.5, (1, 2), (3, 4), (0, 0), (0, 5), (5, 5), (1, 1)),
                    a_result(0.75, (3, 6), (1, 12), (0, 0), (1, 5), (5, 5), (0, 1)),
                ]
            }
        )
    )["rnn, as published"]
    assert summary.pop("test_accuracy")["mean"] == 0.625
    assert summary == {
        "at_most_0_steps_of_padding": 0.5,
        "at_most_100_steps_of_padding": 0.25,
        "at_most_200_steps_of_padding": None,
        "at_most_300_steps_of_padding": 0.1,
        "at_most_400_steps_of_padding": 1.0,
        "at_most_500_steps_of_padding": 0.5,
    }


def test_every_seed_is_a_mark_and_the_published_condition_a_line_by_padding():
    rows = list(padding.CHANGES)
    counts = {
        "rnn": [(1, 2), (3, 4), (0, 0), (0, 5), (5, 5), (1, 4)],
        "lstm": [(1, 4), (1, 1), (1, 2), (0, 5), (3, 4), (0, 0)],
    }
    results = {
        f"{model}, {change}": [
            a_result((row + 1) / 16 + base + seed / 64, *counts[model]) for seed in range(2)
        ]
        for model, base in (("rnn", 0.0), ("lstm", 0.5))
        for row, change in enumerate(rows)
    }
    changes, groups = drawn(padding.draw, trials(results)).axes
    assert tick_labels(changes) == {float(k): change for k, change in enumerate(rows)}
    low, high = changes.get_ylim()
    assert low > high  # the first is on top
    for k, line in enumerate(changes.lines[:-1]):
        model, row = ("rnn", "lstm")[k // len(rows)], k % len(rows)
        base, shift = (0, -0.15) if model == "rnn" else (50, 0.15)
        first = 100 * (row + 1) / 16 + base
        assert points(line) == [(first, row + shift), (first + 100 / 64, row + shift)]
        assert color_of(line) == COLORS[model]
        assert line.get_marker() == ("s" if model == "rnn" else "o")
    assert changes.lines[-1].get_xdata()[0] == 50
    lines = labelled(groups)
    assert list(lines) == ["vanilla RNN", "LSTM"]
    assert len(groups.lines) == 2 * 2 + 1 and groups.lines[-1].get_ydata()[0] == 50
    for name, model, heights in (
        ("vanilla RNN", "rnn", [50, 75, np.nan, 0, 100, 25]),
        ("LSTM", "lstm", [25, 100, 50, 0, 75, np.nan]),
    ):
        np.testing.assert_array_equal(lines[name].get_xdata(), [0, 100, 200, 300, 400, 500])
        np.testing.assert_array_equal(lines[name].get_ydata(), heights)
        assert color_of(lines[name]) == COLORS[model]
        assert lines[name].get_marker() == ("s" if model == "rnn" else "o")
        assert lines[name].get_linestyle() == ("--" if model == "rnn" else "-")
    legend = [text.get_text() for text in groups.get_legend().get_texts()]
    assert legend == ["vanilla RNN", "LSTM"]
    assert changes.get_xlabel() == "test accuracy (%); a mark is a seed"
    assert groups.get_xlabel() == "steps of padding, at most"
    assert groups.get_ylabel() == "test accuracy (%); a line is a seed"
    assert groups.get_title() == "as published"
