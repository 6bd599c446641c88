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
from numpy_lstm.data.vectors import SCALE, SMOOTHING, WINDOW, cooccurrences, positive_pmi

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
    learn([reviews_of([*texts[:-1], [*texts[-1][::-1], 2]])], V, 4, seed=0)
    learn([reviews_of([[*texts[0], *texts[1]], *texts[2:]])], V, 4, seed=0)  # a border less
    learn([reviews_of(texts)], V + 1, 4, seed=0)
    learn([reviews_of(texts)], V, 5, seed=0)
    learn([reviews_of(texts)], V, 4, seed=1)
    assert len(list(tmp_path.iterdir())) == 6


@pytest.mark.parametrize("texts", [[], [[]], [[2], [3]], [[1, 0, 1, 1]]])
def test_texts_without_pairs_give_zeros(tmp_path: Path, texts: list[list[int]]) -> None:
    learned = vectors.word_vectors([reviews_of(texts)], V, 2, seed=0, cache_dir=tmp_path)
    assert learned.shape == (V, 2)
    assert not learned.any()


def test_more_dimensions_than_words_are_zero_beyond_them(tmp_path: Path) -> None:
    learned = vectors.word_vectors([reviews_of(random_texts(6))], V, 12, seed=0, cache_dir=tmp_path)
    assert learned.shape == (V, 12)
    assert not learned[:, V:].any()
