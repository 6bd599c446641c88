"""The folder of a run: what it may be, what goes into it, and going on in it."""

from __future__ import annotations

import csv
import io
import json
import platform
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import __version__
from numpy_lstm.cells import Array
from numpy_lstm.files import write_atomically
from numpy_lstm.training import Epoch, Progress

CONFIG = "config.json"
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
    """Names of another run's results that stand in the folder.

    Raises
    ------
    ValueError
        If there are any and `overwrite` is not given, or it is not a folder.
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


def open_folder(folder: Path, *, overwrite: bool) -> None:
    """Make the folder of a new run, empty of results.

    Raises
    ------
    ValueError, OSError
        If it must not or cannot be made.
    """
    present = check_folder(folder, overwrite=overwrite)
    folder.mkdir(parents=True, exist_ok=True)
    for name in present:
        (folder / name).unlink()


def read_config(folder: Path) -> dict[str, Any]:
    """The settings that the run in `folder` was started with.

    Raises
    ------
    ValueError
        If there is no run in the folder, or its settings cannot be read.
    """
    path = folder / CONFIG
    if not path.exists():
        raise ValueError(f"`--out` {folder} holds no run to resume: there is no {CONFIG} in it.")
    try:
        config = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"{path} cannot be read: {error}.") from error
    return dict(config)


def write_json(path: Path, contents: Mapping[str, Any]) -> None:
    """Write JSON that a person can read, whole or not at all."""
    text = json.dumps(contents, indent=2, ensure_ascii=False) + "\n"
    write_atomically(path, lambda file: file.write(text.encode()))


def write_history(path: Path, histories: Mapping[str, list[Epoch]]) -> None:
    """One line per model and epoch, as CSV."""
    lines: list[tuple[object, ...]] = [("model", *Epoch._fields)]
    lines += [(model, *epoch) for model, history in histories.items() for epoch in history]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(lines)
    write_atomically(path, lambda file: file.write(text.getvalue().encode()))


def write_gradient_norms(path: Path, runs: Mapping[str, Progress], lengths: Array) -> None:
    """All recorded norms as one ``.npz`` file.

    For each model, ``rnn_h``, ``rnn_x``, ``lstm_h``, ``lstm_c`` and ``lstm_x`` have the shape
    (epochs + 1, T, reviews), float64: entry [e, k, n] is the norm of the gradient of review n's own
    loss after epoch e (0: before training), k steps before that review's last step, and NaN
    where the review has no such step. ``lengths`` holds the reviews' steps, ``rnn_best_epoch`` and
    ``lstm_best_epoch`` the epoch that was kept.
    """
    arrays: dict[str, Any] = {"lengths": lengths}
    for model, progress in runs.items():
        for name in ("h", "c", "x"):
            norms = [getattr(recorded, name) for recorded in progress.norms]
            if norms[0] is not None:
                arrays[f"{model}_{name}"] = np.stack(norms)
        arrays[f"{model}_best_epoch"] = np.array(progress.best_epoch)
    write_atomically(path, lambda file: np.savez_compressed(file, **arrays))


def versions() -> dict[str, str]:
    """Versions of what the figures depend on."""
    from importlib.metadata import version

    packages = ("numpy", "scikit-learn", "scipy", "matplotlib", "threadpoolctl")
    return {
        "numpy_lstm": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}",
    }
