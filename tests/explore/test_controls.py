"""What may be asked of a view: bounded, and the same in the served page and in the file."""

import pytest

from numpy_lstm.explore.controls import Control, check_setting, offered_settings

SIZE = Control("size", "size", "slider", 1.0, (0.5, 1.0, 2.0), offered=(1.0, 2.0), needs=("on", 1))
ON = Control("on", "on", "choice", 1, (0, 1))
WORD = Control("word", "word", "slider", 0, (0, 1, 2), local=True)
TEXT = Control("text", "text", "text", "", longest=5)
CONTROLS = (SIZE, ON, WORD, TEXT)


def test_what_is_not_given_has_its_default():
    assert check_setting(CONTROLS, {}) == {"size": 1.0, "on": 1, "text": ""}


def test_a_number_of_javascript_is_the_number_it_means():
    setting = check_setting(CONTROLS, {"size": 2, "on": 1.0})
    assert setting == {"size": 2.0, "on": 1, "text": ""}
    assert [type(value) for value in setting.values()] == [float, int, str]


def test_what_has_no_effect_has_its_default():
    assert check_setting(CONTROLS, {"size": 2.0, "on": 0})["size"] == 1.0


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ([], "`setting` must be names and values"),
        ({"sise": 1}, "`setting` has no 'sise'; there are size, on, text"),
        ({"word": 1}, "`setting` has no 'word'"),  # local: nobody is asked
        ({"size": 0.75}, "`size` has no value '0.75'"),
        ({"size": "2.0"}, "`size` has no value"),
        ({"size": True}, "`size` has no value 'True'"),
        ({"size": float("nan")}, "`size` has no value 'nan'"),
        ({"size": [1.0]}, "`size` has no value"),
        ({"text": "123456"}, "`text` must be a text of at most 5 letters"),
        ({"text": 12345}, "`text` must be a text"),
    ],
)
def test_anything_else_is_refused(given, message):
    with pytest.raises(ValueError, match=message):
        check_setting(CONTROLS, given)


def test_the_file_has_each_setting_once_and_none_that_has_no_effect():
    settings = dict(offered_settings(CONTROLS))
    assert settings == {
        "0 0": {"size": 1.0, "on": 0},
        "0 1": {"size": 1.0, "on": 1},
        "1 1": {"size": 2.0, "on": 1},
    }
