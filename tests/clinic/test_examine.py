"""What is right is accepted, in every style; what is wrong is found, and named only for certain."""

import importlib
import json
import sys
from typing import Any

import numpy as np
import pytest

from numpy_lstm import bptt, cells
from numpy_lstm.clinic import PRESETS, Layout, examine, examine_sequence
from numpy_lstm.clinic.catalogue import PUBLIC, bugs
from numpy_lstm.clinic.reference import Edit, functions
from numpy_lstm.clinic.variants import DOUBLED, VARIANTS
from tests.clinic.faults import FUNCTIONS, functions_of, student
from tests.clinic.wrong_networks import NETWORKS, diagnosis_of, marked
from tests.records.clinic import in_dtype, with_bugs

CELLS = ("rnn", "lstm")
STYLES = [
    (layout, cell, kind, pair)
    for layout in PRESETS
    for cell in CELLS
    for kind in FUNCTIONS
    if len(pair := functions_of(student(layout), cell, kind)) == 2
]


def some(rows: list[Any], one_of: int) -> list[Any]:
    """All rows, of which one of so many is quick: all together take long by their nature."""
    slow = pytest.mark.slow
    return [pytest.param(*row, marks=[slow] if k % one_of else []) for k, row in enumerate(rows)]


# --- what is right --------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(
    ("layout", "cell", "kind", "pair"), STYLES, ids=[", ".join(row[:3]) for row in STYLES]
)
def test_a_right_implementation_is_accepted(
    layout: str, cell: Any, kind: str, pair: list[Any], dtype: str
) -> None:
    own = [in_dtype(each, dtype) for each in pair]
    examined = examine if kind == "step" else examine_sequence
    diagnosis = examined(own[0], own[1], cell=cell, layout=layout)
    assert diagnosis.ok, str(diagnosis)
    assert not diagnosis.faults and not diagnosis.names and not diagnosis.errors


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
def test_the_packages_own_code_is_accepted(cell: Any, seed: int) -> None:
    step = getattr(cells, f"{cell}_step"), getattr(cells, f"{cell}_step_backward")
    loop = getattr(bptt, f"{cell}_forward"), getattr(bptt, f"{cell}_backward")
    assert examine(*step, cell=cell, seed=seed).ok
    assert examine_sequence(*loop, cell=cell, seed=seed).ok


# --- what is wrong --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", some([(name,) for name in NETWORKS], 4))
def test_the_line_is_found_in_a_network_that_is_in_no_catalogue(name: str) -> None:
    line, equation = marked(name)
    diagnosis = diagnosis_of(name)
    assert diagnosis.verdict == "wrong"
    assert equation in diagnosis.equations and len(diagnosis.equations) <= 2
    assert not diagnosis.names or diagnosis.names[0][0].public in (12, 15)
    at = diagnosis.faults[0].line
    if name not in ("norm_clipped", "shared_cache", "tail_of_loop"):  # the fault is elsewhere
        assert at and at.first <= line <= at.last


KNOWN = [(cell, bug) for cell in CELLS for bug in bugs(cell)]


@pytest.mark.parametrize(("cell", "bug"), some(KNOWN, 16), ids=[f"{c}: {b.what}" for c, b in KNOWN])
def test_a_known_bug_is_localized_and_named_and_nothing_else_is(cell: str, bug: Any) -> None:
    diagnosis = with_bugs(cell, bug.edits)
    assert bug.equation in diagnosis.equations
    assert [[name.what for name in group] for group in diagnosis.names] == [[bug.what]]


def test_every_public_bug_is_in_the_catalogue_or_found_in_another_way() -> None:
    catalogued = {bug.public for cell in CELLS for bug in bugs(cell)} - {None}
    # 12: a second call; 13: the forward pass; 14: of checkers; 15: padding.
    assert catalogued | {12, 13, 14, 15} == set(PUBLIC) == set(range(1, 16))


def test_a_pair_of_bugs_is_named() -> None:
    by_name = {bug.what: bug for bug in bugs("lstm")}
    pair = by_name["σ for σ′ at f"], by_name["dx is zero"]
    diagnosis = with_bugs("lstm", [edit for bug in pair for edit in bug.edits])
    assert [{n.what for n in group} for group in diagnosis.names] == [{b.what for b in pair}]
    assert diagnosis.equations == (23,)


