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
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
from numpy.exceptions import ComplexWarning
from numpy.typing import NDArray

from numpy_lstm.gradcheck.pytrees import Tree, float64_arrays, rebuild
from numpy_lstm.types import Array

IMAGINARY_STEP = 1e-100  # its square is negligible; derivatives down to 1e-200 do not underflow
FIRST_STEP = 1e-6  # small enough for nearly chaotic RNNs
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
        value = self._value()
        with np.errstate(all="ignore"):  # f may give NaN at the edge of its domain: see `slope`
            scatter = _scatter([self(x) for x in self._short_line()])
        # With saturated units the values may not scatter, but their last digit is rounded.
        self.rounding = max(scatter, float(np.finfo(np.float64).eps) * abs(value))

    def __call__(self, vector: NDArray[Any]) -> Any:
        """Value of the function for the numbers in `vector`."""
        return self._f(self.tree(vector))

    def tree(self, vector: NDArray[Any]) -> Tree:
        """The numbers of `vector` as a tree like the point.

        Parameters
        ----------
        vector : ndarray
            As long as `x`, of any dtype.
        """
        arrays = (vector[part].reshape(self.shapes[path]) for path, part in self.parts.items())
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

    def central_gradient(self) -> tuple[Array, Array]:
        """The gradient, and an error estimate for each number.

        Each number comes from (f(x + s) - f(x - s)) / 2s, 4 to 18 evaluations; see :meth:`slope`.
        """
        slopes = np.array([self.slope(axis) for axis in self._axes()])
        return slopes[:, 0], slopes[:, 1]

    def complex_gradient(self) -> tuple[Array, Array]:
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
        direction = self.unit * _irregular(self.x.size)
        scatter = _scatter([self._complex_slope(x, direction) for x in self._short_line()])
        relative = scatter / max(float(np.linalg.norm(gradient * direction)), 1e-300)
        doubt = self.rounding / self.unit
        for part in self.parts.values():
            doubt[part] = np.maximum(doubt[part], relative * abs(gradient[part]).max())
        return gradient, 1000 * doubt  # the worst of 50,000 arrays of stressed RNNs needed 150

    def slope(self, direction: Array) -> tuple[float, float]:
        """The slope along `direction`, and an estimate of its error.

        The step s must be small enough for the unknown curvature of f, and large enough for its
        rounding. So s starts tiny and grows by factors of four until the slope is accurate enough
        or gets worse. The error of a central difference is proportional to s**2, so near and far,
        with steps s and 4s, give the better value near + (near - far) / 15 (Richardson's
        extrapolation). The error estimate is the larger of the value's distances from near and from
        the last value, plus the rounding over s.

        Parameters
        ----------
        direction : ndarray
            As long as `x`; the slope is proportional to its norm.

        Raises
        ------
        ValueError
            If `f` is not finite at any step.
        """
        moving = direction != 0
        if not moving.any():
            return 0.0, 0.0
        step = FIRST_STEP * float(np.min(self.unit[moving] / abs(direction[moving])))
        near = last = self._central(direction, step)
        best, error = math.nan, math.inf
        for _ in range(8):
            far = self._central(direction, 4 * step)
            value = near + (near - far) / 15
            # One distance may be small by chance, hardly both.
            new_error = max(abs(value - near), abs(value - last)) + self.rounding / step
            if new_error < error:
                best, error = value, new_error
            if not new_error <= 10 * error or error <= GOOD_ENOUGH * abs(best):
                break  # worse again, NaN, or good
            near, last, step = far, value, 4 * step
        if math.isnan(best):
            raise ValueError("`f` must be finite around `point`; it is not")
        return best, 30 * error  # the worst of 35,000 slopes of stressed RNNs needed 8

    def _central(self, direction: Array, step: float) -> float:
        with np.errstate(all="ignore"):  # a step out of the domain of f only ends the loop
            rise = self(self.x + step * direction) - self(self.x - step * direction)
        return float(rise / (2 * step))

    def _complex_slope(self, x: Array, direction: Array) -> float:
        with warnings.catch_warnings():
            warnings.simplefilter("error", ComplexWarning)
            try:
                value = self(x + 1j * IMAGINARY_STEP * direction)
            except (TypeError, ComplexWarning) as error:
                raise ValueError(f"`f` must take complex numbers; it does not: {error}") from error
        return float(np.imag(value)) / IMAGINARY_STEP

    def _check_analytic(self, gradient: Array) -> None:
        """Compare the complex derivative with the real one, within the error estimate of that."""
        for path, part in self.parts.items():
            direction = np.zeros_like(self.x)
            direction[part] = _irregular(part.stop - part.start)
            by_complex = float(gradient @ direction)
            by_real, doubt = self.slope(direction)
            if abs(by_complex - by_real) > doubt:
                raise ValueError(
                    f"`f` must be analytic in {path or 'point'}; along one direction its complex "
                    f"derivative is {by_complex:.6g}, its real one {by_real:.6g}. It may take "
                    "abs, conj or real (then use central differences), or have a kink nearby."
                )

    def _axes(self) -> Iterator[Array]:
        for i in range(self.x.size):
            axis = np.zeros_like(self.x)
            axis[i] = 1.0
            yield axis

    def _short_line(self) -> list[Array]:
        direction = self.unit * _irregular(self.x.size)
        return [self.x + k * 1e-7 * direction for k in range(9)]

    def _value(self) -> float:
        given = self.x.copy()
        value = self(given)
        if not np.array_equal(given, self.x):
            raise ValueError("`f` must not write into the arrays it is given; it did")
        if np.shape(value) != ():
            hint = "Sum it, weighted by fixed random numbers."
            raise ValueError(f"`f` must return one number; got shape {np.shape(value)}. {hint}")
        if np.asarray(value).dtype != np.float64:
            raise ValueError(f"`f` must return a float64; got {np.asarray(value).dtype}")
        if not np.isfinite(value):
            raise ValueError(f"`f` must be finite at `point`; got {value}")
        if not np.isclose(self(given), value, rtol=1e-9, atol=0):
            raise ValueError("`f` must not be random; it gave two values. Fix the dropout mask.")
        return float(value)


def _scatter(values: Sequence[float]) -> float:
    """Standard deviation of the rounding error of a smooth function, from nine close values.

    Moré and Wild (2011): the fourth difference removes the smooth part and multiplies the variance
    of the rest by the binomial coefficient of 8 over 4.
    """
    differences = np.diff(values, n=4)
    return float(np.sqrt(np.mean(differences**2) / math.comb(8, 4)))


def _irregular(size: int) -> Array:
    """Nonzero numbers without a pattern, the same in every call."""
    numbers: Array = np.cos(np.arange(1.0, size + 1.0))
    return numbers
