"""A trained classifier in one file: parameters, settings, vocabulary, versions. No pickle."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.cells import Array
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.files import write_atomically
from numpy_lstm.run_folder import versions
from numpy_lstm.training import Settings

FORMAT = 1


class Weights(NamedTuple):
    """What a weights file holds."""

    parameters: dict[str, Array]
    settings: Settings
    vocabulary: Vocabulary


def save_weights(
    path: Path, parameters: dict[str, Array], settings: Settings, vocabulary: Vocabulary
) -> None:
    """Write a trained classifier to one ``.npz`` file, whole or not at all."""
    about = {
        "format": FORMAT,
        "settings": dataclasses.asdict(settings),
        "versions": versions(),
    }
    arrays: dict[str, Any] = {
        **parameters,
        "about": np.array(json.dumps(about)),
        "words": np.array(json.dumps(vocabulary.words[2:])),
    }
    write_atomically(path, lambda file: np.savez(file, **arrays))
