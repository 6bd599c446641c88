"""Every backward pass, in every argument, against derivatives measured on its own forward pass.

A lesson, from top to bottom. A gradient says how fast a loss changes with each number that it
depends on, and that can be measured: change the number a little, and look at the loss. The first
tests measure so, in a few lines, the derivatives of one RNN step: by central differences, which
anyone can follow, and by the complex step, which is exact. They show why the loss of a gradient
check weights its results at random, and why it adds a constant slope. Then
:func:`numpy_lstm.gradcheck.check_gradient`, which measures in the same ways, checks everything that
has a backward pass: a step of each cell, whole sequences, layers, losses, the classifier.

``python -m pytest -m gradients`` runs these tests alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given, reject
from hypothesis import strategies as st

from numpy_lstm.cells import (
    RNNParams,
    lstm_step,
    lstm_step_backward,
    rnn_step,
    rnn_step_backward,
)
from numpy_lstm.classifier import (
    Classifier,
    Masks,
    classifier_backward,
    classifier_forward,
    init_classifier,
)
from numpy_lstm.gradcheck import Method, check_gradient
from numpy_lstm.layers import (
    RowGradient,
    affine_backward,
    affine_forward,
    bag_backward,
    bag_forward,
    dropout_backward,
    dropout_forward,
    dropout_mask,
    readout_backward,
    readout_forward,
)
from numpy_lstm.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    cross_entropy,
    cross_entropy_backward,
    log_odds,
    log_odds_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_error,
    squared_error_backward,
)
from numpy_lstm.types import Array
from tests.strategies import CELLS, Case, Cell, Recipe, recipes, sequence_case

pytestmark = pytest.mark.gradients

# --- measuring a derivative: central differences -------------------------------------------------


def central_differences(f: Callable[[Array], float], x: Array, h: float = 1e-5) -> Array:
    """The slope of `f` in each number of `x`: (f(x + h) - f(x - h)) / 2h.

    Why 1e-5? Two errors must be small at once. The quotient is the slope of a chord, not of the
    tangent: that error shrinks with h². And f is rounded to 16 digits, about 1e-16, which the
    division by h enlarges to 1e-16 / h: that error grows as h shrinks. Where h is 1e-5 both are
    about 1e-10 or 1e-11, and no other h is much better. So ten digits are right, not sixteen.
    """
    slopes = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        ahead, behind = x.copy(), x.copy()
        ahead[i] += h
        behind[i] -= h
        slopes[i] = (f(ahead) - f(behind)) / (2 * h)
    return slopes


def one_step() -> dict[str, Array]:
    """All that a step of a vanilla RNN depends on: two reviews, three inputs, four units."""
    rng = np.random.default_rng(0)
    shapes = {"x_t": (2, 3), "h_prev": (2, 4), "W_x": (4, 3), "W_h": (4, 4), "b": (4,)}
    return {name: rng.standard_normal(shape) for name, shape in shapes.items()}


def loss_of_one_step(step: dict[str, Array], dh_t: Array) -> float:
    """A loss whose gradient in h_t is known: for Σ dh_t h_t it is dh_t."""
    h_t, _ = rnn_step(step["x_t"], step["h_prev"], RNNParams(step["W_x"], step["W_h"], step["b"]))
    return np.sum(dh_t * h_t)


def gradient_of_one_step(step: dict[str, Array], dh_t: Array) -> dict[str, Array]:
    """The gradient of that loss in all that the step depends on, by the backward pass."""
    params = RNNParams(step["W_x"], step["W_h"], step["b"])
    _, cache = rnn_step(step["x_t"], step["h_prev"], params)
    dx_t, dh_prev, dparams = rnn_step_backward(dh_t, cache)
    return {"x_t": dx_t, "h_prev": dh_prev, **dparams._asdict()}


DH_T = np.random.default_rng(1).standard_normal((2, 4))


@pytest.mark.parametrize("name", ["x_t", "h_prev", "W_x", "W_h", "b"])
def test_the_backward_pass_of_a_step_gives_the_slopes_of_its_loss(name: str) -> None:
    step = one_step()
    slopes = central_differences(lambda x: loss_of_one_step({**step, name: x}, DH_T), step[name])
    gradient = gradient_of_one_step(step, DH_T)[name]
    np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-9)


def test_a_larger_or_a_smaller_h_measures_worse() -> None:
    step = one_step()
    gradient = gradient_of_one_step(step, DH_T)["W_h"]

    def error(h: float) -> float:
        slopes = central_differences(
            lambda W_h: loss_of_one_step({**step, "W_h": W_h}, DH_T), step["W_h"], h
        )
        return abs(slopes - gradient).max()

    assert error(1e-1) > 1e-4  # the chord is not the tangent …
    assert error(1e-2) < error(1e-1) / 50  # … but a tenth of h leaves a hundredth of that error
    assert error(1e-5) < 1e-9
    assert error(1e-10) > 1e-7  # rounding
    assert error(1e-13) > 1e-4


# --- measuring it to the last digit: the complex step --------------------------------------------


def complex_step(f: Callable[[Array], Any], x: Array) -> Array:
    """The slope of `f` in each number of `x`: Im f(x + ih) / h.

    A formula for real numbers mostly makes sense for complex ones too, and its Taylor series is

        f(x + ih) = f(x) + ih f'(x) - h² f''(x) / 2 - …

    So the imaginary part is h f'(x), but for a term in h³. Nothing is subtracted, so nothing is
    lost to rounding however small h is: with h = 1e-100 that term is 1e-200 times as large as the
    other, which leaves all sixteen digits right. (Where this is from is told in
    :mod:`numpy_lstm.gradcheck.derivatives`.) It sees only what `f` does to complex numbers: if it
    did something else to real ones, only central differences would tell. So there are both.
    """
    h = 1e-100
    slopes = np.zeros_like(x)
    for i in np.ndindex(x.shape):
        moved = x.astype(complex)
        moved[i] += 1j * h
        slopes[i] = f(moved).imag / h
    return slopes


@pytest.mark.parametrize("name", ["x_t", "h_prev", "W_x", "W_h", "b"])
def test_the_complex_step_agrees_to_fourteen_digits(name: str) -> None:
    step = one_step()
    slopes = complex_step(lambda x: loss_of_one_step({**step, name: x}, DH_T), step[name])
    gradient = gradient_of_one_step(step, DH_T)[name]
    np.testing.assert_allclose(gradient, slopes, rtol=0, atol=1e-14 * abs(gradient).max())


# --- what to take the loss of --------------------------------------------------------------------


@pytest.mark.parametrize(("dh_t", "found"), [(np.ones((2, 4)), False), (DH_T, True)])
def test_a_plain_sum_of_the_results_hides_what_random_weights_show(
    dh_t: Array, found: bool
) -> None:
    """The gradient of a plain sum in each result is 1, and ones look the same in any order.

    Here is a backward pass with a bug: it confuses the reviews. If the loss is the sum of all h_t,
    it is right even so. All checks below weight what comes out with random numbers, and these are
    the gradients that go into the backward pass.
    """
    step = one_step()
    slopes = complex_step(lambda x_t: loss_of_one_step({**step, "x_t": x_t}, dh_t), step["x_t"])
    wrong = gradient_of_one_step(step, dh_t[::-1])["x_t"]
    assert np.allclose(wrong, slopes) != found


def test_beside_a_constant_slope_a_vanishing_gradient_can_be_compared() -> None:
    """Where units are saturated, the gradient is all but 0, and most of its digits are wrong.

    With a = 15, h = tanh(a) is 1 but for 2e-13, so 1 - h² has three digits left of sixteen. That is
    no bug, yet no two ways to such a gradient agree to 1e-12 of its size. So some losses below add
    the sum of an argument: its slope is 1 in each number, known exactly. The gradient is then 1
    plus what the backward pass gives, and is compared to 1e-12 of 1, the size that a gradient has
    elsewhere. A mistake of that size shows as before.
    """
    step = {**one_step(), "b": np.full(4, 15.0)}

    def loss(h_prev: Array) -> float:
        return loss_of_one_step({**step, "h_prev": h_prev}, DH_T)

    def loss_with_sum(h_prev: Array) -> float:
        return loss(h_prev) + np.sum(h_prev)

    h_prev, gradient = step["h_prev"], gradient_of_one_step(step, DH_T)["h_prev"]
    slopes = complex_step(loss, h_prev)
    assert abs(gradient - slopes).max() > 1e-8 * abs(gradient).max()
    slopes = complex_step(loss_with_sum, h_prev)
    assert abs(gradient + 1 - slopes).max() < 1e-14 * abs(gradient + 1).max()


# --- the checker ---------------------------------------------------------------------------------
#
# Three methods. "complex step" and "central" go number by number, as above. "direction" changes a
# whole array at once, along a random direction, where an example has hundreds of numbers: two
# evaluations an array, where number by number takes two a number.
#
# An error is relative to the largest number of its array. The first tolerance is a few hundred
# roundings of float64. The second is what a difference quotient leaves of its sixteen digits: half
# of them, and some to spare.
TOLERANCE: dict[Method, float] = {"complex step": 1e-12, "central": 1e-6, "direction": 1e-6}
METHODS: tuple[Method, ...] = ("complex step", "central")
METHODS_FOR_MANY: tuple[Method, ...] = ("complex step", "direction")


def check(loss: Callable[[Any], float], point: Any, gradient: Any, method: Method) -> None:
    """`gradient` must be that of `loss` at `point`: an array, or a dict or NamedTuple of arrays."""
    rng = np.random.default_rng(0)  # of the directions
    check_gradient(loss, point, gradient, method=method, tolerance=TOLERANCE[method], rng=rng)


# --- one step ------------------------------------------------------------------------------------
#
# From here on Hypothesis draws the examples, 50 for each test: recipes (tests/strategies.py) of
# sizes, lengths and weights, from which a case follows. Its `point` holds what the loss depends on,
# by the name of the argument, and `incoming` the random gradients in the results, such as dh_T.


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_rnn_step_gradients(method: Method, recipe: Recipe) -> None:
    case = sequence_case("rnn", recipe)
    dh_t = case.incoming["dh_T"]
    point = {
        "x_t": case.point["xs"][0],
        "h_prev": case.point["h0"],
        "params": case.point["params"],
    }

    def loss(point: Any) -> float:
        h_t, _ = rnn_step(**point)
        return np.sum(dh_t * h_t) + np.sum(point["h_prev"])

    h_t, cache = rnn_step(**point)
    # 1 - h_t**2 has few digits left where h_t, which is rounded, is near ±1. With all units there,
    # no number of the gradient is right to the tolerance.
    assume(abs(h_t).min() < 0.999)
    dx_t, dh_prev, dparams = rnn_step_backward(dh_t, cache)
    check(loss, point, {"x_t": dx_t, "h_prev": dh_prev + 1, "params": dparams}, method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_lstm_step_gradients(method: Method, recipe: Recipe) -> None:
    case = sequence_case("lstm", recipe)
    dh_t, dc_t = case.incoming["dh_T"], case.incoming["dc_T"]
    point = {
        "x_t": case.point["xs"][0],
        "h_prev": case.point["h0"],
        "c_prev": case.point["c0"],
        "params": case.point["params"],
    }

    def loss(point: Any) -> float:
        h_t, c_t, _ = lstm_step(**point)
        initial = np.sum(point["h_prev"]) + np.sum(point["c_prev"])
        return np.sum(dh_t * h_t) + np.sum(dc_t * c_t) + initial

    _, _, cache = lstm_step(**point)
    dx_t, dh_prev, dc_prev, dparams = lstm_step_backward(dh_t, dc_t, cache)
    gradient = {"x_t": dx_t, "h_prev": dh_prev + 1, "c_prev": dc_prev + 1, "params": dparams}
    check(loss, point, gradient, method)


# --- whole sequences -----------------------------------------------------------------------------
#
# A state acts on the loss directly and through all later states, so an error of one step adds up.


RESULTS = {"dhs": "hs", "dh_T": "h_T", "dc_T": "c_T"}  # of which each is the gradient


def loss_of(case: Case) -> Callable[[Any], float]:
    """Σ dhs hs + Σ dh_T h_T, for the LSTM + Σ dc_T c_T, and the sum of the initial states."""

    def loss(point: Any) -> float:
        out = case.forward(**point, lengths=case.lengths)
        weighted = sum(np.vdot(d, getattr(out, RESULTS[name])) for name, d in case.incoming.items())
        return weighted + sum(point[name].sum() for name in ("h0", "c0") if name in point)

    return loss


def gradient_of(case: Case) -> dict[str, Any]:
    """What the backward pass makes of :func:`loss_of`."""
    g = case.gradients()
    gradient = {"xs": g.dxs, "params": g.dparams, "h0": g.dh0 + 1}
    return gradient if "c0" not in case.point else {**gradient, "c0": g.dc0 + 1}


@pytest.mark.parametrize("cell", CELLS)
@given(recipe=recipes())
def test_sequence_gradients_agree_with_the_complex_step(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    check(loss_of(case), case.point, gradient_of(case), "complex step")


@pytest.mark.parametrize("cell", CELLS)
@given(recipe=recipes())
def test_sequence_gradients_agree_with_central_differences(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    check(loss_of(case), case.point, gradient_of(case), "direction")


@pytest.mark.parametrize(
    ("cell", "argument"),
    [("rnn", "dhs"), ("rnn", "dh_T"), ("lstm", "dhs"), ("lstm", "dh_T"), ("lstm", "dc_T")],
)
@given(recipe=recipes())
def test_each_incoming_gradient_is_enough_by_itself(
    cell: Cell, argument: str, recipe: Recipe
) -> None:
    case = sequence_case(cell, recipe)
    case = case._replace(incoming={argument: case.incoming[argument]})
    check(loss_of(case), case.point, gradient_of(case), "direction")


# --- layers --------------------------------------------------------------------------------------
#
# What stands around the recurrence: word vectors, dropout, read-out, the last linear layer. Their
# gradients are of size 1 by themselves, and need no constant slope.

READOUTS = ("last", "mean", "max", "meanmax")


def full(gradient: RowGradient, table: np.ndarray) -> np.ndarray:
    """A table's gradient with its zero rows; the backward pass returns those of words that came."""
    dense = np.zeros_like(table)
    dense[gradient.rows] = gradient.values
    return dense


