"""Reads the files of a ``.tar.gz`` archive or of a folder, without unpacking to disk."""

import gzip
import hashlib
import os
import re
import zlib
from collections.abc import Iterator
from pathlib import Path

_BLOCK = 512  # bytes; a tar has headers of one block, each followed by a file in whole blocks
_SIZE = re.compile(rb"[ \0]*([0-7]+)[ \0]*")  # an octal number in its field of a header
_MAX_FILE = 2**27  # bytes
_MAX_ARCHIVE = 2**31  # bytes unpacked; the reviews take a tenth of it


def read_files(path: Path) -> Iterator[tuple[str, bytes]]:
    """Yield (name, contents) of every regular file; names are relative, with forward slashes.

    Links and devices are skipped. Nothing is written to disk, so no file name is dangerous.

    Raises
    ------
    ValueError
        If `path` is neither a folder nor a complete ``.tar.gz``, or is too large.
    """
    try:
        yield from _read_folder(path) if path.is_dir() else _read_archive(path)
    except (OSError, EOFError, ValueError, zlib.error) as error:
        raise ValueError(f"{path} is not a sound .tar.gz archive or folder: {error}.") from error


def fingerprint(path: Path) -> str:
    """Return a digest that changes whenever the archive, or any file of the folder, changes.

    It depends on the bytes of an archive, but only on the names, sizes and times of change of a
    folder's files, since reading 100,000 files takes as long as parsing them.
    """
    digest = hashlib.sha256()
    if path.is_dir():
        for entry in sorted(_scan(path), key=lambda entry: entry.path):
            status = entry.stat()
            name = os.path.relpath(entry.path, path)
            digest.update(repr((name, status.st_size, status.st_mtime_ns)).encode())
    else:
        with path.open("rb") as file:
            while block := file.read(2**20):
                digest.update(block)
    return digest.hexdigest()


def _scan(folder: Path | str) -> Iterator[os.DirEntry[str]]:
    """Walk through the regular files of a folder and its subfolders, following no links."""
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                yield from _scan(entry.path)
            elif entry.is_file(follow_symlinks=False):
                yield entry


def _read_folder(root: Path) -> Iterator[tuple[str, bytes]]:
    for entry in _scan(root):
        with open(entry.path, "rb") as file:
            yield Path(entry.path).relative_to(root).as_posix(), file.read(_MAX_FILE)


def _read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    """Read a gzipped tar from front to back.

    The standard library's tarfile takes longer to decode the 100,000 headers than to unpack the
    archive. It also takes a damaged header for the end, and reads names of any size into memory.
    """
    with gzip.open(path) as stream:
        while (header := stream.read(_BLOCK)).strip(b"\0"):
            octal = _SIZE.fullmatch(header, 124, 136)
            if len(header) < _BLOCK or octal is None:
                raise ValueError("there is no tar inside, or a damaged one")
            size = int(octal[1], base=8)
            if size > _MAX_FILE or stream.tell() + size > _MAX_ARCHIVE:
                raise ValueError(f"{size:,} bytes more are too many for the reviews")
            contents = stream.read(size + -size % _BLOCK)[:size]
            if len(contents) < size:
                raise EOFError("it ends in the middle of a file")
            if header[156:157] in b"0\0":  # a regular file
                name = header[:100].rstrip(b"\0").decode("utf-8", errors="replace")
                yield name.removeprefix("./"), contents
        while stream.read(2**20):  # gzip compares its checksum at the end
            pass
