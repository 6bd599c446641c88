"""The estimator with the texts and labels that practitioners have."""

import json
from pathlib import Path

import numpy as np
import pytest

import numpy_lstm as nl
from numpy_lstm.predict.__main__ import main
from numpy_lstm.weights import load_weights, save_weights

TINY = {
    **{"hidden_size": 8, "vector_size": 8, "bag_size": 1, "batch_size": 16, "dropout": 0.0},
    **{"max_iter": 20, "learning_rate_init": 0.05, "n_iter_no_change": 0, "random_state": 0},
}
WORDS = {"ham": "lunch", "spam": "money", "work": "report"}


def texts_of(labels):
    return [f"a word about {WORDS[label]}" for label in labels]


MAIL = list(WORDS) * 15
GOOD = ["a great film", "an awful film"] * 20


@pytest.fixture(scope="module")
def mail():
    return nl.ReviewClassifier(**TINY).fit(texts_of(MAIL), MAIL)


@pytest.fixture(scope="module")
def films():
    return nl.ReviewClassifier(**TINY).fit(GOOD, ["good", "poor"] * 20)


def output(capsys, *arguments):
    assert main([str(each) for each in arguments]) == 0
    return capsys.readouterr().out.splitlines()


def test_the_command_names_the_classes_that_were_fitted(films, tmp_path, capsys):
    save_weights(str(tmp_path / "films.npz"), films.weights_)
    lines = output(capsys, "--weights", tmp_path / "films.npz", "a great film", "an awful film")
    assert (
        [line.split()[0] for line in lines] == films.predict(GOOD[:2]).tolist() == ["good", "poor"]
    )
    probability = films.predict_proba(GOOD[:1])[0, 1]
    assert lines[0] == f"good  P(poor) = {probability:.4f}  a great film"


@pytest.mark.parametrize("classes", [(0, 1), (-1, 1), (False, True), (1.5, 2.5), ("", "b")])
def test_labels_of_any_plain_kind_are_saved_as_they_are(films, tmp_path, classes):
    path = tmp_path / "labels.npz"
    save_weights(path, films.weights_._replace(classes=classes))
    assert load_weights(path).classes == classes
    assert list(map(type, load_weights(path).classes)) == list(map(type, classes))


@pytest.mark.parametrize(
    "classes", [("a",), ("a", "a"), ("a", None), (b"a", b"b"), ("a", "b", "c")]
)
def test_classes_that_do_not_fit_the_weights_are_refused(films, tmp_path, classes):
    with pytest.raises(ValueError, match="`weights` cannot be saved: "):
        save_weights(tmp_path / "labels.npz", films.weights_._replace(classes=classes))


def as_an_earlier_version_wrote_it(path: Path, dataset: str) -> None:
    with np.load(path) as file:
        arrays = dict(file)
    about = json.loads(str(arrays["about"]))
    del about["classes"]
    about |= {"format": 1, "dataset": dataset}
    np.savez(path, **{**arrays, "about": np.array(json.dumps(about))})


@pytest.mark.parametrize(
    ("dataset", "classes"), [("imdb", ("negative", "positive")), ("", ("class 0", "class 1"))]
)
def test_a_file_of_an_earlier_version_claims_no_names_it_does_not_know(
    films, tmp_path, dataset, classes
):
    path = tmp_path / "old.npz"
    save_weights(path, films.weights_)
    as_an_earlier_version_wrote_it(path, dataset)
    assert load_weights(path).classes == classes


def test_more_than_two_classes_are_fitted_scored_and_saved(mail, tmp_path, capsys):
    texts = texts_of(WORDS)
    assert mail.classes_.tolist() == list(WORDS)
    assert mail.predict(texts).tolist() == list(WORDS)
    probabilities = mail.predict_proba(texts)
    assert probabilities.shape == mail.decision_function(texts).shape == (3, 3)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1)
    save_weights(tmp_path / "mail.npz", mail.weights_)
    lines = output(capsys, "--weights", tmp_path / "mail.npz", "--json", *texts)
    results = [json.loads(line) for line in lines]
    assert [result["label"] for result in results] == list(WORDS)
    found = [list(result["probabilities"].values()) for result in results]
    np.testing.assert_allclose(found, probabilities, rtol=1e-9)
    assert list(results[0]["probabilities"]) == list(WORDS)


def test_words_are_explained_for_the_label_of_many(mail, tmp_path, capsys):
    save_weights(tmp_path / "mail.npz", mail.weights_)
    page = tmp_path / "page.html"
    how = ("--weights", tmp_path / "mail.npz", "--explain", "--html", page)
    lines = output(capsys, *how, *texts_of(["spam"]))
    assert lines[0].startswith("spam  P(spam) = ")
    assert lines[2].startswith("  towards spam: money +")
    assert lines[3].startswith("  towards the other classes: ")
    assert "<h2>spam, P(spam) = " in page.read_text(encoding="utf-8")


def test_two_hundred_classes_are_not_too_many():
    labels = np.repeat(np.arange(200), 2)
    texts = [f"text {label}" for label in labels]
    fitted = nl.ReviewClassifier(**{**TINY, "max_iter": 1}).fit(texts, labels)
    assert fitted.predict_proba(texts).shape == (400, 200)
    assert set(fitted.predict(texts)) <= set(range(200))


def test_balanced_classes_weigh_a_rare_class_more():
    texts = ["a word about lunch"] * 40 + ["a word about money"] * 4
    labels = ["ham"] * 40 + ["spam"] * 4
    how = {**TINY, "max_iter": 1, "learning_rate_init": 1e-3}
    plain = nl.ReviewClassifier(**how).fit(texts, labels)
    weights = {"ham": 44 / 80, "spam": 44 / 8}
    balanced = nl.ReviewClassifier(**how, class_weight="balanced").fit(texts, labels)
    by_hand = nl.ReviewClassifier(**how, class_weight=weights).fit(texts, labels)
    by_text = nl.ReviewClassifier(**how).fit(texts, labels, [weights[label] for label in labels])
    assert (balanced.predict_proba(texts)[:, 1] > plain.predict_proba(texts)[:, 1]).all()
    for other in (by_hand, by_text):
        np.testing.assert_array_equal(other.predict_proba(texts), balanced.predict_proba(texts))


@pytest.mark.parametrize("texts", [set(GOOD), frozenset(GOOD), dict.fromkeys(GOOD, 1)])
def test_texts_without_an_order_are_refused(films, texts):
    with pytest.raises(ValueError, match="must have an order"):
        nl.ReviewClassifier(**TINY).fit(texts, ["good", "poor"])
    with pytest.raises(ValueError, match="must have an order"):
        films.predict(texts)
