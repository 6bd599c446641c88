"""Bag of embeddings, dropout, read-out, affine: by hand, and equal to the plainest loop.

Their gradients stand in test_gradients.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.layers import (
    add_rows,
    affine_backward,
    affine_forward,
    bag_backward,
    bag_forward,
    dropout_backward,
    dropout_forward,
    dropout_mask,
    readout_backward,
    readout_forward,
)
from tests.comparing import assert_identical, assert_same
from tests.strategies import Recipe, recipes

FLOATS = [np.float32, np.float64]

# --- bag of embeddings ---------------------------------------------------------------------------

TABLE = np.array([[0.0, 0.0], [1.0, 10.0], [2.0, 20.0], [4.0, 40.0]])
TOKENS = np.array([[1, 3], [2, 3], [3, 0], [3, 0], [1, 0]])  # 5 words; the 2nd review has 2 of them
LENGTHS = np.array([5, 2])


def test_a_bag_of_one_looks_words_up() -> None:
    xs, steps, _ = bag_forward(TOKENS, LENGTHS, TABLE, bag_size=1)
    expected = TABLE[TOKENS]
    expected[2:, 1] = 0
    assert_identical(xs, expected)
    assert_identical(steps, LENGTHS)
    by_default, _, _ = bag_forward(TOKENS, LENGTHS, TABLE)
    assert_identical(by_default, xs)


def test_a_vocabulary_of_one_word_will_do() -> None:
    tokens = np.array([[0, 0], [0, 99]])  # the 2nd review has one word; no word has the id 99
    xs, _, _ = bag_forward(tokens, np.array([2, 1]), np.array([[3.0]]))
    assert_identical(xs[..., 0], np.array([[3.0, 3.0], [3.0, 0.0]]))


def test_a_bag_of_two_averages_pairs_and_what_is_left() -> None:
    xs, steps, _ = bag_forward(TOKENS, LENGTHS, TABLE, bag_size=2)
    assert_identical(xs[:, 0], np.array([[1.5, 15.0], [4.0, 40.0], [1.0, 10.0]]))
    assert_identical(xs[:, 1], np.array([[4.0, 40.0], [0.0, 0.0], [0.0, 0.0]]))
    assert_identical(steps, np.array([3, 1]))


def test_a_bag_as_large_as_the_review_is_its_mean_whatever_the_order() -> None:
    xs, steps, _ = bag_forward(TOKENS, LENGTHS, TABLE, bag_size=5)
    assert_same(xs, np.array([[[12 / 5, 120 / 5], [4.0, 40.0]]]))
    shuffled, _, _ = bag_forward(TOKENS[[1, 0, 4, 3, 2]], LENGTHS, TABLE, bag_size=9)
    assert_same(shuffled, xs)
    assert_identical(steps, np.array([1, 1]))


class Counted(np.ndarray):
    """A table that counts how often words are looked up in it."""

    lookups = 0

    def __getitem__(self, key: Any) -> Any:
        self.lookups += 1
        return super().__getitem__(key)


def test_a_bag_far_larger_than_the_reviews_costs_no_more_than_their_words() -> None:
    table = TABLE.view(Counted)
    xs, steps, _ = bag_forward(TOKENS, LENGTHS, table, bag_size=10**9)
    assert table.lookups == 5  # a pass for each word of the longest review
    assert_identical(xs, bag_forward(TOKENS, LENGTHS, TABLE, bag_size=5)[0])
    assert_identical(steps, np.array([1, 1]))


def test_the_gradient_of_a_word_is_the_sum_over_its_uses() -> None:
    _, _, cache = bag_forward(TOKENS, LENGTHS, TABLE, bag_size=2)
    dxs = np.array([[[2.0], [20.0]], [[4.0], [np.nan]], [[8.0], [np.nan]]]) * np.ones(2)
    rows, values = bag_backward(dxs, cache)
    # Word 1: half of bag 1, all of bag 3. Word 2: half of bag 1. Word 3: all of two bags.
    assert_identical(rows, np.array([1, 2, 3]))
    assert_same(values, np.array([[1 + 8.0], [1.0], [4.0 + 20.0]]) * np.ones(2))


@given(recipe=recipes(), bag_size=st.integers(1, 13))
def test_bags_equal_a_loop_over_reviews(recipe: Recipe, bag_size: int) -> None:
    rng = np.random.default_rng(recipe.seed)
    table = rng.standard_normal((7, recipe.D))
    tokens = rng.integers(0, 7, (recipe.T, recipe.N))
    expected = np.zeros((-(-recipe.T // bag_size), recipe.N, recipe.D))
    for n, length in enumerate(recipe.lengths):
        for k in range(0, length, bag_size):
            expected[k // bag_size, n] = table[tokens[k : min(k + bag_size, length), n]].mean(0)
    tokens[np.arange(recipe.T)[:, np.newaxis] >= recipe.lengths] = -(10**6)  # no word has this id
    xs, steps, _ = bag_forward(tokens, np.array(recipe.lengths), table, bag_size)
    assert_same(xs, expected)
    assert steps.tolist() == [-(-length // bag_size) for length in recipe.lengths]


@given(
    uses=st.lists(st.integers(0, 40), min_size=1, max_size=12).filter(any),
    seed=st.integers(0, 2**32 - 1),
)
def test_rows_are_added_up_however_often_each_comes(uses: list[int], seed: int) -> None:
    rng = np.random.default_rng(seed)
    rows = rng.permutation(np.repeat(np.arange(len(uses)), uses))
    values = rng.standard_normal((5, 3))
    which = rng.integers(0, 5, len(rows))
    expected = np.zeros((len(uses), 3))
    np.add.at(expected, rows, values[which])
    result = add_rows(rows, values, which)
    assert_identical(result.rows, np.flatnonzero(uses))
    assert_same(result.values, expected[result.rows])


def test_the_uses_of_a_row_are_added_in_their_order_so_that_rounding_is_the_same_everywhere() -> (
    None
):
    rng = np.random.default_rng(0)
    rows = rng.permutation(np.repeat(np.arange(50), 16))
    values = rng.standard_normal((len(rows), 2)).astype(np.float32)
    expected = np.zeros((50, 2), np.float32)
    np.add.at(expected, rows, values)  # one after the other
    assert_identical(add_rows(rows, values, np.arange(len(rows))).values, expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_bags_keep_the_dtype_of_the_table(dtype: Any) -> None:
    xs, _, cache = bag_forward(TOKENS, LENGTHS, TABLE.astype(dtype), bag_size=2)
    assert xs.dtype == bag_backward(xs, cache).values.dtype == dtype


# --- dropout -------------------------------------------------------------------------------------


def test_a_mask_drops_its_rate_and_scales_the_rest_so_that_the_mean_is_one() -> None:
    mask = dropout_mask((1000, 100), 0.2, rng=np.random.default_rng(0), dtype=np.float64)
    assert set(np.unique(mask)) == {0.0, 1 / (1 - 0.2)}
    # 100,000 draws: one standard deviation of the share that is dropped is 0.0013.
    assert np.mean(mask == 0) == pytest.approx(0.2, abs=5 * 0.0013)


def test_a_rate_of_zero_drops_nothing() -> None:
    assert_identical(dropout_mask((3, 4), 0.0, rng=np.random.default_rng(0)), np.ones((3, 4), "f4"))


class Draws:
    """In place of a generator: what it will draw is known."""

    def __init__(self, *numbers: float) -> None:
        self.numbers = np.array(numbers)

    def random(self, shape: tuple[int, ...]) -> np.ndarray:
        return self.numbers.reshape(shape)


def test_the_draws_below_the_rate_are_dropped() -> None:
    draws: Any = Draws(0.0, np.nextafter(0.75, 0), 0.75, np.nextafter(1, 0))
    assert_identical(dropout_mask((4,), 0.75, rng=draws), np.array([0, 0, 4, 4], np.float32))


def test_equal_generators_draw_equal_masks() -> None:
    first, second = (dropout_mask((50,), 0.5, rng=np.random.default_rng(7)) for _ in range(2))
    assert_identical(first, second)


def test_a_mask_without_time_axis_drops_the_same_at_every_step() -> None:
    x, mask = np.arange(1.0, 13).reshape(2, 3, 2), np.array([[0.0, 2], [2, 0], [2, 2]])
    expected = np.array([[[0.0, 4], [6, 0], [10, 12]], [[0, 16], [18, 0], [22, 24]]])
    assert_identical(dropout_forward(x, mask), expected)
    assert_identical(dropout_backward(x, mask), expected)


@pytest.mark.parametrize("dtype", FLOATS)
def test_dropout_keeps_the_dtype(dtype: Any) -> None:
    mask = dropout_mask((4,), 0.5, rng=np.random.default_rng(0), dtype=dtype)
    assert mask.dtype == dropout_forward(np.ones(4, dtype), mask).dtype == dtype


@pytest.mark.parametrize("rate", [-0.1, 1.0, 2])
def test_a_rate_outside_zero_to_one_is_refused(rate: float) -> None:
    with pytest.raises(ValueError) as error:
        dropout_mask((3,), rate, rng=np.random.default_rng(0))
    assert str(error.value) == f"`rate` must lie in [0, 1); got {rate}."


# --- read-out ------------------------------------------------------------------------------------

# Two reviews of 3 and 1 steps, two units. All states are negative somewhere, and padding is 0:
# whoever looks at padding finds a larger number there.
HS = np.array([[[-0.5, 0.1], [-0.2, -0.3]], [[-0.1, -0.4], [0, 0]], [[-0.3, -0.6], [0, 0]]])
H_T = np.array([[-0.3, -0.6], [-0.2, -0.3]])
MEAN = np.array([[-0.3, -0.3], [-0.2, -0.3]])
MAX = np.array([[-0.1, 0.1], [-0.2, -0.3]])
STEPS = np.array([3, 1])


@pytest.mark.parametrize(
    ("kind", "expected"),
    [("last", H_T), ("mean", MEAN), ("max", MAX), ("meanmax", np.hstack([MEAN, MAX]))],
)
def test_readouts_by_hand(kind: Any, expected: np.ndarray) -> None:
    assert_same(readout_forward(HS, H_T, STEPS, kind)[0], expected)


def test_the_last_state_is_read_by_default() -> None:
    assert_identical(readout_forward(HS, H_T, STEPS)[0], H_T)


def test_the_last_readout_sends_its_gradient_to_the_final_state_only() -> None:
    d = np.array([[1.0, 2], [3, 4]])
    dhs, dh_T = readout_backward(d, readout_forward(HS, H_T, STEPS, "last")[1])
    assert dhs is None
    assert_identical(dh_T, d)


def test_the_mean_shares_its_gradient_among_a_reviews_own_steps() -> None:
    d = np.array([[3.0, 6], [5, 7]])
    dhs, dh_T = readout_backward(d, readout_forward(HS, H_T, STEPS, "mean")[1])
    assert dh_T is None
    assert_same(dhs, np.array([[[1, 2], [5, 7]], [[1, 2], [0, 0]], [[1, 2], [0, 0]]]))


def test_the_maximum_sends_its_gradient_to_the_step_it_came_from() -> None:
    d = np.array([[3.0, 6], [5, 7]])
    dhs, dh_T = readout_backward(d, readout_forward(HS, H_T, STEPS, "max")[1])
    assert dh_T is None
    assert_same(dhs, np.array([[[0, 6], [5, 7]], [[3, 0], [0, 0]], [[0, 0], [0, 0]]]))


def test_of_equal_states_the_first_gets_the_gradient_of_the_maximum() -> None:
    hs = np.full((3, 1, 1), 0.5)
    _, cache = readout_forward(hs, hs[-1], np.array([3]), "max")
    dhs, _ = readout_backward(np.array([[2.0]]), cache)
    assert dhs is not None
    assert dhs.ravel().tolist() == [2, 0, 0]


@pytest.mark.parametrize("kind", ["last", "mean", "max", "meanmax"])
@pytest.mark.parametrize("dtype", FLOATS)
def test_readouts_keep_the_dtype(kind: Any, dtype: Any) -> None:
    features, cache = readout_forward(HS.astype(dtype), H_T.astype(dtype), STEPS, kind)
    dhs, dh_T = readout_backward(features, cache)
    assert features.dtype == dtype
    assert all(d.dtype == dtype for d in (dhs, dh_T) if d is not None)


def test_an_unknown_readout_is_refused() -> None:
    with pytest.raises(ValueError) as error:
        readout_forward(HS, H_T, STEPS, "median")  # type: ignore[arg-type]
    assert str(error.value) == (
        "`kind` must be one of ('last', 'mean', 'max', 'meanmax'); got 'median'."
    )


# --- affine --------------------------------------------------------------------------------------


def test_affine_by_hand() -> None:
    x, W, b = np.array([[1.0, 2], [3, 4]]), np.array([[5.0, 6], [7, 8], [9, 10]]), np.arange(3.0)
    y, cache = affine_forward(x, W, b)
    assert_identical(y, np.array([[17.0, 24, 31], [39, 54, 69]]))

    dx, dW, db = affine_backward(np.array([[1.0, 0, -1], [0, 2, 0]]), cache)
    assert_identical(dx, np.array([[-4.0, -4], [14, 16]]))
    assert_identical(dW, np.array([[1.0, 2], [6, 8], [-1, -2]]))
    assert_identical(db, np.array([1.0, 2, -1]))
