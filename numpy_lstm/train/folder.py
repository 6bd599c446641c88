"""The folder of a run: its checks, its lock and its files."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import fields
from datetime import datetime
from itertools import chain, count
from pathlib import Path
from typing import Any, get_args

import numpy as np

from numpy_lstm.files import remove_unfinished, try_lock, write_arrays, write_atomically
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from numpy_lstm.types import Array, Model

RUNS = Path("runs")
CONFIG = "config.json"
CONFIG_ENTRIES = ("dataset", "models", "settings", "content", "source")
DATASETS = ("imdb", "reviews", "synthetic")
MODELS: tuple[Model, ...] = get_args(Model)
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


def check_folder(folder: Path, *, overwrite: bool) -> None:
    """Check that a new run may use the folder, which need not exist.

    Raises
    ------
    ValueError
        If it holds another run's results and `overwrite` is false, or is no folder.
    OSError
        If it cannot be looked into.
    """
    if not folder.is_dir() and (folder.exists() or folder.is_symlink()):
        what = "a file" if folder.exists() else "a link that leads nowhere"
        raise ValueError(f"`--out` must be a folder; {folder} is {what}.")
    present = _results(folder)
    if present and not overwrite:
        raise ValueError(
            f"`--out` {folder} holds the results of another run ({present[0]}). Choose another"
            " folder, go on with that run by --resume, or replace it by --overwrite."
        )


@contextmanager
def new_run(out: Path | None, *, overwrite: bool) -> Iterator[Path]:
    """Make and lock the folder of a new run; remove it if nothing was put in it.

    Without `out` it is ``runs/<date>-<time>``, with a number behind it if that is taken.

    Raises
    ------
    ValueError, OSError
        If it cannot be made or written to, holds results that must be kept, or is locked by
        another run.
    """
    if out is not None:
        check_folder(out, overwrite=overwrite)
    folder, made = _make(out)
    is_empty = False
    try:
        with _held(folder):
            check_folder(folder, overwrite=overwrite)
            try:
                yield folder
            finally:
                is_empty = {path.name for path in folder.iterdir()} <= {LOCK}
    finally:
        if is_empty:
            (folder / LOCK).unlink(missing_ok=True)
        for path in made:
            with suppress(OSError):  # it is not empty
                path.rmdir()


def remove_results(folder: Path) -> None:
    """Remove the results of another run from a locked folder."""
    for name in _results(folder):
        (folder / name).unlink()


@contextmanager
def resumed_run(folder: Path) -> Iterator[dict[str, Any]]:
    """Lock the folder of an earlier run, and give the configuration of that run.

    Raises
    ------
    ValueError, OSError
        If there is no run in it, its configuration is damaged, or another run has locked it.
    """
    if not (folder / CONFIG).exists():
        raise ValueError(f"`--out` {folder} holds no run to resume: there is no {CONFIG} in it.")
    with _held(folder):
        yield _read_config(folder / CONFIG)


def _results(folder: Path) -> list[str]:
    return [name for name in RESULTS if (folder / name).exists()]


def _make(out: Path | None) -> tuple[Path, list[Path]]:
    """Make a folder; return it, and what had to be made, the innermost first."""
    first = out or RUNS / datetime.now().strftime("%Y%m%d-%H%M%S")
    for folder in chain([first], (Path(f"{first}-{k}") for k in count(2))):
        made = [path for path in (folder, *folder.parents) if not path.exists()]
        try:
            folder.mkdir(parents=True, exist_ok=out is not None)
        except FileExistsError:
            if out is None and folder.is_dir():
                continue  # of a run that started in the same second
            raise
        break
    return folder, made


@contextmanager
def _held(folder: Path) -> Iterator[None]:
    """Lock a folder; the system releases the lock however the process ends."""
    with open(folder / LOCK, "a", encoding="utf-8") as file:
        locked = try_lock(file)
        if locked is False:
            raise ValueError(
                f"`--out` {folder} is in use by another run. Choose another folder, or wait."
            )
        if locked:
            remove_unfinished(folder, RESULTS)
        else:  # on Lustre and some NFS
            print(
                f"warning: {folder} cannot be locked: start no other run in it.",
                file=sys.stderr,
            )
        yield


def _read_config(path: Path) -> dict[str, Any]:
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, RecursionError) as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    if problem := _problem(config):
        raise ValueError(f"{path} cannot be read: {problem}.")
    return {name: config[name] for name in CONFIG_ENTRIES}


def _problem(config: Any) -> str | None:
    """What is wrong with the contents of ``config.json``, or None.

    A missing setting takes its default, which is always the behavior of earlier versions.
    """
    if isinstance(config, dict) and "checksum" in config:
        return (
            "it is of an older version, which did not note all that tells reviews apart. Go on with"
            " that version, or start anew in another folder"
        )
    if not isinstance(config, dict) or not {*CONFIG_ENTRIES} <= {*config}:
        return f"it must hold {', '.join(CONFIG_ENTRIES)}"
    if config["dataset"] not in DATASETS:
        return f"`dataset` must be one of {', '.join(DATASETS)}; got {config['dataset']!r}"
    if config["models"] not in ([*MODELS], *([model] for model in MODELS)):
        return f"`models` must be {' and '.join(MODELS)}, or one of them; got {config['models']!r}"
    if not isinstance(config["source"], str | None):
        return f"`source` must be a path or null; got {config['source']!r}"
    settings = config["settings"]
    if not isinstance(settings, dict):
        return f"`settings` must be names and values; got {settings!r}"
    if unknown := sorted({*settings} - {field.name for field in fields(Settings)}):
        return f"this version of numpy_lstm knows no setting {', '.join(unknown)}"
    try:
        Settings(**settings)
    except ValueError as error:
        return str(error).rstrip(".")
    return None


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
    write_arrays(path, arrays, compress=True)
