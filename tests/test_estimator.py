"""The estimator among scikit-learn's own tools and checks."""

import inspect
import pickle
import warnings
from itertools import pairwise
from typing import Any
from unittest import mock

import joblib
import numpy as np
import pytest
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer
from sklearn.utils import get_tags
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted, validate_data

import numpy_lstm as nl
from numpy_lstm import estimator
from numpy_lstm.classifier import init_classifier
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.estimator import SETTING_OF
from numpy_lstm.estimator_defaults import fill_in
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.weights import Weights, load_weights, save_weights

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


def test_tools_are_told_that_it_takes_texts_and_no_tables():
    inputs = get_tags(nl.ReviewClassifier()).input_tags
    assert inputs.string and not inputs.two_d_array


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


@pytest.mark.slow
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


def test_verbose_shows_a_bar_and_a_line_for_each_pass(capsys, monkeypatch):
    monkeypatch.delenv("COLUMNS", raising=False)  # which a shell, or readline, may set
    nl.ReviewClassifier(**{**TINY, "max_iter": 2}, verbose=1).fit(TEXTS, LABELS)
    shown = capsys.readouterr()
    assert shown.out.count("validation loss") == 2
    assert "LSTM epoch 2/2 |██████████| 00:00 left" in shown.err
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


# --- what is handed to the training, and what is kept of it; nothing is trained here -------------

FOUR = ["a good film", "the bad music", "good plot", "a bad bad plot"]
FRUIT = ["pear", "fig", "pear", "fig"]


class Trained(Exception):
    """Stops a fit where the training would start."""


def given_to_training(
    texts: list[str] = FOUR * 5, labels: Any = FRUIT * 5, weights: Any = None, **parameters: Any
) -> tuple[TrainingState, Any, Settings]:
    with (
        mock.patch.object(estimator, "train", side_effect=Trained) as train,
        pytest.raises(Trained),
    ):
        nl.ReviewClassifier(**{**TINY, **parameters}).fit(texts, labels, weights)
    return train.call_args.args  # type: ignore[no-any-return]


def by_text(
    texts: list[str] = FOUR * 5, labels: Any = FRUIT * 5, weights: Any = None, **parameters: Any
) -> dict[str, list[tuple[int, float]]]:
    """Label and weight of each text, of the training and the validation part together."""
    vocabularies: list[Any] = []
    prepare = estimator.prepare

    def prepared(*arguments: Any, **how: Any) -> Any:
        result = prepare(*arguments, **how)
        vocabularies.append(np.array(result.vocabulary.words))
        return result

    with mock.patch.object(estimator, "prepare", prepared):
        splits = given_to_training(texts, labels, weights, **parameters)[1]
    found: dict[str, list[tuple[int, float]]] = {}
    for part in splits[:2]:
        rows = zip(pairwise(part.starts), part.labels, part.weights, strict=True)
        for (start, end), label, weight in rows:
            text = " ".join(vocabularies[0][part.tokens[start:end]])
            found.setdefault(text, []).append((int(label), float(weight)))
    return found


def test_every_parameter_becomes_its_setting() -> None:
    given = {
        **{"hidden_size": 3, "bag_size": 5, "readout": "meanmax", "max_length": 2},
        **{"max_features": 6, "vector_size": 7, "dropout": 0.25, "learning_rate_init": 0.125},
        **{"batch_size": 9, "max_iter": 11, "n_iter_no_change": 13, "validation_fraction": 0.3},
    }
    assert given.keys() == SETTING_OF.keys()
    state, splits, settings = given_to_training(**given, cell="rnn")
    assert {name: getattr(settings, of) for name, of in SETTING_OF.items()} == given
    assert SETTING_OF["max_iter"] == "epochs"
    assert SETTING_OF["n_iter_no_change"] == "patience"
    assert state.parameters["W_x"].shape == (3, 7)
    assert state.parameters["W_out"].shape == (1, 6)
    assert len(state.parameters["embedding"]) == 6
    assert splits.train.lengths.max() == 2
    assert len(splits.validation.labels) == 6


def test_a_parameter_of_zero_stays_zero() -> None:
    settings = given_to_training(dropout=0.0, n_iter_no_change=0, random_state=0)[2]
    assert (settings.dropout, settings.patience) == (0.0, 0)


def test_numbers_of_numpy_become_plain_ones() -> None:
    settings = given_to_training(hidden_size=np.int64(3), dropout=np.float64(0.5))[2]
    assert (type(settings.hidden_size), type(settings.dropout)) == (int, float)
    assert (settings.hidden_size, settings.dropout, settings.probes) == (3, 0.5, 1)


