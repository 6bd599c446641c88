"""Finding, checking, reading and caching the IMDB reviews, on small archives made here."""

import gzip
import hashlib
import io
import os
import socket
import tarfile
import threading
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from numpy_lstm.data import archive, download, imdb
from numpy_lstm.data.corpus import Corpus
from numpy_lstm.data.imdb import DataNotFoundError

COUNTS = {"train/pos": 3, "train/neg": 2, "test/pos": 1, "test/neg": 2, "train/unsup": 4}
RATINGS = {"pos": 8, "neg": 3, "unsup": 0}
load = partial(imdb.load_imdb, counts=COUNTS)


@pytest.fixture(autouse=True)
def alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No data of this machine, and no network."""
    monkeypatch.delenv("NUMPY_LSTM_IMDB", raising=False)
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(imdb, "ADDRESS", "http://127.0.0.1:9/no-such-server")


def small_files() -> dict[str, bytes]:
    """The files of a data set like the real one, with reviews of our own."""
    files = {"README": b"not a review", "train/labeledBow.feat": b"0:9 1:1"}
    for folder, count in COUNTS.items():
        split, kind = folder.split("/")
        films = [f"http://films.example/{split}{k // 2}/usercomments" for k in range(count)]
        files[f"{split}/urls_{kind}.txt"] = "\n".join(films).encode() + b"\n"
        for k in range(count):
            files[f"{folder}/{k}_{RATINGS[kind]}.txt"] = f"{kind} {split} number{k}".encode()
    return files


def write_archive(path: Path, files: Mapping[str, bytes], root: str = "aclImdb/") -> Path:
    mode: Any = "w:gz" if path.suffix == ".gz" else "w"
    with tarfile.open(path, mode) as tar:
        for name, contents in files.items():
            member = tarfile.TarInfo(root + name)
            member.size = len(contents)
            tar.addfile(member, io.BytesIO(contents))
    return path


def write_folder(path: Path, files: Mapping[str, bytes]) -> Path:
    for name, contents in files.items():
        (path / name).parent.mkdir(parents=True, exist_ok=True)
        (path / name).write_bytes(contents)
    return path


@pytest.fixture
def small(tmp_path: Path) -> Path:
    return write_archive(tmp_path / "small.tar.gz", small_files())


def texts(corpus: Corpus, part: str) -> list[str]:
    reviews = getattr(corpus, part)
    return [
        " ".join(corpus.words[k] for k in tokens)
        for tokens in np.split(reviews.tokens, reviews.starts[1:-1])
    ]


def contents(corpus: Corpus) -> list[object]:
    """Everything in a corpus, in a form that can be compared."""
    parts = (corpus.train, corpus.test, corpus.unlabeled)
    arrays: list[npt.NDArray[Any]] = [array for part in parts for array in part[:4]]
    return [corpus.name, corpus.words, *((a.dtype, a.tolist()) for a in arrays)]


def same(one: Corpus, other: Corpus) -> bool:
    return contents(one) == contents(other)


def test_an_archive_becomes_train_test_and_unlabeled_reviews(small: Path) -> None:
    corpus = load(small)
    assert corpus.name == "reviews"  # since their content is not the published one
    assert corpus.words == sorted(corpus.words)
    assert texts(corpus, "train") == [
        "neg train number0",
        "neg train number1",
        "pos train number0",
        "pos train number1",
        "pos train number2",
    ]
    assert corpus.train.labels.tolist() == [0, 0, 1, 1, 1]
    assert texts(corpus, "test") == ["neg test number0", "neg test number1", "pos test number0"]
    assert corpus.test.labels.tolist() == [0, 0, 1]
    assert texts(corpus, "unlabeled") == [f"unsup train number{k}" for k in range(4)]
    assert corpus.unlabeled.labels.tolist() == [-1] * 4


def test_line_n_of_the_urls_is_the_film_of_review_n(small: Path) -> None:
    corpus = load(small)
    negative, positive = corpus.train.films[:2], corpus.train.films[2:]
    assert negative[0] == negative[1] == positive[0] == positive[1] != positive[2]
    assert not set(corpus.test.films) & set(corpus.train.films)


def test_an_archive_and_its_folder_in_any_order_give_the_same(tmp_path: Path, small: Path) -> None:
    files = small_files()
    shuffled = write_archive(
        tmp_path / "b.tar.gz", dict(reversed(files.items())), root="./aclImdb/"
    )
    folder = write_folder(tmp_path / "data" / "aclImdb", files)
    corpus = load(small)
    assert same(corpus, load(shuffled))
    assert same(corpus, load(folder))
    assert same(corpus, load(folder.parent))
    assert same(corpus, load(str(folder)))


def test_ten_comes_after_nine(tmp_path: Path) -> None:
    counts = {**COUNTS, "test/pos": 11}
    files = small_files()
    files["test/urls_pos.txt"] = b"\n".join(b"film%d" % k for k in range(11))
    files |= {f"test/pos/{k}_8.txt": b"number%d" % k for k in range(11)}
    corpus = load(write_archive(tmp_path / "a.tar.gz", files), counts=counts)
    assert texts(corpus, "test")[-2:] == ["number9", "number10"]


def test_bytes_that_are_no_utf8_part_words(tmp_path: Path) -> None:
    files = small_files()
    files["test/pos/0_8.txt"] = b"caf\xe9noir \xff\0 caf\xc3\xa9"
    corpus = load(write_archive(tmp_path / "a.tar.gz", files))
    assert texts(corpus, "test")[-1] == "caf noir café"


def test_the_variable_names_the_data(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPY_LSTM_IMDB", str(small))
    assert len(load().train.labels) == 5


# What is refused.


def without(*names: str) -> dict[str, bytes]:
    return {name: contents for name, contents in small_files().items() if name not in names}


@pytest.mark.parametrize(
    ("files", "message"),
    [
        ({}, "0 reviews in train/pos; wanted 3"),
        ({"README": b"?"}, "0 reviews in train/pos; wanted 3"),
        (without("test/neg/1_3.txt"), "1 reviews in test/neg; wanted 2, with the ids 0 to 1"),
        ({**small_files(), "test/neg/2_3.txt": b"?"}, "3 reviews in test/neg; wanted 2"),
        ({**without("test/neg/1_3.txt"), "test/neg/7_3.txt": b"?"}, "with the ids 0 to 1"),
        ({**without("test/neg/1_3.txt"), "test/neg/0_4.txt": b"?"}, "with the ids 0 to 1"),
        ({**without("train/pos/1_8.txt"), "train/pos/1_6.txt": b"?"}, "rated 6 .*train/pos/1_6"),
        ({**without("train/neg/1_3.txt"), "train/neg/1_5.txt": b"?"}, "rated 5 .*train/neg/1_5"),
        (without("train/urls_unsup.txt"), "0 films for the reviews in train/unsup.* wanted 4"),
        ({**small_files(), "test/urls_neg.txt": b"film"}, "1 films for .* test/neg.* wanted 2"),
        ({**small_files(), "test/urls_neg.txt": b"a\nb\nc"}, "3 films for .* test/neg.* wanted 2"),
    ],
)
def test_other_contents_are_refused(tmp_path: Path, files: dict[str, bytes], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        load(write_archive(tmp_path / "a.tar.gz", files))


@pytest.mark.parametrize("kept", [0.0, 0.1, 0.5, 0.9, 0.999])
def test_a_truncated_archive_is_refused(tmp_path: Path, small: Path, kept: float) -> None:
    whole = small.read_bytes()
    cut = tmp_path / "cut.tar.gz"
    cut.write_bytes(whole[: int(kept * len(whole))])
    with pytest.raises(ValueError, match=r"cut.tar.gz (is not a sound|holds 0 reviews)"):
        load(cut)


def test_a_single_wrong_bit_is_noticed(tmp_path: Path) -> None:
    """gzip's checksum stands at the very end, after all that tar needs."""
    path = tmp_path / "a.tar.gz"
    plain = gzip.decompress(write_archive(path, small_files()).read_bytes())
    wrong = plain.replace(b"number0", b"number9", 1)
    packed = gzip.compress(plain, compresslevel=0)
    path.write_bytes(gzip.compress(wrong, compresslevel=0)[:-8] + packed[-8:])
    with pytest.raises(ValueError, match="CRC check failed"):
        load(path)


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        (b"PK\3\4 a zip file", "is not a sound archive.* is not a zip file"),
        (gzip.compress(b"just text, and not a tar"), "there is no tar inside"),
        (gzip.compress(b"x" * 5000), "there is no tar inside"),
    ],
)
def test_what_is_no_archive_is_refused(tmp_path: Path, contents: bytes, message: str) -> None:
    path = tmp_path / "a.tar.gz"
    path.write_bytes(contents)
    with pytest.raises(ValueError, match=message):
        load(path)


