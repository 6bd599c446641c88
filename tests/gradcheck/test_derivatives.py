"""The measured derivatives agree with calculus and each other, and refuse what they must."""

import math
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.gradcheck.derivatives import VectorFunction
from numpy_lstm.gradcheck.pytrees import leaves
from numpy_lstm.gradcheck.slopes import norm, scatter

# The complex step loses nothing but the rounding of f itself.
EXACT = 1e-14
# Central differences are to be trusted to 1e-6; on tame functions they are far better.
CLOSE = 1e-8

seeds = st.integers(0, 2**32 - 1)


def complex_step(f, point):
    function = VectorFunction(f, point)
    return function.tree(function.complex_gradient()[0])


def central_difference(f, point):
    function = VectorFunction(f, point)
    return function.tree(function.central_gradient()[0])


def directional_difference(f, point, direction):
    function = VectorFunction(f, point)
    return function.slope(function.vector("direction", direction))[0]


class Weights(NamedTuple):
    W: np.ndarray
    b: np.ndarray


def recurrence(weights, xs, loss_weights):
    """A vanilla RNN, as short as it can be written, with a loss on every state."""
    h, loss = np.zeros(len(weights.b)), 0.0
    for x, r in zip(xs, loss_weights, strict=True):
        h = np.tanh(weights.W @ h + weights.b + x)
        loss = loss + r @ h
    return loss


def random_recurrence(rng, scale, T=12, H=4):
    xs, loss_weights = rng.standard_normal((2, T, H))
    point = Weights(scale * rng.standard_normal((H, H)), scale * rng.standard_normal(H))
    return (lambda weights: recurrence(weights, xs, loss_weights)), point


def worst_error(measured, expected):
    """Largest difference, each array's over its own largest element."""
    pairs = zip(leaves(measured).values(), leaves(expected).values(), strict=True)
    return max(abs(m - e).max() / abs(e).max() for m, e in pairs)


@pytest.mark.parametrize(
    ("f", "x", "slope"),
    [
        (np.exp, 1.0, math.e),
        (np.sin, 2.0, math.cos(2.0)),
        (np.log, 1e-3, 1e3),  # nearly at the edge of its domain
        (lambda x: x**3, 1e5, 3e10),
        (lambda x: x * x * x, 1e-90, 3e-180),  # smaller than the smallest steps of differences
        (lambda x: 1e9 * x, 1e-3, 1e9),
        (lambda x: np.sin(300 * x), 0.1, 300 * math.cos(30.0)),  # bends within a hundredth
        (lambda x: x * x, 1e12, 2e12),  # too large to be moved by a millionth
        (lambda x: 1e4 + np.sin(x), 0.5, math.cos(0.5)),  # rounded to 1e-12: too much for them
        (lambda x: 5.0 + 0 * x, 1.0, 0.0),
        (lambda x: 5.0, 1.0, 0.0),  # uses nothing: the complex step gets a real number back
    ],
)
def test_derivatives_are_those_of_calculus(f, x, slope):
    assert complex_step(f, np.array(x)) == pytest.approx(slope, rel=EXACT, abs=0)
    # Next to a value of order 1, no difference sees a slope below 1e-12.
    assert central_difference(f, np.array(x)) == pytest.approx(slope, rel=CLOSE, abs=1e-12)
    along = directional_difference(f, np.array(x), np.array(-2.0))
    assert along == pytest.approx(-2 * slope, rel=CLOSE, abs=1e-12)


@given(seed=seeds, degree=st.integers(1, 5), scale=st.floats(0.01, 10))
def test_all_three_agree_with_the_gradient_of_a_polynomial(seed, degree, scale):
    rng = np.random.default_rng(seed)
    A = rng.standard_normal((3, 3))
    x = scale * rng.uniform(0.5, 1.5, 3)

    def f(x):
        return x @ A @ x + np.sum(x**degree)

    gradient = (A + A.T) @ x + degree * x ** (degree - 1)
    terms = abs(A + A.T) @ abs(x) + degree * abs(x) ** (degree - 1)  # the gradient may cancel
    assert (abs(complex_step(f, x) - gradient) <= EXACT * terms).all()
    assert (abs(central_difference(f, x) - gradient) <= CLOSE * terms.max()).all()
    direction = rng.standard_normal(3)
    slope = directional_difference(f, x, direction)
    assert abs(slope - gradient @ direction) <= CLOSE * terms.max() * np.linalg.norm(direction)


