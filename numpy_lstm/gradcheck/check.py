"""Checks a gradient of any function against derivatives measured on the function itself.

Training often makes progress even with a wrong gradient, so a gradient derived by hand needs a
check. There are three methods (:mod:`numpy_lstm.gradcheck.derivatives`):

- **complex step**: number by number, accurate to rounding. The function must be analytic and
  accept complex numbers.
- **central**: central differences, number by number, accurate to about eight digits. The function
  need only be smooth.
- **direction**: one central difference per array, along a random direction. Cheap for arrays of
  any size, but it does not tell which number is wrong.

Examples
--------
>>> import numpy as np
>>> def loss(x):
...     return np.sum(np.tanh(x) ** 2)
>>> x = np.array([0.5, -1.0, 2.0])
>>> gradient = 2 * np.tanh(x) * (1 - np.tanh(x) ** 2)
>>> (result,) = check_gradient(loss, x, gradient)
>>> result.error < 1e-14
True
>>> check_gradient(loss, x, gradient * [1, 1.001, 1])
Traceback (most recent call last):
    ...
numpy_lstm.gradcheck.check.WrongGradient: the gradient fails the complex step check (tolerance 1e-12):
  point[1]: gradient -0.640339708, measured -0.639700008, relative error 8.8e-04
"""  # noqa: E501

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, Literal, NamedTuple

import numpy as np

from numpy_lstm.gradcheck.derivatives import VectorFunction
from numpy_lstm.gradcheck.pytrees import Tree
from numpy_lstm.gradcheck.slopes import Slope, norm
from numpy_lstm.recurrence.checks import check_rng
from numpy_lstm.types import Array

Method = Literal["complex step", "central", "direction"]

# The errors of a correct gradient in float64 are far smaller.
TOLERANCE: dict[Method, float] = {"complex step": 1e-12, "central": 1e-6, "direction": 1e-6}


class ArrayError(NamedTuple):
    """The largest error within one array of a gradient."""

    path: str  # the array's place in the point, such as "params.W_x"
    method: Method
    error: float  # relative, as :func:`check_gradient` defines it
    position: tuple[int, ...] | None  # in the array; None along a direction
    analytic: float
    measured: float
    doubt: float  # largest difference that rounding alone could cause, or a jump
    kink: tuple[float, float] | None = None  # slopes to the left and to the right, if they differ

    def __str__(self) -> str:
        where = str(list(self.position)) if self.position else ""
        if self.position is None:
            where = " along a random direction"
        text = (
            f"{self.path}{where}: gradient {self.analytic:.9g}, measured {self.measured:.9g}, "
            f"relative error {self.error:.1e}"
        )
        if self.kink:
            left, right = self.kink
            text += f", at a kink: {left:.9g} is the slope to the left, {right:.9g} to the right"
        return text


class WrongGradient(AssertionError):
    """The gradient is not the function's."""


class LostInRounding(ValueError):
    """The gradient may be right or wrong: the function cannot be measured well enough to tell."""


def check_gradient(
    f: Callable[[Tree], float],
    point: Tree,
    gradient: Tree,
    *,
    method: Method = "complex step",
    tolerance: float | None = None,
    rng: np.random.Generator | None = None,
) -> tuple[ArrayError, ...]:
    """Raise an error unless `gradient` is the gradient of `f` at `point`.

    The error of a number is |analytic - measured| divided by the largest absolute value, analytic
    or measured, in its array. Division by the number itself would reject true zeros because of
    rounding; no division would accept wrong gradients where tiny weights make all gradients tiny.
    Each array has its own divisor, since gradients of different arrays may differ by orders of
    magnitude. Along a direction d an array has one number, the sum of g_i d_i; its divisor is at
    least the Euclidean norm of these terms, which may cancel in the sum.

    At a kink, as of ReLU at 0, any gradient between the slopes on both sides is right. The steps of
    differences adapt to the function, so a kink a little away from the point does no harm. Before a
    number is called wrong, it is measured again, with a whole ladder of steps.

    Parameters
    ----------
    f : callable
        Takes a tree like `point` and returns one float64; for the complex step, also accepts
        complex128. It gets copies of the arrays of `point`.
    point : tree
        A float64 array, or a NamedTuple, dict, list or tuple of such trees.
    gradient : tree
        The gradient to check: a tree with the paths and shapes of `point`.
    method : {"complex step", "central", "direction"}
        How to measure the derivatives; the head of this module describes the methods.
    tolerance : float, optional
        Largest error that passes: 1e-12 for the complex step, 1e-6 for the others.
    rng : numpy.random.Generator, optional
        Draws the directions; needed for "direction".

    Returns
    -------
    tuple of ArrayError
        One for each array of `point`.

    Raises
    ------
    WrongGradient
        An AssertionError; names each wrong array, the index, both numbers and the error.
    LostInRounding
        A ValueError: the error is too large, but `f` cannot be measured well enough to blame the
        gradient. Its gradient in an array is tiny compared with `f` (for example if all units are
        saturated), or `f` jumps (a staircase, float32 inside).
    ValueError
        If no check is possible: something is not float64 or not finite; the trees differ; `f` does
        not return one number, changes its argument, is random, or is not analytic (abs, conj,
        real), which is detected without `gradient`.
    """
    limit = TOLERANCE.get(method, 0.0) if tolerance is None else tolerance
    results = _errors(f, point, gradient, method, limit, rng)
    failed = [r for r in results if r.error > limit]
    wrong = [r for r in failed if abs(r.analytic - r.measured) > r.doubt]
    title = f"the gradient fails the {method} check (tolerance {limit:g})"
    if wrong:
        raise WrongGradient("\n  ".join([f"{title}:", *map(str, wrong)]))
    if failed:
        hint = "a point with fewer saturated units" if method == "complex step" else "complex step"
        title = f"{title}, but a jump or rounding inside `f` could do that; try {hint}:"
        raise LostInRounding("\n  ".join([title, *map(str, failed)]))
    return results


