"""Archives, the parsed reviews, their cache and the download, on files made byte by byte."""

import gzip
import hashlib
import io
import os
import stat
import tarfile
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import platformdirs
import pytest

from numpy_lstm.data import archive as archives
from numpy_lstm.data import cache, download, imdb
from numpy_lstm.data.archive import fingerprint, read_files, sha256
from numpy_lstm.data.corpus import Corpus
from numpy_lstm.data.imdb import _FILE, _FOLDERS, parse
from tests.data.test_imdb import write_archive, write_folder

COUNTS = {"train/pos": 2, "train/neg": 3, "test/pos": 2, "test/neg": 1, "train/unsup": 2}
# Every review has a rating of its own; every film is another, but for one that has two reviews.
REVIEWS = {
    "test/neg/0_4.txt": "a",
    "test/pos/0_10.txt": "b",
    "test/pos/1_7.txt": "c",
    "train/neg/0_1.txt": "d d",
    "train/neg/1_3.txt": "e e e",
    "train/neg/2_2.txt": "f",
    "train/pos/0_9.txt": "g",
    "train/pos/1_8.txt": "h h",
    "train/unsup/0_0.txt": "i",
    "train/unsup/1_0.txt": "j",
}
FILMS = {
    "test/urls_neg.txt": "u9/usercomments\n",
    "test/urls_pos.txt": "u8/usercomments\nu7/usercomments\n",
    "train/urls_neg.txt": "u6/usercomments\nu5/usercomments\nu4/usercomments\n",
    "train/urls_pos.txt": "u3/usercomments\nu6/usercomments\n",
    "train/urls_unsup.txt": "u2/usercomments\nu1/usercomments\n",
}
FILES = {**FILMS, **REVIEWS}


def encoded(files: dict[str, str]) -> dict[str, bytes]:
    return {name: text.encode() for name, text in files.items()}


def tar_of(path: Path, files: dict[str, str], root: str = "aclImdb/") -> Path:
    return write_archive(path, encoded(files), root)


def quietly(function: Any, *arguments: Any, **named: Any) -> Any:
    with redirect_stderr(io.StringIO()):
        return function(*arguments, **named)


def accepted(function: Any, *arguments: Any, **named: Any) -> Any:
    """What must not be refused."""
    try:
        return quietly(function, *arguments, **named)
    except ValueError as error:
        raise AssertionError(f"refused: {error}") from error


def load(path: Path, folder: Path) -> Corpus:
    return accepted(imdb.load_imdb, path, cache_dir=folder, counts=COUNTS)


def read(path: Path) -> dict[str, bytes]:
    return {name[0]: contents for name, contents in read_files(path, _FOLDERS, _FILE)}


def test_every_review_has_its_text_its_label_and_its_film(tmp_path: Path) -> None:
    backwards = dict(reversed(FILES.items()))
    words, reviews, _ = accepted(parse, tar_of(tmp_path / "a.tar.gz", backwards), COUNTS)
    assert words == [*"abcdefghij"]
    assert reviews.tokens.tolist() == [0, 1, 2, 3, 3, 4, 4, 4, 5, 6, 7, 7, 8, 9]
    assert reviews.lengths.tolist() == [1, 1, 1, 2, 3, 1, 1, 2, 1, 1]
    assert reviews.labels.tolist() == [0, 1, 1, 0, 0, 0, 1, 1, -1, -1]
    # The k-th film in the order of the alphabet is k: u1 is 0.
    assert reviews.films.tolist() == [8, 7, 6, 5, 4, 3, 2, 5, 1, 0]


def test_train_test_and_unlabeled_reviews_are_told_apart(tmp_path: Path) -> None:
    corpus = load(tar_of(tmp_path / "a.tar", FILES), tmp_path / "cache")
    found = {
        part: (
            "".join(corpus.words[k] for k in getattr(corpus, part).tokens),
            getattr(corpus, part).labels.tolist(),
        )
        for part in ("test", "train", "unlabeled")
    }
    assert found == {
        "test": ("abc", [0, 1, 1]),
        "train": ("ddeeefghh", [0, 0, 0, 1, 1]),
        "unlabeled": ("ij", [-1, -1]),
    }
    assert (corpus.name, corpus.source) == ("reviews", str(tmp_path / "a.tar"))


def rated(folder: str, stars: int) -> dict[str, str]:
    """The files, with another rating of the first review in a folder."""
    old = next(name for name in REVIEWS if name.startswith(f"{folder}/0_"))
    kept = {name: text for name, text in FILES.items() if name != old}
    return {**kept, f"{folder}/0_{stars}.txt": FILES[old]}


