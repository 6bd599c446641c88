"""Files, streams and arguments as people give them to the command that judges reviews."""

import builtins
import codecs
import contextlib
import csv
import gzip
import io
import json
import os
import re
import subprocess
import sys
import tracemalloc
import zipfile
from pathlib import Path

import numpy as np
import pytest
from threadpoolctl import ThreadpoolController

import numpy_lstm as nl
from numpy_lstm.predict import reading
from numpy_lstm.predict.__main__ import main
from numpy_lstm.predict.scoring import score
from numpy_lstm.predict.written import as_written
from numpy_lstm.recurrence import parallel
from numpy_lstm.weights import save_weights
from tests.test_estimator import LABELS, TEXTS, TINY

REVIEWS = ["a good film", 'bad, "really" bad', "two\nlines, good", ""]
ROWS = [("review", "sentiment"), *((review, "positive") for review in REVIEWS)]


@pytest.fixture(scope="module")
def weights():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS).weights_


@pytest.fixture(autouse=True)
def work(weights, tmp_path, monkeypatch):
    """A folder to work in, with weights."""
    monkeypatch.chdir(tmp_path)
    save_weights(Path("w.npz"), weights)


def table(rows=ROWS, **how):
    text = io.StringIO()
    csv.writer(text, **how).writerows(rows)
    return text.getvalue()


def read(name, contents, capsys, *arguments):
    """The reviews that the command finds in a file."""
    Path(name).write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    assert main(["--weights", "w.npz", "--json", "--file", name, *arguments]) == 0
    return [json.loads(line)["review"] for line in capsys.readouterr().out.splitlines()]


def refused(capsys, *arguments):
    """The line with which the command refuses, which must be the only one."""
    assert main(["--weights", "w.npz", *arguments]) == 2
    out, err = capsys.readouterr()
    (line,) = err.splitlines()
    assert out == "" and line.startswith("error: ")
    return line


# --- tables --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "contents"),
    [
        ("IMDB Dataset.csv", table()),
        ("reviews.CSV", table(lineterminator="\n")),
        ("reviews.csv", "\ufeff" + table()),
        ("reviews.csv", table(delimiter=";")),
        ("reviews.csv", table(delimiter="\t")),
        ("reviews.csv", table(quoting=csv.QUOTE_ALL)),
        ("reviews.csv", table([row[::-1] for row in ROWS])),
        ("reviews.csv", table([(" Review_Text ", "x"), *ROWS[1:]])),
        ("reviews.csv", table().replace("\r\n", "\n\n", 1) + "\n \n"),
        ("reviews.csv", table([row[:1] for row in ROWS], quoting=csv.QUOTE_ALL)),
        ("reviews.tsv", table(delimiter="\t")),
        ("reviews.csv.gz", gzip.compress(table().encode())),
        ("reviews", table()),
        ("reviews", table([("", *row) for row in ROWS])),
    ],
)
def test_a_table_gives_a_review_for_each_record(name, contents, capsys):
    assert read(name, contents, capsys) == REVIEWS


def test_a_table_comes_through_a_pipe_too(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table().encode())))
    assert main(["--weights", "w.npz"]) == 0
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == len(REVIEWS) and err == "Column: review\n"


def test_quotes_within_the_texts_of_a_tsv_open_nothing(capsys):
    """As in SST-2, and in the labeledTrainData.tsv of a Kaggle competition."""
    contents = 'id\tsentiment\treview\n"1_8"\t1\t"a \\"good\\" film"\n2\t0\t" bad\n3\t1\tgood "'
    assert read("a.tsv", contents, capsys) == ['a \\"good\\" film', '" bad', 'good "']


