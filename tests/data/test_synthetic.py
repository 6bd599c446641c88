"""The built-in reviews: the label is in the opinion, needs its order, and is not in the story."""

import inspect
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from itertools import chain, count, islice, pairwise
from unittest import mock

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from numpy_lstm.data import synthetic
from numpy_lstm.data import synthetic_phrases as phrases
from numpy_lstm.data.corpus import Corpus, Reviews
from numpy_lstm.data.synthetic import (
    WrittenReview,
    _opinion,
    _story,
    _titles,
    _write,
    synthetic_corpus,
)
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
    model = LogisticRegression(solver="liblinear").fit(counts, train_labels)
    return float(model.score(counter.transform(test), test_labels))


@pytest.mark.slow
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


# --- with phrases made by hand, so that a review shows how it came about -------------------------


@contextmanager
def written_in(openings: list[str], plain: str, turned: str, mixed: str) -> Iterator[None]:
    with (
        mock.patch.object(phrases, "OPENINGS", openings),
        mock.patch.object(synthetic, "KINDS", ([plain], [turned], [mixed])),
    ):
        yield


def test_sentences_have_their_shares_and_an_opening_stands_first() -> None:
    rng = np.random.default_rng(0)
    with written_in(["O."], "P.", "T.", "M."):
        opinions = [_opinion(rng, 1, "Solaris").split() for _ in range(3000)]
    counts = Counter(chain(*opinions))
    verdicts = counts["P."] + counts["T."] + counts["M."]
    assert counts["P."] / verdicts == pytest.approx(0.5, abs=0.02)
    assert counts["T."] / verdicts == pytest.approx(0.2, abs=0.02)
    assert counts["M."] / verdicts == pytest.approx(0.3, abs=0.02)
    assert counts["O."] / 3000 == pytest.approx(0.7, abs=0.03)
    assert all("O." not in opinion[1:] for opinion in opinions)
    lengths = Counter(len([s for s in opinion if s != "O."]) for opinion in opinions)
    assert set(lengths) == {2, 3}
    assert lengths[2] / 3000 == pytest.approx(0.5, abs=0.03)


def test_the_kinds_of_sentences_stand_in_the_order_of_their_shares() -> None:
    assert synthetic.KINDS == (phrases.PLAIN, phrases.TURNED, phrases.MIXED)


@pytest.mark.parametrize(("label", "own", "other"), [(1, "GOOD", "BAD"), (0, "BAD", "GOOD")])
@pytest.mark.parametrize("kind", ["adj", "noun", "verb"])
def test_plus_is_a_word_of_the_verdict_and_minus_of_the_opposite(
    label: int, own: str, other: str, kind: str
) -> None:
    sentence = f"X {{+{kind}}} {{-{kind}}}"
    rng = np.random.default_rng(0)
    with written_in(["X y z"], sentence, sentence, sentence):
        words = [w for _ in range(30) for w in _opinion(rng, label, "").split()]
    assert set(words[1::3]) - {"y"} <= set(getattr(phrases, own)[kind])
    assert set(words[2::3]) - {"z"} <= set(getattr(phrases, other)[kind])
    assert len(set(words)) > 8


def test_an_opinion_repeats_neither_a_sentence_nor_a_word_while_others_are_left() -> None:
    rng = np.random.default_rng(0)
    for _ in range(100):
        opinion = _opinion(rng, 1, "Solaris")
        words = [word for word in tokenize(opinion) if word in GOOD + BAD]
        assert len(set(words)) == len(words)


def test_the_title_is_named_once_and_then_the_film_is_called_it() -> None:
    rng = np.random.default_rng(0)
    with written_in(["X {film}."], "X {film}.", "X {film}.", "X {film}."):
        named = [_opinion(rng, 0, "Solaris") for _ in range(50)]
    for opinion in named:
        first, *later = [
            sentence.removeprefix("X ") for sentence in opinion.rstrip(".").split(". ")
        ]
        assert first == "Solaris"
        assert set(later) <= set(phrases.FILM_AGAIN)
    assert all(word in " ".join(named) for word in phrases.FILM_AGAIN)
    with written_in(["X."], "Y {film}.", "Y {film}.", "Y {film}."):  # not in the opening
        named = [_opinion(rng, 0, "Solaris") for _ in range(50)]
    assert {opinion.removeprefix("X. ").split(". ")[0] for opinion in named} == {"Y Solaris"}


def test_a_story_starts_with_a_setup_and_tells_every_event_before_it_repeats_one() -> None:
    events = [f"E{k} of the six words here." for k in range(5)]
    with (
        mock.patch.object(phrases, "SETUPS", ["It began with six words here."]),
        mock.patch.object(phrases, "EVENTS", events),
    ):
        orders = set()
        for seed in range(8):
            story = _story(np.random.default_rng(seed), 6 * 11).rstrip(".").split(". ")
            assert story[0] == "It began with six words here"
            assert sorted(story[1:6]) == [event.rstrip(".") for event in events]
            assert story[6:] == story[1:6]
            orders.add(tuple(story[1:6]))
    assert len(orders) > 4


