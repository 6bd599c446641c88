"""Every backward pass, in every argument, against derivatives measured on its own forward pass.

Two witnesses. The complex step is right to rounding, so it may ask for 1e-12, number by number.
Central differences are coarser, but know nothing of complex numbers: they see what a function does
to real ones. Where an example has hundreds of numbers, they are taken along a random direction of
each array: two evaluations an array, where number by number takes two a number.

The loss is always a random weighting of everything that the forward pass returns. A plain sum
would not do: its upstream gradient of ones hides what is transposed, permuted or dropped.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, reject
from hypothesis import strategies as st

from numpy_lstm.cells import (
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
from tests.strategies import CELLS, Case, Cell, Recipe, recipes, sequence_case

# The first is a few hundred roundings of float64. The second is what a difference quotient leaves
# of its sixteen digits: half of them, and some to spare.
TOLERANCE: dict[Method, float] = {"complex step": 1e-12, "central": 1e-6, "direction": 1e-6}
METHODS: tuple[Method, ...] = ("complex step", "central")
METHODS_FOR_MANY: tuple[Method, ...] = ("complex step", "direction")

READOUTS = ("last", "mean", "max", "meanmax")
seeds = st.integers(0, 2**32 - 1)


def check(loss: Callable[[Any], float], point: Any, gradient: Any, method: Method) -> None:
    rng = np.random.default_rng(0)  # of the directions
    check_gradient(loss, point, gradient, method=method, tolerance=TOLERANCE[method], rng=rng)


# --- whole sequences -----------------------------------------------------------------------------


def loss_of(case: Case) -> Callable[[Any], float]:
    """A random weighting of all that comes out, and the sum of the initial states.

    With that sum, an initial state has a gradient of size 1 like every other state. Without, where
    the first step is saturated, its gradient is all but 0, and rounding is all there is to compare.
    """

    def loss(point: Any) -> float:
        out = case.forward(**point, lengths=case.lengths)
        returned = sum(np.sum(d * getattr(out, name[1:])) for name, d in case.incoming.items())
        return returned + sum(np.sum(point[name]) for name in ("h0", "c0") if name in point)

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


# --- one step ------------------------------------------------------------------------------------


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_rnn_step_gradients(method: Method, recipe: Recipe) -> None:
    case = sequence_case("rnn", recipe)
    xs, params, h0 = case.point.values()
    dh_t = case.incoming["dh_T"]

    def loss(point: Any) -> float:
        h_t, _ = rnn_step(**point)
        return np.sum(dh_t * h_t) + point["h_prev"].sum()

    point = {"x_t": xs[0], "h_prev": h0, "params": params}
    dx_t, dh_prev, dparams = rnn_step_backward(dh_t, rnn_step(**point)[1])
    check(loss, point, {"x_t": dx_t, "h_prev": dh_prev + 1, "params": dparams}, method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@given(recipe=recipes())
def test_lstm_step_gradients(method: Method, recipe: Recipe) -> None:
    case = sequence_case("lstm", recipe)
    xs, params, h0, c0 = case.point.values()
    dh_t, dc_t = case.incoming["dh_T"], case.incoming["dc_T"]

    def loss(point: Any) -> float:
        h_t, c_t, _ = lstm_step(**point)
        initial = point["h_prev"].sum() + point["c_prev"].sum()
        return np.sum(dh_t * h_t) + np.sum(dc_t * c_t) + initial

    point = {"x_t": xs[0], "h_prev": h0, "c_prev": c0, "params": params}
    dx_t, dh_prev, dc_prev, dparams = lstm_step_backward(dh_t, dc_t, lstm_step(**point)[2])
    gradient = {"x_t": dx_t, "h_prev": dh_prev + 1, "c_prev": dc_prev + 1, "params": dparams}
    check(loss, point, gradient, method)


# --- layers --------------------------------------------------------------------------------------


def full(gradient: RowGradient, table: np.ndarray) -> np.ndarray:
    """A table's gradient with its zero rows."""
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
    mask = dropout_mask(shape[over_time:], rate, rng=rng, dtype=np.float64)
    x, dy = rng.standard_normal(shape), rng.standard_normal(shape)

    def loss(x: Any) -> float:
        return np.sum(dy * dropout_forward(x, mask))

    check(loss, x, dropout_backward(dy, mask), method)


@pytest.mark.parametrize("method", METHODS_FOR_MANY)
@pytest.mark.parametrize("kind", READOUTS)
@given(recipe=recipes())
def test_readout_gradients(kind: Any, method: Method, recipe: Recipe) -> None:
    T, N, _, H, lengths, *_ = recipe
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

    dhs, dh_T = readout_backward(dfeatures, cache)
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
# Logits stay below 5, or 3: the surer a right answer, the closer to 1 its probability, and the
# fewer digits are left of the gradient, which is that probability minus 1.


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


# No differences across a maximum: a step may carry it over to another state.
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
        # The sum gives every array a gradient of size 2, as in :func:`loss_of`. Without, it may be
        # that of a few words whose reviews all but cancel, or that of saturated units: then
        # rounding is all there is to compare. Of size 1 it could cancel db_out, which is in ±1.
        return loss + sum(2 * np.sum(array) for array in parameters.values()), cache, loss_cache

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