def gradient_errors(
    f: Callable[[Tree], float],
    point: Tree,
    gradient: Tree,
    *,
    method: Method = "complex step",
    rng: np.random.Generator | None = None,
) -> tuple[ArrayError, ...]:
    """Return the errors that :func:`check_gradient` compares with its tolerance.

    Parameters
    ----------
    f : callable
        Takes a tree like `point`, and returns one number.
    point, gradient : tree of float64 arrays
        Where to check, and the gradient of `f` there.
    method : {"complex step", "central", "direction"}
        How to measure.
    rng : numpy.random.Generator, optional
        Draws the directions; needed for "direction".

    Returns
    -------
    tuple of ArrayError
        One per array, in the order of the tree.

    Raises
    ------
    ValueError
        As :func:`check_gradient`.
    """
    return _errors(f, point, gradient, method, TOLERANCE.get(method, 0.0), rng)


def _errors(
    f: Callable[[Tree], float],
    point: Tree,
    gradient: Tree,
    method: Method,
    limit: float,
    rng: Any,
) -> tuple[ArrayError, ...]:
    function = VectorFunction(f, point)
    analytic = function.vector("gradient", gradient)
    if method == "direction":
        check_rng(rng)
        return tuple(_along(path, function, analytic, limit, rng) for path in function.parts)
    if method == "central":
        measured = function.central_gradient()
    elif method == "complex step":
        measured = function.complex_gradient()
    else:
        raise ValueError(f"`method` must be one of {list(TOLERANCE)}; got {method!r}")
    return tuple(
        _worst(path, method, function, analytic, measured, limit) for path in function.parts
    )


def _worst(
    path: str,
    method: Method,
    function: VectorFunction,
    gradient: Array,
    measured: Slope,
    limit: float,
) -> ArrayError:
    """The largest error in an array. Nothing is called wrong, or lost, before a closer look."""
    part = function.parts[path]
    analytic = gradient[part]
    slopes = Slope(*(array[part].copy() for array in measured))
    looked_at: set[int] = set()
    while True:
        nearest, gap = slopes.nearest(analytic), slopes.gap(analytic)
        yardstick = float(max(abs(analytic).max(), abs(nearest).max()))
        certain = np.where(gap > slopes.doubt, gap, 0)
        i = int((certain if certain.any() else gap).argmax())
        error = _ratio(gap[i], yardstick)
        if error <= limit or i in looked_at or (looked_at and not certain.any()):
            break
        looked_at.add(i)
        axis = np.zeros_like(gradient)
        axis[part.start + i] = 1.0
        look = function.look_closely(axis, yardstick)
        if method == "complex step" and look.left == look.right:
            if not look.doubt <= 0.1 * yardstick:
                doubt = math.inf  # who knows whether `f` is analytic
            elif look.gap(nearest[i]) > look.doubt:
                raise function.not_analytic(path, measured.left, axis)
            else:
                doubt = min(slopes.doubt[i], look.doubt)
            look = Slope(nearest[i], nearest[i], doubt)
        for array, value in zip(slopes, look, strict=True):
            array[i] = value
    return ArrayError(
        path=path or "point",
        method=method,
        error=error,
        position=tuple(map(int, np.unravel_index(i, function.shapes[path]))),
        analytic=float(analytic[i]),
        measured=float(nearest[i]),
        doubt=float(slopes.doubt[i]),
        kink=_kink(slopes.left[i], slopes.right[i]),
    )


def _along(
    path: str,
    function: VectorFunction,
    gradient: Array,
    limit: float,
    rng: np.random.Generator,
) -> ArrayError:
    part = function.parts[path]
    direction = np.zeros_like(gradient)
    direction[part] = rng.standard_normal(part.stop - part.start)
    slope = function.slope(direction)
    result = _one(path, gradient, direction, slope)
    if not result.error <= limit:
        slope = function.look_closely(direction, norm(gradient * direction))
        result = _one(path, gradient, direction, slope)
    if result.error <= limit and not result.kink:
        return result
    refuted = function.refuted(gradient, direction, slope)
    if refuted is None:
        return result._replace(doubt=math.inf)
    if abs(result.analytic - result.measured) > result.doubt:
        return result
    # It is between the slopes along the direction, but not between those of a part of it.
    return _one(path, gradient, refuted, function.look_closely(refuted))


def _one(path: str, gradient: Array, direction: Array, slope: Slope) -> ArrayError:
    terms = gradient * direction
    analytic = float(terms.sum())
    measured = float(slope.nearest(analytic))
    return ArrayError(
        path=path or "point",
        method="direction",
        error=_ratio(abs(analytic - measured), max(abs(analytic), abs(measured), norm(terms))),
        position=None,
        analytic=analytic,
        measured=measured,
        doubt=float(slope.doubt),
        kink=_kink(slope.left, slope.right),
    )


def _kink(left: float, right: float) -> tuple[float, float] | None:
    return (float(left), float(right)) if abs(left - right) > 0 else None


def _ratio(difference: float, yardstick: float) -> float:
    if difference == 0:
        return 0.0  # two zeros agree
    error = float(difference / yardstick) if yardstick else math.inf
    return math.inf if math.isnan(error) else error  # what was not measured does not agree
