"""The estimator among scikit-learn's own tools and checks."""

import inspect
import pickle
import warnings

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

import numpy_lstm as nl
from numpy_lstm.estimator import SETTING_OF
from numpy_lstm.estimator_defaults import fill_in
from numpy_lstm.settings import Settings
from numpy_lstm.weights import load_weights, save_weights

TINY = {
    **{"hidden_size": 8, "vector_size": 8, "bag_size": 1, "batch_size": 16, "dropout": 0.0},
    **{"max_iter": 20, "learning_rate_init": 0.05, "n_iter_no_change": 0, "random_state": 0},
    **{"readout": "last", "max_features": 30_000},
}
# BLAS rounds a text's numbers according to its place in the batch: in float64 that moves its score
# by 1e-15, in float32 it would move it by 1e-7.
ROUNDING = 1e-12
rng = np.random.default_rng(0)
LABELS = np.array(["down", "up"])[rng.integers(0, 2, 80)]


def text(label):
    """Five words, of which one, anywhere, tells the label."""
    words = rng.choice(["film", "plot", "music", "the", "a"], 5)
    words[rng.integers(5)] = "good" if label == "up" else "bad"
    return " ".join(words)


TEXTS = [text(label) for label in LABELS]


@pytest.fixture(scope="module")
def fitted():
    return nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)


def as_texts(X):
    """A word for each number: its column and its size, in steps of a half."""
    steps = np.floor(2 * np.clip(np.asarray(X, float), -20, 20)).astype(int) + 40
    return [" ".join(f"column{c}size{k}" for c, k in enumerate(row)) for row in steps]


class OfNumbers(nl.ReviewClassifier):
    """The classifier on tables of numbers, written out as words.

    scikit-learn makes one check only of an estimator that takes no tables; this is how the other
    sixty are brought to bear on it.
    """

    def fit(self, X, y, sample_weight=None):
        if y is not None:
            X, y = validate_data(self, X, y)
        return super().fit(as_texts(X), y, sample_weight)

    def decision_function(self, X):
        check_is_fitted(self)
        return super().decision_function(as_texts(validate_data(self, X, reset=False)))

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.two_d_array, tags.input_tags.string = True, False
        return tags


EXPECTED_TO_FAIL = {
    "check_sample_weight_equivalence_on_dense_data": (
        "A weight of 2 equals a text that is there twice in expectation only: the part set aside"
        " and the batches are drawn at random."
    ),
    "check_class_weight_classifiers": (
        "The labels are noise, and the check wants the heavy class everywhere; a network learns its"
        " training texts by heart, and then a word of the light class is never weighed against it."
    ),
}


@pytest.mark.filterwarnings("ignore")  # skipped checks, and texts without a known word
def test_scikit_learns_checks_pass():
    assert [check["status"] for check in check_estimator(nl.ReviewClassifier())] == ["passed"]
    estimator = OfNumbers(**{**TINY, "max_iter": 6})
    checks = check_estimator(estimator, expected_failed_checks=EXPECTED_TO_FAIL)
    statuses = [check["status"] for check in checks]
    assert statuses.count("passed") >= 50
    assert statuses.count("xfail") == len(EXPECTED_TO_FAIL)


def test_any_two_labels_are_learned(fitted):
    assert fitted.classes_.tolist() == ["down", "up"]
    assert fitted.score(TEXTS, LABELS) == 1.0
    for one, other in ((0, 1), (7, -3), (False, True)):
        y = np.where(LABELS == "up", other, one)
        classifier = nl.ReviewClassifier(**TINY).fit(TEXTS, y)
        assert classifier.classes_.tolist() == sorted([one, other])
        assert classifier.score(TEXTS, y) == 1.0


def test_what_is_returned_agrees(fitted):
    logits = fitted.decision_function(TEXTS)
    probabilities = fitted.predict_proba(TEXTS)
    assert logits.shape == (80,)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    np.testing.assert_allclose(probabilities[:, 1], 1 / (1 + np.exp(-logits)))
    np.testing.assert_array_equal(fitted.predict(TEXTS), fitted.classes_[(logits > 0) * 1])
    assert fitted.n_iter_ == len(fitted.loss_curve_) == len(fitted.validation_scores_) == 20


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_a_score_does_not_depend_on_the_texts_beside_it(cell):
    rng = np.random.default_rng(1)
    texts = [" ".join(rng.choice(TEXTS, n)) for n in range(1, 41)]
    classifier = nl.ReviewClassifier(**{**TINY, "max_iter": 3}, cell=cell).fit(TEXTS, LABELS)
    alone = np.concatenate([classifier.decision_function([text]) for text in texts])
    for _ in range(30):
        chosen = rng.permutation(len(texts))[: rng.integers(1, len(texts) + 1)]
        beside_others = classifier.decision_function([texts[k] for k in chosen])
        np.testing.assert_allclose(beside_others, alone[chosen], rtol=0, atol=ROUNDING)


