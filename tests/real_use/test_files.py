"""Files of weights, checkpoints and results: sound, or one ValueError that names the file."""

import io
import json
import tracemalloc
import zipfile

import numpy as np
import pytest

from numpy_lstm.experiments import memory, runner
from numpy_lstm.files import read_arrays
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.optim import Adam
from numpy_lstm.predict.scoring import score
from numpy_lstm.train.checkpoint import load_checkpoint, problem_of, save_checkpoint
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.weights import load_weights, save_weights
from tests.test_weights import weights_of

WEIGHTS = weights_of("lstm")
CONDITIONS = dict(list(memory.conditions(True).items())[:1])


def state_of():
    """After one epoch of one step, and a step of the next."""
    parameters = WEIGHTS.parameters
    optimizer = Adam()
    for _ in range(2):
        optimizer.step({k: a.copy() for k, a in parameters.items()}, parameters)
    norms = GradientNorms(*(np.array([[1.0, 2.0], [0.5, np.nan]]) for _ in "hcx"))
    history = [Epoch(1, 0.7, 0.6, 0.5, 1.5, 10.0)]
    return TrainingState(
        parameters, optimizer, parameters, 1, 1, 8, 40, 5.5, 2.5, 1.0, history, [norms, norms]
    )


def load_state(path):
    """What a resumed run does, of which an epoch has one step."""
    fresh = TrainingState(WEIGHTS.parameters, Adam(), WEIGHTS.parameters)
    state = load_checkpoint(path, WEIGHTS.settings)
    if problem := problem_of(state, fresh, WEIGHTS.settings, steps=1):
        raise ValueError(f"{path} does not fit: {problem}")
    return state


@pytest.fixture
def path(tmp_path):
    save_weights(tmp_path / "weights.npz", WEIGHTS)
    return tmp_path / "weights.npz"


@pytest.fixture
def checkpoint(tmp_path):
    save_checkpoint(tmp_path / "checkpoint.npz", state_of())
    return tmp_path / "checkpoint.npz"


def edit(path, name, change):
    """Change one array; None removes it, and a new name adds it."""
    arrays = read_arrays(path)
    arrays[name] = change(arrays.get(name))
    np.savez(path, **{k: a for k, a in arrays.items() if a is not None})


def said(path, name, **changes):
    edit(path, name, lambda text: np.array(json.dumps({**json.loads(str(text)), **changes})))


def add(path, name, contents, compression=zipfile.ZIP_STORED):
    with zipfile.ZipFile(path, "a", compression) as archive:
        archive.writestr(name, contents)


def npy(array, **how):
    file = io.BytesIO()
    np.lib.format.write_array(file, array, allow_pickle=False, **how)
    return file.getvalue()


def header(shape, dtype="<f4", version=1):
    about = repr({"descr": dtype, "fortran_order": False, "shape": shape}) + "\n"
    size = len(about.encode()).to_bytes(2 if version == 1 else 4, "little")
    return b"\x93NUMPY" + bytes([version, 0]) + size + about.encode()


# --- the archive ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["embedding.npy", "b.npy", "about.npy"])
def test_an_array_that_stands_twice_is_refused(path, name):
    with pytest.warns(UserWarning, match="Duplicate name"):
        add(path, name, npy(np.zeros(2, np.float32)))
    with pytest.raises(ValueError, match=r"weights\.npz is not a sound .* have one name"):
        load_weights(path)


@pytest.mark.parametrize("name", ["/etc/b.npy", "../b.npy", "a/b/c.npy", "b", "C:\\b.npy", "b/"])
def test_a_member_with_a_path_for_a_name_is_refused(path, name):
    add(path, name, npy(np.zeros(2, np.float32)))
    with pytest.raises(ValueError, match="is no name of an array"):
        load_weights(path)


def test_a_file_that_unpacks_to_gigabytes_is_refused_before_it_has_cost_memory(path):
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        with archive.open("extra.npy", "w") as file:
            file.write(header((2**25,)))
            for _ in range(2**7):
                file.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"unpacks to 134,\d+,\d+ bytes"):
        load_weights(path)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_weights_that_someone_has_compressed_are_read(path):
    before = load_weights(path)
    np.savez_compressed(path, **read_arrays(path))
    assert load_weights(path).parameters.keys() == before.parameters.keys()


