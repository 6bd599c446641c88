"""Files are written whole and for good, the same everywhere, and read to the last number."""

import errno
import json
import math
import os
import zipfile
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm import __version__, environment, files
from numpy_lstm.files import (
    make_folder,
    parse_json,
    read_arrays,
    remove_unfinished,
    try_lock,
    write_atomically,
    write_json,
)


def test_a_file_is_on_the_disk_before_it_takes_its_name(tmp_path: Path) -> None:
    path, done = tmp_path / "a.json", []
    path.write_text("old")
    fsync, replace = os.fsync, os.replace

    def synced(number: int) -> None:
        # All has left Python's buffer, and the old file is still there.
        assert os.fstat(number).st_size == 3
        assert path.read_text() == "old"
        done.append("fsync")
        fsync(number)

    def replaced(source: Path, target: Path) -> None:
        done.append("replace")
        replace(source, target)

    with patch.object(os, "fsync", synced), patch.object(os, "replace", replaced):
        write_atomically(path, lambda file: file.write(b"new"))
    assert done == ["fsync", "replace"]
    assert path.read_text() == "new"
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_a_write_that_fails_leaves_the_old_file_and_no_other(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("old")

    def full(file: Any) -> None:
        file.write(b"half")
        raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError) as caught:
        write_atomically(path, full)
    assert (caught.value.errno, caught.value.filename) == (errno.ENOSPC, str(path))
    with pytest.raises(KeyboardInterrupt):
        write_atomically(path, lambda file: (_ for _ in ()).throw(KeyboardInterrupt))
    assert [(each.name, each.read_text()) for each in tmp_path.iterdir()] == [("a.json", "old")]


def test_json_has_the_same_bytes_on_every_system(tmp_path: Path) -> None:
    write_json(tmp_path / "a.json", {"b": [1, 0.1], "a": "é\ud800"})
    assert (tmp_path / "a.json").read_bytes() == (
        b'{\n  "b": [\n    1,\n    0.1\n  ],\n  "a": "\xc3\xa9\\ud800"\n}\n'
    )
    write_json(tmp_path / "a.json", [1, 2], indent=None)
    assert (tmp_path / "a.json").read_bytes() == b"[1, 2]\n"


def test_only_unfinished_files_of_these_names_are_removed(tmp_path: Path) -> None:
    stay = {"a.json", ".b.json.1.tmp", ".a.json.tmp", "a.json.1.tmp", ".axjson.1.tmp", ".a.json.1"}
    stay |= {"my.a.json.1.tmp", ".a.json.1.tmp.txt"}
    for name in (*stay, ".a.json.1.tmp", ".a.json.23.tmp", ".c.npz.4.tmp"):
        (tmp_path / name).touch()
    remove_unfinished(tmp_path, ["a.json", "c.npz"])
    assert {path.name for path in tmp_path.iterdir()} == stay


def test_an_interrupted_write_has_a_name_that_is_removed_later(tmp_path: Path) -> None:
    names: list[str] = []
    write_atomically(tmp_path / "a.json", lambda file: names.append(file.name))
    Path(names[0]).touch()  # as after a kill
    remove_unfinished(tmp_path, ["a.json"])
    assert [each.name for each in tmp_path.iterdir()] == ["a.json"]


def test_arrays_come_back_under_their_names_with_their_types(tmp_path: Path) -> None:
    stored: dict[str, Any] = {
        "a": np.arange(6, dtype=np.int8).reshape(2, 3),
        "m/W_h": np.asfortranarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "words": np.array("{}"),
        "none": np.zeros((0, 2)),
        "yes": np.array([True, False]),
    }
    for save in (np.savez, np.savez_compressed):
        save(tmp_path / "a.npz", **stored)
        found = read_arrays(tmp_path / "a.npz")
        assert found.keys() == stored.keys()
        for name, array in stored.items():
            np.testing.assert_array_equal(found[name], array, strict=True)
            assert found[name].flags.c_contiguous


