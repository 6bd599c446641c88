"""The sentiment of reviews, as a user asks for it on the command line."""

import io
import json
import os
import re
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

import numpy_lstm as nl
from numpy_lstm.predict import formatting
from numpy_lstm.predict.__main__ import find_weights, main
from numpy_lstm.weights import save_weights
from tests.test_estimator import LABELS, ROUNDING, TEXTS, TINY

REVIEWS = ["a good film", "the bad music", "quux"]


@pytest.fixture(scope="module")
def classifier():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)


@pytest.fixture
def path(classifier, tmp_path, monkeypatch):
    """A weights file, in an empty folder to work in."""
    monkeypatch.chdir(tmp_path)
    save_weights(tmp_path / "w.npz", classifier.weights_)
    return "w.npz"


def output(capsys, *arguments):
    assert main(list(arguments)) == 0
    return capsys.readouterr().out.splitlines()


def test_a_line_for_each_review_with_label_and_probability(path, classifier, capsys):
    lines = output(capsys, "--weights", path, *REVIEWS)
    positive, negative = classifier.predict_proba(REVIEWS[:2])[:, 1]
    assert lines == [
        f"up  P(up) = {positive:.4f}  a good film",
        f"down  P(up) = {negative:.4f}  the bad music",
        "unknown   no known word  quux",
    ]


def test_arguments_file_and_standard_input_give_the_same(path, capsys, monkeypatch):
    expected = output(capsys, "--weights", path, *REVIEWS)
    contents = "\n".join(REVIEWS).encode() + b"\n"
    Path("reviews.txt").write_bytes(contents)
    assert output(capsys, "--weights", path, "--file", "reviews.txt") == expected
    stdin = SimpleNamespace(buffer=io.BytesIO(contents), isatty=lambda: False)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert output(capsys, "--weights", path) == expected


def test_someone_who_types_is_told_how_to_end(path, capsys, monkeypatch):
    stdin = SimpleNamespace(buffer=io.BytesIO(b"good\n"), isatty=lambda: True)
    monkeypatch.setattr(sys, "stdin", stdin)
    assert main(["--weights", path]) == 0
    assert "end with Ctrl-D" in capsys.readouterr().err


def test_json_has_an_object_a_line(path, classifier, capsys):
    results = [json.loads(line) for line in output(capsys, "--weights", path, "--json", *REVIEWS)]
    assert [result["review"] for result in results] == REVIEWS
    assert [result["words_known"] for result in results] == [3, 3, 0]
    logits = [result["logit"] for result in results[:2]]
    expected = classifier.decision_function(REVIEWS[:2])
    np.testing.assert_allclose(logits, expected, rtol=0, atol=ROUNDING)
    assert results[2]["logit"] is None
    assert "explanation" not in results[0]
    line, *_ = output(capsys, "--weights", path, "--json", "--explain", *REVIEWS)
    explanation = json.loads(line)["explanation"]
    assert [word for word, _ in explanation["words"]] == ["a", "good", "film"]
    total = explanation["baseline"] + sum(pull for _, pull in explanation["words"])
    assert total == pytest.approx(logits[0], abs=0.01)


def test_explain_names_the_words_that_moved_the_logit(path, capsys):
    lines = output(capsys, "--weights", path, "--explain", "a good plot, the bad music")
    assert re.match(r"  logit [+-]\d\.\d\d, of which [+-]\d\.\d\d without the words", lines[1])
    assert re.match(r"  towards up: good \+\d", lines[2])
    assert re.match(r"  towards down: bad -\d", lines[3])
    assert "\x1b" not in "".join(lines)  # nothing is colored where nobody sees it


def test_a_terminal_shows_colors_unless_they_are_not_wanted(path, capsys, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="utf-8", newline="\n")
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    monkeypatch.setattr(sys, "stdout", terminal)
    for variable, colored in (("1", False), (None, True)):
        if variable:
            monkeypatch.setenv("NO_COLOR", variable)
        else:
            monkeypatch.delenv("NO_COLOR")
        assert main(["--weights", path, "--explain", "a good, bad film"]) == 0
        terminal.flush()
        text = terminal.buffer.getvalue().decode()
        assert ("\x1b[38;5;33m" in text) == ("\x1b[38;5;208m" in text) == colored


def test_html_is_a_page_of_its_own(path, capsys):
    output(capsys, "--weights", path, "--html", "page.html", "good <b>film</b> & quux", "")
    page = Path("page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>") and page.endswith("</html>\n")
    assert page.count("<h2>up, P(up) = ") == 1
    assert "no word that the model knows" in page
    assert re.search(r"class=unknown [^>]+>quux</span>", page)
    assert re.search(r'background:rgba\(51,136,238,1\.00\)" title="\+\d\.\d+">good</span>', page)


def test_the_newest_run_is_the_default_and_its_lstm_first(path, capsys):
    for k, name in enumerate(("old/weights-lstm", "new/weights-rnn", "new/weights-lstm")):
        copy = Path("runs", f"{name}.npz")
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes(Path(path).read_bytes())
        os.utime(copy, (k, k))
    assert main(["good"]) == 0
    assert capsys.readouterr().err == f"Model: {Path('runs/new/weights-lstm.npz')}\n"
    assert find_weights(Path("runs/old")) == Path("runs/old/weights-lstm.npz")
    Path("runs/new/weights-lstm.npz").unlink()
    assert find_weights(None) == Path("runs/new/weights-rnn.npz")


def test_a_model_of_the_built_in_reviews_says_what_it_is_worth(path, classifier, capsys):
    save_weights(Path("s.npz"), classifier.weights_._replace(dataset="synthetic"))
    assert main(["--weights", "s.npz", "good"]) == 0
    assert "built-in reviews only" in capsys.readouterr().err


def test_whoever_has_seen_enough_may_hang_up(path):
    command = [sys.executable, "-m", "numpy_lstm.predict", "--weights", path]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe) as process:
        process.stdout.close()
        process.stdin.write(b"good film\n" * 10_000)
        process.stdin.close()
        assert process.stderr.read() == b""
    assert process.returncode == 0


def test_an_ascii_terminal_shows_what_it_can(path):
    environment = {**os.environ, "PYTHONIOENCODING": "ascii"}
    done = subprocess.run(
        [sys.executable, "-m", "numpy_lstm.predict", "--weights", path, "good \N{SNOWMAN}"],
        capture_output=True,
        env=environment,
        check=True,
    )
    assert done.stdout.strip().endswith(rb"good \u2603")


def test_the_page_says_what_is_left_unexplained(tmp_path):
    result = {
        "label": "positive",
        "probability_of": "positive",
        "probability": 0.9,
        "explanation": {"baseline": 0.0, "residual": 0.5, "words": [("good", 1.7)], "unknown": []},
    }
    whole = {**result, "explanation": {**result["explanation"], "residual": 0.01}}
    formatting.write_page(tmp_path / "page.html", [result, whole], Path("weights.npz"))
    page = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert page.count("unexplained") == 1
    assert "+0.50 of the logit is unexplained" in page


def test_a_page_that_may_not_be_written_is_refused_before_all_work(tmp_path, capsys):
    (tmp_path / "mine.html").write_text("mine")
    options = ["--html", str(tmp_path / "mine.html"), "--weights", str(tmp_path / "none.npz")]
    assert main([*options, "good"]) == 2
    assert "is no page of this command" in capsys.readouterr().err
    assert (tmp_path / "mine.html").read_text() == "mine"
