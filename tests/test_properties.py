"""What must hold for every network, every batch and every gradient that comes in.

A lesson, after test_gradients.py. Those checks have a blind spot: if the forward pass is wrong, a
backward pass that is right *for it* agrees with all derivatives. The laws below need no reference
value either, and see such bugs. Each block says first which law holds, and which bug breaks it.

A case (tests/strategies.py) has a `point`, what goes into the forward pass, and `incoming`, the
gradients that go into the backward pass: dhs is that in hs, dh_T that in h_T, dc_T that in c_T.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from numpy_lstm import LSTMParams, lstm, lstm_backward, lstm_forward, rnn
from numpy_lstm.cells import lstm_step, rnn_step, sigmoid
from numpy_lstm.gradcheck.pytrees import leaves
from numpy_lstm.recurrence import norms, packing
from tests.comparing import TOLERANCE, assert_identical, assert_same, mapped, returned
from tests.plain import STEPWISE, plain
from tests.strategies import CELLS, Case, Cell, Recipe, recipes, sequence_case

both_cells = pytest.mark.parametrize("cell", CELLS)


# --- batches and padding -------------------------------------------------------------------------
#
# Reviews are independent, and none has steps past its length. So a review's results do not depend
# on the batch that it is in, on its place there, or on what stands in its padding. The bugs: states
# that run on into padding, a mask forgotten on the way back, reviews that are sorted by length and
# not put back in order.


def reviews(batch: dict[str, Any], which: list[int], length: int | None = None) -> dict[str, Any]:
    """Some reviews of a batch, cut off at `length`; without the weights, which are everyone's."""
    return {
        name: array[:length, which] if name in STEPWISE else array[which]
        for name, array in batch.items()
        if name not in ("params", "dparams")
    }


