"""Values of the estimator's parameters that are "auto": they depend on the number of texts."""

from __future__ import annotations

import math
import warnings
from collections.abc import Mapping
from typing import Any, Literal

from numpy_lstm.settings import Settings

Auto = Literal["auto"]

MANY = 10_000  # texts from which on all values are those of the training job
SCARCE = 500  # texts below which counts of words are far better
WORDS = 3  # of the vocabulary, for each text
BATCH = 16  # the smallest
STEPS = 320  # of Adam at least, in all epochs
FEW: dict[str, Any] = {  # below MANY
    "bag_size": 16,
    "readout": "mean",
    "dropout": 0.5,
    "learning_rate": 1e-2,
    "patience": 0,  # the loss on so few texts set aside goes up and down
}
SIZED = (*FEW, "vocabulary_size", "batch_size", "epochs")


def is_auto(setting: str, value: object) -> bool:
    """Whether the number of texts decides on a setting.

    >>> is_auto("epochs", "auto"), is_auto("epochs", 5), is_auto("hidden_size", "auto")
    (True, False, False)
    """
    return setting in SIZED and isinstance(value, str) and value == "auto"


def fill_in(given: Mapping[str, Any], n_texts: int, n_unlabeled: int = 0) -> dict[str, Any]:
    """The settings with a value in place of each "auto".

    Fewer texts get smaller batches and more epochs, so that there are enough steps, and a smaller
    vocabulary, since a word of one text tells that text from the others and nothing else. Below
    `MANY` texts the learning rate, the dropout and the bags are larger, the mean of the hidden
    states is read out, and training does not stop early. All was chosen on training reviews that
    were held out; ``results/small_sets.json`` has what it brings on test reviews
    (:mod:`numpy_lstm.experiments.small_sets`).

    Parameters
    ----------
    given : mapping
        Settings, each "auto" or valid, with `validation_fraction`.
    n_texts : int
        Labeled texts, with those that are set aside.
    n_unlabeled : int
        Further texts, for the word vectors alone.

    Examples
    --------
    >>> given = dict.fromkeys(("epochs", "batch_size", "vocabulary_size"), "auto")
    >>> list(fill_in({**given, "validation_fraction": 0.1}, 1_000).values())
    [6, 16, 3000, 0.1]
    >>> list(fill_in({**given, "validation_fraction": 0.1}, 25_000).values())
    [5, 64, 30000, 0.1]
    """
    settings = {name: value for name, value in given.items() if not is_auto(name, value)}
    for name, value in FEW.items():
        settings.setdefault(name, value if n_texts < MANY else getattr(Settings, name))
    words = max(WORDS * (n_texts + n_unlabeled), WORDS)
    settings.setdefault("vocabulary_size", min(words, Settings.vocabulary_size))
    # So that the training job's epochs have `STEPS` steps, where `BATCH` allows it.
    batch_size = n_texts * Settings.epochs // STEPS
    settings.setdefault("batch_size", min(max(batch_size, BATCH), Settings.batch_size))
    learned = n_texts * (1 - settings["validation_fraction"])
    steps = max(math.ceil(learned / settings["batch_size"]), 1)
    settings.setdefault("epochs", max(math.ceil(STEPS / steps), Settings.epochs))
    return {name: settings[name] for name in given}


def warn_if_scarce(name: str, n_texts: int) -> None:
    """Warn of too few texts for the defaults; `name` is the estimator's."""
    if n_texts < SCARCE:
        warnings.warn(
            f"{n_texts} texts are few: below {SCARCE}, logistic regression on counts of words is"
            f" likely to be far more accurate than {name} with its defaults.",
            UserWarning,
            stacklevel=3,
        )
