"""Choosing, shortening and splitting reviews."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.data.corpus import (
    Corpus,
    Reviews,
    content_hash,
    keep_first,
    keep_last,
    select,
    split_by_film,
)

THREE = Reviews(
    tokens=np.array([5, 6, 7, 8, 9, 4], np.int32),
    starts=np.array([0, 3, 3, 6]),  # the second review is empty
    labels=np.array([1, -1, 0], np.int8),
    films=np.array([10, 11, 10], np.int32),
)


def as_lists(reviews: Reviews) -> list[list[int]]:
    return [part.tolist() for part in np.split(reviews.tokens, reviews.starts[1:-1])]


def reviews_of(films: list[int], labels: list[int]) -> Reviews:
    """Empty reviews: only who reviewed what matters to a split."""
    return Reviews(
        tokens=np.zeros(0, np.int32),
        starts=np.zeros(len(films) + 1, np.int64),
        labels=np.array(labels, np.int8),
        films=np.array(films, np.int32),
    )


def test_lengths_are_the_numbers_of_tokens() -> None:
    assert THREE.lengths.tolist() == [3, 0, 3]


def test_select_takes_tokens_labels_and_films_in_the_order_asked() -> None:
    chosen = select(THREE, [2, 0, 0])
    assert as_lists(chosen) == [[8, 9, 4], [5, 6, 7], [5, 6, 7]]
    assert chosen.labels.tolist() == [0, 1, 1]
    assert chosen.films.tolist() == [10, 10, 10]


def test_weights_go_with_their_reviews() -> None:
    weighted = THREE._replace(weights=np.array([0.5, 1.5, 1.0], np.float32))
    for chosen, wanted in (([2, 0], [1.0, 0.5]), ([False, True, True], [1.5, 1.0])):
        weights = select(weighted, chosen).weights
        assert weights is not None
        assert weights.tolist() == wanted
    assert keep_last(weighted, 1).weights is weighted.weights
    assert select(THREE, [0]).weights is None


def test_select_takes_a_mask() -> None:
    assert as_lists(select(THREE, THREE.labels >= 0)) == [[5, 6, 7], [8, 9, 4]]


def test_select_keeps_the_dtypes_even_of_nothing() -> None:
    nothing = select(THREE, np.zeros(3, bool))
    assert nothing.starts.tolist() == [0]
    assert nothing.tokens.dtype == np.int32
    assert nothing.starts.dtype == np.int64


def test_keep_last_keeps_the_end_of_long_reviews_only() -> None:
    assert as_lists(keep_last(THREE, 2)) == [[6, 7], [], [9, 4]]
    assert as_lists(keep_last(THREE, 1)) == [[7], [], [4]]
    assert as_lists(keep_last(THREE, 3)) == as_lists(THREE)
    assert keep_last(THREE, 2).labels.tolist() == [1, -1, 0]
    assert keep_last(THREE, 2).films.tolist() == [10, 11, 10]


def test_keep_first_keeps_the_beginning_of_long_reviews_only() -> None:
    assert as_lists(keep_first(THREE, 2)) == [[5, 6], [], [8, 9]]
    assert as_lists(keep_first(THREE, 1)) == [[5], [], [8]]
    assert as_lists(keep_first(THREE, 3)) == as_lists(THREE)
    assert keep_first(THREE, 2).labels.tolist() == [1, -1, 0]
    assert keep_first(THREE, 2).films.tolist() == [10, 11, 10]


@pytest.mark.parametrize("keep", [keep_first, keep_last])
def test_keeping_a_part_changes_nothing_that_is_passed_in(keep: Any) -> None:
    before = THREE.tokens.copy(), THREE.starts.copy()
    for cut in (keep(THREE, 1), keep(THREE, 9)):
        cut.tokens[:] = 0
        cut.starts[:] = 0
    assert np.array_equal(THREE.tokens, before[0])
    assert np.array_equal(THREE.starts, before[1])


@pytest.mark.parametrize("keep", [keep_first, keep_last])
@pytest.mark.parametrize("max_length", [0, -5])
def test_to_keep_nothing_is_refused(keep: Any, max_length: int) -> None:
    with pytest.raises(ValueError, match=f"`max_length` must be at least 1; got {max_length}"):
        keep(THREE, max_length)


@given(
    films=st.lists(st.integers(0, 30), min_size=40, max_size=300),
    fraction=st.floats(0.1, 0.6),
    seed=st.integers(0, 2**32 - 1),
)
def test_no_film_is_on_both_sides_and_no_review_is_lost(
    films: list[int], fraction: float, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, 2, len(films)).tolist()
    reviews = reviews_of(films, labels)
    try:
        train, validation = split_by_film(reviews, fraction, np.random.default_rng(seed))
    except ValueError as error:  # honest when the films are few and large
        assert "cannot be split by film" in str(error)
        return
    assert not set(reviews.films[train]) & set(reviews.films[validation])
    assert sorted([*train, *validation]) == list(range(len(films)))
    assert len(train) and len(validation)


def test_about_the_fraction_of_each_label_goes_to_validation() -> None:
    rng = np.random.default_rng(0)
    films = rng.integers(0, 600, 4000)
    labels = (rng.random(4000) < 0.2 + 0.6 * (films % 2)).astype(int)  # a film is loved or not
    reviews = reviews_of(films.tolist(), labels.tolist())
    _, validation = split_by_film(reviews, 0.1, rng)
    for label in (0, 1):
        share = np.mean(labels[validation] == label)
        assert share == pytest.approx(np.mean(labels == label), abs=0.005)
    assert len(validation) == pytest.approx(400, rel=0.02)


@pytest.mark.parametrize(
    ("labels", "fraction", "wanted"),
    [
        ([0] * 30 + [1] * 10, 0.2, [6, 2]),
        ([0] * 30 + [1] * 10, 0.5, [15, 5]),
        ([0] * 30 + [1] * 2 + [2] * 8, 0.1, [3, 1, 1]),  # at least one of each
        ([0] * 13 + [1] * 7, 0.2, [3, 1]),  # rounded
    ],
)
def test_each_label_gives_its_share_where_films_are_small(
    labels: list[int], fraction: float, wanted: list[int]
) -> None:
    reviews = reviews_of(list(range(len(labels))), labels)
    for seed in range(5):
        parts = split_by_film(reviews, fraction, np.random.default_rng(seed))
        assert np.bincount(reviews.labels[parts[1]]).tolist() == wanted
        assert all((np.diff(part) > 0).all() for part in parts)


def test_films_are_taken_whole() -> None:
    reviews = reviews_of([5, 9, 5, 7, 9, 5, 7, 9, 5, 7], [0, 1, 1, 0, 0, 0, 1, 1, 1, 0])
    for seed in range(10):
        parts = split_by_film(reviews, 0.4, np.random.default_rng(seed))
        train, validation = (set(reviews.films[part].tolist()) for part in parts)
        assert not train & validation
        assert sorted(np.concatenate(parts).tolist()) == list(range(10))


def test_the_split_depends_on_the_generator_alone() -> None:
    reviews = reviews_of(list(range(50)) * 2, [0, 1] * 50)
    one, two, other = (split_by_film(reviews, 0.2, np.random.default_rng(s))[1] for s in (1, 1, 2))
    assert one.tolist() == two.tolist() != other.tolist()


@pytest.mark.parametrize("fraction", [0.0, 1.0, -0.1, 2.0, float("nan")])
def test_a_fraction_that_leaves_one_side_empty_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="`fraction` must be between 0 and 1"):
        split_by_film(THREE, fraction, np.random.default_rng(0))


def test_two_reviews_of_two_films_are_one_on_each_side() -> None:
    for seed in range(4):
        parts = split_by_film(reviews_of([3, 8], [0, 0]), 0.5, np.random.default_rng(seed))
        assert list(map(len, parts)) == [1, 1]


def test_a_single_review_cannot_be_split() -> None:
    with pytest.raises(ValueError, match="1 texts cannot be split"):
        split_by_film(reviews_of([7], [0]), 0.5, np.random.default_rng(0))


@pytest.mark.parametrize("films", [[7, 7, 7, 7], []])
def test_reviews_of_a_single_film_cannot_be_split(films: list[int]) -> None:
    with pytest.raises(ValueError, match="cannot be split by film"):
        split_by_film(reviews_of(films, [0, 1, 0, 1][: len(films)]), 0.5, np.random.default_rng(0))


def test_the_content_of_a_corpus_is_known_by_its_hash() -> None:
    weighted = THREE._replace(weights=np.ones(3, np.float32))
    parts = {"train": weighted, "test": THREE, "unlabeled": THREE}
    corpus = Corpus("imdb", ["a", "b"], **parts)
    same = [
        Corpus("other", ["a", "b"], **parts, source="/elsewhere"),
        corpus._replace(test=Reviews(*(a if a is None else a.copy() for a in THREE))),
    ]
    others = [corpus._replace(words=["a", "c"]), corpus._replace(words=["ab", ""])]
    for name, reviews in parts.items():
        for field, array in zip(reviews._fields, reviews, strict=True):
            if array is not None:
                changed = array.copy()
                changed[-1] += 1
                others.append(corpus._replace(**{name: reviews._replace(**{field: changed})}))
    others.append(corpus._replace(test=weighted))
    assert {content_hash(each) for each in same} == {content_hash(corpus)}
    assert len({content_hash(each) for each in [corpus, *others]}) == 1 + len(others) == 17
