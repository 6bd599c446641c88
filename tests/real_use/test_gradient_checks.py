"""No right gradient is called wrong, and no wrong one passes, whatever the function's scale."""

import math
from typing import Any

import numpy as np
import pytest

from numpy_lstm.gradcheck import TOLERANCE, LostInRounding, WrongGradient, check_gradient

METHODS = list(TOLERANCE)
DIFFERENCES = ["central", "direction"]


def check(f: Any, x: Any, gradient: Any, method: Any) -> Any:
    rng = np.random.default_rng(1)
    point = np.array(x, float)
    with np.errstate(all="ignore"):
        return check_gradient(f, point, np.array(gradient, float), method=method, rng=rng)


def relu(x: Any) -> Any:
    return np.sum(x * (x.real > 0))


def in_float32(x: Any) -> float:
    return float(np.sum(np.tanh(x.astype(np.float32)).astype(np.float64) ** 2))


@pytest.mark.parametrize(
    ("x", "method"),
    [(x, method) for x in (-1e-6, -1e-7, 1e-7, 1e-6) for method in METHODS]
    + [(x, method) for x in (-1e-10, 1e-10) for method in ("complex step", "central")],
)
def test_beside_a_kink_the_right_gradient_passes_and_no_other(x: float, method: str) -> None:
    def f(x: Any) -> Any:
        return 4 * relu(x) + np.sum(x**2)

    right = np.array([6.0, 4 * (x > 0) + 2 * x])
    check(f, [1.0, x], right, method)
    for other in (2.00001, 4 * (x <= 0), -1.0):
        with pytest.raises(WrongGradient):
            check(f, [1.0, x], [6.0, other], method)


KINKS: dict[str, tuple[Any, list[float], list[list[float]], list[list[float]]]] = {
    "relu": (relu, [1, 0], [[1, 0], [1, 0.5], [1, 1]], [[1, 2], [1, -1], [0, 0]]),
    "hinge": (lambda x: np.sum(np.maximum(0, 1 - x)), [1, 0.5], [[0, -1], [-1, -1]], [[1, -1]]),
    "max": (lambda x: np.max(x) ** 2, [2, 2, 1], [[4, 0, 0], [0, 4, 0], [2, 2, 0]], [[5, 0, 0]]),
    "two smooth pieces": (
        lambda x: np.sum(np.where(x.real > 0, np.exp(x), 1 + 2 * x)),
        [0],
        [[1], [1.5], [2]],
        [[0.5], [3]],
    ),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("f", "x", "right", "wrong"), KINKS.values(), ids=KINKS)
def test_at_a_kink_every_gradient_between_both_slopes_passes_and_no_other(
    f: Any, x: Any, right: Any, wrong: Any, method: str
) -> None:
    for gradient in right:
        check(f, x, gradient, method)
    for gradient in wrong:
        with pytest.raises(WrongGradient):
            check(f, x, gradient, method)


@pytest.mark.parametrize("method", DIFFERENCES)
def test_kinks_that_cancel_do_not_make_a_right_gradient_wrong(method: str) -> None:
    def f(x: Any) -> Any:
        return relu(x[:1]) - relu(x[1:])

    for gradient in ([0, 0], [1, -1]):
        check(f, [0, 0], gradient, method)
    try:
        check(f, [0, 0], [1, 0], method)  # along a direction, no difference can tell
    except LostInRounding:
        assert method == "direction"
    with pytest.raises(WrongGradient):
        check(f, [0, 0], [2, 0], method)


def test_the_message_names_both_slopes_of_a_kink() -> None:
    with pytest.raises(WrongGradient) as caught:
        check(lambda x: 4 * relu(x - 1), [1.0], [5.0], "central")
    assert str(caught.value).splitlines()[1] == (
        "  point[0]: gradient 5, measured 4, relative error 2.0e-01,"
        " at a kink: 0 is the slope to the left, 4 to the right"
    )
    (result,) = check(lambda x: 4 * relu(x - 1), [1.0], [4.0], "central")
    assert result.error == 0
    assert result.kink == (0, 4)