@pytest.mark.parametrize(
    ("folder", "allowed"),
    [("test/pos", range(7, 11)), ("train/neg", range(1, 5)), ("train/unsup", range(11))],
)
def test_a_rating_must_be_one_that_its_folder_allows(
    folder: str, allowed: range, tmp_path: Path
) -> None:
    for stars in range(12):
        path = tar_of(tmp_path / f"{stars}.tar", rated(folder, stars))
        try:
            quietly(parse, path, COUNTS)
        except ValueError as error:
            assert f"rated {stars} of 10" in str(error)
            assert stars not in allowed
        else:
            assert stars in allowed


def test_the_published_reviews_are_these() -> None:
    counts = {"train/pos": 12500, "train/neg": 12500, "test/pos": 12500, "test/neg": 12500}
    assert counts | {"train/unsup": 50000} == imdb.PUBLISHED_COUNTS


def content(tmp_path: Path, files: dict[str, str], name: str = "x.tar") -> str:
    digest: str = accepted(parse, tar_of(tmp_path / name, files), COUNTS)[2]
    return digest


def test_the_contents_hash_depends_on_every_review_and_on_nothing_else(tmp_path: Path) -> None:
    expected = content(tmp_path, FILES)
    lines = []
    films = {name: text.replace("/usercomments", "").split() for name, text in FILMS.items()}
    for name, text in sorted(REVIEWS.items()):
        split, kind, rest = name.split("/")
        number, rating = map(int, rest.removesuffix(".txt").split("_"))
        film = films[f"{split}/urls_{kind}.txt"][number]
        digest = hashlib.sha256(text.encode()).hexdigest()
        lines.append(f"{(f'{split}/{kind}', number)} {film} {rating} {digest}\n")
    assert expected == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert content(tmp_path, dict(reversed(FILES.items())), "y.tar.gz") == expected
    assert content(tmp_path, {**FILES, "README": "of no matter"}) == expected
    for changed in (
        {**FILES, "test/neg/0_4.txt": "A"},  # the same tokens
        {**FILES, "test/urls_neg.txt": "u0/usercomments\n"},
        rated("test/pos", 9),
    ):
        assert content(tmp_path, changed) != expected


def test_a_cached_data_set_is_the_one_that_was_parsed_and_not_another(tmp_path: Path) -> None:
    path = tar_of(tmp_path / "a.tar", FILES)
    first = load(path, tmp_path / "cache")
    (cached,) = (tmp_path / "cache").iterdir()
    assert cached.name == (
        f"imdb-2.{imdb.TOKENIZER_VERSION}-{sha256(path)[:16]}-{content(tmp_path, FILES)[:16]}.npz"
    )
    with patch.object(imdb, "parse", side_effect=AssertionError("parsed again")):
        again = load(path, tmp_path / "cache")
    assert again.words == first.words
    for part in ("train", "test", "unlabeled"):
        for one, other in zip(getattr(again, part)[:4], getattr(first, part)[:4], strict=True):
            np.testing.assert_array_equal(one, other, strict=True)
    arrays = dict(np.load(cached))
    for wrong in (
        {**arrays, "labels": 1 - arrays["labels"]},
        {**arrays, "labels": arrays["labels"][:-1]},
        {name: array for name, array in arrays.items() if name != "films"},
    ):
        np.savez(cached, **wrong)
        assert imdb._read_cache(cached, COUNTS) is None
    cached.write_bytes(cached.read_bytes()[:-100])
    assert imdb._read_cache(cached, COUNTS) is None
    assert load(path, tmp_path / "cache").train.labels.tolist() == [0, 0, 0, 1, 1]


def test_the_newest_parsed_data_sets_are_kept(tmp_path: Path) -> None:
    for k in range(6):
        name = f"imdb-2.2-{k:016}-{k:016}.npz"
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (10 + (k + 3) % 6, 10 + (k + 3) % 6))
    for name in ("vectors-1.npz", "mine.npz"):
        (tmp_path / name).touch()
        os.utime(tmp_path / name, (1, 1))
    imdb._remove_old(tmp_path)
    assert sorted(path.name[-5] for path in tmp_path.glob("imdb-*")) == [*"0125"]
    assert (tmp_path / "mine.npz").exists() and (tmp_path / "vectors-1.npz").exists()