@given(seed=seeds, scale=st.floats(0.01, 1))
def test_all_three_agree_on_a_recurrent_network(seed, scale):
    rng = np.random.default_rng(seed)
    f, point = random_recurrence(rng, scale)
    exact = complex_step(f, point)
    assert worst_error(central_difference(f, point), exact) <= 1e-6
    direction = Weights(rng.standard_normal((4, 4)), rng.standard_normal(4))
    terms = np.concatenate([(g * d).ravel() for g, d in zip(exact, direction, strict=True)])
    slope = directional_difference(f, point, direction)
    assert abs(slope - terms.sum()) <= 1e-6 * np.linalg.norm(terms)


def test_central_differences_are_right_for_a_chaotic_network_where_the_usual_step_is_not():
    f, point = random_recurrence(np.random.default_rng(299), scale=2.0, H=6)
    exact = complex_step(f, point)
    assert worst_error(central_difference(f, point), exact) <= CLOSE

    usual_step = np.cbrt(np.finfo(float).eps)  # the best one for a function that bends gently
    shift = usual_step * np.eye(6)[int(abs(exact.b).argmax())]
    rise = f(point._replace(b=point.b + shift)) - f(point._replace(b=point.b - shift))
    assert abs(rise / (2 * usual_step) - exact.b @ shift / usual_step) > 1e-6 * abs(exact.b).max()


def test_central_differences_are_not_taken_in_by_steps_that_agree_by_luck():
    """Of this one, the central differences with steps 256e-6 and 1024e-6 are equal, and wrong."""

    def f(x):
        return 1e5 + x - 17 * 256e-6**2 * 1e9 * x**3 + 1e9 * x**5

    assert central_difference(f, np.array(0.0)) == pytest.approx(1, rel=1e-6)


def test_a_complex_step_sees_a_gradient_far_below_the_rounding_of_the_function():
    gradient = complex_step(lambda x: np.cos(1e-30 * x[0]) + 1e-40 * x[1], np.array([1.0, 1.0]))
    np.testing.assert_allclose(gradient, [-1e-60, 1e-40], rtol=EXACT)


def test_the_gradient_is_built_like_the_point():
    point = {"a": [np.ones((2, 3)), (np.array(2.0),)], "b": Weights(np.ones((1, 1)), np.ones(1))}

    def f(p):
        return np.sum(p["a"][0]) * p["a"][1][0] + p["b"].W[0, 0] * p["b"].b[0]

    for gradient in (complex_step(f, point), central_difference(f, point)):
        assert type(gradient["b"]) is Weights
        assert type(gradient["a"][1]) is tuple
        np.testing.assert_allclose(gradient["a"][0], np.full((2, 3), 2.0), rtol=CLOSE)
        np.testing.assert_allclose(gradient["a"][1][0], 6.0, rtol=CLOSE)


def test_each_number_is_moved_alone():
    gradient = central_difference(lambda x: x @ [1.0, 2.0, 4.0], np.ones(3))
    np.testing.assert_allclose(gradient, [1, 2, 4], rtol=CLOSE)


@pytest.mark.parametrize("derivative", [complex_step, central_difference])
def test_the_point_is_never_touched_even_if_the_function_fails(derivative):
    point = [np.array([0.1, -0.0, 1e-300]), np.asfortranarray([[1 / 3, 2.0], [3.0, 4.0]])]
    for array in point:
        array.flags.writeable = False
    before = [array.tobytes() for array in point]
    calls = 0

    def fails_later(p):
        nonlocal calls
        calls += 1
        if calls == 15:
            raise KeyError("in the middle")
        return np.sum(p[0] ** 2) + np.sum(p[1] ** 3)

    with pytest.raises(KeyError, match="in the middle"):
        derivative(fails_later, point)
    derivative(fails_later, point)
    assert [array.tobytes() for array in point] == before


