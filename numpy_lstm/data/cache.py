"""Arrays kept on disk between runs: written whole or not at all, and never trusted blindly."""

import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from numpy_lstm.files import read_arrays, write_atomically


def cache_folder() -> Path:
    """Return the folder for cached data: ``NUMPY_LSTM_CACHE``, or the user's cache folder."""
    if folder := os.environ.get("NUMPY_LSTM_CACHE"):
        return Path(folder)
    import platformdirs

    return platformdirs.user_cache_path("numpy_lstm")


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays to an ``.npz`` file that appears only when it is complete.

    A cache that cannot be written (full disk, read-only folder) costs time, not results: that is
    a `RuntimeWarning`, and nothing half-written is left behind.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: np.savez(file, **arrays))
    except OSError as error:
        warnings.warn(f"{path} could not be written: {error}", RuntimeWarning, stacklevel=2)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Read what `save_arrays` wrote; None if it is missing or damaged.

    Damage is noticed by the checksums that every ``.npz`` file holds; a pickle inside is damage.
    """
    try:
        return read_arrays(path)
    except (OSError, ValueError):
        return None
