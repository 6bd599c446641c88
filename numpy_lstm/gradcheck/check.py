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

from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from numpy_lstm.gradcheck.derivatives import VectorFunction
from numpy_lstm.gradcheck.pytrees import Tree
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
    doubt: float  # largest difference that rounding alone could cause

    def __str__(self) -> str:
        where = str(list(self.position)) if self.position else ""
        if self.position is None:
            where = " along a random direction"
        return (
            f"{self.path}{where}: gradient {self.analytic:.9g}, measured {self.measured:.9g}, "
            f"relative error {self.error:.1e}"
        )


class WrongGradient(AssertionError):
    """The gradient is not the function's."""


class LostInRounding(ValueError):
    """The gradient differs from the measured one, but rounding in the function could cause that."""


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
        A ValueError: the error is too large, but rounding in `f` could cause it, since the gradient
        of an array is tiny compared with `f` (for example if all units are saturated).
    ValueError
        If no check is possible: something is not float64 or not finite; the trees differ; `f` does
        not return one number, changes its argument, is random, or is not analytic (abs, conj,
        real), which is detected without `gradient`.
    """
    results = gradient_errors(f, point, gradient, method=method, rng=rng)
    limit = TOLERANCE[method] if tolerance is None else tolerance
    failed = [r for r in results if r.error > limit]
    wrong = [r for r in failed if abs(r.analytic - r.measured) > r.doubt]
    title = f"the gradient fails the {method} check (tolerance {limit:g})"
    if wrong:
        raise WrongGradient("\n  ".join([f"{title}:", *map(str, wrong)]))
    if failed:
        hint = "a point with fewer saturated units" if method == "complex step" else "complex step"
        title = f"{title}, but rounding inside `f` could do that; try {hint}:"
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
    function = VectorFunction(f, point)
    analytic = function.vector("gradient", gradient)
    if method == "direction":
        if rng is None:
            raise ValueError('`rng` must be a numpy.random.Generator for method "direction"')
        return tuple(_along(path, function, analytic, rng) for path in function.parts)
    if method == "central":
        measured, doubt = function.central_gradient()
    elif method == "complex step":
        measured, doubt = function.complex_gradient()
    else:
        raise ValueError(f"`method` must be one of {list(TOLERANCE)}; got {method!r}")
    return tuple(
        _worst(path, method, function.shapes[path], analytic[part], measured[part], doubt[part])
        for path, part in function.parts.items()
    )


def _worst(
    path: str,
    method: Method,
    shape: tuple[int, ...],
    analytic: Array,
    measured: Array,
    doubt: Array,
) -> ArrayError:
    difference = abs(analytic - measured)
    i = int(difference.argmax())
    return ArrayError(
        path=path or "point",
        method=method,
        error=_ratio(difference[i], max(abs(analytic).max(), abs(measured).max())),
        position=tuple(map(int, np.unravel_index(i, shape))),
        analytic=float(analytic[i]),
        measured=float(measured[i]),
        doubt=float(doubt[i]),
    )


def _along(
    path: str, function: VectorFunction, gradient: Array, rng: np.random.Generator
) -> ArrayError:
    part = function.parts[path]
    direction = np.zeros_like(gradient)
    direction[part] = rng.standard_normal(part.stop - part.start)
    terms = gradient * direction
    analytic = float(terms.sum())
    measured, doubt = function.slope(direction)
    yardstick = max(abs(analytic), abs(measured), float(np.linalg.norm(terms)))
    return ArrayError(
        path=path or "point",
        method="direction",
        error=_ratio(abs(analytic - measured), yardstick),
        position=None,
        analytic=analytic,
        measured=measured,
        doubt=doubt,
    )


def _ratio(difference: float, yardstick: float) -> float:
    return float(difference / yardstick) if difference else 0.0  # two zeros agree