# A function, a point, its gradient there.
HOSTILE: dict[str, tuple[Any, list[float], list[float]]] = {
    "cos(1e8 x)": (lambda x: np.sum(np.cos(1e8 * x)), [1e-8], [-1e8 * math.sin(1)]),
    "sin(1e8 x) at 0": (lambda x: np.sum(np.sin(1e8 * x)), [0], [1e8]),
    "log at 1e-7": (lambda x: np.sum(np.log(x)), [1e-7], [1e7]),
    "log at 1e-9 beside others": (lambda x: np.sum(np.log(x)), [1e-9, 1, 0.5], [1e9, 1, 2]),
    "log at 1e-300": (lambda x: np.sum(np.log(x)), [1e-300], [1e300]),
    "sqrt at 1e-12": (lambda x: np.sum(np.sqrt(x)), [1e-12], [5e5]),
    "1/x at 1e-9": (lambda x: np.sum(1 / x), [1e-9, 2], [-1e18, -0.25]),
    "exp(700 x)": (lambda x: np.sum(np.exp(700 * x)), [1], [700 * math.exp(700)]),
    "x**20": (lambda x: np.sum(x**20), [1e3, 2], [2e58, 20 * 2**19]),
    "x**20 at 1e-3": (lambda x: np.sum(x**20), [1e-3], [2e-56]),
    "1e-30 x": (lambda x: np.sum(1e-30 * x), [1, 2], [1e-30, 1e-30]),
    "1e30 x": (lambda x: np.sum(1e30 * x), [1, 2], [1e30, 1e30]),
    "1e305 x": (lambda x: np.sum(1e305 * x), [1, 2], [1e305, 1e305]),
    "x at 1e300": (lambda x: np.sum(x), [1e300, 1e300], [1, 1]),
    "a narrow bell": (
        lambda x: np.sum(np.exp(-((1e6 * x) ** 2))),
        [5e-7],
        [-1e6 * math.exp(-0.25)],
    ),
    "sigmoid at -40": (
        lambda x: np.sum(1 / (1 + np.exp(-x))),
        [-40],
        [math.exp(-40) / (1 + math.exp(-40)) ** 2],
    ),
    "x log x": (lambda x: np.sum(x * np.log(x)), [1e-12], [math.log(1e-12) + 1]),
}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(("f", "x", "gradient"), HOSTILE.values(), ids=HOSTILE)
def test_at_any_scale_the_right_gradient_passes_and_no_other(
    f: Any, x: Any, gradient: Any, method: str
) -> None:
    right = np.array(gradient, float)
    check(f, x, right, method)
    for wrong in (1.01 * right, -right, 0 * right):
        with pytest.raises((WrongGradient, LostInRounding)):
            check(f, x, wrong, method)


@pytest.mark.parametrize("method", ["complex step", "central"])
def test_numbers_of_every_scale_may_stand_in_one_array(method: str) -> None:
    def f(x: Any) -> Any:
        return np.cos(1e8 * x[0]) + np.tanh(x[1]) + x[2] ** 20 + np.sqrt(x[3]) + relu(x[4:])

    x = [1e-8, 30, 0.5, 1e-12, 1e-7]
    gradient = np.array([-1e8 * math.sin(1), 0, 20 * 0.5**19, 5e5, 1])
    check(f, x, gradient, method)
    for i in (0, 3):  # beside the largest, errors in the others count for nothing
        wrong = gradient.copy()
        wrong[i] *= 1.01
        with pytest.raises(WrongGradient):
            check(f, x, wrong, method)


@pytest.mark.parametrize("method", METHODS)
def test_a_saturated_unit_is_not_held_against_its_gradient(method: str) -> None:
    """tanh is 1 there to all digits; its gradient is 4 exp(-60), or 0 after rounding."""
    for gradient in (0.0, 4 * math.exp(-60)):
        try:
            check(lambda x: np.sum(np.tanh(x)), [30.0], [gradient], method)
        except LostInRounding:
            continue
    with pytest.raises(WrongGradient):
        check(lambda x: np.sum(np.tanh(x)), [30.0], [1.0], method)


@pytest.mark.parametrize("method", DIFFERENCES)
@pytest.mark.parametrize("f", [np.floor, np.sign, np.round])
def test_between_the_jumps_of_a_step_function_the_gradient_is_zero(f: Any, method: str) -> None:
    check(lambda x: np.sum(f(x)), [0.3, -0.7], [0, 0], method)
    with pytest.raises(WrongGradient):
        check(lambda x: np.sum(f(x)), [0.3, -0.7], [1, 1], method)


