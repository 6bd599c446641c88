"""Saves and loads the state of a run, exact to the bit."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm.cells import RNNParams
from numpy_lstm.files import json_of, read_arrays, write_arrays
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.optim import Adam
from numpy_lstm.recurrent import cell_of
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.types import Array

_WHOLE = ("epoch", "step", "reviews", "tokens")
_REAL = ("loss_sum", "seconds", "epoch_seconds")
_NUMBERS = (*_WHOLE, *_REAL)


def save_checkpoint(path: Path, state: TrainingState, run: Mapping[str, Any] | None = None) -> None:
    """Write the state of a run to one ``.npz`` file, completely or not at all.

    `run`, names and values of JSON's types, tells the run from others.
    """
    optimizer = state.optimizer
    arrays: dict[str, Any] = {
        **_prefixed("parameters", state.parameters),
        **_prefixed("best", state.best_parameters),
        **_prefixed("m", optimizer.m),
        **_prefixed("v", optimizer.v),
        **_prefixed("h", _numbered([norms.h for norms in state.norms])),
        **_prefixed("c", _numbered([norms.c for norms in state.norms if norms.c is not None])),
        **_prefixed("x", _numbered([norms.x for norms in state.norms])),
        "state": np.array(
            json.dumps(
                {
                    **{name: getattr(state, name) for name in _NUMBERS},
                    "t": optimizer.t,
                    "history": state.history,
                    "run": run,
                }
            )
        ),
    }
    write_arrays(path, arrays)


def load_checkpoint(
    path: Path, settings: Settings, run: Mapping[str, Any] | None = None
) -> TrainingState:
    """Read what :func:`save_checkpoint` wrote, and compare which `run` it is of.

    Raises
    ------
    ValueError
        If the file is damaged, not a checkpoint, or of another run.
    OSError
        If it cannot be read.
    """
    try:
        arrays = read_arrays(path)
    except ValueError as error:
        raise ValueError(f"{path} is damaged: {error}.") from error
    try:
        state = json_of(arrays["state"], finite=False)  # problem_of names what is not
        history = [Epoch(*line) for line in state["history"]]
        h, c, x = (_unnumbered(name, arrays) for name in "hcx")
        optimizer = Adam(settings.learning_rate)
        optimizer.t, optimizer.m, optimizer.v = (
            state["t"],
            _unprefixed("m", arrays),
            _unprefixed("v", arrays),
        )
        loaded = TrainingState(
            parameters=_unprefixed("parameters", arrays),
            optimizer=optimizer,
            best_parameters=_unprefixed("best", arrays),
            history=history,
            norms=[GradientNorms(h[k], c[k] if c else None, x[k]) for k in range(len(h))],
            **{name: state[name] for name in _NUMBERS},
        )
    except (KeyError, TypeError, IndexError, ValueError, RecursionError) as error:
        raise ValueError(f"{path} is not a checkpoint.") from error
    if other := _difference(run or {}, state.get("run") or {}):
        raise ValueError(f"{path} is of another run: {other}.")
    return loaded


def problem_of(
    state: TrainingState, fresh: TrainingState, settings: Settings, steps: int
) -> str | None:
    """Why a loaded state cannot go on, or None.

    Parameters
    ----------
    state : TrainingState
    fresh : TrainingState
        The state in which the same run begins.
    settings : Settings
    steps : int
        Steps in an epoch.
    """
    optimizer = state.optimizer
    for prefix, arrays in {
        "parameters": state.parameters,
        "best": state.best_parameters,
        "m": optimizer.m,
        "v": optimizer.v,
    }.items():
        if problem := _problem_of_arrays(prefix, arrays, fresh.parameters):
            return problem
    whole = {**{name: getattr(state, name) for name in _WHOLE}, "t": optimizer.t}
    for name, number in whole.items():
        if type(number) is not int or number < 0:
            return f"`{name}` must be a whole number, at least 0; got {number!r}"
    for name in _REAL:
        number = getattr(state, name)
        if type(number) not in (int, float) or not 0 <= number < math.inf:
            return f"`{name}` must be a finite number, at least 0; got {number!r}"
    if state.epoch > settings.epochs or state.step > steps:
        return (
            f"a run of {settings.epochs} epochs of {steps} steps has no step {state.step} after"
            f" epoch {state.epoch}"
        )
    if optimizer.t != state.epoch * steps + state.step:
        return f"`t` must be {state.epoch * steps + state.step}, its steps; got {optimizer.t}"
    if (state.reviews > 0) != (state.step > 0):
        return f"`reviews` does not fit `step` {state.step}; got {state.reviews}"
    if (state.epoch_seconds > 0) != (state.step > 0):
        return f"`epoch_seconds` does not fit `step` {state.step}; got {state.epoch_seconds}"
    if not _is_history(state.history, state.epoch):
        return f"`history` must hold the scores of {state.epoch} epochs; got {state.history}"
    return _problem_of_norms(state, settings)


def _problem_of_arrays(prefix: str, got: dict[str, Array], wanted: dict[str, Array]) -> str | None:
    if got.keys() != wanted.keys():
        return f"its `{prefix}` must be {', '.join(wanted)}; got {', '.join(got) or 'none'}"
    for name, example in wanted.items():
        array = got[name]
        if (array.shape, array.dtype) != (example.shape, example.dtype):
            return (
                f"`{prefix}/{name}` must be {example.dtype} of shape {example.shape}; got"
                f" {array.dtype} of shape {array.shape}"
            )
        # A second moment may overflow, and the step is then 0.
        is_sound = array >= 0 if prefix == "v" else np.isfinite(array)
        if not is_sound.all():
            return f"`{prefix}/{name}` holds what no training computes"
    return None


def _is_history(history: list[Epoch], epochs: int) -> bool:
    numbers = [number for line in history for number in line]
    return (
        [line.epoch for line in history] == [*range(1, epochs + 1)]
        and all(type(number) in (int, float) and math.isfinite(number) for number in numbers)
        and all(0 <= line.val_accuracy <= 1 for line in history)
    )


def _problem_of_norms(state: TrainingState, settings: Settings) -> str | None:
    recorded = [array for norms in state.norms for array in norms if array is not None]
    kinds = {(array.ndim, array.shape, array.dtype) for array in recorded}
    of_cells = {norms.c is not None for norms in state.norms}
    is_lstm = not isinstance(cell_of(state.parameters), RNNParams)
    if (
        len(state.norms) != state.epoch + 1
        or of_cells != {is_lstm}
        or len(kinds) != 1
        or recorded[0].ndim != 2
        or recorded[0].dtype != np.float64
        or recorded[0].shape[1] > settings.probes
        or any((array < 0).any() for array in recorded)
    ):
        return f"its gradient norms are not those of {state.epoch} epochs"
    return None


def _difference(run: Mapping[str, Any], stored: Mapping[str, Any]) -> str | None:
    for name, value in run.items():
        if stored.get(name, value) != value:
            return f"its `{name}` is {stored[name]}, and that of this run is {value}"
    return None


def _numbered(arrays: list[Array]) -> dict[str, Array]:
    return {f"{k:04}": array for k, array in enumerate(arrays)}


def _unnumbered(prefix: str, arrays: dict[str, Array]) -> list[Array]:
    found = _unprefixed(prefix, arrays)
    return [found[f"{k:04}"] for k in range(len(found))]


def _prefixed(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _unprefixed(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    chosen = sorted(name for name in arrays if name.startswith(f"{prefix}/"))
    return {name.removeprefix(f"{prefix}/"): arrays[name] for name in chosen}
