"""Weights files: what goes in comes out, and nothing else gets in."""

import dataclasses
import json
import os

import numpy as np
import pytest

from numpy_lstm import __version__
from numpy_lstm.classifier import init_classifier
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.settings import Settings
from numpy_lstm.weights import FORMAT, Weights, load_weights, save_weights

WORDS = ("good", "bad", "don't", "schön")


def weights_of(model, readout="last", dtype=np.float32):
    settings = Settings(hidden_size=3, vector_size=2, readout=readout)
    rng = np.random.default_rng(0)
    vectors = rng.standard_normal((len(WORDS) + 2, 2)).astype(dtype)
    parameters = init_classifier(model, vectors, 3, readout=readout, rng=rng)
    return Weights(parameters, settings, Vocabulary(WORDS), dataset="imdb")


@pytest.fixture
def path(tmp_path):
    save_weights(tmp_path / "weights.npz", weights_of("lstm"))
    return tmp_path / "weights.npz"


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("readout", ["last", "meanmax"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_what_is_saved_is_loaded_to_the_bit(tmp_path, model, readout, dtype):
    saved = weights_of(model, readout, dtype)
    save_weights(tmp_path / "weights.npz", saved)
    loaded = load_weights(tmp_path / "weights.npz")
    assert loaded.parameters.keys() == saved.parameters.keys()
    for name, array in saved.parameters.items():
        np.testing.assert_array_equal(loaded.parameters[name], array, strict=True)
    assert loaded.settings == saved.settings
    assert loaded.vocabulary.words == saved.vocabulary.words
    assert loaded.dataset == "imdb"


def test_the_file_holds_its_versions_and_no_pickle(path):
    with np.load(path, allow_pickle=False) as arrays:
        about = json.loads(str(arrays["about"]))
        assert json.loads(str(arrays["words"])) == list(WORDS)
    assert about["format"] == FORMAT
    assert about["versions"]["numpy_lstm"] == __version__
    assert about["settings"] == dataclasses.asdict(weights_of("lstm").settings)


@pytest.mark.parametrize("classes", [("no",), ("no", "no"), (1, True), ("no", None)])
def test_classes_that_cannot_be_told_apart_are_not_saved(classes, tmp_path):
    with pytest.raises(ValueError, match="at least two different strings, numbers or Booleans"):
        save_weights(tmp_path / "w.npz", weights_of("rnn")._replace(classes=classes))
    assert not (tmp_path / "w.npz").exists()


@pytest.mark.parametrize("classes", [("no", "yes"), (3, 1, 2), (True, False), tuple("bacd")])
def test_classes_keep_their_order_and_their_kinds(classes, tmp_path):
    saved = weights_of("rnn")._replace(classes=classes, dataset="")
    if (C := len(classes)) > 2:
        saved.parameters["W_out"] = np.zeros((C, 3), np.float32)
        saved.parameters["b_out"] = np.arange(C, dtype=np.float32)
    save_weights(tmp_path / "weights.npz", saved)
    loaded = load_weights(tmp_path / "weights.npz")
    assert loaded.classes == classes
    assert [type(label) for label in loaded.classes] == [type(label) for label in classes]
    assert loaded.dataset == ""


def test_every_setting_and_word_is_kept_and_nothing_is_a_pickle(tmp_path):
    saved = weights_of("lstm", "meanmax")
    changed = dataclasses.replace(saved.settings, seed=9, bag_size=7, max_length=11, dropout=0.25)
    save_weights(tmp_path / "weights.npz", saved._replace(settings=changed))
    loaded = load_weights(tmp_path / "weights.npz")
    assert loaded.settings == changed
    assert loaded.vocabulary.words == saved.vocabulary.words
    assert loaded.dataset == "imdb"
    with np.load(tmp_path / "weights.npz", allow_pickle=False) as stored:
        about = json.loads(str(stored["about"]))
        assert {*stored} == {*saved.parameters, "about", "words"}
        assert json.loads(str(stored["words"])) == list(WORDS)
    assert about["versions"]["numpy_lstm"] == __version__
    assert about["format"] == FORMAT == 2


@pytest.mark.parametrize(
    ("dataset", "classes"),
    [("imdb", ("negative", "positive")), ("", ("class 0", "class 1"))],
)
def test_a_file_of_format_one_has_the_names_of_its_kind(dataset, classes, tmp_path):
    save_weights(tmp_path / "w.npz", weights_of("rnn")._replace(dataset=dataset))
    with np.load(tmp_path / "w.npz") as stored:
        contents = {**stored}
    about = json.loads(str(contents["about"]))
    del about["classes"]
    contents["about"] = np.array(json.dumps({**about, "format": 1}))
    np.savez(tmp_path / "w.npz", **contents)
    assert load_weights(tmp_path / "w.npz").classes == classes


def edit(path, about=None, **arrays):
    """Change the file's arrays, and entries of what it says about itself; None removes."""
    with np.load(path) as stored:
        contents = {**stored, **arrays}
    said = {**json.loads(str(contents["about"])), **(about or {})}
    contents["about"] = np.array(json.dumps(said))
    np.savez(path, **{name: array for name, array in contents.items() if array is not None})


def words(*entries):
    return np.array(json.dumps(entries))


def test_a_file_without_a_newer_setting_takes_its_default(path):
    settings = dataclasses.asdict(weights_of("lstm").settings)
    del settings["probes"]
    edit(path, about={"settings": settings})
    assert load_weights(path).settings.probes == Settings().probes


LATER = {"numpy_lstm": "9.1.0"}


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"about": {"format": FORMAT + 1, "versions": LATER}},
            r"by numpy_lstm 9\.1\.0.* Install that one, or a later one\.$",
        ),
        ({"about": {"settings": {"layers": 2}, "versions": LATER}}, r"numpy_lstm 9\.1\.0"),
        ({"about": {"format": "one"}}, "not a weights file"),
        ({"about": {"settings": {"epochs": -1}}}, "wrong settings.*`epochs` must be at least 1"),
        ({"about": {"settings": {"epochs": "many"}}}, "`epochs` must be a whole number"),
        ({"words": None}, "not a weights file"),
        ({"words": np.array("{")}, "not a weights file"),
        ({"words": words("good", "bad")}, r"`embedding` must have shape \(4, 2\); got \(6, 2\)"),
        ({"words": words("good", "good", "a", "b")}, "'good' stands twice"),
        ({"words": words("good", 1, "a", "b")}, "must be strings; got 1"),
        ({"b": None}, "must be embedding, W_x, .* got W_h"),
        ({"extra": np.zeros(3)}, "must be embedding, .* got .*extra"),
        ({"W_x": np.zeros((12, 3), np.float32)}, r"`W_x` must have shape \(12, 2\)"),
        ({"W_h": np.zeros((9, 3), np.float32)}, r"`W_h` must have shape \(12, 3\); got \(9, 3\)"),
        ({"W_h": np.zeros(12, np.float32)}, "`W_h` must have two axes"),
        ({"W_h": np.zeros((12, 0), np.float32)}, "`W_h` must have shape"),
        ({"W_out": np.zeros((1, 6), np.float32)}, r"`W_out` must have shape \(1, 3\)"),
        ({"b": np.zeros(12)}, "`b` must be float32"),
        ({"W_h": np.zeros((12, 3), int)}, "`W_h` must be float32 or float64; got int64"),
        ({"b": np.full(12, np.nan, np.float32)}, "`b` must be finite"),
        ({"b_out": np.full(1, np.inf, np.float32)}, "`b_out` must be finite"),
    ],
)
def test_a_wrong_file_is_refused(path, changes, message):
    edit(path, **changes)
    with pytest.raises(ValueError, match=message):
        load_weights(path)


