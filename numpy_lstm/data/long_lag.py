"""Tasks whose answer depends on inputs many steps back.

A task is a function that draws a batch of sequences of the same length from a Generator.

Hochreiter, S. and Schmidhuber, J. (1997) 'Long short-term memory', Neural Computation, 9(8),
pp. 1735–1780.
Pascanu, R., Mikolov, T. and Bengio, Y. (2013) 'On the difficulty of training recurrent neural
networks', Proceedings of the 30th International Conference on Machine Learning, PMLR 28(3),
pp. 1310–1318.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

FILLERS = 10  # symbols of first_symbol without information


class Sequences(NamedTuple):
    """A batch of N sequences."""

    xs: NDArray[np.float32]  # (T, N, D)
    targets: NDArray[Any]  # (N,) class, or a number


def first_symbol(T: int, N: int, rng: np.random.Generator) -> Sequences:
    """Which of two symbols came first, before T random ones of ten others? Two classes.

    Derived from task 2a of Hochreiter and Schmidhuber (1997). T + 1 one-hot symbols, D = 12.
    """
    targets = rng.integers(0, 2, N)
    symbols = np.concatenate([targets[np.newaxis], rng.integers(2, 2 + FILLERS, (T, N))])
    return Sequences(_one_hot(symbols, 2 + FILLERS), targets)


def adding(T: int, N: int, rng: np.random.Generator) -> Sequences:
    """The sum of two marked numbers among T, uniform in [0, 1]; one mark in each half.

    After experiment 4 of Hochreiter and Schmidhuber (1997). D = 2: the number and the mark. A
    constant answer of 1 has a mean squared error of 1/6, the variance of the sum.
    """
    numbers = rng.random((T, N))
    marks = np.zeros((T, N))
    columns, half = np.arange(N), T // 2
    marks[rng.integers(0, half, N), columns] = 1
    marks[rng.integers(half, T, N), columns] = 1
    targets = (numbers * marks).sum(axis=0)
    return Sequences(np.stack([numbers, marks], axis=2).astype(np.float32), targets)


def temporal_order(T: int, N: int, rng: np.random.Generator) -> Sequences:
    """In which order did two symbols come, each X or Y, among T - 2 distractors? Four classes.

    As in Pascanu, Mikolov and Bengio (2013): the first in [T/10, 2T/10), the second in
    [5T/10, 6T/10). Symbols are one-hot, D = 6: X, Y and four distractors.
    """
    symbols = rng.integers(2, 6, (T, N))
    columns = np.arange(N)
    first, second = rng.integers(0, 2, N), rng.integers(0, 2, N)
    symbols[_between(rng, 0.1 * T, 0.2 * T, N), columns] = first
    symbols[_between(rng, 0.5 * T, 0.6 * T, N), columns] = second
    return Sequences(_one_hot(symbols, 6), 2 * first + second)


def _between(rng: np.random.Generator, low: float, high: float, N: int) -> NDArray[np.int64]:
    return rng.integers(int(low), max(int(high), int(low) + 1), N)


def _one_hot(symbols: NDArray[np.int64], D: int) -> NDArray[np.float32]:
    return np.eye(D, dtype=np.float32)[symbols]
