"""Downloads one file in several attempts, each of which continues the one before.

The usual library for downloads, pooch, starts again after an interrupted transfer.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from numpy_lstm.data.archive import sha256
from numpy_lstm.data.cache import make_cache_folder
from numpy_lstm.files import try_lock

ATTEMPTS = 5  # as long as each one receives something
BLOCK = 2**16  # bytes; an incomplete block is lost
STALLED = 60.0  # seconds without a byte, after which another process is no longer waited for


def fetch(address: str, path: Path, wanted: str) -> None:
    """Download to `path`; continue an interrupted attempt of this call or an earlier one.

    If another process is downloading it, wait for that.

    Parameters
    ----------
    address : str
    path : Path
        Appears only when complete and of the right hash; until then its name ends in ``.part``.
    wanted : str
        Its SHA-256.

    Raises
    ------
    ValueError
        If the file has another hash; it is removed.
    OSError
        If the network or the disk fails; the received part is kept for the next call.
    """
    make_cache_folder(path.parent)
    with _part_of(path) as part:
        if path.exists():
            return  # the other process has brought it
        for attempt in range(ATTEMPTS):
            size = _size(part)
            try:
                _append(address, part, size)
                break
            except OSError:
                if attempt == ATTEMPTS - 1 or _size(part) <= size:
                    raise
        got = sha256(part)
        if got != wanted:
            part.unlink()
            raise ValueError(f"{address} sent a file with the hash {got}; wanted {wanted}")
        os.replace(part, path)


def explain(error: Exception) -> str:
    """Why a download failed, and what may help, in one sentence."""
    from requests import exceptions

    text = str(error)
    # The innermost of the errors that urllib3 puts around each other.
    reason = text.rsplit(": ", 1)[-1].partition(" (_ssl")[0].strip("()'\" ")
    if isinstance(error, exceptions.SSLError):
        what = "certificate was refused" if "certificate" in text else "encryption failed"
        return (
            f"the server's {what} ({reason}); if a proxy here puts its own certificate in place,"
            " REQUESTS_CA_BUNDLE must name a file with it; is the clock right?"
        )
    if "CA certificate bundle" in text:
        return (
            f"there is no file of trusted certificates at {reason}; do REQUESTS_CA_BUNDLE and"
            " CURL_CA_BUNDLE name the right one?"
        )
    if "SOCKS" in text and isinstance(error, exceptions.InvalidSchema):
        return (
            "the proxy speaks SOCKS, which needs one more package: pip install 'requests[socks]',"
            " or unset ALL_PROXY"
        )
    if isinstance(error, (exceptions.ProxyError, exceptions.InvalidURL)):
        return (
            f"the proxy is of no use ({reason}); is it the right one in HTTPS_PROXY, HTTP_PROXY or"
            " ALL_PROXY?"
        )
    if isinstance(error, exceptions.HTTPError) and error.response is not None:
        answer = error.response
        return f"the server answers {answer.status_code} {answer.reason}; try again later"
    if isinstance(error, exceptions.ChunkedEncodingError):
        return "the transfer broke off; the next call goes on from there"
    if isinstance(error, (exceptions.ConnectionError, exceptions.Timeout, TimeoutError)):
        return "the server does not answer; is there a network?"
    if isinstance(error, OSError) and error.errno is not None:
        return f"{error}; NUMPY_LSTM_CACHE can name another folder"
    return text


@contextlib.contextmanager
def _part_of(path: Path) -> Iterator[Path]:
    """The file to download to, as soon as no other process downloads, or `path` is there.

    Where files cannot be locked, or the one who holds the lock does nothing, it is a file of this
    call alone, with which no later call goes on.
    """
    shared, lock = (path.with_name(path.name + ending) for ending in (".part", ".lock"))
    size, since = -1, 0.0
    while True:
        with open(lock, "ab") as file:
            locked = try_lock(file)
            if path.exists() or (locked and _is_still_at(lock, file)):
                try:
                    yield shared
                finally:
                    if locked:
                        _remove(lock)
                return
        if locked is False and size < 0:
            print("Waiting for another process that downloads the same file ...", file=sys.stderr)
        if _size(shared) != size:
            size, since = _size(shared), time.monotonic()
        if locked is None or time.monotonic() - since > STALLED:
            own = path.with_name(f"{path.name}.{uuid.uuid4().hex[:8]}.part")
            try:
                yield own
            finally:
                own.unlink(missing_ok=True)
                if locked is None:
                    _remove(lock)
            return
        time.sleep(0.1)


def _is_still_at(path: Path, file: IO[bytes]) -> bool:
    """Whether the open file has not been removed, by the one who held the lock before."""
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _remove(path: Path) -> None:
    with contextlib.suppress(OSError):  # Windows removes no file that is open
        path.unlink()


def _size(path: Path) -> int:
    return path.stat().st_size if path.exists() else 0


def _append(address: str, part: Path, size: int) -> None:
    """Request the bytes after the first `size`, and append them."""
    import requests
    from tqdm import tqdm

    headers = {"Range": f"bytes={size}-"} if size else {}
    with requests.get(address, headers=headers, stream=True, timeout=30) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing
        answer.raise_for_status()
        if answer.headers.get("Content-Type", "").startswith("text/"):
            raise OSError("a web page came in its place; does this network ask for a log-in?")
        goes_on = answer.status_code == requests.codes.partial_content
        coming = int(answer.headers.get("Content-Length", 0))
        with (
            open(part, "ab" if goes_on else "wb") as file,
            tqdm(
                total=coming + size * goes_on,
                initial=size * goes_on,
                unit="B",
                unit_scale=True,
                desc="IMDB",
            ) as bar,
        ):
            for block in answer.iter_content(BLOCK):
                file.write(block)
                bar.update(len(block))
