"""The settings: their defaults and their limits."""

import dataclasses
import math
from typing import Any

import numpy as np
import pytest

from numpy_lstm.settings import LIMITS, Settings, requirement_not_met

DEFAULTS: dict[str, Any] = {
    "seed": 0,
    "epochs": 5,
    "patience": 2,
    "batch_size": 64,
    "hidden_size": 128,
    "bag_size": 4,
    "max_length": 800,
    "readout": "last",
    "learning_rate": 0.002,
    "clip": 1.0,
    "dropout": 0.3,
    "forget_bias": 1.0,
    "vocabulary_size": 30_000,
    "vector_size": 128,
    "validation_fraction": 0.1,
    "probes": 256,
}
BUILT_IN = {
    **DEFAULTS,
    "epochs": 15,
    "patience": 0,
    "batch_size": 32,
    "hidden_size": 64,
    "learning_rate": 0.005,
    "dropout": 0.1,
    "vector_size": 64,
}
# Of each setting the least and the greatest of what is allowed, and what lies just outside.
INSIDE: dict[str, list[Any]] = {
    "seed": [0, 2**32 - 1],
    "epochs": [1, 10**6],
    "patience": [0, 1, 10**6],
    "batch_size": [1, 10**6],
    "hidden_size": [1, 10**6],
    "bag_size": [1, 10**9],
    "max_length": [1, 10**9],
    "readout": ["last", "mean", "max", "meanmax"],
    "learning_rate": [1e-300, 1, 1e300],
    "clip": [1e-300, 1, math.inf],
    "dropout": [0, 0.0, 0.999],
    "forget_bias": [-9e37, 0, 9e37],
    "vocabulary_size": [3, 10**9],
    "vector_size": [1, 10**6],
    "validation_fraction": [1e-9, 0.999],
    "probes": [1, 10**6],
}
OUTSIDE: dict[str, list[Any]] = {
    "seed": [-1, 2**32],
    "epochs": [0],
    "patience": [-1],
    "batch_size": [0],
    "hidden_size": [0],
    "bag_size": [0],
    "max_length": [0],
    "readout": ["first", "", "lasts"],
    "learning_rate": [0, -1.0, math.inf, math.nan],
    "clip": [0, -1.0, math.nan],
    "dropout": [-0.1, 1, 1.0, math.nan],
    "forget_bias": [1e38, -1e38, math.inf, math.nan],
    "vocabulary_size": [2],
    "vector_size": [0],
    "validation_fraction": [0, 0.0, 1, 1.0, math.nan],
    "probes": [0],
}


def test_the_defaults_are_those_that_the_results_were_made_with() -> None:
    assert dataclasses.asdict(Settings()) == DEFAULTS
    assert dataclasses.asdict(Settings.for_dataset("imdb")) == DEFAULTS
    assert dataclasses.asdict(Settings.for_dataset("synthetic")) == BUILT_IN


def test_what_is_given_goes_before_the_defaults_of_the_data_set() -> None:
    given = Settings.for_dataset("synthetic", epochs=3, seed=9)
    assert dataclasses.asdict(given) == {**BUILT_IN, "epochs": 3, "seed": 9}
    assert Settings.for_dataset("imdb", dropout=0.0).dropout == 0


def test_every_setting_has_limits() -> None:
    assert DEFAULTS.keys() == LIMITS.keys() == INSIDE.keys() == OUTSIDE.keys()


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_within_the_limits_is_taken_as_it_is(name: str) -> None:
    for value in INSIDE[name]:
        assert requirement_not_met(name, value) is None, value
        assert getattr(Settings(**{name: value}), name) == value


@pytest.mark.parametrize("name", DEFAULTS)
def test_what_is_outside_the_limits_is_refused_by_name(name: str) -> None:
    for value in [*OUTSIDE[name], None, True, "2" if name != "readout" else 2]:
        assert requirement_not_met(name, value) is not None, value
        with pytest.raises(ValueError, match=f"`{name}` must be .*; got "):
            Settings(**{name: value})


@pytest.mark.parametrize("name", [name for name, v in DEFAULTS.items() if isinstance(v, int)])
def test_counts_are_whole_numbers_of_any_kind(name: str) -> None:
    assert requirement_not_met(name, 5.0) == "a whole number"
    assert requirement_not_met(name, np.int64(5)) is None
    assert requirement_not_met(name, 2**63) is not None  # NumPy's integers end there
    assert (requirement_not_met(name, 2**63 - 1) is None) == (name != "seed")


def test_settings_cannot_be_changed_after_they_were_checked() -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        Settings().seed = 1  # type: ignore[misc]