def test_what_is_in_no_catalogue_gets_no_name() -> None:
    edit = Edit("lstm_step_backward", "di_t * i_t * (1 - i_t)", "di_t * i_t * (1.1 - i_t)")
    diagnosis = with_bugs("lstm", [edit])
    assert diagnosis.equations == (22,) and not diagnosis.names
    assert "No bug of the catalogue gives this gradient" in str(diagnosis)


def test_a_right_gradient_of_a_wrong_forward_pass_is_told_as_that() -> None:
    diagnosis = with_bugs("lstm", [DOUBLED])
    assert diagnosis.part == "forward" and diagnosis.names[0][0].public == 13
    assert 10 in diagnosis.equations
    step = Edit("rnn_step", "+ b", "+ 2 * b")
    diagnosis = with_bugs("rnn", [step])
    assert diagnosis.equations == (1,)
    # The bias's gradient is of b, not of 2 b.
    assert "it is the forward pass that must be mended" not in diagnosis.summary


# --- sequences ------------------------------------------------------------------------------------


def test_padding_that_goes_on_is_found() -> None:
    def ignores(xs: Any, params: Any, h0: Any, c0: Any, lengths: Any) -> Any:
        return bptt.lstm_forward(xs, params, h0, c0)

    diagnosis = examine_sequence(ignores, bptt.lstm_backward, padded=True)
    assert diagnosis.part == "forward" and diagnosis.names[0][0].public == 15


@pytest.mark.parametrize("cell", CELLS)
def test_the_packages_fast_code_knows_lengths(cell: Any) -> None:
    fast = importlib.import_module(f"numpy_lstm.{cell}")
    forward, backward = getattr(fast, f"{cell}_forward"), getattr(fast, f"{cell}_backward")

    def run(xs: Any, params: Any, *rest: Any) -> Any:
        *states, lengths = rest
        return forward(xs, params, lengths, *states)

    assert examine_sequence(run, backward, cell=cell, padded=True).ok


@pytest.mark.parametrize(
    ("old", "new", "why"),
    [
        ("dh_loss + dh_next", "dh_loss", "lacks dh_T"),
        ("dh_next, dc_next = dh_T, dc_T", "dh_next, dc_next = dh_T, 0 * dc_T", "lacks dc_T"),
        ("zip(dhs[::-1]", "zip(dhs", "dhs[0] is added, where dhs[3] should be"),
        ("LSTMParams(*map(np.add, dparams, dparams_t))", "dparams_t", "It is the share of step 1"),
        ("caches[::-1], strict", "len(caches) * [caches[-1]], strict", "has kept for itself"),
    ],
)
def test_a_fault_of_the_loop_is_said_in_words(old: str, new: str, why: str) -> None:
    diagnosis = with_bugs("lstm", [Edit("lstm_backward", old, new)])
    assert "loop" in diagnosis.equations
    assert why in diagnosis.faults[0].why


def test_a_clipped_result_is_told_as_clipped() -> None:
    def clips(*arguments: Any) -> Any:
        dxs, dparams, dh0, *_ = bptt.rnn_backward(*arguments)
        return dxs, [np.clip(g, -7, 7) for g in dparams], dh0

    diagnosis = examine_sequence(bptt.rnn_forward, clips, cell="rnn")
    assert "clipped at 7: clip outside of the backward pass" in str(diagnosis)


# --- other equations ------------------------------------------------------------------------------

OTHERS = [(cell, what, edit) for cell in CELLS for what, edit in VARIANTS[cell]]


@pytest.mark.parametrize(("cell", "what", "edit"), some(OTHERS, 6), ids=[row[1] for row in OTHERS])
def test_other_equations_are_recognized(cell: Any, what: str, edit: Edit) -> None:
    ours = functions([edit], [])
    diagnosis = examine(ours[f"{cell}_step"], ours[f"{cell}_step_backward"], cell=cell)
    assert diagnosis.verdict == "other equations" and what in diagnosis.summary
    assert "check_gradient" in str(diagnosis)


def sigmoid(a: Any) -> Any:
    return cells.sigmoid(a)


