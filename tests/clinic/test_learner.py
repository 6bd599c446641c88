"""Whatever a learner's function does, there is a clear sentence, and no traceback."""

import sys
from typing import Any

import numpy as np
import pytest

from numpy_lstm import bptt
from numpy_lstm.cells import LSTMParams, lstm_step, lstm_step_backward, rnn_step, rnn_step_backward
from numpy_lstm.clinic import Layout, examine, examine_sequence, learner


def of_rnn(step: Any = rnn_step, backward: Any = rnn_step_backward) -> str:
    return str(examine(step, backward, cell="rnn"))


def test_an_endless_loop_is_stopped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(learner, "SECONDS", 0.2)

    def endless(x: Any, h: Any, params: Any) -> Any:
        while True:
            h = h + 1

    assert "endless does not come to an end: it was stopped after" in of_rnn(endless)


def test_an_error_is_told_with_its_line() -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        return x @ h

    said = of_rnn(step)
    assert "step raises ValueError: matmul" in said
    assert "It stopped in test_learner.py, line " in said and "      return x @ h" in said
    assert "Traceback" not in said


def test_what_calls_exit_is_told() -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        raise SystemExit(1)

    assert "step raises SystemExit: 1" in of_rnn(step)


def test_a_wrong_shape_is_told_with_the_right_one() -> None:
    def backward(dh: Any, cache: Any) -> Any:
        dx, dh_prev, dparams = rnn_step_backward(dh, cache)
        return dx.T, dh_prev, dparams

    said = of_rnn(backward=backward)
    assert "The forward pass is right." in said
    assert "backward must return dx of shape (3, 2); it has (2, 3). It is transposed." in said


@pytest.mark.parametrize(
    ("returned", "text"),
    [
        (lambda r: r[:2], "backward returns 2 values. It must return 3: dx, dh_prev, dparams."),
        (lambda r: None, "NOT FINISHED"),
        (
            lambda r: ("no", *r[1:]),
            "backward must return an array of real numbers for dx; it returns a str.",
        ),
        (
            lambda r: (r[0], r[1], r[2][:2]),
            "backward returns 2 arrays as dparams, which must be one for each of W_x",
        ),
        (lambda r: {"dx": r[0]}, "backward returns a dict without 'dh_prev'."),
    ],
)
def test_what_cannot_be_a_result_is_told(returned: Any, text: str) -> None:
    def backward(dh: Any, cache: Any) -> Any:
        return returned(tuple(rnn_step_backward(dh, cache)))

    assert text in of_rnn(backward=backward)


def test_a_dict_by_the_names_is_as_good_as_a_tuple() -> None:
    def backward(dh: Any, cache: Any) -> Any:
        dx, dh_prev, d = rnn_step_backward(dh, cache)
        return {"dx": dx, "dh_prev": dh_prev, "dW_x": d.W_x, "dW_h": d.W_h, "db": d.b}

    assert examine(rnn_step, backward, cell="rnn").ok


def test_writing_into_an_argument_is_told() -> None:
    def backward(dh: Any, cache: Any) -> Any:
        dx, dh_prev, dparams = rnn_step_backward(dh.copy(), cache)
        dh *= 0
        return dx, dh_prev, dparams

    diagnosis = examine(rnn_step, backward, cell="rnn")
    assert diagnosis.ok
    assert "Your functions write into their argument dh; they should not." in str(diagnosis)


def test_what_is_random_is_told() -> None:
    rng = np.random.default_rng(0)

    def backward(dh: Any, cache: Any) -> Any:
        dx, dh_prev, dparams = rnn_step_backward(dh, cache)
        return dx * rng.random(), dh_prev, dparams

    assert "A second run on the same batch gives another dx." in of_rnn(backward=backward)


def test_a_cache_that_the_backward_pass_changes_is_told() -> None:
    def step(x: Any, h: Any, c: Any, params: Any) -> Any:
        h, c, cache = lstm_step(x, h, c, params)
        return h, c, [*cache]

    def backward(dh: Any, dc: Any, cache: Any) -> Any:
        from numpy_lstm.cells import LSTMStepCache

        result = lstm_step_backward(dh, dc, LSTMStepCache(*cache))
        cache[3] = cache[3] * 0.5
        return result

    diagnosis = examine(step, backward)
    assert diagnosis.verdict == "wrong" and diagnosis.names[0][0].public == 12
    assert "a second call of backward with the same cache gives another dx" in diagnosis.summary


