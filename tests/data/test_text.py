"""The tokenizer and the vocabulary."""

import re
import sys
from functools import cache
from unicodedata import category, normalize

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.text import PAD, UNKNOWN, Vocabulary, number_tokens, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("", []),
        (" \n\t ", []),
        ("Great film.", ["great", "film"]),
        ("I didn't; they'd've", ["i", "didn't", "they'd've"]),
        ("I didn\u2019t", ["i", "didn't"]),  # a typographic apostrophe
        ("a\u2018b c\u02bcd e\u00b4f g`h", ["a'b", "c'd", "e'f", "g'h"]),
        ("don&#X27;t don&#x27;t R&#38;D", ["don't", "don't", "r", "d"]),
        ("1\ufe0f\u20e30\ufe0f\u20e3 of 10", ["10", "of", "10"]),  # on keys
        ("a\U0001f3fbb c\U0001f3ffd", ["ab", "cd"]),  # an emoji's skin tone
        ("a\ufe00b c\ufe0fd \U0001f44d\U0001f3fb\U0001f44d\U0001f3ff", ["ab", "cd", *2 * "👍"]),
        ("1¼ 2½ 3¾ 4⅓ 5⅔ 6⅛", list("114212334413523618")),
        (":) ;) :( :') :'( :D :P :| :/ <3", list("🙂😉🙁😂😢😃😛😐😕❤")),
        (":-) ;-) :-( :'-) :'-( :-d :-p :-| :-/", list("🙂😉🙁😂😢😃😛😐😕")),
        ("'quoted' the actors' rock''n''roll '", ["quoted", "the", "actors", "rock", "n", "roll"]),
        ("What?! No!!", ["what", "?", "!", "no", "!", "!"]),
        ("won't!'", ["won't", "!"]),
        ("2/10, 4.5 stars, 90's", ["2", "10", "4", "5", "stars", "90's"]),
        ("well-made snake_case", ["well", "made", "snake", "case"]),
        ("the end.<br /><br />Bad<BR/>film", ["the", "end", "bad", "film"]),
        ("<a href='x'>link</a> I <3 it 1 < 2 > 0", ["link", "i", "\u2764", "it", "1", "2", "0"]),
        ("unclosed <br", ["unclosed", "br"]),
        ("\U0001f600good\U0001f44d\U0001f3fdfilm", ["\U0001f600", "good", "\U0001f44d", "film"]),
        ("Café ФИЛЬМ 電影", ["café", "фильм", "電影"]),
        ("a\ud800b\udfff c\0d \N{REPLACEMENT CHARACTER}", ["a", "b", "c", "d"]),
        ("e\N{COMBINING ACUTE ACCENT}t \N{DIAERESIS}", ["ét"]),
    ],
)
def test_tokens_of_examples(text: str, tokens: list[str]) -> None:
    """Caches rely on these: whoever changes them raises TOKENIZER_VERSION."""
    assert tokenize(text) == tokens


def characters(*categories: str) -> str:
    return "".join(filter(lambda c: category(c) in categories, map(chr, range(sys.maxunicode + 1))))


@cache
def expressions() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """What is dropped within a word, and what is a token."""
    letter = rf"(?:[^\W_]|[{characters('Mn', 'Mc')}])"
    invisible = rf"[{characters('Cf', 'Me')}\ufe00-\ufe0f\U0001f3fb-\U0001f3ff]"
    token = rf"{letter}+(?:'{letter}+)*|[!?]|(?!\ufffd)[{characters('So')}]"
    return re.compile(invisible), re.compile(token)


def tokenize_by_expression(text: str) -> list[str]:
    """The tokenizer as one says it, for texts without entities and emoticons."""
    text = re.sub("</?[a-zA-Z][^<>]*>", " ", text)
    text = re.sub("[\u2018\u2019\u02bc\u00b4`]", "'", re.sub("([¼½¾⅓⅔⅛])", r" \1", text))
    text = normalize("NFKC", normalize("NFKC", text).lower())
    text = text.replace("i\N{COMBINING DOT ABOVE}", "i")
    invisible, token = expressions()
    tokens = token.findall(invisible.sub("", text))
    return [token for token in tokens if not category(token[0]).startswith("M")]


@given(
    st.text(st.characters(exclude_categories=[], exclude_characters="&:;<"))
    | st.text("aB1'\u2019_ !?>/.\u0301\U0001f44d\u00ad")
)
@example("\x1c'\x85'\u2028")
def test_any_text_gives_the_tokens_that_a_regular_expression_finds(text: str) -> None:
    assert tokenize(text) == tokenize_by_expression(text)


@given(st.text(st.characters(exclude_categories=[])))
def test_tokens_are_lower_case_and_survive_joining_and_encoding(text: str) -> None:
    tokens = tokenize(text)
    assert " ".join(tokens).encode().decode().split() == tokens
    assert tokenize(" ".join(tokens)) == tokens