def test_the_column_can_be_named(capsys):
    rows = [("text", "comment", "mine", "stars"), ("one", "two", "good", "4")]
    assert read("a.csv", table(rows), capsys, "--column", "mine") == ["good"]
    assert read("a.txt", table(rows), capsys, "--column", "text") == ["one"]
    for name in ("no", "stars"):
        assert "a.csv" in refused(capsys, "--file", "a.csv", "--column", name)
    with pytest.raises(SystemExit, match="2"):
        main(["--weights", "w.npz", "--column", "text", "good"])


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (table([("text", "comment"), ("a", "b")]), "2 columns called .*: text, comment."),
        (table([("one", "two"), ("a", "b")]), "no columns called .*: one, two. .* --column NAME"),
        ('0,"Mon Apr 06","good, film"\n', "add a line of names"),
        ("good film\nbad film\n", "no columns called .*: good film"),
        (table([("review", "review"), ("a", "b")]), "2 columns called"),
        (table() + "good, but long,positive\n", "line 7: 3 columns, but 2 have names"),
        (table() + "good\n", "line 7: 1 columns, but 2 have names"),
        (table() + '"not closed,1\nbad,0\n', "from line 7 on: unexpected end of data"),
        (table() + '"a \\"b\\" c",1\n', "from line 7 on: ',' expected"),
        (table([("text", "x"), ("1", "a"), ("2.5", "b")]), "the column text holds numbers"),
        (table(ROWS[:1]), "holds no review"),
        ("", "columns"),
    ],
)
def test_a_table_that_cannot_be_read_is_refused(contents, message, capsys):
    Path("a.csv").write_text(contents, newline="")
    line = refused(capsys, "--file", "a.csv")
    assert "a.csv" in line
    assert re.search(message, line), line


def test_a_review_may_be_longer_than_the_limit_of_the_csv_module(capsys):
    before = csv.field_size_limit()
    review = "good " * before
    assert read("a.csv", table([("text",), (review,)]), capsys) == [review]
    assert csv.field_size_limit() == before


# --- files that are something else ---------------------------------------------------------------


def zipped():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("a.txt", "good")
    return file.getvalue()


TEXT = "a good film\nплохой фильм\n"


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (TEXT.encode("utf-16"), "must be UTF-8; got UTF-16"),
        (codecs.BOM_UTF16_BE + TEXT.encode("utf-16-be"), "must be UTF-8; got UTF-16"),
        (TEXT.encode("utf-32"), "must be UTF-8; got UTF-32"),
        (TEXT.encode("utf-16-le"), "NUL bytes"),
        (TEXT.encode("utf-32-be"), "NUL bytes"),
        ("плохой фильм".encode("cp1251"), "another encoding"),
        (zipped(), "got a .zip archive"),
        (gzip.compress(zipped()), "got a .zip archive"),
        (gzip.compress(TEXT.encode())[:-9], "damaged .gz"),
        (gzip.compress(TEXT.encode()) + b"more", "damaged .gz"),
        (b"%PDF-1.7\n", "got a PDF"),
        (b"\n<!DOCTYPE html>\n<p>good", "got HTML"),
        (b"<?xml version='1.0'?>", "got XML"),
        (b"{\\rtf1 good}", "got rich text"),
        (b'{"review": "good"}\n{"review": "bad"}\n', "got JSON"),
        (b'["good", "bad"]', "got JSON"),
        (b'{\n "cells": []\n}', "got JSON"),
        (bytes(range(256)), "NUL bytes"),
        (b"", "holds no review"),
    ],
)
@pytest.mark.parametrize("way", ["file", "pipe"])
def test_a_file_that_is_no_text_is_refused(contents, message, way, capsys, monkeypatch):
    if way == "file":
        Path("a.txt").write_bytes(contents)
        line = refused(capsys, "--file", "a.txt")
    else:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(contents)))
        line = refused(capsys)
    assert message in line and ("a.txt" if way == "file" else "standard input") in line


def test_a_folder_of_reviews_is_refused(capsys):
    Path("reviews").mkdir()
    assert "reviews is a directory" in refused(capsys, "--file", "reviews")


def test_lines_that_only_look_like_something_else_are_reviews(capsys):
    lines = ["[Spoilers] good", "{sic}", "review, text", "PK is a good film", "# good", "text"]
    assert read("a.txt", "\n".join(lines), capsys) == lines


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_may_end_as_on_any_system_and_be_packed(end, capsys):
    contents = f"good{end}{end}bad{end}".encode()
    assert read("a.txt", contents, capsys) == ["good", "", "bad"]
    assert read("a.txt.gz", gzip.compress(contents), capsys) == ["good", "", "bad"]


def test_a_gz_file_that_unpacks_to_too_much_is_refused(capsys, monkeypatch):
    monkeypatch.setattr(reading, "MOST", 1000)
    Path("a.gz").write_bytes(gzip.compress(b"good " * 1000))
    assert "unpacks to more than 1,000 bytes" in refused(capsys, "--file", "a.gz")


