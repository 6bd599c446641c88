"""The answer of each task, read off its inputs."""

import numpy as np
import pytest

from numpy_lstm.data.long_lag import adding, first_symbol, temporal_order


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def symbols_of(xs: np.ndarray) -> np.ndarray:
    """The symbols, which must be one-hot."""
    assert xs.dtype == np.float32
    assert (np.sort(xs, axis=2) == np.eye(xs.shape[2])[-1]).all()
    return xs.argmax(axis=2)


def test_the_first_symbol_is_the_answer_and_no_later_one_tells_it() -> None:
    xs, targets = first_symbol(20, 400, rng())
    assert xs.shape == (21, 400, 12)
    symbols = symbols_of(xs)
    assert (symbols[0] == targets).all()
    assert set(targets.tolist()) == {0, 1}
    assert 150 < targets.sum() < 250
    assert np.bincount(symbols[1:].ravel(), minlength=12)[:2].tolist() == [0, 0]
    assert np.bincount(symbols[1:].ravel(), minlength=12)[2:].min() > 600  # of 800 on average


def test_the_sum_is_of_the_two_marked_numbers_one_in_each_half() -> None:
    xs, targets = adding(10, 500, rng())
    assert xs.shape == (10, 500, 2)
    assert xs.dtype == np.float32
    numbers, marks = xs[..., 0], xs[..., 1]
    assert set(np.unique(marks)) == {0, 1}
    assert (marks[:5].sum(axis=0) == 1).all()
    assert (marks[5:].sum(axis=0) == 1).all()
    assert (marks.sum(axis=1) > 50).all()  # every place is marked, 100 times on average
    np.testing.assert_allclose((numbers * marks).sum(axis=0), targets, rtol=1e-6)
    assert 0 <= numbers.min() < 0.01
    assert 0.99 < numbers.max() <= 1
    assert targets.var() == pytest.approx(1 / 6, rel=0.15)
    assert numbers.mean() == pytest.approx(0.5, abs=0.02)


@pytest.mark.parametrize("T", [7, 11])
def test_of_an_odd_number_of_steps_the_second_half_is_longer(T: int) -> None:
    marks = adding(T, 300, rng())[0][..., 1]
    assert (marks[: T // 2].sum(axis=0) == 1).all()
    assert (marks[T // 2 :].sum(axis=0) == 1).all()


def test_the_class_is_the_order_of_the_two_symbols() -> None:
    xs, targets = temporal_order(50, 800, rng())
    assert xs.shape == (50, 800, 6)
    symbols = symbols_of(xs)
    is_telling = symbols < 2
    assert (is_telling.sum(axis=0) == 2).all()
    assert set(np.flatnonzero(is_telling.any(axis=1))) == {*range(5, 10), *range(25, 30)}
    pairs = symbols.T[is_telling.T].reshape(800, 2)
    assert (2 * pairs[:, 0] + pairs[:, 1] == targets).all()
    assert np.bincount(targets, minlength=4).min() > 150
    assert set(np.unique(symbols)) == set(range(6))


def test_the_shortest_sequences_have_room_for_both_symbols() -> None:
    symbols = symbols_of(temporal_order(4, 50, rng())[0])
    assert ((symbols < 2).sum(axis=0) == 2).all()


@pytest.mark.parametrize("task", [first_symbol, adding, temporal_order])
def test_a_task_is_drawn_from_its_generator(task: object) -> None:
    one, two, other = (task(20, 30, rng(seed)) for seed in (0, 0, 1))  # type: ignore[operator]
    np.testing.assert_array_equal(one.xs, two.xs)
    np.testing.assert_array_equal(one.targets, two.targets)
    assert (one.xs != other.xs).any()
    assert (one.targets != other.targets).any()
