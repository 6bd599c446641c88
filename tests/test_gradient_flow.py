import numpy as np
import pytest

from numpy_lstm.classifier import (
    Classifier,
    classifier_backward,
    classifier_forward,
    init_classifier,
)
from numpy_lstm.data.batches import make_batch
from numpy_lstm.experiments.truncated import carousel_only
from numpy_lstm.gradient_flow import (
    decay_per_step,
    diagnose,
    from_the_end,
    jacobian_singular_values,
    ratio_at,
    record,
)
from numpy_lstm.lstm import lstm_forward
from numpy_lstm.recurrent import cell_of
from numpy_lstm.types import Batch
from tests.data.test_batches import reviews_of

BATCH = make_batch(reviews_of([2, 3, 4, 5, 6], [3, 3, 2], [5, 2]), np.arange(3))


def parameters_of(model, dtype=np.float32):
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((7, 3)).astype(dtype)
    return init_classifier(model, vectors, 4, readout="last", rng=rng)


@pytest.mark.parametrize("bag_size", [1, 2, 3])
@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_the_recorded_norms_are_those_of_each_reviews_own_loss(model, bag_size):
    parameters = parameters_of(model, np.float64)
    classifier = Classifier(parameters, bag_size, "last")
    norms = record(classifier, BATCH)
    for n, length in enumerate(BATCH.lengths):
        alone = BATCH.tokens[:length, [n]]
        logits, cache = classifier_forward(classifier, alone, np.array([length]))
        dlogits = 1 / (1 + np.exp(-logits)) - BATCH.labels[n]
        gradients = classifier_backward(dlogits, cache)
        dx_norms = np.linalg.norm(gradients.dxs[:, 0], axis=1)
        steps = -(-length // bag_size)  # a bag that is not full is a step too
        assert len(dx_norms) == steps
        np.testing.assert_allclose(norms.x[:steps, n], dx_norms[::-1], rtol=1e-12)
        np.testing.assert_allclose(norms.h[:steps, n], gradients.dh_norms[::-1, 0], rtol=1e-12)
        if model == "lstm":
            np.testing.assert_allclose(norms.c[:steps, n], gradients.dc_norms[::-1, 0], rtol=1e-12)
        assert np.isnan(norms.x[steps:, n]).all()
    assert (norms.c is None) == (model == "rnn")


def test_the_weights_of_the_reviews_do_not_change_their_norms():
    classifier = Classifier(parameters_of("lstm"), 1, "last")
    heavy = BATCH._replace(weights=np.array([0.1, 5.0, 2.0]))
    np.testing.assert_array_equal(record(classifier, heavy).x, record(classifier, BATCH).x)


def test_of_several_classes_the_loss_is_that_of_each_reviews_own_class():
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((7, 3))
    parameters = init_classifier("rnn", vectors, 4, readout="last", rng=rng, n_classes=3)
    classifier = Classifier(parameters, 1, "last")
    batch = BATCH._replace(labels=np.array([2, 0, 1]))
    logits, cache = classifier_forward(classifier, batch.tokens, batch.lengths)
    shares = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    gradients = classifier_backward(shares - np.eye(3)[batch.labels], cache)
    np.testing.assert_allclose(
        record(classifier, batch).h, from_the_end(gradients.dh_norms, batch.lengths), rtol=1e-12
    )


def test_norms_are_recorded_in_float64_whatever_the_parameters_are():
    single = record(Classifier(parameters_of("lstm"), 1, "last"), BATCH)
    double = record(Classifier(parameters_of("lstm", np.float64), 1, "last"), BATCH)
    assert single.x.dtype == np.float64
    np.testing.assert_allclose(single.x, double.x, rtol=1e-4)  # the weights alone were rounded


def test_gradients_of_another_kind_are_recorded_as_they_are():
    """With the carousel alone the gradient in c is multiplied by the forget gates, and no more."""
    parameters = parameters_of("lstm", np.float64)
    forget = slice(4, 8)
    parameters["W_x"][forget] = parameters["W_h"][forget] = 0
    parameters["b"][forget] = np.log(3)  # f = 3/4
    norms = record(Classifier(parameters, 1, "last"), BATCH, carousel_only)
    for n, steps in enumerate(BATCH.lengths):
        c = norms.c[:steps, n]
        np.testing.assert_allclose(c, c[0] * 0.75 ** np.arange(steps), rtol=1e-12)
    assert not norms.h[1, :].any()


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


def test_the_decay_is_that_of_the_median_review():
    distance = np.arange(20.0)[:, np.newaxis]
    norms = np.array([1.0, 2.0, 1e3]) * np.array([0.5, 0.5, 0.9]) ** distance
    assert decay_per_step(norms) == pytest.approx(0.5, rel=1e-12)
    norms[5:, 0] = np.nan  # a short review; of two reviews the median is the mean
    norms[5:, 2] = np.nan
    assert decay_per_step(norms) == pytest.approx(0.5, rel=1e-12)


def test_distances_without_a_gradient_are_left_out_and_not_closed_up():
    norms = np.array([1.0, 0.0, 0.25, 0.0, 0.0625])[:, np.newaxis]
    assert decay_per_step(norms) == pytest.approx(0.5, rel=1e-12)


def test_the_decay_is_fitted_to_all_distances():
    # Of 0, 1, 2 the slope of the logarithms 0, 2, 1 is 1/2, through the first and last too; of
    # 0, 3, 0, 0 it is -0.3, and through the first and last 0.
    assert decay_per_step(np.exp([[0.0], [2], [1]])) == pytest.approx(np.exp(0.5))
    assert decay_per_step(np.exp([[0.0], [3], [0], [0]])) == pytest.approx(np.exp(-0.3))


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


@pytest.mark.parametrize("lag", [0, -1, 6, 2.0])
def test_a_lag_must_leave_a_step_before_it(lag):
    one = Classifier(a_classifier("rnn", 6), 1, "last")
    with pytest.raises(ValueError, match="`lag` must be a whole number in 1 … 5"):
        jacobian_singular_values(one, words(6), lag)
    assert len(jacobian_singular_values(one, words(6), 5)) == 4


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


@pytest.mark.parametrize("eigenvalue", [-0.75, 0.75j])
def test_the_spectral_radius_is_the_largest_size_of_an_eigenvalue(eigenvalue):
    parameters = a_classifier("rnn", 3)
    a, b = eigenvalue.real, eigenvalue.imag
    parameters["W_h"][:] = 0
    parameters["W_h"][:2, :2] = [[a, -b], [b, a]]
    parameters["W_h"][2, 2] = 0.25
    theory = diagnose(Classifier(parameters, 1, "last"), words(3))
    assert theory.spectral_radius == pytest.approx(0.75)


def test_the_jacobian_of_an_lstm_is_that_of_both_its_states():
    T, lag = 6, 2
    parameters = a_classifier("lstm", T)
    for name in ("W_x", "W_h"):
        parameters[name] *= 2
    params = cell_of(parameters)
    # Of the first review; the second has other words.
    tokens = np.stack([np.arange(T), np.arange(T)[::-1]], axis=1)
    batch = Batch(tokens, np.array([T, T]), np.array([1, 0]), np.ones(2))
    xs = parameters["embedding"][:, np.newaxis]
    before = lstm_forward(xs[: T - lag], params)

    def last(state):
        h, c = np.split(state[np.newaxis], 2, axis=1)
        out = lstm_forward(
            xs[T - lag :], params, h0=np.ascontiguousarray(h), c0=np.ascontiguousarray(c)
        )
        return np.concatenate([out.h_T[0], out.c_T[0]])

    state = np.concatenate([before.h_T[0], before.c_T[0]])
    steps = 1e-5 * np.eye(8)
    jacobian = np.stack([(last(state + d) - last(state - d)) / 2e-5 for d in steps], axis=1)
    np.testing.assert_allclose(
        jacobian_singular_values(Classifier(parameters, 1, "last"), batch, lag),
        np.linalg.svd(jacobian, compute_uv=False),
        atol=1e-9,
    )


def without_inputs(model, b, T=4):
    """A cell whose gates depend on its bias alone."""
    H = len(b) // (4 if model == "lstm" else 1)
    zeros = {"W_x": np.zeros((len(b), 3)), "W_h": np.zeros((len(b), H))}
    read_out = {"W_out": np.ones((1, H)), "b_out": np.zeros(1)}
    parameters = {"embedding": np.ones((T, 3)), **zeros, "b": np.array(b), **read_out}
    return Classifier(parameters, 1, "last")


def logit(share):
    return np.log(share / (1 - share))


def test_a_state_is_saturated_near_one_and_near_minus_one():
    states = [-0.99, 0.96, 0.94, -0.94, 0.0]
    inner = diagnose(without_inputs("rnn", np.arctanh(states)), words(4))
    assert inner.saturated == pytest.approx(2 / 5)
    assert inner.forget_product is None


def test_a_gate_is_saturated_near_zero_and_near_one_and_the_candidate_is_no_gate():
    gates = {"i": [0.04, 0.5], "f": [0.96, 0.94], "o": [0.06, 0.97]}
    i, f, o = (logit(np.array(gates[name])) for name in "ifo")
    inner = diagnose(without_inputs("lstm", [*i, *f, 9.0, -9.0, *o]), words(4))
    assert inner.saturated == pytest.approx(3 / 6)


def test_the_forget_product_is_averaged_over_units_and_reviews_after_multiplying():
    T = 4
    classifier = without_inputs("lstm", [0.0] * 8, T)
    # Unit 0 forgets by the word's first number, unit 1 not at all in effect.
    shares = np.array([0.9, 0.2, 0.5, 0.7])
    classifier.parameters["embedding"][:, 0] = logit(shares)
    classifier.parameters["W_x"][2, 0] = 1.0
    classifier.parameters["b"][3] = 40.0
    tokens = np.array([[0, 3], [1, 2], [2, 1], [3, 0]])
    batch = Batch(tokens, np.array([T, T]), np.array([1, 0]), np.ones(2))
    one, other = shares[tokens[::-1].T]  # from the last word on
    products = [(one[:k].prod() + other[:k].prod() + 1 + 1) / 4 for k in range(T)]
    np.testing.assert_allclose(diagnose(classifier, batch).forget_product, products, rtol=1e-12)


def test_the_lstms_spectrum_is_that_of_the_candidates_block():
    classifier = without_inputs("lstm", [0.0] * 8)
    W_h = classifier.parameters["W_h"]
    for gate, size in enumerate((5.0, 7.0, 0.5, 9.0)):  # i, f, the candidate, o
        W_h[2 * gate : 2 * gate + 2] = size * np.array([[0.0, 4.0], [1.0, 0.0]])
    inner = diagnose(classifier, words(4))
    assert inner.spectral_radius == pytest.approx(0.5 * 2)  # eigenvalues 2 and -2
    assert inner.largest_singular_value == pytest.approx(0.5 * 4)
