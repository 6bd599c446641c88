"""The package as others depend on it: quick to import, whole when installed, versioned."""

import configparser
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

import numpy_lstm

ROOT = Path(__file__).parents[1]
HEAVY = {"matplotlib", "sklearn", "scipy", "platformdirs", "requests", "tqdm"}


def python(code):
    """What a fresh interpreter prints."""
    command = [sys.executable, "-c", code]
    return json.loads(subprocess.run(command, capture_output=True, check=True, text=True).stdout)


@pytest.mark.parametrize("module", ["numpy_lstm", "numpy_lstm.train", "numpy_lstm.predict"])
def test_what_is_heavy_is_imported_only_when_needed(module):
    loaded = python(f"import sys, json, {module}; print(json.dumps(list(sys.modules)))")
    assert not HEAVY & set(loaded)


def test_the_estimator_is_found_and_an_unknown_name_is_not():
    assert numpy_lstm.ReviewClassifier.__name__ == "ReviewClassifier"
    assert all(hasattr(numpy_lstm, name) for name in numpy_lstm.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'GRU'"):
        _ = numpy_lstm.GRU


def test_the_version_is_semantic_and_in_the_changelog():
    assert re.fullmatch(r"\d+\.\d+\.\d+", numpy_lstm.__version__)
    headings = re.findall(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text(), re.M)
    assert headings[0] in ("Unreleased", numpy_lstm.__version__)
    assert headings[1:] == sorted(headings[1:], reverse=True)


def test_the_citation_file_says_what_the_package_says():
    text = (ROOT / "CITATION.cff").read_text(encoding="utf-8")
    setup = configparser.ConfigParser()
    setup.read(ROOT / "setup.cfg", encoding="utf-8")
    metadata = setup["metadata"]
    # YAML, as far as this file goes: a key and its value, or a key and a list below it.
    given = dict(re.findall(r"^([\w-]+):((?: .+)|(?:\n  - .+)+)$", text, re.M))
    assert "".join(f"{key}:{value}\n" for key, value in given.items()) == text
    given = {key: value.strip() for key, value in given.items()}
    assert {"cff-version", "message", "title", "authors"} <= set(given)  # what the schema requires
    assert given["cff-version"] == "1.2.0"
    assert given["title"] == metadata["name"]
    assert given["abstract"] == metadata["description"]
    assert given["version"] == numpy_lstm.__version__
    assert given["license"] == metadata["license"]
    assert given["authors"] == "- name: The numpy_lstm authors"
    keywords = [line.strip("- ") for line in given["keywords"].splitlines()]
    assert keywords == metadata["keywords"].split(", ")


@pytest.fixture(scope="module")
def distributions(tmp_path_factory):
    """The sdist, and the wheel that is built from it, by the standard's front end."""
    pytest.importorskip("build", reason="build is not installed")
    folder = tmp_path_factory.mktemp("distributions")
    # setuptools writes into its source: which may be read-only, or in use by another run.
    source = tmp_path_factory.mktemp("source")
    for path in ROOT.iterdir():
        if path.is_file():
            shutil.copy(path, source)
    for package in ("numpy_lstm", "tests", "benchmarks"):
        shutil.copytree(ROOT / package, source / package)
    command = [sys.executable, "-m", "build", "--no-isolation", "--outdir", folder, source]
    subprocess.run(command, capture_output=True, check=True, cwd=folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return sdist, wheel


def test_both_distributions_hold_the_whole_package(distributions):
    sdist, wheel = distributions
    with zipfile.ZipFile(wheel) as archive:
        in_wheel = set(archive.namelist())
        (points,) = (name for name in in_wheel if name.endswith(".dist-info/entry_points.txt"))
        assert "numpy-lstm = numpy_lstm.__main__:main" in archive.read(points).decode()
    with tarfile.open(sdist) as archive:
        in_sdist = {name.partition("/")[2] for name in archive.getnames()}
    sources = (ROOT / "numpy_lstm").rglob("*.py")
    wanted = {path.relative_to(ROOT).as_posix() for path in sources} | {"numpy_lstm/py.typed"}
    for folder in ("page", "trained"):
        files = (ROOT / "numpy_lstm" / "explore" / folder).iterdir()
        wanted |= {path.relative_to(ROOT).as_posix() for path in files}
    wanted |= {"numpy_lstm/explore/measured.json", "numpy_lstm/train/committed.json"}
    assert wanted <= in_wheel
    assert wanted | {"README.md", "LICENSE", "CHANGELOG.md", "REFERENCES.md"} <= in_sdist
    assert not [name for name in in_wheel if name.startswith(("tests", "benchmarks"))]


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["sdist", "wheel"])
def test_each_installs_and_runs_from_an_empty_folder(distributions, kind, tmp_path):
    installed, empty = tmp_path / "installed", tmp_path / "empty"
    empty.mkdir()
    environment = {
        **os.environ,
        "PYTHONPATH": str(installed),
        "NUMPY_LSTM_CACHE": str(tmp_path / "cache"),
    }

    def run(*arguments):
        command = [sys.executable, *arguments]
        done = subprocess.run(command, capture_output=True, text=True, cwd=empty, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout

    source = distributions[kind == "wheel"]
    options = ("--quiet", "--no-deps", "--no-build-isolation", "--no-index", "--target", installed)
    run("-m", "pip", "install", *map(str, options), str(source))
    where = run("-c", "import numpy_lstm; print(numpy_lstm.__file__)")
    assert Path(where.strip()) == installed / "numpy_lstm" / "__init__.py"
    assert run("-m", "numpy_lstm", "--version") == f"numpy-lstm {numpy_lstm.__version__}\n"
    if kind == "sdist":  # the wheel was built from it: that it installs is enough
        run("-m", "numpy_lstm.train", "--help")
        return
    settings = "--epochs 1 --hidden-size 2 --vector-size 2 --max-length 8 --probes 1 --model rnn"
    run("-m", "numpy_lstm.train", "--dataset", "synthetic", *settings.split())
    assert "P(positive) = " in run("-m", "numpy_lstm.predict", "a good film")
    (folder,) = (empty / "runs").iterdir()
    run("-m", "numpy_lstm.explore", "--run", str(folder), "--out", "page.html")
    assert (empty / "page.html").stat().st_size < 1_500_000
