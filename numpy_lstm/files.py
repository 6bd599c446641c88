"""Writes files completely or not at all, and reads untrusted files."""

from __future__ import annotations

import io
import json
import math
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

# Limits of the unpacked size of a file of arrays, in bytes. Weights of 30,000 words of 128 numbers
# each have 16 MB, their checkpoint 65 MB. We write them uncompressed. If someone compresses them,
# float32 weights become hardly smaller, a file of short arrays a tenth.
MOST = 2**31
SMALL = 2**24
RATIO = 32  # times the size on disk

_NAME = re.compile(r"(\w+/)?\w+\.npy", re.ASCII)
_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


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


def check_replaceable(path: Path, beginning: bytes, option: str) -> None:
    """Whether a page can be written here, before the work that goes into it.

    There may be nothing yet, or an earlier page of the same command.

    Parameters
    ----------
    path : Path
    beginning : bytes
        How every page of the command begins.
    option : str
        The option that names the path, for the message.

    Raises
    ------
    ValueError
        If something else is there.
    OSError
        If its folder takes no files.
    """
    if not path.exists():
        try:
            with TemporaryFile(dir=path.parent):
                return
        except OSError as error:
            raise OSError(f"`{option}` {path} cannot be written: {error.strerror}") from error
    if path.is_file():
        with open(path, "rb") as file:
            if file.read(len(beginning)) == beginning:
                return
    raise ValueError(
        f"`{option}` {path} is there and is no page of this command; choose another name, or remove"
        " it."
    )


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


def write_arrays(path: Path, arrays: Mapping[str, NDArray[Any]], *, compress: bool = False) -> None:
    """Write an ``.npz`` file, completely or not at all.

    By way of memory: if a disk is full, NumPy before 2.2 leaves its ZIP file open, and Python
    complains of that as it exits.
    """
    packed = io.BytesIO()
    savez: Callable[..., None] = np.savez_compressed if compress else np.savez
    savez(packed, **arrays)
    write_atomically(path, lambda file: file.write(packed.getbuffer()))


def read_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Read an ``.npz`` file of plain arrays; nothing in the file is executed.

    Raises
    ------
    ValueError
        If it is damaged, too large, no ``.npz`` file, or holds a pickle, a structured array or two
        arrays of one name. Nothing large is read before that is known: in memory a file takes
        :data:`SMALL` bytes, or at most :data:`RATIO` times its size on disk.
    OSError
        If it cannot be opened.
    """
    with open(path, "rb") as file:
        try:
            with zipfile.ZipFile(file) as archive:
                members = archive.infolist()
                names = [member.filename for member in members]
                if odd := [name for name in names if not _NAME.fullmatch(name)]:
                    raise ValueError(f"{odd[0]!r} is no name of an array")
                if len(set(names)) < len(names):
                    raise ValueError("two of its arrays have one name")
                size = sum(member.file_size for member in members)
                on_disk = os.fstat(file.fileno()).st_size
                if size > min(MOST, max(SMALL, RATIO * on_disk)):
                    raise ValueError(f"it unpacks to {size:,} bytes, from {on_disk:,}")
                return {
                    member.filename.removesuffix(".npy"): _read_array(archive, member)
                    for member in members
                }
        except Exception as error:  # damage raises many kinds of errors in zipfile and NumPy
            raise ValueError(f"{path} is not a sound .npz file of plain arrays: {error}") from error


def _read_array(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> NDArray[Any]:
    with archive.open(member) as file:
        version = np.lib.format.read_magic(file)
        read_header = _HEADERS.get(version)
        if read_header is None:  # NumPy needs the others for structured arrays only
            raise ValueError(f"{member.filename} has a header of version {version}")
        shape, _, dtype = read_header(file)
        if dtype.hasobject:
            raise ValueError(f"{member.filename} holds a pickle, and allow_pickle=False")
        if dtype.kind not in "biufU":
            raise ValueError(f"{member.filename} has the dtype {dtype}")
        declared = file.tell() + math.prod(shape) * dtype.itemsize
        if declared != member.file_size or any(n < 0 for n in shape):
            raise ValueError(
                f"{member.filename} declares shape {shape} and {dtype}, which would make"
                f" {declared:,} bytes; it has {member.file_size:,}"
            )
    with archive.open(member) as file:
        array: NDArray[Any] = np.lib.format.read_array(file, allow_pickle=False)
        return np.asarray(array, order="C")


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


def json_of(array: NDArray[Any], *, finite: bool = True) -> Any:
    """Parse the untrusted JSON in an array that is one string.

    Raises
    ------
    ValueError
        If it is not one string, or not such JSON as :func:`parse_json` takes.
    """
    if array.shape or array.dtype.kind != "U":
        raise ValueError(f"one string was wanted; got shape {array.shape} and {array.dtype}")
    return parse_json(str(array), finite=finite)


def parse_json(text: str, *, finite: bool = True) -> Any:
    """Parse untrusted JSON: each key once, and whole numbers of 64 bits.

    Raises
    ------
    ValueError
        If it is no JSON, nested too deep, repeats a key, or holds a whole number that is too large
        or, unless `finite` is false, NaN or infinity.
    """

    def real(number: str) -> float:
        if finite and not math.isfinite(float(number)):
            raise ValueError(f"{number[:20]} is no finite number")
        return float(number)

    try:
        return json.loads(
            text, object_pairs_hook=_unique, parse_constant=real, parse_float=real, parse_int=_int64
        )
    except RecursionError:
        raise ValueError("it is nested too deep") from None


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    contents = dict(pairs)
    if len(contents) < len(pairs):
        raise ValueError("a key stands twice in one object")
    return contents


def _int64(digits: str) -> int:
    if len(digits) > 20 or not -(2**63) <= int(digits) < 2**63:
        raise ValueError(f"{digits[:20]}… is too large")
    return int(digits)