# --- standard streams ----------------------------------------------------------------------------


@pytest.mark.parametrize("stdin", [None, "closed"])
def test_without_standard_input_the_message_says_where_reviews_come_from(
    stdin, capsys, monkeypatch
):
    stream = io.StringIO() if stdin else None
    if stream is not None:
        stream.close()
    monkeypatch.setattr(sys, "stdin", stream)
    assert "standard input is closed; give reviews as arguments" in refused(capsys)


def test_standard_input_need_not_be_a_file(capsys, monkeypatch):
    monkeypatch.setattr(sys, "stdin", io.StringIO("a good film\nbad\n"))
    assert main(["--weights", "w.npz"]) == 0
    assert len(capsys.readouterr().out.splitlines()) == 2


def test_it_runs_in_a_notebook(monkeypatch):
    """Whose streams have no file, no encoding to change and no terminal."""

    class OutStream:
        def __init__(self):
            self.text = ""

        def write(self, text):
            self.text += text

        def flush(self):
            pass

    out = OutStream()
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["--weights", "w.npz", "--explain", "a good film ×"]) == 0
    assert out.text.count("\n") == 4 and sys.stdout is out
    text = io.StringIO()
    with contextlib.redirect_stdout(text):
        assert main(["--weights", "w.npz", "--explain", "a good film ×"]) == 0
    assert text.getvalue() == out.text


@pytest.mark.parametrize("encoding", ["cp1251", "ascii", "latin-1"])
def test_what_the_encoding_of_the_output_lacks_is_escaped(encoding, monkeypatch):
    out = io.TextIOWrapper(io.BytesIO(), encoding=encoding)
    monkeypatch.setattr(sys, "stdout", out)
    assert main(["--weights", "w.npz", "--explain", "good \N{SNOWMAN} quux\u0301"]) == 0
    assert b"\\u2603" in out.buffer.getvalue()


@pytest.mark.skipif(os.name == "nt", reason="no such shell")
@pytest.mark.parametrize("end", ["| true", "| head -1", ">&-", "2>&- | cat", "<&-"])
def test_no_reader_no_output_and_no_input_are_no_crash(end):
    command = f'"{sys.executable}" -m numpy_lstm.predict --weights w.npz --json good bad {end}'
    environment = {**os.environ, "PYTHONPATH": str(Path(nl.__file__).parents[1])}
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", command],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert (ended.returncode, ended.stderr) == (0, "")


def test_explanations_are_printed_as_they_are_made(capsys, monkeypatch):
    """So that thousands of them need no memory, and ``| head`` no patience."""
    printed = []

    def stop(*text, **how):
        printed.append(text)
        raise BrokenPipeError

    monkeypatch.setattr(builtins, "print", stop)
    explained = []
    monkeypatch.setattr(
        "numpy_lstm.predict.integrated_gradients.explain",
        lambda *_: explained.append(1) or (0.0, np.zeros(1)),
    )
    assert main(["--weights", "w.npz", "--json", "--explain", *["good"] * 1000]) == 0
    assert len(explained) == len(printed) == 1


# --- arguments -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "reviews"),
    [
        (["-1 star, bad"], ["-1 star, bad"]),
        (["-10"], ["-10"]),
        (["--", "-bad"], ["-bad"]),
        ([""], [""]),
        (["", "good"], ["", "good"]),
        (["good " * 100_000], ["good " * 100_000]),
    ],
)
def test_odd_arguments_are_reviews(arguments, reviews, capsys):
    assert main(["--weights", "w.npz", "--json", "--explain", *arguments]) == 0
    results = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [result["review"] for result in results] == reviews


