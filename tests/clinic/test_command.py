"""``python -m numpy_lstm.clinic FILE.py``: its statuses, and one line for bad usage."""

import json
from pathlib import Path

import pytest

from numpy_lstm.clinic import learner
from numpy_lstm.clinic.__main__ import main

STUDENTS = Path(__file__).with_name("students")
WRONG = Path(__file__).with_name("wrong")


def test_a_right_file_is_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(STUDENTS / "cs231n.py"), "--layout", "cs231n"]) == 0
    assert capsys.readouterr().out.count(": RIGHT\n") == 4


def test_a_wrong_file_is_1_and_json_holds_the_diagnoses(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(WRONG / "in_place.py"), "--json"]) == 1
    (diagnosis,) = json.loads(capsys.readouterr().out)
    assert diagnosis["verdict"] == "wrong" and diagnosis["equations"] == [20]


def test_padded_hands_over_lengths(capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(WRONG / "masked.py"), "--padded"]) == 1
    assert "padding goes on changing the state" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "options", "message"),
    [
        (None, [], "no file "),
        ("x = (\n", [], "mine.py, line 1: '(' was never closed"),
        ("import numpy\n\nnumpy.nothing\n", [], "mine.py, line 3 raises AttributeError when it is"),
        ("def rnn_stepp(): pass\n", [], "one of yours is like rnn_step"),
        ("def rnn_step(): pass\n", [], "has rnn_step, but no rnn_step_backward: both are needed"),
        ("", ["--layout", "kerass"], "no layout 'kerass'. Did you mean keras?"),
        ("x = '\0'\n", [], "source code string cannot contain null bytes"),
        (
            "class Own(BaseException): pass\nraise Own('a\\nb')\n",
            [],
            "line 2 raises Own when it is",
        ),
    ],
)
def test_bad_usage_is_2_and_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    text: str | None,
    options: list[str],
    message: str,
) -> None:
    path = tmp_path / "mine.py"
    if text is not None:
        path.write_text(text)
    with pytest.raises(SystemExit) as exit:
        main([str(path), *options])
    assert exit.value.code == 2
    said = capsys.readouterr().err
    assert message in said and said.count("\n") == 1


def test_a_file_that_does_not_come_to_an_end_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(learner, "SECONDS", 0.2)
    (tmp_path / "mine.py").write_text("while True:\n    pass\n")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "mine.py")])
    assert "mine.py does not come to an end when it is imported" in capsys.readouterr().err


def test_a_folder_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as exit:
        main([str(tmp_path)])
    assert exit.value.code == 2 and "is a folder" in capsys.readouterr().err


ALIASED = """
import functools
from numpy_lstm.cells import lstm_step as one, lstm_step_backward as other

class Step:
    def __call__(self, *arguments):
        return one(*arguments)

lstm_step, lstm_step_backward = Step(), functools.partial(other)
"""


def test_functions_by_other_names_partials_and_objects_are_examined(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "mine.py").write_text(ALIASED)
    assert main([str(tmp_path / "mine.py")]) == 0
    assert capsys.readouterr().out.startswith("Step, lstm_step_backward: RIGHT\n")


def test_json_has_no_infinity(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    wrong = (WRONG / "in_place.py").read_text().replace("dc * i  #", "dc * np.nan  #")
    (tmp_path / "mine.py").write_text(wrong)
    assert main([str(tmp_path / "mine.py"), "--json"]) == 1
    (diagnosis,) = json.loads(capsys.readouterr().out, parse_constant=pytest.fail)
    assert diagnosis["errors"]["dx"] is None


def test_a_name_that_does_not_end_in_py_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "notes.txt").write_text("")
    with pytest.raises(SystemExit):
        main([str(tmp_path / "notes.txt")])
    assert "is no Python file: its name must end in .py" in capsys.readouterr().err
