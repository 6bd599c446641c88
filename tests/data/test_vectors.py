"""Word vectors: counted as by hand, the same on every run, cached by all that they depend on."""

from collections import Counter
from functools import partial
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from threadpoolctl import threadpool_limits

from numpy_lstm.data import vectors
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.vectors import (
    SCALE,
    SMOOTHING,
    WINDOW,
    cooccurrences,
    learn_vectors,
    positive_pmi,
    reduce_pmi,
)

ROUNDING = 1e-5  # float32 carries seven digits
V = 9


def reviews_of(texts: list[list[int]]) -> Reviews:
    n = len(texts)
    return Reviews(
        tokens=np.array([token for text in texts for token in text], np.int32),
        starts=np.cumsum([0, *map(len, texts)]),
        labels=np.full(n, -1, np.int8),
        films=np.arange(n, dtype=np.int32),
    )


def random_texts(seed: int, n: int = 60) -> list[list[int]]:
    rng = np.random.default_rng(seed)
    return [rng.integers(2, V, rng.integers(2, 20)).tolist() for _ in range(n)]


texts_of_any_kind = st.lists(st.lists(st.integers(0, V - 1), max_size=2 * WINDOW), max_size=6)


@given(texts_of_any_kind, texts_of_any_kind)
def test_pairs_are_counted_within_the_window_of_one_review(
    one: list[list[int]], other: list[list[int]]
) -> None:
    pairs: Counter[tuple[int, int]] = Counter()
    for text in one + other:
        for (i, left), (j, right) in combinations(enumerate(text), 2):
            if j - i <= WINDOW and left > 1 and right > 1:  # padding and unknown are no words
                pairs.update([(left, right), (right, left)])
    expected = np.zeros((V, V))
    for pair, count in pairs.items():
        expected[pair] = count if count > 1 else 0  # pairs seen once are left out
    counts = cooccurrences([reviews_of(one), reviews_of(other)], V)
    assert counts.toarray().tolist() == expected.tolist()


def test_positive_pmi_is_the_formula() -> None:
    counts = cooccurrences([reviews_of(random_texts(0))], V)
    joint = counts.toarray().astype(float)
    words = joint.sum(axis=1)
    contexts = words**SMOOTHING / np.sum(words**SMOOTHING)
    with np.errstate(divide="ignore", invalid="ignore"):
        pmi = np.log(joint / (words[:, None] * contexts))
    expected = np.where(joint > 0, np.maximum(pmi, 0), 0)
    assert np.count_nonzero(expected) > 10
    np.testing.assert_allclose(positive_pmi(counts).toarray(), expected, atol=ROUNDING)


def test_the_vectors_rebuild_the_best_approximation_of_low_rank(tmp_path: Path) -> None:
    """U S^(1/2), as an exact decomposition of the small matrix has it, up to scale and sign."""
    texts = reviews_of(random_texts(1))
    D = 3
    learned = vectors.word_vectors([texts], V, D, seed=0, cache_dir=tmp_path)
    U, S, _ = np.linalg.svd(positive_pmi(cooccurrences([texts], V)).toarray())
    exact = U[:, :D] * np.sqrt(S[:D])
    gram = learned @ learned.T
    exact_gram = exact @ exact.T
    np.testing.assert_allclose(
        gram / np.linalg.norm(gram), exact_gram / np.linalg.norm(exact_gram), atol=0.02
    )


def test_padding_is_zero_and_the_scale_is_as_documented(tmp_path: Path) -> None:
    learned = vectors.word_vectors([reviews_of(random_texts(2))], V, 4, seed=0, cache_dir=tmp_path)
    assert learned.shape == (V, 4)
    assert learned.dtype == np.float32
    assert not learned[0].any()
    assert np.sqrt(np.mean(learned[1:] ** 2)) == pytest.approx(SCALE, rel=ROUNDING)


