"""What each word added to the logit: complete, in its place, and nothing where nothing is."""

import numpy as np
import pytest

from numpy_lstm.classifier import Classifier, classifier_forward, init_classifier
from numpy_lstm.losses import class_probabilities
from numpy_lstm.predict.integrated_gradients import explain

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
