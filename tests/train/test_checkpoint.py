"""A checkpoint holds all that a run needs, each thing in its place."""

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.settings import Settings
from numpy_lstm.train.checkpoint import load_checkpoint, problem_of, save_checkpoint
from numpy_lstm.training import TrainingState, initial_state
from tests.train.hand_made import SETTINGS, WORDS, D, arrays, state_of

STEPS = 2  # in an epoch
ELEVEN = tuple(1.0 + k % 5 for k in range(11))  # epochs, so that 10 comes after 9


def assert_equal_states(one: TrainingState, other: TrainingState) -> None:
    for field in fields(TrainingState):
        got, wanted = getattr(one, field.name), getattr(other, field.name)
        if field.name == "optimizer":
            assert got.t == wanted.t
            assert_equal_arrays(got.m, wanted.m)
            assert_equal_arrays(got.v, wanted.v)
        elif field.name == "norms":
            assert len(got) == len(wanted)
            for here, there in zip(got, wanted, strict=True):
                assert_equal_arrays(here._asdict(), there._asdict())
        elif isinstance(wanted, dict):
            assert_equal_arrays(got, wanted)
        else:
            assert got == wanted, field.name


def assert_equal_arrays(got: dict[str, Any], wanted: dict[str, Any]) -> None:
    assert got.keys() == wanted.keys()
    for name, array in wanted.items():
        assert (got[name] is None) == (array is None)
        if array is not None:
            np.testing.assert_array_equal(got[name], array, err_msg=name)
            assert got[name].dtype == array.dtype


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_checkpoint_gives_back_every_number_in_its_place(model: str, tmp_path: Path) -> None:
    state = state_of(model, ELEVEN)
    save_checkpoint(tmp_path / "c.npz", state)
    loaded = load_checkpoint(tmp_path / "c.npz", SETTINGS)
    assert_equal_states(loaded, state)
    assert loaded.optimizer.learning_rate == SETTINGS.learning_rate
    assert loaded.best_epoch == state.best_epoch == 1


