"""Live against Keras, where it is installed (extra `oracle`): the stored numbers, and float32."""

from typing import Any

import numpy as np
import pytest

import numpy_lstm as nl
from tests.comparing import assert_same
from tests.reference import make_reference
from tests.strategies import CELLS, Cell
from tests.test_convert import TOLERANCE, D, H, N, T, params_of, states_of
from tests.test_reference import KERAS

WHY = "Keras is not installed (extra `oracle`): its stored numbers were checked, not its own"
pytest.importorskip("keras", reason=WHY)

pytestmark = pytest.mark.filterwarnings("ignore")  # Keras's and its backends' own


def test_the_stored_numbers_are_what_keras_computes_today() -> None:
    today = make_reference.keras()
    for cell in CELLS:
        arrays, wanted = ({k: np.array(v) for k, v in s[cell].items()} for s in (today, KERAS))
        # With PyTorch as its backend, Keras multiplies in float32 whatever the layer's dtype.
        assert_same(arrays, wanted, tolerance=TOLERANCE)


@pytest.mark.parametrize("cell", CELLS)
def test_weights_in_float32_go_to_keras_and_back(cell: Cell) -> None:
    from tests.keras import layer
    from tests.keras import states_of as keras_states_of

    xs = np.random.default_rng(2).standard_normal((T, N, D)).astype(np.float32)
    module: Any = layer(cell, H, "float32")
    theirs = keras_states_of(module, xs)
    ours = nl.from_keras(module.get_weights())
    np.testing.assert_allclose(states_of(ours, xs), theirs, rtol=0, atol=TOLERANCE)

    params = params_of(cell)
    module.set_weights(nl.to_keras(params))
    theirs = keras_states_of(module, xs)
    np.testing.assert_allclose(states_of(params, xs), theirs, rtol=0, atol=TOLERANCE)
