"""Reviews are read in their order, each whole, and nothing that is none."""

import gzip
import io
from contextlib import redirect_stderr
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pytest

from numpy_lstm.predict import reading
from numpy_lstm.predict.reading import read_reviews


def read(folder: Path, name: str, contents: bytes, column: str | None = None) -> list[str]:
    (folder / name).write_bytes(contents)
    with redirect_stderr(io.StringIO()):
        return read_reviews(folder / name, column)


def taken(folder: Path, name: str, contents: bytes, column: str | None = None) -> list[str]:
    """What is read, of a file that must not be refused."""
    try:
        return read(folder, name, contents, column)
    except ValueError as error:
        raise AssertionError(f"refused: {error}") from error


@pytest.mark.parametrize(
    ("contents", "reviews"),
    [
        (b"one\ntwo\n", ["one", "two"]),
        (b"one\ntwo", ["one", "two"]),
        (b"one\r\ntwo\r\n", ["one", "two"]),
        (b"one\rtwo\r", ["one", "two"]),
        (b"\xef\xbb\xbfone\n\ntwo\n", ["one", "", "two"]),
        (b"caf\xc3\xa9\nna\xefve", ["café", "na\ufffdve"]),
        (b"\n", [""]),
        (b"one\n\n\n", ["one", "", ""]),  # of the line ends at the end, one ends the last review
    ],
)
def test_every_line_is_a_review_whatever_ends_it(
    contents: bytes, reviews: list[str], tmp_path: Path
) -> None:
    assert read(tmp_path, "r.txt", contents) == reviews
    assert read(tmp_path, "r.txt.gz", gzip.compress(contents)) == reviews


@pytest.mark.parametrize(
    ("name", "contents", "reviews"),
    [
        ("r.csv", b'id,Review,stars\n1,"a, b",5\n2,"say ""x""\ny",1\n', ["a, b", 'say "x"\ny']),
        ("r.csv", b"id;text\n1;0,5 of 10\n2;b\n", ["0,5 of 10", "b"]),
        ("r.csv", b"review;from 1, 2, 3\na, b, c;1\n", ["a, b, c"]),  # more names by the comma
        ("r.tsv", b'label\tsentence\n1\ta "b" c\n0\t"d ""e"""\n', ['a "b" c', 'd "e"']),
        ("r.csv", b"film,text\nx,first\ny,second\n", ["first", "second"]),
        ("r.txt", b"review,sentiment\na,positive\nb,negative\n", ["a", "b"]),
        ("r.txt", b"text\na,positive\n", ["text", "a,positive"]),
        ("r.txt", b"Review Text,Sentiment,Rating,Stars,Score\na,,,,\n", ["a"]),
        ("r.csv.gz", gzip.compress(b"text\na\nb\n"), ["a", "b"]),
    ],
)
def test_a_table_gives_the_column_of_reviews(
    name: str, contents: bytes, reviews: list[str], tmp_path: Path
) -> None:
    assert taken(tmp_path, name, contents) == reviews


def test_a_table_that_holds_a_review_of_digits_is_taken(tmp_path: Path) -> None:
    assert taken(tmp_path, "r.csv", b"id,text\n1,10\n2,good\n") == ["10", "good"]


def test_a_column_that_is_named_is_taken(tmp_path: Path) -> None:
    table = b"text,what\na,b\nc,d\n"
    assert read(tmp_path, "r.txt", table, "what") == ["b", "d"]
    assert read(tmp_path, "r.csv", table, "text") == ["a", "c"]
    assert taken(tmp_path, "b.csv", b"text, what \na,b\n", "what") == ["b"]
    told = io.StringIO()
    with redirect_stderr(told):
        read_reviews(tmp_path / "r.csv")
    assert told.getvalue() == "Column: text\n"


@pytest.mark.parametrize(
    ("name", "contents", "words"),
    [
        ("r.txt", b"", "holds no review"),
        ("r.csv", b"text\n", "holds no review"),
        ("r.csv", b"review,text\na,b\n", "has 2 columns called"),
        ("r.csv", b"a,b\nc,d\n", "has no columns called"),
        ("r.csv", b"id,text\n1,a,b\n", "line 2: 3 columns, but 2 have names"),
        ("r.csv", b"id,text\n1,a\n2,b,c\n", "line 3: 3 columns"),
        ("r.csv", b"id,text\n1,5\n2,7.5\n", "holds numbers, no reviews"),
        ("r.txt", "good".encode("utf-16"), r"got UTF-16\. Convert it"),
        ("r.txt", "good".encode("utf-32"), r"got UTF-32\. Convert it"),
        ("r.txt", "good".encode("utf-16-le"), r"NUL bytes .*\. Convert it"),
        ("r.txt", b"%PDF-1.4", r"got a PDF\. Save it as text"),
        ("r.txt", b"\n <HTML>", r"got HTML\. Save it as text"),
        ("r.txt", b'[{"text": "a"}]', r"got JSON\. Save it as text"),
        ("r.txt", b"\xe4\xf6\xfc a", r"another encoding\. Convert it"),
        ("r.gz", gzip.compress(b"one\ntwo")[:-4], "damaged .gz"),
    ],
)
def test_what_holds_no_reviews_is_refused(
    name: str, contents: bytes, words: str, tmp_path: Path
) -> None:
    with pytest.raises(ValueError, match=words):
        read(tmp_path, name, contents)


def test_a_packed_file_may_not_grow_without_end(tmp_path: Path) -> None:
    with patch.object(reading, "MOST", 10):
        assert read(tmp_path, "r.gz", gzip.compress(b"x" * 10)) == ["x" * 10]
        with pytest.raises(ValueError, match="unpacks to more than 10 bytes"):
            read(tmp_path, "r.gz", gzip.compress(b"x" * 11))
    assert reading.MOST == 2**30


@pytest.mark.parametrize("is_terminal", [True, False])
def test_standard_input_is_read_and_someone_who_types_is_told_how(is_terminal: bool) -> None:
    stdin: Any = SimpleNamespace(buffer=io.BytesIO(b"one\ntwo\n"), isatty=lambda: is_terminal)
    told = io.StringIO()
    with patch("sys.stdin", stdin), redirect_stderr(told):
        assert read_reviews(None) == ["one", "two"]
    assert ("end with Ctrl-D" in told.getvalue()) == is_terminal


def test_standard_input_may_be_of_text_alone() -> None:
    with patch("sys.stdin", io.StringIO("caf\u00e9\n\u6f14\u6280\n")):  # as in a notebook
        assert read_reviews(None) == ["caf\u00e9", "\u6f14\u6280"]
