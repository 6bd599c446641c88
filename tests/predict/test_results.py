"""Results for a reader: the right probability, of the right class, with signs that are right."""

import io
import json
import os
from argparse import Namespace
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.data.text import Vocabulary
from numpy_lstm.predict import __main__ as command
from numpy_lstm.predict import formatting, integrated_gradients, scoring
from numpy_lstm.predict.integrated_gradients import Explanation
from numpy_lstm.predict.scoring import Scoring
from numpy_lstm.predict.written import as_written
from numpy_lstm.settings import Settings
from numpy_lstm.weights import Weights, save_weights
from tests.experiments.hand_made import reviews_of
from tests.train.hand_made import arrays

TEXTS = ["Good, quux film", "quux quux quux"]
WORDS = ("good", "film", *"abcdefgh")  # ids 2 to 11; 1 is an unknown word
SETTINGS = Settings(hidden_size=2, vector_size=3)
CONTRIBUTIONS = np.array([1.5, 0.0, -0.25])


def weights_of(*classes: Any) -> Weights:
    """Weights that are not looked at: scores are made by hand."""
    return Weights(arrays("rnn", 0), SETTINGS, Vocabulary(WORDS), classes, "imdb")


def results(classes: tuple[Any, ...], logits: Any, *, explained: bool = True) -> list[Any]:
    """Of `TEXTS`, with these logits; the first has two known words, the other none."""
    known = Scoring(np.array(logits), np.array([2, 0]), reviews_of([0, 0], [2, 1, 3], [1, 1, 1]))

    def explain(classifier: Any, tokens: Any, label: int) -> Explanation:
        assert classifier.bag_size == SETTINGS.bag_size
        assert tokens.tolist() in ([2, 1, 3], [1, 1, 1])
        return Explanation(0.5 + label, CONTRIBUTIONS)

    with (
        patch.object(scoring, "score", lambda *_: known),
        patch.object(integrated_gradients, "explain", explain),
    ):
        return [*command.results_of(weights_of(*classes), TEXTS, explained=explained)]


def share(logit: float) -> float:
    return float(1 / (1 + np.exp(-logit)))


@pytest.mark.parametrize(("logit", "label"), [(2.0, "yes"), (-2.0, "no"), (1e-3, "yes")])
def test_of_two_classes_all_is_said_of_the_second(logit: float, label: str) -> None:
    first, second = results(("no", "yes"), [logit, 3.0])
    explanation = first.pop("explanation")
    assert first.pop("probability") == pytest.approx(share(logit))
    assert first.pop("probabilities") == pytest.approx({"no": share(-logit), "yes": share(logit)})
    assert first == {
        "review": TEXTS[0],
        "label": label,
        "probability_of": "yes",
        "logit": logit,
        "words_known": 2,
    }
    assert explanation["words"] == [("Good", 1.5), ("quux", 0.0), ("film", -0.25)]
    assert explanation["unknown"] == [1]
    assert explanation["baseline"] == 1.5  # of class 1
    assert explanation["residual"] == pytest.approx(logit - 1.5 - 1.25)
    said = ("label", "probability", "logit", "probabilities", "words_known")
    assert [second[name] for name in said] == [None, None, None, None, 0]
    assert second["review"] == TEXTS[1]
    assert [word for word, _ in second["explanation"]["words"]] == ["quux"] * 3
    assert second["explanation"]["unknown"] == [0, 1, 2]
    assert second["explanation"]["residual"] == pytest.approx(3.0 - 1.5 - 1.25)


def test_of_more_classes_all_is_said_of_the_likeliest() -> None:
    logits = [[1.0, 3.0, 0.0], [0.0, 0.0, 5.0]]
    first, _ = results(("a", "b", "c"), logits)
    shares = np.exp(logits[0]) / np.exp(logits[0]).sum()
    assert (first["label"], first["probability_of"]) == ("b", "b")
    assert first["probability"] == pytest.approx(shares[1])
    assert first["probabilities"] == pytest.approx(dict(zip("abc", shares, strict=True)))
    assert first["logit"] == pytest.approx(np.log(shares[1] / (1 - shares[1])))
    assert first["explanation"]["baseline"] == 1.5
    first, _ = results(("a", "b", "c"), [[4.0, 3.0, 0.0], [0.0, 0.0, 5.0]])
    assert (first["label"], first["explanation"]["baseline"]) == ("a", 0.5)


def test_words_are_explained_only_if_that_is_asked_for() -> None:
    assert "explanation" not in results(("no", "yes"), [1.0, 1.0], explained=False)[0]


# --- on the terminal -----------------------------------------------------------------------------


def result(**changes: Any) -> dict[str, Any]:
    explanation = {
        "baseline": -0.5,
        "residual": 0.01,
        "words": [("good", 1.5), ("quux", 0.0), ("bad", -2.25), ("so", 1.0), ("the", 0.001)],
        "unknown": [1],
    }
    return {
        "review": "good quux bad so the",
        "label": "no",
        "probability_of": "yes",
        "probability": 0.12345,
        "logit": -0.49,
        "probabilities": {"no": 0.87655, "yes": 0.12345},
        "explanation": {**explanation, **changes.pop("explanation", {})},
        **changes,
    }


