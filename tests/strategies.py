"""Where every random case of the gradient tests comes from.

A test draws a short :class:`Recipe`; the arrays follow from it. So a failure prints something that
fits on a line, and that anyone can type in again: ``sequence_case("lstm", Recipe(T=3, …))``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from hypothesis import strategies as st

from numpy_lstm import (
    LSTMParams,
    RNNParams,
    lstm_backward,
    lstm_forward,
    rnn_backward,
    rnn_forward,
)
from numpy_lstm.types import Array

Cell = Literal["rnn", "lstm"]
Start = Literal["both", "neither", "h0", "c0"]
CELLS: tuple[Cell, ...] = ("rnn", "lstm")


class Recipe(NamedTuple):
    """A random batch in a few numbers."""

    T: int  # steps
    N: int  # reviews
    D: int  # inputs
    H: int  # hidden units
    lengths: tuple[int, ...]  # one a review, in any order
    scale: float  # weights are uniform in ±scale
    start: Start  # which initial states are random; the others are zero
    seed: int


class Case(NamedTuple):
    """A recurrence and all that goes into it, forward and backward."""

    forward: Callable[..., Any]
    backward: Callable[..., Any]
    point: dict[str, Any]  # what has a gradient, by argument: xs, params, h0, and the LSTM's c0
    lengths: tuple[int, ...]
    incoming: dict[str, Any]  # gradients of a loss in the results: dhs, dh_T, the LSTM's dc_T

    def run(self) -> Any:
        """The forward pass."""
        return self.forward(**self.point, lengths=self.lengths)

    def gradients(self) -> Any:
        """The backward pass behind it."""
        return self.backward(self.run().cache, **self.incoming)


@st.composite
def recipes(draw: st.DrawFn) -> Recipe:
    """T of 1 … 12, N of 1 … 5, ragged; no two sizes alike, lest a transposed array fit by luck.

    H is at least 2: a gradient of one number can cancel to almost nothing, and has no relative
    error then. Units that stand alone are in the hand-computed tests.
    """
    T, N, D, H = draw(
        st.tuples(*(st.integers(*bounds) for bounds in [(1, 12), (1, 5), (1, 5), (2, 5)])).filter(
            lambda sizes: len({*sizes, 4 * sizes[3]}) == 5
        )
    )
    return Recipe(
        T=T,
        N=N,
        D=D,
        H=H,
        lengths=tuple(draw(st.lists(st.integers(1, T), min_size=N, max_size=N))),
        scale=draw(st.floats(0.01, 2.0)),
        start=draw(st.sampled_from(get_args(Start))),
        seed=draw(st.integers(0, 2**32 - 1)),
    )


def sequence_case(cell: Cell, recipe: Recipe) -> Case:
    """The recurrence of a recipe, with random gradients into every state it returns."""
    T, N, D, H, lengths, scale, start, seed = recipe
    rng = np.random.default_rng(seed)

    def normal(*shape: int) -> Array:
        return rng.standard_normal(shape)

    def weights(*shape: int) -> Array:
        return rng.uniform(-scale, scale, shape)

    def initial(name: str) -> Array:
        return normal(N, H) if start in ("both", name) else np.zeros((N, H))

    xs, h0, dhs, dh_T = normal(T, N, D), initial("h0"), normal(T, N, H), normal(N, H)
    if cell == "rnn":
        rnn = RNNParams(weights(H, D), weights(H, H), weights(H))
        point = {"xs": xs, "params": rnn, "h0": h0}
        return Case(rnn_forward, rnn_backward, point, lengths, {"dhs": dhs, "dh_T": dh_T})
    lstm = LSTMParams(weights(4 * H, D), weights(4 * H, H), weights(4 * H))
    point = {"xs": xs, "params": lstm, "h0": h0, "c0": initial("c0")}
    incoming = {"dhs": dhs, "dh_T": dh_T, "dc_T": normal(N, H)}
    return Case(lstm_forward, lstm_backward, point, lengths, incoming)
