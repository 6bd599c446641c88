"""The data of the experiments, and what they train on it; nothing is trained here."""

from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.classifier import loss_and_gradients
from numpy_lstm.data.prepare import Splits
from numpy_lstm.experiments import reviews
from numpy_lstm.settings import Settings
from numpy_lstm.training import Evaluation, TrainingState, initial_state
from tests.experiments.hand_made import reviews_of, state_of, texts_of

SPLITS = Splits(
    reviews_of([0, 1] * 10, *[[k, 40] for k in range(20)]),
    reviews_of([0, 1], [50, 51], [52]),
    reviews_of([1, 1, 0], [60], [61, 62, 63], [64]),
)
SMALL = Settings(seed=3, hidden_size=4, vector_size=3, forget_bias=2.5, probes=1)
VECTORS = np.arange(30, dtype=np.float32).reshape(10, 3)


def test_a_smoke_run_reads_built_in_reviews_and_others_read_imdb():
    with patch.object(reviews, "load_imdb", lambda: "IMDB"):
        assert reviews.corpus.__wrapped__(False) == "IMDB"
    small = reviews.corpus.__wrapped__(True)
    assert small.name == "synthetic"
    assert len(small.train.labels) <= 150 and len(small.test.labels) <= 40


def test_the_reviews_are_prepared_whole_from_the_seed_and_at_the_sizes_asked_for():
    with (
        patch.object(reviews, "corpus", lambda quick: f"quick: {quick}"),
        patch.object(reviews, "prepare", lambda *arguments: arguments),
    ):
        text, settings = reviews.data.__wrapped__(7, False, 5000, 32)
        assert text == "quick: False"
        assert (settings.seed, settings.vocabulary_size, settings.vector_size) == (7, 5000, 32)
        assert settings.max_length >= 10**6  # longer than any review
        _, settings = reviews.data.__wrapped__(7, False)
        assert (settings.vocabulary_size, settings.vector_size) == (30_000, 128)
        assert settings.validation_fraction == 0.1
        _, settings = reviews.data.__wrapped__(7, False, validation_fraction=0.2)
        assert settings.validation_fraction == 0.2
        text, settings = reviews.data.__wrapped__(8, True, 5000, 32)
        assert text == "quick: True"
        assert (settings.seed, settings.vocabulary_size, settings.vector_size) == (8, 500, 8)


def test_settings_are_the_jobs_with_the_changes_of_the_condition():
    given = {"cell": "no setting", "hidden_size": 32, "forget_bias": 0.0, "epochs": 3, "seed": 1}
    assert reviews.settings_of(given, 4, False) == Settings(
        seed=4, hidden_size=32, forget_bias=0.0, epochs=3
    )
    assert reviews.settings_of({}, 0, False) == Settings()
    quick = reviews.settings_of(given, 4, True)
    assert (quick.hidden_size, quick.epochs, quick.seed) == (8, 1, 4)
    assert quick.forget_bias == 0.0  # what a condition is about stays


def test_all_parts_are_cut_and_only_training_reviews_are_left_out():
    def first_word(part):
        firsts = [[text[0]] for text in texts_of(part)]
        return reviews_of(part.labels, *firsts)

    whole = reviews.cut(SPLITS, first_word)
    assert [text for text in texts_of(whole.train)] == [[k] for k in range(20)]
    assert texts_of(whole.validation) == [[50], [52]]
    assert texts_of(whole.test) == [[60], [61], [64]]

    few = reviews.cut(SPLITS, first_word, 6, seed=1)
    kept = [text[0] for text in texts_of(few.train)]
    assert len(set(kept)) == 6 and few.train.labels.tolist() == [k % 2 for k in kept]
    assert kept != list(range(6)) and sorted(kept) != list(range(14, 20))  # drawn at random
    assert texts_of(few.validation) == [[50], [52]] and texts_of(few.test) == [[60], [61], [64]]
    assert few.test.labels.tolist() == [1, 1, 0]
    other = reviews.cut(SPLITS, first_word, 6, seed=2)
    assert texts_of(other.train) != texts_of(few.train)
    again = reviews.cut(SPLITS, first_word, 6, seed=1)
    assert texts_of(again.train) == texts_of(few.train)


