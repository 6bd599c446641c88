"""Words as they stand in a text, where the tokens of a model are lower-case."""

from __future__ import annotations

import re
from unicodedata import category

from numpy_lstm.data.text import tokenize

_TAG = re.compile(r"</?[a-z][^<>]*>", re.IGNORECASE)


def as_written(text: str, most: int) -> list[str]:
    """What stands in the text for its last tokens, at most so many, without invisible characters.

    It is the token itself if its place cannot be found.

    >>> as_written("Didn't <b>LIKE</b> it... AWFUL! :-(", 5)
    ['LIKE', 'it', 'AWFUL', '!', ':-(']
    """
    tokens = tokenize(text)[-most:]
    read: list[tuple[str, list[str]]] = []  # pieces and their tokens, the last first
    count = 0
    for piece in reversed(_TAG.sub(" ", text).split()):
        if count >= most:
            break
        read.append((piece, tokenize(piece)))
        count += len(read[-1][1])
    if [token for _, found in read[::-1] for token in found][-most:] != tokens:
        return tokens  # a piece alone may mean something else, as half of an entity
    words = [word for piece, found in read[::-1] for word in _in_turn(piece, found)]
    seen = ("".join(filter(str.isprintable, word)) for word in words[-most:])
    return [word or token for word, token in zip(seen, tokens, strict=True)]


def _in_turn(piece: str, tokens: list[str]) -> list[str]:
    """Where each token of a piece stands, from left to right."""
    words, end, lower = [], 0, piece.lower()
    for token in tokens:
        begin = lower.find(token, end) if len(lower) == len(piece) else -1
        if begin >= 0:
            end = begin + len(token)
            words.append(piece[begin:end])
        elif len(tokens) == 1:  # written otherwise: with another apostrophe, as an emoticon
            words.append(_without_marks(piece) if token[0].isalnum() else piece)
        else:
            words.append(token)
    return words


def _without_marks(piece: str) -> str:
    """Without the punctuation around it."""
    inner = [k for k, character in enumerate(piece) if category(character)[0] != "P"]
    return piece[inner[0] : inner[-1] + 1] if inner else piece
