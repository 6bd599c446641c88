"""What the assignment is graded by: plain test functions, which raise the clinic's diagnosis.

    python -m pytest -q test_my_lstm.py

nbgrader and otter-grader call them as they stand. RUBRIC.md has the points.
"""

import importlib

from numpy_lstm import clinic


def written(cell, kind):
    """The diagnosis of one pair of functions of my_lstm.py, as the file stands now."""
    my_lstm = importlib.reload(importlib.import_module("my_lstm"))
    if kind == "step":
        forward, backward = f"{cell}_step", f"{cell}_step_backward"
        examine = clinic.examine
    else:
        forward, backward = f"{cell}_forward", f"{cell}_backward"
        examine = clinic.examine_sequence
    return examine(getattr(my_lstm, forward), getattr(my_lstm, backward), cell=cell)


def assert_forward(cell, kind):
    """The forward pass is right, whatever the backward pass is."""
    diagnosis = written(cell, kind)
    if not (diagnosis.ok or diagnosis.part == "backward"):
        raise AssertionError(f"\n{diagnosis}")


def assert_all(cell, kind):
    """Both passes are right."""
    diagnosis = written(cell, kind)
    if not diagnosis.ok:
        raise AssertionError(f"\n{diagnosis}")


def test_rnn_step_forward():
    assert_forward("rnn", "step")


def test_rnn_step_backward():
    assert_all("rnn", "step")


def test_rnn_forward_through_time():
    assert_forward("rnn", "sequence")


def test_rnn_backward_through_time():
    assert_all("rnn", "sequence")


def test_lstm_step_forward():
    assert_forward("lstm", "step")


def test_lstm_step_backward():
    assert_all("lstm", "step")


def test_lstm_forward_through_time():
    assert_forward("lstm", "sequence")


def test_lstm_backward_through_time():
    assert_all("lstm", "sequence")