def test_the_same_random_state_gives_the_same_bits(fitted):
    again = nl.ReviewClassifier(**TINY).fit(iter(TEXTS), list(LABELS))
    other = nl.ReviewClassifier(**{**TINY, "random_state": 1}).fit(TEXTS, LABELS)
    logits = fitted.decision_function(TEXTS)
    np.testing.assert_array_equal(again.decision_function(TEXTS), logits)
    assert (other.decision_function(TEXTS) != logits).any()


def test_it_clones_pickles_and_dumps(fitted, tmp_path):
    assert clone(fitted).get_params() == fitted.get_params()
    joblib.dump(fitted, tmp_path / "classifier")
    for copy in (pickle.loads(pickle.dumps(fitted)), joblib.load(tmp_path / "classifier")):
        np.testing.assert_array_equal(copy.predict_proba(TEXTS), fitted.predict_proba(TEXTS))


def test_it_works_in_pipelines_searches_and_cross_validation():
    lower = FunctionTransformer(lambda texts: [text.lower() for text in texts])
    pipeline = make_pipeline(lower, nl.ReviewClassifier(**TINY))
    assert cross_val_score(pipeline, TEXTS, LABELS, cv=3).min() > 0.9
    grid = {"reviewclassifier__hidden_size": np.array([2, 4])}
    search = GridSearchCV(pipeline, grid, cv=2).fit(TEXTS, LABELS)
    assert search.best_score_ > 0.9


def test_weights_decide_what_is_learned():
    """Each text stands there with both labels; whichever counts for more is believed."""
    texts, labels = TEXTS * 2, np.concatenate([LABELS, np.where(LABELS == "up", "down", "up")])
    for first, wanted in ((9.0, 1.0), (1.0, 0.0)):
        weights = np.repeat([first, 10 - first], 80)
        classifier = nl.ReviewClassifier(**TINY).fit(texts, labels, sample_weight=weights)
        assert classifier.score(TEXTS, LABELS) == wanted


def test_a_text_of_no_weight_might_as_well_not_be_there(fitted):
    texts, labels = [*TEXTS, "unheard of"], [*LABELS, "up"]
    classifier = nl.ReviewClassifier(**TINY).fit(texts, labels, np.repeat([2.0, 0.0], [80, 1]))
    np.testing.assert_array_equal(
        classifier.decision_function(TEXTS), fitted.decision_function(TEXTS)
    )


def test_its_weights_are_saved_and_loaded(fitted, tmp_path):
    save_weights(tmp_path / "weights.npz", fitted.weights_)
    loaded = load_weights(tmp_path / "weights.npz")
    assert loaded.settings == fitted.weights_.settings


def test_nothing_is_kept_in_the_users_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path))
    nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)
    assert list(tmp_path.iterdir()) == []


def test_verbose_shows_a_bar_and_a_line_for_each_pass(capsys):
    nl.ReviewClassifier(**{**TINY, "max_iter": 2}, verbose=1).fit(TEXTS, LABELS)
    shown = capsys.readouterr()
    assert shown.out.count("validation loss") == 2
    assert "100%" in shown.err
    nl.ReviewClassifier(**TINY).fit(TEXTS, LABELS)
    assert capsys.readouterr() == ("", "")


def test_defaults_are_those_of_the_command_line_from_ten_thousand_texts_on():
    defaults = nl.ReviewClassifier().get_params()
    given = {setting: defaults[name] for name, setting in SETTING_OF.items()}
    for n_texts, n_unlabeled in ((10_000, 0), (25_000, 0), (25_000, 50_000), (10**7, 0)):
        settings = Settings(**fill_in(given, n_texts, n_unlabeled))
        assert settings == Settings()
    documented = inspect.getdoc(nl.ReviewClassifier)
    assert all(f"\n{name} : " in documented for name in defaults if name != "batch_size")


@pytest.mark.parametrize("method", ["predict", "predict_proba", "decision_function"])
def test_before_it_is_fitted_it_says_so(method):
    with pytest.raises(NotFittedError, match="is not fitted yet"):
        getattr(nl.ReviewClassifier(), method)(TEXTS)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"cell": "gru"}, "The 'cell' parameter of ReviewClassifier must be 'lstm' or 'rnn'"),
        ({"max_iter": 0}, "The 'max_iter' parameter of .* at least 1. Got 0 instead"),
        ({"learning_rate_init": "fast"}, "'learning_rate_init' .* a number. Got 'fast'"),
        ({"max_features": 2}, "'max_features' .* at least 3"),
        ({"readout": "first"}, "'readout' .* one of last, mean, max, meanmax"),
        ({"validation_fraction": 1.0}, "'validation_fraction' .* between 0 and 1"),
    ],
)
def test_a_wrong_parameter_is_named_when_fitting(changes, message):
    with pytest.raises(ValueError, match=message):
        nl.ReviewClassifier(**{**TINY, **changes}).fit(TEXTS, LABELS)


def test_texts_without_a_known_word_are_answered_with_a_warning(fitted):
    with pytest.warns(UserWarning, match="2 of 3 texts hold no word"):
        answers = fitted.decision_function(["", "Quux", "good film"])
    assert answers[0] == pytest.approx(answers[1], rel=0, abs=ROUNDING)
    assert answers[2] != pytest.approx(answers[1], rel=0, abs=0.1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        fitted.predict(["good", "bad and unheard of"])
