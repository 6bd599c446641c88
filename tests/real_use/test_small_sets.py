"""The estimator with few texts, and with texts that have no label."""

import warnings

import numpy as np
import pytest
import sklearn
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

import numpy_lstm as nl
from numpy_lstm.estimator import SETTING_OF
from numpy_lstm.settings import Settings

TINY = {"hidden_size": 8, "vector_size": 8, "max_iter": 1, "random_state": 0}
JOB = {name: getattr(Settings, setting) for name, setting in SETTING_OF.items()}


def written(n, seed):
    """Texts of forty words: one of them is a sign of the label, most of the others are rare."""
    rng = np.random.default_rng(seed)
    labels = np.arange(n) % 2
    texts = []
    for label in labels:
        words = [f"word{k}" for k in rng.zipf(1.3, 40) % 5_000]
        words[rng.integers(40)] = f"sign{label}{rng.integers(10)}"
        texts.append(" ".join(words))
    return texts, labels


TEXTS, LABELS = written(600, seed=0)
MORE, _ = written(100, seed=1)


@pytest.fixture(scope="module")
def plain():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)


@pytest.fixture(scope="module")
def with_more():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS, unlabeled=MORE)


def test_the_defaults_learn_from_six_hundred_texts_what_the_training_jobs_do_not():
    unseen, labels = written(400, seed=2)
    size = {"hidden_size": 32, "vector_size": 32, "random_state": 0}
    assert nl.ReviewClassifier(**size).fit(TEXTS, LABELS).score(unseen, labels) > 0.75
    as_job = nl.ReviewClassifier(**{**JOB, **size}).fit(TEXTS, LABELS)
    assert as_job.score(unseen, labels) < 0.6


def test_what_was_chosen_can_be_read_and_the_parameters_stay_as_they_were():
    classifier = nl.ReviewClassifier(**{**TINY, "max_iter": "auto"})
    before = classifier.get_params()
    settings = classifier.fit(TEXTS, LABELS).weights_.settings
    assert (settings.batch_size, settings.epochs) == (16, 10)
    assert settings.vocabulary_size == 3 * 600
    assert (settings.bag_size, settings.readout, settings.patience) == (16, "mean", 0)
    assert (settings.learning_rate, settings.dropout) == (1e-2, 0.5)
    assert classifier.get_params() == clone(classifier).get_params() == before


def test_what_is_given_is_kept_and_the_rest_is_fitted_to_it():
    given = {"batch_size": np.int64(60), "readout": "last", "n_iter_no_change": 3}
    classifier = nl.ReviewClassifier(**{**TINY, "max_iter": "auto"}, **given)
    settings = classifier.fit(TEXTS, LABELS).weights_.settings
    assert (settings.batch_size, settings.readout, settings.patience) == (60, "last", 3)
    assert settings.epochs == 36  # 320 steps, of which 540 texts are 9


def test_texts_of_no_weight_do_not_count():
    weights = np.arange(600) < 560
    classifier = nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS, sample_weight=weights)
    assert classifier.weights_.settings.vocabulary_size == 3 * 560


def test_texts_too_few_for_the_defaults_are_answered_with_a_warning():
    defaults = nl.ReviewClassifier(**{**TINY, "max_iter": "auto"})
    with pytest.warns(UserWarning, match="^40 texts are few: below 500, logistic regression"):
        defaults.fit(TEXTS[:40], LABELS[:40])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        defaults.fit(TEXTS[:500], LABELS[:500])
        nl.ReviewClassifier(**TINY).fit(TEXTS[:40], LABELS[:40])


@pytest.mark.parametrize(
    ("name", "value"), [("hidden_size", "auto"), ("max_iter", "Auto"), ("readout", ["auto"])]
)
def test_auto_is_refused_where_nothing_depends_on_the_size(name, value):
    with pytest.raises(ValueError, match=f"The '{name}' parameter of ReviewClassifier must be"):
        nl.ReviewClassifier(**{**TINY, name: value}).fit(TEXTS, LABELS)


def test_a_search_sets_auto_beside_numbers():
    grid = {"batch_size": ["auto", 32], "max_features": np.array([50, 100])}
    search = GridSearchCV(nl.ReviewClassifier(**TINY), grid, cv=2).fit(TEXTS, LABELS)
    assert len(search.cv_results_["params"]) == 4


def test_texts_without_labels_are_for_the_word_vectors_alone(plain, with_more):
    assert with_more.weights_.vocabulary.words != plain.weights_.vocabulary.words
    known = set(with_more.weights_.vocabulary.words[2:])
    assert known <= set(" ".join(TEXTS).split())
    assert with_more.weights_.settings.vocabulary_size == 3 * 700
    assert with_more.weights_.settings.batch_size == plain.weights_.settings.batch_size
    assert with_more.n_iter_ == plain.n_iter_


def test_texts_without_labels_pass_pipelines_and_searches(with_more):
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, nl.ReviewClassifier(**TINY))
    pipeline.fit(TEXTS, LABELS, reviewclassifier__unlabeled=MORE)
    wanted = with_more.decision_function(MORE)
    np.testing.assert_array_equal(pipeline.decision_function(MORE), wanted)
    search = GridSearchCV(nl.ReviewClassifier(**TINY), {"cell": ["lstm"]}, cv=2)
    search.fit(TEXTS, LABELS, unlabeled=MORE)
    np.testing.assert_array_equal(search.decision_function(MORE), wanted)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = nl.ReviewClassifier(**TINY).set_fit_request(unlabeled=True)
        assert len(cross_val_score(routed, TEXTS, LABELS, cv=2, params={"unlabeled": MORE})) == 2


@pytest.mark.parametrize("nothing", [None, [], (), np.array([], str)])
def test_no_texts_without_labels_are_as_if_none_had_been_named(plain, nothing):
    fitted = nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS, unlabeled=nothing)
    np.testing.assert_array_equal(fitted.decision_function(MORE), plain.decision_function(MORE))


@pytest.mark.parametrize(
    ("unlabeled", "message"),
    [
        ("one text", "`unlabeled`: .* string object received"),
        (set(MORE), "`unlabeled`: .* must have an order"),
        ([*MORE, None], "`unlabeled`: Text 100 must be a string; got NoneType"),
        (np.array([MORE]), "`unlabeled`: Expected 1D array"),
    ],
)
def test_what_is_no_list_of_texts_without_labels_is_refused(unlabeled, message):
    with pytest.raises(ValueError, match=message):
        nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS, unlabeled=unlabeled)


def test_words_without_labels_do_not_make_up_for_texts_without_words():
    with pytest.raises(ValueError, match="empty vocabulary"):
        nl.ReviewClassifier(**TINY).fit(["...", "-"] * 4, [0, 1] * 4, unlabeled=MORE)


@pytest.mark.filterwarnings("error")
def test_too_few_texts_are_an_error_before_they_are_a_warning():
    with pytest.raises(ValueError, match="Each class needs at least 2 texts"):
        nl.ReviewClassifier().fit(["good", "bad"], [1, 0])
    with pytest.raises(ValueError, match=r"Each class needs|at least one non-zero"):
        nl.ReviewClassifier().fit(["good", "bad"], [1, 0], sample_weight=[0, 0])
