import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import product
from types import SimpleNamespace
from typing import Any
from unittest import mock

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from numpy_lstm import training
from numpy_lstm.classifier import Classifier, classifier_forward, loss_and_gradients
from numpy_lstm.data.batches import length_buckets, make_batch
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Splits
from numpy_lstm.settings import Settings
from numpy_lstm.train.checkpoint import load_checkpoint, save_checkpoint
from numpy_lstm.training import (
    Diverged,
    Epoch,
    Evaluation,
    TrainingState,
    classifier_of,
    draw_masks,
    evaluate,
    initial_state,
    is_finished,
    predict_logits,
    probe_batch,
    train,
    train_step,
)

SETTINGS = Settings(
    epochs=3, batch_size=16, hidden_size=6, bag_size=1, learning_rate=0.02, probes=5, patience=0
)
VECTORS = np.random.default_rng(5).standard_normal((20, 4)).astype(np.float32)


def first_word_reviews(n, seed):
    """Reviews of 2 to 9 words; the first word, 2 or 3, is the label."""
    rng = np.random.default_rng(seed)
    lengths = rng.integers(2, 10, n)
    starts = np.concatenate([[0], lengths.cumsum()])
    tokens = rng.integers(4, 20, starts[-1]).astype(np.int32)
    labels = rng.integers(0, 2, n).astype(np.int8)
    tokens[starts[:-1]] = 2 + labels
    return Reviews(tokens, starts, labels, np.arange(n, dtype=np.int32))


SPLITS = Splits(*(first_word_reviews(n, seed) for seed, n in enumerate((200, 60, 60))))


def trained(model, settings=SETTINGS, **callbacks):
    state = initial_state(model, VECTORS, settings)
    train(state, SPLITS, settings, **callbacks)
    return state


def assert_same(one, two):
    """Two runs are the same to the bit, but for the time they took."""
    for name in one.parameters:
        np.testing.assert_array_equal(one.parameters[name], two.parameters[name])
        np.testing.assert_array_equal(one.best_parameters[name], two.best_parameters[name])
        np.testing.assert_array_equal(one.optimizer.m[name], two.optimizer.m[name])
        np.testing.assert_array_equal(one.optimizer.v[name], two.optimizer.v[name])
    assert one.optimizer.t == two.optimizer.t
    assert [line[:4] for line in one.history] == [line[:4] for line in two.history]
    for a, b in zip(one.norms, two.norms, strict=True):
        np.testing.assert_array_equal(a.x, b.x)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_model_learns_to_remember_the_first_word(model):
    settings = replace(SETTINGS, epochs=15, dropout=0.0)
    state = trained(model, settings)
    assert evaluate(state.best_parameters, SPLITS.test, settings).accuracy > 0.95


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_the_same_seed_gives_the_same_bits(model):
    assert_same(trained(model), trained(model))


