"""What holds of every view: its questions, its controls, its answers as plain data."""

import json
import math
import re
from pathlib import Path

import pytest

from numpy_lstm.explore import lag_and_padding, small_models, words
from numpy_lstm.explore.controls import offered, offered_settings
from numpy_lstm.explore.views import about, outcome, respond, views_of

VIEWS = views_of(None)
EACH = pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
CHARTED = ("title", "x", "y", "lines")


def defaults(view):
    return {c.name: c.default for c in view.controls if not c.local and c.kind != "text"}


def asked(view, question):
    return respond(VIEWS, {"view": view.name, "setting": defaults(view) | question.setting})


def test_there_are_the_six():
    assert list(VIEWS) == [
        "starting-weights",
        "epochs",
        "words",
        "one-step",
        "lag-and-padding",
        "break-it",
    ]


@EACH
def test_every_control_begins_with_a_value_that_it_has_and_the_file_offers(view):
    for control in view.controls:
        if control.kind != "text":
            assert control.default in control.values and control.default in offered(control)
            assert set(offered(control)) <= set(control.values)
            assert len(control.texts) in (0, len(control.values))


@EACH
def test_every_question_is_of_a_setting_that_the_file_has_and_its_outcome_is_an_option(view):
    settings = [setting for _, setting in offered_settings(view.controls)]
    for k, question in enumerate(view.questions):
        assert defaults(view) | question.setting in settings
        found = outcome(view, k)
        assert found["right"] in question.options
        assert re.search(r"\d", found["measured"]) or "“" in found["measured"]
        assert found["measured"].endswith(".")


@EACH
def test_every_answer_is_plain_data_with_a_sentence_charts_and_a_table(view):
    for question in view.questions:
        answer = asked(view, question)
        assert json.loads(json.dumps(answer, allow_nan=False)) == json.loads(json.dumps(answer))
        assert answer["sentence"].endswith(".") and "\n" not in answer["sentence"]
        columns, rows = answer["table"]["columns"], answer["table"]["rows"]
        assert rows and all(len(row) == len(columns) for row in rows)
        for chart in answer["charts"]:
            assert all(chart[part] for part in CHARTED)
            for axis in (chart["x"], chart["y"]):
                assert len(axis["ticks"]) == len(axis["labels"]) >= 2
                assert all(axis["low"] <= tick <= axis["high"] for tick in axis["ticks"])
            for line in chart["lines"]:
                sides = [line[part] for part in ("x", "low", "high") if part in line]
                if line["role"] not in ("bound", "radius"):  # straight lines have two points
                    assert all(len(side) == len(line["y"]) for side in sides)
                assert any(value is not None for value in line["y"])


@EACH
def test_the_page_is_told_all_values_live_and_the_offered_ones_in_the_file(view):
    live, filed = about(view, live=True), about(view, live=False)
    assert json.loads(json.dumps(live, allow_nan=False))["name"] == view.name
    for control, told in zip(view.controls, live["controls"], strict=True):
        assert told["values"] == control.values and len(told["texts"]) == len(told["values"])
    for told in filed["controls"]:
        (control,) = (each for each in view.controls if each.name == told["name"])
        assert told["values"] == offered(control)
    assert not any(told["kind"] == "text" for told in filed["controls"])


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (None, "must name its `view`"),
        ({}, "must name its `view`"),
        ({"view": 1}, "must name its `view`"),
        ({"view": "epoch"}, "`view` must be one of starting-weights, epochs, "),
        ({"view": "epochs", "question": 9}, "`question` must be one of 0 … 1"),
        ({"view": "epochs", "question": True}, "`question` must be one of"),
        ({"view": "epochs", "question": "0"}, "`question` must be one of"),
        ({"view": "epochs", "setting": 3}, "`setting` must be names and values"),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_reason(given, message):
    with pytest.raises(ValueError, match=message):
        respond(VIEWS, given)


def test_without_the_small_models_the_page_says_how_to_get_them(monkeypatch):
    nowhere = Path("nowhere")
    monkeypatch.setattr(small_models, "FOLDER", nowhere)
    for module in (words, lag_and_padding):
        monkeypatch.setattr(module, "models", lambda: small_models.load(nowhere))
    lag_and_padding.reach.cache_clear()
    views = views_of(None)
    for name in ("epochs", "words", "lag-and-padding"):
        for given in ({"question": 0}, {"setting": {}}):
            with pytest.raises(ValueError, match="make_models"):
                respond(views, {"view": name, **given})
    assert respond(views, {"view": "break-it", "question": 0})["right"]


def test_no_number_in_an_answer_is_a_negative_zero():
    answer = respond(VIEWS, {"view": "words", "setting": {"shown": "contribution", "example": 1}})
    assert "−0.00" not in json.dumps(answer, ensure_ascii=False)
    values = [v for row in answer["words"]["rows"] for v in row["shares"]]
    assert all(math.copysign(1, v) > 0 for v in values if v == 0)