def write_into(x):
    x *= 2
    return np.sum(x)


@pytest.mark.parametrize(
    ("f", "message"),
    [
        (lambda x: x**2, r"`f` must return one number; got shape \(2,\). Sum it"),
        (lambda x: [np.sum(x)], r"`f` must return one number; got shape \(1,\)"),
        (lambda x: int(np.sum(x > 0)), r"`f` must return a float64; got int64"),
        (lambda x: np.float32(np.sum(x)), r"`f` must return a float64; got float32"),
        (lambda x: np.sum(x) + 1j, r"`f` must return a float64; got complex128"),
        (lambda x: None, r"`f` must return a float64; got object"),
        (lambda x: np.inf * np.sum(x), r"`f` must be finite at `point`; got inf"),
        (lambda x: np.sum(x) if (x == [0.5, 2.0]).all() else np.nan, r"finite around `point`"),
        (write_into, r"`f` must not write into the arrays"),
    ],
)
@pytest.mark.parametrize("derivative", [complex_step, central_difference])
def test_a_function_that_is_no_function_of_the_point_is_refused(f, message, derivative):
    with pytest.raises(ValueError, match=message):
        derivative(f, np.array([0.5, 2.0]))


@pytest.mark.parametrize("error", [ValueError, OverflowError, ZeroDivisionError])
def test_where_a_function_raises_an_exception_it_is_not_defined(error):
    def square(x):
        if x[0] > 1 + 1e-7:
            raise error
        return x[0] ** 2

    np.testing.assert_allclose(central_difference(square, np.ones(1)), 2, rtol=1e-6)


def test_a_random_function_is_refused():
    rng = np.random.default_rng(0)
    with pytest.raises(ValueError, match=r"`f` must not be random.*dropout mask"):
        central_difference(lambda x: np.sum(x * (rng.random(2) < 0.5)), np.array([1.0, 2.0]))
    with pytest.raises(ValueError, match="`f` must not be random"):  # by little
        central_difference(lambda x: np.sum(x) + 1e-6 * rng.random(), np.array([1.0, 2.0]))


def fill_a_real_array(x):
    h = np.zeros(3)
    h[:] = np.tanh(x)
    return np.sum(h)


def write_out_to_a_real_array(x):
    return np.sum(np.tanh(x, out=np.zeros(3)))


NOT_ANALYTIC = {
    "abs": lambda x: np.sum(abs(x)),
    "abs of a few": lambda x: x[0] ** 2 + x[1] ** 2 + abs(x[2]),
    "a little abs": lambda x: np.sum(np.exp(x)) + 1e-5 * abs(x[2]),
    "squared modulus": lambda x: np.sum(abs(x) ** 2),
    "conj": lambda x: np.sum(np.conj(x) * np.sin(x)),
    "vdot": lambda x: np.vdot(x, x),
    "norm": np.linalg.norm,
    "real": lambda x: np.sum(np.exp(x.real)),
    "conjugate transpose": lambda x: x @ np.outer(x, x).conj().T @ x,
}


@pytest.mark.parametrize("f", NOT_ANALYTIC.values(), ids=NOT_ANALYTIC)
def test_the_complex_step_refuses_what_is_not_analytic(f):
    point = np.array([0.5, -1.0, 2.0])
    with pytest.raises(ValueError, match=r"`f` must be analytic in point; .* complex derivative"):
        complex_step(f, point)
    central_difference(f, point)  # which can judge it


@pytest.mark.parametrize(
    "f",
    [
        fill_a_real_array,
        write_out_to_a_real_array,
        lambda x: math.tanh(x[0]),
        lambda x: float(np.sum(x)),
    ],
)
def test_the_complex_step_refuses_what_takes_no_complex_numbers(f):
    with pytest.raises(ValueError, match="`f` must take complex numbers; it does not"):
        complex_step(f, np.array([0.5, -1.0, 2.0]))


