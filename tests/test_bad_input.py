"""Bad input, row by row: each ends in a right result or in an error that names what is wrong."""

import io
import json
import os
import re
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import numpy_lstm as nl
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.predict import __main__ as predict
from numpy_lstm.settings import Settings
from numpy_lstm.train import __main__ as train
from numpy_lstm.train import job
from numpy_lstm.train.checkpoint import load_checkpoint
from numpy_lstm.weights import load_weights, save_weights
from tests.test_estimator import LABELS, TEXTS, TINY


@pytest.fixture(scope="module")
def classifier():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)


@pytest.fixture(autouse=True)
def work(classifier, tmp_path, monkeypatch):
    """An empty folder to work in, with a weights file beside it, and no data of this machine."""
    save_weights(tmp_path / "weights.npz", classifier.weights_)
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path / "cache"))
    monkeypatch.delenv("NUMPY_LSTM_IMDB", raising=False)
    return tmp_path


def call(main, capsys, *arguments):
    """Status, standard output, and standard error without the usage, of a command line."""
    try:
        status = main(list(arguments))
    except SystemExit as end:
        status = end.code
    out, err = capsys.readouterr()
    return status, out, [line for line in err.splitlines() if not line.startswith("usage:")]


def predicted(capsys, monkeypatch, contents, *arguments):
    """What predict makes of the bytes on standard input."""
    stdin = SimpleNamespace(buffer=io.BytesIO(contents), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    return call(predict.main, capsys, "--weights", "../weights.npz", *arguments)


# --- reviews: labels in order, None where there is nothing to go by --------------------------

UP, DOWN = "up", "down"


@pytest.mark.parametrize(
    ("contents", "labels"),
    [
        (b"\n", [None]),
        (b"good\n\nbad\n", [UP, None, DOWN]),
        (b"   \t \n", [None]),
        (b"quux xyzzy\n", [None]),
        (b"good", [UP]),
        (b"GOOD film\r\nBAD film\r\n", [UP, DOWN]),
        (b"bad " * 100_000 + b"\n", [DOWN]),
        (b"bad " * 1000 + b"good " * 800 + b"\n", [UP]),  # the last 800 words are read
        (b"good" * 100_000 + b"\n", [None]),
        (b"<br /><br />good<br />film\n", [UP]),
        (b"<p></p>\n", [None]),
        (b"<script>alert('bad')</script\n", [DOWN]),
        (b"&lt;good&gt;\n", [UP]),
        ("good 👍👍 film 🎬\n".encode(), [UP]),
        ("👎👎👎\n".encode(), [None]),
        ("非常好 отличный фильм ممتاز\n".encode(), [None]),
        ("非常好 good ممتاز\n".encode(), [UP]),
        ("go\u0301od\n".encode(), [None]),  # another word
        ("good\u2028film\u0085plot\x0b\x0c film\n".encode(), [UP]),  # all one line
        (b"good \xff\xc3\x28 film \x80\n", [UP]),
        (b"\xed\xb2\x80 good\n", [UP]),  # a lone surrogate, encoded
        (b"\xef\xbb\xbfgood\n", [UP]),  # a byte order mark is no part of the first word
        (b"\x1b[31m good \x1b[0m\x07\n", [UP]),
        (b"!!!!!!! ??? ... \n", [None]),
        (b"10/10\n", [None]),
    ],
)
def test_odd_reviews_have_a_result(capsys, monkeypatch, contents, labels):
    status, out, err = predicted(capsys, monkeypatch, contents, "--json")
    results = [json.loads(line) for line in out.splitlines()]
    assert (status, err) == (0, [])
    assert [result["label"] for result in results] == labels
    for result in results:
        assert (result["probability"] is None) == (result["label"] is None)

    status, out, err = predicted(capsys, monkeypatch, contents, "--explain", "--html", "page.html")
    assert (status, err) == (0, ["Wrote page.html"])
    starts = [line.split()[0] for line in out.splitlines() if not line.startswith(" ")]
    assert starts == [label or "unknown" for label in labels]
    assert "\x1b" not in out and "\0" not in out
    assert "<script>" not in Path("page.html").read_text(encoding="utf-8")


def test_an_argument_that_is_no_text_has_a_result(capsys, monkeypatch):
    """The bytes of an argument that are no UTF-8 arrive as lone surrogates."""
    for arguments in ((), ("--explain",), ("--json",)):
        status, out, err = predicted(capsys, monkeypatch, b"", "good \udcff\ud800", *arguments)
        assert (status, err) == (0, [])
        assert UP in out


# --- command lines: one line, status 2 -------------------------------------------------------


def damaged(work, **arrays):
    """The weights file with some of its arrays replaced."""
    with np.load(work / "weights.npz") as stored:
        np.savez(work / "weights.npz", **{**stored, **arrays})


PREDICT = "--weights ../weights.npz good"


@pytest.mark.parametrize(
    ("arguments", "prepare", "message"),
    [
        ("", None, "standard input holds no review"),
        ("good", None, r"no trained model in runs/.*python -m numpy_lstm\.train"),
        ("--weights . good", None, "no trained model in"),
        ("--weights nothing.npz good", None, r"No such file.*nothing\.npz"),
        ("--file nothing.txt", None, r"No such file.*nothing\.txt"),
        ("--file .", None, "directory|denied"),
        ("--file empty", lambda w: Path("empty").touch(), "empty holds no review"),
        (
            "--file x",
            lambda w: Path("x").write_bytes(b"\xff\xfeg\0"),
            "x must be UTF-8; got UTF-16",
        ),
        ("--file x", lambda w: Path("x").write_bytes(b"good\0film\n"), "x must be UTF-8; its NUL"),
        ("--file x good", None, "argument --file: not together with reviews"),
        ("--nonsense", None, "--nonsense"),
        (
            f"{PREDICT} --html no/where.html",
            None,
            r"`--html` no/where\.html cannot be written: No such",
        ),
        ("--weights x good", lambda w: Path("x").write_text("text"), "x is not a sound .npz"),
        (PREDICT, lambda w: damaged(w, b_out=np.full(1, np.nan, np.float32)), "must be finite"),
        (PREDICT, lambda w: damaged(w, b_out=np.zeros(2, np.float32)), r"shape \(1,\); got \(2,\)"),
        (PREDICT, lambda w: damaged(w, b_out=np.array([{}])), "not a sound .npz"),
        (PREDICT, lambda w: os.truncate(w / "weights.npz", 5000), "not a sound .npz"),
        (PREDICT, lambda w: os.truncate(w / "weights.npz", 0), "not a sound .npz"),
    ],
)
def test_predict_ends_with_one_clear_line(capsys, monkeypatch, work, arguments, prepare, message):
    stdin = SimpleNamespace(buffer=io.BytesIO(b""), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    if prepare:
        prepare(work)
    status, out, err = call(predict.main, capsys, *arguments.split())
    assert (status, out, len(err)) == (2, "", 1)
    assert re.search(message, err[0])


TRAIN = "--dataset synthetic --model rnn --epochs 1 --hidden-size 2 --vector-size 2 --out out "


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("--dataset imdb --data .", "has no folder train/pos"),
        ("--dataset imdb --data ../weights.npz", r"0 reviews in train/pos"),  # .npz is .zip
        (TRAIN + "--out ../weights.npz", "is a file"),
        (TRAIN + "--out ../weights.npz/out", "Not a directory|No such file"),
        (TRAIN + "--out /proc/out", "denied|No such file|not permitted|Read-only"),
        (TRAIN + "--validation-fraction 0.999999", "cannot be split by film"),
        (TRAIN + "--seed 99999999999999999999", "--seed: must be .* less than"),
        (TRAIN + "--lr inf", "--lr: must be positive"),
        (TRAIN + "--forget-bias nan", "--forget-bias: must be finite"),
        (TRAIN + "--lr 1e38", "the loss is .* at step .* smaller --lr"),
        (TRAIN + "--hidden-size 9999999999999", "allocate"),
        (TRAIN + "--resume", "no run to resume"),
    ],
)
def test_train_ends_with_one_clear_line(capsys, monkeypatch, arguments, message):
    small = synthetic_corpus(np.random.default_rng(0), n_train=60, n_test=20)
    monkeypatch.setattr(job, "synthetic_corpus", lambda rng: small)
    status, _, err = call(train.main, capsys, *arguments.split())
    assert (status, len(err)) == (2, 1), err
    assert re.search(message, err[0])