def test_words_of_like_company_get_like_vectors(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    # 2 and 3 stand between 5 and 6; 4 stands between 7 and 8.
    around = {2: (5, 6), 3: (5, 6), 4: (7, 8)}
    texts = [[around[word][0], word, around[word][1]] for word in rng.integers(2, 5, 300).tolist()]
    learned = vectors.word_vectors([reviews_of(texts)], V, 3, seed=0, cache_dir=tmp_path)
    unit = learned[2:5] / np.linalg.norm(learned[2:5], axis=1, keepdims=True)
    assert unit[0] @ unit[1] > 0.95
    assert abs(unit[0] @ unit[2]) < 0.5


def test_the_same_seed_gives_the_same_bits(tmp_path: Path) -> None:
    learn = partial(vectors.word_vectors, [reviews_of(random_texts(3))], V, 4, seed=5)
    assert np.array_equal(learn(cache_dir=tmp_path / "a"), learn(cache_dir=tmp_path / "b"))


def test_the_number_of_threads_changes_no_bit() -> None:
    rng = np.random.default_rng(0)
    texts = [reviews_of(rng.zipf(1.3, (400, 100)).clip(2, 1999).tolist())]
    with threadpool_limits(1):
        alone = vectors.learn_vectors(texts, 2000, 128, seed=7)
    with threadpool_limits(2):
        shared = vectors.learn_vectors(texts, 2000, 128, seed=7)
    np.testing.assert_array_equal(alone, shared)


def test_the_second_time_they_come_from_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learn = partial(vectors.word_vectors, [reviews_of(random_texts(4))], V, 4, seed=0)
    first = learn(cache_dir=tmp_path)

    def fail(*_: object) -> None:
        raise AssertionError("counted again")

    with monkeypatch.context() as patch:
        patch.setattr(vectors, "cooccurrences", fail)
        assert np.array_equal(first, learn(cache_dir=tmp_path))
    (cached,) = tmp_path.iterdir()
    cached.write_bytes(cached.read_bytes()[:-30])
    assert np.array_equal(first, learn(cache_dir=tmp_path))  # damaged: counted again


def test_other_texts_borders_or_settings_are_not_mixed_up_in_the_cache(tmp_path: Path) -> None:
    texts = random_texts(5)
    learn = partial(vectors.word_vectors, cache_dir=tmp_path)
    learn([reviews_of(texts)], V, 4, seed=0)
    learn([reviews_of([*texts[:-1], [9 - word for word in texts[-1]]])], V, 4, seed=0)
    learn([reviews_of([*texts[:-1], [*texts[-1][::-1], 2]])], V, 4, seed=0)
    learn([reviews_of([[*texts[0], *texts[1]], *texts[2:]])], V, 4, seed=0)  # a border less
    learn([reviews_of(texts)], V + 1, 4, seed=0)
    learn([reviews_of(texts)], V, 5, seed=0)
    learn([reviews_of(texts)], V, 4, seed=1)
    assert len(list(tmp_path.iterdir())) == 7


@pytest.mark.parametrize("texts", [[], [[]], [[2], [3]], [[1, 0, 1, 1]]])
def test_texts_without_pairs_give_zeros(tmp_path: Path, texts: list[list[int]]) -> None:
    learned = vectors.word_vectors([reviews_of(texts)], V, 2, seed=0, cache_dir=tmp_path)
    assert learned.shape == (V, 2)
    assert not learned.any()


def test_more_dimensions_than_words_are_zero_beyond_them(tmp_path: Path) -> None:
    learned = vectors.word_vectors([reviews_of(random_texts(6))], V, 12, seed=0, cache_dir=tmp_path)
    assert learned.shape == (V, 12)
    assert not learned[:, V:].any()


def test_two_words_meet_within_five_words_of_one_review() -> None:
    texts = [[2, 1, 1, 1, 1, 3, 1, 4], [2, 1, 1, 1, 1, 3], [4], [5, 1, 5]]
    counts = cooccurrences([reviews_of(texts)], 6).toarray()
    # 2 and 3 five apart, twice; 3 and 4 once, which is left out; 5 beside itself, both ways.
    assert [(i, j, counts[i, j]) for i, j in np.argwhere(counts).tolist()] == [
        *((2, 3, 2.0), (3, 2, 2.0), (5, 5, 2.0))
    ]
    assert not cooccurrences([reviews_of([[2, 1, 1, 1, 1, 1, 3]] * 3)], 6).nnz  # six apart


def test_pairs_of_several_corpora_add_up() -> None:
    one = reviews_of([[2, 3]])
    assert cooccurrences([one], 4).nnz == 0
    assert cooccurrences([one, one], 4).toarray()[2, 3] == 2
    assert cooccurrences([one, reviews_of([[3], [2]])], 4).nnz == 0  # not across a border


def test_pmi_of_three_words_by_hand() -> None:
    """Rows of 4, 16 and 16 pairs; contexts to the power 3/4: 8, 8 and 2.828 … of their sum."""
    from scipy.sparse import csr_array

    joint = np.array([[0, 2, 2], [2, 12, 2], [2, 2, 12.0]], np.float32)
    contexts = np.array([4, 16, 16]) ** 0.75
    contexts /= contexts.sum()
    pmi = positive_pmi(csr_array(joint)).toarray()
    assert pmi[0, 1] == pytest.approx(np.log(2 / 4 / contexts[1]), rel=ROUNDING)
    assert pmi[1, 0] == pytest.approx(0 if 2 / 16 < contexts[0] else np.log(2 / 16 / contexts[0]))
    assert pmi[1, 1] == pytest.approx(np.log(12 / 16 / contexts[1]), rel=ROUNDING)
    assert pmi[1, 2] == pmi[2, 1] == 0  # less often than by chance
    assert pmi[0, 0] == 0


def test_vectors_are_the_words_side_of_the_decomposition_times_the_root_of_its_values() -> None:
    from scipy.sparse import csr_array

    pmi = np.zeros((5, 5), np.float32)
    pmi[2, 3], pmi[3, 4], pmi[4, 2] = 9, 4, 1  # each singular value is an entry
    vectors = reduce_pmi(csr_array(pmi), 4, seed=0)
    lengths = np.linalg.norm(vectors, axis=1)
    # Roots of 9, 4 and 1; and the mean square of the 16 numbers from row 1 on is a quarter.
    np.testing.assert_allclose(lengths, np.array([0, 0, 3, 2, 1]) * np.sqrt(4 / 14), rtol=ROUNDING)
    assert np.count_nonzero(abs(vectors) > ROUNDING) == 3  # a direction each


def test_vectors_come_from_all_corpora_by_counts_and_pmi() -> None:
    one, other = reviews_of(random_texts(0)), reviews_of(random_texts(1))
    learned = learn_vectors([one, other], V, 4, seed=3)
    by_steps = reduce_pmi(positive_pmi(cooccurrences([one, other], V)), 4, 3)
    np.testing.assert_array_equal(learned, by_steps)
    assert (learn_vectors([one], V, 4, seed=3) != learned).any()


def test_the_decomposition_is_drawn_by_the_seed() -> None:
    texts = [reviews_of([np.random.default_rng(0).integers(2, 60, 3000).tolist()])]
    one, two, other = (learn_vectors(texts, 60, 3, seed=seed) for seed in (1, 1, 2))
    np.testing.assert_array_equal(one, two)
    assert (one != other).any()


@pytest.mark.parametrize(
    ("name", "value"), [("WINDOW", 4), ("SMOOTHING", 0.5), ("SCALE", 1.0), ("FORMAT", 99)]
)
def test_vectors_counted_otherwise_are_not_taken_from_the_cache(
    name: str, value: float, tmp_path: Path
) -> None:
    texts = [reviews_of(random_texts(5))]
    for _ in range(2):
        vectors.word_vectors(texts, V, 4, seed=0, cache_dir=tmp_path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(vectors, name, value)
        vectors.word_vectors(texts, V, 4, seed=0, cache_dir=tmp_path)
    assert len(list(tmp_path.iterdir())) == 2


def test_cached_vectors_are_those_that_were_learned(tmp_path: Path) -> None:
    texts = [reviews_of(random_texts(5))]
    kept, again = (vectors.word_vectors(texts, V, 4, seed=2, cache_dir=tmp_path) for _ in range(2))
    learned = learn_vectors(texts, V, 4, seed=2)
    np.testing.assert_array_equal(kept, learned)
    np.testing.assert_array_equal(again, learned)


def test_few_directions_hold_nearly_all_that_an_exact_decomposition_would() -> None:
    """150 singular values that fall slowly, which is hard for a randomized decomposition."""
    from scipy.sparse import csr_array

    n, D = 150, 8
    Q = np.linalg.qr(np.random.default_rng(0).standard_normal((n, n)))[0]
    S = np.arange(1, n + 1) ** -0.5
    vectors = reduce_pmi(csr_array(((Q * S) @ Q.T).astype(np.float32)), D, seed=0)
    # Relative to the first one, since all are scaled together.
    found = (vectors**2).sum(axis=0) / (vectors[:, 0] ** 2).sum()
    np.testing.assert_allclose(found, S[:D], rtol=0.04)