def test_a_line_has_the_label_and_the_probability_of_the_class_it_names() -> None:
    assert formatting.line(result()) == "no  P(yes) = 0.1235  good quux bad so the"
    unknown = result(label=None, probability=None, review="quux\tquux\n")
    assert formatting.line(unknown) == "unknown   no known word  quux quux "
    for length, shown in ((60, "x" * 60), (61, "x" * 59 + "…")):
        assert formatting.line(result(review="x" * length)).endswith(f"  {shown}")


def test_words_stand_under_the_class_that_they_speak_for() -> None:
    assert formatting.paragraph(result(), in_color=False).split("\n") == [
        "  logit -0.49, of which -0.50 without the words",
        "  towards yes: good +1.50, so +1.00",
        "  towards no: bad -2.25",
        "  unknown to the model: quux",
    ]
    weak = [("so", 0.0051), ("the", 0.0049), ("but", -0.0051), ("a", -0.0049)]  # would be 0.00
    lines = formatting.paragraph(result(explanation={"words": weak}), in_color=False).split("\n")
    assert lines[1:3] == ["  towards yes: so +0.01", "  towards no: but -0.01"]
    many = result(probabilities={"a": 0.1, "yes": 0.2, "b": 0.7})
    assert "\n  towards the other classes: bad -2.25\n" in formatting.paragraph(
        many, in_color=False
    )
    none = result(explanation={"words": [("good", 0.001)], "unknown": []})
    assert formatting.paragraph(none, in_color=False).split("\n")[1:] == [
        "  towards yes: none",
        "  towards no: none",
    ]


@pytest.mark.parametrize(("residual", "shown"), [(0.049, False), (0.05, True), (-0.06, True)])
def test_what_is_unexplained_is_said_from_five_hundredths_on(residual: float, shown: bool) -> None:
    text = formatting.paragraph(result(explanation={"residual": residual}), in_color=False)
    assert (f" and {residual:+.2f} unexplained" in text) == shown


def test_only_the_eight_strongest_words_are_listed_the_strongest_first() -> None:
    words = [(f"w{k}", k / 10) for k in range(1, 11)]
    text = formatting.paragraph(
        result(explanation={"words": words, "unknown": [*range(10), 0]}), in_color=False
    )
    strongest = ", ".join(f"w{k} +{k / 10:.2f}" for k in range(10, 2, -1))
    assert f"  towards yes: {strongest}\n" in text
    assert text.endswith("unknown to the model: w1, w2, w3, w4, w5, w6, w7, w8 and 2 more")


BLUE, ORANGE, BOLD, PLAIN = "\x1b[38;5;33m", "\x1b[38;5;208m", "\x1b[1m", "\x1b[0m"


def test_in_color_blue_words_raise_the_probability_and_strong_ones_are_bold() -> None:
    last = formatting.paragraph(result(), in_color=True).split("\n")[-1]
    good, quux, bad, so, the = last.strip().split(" ")
    assert good == f"{BLUE}{BOLD}good{PLAIN}"
    assert bad == f"{ORANGE}{BOLD}bad{PLAIN}"
    assert so == f"{BLUE}so{PLAIN}"
    assert (quux, the) == ("quux", "the")


def test_on_a_page_blue_words_raise_the_probability_and_unknown_ones_have_dots(
    tmp_path: Path,
) -> None:
    formatting.write_page(tmp_path / "p.html", [result(), result(label=None)], Path("a&b.npz"))
    page = (tmp_path / "p.html").read_bytes().decode()
    blue, orange = "rgba(51,136,238,{})", "rgba(238,119,51,{})"
    assert f'"background:{blue.format("1.00")}">blue</span>' in page
    assert f'"background:{orange.format("1.00")}">orange</span>' in page
    assert f'<span style="background:{blue.format("0.67")}" title="+1.500">good</span>' in page
    assert f'<span style="background:{orange.format("1.00")}" title="-2.250">bad</span>' in page
    assert page.count("<span class=unknown") == 2
    assert page.count('">quux</span>') == 2
    assert "<h2>no, P(yes) = 0.1235</h2>" in page
    assert page.count("<h2>unknown: no word that the model knows</h2>") == 1
    assert "<p>a&amp;b.npz: words that raised" in page
    assert "\r" not in page


def test_words_and_classes_are_text_on_a_page_and_no_html(tmp_path: Path) -> None:
    loved = result(label="<b>", probability_of="<b>", probabilities={"<b>": 0.7, "no": 0.3})
    loved["explanation"] = {**loved["explanation"], "words": [("<3", 1.0)], "unknown": []}
    formatting.write_page(tmp_path / "p.html", [loved], Path("w.npz"))
    page = (tmp_path / "p.html").read_text(encoding="utf-8")
    assert ">&lt;3</span>" in page and "<3" not in page
    assert "&lt;b&gt;, P(&lt;b&gt;)" in page and "<b>" not in page


