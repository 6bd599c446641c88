"""The checker passes what is right, catches what is wrong, and says so when it cannot tell."""

import doctest
import math
import re
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.gradcheck import (
    TOLERANCE,
    ArrayError,
    LostInRounding,
    WrongGradient,
    check_gradient,
    gradient_errors,
)
from numpy_lstm.gradcheck import check as gradcheck_module

every_method = pytest.mark.parametrize("method", list(TOLERANCE))
seeds = st.integers(0, 2**32 - 1)


class Params(NamedTuple):
    W: np.ndarray
    V: np.ndarray
    b: np.ndarray


def network(rng, scale, sizes=(3, 3)):
    """A tanh network with a random linear loss: the function, a point, the gradient by hand."""
    n_hidden, n_inputs = sizes
    r = rng.standard_normal(n_hidden)
    x = rng.standard_normal(n_inputs)
    params = Params(
        W=scale * rng.standard_normal((n_hidden, n_inputs)),
        V=scale * rng.standard_normal((n_hidden, n_hidden)),
        b=scale * rng.standard_normal(n_hidden),
    )

    def f(point):
        W, V, b = point["params"]
        return r @ np.tanh(V @ np.tanh(W @ point["x"] + b))

    W, V, b = params
    h = np.tanh(W @ x + b)
    da2 = r * (1 - np.tanh(V @ h) ** 2)
    da1 = (V.T @ da2) * (1 - h**2)
    gradient = {"params": Params(W=np.outer(da1, x), V=np.outer(da2, h), b=da1), "x": W.T @ da1}
    return f, {"params": params, "x": x}, gradient


def check(f, point, gradient, method):
    rng = np.random.default_rng(1)
    return check_gradient(f, point, gradient, method=method, rng=rng)


def with_array(gradient, name, array):
    if name == "x":
        return {**gradient, "x": array}
    return {**gradient, "params": gradient["params"]._replace(**{name: array})}


def arrays_of(gradient):
    return {**gradient["params"]._asdict(), "x": gradient["x"]}


def one_element_off(array):
    wrong = array.copy()
    wrong[np.unravel_index(abs(array).argmax(), array.shape)] *= 1.001
    return wrong


MISTAKES = {
    "one element off by 0.1 %": one_element_off,
    "all off by 0.1 %": lambda g: 1.001 * g,
    "sign": np.negative,
    "zero": np.zeros_like,
    "twice": lambda g: g + g,
    "transposed, or in reverse": lambda g: np.ascontiguousarray(g.T if g.ndim == 2 else g[::-1]),
    "rows shifted": lambda g: np.roll(g, 1, axis=0),
    "clipped": lambda g: np.clip(g, -abs(g).max() / 2, abs(g).max() / 2),
}


def test_the_example_of_the_docstring_runs_as_printed():
    result = doctest.testmod(gradcheck_module)
    assert result.attempted == 7
    assert result.failed == 0


@every_method
@pytest.mark.parametrize("scale", [1e-4, 0.01, 0.3, 2.0])
def test_a_right_gradient_passes(method, scale):
    f, point, gradient = network(np.random.default_rng(0), scale)
    results = check(f, point, gradient, method)
    assert [r.path for r in results] == ["params.W", "params.V", "params.b", "x"]
    assert all(r.method == method and r.error <= TOLERANCE[method] for r in results)


@every_method
@pytest.mark.parametrize("name", ["W", "V", "b", "x"])
@pytest.mark.parametrize("mistake", MISTAKES.values(), ids=MISTAKES)
@pytest.mark.parametrize("scale", [0.01, 1.0])
def test_every_mistake_in_any_array_is_caught_and_the_array_named(method, name, mistake, scale):
    f, point, gradient = network(np.random.default_rng(0), scale)
    wrong = with_array(gradient, name, mistake(arrays_of(gradient)[name]))
    with pytest.raises(WrongGradient) as caught:
        check(f, point, wrong, method)
    _, *lines = str(caught.value).splitlines()
    path = "x" if name == "x" else f"params.{name}"
    assert [re.split(r"[\[ ]", line.strip())[0] for line in lines] == [path]


