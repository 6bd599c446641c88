"""Saves and loads the state of a run, exact to the bit."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm.files import read_arrays, write_atomically
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.optim import Adam
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.types import Array

_NUMBERS = ("epoch", "step", "reviews", "tokens", "loss_sum", "seconds", "epoch_seconds")


def save_checkpoint(path: Path, state: TrainingState) -> None:
    """Write the state of a run to one ``.npz`` file, completely or not at all."""
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
                }
            )
        ),
    }
    write_atomically(path, lambda file: np.savez(file, **arrays))


def load_checkpoint(path: Path, settings: Settings) -> TrainingState:
    """Read what :func:`save_checkpoint` wrote.

    Raises
    ------
    ValueError
        If the file is damaged or not a checkpoint.
    OSError
        If it cannot be read.
    """
    arrays = read_arrays(path)
    if "state" not in arrays:
        raise ValueError(f"{path} is not a checkpoint.")
    state = json.loads(str(arrays["state"]))
    optimizer = Adam(settings.learning_rate)
    optimizer.t, optimizer.m, optimizer.v = (
        state["t"],
        _unprefixed("m", arrays),
        _unprefixed("v", arrays),
    )
    h, c, x = (list(_unprefixed(name, arrays).values()) for name in "hcx")
    return TrainingState(
        parameters=_unprefixed("parameters", arrays),
        optimizer=optimizer,
        best_parameters=_unprefixed("best", arrays),
        history=[Epoch(*line) for line in state["history"]],
        norms=[GradientNorms(h[k], c[k] if c else None, x[k]) for k in range(len(h))],
        **{name: state[name] for name in _NUMBERS},
    )


def _numbered(arrays: list[Array]) -> dict[str, Array]:
    return {f"{k:04}": array for k, array in enumerate(arrays)}


def _prefixed(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    return {f"{prefix}/{name}": array for name, array in arrays.items()}


def _unprefixed(prefix: str, arrays: dict[str, Array]) -> dict[str, Array]:
    chosen = sorted(name for name in arrays if name.startswith(f"{prefix}/"))
    return {name.removeprefix(f"{prefix}/"): arrays[name] for name in chosen}
