"""The plain loops against derivatives; their truncated gradient, what it keeps and leaves out.

By hand they stand in test_rnn.py and test_lstm.py; the norms of the gradient in each state are in
test_properties.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given

from numpy_lstm import bptt
from numpy_lstm.cells import lstm_step
from numpy_lstm.gradcheck import Method
from tests.comparing import assert_identical, assert_same
from tests.strategies import CELLS, Case, Cell, Recipe, recipes, sequence_case
from tests.test_gradients import METHODS_FOR_MANY, check, gradient_of, loss_of


def plain_case(cell: Cell, recipe: Recipe) -> Case:
    """Of the plain loops, which know no lengths: all reviews run T steps."""
    case = sequence_case(cell, recipe)
    run = getattr(bptt, f"{cell}_forward")
    return case._replace(
        forward=lambda lengths, **point: run(**point),
        backward=getattr(bptt, f"{cell}_backward"),
        lengths=(recipe.T,) * recipe.N,
    )


def gradients(case: Case, *, truncated: bool) -> Any:
    return case.backward(case.run().cache, **case.incoming, truncated=truncated)


@given(recipe=recipes())
def test_without_recurrent_weights_there_is_nothing_to_truncate(recipe: Recipe) -> None:
    case = plain_case("lstm", recipe)
    case.point["params"].W_h[:] = 0
    assert_identical(gradients(case, truncated=True), gradients(case, truncated=False))


@given(recipe=recipes())
def test_truncated_each_c_gets_its_own_h_and_what_the_forget_gates_let_through(
    recipe: Recipe,
) -> None:
    """dc_0 = f_1 … f_T dc_T + Σ_t f_1 … f_t dh_t o_t (1 - tanh² c_t), with the loss's own dh_t."""
    case = plain_case("lstm", recipe)
    truncated = gradients(case, truncated=True)
    steps = case.run().cache
    own = case.incoming["dhs"].copy()
    own[-1] += case.incoming["dh_T"]
    slopes = np.array([step.o_t * (1 - step.tanh_c**2) for step in steps])
    kept = np.cumprod([step.f_t for step in steps], axis=0)
    assert_same(
        truncated.dc0, kept[-1] * case.incoming["dc_T"] + np.sum(kept * own * slopes, axis=0)
    )
    assert_same(truncated.dh_norms, np.linalg.norm(own, axis=2))
    assert not truncated.dh0.any()


def test_truncated_is_not_the_gradient_where_there_are_recurrent_weights() -> None:
    case = plain_case("lstm", Recipe(5, 2, 3, 4, (), scale=1.0, start="both", seed=0))
    short, full = gradients(case, truncated=True), gradients(case, truncated=False)
    assert_same(short.dxs[-1], full.dxs[-1])  # the last step has none behind it
    assert (short.dxs[:-1] != full.dxs[:-1]).all()
    assert (short.dc0 != full.dc0).all()
    assert all((a != b).all() for a, b in zip(short.dparams, full.dparams, strict=True))


@pytest.mark.parametrize("cell", CELLS)
def test_gradients_of_fewer_steps_than_were_run_are_an_error(cell: Cell) -> None:
    case = plain_case(cell, Recipe(5, 2, 3, 4, (5, 5), scale=1.0, start="both", seed=0))
    incoming = {**case.incoming, "dhs": case.incoming["dhs"][1:]}
    with pytest.raises(ValueError, match="zip"):
        case.backward(case.run().cache, **incoming)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@pytest.mark.parametrize("cell", CELLS)
@given(recipe=recipes())
def test_gradients_of_the_plain_loops(cell: Cell, method: Method, recipe: Recipe) -> None:
    case = plain_case(cell, recipe)
    check(loss_of(case), case.point, gradient_of(case), method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_the_truncated_gradient_is_that_with_every_h_prev_held_fixed(
    method: Method, recipe: Recipe
) -> None:
    case = plain_case("lstm", recipe)
    caches = case.run().cache
    h_prevs = [cache.h_prev for cache in caches]
    incoming = case.incoming

    def loss(point: Any) -> float:
        c, total = point["c0"], np.sum(point["c0"])
        for x_t, h_prev, dh_t in zip(point["xs"], h_prevs, incoming["dhs"], strict=True):
            h, c, _ = lstm_step(x_t, h_prev, c, point["params"])
            total += np.sum(dh_t * h)
        return total + np.sum(incoming["dh_T"] * h) + np.sum(incoming["dc_T"] * c)

    g = case.backward(caches, **incoming, truncated=True)
    gradient = {"xs": g.dxs, "params": g.dparams, "c0": g.dc0 + 1}
    check(loss, {name: case.point[name] for name in gradient}, gradient, method)
