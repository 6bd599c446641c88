"""Arrays kept on disk between runs, and checked when they are read."""

import errno
import os
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy.typing as npt

from numpy_lstm.files import read_arrays, write_arrays


def cache_folder() -> Path:
    """The folder for cached data: ``NUMPY_LSTM_CACHE``, or the user's cache folder.

    It need not exist, and starts with ``~`` where no home folder is known.
    """
    named = os.environ.get("NUMPY_LSTM_CACHE")
    if not named:
        import platformdirs

        try:
            named = platformdirs.user_cache_dir("numpy_lstm")
        except RuntimeError:  # no home; older versions of platformdirs leave the "~" there
            named = "~/.cache/numpy_lstm"
    return Path(os.path.expanduser(named))  # that of pathlib raises without a home


def make_cache_folder(folder: Path) -> None:
    """Make the folder, unless it is there.

    Raises
    ------
    OSError
        If it cannot be made, or is to be in a home folder that is not known.
    """
    if str(folder).startswith("~"):
        raise FileNotFoundError(
            errno.ENOENT, "no home folder is known; NUMPY_LSTM_CACHE can name another", str(folder)
        )
    folder.mkdir(parents=True, exist_ok=True)


def find_cached(folder: Path, pattern: str) -> list[Path]:
    """The files in the folder whose names match the pattern; none if it cannot be read."""
    try:
        return sorted(folder.glob(pattern))
    except OSError:
        return []


def save_arrays(path: Path, arrays: Mapping[str, Any]) -> None:
    """Write the arrays to an ``.npz`` file, completely or not at all.

    A failure (full disk, read-only folder) costs only time, so it is a `RuntimeWarning`.
    """
    try:
        make_cache_folder(path.parent)
        write_arrays(path, arrays)
    except OSError as error:
        warnings.warn(f"{path} could not be written: {error}", RuntimeWarning, stacklevel=2)


def load_arrays(path: Path) -> dict[str, npt.NDArray[Any]] | None:
    """Read what `save_arrays` wrote; None if it is missing, damaged or holds a pickle."""
    try:
        return read_arrays(path)
    except (OSError, ValueError):
        return None