@every_method
def test_tiny_weights_do_not_hide_a_wrong_gradient(method):
    """An absolute tolerance of 1e-5 passes this one with every array set to zero."""
    f, point, gradient = network(np.random.default_rng(0), 1e-4)
    assert abs(gradient["params"].W).max() < 1e-3
    assert abs(gradient["x"]).max() < 1e-6
    zero = {"params": Params(*map(np.zeros_like, gradient["params"])), "x": 0 * gradient["x"]}
    with pytest.raises(WrongGradient):
        check(f, point, zero, method)
    with pytest.raises(WrongGradient):
        check(f, point, with_array(gradient, "x", 1.001 * gradient["x"]), method)


@every_method
def test_huge_weights_are_judged_like_others(method):
    def f(p):
        return np.sum(np.tanh(p.W @ (1e-6 * p.b)) * [1.0, -2.0])

    W, b = 1e5 * np.array([[3.0, 5.0], [-4.0, 2.0]]), np.array([0.5, 1.0])
    da = (1 - np.tanh(W @ (1e-6 * b)) ** 2) * [1.0, -2.0]
    point = Params(W=W, V=np.ones(1), b=b)
    gradient = Params(W=np.outer(da, 1e-6 * b), V=np.zeros(1), b=1e-6 * W.T @ da)
    check(f, point, gradient, method)
    with pytest.raises(WrongGradient, match=r"^[^\n]*\n  W[^\n]*$"):
        check(f, point, gradient._replace(W=one_element_off(gradient.W)), method)


@every_method
def test_an_element_that_is_truly_zero_passes_with_its_rounding(method):
    """Rounding leaves 1e-17 where 0 should be; relative to itself that is an error of 100 %."""
    x = np.array([0.1, 0.2, 0.3])

    def f(x):
        return np.sin(x[0]) + (x[1] + 0.1 - x[2]) ** 2

    gradient = np.array([np.cos(0.1), 2 * (x[1] + 0.1 - x[2]), -2 * (x[1] + 0.1 - x[2])])
    gradient[1] += 1e-17
    check(f, x, gradient, method)


@every_method
def test_an_array_without_any_effect_must_have_a_gradient_of_exactly_zero(method):
    point = {"used": np.array([0.5, 1.0]), "padding": np.array([3.0])}

    def f(p):
        return np.sum(np.sin(p["used"]))

    results = check(f, point, {"used": np.cos(point["used"]), "padding": np.zeros(1)}, method)
    assert results[1].error == 0
    with pytest.raises(WrongGradient, match=r"padding.* measured 0, relative error 1\.0e\+00"):
        check(f, point, {"used": np.cos(point["used"]), "padding": np.ones(1)}, method)


@every_method
def test_a_wrong_small_array_is_not_hidden_by_a_large_one(method):
    point = {"large": np.array([1.0]), "small": np.array([1.0])}

    def f(p):
        return np.sin(p["large"][0]) + 1e-4 * np.sin(p["small"][0])

    right = {"large": np.cos(point["large"]), "small": 1e-4 * np.cos(point["small"])}
    check(f, point, right, method)
    with pytest.raises(WrongGradient, match=r"^[^\n]*\n  small[^\n]*$"):
        check(f, point, {**right, "small": 1.001 * right["small"]}, method)


def test_the_message_gives_argument_position_both_numbers_and_error():
    W = np.array([[1.0, 2.0], [3.0, 4.0]])
    point = {"W": W, "b": np.array(0.0)}
    gradient = {"W": 2 * W, "b": np.array(1.0)}
    gradient["W"][1, 0] = 6.006
    with pytest.raises(WrongGradient) as caught:
        check_gradient(lambda p: np.sum(p["W"] ** 2) - p["b"], point, gradient)
    assert str(caught.value) == (
        "the gradient fails the complex step check (tolerance 1e-12):\n"
        "  W[1, 0]: gradient 6.006, measured 6, relative error 7.5e-04\n"
        "  b: gradient 1, measured -1, relative error 2.0e+00"
    )


