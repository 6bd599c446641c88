from copy import deepcopy
from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.classifier import Classifier, init_classifier, loss_and_gradients
from numpy_lstm.data.batches import make_batch
from numpy_lstm.experiments import padding, reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.plots import COLORS
from numpy_lstm.training import Diverged
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
from tests.on_record import contents, prose

CONDITIONS = padding.conditions(False)


def test_each_condition_has_the_published_settings_but_for_those_that_it_names():
    assert len(CONDITIONS) == 6 + 4
    changed = {
        "as published": {},
        "padded in front": {"padding": "pre", "stop_after": 2},
        "masked": {"padding": "none", "stop_after": 2},
    }
    for start in padding.FIRST_WEIGHTS:
        changed[start] = {"start": start, "stop_after": 0}
    for name, settings in CONDITIONS.items():
        model, change = name.split(", ", 1)
        published = CONDITIONS[f"{model}, as published"]
        assert settings["model"] == model
        assert settings == {**published, **changed[change]}
    # The repository's configuration; no clipping.
    assert published == {
        "model": "lstm",
        "padding": "post",
        "stop_after": 10,
        "epochs": 10**6,
        "patience": 0,
        "bag_size": 1,
        "hidden_size": 128,
        "vector_size": 128,
        "vocabulary_size": 10_000,
        "max_length": 500,
        "validation_fraction": 0.2,
        "learning_rate": 1e-3,
        "clip": 1e9,
        "dropout": 0.0,
        "probes": 1,
    }
    assert padding.conditions(True) == CONDITIONS


@pytest.mark.parametrize(
    ("mode", "texts"),
    [
        ("post", [[5, 6, 0, 0], [1, 2, 3, 4]]),
        ("pre", [[0, 0, 5, 6], [1, 2, 3, 4]]),
        ("none", [[5, 6], [1, 2, 3, 4]]),
    ],
)
def test_padding_stands_where_the_condition_says(mode, texts):
    part = padding.padded(reviews_of([1, 0], [5, 6], [1, 2, 3, 4, 7, 8]), 4, mode)
    assert texts_of(part) == texts and part.labels.tolist() == [1, 0]


def cell(model, D, H, seed=0):
    return padding.keras_cell(model, D, H, np.random.default_rng(seed))


@pytest.mark.parametrize(("model", "gates"), [("rnn", 1), ("lstm", 4)])
def test_kerass_start_is_glorots_over_all_gates_and_one_orthogonal_matrix(model, gates):
    start = cell(model, 100, 60)
    assert {array.dtype for array in start.values()} == {np.dtype(np.float32)}
    W_x, W_h = start["W_x"], start["W_h"].astype(np.float64)
    limit = np.sqrt(6 / (100 + gates * 60))
    assert W_x.shape == (gates * 60, 100) and abs(W_x).max() <= limit
    assert abs(W_x).max() > 0.99 * limit
    np.testing.assert_allclose(W_x.std(), limit / np.sqrt(3), rtol=0.02)  # uniform
    # Keras's (H, 4H) is the transposed: its rows are orthonormal.
    assert W_h.shape == (gates * 60, 60)
    np.testing.assert_allclose(W_h.T @ W_h, np.eye(60), atol=1e-6)
    forget = np.arange(gates * 60) // 60 == 1
    np.testing.assert_array_equal(start["b"], forget.astype(np.float32))


def test_each_gates_block_of_kerass_start_shrinks_what_it_multiplies():
    W_h = cell("lstm", 5, 200)["W_h"]
    sigma = [np.linalg.svd(block).S.max() for block in np.split(W_h, 4)]
    np.testing.assert_allclose(sigma, np.sqrt(3) / 2, rtol=0.03)  # 2 sqrt(3) / 4, of many units


