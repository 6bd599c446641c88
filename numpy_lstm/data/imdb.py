"""The 100,000 IMDB reviews of Maas et al. (2011): found or downloaded, checked and cached.

Their archive is the Large Movie Review Dataset, version 1.0 (Maas, 2011).

Maas, A.L., Daly, R.E., Pham, P.T., Huang, D., Ng, A.Y. and Potts, C. (2011) 'Learning word vectors
for sentiment analysis', Proceedings of the 49th Annual Meeting of the Association for
Computational Linguistics: Human Language Technologies, pp. 142–150.
"""

import contextlib
import hashlib
import os
import re
import sys
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from numpy_lstm.data.archive import READABLE, fingerprint, read_files, sha256
from numpy_lstm.data.cache import (
    cache_folder,
    find_cached,
    load_arrays,
    make_cache_folder,
    save_arrays,
)
from numpy_lstm.data.corpus import Corpus, Reviews, select
from numpy_lstm.data.download import explain, fetch
from numpy_lstm.data.text import TOKENIZER_VERSION, number_tokens

ADDRESS = "https://ai.stanford.edu/~amaas/data/sentiment/aclImdb_v1.tar.gz"
SHA256 = "c40f74a18d3b61f90feba1e17730e0d38e8b97c05fde7008942e91923d1658fe"
PUBLISHED_COUNTS = {
    "train/pos": 12_500,
    "train/neg": 12_500,
    "test/pos": 12_500,
    "test/neg": 12_500,
    "train/unsup": 50_000,
}
PATIENCE = 8  # seconds for the server's first answer

PUBLISHED = (  # what `parse` makes of the published reviews: all, and without the unlabeled ones
    "ac4be34364270b0ca7eb15d48d6d325aac59c121d93279fb2e94c2486178ba6d",
    "611288ce08aa4a114de89c08c6a27c3b7606e1db0eec44b18d5398bee5cdfed6",
)

_LABELS = {"train/pos": 1, "train/neg": 0, "test/pos": 1, "test/neg": 0, "train/unsup": -1}
_RATINGS = {1: range(7, 11), 0: range(1, 5), -1: range(11)}  # stars of 10 that a label allows
_UNLABELED = "train/unsup"
_CACHE = f"imdb-2.{TOKENIZER_VERSION}"  # raise the 2 when `parse` or the file's layout changes
_CACHED = re.compile(r"imdb-\d+\.\d+(-[0-9a-f]{16}){1,2}\.npz")  # of all versions
_KEPT = 4  # parsed data sets, of 96 MB each if they are as large as IMDB
_ARRAYS = ("tokens", "starts", "labels", "films")  # of the cached reviews
_FOLDERS = ("train", "test", *_LABELS)
_FILE = re.compile(
    r"((?:(?!\.\./)[^/]+/)*)"  # what stands above train/ and test/ in an archive
    r"(?:((?:train|test)/(?:pos|neg)|train/unsup)/(\d+)_(\d+)|(train|test)/urls_(pos|neg|unsup))"
    r"\.txt"
)


class DataNotFoundError(Exception):
    """The IMDB reviews were not named, are not cached and cannot be downloaded."""


def load_imdb(
    path: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    allow_download: bool = True,
    counts: Mapping[str, int] = PUBLISHED_COUNTS,
    given_as: str = "`path`",
) -> Corpus:
    """Load the reviews from `path`; without one, those that were published.

    Parsed reviews are cached by the fingerprint of their source, since parsing takes seconds; a
    line on standard error says so when they are parsed. Only the newest few are kept.

    Parameters
    ----------
    path : path, optional
        ``aclImdb_v1.tar.gz``, an extracted ``aclImdb/``, or a folder above it; by default the
        environment variable ``NUMPY_LSTM_IMDB``. A bad path is an error, never skipped.
        ``train/unsup`` may be missing: `Corpus.unlabeled` is then empty.
    cache_dir : path, optional
        Where parsed reviews and the download are kept; by default `cache_folder()`.
    allow_download : bool
        Whether the published archive (84 MB) may be downloaded, once.
    counts : mapping of str to int
        Number of reviews that each folder must hold; smaller in tests.
    given_as : str
        What errors call `path`.

    Returns
    -------
    Corpus
        Its name is "imdb" if the reviews are the published ones, else "reviews".

    Raises
    ------
    ValueError
        If the archive or folder is missing, truncated, or does not hold such reviews.
    OSError
        If the archive or folder cannot be read.
    DataNotFoundError
        If no path is given, nothing is cached, and the download is not allowed or fails. Takes
        less than 10 seconds without a network.
    """
    cache = cache_folder() if cache_dir is None else Path(os.path.expanduser(cache_dir))
    if path is None and (path := os.environ.get("NUMPY_LSTM_IMDB") or None):
        given_as = "NUMPY_LSTM_IMDB"
    if path is not None:
        try:
            return _load(_root(path), cache, counts)
        except ValueError as error:
            raise ValueError(f"{given_as}: {error}") from error
    for cached in find_cached(cache, f"{_CACHE}-*-{PUBLISHED[0][:16]}.npz"):
        if corpus := _read_cache(cached, counts):
            return corpus
    archive = cache / "aclImdb_v1.tar.gz"
    if not os.path.exists(archive):
        if not allow_download:
            raise _not_found(archive, "downloading was not allowed")
        _download(archive)
    try:
        found = sha256(archive)
    except OSError as error:
        raise _not_found(archive, f"{archive} cannot be read: {error.strerror}") from error
    if found != SHA256:
        raise ValueError(
            f"{archive} is not the published archive: its hash differs. Remove it, or name it by"
            " --data PATH if you trust it."
        )
    return _load(archive, cache, counts)._replace(source=None)