# --- archives ------------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 511, 512, 513, 1024])
@pytest.mark.parametrize("suffix", ["tar", "tar.gz"])
def test_a_member_of_any_size_is_read_whole_and_so_is_the_next(
    size: int, suffix: str, tmp_path: Path
) -> None:
    files = {"test/pos/0_7.txt": "x" * size, "test/pos/1_7.txt": "next"}
    assert accepted(read, tar_of(tmp_path / f"a.{suffix}", files)) == {
        f"aclImdb/{name}": text.encode() for name, text in files.items()
    }


def test_a_folder_and_every_kind_of_archive_have_the_same_files(tmp_path: Path) -> None:
    below = encoded(FILES)
    folder = write_folder(
        tmp_path / "folder", encoded({**FILES, "README": "?", "train/other.txt": "?"})
    )
    assert read(folder) == below
    with zipfile.ZipFile(tmp_path / "a.zip", "w") as archive:
        for name, text in FILES.items():
            archive.writestr(f"top/{name}", text)
    assert read(tmp_path / "a.zip") == {f"top/{name}": text for name, text in below.items()}
    for wanted in (tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT):
        with patch.object(tarfile.TarFile, "format", wanted):
            long = "much/" * 40
            assert read(tar_of(tmp_path / "a.tar", FILES, long)) == {
                f"{long}{name}": text for name, text in below.items()
            }
            names = [f"{'m/' * 60}train/pos/0_8.txt", "train/pos/1_8.txt"]
            mixed = tar_of(tmp_path / "b.tar", dict.fromkeys(names, "?"), "")
            assert [*accepted(read, mixed)] == names


def test_files_of_the_oldest_kind_of_tar_are_read_too(tmp_path: Path) -> None:
    member = tarfile.TarInfo("train/pos/0_9.txt")
    member.type, member.size = tarfile.AREGTYPE, 4  # a NUL where later kinds have a "0"
    with tarfile.open(tmp_path / "a.tar", "w") as tar:
        tar.addfile(member, io.BytesIO(b"good"))
    assert accepted(read, tmp_path / "a.tar") == {"train/pos/0_9.txt": b"good"}


def test_what_comes_after_the_first_gigabytes_or_is_cut_off_is_refused(tmp_path: Path) -> None:
    assert (archives._MAX_FILE, archives._MAX_ARCHIVE) == (2**27, 2**31)
    path = tar_of(tmp_path / "a.tar", FILES)
    whole = path.read_bytes()
    path.write_bytes(whole[: 512 + 10])
    with pytest.raises(ValueError, match="ends in the middle"):
        read(path)
    packed = bytearray(gzip.compress(whole))
    packed[-6] ^= 1  # the checksum
    path.write_bytes(packed)
    with pytest.raises(ValueError, match="CRC check failed"):
        read(path)


def zip_of(path: Path, files: dict[str, str], mode: int = 0) -> Path:
    with zipfile.ZipFile(path, "w") as archive:
        for name, text in files.items():
            member = zipfile.ZipInfo(name)
            member.external_attr = mode << 16
            archive.writestr(member, text)
    return path


def test_the_members_of_a_zip_are_limited_together(tmp_path: Path) -> None:
    files = {f"train/pos/{k}_9.txt": "ten bytes!" for k in range(3)}
    path = zip_of(tmp_path / "a.zip", files)
    with patch.object(archives, "_MAX_ARCHIVE", 30):
        assert len(accepted(read, path)) == 3
    with (
        patch.object(archives, "_MAX_ARCHIVE", 29),
        pytest.raises(ValueError, match="10 bytes more are too many"),
    ):
        read(path)


def test_the_members_of_a_tar_are_limited_together(tmp_path: Path) -> None:
    # Each has a header of 512 bytes, and a block of as many for its ten.
    path = tar_of(tmp_path / "a.tar", {f"train/pos/{k}_9.txt": "ten bytes!" for k in range(3)})
    with patch.object(archives, "_MAX_ARCHIVE", 5 * 512 + 10):
        assert len(accepted(read, path)) == 3
    with (
        patch.object(archives, "_MAX_ARCHIVE", 5 * 512 + 9),
        pytest.raises(ValueError, match="10 bytes more are too many"),
    ):
        read(path)


def test_links_in_a_zip_are_passed_over(tmp_path: Path) -> None:
    files = {"train/pos/0_9.txt": "where the link leads"}
    assert accepted(read, zip_of(tmp_path / "a.zip", files, stat.S_IFREG | 0o644))
    assert accepted(read, zip_of(tmp_path / "b.zip", files, stat.S_IFLNK | 0o777)) == {}


