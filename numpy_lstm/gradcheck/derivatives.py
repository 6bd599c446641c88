"""Derivatives of a function, measured from its values alone.

The function is a black box here, so the results are independent of a gradient derived by hand. It
takes one argument, a tree: an array, or a NamedTuple, dict, list or tuple of trees.

Moré, J.J. and Wild, S.M. (2011) 'Estimating computational noise', SIAM Journal on Scientific
Computing, 33(3), pp. 1292–1314.
Squire, W. and Trapp, G. (1998) 'Using complex variables to estimate derivatives of real functions',
SIAM Review, 40(1), pp. 110–112.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

from numpy_lstm.gradcheck.pytrees import Tree, float64_arrays, leaves, rebuild
from numpy_lstm.gradcheck.slopes import EPSILON, MARGIN, Slope, ladder, norm, scatter, settle
from numpy_lstm.types import Array

IMAGINARY_STEP = 1e-100  # its square is negligible; derivatives down to 1e-200 do not underflow
FIRST_STEP = 1e-6  # small enough for nearly chaotic RNNs
LARGEST_STEP = 0.25
GOOD_ENOUGH = 1e-9  # relative error of a slope at which the search stops


class VectorFunction:
    """A function of a tree as a function of one vector `x` of all numbers in the tree.

    Parameters
    ----------
    f : callable
        Takes a tree like `point`, for the complex step also in complex128; returns one number.
    point : tree of float64 arrays
        Copied, not changed.

    Attributes
    ----------
    parts, shapes : dict
        Slice of each array in the vector, and its shape, by its path ("params.W_x").
    unit : ndarray
        Scale of the change of each number: max(1, |x|).
    rounding : float
        Size of the rounding error in the value of `f`.

    Raises
    ------
    ValueError
        If an array is empty, not float64 or not finite; if `f` does not return one finite float64,
        changes its argument or is random.
    """

    def __init__(self, f: Callable[[Tree], float], point: Tree) -> None:
        self._f, self._point = f, point
        arrays = float64_arrays("point", point)
        ends = np.cumsum([array.size for array in arrays.values()]).tolist()
        self.parts = dict(zip(arrays, map(slice, [0, *ends[:-1]], ends), strict=True))
        self.shapes = {path: array.shape for path, array in arrays.items()}
        self.x: Array = np.concatenate([array.ravel() for array in arrays.values()])
        self.unit: Array = np.maximum(1.0, abs(self.x))
        self._here = self._value()
        self._line, noise = self._short_line(self.unit)
        if not noise <= 1e-9 * abs(self._here) and self.x.any():
            # Not noise, if `f` bends within so short a line, or is not defined there.
            line, finer = self._short_line(abs(self.x))
            if not noise <= finer:
                self._line, noise = line, finer
        # With saturated units the values may not scatter, but their last digit is rounded.
        self.rounding = float(np.fmax(noise, EPSILON * abs(self._here)))

    def __call__(self, vector: NDArray[Any]) -> Any:
        """Value of the function for the numbers in `vector`, of which it gets a copy."""
        return np.array(self._f(self.tree(vector)))[()]  # `f` may use the array again

    def tree(self, vector: NDArray[Any]) -> Tree:
        """The numbers of `vector` as a tree like the point.

        Parameters
        ----------
        vector : ndarray
            As long as `x`, of any dtype.
        """
        arrays = (
            vector[part].reshape(self.shapes[path]).copy() for path, part in self.parts.items()
        )
        return rebuild(self._point, arrays)

    def vector(self, name: str, tree: Tree) -> Array:
        """The numbers of a tree as one vector.

        Parameters
        ----------
        name : str
            Name of the tree in error messages.
        tree : tree of float64 arrays

        Raises
        ------
        ValueError
            If the tree does not have the paths and shapes of the point.
        """
        arrays = float64_arrays(name, tree)
        shapes = {path: array.shape for path, array in arrays.items()}
        if shapes != self.shapes:
            raise ValueError(f"`{name}` must be shaped as `point`, {self.shapes}; got {shapes}")
        return np.concatenate([arrays[path].ravel() for path in self.shapes])

    def central_gradient(self) -> Slope:
        """The slopes on both sides of each number, and their error estimates, as arrays.

        Each number takes 4 to 18 evaluations, and far more beside a kink: see :meth:`slope`.

        Raises
        ------
        ValueError
            If `f` is not finite at any step.
        """
        return Slope(*np.array([self.slope(axis) for axis in self._axes()]).T)

    def complex_gradient(self) -> Slope:
        """The gradient, and for each number a bound for rounding in a correct backward pass.

        Each number is Im f(x + ih) / h (Squire and Trapp, 1998). Nothing is subtracted, so h can be
        1e-100 and the number is accurate to rounding. A backward pass uses rounded states: a
        chaotic network amplifies the rounding; in a saturated unit 1 - tanh**2 is mostly rounding.

        Raises
        ------
        ValueError
            If `f` does not accept complex numbers, or is not analytic (abs, conj, real).
        """
        gradient = np.array([self._complex_slope(self.x, axis) for axis in self._axes()])
        if not np.isfinite(gradient).all():
            raise ValueError("`f` must be finite for complex numbers; it is not")
        self._check_analytic(gradient)
        direction = self._line[1] - self._line[0]
        noise = scatter([self._complex_slope(x, direction) for x in self._line])
        relative = noise / (norm(gradient * direction) or 1.0)
        doubt = self.rounding / self.unit
        for part in self.parts.values():
            doubt[part] = np.fmax(doubt[part], relative * abs(gradient[part]).max())
        # The worst of 50,000 arrays of stressed RNNs needed 150.
        return Slope(gradient, gradient.copy(), 1000 * doubt)

    def slope(self, direction: Array) -> Slope:
        """The slopes along `direction` on both sides of the point, and an estimate of their error.

        The step s must be small enough for the unknown curvature of f, and large enough for its
        rounding. So s starts tiny and grows by factors of four until the slope is accurate enough
        or gets worse. The error of a central difference is proportional to s**2, so near and far,
        with steps s and 4s, give the better value near + (near - far) / 15 (Richardson's
        extrapolation). The error estimate is the larger of the value's distances from near and from
        the last value, plus the rounding over s. If the slopes on both sides differ at the step
        that was best, or `f` is not finite or not moved by it, :meth:`look_closely` answers.

        Parameters
        ----------
        direction : ndarray
            As long as `x`; the slope is proportional to its norm.

        Raises
        ------
        ValueError
            If only one number moves, and `f` is not finite at any step.
        """
        moving = direction != 0
        if not moving.any():
            return Slope(0.0, 0.0, 0.0)
        step = FIRST_STEP * float(np.min(self.unit[moving] / abs(direction[moving])))
        near, near_bend = self._central(direction, step)
        last = near
        best, error, kink = math.nan, math.inf, True
        for _ in range(8):
            far, far_bend = self._central(direction, 4 * step)
            value = near + (near - far) / 15
            # One distance may be small by chance, hardly both.
            new_error = max(abs(value - near), abs(value - last)) + self.rounding / step
            if new_error < error:
                best, error = value, new_error
                jump = abs(near_bend - far_bend / 4)  # without a kink, the bend grows with the step
                kink = not jump <= 0.01 * abs(far_bend) + 100 * self.rounding / step
            if not new_error <= 10 * error or error <= GOOD_ENOUGH * abs(best):
                break  # worse again, NaN, or good
            near, near_bend, last, step = far, far_bend, value, 4 * step
        if kink or (best == 0 != far):
            return self.look_closely(direction)
        return Slope(best, best, MARGIN * error)

    def look_closely(self, direction: Array, size: float = 0.0) -> Slope:
        """As :meth:`slope`, from a whole ladder of steps: some 40 to 120 evaluations.

        Parameters
        ----------
        direction : ndarray
            As long as `x`.
        size : float
            Slopes that are far smaller need not be known.

        Raises
        ------
        ValueError
            If only one number moves, and `f` is not finite at any step.
        """
        moving = np.flatnonzero(direction)
        lengths = abs(direction[moving])
        unit = LARGEST_STEP * float(np.min(self.unit[moving] / lengths))
        own = abs(self.x[moving]) / lengths
        nearest, reach = float(min(own[own > 0], default=0.0)), float(own.max())
        steps = ladder(unit, nearest, reach)
        ahead, behind = (
            np.array([self._at(self.x + sign * step * direction) for step in steps])
            for sign in (1, -1)
        )
        with np.errstate(all="ignore"):
            largest = np.fmax(abs(ahead), abs(behind))
            rise = np.fmax(abs(ahead - self._here), abs(self._here - behind)) / steps
            # Where a step is below the last digit of the numbers, they do not move as they should.
            noise = EPSILON * (np.fmax(largest, abs(self._here)) + reach * rise) / steps
            slope = settle(steps, ahead, self._here, behind, noise, size)
        if len(moving) == 1 and not np.isfinite(ahead + behind).any():
            raise ValueError(
                "`f` must be finite around `point`; it is not, on both sides of "
                f"{self._name(int(moving[0]))}"
            )
        return slope

    def refuted(self, gradient: Array, direction: Array, slope: Slope) -> Array | None:
        """The direction in which `gradient` cannot be that of `f`, whatever is done at kinks.

        At the kinks of several numbers, the slopes along a direction say little: a right gradient
        need not lie between them, since that of each number may be chosen, and a wrong one may. So
        kinks are pursued into halves of the numbers, down to one.

        Parameters
        ----------
        gradient, direction : ndarray
            As long as `x`.
        slope : Slope
            That of the direction.

        Returns
        -------
        ndarray or None
            `direction`, or a part of it; None if there is no contradiction.

        Raises
        ------
        ValueError
            As :meth:`slope`.
        """
        moving = np.flatnonzero(direction)
        if len(moving) == 1 or slope.left == slope.right:
            return direction if slope.gap(gradient @ direction) > slope.doubt else None
        for some in np.array_split(moving, 2):
            half = np.zeros_like(direction)
            half[some] = direction[some]
            slope = self.slope(half)
            if slope.left == slope.right and slope.gap(gradient @ half) > slope.doubt:
                slope = self.look_closely(half, norm(gradient * half))
            part = self.refuted(gradient, half, slope)
            if part is not None:
                return part
        return None

    def _central(self, direction: Array, step: float) -> tuple[float, float]:
        """The mean of the slopes on both sides, and by how much they differ."""
        ahead, behind = self._at(self.x + step * direction), self._at(self.x - step * direction)
        with np.errstate(all="ignore"):
            bend = (ahead - self._here) - (self._here - behind)
            return float((ahead - behind) / (2 * step)), float(bend / step)

    def _at(self, x: Array) -> float:
        """The value at `x`; NaN where `f` raises an exception, as outside of its domain."""
        with np.errstate(all="ignore"):
            try:
                return float(self(x))
            except (ValueError, ArithmeticError):
                return math.nan

    def _complex_slope(self, x: Array, direction: Array) -> float:
        moving = (direction != 0) & (x != 0)
        nearest = min(abs(x[moving]) / abs(direction[moving]), default=math.inf)
        step = min(IMAGINARY_STEP, 1e-10 * float(nearest))
        with warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)
            try:
                value = self(x + 1j * step * direction)
            except (TypeError, ComplexWarning) as error:
                raise ValueError(f"`f` must take complex numbers; it does not: {error}") from error
        return float(np.imag(value)) / step

    def _check_analytic(self, gradient: Array) -> None:
        """Compare the complex derivative with the real one, within the error estimate of that."""
        for path, part in self.parts.items():
            direction = np.zeros_like(self.x)
            direction[part] = _irregular(part.stop - part.start)
            slope = self.slope(direction)
            if not slope.gap(gradient @ direction) <= slope.doubt:
                slope = self.look_closely(direction, norm(gradient * direction))
            if self.refuted(gradient, direction, slope) is not None:
                raise self.not_analytic(path, gradient, direction)

    def not_analytic(self, path: str, gradient: Array, direction: Array) -> ValueError:
        """The error if the complex derivative is not the real one.

        Parameters
        ----------
        path : str
            Of the array in which it is not.
        gradient : ndarray
            By the complex step.
        direction : ndarray
            In which both are compared.
        """
        left, right, _ = self.slope(direction)
        real = f"{left:.6g}" if left == right else f"{left:.6g} to {right:.6g}"
        return ValueError(
            f"`f` must be analytic in {path or 'point'}; along one direction its complex "
            f"derivative is {float(gradient @ direction):.6g}, its real one {real}. It may take "
            "abs, conj or real (then use central differences), or have a kink nearby."
        )

    def _axes(self) -> Iterator[Array]:
        for i in range(self.x.size):
            axis = np.zeros_like(self.x)
            axis[i] = 1.0
            yield axis

    def _name(self, i: int) -> str:
        """The place in the tree of number `i` of the vector."""
        path, part = next((p, s) for p, s in self.parts.items() if i < s.stop)
        position = list(map(int, np.unravel_index(i - part.start, self.shapes[path])))
        return f"{path or 'point'}{position or ''}"

    def _short_line(self, scale: Array) -> tuple[list[Array], float]:
        """Nine points close together, and the scatter of the values there."""
        points = [self.x + k * 1e-7 * scale * _irregular(self.x.size) for k in range(1, 10)]
        with np.errstate(all="ignore"):
            return points, scatter(list(map(self._at, points)))

    def _value(self) -> float:
        tree = self.tree(self.x)
        given = list(leaves(tree).values())
        value = self._f(tree)
        if not np.array_equal(np.concatenate([array.ravel() for array in given]), self.x):
            raise ValueError("`f` must not write into the arrays it is given; it did")
        if np.shape(value) != ():
            hint = "Sum it, weighted by fixed random numbers."
            raise ValueError(f"`f` must return one number; got shape {np.shape(value)}. {hint}")
        if np.asarray(value).dtype != np.float64:
            raise ValueError(f"`f` must return a float64; got {np.asarray(value).dtype}")
        value = float(value)
        if not np.isfinite(value):
            raise ValueError(f"`f` must be finite at `point`; got {value}")
        if not np.isclose(self(self.x), value, rtol=1e-9, atol=0):
            raise ValueError("`f` must not be random; it gave two values. Fix the dropout mask.")
        return value


def _irregular(size: int) -> Array:
    """Nonzero numbers without a pattern, the same in every call."""
    numbers: Array = np.cos(np.arange(1.0, size + 1.0))
    return numbers
