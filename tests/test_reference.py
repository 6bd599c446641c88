"""Numbers from an independent library, stored: PyTorch's nn.RNN and nn.LSTM on a ragged batch.

tests/reference/make_reference.py wrote them; the file says with which versions. PyTorch itself is
not needed here.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpy_lstm import (
    LSTMParams,
    RNNParams,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from numpy_lstm.gradcheck.pytrees import leaves
from tests.comparing import assert_same, returned
from tests.strategies import CELLS, Cell

REFERENCE = json.loads(
    Path(__file__).with_name("reference").joinpath("pytorch.json").read_text(encoding="utf-8")
)


def stored(cell: Cell, part: str) -> dict[str, np.ndarray]:
    """The arrays of one part ("point", "incoming", "outputs", "gradients") by their path in it."""
    return {
        path.removeprefix(f"{part}."): np.array(numbers)
        for path, numbers in REFERENCE[cell].items()
        if path.startswith(f"{part}.")
    }


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_and_gradients_of_a_packed_ragged_batch_are_those_of_pytorch(cell: Cell) -> None:
    point: dict[str, Any] = stored(cell, "point")
    weights = [point.pop(f"params.{name}") for name in ("W_x", "W_h", "b")]
    lengths = REFERENCE["provenance"]["lengths"]
    if cell == "rnn":
        out: Any = rnn_forward(params=RNNParams(*weights), lengths=lengths, **point)
        g: Any = rnn_backward(out.cache, **stored(cell, "incoming"))
    else:
        out = lstm_forward(params=LSTMParams(*weights), lengths=lengths, **point)
        g = lstm_backward(out.cache, **stored(cell, "incoming"))
    assert_same(returned(out), stored(cell, "outputs"))
    gradients = {name: getattr(g, f"d{name}") for name in ("xs", "params", *point) if name != "xs"}
    assert_same(leaves({"xs": g.dxs, **gradients}), stored(cell, "gradients"))


def test_the_reference_says_where_it_comes_from() -> None:
    provenance = REFERENCE["provenance"]
    assert provenance["pytorch"].startswith("2.13")
    assert {"script", "numpy", "python", "seed", "lengths", "scale"} <= provenance.keys()
    # Ragged, in no order, and shorter than the batch: what a batch of equals would not test.
    assert len(set(provenance["lengths"])) > 1
    assert max(provenance["lengths"]) < provenance["T"]