@pytest.mark.parametrize("n_tokens", [0, 3, 6, 7, 13, 40, 300])
def test_a_story_has_as_many_tokens_as_asked_for(n_tokens: int) -> None:
    for seed in range(5):
        assert len(tokenize(_story(np.random.default_rng(seed), n_tokens))) == n_tokens


def test_a_story_does_not_end_in_a_sentence_that_was_only_short_enough() -> None:
    """Of eight tokens, a setup of six would leave two: there is a sentence of two, but no."""
    with (
        mock.patch.object(phrases, "SETUPS", ["A b c d e f."]),
        mock.patch.object(phrases, "EVENTS", ["G h.", "I j k l m n.", "O p q r s t u v."]),
    ):
        stories = {_story(np.random.default_rng(seed), 8) for seed in range(20)}
    assert stories == {"O p q r s t u v.", "G h. I j k l m n."}


def test_a_story_has_one_hero_one_friend_and_one_town() -> None:
    for seed in range(5):
        words = set(tokenize(_story(np.random.default_rng(seed), 400)))
        for names in (phrases.HEROES, phrases.FRIENDS, phrases.TOWNS):
            assert len(words & {name.lower() for name in names}) == 1


@contextmanager
def stories_of_blanks() -> Iterator[None]:
    """An opinion of one word, and stories that are only as long as they should be."""
    with (
        mock.patch.object(synthetic, "_opinion", lambda rng, label, film: f"opinion{label}"),
        mock.patch.object(synthetic, "_story", lambda rng, n_tokens: "x " * n_tokens),
    ):
        yield


def test_lengths_of_stories_have_the_mean_and_the_spread_asked_for() -> None:
    with stories_of_blanks():
        written = write_reviews(np.random.default_rng(0), 4000, distance=1000, spread=0.5)
    lengths = [review.story.count("x") for review in written]
    assert np.mean(lengths) == pytest.approx(1000, rel=0.03)
    assert np.log(lengths).std() == pytest.approx(0.5, rel=0.03)


@pytest.mark.parametrize(
    ("n", "sizes"), [(1, [1]), (2, [2]), (4, [4]), (6, [4, 2]), (9, [4, 5]), (12, [4, 4, 4])]
)
def test_four_reviews_are_of_one_film_and_half_are_positive(n: int, sizes: list[int]) -> None:
    with stories_of_blanks():
        for seed in range(3):
            written = write_reviews(np.random.default_rng(seed), n)
            assert sorted(Counter(r.film for r in written).values()) == sorted(sizes)
            assert sum(review.label for review in written) == n // 2
            assert all(review.opinion == f"opinion{review.label}" for review in written)


def test_films_are_not_in_the_order_of_their_labels() -> None:
    with stories_of_blanks():
        labels = [review.label for review in write_reviews(np.random.default_rng(0), 200)]
    assert labels[:100].count(1) == pytest.approx(50, abs=12)
    assert labels != [0, 1] * 100
    assert Counter(pairwise(labels)).keys() == {(0, 0), (0, 1), (1, 0), (1, 1)}


def test_the_story_stands_behind_the_opinion() -> None:
    assert WrittenReview("Good.", "He left.", 1, "Solaris").text == "Good. He left."
    assert WrittenReview("Good.", "", 1, "Solaris").text == "Good."


def test_no_two_films_have_the_same_title() -> None:
    with mock.patch.object(phrases, "TITLES", ["The Lake", "The Sea"]):
        titles = list(islice(_titles(np.random.default_rng(0)), 6))
    assert len(set(titles)) == 6
    assert all(re.fullmatch("The (Lake|Sea)( [2-6])?", title) for title in titles)


def test_a_corpus_holds_its_three_parts_one_after_another() -> None:
    with stories_of_blanks():
        corpus = synthetic_corpus(np.random.default_rng(0), n_train=8, n_test=6, n_unlabeled=4)
    assert corpus.name == "synthetic"
    for part, n in ((corpus.train, 8), (corpus.test, 6)):
        assert len(part.labels) == n
        told = [text.split()[0] for text in texts(corpus, part)]
        assert told == [f"opinion{label}" for label in part.labels]
        assert part.labels.sum() == n // 2
    assert corpus.unlabeled.labels.tolist() == [-1] * 4
    assert {text.split()[0] for text in texts(corpus, corpus.unlabeled)} == {"opinion0", "opinion1"}
    films = [set(part.films.tolist()) for part in corpus[2:5]]
    assert list(map(len, films)) == [2, 2, 1]
    assert len(set.union(*films)) == 5
    assert corpus.train.films.dtype == np.int32


def test_without_other_wishes_6000_reviews_are_to_train_on() -> None:
    parameters = inspect.signature(synthetic_corpus).parameters
    defaults = {name: p.default for name, p in parameters.items() if name != "rng"}
    assert defaults == {
        **{"n_train": 6000, "n_test": 2000, "n_unlabeled": 0, "distance": 60, "spread": 0.75}
    }
