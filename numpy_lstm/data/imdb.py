"""The 100,000 IMDB reviews of Maas et al. (2011): found or downloaded, checked and cached.

Their archive is the Large Movie Review Dataset, version 1.0 (Maas, 2011).

Maas, A.L., Daly, R.E., Pham, P.T., Huang, D., Ng, A.Y. and Potts, C. (2011) 'Learning word vectors
for sentiment analysis', Proceedings of the 49th Annual Meeting of the Association for
Computational Linguistics: Human Language Technologies, pp. 142–150.
"""

import os
import re
import threading
from collections.abc import Iterator, Mapping
from itertools import chain
from pathlib import Path

import numpy as np

from numpy_lstm.data.archive import fingerprint, read_files
from numpy_lstm.data.cache import cache_folder, load_arrays, save_arrays
from numpy_lstm.data.corpus import Corpus, Reviews, select
from numpy_lstm.data.download import fetch
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

_LABELS = {"train/pos": 1, "train/neg": 0, "test/pos": 1, "test/neg": 0, "train/unsup": -1}
_RATINGS = {1: range(7, 11), 0: range(1, 5), -1: range(11)}  # stars of 10 that a label allows
_CACHE = f"imdb-1.{TOKENIZER_VERSION}"  # raise the 1 when `parse` or the file's layout changes
_ARRAYS = ("tokens", "starts", "labels", "films")  # of the cached reviews
_REVIEW = re.compile(r"(?:aclImdb/)?((?:train|test)/(?:pos|neg)|train/unsup)/(\d+)_(\d+)\.txt")
_URLS = re.compile(r"(?:aclImdb/)?(train|test)/urls_(pos|neg|unsup)\.txt")


class DataNotFoundError(Exception):
    """The IMDB reviews were not named, are not cached and cannot be downloaded."""


def load_imdb(
    path: str | os.PathLike[str] | None = None,
    *,
    cache_dir: str | os.PathLike[str] | None = None,
    allow_download: bool = True,
    counts: Mapping[str, int] = PUBLISHED_COUNTS,
) -> Corpus:
    """Load the reviews from `path`, else from the cache, else from the published archive.

    Parsed reviews are cached by the fingerprint of their source, since parsing takes seconds.

    Parameters
    ----------
    path : path, optional
        ``aclImdb_v1.tar.gz``, an extracted ``aclImdb/``, or a folder that contains it; by default
        the environment variable ``NUMPY_LSTM_IMDB``. A bad path is an error, never skipped.
    cache_dir : path, optional
        Where parsed reviews and the download are kept; by default `cache_folder()`.
    allow_download : bool
        Whether the published archive (84 MB) may be downloaded, once.
    counts : mapping of str to int
        Number of reviews that each folder must hold; smaller in tests.

    Raises
    ------
    ValueError
        If the archive or folder is missing, truncated, or does not hold exactly these reviews.
    OSError
        If the archive or folder cannot be read.
    DataNotFoundError
        If no path is given, nothing is cached, and the download is not allowed or fails. Takes
        less than 10 seconds without a network.
    """
    cache = cache_folder() if cache_dir is None else Path(cache_dir)
    if path is None:
        path = os.environ.get("NUMPY_LSTM_IMDB") or None
    if path is not None:
        return _load(Path(path).expanduser(), cache, counts)
    for cached in sorted(cache.glob(f"{_CACHE}-*.npz")):
        if corpus := _read_cache(cached, counts):
            return corpus
    archive = cache / "aclImdb_v1.tar.gz"
    if not archive.exists():
        if not allow_download:
            raise _not_found(archive, "downloading was not allowed")
        _download(archive)
    if fingerprint(archive) != SHA256:
        raise ValueError(
            f"{archive} is not the published archive: its hash differs. Remove it, or name it by"
            " --data PATH if you trust it."
        )
    return _load(archive, cache, counts)