@both_cells
@given(recipe=recipes())
def test_a_padded_batch_equals_its_reviews_run_alone(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    out, gradients = returned(case.run()), case.gradients()._asdict()
    each_dparams = []
    for n, length in enumerate(recipe.lengths):
        alone = case._replace(
            point=case.point | reviews(case.point, [n], length),
            lengths=(length,),
            incoming=reviews(case.incoming, [n], length),
        )
        assert_same(reviews(out, [n], length), returned(alone.run()))
        own = alone.gradients()._asdict()
        each_dparams.append(own.pop("dparams"))
        assert_same(reviews(gradients, [n], length), own)
    assert_same(gradients["dparams"], mapped(lambda *each: sum(each), *each_dparams))


@both_cells
@given(recipe=recipes())
def test_what_stands_in_padding_has_no_effect(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    padding = np.arange(recipe.T)[:, np.newaxis] >= recipe.lengths
    spoiled = sequence_case(cell, recipe)
    spoiled.point["xs"][padding] = np.nan
    spoiled.incoming["dhs"][padding] = np.inf  # where any of these counts, the result is NaN
    out, gradients = spoiled.run(), spoiled.gradients()
    assert_identical(returned(out), returned(case.run()))
    assert_identical(gradients, case.gradients())
    for array in (out.hs, *(getattr(gradients, k) for k in STEPWISE if hasattr(gradients, k))):
        assert not array[padding].any()


@both_cells
@given(recipe=recipes(), data=st.data())
def test_reordering_the_reviews_reorders_the_results(
    cell: Cell, recipe: Recipe, data: st.DataObject
) -> None:
    order = data.draw(st.permutations(range(recipe.N)))
    case = sequence_case(cell, recipe)
    other = case._replace(
        point=case.point | reviews(case.point, order),
        lengths=tuple(recipe.lengths[n] for n in order),
        incoming=reviews(case.incoming, order),
    )
    assert_same(returned(other.run()), reviews(returned(case.run()), order))
    gradients, expected = other.gradients()._asdict(), case.gradients()._asdict()
    assert_same(gradients, expected | reviews(expected, order))


# --- time ----------------------------------------------------------------------------------------
#
# All that a network knows of the past is in its state, and time runs one way. So a sequence may be
# cut in two if the state is carried forward and its gradient back; a later input changes no earlier
# state, and an earlier loss has no gradient in a later input. The bugs: an initial state that is
# ignored or added twice, a final state of the wrong step, steps that are off by one.


def without_padding(recipe: Recipe) -> Recipe:
    return recipe._replace(lengths=(recipe.T,) * recipe.N)


@both_cells
@given(recipe=recipes(), data=st.data())
def test_splitting_a_sequence_and_carrying_the_state_changes_nothing(
    cell: Cell, recipe: Recipe, data: st.DataObject
) -> None:
    assume(recipe.T > 1)
    k = data.draw(st.integers(1, recipe.T - 1))
    whole = sequence_case(cell, without_padding(recipe))
    states = ["h"] if cell == "rnn" else ["h", "c"]

    def part(steps: slice, initial: dict[str, Any], final: dict[str, Any]) -> Case:
        xs, dhs = whole.point["xs"][steps], whole.incoming["dhs"][steps]
        return whole._replace(
            point=whole.point | {"xs": xs} | initial,
            lengths=(len(xs),) * recipe.N,
            incoming=whole.incoming | {"dhs": dhs} | final,
        )

    head_out = part(slice(k), {}, {}).run()
    tail = part(slice(k, None), {f"{s}0": getattr(head_out, f"{s}_T") for s in states}, {})
    tail_out, tail_gradients = tail.run(), tail.gradients()
    head = part(slice(k), {}, {f"d{s}_T": getattr(tail_gradients, f"d{s}0") for s in states})
    head_gradients = head.gradients()

    out, gradients = whole.run(), whole.gradients()
    joined = returned(tail_out) | {"hs": np.concatenate([head_out.hs, tail_out.hs])}
    assert_same(joined, returned(out))
    joined = head_gradients._asdict()
    for name in STEPWISE & joined.keys():
        joined[name] = np.concatenate([joined[name], getattr(tail_gradients, name)])
    joined["dparams"] = mapped(np.add, head_gradients.dparams, tail_gradients.dparams)
    assert_same(joined, gradients._asdict())


@both_cells
@given(recipe=recipes(), data=st.data())
def test_a_later_input_does_not_change_an_earlier_state(
    cell: Cell, recipe: Recipe, data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, recipe.T - 1))
    case = sequence_case(cell, without_padding(recipe))
    before = case.run()
    case.point["xs"][t] += 1
    after = case.run()
    np.testing.assert_array_equal(after.hs[:t], before.hs[:t])
    assert (after.hs[t] != before.hs[t]).any()


@both_cells
@given(recipe=recipes(), data=st.data())
def test_a_loss_on_early_states_has_no_gradient_in_later_inputs(
    cell: Cell, recipe: Recipe, data: st.DataObject
) -> None:
    t = data.draw(st.integers(0, recipe.T - 1))
    case = sequence_case(cell, without_padding(recipe))
    dhs = case.incoming["dhs"]
    dhs[t + 1 :] = 0
    gradients = case._replace(incoming={"dhs": dhs}).gradients()
    assert not gradients.dxs[t + 1 :].any()
    assert not gradients.dh_norms[t + 1 :].any()
    assert gradients.dxs[t].any()


# --- backward as a linear map --------------------------------------------------------------------
#
# Forward, a small change v of all that goes in changes the results by J v, where J is the matrix of
# all derivatives. Backward takes gradients u in the results to Jᵀ u. So it is linear in u, and both
# passes must agree on ⟨u, J v⟩. The bugs: a gradient that is clipped or rescaled on its way, a
# buffer that keeps what an earlier call left in it, any entry of J that is wrong.


@both_cells
@given(recipe=recipes())
def test_backward_is_the_transpose_of_the_forward_derivative(cell: Cell, recipe: Recipe) -> None:
    """⟨u, J v⟩ = ⟨Jᵀ u, v⟩, with J v from one complex step along v and Jᵀ u from backward."""
    case = sequence_case(cell, recipe)
    rng = np.random.default_rng(recipe.seed + 1)
    v = mapped(lambda array: rng.standard_normal(array.shape), case.point)
    h = 1e-100
    out = case._replace(point=mapped(lambda x, d: x + 1j * h * d, case.point, v)).run()
    Jv = {name: result.imag / h for name, result in returned(out).items()}
    u_Jv = [np.sum(case.incoming[f"d{name}"] * change) for name, change in Jv.items()]
    gradients = case.gradients()
    Jt_u = {name: getattr(gradients, f"d{name}") for name in case.point}
    Jt_u_v = [np.sum(product) for product in leaves(mapped(np.multiply, Jt_u, v)).values()]
    size = max(1, *map(abs, u_Jv), *map(abs, Jt_u_v))
    assert abs(sum(u_Jv) - sum(Jt_u_v)) <= TOLERANCE * size


@both_cells
@given(recipe=recipes(), factor=st.floats(-3, 3))
def test_backward_is_linear_in_the_incoming_gradient(
    cell: Cell, recipe: Recipe, factor: float
) -> None:
    case = sequence_case(cell, recipe)
    rng = np.random.default_rng(recipe.seed + 1)
    u = case.incoming
    v = mapped(lambda array: rng.standard_normal(array.shape), u)
    cache = case.run().cache

    def gradient(incoming: dict[str, Any]) -> dict[str, Any]:
        g = case.backward(cache, **incoming)._asdict()
        return {name: g[name] for name in g if not name.endswith("norms")}

    together = gradient(mapped(lambda a, b: a + factor * b, u, v))
    separate = mapped(lambda g, h: g + factor * h, gradient(u), gradient(v))
    assert_same(together, separate)


# --- nothing is changed, nothing is lost ---------------------------------------------------------
#
# What is passed in belongs to the caller, and the cache may be used again: neither changes. What is
# in float32 is computed in float32, to its own precision. The bugs: a backward pass that works in
# the memory of its cache, whose first call is right and whose second is not; one constant in
# float64, which makes all that follows float64, and slow.


@both_cells
@given(recipe=recipes())
def test_two_backward_calls_agree_and_nothing_passed_in_has_changed(
    cell: Cell, recipe: Recipe
) -> None:
    case = sequence_case(cell, recipe)
    for array in leaves(case).values():
        if isinstance(array, np.ndarray):
            array.flags.writeable = False  # whoever writes into it gets an error
    out = case.run()
    before = mapped(np.copy, returned(out))
    first = mapped(np.copy, case.backward(out.cache, **case.incoming))
    second = case.backward(out.cache, **case.incoming)
    assert_identical(second, first)
    assert_identical(returned(out), before)
    fresh = sequence_case(cell, recipe)
    assert_identical((case.point, case.incoming), (fresh.point, fresh.incoming))


@both_cells
@given(recipe=recipes())
def test_float32_stays_float32_and_close_to_float64(cell: Cell, recipe: Recipe) -> None:
    exact = sequence_case(cell, recipe)
    case = exact._replace(
        point=mapped(np.float32, exact.point), incoming=mapped(np.float32, exact.incoming)
    )
    out, gradients = returned(case.run()), case.gradients()
    assert {array.dtype for array in leaves((out, gradients)).values()} == {np.dtype(np.float32)}
    # Rounding is 2**29 times as coarse as in float64, and as much amplified.
    assert_same(out, returned(exact.run()), tolerance=2**29 * TOLERANCE)
    assert_same(gradients, exact.gradients(), tolerance=2**29 * TOLERANCE)


class Watched:
    """NumPy, with a look at the arrays that each function is given and returns."""

    def __init__(self, look: Callable[[str, dict[str, Any], list[Any]], None]) -> None:
        self.look = look

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(np, name)
        if isinstance(attribute, type) or not callable(attribute):
            return attribute

        def watched(*arguments: Any, **keywords: Any) -> Any:
            result = attribute(*arguments, **keywords)
            everything = [*arguments, *keywords.values(), result]
            self.look(name, keywords, [each for each in everything if isinstance(each, np.ndarray)])
            return result

        return watched


def run_watched(
    cell: Cell,
    look: Callable[[str, dict[str, Any], list[Any]], None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A ragged batch in float32, forward and backward."""
    recipe = Recipe(T=6, N=4, D=3, H=2, lengths=(3, 6, 1, 6), scale=1.0, start="both", seed=0)
    case = sequence_case(cell, recipe)
    case = case._replace(
        point=mapped(np.float32, case.point), incoming=mapped(np.float32, case.incoming)
    )
    for module in (rnn, lstm, packing, norms):
        monkeypatch.setattr(module, "np", Watched(look))
    case.gradients()


@both_cells
def test_nothing_on_the_way_is_in_float64_if_what_comes_in_is_not(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    def look(name: str, keywords: dict[str, Any], arrays: list[Any]) -> None:
        assert all(array.dtype != np.float64 for array in arrays), name

    run_watched(cell, look, monkeypatch)


@both_cells
def test_every_matrix_product_goes_into_memory_that_is_kept(
    cell: Cell, monkeypatch: pytest.MonkeyPatch
) -> None:
    products = []

    def look(name: str, keywords: dict[str, Any], arrays: list[Any]) -> None:
        if name == "matmul":
            products.append(keywords.get("out"))

    run_watched(cell, look, monkeypatch)
    assert products
    assert all(out is not None for out in products)


@both_cells
def test_a_cache_from_which_a_stretch_of_steps_is_missing_is_an_error(cell: Cell) -> None:
    recipe = Recipe(T=6, N=4, D=3, H=2, lengths=(3, 6, 1, 6), scale=1.0, start="neither", seed=0)
    case = sequence_case(cell, recipe)
    cache = case.run().cache
    short = cache._replace(kept=[part[1:] for part in cache.kept])
    with pytest.raises(ValueError, match="zip"):
        case.backward(short, **case.incoming)


# --- ranges --------------------------------------------------------------------------------------
#
# Every h_t is a tanh, or a gate times one: it stays within ±1 whatever the weights are. A cell
# state grows by at most 1 a step, and σ(a) + σ(-a) = 1. The bugs: an activation left out or
# confused with another, and an exponential that overflows.


@both_cells
@given(recipe=recipes(), factor=st.sampled_from([1.0, 1000.0]))
def test_no_hidden_state_leaves_minus_one_to_one(cell: Cell, recipe: Recipe, factor: float) -> None:
    case = sequence_case(cell, recipe)
    case.point["params"] = mapped(lambda array: factor * array, case.point["params"])
    out = case.run()
    assert abs(out.hs).max() <= 1
    if cell == "lstm":  # a cell state grows by at most 1 a step
        limit = abs(case.point["c0"])
        for t in range(recipe.T):  # added one by one, lest the limit be rounded in another way
            limit = np.where(t < np.array(recipe.lengths)[:, np.newaxis], limit + 1, limit)
        assert (abs(out.c_T) <= limit).all()


@given(a=st.floats(-1000, 1000))
def test_sigmoid_of_a_and_of_minus_a_add_up_to_one(a: float) -> None:
    assert sigmoid(np.array(a)) + sigmoid(np.array(-a)) == pytest.approx(1, abs=1e-15)


def test_sigmoid_is_finite_and_saturates_far_from_zero() -> None:
    values = sigmoid(np.array([-1000.0, 1000.0]))
    np.testing.assert_array_equal(values, [0.0, 1.0])


# --- the constant error carousel -----------------------------------------------------------------
#
# What the LSTM is for: if W_h is 0 and the forget gate is f, ∂L/∂c shrinks by the factor f a step
# and by nothing else. With f = 1 it comes through 200 steps to the last bit. The bugs: a second
# way back into c, a forget gate applied twice or at the wrong step.


def gated_lstm(f: float, i: float, H: int, rng: np.random.Generator) -> LSTMParams:
    """An LSTM whose input and forget gates are held at pre-activations i and f."""
    b = rng.standard_normal((4, H))
    b[0], b[1] = i, f
    return LSTMParams(np.zeros((4 * H, 3)), np.zeros((4 * H, H)), b.ravel())


def test_f_at_one_and_i_at_zero_carry_c_and_dc_through_200_steps_untouched() -> None:
    rng = np.random.default_rng(0)
    params = gated_lstm(f=1000.0, i=-1000.0, H=4, rng=rng)
    c0, dc_T = rng.standard_normal((2, 5, 4))
    out = lstm_forward(rng.standard_normal((200, 5, 3)), params, c0=c0)
    np.testing.assert_array_equal(out.c_T, c0)
    np.testing.assert_array_equal(lstm_backward(out.cache, dc_T=dc_T).dc0, dc_T)


def test_f_at_one_half_halves_dc_at_every_step_back() -> None:
    rng = np.random.default_rng(0)
    params = gated_lstm(f=0.0, i=0.3, H=4, rng=rng)
    dc_T = rng.standard_normal((5, 4))
    cache = lstm_forward(rng.standard_normal((200, 5, 3)), params).cache
    gradients = lstm_backward(cache, dc_T=dc_T)
    steps_back = np.arange(200)[::-1, np.newaxis]
    expected = np.linalg.norm(dc_T, axis=1) * 0.5**steps_back
    np.testing.assert_allclose(gradients.dc_norms, expected, rtol=1e-15)
    np.testing.assert_array_equal(gradients.dc0, dc_T * 0.5**200)


# --- the recorded norms --------------------------------------------------------------------------
#
# The figures of this project show ‖∂L/∂h_t‖ and ‖∂L/∂c_t‖ at every step. The gradient in a state is
# the slope of the loss when the state is changed in the middle of the run. The bugs: a norm taken
# before the later steps' part is added, or of the wrong step.


@both_cells
@given(recipe=recipes())
def test_recorded_norms_are_those_of_the_gradient_in_each_state(cell: Cell, recipe: Recipe) -> None:
    """Every unit of h_t and c_t gets a nudge; a loss's derivative in it is the gradient there.

    Each review has a loss of its own, so one imaginary nudge serves the whole batch.
    """
    case = sequence_case(cell, without_padding(recipe))
    params, incoming = case.point["params"], case.incoming
    states = ["h"] if cell == "rnn" else ["h", "c"]

    def losses(nudges: dict[str, Any]) -> Any:
        h, c, total = case.point["h0"], case.point.get("c0"), 0.0
        for t, x_t in enumerate(case.point["xs"]):
            if cell == "rnn":
                h, _ = rnn_step(x_t, h, params)
            else:
                _, c, cache = lstm_step(x_t, h, c, params)
                c = c + nudges["c"][t]
                h = cache.o_t * np.tanh(c)
            h = h + nudges["h"][t]
            total += np.sum(incoming["dhs"][t] * h, axis=1)
        total += np.sum(incoming["dh_T"] * h, axis=1)
        return total + np.sum(incoming["dc_T"] * c, axis=1) if cell == "lstm" else total

    T, N, H = recipe.T, recipe.N, recipe.H
    nudges = {state: np.zeros((T, H), complex) for state in states}
    expected = {f"d{state}_norms": np.zeros((T, N)) for state in states}
    for state, nudge in nudges.items():
        for t, unit in np.ndindex(T, H):
            nudge[t, unit] = 1e-200j
            expected[f"d{state}_norms"][t] += (losses(nudges).imag * 1e200) ** 2
            nudge[t, unit] = 0
    for gradients in (case.gradients(), plain(case).gradients()):
        assert_same(
            {name: getattr(gradients, name) for name in expected},
            {name: np.sqrt(squares) for name, squares in expected.items()},
        )