def test_a_hash_is_that_of_all_bytes_of_a_file(tmp_path: Path) -> None:
    contents = bytes(range(256)) * 5000  # more than a block
    (tmp_path / "a").write_bytes(contents)
    assert sha256(tmp_path / "a") == hashlib.sha256(contents).hexdigest()
    assert fingerprint(tmp_path / "a", _FOLDERS, _FILE) == sha256(tmp_path / "a")


def test_a_folders_fingerprint_changes_with_name_size_and_time_of_what_is_read(
    tmp_path: Path,
) -> None:
    folder = write_folder(tmp_path / "a", encoded(FILES))
    for path in folder.rglob("*.txt"):
        os.utime(path, (100, 100))

    def now() -> str:
        return fingerprint(folder, _FOLDERS, _FILE)

    seen = [now()]
    review = folder / "test/pos/1_7.txt"
    review.write_text("longer")
    os.utime(review, (100, 100))
    seen.append(now())
    os.utime(review, (101, 101))
    seen.append(now())
    review.rename(folder / "test/pos/1_8.txt")
    seen.append(now())
    assert len({*seen}) == 4
    (folder / "test/pos/notes").write_text("not read")
    (folder / "test/README").write_text("not read")
    assert now() == seen[-1]


def test_a_folder_above_the_reviews_may_have_a_folder_called_train(tmp_path: Path) -> None:
    write_folder(tmp_path / "aclImdb", encoded(FILES))
    (tmp_path / "train").mkdir()
    assert len(load(tmp_path, tmp_path / "cache").train.labels) == 5


# --- the cache and the download ------------------------------------------------------------------


def test_the_cache_is_where_the_variable_says(tmp_path: Path) -> None:
    with patch.dict(os.environ, {"NUMPY_LSTM_CACHE": str(tmp_path)}):
        assert cache.cache_folder() == tmp_path
    with patch.dict(os.environ, {"NUMPY_LSTM_CACHE": ""}):
        assert cache.cache_folder().is_absolute() or str(cache.cache_folder()).startswith("~")


def test_without_the_variable_the_cache_is_in_the_users_folder_of_caches(tmp_path: Path) -> None:
    with (
        patch.dict(os.environ, {"NUMPY_LSTM_CACHE": ""}),
        patch.object(platformdirs, "user_cache_dir", lambda name: str(tmp_path / name)),
    ):
        assert cache.cache_folder() == tmp_path / "numpy_lstm"


def test_arrays_in_the_cache_come_back_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "a.npz"
    cache.save_arrays(path, {"a": np.arange(3), "b": np.zeros(2)})
    found = cache.load_arrays(path)
    assert found is not None
    assert {name: array.tolist() for name, array in found.items()} == {
        "a": [0, 1, 2],
        "b": [0.0, 0.0],
    }
    assert cache.load_arrays(tmp_path / "none.npz") is None
    path.write_bytes(path.read_bytes()[:-1])
    assert cache.load_arrays(path) is None
    with pytest.warns(RuntimeWarning) as warned:
        cache.save_arrays(path / "a.npz", {"a": np.zeros(1)})  # below a file
    assert f"{path / 'a.npz'} could not be written" in str(warned[0].message)
    for name in ("b-2.npz", "b-1.npz", "c.npz"):
        (tmp_path / name).touch()
    assert [each.name for each in cache.find_cached(tmp_path, "b-*.npz")] == ["b-1.npz", "b-2.npz"]


WHOLE = b"0123456789"
WANTED = hashlib.sha256(WHOLE).hexdigest()


@contextmanager
def server(*ends: int, contents: bytes = WHOLE) -> Iterator[list[int]]:
    """Inside, each attempt brings the bytes up to one of `ends`; lists where they began."""
    begun: list[int] = []

    def append(address: str, part: Path, size: int) -> None:
        assert address == "http://there"
        end = ends[len(begun)]
        begun.append(size)
        with open(part, "ab") as file:
            file.write(contents[size:end])
        if end < len(contents):
            raise OSError("cut off")

    with patch.object(download, "_append", append):
        yield begun


def test_an_archive_that_cannot_be_read_is_told_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "aclImdb_v1.tar.gz").mkdir()
    with (
        patch.dict(os.environ, {"NUMPY_LSTM_IMDB": ""}),
        pytest.raises(imdb.DataNotFoundError, match=r"read: (Is a directory|Permission denied)"),
    ):
        imdb.load_imdb(cache_dir=tmp_path, allow_download=False)