def test_a_word_that_a_batch_does_not_have_has_a_gradient_of_zero():
    rng = np.random.default_rng(0)
    parameters = init_classifier(
        "lstm", rng.standard_normal((6, 2)).astype(np.float32), 3, readout="last", rng=rng
    )
    classifier = Classifier(parameters, 1, "last")
    batch = make_batch(reviews_of([0, 1], [2, 4, 2], [5]), np.arange(2))
    expected = loss_and_gradients(classifier, batch)
    loss, logits, gradients = padding.dense_gradients(classifier, batch, None)
    assert loss == expected[0]
    np.testing.assert_array_equal(logits, expected[1])
    rows = expected[2].parameters["embedding"]
    whole = gradients.parameters["embedding"]
    assert rows.rows.tolist() == [2, 4, 5] and whole.shape == (6, 2)
    np.testing.assert_array_equal(whole[rows.rows], rows.values)
    assert not whole[[0, 1, 3]].any()
    for name in ("W_x", "W_h", "b", "W_out", "b_out"):
        np.testing.assert_array_equal(
            gradients.parameters[name], expected[2].parameters[name], err_msg=name
        )


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
    reviews_of([0, 1, 0], [4], [6], [8]),
    # Of 500, 600, 450 and 100 words: 0, 0, 50 and 400 steps of padding.
    reviews_of([1, 0, 1, 0], *[[5] * n for n in (500, 600, 450, 100)]),
)


def ran(name, diverges=False):
    """The result; the arguments of `train`, the state before it, and those of `data`."""
    given, seen = SimpleNamespace(), []

    def train(state, splits, own, *, after_step, after_epoch, gradients_of):
        given.start = deepcopy(state)
        given.splits, given.own, given.gradients_of = splits, own, gradients_of
        given.steps = [after_step(SimpleNamespace(epoch=epoch), 9, 0.5, 0.5) for epoch in range(12)]
        for epoch in range(2):
            state.parameters["b_out"][:] = epoch
            after_epoch(state)
        state.parameters["b_out"][:] = 7  # a step too many
        made = state_of({}, [0.5, 0.3], [0.6, 0.7])
        state.history, state.seconds = made.history, made.seconds
        if diverges:
            raise Diverged("the loss is inf")

    def data(*arguments):
        seen.append(arguments)
        return DATA

    def predict_logits(parameters, part, own):
        assert part is given.splits.test and own is given.own
        assert parameters["b_out"] == [1]  # of the last whole epoch
        assert parameters.keys() == given.start.parameters.keys()
        return np.array([2.0, 0.5, 0.1, -1.0])  # of which the second is wrong

    with (
        patch.object(reviews, "data", data),
        patch.object(padding, "VALIDATED", 2),
        patch.object(padding, "train", train),
        patch.object(padding, "predict_logits", predict_logits),
    ):
        return padding.run(CONDITIONS[name], 3, False), given, seen[0]


def test_the_result_counts_right_answers_of_the_last_epoch_on_the_test_reviews():
    result, _, _ = ran("lstm, as published")
    assert result == ran("lstm, as published", diverges=True)[0]  # after two whole epochs
    assert result == {
        "test_accuracy": 0.75,
        "test_right_by_filled": [(1, 2), (1, 1), (0, 0), (0, 0), (1, 1), (0, 0)],
        "train_losses": [9.0, 9.0],
        "val_accuracies": [0.6, 0.7],
        "training_seconds": 12.3,
    }