def test_peepholes_are_recognized() -> None:
    p = np.random.default_rng(0).standard_normal((3, 5))

    def step(x: Any, h: Any, c: Any, params: Any) -> Any:
        a_i, a_f, a_g, a_o = np.split(x @ params.W_x.T + h @ params.W_h.T + params.b, 4, axis=1)
        i, f = sigmoid(a_i + p[0] * c), sigmoid(a_f + p[1] * c)
        new = f * c + i * np.tanh(a_g)
        o = sigmoid(a_o + p[2] * new)
        return o * np.tanh(new), new, None

    diagnosis = examine(step, lambda dh, dc, cache: None)
    assert diagnosis.verdict == "other equations"
    assert "peepholes, from the cell to gates i, f and o" in diagnosis.summary


def test_a_gru_is_recognized() -> None:
    def step(x: Any, h: Any, c: Any, params: Any) -> Any:
        H = h.shape[1]
        W, U, b = (array[: 3 * H] for array in params)
        a = x @ W.T + b
        z = sigmoid(a[:, :H] + h @ U[:H].T)
        r = sigmoid(a[:, H : 2 * H] + h @ U[H : 2 * H].T)
        n = np.tanh(a[:, 2 * H :] + r * (h @ U[2 * H :].T))
        return (1 - z) * n + z * h, c, None

    diagnosis = examine(step, lambda dh, dc, cache: None)
    assert diagnosis.verdict == "other equations" and "a GRU" in diagnosis.summary


# --- layouts --------------------------------------------------------------------------------------


def test_another_order_of_the_gates_is_recognized() -> None:
    module = student("cs231n")
    diagnosis = examine(
        module.lstm_step,
        module.lstm_step_backward,
        layout=Layout(
            gates="ifgo",
            weights={"Wx": "x", "Wh": "h", "b": "1"},
            inputs_first=True,
            step="x, h, c, Wx, Wh, b -> h, c, cache",
            step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dWx, dWh, db",
        ),
    )
    assert "With the gates in the order i, f, o, g your forward pass is right" in str(diagnosis)


def test_another_layout_is_recognized() -> None:
    module = student("cs231n")
    diagnosis = examine(module.lstm_step, module.lstm_step_backward)
    assert "With layout='cs231n' your forward pass is right." in str(diagnosis)


def test_a_layout_that_there_is_not_is_an_error() -> None:
    with pytest.raises(ValueError, match="`layout` must be one of numpy_lstm, pytorch, "):
        examine(cells.lstm_step, cells.lstm_step_backward, layout="torch")


# --- watching -------------------------------------------------------------------------------------


def test_where_another_tool_watches_results_alone_are_compared_and_that_is_said() -> None:
    def other_tool(*_: object) -> None:
        return None

    before = sys.gettrace()
    sys.settrace(other_tool)
    try:
        right = examine(cells.lstm_step, cells.lstm_step_backward)
        wrong = with_bugs("lstm", bugs("lstm")[0].edits)
        assert sys.gettrace() is other_tool
    finally:
        sys.settrace(before)
    assert right.ok and not right.watched
    assert "Your variables could not be watched" in str(right)
    assert wrong.verdict == "wrong" and wrong.names and set(wrong.equations) <= {16, 25}


def test_the_trace_function_is_put_back() -> None:
    before = sys.gettrace()
    assert examine(cells.rnn_step, cells.rnn_step_backward, cell="rnn").ok
    assert sys.gettrace() is before


def test_a_diagnosis_goes_into_json() -> None:
    diagnosis = diagnosis_of("in_place")
    data = json.loads(json.dumps(diagnosis.as_dict()))
    assert data["equations"] == [20] and not data["ok"]
    assert data["faults"][0]["line"]["first"] == 32


def test_a_layout_without_a_bias_has_none() -> None:
    def forward(x: Any, h: Any, c: Any, W_x: Any, W_h: Any) -> Any:
        params = cells.LSTMParams(W_x, W_h, np.zeros(len(W_x)))
        return cells.lstm_step(x, h, c, params)

    def backward(dh: Any, dc: Any, cache: Any) -> Any:
        *first, dparams = cells.lstm_step_backward(dh, dc, cache)
        return *first, *dparams[:2]

    layout = Layout(
        weights={"W_x": "x", "W_h": "h"},
        step="x, h, c, W_x, W_h -> h, c, cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dW_x, dW_h",
    )
    assert examine(forward, backward, layout=layout).ok
    # One that has a bias in its layout, and forgets it, is still told so.
    diagnosis = with_bugs("lstm", [Edit("lstm_step", " + b", "")])
    assert diagnosis.equations == (9,) and "the bias is not added" in str(diagnosis)