@pytest.mark.parametrize(
    "contents",
    [
        header((10**12,)),
        header((-2, -3)) + bytes(24),
        header((-1,)),
        header((10**400,)),
        header((2,)) + bytes(7),
        header((2,)) + bytes(9),
        header((), "|O") + b"\x80\x04N.",
        header((2,), [("a", "<f4")]) + bytes(8),
        header((2,), [("ä", "<f4")], version=3) + bytes(8),
        header((2,), "<M8[D]") + bytes(16),
        header((2,), "<c8") + bytes(16),
        header((2,), "|V4") + bytes(8),
        header((1,), "<U1") + b"\xff\xff\xff\x7f",
        b"\x93NUMPY\x01\x00\xff\xff{",
        b"\x93NUMPY\x01\x00\x04\x00[[[\n",
        b"",
    ],
)
def test_an_array_whose_header_does_not_fit_its_bytes_is_refused(path, contents):
    edit(path, "about", lambda _: None)
    add(path, "about.npy", contents)
    with pytest.raises(ValueError, match=r"weights\.npz is not a "):
        load_weights(path)


def test_an_array_in_fortran_order_is_the_same_array(path):
    before = load_weights(path).parameters["W_h"]
    edit(path, "W_h", np.asfortranarray)
    after = load_weights(path).parameters["W_h"]
    np.testing.assert_array_equal(after, before)
    assert after.flags.c_contiguous


# --- weights -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"format": True}, "format"),
        ({"format": "1"}, "format"),
        ({"format": 0}, "format"),
        ({"settings": []}, "dict was wanted; got list"),
        ({"versions": {"numpy_lstm": 1}}, "str was wanted; got int"),
        ({"dataset": ["imdb"]}, "str was wanted; got list"),
        ({"settings": {"hidden_size": True}}, "`hidden_size` must be a whole number"),
        ({"settings": {"hidden_size": "3"}}, "`hidden_size` must be a whole number"),
        ({"settings": {"hidden_size": 3.0}}, "`hidden_size` must be a whole number"),
        ({"settings": {"forget_bias": 10**400}}, "is too large"),
        ({"settings": {"clip": float("inf")}}, "no finite number"),
        ({"settings": {"dropout": float("nan")}}, "no finite number"),
    ],
)
def test_what_weights_say_of_themselves_must_have_the_right_type(path, about, message):
    said(path, "about", **about)
    with pytest.raises(ValueError, match=rf"weights\.npz .*{message}"):
        load_weights(path)


@pytest.mark.parametrize(
    "text",
    ["5", "[]", '"about"', '{"format": 1, "format": 1}', "[" * 10**5, "9" * 5000, "", "{"],
)
def test_weights_whose_json_is_something_else_are_refused(path, text):
    edit(path, "about", lambda _: np.array(text))
    with pytest.raises(ValueError, match=r"weights\.npz is not a weights file of numpy_lstm: "):
        load_weights(path)


@pytest.mark.parametrize(
    "words",
    [
        *('"good"', '{"good": 1}', '["good", null, "a", "b"]', '["a", "a", "b", "c"]'),
        *('["\\ud800", "a", "b", "c"]', '["<pad>", "a", "b", "c"]', '[["good"], "a", "b", "c"]'),
    ],
)
def test_words_that_are_no_list_of_different_texts_are_refused(path, words):
    edit(path, "words", lambda _: np.array(words))
    with pytest.raises(ValueError, match=r"weights\.npz "):
        load_weights(path)


@pytest.mark.parametrize("dtype", [">f4", "f2", "c8", "i4", "U3"])
def test_weights_of_another_dtype_are_refused(path, dtype):
    edit(path, "W_h", lambda array: array.astype(dtype))
    with pytest.raises(ValueError, match=r"weights\.npz .*(float32|dtype)"):
        load_weights(path)


def test_a_checkpoint_in_the_place_of_weights_is_called_one(checkpoint):
    with pytest.raises(ValueError, match=r"is a checkpoint, .* weights-\*\.npz beside it once .*"):
        load_weights(checkpoint)


# --- checkpoints ---------------------------------------------------------------------------------

LINE = [1, 0.7, 0.6, 0.5, 1.5, 10.0]


