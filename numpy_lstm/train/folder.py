"""The folder of a run: its checks, its lock and its files."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm.files import remove_unfinished, write_atomically
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.types import Array

CONFIG = "config.json"
LOCK = ".lock"
RESULTS = (
    CONFIG,
    "metrics.json",
    "history.csv",
    "gradient_norms.npz",
    "gradient_norms.png",
    "lstm_rnn_performance_comparison.png",
    "checkpoint-rnn.npz",
    "checkpoint-lstm.npz",
    "weights-rnn.npz",
    "weights-lstm.npz",
)


def check_folder(folder: Path, *, overwrite: bool) -> list[str]:
    """Names of another run's results in the folder.

    Raises
    ------
    ValueError
        If there are any and `overwrite` is false, or `folder` is a file.
    """
    if folder.exists() and not folder.is_dir():
        raise ValueError(f"`--out` must be a folder; {folder} is a file.")
    present = [name for name in RESULTS if (folder / name).exists()]
    if present and not overwrite:
        raise ValueError(
            f"`--out` {folder} holds the results of another run ({present[0]}). Choose another"
            " folder, go on with that run by --resume, or replace it by --overwrite."
        )
    return present


@contextmanager
def new_run(folder: Path, *, overwrite: bool) -> Iterator[None]:
    """Make the folder of a new run, without old results, and lock it.

    Raises
    ------
    ValueError, OSError
        If it cannot be made, holds results that must be kept, or is locked by another run.
    """
    check_folder(folder, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    with _held(folder):
        for name in check_folder(folder, overwrite=overwrite):
            (folder / name).unlink()
        yield


@contextmanager
def resumed_run(folder: Path) -> Iterator[dict[str, Any]]:
    """Lock the folder of an earlier run, and give the configuration of that run.

    Raises
    ------
    ValueError, OSError
        If there is no run in it, or another run has locked it.
    """
    if not (folder / CONFIG).exists():
        raise ValueError(f"`--out` {folder} holds no run to resume: there is no {CONFIG} in it.")
    with _held(folder):
        yield _read_config(folder / CONFIG)


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder; the system releases the lock however the process ends."""
    with open(folder / LOCK, "a", encoding="utf-8") as file:
        try:
            if sys.platform == "win32":
                import msvcrt

                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                import fcntl

                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError) as error:
            raise ValueError(
                f"`--out` {folder} is in use by another run. Choose another folder, or wait."
            ) from error
        remove_unfinished(folder)
        yield


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
        Settings(**config["settings"])
        if "checksum" in config:
            raise ValueError(
                "it is of an older version, which did not note all that tells reviews apart. Go on"
                " with that version, or start anew in another folder"
            )
        names = ("dataset", "models", "settings", "content", "source")
        return {name: config[name] for name in names}
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error


def write_history(path: Path, histories: Mapping[str, list[Epoch]]) -> None:
    """One line per model and epoch, as CSV."""
    lines: list[tuple[object, ...]] = [("model", *Epoch._fields)]
    lines += [(model, *epoch) for model, history in histories.items() for epoch in history]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))


def write_gradient_norms(path: Path, runs: Mapping[str, TrainingState], lengths: Array) -> None:
    """Write all recorded norms to one ``.npz`` file.

    ``rnn_h``, ``rnn_x``, ``lstm_h``, ``lstm_c`` and ``lstm_x``, of shape (epochs + 1, T, reviews),
    hold in entry [e, k, n] the norm of the gradient of review n's own loss after epoch e (0: before
    training), k steps before that review's last step, NaN if it has no such step. ``lengths`` are
    the steps of the reviews; ``rnn_best_epoch`` and ``lstm_best_epoch`` are the best epochs.
    """
    arrays: dict[str, Any] = {"lengths": lengths}
    for model, state in runs.items():
        for name in ("h", "c", "x"):
            norms = [getattr(recorded, name) for recorded in state.norms]
            if norms[0] is not None:
                arrays[f"{model}_{name}"] = np.stack(norms)
        arrays[f"{model}_best_epoch"] = np.array(state.best_epoch)
    write_atomically(path, lambda file: np.savez_compressed(file, **arrays))
