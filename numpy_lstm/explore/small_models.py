"""Two small trained models with all their epochs: an RNN and an LSTM that read word by word.

``python -m numpy_lstm.explore.make_models`` makes them.
"""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import NamedTuple, get_args

import numpy as np

from numpy_lstm.classifier import Classifier
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.files import json_of, read_arrays, write_arrays
from numpy_lstm.settings import Settings
from numpy_lstm.training import classifier_of
from numpy_lstm.types import Array, Model

FOLDER = Path(__file__).with_name("trained")
MISSING = (
    "The small trained models are not here. A clone of the repository has them; or make them, in a"
    " few minutes, by: python -m numpy_lstm.explore.make_models --data PATH, where PATH is the IMDB"
    " archive."
)


class SmallModel(NamedTuple):
    """A model before training (epoch 0) and after each epoch."""

    epochs: list[Classifier]
    settings: Settings
    vocabulary: Vocabulary
    test_accuracies: list[float]  # after each epoch, and before the first


def save(
    model: Model,
    epochs: list[dict[str, Array]],
    settings: Settings,
    vocabulary: Vocabulary,
    test_accuracies: list[float],
    folder: Path = FOLDER,
) -> None:
    """Write one model with its epochs, half a float32's length a number."""
    about = {
        "settings": dataclasses.asdict(settings),
        "words": vocabulary.words[2:],
        "test_accuracies": test_accuracies,
    }
    arrays = {name: np.stack([one[name] for one in epochs]) for name in epochs[0]}
    halved = {name: array.astype(np.float16) for name, array in arrays.items()}
    text = np.array(json.dumps(about, ensure_ascii=False))
    write_arrays(folder / f"{model}.npz", {**halved, "about": text}, compress=True)


def load(folder: Path = FOLDER) -> dict[str, SmallModel]:
    """Read both models, in float64.

    Raises
    ------
    ValueError
        If they are not there.
    """
    try:
        return {model: _load(folder / f"{model}.npz") for model in get_args(Model)}
    except FileNotFoundError:
        raise ValueError(MISSING) from None


def _load(path: Path) -> SmallModel:
    arrays = read_arrays(path)
    about = json_of(arrays.pop("about"))
    settings = Settings(**about["settings"])
    epochs = [
        classifier_of(
            {name: array[k].astype(np.float64) for name, array in arrays.items()}, settings
        )
        for k in range(len(arrays["b"]))
    ]
    return SmallModel(epochs, settings, Vocabulary(about["words"]), about["test_accuracies"])