@pytest.mark.parametrize("method", DIFFERENCES)
@pytest.mark.parametrize(
    ("f", "x", "rise"),
    [
        (lambda x: np.sum(np.floor(1000 * x) / 1000), [0.5005], [1.0]),
        (in_float32, [0.5], [2 * math.tanh(0.5) * (1 - math.tanh(0.5) ** 2)]),
        (lambda x: 1e12 + np.sum(np.sin(x)) - 1e12, [0.5], [math.cos(0.5)]),
    ],
    ids=["stairs", "float32 inside", "digits that cancel"],
)
def test_of_a_staircase_neither_slope_is_called_wrong_nor_passes_by_itself(
    f: Any, x: Any, rise: Any, method: str
) -> None:
    """Is it the gradient of the steps, 0, or that of the function which they approximate?"""
    with pytest.raises(LostInRounding, match="a jump or rounding inside `f`"):
        check(f, x, [0.0], method)
    try:
        check(f, x, rise, method)
    except LostInRounding:
        pass
    with pytest.raises(WrongGradient):
        check(f, x, [5.0], method)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("f", "x"), [(np.sqrt, 0.0), (np.arcsin, 1.0), (lambda x: x**1.5, 0.0), (np.arccosh, 1.0)]
)
def test_at_the_edge_of_the_domain_there_is_no_gradient(f: Any, x: float, method: str) -> None:
    with pytest.raises(
        ValueError, match=r"finite around `point`; it is not.* point\[1\]"
    ) as caught:
        check(lambda x: x[0] + f(x[1]), [3.0, x], [1, 1], method)
    assert not isinstance(caught.value, LostInRounding)


def test_an_exception_outside_of_the_domain_is_no_obstacle() -> None:
    """math.log raises one where NumPy returns NaN; math.exp where NumPy returns infinity."""
    check(lambda x: math.log(x[0]), [1e-9], [1e9], "central")
    check(lambda x: math.exp(x[0]), [709.7], [math.exp(709.7)], "central")


@pytest.mark.parametrize("method", METHODS)
def test_a_function_may_keep_what_it_gets_and_change_it_later(method: str) -> None:
    kept: list[Any] = []

    def f(x: Any) -> Any:
        for array in kept:
            array[...] = 7
        kept.append(x)
        return np.sum(x**2)

    check(f, [1.0, 2.0], [2.0, 4.0], method)
    with pytest.raises(WrongGradient):
        check(f, [1.0, 2.0], [2.0, 4.1], method)


@pytest.mark.parametrize("method", DIFFERENCES)
def test_a_function_may_return_the_same_array_every_time(method: str) -> None:
    result = np.zeros(())

    def f(x: Any) -> Any:
        result[...] = np.sum(x**2)
        return result

    check(f, [1.0, 2.0], [2.0, 4.0], method)


@pytest.mark.parametrize(
    ("point", "message"),
    [
        (np.arange(2), "`point` must be float64; got int64. Keep what has no derivative"),
        ({"x": np.ones(2), "on": np.array([True])}, "on of `point` must be float64; got bool"),
        ({"x": np.ones((0, 3))}, r"x of `point` must not be empty; got shape \(0, 3\)"),
        ({"x": np.ones(2), "name": "W"}, "name of `point` must be float64; got <U1"),
        ([np.ones(2), None], r"\[1\] of `point` must be float64; got object"),
        (np.ma.masked_array([1.0, 2.0], [True, False]), "`point` must not be masked"),
        ({}, "`point` must hold an array"),
    ],
)
def test_what_has_no_derivative_is_refused_by_its_place(point: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_gradient(lambda p: 1.0, point, point)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        (np.ones(1), r"must return one number; got shape \(1,\)"),
        (np.float32(1), "must return a float64; got float32"),
        (1, "must return a float64; got int64"),
        (True, "must return a float64; got bool"),
        (None, "must return a float64; got object"),
    ],
)
def test_a_function_that_returns_no_float64_is_refused(value: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_gradient(lambda x: value, np.ones(2), np.ones(2))


def test_a_seed_in_place_of_a_generator_is_refused() -> None:
    for rng in (None, 0, np.random, np.random.RandomState(0)):
        with pytest.raises(ValueError, match=r"`rng` must be a numpy.random.Generator"):
            check_gradient(np.sum, np.ones(2), np.ones(2), method="direction", rng=rng)


def test_many_numbers_are_checked_along_a_direction() -> None:
    x = np.linspace(-3, 3, 100_000)
    gradient = np.cos(x)
    rng = np.random.default_rng(0)
    check_gradient(lambda x: np.sum(np.sin(x)), x, gradient, method="direction", rng=rng)
    with pytest.raises(WrongGradient):
        check_gradient(
            lambda x: np.sum(np.sin(x)), x, 1.001 * gradient, method="direction", rng=rng
        )