def test_a_page_replaces_an_earlier_page_and_nothing_else(tmp_path: Path) -> None:
    formatting.write_page(tmp_path / "p.html", [result()], Path("w.npz"))
    formatting.write_page(tmp_path / "p.html", [result(label=None)], Path("w.npz"))
    assert "unknown: no word" in (tmp_path / "p.html").read_text(encoding="utf-8")
    (tmp_path / "mine.html").write_text("<!DOCTYPE html>\n<p>mine")
    with pytest.raises(ValueError, match="is no page of this command"):
        formatting.write_page(tmp_path / "mine.html", [], Path("w.npz"))
    assert (tmp_path / "mine.html").read_text().endswith("mine")


# --- the command ---------------------------------------------------------------------------------


@contextmanager
def inside(folder: Path) -> Any:
    before = os.getcwd()
    os.chdir(folder)
    try:
        yield
    finally:
        os.chdir(before)


def printed(path: Path, found: list[Any], **asked: Any) -> tuple[list[str], str]:
    """The lines on standard output, and what is said on standard error."""
    arguments = Namespace(**{"weights": None, "html": None, "json": False, "explain": False})
    vars(arguments).update(asked)
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(command, "results_of", lambda *_, **__: iter(found)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        command.print_results(path, TEXTS, arguments)
    return out.getvalue().splitlines(), err.getvalue()


def test_results_are_printed_in_the_form_that_is_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "w.npz"
    save_weights(path, weights_of("no", "yes"))
    found = [result(), result(label=None, review="quux")]
    lines, said = printed(path, found)
    assert lines == [formatting.line(each) for each in found]
    assert said == f"Model: {path}\n"
    lines, said = printed(path, found, explain=True, weights=path)
    explained = formatting.paragraph(found[0], in_color=False).split("\n")
    assert lines == [formatting.line(found[0]), *explained, formatting.line(found[1])]
    assert said == ""
    lines, _ = printed(path, [result()], json=True, explain=True)
    assert [json.loads(line) for line in lines] == [json.loads(json.dumps(result()))]
    lines, _ = printed(path, [result()], json=True)
    assert "explanation" not in json.loads(lines[0])
    lines, said = printed(path, found, html=tmp_path / "p.html")
    assert lines == [formatting.line(each) for each in found]
    assert said.endswith(f"Wrote {tmp_path / 'p.html'}\n")
    assert (tmp_path / "p.html").read_text(encoding="utf-8").count("<h2>") == 2


@pytest.mark.parametrize(("dataset", "warned"), [("synthetic", True), ("imdb", False)])
def test_a_model_of_the_built_in_reviews_is_called_one(
    dataset: str, warned: bool, tmp_path: Path
) -> None:
    save_weights(tmp_path / "w.npz", weights_of("no", "yes")._replace(dataset=dataset))
    _, said = printed(tmp_path / "w.npz", [result()], weights=tmp_path / "w.npz")
    assert said.startswith("This model has read the built-in reviews only") == warned


def test_the_newest_run_is_taken_and_its_lstm(tmp_path: Path) -> None:
    names = ("new/weights-lstm", "new/weights-rnn", "zzz/weights-lstm", "aaa/weights-lstm")
    with ExitStack() as stack:
        stack.enter_context(inside(tmp_path))
        for name, changed in zip(names, (1, 9, 8, 7), strict=True):
            path = Path("runs", f"{name}.npz")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.touch()
            os.utime(path, (changed, changed))
        assert command.find_weights(None) == Path("runs/new/weights-lstm.npz")
        assert command.find_weights(Path("runs/zzz")) == Path("runs/zzz/weights-lstm.npz")
        assert command.find_weights(Path("x.npz")) == Path("x.npz")
        Path("runs/new/weights-lstm.npz").unlink()
        assert command.find_weights(None) == Path("runs/new/weights-rnn.npz")


def test_a_folder_without_weights_is_told_from_a_run_that_has_not_ended(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no trained model in .* Train one"):
        command.find_weights(tmp_path)
    (tmp_path / "checkpoint-rnn.npz").touch()
    with pytest.raises(ValueError, match=r"has not ended. .*--resume --out"):
        command.find_weights(tmp_path)


@pytest.mark.parametrize(
    ("text", "most", "words"),
    [
        ("Good, GREAT film!", 9, ["Good", "GREAT", "film", "!"]),
        ("Good, GREAT film!", 2, ["film", "!"]),
        ("<b>Not</b> bad", 9, ["Not", "bad"]),
        ("so so So", 2, ["so", "So"]),
        ("Bad-bad", 1, ["bad"]),
        ("\u201cDidn\u2019t, no", 9, ["Didn\u2019t", "no"]),
    ],
)
def test_words_are_the_last_ones_as_they_were_written(
    text: str, most: int, words: list[str]
) -> None:
    assert as_written(text, most) == words


def test_words_are_shown_without_their_invisible_characters() -> None:
    assert as_written("Go\u00adod \u200bFILM\u2060 !", 3) == ["Good", "FILM", "!"]