@pytest.mark.parametrize(
    "arguments",
    ["--vocabulary-size 3", "--max-length 1 --bag-size 9999 --batch-size 999999 --probes 999999"],
)
def test_extreme_settings_train(capsys, monkeypatch, arguments):
    small = synthetic_corpus(np.random.default_rng(0), n_train=60, n_test=20)
    monkeypatch.setattr(job, "synthetic_corpus", lambda rng: small)
    assert call(train.main, capsys, *(TRAIN + arguments).split())[0] == 0
    assert load_weights(Path("out/weights-rnn.npz")).settings.epochs == 1


@pytest.mark.parametrize("contents", [b"{", b"[]", b"{}", b'{"settings": {"epochs": -1}}', b"\xff"])
def test_a_run_whose_settings_are_spoiled_is_not_resumed(capsys, contents):
    Path("config.json").write_bytes(contents)
    status, _, err = call(train.main, capsys, "--resume", "--out", ".")
    assert (status, len(err)) == (2, 1)
    assert "config.json cannot be read" in err[0]


def test_a_checkpoint_that_is_none_is_refused(work):
    with pytest.raises(ValueError, match="is not a checkpoint"):
        load_checkpoint(work / "weights.npz", Settings())


# --- the estimator ---------------------------------------------------------------------------

ONE_EACH = ["good", "bad"]


