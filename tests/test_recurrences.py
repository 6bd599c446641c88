"""Both recurrences over whole sequences: equal to the plain loops, and what may be left out.

By hand each stands in a file of its own; their errors are in recurrence/test_checks.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.recurrence import packing
from tests.arguments import BACKWARD, FORWARD, arguments
from tests.comparing import assert_identical, assert_same, returned
from tests.plain import plain
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case

both_cells = pytest.mark.parametrize("cell", CELLS)


def assert_equal_to_plain_loops(cell: Cell, recipe: Recipe, parts: int) -> None:
    case = sequence_case(cell, recipe)
    case.point["xs"][np.arange(recipe.T)[:, np.newaxis] >= recipe.lengths] = np.nan
    assert_same(returned(case.run()), returned(plain(case).run()))
    assert_same(case.gradients(), plain(case).gradients())
    assert len(case.run().cache.parts) == parts


@both_cells
@given(recipe=recipes())
def test_a_ragged_batch_with_nan_in_its_padding_equals_the_plain_loops(
    cell: Cell, recipe: Recipe
) -> None:
    assert_equal_to_plain_loops(cell, recipe, parts=1)


@both_cells
@given(recipe=recipes(), parts=st.integers(2, 4), columns=st.integers(1, 12))
def test_so_does_a_small_batch_in_many_parts_and_blocks(
    cell: Cell, recipe: Recipe, parts: int, columns: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(packing, "IN_TWO", 0)
        patch.setattr(packing, "IN_MORE", max(1, recipe.N * recipe.H // parts))
        patch.setattr(packing, "COLUMNS", columns)
        case = sequence_case(cell, recipe)
        assert_same(returned(case.run()), returned(plain(case).run()))
        assert_same(case.gradients(), plain(case).gradients())


def recipe(T: int, N: int, D: int, H: int, lengths: Any, scale: float = 0.3) -> Recipe:
    return Recipe(T, N, D, H, tuple(lengths), scale, start="both", seed=T)


def shuffled(*lengths: int) -> tuple[int, ...]:
    return tuple(np.random.default_rng(0).permutation(lengths).tolist())


@both_cells
@pytest.mark.parametrize(
    ("recipe", "parts"),
    [
        pytest.param(recipe(1, 1, 1, 1, [1], scale=1.0), 1, id="one of each"),
        pytest.param(recipe(6, 1, 1, 1, [4], scale=1.0), 1, id="one review"),
        pytest.param(recipe(6, 4, 3, 2, [3, 1, 4, 1]), 1, id="no review as long as the batch"),
        pytest.param(
            recipe(6, 4, 3, 2, [3, 1, 4, 1])._replace(start="neither"), 1, id="from nothing"
        ),
        pytest.param(recipe(1200, 2, 3, 4, [1200, 700]), 1, id="stretches longer than a block"),
        pytest.param(recipe(5, 600, 2, 3, [5, 2] * 300), 1, id="a step wider than a block"),
        pytest.param(recipe(30, 70, 3, 64, [30] * 70, 0.1), 2, id="two parts"),
        pytest.param(
            recipe(12, 70, 3, 64, shuffled(*range(12, 0, -1), *[7] * 58), 0.1), 2, id="two, ragged"
        ),
        pytest.param(
            recipe(12, 70, 3, 64, [12] * 30 + [5] * 40, 0.1), 2, id="two, the longest first"
        ),
        pytest.param(recipe(2, 140, 131, 128, [2] * 140, 0.05), 2, id="two, many inputs"),
        pytest.param(recipe(4, 400, 5, 128, shuffled(*[1, 2, 3, 4] * 100), 0.1), 3, id="three"),
        pytest.param(recipe(3, 520, 5, 128, shuffled(*[1, 3] * 260), 0.1), 4, id="four"),
        pytest.param(
            recipe(300, 70, 3, 64, [2] * 35 + [300] + [1, 3] * 17, 0.1),
            2,
            id="one review longer than all others together",
        ),
    ],
)
def test_a_batch_of_any_size_equals_the_plain_loops(cell: Cell, recipe: Recipe, parts: int) -> None:
    assert_equal_to_plain_loops(cell, recipe, parts)


# --- arguments -----------------------------------------------------------------------------------


@both_cells
def test_what_is_left_out_is_zero_or_full_length(cell: Cell) -> None:
    zero = np.zeros((2, 5))
    states = ["h"] if cell == "rnn" else ["h", "c"]
    spelled_out = FORWARD[cell](
        **arguments(cell), lengths=[4, 4], **{f"{state}0": zero for state in states}
    )
    left_out = FORWARD[cell](**arguments(cell))
    assert_identical(returned(left_out), returned(spelled_out))

    backward, cache = BACKWARD[cell], left_out.cache
    nothing = {"dhs": np.zeros((4, 2, 5)), **{f"d{state}_T": zero for state in states}}
    assert_identical(backward(cache), backward(cache, **nothing))
    for name in nothing:
        one = {name: nothing[name] + 1}
        assert_identical(backward(cache, **one), backward(cache, **(nothing | one)))


@both_cells
@pytest.mark.parametrize("lengths", [(2, 3), [2, 3], np.array([2, 3], np.uint8)])
def test_lengths_may_be_any_sequence_of_whole_numbers(cell: Cell, lengths: Any) -> None:
    out = FORWARD[cell](**arguments(cell), lengths=lengths)
    assert_identical(out.h_T, np.array([out.hs[1, 0], out.hs[2, 1]]))


@both_cells
def test_batch_first_data_may_come_as_a_view(cell: Cell) -> None:
    xs, params = arguments(cell).values()
    view = np.ascontiguousarray(xs.swapaxes(0, 1)).swapaxes(0, 1)
    out = FORWARD[cell](view, params)
    assert_identical(returned(out), returned(FORWARD[cell](xs, params)))


@both_cells
def test_complex_numbers_go_forward_only(cell: Cell) -> None:
    xs, params = arguments(cell).values()
    real, out = FORWARD[cell](xs, params), FORWARD[cell](xs + 0j, params)
    assert {array.dtype for array in returned(out).values()} == {np.dtype(np.complex128)}
    assert_same(returned(out), returned(real))
    with pytest.raises(ValueError) as error:
        BACKWARD[cell](out.cache, dh_T=np.ones((2, 5)))
    assert str(error.value) == (
        "`cache` must come from a float32 or float64 forward pass; got complex128."
    )