def test_what_could_not_be_loaded_is_not_saved(tmp_path):
    weights = weights_of("rnn")
    weights.parameters["b"][0] = np.nan
    with pytest.raises(ValueError, match="`b` must be finite"):
        save_weights(tmp_path / "weights.npz", weights)
    assert list(tmp_path.iterdir()) == []


class Trap:
    """Creates a folder when it is unpickled."""

    def __init__(self, folder):
        self.folder = folder

    def __reduce__(self):
        return os.mkdir, (self.folder,)


def test_a_pickle_is_refused_and_not_executed(path, tmp_path):
    trap = np.array([Trap(tmp_path / "executed")], dtype=object)
    edit(path, W_h=trap)
    with pytest.raises(ValueError, match=r"not a sound \.npz file.*allow_pickle=False"):
        load_weights(path)
    path.write_bytes(trap.dumps())
    with pytest.raises(ValueError, match=r"not a sound \.npz file"):
        load_weights(path)
    assert not (tmp_path / "executed").exists()


def test_a_file_cut_off_anywhere_is_refused(path):
    whole = path.read_bytes()
    for length in range(0, len(whole), 97):
        path.write_bytes(whole[:length])
        with pytest.raises(ValueError, match=r"not a sound \.npz file"):
            load_weights(path)


def test_a_file_with_a_wrong_byte_gives_the_same_weights_or_an_error(path):
    whole = path.read_bytes()
    expected = load_weights(path).parameters
    rng = np.random.default_rng(0)
    refused = 0
    for position in rng.integers(0, len(whole), 300).tolist():
        damaged = bytearray(whole)
        damaged[position] ^= 1 << int(rng.integers(8))
        path.write_bytes(damaged)
        try:
            loaded = load_weights(path).parameters
        except ValueError as error:
            refused += str(path) in str(error)
        else:  # a time stamp, for example, means nothing
            for name, array in expected.items():
                np.testing.assert_array_equal(loaded[name], array)
    assert refused > 200


def test_an_absurdly_large_array_is_refused(path, monkeypatch):
    monkeypatch.setattr("numpy_lstm.files.MOST", 1000)
    with pytest.raises(ValueError, match="unpacks to"):
        load_weights(path)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(OSError, match=r"nothing\.npz"):
        load_weights(tmp_path / "nothing.npz")


def test_a_write_that_fails_leaves_the_weights_that_were_there(path, monkeypatch):
    before = path.read_bytes()

    def full(file, **_):
        file.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez", full)
    with pytest.raises(OSError, match="No space left"):
        save_weights(path, weights_of("rnn"))
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_three_gates_are_no_lstm(path):
    shapes = {"W_x": (9, 2), "W_h": (9, 3), "b": (9,)}
    edit(path, **{name: np.zeros(shape, np.float32) for name, shape in shapes.items()})
    with pytest.raises(ValueError, match=r"`W_x` must have shape \(12, 2\)"):
        load_weights(path)
