"""Texts as people write, copy and scrape them: what the tokenizer makes of them."""

import pytest

from numpy_lstm.data.text import tokenize


@pytest.mark.parametrize(
    "word",
    [
        "फूल",  # Hindi: vowels are marks
        "हिन्दी",
        "படம்",  # Tamil
        "ภาพยนตร์",  # Thai
        "চলচ্চিত্র",  # Bengali
        "سینما",
        "كَتَبَ",  # Arabic with its vowels
        "שָׁלוֹם",  # Hebrew with its points
        "မြန်မာ",  # Burmese
        "한국어",
        "tiếng",
        "нѣтъ",
    ],
)
def test_a_word_of_any_script_is_one_token(word: str) -> None:
    assert len(tokenize(f"{word}, {word}.")) == 2


def test_words_that_differ_in_a_vowel_mark_alone_are_two_words() -> None:
    assert tokenize("फूल") != tokenize("फेल")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("naïve", "nai\N{COMBINING DIAERESIS}ve"),
        ("한국어", "\u1112\u1161\u11ab\u1100\u116e\u11a8\u110b\u1165"),
        ("İyi", "iyi"),
        ("Iyi", "iyi"),
        ("GOOD", "ＧＯＯＤ"),
        ("ﬁlm", "film"),
        ("𝐠𝐨𝐨𝐝", "good"),
        ("don't", "don\N{RIGHT SINGLE QUOTATION MARK}t"),
        ("don't", "don\N{ACUTE ACCENT}t"),
        ("don't", "don`t"),
        ("don't", "don&#39;t"),
        ("don't", "don&apos;t"),
        ("don't", "don&rsquo;t"),
        ("don't", "don&amp;#x27;t"),
        ("café", "caf&eacute;"),
        ("good film", "good&nbsp;film"),
        ("good film", "good\N{NO-BREAK SPACE}film"),
        ("good film", "good\u2028film"),
        ("the end bad", "the end&lt;br /&gt;bad"),
        ("2 1/2 stars", "2½ stars"),
        ("What!?", "What⁉"),
    ],
)
def test_one_text_written_in_two_ways_has_the_same_tokens(one: str, other: str) -> None:
    assert tokenize(one) == tokenize(other)


@pytest.mark.parametrize(
    "text", ["film\u00adindustry", "film\u200bindustry", "film\ufeffindustry", "film\u2060industry"]
)
def test_invisible_characters_tear_no_word(text: str) -> None:
    assert tokenize(text) == ["filmindustry"]


def test_ampersands_that_start_no_entity_separate_words() -> None:
    assert tokenize("AT&T, R&D; fish&chips") == ["at", "t", "r", "d", "fish", "chips"]


@pytest.mark.parametrize("thumb", ["👍", "👍🏽", "👍\ufe0f", "&#128077;"])
def test_an_emoji_is_one_token_in_any_skin_tone(thumb: str) -> None:
    assert tokenize(f"good{thumb}{thumb}film") == ["good", "👍", "👍", "film"]


def test_stars_and_hearts_are_seen() -> None:
    assert tokenize("★★☆ I ♥ it, I ❤️ it") == ["★", "★", "☆", "i", "♥", "it", "i", "❤", "it"]


@pytest.mark.parametrize(
    ("emoticon", "emoji"),
    [
        (":)", "🙂"),
        (":-)", "🙂"),
        (":))", "🙂"),
        (";-)", "😉"),
        (":(", "🙁"),
        (":'(", "😢"),
        (":D", "😃"),
        (":-P", "😛"),
        (":/", "😕"),
        ("<3", "❤"),
    ],
)
def test_an_emoticon_and_its_emoji_are_the_same_token(emoticon: str, emoji: str) -> None:
    assert tokenize(f"fun {emoticon}") == tokenize(f"fun {emoji}") == ["fun", emoji]
    assert tokenize(f"{emoticon}\nfun") == [emoji, "fun"]


@pytest.mark.parametrize(
    "text", ["http://x.org", "10:30, 4:3", "Note:(see below)", "Grade:D", "a<30", "x:Door", "c:/d"]
)
def test_what_only_looks_like_an_emoticon_is_none(text: str) -> None:
    assert all(token.isalnum() for token in tokenize(text))


def test_bytes_that_are_no_utf_8_are_no_token() -> None:
    assert tokenize(b"good\xff\xfefilm \x93bad\x94".decode(errors="replace")) == [
        "good",
        "film",
        "bad",
    ]
