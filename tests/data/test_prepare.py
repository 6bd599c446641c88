"""What training may know: nothing of the validation and of the test reviews."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from numpy_lstm.data.corpus import Corpus, Reviews, select, split_by_film
from numpy_lstm.data.prepare import Prepared, prepare
from numpy_lstm.data.text import UNKNOWN
from numpy_lstm.data.vectors import learn_vectors
from numpy_lstm.settings import Settings

SETTINGS = Settings(seed=3, vector_size=3, validation_fraction=0.25, max_length=7)
N_FILMS = 12  # two training reviews each
ALPHABET = "abcdefgh"


def texts_of(name: str, n: int, seed: int) -> list[str]:
    """Ten words that all texts share, and two that only this text has."""
    rng = np.random.default_rng(seed)
    return [f"{name}{k} {' '.join(rng.choice(list(ALPHABET), 10))} {name}{k}" for k in range(n)]


TRAIN = texts_of("train", 2 * N_FILMS, 0)
TEST = texts_of("test", 5, 1)
UNLABELED = texts_of("unlabeled", 6, 2)


def corpus_of(
    train: list[str] = TRAIN, test: list[str] = TEST, unlabeled: list[str] = UNLABELED
) -> Corpus:
    """Ids by the alphabet over all three parts, as loaders number them."""
    words = sorted({word for text in train + test + unlabeled for word in text.split()})

    def reviews(texts: list[str], label: int | None, first_film: int) -> Reviews:
        n = len(texts)
        return Reviews(
            np.array([words.index(w) for text in texts for w in text.split()], np.int32),
            np.cumsum([0, *(len(text.split()) for text in texts)]),
            (np.arange(n) % 2 if label is None else np.full(n, label)).astype(np.int8),
            (first_film + np.arange(n) // 2).astype(np.int32),
            np.linspace(0.5, 1.5, n).astype(np.float32),
        )

    return Corpus(
        "imdb",
        words,
        reviews(train, None, 0),
        reviews(test, None, 100),
        reviews(unlabeled, -1, 200),
    )


def prepared(settings: Settings = SETTINGS, **parts: list[str]) -> Prepared:
    return prepare(corpus_of(**parts), settings, keep_vectors=False)


def words_of(prepared: Prepared, reviews: Reviews) -> list[str]:
    words = np.array(prepared.vocabulary.words)[reviews.tokens]
    return [" ".join(words[a:b]) for a, b in pairwise(reviews.starts)]


def halves(settings: Settings = SETTINGS) -> tuple[list[int], list[int]]:
    """Positions of the reviews to train on and to validate on."""
    rng = np.random.default_rng(settings.seed)
    train, validation = split_by_film(corpus_of().train, settings.validation_fraction, rng)
    return train.tolist(), validation.tolist()


def assert_the_same(one: Prepared, other: Prepared) -> None:
    assert one.vocabulary.words == other.vocabulary.words
    np.testing.assert_array_equal(one.vectors, other.vectors)
    for name in ("tokens", "starts", "labels", "films"):
        for mine, yours in zip(one.splits[:2], other.splits[:2], strict=True):
            np.testing.assert_array_equal(getattr(mine, name), getattr(yours, name))


def test_only_words_of_the_training_part_are_known() -> None:
    train, validation = halves()
    own = {word for n in train for word in TRAIN[n].split()}
    assert len(validation) == 6
    assert set(prepared().vocabulary.words[2:]) == own


def test_a_word_of_validation_or_test_alone_is_unknown() -> None:
    result = prepared()
    for part in (result.splits.validation, result.splits.test):
        assert (part.tokens[part.starts[1:] - 1] == UNKNOWN).all()
    train = result.splits.train
    assert (train.tokens != UNKNOWN).all()


def test_words_are_counted_in_the_training_part_alone() -> None:
    """ "h" is rare there, and frequent everywhere else."""
    train, _ = halves()
    texts = [TRAIN[n].replace("h", "a") if n in train else f"v{n} " + "h " * 50 for n in range(24)]
    texts[train[0]] += " h"
    result = prepared(train=texts, test=["h " * 90] * 5, unlabeled=["h " * 90] * 6)
    words = result.vocabulary.words
    assert words[2] == "a"
    assert words.index("h") > words.index("g")


def test_other_test_reviews_change_nothing_that_training_sees() -> None:
    other = prepared(test=[f"{text} {text} news{k} b c d" for k, text in enumerate(TEST)])
    assert_the_same(prepared(), other)
    assert_the_same(prepared(), prepared(test=["nothing"]))


def test_other_validation_texts_change_neither_vocabulary_nor_vectors() -> None:
    _, validation = halves()
    texts = [f"x y {text} a a a" if n in validation else text for n, text in enumerate(TRAIN)]
    one, other = prepared(), prepared(train=texts)
    assert one.vocabulary.words == other.vocabulary.words
    np.testing.assert_array_equal(one.vectors, other.vectors)
    assert words_of(one, one.splits.train) == words_of(other, other.splits.train)


def test_vectors_are_learned_from_whole_training_and_unlabeled_reviews() -> None:
    result, corpus = prepared(), corpus_of()
    train, _ = halves()
    known = [
        result.vocabulary.remap(corpus.words, reviews)
        for reviews in (select(corpus.train, train), corpus.unlabeled)
    ]
    learned = learn_vectors(known, len(result.vocabulary), 3, seed=SETTINGS.seed)
    np.testing.assert_array_equal(result.vectors, learned)
    without = prepared(unlabeled=["nothing"] * 6)
    assert (without.vectors != result.vectors).any()


def test_every_part_is_cut_to_its_last_words() -> None:
    result = prepared()
    positions = (*halves(), range(5))
    for part, texts, chosen in zip(result.splits, (TRAIN, TRAIN, TEST), positions, strict=True):
        whole = [texts[n].split() for n in chosen]
        known = [[w if w in result.vocabulary.words else "<unk>" for w in ws] for ws in whole]
        assert words_of(result, part) == [" ".join(ws[-7:]) for ws in known]
        assert (part.lengths == 7).all()


def test_labels_films_and_weights_go_with_their_reviews() -> None:
    result, corpus = prepared(), corpus_of()
    train, validation = halves()
    given = (select(corpus.train, train), select(corpus.train, validation), corpus.test)
    for part, wanted in zip(result.splits, given, strict=True):
        np.testing.assert_array_equal(part.labels, wanted.labels)
        np.testing.assert_array_equal(part.films, wanted.films)
        np.testing.assert_array_equal(part.weights, wanted.weights)


@pytest.mark.parametrize(("fraction", "n"), [(0.25, 6), (0.5, 12), (0.1, 2)])
def test_the_fraction_asked_for_is_set_aside(fraction: float, n: int) -> None:
    settings = Settings(vector_size=3, validation_fraction=fraction)
    assert len(prepared(settings).splits.validation.labels) == n


def test_another_seed_gives_another_split_and_the_same_seed_the_same() -> None:
    def films(seed: int) -> set[int]:
        settings = Settings(seed=seed, vector_size=3, validation_fraction=0.25)
        train, validation, _ = prepared(settings).splits
        assert not set(train.films) & set(validation.films)
        return set(validation.films.tolist())

    chosen = [films(seed) for seed in range(6)]
    assert len(set(map(frozenset, chosen))) > 3
    assert films(4) == chosen[4]


def test_vocabulary_and_vectors_have_the_sizes_asked_for() -> None:
    result = prepared(Settings(vocabulary_size=8, vector_size=5))
    assert len(result.vocabulary) == 8
    assert set(result.vocabulary.words[2:]) <= set(ALPHABET)
    assert result.vectors.shape == (8, 5)
    assert result.vectors.dtype == np.float32


def test_vectors_are_kept_in_the_cache_unless_that_is_not_wanted(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NUMPY_LSTM_CACHE", str(tmp_path))
        prepared()
        assert not list(tmp_path.iterdir())
        kept = prepare(corpus_of(), SETTINGS)
        assert len(list(tmp_path.iterdir())) == 1
    np.testing.assert_array_equal(kept.vectors, prepared().vectors)
