"""Data sets: other people's archives, folders, caches, homes and networks."""

import errno
import json
import os
import shutil
import tarfile
import threading
import zipfile
from functools import partial
from pathlib import Path

import numpy as np
import platformdirs
import pytest
import requests

from numpy_lstm.data import download, imdb
from numpy_lstm.data.cache import cache_folder
from numpy_lstm.data.imdb import DataNotFoundError
from numpy_lstm.data.prepare import prepare
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.settings import Settings
from numpy_lstm.train import job
from numpy_lstm.train.__main__ import main
from tests.data import test_imdb as small_imdb
from tests.data.test_imdb import COUNTS, load, same, small_files, texts, write_archive, write_folder

alone, small, server = small_imdb.alone, small_imdb.small, small_imdb.server  # fixtures


def other_files() -> dict[str, bytes]:
    return {**small_files(), "test/pos/0_8.txt": b"pos test another"}


@pytest.fixture
def other(tmp_path: Path) -> Path:
    """An archive in the same layout, with other reviews than `small`."""
    return write_archive(tmp_path / "other.tar.gz", other_files())


@pytest.fixture
def published(small: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """`small`, whose content now passes for that of the published reviews."""
    *_, content = imdb.parse(small, COUNTS)
    monkeypatch.setattr(imdb, "PUBLISHED", (content, ""))
    return small


@pytest.fixture
def train(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """The command line on small data sets, up to the training; status, output and last error."""
    corpora = []

    def stop(folder, config, settings, corpus, *_):
        corpora.append(corpus)
        raise job.Stopped

    monkeypatch.setattr(job, "load_imdb", partial(load, allow_download=False))
    monkeypatch.setattr(job, "prepare", lambda corpus, _: corpus)
    monkeypatch.setattr(job, "_train_and_score", stop)
    few = partial(synthetic_corpus, n_train=20, n_test=8)
    monkeypatch.setattr(job, "synthetic_corpus", few)

    def run(*arguments: object, out: str = "run"):
        status = main([*map(str, arguments), "--out", str(tmp_path / out)])
        printed, errors = capsys.readouterr()
        return status, printed, (errors.splitlines() or [""])[-1]

    run.corpora = corpora
    run.config = tmp_path / "run" / "config.json"
    return run


# Which reviews they are.


def test_without_a_path_only_the_published_reviews_are_read(
    published: Path, other: Path, train
) -> None:
    load(other)
    with pytest.raises(DataNotFoundError):
        load(allow_download=False)
    first = load(published)
    load(other)
    found = load(allow_download=False)
    assert same(found, first)
    assert (found.name, found.source) == ("imdb", None)


def test_the_first_line_says_which_reviews_they_are_and_where_from(
    published: Path, other: Path, train
) -> None:
    _, printed, _ = train("--data", published)
    assert printed.startswith(f"Data set: IMDB (Maas et al., 2011), from {published}\n")
    _, printed, _ = train("--data", other, out="run2")
    assert printed.startswith(f"Data set: reviews, from {other}\n")
    _, printed, _ = train(out="run3")
    assert printed.startswith(f"Data set: IMDB (Maas et al., 2011), from {cache_folder()}\n")


def test_the_published_reviews_are_known_however_they_are_packed(
    tmp_path: Path, published: Path
) -> None:
    files = small_files()
    for name in files:
        if "urls" in name:
            files[name] = files[name].replace(b"\n", b"\r\n")
    folder = write_folder(tmp_path / "folder", files)
    packed = write_archive(
        tmp_path / "b.tar.gz", dict(reversed(files.items())), root="x/y/aclImdb/"
    )
    assert load(folder).name == load(packed).name == "imdb"


def test_a_resumed_run_finds_its_own_reviews_again(
    published: Path, other: Path, train, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(published)
    monkeypatch.chdir(other.parent)
    assert train("--data", other.name)[0] == 130  # stopped, as the fixture makes it
    monkeypatch.chdir("/")
    for _ in range(2):
        assert train("--resume")[0] == 130
        monkeypatch.setenv("NUMPY_LSTM_IMDB", str(published))  # which is no reason to read it
    assert [texts(corpus, "test")[-1] for corpus in train.corpora] == ["pos test another"] * 3


def test_a_resumed_run_whose_reviews_are_gone_says_so(
    tmp_path: Path, published: Path, other: Path, train, monkeypatch: pytest.MonkeyPatch
) -> None:
    load(published)
    train("--data", other)
    moved = other.rename(tmp_path / "moved.tar.gz")
    status, _, error = train("--resume")
    assert status == 2
    assert f"are no longer at {other}. Name where they are by --data" in error
    assert train("--resume", "--data", moved)[0] == 130
    monkeypatch.setenv("NUMPY_LSTM_IMDB", str(moved))
    assert train("--resume")[0] == 130


def test_a_resumed_run_on_the_published_reviews_takes_any_copy_of_them(
    published: Path, train
) -> None:
    train("--data", published)
    published.unlink()
    assert train("--resume")[0] == 130  # from the cache


@pytest.mark.parametrize("name", ["test/pos/0_8.txt", "train/unsup/3_0.txt", "train/urls_pos.txt"])
def test_a_resumed_run_whose_reviews_have_changed_says_so(name: str, small: Path, train) -> None:
    train("--data", small)
    files = small_files()
    files[name] = files[name].replace(b"number", b"nummer").replace(b"train1", b"train0")
    write_archive(small, files)
    for given in ([], ["--data", small]):
        status, _, error = train("--resume", *given)
        assert status == 2
        assert "other reviews than the run in" in error
        assert ("`--data`" if given else str(small)) in error


def test_a_run_of_an_older_version_is_told_apart(small: Path, train) -> None:
    train("--data", small)
    config = json.loads(train.config.read_text())
    del config["content"], config["source"]
    train.config.write_text(json.dumps({**config, "checksum": 1}))
    status, _, error = train("--resume", "--data", small)
    assert status == 2
    assert "of an older version" in error


def test_a_source_that_is_no_path_is_refused(small: Path, train) -> None:
    train("--data", small)
    config = json.loads(train.config.read_text())
    train.config.write_text(json.dumps({**config, "source": 0}))
    status, _, error = train("--resume")
    assert status == 2
    assert "`source` must be a path or null; got 0" in error


def test_the_command_of_a_run_can_be_repeated_with_resume(small: Path, train) -> None:
    for again in ([], ["--resume"]):
        assert train("--dataset", "imdb", "--data", small, *again)[0] == 130


def test_a_path_for_built_in_reviews_is_refused_instead_of_passed_over(small: Path, train) -> None:
    status, _, error = train("--dataset", "synthetic", "--data", small)
    assert status == 2
    assert "`--data`" in error and "built-in" in error


def test_a_run_keeps_where_its_reviews_are_but_its_results_do_not(small: Path, train) -> None:
    train("--data", small)
    config = json.loads(train.config.read_text())
    assert config["source"] == str(small)
    assert len(config["content"]) == 64


def test_a_path_that_is_no_utf8_is_remembered_too(small: Path, train) -> None:
    load(small)  # parsed here: pytest's standard error, unlike Python's, takes no such names
    odd = Path(os.fsdecode(os.fsencode(small.parent) + b"/caf\xe9 2.tar.gz"))
    try:
        small.rename(odd)
    except OSError:
        pytest.skip("this system has no such names")
    train("--data", odd)
    assert json.loads(train.config.read_text())["source"] == str(odd)
    assert train("--resume")[0] == 130


# What can be read.


@pytest.mark.parametrize("urls_are_left", [True, False])
def test_a_folder_as_tutorials_leave_it_is_read(urls_are_left: bool, tmp_path: Path, train) -> None:
    folder = write_folder(tmp_path / "aclImdb", small_files())
    labeled = load(folder).train
    shutil.rmtree(folder / "train" / "unsup")
    if not urls_are_left:
        (folder / "train" / "urls_unsup.txt").unlink()
    _, printed, _ = train("--data", folder)
    assert "no unlabeled reviews: the word vectors come from the labeled ones alone" in printed
    (corpus,) = train.corpora
    assert len(corpus.train.labels) == len(labeled.labels)
    assert len(corpus.unlabeled.labels) == 0
    assert same(corpus, load(folder))  # from the cache


def test_word_vectors_are_learned_without_unlabeled_reviews() -> None:
    corpus = synthetic_corpus(np.random.default_rng(0), n_train=60, n_test=20, n_unlabeled=0)
    settings = Settings(vocabulary_size=50, vector_size=4)
    vectors = prepare(corpus, settings, keep_vectors=False).vectors
    assert np.isfinite(vectors).all() and vectors[2:].any()


def test_a_part_of_the_unlabeled_reviews_is_refused(tmp_path: Path) -> None:
    folder = write_folder(tmp_path / "aclImdb", small_files())
    (folder / "train" / "unsup" / "3_0.txt").unlink()
    with pytest.raises(ValueError, match="holds 3 reviews in train/unsup; wanted 4"):
        load(folder)


def test_links_to_folders_are_followed_and_circles_do_no_harm(tmp_path: Path, small: Path) -> None:
    store = write_folder(tmp_path / "store", small_files())
    folder = tmp_path / "aclImdb"
    folder.mkdir()
    try:
        (folder / "train").symlink_to(store / "train")
        (folder / "test").symlink_to(store / "test")
        (store / "train" / "all").symlink_to(folder)
        (folder / "self").symlink_to("self")
    except OSError:
        pytest.skip("this system does not let us make links")
    assert same(load(folder), load(small))


def test_a_folder_that_links_to_itself_is_refused(tmp_path: Path) -> None:
    try:
        (tmp_path / "train").symlink_to("train")
    except OSError:
        pytest.skip("this system does not let us make links")
    with pytest.raises(ValueError, match="no folder train/pos"):
        load(tmp_path)


def test_files_that_systems_leave_in_a_folder_change_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "aclImdb", small_files())
    first = load(folder)
    small_imdb.forbid_parsing(monkeypatch)
    left = [
        ".DS_Store",
        "train/Thumbs.db",
        "train/pos/._0_8.txt",
        "test/neg/.nfs0001",
        "train/x.feat",
    ]
    write_folder(folder, dict.fromkeys(left, b"?"))
    write_folder(folder, {"train/pos/.ipynb_checkpoints/0_8.txt": b"?"})
    assert same(load(folder), first)
    assert len(list(cache_folder().iterdir())) == 1


def test_a_folder_is_found_from_above(tmp_path: Path, small: Path) -> None:
    folder = write_folder(tmp_path / "my data" / "aclImdb_v1" / "aclImdb", small_files())
    for path in (folder, folder.parent, folder.parent.parent):
        assert same(load(path), load(small))
    with pytest.raises(ValueError, match="no folder train/pos, nor an aclImdb/ with one; wanted"):
        load(folder / "train")


def test_an_archive_may_have_more_folders_above(tmp_path: Path, small: Path) -> None:
    files = {f"__MACOSX/{name}": b"?" for name in small_files()}
    files = {"__MACOSX/train/pos/._0_8.txt": b"?"} | {
        f"aclImdb/{k}": v for k, v in small_files().items()
    }
    assert same(load(write_archive(tmp_path / "a.tgz", files, root="./data/2011/")), load(small))


def test_two_data_sets_in_one_archive_are_refused(tmp_path: Path) -> None:
    files = {f"{root}/{k}": v for root in ("a", "b") for k, v in small_files().items()}
    with pytest.raises(ValueError, match="more than one data set: a/ and b/"):
        load(write_archive(tmp_path / "a.tar.gz", files, root=""))


@pytest.mark.parametrize("ending", ["tar.gz", "tgz", "tar", "tar.bz2", "tar.xz", "zip"])
@pytest.mark.parametrize("as_named", [True, False])
def test_every_common_kind_of_archive_is_read(
    ending: str, as_named: bool, tmp_path: Path, small: Path
) -> None:
    folder = write_folder(tmp_path / "aclImdb", small_files())
    path = tmp_path / (f"a.{ending}" if as_named else "aclImdb_v1.tar.gz")
    if ending == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in folder.rglob("*"):
                archive.write(file, file.relative_to(tmp_path))
    else:
        kind = {"tar": "w", "tar.bz2": "w:bz2", "tar.xz": "w:xz"}.get(ending, "w:gz")
        with tarfile.open(path, kind) as tar:
            tar.add(folder, "aclImdb")
    assert same(load(path), load(small))


@pytest.mark.parametrize(
    "start",
    [
        b"7z\xbc\xaf\x27\x1c",
        b"Rar!\x1a\x07",
        b"\x28\xb5\x2f\xfd",  # of zstd
        b"<!DOCTYPE html><html>" + b" " * 600,
        b"version https://git-lfs.github.com/spec/v1",
        b"PK\3\4" + b"?" * 100,
        b"BZh91AY&SY" + b"?" * 100,
        b"\xfd7zXZ\0" + b"?" * 100,
    ],
)
def test_what_is_no_archive_is_answered_with_what_can_be_read(start: bytes, tmp_path: Path) -> None:
    path = tmp_path / "aclImdb_v1.tar.gz"
    path.write_bytes(start)
    with pytest.raises(ValueError, match=r"not a sound archive or folder: .*\.tar\.bz2.*\.zip"):
        load(path)


@pytest.mark.parametrize("kind", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
def test_long_names_and_the_extra_headers_of_macs_are_understood(
    kind: int, tmp_path: Path, small: Path
) -> None:
    root = f"{'long' * 11}/{'name' * 11}/aclImdb/"
    plain = write_folder(tmp_path / "files", small_files())
    path = tmp_path / "a.tar.gz"
    with tarfile.open(path, "w:gz", format=kind, pax_headers={"comment": "global"}) as tar:
        for name in small_files():
            for added in (f"{Path(name).parent}/._{Path(name).name}", name):
                member = tar.gettarinfo(plain / name, root + added)
                # A value that looks like another record.
                member.pax_headers["SCHILY.xattr.com.apple"] = (
                    "\n30 path=aclImdb/train/pos/9_9.txt\n"
                )
                with open(plain / name, "rb") as file:
                    tar.addfile(member, file)
    assert same(load(path), load(small))


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no pipes with names")
def test_a_pipe_or_a_device_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", Path("/dev/zero")):
        with pytest.raises(ValueError, match="neither a file nor a folder"):
            load(path)


# Messages.


def test_errors_name_what_the_user_gave(train, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="`path`: /nosuch does not exist"):
        load("/nosuch")
    assert train("--data", "/nosuch")[2].startswith("error: `--data`: /nosuch does not exist")
    assert train("--data", "")[2].startswith("error: `--data`: the path is empty")
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "/nosuch")
    assert train()[2].startswith("error: NUMPY_LSTM_IMDB: /nosuch does not exist")


def test_an_empty_variable_names_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMPY_LSTM_IMDB", "")
    with pytest.raises(DataNotFoundError, match="not on this machine"):
        load(allow_download=False)


def test_reading_anew_says_so_and_the_second_time_nothing(
    small: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    load(small)
    assert capsys.readouterr().err == f"Reading the reviews in {small} (about 20 s, once) ...\n"
    load(small)
    assert capsys.readouterr().err == ""


# Homes and caches.


def no_home(*_: object) -> str:
    raise RuntimeError("could not determine the home directory")


def in_a_file(*_: object) -> str:
    return __file__ + "/cache"


def left_as_it_is(*_: object) -> str:
    return "~nobody-of-this-name/cache"


@pytest.mark.parametrize("folder", [no_home, in_a_file, left_as_it_is])
def test_without_a_home_all_goes_on_without_a_cache(
    folder, small: Path, server, train, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("NUMPY_LSTM_CACHE")
    monkeypatch.setattr(platformdirs, "user_cache_dir", folder)
    monkeypatch.setattr(os.path, "expanduser", os.fspath)  # as without a home
    monkeypatch.chdir(tmp_path)
    with pytest.warns(RuntimeWarning, match="could not be written"):
        assert len(load(small).train.labels) == 5
    monkeypatch.setattr(job, "load_imdb", load)
    status, printed, _ = train()
    assert status == 130  # it came as far as the training
    assert printed.startswith("Data set: BUILT-IN REVIEWS")
    assert "NUMPY_LSTM_CACHE can name another" in printed
    assert not list(tmp_path.glob("~*"))


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may do all")
def test_a_cache_that_is_not_ours_is_passed_over(small: Path, tmp_path: Path) -> None:
    load(small)
    cache_folder().chmod(0)
    try:
        with pytest.warns(RuntimeWarning, match="could not be written"):
            assert len(load(small).train.labels) == 5
        with pytest.raises(DataNotFoundError):
            load()
    finally:
        cache_folder().chmod(0o700)


def test_a_tilde_stands_for_the_home_wherever_a_path_is_given(
    small: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("USERPROFILE", str(tmp_path))
    monkeypatch.setenv("NUMPY_LSTM_CACHE", "~/in home")
    monkeypatch.setenv("NUMPY_LSTM_IMDB", f"~/{small.name}")
    assert same(load(), load(f"~/{small.name}"))
    assert list((tmp_path / "in home").glob("imdb-*.npz"))


def test_parsed_reviews_that_nobody_reads_any_more_are_removed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = write_folder(tmp_path / "aclImdb", small_files())
    old = cache_folder() / "imdb-1.1-0123456789abcdef.npz"  # of an earlier version
    own = cache_folder() / "imdb-notes.npz"
    write_folder(cache_folder(), {old.name: b"?", own.name: b"?"})
    os.utime(old, (1, 1))
    for k in range(7):
        (folder / "test/pos/0_8.txt").write_text(f"the text is changed {k} times")
        load(folder)
    left = sorted(cache_folder().iterdir())
    assert len(left) == 5
    assert old not in left and own in left
    small_imdb.forbid_parsing(monkeypatch)
    load(folder)


# Downloads.


def test_two_first_runs_at_once_download_once(server, monkeypatch: pytest.MonkeyPatch) -> None:
    both_ask = threading.Barrier(2, timeout=600)
    monkeypatch.setattr(imdb, "_expect_answer", lambda *_: both_ask.wait())
    found, threads = [], [threading.Thread(target=lambda: found.append(load())) for _ in range(2)]
    monkeypatch.setattr(imdb, "save_arrays", lambda *_: None)  # two threads are one process
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 2 and same(*found)
    assert server.requests == 1
    assert [path.name for path in cache_folder().iterdir()] == ["aclImdb_v1.tar.gz"]


@pytest.mark.parametrize("lock", [None, False])
def test_a_download_needs_no_locks(lock, server, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of a file system without them, or one where a lock that nobody holds is never to be had."""
    monkeypatch.setattr(download, "try_lock", lambda _: lock)
    monkeypatch.setattr(download, "STALLED", 0.1)
    cache_folder().mkdir()
    foreign = cache_folder() / "aclImdb_v1.tar.gz.part"
    foreign.write_bytes(b"of another process")
    assert len(load().train.labels) == 5
    assert foreign.read_bytes() == b"of another process"


@pytest.mark.parametrize("error", [errno.ENOLCK, errno.ENOSYS, errno.EOPNOTSUPP, errno.EWOULDBLOCK])
def test_a_file_system_without_locks_is_told_from_a_lock_that_is_held(
    error: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fcntl = pytest.importorskip("fcntl")

    def fail(*_: object) -> None:
        raise OSError(error, os.strerror(error))

    monkeypatch.setattr(fcntl, "flock", fail)
    with open(tmp_path / "lock", "w") as file:
        assert download.try_lock(file) is (False if error == errno.EWOULDBLOCK else None)


def test_ctrl_c_in_a_download_keeps_what_came(server, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = requests.Response.iter_content

    def interrupted(answer: requests.Response, size: int):
        if answer.request.method == "HEAD":
            yield from whole(answer, size)
        else:
            yield answer.raw.read(100)
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(requests.Response, "iter_content", interrupted)
        with pytest.raises(KeyboardInterrupt):
            load()
    assert [path.name for path in cache_folder().iterdir()] == ["aclImdb_v1.tar.gz.part"]
    sent = server.sent
    assert len(load().train.labels) == 5
    assert server.sent - sent == len(server.contents) - 100


@pytest.mark.parametrize("where", ["number_tokens", "save_arrays", "np.savez"])
def test_ctrl_c_while_reviews_are_read_leaves_nothing_half_written(
    where: str, small: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(*((np, "savez") if where == "np.savez" else (imdb, where)), interrupted)
        with pytest.raises(KeyboardInterrupt):
            load(small)
    assert not cache_folder().exists() or not list(cache_folder().iterdir())
    assert len(load(small).train.labels) == 5


def raises(error: Exception):
    def request(*_: object, **__: object) -> None:
        raise error

    return request


exceptions = requests.exceptions


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (exceptions.SSLError("(Caused by SSLError: certificate verify failed: self-signed"
                             " certificate (_ssl.c:1006))"),
         r"certificate was refused \(self-signed certificate\).*REQUESTS_CA_BUNDLE"),
        (exceptions.SSLError("[SSL: WRONG_VERSION_NUMBER] wrong version number"), "encryption"),
        (OSError("Could not find a suitable TLS CA certificate bundle, invalid path: /x"),
         "no file of trusted certificates at /x.*CURL_CA_BUNDLE"),
        (exceptions.InvalidSchema("Missing dependencies for SOCKS support."),
         r"pip install 'requests\[socks\]'"),
        (exceptions.ProxyError("x(Caused by OSError: Tunnel connection failed: 407 No)"),
         r"proxy is of no use \(407 No\).*HTTPS_PROXY"),
        (exceptions.InvalidURL("Proxy URL had unsupported scheme foo"), "scheme foo.*HTTPS_PROXY"),
        (exceptions.ConnectionError("Failed to resolve"), "does not answer; is there a network"),
        (exceptions.ConnectTimeout("timed out"), "does not answer; is there a network"),
        (ValueError("something else"), "something else"),
    ],
)  # fmt: skip
def test_a_request_that_fails_is_answered_with_its_cause(
    error: Exception, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(requests, "head", raises(error))
    with pytest.raises(DataNotFoundError, match=message):
        load()


@pytest.mark.parametrize(
    ("status", "kind", "message"),
    [
        (404, "text/html", "the server answers 404 Not Found"),
        (503, "text/html", "the server answers 503 Service Unavailable"),
        (200, "text/html; charset=utf-8", "a web page came .* does this network ask for a log-in"),
    ],
)
def test_a_web_page_in_place_of_the_archive_is_told_and_harms_no_part_of_it(
    status: int, kind: str, message: str, server, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(handler: small_imdb.Handler) -> None:
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        handler.end_headers()
        handler.wfile.write(b"<html>Log in</html>")

    cache_folder().mkdir()
    part = cache_folder() / "aclImdb_v1.tar.gz.part"
    part.write_bytes(server.contents[:100])
    with monkeypatch.context() as patch:
        patch.setattr(small_imdb.Handler, "do_GET", page)
        with pytest.raises(DataNotFoundError, match=message):
            load()
    assert part.read_bytes() == server.contents[:100]
    assert len(load().train.labels) == 5


def test_a_full_disk_ends_a_download_with_where_to_put_it(
    server, monkeypatch: pytest.MonkeyPatch
) -> None:
    full = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    monkeypatch.setattr(download, "_append", raises(full))
    with pytest.raises(DataNotFoundError, match=r"No space left.*NUMPY_LSTM_CACHE"):
        load()