def test_a_missing_path_is_an_error_even_if_the_cache_has_data(tmp_path: Path, small: Path) -> None:
    load(small)
    with pytest.raises(ValueError, match=r"nothing.tar.gz does not exist; .*aclImdb_v1.tar.gz"):
        load(tmp_path / "nothing.tar.gz")
    with pytest.raises(ValueError, match="no folder train/pos"):
        load(tmp_path)


def test_a_missing_path_in_the_variable_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "no/such/archive.tar.gz")
    with pytest.raises(ValueError, match="NUMPY_LSTM_IMDB"):
        load()


def test_links_and_paths_outside_are_passed_over(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.tar.gz", without("test/pos/0_8.txt"))
    link = tarfile.TarInfo("aclImdb/test/pos/0_8.txt")
    link.type, link.linkname = tarfile.SYMTYPE, "/etc/hostname"
    outside = tarfile.TarInfo("../aclImdb/test/pos/0_8.txt")
    absolute = tarfile.TarInfo("/aclImdb/test/pos/0_8.txt")
    plain = gzip.decompress(path.read_bytes()).rstrip(b"\0")
    plain += b"\0" * (-len(plain) % 512)
    plain += b"".join(member.tobuf() for member in (link, outside, absolute)) + bytes(1024)
    path.write_bytes(gzip.compress(plain))
    with pytest.raises(ValueError, match="0 reviews in test/pos; wanted 1"):
        load(path)


def test_links_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "aclImdb", without("test/pos/0_8.txt"))
    secret = tmp_path / "secret"
    secret.write_text("secret")
    (folder / "test/pos").mkdir(exist_ok=True)
    try:
        (folder / "test/pos/0_8.txt").symlink_to(secret)
    except OSError:
        pytest.skip("this system does not let us make links")
    with pytest.raises(ValueError, match="0 reviews in test/pos; wanted 1"):
        load(folder)


