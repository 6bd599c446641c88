"""What the number of texts decides, worked out by hand."""

import warnings
from typing import Any

import pytest

from numpy_lstm.estimator_defaults import fill_in, is_auto, warn_if_scarce

# 320 steps, three words a text, batches of 16 to 64; 5 epochs and 30,000 words at most by default.
ALL = {
    **{"bag_size": "auto", "readout": "auto", "dropout": "auto", "learning_rate": "auto"},
    **{"patience": "auto", "vocabulary_size": "auto", "batch_size": "auto", "epochs": "auto"},
}
FEW = {"bag_size": 16, "readout": "mean", "dropout": 0.5, "learning_rate": 0.01, "patience": 0}
MANY = {"bag_size": 4, "readout": "last", "dropout": 0.3, "learning_rate": 0.002, "patience": 2}


def filled(n_texts: int, n_unlabeled: int = 0, **given: Any) -> dict[str, Any]:
    result = fill_in({**ALL, "validation_fraction": 0.1, **given}, n_texts, n_unlabeled)
    assert list(result) == [*ALL, "validation_fraction"]
    return result


@pytest.mark.parametrize(
    ("n_texts", "of", "vocabulary_size", "batch_size", "epochs"),
    [
        (100, FEW, 300, 16, 54),  # 90 texts are 6 steps
        (1_000, FEW, 3_000, 16, 6),  # 900 are 57
        (2_000, FEW, 6_000, 31, 6),
        (3_000, FEW, 9_000, 46, 6),  # 46.9 at 320 steps
        (4_097, FEW, 12_291, 64, 6),
        (9_999, FEW, 29_997, 64, 5),
        (10_000, MANY, 30_000, 64, 5),
        (25_000, MANY, 30_000, 64, 5),
    ],
)
def test_the_number_of_texts_decides(
    n_texts: int, of: dict[str, Any], vocabulary_size: int, batch_size: int, epochs: int
) -> None:
    wanted = {"vocabulary_size": vocabulary_size, "batch_size": batch_size, "epochs": epochs}
    assert filled(n_texts) == {**of, **wanted, "validation_fraction": 0.1}


def test_unlabeled_texts_count_for_the_vocabulary_alone() -> None:
    assert filled(1_000, 2_000) == {**filled(1_000), "vocabulary_size": 9_000}
    assert filled(1_000, 10**6)["vocabulary_size"] == 30_000


def test_what_is_given_stays_even_if_it_is_zero() -> None:
    given = {"dropout": 0.0, "patience": 0, "batch_size": 1, "bag_size": 1, "epochs": 1}
    assert filled(20_000, **given) == {**filled(20_000), **given}
    assert filled(100, **given) == {**filled(100), **given}


def test_epochs_fit_the_batches_and_the_part_that_is_learned() -> None:
    assert filled(1_000, batch_size=100)["epochs"] == 36  # 9 steps
    assert filled(1_000, validation_fraction=0.5)["epochs"] == 10  # 500 texts are 32 steps


def test_auto_is_a_word_for_what_depends_on_the_size() -> None:
    assert all(is_auto(name, "auto") for name in ALL)
    assert not any(is_auto(name, 5) for name in ALL)
    assert not is_auto("hidden_size", "auto")


def test_below_500_texts_a_warning_is_given() -> None:
    with pytest.warns(UserWarning, match="499 texts are few: below 500, .* than Name with"):
        warn_if_scarce("Name", 499)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        warn_if_scarce("Name", 500)
