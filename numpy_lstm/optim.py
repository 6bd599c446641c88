"""Adam and clipping. Parameters are a dict of arrays, changed in place.

Clipping is done here, never in a backward pass, which returns the unchanged gradient.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from numpy_lstm.layers import RowGradient
from numpy_lstm.recurrence.checks import check_array
from numpy_lstm.types import Array

ROWS = 256  # of a table, updated together

Parameters = dict[str, Array]
Gradients = Mapping[str, Array | RowGradient]


def clip_by_global_norm(gradients: Gradients, max_norm: float) -> tuple[Gradients, float]:
    """Scale all gradients together if their joint norm exceeds `max_norm`.

    Implements Pascanu, Mikolov and Bengio (2013), algorithm 1: the direction is kept.

    Parameters
    ----------
    gradients : dict of ndarray or RowGradient
        Not changed.
    max_norm : float
        Positive; infinity never clips.

    Returns
    -------
    gradients : dict
    norm : float
        The joint Euclidean norm before clipping.

    Raises
    ------
    ValueError
        If `max_norm` is not positive.
    """
    if not max_norm > 0:
        raise ValueError(f"`max_norm` must be positive; got {max_norm}.")
    squares = 0.0
    for gradient in gradients.values():
        # In float64: the squares of an exploding float32 gradient would overflow.
        squares += float(np.square(_values(gradient), dtype=np.float64).sum())
    norm = float(np.sqrt(squares))
    if not norm > max_norm:
        return gradients, norm
    return {name: _scaled(gradient, max_norm / norm) for name, gradient in gradients.items()}, norm


class Adam:
    """Adam (Kingma and Ba, 2015, algorithm 1), lazy in the rows of a table.

    A :class:`~numpy_lstm.layers.RowGradient` updates only its own rows and their moments, as in
    PyTorch's SparseAdam: a batch uses a tenth of the word vectors, and an update of all of them
    would take longer than the backward pass. Arrays with full gradients follow the paper.

    Parameters
    ----------
    learning_rate : float
        alpha of the paper.
    beta1, beta2 : float
        Decay of the two moments, in [0, 1).
    epsilon : float
        Added to the square root of the second moment.

    Attributes
    ----------
    t : int
        Steps taken.
    m, v : dict of ndarray
        First and second moments, by parameter.
    """

    def __init__(
        self,
        learning_rate: float = 1e-3,
        beta1: float = 0.9,
        beta2: float = 0.999,
        epsilon: float = 1e-8,
    ) -> None:
        self.learning_rate, self.beta1, self.beta2, self.epsilon = (
            learning_rate,
            beta1,
            beta2,
            epsilon,
        )
        self.t = 0
        self.m: Parameters = {}
        self.v: Parameters = {}

    def step(self, parameters: Parameters, gradients: Gradients) -> None:
        """Take one step, in place.

        Parameters
        ----------
        parameters : dict of ndarray
            Changed.
        gradients : dict of ndarray or RowGradient
            Not changed. Parameters without a gradient keep their values.

        Raises
        ------
        ValueError
            If a gradient does not fit its parameter; then nothing has changed.
        """
        _check(parameters, gradients)
        self.t += 1
        # Both bias corrections of the paper are part of the step size and of epsilon (its section
        # 2, last paragraph), which saves two passes over every array.
        root = np.sqrt(1 - self.beta2**self.t)
        rate = self.learning_rate * root / (1 - self.beta1**self.t)
        for name, gradient in gradients.items():
            if name not in self.m:
                self.m[name] = np.zeros_like(parameters[name])
                self.v[name] = np.zeros_like(parameters[name])
            for rows, g in _chunks(gradient):
                # Copies of a table's rows; for a full gradient, views of the whole arrays.
                m, v = self.m[name][rows], self.v[name][rows]
                m *= self.beta1
                m += (1 - self.beta1) * g
                v *= self.beta2
                v += (1 - self.beta2) * (g * g)
                self.m[name][rows], self.v[name][rows] = m, v
                step = np.sqrt(v)
                step += self.epsilon * root
                np.divide(m, step, out=step)
                step *= rate
                parameters[name][rows] -= step


def _chunks(gradient: Array | RowGradient) -> Iterator[tuple[Any, Array]]:
    """Rows and their gradients; those of a table in chunks that stay in the processor's cache."""
    if isinstance(gradient, RowGradient):
        for start in range(0, len(gradient.rows), ROWS):
            chunk = slice(start, start + ROWS)
            yield gradient.rows[chunk], gradient.values[chunk]
    else:
        yield slice(None), gradient


def _check(parameters: Parameters, gradients: Gradients) -> None:
    for name, gradient in gradients.items():
        if name not in parameters:
            known = ", ".join(parameters)
            raise ValueError(f"`gradients` must be of parameters: {known}; got one of {name}.")
        values, shape = _values(gradient), parameters[name].shape
        check_array(name, values)
        if isinstance(gradient, RowGradient):
            shape = (len(gradient.rows), *shape[1:])
        if values.shape != shape:
            raise ValueError(
                f"The gradient of `{name}` must have shape {shape}; got {values.shape}."
            )


def _values(gradient: Array | RowGradient) -> Array:
    return gradient.values if isinstance(gradient, RowGradient) else gradient


def _scaled(gradient: Array | RowGradient, factor: float) -> Array | RowGradient:
    if isinstance(gradient, RowGradient):
        return gradient._replace(values=gradient.values * factor)
    return gradient * factor