def test_weights_below_zero_are_refused() -> None:
    with pytest.raises(ValueError, match="Negative values"):
        nl.ReviewClassifier(**TINY).fit(FOUR, FRUIT, [1.0, 1.0, -1.0, 1.0])


@pytest.mark.parametrize(("cell", "rows"), [("rnn", 8), ("lstm", 32)])
def test_the_cell_is_the_one_asked_for(cell: str, rows: int) -> None:
    assert given_to_training(cell=cell)[0].parameters["W_x"].shape == (rows, 8)


def test_every_text_keeps_its_own_label_and_weight() -> None:
    found = by_text(weights=[1.0, 2.0, 3.0, 2.0] * 5)
    assert found == {
        "a good film": [(1, 0.5)] * 5,
        "the bad music": [(0, 1.0)] * 5,
        "good plot": [(1, 1.5)] * 5,
        "a bad bad plot": [(0, 1.0)] * 5,
    }
    assert {w for rows in by_text().values() for _, w in rows} == {1.0}


def test_a_class_weight_multiplies_the_weights_of_its_texts() -> None:
    def weights_of(labels: list[str], **how: Any) -> list[float]:
        found = by_text(labels=labels * 5, **how)
        return [found[text][0][1] for text in FOUR]

    given = weights_of(FRUIT, weights=[1.0, 2.0, 3.0, 2.0] * 5, class_weight={"pear": 2, "fig": 1})
    np.testing.assert_allclose(given, np.array([2, 2, 6, 2]) / 3)
    balanced = weights_of(["pear", "fig", "pear", "pear"], class_weight="balanced")
    np.testing.assert_allclose(balanced, [2 / 3, 2, 2 / 3, 2 / 3])


def test_texts_of_weight_zero_are_not_read() -> None:
    found = by_text(weights=[1.0, 1.0, 0.0, 1.0] * 5)
    assert set(found) == {"a good film", "the bad music", "a bad bad plot"}


def test_all_texts_are_trained_or_validated_on_and_none_is_tested() -> None:
    _, splits, _ = given_to_training(validation_fraction=0.2)
    assert [len(part.labels) for part in splits] == [16, 4, 0]
    assert np.bincount(splits.validation.labels).tolist() == [2, 2]


def test_unlabeled_texts_are_for_the_word_vectors_alone() -> None:
    def fit(unlabeled: Any) -> tuple[TrainingState, Any, Settings]:
        with (
            mock.patch.object(estimator, "train", side_effect=Trained) as train,
            pytest.raises(Trained),
        ):
            nl.ReviewClassifier(**TINY).fit(FOUR * 5, FRUIT * 5, unlabeled=unlabeled)
        return train.call_args.args  # type: ignore[no-any-return]

    without, splits, _ = fit(None)
    further, others, _ = fit(["a film a plot a film a plot new"] * 9)
    assert (without.parameters["embedding"] != further.parameters["embedding"]).any()
    assert without.parameters["embedding"].shape == further.parameters["embedding"].shape
    for one, other in zip(splits, others, strict=True):
        assert one.labels.tolist() == other.labels.tolist()
        assert one.tokens.tolist() == other.tokens.tolist()


def test_there_is_an_output_for_each_of_more_than_two_classes() -> None:
    for n_classes, outputs in ((2, 1), (3, 3), (5, 5)):
        labels = [k % n_classes for k in range(20)]
        assert len(given_to_training(labels=labels)[0].parameters["b_out"]) == outputs


def test_the_random_state_decides_split_and_first_weights() -> None:
    def drawn(random_state: Any) -> tuple[int, bytes, bytes]:
        state, splits, settings = given_to_training(random_state=random_state)
        return settings.seed, splits.validation.tokens.tobytes(), state.parameters["W_h"].tobytes()

    results = [drawn(seed) for seed in range(3)]
    for drawings in zip(*results, strict=True):
        assert len(set(drawings)) == 3
    assert drawn(2) == drawn(np.random.RandomState(2)) == results[2]
    one = np.random.RandomState(3)
    assert drawn(one) != drawn(one)  # it moves on, as in scikit-learn
    assert drawn(None)[0] != drawn(None)[0]


