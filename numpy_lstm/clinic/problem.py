"""The small random batch that a learner's functions are run on."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.types import Array, Ints, Model

# All sizes differ, so that a transposed array cannot fit by chance.
T, N, D, H = 4, 3, 2, 5
LOUD = 100.0  # the size of the gradients that come in: a backward pass that clips is seen to clip


class Problem(NamedTuple):
    """A batch, its weights, and the gradient of a loss in all that a cell returns."""

    cell: Model
    xs: Array  # (T, N, D)
    params: Any  # RNNParams or LSTMParams, weights of the size one
    h0: Array  # (N, H)
    c0: Array  # (N, H); the RNN ignores it
    dhs: Array  # (T, N, H)
    dh_T: Array  # (N, H)
    dc_T: Array  # (N, H)
    lengths: Ints | None  # (N,) steps of each example, if they differ


def draw(
    cell: Model,
    seed: int,
    *,
    examples: int = N,
    zero: frozenset[str] = frozenset(),
    padded: bool = False,
) -> Problem:
    """Draw a batch.

    Parameters
    ----------
    cell : {"rnn", "lstm"}
    seed : int
        The same seed gives the same batch.
    examples : int
        N.
    zero : frozenset of str
        Which of ``h0``, ``c0``, ``dhs``, ``dh_T``, ``dc_T`` and ``b`` the learner's functions do
        not take.
    padded : bool
        Whether the examples have different lengths.

    Returns
    -------
    Problem
    """
    rng = np.random.default_rng(seed)
    gates = 4 if cell == "lstm" else 1
    kind = LSTMParams if cell == "lstm" else RNNParams
    params = kind(
        rng.standard_normal((gates * H, D)),
        rng.standard_normal((gates * H, H)) / 1.5,
        rng.standard_normal(gates * H) * ("b" not in zero),
    )
    n = examples
    states = {
        name: rng.standard_normal((n, H)) * (0 if name in zero else 1)
        for name in ("h0", "c0", "dh_T", "dc_T")
    }
    states["h0"] /= 2  # a hidden state is between -1 and 1, mostly
    states["dh_T"] *= LOUD
    states["dc_T"] *= LOUD
    xs, dhs = rng.standard_normal((T, n, D)), LOUD * rng.standard_normal((T, n, H))
    dhs *= "dhs" not in zero
    lengths = None
    if padded:
        lengths = T - np.arange(n) % T
        dhs[np.arange(T)[:, np.newaxis] >= lengths] = 0
    return Problem(cell, xs, params, dhs=dhs, lengths=lengths, **states)