def test_texts_are_words_of_ids_a_review_each():
    assert reviews.texts(SPLITS.test) == ["60", "61 62 63", "64"]


def fitted(model, **named):
    """What `fit` gives to `train`: state, splits, settings, and whether to go on."""
    given = []
    with patch.object(reviews, "train", lambda *arguments, **more: given.extend([arguments, more])):
        state = reviews.fit(model, SPLITS, VECTORS, SMALL, **named)
    (trained, splits, settings), more = given
    assert trained is state and splits is SPLITS and settings is SMALL
    return state, more["after_step"]


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_fit_starts_from_the_jobs_weights(model):
    state, go_on = fitted(model)
    expected = initial_state(model, VECTORS, SMALL).parameters
    assert state.parameters.keys() == expected.keys()
    for name, array in expected.items():
        np.testing.assert_array_equal(state.parameters[name], array, err_msg=name)
    assert all(go_on(TrainingState({}, None, {}, epoch=k), 9, 0.0, 0.0) for k in (0, 5, 100))


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_uniform_weights_replace_those_of_the_cell_and_no_others(model):
    state, _ = fitted(model, recurrent="uniform")
    expected = initial_state(model, VECTORS, SMALL).parameters
    for name in ("embedding", "W_out", "b_out", "b"):
        np.testing.assert_array_equal(state.parameters[name], expected[name], err_msg=name)
    for name, array in reviews.uniform_cell(model, 3, SMALL).items():
        np.testing.assert_array_equal(state.parameters[name], array, err_msg=name)


def test_a_fit_stops_after_so_many_epochs_at_the_learning_rates_of_all():
    _, go_on = fitted("rnn", stop_after=2)
    answers = [go_on(TrainingState({}, None, {}, epoch=k), 9, 0.0, 0.0) for k in range(4)]
    assert answers == [True, True, False, False]


def test_a_fit_takes_the_gradients_of_its_condition():
    def gradients_of(*_):
        raise AssertionError("nothing is trained here")

    given = {}
    with patch.object(reviews, "train", lambda *_, **named: given.update(named)):
        reviews.fit("rnn", SPLITS, VECTORS, SMALL, gradients_of=gradients_of)
        assert given.get("gradients_of") is gradients_of
        reviews.fit("rnn", SPLITS, VECTORS, SMALL)
        assert given.get("gradients_of") is loss_and_gradients


def test_uniform_weights_reach_to_one_over_the_root_of_h():
    settings = Settings(seed=1, hidden_size=25, forget_bias=2.5)
    cell = reviews.uniform_cell("lstm", 30, settings)
    for name, shape in (("W_x", (100, 30)), ("W_h", (100, 25))):
        assert cell[name].shape == shape and cell[name].dtype == np.float32
        assert 0.19 < cell[name].max() <= 0.2 and -0.2 <= cell[name].min() < -0.19
        assert abs(cell[name].mean()) < 0.01 and cell[name].std() == pytest.approx(0.1155, rel=0.05)
    assert cell["b"].tolist() == [*[0] * 25, *[2.5] * 25, *[0] * 50]
    other = reviews.uniform_cell("lstm", 30, Settings(seed=2, hidden_size=25))
    assert not np.isclose(cell["W_x"], other["W_x"]).any()
    assert not np.isclose(cell["W_h"], other["W_h"]).any()


def test_scores_are_those_of_the_epoch_with_the_smallest_validation_loss():
    state = state_of({"w": 1.0}, [0.7, 0.3, 0.5], [0.4, 0.8, 0.9])
    expected = {
        "val_accuracy": 0.8,
        "val_loss": 0.3,
        "best_epoch": 2,
        "epochs": 3,
        "training_seconds": 12.3,
    }
    assert reviews.training_scores(state) == expected

    def evaluate(parameters, part, settings):
        assert parameters is state.best_parameters and settings is SMALL
        assert part is SPLITS.test
        return Evaluation(loss=0.2, accuracy=0.95)

    with patch.object(reviews, "evaluate", evaluate):
        scores = reviews.scores(state, SPLITS, SMALL)
    assert scores == {"test_accuracy": 0.95, "test_loss": 0.2, **expected}