def test_a_condition_trains_on_what_it_says():
    _, given, seen = ran("rnn, as published")
    assert seen == (3, False, 10_000, 128, 0.2)
    assert [part.lengths.tolist() for part in given.splits] == [[500] * 2, [500] * 2, [500] * 4]
    assert texts_of(given.splits.train)[0] == [2] + [0] * 499
    scored = [text[0] for text in texts_of(given.splits.validation)]  # two of three, at random
    drawn_first = np.random.default_rng(3).permutation(3)[:2]
    assert scored == [[4, 6, 8][k] for k in drawn_first]
    own = given.own
    assert (own.seed, own.bag_size, own.learning_rate, own.epochs) == (3, 1, 1e-3, 10**6)
    assert given.steps == [True] * 10 + [False] * 2
    assert given.gradients_of is padding.dense_gradients
    _, given, seen = ran("lstm, padded in front")
    assert texts_of(given.splits.train)[0] == [0] * 499 + [2]
    assert given.steps == [True] * 2 + [False] * 10
    assert ran("lstm, masked")[1].splits.train.lengths.tolist() == [1, 1]


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_condition_starts_as_keras_does(model):
    start = ran(f"{model}, as published")[1].start
    assert start.optimizer.epsilon == 1e-7 and start.optimizer.learning_rate == 1e-3
    vectors = start.parameters["embedding"]
    # Keras's Embedding, also for the padding word.
    assert vectors.shape == DATA.vectors.shape and vectors.dtype == np.float32
    assert 0.03 < abs(vectors).max() <= 0.05 and vectors[0].any()
    rng = np.random.default_rng(3)
    rng.permutation(3)  # of the validation reviews
    np.testing.assert_array_equal(
        vectors, rng.uniform(-0.05, 0.05, vectors.shape).astype(np.float32)
    )
    for name, array in padding.keras_cell(model, 3, 128, rng).items():
        np.testing.assert_array_equal(start.parameters[name], array)
    assert not start.parameters["b_out"].any()


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_before_training_the_gradient_that_crosses_the_padding_is_measured(model):
    trained = ran(f"{model}, as published")[1].start.parameters
    for start in padding.FIRST_WEIGHTS:
        with patch.object(padding, "crossing", lambda *given: given):
            result, _, _ = ran(f"{model}, {start}")
        classifier, part, ends = result.pop(padding.CROSSES)
        assert part.lengths.tolist() == [500, 500] and ends.tolist() == [1, 1]
        assert (classifier.bag_size, classifier.readout) == (1, "last")
        np.testing.assert_array_equal(classifier.parameters["embedding"], trained["embedding"])
        kerass = np.array_equal(classifier.parameters["W_h"], trained["W_h"])
        assert kerass == (start == "Keras's first weights")
        assert result == {
            "test_positive_by_filled": [(1, 2), (1, 1), (0, 0), (0, 0), (0, 1), (0, 0)],
            "train_without_padding": 0.0,
        }


def test_of_the_median_review_the_norm_at_its_last_word_is_told_over_that_at_the_last_step():
    tokens = [[5, 0, 0], [5, 6, 0], [5, 6, 7]]

    def record(classifier, batch):
        assert classifier == "a classifier" and batch.tokens.T.tolist() == tokens
        return SimpleNamespace(x=np.array([[2.0, 4.0, 8.0], [1.0, 3.0, 5.0], [0.5, 2.0, 6.0]]))

    with patch.object(padding, "record", record):
        found = padding.crossing(
            "a classifier", reviews_of([0, 1, 0], *tokens), np.array([1, 2, 3])
        )
    assert found == 0.75  # of 0.5 / 2, 3 / 4 and 8 / 8


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
    assert summary.pop("test_accuracy") == {"n": 2, "median": 0.625, "min": 0.5, "max": 0.75}
    assert summary == {
        "at_most_0_steps_of_padding": 0.5,
        "at_most_100_steps_of_padding": 0.25,
        "at_most_200_steps_of_padding": None,
        "at_most_300_steps_of_padding": 0.1,
        "at_most_400_steps_of_padding": 1.0,
        "at_most_500_steps_of_padding": 0.5,
    }


