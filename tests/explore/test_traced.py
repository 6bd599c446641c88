"""A function's lines as they run."""

import sys

import numpy as np
import pytest

from numpy_lstm.cells import LSTMParams, lstm_step, lstm_step_backward
from numpy_lstm.explore.traced import traced


def sample(a, b):
    """Not a line."""
    c, (d, _) = a + b, (a, b)  # (3)  a sum
    a[0] = 9.0
    e = [
        c * 2,
        d,
    ]  # not at the beginning of the statement
    return c if e else d


def test_each_line_has_its_equation_its_comment_and_a_copy_of_what_it_assigned():
    a = np.array([1.0])
    result, lines = traced(sample, a, np.array([2.0]))
    assert result == 3.0
    first, second, third, last = lines
    assert first.source == "c, (d, _) = a + b, (a, b)"
    assert (first.equation, first.comment) == (3, "a sum")
    assert list(first.values) == ["c", "d"]
    assert first.values["d"] == 1.0  # though a[0] is overwritten later
    assert list(second.values) == ["a"] or second.values == {}
    assert list(third.values) == ["e"] and third.equation is None
    assert last.source.startswith("return")
    assert [line.place for line in lines] == sorted(line.place for line in lines)


def lstm(*, n=1):
    rng = np.random.default_rng(0)
    params = LSTMParams(*(rng.standard_normal(s) for s in ((8, 3), (8, 2), (8,))))
    return rng.standard_normal((n, 3)), *rng.standard_normal((2, n, 2)), params


def test_the_values_are_those_of_the_step_itself_and_its_equations_are_the_reports():
    arguments = lstm()
    (h_t, c_t, cache), forward = traced(lstm_step, *arguments)
    untraced = lstm_step(*arguments)
    np.testing.assert_array_equal(h_t, untraced[0])
    found = {name: value for line in forward for name, value in line.values.items()}
    for name in ("i_t", "f_t", "g_t", "o_t", "tanh_c"):
        np.testing.assert_array_equal(found[name], getattr(cache, name))
    np.testing.assert_array_equal(found["c_t"], c_t)
    gradients, backward = traced(lstm_step_backward, h_t, c_t, cache)
    found = {name: value for line in backward for name, value in line.values.items()}
    for name, value in zip(("dx_t", "dh_prev", "dc_prev"), gradients, strict=False):
        np.testing.assert_array_equal(found[name], value)
    equations = [line.equation for line in forward + backward if line.equation]
    assert equations == list(range(9, 29))


def test_a_tracer_that_was_there_is_put_back_also_after_an_error():
    def other(frame, event, argument):
        return None

    before = sys.gettrace()
    sys.settrace(other)
    try:
        with pytest.raises(TypeError):
            traced(sample, None, 1)
        assert sys.gettrace() is other
    finally:
        sys.settrace(before)