def parse(path: Path, counts: Mapping[str, int]) -> tuple[list[str], Reviews, str]:
    """Read an archive or folder: its words, its reviews ordered by folder and id, and a hash.

    Line n of ``train/urls_pos.txt`` is the film of the review with id n in ``train/pos``. The hash
    is the SHA-256 of names, films and texts of all reviews, in hexadecimal. It depends neither on
    how they are packed nor on how they are tokenized.

    Raises
    ------
    ValueError
        If reviews or films are missing or too many, or a rating contradicts its folder.
    """
    places: list[tuple[str, int]] = []  # folder and id of every review, in the order of reading
    hashes: list[str] = []  # of each review's name and text
    films: dict[str, list[str]] = {}  # folder -> film of each id
    roots: set[str] = set()

    def texts() -> Iterator[str]:
        for name, contents in read_files(path, _FOLDERS, _FILE):
            root, folder, number, rating, split, kind = name.groups()
            if not roots:
                print(f"Reading the reviews in {path} (about 20 s, once) ...", file=sys.stderr)
            roots.add(root)
            text = contents.decode("utf-8", errors="replace")
            if split:
                films[f"{split}/{kind}"] = [
                    line.removesuffix("/usercomments") for line in text.split()
                ]
                continue
            if int(rating) not in _RATINGS[_LABELS[folder]]:
                raise ValueError(f"{path} has a review rated {rating} of 10 as {name[0]}.")
            places.append((folder, int(number)))
            hashes.append(f"{rating} {hashlib.sha256(contents).hexdigest()}")
            yield text

    words, tokens, starts = number_tokens(texts())
    if len(roots) > 1:
        one, other, *_ = sorted(roots)
        raise ValueError(f"{path} holds more than one data set: {one or './'} and {other}.")
    for folder, wanted in counts.items():
        ids = sorted(number for place, number in places if place == folder)
        if folder == _UNLABELED and not ids:  # as tutorials of Keras and TensorFlow leave it
            films.pop(folder, None)
            continue
        if ids != list(range(wanted)):
            raise ValueError(
                f"{path} holds {len(ids):,} reviews in {folder}; wanted {wanted:,}, with the ids "
                f"0 to {wanted - 1:,}. Is it cut off, or another data set?"
            )
        if len(films.get(folder, [])) != wanted:
            raise ValueError(
                f"{path} names {len(films.get(folder, [])):,} films for the reviews in {folder}, "
                f"in urls_*.txt; wanted {wanted:,}."
            )

    # Results must not depend on the order of the files in an archive or on a disk.
    order = sorted(range(len(places)), key=places.__getitem__)
    film_of = [films[folder][number] for folder, number in places]
    film_ids = {film: k for k, film in enumerate(sorted(set(film_of)))}
    reviews = Reviews(
        tokens,
        starts,
        labels=np.array([_LABELS[folder] for folder, _ in places], np.int8),
        films=np.array([film_ids[film] for film in film_of], np.int32),
    )
    lines = [f"{places[k]} {film_of[k]} {hashes[k]}\n" for k in order]
    return words, select(reviews, order), hashlib.sha256("".join(lines).encode()).hexdigest()