def test_every_seed_is_a_mark_and_the_published_condition_a_line():
    rows = list(padding.CHANGES)
    counts = {
        "rnn": [(1, 2), (3, 4), (0, 0), (0, 5), (5, 5), (1, 4)],
        "lstm": [(1, 4), (1, 1), (1, 2), (0, 5), (3, 4), (0, 0)],
    }
    scores = {"rnn": [0.5, 0.25], "lstm": [0.5, 0.75]}
    results = {
        f"{model}, {change}": [
            {
                **a_result((row + 1) / 16 + base + seed / 64, *counts[model]),
                "val_accuracies": scores[model],
            }
            for seed in range(2)
        ]
        for model, base in (("rnn", 0.0), ("lstm", 0.5))
        for row, change in enumerate(rows)
    }
    positive = {"test_positive_by_filled": [(1, 4), (0, 2), (1, 2), (3, 4), (2, 2), (1, 5)]}
    results[f"lstm, {padding.FIRST_WEIGHTS[0]}"] = [positive, positive]
    drawing = drawn(padding.draw, trials(results))
    changes, epochs, groups = drawing.axes
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
    names = ["vanilla RNN", "vanilla RNN, the notebook", "LSTM", "LSTM, the notebook"]
    lines, by_filled = labelled(epochs), labelled(groups)
    same = "the same answer to all"
    assert list(lines) == names and list(by_filled) == [*names[::2], same]
    assert len(epochs.lines) == 2 * (2 + 1) + 1 and epochs.lines[-1].get_ydata()[0] == 50
    assert len(groups.lines) == 2 * 2 + 2
    np.testing.assert_array_equal(by_filled[same].get_ydata(), [25, 0, 50, 75, 100, 20])
    np.testing.assert_array_equal(groups.lines[-1].get_ydata(), [75, 100, 50, 25, 0, 80])
    for name, model, heights in (
        ("vanilla RNN", "rnn", [50, 75, np.nan, 0, 100, 25]),
        ("LSTM", "lstm", [25, 100, 50, 0, 75, np.nan]),
    ):
        np.testing.assert_array_equal(by_filled[name].get_xdata(), [0, 100, 200, 300, 400, 500])
        np.testing.assert_array_equal(by_filled[name].get_ydata(), heights)
        assert by_filled[name].get_marker() == ("s" if model == "rnn" else "o")
        assert points(lines[name]) == [(k + 1, 100 * y) for k, y in enumerate(scores[model])]
        printed = lines[f"{name}, the notebook"]
        assert color_of(printed) == "#000000" and len(printed.get_xdata()) == 10
        assert points(printed)[0] == (1, round(100 * padding.PRINTED[model][0], 9))
        for line in (lines[name], by_filled[name]):
            assert color_of(line) == COLORS[model]
        for line in (lines[name], by_filled[name], printed):
            assert line.get_linestyle() == ("--" if model == "rnn" else "-")
    legend = [text.get_text() for text in drawing.legends[0].get_texts()]
    assert legend == [*names[::2], same, *names[1::2]]
    assert changes.get_xlabel() == "test accuracy (%); a mark is a seed"
    assert epochs.get_xlabel() == "epochs"
    assert epochs.get_ylabel() == "validation accuracy (%)"
    assert groups.get_xlabel() == "steps of padding, at most"
    assert groups.get_ylabel() == "test accuracy (%)"
    assert epochs.get_title() == "as published"
    assert groups.get_title() == "after ten epochs"


def test_the_page_says_what_the_notebook_printed():
    page, lstm = prose("padding"), np.array(padding.PRINTED["lstm"])
    low, high = 100 * min(lstm[:8]), 100 * max(lstm[:8])
    assert f"stays at chance for eight epochs ({low:.1f} to {high:.1f} % of its" in page
    ninth, tenth = (f"{100 * of:.1f} %" for of in lstm[8:])
    assert f"then has {ninth} and, after the tenth, {tenth}. The vanilla RNN stays" in page
    assert max(padding.PRINTED["rnn"]) < 0.51