def test_a_wrong_stack_is_told_in_the_order_of_the_learners_gates_with_its_line() -> None:
    layout = Layout(gates="fgio", weights={"W": "xh", "b": "1"})

    def forward(x: Any, h: Any, c: Any, params: Any) -> Any:
        W, b = params
        f, g, i, o = np.split(np.hstack([x, h]) @ W.T + b, 4, axis=1)
        f, g, i, o = sigmoid(f), np.tanh(g), sigmoid(i), sigmoid(o)
        new = f * c + i * g
        return o * np.tanh(new), new, (x, h, c, f, g, i, o, np.tanh(new), W)

    def backward(dh: Any, dc: Any, cache: Any) -> Any:
        x, h, c, f, g, i, o, t, W = cache
        dc = dc + dh * o * (1 - t**2)
        di, df = dc * g * i * (1 - i), dc * c * f * (1 - f)
        dg, do = dc * i * (1 - g**2), dh * t * o * (1 - o)
        stack = np.hstack([di, df, dg, do])
        dz = stack @ W
        return dz[:, :2], dz[:, 2:], dc * f, (stack.T @ np.hstack([x, h]), stack.sum(axis=0))

    diagnosis = examine(forward, backward, layout=layout)
    assert "is stacked in the order i, f, g, o; that of the weights is f, g, i, o." in str(
        diagnosis
    )
    line = diagnosis.faults[0].line
    assert line and line.text.strip() == "stack = np.hstack([di, df, dg, do])"


def test_what_two_variables_have_exchanged_is_told() -> None:
    said = str(diagnosis_of("unpacked"))
    assert "Your `i` is i_t in the forward pass and f_t here" in said and "It takes" not in said


def test_a_sigmoid_of_the_wrong_sign_is_told_at_its_gate() -> None:
    edit = Edit("lstm_step", "sigmoid(a_i)", "sigmoid(-a_i)")
    diagnosis = with_bugs("lstm", [edit])
    assert diagnosis.equations == (10,) and "It is 1 − i_t" in str(diagnosis)


def test_a_share_that_is_not_added_has_the_line_of_the_loop() -> None:
    def backward(caches: Any, dhs: Any, dh_T: Any) -> Any:
        dxs, dh, total = [], dh_T, [0, 0, 0]
        for own, cache in zip(dhs[::-1], caches[::-1], strict=True):
            dx, dh, (dW_x, dW_h_t, db) = cells.rnn_step_backward(own + dh, cache)
            dxs.append(dx)
            total[0], total[2] = total[0] + dW_x, total[2] + db
            total[1] = dW_h_t
        return np.stack(dxs[::-1]), tuple(total), dh

    diagnosis = examine_sequence(bptt.rnn_forward, backward, cell="rnn")
    line = diagnosis.faults[0].line
    assert diagnosis.equations == ("loop",) and line and line.text.strip() == "total[1] = dW_h_t"


def test_gradients_that_are_all_zero_are_told_as_that() -> None:
    def backward(caches: Any, dhs: Any, dh_T: Any, dc_T: Any) -> Any:
        return bptt.lstm_backward(caches, 0 * dhs, 0 * dh_T, 0 * dc_T)

    diagnosis = examine_sequence(bptt.lstm_forward, backward)
    assert "Every gradient is zero" in str(diagnosis) and "loop" in diagnosis.equations


def test_names_that_give_the_same_numbers_are_told_as_one_of_them() -> None:
    edit = Edit("lstm_step_backward", "dc_prev = dc_t * f_t", "dc_prev = 0 * dc_t * f_t")
    layout = Layout(backward="cache, dhs, dh_T -> dxs, dparams, dh0, dc0")
    made = functions([edit], [])

    def backward(caches: Any, dhs: Any, dh_T: Any) -> Any:
        return made["lstm_backward"](caches, dhs, dh_T, 0 * dh_T)

    said = str(examine_sequence(bptt.lstm_forward, backward, layout=layout))
    assert (
        said.count("Known bug: ") == 1 and "; or " in said and "(the numbers are the same)" in said
    )