def test_the_array_that_is_not_analytic_is_named():
    point = {"xs": np.array([0.5, -1.0]), "params": Weights(np.ones((2, 2)), np.array([3.0, -4.0]))}
    with pytest.raises(ValueError, match=r"`f` must be analytic in params\.b"):
        complex_step(lambda p: np.sum(p["params"].W @ p["xs"]) + np.sum(abs(p["params"].b)), point)


@pytest.mark.parametrize("x", [-0.1, -1e-8, -1e-12, 1e-12, 1e-8, 0.1])
@pytest.mark.parametrize("derivative", [complex_step, central_difference])
def test_a_kink_close_by_does_no_harm(derivative, x):
    def relu(x):
        return np.sum(x * (x.real > 0))

    slopes = derivative(relu, np.array([1.0, x]))
    np.testing.assert_allclose(slopes, [1.0, x > 0], rtol=1e-6, atol=1e-6)


def test_at_a_kink_the_slopes_on_both_sides_are_measured():
    function = VectorFunction(lambda x: np.sum(np.where(x > 0, np.exp(x), 1 + 3 * x)), np.zeros(1))
    left, right, doubt = function.slope(np.ones(1))
    assert (left, right) == pytest.approx((3, 1), rel=CLOSE)
    assert doubt < 1e-4
    assert function.slope(-np.ones(1))[:2] == pytest.approx((-1, -3), rel=CLOSE)


def test_a_maximum_is_judged_at_its_arg_max():
    x = np.array([0.5, 2.0, -1.0])
    best = int(np.argmax(x))
    np.testing.assert_allclose(complex_step(lambda x: x[best] ** 2, x), [0, 4, 0], rtol=EXACT)
    # NumPy orders complex numbers by their real parts first, so a plain maximum is right as well.
    np.testing.assert_allclose(complex_step(lambda x: np.max(x) ** 2, x), [0, 4, 0], rtol=EXACT)


def test_a_direction_must_be_shaped_as_the_point():
    with pytest.raises(ValueError, match=r"`direction` must be shaped as `point`, .*\(3,\)"):
        directional_difference(np.sum, np.ones(3), np.ones(2))


def test_the_slope_along_no_direction_is_zero():
    assert directional_difference(np.sum, np.ones(3), np.zeros(3)) == 0


def evaluations(f, x):
    calls = 0

    def counted(x):
        nonlocal calls
        calls += 1
        return f(x)

    directional_difference(counted, x, np.ones_like(x))
    return calls - 11  # spent to see that f is a function, and how well it is rounded


def test_a_whole_tree_costs_no_more_along_a_direction_than_one_number():
    for size in (1, 10_000):
        assert evaluations(lambda x: np.sum(np.sin(x)), np.linspace(0, 1, size)) <= 8


def test_steps_stop_growing_when_they_do_harm():
    """A slope of zero is never good enough, relative to itself."""
    assert evaluations(lambda x: np.sum(np.exp(x) - x), np.zeros(1)) <= 14


def test_scatter_is_the_standard_deviation_of_what_is_not_smooth():
    t = np.arange(9.0)
    # The five fourth differences of one value that is off are 3 times 1, -4, 6, -4, 1.
    off = np.where(t == 4, 3.0, 0.0)
    assert scatter(2 + t - t**2 + t**3 + off) == pytest.approx(3 / math.sqrt(5))
    assert scatter(2 + t - t**2) == 0
    noise = np.random.default_rng(0).standard_normal((2000, 9))
    assert np.sqrt(np.mean([scatter(1e-9 * e + t) ** 2 for e in noise])) == pytest.approx(
        1e-9, rel=0.05
    )


@pytest.mark.parametrize("scale", [0.0, 1.0, 1e-300, 1e300])
def test_a_norm_is_right_where_its_squares_are_not(scale):
    assert norm(scale * np.array([3.0, 0.0, -4.0])) == pytest.approx(5 * scale, rel=1e-12)