def test_the_message_of_a_direction_says_that_it_is_one():
    with pytest.raises(WrongGradient, match="point along a random direction: gradient 0, measured"):
        check(np.sum, np.ones(3), np.zeros(3), "direction")


def test_the_errors_can_be_had_without_a_verdict():
    x = np.array([[1.0, 3.0]])
    (result,) = gradient_errors(lambda x: np.sum(x**2), x, np.array([[2.0, 5.0]]))
    assert result == ArrayError(
        path="point",
        method="complex step",
        error=pytest.approx(1 / 6),
        position=(0, 1),
        analytic=5.0,
        measured=pytest.approx(6.0),
        doubt=result.doubt,
    )
    assert 0 < result.doubt < 1e-11


def test_the_tolerance_can_be_chosen():
    x = np.array([1.0, 2.0])
    almost = 2 * x * [1, 1.0001]
    check_gradient(lambda x: np.sum(x**2), x, almost, tolerance=1e-3)
    with pytest.raises(WrongGradient, match=r"tolerance 1e-05"):
        check_gradient(lambda x: np.sum(x**2), x, almost, tolerance=1e-5)


def test_a_tolerance_of_zero_is_one():
    x = np.array([0.3, 0.7])
    almost = np.cos(x) * [1, 1 + 1e-14]
    check_gradient(lambda x: np.sum(np.sin(x)), x, almost)
    with pytest.raises((WrongGradient, LostInRounding), match=r"tolerance 0\)"):
        check_gradient(lambda x: np.sum(np.sin(x)), x, almost, tolerance=0)


@pytest.mark.parametrize("method", ["complex step", "central"])
def test_a_saturated_unit_is_lost_in_rounding_and_not_called_wrong(method):
    """1 - tanh(17)**2 has one digit left: neither side is to blame."""
    x = np.array([17.0, 17.2])
    with pytest.raises(LostInRounding, match=r"rounding inside `f` could do that.*:\n  point"):
        check(lambda x: np.sum(np.tanh(x)), x, 1 - np.tanh(x) ** 2, method)


def test_what_cannot_be_measured_anywhere_does_not_pass():
    x = np.array([1.0, 2.0])

    def f(here):
        return 1.0 if np.array_equal(here, x) else math.nan

    with pytest.raises(ValueError, match="`f` must be finite around `point`"):
        check(f, x, np.ones(2), "direction")


@pytest.mark.parametrize(("k", "place"), [(0, r"b\[0, 0\]"), (2, r"b\[1, 0\]")])
def test_the_number_around_which_nothing_is_finite_is_named(k, place):
    point = {"a": np.array([1.0, 2.0]), "b": np.array([[1.0, 2.0], [3.0, 4.0]])}

    def f(here):
        return here["a"].sum() if here["b"].flat[k] == k + 1 else math.nan

    with pytest.raises(ValueError, match=rf"on both sides of {place}$"):
        check_gradient(f, point, point, method="central")


@pytest.mark.parametrize(
    ("method", "hint"),
    [("complex step", "try a point with fewer saturated units"), ("central", "try complex step")],
)
def test_what_is_lost_in_rounding_comes_with_what_may_help(method, hint):
    x = np.array([17.0])
    with pytest.raises(LostInRounding, match=f"{hint}:\n"):
        check(lambda x: np.sum(np.tanh(x)), x, 1 - np.tanh(x) ** 2, method)


def test_a_chaotic_function_is_lost_in_rounding_and_not_called_wrong():
    """Two ways to write the logistic map round differently; 14 steps make 1e-12 of that."""

    def f(x):
        for _ in range(14):
            x = 4 * x * (1 - x)
        return x[0]

    x, slope = np.array([0.3]), 1.0
    for _ in range(14):
        slope, x = slope * (4 - 8 * x), 4 * x - 4 * x * x
    with pytest.raises(LostInRounding):
        check_gradient(f, np.array([0.3]), slope)
    with pytest.raises(WrongGradient):
        check_gradient(f, np.array([0.3]), 1.001 * slope)