def test_a_hundred_thousand_tokens_are_not_too_many() -> None:
    assert len(tokenize("good " * 100_000)) == 100_000
    assert tokenize("x" * 100_000) == ["x" * 100_000]


def test_words_are_numbered_in_alphabetical_order() -> None:
    words, tokens, starts = number_tokens(["b a", "", "c, a!"])
    assert words == ["!", "a", "b", "c"]
    assert tokens.tolist() == [2, 1, 3, 1, 0]
    assert starts.tolist() == [0, 2, 2, 5]
    assert tokens.dtype == np.int32
    assert starts.dtype == np.int64


@pytest.mark.parametrize("texts", [[], ["", "..."]])
def test_texts_without_a_word_have_no_tokens(texts: list[str]) -> None:
    words, tokens, starts = number_tokens(texts)
    assert (words, tokens.tolist(), starts.tolist()) == ([], [], [0] * (len(texts) + 1))
    assert tokens.dtype == np.int32


def corpus(*texts: str) -> tuple[list[str], Reviews]:
    words, tokens, starts = number_tokens(texts)
    n = len(texts)
    return words, Reviews(tokens, starts, np.ones(n, np.int8), np.arange(n, dtype=np.int32))


def test_words_stand_by_count_and_then_by_alphabet() -> None:
    vocabulary = Vocabulary.from_corpus(*corpus("b b a c", "a z b"), max_size=100)
    assert vocabulary.words == ("<pad>", "<unk>", "b", "a", "c", "z")
    assert len(vocabulary) == 6
    assert (vocabulary.words[PAD], vocabulary.words[UNKNOWN]) == ("<pad>", "<unk>")


def test_the_order_of_the_corpus_does_not_matter() -> None:
    _, reviews = corpus("a b")
    assert Vocabulary.from_corpus(["z", "y"], reviews, max_size=9).words[2:] == ("y", "z")


def test_max_size_counts_the_two_special_entries() -> None:
    assert Vocabulary.from_corpus(*corpus("b b a"), max_size=3).words == ("<pad>", "<unk>", "b")


def test_words_of_the_corpus_that_these_reviews_lack_stay_unknown() -> None:
    words, train = corpus("good film", "bad film")
    words_of_all = [*words, "testword"]
    vocabulary = Vocabulary.from_corpus(words_of_all, train, max_size=100)
    assert "testword" not in vocabulary.words
    test = train._replace(tokens=np.array([3, 1], np.int32), starts=np.array([0, 1, 2]))
    assert vocabulary.remap(words_of_all, test).tokens.tolist() == [UNKNOWN, 2]


def test_remapping_and_encoding_give_the_same_ids() -> None:
    texts = ["a bad, bad film!", "", "never seen: a film"]
    vocabulary = Vocabulary(["bad", "a", "film"])
    encoded = vocabulary.encode(texts)
    remapped = vocabulary.remap(*corpus(*texts))
    assert encoded.tokens.tolist() == remapped.tokens.tolist() == [3, 2, 2, 4, 1, 1, 1, 1, 3, 4]
    assert encoded.starts.tolist() == remapped.starts.tolist() == [0, 5, 6, 10]
    assert encoded.labels.tolist() == [-1, -1, -1]
    assert len(set(encoded.films.tolist())) == 3
    assert encoded.tokens.dtype == np.int32


def test_a_review_without_a_word_becomes_one_unknown_word() -> None:
    encoded = Vocabulary(["a"]).encode(["", "a", "...", ""])
    assert encoded.tokens.tolist() == [UNKNOWN, 2, UNKNOWN, UNKNOWN]
    assert encoded.lengths.tolist() == [1, 1, 1, 1]


def test_no_text_can_name_the_special_entries() -> None:
    assert PAD not in Vocabulary(["pad", "unk"]).encode(["<pad> <unk> pad < pad >"]).tokens


def test_nothing_to_encode_gives_nothing() -> None:
    assert Vocabulary(["a"]).encode([]).starts.tolist() == [0]
    assert Vocabulary([]).encode(["a b"]).tokens.tolist() == [UNKNOWN, UNKNOWN]


def test_a_word_given_twice_is_refused() -> None:
    with pytest.raises(ValueError, match="`words` must differ from one another; 'a' stands twice"):
        Vocabulary(["a", "b", "a"])
    with pytest.raises(ValueError, match="'<pad>' stands twice"):
        Vocabulary(["<pad>"])


def test_a_vocabulary_without_room_for_a_word_is_refused() -> None:
    with pytest.raises(ValueError, match=r"`max_size` must be at least 3 .* got 2"):
        Vocabulary.from_corpus(*corpus("a"), max_size=2)
