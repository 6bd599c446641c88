"""The built-in reviews: the label is in the opinion, needs its order, and is not in the story."""

import re
from collections import Counter
from functools import cache
from itertools import chain, count, pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from numpy_lstm.data import synthetic_phrases as phrases
from numpy_lstm.data.corpus import Corpus, Reviews
from numpy_lstm.data.synthetic import WrittenReview, _opinion, _titles, _write, synthetic_corpus
from numpy_lstm.data.text import tokenize

DOCSTRING_POINTS = 0.02  # the docstring rounds, and other versions of scikit-learn fit otherwise
CHANCE = 0.5
CHANCE_POINTS = 0.04  # 3.5 standard deviations of a fair coin's rate in 2,000 throws

GOOD, BAD = (list(chain(*words.values())) for words in (phrases.GOOD, phrases.BAD))

seeds = st.integers(0, 2**32)


def write_reviews(
    rng: np.random.Generator, n: int, *, distance: float = 60, spread: float = 0.75
) -> list[WrittenReview]:
    return _write(rng, n, _titles(rng.spawn(1)[0]), distance, spread)


@pytest.fixture(scope="module")
def written() -> list[WrittenReview]:
    return write_reviews(np.random.default_rng(0), 4000)


@pytest.fixture(scope="module")
def corpus() -> Corpus:
    return synthetic_corpus(np.random.default_rng(0))


def texts(corpus: Corpus, reviews: Reviews) -> list[str]:
    words = np.array(corpus.words)[reviews.tokens]
    return [" ".join(words[a:b]) for a, b in pairwise(reviews.starts)]


def accuracy_of_counting(
    train: list[str], train_labels: object, test: list[str], test_labels: object, longest: int
) -> float:
    """Test accuracy of a logistic regression on the counts of words, pairs, ... of words."""
    counter = CountVectorizer(token_pattern=r"\S+", ngram_range=(1, longest))
    counts = counter.fit_transform(train)
    model = LogisticRegression(max_iter=1000).fit(counts, train_labels)
    return float(model.score(counter.transform(test), test_labels))


@pytest.mark.parametrize("longest", [1, 2])
def test_counting_words_reaches_what_the_docstring_says(corpus: Corpus, longest: int) -> None:
    said = [int(figure) / 100 for figure in re.findall(r"(\d+) %", synthetic_corpus.__doc__ or "")]
    reached = accuracy_of_counting(
        texts(corpus, corpus.train),
        corpus.train.labels,
        texts(corpus, corpus.test),
        corpus.test.labels,
        longest,
    )
    assert len(said) == 2
    assert reached == pytest.approx(said[longest - 1], abs=DOCSTRING_POINTS)


def test_the_story_alone_tells_nothing_of_the_label(written: list[WrittenReview]) -> None:
    stories = [review.story for review in written]
    labels = [review.label for review in written]
    reached = accuracy_of_counting(stories[:2000], labels[:2000], stories[2000:], labels[2000:], 2)
    assert reached == pytest.approx(CHANCE, abs=CHANCE_POINTS)


@given(seed=seeds)
def test_the_label_changes_the_opinion_words_and_nothing_else(seed: int) -> None:
    mirror = dict(zip(GOOD + BAD, BAD + GOOD, strict=True))
    negative, positive = (
        tokenize(_opinion(np.random.default_rng(seed), label, "Solaris")) for label in (0, 1)
    )
    assert negative != positive
    assert [mirror.get(word, word) for word in negative] == positive


def test_every_opinion_word_is_common_in_both_classes(written: list[WrittenReview]) -> None:
    counts = [Counter[str](), Counter[str]()]
    for review in written:
        counts[review.label].update(tokenize(review.text))
    share = [counts[1][word] / (counts[0][word] + counts[1][word]) for word in GOOD + BAD]
    assert min(share) > 0.25
    assert max(share) < 0.75


def test_whoever_reads_the_opinion_knows_the_label(written: list[WrittenReview]) -> None:
    for review in written[:1000]:
        assert set(read_verdicts(review)) == {review.label}


def read_verdicts(review: WrittenReview) -> list[int]:
    """What each opinion word says of the film, found by the form of its sentence alone."""
    verdicts, rest = [], review.opinion.replace(review.film, "it")
    while rest:
        templates = [*phrases.OPENINGS, *phrases.PLAIN, *phrases.TURNED, *phrases.MIXED]
        matches = [re.match(pattern(template), rest, re.IGNORECASE) for template in templates]
        [match] = [match for match in matches if match]  # one form only fits
        for slot, word in match.groupdict().items():
            verdicts.append(int((word in GOOD) == slot.startswith("own")))
        rest = rest[match.end() :]
    return verdicts