def test_a_checkpoint_stores_every_field_of_a_state(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.npz", state_of("lstm", (1.0,)), {"model": "lstm"})
    with np.load(tmp_path / "c.npz") as stored:
        said = json.loads(str(stored["state"]))
        assert {name.partition("/")[0] for name in stored} == {
            *("parameters", "best", "m", "v", "h", "c", "x", "state")
        }
    numbers = {f.name for f in fields(TrainingState) if f.type in ("int", "float")}
    assert said.keys() == {*numbers, "t", "history", "run"}
    assert said["run"] == {"model": "lstm"}


def test_a_checkpoint_of_another_run_is_told_apart(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.npz", state_of("rnn", (1.0,)), {"seed": 1, "model": "rnn"})
    load_checkpoint(tmp_path / "c.npz", SETTINGS, {"seed": 1, "model": "rnn"})
    try:
        load_checkpoint(tmp_path / "c.npz", SETTINGS, {"seed": 2, "model": "rnn"})
    except ValueError as error:
        assert "of another run: its `seed` is 1, and that of this run is 2" in str(error)
    else:
        raise AssertionError("another seed's checkpoint was taken")


def test_a_checkpoint_that_does_not_name_a_setting_is_of_a_run_with_any(tmp_path: Path) -> None:
    save_checkpoint(tmp_path / "c.npz", state_of("rnn", (1.0,)), {"seed": 1})
    later = {"seed": 1, "new_setting": 0.5}
    assert load_checkpoint(tmp_path / "c.npz", SETTINGS, later).epoch == 1


def fresh(model: str) -> TrainingState:
    return initial_state(model, np.zeros((WORDS, D), np.float32), SETTINGS)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_sound_state_goes_on(model: str) -> None:
    state = state_of(model, ELEVEN)
    state.optimizer.v["b"][0] = np.inf  # may overflow
    assert problem_of(state, fresh(model), SETTINGS, STEPS) is None
    ended = replace(state, step=0, reviews=0, epoch_seconds=0.0)
    ended.optimizer.t = STEPS * ended.epoch
    assert problem_of(ended, fresh(model), SETTINGS, STEPS) is None
    two_probes = replace(SETTINGS, probes=2)
    assert problem_of(ended, fresh(model), two_probes, STEPS) is None


@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_an_epoch_with_all_or_none_right_goes_on(accuracy: float) -> None:
    state = state_of("rnn", (1.0, 2.0))
    state.history[1] = state.history[1]._replace(val_accuracy=accuracy)
    assert problem_of(state, fresh("rnn"), SETTINGS, STEPS) is None


def with_array(kind: str, value: float) -> TrainingState:
    state = state_of("lstm", (1.0, 2.0))
    of = {"m": state.optimizer.m, "v": state.optimizer.v, "best": state.best_parameters}
    of.get(kind, state.parameters)["W_h"][1, 1] = value
    return state


def with_norms(change: str) -> TrainingState:
    state = state_of("lstm", (1.0, 2.0))
    h, c, x = state.norms[1]
    state.norms[1] = {
        "none in c": GradientNorms(h, None, x),
        "shorter": GradientNorms(h[1:], c, x),
        "negative": GradientNorms(h, -c, x),
        "float32": GradientNorms(h, c, x.astype(np.float32)),
    }[change]
    return state


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (with_array("parameters", np.nan), "`parameters/W_h` holds"),
        (with_array("best", np.inf), "`best/W_h` holds"),
        (with_array("m", np.inf), "`m/W_h` holds"),
        (with_array("v", -1.0), "`v/W_h` holds"),
        (with_norms("none in c"), "gradient norms"),
        (with_norms("shorter"), "gradient norms"),
        (with_norms("negative"), "gradient norms"),
        (with_norms("float32"), "gradient norms"),
    ],
)
def test_a_state_with_one_wrong_array_does_not_go_on(state: TrainingState, words: str) -> None:
    assert words in str(problem_of(state, fresh("lstm"), SETTINGS, STEPS))


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("epoch", 1, "`t` must be 3"),
        ("step", 2, "`t` must be 6"),
        ("step", 3, "no step 3 after epoch 2"),
        ("step", 0, "`t` must be 4"),
        ("reviews", 0, "`reviews` does not fit `step` 1"),
        ("tokens", -1, "`tokens`"),
        ("tokens", 1.5, "`tokens`"),
        ("loss_sum", float("nan"), "`loss_sum`"),
        ("seconds", -1.0, "`seconds`"),
        ("epoch_seconds", 0.0, "`epoch_seconds` does not fit `step` 1"),
        ("history", [], "`history`"),
        ("norms", [], "gradient norms"),
    ],
)
def test_a_state_with_one_wrong_number_does_not_go_on(name: str, value: Any, words: str) -> None:
    state = state_of("lstm", (1.0, 2.0))
    setattr(state, name, value)
    assert words in str(problem_of(state, fresh("lstm"), SETTINGS, STEPS))


@pytest.mark.parametrize(
    ("column", "value"), [("epoch", 3), ("val_loss", float("nan")), ("val_accuracy", 50.0)]
)
def test_a_history_with_one_wrong_number_does_not_go_on(column: str, value: float) -> None:
    state = state_of("lstm", (1.0, 2.0))
    state.history[1] = state.history[1]._replace(**{column: value})
    assert "`history`" in str(problem_of(state, fresh("lstm"), SETTINGS, STEPS))


def test_more_epochs_or_probes_than_were_asked_for_do_not_go_on() -> None:
    state = state_of("lstm", (1.0, 2.0))
    few = Settings(hidden_size=2, vector_size=D, epochs=1)
    assert "a run of 1 epochs" in str(problem_of(state, fresh("lstm"), few, STEPS))
    one = Settings(hidden_size=2, vector_size=D, probes=1)
    assert "gradient norms" in str(problem_of(state, fresh("lstm"), one, STEPS))


def test_arrays_of_another_model_do_not_go_on() -> None:
    state = replace(state_of("lstm", (1.0,)), best_parameters=arrays("rnn", 0))
    assert "`best/W_x` must be" in str(problem_of(state, fresh("lstm"), SETTINGS, STEPS))
    state = state_of("lstm", (1.0,))
    del state.optimizer.m["b"]
    assert "its `m` must be" in str(problem_of(state, fresh("lstm"), SETTINGS, STEPS))


@pytest.mark.parametrize("kind", ["parameters", "best_parameters"])
def test_arrays_of_another_precision_do_not_go_on(kind: str) -> None:
    state = state_of("rnn", (1.0,))
    getattr(state, kind)["b"] = getattr(state, kind)["b"].astype(np.float64)
    problem = str(problem_of(state, fresh("rnn"), SETTINGS, STEPS))
    assert "/b` must be float32 of shape (2,); got float64 of shape (2,)" in problem
