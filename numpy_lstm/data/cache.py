"""Arrays kept on disk between runs, and checked when they are read."""

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
    """Write the arrays to an ``.npz`` file, completely or not at all.

    A failure (full disk, read-only folder) costs only time, so it is a `RuntimeWarning`.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(path, lambda file: np.savez(file, **arrays))
    except OSError as error:
        warnings.warn(f"{path} could not be written: {error}", RuntimeWarning, stacklevel=2)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Read what `save_arrays` wrote; None if it is missing, damaged or holds a pickle."""
    try:
        return read_arrays(path)
    except (OSError, ValueError):
        return None