def test_a_wrong_bit_in_an_array_is_noticed(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", a=np.arange(100.0))
    contents = bytearray((tmp_path / "a.npz").read_bytes())
    contents[contents.index(np.float64(50).tobytes())] ^= 1
    (tmp_path / "a.npz").write_bytes(contents)
    with pytest.raises(ValueError, match="Bad CRC"):
        read_arrays(tmp_path / "a.npz")


def test_an_array_with_something_behind_it_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        with archive.open("a.npy", "w") as file:
            np.lib.format.write_array(file, np.arange(3.0))
            file.write(b"behind")
    with pytest.raises(ValueError, match="declares shape"):
        read_arrays(tmp_path / "a.npz")


def test_a_file_may_unpack_to_as_much_as_it_may_and_no_more(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("a.npy", "w") as file:
            np.lib.format.write_array(file, np.zeros(10_000))
    unpacked = zipfile.ZipFile(tmp_path / "a.npz").getinfo("a.npy").file_size
    on_disk = (tmp_path / "a.npz").stat().st_size
    assert (files.MOST, files.SMALL, files.RATIO) == (2**31, 2**24, 32)
    for most, small, ratio, is_read in (
        (unpacked, unpacked, 1, True),
        (unpacked, 1, 1 + unpacked // on_disk, True),
        (unpacked - 1, unpacked, 1000, False),
        (unpacked, unpacked - 1, unpacked // on_disk, False),
    ):
        with (
            patch.object(files, "MOST", most),
            patch.object(files, "SMALL", small),
            patch.object(files, "RATIO", ratio),
        ):
            if is_read:
                assert len(read_arrays(tmp_path / "a.npz")["a"]) == 10_000
            else:
                with pytest.raises(ValueError, match="unpacks to"):
                    read_arrays(tmp_path / "a.npz")


def test_json_is_parsed_to_its_numbers() -> None:
    text = '{"a": [1, -2.5, 1e3, true, null], "b": {"a": 9223372036854775807}}'
    assert parse_json(text) == json.loads(text)
    assert math.isnan(parse_json("NaN", finite=False))
    assert parse_json("-9223372036854775808") == -(2**63)
    for wrong in ("NaN", "Infinity", "1e999", "9223372036854775808", '{"a": 1, "a": 2}'):
        with pytest.raises(ValueError):
            parse_json(wrong)


def test_a_folder_is_made_and_tried_without_a_trace(tmp_path: Path) -> None:
    make_folder(tmp_path / "a" / "b")
    assert [each.name for each in (tmp_path / "a").iterdir()] == ["b"]
    assert [*(tmp_path / "a" / "b").iterdir()] == []
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="results cannot be written to"):
        make_folder(tmp_path / "file")


def test_a_locked_file_is_locked_for_all_others_until_it_is_closed(tmp_path: Path) -> None:
    with open(tmp_path / "lock", "a") as other:
        with open(tmp_path / "lock", "a") as one:
            assert try_lock(one) is True
            assert try_lock(other) is False
        assert try_lock(other) is True


def test_versions_are_those_of_what_is_installed() -> None:
    import platform
    from importlib.metadata import version

    blas = [
        {
            "user_api": "blas",
            "internal_api": "openblas",
            "version": "0.3",
            "architecture": "Zen",
            "num_threads": 2,
        },
        {"user_api": "openmp", "internal_api": "openmp", "version": None, "num_threads": 4},
    ]
    with patch("threadpoolctl.threadpool_info", lambda: blas):
        found = environment.versions()
    assert found["blas"] == "openblas 0.3 Zen, threads: 2"
    assert found["numpy_lstm"] == __version__
    assert found["python"] == platform.python_version()
    assert found["numpy"] == np.__version__
    for name in ("scikit-learn", "scipy", "matplotlib", "threadpoolctl"):
        assert found[name] == version(name)
    assert found["machine"] == f"{platform.system()} {platform.machine()}"
    with (
        patch.object(Path, "exists", lambda _: True),
        patch.object(Path, "read_text", lambda *_, **__: "cpu: 0\nmodel name\t: A: 9 \n"),
    ):
        assert environment._processor() == "A: 9"
    assert found["simd"]
    simd = {"baseline": ["SSE2", "SSE3"], "found": ["AVX2"], "not found": ["AVX512F"]}
    with patch.object(np, "show_config", lambda mode: {"SIMD Extensions": simd}):
        assert environment.versions()["simd"] == "SSE2 SSE3 AVX2"
