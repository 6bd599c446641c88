from dataclasses import replace

import numpy as np
import pytest
from threadpoolctl import threadpool_limits

from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Splits
from numpy_lstm.settings import Settings
from numpy_lstm.train.checkpoint import load_checkpoint, save_checkpoint
from numpy_lstm.training import (
    Diverged,
    evaluate,
    initial_state,
    is_finished,
    predict_logits,
    probe_batch,
    train,
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
