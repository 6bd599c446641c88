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
    assert batch.tokens.dtype == np.int32


def test_padding_is_id_0_whatever_the_reviews_hold():
    batch = make_batch(reviews_of([5], [6, 6, 6], [7, 7]), np.array([2, 0, 1]))
    np.testing.assert_array_equal(batch.tokens, [[6, 7, 5], [6, 7, 0], [6, 0, 0]])


def test_equal_lengths_stand_in_the_order_asked():
    batch = make_batch(reviews_of([5], [6], [7]), np.array([2, 0, 1]))
    np.testing.assert_array_equal(batch.tokens, [[7, 5, 6]])
    np.testing.assert_array_equal(batch.labels, [0, 0, 1])


def test_a_reviews_weight_is_its_share_of_the_batch():
    weights = np.array([0.5, 2.5, 0.25, 0.75], np.float32)  # 1 on average, in the batch 1.25
    reviews = reviews_of([5], [7, 8, 9], [4], [3, 3])._replace(weights=weights)
    batch = make_batch(reviews, np.array([0, 1, 3]))  # the longest first: 1, 3, 0
    np.testing.assert_allclose(batch.weights, np.array([2.5, 0.75, 0.5]) / 3, rtol=1e-6)
    assert batch.weights.dtype == np.float32


def test_batches_for_scores_start_with_the_longest_review():
    lengths = np.array([3, 9, 3, 5, 9])
    assert [batch.tolist() for batch in by_length(lengths, 2)] == [[1, 4], [3, 0], [2]]


def test_pools_of_32_batches_are_drawn_at_random_and_sorted_by_length():
    lengths = np.arange(1, 201)
    batches = length_buckets(lengths, 3, rng=np.random.default_rng(0))
    assert sorted(map(len, batches)) == [2, *[3] * 66]
    for batch in batches:
        assert (np.diff(lengths[batch]) < 0).all()  # the longest first
    firsts = np.array([lengths[batch[0]] for batch in batches])
    assert abs(np.corrcoef(firsts, np.arange(len(batches)))[0, 1]) < 0.3  # in random order
    drawn = np.random.default_rng(0).permutation(200)
    pools = [set(drawn[:96]), set(drawn[96:192]), set(drawn[192:])]
    assert all(any(set(batch) <= pool for pool in pools) for batch in batches)
    # 96 of 200 lengths in a pool: a batch of three spans about six; one pool of all would span two.
    spans = [np.ptp(lengths[batch]) for batch in batches if len(batch) == 3]
    assert 4 < np.mean(spans) < 9


def test_of_equal_lengths_the_first_comes_first_on_every_machine():
    lengths = np.full(500, 3)
    assert [*np.concatenate(list(by_length(lengths, 7)))] == list(range(500))
    batch = make_batch(reviews_of(*np.arange(500)[:, np.newaxis]), np.arange(500))
    assert batch.tokens.tolist() == [list(range(500))]
    batches = length_buckets(lengths, 20, rng=np.random.default_rng(0))
    drawn = np.random.default_rng(0).permutation(500).tolist()
    assert sorted(batch.tolist() for batch in batches) == sorted(
        drawn[k : k + 20] for k in range(0, 500, 20)
    )
