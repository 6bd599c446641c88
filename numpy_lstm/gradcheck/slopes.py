"""Slopes of a function of one number on both sides of a point, from its values at many steps.

A difference quotient is right if its step is small enough for the curvature of the function and
large enough for its rounding. Which steps are depends on the function, so a whole ladder of them is
tried: where the quotients of neighboring steps agree, they have settled. Each side is judged by
itself, since a function such as ReLU has a different slope to the left and to the right of its
kink.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.types import Array

RATIO = 4.0  # between neighboring steps
EPSILON = float(np.finfo(np.float64).eps)
MARGIN = 30.0  # for functions that round more than is estimated


class Slope(NamedTuple):
    """Slopes to the left and to the right: numbers, or arrays of them. They differ at a kink."""

    left: Any
    right: Any
    doubt: Any  # the largest error that is likely

    def nearest(self, value: Any) -> Any:
        """The number nearest to `value` between both slopes: at a kink all these are right."""
        return np.clip(value, np.minimum(*self[:2]), np.maximum(*self[:2]))

    def gap(self, value: Any) -> Any:
        """Distance of `value` from what is right."""
        return abs(value - self.nearest(value))


UNKNOWN = Slope(math.nan, math.nan, math.inf)


def ladder(unit: float, nearest: float, reach: float) -> Array:
    """Steps for :func:`settle`, the largest first.

    Parameters
    ----------
    unit : float
        The largest step that is sensible if nothing but the size of the numbers is known.
    nearest, reach : float
        The steps that move the smallest and the largest number by its own size; 0 if all are 0.
    """
    if not reach:
        return _between(unit, 1e-30 * unit)
    if nearest > 1e-12 * unit:
        return _between(unit, 1e-13 * min(reach, unit))
    return np.concatenate([_between(unit, 1e-13 * unit), _between(nearest / 4, 1e-13 * nearest)])


def _between(first: float, last: float) -> Array:
    return first * RATIO ** -np.arange(math.ceil(math.log(first / last, RATIO)))


def settle(
    steps: Array, ahead: Array, here: float, behind: Array, noise: Array, size: float
) -> Slope:
    """The slopes on both sides at the steps where they have settled.

    Of the steps at which the slopes are known to a tenth, the smallest is believed: a kink or a
    wave may hide between larger ones. Larger steps only add digits. Where they contradict it, the
    function has two slopes, such as the steps of a staircase (float32 inside is one) and its rise:
    then both are in doubt.

    Parameters
    ----------
    steps : ndarray, shape (K,)
        Positive, the largest first.
    ahead, here, behind : ndarray, float, ndarray
        Values of the function at ``steps``, at 0 and at ``-steps``; NaN or infinite outside of its
        domain.
    noise : ndarray, shape (K,)
        Rounding error of a difference quotient at each step.
    size : float
        What is far smaller need not be known. 0 if all may matter.

    Returns
    -------
    Slope
        :data:`UNKNOWN` if no steps are in the domain.
    """
    right, left = (ahead - here) / steps, (here - behind) / steps
    middle, bend = (right + left) / 2, right - left
    # The quotients of both sides have errors in proportion to the step, their mean to its square.
    smooth = _extrapolated(middle, steps, 2)
    once = [_extrapolated(side, steps, 1) for side in (left, right)]
    sides = [_extrapolated(side, steps, 2) for side in once]
    smooth_error = _error(smooth, middle)
    side_error = np.maximum(*map(_error, sides, once))
    # At a kink the bend stays, elsewhere it shrinks with the step.
    kink = ~(abs(bend) <= np.maximum(_coarser(abs(bend)) / 2, 10 * noise))
    low = np.where(kink, np.minimum(*sides), smooth)
    high = np.where(kink, np.maximum(*sides), smooth)
    doubt = MARGIN * (np.where(kink, side_error, smooth_error) + noise)

    known = np.isfinite(low + high + doubt)
    if not known.any():
        return UNKNOWN
    sizes = np.where(known, np.maximum(abs(low), abs(high)), 0)
    shows_one = doubt <= 0.1 * sizes
    # A slope may be zero: then it is known beside the larger one that larger steps show.
    shown = np.maximum.accumulate(np.where(shows_one, sizes, 0))
    settled = known & (doubt <= 0.1 * np.maximum(size, shown))
    if not settled.any():
        best = int(np.nanargmin(np.where(known, doubt, np.nan)))
        return Slope(low[best], high[best], doubt[best])
    best = finest = int(np.flatnonzero(settled)[-1])
    other = _rise(ahead - here, here - behind, noise * steps, best)
    contradictions = 0
    for i in np.flatnonzero(known[:finest])[::-1]:
        apart = max(low[i] - high[best], low[best] - high[i]) > doubt[i] + doubt[best]
        contradictions = contradictions + 1 if apart and shows_one[i] else 0
        if contradictions == 2:  # one may be chance
            other = int(i)
            break
        if not apart and high[i] - low[i] + 2 * doubt[i] < high[best] - low[best] + 2 * doubt[best]:
            best = i
    if other is not None:
        between = (low[best] + high[other]) / 2
        return Slope(between, between, abs(low[best] - high[other]))
    if kink[best] and sides[0][best] > sides[1][best]:
        return Slope(high[best], low[best], doubt[best])
    return Slope(low[best], high[best], doubt[best])


def _extrapolated(quotients: Array, steps: Array, order: int) -> Array:
    """Richardson's extrapolation of errors that are proportional to ``steps**order``."""
    return quotients + (quotients - _coarser(quotients)) / ((_coarser(steps) / steps) ** order - 1)


def _coarser(values: Array) -> Array:
    """Of each step, what belongs to the next larger one."""
    return np.concatenate([[np.nan], values[:-1]])


def _error(values: Array, before: Array) -> Array:
    """Distance from the next smaller step, or from before the extrapolation: the larger one.

    One of them may be small by chance, hardly both.
    """
    finer = np.concatenate([values[1:], [np.nan]])
    return np.maximum(abs(values - before), abs(values - finer))


def _rise(after: Array, before: Array, rounding: Array, best: int) -> int | None:
    """The step at which a function that is constant around the point jumps on both sides.

    A smooth function may be constant to all its digits, but it does not jump.
    """
    moved = (after[:best] != 0) & (before[:best] != 0) & np.isfinite(after + before)[:best]
    if after[best] or before[best] or not moved.any():
        return None
    first = int(np.flatnonzero(moved)[-1])
    jumps = abs(after[first]), abs(before[first])
    risen = abs(after[first] + before[first]) > 1000 * rounding[first]
    return first if risen and min(jumps) > 0.05 * max(jumps) else None


def scatter(values: Sequence[float]) -> float:
    """Standard deviation of the rounding error of a smooth function, from nine close values.

    Moré and Wild (2011): the fourth difference removes the smooth part and multiplies the variance
    of the rest by the binomial coefficient of 8 over 4.
    """
    differences = np.diff(values, n=4)
    largest = float(abs(differences).max())
    if not 0 < largest < math.inf:
        return largest
    return largest * float(np.sqrt(np.mean((differences / largest) ** 2) / math.comb(8, 4)))


def norm(numbers: Array) -> float:
    """Euclidean norm, without overflow of the squares."""
    largest = float(abs(numbers).max())
    return largest * float(np.linalg.norm(numbers / largest)) if largest else 0.0
