"""Which reviews each classifier of the experiment learns from; none is trained here."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.data.corpus import Corpus
from numpy_lstm.estimator import ReviewClassifier
from numpy_lstm.experiments import reviews, small_sets
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.plots import MUTED
from tests.experiments.hand_made import (
    accuracies_of,
    color_of,
    drawn,
    labelled,
    points,
    reviews_of,
    tick_labels,
    trials,
)
from tests.on_record import contents, prose

CONDITIONS = small_sets.conditions(False)
WORDS = [f"word{k}" for k in range(90)]  # a review is one word, by which it is known
CORPUS = Corpus(
    "imdb",
    WORDS,
    reviews_of([k % 2 for k in range(30)], *[[k] for k in range(30)]),
    reviews_of([k % 2 for k in range(30)], *[[k] for k in range(30, 60)]),
    reviews_of([-1] * 30, *[[k] for k in range(60, 90)]),
)


def test_each_condition_is_named_for_what_it_learns_from() -> None:
    for name, settings in CONDITIONS.items():
        which, _, change = name.partition(" but ")
        assert which == f"{settings['method']}, {settings['n']} reviews"
        own = settings.get("parameters", {})
        assert change == "".join(f"{parameter}={value}" for parameter, value in own.items())
    sizes: dict[str, list[int]] = {}
    for settings in CONDITIONS.values():
        if "parameters" not in settings:
            sizes.setdefault(settings["method"], []).append(settings["n"])
    small = [200, 500, 1000, 2000, 5000]
    assert sizes == {
        "defaults": [*small, 10_000],
        "defaults and unlabeled": small,
        "training job's settings": small,  # from 10,000 on they are the defaults
        "TF-IDF": [*small, 10_000],
    }
    assert (small_sets.TESTED, small_sets.UNLABELED) == (5_000, 10_000)  # as its page says
    alone = [s for s in CONDITIONS.values() if "parameters" in s]
    assert {(s["method"], s["n"]) for s in alone} == {("defaults", 1000)}
    assert [s["parameters"] for s in alone] == [
        {"bag_size": 4},
        {"readout": "last"},
        {"dropout": 0.3},
        {"learning_rate_init": 2e-3},
        {"batch_size": 64},
        {"max_features": 30_000},
    ]
    assert [s["n"] for s in small_sets.conditions(True).values()] == [40] * 4


def ran(seed: int = 3, quick: bool = False, **settings: Any) -> tuple[Any, dict[str, Any]]:
    """What a classifier or TF-IDF was given, and the result."""
    given: dict[str, Any] = {}

    class Kept(ReviewClassifier):  # type: ignore[misc]
        def fit(self, X: Any, y: Any, unlabeled: Any) -> Any:
            given.update(texts=X, labels=y.tolist(), unlabeled=unlabeled, **self.get_params())
            self.n_iter_ = 7
            return self

        def score(self, X: Any, y: Any) -> np.float64:
            given.update(unseen=X, wanted=y.tolist())
            return np.float64(0.75)

    def tf_idf(texts: Any, labels: Any, unseen: Any, wanted: Any) -> float:
        given.update(
            texts=texts, labels=labels.tolist(), unseen=unseen, wanted=wanted.tolist(), tf_idf=True
        )
        return 0.625

    @contextmanager
    def patched() -> Iterator[None]:
        with (
            patch.object(reviews, "corpus", lambda quick: CORPUS),
            patch.object(small_sets, "ReviewClassifier", Kept),
            patch.object(small_sets, "tf_idf", tf_idf),
            patch.object(small_sets, "TESTED", 9),
            patch.object(small_sets, "UNLABELED", 8),
        ):
            yield

    with patched():
        result = small_sets.run({"n": 6, **settings}, seed, quick)
    return given, result


def places(texts: list[str]) -> list[int]:
    return [WORDS.index(text) for text in texts]


@pytest.mark.parametrize("method", small_sets.METHODS)
def test_random_training_reviews_are_learned_and_random_test_reviews_scored(method: str) -> None:
    given, result = ran(method=method)
    train, test = places(given["texts"]), places(given["unseen"])
    assert len({*train} & {*range(30)}) == len(train) == 6
    assert len({*test} & {*range(30, 60)}) == len(test) == 9
    assert given["labels"] == [k % 2 for k in train] and given["wanted"] == [k % 2 for k in test]
    assert train != sorted(train) and test != sorted(test)
    other, _ = ran(seed=4, method=method)
    assert {*other["texts"]} != {*given["texts"]} and {*other["unseen"]} != {*given["unseen"]}
    if method == "TF-IDF":
        assert given["tf_idf"] and result == {"test_accuracy": 0.625}
        return
    assert (given["random_state"], other["random_state"]) == (3, 4)
    assert result == {"test_accuracy": 0.75, "epochs": 7}
    unlabeled = places(given["unlabeled"])
    assert len({*unlabeled} & {*range(60, 90)}) == len(unlabeled)
    assert len(unlabeled) == (8 if method == "defaults and unlabeled" else 0)


def test_a_classifier_has_its_defaults_or_the_training_jobs_settings_or_one_of_them() -> None:
    defaults = ReviewClassifier(random_state=3).get_params()
    for method, changes in (
        ("defaults", {}),
        ("defaults", {"dropout": 0.3}),
        ("training job's settings", small_sets.JOB),
    ):
        one = {"parameters": changes} if changes and method == "defaults" else {}
        given, _ = ran(method=method, **one)
        assert {name: given[name] for name in defaults} == {**defaults, **changes}
    assert small_sets.JOB == {
        "bag_size": 4,
        "readout": "last",
        "max_features": 30_000,
        "dropout": 0.3,
        "learning_rate_init": 2e-3,
        "batch_size": 64,
        "max_iter": 5,
        "n_iter_no_change": 2,
    }


def test_tf_idf_learns_from_the_training_texts_and_is_scored_on_the_others() -> None:
    texts, labels = ["good one", "good two", "bad one", "bad two"], np.array([1, 1, 0, 0])
    unseen = ["good", "bad", "good good", "bad bad"]
    assert small_sets.tf_idf(texts, labels, unseen, np.array([1, 0, 1, 1])) == 0.75


def test_the_summary_and_the_figure_are_of_the_test_accuracy() -> None:
    shares = {
        "defaults, 200 reviews": [0.5, 0.875, 0.5],  # the median is not the mean
        "defaults, 1000 reviews": [0.75, 0.75, 0.75],
        "TF-IDF, 1000 reviews": [0.625, 0.625, 1.0],
        "defaults, 1000 reviews but dropout=0.3": [0.0, 0.0, 0.0],
    }
    listed = trials(accuracies_of(shares), CONDITIONS)
    summary = small_sets.summarize(listed)
    assert [own["mean"] for own in summary.values()] == [0.625, 0.75, 0.75, 0]

    (axes,) = drawn(small_sets.draw, listed).axes
    lines = labelled(axes)
    assert [*lines] == [*small_sets.METHODS]
    assert points(lines["defaults"]) == [(200, 62.5), (1000, 75)]
    assert points(lines["TF-IDF"]) == [(1000, 75)]
    assert points(lines["training job's settings"]) == []
    assert [color_of(line) for line in lines.values()] == [*MUTED[:4]]
    assert [points(line) for line in axes.lines[1:3]] == [
        [(200, 50), (1000, 75)],
        [(200, 87.5), (1000, 75)],
    ]
    assert axes.lines[1].get_linestyle() == lines["defaults"].get_linestyle()
    band: Any = axes.collections[0].get_paths()[0].vertices
    assert {x: sorted({*band[band[:, 0] == x, 1]}) for x in (200, 1000)} == {
        200: [50, 87.5],
        1000: [75],
    }
    assert axes.get_xscale() == "log" and tick_labels(axes, "x")[10_000.0] == "10,000"
    assert axes.get_xlabel() == "training reviews"
    assert axes.get_ylabel() == "test accuracy (%)"
    legend = axes.get_legend()
    assert legend and [text.get_text() for text in legend.get_texts()] == [*small_sets.METHODS]


def test_the_page_says_what_the_results_say() -> None:
    summary, page = contents("small_sets")["summary"], prose("small_sets")

    def ahead(first: str, second: str, n: int) -> float:
        means = (summary[f"{method}, {n} reviews"]["mean"] for method in (first, second))
        return 100 * float(next(means) - next(means))

    own, job, tf_idf, helped = (
        "defaults",
        "training job's settings",
        "TF-IDF",
        "defaults and unlabeled",
    )
    assert "From 1,000 reviews on the defaults come within two points of TF-IDF" in page
    assert all(abs(ahead(own, tf_idf, n)) < 2 for n in small_sets.SIZES if n >= 1_000)
    assert "lie twenty points behind the defaults at 1,000 and four at 5,000." in page
    assert (round(ahead(own, job, 1_000)), round(ahead(own, job, 5_000))) == (20, 4)
    assert "At 200 reviews the defaults are some ten points behind TF-IDF" in page
    assert "At 500 they are some four points behind." in page
    assert (round(ahead(tf_idf, own, 200)), round(ahead(tf_idf, own, 500))) == (10, 4)
    assert "and in one seed four points above chance" in page
    few = by_condition(contents("small_sets")["trials"])["defaults, 200 reviews"]
    assert sorted(round(100 * of["test_accuracy"]) for of in few)[0] == 54
    assert "four to five points at 500 reviews, two at 1,000, and hardly any at 5,000." in page
    assert 4 < ahead(helped, own, 500) < 5 and ahead(helped, own, 5_000) < 0.5
    assert round(ahead(helped, own, 1_000)) == 2
    assert "the small vocabulary and the learning rate bring several points each" in page
    assert "The others bring about a point or less" in page
    costs = {
        name: 100
        * (
            summary["defaults, 1000 reviews"]["mean"]
            - summary[f"defaults, 1000 reviews but {name}={small_sets.JOB[name]}"]["mean"]
        )
        for name in small_sets.BUT_FOR
    }
    assert min(costs.pop("max_features"), costs.pop("learning_rate_init")) > 4
    assert max(costs.values()) < 1.25
