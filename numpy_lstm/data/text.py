"""From texts to word ids: the tokenizer and the vocabulary."""

import html
import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from unicodedata import category, normalize

import numpy as np
import numpy.typing as npt

from numpy_lstm.data.corpus import Reviews

PAD, UNKNOWN = 0, 1  # the first two ids of every vocabulary

TOKENIZER_VERSION = 2  # raise it when `tokenize` changes, since token ids are cached

_ENTITY = re.compile(r"&(?:amp;)*(#x?[0-9a-f]+|[a-z]\w*);", re.ASCII | re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")  # <br />, </i>; not the heart in "I <3 it"
_ESCAPED_TAG = re.compile(r"</?(?:br|p)\b[^<>]*>", re.IGNORECASE)  # was &lt;br /&gt;
# Each kind starts with one of three characters, which a search finds several times as fast.
_EMOTICON = re.compile(
    r"[:;<](?:(?<=:)'?-?\)|(?<=;)-?\)|(?<=:)'?-?\((?!\w)|(?<=<)3(?!\w)"
    r"|(?<!\w:)(?<=:)-?(?:[dp|](?!\w)|/(?![\w/])))"
)
_EMOJI = {
    ":)": "\N{SLIGHTLY SMILING FACE}",
    ";)": "\N{WINKING FACE}",
    ":(": "\N{SLIGHTLY FROWNING FACE}",
    ":')": "\N{FACE WITH TEARS OF JOY}",
    ":'(": "\N{CRYING FACE}",
    ":d": "\N{SMILING FACE WITH OPEN MOUTH}",
    ":p": "\N{FACE WITH STUCK-OUT TONGUE}",
    ":|": "\N{NEUTRAL FACE}",
    ":/": "\N{CONFUSED FACE}",
    "<3": "\N{HEAVY BLACK HEART}",
}
_OUTER_APOSTROPHE = re.compile(r"'(?:(?<![^ '!?]')|(?![^ '!?]))")  # one that joins no two letters
# Apostrophes are typed in many ways; and 2½ is read like 2 1/2, not like 21/2.
_AS_TYPED = str.maketrans(
    {**dict.fromkeys("\u2018\u2019\u02bc\u00b4", "'"), **{half: f" {half}" for half in "¼½¾⅓⅔⅛"}}
)


class _Parts(dict[int, str]):
    """For `str.translate`: what becomes of a character, in any script."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        kind = category(character)
        if 0xFE00 <= code <= 0xFE0F or 0x1F3FB <= code <= 0x1F3FF or kind in ("Cf", "Me"):
            part = ""  # an emoji's variant or skin tone, a soft hyphen, a zero-width space
        elif character.isalnum() or character in "'!?" or kind in ("Mn", "Mc"):
            part = character  # many scripts write vowels as marks
        elif kind == "So" and character != "\N{REPLACEMENT CHARACTER}":  # emoji, stars, notes
            part = f" {character} "
        else:
            part = " "
        self[code] = part
        return part


_PARTS = _Parts({ord("`"): "'"})


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, numbers, ``!``, ``?``, emoji and other symbols.

    Words keep their inner apostrophes, and in all scripts their marks. Emoticons become emoji.
    Characters that can be written in several ways (decomposed, full-width, as an HTML entity) are
    made the same (Unicode's NFKC). HTML tags and everything else (other punctuation, control
    characters, lone surrogates) separate words and are dropped; soft hyphens and other invisible
    characters are dropped within a word. A script without blanks, such as Chinese or Thai, must
    have been divided into words before.

    >>> tokenize("Didn't like it...<br />'AWFUL'! 2/10 :-(")
    ["didn't", 'like', 'it', 'awful', '!', '2', '10', '🙁']
    """
    # Faster than finding the tokens by a regular expression; parsing spends most of its time here.
    text = _TAG.sub(" ", text)
    if "&" in text:
        text = _ENTITY.sub(lambda match: html.unescape(f"&{match[1]};"), text)
        text = _ESCAPED_TAG.sub(" ", text)
    is_ascii = text.isascii()
    if not is_ascii:
        text = normalize("NFKC", text.translate(_AS_TYPED))
    text = text.lower()
    if not is_ascii:
        # The lower case of "İ" has a dot of its own above its i.
        text = normalize("NFKC", text).replace("i\N{COMBINING DOT ABOVE}", "i")
    text = _EMOTICON.sub(_emoji, text).translate(_PARTS)
    text = text.replace("!", " ! ").replace("?", " ? ")
    tokens = _OUTER_APOSTROPHE.sub(" ", text).split()
    return tokens if is_ascii else [token for token in tokens if category(token[0])[0] != "M"]


def _emoji(emoticon: re.Match[str]) -> str:
    return f" {_EMOJI[emoticon[0].replace('-', '')]} "


def number_tokens(
    texts: Iterable[str],
) -> tuple[list[str], npt.NDArray[np.int32], npt.NDArray[np.int64]]:
    """Tokenize texts, and number their distinct words in alphabetical order.

    Returns
    -------
    words : list of str
        The distinct words, sorted; id k stands for ``words[k]``.
    tokens : ndarray of int32, shape (S,)
        The word ids of all texts, one text after another.
    starts : ndarray of int64, shape (n + 1,)
        Text i is ``tokens[starts[i]:starts[i + 1]]``.
    """
    ids: defaultdict[str, int] = defaultdict()
    ids.default_factory = ids.__len__  # a new word gets the next number
    pieces = [np.fromiter(map(ids.__getitem__, tokenize(text)), np.int32) for text in texts]
    words = sorted(ids)
    rank = np.empty(len(words), dtype=np.int32)
    rank[[ids[word] for word in words]] = np.arange(len(words))
    starts = np.cumsum([0, *map(len, pieces)])
    return words, rank[np.concatenate([rank[:0], *pieces])], starts


class Vocabulary:
    """The words that a model knows, and their ids.

    Id 0 is ``<pad>`` (fills up short sequences), id 1 is ``<unk>`` (any unknown word); then come
    the words. No token equals these two, since tokens have no angle brackets.

    Parameters
    ----------
    words : sequence of str
        The known words in the order of their ids, without the two special entries.

    Attributes
    ----------
    words : tuple of str
        All entries; ``words[k]`` has id k.

    Raises
    ------
    ValueError
        If a word is given twice, or is not a string.
    """

    def __init__(self, words: Sequence[str]) -> None:
        if odd := [word for word in words if not isinstance(word, str)]:
            raise ValueError(f"`words` must be strings; got {odd[0]!r}.")
        self.words = ("<pad>", "<unk>", *words)
        self._ids = {word: k for k, word in enumerate(self.words)}
        if len(self._ids) < len(self.words):
            repeated = next(word for k, word in enumerate(self.words) if self._ids[word] != k)
            raise ValueError(f"`words` must differ from one another; {repeated!r} stands twice.")

    def __len__(self) -> int:
        """Return the number of ids, the two special ones included."""
        return len(self.words)

    @classmethod
    def from_corpus(cls, words: Sequence[str], reviews: Reviews, max_size: int) -> "Vocabulary":
        """Keep the most frequent words of `reviews`, which should be training reviews only.

        Parameters
        ----------
        words : sequence of str
            Words for the ids in `reviews`, as in `Corpus.words`.
        reviews : Reviews
            The texts to count; other words stay unknown.
        max_size : int
            Largest number of ids, the two special ones included.

        Raises
        ------
        ValueError
            If `max_size` leaves no room for a word, or a word is given twice.
        """
        if max_size < 3:
            raise ValueError(
                f"`max_size` must be at least 3 (padding and unknown are two); got {max_size}."
            )
        counts = np.bincount(reviews.tokens, minlength=len(words))
        common = np.flatnonzero(counts).tolist()
        common.sort(key=lambda k: (-counts[k], words[k]))
        return cls([words[k] for k in common[: max_size - 2]])

    def remap(self, words: Sequence[str], reviews: Reviews) -> Reviews:
        """Return `reviews`, whose ids stand for `words`, with this vocabulary's ids instead.

        An empty review becomes one unknown word, since a recurrence needs at least one step.
        """
        table = np.array([self._ids.get(word, UNKNOWN) for word in words], dtype=np.int32)
        is_empty = reviews.lengths == 0
        tokens = np.insert(table[reviews.tokens], reviews.starts[:-1][is_empty], UNKNOWN)
        starts = reviews.starts + np.concatenate([[0], is_empty.cumsum()])
        return reviews._replace(tokens=tokens, starts=starts)

    def encode(self, texts: Iterable[str]) -> Reviews:
        """Tokenize texts into unlabeled reviews with this vocabulary's ids, each its own film."""
        words, tokens, starts = number_tokens(texts)
        n = len(starts) - 1
        reviews = Reviews(tokens, starts, np.full(n, -1, np.int8), np.arange(n, dtype=np.int32))
        return self.remap(words, reviews)