@pytest.mark.parametrize(
    "state",
    [
        *({"epoch": value} for value in (True, "1", 1.0, -1, 2, None)),
        *({"t": value} for value in (2.5, -1, [2])),
        *({"step": value} for value in (False, 9)),
        *({"loss_sum": value} for value in ("5", float("nan"), -1.0, None)),
        {"epoch_seconds": 0},
        *({"history": value} for value in ([], {}, 3, [3], [LINE, LINE], [LINE[:5]], ["epochs"])),
        *({"history": [[value, *LINE[1:]]]} for value in (0, 2, True, "1", 1.5)),
        *({"history": [[*LINE[:2], value, *LINE[3:]]]} for value in (None, "1", float("inf"))),
    ],
)
def test_a_checkpoint_with_impossible_numbers_is_refused(checkpoint, state):
    said(checkpoint, "state", **state)
    with pytest.raises(ValueError, match=r"checkpoint\.npz "):
        load_state(checkpoint)


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("parameters/W_h", lambda a: None),
        ("best/b", lambda a: None),
        ("m/embedding", lambda a: None),
        ("v/W_x", lambda a: None),
        ("h/0000", lambda a: None),
        ("c/0001", lambda a: None),
        ("x/0001", lambda a: None),
        ("x/0007", lambda a: np.zeros((2, 2))),
        ("m/other", lambda a: np.zeros(3)),
        ("best/W_h", lambda a: a[:-1]),
        ("m/W_h", lambda a: a.astype(np.float64)),
        ("parameters/b", lambda a: a * np.nan),
        ("best/b", lambda a: a + np.inf),
        ("v/b", lambda a: a - 9),
        ("parameters/W_h", lambda a: a[0]),
        ("h/0000", lambda a: a[0]),
        ("x/0000", lambda a: a[:1]),
        ("c/0000", lambda a: -a),
        ("state", lambda a: np.array(1)),
        ("state", lambda a: np.array("[]")),
    ],
)
def test_a_checkpoint_whose_arrays_do_not_fit_is_refused(checkpoint, name, change):
    edit(checkpoint, name, change)
    with pytest.raises(ValueError, match=r"checkpoint\.npz "):
        load_state(checkpoint)


# --- results of experiments ----------------------------------------------------------------------


def results_of():
    (condition, settings), *_ = CONDITIONS.items()
    result = {"solved": True, "sequences": 100, "curve": [[10, 0.5]]}
    trial = runner.Trial(condition, settings, 0, 1.5, result)
    return runner._contents("memory", memory, CONDITIONS, {(condition, 0): trial}, True)


def load_results(path):
    return list(runner._read(path, CONDITIONS, True)[0].values())


@pytest.mark.parametrize(
    "contents",
    [
        *(
            "",
            "{",
            "[]",
            "null",
            "{}",
            '{"trials": []}',
            '{"trials": 3, "quick": true}',
            "[" * 10**5,
        ),
        *('{"trials": [{}], "quick": true}', '{"quick": true, "quick": true, "trials": []}'),
    ],
)
def test_results_of_another_shape_are_refused(tmp_path, contents):
    (tmp_path / "memory.json").write_text(contents)
    with pytest.raises(ValueError, match=r"memory\.json is damaged: .* to start anew"):
        load_results(tmp_path / "memory.json")


@pytest.mark.parametrize(
    "change",
    [
        *({"seed": value} for value in (True, "0", -1, 1.0)),
        *({"seconds": value} for value in (None, float("nan"), -1)),
        *({"result": []}, {"settings": 3}, {"condition": 3}, {"extra": 3}),
    ],
)
def test_a_trial_of_the_wrong_types_is_refused(tmp_path, change):
    contents = results_of()
    contents["trials"][0] |= change
    (tmp_path / "memory.json").write_text(json.dumps(contents))
    with pytest.raises(ValueError, match=r"memory\.json is damaged: "):
        load_results(tmp_path / "memory.json")


def test_trials_that_stand_twice_or_say_nothing_are_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(memory, "conditions", lambda quick: CONDITIONS)
    contents = results_of()
    (trial,) = contents["trials"]
    for trials in ([trial, trial], [{**trial, "result": {}}]):
        (tmp_path / "memory.json").write_text(json.dumps({**contents, "trials": trials}))
        with pytest.raises(ValueError, match=r"memory\.json is damaged: "):
            runner.run_experiment("memory", seeds=1, jobs=1, quick=True, folder=tmp_path)


# --- anything ------------------------------------------------------------------------------------

