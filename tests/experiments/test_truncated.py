"""What is cut is cut, and nothing else."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import bptt
from numpy_lstm.classifier import Classifier, Masks, init_classifier, loss_and_gradients
from numpy_lstm.experiments.truncated import carousel_only, gradient_cut
from numpy_lstm.layers import bag_forward
from numpy_lstm.recurrent import cell_of
from numpy_lstm.types import Batch

LENGTHS = np.array([9, 7, 4, 4, 1])
ROUNDING = 1e-13


def classifier(model: Any, seed: int = 0) -> Classifier:
    rng = np.random.default_rng(seed)
    parameters = init_classifier(model, rng.standard_normal((20, 3)), 4, readout="last", rng=rng)
    return Classifier(parameters, 1, "last")


def batch(lengths: Any = LENGTHS) -> Batch:
    rng = np.random.default_rng(1)
    tokens = rng.integers(2, 20, (max(lengths), len(lengths)))
    tokens[np.arange(max(lengths))[:, np.newaxis] >= lengths] = 0
    weights = np.full(len(lengths), 1 / len(lengths))
    return Batch(tokens, np.array(lengths), rng.integers(0, 2, len(lengths)), weights)


def masks(n: int) -> Masks:
    rng = np.random.default_rng(2)
    return Masks(rng.uniform(0.5, 2, (n, 3)), rng.uniform(0.5, 2, (n, 4)))


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("k", [1, 3, 4, 8, 9, 50])
def test_the_forward_pass_is_that_of_the_whole_review(model: str, k: int) -> None:
    loss, logits, _ = loss_and_gradients(classifier(model), batch(), masks(5))
    cut_loss, cut_logits, _ = gradient_cut(classifier(model), batch(), masks(5), k=k)
    np.testing.assert_allclose(cut_logits, logits, rtol=0, atol=ROUNDING)
    assert cut_loss == pytest.approx(loss, rel=1e-13)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_seam_before_all_reviews_cuts_nothing(model: str) -> None:
    whole = loss_and_gradients(classifier(model), batch(), masks(5))[2].parameters
    cut = gradient_cut(classifier(model), batch(), masks(5), k=9)[2].parameters
    for name in ("W_x", "W_h", "b", "W_out", "b_out"):
        np.testing.assert_allclose(cut[name], whole[name], rtol=0, atol=ROUNDING)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("k", [1, 3, 5])
def test_the_last_k_words_have_the_whole_gradient_and_the_others_none(model: str, k: int) -> None:
    """The gradients of the weights are the sums over the last k steps alone."""
    one, where = classifier(model), batch()
    whole = loss_and_gradients(one, where)[2]
    cut = gradient_cut(one, where, k=k)[2]
    early = np.maximum(LENGTHS - k, 0)
    for n, (start, end) in enumerate(zip(early, LENGTHS, strict=True)):
        np.testing.assert_allclose(
            cut.dxs[: end - start, n], whole.dxs[start:end, n], rtol=0, atol=ROUNDING
        )
    # W_x carries to the inputs what the pre-activations get, and the bias gets the same.
    from_the_bias = cut.parameters["b"] @ one.parameters["W_x"]
    np.testing.assert_allclose(cut.dxs.sum(axis=(0, 1)), from_the_bias, rtol=0, atol=ROUNDING)


def test_the_gradient_of_1997_is_that_of_the_plain_loop() -> None:
    one, where = classifier("lstm"), batch([6, 6, 6])
    _, logits, got = carousel_only(one, where)
    xs, _, _ = bag_forward(where.tokens, where.lengths, one.parameters["embedding"])
    zeros = np.zeros((3, 4))
    out = bptt.lstm_forward(xs, cell_of(one.parameters), zeros, zeros)
    dlogits = (1 / (1 + np.exp(-logits)) - where.labels) / 3
    dh_T = dlogits[:, np.newaxis] * one.parameters["W_out"]
    expected = bptt.lstm_backward(out.cache, np.zeros_like(out.hs), dh_T, zeros, truncated=True)
    np.testing.assert_allclose(got.dxs, expected.dxs, rtol=0, atol=ROUNDING)
    for name, array in expected.dparams._asdict().items():
        np.testing.assert_allclose(got.parameters[name], array, rtol=0, atol=ROUNDING)
    whole = loss_and_gradients(one, where)[2]
    assert abs(whole.parameters["W_h"] - got.parameters["W_h"]).max() > 1e-4