def test_absurd_sizes_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_archive(tmp_path / "a.tar.gz", {**small_files(), "bomb": bytes(3_000_000)})
    for limit in ("_MAX_FILE", "_MAX_ARCHIVE"):
        with (
            monkeypatch.context() as patch,
            pytest.raises(ValueError, match="too many for the reviews"),
        ):
            patch.setattr(archive, limit, 1_000_000)
            load(path)


def test_a_long_name_is_no_way_around_the_limits(tmp_path: Path) -> None:
    name = tarfile.TarInfo("././@LongLink")
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 3 * 10**9
    path = tmp_path / "a.tar.gz"
    path.write_bytes(gzip.compress(name.tobuf() + bytes(10_000)))
    with pytest.raises(ValueError, match="3,000,000,000 bytes more are too many for the reviews"):
        load(path)


def test_a_damaged_header_is_not_taken_for_the_end(tmp_path: Path) -> None:
    path = write_archive(tmp_path / "a.tar.gz", {**small_files(), "last": b"?"})
    plain = bytearray(gzip.decompress(path.read_bytes()))
    size = plain.index(b"aclImdb/last") + 124  # where the size stands in a header
    plain[size : size + 12] = b"not a number"
    path.write_bytes(gzip.compress(plain))
    with pytest.raises(ValueError, match="a damaged one"):
        load(path)


# The cache.


def cached_files(tmp_path: Path) -> list[Path]:
    return sorted((tmp_path / "cache").iterdir())


