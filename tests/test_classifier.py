"""The layers composed: how a classifier starts, and what it computes, by hand."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm.classifier import (
    Classifier,
    Masks,
    classifier_backward,
    classifier_forward,
    init_classifier,
    loss_and_gradients,
)
from numpy_lstm.types import Batch

VECTORS = np.random.default_rng(0).standard_normal((7, 3))


def init(model: Any = "lstm", vectors: Any = VECTORS, H: int = 5, **how: Any) -> dict[str, Any]:
    how = {"readout": "last", "rng": np.random.default_rng(1), **how}
    return init_classifier(model, vectors, H, **how)


@pytest.mark.parametrize(("model", "gates"), [("rnn", 1), ("lstm", 4)])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_starts_in_the_shapes_and_the_dtype_of_the_vectors(
    model: str, gates: int, dtype: Any
) -> None:
    parameters = init(model, VECTORS.astype(dtype), readout="meanmax", n_classes=4)
    assert {name: array.shape for name, array in parameters.items()} == {
        "embedding": (7, 3),
        "W_x": (5 * gates, 3),
        "W_h": (5 * gates, 5),
        "b": (5 * gates,),
        "W_out": (4, 10),
        "b_out": (4,),
    }
    assert {array.dtype for array in parameters.values()} == {np.dtype(dtype)}
    assert not parameters["b_out"].any()


@pytest.mark.parametrize(("readout", "features"), [("last", 5), ("mean", 5), ("max", 5)])
def test_two_classes_have_one_output(readout: str, features: int) -> None:
    assert init(readout=readout)["W_out"].shape == (1, features)
    assert init(readout=readout, n_classes=3)["W_out"].shape == (3, features)


def test_the_forget_bias_and_the_kind_of_recurrent_weights_are_passed_on() -> None:
    assert init(forget_bias=2.5)["b"].tolist() == [*[0] * 5, *[2.5] * 5, *[0] * 10]
    assert init()["b"][5:10].tolist() == [1] * 5
    for model in ("rnn", "lstm"):
        for block in init(model)["W_h"].reshape(-1, 5, 5):
            np.testing.assert_allclose(block @ block.T, np.eye(5), atol=1e-12)
        uniform = init(model, recurrent="uniform", H=100)["W_h"]
        assert 0.099 < abs(uniform).max() <= 0.1


def test_the_read_out_is_glorots_and_the_vectors_are_copied() -> None:
    W_out = init(H=200, n_classes=4)["W_out"]
    limit = np.sqrt(6 / 204)
    assert 0.98 * limit < abs(W_out).max() <= limit
    parameters = init()
    np.testing.assert_array_equal(parameters["embedding"], VECTORS)
    assert not np.shares_memory(parameters["embedding"], VECTORS)


def test_it_is_drawn_from_its_generator() -> None:
    one, two, other = (init(rng=np.random.default_rng(seed)) for seed in (1, 1, 2))
    for name in ("W_x", "W_h", "W_out"):
        np.testing.assert_array_equal(one[name], two[name])
        assert (one[name] != other[name]).all()


# One unit whose state is the tanh of the mean of its bag, and a mean of the states.
PARAMETERS = {
    "embedding": np.array([[9.0], [8.0], [0.2], [0.6], [1.0]]),
    **{"W_x": np.ones((1, 1)), "W_h": np.zeros((1, 1)), "b": np.array([0.1])},
    **{"W_out": np.array([[2.0]]), "b_out": np.array([-0.5])},
}
TOKENS, LENGTHS = np.array([[2, 4], [3, 2], [4, 0]]), np.array([3, 2])


def logits_of(masks: Masks | None = None, n_outputs: int = 1) -> Any:
    parameters = {
        **PARAMETERS,
        "W_out": np.arange(2.0, 2 + n_outputs)[:, np.newaxis],
        "b_out": np.full(n_outputs, -0.5),
    }
    return classifier_forward(Classifier(parameters, 2, "mean"), TOKENS, LENGTHS, masks)[0]


def test_logits_are_those_of_bags_cell_read_out_and_bias() -> None:
    states = np.tanh([0.5, 1.1]).mean(), np.tanh(0.7)  # bags of 0.4 and 1.0; of 0.6
    np.testing.assert_allclose(logits_of(), 2 * np.array(states) - 0.5, rtol=1e-12)
    np.testing.assert_allclose(
        logits_of(n_outputs=3), np.outer(states, [2, 3, 4]) - 0.5, rtol=1e-12
    )


def test_masks_multiply_inputs_and_features_each_by_its_own() -> None:
    masks = Masks(inputs=np.array([[2.0], [0.0]]), features=np.array([[3.0], [5.0]]))
    states = np.tanh([0.9, 2.1]).mean(), np.tanh(0.1)
    wanted = 2 * np.array(states) * [3, 5] - 0.5
    np.testing.assert_allclose(logits_of(masks), wanted, rtol=1e-12)


@pytest.mark.parametrize("masked", [False, True])
def test_the_loss_of_a_batch_is_weighted_and_its_logits_are_returned(masked: bool) -> None:
    masks = Masks(np.array([[2.0], [0.0]]), np.array([[3.0], [5.0]])) if masked else None
    batch = Batch(TOKENS, LENGTHS, np.array([1, 0]), np.array([0.9, 0.3]))
    loss, logits, gradients = loss_and_gradients(Classifier(PARAMETERS, 2, "mean"), batch, masks)
    np.testing.assert_array_equal(logits, logits_of(masks))
    losses = np.log1p(np.exp([-logits[0], logits[1]]))
    assert loss == pytest.approx(0.9 * losses[0] + 0.3 * losses[1])
    errors = np.array([0.9, 0.3]) * (1 / (1 + np.exp(-logits)) - [1, 0])
    np.testing.assert_allclose(gradients.parameters["b_out"], [errors.sum()])


def test_gradients_in_the_inputs_are_those_before_dropout() -> None:
    masks = Masks(inputs=np.array([[2.0], [0.0]]), features=np.ones((2, 1)))
    _, cache = classifier_forward(Classifier(PARAMETERS, 2, "mean"), TOKENS, LENGTHS, masks)
    dxs = classifier_backward(np.ones(2), cache).dxs
    slope = 2 * (1 - np.tanh([0.9, 2.1]) ** 2) / 2 * 2  # read-out, tanh, mean of two, mask
    np.testing.assert_allclose(dxs[..., 0], [[slope[0], 0], [slope[1], 0]], rtol=1e-12)