def test_an_interrupted_download_goes_on_where_it_was(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with server(3, 7, 10) as begun:
        accepted(download.fetch, "http://there", path, WANTED)
    assert begun == [0, 3, 7]
    assert path.read_bytes() == WHOLE
    assert [each.name for each in tmp_path.iterdir()] == ["a.tar.gz"]


def test_an_attempt_that_brings_nothing_is_the_last_and_its_part_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.tar.gz"
    with server(3, 3) as begun, pytest.raises(OSError, match="cut off"):
        download.fetch("http://there", path, WANTED)
    assert begun == [0, 3]
    assert (tmp_path / "a.tar.gz.part").read_bytes() == WHOLE[:3]
    assert not path.exists()
    with server(1, 2, 3, 4, 5, 10) as begun, pytest.raises(OSError, match="cut off"):
        download.fetch("http://there", tmp_path / "b", WANTED)
    assert len(begun) == download.ATTEMPTS == 5


def test_a_file_of_another_hash_is_removed_and_a_complete_one_is_not_loaded_again(
    tmp_path: Path,
) -> None:
    path = tmp_path / "a.tar.gz"
    other = b"9876543210"
    with (
        server(10, contents=other),
        pytest.raises(ValueError, match=f"{hashlib.sha256(other).hexdigest()}; wanted {WANTED}"),
    ):
        download.fetch("http://there", path, WANTED)
    assert [*tmp_path.iterdir()] == []
    path.write_bytes(WHOLE)
    with server() as begun:
        download.fetch("http://there", path, WANTED)
    assert begun == []


def test_who_waits_for_another_process_is_told_so_once(tmp_path: Path) -> None:
    locks, told = iter([False, False, False, True]), io.StringIO()
    with (
        patch.object(download, "try_lock", lambda _: next(locks)),
        patch.object(download.time, "sleep", lambda _: None),
        redirect_stderr(told),
        server(10),
    ):
        download.fetch("http://there", tmp_path / "a", WANTED)
    assert told.getvalue() == "Waiting for another process that downloads the same file ...\n"


class Answer:
    """Of the server, in place of that of requests."""

    def __init__(self, status: int, body: bytes, kind: str = "application/gzip") -> None:
        self.status_code, self.body = status, body
        self.headers = {"Content-Type": kind, "Content-Length": str(len(body))}

    def __enter__(self) -> "Answer":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def raise_for_status(self) -> None:
        assert self.status_code < 300

    def iter_content(self, size: int) -> Iterator[bytes]:
        return iter([self.body[:2], self.body[2:]])


@pytest.mark.parametrize(
    ("size", "status", "body", "expected"),
    [
        (0, 200, b"whole", b"whole"),
        (3, 206, b"rest", b"oldrest"),
        (3, 200, b"whole", b"whole"),  # the server knows no ranges
        (3, 416, b"nothing is left", b"old"),
    ],
)
def test_bytes_are_appended_only_if_the_server_goes_on(
    size: int, status: int, body: bytes, expected: bytes, tmp_path: Path
) -> None:
    part = tmp_path / "a.part"
    part.write_bytes(b"old"[:size])
    asked: list[dict[str, str]] = []

    def get(address: str, *, headers: dict[str, str], stream: bool, timeout: float) -> Answer:
        asked.append(headers)
        return Answer(status, body)

    with patch("requests.get", get):
        quietly(download._append, "http://there", part, size)
    assert part.read_bytes() == expected
    assert asked == [{"Range": "bytes=3-"} if size else {}]


@pytest.mark.parametrize(("status", "begun", "total"), [(206, 3, 7), (200, 0, 4)])
def test_the_bar_counts_what_is_there_if_the_server_goes_on(
    status: int, begun: int, total: int, tmp_path: Path
) -> None:
    part = tmp_path / "a.part"
    part.write_bytes(b"old")
    with (
        patch("requests.get", lambda *_, **__: Answer(status, b"rest")),
        patch("tqdm.tqdm") as bar,
    ):
        download._append("http://there", part, 3)
    assert (bar.call_args.kwargs["initial"], bar.call_args.kwargs["total"]) == (begun, total)
    shown = bar.return_value.__enter__.return_value
    assert [call.args for call in shown.update.call_args_list] == [(2,), (2,)]


def test_a_web_page_is_no_archive(tmp_path: Path) -> None:
    part = tmp_path / "a.part"
    part.write_bytes(b"old")
    page = Answer(200, b"<html>", "text/html")
    with patch("requests.get", lambda *_, **__: page), pytest.raises(OSError, match="log-in"):
        quietly(download._append, "http://there", part, 3)
    assert part.read_bytes() == b"old"