@cache
def pattern(template: str) -> str:
    """The regular expression of a sentence; its groups own… and other… catch the opinion words."""
    numbers = count()

    def slot(match: re.Match[str]) -> str:
        if match[1] == "film":
            return f"(?:{'|'.join(phrases.FILM_AGAIN)})"
        if match[1][0] in "+-":
            return rf"(?P<{'own' if match[1][0] == '+' else 'other'}{next(numbers)}>\w+)"
        return r"\w+"

    sentence = template.replace("a {", "an? {").replace(".", r"\.")
    return re.sub(r"\{(.+?)\}", slot, sentence) + "(?: |$)"


def test_only_the_opinion_judges(written: list[WrittenReview]) -> None:
    neutral = {word for review in written for word in tokenize(f"{review.story} {review.film}")}
    neutral |= {word for opening in phrases.OPENINGS for word in tokenize(opening)}
    assert neutral.isdisjoint(GOOD + BAD)


@given(seed=seeds, distance=st.integers(0, 500))
def test_without_spread_every_distance_is_exact(seed: int, distance: int) -> None:
    for review in write_reviews(np.random.default_rng(seed), 2, distance=distance, spread=0):
        assert len(tokenize(review.text)) - len(tokenize(review.opinion)) == distance


def test_distances_have_the_mean_and_the_spread_asked_for() -> None:
    reviews = write_reviews(np.random.default_rng(0), 2000, distance=100, spread=0.5)
    distances = [len(tokenize(review.story)) for review in reviews]
    assert np.mean(distances) == pytest.approx(100, rel=0.05)
    assert np.log(distances).std() == pytest.approx(0.5, rel=0.05)


def test_the_distance_does_not_change_the_opinions() -> None:
    near, far = (
        write_reviews(np.random.default_rng(5), 50, distance=distance) for distance in (0, 100)
    )
    assert [(r.opinion, r.label, r.film) for r in near] == [
        (r.opinion, r.label, r.film) for r in far
    ]


def test_the_corpus_holds_the_written_reviews() -> None:
    corpus = synthetic_corpus(np.random.default_rng(0), n_train=300, n_test=2)
    reviews = write_reviews(np.random.default_rng(0), 300)
    assert texts(corpus, corpus.train) == [" ".join(tokenize(review.text)) for review in reviews]
    assert corpus.train.labels.tolist() == [review.label for review in reviews]


def test_the_same_seed_writes_the_same_corpus_and_another_seed_another() -> None:
    def tokens(seed: int) -> bytes:
        corpus = synthetic_corpus(np.random.default_rng(seed), n_train=50, n_test=20)
        return b"".join(array.tobytes() for array in (*corpus.train[:4], *corpus.test[:4]))

    assert tokens(3) == tokens(3)
    assert tokens(3) != tokens(4)


@given(sizes=st.tuples(*[st.integers(2, 40)] * 3))
def test_films_are_in_one_set_only_and_have_both_labels(sizes: tuple[int, int, int]) -> None:
    n_train, n_test, n_unlabeled = sizes
    corpus = synthetic_corpus(
        np.random.default_rng(0),
        n_train=n_train,
        n_test=n_test,
        n_unlabeled=n_unlabeled,
        distance=5,
    )
    parts = corpus.train, corpus.test, corpus.unlabeled
    films = [set(part.films.tolist()) for part in parts]
    assert tuple(len(part.labels) for part in parts) == sizes
    assert len(films[0] | films[1] | films[2]) == sum(map(len, films))
    for part in parts[:2]:
        assert part.labels.sum() == len(part.labels) // 2
        for film in set(part.films):
            assert set(part.labels[part.films == film]) == {0, 1}
    assert set(corpus.unlabeled.labels) == {-1}


def test_texts_are_written_as_a_person_would(written: list[WrittenReview]) -> None:
    for review in written[:1000]:
        assert not re.search(r"[{}]|  |\b[Aa] [aeiouAEIOU]|\b[Aa]n [^aeiouAEIOU]", review.text)
        assert re.fullmatch(r"([A-Z][^.!]*[.!] ?)+", review.text)


def test_whatever_fills_a_slot_is_one_token() -> None:
    fillers = [*GOOD, *BAD, *phrases.HEROES, *phrases.FRIENDS, *phrases.TOWNS]
    fillers += chain(*phrases.NEUTRAL.values(), *phrases.TITLE_WORDS.values())
    assert [filler for filler in fillers if len(tokenize(filler)) != 1] == []


@pytest.mark.parametrize("name", ["n_train", "n_test", "n_unlabeled", "distance", "spread"])
def test_negative_numbers_are_refused_by_name(name: str) -> None:
    with pytest.raises(ValueError, match=f"`{name}` must be a finite number, at least 0; got -1"):
        synthetic_corpus(np.random.default_rng(0), **{name: -1})


def test_a_distance_without_a_value_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`distance` must be a finite number, .* got nan"):
        synthetic_corpus(np.random.default_rng(0), distance=float("nan"))