@pytest.mark.parametrize("method", METHODS)
@given(recipe=recipes(), bag_size=st.integers(1, 13))
def test_bag_gradients(method: Method, recipe: Recipe, bag_size: int) -> None:
    rng = np.random.default_rng(recipe.seed)
    lengths = np.array(recipe.lengths)
    tokens = rng.integers(0, 7, (recipe.T, recipe.N))  # 7 words: most of them come twice
    table = rng.standard_normal((7, recipe.D))
    xs, _, cache = bag_forward(tokens, lengths, table, bag_size)
    dxs = rng.standard_normal(xs.shape)

    def loss(table: Any) -> float:
        return np.sum(dxs * bag_forward(tokens, lengths, table, bag_size)[0])

    check(loss, table, full(bag_backward(dxs, cache), table), method)


@pytest.mark.parametrize("method", METHODS)
@given(recipe=recipes(), rate=st.floats(0, 0.9), over_time=st.booleans())
def test_dropout_gradients_with_the_mask_held(
    method: Method, recipe: Recipe, rate: float, over_time: bool
) -> None:
    rng = np.random.default_rng(recipe.seed)
    shape = (recipe.T, recipe.N, recipe.D)
    mask_shape = shape[1:] if over_time else shape  # one mask for all steps, or one a step
    mask = dropout_mask(mask_shape, rate, rng=rng, dtype=np.float64)
    x, dy = rng.standard_normal(shape), rng.standard_normal(shape)

    def loss(x: Any) -> float:
        return np.sum(dy * dropout_forward(x, mask))

    check(loss, x, dropout_backward(dy, mask), method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@pytest.mark.parametrize("kind", READOUTS)
@given(recipe=recipes())
def test_readout_gradients(kind: Any, method: Method, recipe: Recipe) -> None:
    T, N, H, lengths = recipe.T, recipe.N, recipe.H, recipe.lengths
    rng = np.random.default_rng(recipe.seed)
    running = (np.arange(T)[:, np.newaxis] < lengths)[..., np.newaxis]
    # Distinct and well apart: where two states are equally large, their maximum has no derivative.
    hs = rng.permutation(np.linspace(-0.9, 0.9, T * N * H)).reshape(T, N, H)
    point = {"hs": hs, "h_T": rng.standard_normal((N, H))}

    def forward(point: Any) -> Any:
        hs = point["hs"] * running  # a recurrence returns 0 past a review's length
        return readout_forward(hs, point["h_T"], np.array(lengths), kind)

    features, cache = forward(point)
    dfeatures = rng.standard_normal(features.shape)

    def loss(point: Any) -> float:
        return np.sum(dfeatures * forward(point)[0])

    dhs, dh_T = readout_backward(dfeatures, cache)  # None where the read-out does not look
    gradient = {
        "hs": np.zeros_like(hs) if dhs is None else dhs,
        "h_T": np.zeros((N, H)) if dh_T is None else dh_T,
    }
    check(loss, point, gradient, method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_affine_gradients(method: Method, recipe: Recipe) -> None:
    rng = np.random.default_rng(recipe.seed)
    N, R, C = recipe.N, recipe.H, recipe.D
    shapes = {"x": (N, R), "W": (C, R), "b": (C,)}
    point = {name: rng.standard_normal(shape) for name, shape in shapes.items()}
    dy = rng.standard_normal((N, C))

    def loss(point: Any) -> float:
        return np.sum(dy * affine_forward(**point)[0])

    dx, dW, db = affine_backward(dy, affine_forward(**point)[1])
    check(loss, point, {"x": dx, "W": dW, "b": db}, method)


# --- losses --------------------------------------------------------------------------------------
#
# A loss is one number already: nothing is to be weighted but the reviews, which is a feature of the
# losses themselves. Logits stay below 5, or 3: the surer a right answer, the closer to 1 its
# probability, and the fewer digits are left of the gradient, which is that probability minus 1.


seeds = st.integers(0, 2**32 - 1)


def random_weights(N: int, weighted: bool, rng: np.random.Generator) -> np.ndarray | None:
    return rng.dirichlet(np.ones(N)) if weighted else None


@pytest.mark.parametrize("method", METHODS)
@given(N=st.integers(1, 5), scale=st.floats(0.01, 5), weighted=st.booleans(), seed=seeds)
def test_binary_cross_entropy_gradients(
    method: Method, N: int, scale: float, weighted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.uniform(-1, 1, N), rng.integers(0, 2, N)
    weights = random_weights(N, weighted, rng)

    def loss(logits: Any) -> float:
        return binary_cross_entropy(logits, labels, weights)[0]

    cache = binary_cross_entropy(logits, labels, weights)[1]
    check(loss, logits, binary_cross_entropy_backward(cache), method)


@pytest.mark.parametrize("method", METHODS)
@given(N=st.integers(1, 5), scale=st.floats(0.01, 3), weighted=st.booleans(), seed=seeds)
def test_softmax_cross_entropy_gradients(
    method: Method, N: int, scale: float, weighted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.uniform(-1, 1, (N, 6)), rng.integers(0, 6, N)
    weights = random_weights(N, weighted, rng)

    def loss(logits: Any) -> float:
        return softmax_cross_entropy(logits, labels, weights)[0]

    cache = softmax_cross_entropy(logits, labels, weights)[1]
    check(loss, logits, softmax_cross_entropy_backward(cache), method)


@pytest.mark.parametrize("method", METHODS)
@given(N=st.integers(1, 5), C=st.integers(2, 5), scale=st.floats(0.01, 3), seed=seeds)
def test_log_odds_gradients(method: Method, N: int, C: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits = scale * rng.uniform(-1, 1, (N, C) if C > 2 else N)
    for label in range(C):
        gradient = log_odds_backward(logits, label)
        check(lambda logits, k=label: log_odds(logits, k).sum(), logits, gradient, method)


@pytest.mark.parametrize("method", METHODS)
@given(N=st.integers(1, 5), weighted=st.booleans(), seed=seeds)
def test_squared_error_gradients(method: Method, N: int, weighted: bool, seed: int) -> None:
    rng = np.random.default_rng(seed)
    outputs, targets = rng.standard_normal(N), rng.standard_normal(N)
    weights = random_weights(N, weighted, rng)

    def loss(outputs: Any) -> float:
        return squared_error(outputs, targets, weights)[0]

    cache = squared_error(outputs, targets, weights)[1]
    check(loss, outputs, squared_error_backward(cache), method)


# --- the whole classifier ------------------------------------------------------------------------
#
# All parts are right; are they put together rightly? From tokens to the loss, in every parameter.
# There are no differences across a maximum: a step may carry it over to another state.


@pytest.mark.parametrize(
    ("readout", "method"),
    [(kind, "complex step") for kind in READOUTS] + [("last", "direction"), ("mean", "direction")],
)
@given(
    cell=st.sampled_from(CELLS),
    recipe=recipes(),
    bag_size=st.integers(1, 5),
    dropout=st.booleans(),
    C=st.integers(2, 4),
)
def test_classifier_gradients(
    readout: Any, method: Method, cell: Cell, recipe: Recipe, bag_size: int, dropout: bool, C: int
) -> None:
    rng = np.random.default_rng(recipe.seed)
    N, D, H, lengths = recipe.N, recipe.D, recipe.H, np.array(recipe.lengths)
    tokens, labels = rng.integers(0, 7, (recipe.T, N)), rng.integers(0, C, N)
    weights = rng.dirichlet(np.ones(N))
    fresh = init_classifier(cell, np.zeros((7, D)), H, readout=readout, rng=rng, n_classes=C)
    parameters = {
        name: rng.uniform(-recipe.scale, recipe.scale, array.shape) for name, array in fresh.items()
    }
    masks = None
    if dropout:
        features = parameters["W_out"].shape[1]
        masks = Masks(
            dropout_mask((N, D), 0.3, rng=rng, dtype=np.float64),
            dropout_mask((N, features), 0.3, rng=rng, dtype=np.float64),
        )

    def forward(parameters: Any) -> Any:
        logits, cache = classifier_forward(
            Classifier(parameters, bag_size, readout), tokens, lengths, masks
        )
        loss, loss_cache = cross_entropy(logits, labels, weights)
        # A constant slope, as above, for every array: the gradient of a few words whose reviews all
        # but cancel may vanish too. It is 2, not 1: db_out is in ±1, and might cancel with 1.
        return loss + 2 * sum(a.sum() for a in parameters.values()), cache, loss_cache

    _, cache, loss_cache = forward(parameters)
    gradient = classifier_backward(cross_entropy_backward(loss_cache), cache).parameters
    gradient = {**gradient, "embedding": full(gradient["embedding"], parameters["embedding"])}
    gradient = {name: array + 2 for name, array in gradient.items()}
    try:
        check(lambda parameters: forward(parameters)[0], parameters, gradient, method)
    except ValueError as error:
        if cache.readout.argmax is None or "kink nearby" not in str(error):
            raise
        reject()  # two states so close that a real step carries the maximum from one to the other
