"""Numbers from independent libraries, stored: what PyTorch and Keras compute.

tests/reference/make_reference.py wrote them; the files say with which versions and which seed. The
libraries themselves are not needed here. Where they are installed, tests/test_oracle.py and
tests/test_oracle_keras.py hold the stored numbers against today's.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpy_lstm import (
    from_keras,
    from_torch,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
    to_keras,
    to_torch,
)
from numpy_lstm.layers import RowGradient
from numpy_lstm.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from numpy_lstm.optim import Adam
from tests.comparing import assert_identical, assert_same, returned
from tests.reference.make_reference import ADAM, SCALES
from tests.strategies import CELLS, Cell


def read(library: str) -> dict[str, Any]:
    file = Path(__file__).with_name("reference") / f"{library}.json"
    return json.loads(file.read_text(encoding="utf-8"))


PYTORCH, KERAS = read("pytorch"), read("keras")


def stored(section: dict[str, Any], part: str) -> dict[str, Any]:
    """The arrays of one part ("state", "point", "outputs", …) by their path in it."""
    return {
        path.removeprefix(f"{part}."): np.array(numbers)
        for path, numbers in section.items()
        if path.startswith(f"{part}.")
    }


def stored_list(section: dict[str, Any], part: str) -> list[np.ndarray]:
    return [np.array(numbers) for path, numbers in section.items() if path.startswith(f"{part}[")]


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_gradients_of_a_packed_ragged_batch_are_those_of_pytorch(cell: Cell) -> None:
    section = PYTORCH[cell]
    params, point = from_torch(stored(section, "state")), stored(section, "point")
    forward, backward = {
        "rnn": (rnn_forward, rnn_backward),
        "lstm": (lstm_forward, lstm_backward),
    }[cell]
    out: Any = forward(params=params, lengths=PYTORCH["provenance"]["lengths"], **point)
    g: Any = backward(out.cache, **stored(section, "incoming"))
    assert_same(returned(out), stored(section, "outputs"))
    gradients = {name: getattr(g, f"d{name}") for name in point}
    # Both biases are added to the same sum, so each has its whole gradient.
    weights = {
        "weight_ih_l0": g.dparams.W_x,
        "weight_hh_l0": g.dparams.W_h,
        "bias_ih_l0": g.dparams.b,
        "bias_hh_l0": g.dparams.b,
    }
    assert_same({**gradients, **weights}, stored(section, "gradients"))


@pytest.mark.parametrize("cell", CELLS)
def test_the_second_bias_of_pytorch_counts_and_ours_goes_back_as_one(cell: Cell) -> None:
    state = stored(PYTORCH[cell], "state")
    assert all(array.all() for array in state.values())  # neither bias is zero
    params = from_torch(state)
    assert_identical(params.b, state["bias_ih_l0"] + state["bias_hh_l0"])
    back = to_torch(params)
    assert list(back) == list(state)
    assert_identical(back, {**state, "bias_ih_l0": params.b, "bias_hh_l0": np.zeros_like(params.b)})


@pytest.mark.parametrize("scale", SCALES)
def test_losses_and_their_gradients_are_those_of_pytorch(scale: float) -> None:
    for name, loss, backward in (
        ("binary", binary_cross_entropy, binary_cross_entropy_backward),
        ("classes", softmax_cross_entropy, softmax_cross_entropy_backward),
    ):
        wanted = stored(PYTORCH["losses"], f"{name} {scale:g}")
        value, cache = loss(wanted["logits"], wanted["labels"])
        assert_same([value, backward(cache)], [wanted["loss"], wanted["gradient"]])


def test_adam_is_that_of_pytorch_and_lazy_adam_its_sparse_one() -> None:
    section = PYTORCH["adam"]
    parameters, dWs = stored(section, "before"), np.array(section["dWs"])
    steps = zip(dWs, stored_list(section, "rows"), stored_list(section, "values"), strict=True)
    adam = Adam(ADAM["rate"], epsilon=ADAM["epsilon"])
    for dW, rows, values in steps:
        gradient = RowGradient(rows.astype(int), values.reshape(-1, 2))  # perhaps of no row
        adam.step(parameters, {"W": dW, "table": gradient})
    assert_same(parameters, stored(section, "after"))


@pytest.mark.parametrize("name", PYTORCH["modules"])
def test_of_the_modules_of_pytorch_one_layer_is_taken_and_no_other(name: str) -> None:
    module = PYTORCH["modules"][name]
    state = {path: np.ones(shape, dtype) for path, (shape, dtype) in module.items()}
    if name == "LSTM":
        assert list(to_torch(from_torch(state))) == list(state)
        return
    with pytest.raises(ValueError, match=r"^`state` must "):
        from_torch(state)


@pytest.mark.parametrize("cell", CELLS)
def test_states_from_the_weights_of_keras_are_those_of_keras(cell: Cell) -> None:
    section = KERAS[cell]
    weights, xs = stored_list(section, "weights"), np.array(section["xs"])
    params: Any = from_keras(weights)
    out = (rnn_forward if cell == "rnn" else lstm_forward)(xs, params)
    assert_same(out.hs, np.array(section["hs"]))
    assert_identical(to_keras(params), weights)


def test_the_references_say_where_they_come_from() -> None:
    provenance = PYTORCH["provenance"]
    assert provenance["pytorch"].startswith("2.13")
    assert KERAS["provenance"]["keras"].startswith("3.")
    for each in (provenance, KERAS["provenance"]):
        assert {"script", "numpy", "python", "seed"} <= each.keys()
    # Ragged, in no order, and shorter than the batch: what a batch of equals would not test.
    assert len(set(provenance["lengths"])) > 1
    assert max(provenance["lengths"]) < provenance["T"]
