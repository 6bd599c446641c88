"""Checks every gradient of the package: ``python -m numpy_lstm.gradcheck``.

Each part of the network gets a small random batch of different lengths and, as its loss, a random
weighted sum of its outputs. Its backward pass is compared with the complex step and with central
differences (:mod:`numpy_lstm.gradcheck`), number by number.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

import numpy as np

from numpy_lstm.cells import (
    LSTMParams,
    RNNParams,
    lstm_step,
    lstm_step_backward,
    rnn_step,
    rnn_step_backward,
)
from numpy_lstm.classifier import (
    Classifier,
    Masks,
    classifier_backward,
    classifier_forward,
    init_classifier,
)
from numpy_lstm.gradcheck import TOLERANCE, ArrayError, Method, gradient_errors
from numpy_lstm.layers import dropout_mask
from numpy_lstm.losses import binary_cross_entropy, binary_cross_entropy_backward
from numpy_lstm.lstm import lstm_backward, lstm_forward
from numpy_lstm.rnn import rnn_backward, rnn_forward
from numpy_lstm.terminal import program, run
from numpy_lstm.types import MODEL_NAMES, Model, Readout

METHODS: tuple[Method, ...] = ("complex step", "central")

# All sizes differ, so that a transposed array cannot fit by chance.
T, N, D, H = 5, 4, 2, 3
LENGTHS = np.array([3, 5, 1, 4])
WORDS, BAG_SIZE = 7, 2


class Check(NamedTuple):
    """A function, a point, and the gradient there by the backward pass."""

    title: str
    loss: Callable[[Any], Any]
    point: dict[str, Any]
    gradient: dict[str, Any]


def main(argv: list[str] | None = None) -> int:
    """Print the table; returns 1 if an array fails, else 0."""
    return run(lambda: _print_table(argv), needed=True)


def _print_table(argv: list[str] | None) -> int:
    rng = np.random.default_rng(_seed(argv))
    print("relative error by method".rjust(59))
    print(f"{'array':16}{'shape':>14}" + "".join(f"{method:>15}" for method in METHODS))
    results: list[ArrayError] = []
    wrong: list[str] = []
    for check in (*steps(rng), *sequences(rng), *classifiers(rng)):
        print(f"\n{check.title}")
        try:
            by_method = [
                gradient_errors(check.loss, check.point, check.gradient, method=method)
                for method in METHODS
            ]
        except ValueError as error:  # such as a gradient that is not finite
            wrong.append(f"{check.title}: {error}")
            print("  cannot be judged   WRONG")
            continue
        for array in zip(*by_method, strict=True):
            failed = [result for result in array if not result.error <= TOLERANCE[result.method]]
            wrong += [f"{check.title}, {result.method}, {result}" for result in failed]
            results += array
            print(_row(check, array) + ("   WRONG" if failed else ""))
    print()
    for method in METHODS:
        worst = max(result.error for result in results if result.method == method)
        print(f"Worst of all, {method}: {worst:.1e} (tolerance {TOLERANCE[method]:g})")
    print("\n".join(["", "Wrong:", *wrong]) if wrong else "Every gradient is right.")
    return 1 if wrong else 0


def steps(rng: np.random.Generator) -> Iterator[Check]:
    """One time step of each cell."""
    dh_t, dc_t = rng.standard_normal((2, N, H))
    rnn: dict[str, Any] = {
        "x_t": rng.standard_normal((N, D)),
        "h_prev": rng.standard_normal((N, H)),
        "params": _rnn_params(rng),
    }
    dx_t, dh_prev, drnn = rnn_step_backward(dh_t, rnn_step(**rnn)[1])
    yield Check(
        "vanilla RNN, one step",
        lambda point: np.sum(dh_t * rnn_step(**point)[0]),
        rnn,
        {"x_t": dx_t, "h_prev": dh_prev, "params": drnn},
    )

    def loss(point: Any) -> Any:
        h_t, c_t, _ = lstm_step(**point)
        return np.sum(dh_t * h_t) + np.sum(dc_t * c_t)

    lstm: dict[str, Any] = {
        "x_t": rng.standard_normal((N, D)),
        "h_prev": rng.standard_normal((N, H)),
        "c_prev": rng.standard_normal((N, H)),
        "params": _lstm_params(rng),
    }
    dx_t, dh_prev, dc_prev, dlstm = lstm_step_backward(dh_t, dc_t, lstm_step(**lstm)[2])
    gradient = {"x_t": dx_t, "h_prev": dh_prev, "c_prev": dc_prev, "params": dlstm}
    yield Check("LSTM, one step", loss, lstm, gradient)


def sequences(rng: np.random.Generator) -> Iterator[Check]:
    """Each recurrence over sequences of different lengths, with a gradient in every output."""
    title = f"sequences of {', '.join(map(str, LENGTHS))} steps"
    dhs, dh_T, dc_T = rng.standard_normal((T, N, H)), *rng.standard_normal((2, N, H))
    xs = rng.standard_normal((T, N, D))

    def rnn_loss(point: Any) -> Any:
        out = rnn_forward(**point, lengths=LENGTHS)
        return np.sum(dhs * out.hs) + np.sum(dh_T * out.h_T)

    rnn: dict[str, Any] = {"xs": xs, "params": _rnn_params(rng), "h0": rng.standard_normal((N, H))}
    dr = rnn_backward(rnn_forward(**rnn, lengths=LENGTHS).cache, dhs, dh_T)
    gradient = {"xs": dr.dxs, "params": dr.dparams, "h0": dr.dh0}
    yield Check(f"vanilla RNN, {title}", rnn_loss, rnn, gradient)

    def lstm_loss(point: Any) -> Any:
        out = lstm_forward(**point, lengths=LENGTHS)
        return np.sum(dhs * out.hs) + np.sum(dh_T * out.h_T) + np.sum(dc_T * out.c_T)

    h0, c0 = rng.standard_normal((2, N, H))
    lstm: dict[str, Any] = {"xs": xs, "params": _lstm_params(rng), "h0": h0, "c0": c0}
    dl = lstm_backward(lstm_forward(**lstm, lengths=LENGTHS).cache, dhs, dh_T, dc_T)
    gradient = {"xs": dl.dxs, "params": dl.dparams, "h0": dl.dh0, "c0": dl.dc0}
    yield Check(f"LSTM, {title}", lstm_loss, lstm, gradient)


def classifiers(rng: np.random.Generator) -> Iterator[Check]:
    """Word ids to loss, with each cell and each read-out, with fixed dropout masks."""
    for model in get_args(Model):
        for readout in get_args(Readout):
            yield _classifier(model, readout, rng)


def _classifier(model: Model, readout: Readout, rng: np.random.Generator) -> Check:
    tokens = rng.integers(0, WORDS, (T * BAG_SIZE, N))
    lengths = LENGTHS * BAG_SIZE - [0, 1, 0, 1]  # some last bags are half full
    labels, weights = rng.integers(0, 2, N), rng.dirichlet(np.ones(N))
    fresh = init_classifier(model, np.zeros((WORDS, D)), H, readout=readout, rng=rng)
    # With zero biases, dropout of all inputs makes all states equal: no derivative of the maximum.
    parameters = {name: rng.uniform(-1, 1, array.shape) for name, array in fresh.items()}
    masks = Masks(
        inputs=dropout_mask((N, D), 0.3, rng=rng, dtype=np.float64),
        features=dropout_mask((N, parameters["W_out"].shape[1]), 0.3, rng=rng, dtype=np.float64),
    )

    def forward(parameters: Any) -> Any:
        logits, cache = classifier_forward(
            Classifier(parameters, BAG_SIZE, readout), tokens, lengths, masks
        )
        return *binary_cross_entropy(logits, labels, weights), cache

    _, loss_cache, cache = forward(parameters)
    gradients = classifier_backward(binary_cross_entropy_backward(loss_cache), cache).parameters
    rows: Any = gradients["embedding"]
    embedding = np.zeros_like(parameters["embedding"])
    embedding[rows.rows] = rows.values
    return Check(
        f"classifier, {MODEL_NAMES[model]}, bags of {BAG_SIZE} words, dropout, read-out: {readout}",
        lambda parameters: forward(parameters)[0],
        parameters,
        {**gradients, "embedding": embedding},
    )


def _rnn_params(rng: np.random.Generator) -> RNNParams:
    return RNNParams(
        rng.standard_normal((H, D)), rng.standard_normal((H, H)), rng.standard_normal(H)
    )


def _lstm_params(rng: np.random.Generator) -> LSTMParams:
    return LSTMParams(
        rng.standard_normal((4 * H, D)),
        rng.standard_normal((4 * H, H)),
        rng.standard_normal(4 * H),
    )


def _row(check: Check, array: tuple[ArrayError, ...]) -> str:
    name = array[0].path.removeprefix("params.")
    whole = check.point[name] if name in check.point else getattr(check.point["params"], name)
    errors = "".join(f"{result.error:15.1e}" for result in array)
    return f"  {name:14}{whole.shape!s:>14}{errors}"


def _seed(argv: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog=program("gradcheck"),
        description="Check the gradient of every array of both cells and of the whole classifier.",
    )
    parser.add_argument(
        "--seed", type=int, default=0, metavar="N", help="of everything random (default: 0)"
    )
    seed: int = parser.parse_args(argv).seed
    if seed < 0:
        parser.error(f"argument --seed: must be at least 0; got {seed}")
    return seed


if __name__ == "__main__":
    sys.exit(main())