def test_what_np_empty_left_over_is_not_taken_for_a_value() -> None:
    def backward(dh: Any, cache: Any) -> Any:
        dx, dh_prev, dparams = rnn_step_backward(dh, cache)
        return np.empty_like(dx), dh_prev, dparams

    assert "is not right" in of_rnn(backward=backward) or "(5)" in of_rnn(backward=backward)
    assert np.empty.__module__ == "numpy"


def test_two_arguments_too_few_points_to_the_layout() -> None:
    def step(x: Any) -> Any:
        return x

    assert "step is called with x, h, params, which fails: " in of_rnn(
        step
    ) and "See `layout`." in of_rnn(step)


def test_what_a_function_prints_is_swallowed(capsys: pytest.CaptureFixture[str]) -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        print("here")
        return rnn_step(x, h, params)

    assert "RIGHT" in of_rnn(step)
    assert capsys.readouterr().out == ""


def test_a_gradient_that_is_not_finite_is_wrong() -> None:
    def backward(dh: Any, dc: Any, cache: Any) -> Any:
        dx, dh_prev, dc_prev, d = lstm_step_backward(dh, dc, cache)
        return dx, dh_prev, dc_prev, LSTMParams(d.W_x * np.nan, d.W_h, d.b)

    diagnosis = examine(lstm_step, backward)
    assert diagnosis.verdict == "wrong" and "dW_x" in diagnosis.errors


@pytest.mark.parametrize(
    ("fields", "text"),
    [
        ({"batch": "diagonal"}, "`batch` of a layout must be one of rows"),
        ({"gates": "iffo"}, "`gates` of a layout must be i, f, g, o in some order"),
        ({"weights": {"W": "xq"}}, "`weights` of a layout must say"),
        ({"time": 7}, "`time` of a layout"),
        ({"step": "x h c"}, "a layout's signature must be"),
        ({"step": "x, 3 -> h, c"}, "a layout must have names and commas"),
        ({"step": "x, h, c, params -> hh, c, cache"}, "has 'hh', which is no name"),
        ({"step_backward": "dh, dc, cache -> _, _, _, _"}, "returns nothing that can be examined"),
    ],
)
def test_a_layout_that_is_none_is_refused(fields: dict[str, Any], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        examine(lstm_step, lstm_step_backward, layout=Layout(**fields))


def test_an_unknown_cell_is_refused() -> None:
    cell: Any = "gru"
    with pytest.raises(ValueError, match="`cell` must be one of rnn, lstm"):
        examine(rnn_step, rnn_step_backward, cell=cell)


def test_a_result_that_the_backward_pass_writes_into_is_kept_as_it_was() -> None:
    def backward(cache: Any, *arguments: Any) -> Any:
        gradients = bptt.rnn_backward(cache, *arguments)
        cache[-1].h_t[:] = 0  # the very array that is the last state
        return gradients

    said = str(examine_sequence(bptt.rnn_forward, backward, cell="rnn"))
    assert "But a second call of backward with the same cache gives another" in said


def test_code_that_traces_itself_is_told_to_be_unseen() -> None:
    def forward(*arguments: Any) -> Any:
        sys.settrace(None)
        return rnn_step(*arguments)

    diagnosis = examine(forward, rnn_step_backward, cell="rnn")
    assert diagnosis.ok and not diagnosis.watched


def test_a_forgotten_return_is_told_as_one_and_all_that_is_written_is_right() -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        a = x @ params.W_x.T + h @ params.W_h.T + params.b
        h = np.tanh(a)

    diagnosis = examine(step, rnn_step_backward, cell="rnn")
    assert diagnosis.verdict == "unfinished" and diagnosis.right == (1, 2) and not diagnosis.todo
    assert "step returns None. It must return h, cache. Is the return missing?" in str(diagnosis)


def test_the_line_of_a_loop_or_a_condition_is_shown() -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        if x.nothing:
            return 0, None
        return h, None

    said = of_rnn(step)
    assert "It stopped in" in said and "\n      if x.nothing:\n" in said + "\n"


def test_complex_numbers_are_told() -> None:
    def step(*arguments: Any) -> Any:
        h, cache = rnn_step(*arguments)
        return h + 0j, cache

    assert "an array of real numbers for h; it returns a ndarray of complex128" in of_rnn(step)


def test_what_may_come_of_float32_alone_gets_a_hint_and_no_other_layout() -> None:
    def step(x: Any, h: Any, params: Any) -> Any:
        h = np.tanh(x.astype(np.float32) @ params.W_x.T + h @ params.W_h.T + params.b)
        return h + x.astype(np.float32).sum() * 1e-7, (h, x, params)

    said = of_rnn(step)
    assert "Differences as small as these come of float32" in said and "layout=" not in said