def test_of_several_learning_rates_the_smallest_validation_loss_decides():
    given = []

    def fit(model, splits, vectors, settings, **how):
        given.append((model, splits, vectors, settings.learning_rate, settings.epochs, how))
        losses = {0.1: [0.5, 0.6], 0.2: [0.4, 0.9], 0.3: [0.6, 0.7]}[settings.learning_rate]
        # The accuracies, and the losses of the last epoch, would choose another.
        return state_of({"w": 1.0}, losses, [losses[0], 0.9])

    with patch.object(reviews, "fit", fit):
        rates = (0.1, 0.2, 0.3)
        rate, trained = reviews.fit_each_rate("rnn", "splits", "vectors", SMALL, rates, scale=2)
    assert rate == 0.2 and list(trained) == [0.1, 0.2, 0.3]
    assert given == [("rnn", "splits", "vectors", r, SMALL.epochs, {"scale": 2}) for r in rates]
    assert trained[0.2].history[0].val_loss == 0.4


GRID = (0.1, 0.2, 0.4, 0.8, 1.6)


def halving(losses, first):
    """The chosen rate, and what was called, if training gives `losses` after 1 and 3 epochs."""
    called = []

    def fit(model, splits, vectors, settings, *, stop_after, gradients_of, **how):
        rate = settings.learning_rate
        assert (model, splits, vectors, gradients_of, how) == ("rnn", "s", "v", "g", {"scale": 2})
        assert settings == replace(SMALL, learning_rate=rate)
        called.append(f"{rate} to {stop_after or 'the end'}")
        return state_of({}, losses[rate][:stop_after], [0.5] * (stop_after or 2))

    def train(state, splits, settings, *, gradients_of):
        rate = settings.learning_rate
        assert (splits, gradients_of) == ("s", "g")
        assert settings == replace(SMALL, learning_rate=rate)
        assert state.history[0].val_loss == losses[rate][0]
        called.append(f"{rate} goes on")
        state.history = state_of({}, losses[rate], [0.5, 0.5]).history

    with patch.object(reviews, "fit", fit), patch.object(reviews, "train", train):
        rate, trained = reviews.fit_best_rate(
            "rnn", "s", "v", SMALL, GRID, first, gradients_of="g", scale=2
        )
    assert sorted(trained) == sorted({float(line.split()[0]) for line in called})
    return rate, called


def test_the_two_best_rates_after_one_epoch_go_on_and_the_better_one_is_chosen():
    losses = {0.1: [0.9, 0.8], 0.2: [0.5, 0.3], 0.4: [0.4, 0.35], 0.8: [0.6, 0.1]}
    assert halving(losses, (0.2, 0.4, 0.8)) == (
        0.2,
        ["0.2 to 1", "0.4 to 1", "0.8 to 1", "0.4 goes on", "0.2 goes on", "0.1 to the end"],
    )


def test_a_rate_beyond_the_two_best_is_chosen_if_it_is_better_in_the_end():
    losses = {0.1: [0.9, 0.2], 0.2: [0.5, 0.3], 0.4: [0.4, 0.35], 0.8: [0.6, 0.1]}
    rate, called = halving(losses, (0.2, 0.4, 0.8))
    assert rate == 0.1 and called[-1] == "0.1 to the end"


@pytest.mark.parametrize("turned", [False, True])
def test_the_grid_is_left_as_long_as_the_best_rate_stands_at_its_end(turned):
    order = GRID[::-1] if turned else GRID
    losses = dict(zip(order, [[0.9], [0.8], [0.7], [0.6], [0.65]], strict=True))
    losses = {rate: [*of_one, of_one[0] - 0.1] for rate, of_one in losses.items()}
    rate, called = halving(losses, sorted(order[:2]))
    assert rate == order[3]
    assert called[2:] == [
        f"{order[2]} to 1",
        f"{order[3]} to 1",
        f"{order[4]} to 1",
        f"{order[3]} goes on",
        f"{order[4]} goes on",
    ]


def test_at_an_end_of_the_whole_grid_the_search_ends():
    losses = {0.8: [0.5, 0.4], 1.6: [0.3, 0.2]}
    assert halving(losses, (0.8, 1.6)) == (
        1.6,
        ["0.8 to 1", "1.6 to 1", "1.6 goes on", "0.8 goes on"],
    )