def _root(named: str | os.PathLike[str]) -> Path:
    """The archive, or the folder with train/ and test/, that is meant by a path."""
    if not os.fspath(named):
        raise ValueError("the path is empty.")
    path = Path(os.path.abspath(os.path.expanduser(named)))
    wanted = f"wanted aclImdb_v1.tar.gz or an extracted aclImdb/ (what can be read: {READABLE})"
    if path.is_file():
        return path
    if path.is_dir():
        for root in (path, path / "aclImdb", *sorted(path.glob("*/aclImdb"))):
            if (root / "train" / "pos").is_dir():
                return root
        raise ValueError(f"{path} has no folder train/pos, nor an aclImdb/ with one; {wanted}.")
    if path.exists():
        raise ValueError(f"{path} is neither a file nor a folder; {wanted}.")
    raise ValueError(f"{path} does not exist; {wanted}.")


def _load(path: Path, cache: Path, counts: Mapping[str, int]) -> Corpus:
    """Load an archive or a folder with train/ and test/, through the cache."""
    print_of = fingerprint(path, _FOLDERS, _FILE)[:16]
    for cached in find_cached(cache, f"{_CACHE}-{print_of}-*.npz"):
        if corpus := _read_cache(cached, counts):
            return corpus._replace(source=str(path))
    words, reviews, content = parse(path, counts)
    letters = np.frombuffer("\n".join(words).encode(), np.uint8)
    save_arrays(
        cache / f"{_CACHE}-{print_of}-{content[:16]}.npz",
        {"words": letters, **{k: getattr(reviews, k) for k in _ARRAYS}},
    )
    _remove_old(cache)
    return _corpus(words, reviews, content, counts)._replace(source=str(path))


def _remove_old(cache: Path) -> None:
    """Remove all parsed data sets but the newest."""
    with contextlib.suppress(OSError):  # read-only, or of another user
        found = [path for path in find_cached(cache, "*.npz") if _CACHED.fullmatch(path.name)]
        for path in sorted(found, key=os.path.getmtime)[:-_KEPT]:
            path.unlink()


def _read_cache(path: Path, counts: Mapping[str, int]) -> Corpus | None:
    """Read what `_load` cached; None unless it holds the expected reviews."""
    arrays = load_arrays(path)
    if arrays is None or set(arrays) != {"words", *_ARRAYS}:
        return None
    words = arrays.pop("words").tobytes().decode().split("\n")
    reviews = Reviews(**arrays)
    wanted = [label for folder in sorted(counts) for label in [_LABELS[folder]] * counts[folder]]
    labels = reviews.labels.tolist()
    if labels not in (wanted, [label for label in wanted if label >= 0]):
        return None
    return _corpus(words, reviews, path.stem[-16:], counts)


def _corpus(words: list[str], reviews: Reviews, content: str, counts: Mapping[str, int]) -> Corpus:
    """Split all reviews, in the order of `parse`, into the three sets."""
    n_test = counts["test/neg"] + counts["test/pos"]
    n_train = counts["train/neg"] + counts["train/pos"]
    positions = np.arange(len(reviews.labels))
    parts = np.split(positions, [n_test, n_test + n_train])
    test, train, unlabeled = (select(reviews, part) for part in parts)
    is_published = content[:16] in [published[:16] for published in PUBLISHED]
    return Corpus("imdb" if is_published else "reviews", words, train, test, unlabeled)


def _download(archive: Path) -> None:
    """Download the published archive; it appears only when complete and of the right hash."""
    try:
        make_cache_folder(archive.parent)
        _expect_answer(ADDRESS, PATIENCE)
        fetch(ADDRESS, archive, SHA256)
    except (OSError, ValueError) as error:  # no network, a broken transfer; another archive
        raise _not_found(archive, f"its download failed: {explain(error)}") from error


def _expect_answer(address: str, seconds: float) -> None:
    """Raise the error of a request, or a TimeoutError unless the server answers in time.

    The time-out of a request limits neither the look-up of the host's name nor the number of
    addresses tried, so a thread makes the request, which can be abandoned.
    """
    import requests

    failure: Exception | None = TimeoutError(f"no answer within {seconds} seconds")

    def ask() -> None:
        nonlocal failure
        try:
            requests.head(address, timeout=seconds)
            failure = None
        except (OSError, ValueError) as error:
            failure = error

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure is not None:
        raise failure


def _not_found(archive: Path, reason: str) -> DataNotFoundError:
    return DataNotFoundError(
        f"The IMDB reviews are not on this machine ({reason}). Three ways to supply them: "
        "(1) name the archive aclImdb_v1.tar.gz or an extracted aclImdb/ with --data PATH; "
        "(2) set the environment variable NUMPY_LSTM_IMDB to that path; "
        f"(3) connect to the network, to have {ADDRESS} downloaded once, or put that archive "
        f"at {archive}."
    )
