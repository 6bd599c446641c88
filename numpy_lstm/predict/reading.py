"""Reads reviews from a file or from standard input: one a line, or a column of a table."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
import sys
import zlib
from pathlib import Path

MOST = 2**30  # bytes that a .gz file may unpack to: eight times the text of IMDB
SAVE = "Save it as text in UTF-8, one review a line, or as a table (.csv, .tsv)."
UTF_8 = "Convert it, for example by iconv -f UTF-16 -t UTF-8, or save it again as UTF-8."
BEGINNINGS = {  # of files that are neither lines nor tables, in lower case
    b"pk\x03\x04": "a .zip archive, as .xlsx, .docx and .npz are",
    b"%pdf": "a PDF",
    b"{\\rtf": "rich text",
    b"<!doctype": "HTML",
    b"<html": "HTML",
    b"<?xml": "XML",
}
DELIMITERS = (",", ";", "\t")  # Excel writes semicolons where the comma is in 0,5
TEXTS = set(  # names of columns that hold reviews, without what is no letter
    "review reviews reviewtext reviewbody text sentence phrase comment content body tweet message"
    " document".split()
)
OTHERS = {"", *"id label sentiment rating score stars class target polarity".split()}


def read_reviews(path: Path | None, column: str | None = None) -> list[str]:
    """Reviews from a file, or from standard input if it is None, in their order.

    They stand one a line, or in a column of a table: a file that is called ``.csv`` or ``.tsv``, or
    has a first line that only the header of a table has, or any if `column` is given. Without
    `column` it must have one name that is usual for reviews. A ``.gz`` file is unpacked. Bytes that
    are not UTF-8 separate words, as in the training data.

    Raises
    ------
    ValueError
        If there is no review, or the file is something else than text or such a table.
    OSError
        If it cannot be read.
    """
    name = "standard input" if path is None else str(path)
    if path is not None and path.is_dir():
        raise ValueError(f"`--file` {path} is a directory; wanted a file of reviews.")
    text = _decoded(_standard_input() if path is None else path.read_bytes(), name)
    called = "" if path is None else Path(path.name.lower().removesuffix(".gz")).suffix
    lines = text.replace("\r\n", "\n").replace("\r", "\n").removesuffix("\n").split("\n")
    if column is not None or called in (".csv", ".tsv") or _is_header(lines[0]):
        reviews = _column(lines, name, column)
    else:
        reviews = lines if text else []
    if not reviews:
        raise ValueError(f"{name} holds no review; wanted one a line.")
    return reviews


def _standard_input() -> bytes:
    """What is there, whatever stands for it: in a notebook or a test it need not be a file."""
    if sys.stdin is None or getattr(sys.stdin, "closed", False):
        raise ValueError("standard input is closed; give reviews as arguments or by --file PATH.")
    if getattr(sys.stdin, "isatty", bool)():
        print("Type reviews, one a line; end with Ctrl-D.", file=sys.stderr)
    contents = getattr(sys.stdin, "buffer", sys.stdin).read()
    return contents if isinstance(contents, bytes) else contents.encode(errors="replace")


def _decoded(contents: bytes, name: str) -> str:
    """The text of a file; an error if it seems to be none."""
    if contents.startswith(b"\x1f\x8b"):
        contents = _unpacked(contents, name)
    for mark, encoding in (
        (codecs.BOM_UTF32_LE, "UTF-32"),  # begins like that of UTF-16
        (codecs.BOM_UTF32_BE, "UTF-32"),
        (codecs.BOM_UTF16_LE, "UTF-16"),
        (codecs.BOM_UTF16_BE, "UTF-16"),
    ):
        if contents.startswith(mark):
            raise ValueError(f"{name} must be UTF-8; got {encoding}. {UTF_8}")
    beginning = contents.removeprefix(codecs.BOM_UTF8).lstrip()[:9].lower()
    for known, kind in BEGINNINGS.items():
        if beginning.startswith(known):
            raise ValueError(f"{name} must be text; got {kind}. {SAVE}")
    if b"\0" in contents:
        raise ValueError(f"{name} must be UTF-8; its NUL bytes are of UTF-16 or no text. {UTF_8}")
    text = contents.decode("utf-8-sig", errors="replace")
    if text.count("\N{REPLACEMENT CHARACTER}") > sum(map(str.isalpha, text)):
        raise ValueError(f"{name} must be UTF-8; most of it is in another encoding. {UTF_8}")
    if _is_json(text):
        raise ValueError(f"{name} must be text; got JSON. {SAVE}")
    return text


def _unpacked(contents: bytes, name: str) -> bytes:
    try:
        with gzip.open(io.BytesIO(contents)) as file:
            unpacked: bytes = file.read(MOST + 1)
    except (OSError, EOFError, zlib.error) as error:
        raise ValueError(f"{name} is a damaged .gz file: {error}.") from error
    if len(unpacked) > MOST:
        raise ValueError(f"{name} unpacks to more than {MOST:,} bytes.")
    return unpacked


def _is_json(text: str) -> bool:
    """Whether the first line is an object or a list, or opens one that has more lines."""
    first = text.lstrip().partition("\n")[0].rstrip()
    if first in ("{", "["):
        return True
    try:
        return first.startswith(("{", "[")) and isinstance(json.loads(first), (dict, list))
    except (ValueError, RecursionError):
        return False


# --- tables --------------------------------------------------------------------------------------


def _plain(cell: str) -> str:
    return "".join(filter(str.isalpha, cell.lower()))


def _header(line: str, delimiter: str) -> list[str]:
    return [cell.strip() for cell in next(csv.reader([line], delimiter=delimiter), [])]


def _is_header(line: str) -> bool:
    """Whether a line is the header of a table and no review: it has usual names and no others."""
    if len(line) > 1000:
        return False
    for delimiter in DELIMITERS:
        names = {_plain(cell) for cell in _header(line, delimiter)}
        if names & TEXTS and names & OTHERS and names <= TEXTS | OTHERS:
            return True
    return False


def _column(lines: list[str], name: str, column: str | None) -> list[str]:
    """The cells of one column, below the first line, which names it."""

    def named(delimiter: str) -> list[bool]:
        cells = _header(lines[0], delimiter)
        return [_plain(cell) in TEXTS if column is None else cell == column for cell in cells]

    # The one by which the first line names the column, or else has the most names.
    delimiter = max(DELIMITERS, key=lambda each: (any(named(each)), len(named(each))))
    header, is_it = _header(lines[0], delimiter), named(delimiter)
    if sum(is_it) != 1:
        raise ValueError(
            f"{name} has {sum(is_it) or 'no'} columns called {column or 'review, text or the like'}"
            f" in its first line: {', '.join(cell[:40] for cell in header[:40])}. Name the column"
            " of the reviews by --column NAME, or add a line of names if there is none."
        )
    k = is_it.index(True)
    limit = csv.field_size_limit(sum(map(len, lines)) + len(lines))  # by default less than a review
    try:
        reviews = _cells(lines, name, delimiter, len(header), k)[1:]
    finally:
        csv.field_size_limit(limit)
    if reviews and all(map(_is_number, reviews)):
        raise ValueError(f"{name}: the column {header[k]} holds numbers, no reviews.")
    if reviews and column is None:
        print(f"Column: {header[k]}", file=sys.stderr)
    return reviews


def _cells(lines: list[str], name: str, delimiter: str, width: int, k: int) -> list[str]:
    """Cell k of each row."""
    if delimiter == "\t":  # most such tables have quotes within texts, and none around them
        rows = [line.split("\t") for line in lines if line.strip()]
        if all(len(row) == width for row in rows):
            return [_unquoted(row[k]) for row in rows]
    reader = csv.reader([f"{line}\n" for line in lines], delimiter=delimiter, strict=True)
    cells, begun = [], 1
    try:
        for row in reader:
            if len(row) == width:
                cells.append(row[k])
            elif "".join(row).strip():
                raise ValueError(
                    f"{name}, line {begun}: {len(row)} columns, but {width} have names. A text with"
                    f" {delimiter!r} or a line break in it must be in quotes."
                )
            begun = reader.line_num + 1
    except csv.Error as error:
        raise ValueError(f"{name}, from line {begun} on: {error}.") from error
    return cells


def _unquoted(cell: str) -> str:
    is_quoted = len(cell) > 1 and cell[0] == cell[-1] == '"'
    return cell[1:-1].replace('""', '"') if is_quoted else cell


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True