def test_the_page_says_what_the_results_say():
    recorded, page = contents("padding"), prose("padding")
    results, summary = by_condition(recorded["trials"]), recorded["summary"]
    lstm, rnn = (results[f"{model}, as published"] for model in ("lstm", "rnn"))
    both = [*lstm, *rnn]
    most = 100 * max(of["test_accuracy"] for of in both)
    best = 100 * max(max(of["val_accuracies"]) for of in both)
    assert f"gets more than {most:.1f} % of the test reviews right" in page
    assert f"than {best:.1f} % of the 1,000 validation reviews (a standard error is 1.6)" in page
    assert round(100 * (0.25 / padding.VALIDATED) ** 0.5, 1) == 1.6
    assert all(len(of["val_accuracies"]) == 10 for of in both)
    eighth = [of["train_losses"][7] for of in lstm]
    printed = padding.PRINTED_LOSSES[7]
    assert f"is then {printed:.3f}, ours {min(eighth):.3f} to {max(eighth):.3f}." in page
    counts = np.array([of["test_right_by_filled"] for of in lstm])  # seeds, groups, right and all
    # One answer to all has as many right as one class has reviews, or the other one.
    right, total = counts[:, 2:, 0].tolist(), counts[0, 2:, 1]
    assert all(of in (right[0], (total - right[0]).tolist()) for of in right)
    every = counts[0, :, 1].sum()
    share = 100 * total.sum() / every
    assert f"100 steps of padding, {share:.1f} % of the test reviews, every LSTM gives" in page
    before = {start: results[f"lstm, {start}"] for start in padding.FIRST_WEIGHTS}
    positive = np.array(before["our first weights"][0]["test_positive_by_filled"])
    assert right[0] in (positive[2:, 0].tolist(), (total - positive[2:, 0]).tolist())
    unpadded, few = (100 * counts[:, k, 0] / counts[:, k, 1] for k in (0, 1))
    same = 100 * max(positive[0, 0], positive[0, 1] - positive[0, 0]) / positive[0, 1]
    assert (
        f"Of the {counts[0, 0, 1]:,} reviews without padding it has {min(unpadded):.1f} to"
        f" {max(unpadded):.1f} % right, where the same answer to all has {same:.1f} %; of those"
        f" with 1 to 100 steps {min(few):.1f} to {max(few):.1f} %."
    ) in page
    ends = {}
    for name, cell_of in (("lstm", lstm), ("rnn", rnn)):
        below = [100 * (1 - of["train_losses"][-1] / np.log(2)) for of in cell_of]
        ends[name] = f"ends {min(below):.1f} to {max(below):.1f} % below"
    assert f"The LSTM's training loss {ends['lstm']} ln 2, that of a coin." in page
    assert f"The vanilla RNN's {ends['rnn']}." in page
    alone = [100 * of["train_without_padding"] for of in before["our first weights"]]
    assert f"are {min(alone):.1f} to {max(alone):.1f} % of the training reviews" in page
    for start, sentence in zip(
        padding.FIRST_WEIGHTS, ("Keras's first weights: {}.", "From ours it is {}."), strict=True
    ):
        of = summary[f"lstm, {start}"][padding.CROSSES]
        said = "{median:.0e} ({min:.0e} to {max:.0e})".format(**of).replace("e-0", "e-")
        assert sentence.format(said) in page
        assert summary[f"rnn, {start}"][padding.CROSSES]["min"] > 4e-6
    assert "In the vanilla RNN more than 4e-6 crosses from either" in page
    assert most < 100 * min(
        of["test_accuracy"]
        for change in ("padded in front", "masked")
        for model in ("rnn", "lstm")
        for of in results[f"{model}, {change}"]
    )
    assert "learn more in two epochs than in ten without it, in every seed" in page
    for sentence, condition in (
        ("the padding in front the LSTM has {}", "lstm, padded in front"),
        ("with a mask {}", "lstm, masked"),
        ("the vanilla RNN {}", "rnn, padded in front"),
        (" and {}. With the padding in front a review is as long", "rnn, masked"),
    ):
        of = {name: 100 * value for name, value in summary[condition]["test_accuracy"].items()}
        said = "{median:.1f} % ({min:.1f} to {max:.1f})".format(**of)
        assert sentence.format(said) in page
    falls = {(a - b, a, b) for a, b in (of["val_accuracies"] for of in results["lstm, masked"])}
    _, first, second = max(falls)
    assert f"one LSTM falls from {100 * first:.1f} to {100 * second:.1f} % of the" in page
    assert f"if {100 * (1 - 0.05 ** (1 / 5)):.0f} % of such runs left chance, five" in page
    of = contents("lag")["summary"]["lstm, b_f=1, K=400"]["test_accuracy"]
    with_lag = "{:.1f} % ({:.1f} to {:.1f})".format(
        *(100 * of[k] for k in ("median", "min", "max"))
    )
    assert f"one of 32 units has {with_lag} with 400 of them." in page