def fitted_by(histories: list[tuple[float, float, float]], **parameters: Any) -> Any:
    """Fitted by a training that only writes this history, and 5 into the best parameters."""

    def train(state: TrainingState, splits: Any, settings: Settings, **_: Any) -> None:
        state.parameters["b_out"][:] = 7
        state.best_parameters["b_out"][:] = 5
        for k, (loss, val_loss, accuracy) in enumerate(histories, 1):
            state.history.append(Epoch(k, loss, val_loss, accuracy, 1.0, 1.0))
        state.epoch = len(histories)

    with mock.patch.object(estimator, "train", train):
        return nl.ReviewClassifier(**{**TINY, **parameters}).fit(FOUR * 5, FRUIT * 5)


def test_what_is_kept_are_the_best_parameters_and_what_the_epochs_were_like() -> None:
    fitted = fitted_by([(0.9, 0.8, 0.5), (0.7, 0.6, 0.75), (0.5, 0.7, 0.25)], max_length=3)
    assert fitted.weights_.parameters["b_out"].tolist() == [5]
    assert fitted.weights_.classes == ("fig", "pear")
    assert fitted.weights_.settings.max_length == 3
    assert set(fitted.weights_.vocabulary.words[2:]) == set(" ".join(FOUR).split())
    assert fitted.classes_.tolist() == ["fig", "pear"]
    assert fitted.n_iter_ == 3
    assert fitted.loss_curve_ == [0.9, 0.7, 0.5]
    assert fitted.validation_scores_ == [0.5, 0.75, 0.25]


def test_only_who_asks_sees_a_bar_and_lines() -> None:
    for verbose in (0, 1):
        with (
            mock.patch.object(estimator, "Display") as display,
            mock.patch.object(estimator, "train") as train,
        ):
            nl.ReviewClassifier(**TINY, verbose=verbose).fit(FOUR * 5, FRUIT * 5)
            state, hooks = train.call_args.args[0], train.call_args.kwargs
            assert hooks["after_step"](state, 4, 0.5, 0.75) is True
            hooks["after_epoch"](state)
        calls = display.return_value.method_calls
        wanted = [mock.call.step(state, 4, 0.5, 0.75), mock.call.epoch(state)]
        assert [call for call in calls if call in wanted] == wanted * verbose
        assert display.return_value.training.call_count == verbose


def by_hand(n_classes: int = 2) -> Any:
    """A classifier that knows three words, with weights that are drawn and not trained."""
    vectors = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    parameters = init_classifier(
        *("lstm", vectors, 3), readout="last", rng=np.random.default_rng(1), n_classes=n_classes
    )
    classifier = nl.ReviewClassifier()
    classifier.classes_ = np.array(["fig", "pear"] if n_classes == 2 else ["fig", "kiwi", "pear"])
    classifier.weights_ = Weights(
        parameters, Settings(bag_size=1, max_length=2), Vocabulary(["a", "b", "c"])
    )
    return classifier


ASKED = ["a", "b", "c", "a b", "b c", "c a", "a a", "c c a b"]


def test_two_classes_are_answered_by_the_sign_of_the_log_odds() -> None:
    classifier = by_hand()
    logits = classifier.decision_function(ASKED)
    assert logits.shape == (8,)
    assert 0 < (logits > 0).sum() < 8
    assert logits[3] == pytest.approx(logits[7], rel=1e-9)  # the last two words are read
    p = 1 / (1 + np.exp(-logits))
    np.testing.assert_allclose(classifier.predict_proba(ASKED), np.column_stack([1 - p, p]))
    assert classifier.predict(ASKED).tolist() == np.where(logits > 0, "pear", "fig").tolist()


def test_more_classes_are_answered_by_the_largest_logit() -> None:
    classifier = by_hand(3)
    logits = classifier.decision_function(ASKED)
    assert logits.shape == (8, 3)
    exp = np.exp(logits)
    np.testing.assert_allclose(classifier.predict_proba(ASKED), exp / exp.sum(1, keepdims=True))
    assert len(set(logits.argmax(axis=1).tolist())) > 1
    answers = np.array(["fig", "kiwi", "pear"])[logits.argmax(axis=1)]
    assert classifier.predict(ASKED).tolist() == answers.tolist()


def test_the_warning_counts_the_texts_without_a_known_word() -> None:
    with pytest.warns(UserWarning, match="2 of 4 texts hold no word"):
        by_hand().decision_function(["a x", "x", "", "a"])
    with pytest.warns(UserWarning, match="1 of 1 texts hold no word"):
        by_hand().predict(["a x x"])  # its known word is not read