@pytest.mark.parametrize("method", ["central", "direction"])
def test_digits_that_cancel_inside_the_function_are_not_held_against_the_gradient(method):
    """The value is near 1, but rounded to 1e-7 on the way."""
    for x in np.linspace(0.1, 1, 30).reshape(30, 1):
        try:
            check(lambda x: 1e9 + np.sum(np.sin(x)) - 1e9, x, np.cos(x), method)
        except LostInRounding:
            continue


@pytest.mark.parametrize("method", ["central", "direction"])
def test_float32_inside_the_function_is_not_held_against_the_gradient(method):
    x = np.array([0.5, -1.0, 2.0])

    def f(x):
        h = np.zeros(3, np.float32)
        h[:] = np.tanh(x)
        return float(np.sum(h.astype(np.float64) ** 2))

    gradient = 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
    with pytest.raises(LostInRounding):
        check(f, x, gradient, method)
    with pytest.raises(ValueError, match="`f` must take complex numbers"):
        check(f, x, gradient, "complex step")


@pytest.mark.parametrize("method", ["central", "direction"])
def test_differences_own_up_to_a_gradient_that_is_below_the_rounding_of_the_function(method):
    def f(x):
        return 1.0 + 1e-14 * np.sum(np.sin(x))

    x = np.array([0.5, 1.5])
    with pytest.raises(LostInRounding):
        check(f, x, 1e-14 * np.cos(x), method)
    check(f, x, 1e-14 * np.cos(x), "complex step")  # which has no such trouble


def test_what_is_wrong_is_told_before_what_is_lost():
    point = {"lost": np.array([17.0]), "wrong": np.array([1.0])}
    gradient = {"lost": 1 - np.tanh(point["lost"]) ** 2, "wrong": np.array([0.5])}
    with pytest.raises(WrongGradient, match=r"^[^\n]*\n  wrong[^\n]*$"):
        check_gradient(lambda p: np.tanh(p["lost"][0]) + p["wrong"][0], point, gradient)


@pytest.mark.parametrize("gradient", [np.sign, np.zeros_like, np.ones_like])
def test_a_function_that_is_not_analytic_is_blamed_whatever_the_gradient(gradient):
    """Zero is what the complex step makes of abs: without a test for it, zero would pass."""
    x = np.array([0.5, -1.0])
    with pytest.raises(ValueError, match="`f` must be analytic"):
        check_gradient(lambda x: np.sum(abs(x)), x, gradient(x))
    if gradient is np.sign:
        check(lambda x: np.sum(abs(x)), x, gradient(x), "central")


@pytest.mark.parametrize(
    ("gradient", "message"),
    [
        ({"a": np.ones(2)}, "`gradient` must be shaped as `point`"),
        ({"a": np.ones(2), "b": np.ones(2)}, r"'b': \(1, 2\)}; got .*'b': \(2,\)"),
        ({"a": np.ones(2), "b": np.ones((1, 2)), "c": np.ones(1)}, "`gradient` must be shaped"),
        ([np.ones(2), np.ones((1, 2))], r"got {'\[0\]'"),
        ({"a": np.ones(2), "b": np.array([[1.0, np.nan]])}, "b of `gradient` must be finite"),
        ({"a": np.ones(2, int), "b": np.ones((1, 2))}, "a of `gradient` must be float64; got int"),
        ({"a": None, "b": np.ones((1, 2))}, "a of `gradient` must be float64; got object"),
    ],
)
@every_method
def test_a_gradient_that_does_not_match_the_point_is_refused(gradient, message, method):
    point = {"a": np.ones(2), "b": np.ones((1, 2))}
    with pytest.raises(ValueError, match=message):
        check(lambda p: np.sum(p["a"]) + np.sum(p["b"]), point, gradient, method)