def test_words_are_shown_as_they_were_written(capsys):
    text = "A GOOD film: \x1b[31mQuux\x1b[0m, <b>Bad</b> don’t &amp; Café…"
    assert main(["--weights", "w.npz", "--json", "--explain", text]) == 0
    explanation = json.loads(capsys.readouterr().out)["explanation"]
    words = [word for word, _ in explanation["words"]]
    assert words[:3] == ["A", "GOOD", "film"] and words[-3:] == ["Bad", "don’t", "Café"]
    assert "Quux" in " ".join(words) and "\x1b" not in "".join(words)
    assert [words[k] for k in explanation["unknown"]][-2:] == ["don’t", "Café"]
    assert {"A", "GOOD", "film", "Bad"}.isdisjoint(words[k] for k in explanation["unknown"])

    assert main(["--weights", "w.npz", "--explain", "--html", "page.html", text]) == 0
    out = capsys.readouterr().out
    assert "GOOD +" in out and "Bad -" in out and "<unk>" not in out
    assert re.search("unknown to the model: .*Quux.*, don’t, Café\n", out)
    page = Path("page.html").read_text(encoding="utf-8")
    assert ">GOOD</span>" in page and "&lt;unk&gt;" not in page
    assert page.count("class=unknown") == len(explanation["unknown"])


def test_there_is_a_written_word_for_every_token():
    rng = np.random.default_rng(0)
    letters = [*"aAbB's!?.,;:()<>/-& \n\t0½é“”’İßﬁ", ":-)", "<br />", "&amp;", "👍🏽", "e\u0301"]
    for _ in range(500):
        text = "".join(rng.choice(letters, 12))
        tokens = nl.data.text.tokenize(text)
        for most in (1, 3, 20):
            assert len(as_written(text, most)) == len(tokens[-most:])


# --- pages and weights ---------------------------------------------------------------------------


def test_a_page_replaces_only_a_page(capsys):
    page = ["--html", "page.html", "good"]
    for _ in range(2):
        assert main(["--weights", "w.npz", *page]) == 0
        assert capsys.readouterr().err == "Wrote page.html\n"
    for contents in (b"", b"<!DOCTYPE html>\n<html>mine</html>"):
        Path("page.html").write_bytes(contents)
        assert "page.html is there and is no page of this" in refused(capsys, *page)
        assert Path("page.html").read_bytes() == contents
    before = Path("w.npz").read_bytes()
    assert "w.npz is there" in refused(capsys, "--html", "w.npz", "good")
    assert Path("w.npz").read_bytes() == before
    assert ". is there" in refused(capsys, "--html", ".", "good")


def test_what_is_given_for_weights_and_is_none_is_called_by_its_name(weights, capsys):
    np.savez("gradient_norms.npz", lengths=np.ones(3), lstm_h=np.ones((2, 3)))
    np.savez("checkpoint-rnn.npz", state=np.array("{}"))
    Path("empty").mkdir()
    Path("run").mkdir()
    Path("run/checkpoint-rnn.npz").touch()
    for given, message in (
        ("gradient_norms.npz", "is not a weights file of numpy_lstm: it holds no 'about'"),
        ("checkpoint-rnn.npz", "is a checkpoint, not a weights file"),
        ("empty", "no trained model in empty/. Train one"),
        ("run", "no trained model in run/ yet: the run has not ended"),
    ):
        assert main(["--weights", given, "good"]) == 2
        assert message in capsys.readouterr().err


def test_which_of_several_weights_was_taken_is_said(weights, capsys):
    for name in ("run/weights-lstm.npz", "run/weights-rnn.npz"):
        Path("runs", name).parent.mkdir(parents=True, exist_ok=True)
        save_weights(Path("runs", name), weights)
    for folder in ("runs/run", "runs"):
        assert main(["--weights", folder, "good"]) == 0
        assert capsys.readouterr().err == f"Model: {Path('runs/run/weights-lstm.npz')}\n"


# --- how long it takes ---------------------------------------------------------------------------


def test_one_review_converts_only_the_vectors_of_its_words(weights):
    words = [f"w{k}" for k in range(400_000)]
    vectors = np.zeros((len(words) + 2, 8), np.float32)
    large = weights._replace(
        vocabulary=nl.data.text.Vocabulary(words),
        parameters={**weights.parameters, "embedding": vectors},
    )
    tracemalloc.start()
    score(large, ["w1 w2 unknown", "w3"])
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < vectors.nbytes


def test_libraries_are_looked_for_once(weights, monkeypatch):
    searches = []

    def search():
        searches.append(1)
        return ThreadpoolController()

    monkeypatch.setattr(parallel, "ThreadpoolController", search)
    monkeypatch.setattr(parallel, "_ONE_THREAD", parallel._OneThread())
    for _ in range(3):
        score(weights, ["good"])
    assert len(searches) == 1
