"""How well does the estimator do from a few texts, and what does each of its defaults bring?

`ReviewClassifier` with its defaults, which depend on the number of texts, learns from 200 to 10,000
random training reviews; also with 10,000 reviews without labels beside them, with the training
job's settings, and with its defaults but for one. TF-IDF is scikit-learn's ``TfidfVectorizer`` and
``LogisticRegression``, both with their defaults.
"""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.data.corpus import select
from numpy_lstm.estimator import SETTING_OF, ReviewClassifier
from numpy_lstm.estimator_defaults import MANY, is_auto
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import accuracies
from numpy_lstm.settings import Settings
from numpy_lstm.types import Ints

PIVOTS = ("test_accuracy",)
SIZES = (200, 500, 1_000, 2_000, 5_000, MANY)
UNLABELED = 10_000
TESTED = 5_000  # test reviews, others for each seed
METHODS = ("defaults", "defaults and unlabeled", "training job's settings", "TF-IDF")
JOB = {  # its values of what depends on the number of texts
    name: getattr(Settings, setting)
    for name, setting in SETTING_OF.items()
    if is_auto(setting, "auto")
}
BUT_FOR = ("bag_size", "readout", "dropout", "learning_rate_init", "batch_size", "max_features")


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each classifier and the reviews it learns from."""
    listed: dict[str, dict[str, Any]] = {}
    for n in (40,) if quick else SIZES:
        # From `MANY` on the defaults are the training job's settings.
        for method in METHODS if n < MANY else ("defaults", "TF-IDF"):
            listed[f"{method}, {n} reviews"] = {"method": method, "n": n}
    for name in () if quick else BUT_FOR:
        listed[f"defaults, 1000 reviews but {name}={JOB[name]}"] = {
            "method": "defaults",
            "n": 1_000,
            "parameters": {name: JOB[name]},
        }
    return listed


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Learn from some training reviews, and score some test reviews."""
    method = settings["method"]
    corpus, rng = reviews.corpus(quick), np.random.default_rng(seed)
    sizes = settings["n"], TESTED, UNLABELED if method == "defaults and unlabeled" else 0
    train, test, further = (
        select(part, rng.permutation(len(part.labels))[:n])
        for part, n in zip((corpus.train, corpus.test, corpus.unlabeled), sizes, strict=True)
    )
    texts, unseen, unlabeled = (
        reviews.texts(part, corpus.words) for part in (train, test, further)
    )
    if method == "TF-IDF":
        return {"test_accuracy": tf_idf(texts, train.labels, unseen, test.labels)}
    classifier = ReviewClassifier(random_state=seed, **settings.get("parameters", {}))
    if method == "training job's settings":
        classifier.set_params(**JOB)
    if quick:
        classifier.set_params(hidden_size=8, vector_size=8, max_length=60, max_iter=1)
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", ".* texts are few", UserWarning)
        classifier.fit(texts, train.labels, unlabeled=unlabeled)
    return {
        "test_accuracy": float(classifier.score(unseen, test.labels)),
        "epochs": classifier.n_iter_,
    }


def tf_idf(texts: list[str], labels: Ints, unseen: list[str], wanted: Ints) -> float:
    """Accuracy on unseen texts of logistic regression on the weighted counts of words."""
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression
    from sklearn.pipeline import make_pipeline

    model = make_pipeline(TfidfVectorizer(), LogisticRegression()).fit(texts, labels)
    return float(model.score(unseen, wanted))


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy of each condition."""
    return accuracies(trials)


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Accuracy against the number of reviews."""
    with plots.figure(path, 1, 1, 6.0, 3.2) as (drawing, (axes,)):
        for k, method in enumerate(METHODS):
            own = [
                {**t["settings"], **t["result"]}
                for t in trials
                if t["settings"]["method"] == method and "parameters" not in t["settings"]
            ]
            sizes = sorted({trial["n"] for trial in own})
            values = [[100 * t["test_accuracy"] for t in own if t["n"] == size] for size in sizes]
            axes.plot(sizes, [np.mean(v) for v in values], label=method, **plots.series(k))
            low, high = [min(v) for v in values], [max(v) for v in values]
            color = plots.series(k)["color"]
            axes.fill_between(sizes, low, high, color=color, alpha=0.2, linewidth=0)
            for edge in (low, high):  # so that bands which overlap are not told by color alone
                axes.plot(sizes, edge, **{**plots.series(k), "linewidth": 0.5})
        axes.set_xscale("log")
        axes.set_xticks(SIZES, [f"{size:,}" for size in SIZES])
        axes.minorticks_off()
        axes.set_xlabel("training reviews")
        axes.set_ylabel("test accuracy (%)")
        axes.legend()
        drawing.suptitle("IMDB; line: mean, band: all seeds")
