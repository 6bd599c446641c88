"""Settings of a classifier and of its training, and their limits."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from numbers import Integral, Real
from typing import Any, get_args

from numpy_lstm.types import Readout


@dataclass(frozen=True)
class Settings:
    """Settings of a classifier and of its training; the command line has the same defaults.

    Raises
    ------
    ValueError
        If a setting has the wrong type or is outside its limits.
    """

    seed: int = 0
    epochs: int = 5
    patience: int = 2  # epochs without a better validation loss before training stops
    batch_size: int = 64
    hidden_size: int = 128
    bag_size: int = 4  # words averaged into one step
    max_length: int = 800  # words of a review that are read, from its end
    readout: Readout = "last"
    learning_rate: float = 2e-3  # at the start; it falls linearly to 0
    clip: float = 1.0  # largest joint norm of all gradients
    dropout: float = 0.3  # of the recurrence's inputs and of the features
    forget_bias: float = 1.0
    vocabulary_size: int = 30_000
    vector_size: int = 128
    validation_fraction: float = 0.1
    probes: int = 256  # validation reviews on which the gradient norms are recorded

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if wanted := requirement_not_met(field.name, value):
                raise ValueError(f"`{field.name}` must be {wanted}; got {value!r}.")

    @classmethod
    def for_dataset(cls, dataset: str, **given: Any) -> Settings:
        """The defaults for a data set ("imdb" or "synthetic"), except for those given."""
        return cls(**{**(SYNTHETIC if dataset == "synthetic" else {}), **given})


# For the built-in reviews, fewer and with a small vocabulary; chosen on their validation part.
SYNTHETIC: dict[str, Any] = {
    "epochs": 15,
    "patience": 0,  # the LSTM stays at chance accuracy for some epochs
    "batch_size": 32,
    "hidden_size": 64,
    "learning_rate": 5e-3,
    "dropout": 0.1,
    "vector_size": 64,
}

Limit = tuple[Callable[[Any], bool], str]
_COUNT: Limit = (lambda n: n >= 1, "at least 1")
_NUMBER: Limit = (lambda n: n >= 0, "at least 0")
LIMITS: dict[str, Limit] = {
    "seed": (lambda n: 0 <= n < 2**32, "at least 0 and less than 2**32"),
    "epochs": _COUNT,
    "patience": _NUMBER,
    "batch_size": _COUNT,
    "hidden_size": _COUNT,
    "bag_size": _COUNT,
    "max_length": _COUNT,
    "readout": (lambda kind: kind in get_args(Readout), f"one of {', '.join(get_args(Readout))}"),
    "learning_rate": (lambda x: 0 < x < math.inf, "positive"),
    "clip": (lambda x: x > 0, "positive"),
    "dropout": (lambda x: 0 <= x < 1, "at least 0 and less than 1"),
    "forget_bias": (lambda x: abs(x) < 1e38, "finite, between -1e38 and 1e38"),
    "vocabulary_size": (lambda n: n >= 3, "at least 3: padding, unknown, and a word"),
    "vector_size": _COUNT,
    "validation_fraction": (lambda x: 0 < x < 1, "between 0 and 1"),
    "probes": _COUNT,
}


def requirement_not_met(name: str, value: object) -> str | None:
    """The requirement of setting `name` that `value` does not meet; None if it meets all.

    >>> requirement_not_met("epochs", 0)
    'at least 1'
    >>> requirement_not_met("epochs", 2.5)
    'a whole number'
    """
    kind, article = _KINDS[type(getattr(Settings, name))]
    if not isinstance(value, kind) or isinstance(value, bool):
        return article
    is_allowed, wanted = LIMITS[name]
    if not is_allowed(value):
        return wanted
    if isinstance(value, Integral) and int(value) >= 2**63:  # NumPy's integers end there
        return "less than 2**63"
    return None


_KINDS: dict[type, tuple[type, str]] = {
    int: (Integral, "a whole number"),
    float: (Real, "a number"),
    str: (str, "a string"),
}
