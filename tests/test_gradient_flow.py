import numpy as np
import pytest

from numpy_lstm.classifier import (
    Classifier,
    classifier_backward,
    classifier_forward,
    init_classifier,
)
from numpy_lstm.data.batches import make_batch
from numpy_lstm.gradient_flow import (
    decay_per_step,
    diagnose,
    from_the_end,
    jacobian_singular_values,
    ratio_at,
    record,
)
from numpy_lstm.types import Batch
from tests.data.test_batches import reviews_of

BATCH = make_batch(reviews_of([2, 3, 4, 5, 6], [3, 3, 2], [5, 2]), np.arange(3))


def parameters_of(model, dtype=np.float32):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((7, 3)).astype(dtype)
    return init_classifier(model, vectors, 4, readout="last", rng=rng)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_the_recorded_norms_are_those_of_each_reviews_own_loss(model):
    parameters = parameters_of(model, np.float64)
    norms = record(Classifier(parameters, 1, "last"), BATCH)
    for n, length in enumerate(BATCH.lengths):
        alone = BATCH.tokens[:length, [n]]
        logits, cache = classifier_forward(
            Classifier(parameters, 1, "last"), alone, np.array([length])
        )
        dlogits = 1 / (1 + np.exp(-logits)) - BATCH.labels[n]
        gradients = classifier_backward(dlogits, cache)
        dx_norms = np.linalg.norm(gradients.dxs[:, 0], axis=1)
        np.testing.assert_allclose(norms.x[:length, n], dx_norms[::-1], rtol=1e-12)
        np.testing.assert_allclose(norms.h[:length, n], gradients.dh_norms[::-1, 0], rtol=1e-12)
        if model == "lstm":
            np.testing.assert_allclose(norms.c[:length, n], gradients.dc_norms[::-1, 0], rtol=1e-12)
        assert np.isnan(norms.x[length:, n]).all()
    assert (norms.c is None) == (model == "rnn")


def test_norms_are_recorded_in_float64_whatever_the_parameters_are():
    single = record(Classifier(parameters_of("lstm"), 1, "last"), BATCH)
    double = record(Classifier(parameters_of("lstm", np.float64), 1, "last"), BATCH)
    assert single.x.dtype == np.float64
    np.testing.assert_allclose(single.x, double.x, rtol=1e-4)  # the weights alone were rounded


def test_recording_changes_no_parameter():
    parameters = parameters_of("rnn")
    before = {name: array.copy() for name, array in parameters.items()}
    record(Classifier(parameters, 2, "mean"), BATCH)
    for name, array in parameters.items():
        np.testing.assert_array_equal(array, before[name])


def test_distance_zero_is_each_reviews_own_last_step():
    turned = from_the_end(np.array([[1.0, 4.0], [2.0, 5.0], [3.0, 0.0]]), np.array([3, 2]))
    np.testing.assert_array_equal(turned, [[3, 5], [2, 4], [1, np.nan]])


@pytest.mark.parametrize("factor", [0.5, 0.97, 1.0, 1.2])
def test_an_exponential_decay_is_found_again(factor):
    norms = 3.0 * factor ** np.arange(40.0)[:, np.newaxis] * np.array([0.5, 1.0, 7.0])
    assert decay_per_step(norms) == pytest.approx(factor, rel=1e-12)


def test_a_single_step_has_no_decay():
    assert np.isnan(decay_per_step(np.array([[1.0, 2.0]])))
    assert np.isnan(decay_per_step(np.zeros((5, 2))))


@pytest.mark.parametrize("distance", [0, 1, 7])
def test_what_is_left_of_the_gradient_is_the_median_of_the_reviews_own_ratios(distance):
    factors = np.array([0.1, 0.5, 0.9])
    norms = np.array([3.0, 200.0, 1e-9]) * factors ** np.arange(8.0)[:, np.newaxis]
    assert ratio_at(norms, distance) == pytest.approx(0.5**distance, rel=1e-12)


def test_what_is_left_of_no_gradient_is_not_a_number():
    assert np.isnan(ratio_at(np.ones((3, 2)), 3))
    assert np.isnan(ratio_at(np.zeros((3, 2)), 1))
    one = np.array([[1.0, 0.0, np.inf, 1.0], [0.25, 0.0, np.inf, np.nan]])
    assert ratio_at(one, 1) == 0.25


def words(T):
    """One review of T different words, one a step."""
    return Batch(np.arange(T)[:, np.newaxis], np.array([T]), np.array([1]), np.ones(1))


def a_classifier(model, T):
    rng = np.random.default_rng(0)
    return init_classifier(model, rng.standard_normal((T, 3)), 4, readout="last", rng=rng)


def test_the_jacobian_of_a_vanilla_rnn_is_the_product_of_its_steps():
    T, lag = 6, 3
    parameters = a_classifier("rnn", T)
    W_x, W_h, b = (parameters[name] for name in ("W_x", "W_h", "b"))
    h, product = np.zeros(4), np.eye(4)
    for t, x in enumerate(parameters["embedding"]):
        h = np.tanh(W_x @ x + W_h @ h + b)
        if t >= T - lag:
            product = np.diag(1 - h**2) @ W_h @ product
    np.testing.assert_allclose(
        jacobian_singular_values(Classifier(parameters, 1, "last"), words(T), lag),
        np.linalg.svd(product, compute_uv=False),
        rtol=1e-12,
    )


def test_half_open_forget_gates_multiply_to_powers_of_a_half():
    T = 6
    parameters = a_classifier("lstm", T)
    for name in ("W_x", "W_h", "b"):
        parameters[name][4:8] = 0
    product = diagnose(Classifier(parameters, 1, "last"), words(T)).forget_product
    np.testing.assert_allclose(product, 0.5 ** np.arange(T), rtol=1e-14)
    # With W_h = 0 too, the first h has no effect; the first c goes to the last one by 2^-3,
    # and from there into the last h.
    parameters["W_h"][:] = 0
    values = jacobian_singular_values(Classifier(parameters, 1, "last"), words(T), 3)
    assert (values[:4] >= 0.5**3).all() and (values[4:] < 1e-15).all()
    assert values[0] <= 0.5**3 * np.sqrt(2)


def test_the_spectrum_is_that_of_the_recurrent_weights():
    parameters = a_classifier("rnn", 3)
    parameters["W_h"][:] = 0
    parameters["W_h"][0, 1] = 2.0  # nilpotent: a radius of 0, and yet a gradient can grow
    theory = diagnose(Classifier(parameters, 1, "last"), words(3))
    assert theory.spectral_radius == pytest.approx(0, abs=1e-7)
    assert theory.largest_singular_value == pytest.approx(2)
