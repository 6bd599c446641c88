"""Downloads one file in several attempts, each of which continues the one before.

The usual library for downloads, pooch, starts again after an interrupted transfer.
"""

from __future__ import annotations

import os
from pathlib import Path

from numpy_lstm.data.archive import fingerprint

ATTEMPTS = 5  # as long as each one receives something
BLOCK = 2**16  # bytes; an incomplete block is lost


def fetch(address: str, path: Path, sha256: str) -> None:
    """Download to `path`; continue an interrupted attempt of this call or an earlier one.

    Parameters
    ----------
    address : str
    path : Path
        Appears only when complete and of the right hash; until then its name ends in ``.part``.
    sha256 : str

    Raises
    ------
    ValueError
        If the file has another hash; it is removed.
    OSError
        If the network or the disk fails; the received part is kept for the next call.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    for attempt in range(ATTEMPTS):
        size = part.stat().st_size if part.exists() else 0
        try:
            _append(address, part, size)
            break
        except OSError:
            if attempt == ATTEMPTS - 1 or not part.exists() or part.stat().st_size <= size:
                raise
    got = fingerprint(part)
    if got != sha256:
        part.unlink()
        raise ValueError(f"{address} sent a file with the hash {got}; wanted {sha256}")
    os.replace(part, path)


def _append(address: str, part: Path, size: int) -> None:
    """Request the bytes after the first `size`, and append them."""
    import requests
    from tqdm import tqdm

    headers = {"Range": f"bytes={size}-"} if size else {}
    with requests.get(address, headers=headers, stream=True, timeout=30) as answer:
        if answer.status_code == requests.codes.requested_range_not_satisfiable:
            return  # nothing is missing
        answer.raise_for_status()
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
