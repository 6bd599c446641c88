"""Writes files completely or not at all, and reads untrusted files."""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

MOST = 2**31  # largest unpacked size of a file of arrays, in bytes


def write_atomically(path: Path, write: Callable[[IO[bytes]], object]) -> None:
    """Call `write` with an open file that replaces `path` only when it is complete.

    After a full disk, a kill or a power cut, `path` holds the old contents or the new.

    Raises
    ------
    OSError
        If the file cannot be written; it names the file, and nothing is left behind.
    """
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with open(unfinished, "wb") as file:
            write(file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except OSError as error:  # a full disk does not say which file it was
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
    finally:
        unfinished.unlink(missing_ok=True)


def write_json(
    path: Path, contents: Mapping[str, Any] | list[Any], *, indent: int | None = 2
) -> None:
    """Write JSON, completely or not at all; on one line if `indent` is None."""
    text = json.dumps(contents, indent=indent, ensure_ascii=False) + "\n"
    # A path that is no UTF-8 has lone surrogates, which stand as JSON's own escapes.
    write_atomically(path, lambda file: file.write(text.encode(errors="backslashreplace")))


def remove_unfinished(folder: Path, names: Iterable[str]) -> None:
    """Remove what killed calls of :func:`write_atomically` left of the files with these names.

    No other process may be writing them.
    """
    left = re.compile(rf"\.({'|'.join(map(re.escape, names))})\.\d+\.tmp")
    for path in folder.iterdir():
        if left.fullmatch(path.name):
            path.unlink()


def try_lock(file: IO[Any]) -> bool | None:
    """Lock an open file for this process; the system releases the lock however the process ends.

    Returns
    -------
    bool or None
        False if another process has locked it; None if its file system has no locks.
    """
    try:
        if sys.platform == "win32":
            import msvcrt

            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        else:
            import fcntl

            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except (BlockingIOError, PermissionError):
        return False
    except OSError:  # ENOLCK, ENOSYS, EOPNOTSUPP and others, of network file systems
        return None
    return True


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file of plain arrays; nothing in the file is executed.

    Raises
    ------
    ValueError
        If it is damaged, too large, no ``.npz`` file, or holds a pickle.
    OSError
        If it cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                size = sum(member.file_size for member in archive.infolist())
                if size > MOST:
                    raise ValueError(f"it unpacks to {size:,} bytes")
                return {
                    name.removesuffix(".npy"): _read_array(archive, name)
                    for name in archive.namelist()
                }
        except Exception as error:  # damage raises many kinds of errors in zipfile and NumPy
            raise ValueError(f"{path} is not a sound .npz file of plain arrays: {error}") from error


def _read_array(archive: zipfile.ZipFile, name: str) -> NDArray[Any]:
    with archive.open(name) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        # zipfile compares its checksum at the end of the file.
        if file.read(1):
            raise ValueError(f"there is more in {name} than its array")
        return array


def make_folder(path: Path) -> None:
    """Make a folder, and try whether it takes files: before the work whose results go there.

    Raises
    ------
    OSError
        If it is a file, cannot be made, or takes no files.
    """
    try:
        path.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=path):
            pass
    except OSError as error:
        raise OSError(f"results cannot be written to {path}: {error.strerror}") from error