def forbid_parsing(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise AssertionError("parsed again")

    monkeypatch.setattr(imdb, "parse", fail)


def test_the_second_time_nothing_is_parsed(small: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load(small)
    forbid_parsing(monkeypatch)
    assert same(first, load(small))


def test_the_published_reviews_in_the_cache_serve_a_start_without_path_or_network(
    small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    *_, content = imdb.parse(small, COUNTS)
    monkeypatch.setattr(imdb, "PUBLISHED", (content,))
    first = load(small)
    forbid_parsing(monkeypatch)
    assert first.name == "imdb"
    assert same(first, load(allow_download=False))


def test_a_changed_archive_or_folder_is_parsed_again(tmp_path: Path, small: Path) -> None:
    files = small_files()
    folder = write_folder(tmp_path / "aclImdb", files)
    load(small), load(folder)
    files["test/pos/0_8.txt"] = b"pos test changed"  # of the same length
    write_archive(small, files)
    write_folder(folder, files)
    os.utime(folder / "test/pos/0_8.txt", (1, 1))  # a clock too coarse to tell must not matter
    for path in (small, folder):
        assert texts(load(path), "test")[-1] == "pos test changed"


@pytest.mark.parametrize("damage", ["empty", "cut", "one bit", "foreign"])
def test_a_damaged_cache_is_made_anew(tmp_path: Path, small: Path, damage: str) -> None:
    first = load(small)
    (cached,) = cached_files(tmp_path)
    contents = bytearray(cached.read_bytes())
    if damage == "one bit":
        contents[contents.index(b"number1")] ^= 1
    elif damage in ("empty", "cut"):
        del contents[0 if damage == "empty" else len(contents) // 2 :]
    cached.write_bytes(contents)
    if damage == "foreign":
        np.savez(cached, vectors=np.zeros(3))
    assert same(first, load(small))
    assert len(cached.read_bytes()) > 1000  # and whole again


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Callable[[Path], None], tuple[Path]]:
        return os.mkdir, (self.folder,)


def test_a_pickle_in_the_cache_is_not_opened(tmp_path: Path, small: Path) -> None:
    first = load(small)
    (cached,) = cached_files(tmp_path)
    np.savez(cached, words=np.array([Trap(tmp_path / "executed")], dtype=object))
    assert same(first, load(small))
    assert not (tmp_path / "executed").exists()


def test_a_cache_of_other_counts_is_not_used(small: Path) -> None:
    load(small)
    with pytest.raises(DataNotFoundError):
        imdb.load_imdb(allow_download=False)


def test_no_half_written_cache_is_left(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full_disk(file: io.BytesIO, **_: object) -> None:
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full_disk)
    with pytest.warns(RuntimeWarning, match="could not be written: .*No space left"):
        corpus = load(small)
    assert len(corpus.train.labels) == 5
    assert cached_files(tmp_path) == []


# The download.


class Server(HTTPServer):
    """Hands out `contents` of the `length` it claims, from an address of this machine."""

    contents = b""
    length = 0
    at_most = 2**20  # bytes that an answer brings before it is cut off
    knows_ranges = True
    requests = 0
    sent = 0


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_HEAD(self) -> None:
        self.answer(200, 0)

    def answer(self, status: int, start: int) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(self.server.length - start))
        self.end_headers()

    def do_GET(self) -> None:
        self.server.requests += 1
        start = 0
        if self.server.knows_ranges and "Range" in self.headers:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
        if start >= self.server.length:
            self.answer(416, self.server.length)
            return
        self.answer(206 if start else 200, start)
        body = self.server.contents[start : start + self.server.at_most]
        self.server.sent += len(body)
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(small: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    with Server(("127.0.0.1", 0), Handler) as server:
        server.contents = small.read_bytes()
        server.length = len(server.contents)
        monkeypatch.setattr(imdb, "ADDRESS", f"http://127.0.0.1:{server.server_port}/a.tar.gz")
        monkeypatch.setattr(imdb, "SHA256", hashlib.sha256(server.contents).hexdigest())
        monkeypatch.setattr(download, "BLOCK", 1)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def test_the_archive_is_downloaded_once(tmp_path: Path, server: Server) -> None:
    corpus = load()
    assert len(corpus.train.labels) == 5
    assert (tmp_path / "cache" / "aclImdb_v1.tar.gz").read_bytes() == server.contents
    assert same(corpus, load())
    for cached in (tmp_path / "cache").glob("*.npz"):
        cached.unlink()
    assert same(corpus, load())
    assert server.requests == 1


def test_an_archive_put_into_the_cache_needs_no_network(
    tmp_path: Path, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb, "SHA256", hashlib.sha256(small.read_bytes()).hexdigest())
    (tmp_path / "cache").mkdir()
    small.rename(tmp_path / "cache" / "aclImdb_v1.tar.gz")
    corpus = load()
    assert len(corpus.train.labels) == 5
    assert corpus.source is None  # nobody named it, and it may be gone at the next start


def test_a_changed_archive_in_the_cache_is_refused(tmp_path: Path, small: Path) -> None:
    (tmp_path / "cache").mkdir()
    small.rename(tmp_path / "cache" / "aclImdb_v1.tar.gz")
    with pytest.raises(ValueError, match="not the published archive: its hash differs"):
        load()


def test_a_download_that_is_cut_off_again_and_again_goes_on_where_it_was(
    tmp_path: Path, server: Server
) -> None:
    server.at_most = len(server.contents) // 3 + 1
    assert len(load().train.labels) == 5
    assert server.requests == 3
    assert not list((tmp_path / "cache").glob("*.part"))


def test_a_download_that_stops_coming_goes_on_the_next_time(tmp_path: Path, server: Server) -> None:
    whole = server.contents
    server.contents = whole[: len(whole) // 2]
    with pytest.raises(DataNotFoundError, match="download failed"):
        load()
    (part,) = cached_files(tmp_path)
    assert part.read_bytes() == server.contents
    server.contents = whole
    assert len(load().train.labels) == 5
    assert server.sent == len(whole)  # no byte twice


def test_a_download_that_was_complete_but_not_yet_in_place_is_not_repeated(
    tmp_path: Path, server: Server
) -> None:
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "aclImdb_v1.tar.gz.part").write_bytes(server.contents)
    assert len(load().train.labels) == 5
    assert server.sent == 0


def test_a_server_that_cannot_go_on_starts_again(tmp_path: Path, server: Server) -> None:
    server.knows_ranges = False
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "aclImdb_v1.tar.gz.part").write_bytes(b"the beginning of")
    assert len(load().train.labels) == 5


def test_an_archive_of_another_hash_is_refused(
    tmp_path: Path, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imdb, "SHA256", "0" * 64)
    with pytest.raises(DataNotFoundError, match=r"download failed.*hash"):
        load()
    assert cached_files(tmp_path) == []


def test_without_a_network_the_error_names_the_three_ways() -> None:
    with pytest.raises(DataNotFoundError) as caught:
        load()
    for way in ("--data PATH", "NUMPY_LSTM_IMDB", imdb.ADDRESS):
        assert way in str(caught.value)


def test_a_name_server_that_never_answers_costs_less_than_ten_seconds(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    released = threading.Event()

    def never(*_: object, **__: object) -> None:
        released.wait()
        raise OSError("at last")

    monkeypatch.setattr(socket, "getaddrinfo", never)
    assert imdb.PATIENCE < 10  # seconds
    monkeypatch.setattr(imdb, "PATIENCE", 0.2)
    with pytest.raises(DataNotFoundError, match="does not answer"):
        load()
    released.set()


def test_nothing_is_downloaded_when_it_is_not_allowed(server: Server) -> None:
    with pytest.raises(DataNotFoundError, match="was not allowed"):
        load(allow_download=False)
    assert server.requests == 0


@pytest.mark.skipif(
    "NUMPY_LSTM_IMDB" not in os.environ, reason="NUMPY_LSTM_IMDB does not name the real reviews"
)
def test_the_real_reviews(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()  # this machine's data and cache
    corpus = imdb.load_imdb()
    assert corpus.name == "imdb"
    for reviews in (corpus.train, corpus.test):
        assert np.bincount(reviews.labels).tolist() == [12_500, 12_500]
        assert np.all(reviews.lengths > 3)
    assert len(corpus.unlabeled.labels) == 50_000
    # The official split all but keeps films apart: one of thousands is on both sides.
    assert len(set(corpus.train.films.tolist()) & set(corpus.test.films.tolist())) == 1
