"""What each word added to the logit: complete, in its place, and nothing where nothing is."""

from unittest import mock

import numpy as np
import pytest

from numpy_lstm.classifier import Classifier, classifier_forward, init_classifier
from numpy_lstm.losses import class_probabilities
from numpy_lstm.predict import integrated_gradients
from numpy_lstm.predict.integrated_gradients import HALVINGS, INTERVALS, explain
from numpy_lstm.predict.integrated_gradients import TOLERANCE as OF_AN_INTERVAL

TOLERANCE = 0.01  # of a logit: each of some ten intervals may be off by a tenth of that


def classifier(model, readout, seed=0, n_classes=2):
    """Parameters large enough that the gates saturate, as trained ones do."""
    rng = np.random.default_rng(seed)
    vectors = rng.standard_normal((30, 6)).astype(np.float32)
    vectors[0] = vectors[1] = 0
    parameters = init_classifier(model, vectors, 5, readout=readout, rng=rng, n_classes=n_classes)
    parameters["W_out"] *= 3
    parameters["W_x"] *= 3
    return parameters


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("readout", ["last", "mean", "max", "meanmax"])
@pytest.mark.parametrize("bag_size", [1, 4])
def test_baseline_and_contributions_add_up_to_the_logit(model, readout, bag_size):
    parameters = classifier(model, readout)
    tokens = np.random.default_rng(1).integers(2, 30, 18)
    baseline, contributions = explain(Classifier(parameters, bag_size, readout), tokens)
    logits, _ = classifier_forward(
        Classifier(parameters, bag_size, readout), tokens[:, np.newaxis], np.array([18])
    )
    assert contributions.shape == (18,)
    assert abs(contributions).max() > 10 * TOLERANCE
    assert baseline + contributions.sum() == pytest.approx(logits[0], abs=TOLERANCE)


@pytest.mark.parametrize(("n_classes", "label"), [(2, 0), (2, 1), (4, 0), (4, 3)])
def test_they_add_up_to_the_log_odds_of_the_class(n_classes, label):
    model = Classifier(classifier("lstm", "last", n_classes=n_classes), 1, "last")
    tokens = np.random.default_rng(1).integers(2, 30, 18)
    baseline, contributions = explain(model, tokens, label)
    logits, _ = classifier_forward(model, tokens[:, np.newaxis], np.array([18]))
    p = class_probabilities(logits)[0, label]
    assert baseline + contributions.sum() == pytest.approx(np.log(p / (1 - p)), abs=TOLERANCE)


def test_the_baseline_is_the_logit_of_words_that_say_nothing():
    parameters = classifier("lstm", "last")
    baseline, contributions = explain(Classifier(parameters, 1, "last"), np.ones(6, int))
    logits, _ = classifier_forward(
        Classifier(parameters, 1, "last"), np.ones((6, 1), int), np.array([6])
    )
    assert baseline == pytest.approx(logits[0], abs=1e-6)
    np.testing.assert_array_equal(contributions, 0)


def test_a_word_that_says_nothing_adds_nothing_where_it_stands():
    parameters = classifier("lstm", "last")
    tokens = np.array([5, 9, 1, 7, 1])
    contributions = explain(Classifier(parameters, 2, "last"), tokens).contributions
    np.testing.assert_array_equal(contributions == 0, tokens == 1)


def all_but_linear(bag_size, w_out=(2.0, -1.0), b_out=0.25):
    """A mean of states that are hardly bent: a word adds its share of its bag, in its direction."""
    size = 1e-6
    parameters = {
        "embedding": size * np.array([[0, 0], [0, 0], [1.0, 0], [0, 1], [3, 5], [-2, 2]]),
        "W_x": np.eye(2),
        "W_h": np.zeros((2, 2)),
        "b": np.zeros(2),
        "W_out": np.array([w_out]) / size,
        "b_out": np.array([b_out]),
    }
    return Classifier(parameters, bag_size, "mean")


@pytest.mark.parametrize(
    ("bag_size", "shares"),
    [
        (1, [1 / 5] * 5),
        (2, [1 / 6] * 4 + [1 / 3]),
        (3, [1 / 6] * 3 + [1 / 4] * 2),
        (9, [1 / 5] * 5),
    ],
)
def test_a_word_adds_its_share_of_its_bag_and_its_step(bag_size, shares):
    tokens = np.array([2, 3, 4, 2, 5])
    pulls = {2: 2.0, 3: -1.0, 4: 1.0, 5: -6.0}
    wanted = [share * pulls[word] for share, word in zip(shares, tokens.tolist(), strict=True)]
    for label, sign in ((1, 1), (0, -1)):
        baseline, contributions = explain(all_but_linear(bag_size), tokens, label)
        assert baseline == pytest.approx(sign * 0.25)
        np.testing.assert_allclose(contributions, sign * np.array(wanted), rtol=1e-6)


def test_it_is_the_integral_of_the_gradient_from_zero_to_the_words():
    """A state that is tanh of a word: along the line its slope is integrated to tanh itself."""
    parameters = {
        "embedding": np.array([[0.0, 0], [0, 0], [3.0, -1.0]]),
        "W_x": np.array([[1.0, 2.0]]),
        "W_h": np.zeros((1, 1)),
        "b": np.array([0.5]),
        "W_out": np.array([[4.0]]),
        "b_out": np.array([-1.0]),
    }
    baseline, [contribution] = explain(Classifier(parameters, 1, "last"), np.array([2]))
    assert baseline == pytest.approx(4 * np.tanh(0.5) - 1)
    assert contribution == pytest.approx(4 * (np.tanh(1.5) - np.tanh(0.5)), abs=1e-6)


def test_an_interval_that_is_not_exact_is_halved_until_it_is():
    """A step of the logit, steep enough that eight intervals miss it."""
    parameters = {
        "embedding": np.array([[0.0], [0], [1.0]]),
        "W_x": np.array([[400.0]]),
        "W_h": np.zeros((1, 1)),
        "b": np.array([-130.0]),
        "W_out": np.array([[5.0]]),
        "b_out": np.zeros(1),
    }
    classifier = Classifier(parameters, 1, "last")
    along = integrated_gradients._along_the_line
    with mock.patch.object(integrated_gradients, "_along_the_line", side_effect=along) as points:
        _, [contribution] = explain(classifier, np.array([2]))
    assert contribution == pytest.approx(10, abs=2e-3)
    asked = [len(call.args[2]) for call in points.call_args_list]
    assert asked[0] == 6 * INTERVALS  # both ends of each, and four points between
    assert 3 <= len(asked) <= HALVINGS + 1
    assert all(n <= 6 * 4 for n in asked[1:])  # only what is not exact is halved


def test_a_residual_is_left_where_halving_does_not_help():
    """So steep that nine halvings do not find the step: the sum falls short, and it ends."""
    parameters = dict(all_but_linear(1).parameters)
    parameters |= {"embedding": np.array([[0.0, 0], [0, 0], [1, 0]]), "W_x": 1e9 * np.eye(2)}
    parameters |= {"b": np.array([-0.3e9, 0.0]), "W_out": np.array([[5.0, 0.0]])}
    along = integrated_gradients._along_the_line
    with mock.patch.object(integrated_gradients, "_along_the_line", side_effect=along) as points:
        _, [contribution] = explain(Classifier(parameters, 1, "last"), np.array([2]))
    assert len(points.call_args_list) == HALVINGS + 1
    assert abs(contribution) < 9


def test_the_accuracy_is_what_the_module_says():
    assert (INTERVALS, HALVINGS, OF_AN_INTERVAL) == (8, 9, 1e-3)