def test_arrays_are_matched_by_name_and_not_by_order():
    point = {"a": np.array([1.0]), "b": np.array([2.0])}
    check_gradient(lambda p: p["a"][0] - p["b"][0], point, {"b": np.array([-1.0]), "a": np.ones(1)})


@pytest.mark.parametrize(
    "tree",
    [
        np.array([1.0, 2.0]),
        np.array(3.0),
        0.5,
        [np.ones(2), np.ones((2, 2))],
        (np.ones(2), [2.0, {"deep": np.array([[3.0]])}]),
        Params(np.ones((2, 2)), np.ones(3), np.array(1.0)),
        {"params": [Params(np.ones(1), np.ones(2), np.ones(3))], "h0": np.ones((2, 1))},
    ],
)
@every_method
def test_any_tree_of_arrays_is_checked(tree, method):
    def twice(tree):
        if hasattr(tree, "_fields"):
            return type(tree)(*map(twice, tree))
        if isinstance(tree, (list, tuple)):
            return type(tree)(map(twice, tree))
        if isinstance(tree, dict):
            return {key: twice(child) for key, child in tree.items()}
        return 2 * np.asarray(tree)

    def sum_of_squares(tree):
        if isinstance(tree, dict):
            tree = tuple(tree.values())
        if isinstance(tree, (list, tuple)):
            return sum(map(sum_of_squares, tree))
        return np.sum(tree**2)

    check(sum_of_squares, tree, twice(tree), method)
    with pytest.raises(WrongGradient):
        check(sum_of_squares, tree, tree, method)


def test_a_direction_needs_a_generator_and_the_same_one_gives_the_same_result():
    f, point, gradient = network(np.random.default_rng(0), 1.0)
    with pytest.raises(ValueError, match="`rng` must be a numpy"):
        check_gradient(f, point, gradient, method="direction")
    assert check(f, point, gradient, "direction") == check(f, point, gradient, "direction")


def test_terms_that_cancel_along_a_direction_do_not_make_a_right_gradient_wrong():
    d = np.random.default_rng(1).standard_normal(2)  # what `check` will draw
    x = np.array([0.5, 1.0])
    weights = np.array([1, -1]) / (d * np.cos(x))
    gradient = weights * np.cos(x)
    assert abs(gradient @ d) < 1e-15
    check(lambda x: np.sum(weights * np.sin(x)), x, gradient, "direction")


def test_an_unknown_method_is_refused_with_the_known_ones():
    with pytest.raises(ValueError, match=r"`method` must be one of \['complex step', 'central'"):
        check_gradient(np.sum, np.ones(2), np.ones(2), method="forward")


@every_method
def test_what_is_passed_in_is_left_as_it_was(method):
    f, point, gradient = network(np.random.default_rng(0), 1.0)
    arrays = [*point["params"], point["x"], *gradient["params"], gradient["x"]]
    before = [array.tobytes() for array in arrays]
    check(f, point, gradient, method)
    with pytest.raises(WrongGradient):
        check(lambda p: 2 * f(p), point, gradient, method)
    assert [array.tobytes() for array in arrays] == before


@given(seed=seeds, log_scale=st.floats(-4, -0.3), rows=st.integers(1, 4), columns=st.integers(1, 4))
def test_on_random_networks_right_passes_and_a_thousandth_wrong_does_not(
    seed, log_scale, rows, columns
):
    """Weights stop at one half, where no unit saturates: see the test of one that does."""
    rng = np.random.default_rng(seed)
    f, point, gradient = network(rng, 10**log_scale, (rows, columns))
    name, right = list(arrays_of(gradient).items())[rng.integers(4)]
    wrong = right.copy()
    wrong.flat[rng.integers(wrong.size)] += rng.choice([-1e-3, 1e-3]) * abs(right).max()
    for method in ("complex step", "central"):
        check(f, point, gradient, method)
        with pytest.raises(WrongGradient):
            check(f, point, with_array(gradient, name, wrong), method)
    check(f, point, gradient, "direction")
