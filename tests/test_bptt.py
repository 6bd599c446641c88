"""The plain loops' truncated gradient: what it keeps, what it leaves out.

By hand they stand in test_rnn.py and test_lstm.py, against derivatives in test_gradients.py; the
norms of the gradient in each state are in test_properties.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from numpy_lstm import bptt
from tests.comparing import assert_identical, assert_same
from tests.strategies import CELLS, Case, Cell, Recipe, recipes, sequence_case


def lstm_case(recipe: Recipe) -> Case:
    """Of reviews that all run T steps."""
    return sequence_case("lstm", recipe._replace(lengths=(recipe.T,) * recipe.N))


def gradients(case: Case, *, truncated: bool) -> Any:
    caches = bptt.lstm_forward(**case.point).cache
    return bptt.lstm_backward(caches, **case.incoming, truncated=truncated)


@given(recipe=recipes())
def test_without_recurrent_weights_there_is_nothing_to_truncate(recipe: Recipe) -> None:
    case = lstm_case(recipe)
    case.point["params"].W_h[:] = 0
    assert_identical(gradients(case, truncated=True), gradients(case, truncated=False))


@given(recipe=recipes())
def test_truncated_each_c_gets_its_own_h_and_what_the_forget_gates_let_through(
    recipe: Recipe,
) -> None:
    """dc_0 = f_1 … f_T dc_T + Σ_t f_1 … f_t dh_t o_t (1 - tanh² c_t), with the loss's own dh_t."""
    case = lstm_case(recipe)
    truncated = gradients(case, truncated=True)
    steps = bptt.lstm_forward(**case.point).cache
    dhs, dh_T, dc_T = case.incoming.values()
    own = dhs.copy()
    own[-1] += dh_T
    slopes = np.array([step.o_t * (1 - step.tanh_c**2) for step in steps])
    kept = np.cumprod([step.f_t for step in steps], axis=0)
    assert_same(truncated.dc0, kept[-1] * dc_T + np.sum(kept * own * slopes, axis=0))
    assert_same(truncated.dh_norms, np.linalg.norm(own, axis=2))
    assert not truncated.dh0.any()


def test_truncated_is_not_the_gradient_where_there_are_recurrent_weights() -> None:
    case = lstm_case(Recipe(5, 2, 3, 4, (), scale=1.0, start="both", seed=0))
    short, full = gradients(case, truncated=True), gradients(case, truncated=False)
    assert_same(short.dxs[-1], full.dxs[-1])  # the last step has none behind it
    assert (short.dxs[:-1] != full.dxs[:-1]).all()
    assert (short.dc0 != full.dc0).all()
    assert all((a != b).all() for a, b in zip(short.dparams, full.dparams, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_fewer_steps_than_were_run_are_an_error(cell: Cell) -> None:
    case = sequence_case(cell, Recipe(5, 2, 3, 4, (5, 5), scale=1.0, start="both", seed=0))
    caches = getattr(bptt, f"{cell}_forward")(**case.point).cache
    incoming = {**case.incoming, "dhs": case.incoming["dhs"][1:]}
    with pytest.raises(ValueError, match="zip"):
        getattr(bptt, f"{cell}_backward")(caches, **incoming)