def parse(path: Path, counts: Mapping[str, int]) -> tuple[list[str], Reviews]:
    """Read an archive or folder; return its words, and its reviews ordered by folder and id.

    Line n of ``train/urls_pos.txt`` is the film of the review with id n in ``train/pos``.

    Raises
    ------
    ValueError
        If reviews or films are missing or too many, or a rating contradicts its folder.
    """
    places: list[tuple[str, int]] = []  # folder and id of every review, in the order of reading
    films: dict[str, list[str]] = {}  # folder -> film of each id

    def texts() -> Iterator[str]:
        for name, contents in read_files(path):
            if review := _REVIEW.fullmatch(name):
                folder, number, rating = review[1], int(review[2]), int(review[3])
                if rating not in _RATINGS[_LABELS[folder]]:
                    raise ValueError(f"{path} has a review rated {rating} of 10 as {name}.")
                places.append((folder, number))
                yield contents.decode("utf-8", errors="replace")
            elif urls := _URLS.fullmatch(name):
                lines = contents.decode("utf-8", errors="replace").split()
                films[f"{urls[1]}/{urls[2]}"] = [
                    line.removesuffix("/usercomments") for line in lines
                ]

    words, tokens, starts = number_tokens(texts())
    for folder, wanted in counts.items():
        ids = sorted(number for place, number in places if place == folder)
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

    film_ids = {film: k for k, film in enumerate(sorted({*chain.from_iterable(films.values())}))}
    reviews = Reviews(
        tokens,
        starts,
        labels=np.array([_LABELS[folder] for folder, _ in places], np.int8),
        films=np.array([film_ids[films[folder][number]] for folder, number in places], np.int32),
    )
    # Results must not depend on the order of the files in an archive or on a disk.
    return words, select(reviews, sorted(range(len(places)), key=places.__getitem__))


def _load(path: Path, cache: Path, counts: Mapping[str, int]) -> Corpus:
    """Load a given archive or folder, through the cache."""
    if not path.exists():
        raise ValueError(
            f"{path} does not exist; `path` (or NUMPY_LSTM_IMDB) must name aclImdb_v1.tar.gz or "
            "an extracted aclImdb/."
        )
    if path.is_dir():
        path = path / "aclImdb" if (path / "aclImdb").is_dir() else path
        if not (path / "train" / "pos").is_dir():
            raise ValueError(f"{path} has no folder train/pos; wanted an extracted aclImdb/.")
    cached = cache / f"{_CACHE}-{fingerprint(path)[:16]}.npz"
    corpus = _read_cache(cached, counts)
    if corpus is None:
        words, reviews = parse(path, counts)
        letters = np.frombuffer("\n".join(words).encode(), np.uint8)
        save_arrays(cached, {"words": letters, **{k: getattr(reviews, k) for k in _ARRAYS}})
        corpus = _corpus(words, reviews, counts)
    return corpus


def _read_cache(path: Path, counts: Mapping[str, int]) -> Corpus | None:
    """Read what `_load` cached; None unless it holds the expected reviews."""
    arrays = load_arrays(path)
    if arrays is None or set(arrays) != {"words", *_ARRAYS}:
        return None
    words = arrays.pop("words").tobytes().decode().split("\n")
    reviews = Reviews(**arrays)
    wanted = [label for folder in sorted(counts) for label in [_LABELS[folder]] * counts[folder]]
    return _corpus(words, reviews, counts) if np.array_equal(reviews.labels, wanted) else None


def _corpus(words: list[str], reviews: Reviews, counts: Mapping[str, int]) -> Corpus:
    """Split all reviews, in the order of `parse`, into the three sets."""
    n_test = counts["test/neg"] + counts["test/pos"]
    n_train = counts["train/neg"] + counts["train/pos"]
    positions = np.arange(len(reviews.labels))
    test, train, unlabeled = np.split(positions, [n_test, n_test + n_train])
    return Corpus(
        "imdb", words, select(reviews, train), select(reviews, test), select(reviews, unlabeled)
    )


def _download(archive: Path) -> None:
    """Download the published archive; it appears only when complete and of the right hash."""
    try:
        _expect_answer(ADDRESS, PATIENCE)
        fetch(ADDRESS, archive, SHA256)
    except (OSError, ValueError) as error:  # no network, a broken transfer; another archive
        raise _not_found(archive, f"its download failed: {error}") from error


def _expect_answer(address: str, seconds: float) -> None:
    """Raise a ConnectionError unless the server answers in time.

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
        except OSError as error:
            failure = error

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(seconds)
    if failure is not None:
        raise ConnectionError(f"{address} does not answer") from failure


def _not_found(archive: Path, reason: str) -> DataNotFoundError:
    return DataNotFoundError(
        f"The IMDB reviews are not on this machine ({reason}). Three ways to supply them: "
        "(1) name the archive aclImdb_v1.tar.gz or an extracted aclImdb/ with --data PATH; "
        "(2) set the environment variable NUMPY_LSTM_IMDB to that path; "
        f"(3) connect to the network, to have {ADDRESS} downloaded once, or put that archive "
        f"at {archive}."
    )
