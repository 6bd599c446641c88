"""A batch in parts and blocks: each step of each review once, in equal parts, without padding."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.recurrence import packing
from numpy_lstm.recurrence.packing import Block, Memory, join_reviews, pack

all_lengths = st.lists(st.integers(1, 40), min_size=1, max_size=30).map(np.array)


@pytest.mark.parametrize(
    ("numbers", "parts"),
    [
        (1, 1),
        (2**12 - 1, 1),
        (2**12, 2),
        (3 * 2**14 - 1, 2),
        (3 * 2**14, 3),
        (4 * 2**14 - 1, 3),
        (4 * 2**14, 4),
        (9 * 2**14, 4),
    ],
)
def test_the_numbers_in_a_state_say_how_many_parts_there_are(numbers: int, parts: int) -> None:
    assert len(pack(np.full(numbers, 2), hidden_size=1)) == parts


def test_hidden_units_count_as_much_as_reviews() -> None:
    assert [len(pack(np.full(64, 2), hidden_size)) for hidden_size in (63, 64, 1024)] == [1, 2, 4]


def in_parts(lengths: Any, parts: int, columns: int = packing.COLUMNS) -> list[list[Block]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "IN_TWO", 2 * len(lengths))
        patch.setattr(packing, "IN_MORE", len(lengths))
        patch.setattr(packing, "COLUMNS", columns)
        return pack(lengths, hidden_size=parts)


@given(lengths=all_lengths, parts=st.integers(1, 4), columns=st.integers(1, 99))
def test_each_step_of_each_review_is_in_one_block_and_in_order(
    lengths: Any, parts: int, columns: int
) -> None:
    done = np.zeros(len(lengths), int)  # steps of each review
    for part in in_parts(lengths, parts, columns):
        for steps, reviews, k, n in part:
            assert steps.step is None
            assert (done[reviews] == steps.start).all()
            assert (k, n) == (steps.stop - steps.start, len(done[reviews]))
            assert (np.diff(lengths[reviews]) <= 0).all()
            done[reviews] = steps.stop
    np.testing.assert_array_equal(done, lengths)


@given(lengths=all_lengths, parts=st.integers(1, 4), columns=st.integers(1, 99))
def test_a_block_is_as_long_as_its_columns_allow(lengths: Any, parts: int, columns: int) -> None:
    for part in in_parts(lengths, parts, columns):
        for block, following in zip(part, [*part[1:], None], strict=True):
            assert block.k * block.n <= columns or block.k == 1
            if following and following.n == block.n:  # cut, though the same reviews run on
                assert (block.k + 1) * block.n > columns


@given(lengths=all_lengths, parts=st.integers(1, 4))
def test_parts_go_from_long_reviews_to_short_ones_and_share_the_work(
    lengths: Any, parts: int
) -> None:
    reviews = [np.arange(len(lengths))[part[0].reviews] for part in in_parts(lengths, parts)]
    np.testing.assert_array_equal(lengths[np.concatenate(reviews)], -np.sort(-lengths))
    share = -(-lengths.sum() // parts)
    for part in reviews:
        assert lengths[part].sum() < share + lengths[part[0]]


def test_of_four_equal_parts_each_has_a_quarter_of_the_reviews() -> None:
    assert [part[0].n for part in in_parts(np.full(20, 7), 4)] == [5, 5, 5, 5]


def test_half_of_an_odd_number_of_steps_is_rounded_down() -> None:
    first, second = in_parts(np.array([2, 2, 1]), 2)
    assert (first[0].n, second[0].n) == (1, 2)


def test_reviews_of_the_same_length_keep_their_order() -> None:
    ((block, *_),) = pack(np.array([2, 3, 2, 3, 2, 2, 2, 2, 2] * 9), hidden_size=1)
    assert isinstance(block.reviews, np.ndarray)
    longer, shorter = np.split(block.reviews, [18])
    assert (np.diff(longer) > 0).all() and (np.diff(shorter) > 0).all()


def test_a_batch_that_comes_sorted_is_cut_without_copying() -> None:
    first, second = pack(np.repeat([3, 1], 3000), hidden_size=1)
    assert [block.reviews for block in first[:1]] == [slice(0, 2000)]
    assert second[0].reviews == slice(2000, 6000)
    (unsorted,) = pack(np.array([1, 3]), hidden_size=1)
    assert all(isinstance(block.reviews, np.ndarray) for block in unsorted)


def test_arrays_stand_one_behind_the_other() -> None:
    arrays = Memory(np.float32)((2, 3), (), (4,))
    assert [array.shape for array in arrays] == [(2, 3), (), (4,)]
    for number, array in enumerate(arrays):
        array[...] = number
    base = arrays[0].base
    assert base is not None and base.dtype == np.float32
    np.testing.assert_array_equal(base[:11], [0] * 6 + [1] + [2] * 4)


@pytest.mark.parametrize("dtype", [np.float32, np.complex128])
def test_memory_is_used_again_until_more_is_needed(dtype: Any) -> None:
    memory = Memory(dtype)
    least = 2**22 // np.dtype(dtype).itemsize
    (small,) = memory((2**12,))
    assert small.base is not None and small.base.size == 2**12
    (first,) = memory((2**12 + 1,))
    assert first.base is not None and first.base.size == least
    (whole,) = memory((least,))
    assert np.shares_memory(first, whole)
    larger, more = memory((least,), (1,))
    assert not np.shares_memory(first, larger)
    assert more.base is not None and more.base.size == least + 1
    assert np.shares_memory(larger, *memory((3,)))


def test_reviews_that_join_bring_their_own_states() -> None:
    block = Block(slice(0, 1), np.array([3, 0, 2]), 1, 3)
    running = np.array([[1.0], [2.0]], np.float32)  # of review 3
    own = np.array([[10, 20], [30, 40], [50, 60], [70, 80]], np.float32)
    joined = join_reviews(running, own, block)
    expected = np.array([[1, 10, 50], [2, 20, 60]], np.float32)
    np.testing.assert_array_equal(joined, expected, strict=True)
    expected[:, 1:] = 0
    np.testing.assert_array_equal(join_reviews(running, None, block), expected, strict=True)
