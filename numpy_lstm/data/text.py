"""From texts to word ids: the tokenizer and the vocabulary."""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence

import numpy as np
import numpy.typing as npt

from numpy_lstm.data.corpus import Reviews

PAD, UNKNOWN = 0, 1  # the first two ids of every vocabulary

TOKENIZER_VERSION = 1  # raise it when `tokenize` changes, since token ids are cached
_TAG = re.compile(r"</?[a-z][^<>]*>")  # <br />, </i>; not the heart in "I <3 it"
_OUTER_APOSTROPHE = re.compile(r"'(?:\B|(?<=\B'))")  # one that is not between two letters or digits


class _Blanks(dict[int, str]):
    """For `str.translate`: a character that belongs to no token becomes a blank, in any script."""

    def __missing__(self, code: int) -> str:
        character = chr(code)
        self[code] = character if character.isalnum() or character in "'!?" else " "
        return self[code]


_BLANKS = _Blanks({ord("\N{RIGHT SINGLE QUOTATION MARK}"): "'"})


def tokenize(text: str) -> list[str]:
    """Split a text into lower-case words, numbers, ``!`` and ``?``.

    Words keep their inner apostrophes. HTML tags and everything else (other punctuation, emoji,
    control characters, lone surrogates) separate words and are dropped.

    >>> tokenize("Didn't like it...<br />'AWFUL'! 2/10")
    ["didn't", 'like', 'it', 'awful', '!', '2', '10']
    """
    # Faster than finding the tokens by a regular expression; parsing spends most of its time here.
    text = _TAG.sub(" ", text.lower()).translate(_BLANKS)
    text = text.replace("!", " ! ").replace("?", " ? ")
    return _OUTER_APOSTROPHE.sub(" ", text).split()


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