RAW = "NaN Infinity 1e400 -1e400 1E-400 null true -0 0 1 2 3 4.0 2.5 -1 1e308 18446744073709551616"
TOKENS = [*RAW.split(), "9" * 5000, "[" * 3000 + "]" * 3000, '"\\ud800"', '""', '"4"', "[]", "{}"]
TOKENS += ["[[]]", '{"a": 1, "a": 2}', '"' + "x" * 1000 + '"', "[1, 2, 3, 4, 5, 6]"]
DTYPES = [
    np.float32,
    np.float64,
    np.float16,
    np.complex64,
    np.int8,
    np.uint64,
    np.bool_,
    "U4",
    ">f4",
]


def mutated_json(contents, rng):
    """Its text with one value, at any depth, replaced, removed or doubled."""
    contents = json.loads(json.dumps(contents))
    parent, key = None, None
    value = contents
    while isinstance(value, (dict, list)) and value and (parent is None or rng.random() < 0.8):
        keys = list(value) if isinstance(value, dict) else range(len(value))
        parent, key = value, keys[rng.integers(len(keys))]
        value = value[key]
    action = rng.integers(6)
    if action == 0:
        del parent[key]
    elif action == 1 and isinstance(parent, list):
        parent.append(value)
    else:
        parent[key] = "@@"
    return json.dumps(contents).replace('"@@"', TOKENS[rng.integers(len(TOKENS))])


def mutated_array(array, rng):
    """Of another dtype, shape or order, or with another number in it."""
    if array.dtype.kind == "U" and rng.random() < 0.9:
        return np.array(mutated_json(json.loads(str(array)), rng))
    with np.errstate(all="ignore"):
        changes = [
            lambda: array.astype(DTYPES[rng.integers(len(DTYPES))]),
            lambda: array[..., np.newaxis],
            lambda: np.asfortranarray(array),
            lambda: array.T,
            lambda: array[:0] if array.shape else array,
            lambda: np.concatenate([array, array]) if array.shape else array,
            lambda: np.where(np.arange(array.size).reshape(array.shape) == 0, odd, array),
        ]
        odd = rng.choice([np.nan, np.inf, -1.0, 0.0, 3e38])
        try:
            return changes[rng.integers(len(changes))]()
        except (ValueError, TypeError):  # a text is no number
            return array.reshape(-1)


def mutated_archive(path, rng):
    arrays = read_arrays(path)
    names = sorted(arrays)
    name, other = (names[k] for k in rng.integers(len(names), size=2))
    action = rng.integers(10)
    if action == 0:
        del arrays[name]
    elif action == 1:
        arrays[name], arrays[other] = arrays[other], arrays[name]
    elif action == 2:
        arrays[other + "0"] = arrays[name]
    else:
        arrays[name] = mutated_array(arrays[name], rng)
    np.savez(path, **arrays)


@pytest.mark.parametrize("seed", range(4))
def test_weights_with_anything_changed_load_to_working_ones_or_are_refused(path, seed):
    rng = np.random.default_rng(seed)
    whole, refused = path.read_bytes(), 0
    for _ in range(100):
        path.write_bytes(whole)
        mutated_archive(path, rng)
        try:
            loaded = load_weights(path)
        except ValueError as error:
            refused += str(path) in str(error)
            continue
        with np.errstate(all="ignore"):
            logits, _, _ = score(loaded, ["good", "bad film", ""])
        assert not np.isnan(logits).any()
    assert refused > 50


@pytest.mark.parametrize("seed", range(2))
def test_a_checkpoint_with_anything_changed_loads_to_one_that_fits_or_is_refused(checkpoint, seed):
    rng = np.random.default_rng(seed)
    whole, refused = checkpoint.read_bytes(), 0
    for _ in range(100):
        checkpoint.write_bytes(whole)
        mutated_archive(checkpoint, rng)
        try:
            loaded = load_state(checkpoint)
        except ValueError as error:
            refused += str(checkpoint) in str(error)
            continue
        assert loaded.epoch == len(loaded.history) == len(loaded.norms) - 1
        for name, array in loaded.parameters.items():
            assert loaded.optimizer.v[name].shape == array.shape and np.isfinite(array).all()
    assert refused > 50


def test_results_with_anything_changed_load_to_trials_or_are_refused(tmp_path):
    rng = np.random.default_rng(0)
    whole, path = results_of(), tmp_path / "memory.json"
    refused = 0
    for _ in range(400):
        path.write_text(mutated_json(whole, rng))
        try:
            loaded = load_results(path)
        except ValueError as error:
            refused += str(path) in str(error)
            continue
        assert all(trial.condition in CONDITIONS and trial.seed >= 0 for trial in loaded)
    assert refused > 100
