"""What a training run is asked to do."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

from numpy_lstm.types import Model


class Options(NamedTuple):
    """Options of the command line."""

    dataset: Literal["auto", "imdb", "synthetic"]
    data: str | None
    models: tuple[Model, ...] | None  # None if not given: both
    settings: dict[str, Any]  # those given; the others take the data set's defaults


def option(setting: str) -> str:
    """The option for a setting, as it is typed."""
    return "--lr" if setting == "learning_rate" else "--" + setting.replace("_", "-")