@pytest.mark.parametrize(
    ("X", "y", "weights", "message"),
    [
        ([], [], None, r"0 sample\(s\) while a minimum of 1"),
        ("good", [1], None, "raw text documents expected, string object received"),
        (["good", None], [0, 1], None, "Text 1 must be a string; got NoneType"),
        (["good", float("nan")], [0, 1], None, "Text 1 must be a string; got float: nan"),
        ([b"good", "bad"], [0, 1], None, "Text 0 must be a string; got bytes"),
        ([1, 2], [0, 1], None, "Text 0 must be a string; got int"),
        (np.array([["good"], ["bad"]]), [0, 1], None, r"Expected 1D .* \(2, 1\)"),
        (np.array("good"), [1], None, r"Expected 1D .* \(\)"),
        (TEXTS, None, None, "requires y to be passed, but the target y is None"),
        (TEXTS, LABELS[:-1], None, "inconsistent numbers of samples"),
        (TEXTS, np.zeros(80), None, "contains only one class: np.float64"),
        (TEXTS, np.linspace(0, 1, 80), None, "Unknown label type: continuous"),
        (TEXTS, np.full(80, np.nan), None, "Input y contains NaN"),
        (TEXTS, [None] * 40 + [1] * 40, None, "contains NaN|Unknown label type"),
        (TEXTS, np.zeros((80, 2)), None, "y should be a 1d array"),
        (ONE_EACH, [1, 0], None, r"at least 2 texts with positive weight.* got \[1, 1\]"),
        (["", "..."] * 4, [1, 0] * 4, None, "empty vocabulary"),
        (TEXTS, LABELS, np.full(80, -1.0), "Negative values in data"),
        (TEXTS, LABELS, np.full(80, np.nan), "sample_weight contains NaN"),
        (TEXTS, LABELS, np.zeros(80), "positive weight|at least one non-zero"),
        (TEXTS, LABELS, np.ones(3), r"sample_weight.shape == \(3,\), expected \(80,\)"),
    ],
)
def test_what_cannot_be_learned_from_is_named(X, y, weights, message):
    with pytest.raises(ValueError, match=message):
        nl.ReviewClassifier(**TINY).fit(X, y, weights)


@pytest.mark.parametrize("X", [[], "good", ["good", None], np.array([["good"]])])
def test_what_cannot_be_classified_is_refused(classifier, X):
    with pytest.raises(ValueError, match=r"sample|string|1D"):
        classifier.predict(X)


def test_texts_that_say_nothing_are_learned_from_beside_others():
    texts = [*TEXTS, "", "<br />", "👍", "\ud800", "good " * 100_000]
    fitted = nl.ReviewClassifier(**TINY).fit(texts, [*LABELS, *["up", "down"] * 2, "up"])
    assert fitted.score(TEXTS, LABELS) > 0.9


# --- the library -----------------------------------------------------------------------------

XS = np.zeros((4, 2, 3))
LSTM = nl.init_lstm(3, 5, rng=np.random.default_rng(0), dtype=np.float64)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"lengths": [0, 4]}, "`lengths` must lie in 1 … T=4; got 0 … 4"),
        ({"lengths": [-1, 4]}, "`lengths` must lie in 1 … T=4; got -1 … 4"),
        ({"lengths": [4, 5]}, "`lengths` must lie in 1 … T=4; got 4 … 5"),
        ({"lengths": [4.0, 4.0]}, "`lengths` must be whole numbers; got dtype float64"),
        ({"lengths": [4]}, r"`lengths` must have shape \(N=2,\); got \(1,\)"),
        ({"xs": XS.astype(int)}, "`xs` must be float32, float64 or complex128; got int64"),
        ({"xs": XS.astype(np.float16)}, "`xs` must be .* got float16"),
        ({"xs": XS.astype(np.float32)}, "`xs` must be float64 like the other arrays; got float32"),
        ({"xs": XS.tolist()}, "`xs` must be a NumPy array; got list"),
        ({"xs": XS[:0]}, "`xs` must hold at least one step"),
        ({"xs": XS.swapaxes(0, 2)}, r"`xs` must have shape \(T, N, D=3\); got \(3, 2, 4\)"),
        ({"h0": np.zeros((2, 4))}, r"`h0` must have shape \(N=2, H=5\); got \(2, 4\)"),
        ({"params": LSTM._replace(b=np.zeros(5))}, "`b` must have shape"),
    ],
)
def test_the_recurrence_names_what_does_not_fit(arguments, message):
    with pytest.raises(ValueError, match=message):
        nl.lstm_forward(**{"xs": XS, "params": LSTM, **arguments})


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"epochs": 0}, "`epochs` must be at least 1; got 0"),
        ({"epochs": 1.5}, "`epochs` must be a whole number; got 1.5"),
        ({"epochs": True}, "`epochs` must be a whole number; got True"),
        ({"dropout": 1.0}, "`dropout` must be at least 0 and less than 1; got 1.0"),
        ({"dropout": float("nan")}, "`dropout` must be .* got nan"),
        ({"readout": 3}, "`readout` must be a string; got 3"),
    ],
)
def test_settings_outside_of_their_limits_are_refused(settings, message):
    with pytest.raises(ValueError, match=message):
        Settings(**settings)
