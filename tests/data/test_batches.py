import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.data.batches import by_length, length_buckets, make_batch
from numpy_lstm.data.corpus import Reviews

LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=200).map(np.array)


def reviews_of(*texts):
    """Reviews with the given word ids; review k has label k % 2 and film k."""
    starts = np.cumsum([0, *map(len, texts)])
    n = len(texts)
    return Reviews(
        np.concatenate(texts).astype(np.int32),
        starts,
        (np.arange(n) % 2).astype(np.int8),
        np.arange(n, dtype=np.int32),
    )


@given(LENGTHS, st.integers(1, 9), st.integers(0, 2**32 - 1))
def test_each_review_stands_in_exactly_one_batch(lengths, batch_size, seed):
    batches = length_buckets(lengths, batch_size, rng=np.random.default_rng(seed))
    assert sorted(np.concatenate(batches)) == list(range(len(lengths)))
    assert max(map(len, batches)) <= batch_size
    assert sorted(np.concatenate(list(by_length(lengths, batch_size)))) == list(range(len(lengths)))


def test_batches_hold_reviews_of_like_lengths():
    lengths = np.random.default_rng(0).integers(1, 1000, 3200)
    batches = length_buckets(lengths, 100, rng=np.random.default_rng(1))
    spread = np.mean([np.ptp(lengths[batch]) for batch in batches])
    assert spread < 1000 / len(batches) * 2  # a random batch would spread over nearly 1000


def test_the_same_seed_gives_the_same_batches_and_another_seed_others():
    lengths = np.arange(1, 101)
    one, two, other = (
        length_buckets(lengths, 10, rng=np.random.default_rng(seed)) for seed in (0, 0, 1)
    )
    assert all((a == b).all() for a, b in zip(one, two, strict=True))
    assert any((a != b).any() for a, b in zip(one, other, strict=True))


def test_a_batch_stands_time_first_with_the_longest_review_first():
    batch = make_batch(reviews_of([5, 6], [7, 8, 9], [4]), np.array([0, 1]))
    np.testing.assert_array_equal(batch.tokens, [[7, 5], [8, 6], [9, 0]])
    np.testing.assert_array_equal(batch.lengths, [3, 2])
    np.testing.assert_array_equal(batch.labels, [1, 0])
    np.testing.assert_array_equal(batch.weights, [0.5, 0.5])