def test_another_seed_gives_another_run():
    other = trained("lstm", replace(SETTINGS, seed=1))
    assert other.history[0].val_loss != trained("lstm").history[0].val_loss


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_run_stopped_after_any_step_goes_on_to_the_same_bits(model, tmp_path):
    whole = trained(model)
    steps = -(-200 // 16)
    for stop in (1, steps - 1, steps, steps + 1, 2 * steps + 3):
        taken = 0

        def stop_now(*_, stop=stop):
            nonlocal taken
            taken += 1
            return taken < stop

        part = trained(model, after_step=stop_now)
        assert not is_finished(part, SETTINGS)
        save_checkpoint(tmp_path / "part.npz", part)
        resumed = load_checkpoint(tmp_path / "part.npz", SETTINGS)
        train(resumed, SPLITS, SETTINGS)
        assert_same(whole, resumed)


def test_a_second_thread_changes_no_bit():
    settings = replace(SETTINGS, hidden_size=300)  # enough to be handed over
    with threadpool_limits(2, user_api="blas"):
        two = trained("lstm", settings)
    with threadpool_limits(1, user_api="blas"):
        one = trained("lstm", settings)
    assert_same(one, two)


def test_the_best_epoch_is_the_one_with_the_smallest_validation_loss():
    state = trained("lstm")
    losses = [line.val_loss for line in state.history]
    assert state.best_epoch == np.argmin(losses) + 1
    best = evaluate(state.best_parameters, SPLITS.validation, SETTINGS)
    assert best.loss == min(losses)


def test_training_stops_when_the_validation_loss_stops_falling():
    settings = replace(SETTINGS, epochs=40, patience=2, learning_rate=0.1)
    state = trained("rnn", settings)
    assert state.epoch < 40
    assert state.epoch == state.best_epoch + 2


def test_gradient_norms_are_recorded_at_the_start_and_after_every_epoch():
    state = trained("lstm")
    assert len(state.norms) == SETTINGS.epochs + 1
    common = probe_batch(SPLITS.validation, SETTINGS.probes).lengths[0]
    assert all(norms.c.shape == (common, SETTINGS.probes) for norms in state.norms)


def test_probes_are_the_longest_reviews_cut_to_their_last_words():
    probes = probe_batch(SPLITS.validation, 5)
    assert len(set(probes.lengths.tolist())) == 1
    longest = np.argsort(-SPLITS.validation.lengths, kind="stable")[:5]
    for n, review in enumerate(longest):
        end = SPLITS.validation.starts[review + 1]
        words = SPLITS.validation.tokens[end - probes.lengths[0] : end]
        np.testing.assert_array_equal(probes.tokens[:, n], words)


def test_logits_come_in_the_order_of_the_reviews_whatever_the_batch():
    state = trained("lstm")
    one_by_one = replace(SETTINGS, batch_size=1)
    np.testing.assert_allclose(
        predict_logits(state.parameters, SPLITS.test, SETTINGS),
        predict_logits(state.parameters, SPLITS.test, one_by_one),
        rtol=0,
        atol=1e-12,
    )


def test_a_loss_that_is_not_finite_stops_the_run_before_the_parameters_are_spoiled():
    state = initial_state("lstm", VECTORS, SETTINGS)
    state.parameters["W_out"][:] = np.nan
    embedding = state.parameters["embedding"].copy()
    with pytest.raises(Diverged, match="at step 1 of epoch 1"):
        train(state, SPLITS, SETTINGS)
    np.testing.assert_array_equal(state.parameters["embedding"], embedding)


# --- the parts, on numbers made by hand ----------------------------------------------------------


def reviews_of(lengths: list[int], labels: list[int] | None = None) -> Reviews:
    """Review n holds the word n + 2 alone, so that a batch shows whom it holds."""
    n = len(lengths)
    return Reviews(
        np.repeat(np.arange(2, n + 2, dtype=np.int32), lengths),
        np.cumsum([0, *lengths]),
        np.array(labels or [0] * n, np.int8),
        np.arange(n, dtype=np.int32),
    )


def history_of(losses: list[float], accuracies: list[float] | None = None) -> list[Epoch]:
    accuracies = accuracies or [0.5] * len(losses)
    scores = enumerate(zip(losses, accuracies, strict=True), 1)
    return [Epoch(k, 1.0, loss, accuracy, 1.0, 1.0) for k, (loss, accuracy) in scores]


def state_with(history: list[Epoch]) -> TrainingState:
    state = initial_state("rnn", VECTORS, SETTINGS)
    state.epoch, state.history = len(history), history
    return state


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_run_starts_as_its_settings_say(model: Any) -> None:
    settings = replace(SETTINGS, forget_bias=2.5, readout="meanmax", hidden_size=3)
    state = initial_state(model, VECTORS, settings, n_classes=4)
    rows = 3 if model == "rnn" else 12
    forget = [] if model == "rnn" else [*[0] * 3, *[2.5] * 3, *[0] * 3]
    assert state.parameters["W_x"].shape == (rows, 4)
    assert state.parameters["W_out"].shape == (4, 6)
    assert state.parameters["b"].tolist() == [*forget, *[0] * 3]
    np.testing.assert_array_equal(state.parameters["embedding"], VECTORS)
    assert state.optimizer.learning_rate == settings.learning_rate
    assert (state.epoch, state.step, state.history, state.norms) == (0, 0, [], [])
    assert len(initial_state(model, VECTORS, settings).parameters["b_out"]) == 1  # two classes


def test_the_first_weights_depend_on_the_seed_alone() -> None:
    one, two, other = (
        initial_state("lstm", VECTORS, replace(SETTINGS, seed=seed, dropout=rate, batch_size=size))
        for seed, rate, size in ((3, 0.0, 1), (3, 0.5, 9), (4, 0.0, 1))
    )
    for name in ("W_x", "W_h", "W_out"):
        np.testing.assert_array_equal(one.parameters[name], two.parameters[name])
        assert (one.parameters[name] != other.parameters[name]).all()


def test_the_best_parameters_are_a_copy_from_the_start_on() -> None:
    state = initial_state("lstm", VECTORS, SETTINGS)
    for name, array in state.parameters.items():
        np.testing.assert_array_equal(state.best_parameters[name], array)
        assert not np.shares_memory(state.best_parameters[name], array)
        assert not np.shares_memory(array, VECTORS)


def test_a_classifier_has_the_bags_and_the_readout_of_the_settings() -> None:
    settings = replace(SETTINGS, bag_size=3, readout="max")
    assert classifier_of({"W_x": VECTORS}, settings) == ({"W_x": VECTORS}, 3, "max")


@pytest.mark.parametrize(
    ("losses", "accuracies", "best"),
    [
        ([], [], 0),
        ([0.5], [0.5], 1),
        ([0.5, 0.4, 0.6], [0.9, 0.5, 0.7], 2),  # by the loss, not by the accuracy
        ([0.6, 0.5, 0.4], [0.9, 0.8, 0.7], 3),
        ([0.4, 0.3, 0.3, 0.3], [0.5, 0.5, 0.6, 0.7], 2),  # of equals the first
    ],
)
def test_the_best_epoch_has_the_smallest_loss(
    losses: list[float], accuracies: list[float], best: int
) -> None:
    assert state_with(history_of(losses, accuracies)).best_epoch == best


@pytest.mark.parametrize(
    ("losses", "epochs", "patience", "finished"),
    [
        ([], 3, 2, False),
        ([0.5, 0.4], 3, 2, False),
        ([0.5, 0.4, 0.3], 3, 2, True),  # all epochs have run
        ([0.5, 0.6], 9, 2, False),  # one epoch without a better loss
        ([0.5, 0.6, 0.7], 9, 2, True),  # two
        ([0.5, 0.4, 0.7, 0.6], 9, 2, True),  # better than before is not better than the best
        ([0.5, 0.6], 9, 1, True),
        ([0.5, 0.6, 0.7, 0.8], 9, 0, False),  # 0 never stops early
        ([0.5, 0.6, 0.4], 9, 2, False),
    ],
)
def test_a_run_ends_after_its_epochs_or_when_its_patience_does(
    losses: list[float], epochs: int, patience: int, finished: bool
) -> None:
    settings = replace(SETTINGS, epochs=epochs, patience=patience)
    assert is_finished(state_with(history_of(losses)), settings) is finished


# --- the loop, with steps that only write down what they are given -------------------------------

LOOP = Settings(
    seed=7, epochs=2, patience=0, batch_size=6, bag_size=1, hidden_size=2, learning_rate=0.6
)
TWENTY = Splits(
    reviews_of([1 + n % 5 for n in range(20)]),
    reviews_of([3, 1, 2], [1, 0, 1]),
    reviews_of([9, 9, 9], [0, 1, 0]),
)


class Script:
    """Stands for the steps, the scores, the norms and the clock of a run."""

    def __init__(self, val_losses: list[float]) -> None:
        self.val_losses = val_losses
        self.steps: list[Any] = []  # epoch, step, learning rate, reviews
        self.scored: list[Any] = []  # reviews and b_out
        self.recorded: list[Any] = []  # classifier, b_out and batch
        self.now = 0.0

    def train_step(
        self, state: Any, batch: Any, settings: Any, gradients_of: Any
    ) -> tuple[float, float]:
        assert settings is not None and gradients_of is loss_and_gradients
        self.now += 2
        state.parameters["b_out"] += 1  # in place, as Adam does
        rate = state.optimizer.learning_rate
        self.steps.append((state.epoch, state.step, rate, (batch.tokens[0] - 2).tolist()))
        return float(len(batch.labels)), 0.25

    def evaluate(self, parameters: Any, reviews: Any, settings: Any) -> Evaluation:
        self.now += 100
        self.scored.append((reviews, parameters["b_out"].item()))
        return Evaluation(self.val_losses[len(self.scored) - 1], len(self.scored) / 8)

    def record(self, classifier: Any, batch: Any) -> int:
        self.recorded.append((classifier, classifier.parameters["b_out"].item(), batch))
        return len(self.recorded)

    @contextmanager
    def played(self) -> Iterator[None]:
        with mock.patch.multiple(
            training,
            train_step=self.train_step,
            evaluate=self.evaluate,
            gradient_flow=SimpleNamespace(record=self.record),
            time=SimpleNamespace(perf_counter=lambda: self.now),
        ):
            yield


def played(
    val_losses: list[float],
    settings: Settings = LOOP,
    state: TrainingState | None = None,
    **callbacks: Any,
) -> tuple[Script, TrainingState]:
    script = Script(val_losses)
    state = state or initial_state("lstm", VECTORS[:, :2], settings)
    with script.played():
        train(state, TWENTY, settings, **callbacks)
    return script, state


def order(seed: int, epoch: int) -> list[list[int]]:
    settings = replace(LOOP, seed=seed)
    script, _ = played([0.5, 0.5], settings)
    return [reviews for of_epoch, _, _, reviews in script.steps if of_epoch == epoch]


def test_every_epoch_reads_all_training_reviews_once() -> None:
    for epoch in (0, 1):
        batches = order(7, epoch)
        assert sorted(map(len, batches)) == [2, 6, 6, 6]
        assert sorted(n for batch in batches for n in batch) == list(range(20))


def test_the_order_is_that_of_seed_and_epoch() -> None:
    orders = [order(*key) for key in product((0, 1), (0, 1))]
    assert all(one != other for k, one in enumerate(orders) for other in orders[:k])
    assert order(0, 1) == orders[1]
    buckets = length_buckets(TWENTY.train.lengths, 6, rng=np.random.default_rng((0, 1)))
    assert list(map(sorted, order(0, 1))) == [sorted(batch.tolist()) for batch in buckets]


def test_the_learning_rate_falls_along_a_straight_line_to_zero() -> None:
    script, _ = played([0.5, 0.4])
    rates = [rate for _, _, rate, _ in script.steps]
    np.testing.assert_allclose(rates, 0.6 * (1 - np.arange(8) / 8), rtol=1e-12)


def test_a_line_of_the_history_is_what_happened_in_its_epoch() -> None:
    _, state = played([0.5, 0.4])
    # Three batches of 6 and one of 2, with the losses 6 and 2; each step takes 2 seconds.
    mean_loss, words = (18 * 6 + 2 * 2) / 20, TWENTY.train.lengths.sum()
    assert state.history == [
        Epoch(1, mean_loss, 0.5, 1 / 8, 8.0, words / 8),
        Epoch(2, mean_loss, 0.4, 2 / 8, 8.0, words / 8),
    ]
    assert state.seconds == 2 * (8 + 100)  # with the time for the scores
    assert (state.epoch, state.step, state.reviews, state.tokens) == (2, 0, 0, 0)
    assert (state.loss_sum, state.epoch_seconds) == (0.0, 0.0)


def test_epochs_are_scored_on_the_validation_reviews_with_the_parameters_they_end_with() -> None:
    script, _ = played([0.5, 0.4])
    assert all(reviews is TWENTY.validation for reviews, _ in script.scored)
    assert [b for _, b in script.scored] == [4, 8]  # a step adds 1


@pytest.mark.parametrize(
    ("losses", "best"), [([0.5, 0.4, 0.6], 8), ([0.3, 0.4, 0.3], 4), ([0.5, 0.4, 0.3], 12)]
)
def test_the_best_parameters_are_those_of_the_best_epoch(losses: list[float], best: int) -> None:
    _, state = played(losses, replace(LOOP, epochs=3))
    assert state.best_parameters["b_out"].tolist() == [best]
    assert state.parameters["b_out"].tolist() == [12]
    assert state.best_parameters.keys() == state.parameters.keys()


def test_steps_after_the_best_epoch_do_not_reach_its_parameters() -> None:
    _, state = played([0.5, 0.4])
    for name, array in state.parameters.items():
        assert not np.shares_memory(array, state.best_parameters[name])


def test_norms_are_recorded_on_the_longest_validation_reviews_before_and_after_every_epoch() -> (
    None
):
    settings = replace(LOOP, probes=2, bag_size=3, readout="mean")
    script, state = played([0.5, 0.4], settings)
    assert state.norms == [1, 2, 3]
    assert [b for _, b, _ in script.recorded] == [0, 4, 8]
    for classifier, _, batch in script.recorded:
        assert classifier[1:] == (3, "mean")
        assert batch.tokens.tolist() == [[2, 4], [2, 4]]  # cut to the shorter one's two words
        assert batch.labels.tolist() == [1, 1]
        assert batch.lengths.tolist() == [2, 2]


def test_norms_at_the_start_are_those_of_the_parameters_as_they_are() -> None:
    state = initial_state("lstm", VECTORS[:, :2], LOOP)
    state.parameters["b_out"][:] = 3
    script, _ = played([0.5, 0.4], state=state)
    assert script.recorded[0][1] == 3


def test_training_ends_when_the_patience_does() -> None:
    script, state = played([0.5, 0.6, 0.7, 0.1], replace(LOOP, epochs=4, patience=2))
    assert (state.epoch, len(script.steps)) == (3, 12)


def test_what_is_called_after_a_step_knows_the_step() -> None:
    seen: list[Any] = []

    def after_step(state: TrainingState, *figures: float) -> bool:
        seen.append((state.epoch, state.step, state.reviews, *figures))
        return True

    script, _ = played([0.5, 0.4], after_step=after_step)
    read = [0, 0]
    for (epoch, step, _, reviews), told in zip(script.steps, seen, strict=True):
        read[epoch] += len(reviews)
        assert told == (epoch, step + 1, read[epoch], 4, float(len(reviews)), 0.25)


def test_what_is_called_after_an_epoch_finds_it_in_the_history() -> None:
    seen: list[Any] = []
    played([0.5, 0.4], after_epoch=lambda s: seen.append((s.epoch, len(s.history), len(s.norms))))
    assert seen == [(1, 1, 2), (2, 2, 3)]


def test_a_stopped_epoch_goes_on_with_the_batches_that_are_left() -> None:
    whole, _ = played([0.5, 0.4])
    part, state = played([], after_step=lambda state, *_: state.step < 3)
    assert (state.epoch, state.step, len(part.scored)) == (0, 3, 0)
    rest, state = played([0.5, 0.4], state=state)
    assert part.steps + rest.steps == whole.steps
    assert len(rest.recorded) == 2  # not a second time before the first epoch
    assert [line.train_loss for line in state.history] == [5.6, 5.6]


def test_whoever_stops_after_the_last_step_of_an_epoch_gets_the_epoch_scored() -> None:
    stops = iter([True, True, True, False, False])
    script, state = played([0.5], after_step=lambda *_: next(stops))
    assert (state.epoch, state.step, len(script.scored)) == (1, 1, 1)


def test_a_validation_loss_that_is_not_finite_is_no_epoch() -> None:
    with pytest.raises(Diverged, match="validation loss is nan after step 4, the last of epoch 2"):
        played([0.5, float("nan")], state=(state := initial_state("lstm", VECTORS[:, :2], LOOP)))
    assert (state.epoch, len(state.history), len(state.norms)) == (1, 1, 2)
    assert state.best_parameters["b_out"].tolist() == [4]


# --- one step ------------------------------------------------------------------------------------


class Notebook:
    """An optimizer that takes no step, and writes down the gradients."""

    def __init__(self) -> None:
        self.gradients: list[Any] = []

    def step(self, parameters: Any, gradients: Any) -> None:
        self.gradients.append((parameters, gradients))


def step_with(
    loss: float, gradient: list[float], settings: Settings = SETTINGS, logits: Any = (1.0, -1.0)
) -> tuple[tuple[float, float], TrainingState, mock.Mock]:
    """A step whose loss and whose gradient in b_out are given."""
    state = initial_state("lstm", VECTORS, settings)
    state.optimizer = Notebook()  # type: ignore[assignment]
    state.epoch, state.step = 2, 5
    batch = make_batch(reviews_of([2, 2], [1, 1]), np.arange(2))
    gradients = SimpleNamespace(parameters={"b_out": np.array(gradient)})
    found = mock.Mock(return_value=(loss, np.array(logits), gradients))
    return train_step(state, batch, settings, found), state, found


def test_a_step_returns_the_loss_and_the_accuracy_of_its_batch() -> None:
    assert step_with(0.7, [0.0])[0] == (0.7, 0.5)
    assert step_with(0.7, [0.0], logits=[1.0, 2.0])[0] == (0.7, 1.0)
    assert step_with(0.7, [0.0], logits=[[0.0, 3.0, 1.0], [2.0, 1.0, 5.0]])[0] == (0.7, 0.5)


@pytest.mark.parametrize(("clip", "wanted"), [(1.0, [0.6, 0.8]), (10.0, [3.0, 4.0])])
def test_the_optimizer_gets_the_clipped_gradient(clip: float, wanted: list[float]) -> None:
    _, state, _ = step_with(0.7, [3.0, 4.0], replace(SETTINGS, clip=clip))
    [(parameters, gradients)] = state.optimizer.gradients  # type: ignore[attr-defined]
    assert parameters is state.parameters
    np.testing.assert_allclose(gradients["b_out"], wanted)


@pytest.mark.parametrize(
    ("loss", "gradient"),
    [(np.nan, 0.0), (np.inf, 0.0), (0.7, np.inf), (0.7, -np.inf), (0.7, np.nan)],
)
def test_no_step_is_taken_with_a_number_that_is_not_finite(loss: float, gradient: float) -> None:
    with (
        mock.patch.object(Notebook, "step", side_effect=AssertionError("a step was taken")),
        pytest.raises(Diverged, match="at step 6 of epoch 3"),
    ):
        step_with(loss, [1.0, gradient])


def test_an_overflow_is_diverged_and_not_a_warning() -> None:
    state = initial_state("lstm", VECTORS, SETTINGS)
    state.parameters["b"][:] = 10  # every gate is open
    state.parameters["W_out"][:] = 3e38
    with warnings.catch_warnings(), pytest.raises(Diverged, match="at step 1 of epoch 1"):
        warnings.simplefilter("error")
        train_step(state, make_batch(reviews_of([2, 2], [1, 0]), np.arange(2)), SETTINGS)
    assert (state.parameters["W_out"] == np.float32(3e38)).all()


def test_a_step_drops_by_the_masks_of_its_number() -> None:
    settings = replace(SETTINGS, dropout=0.5, bag_size=3, readout="mean")
    _, state, found = step_with(0.7, [0.0], settings)
    classifier, _, *masks = found.call_args.args
    assert classifier == (state.parameters, 3, "mean")
    assert len(masks) == 1
    for mask, wanted in zip(masks[0], draw_masks(state, 2, settings) or (), strict=True):
        np.testing.assert_array_equal(mask, wanted)
    _, _, found = step_with(0.7, [0.0], replace(SETTINGS, dropout=0.0))
    assert found.call_args.args[2:] == (None,)


def test_masks_drop_their_share_of_inputs_and_features_and_nothing_without_dropout() -> None:
    settings = replace(SETTINGS, dropout=0.2, readout="meanmax")
    state = initial_state("lstm", VECTORS, settings)
    masks = draw_masks(state, 1000, settings)
    assert masks is not None
    assert (masks.inputs.shape, masks.features.shape) == ((1000, 4), (1000, 12))
    for mask in masks:
        assert set(np.unique(mask)) == {0, np.float32(1 / 0.8)}
        assert (mask == 0).mean() == pytest.approx(0.2, abs=0.03)
    assert draw_masks(state, 3, replace(SETTINGS, dropout=0.0)) is None


def test_masks_are_those_of_seed_epoch_and_step() -> None:
    def inputs(seed: int, epoch: int, step: int) -> list[list[float]]:
        settings = replace(SETTINGS, dropout=0.5, seed=seed)
        state = initial_state("lstm", VECTORS, settings)
        state.epoch, state.step = epoch, step
        masks = draw_masks(state, 30, settings)
        assert masks is not None
        return masks.inputs.tolist()

    drawn = [inputs(*key) for key in product((0, 1), repeat=3)]
    assert all(one != other for k, one in enumerate(drawn) for other in drawn[:k])
    assert inputs(1, 1, 0) == drawn[6]


# --- scores --------------------------------------------------------------------------------------


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("readout", ["last", "mean"])
def test_logits_are_those_of_each_review_alone_without_dropout(
    n_classes: int, readout: Any
) -> None:
    settings = replace(SETTINGS, batch_size=2, bag_size=2, readout=readout, dropout=0.9)
    parameters = initial_state("lstm", VECTORS, settings, n_classes).parameters
    exact = {name: array.astype(float) for name, array in parameters.items()}
    reviews = reviews_of([1, 4, 2, 5, 3])
    alone = [
        classifier_forward(
            Classifier(exact, 2, readout), np.full((length, 1), n + 2), np.array([length])
        )[0][0]
        for n, length in enumerate(reviews.lengths)
    ]
    logits = predict_logits(parameters, reviews, settings)
    assert logits.dtype == np.float64
    np.testing.assert_allclose(logits, alone, rtol=0, atol=1e-12)
    assert parameters["W_x"].dtype == np.float32


def test_more_words_than_a_short_integer_counts_are_told_apart() -> None:
    """A review of the second half of 80,000 words, each its own number: their mean is read."""
    words = np.linspace(0, 1, 80_000)
    parameters = {
        "embedding": words[:, np.newaxis],
        **{"W_x": np.ones((1, 1)), "W_h": np.zeros((1, 1)), "b": np.zeros(1)},
        **{"W_out": np.ones((1, 1)), "b_out": np.zeros(1)},
    }
    half = np.arange(40_000, 80_000, dtype=np.int32)
    reviews = Reviews(half, np.array([0, len(half)]), np.zeros(1, int), np.zeros(1, np.int32))
    logits = predict_logits(parameters, reviews, replace(SETTINGS, bag_size=40_000))
    np.testing.assert_allclose(logits, np.tanh(words[half].mean()), rtol=1e-12)


def test_a_bag_is_a_mean_of_its_real_words() -> None:
    """Two bags of four words and of one, beside a longer review: tanh of 1, whatever the bag."""
    parameters = {
        "embedding": np.array([[9.0], [9], [1], [1]]),
        **{"W_x": np.ones((1, 1)), "W_h": np.zeros((1, 1)), "b": np.zeros(1)},
        **{"W_out": np.ones((1, 1)), "b_out": np.zeros(1)},
    }
    settings = replace(SETTINGS, bag_size=4, readout="mean", batch_size=2)
    logits = predict_logits(parameters, reviews_of([5, 11]), settings)
    np.testing.assert_allclose(logits, np.tanh([1, 1]), rtol=1e-12)


@pytest.mark.parametrize(
    ("weights", "shares"),
    [
        (None, [1 / 3, 1 / 3, 1 / 3]),
        ([1.0, 1.0, 1.0], [1 / 3, 1 / 3, 1 / 3]),
        ([1.0, 4.0, 3.0], [1 / 8, 4 / 8, 3 / 8]),
    ],
)
def test_loss_and_accuracy_are_means_weighted_by_review(
    weights: list[float] | None, shares: list[float]
) -> None:
    """Log-odds of 0, ln 3 and -ln 3: probabilities of 1/2, 3/4 and 1/4."""
    reviews = reviews_of([1, 1, 1], [1, 1, 1])
    if weights:
        reviews = reviews._replace(weights=np.array(weights, np.float32))
    parameters: dict[str, Any] = {}
    logits = mock.Mock(return_value=np.log([1, 3, 1 / 3]))
    with mock.patch.object(training, "predict_logits", logits):
        scores = evaluate(parameters, reviews, SETTINGS)
    logits.assert_called_once_with(parameters, reviews, SETTINGS)
    loss = np.dot(shares, np.log([2, 4 / 3, 4]))
    assert scores == pytest.approx((loss, shares[1]), rel=1e-12)


def test_more_classes_are_scored_by_the_largest_logit() -> None:
    logits = np.log([[1.0, 2, 1], [1, 1, 2]])
    with mock.patch.object(training, "predict_logits", return_value=logits):
        scores = evaluate({}, reviews_of([1, 1], [1, 0]), SETTINGS)
    assert scores == pytest.approx(((np.log(2) + np.log(4)) / 2, 0.5))


def test_a_probe_is_cut_to_its_last_words() -> None:
    reviews = reviews_of([4, 1, 3])._replace(tokens=np.arange(2, 10, dtype=np.int32))
    probes = probe_batch(reviews, 2)
    assert probes.tokens.tolist() == [[3, 7], [4, 8], [5, 9]]
    assert probe_batch(reviews, 3).tokens.tolist() == [[5, 9, 6]]


def test_probes_keep_their_labels_and_of_equal_lengths_the_first() -> None:
    reviews = reviews_of([2, 5, 3, 5, 3], [0, 1, 0, 0, 1])
    probes = probe_batch(reviews, 3)
    assert probes.tokens.tolist() == [[3, 5, 4]] * 3
    assert probes.labels.tolist() == [1, 0, 0]
    assert probes.lengths.tolist() == [3, 3, 3]
    assert len(probe_batch(reviews, 99).labels) == 5
