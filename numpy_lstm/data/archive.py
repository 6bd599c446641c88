"""Reads the files of an archive or of a folder, without unpacking to disk."""

import hashlib
import importlib
import os
import re
import stat
import zipfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO

READABLE = ".tar.gz, .tar, .tar.bz2, .tar.xz, .zip, or the extracted folder"

_COMPRESSED = {b"\x1f\x8b": "gzip", b"BZh": "bz2", b"\xfd7zXZ\0": "lzma"}  # first bytes, module
_BLOCK = 512  # bytes; a tar has headers of one block, each followed by a file in whole blocks
_SIZE = re.compile(rb"[ \0]*([0-7]+)[ \0]*")  # an octal number in its field of a header
_PAX = re.compile(rb"(\d+) ([^=\n]+)=")  # length of the record, and its key
_MAX_FILE = 2**27  # bytes
_MAX_ARCHIVE = 2**31  # bytes unpacked; the reviews take a tenth of it


def read_files(
    path: Path, folders: Sequence[str], wanted: re.Pattern[str]
) -> Iterator[tuple[re.Match[str], bytes]]:
    """Yield the name and the contents of every regular file whose whole name is `wanted`.

    Names have forward slashes. The kind of an archive is told by its first bytes, not its name.
    Links to files and devices are skipped; nothing is written to disk, so no name is dangerous.

    Parameters
    ----------
    path : Path
        An archive or a folder.
    folders : sequence of str
        Of a folder, the folders inside whose files are read, also through links to folders. Since
        none is searched further, a link that goes in a circle does no harm.
    wanted : re.Pattern

    Raises
    ------
    ValueError
        If `path` is neither a folder nor a complete archive of a kind that is read, or too large.
    """
    try:
        files = _read_folder(path, folders) if path.is_dir() else _read_archive(path)
        for name, contents in files:
            if match := wanted.fullmatch(name):
                yield match, contents
    except Exception as error:  # damage raises many kinds of errors in the modules that unpack
        raise ValueError(
            f"{path} is not a sound archive or folder: {error}. What can be read: {READABLE}."
        ) from error


def sha256(path: Path) -> str:
    """The SHA-256 of a file, in hexadecimal."""
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while block := file.read(2**20):
            digest.update(block)
    return digest.hexdigest()


def fingerprint(path: Path, folders: Sequence[str], wanted: re.Pattern[str]) -> str:
    """A digest that changes whenever the archive, or a file that `read_files` reads, changes.

    It depends on the bytes of an archive, but only on the names, sizes and times of change of a
    folder's files, since reading 100,000 files takes as long as parsing them.
    """
    if not path.is_dir():
        return sha256(path)
    digest = hashlib.sha256()
    for name, entry in sorted(_scan(path, folders)):
        if wanted.fullmatch(name):
            status = entry.stat()
            digest.update(repr((name, status.st_size, status.st_mtime_ns)).encode())
    return digest.hexdigest()


def _scan(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, os.DirEntry[str]]]:
    """The regular files that are directly in the given folders, with their names below `root`."""
    for folder in folders:
        if (root / folder).is_dir():
            with os.scandir(root / folder) as entries:
                for entry in entries:
                    if entry.is_file(follow_symlinks=False):
                        yield f"{folder}/{entry.name}", entry


def _read_folder(root: Path, folders: Sequence[str]) -> Iterator[tuple[str, bytes]]:
    for name, entry in _scan(root, folders):
        with open(entry.path, "rb") as file:
            yield name, file.read(_MAX_FILE)


def _read_archive(path: Path) -> Iterator[tuple[str, bytes]]:
    with path.open("rb") as file:
        start = file.read(8)
    if start.startswith(b"PK"):
        yield from _read_zip(path)
        return
    module = next((_COMPRESSED[magic] for magic in _COMPRESSED if start.startswith(magic)), None)
    with importlib.import_module(module).open(path) if module else path.open("rb") as stream:
        yield from _read_tar(stream)
        while stream.read(2**20):  # gzip compares its checksum at the end
            pass


def _read_tar(stream: IO[bytes]) -> Iterator[tuple[str, bytes]]:
    """Read a tar from front to back.

    The standard library's tarfile takes longer to decode the 100,000 headers than to unpack the
    archive. It also takes a damaged header for the end, and reads names of any size into memory.
    """
    long_name = b""  # from a header that comes before the file's own
    while (header := stream.read(_BLOCK)).strip(b"\0"):
        octal = _SIZE.fullmatch(header, 124, 136)
        if len(header) < _BLOCK or octal is None:
            raise ValueError(f"there is no tar inside, or a damaged one ({header[:16]!r})")
        size = int(octal[1], base=8)
        if size > _MAX_FILE or stream.tell() + size > _MAX_ARCHIVE:
            raise _too_many(size)
        contents = stream.read(size + -size % _BLOCK)[:size]
        if len(contents) < size:
            raise EOFError("it ends in the middle of a file")
        kind = header[156:157]
        if kind == b"L":  # of GNU
            long_name = contents.rstrip(b"\0")
        elif kind == b"x":  # of POSIX
            long_name = _pax_path(contents)
        elif kind not in b"gK":
            if kind in b"0\0":  # a regular file
                yield (long_name or _name(header)).decode(errors="replace"), contents
            long_name = b""


def _name(header: bytes) -> bytes:
    name = header[:100].partition(b"\0")[0]
    if header[257:263] == b"ustar\0" and header[345]:
        name = header[345:500].partition(b"\0")[0] + b"/" + name
    return name


def _pax_path(contents: bytes) -> bytes:
    path, position = b"", 0
    while record := _PAX.match(contents, position):
        end = max(record.end(), position + int(record[1]))
        if record[2] == b"path":
            path = contents[record.end() : end - 1]
        position = end
    return path


def _read_zip(path: Path) -> Iterator[tuple[str, bytes]]:
    unpacked = 0
    with zipfile.ZipFile(path) as archive:
        for member in archive.infolist():
            unpacked += member.file_size
            if member.file_size > _MAX_FILE or unpacked > _MAX_ARCHIVE:
                raise _too_many(member.file_size)
            if not member.is_dir() and not stat.S_ISLNK(member.external_attr >> 16):
                yield member.filename, archive.read(member)


def _too_many(size: int) -> ValueError:
    return ValueError(f"{size:,} bytes more are too many for the reviews")
