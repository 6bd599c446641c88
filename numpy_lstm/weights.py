"""A trained classifier in one file: parameters, settings, vocabulary, versions. No pickle."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.cells import RNNParams
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.environment import versions
from numpy_lstm.files import json_of, read_arrays, write_arrays
from numpy_lstm.recurrent import cell_of
from numpy_lstm.settings import Settings
from numpy_lstm.types import Array

FORMAT = 2  # raise it when the previous version would misread a file of this one
ARRAYS = ("embedding", "W_x", "W_h", "b", "W_out", "b_out")


Label = str | int | float | bool
SENTIMENT = ("negative", "positive")


class Weights(NamedTuple):
    """The contents of a weights file."""

    parameters: dict[str, Array]
    settings: Settings
    vocabulary: Vocabulary
    classes: tuple[Label, ...] = SENTIMENT  # in the order of the labels 0 … C - 1
    dataset: str = ""  # name of the training data; empty if unknown


def save_weights(path: str | os.PathLike[str], weights: Weights) -> None:
    """Write a trained classifier to one ``.npz`` file, completely or not at all.

    Raises
    ------
    ValueError
        If :func:`load_weights` would refuse them.
    OSError
        If the file cannot be written.
    """
    if problem := _problem(weights):
        raise ValueError(f"`weights` cannot be saved: {problem}.")
    about = {
        "format": FORMAT,
        "dataset": weights.dataset,
        "classes": weights.classes,
        "settings": dataclasses.asdict(weights.settings),
        "versions": versions(),
    }
    arrays: dict[str, Any] = {
        **weights.parameters,
        "about": np.array(json.dumps(about)),
        "words": np.array(json.dumps(weights.vocabulary.words[2:])),
    }
    write_arrays(Path(path), arrays)


def load_weights(path: str | os.PathLike[str]) -> Weights:
    """Read what :func:`save_weights` wrote; nothing in the file is executed.

    A missing setting takes its default, which is always the behavior of earlier versions. Files of
    format 1 do not name their classes: those of the training job are negative and positive, and
    those saved from an estimator become "class 0" and "class 1", by the sorted order of its labels.

    Raises
    ------
    ValueError
        If it is damaged, holds a pickle, is of a later version or no weights file, or if names,
        dtypes, shapes or settings do not fit each other, or a number is not finite.
    OSError
        If it cannot be read.
    """
    arrays = read_arrays(Path(path))
    if "state" in arrays:
        raise ValueError(
            f"{path} is a checkpoint, not a weights file. The weights of a run are in weights-*.npz"
            " beside it once the run has ended."
        )
    try:
        about, words = (json_of(arrays.pop(name)) for name in ("about", "words"))
        written_in, settings = about["format"], about["settings"]
        version, dataset = about["versions"]["numpy_lstm"], about.get("dataset", "")
        unnamed = SENTIMENT if dataset else ("class 0", "class 1")
        classes = about.get("classes", list(unnamed))
        wanted = (settings, dict), (version, str), (dataset, str), (classes, list), (words, list)
        for value, kind in wanted:
            if not isinstance(value, kind):
                raise TypeError(f"{kind.__name__} was wanted; got {type(value).__name__}")
        if type(written_in) is not int or written_in < 1:  # a bool is an int too
            raise TypeError(f"it has no format but {written_in!r}")
        later = written_in > FORMAT
    except (KeyError, TypeError, ValueError) as error:
        reason = f"it holds no {error}" if isinstance(error, KeyError) else error
        raise ValueError(f"{path} is not a weights file of numpy_lstm: {reason}.") from error
    unknown = set(settings) - {field.name for field in dataclasses.fields(Settings)}
    if later or unknown:
        raise ValueError(
            f"{path} was written by numpy_lstm {version}, and this version cannot read it. Install"
            " that one, or a later one."
        )
    try:
        weights = Weights(arrays, Settings(**settings), Vocabulary(words), tuple(classes), dataset)
        "".join(map(str, words + classes)).encode()  # not with lone surrogates
    except (TypeError, ValueError) as error:
        raise ValueError(f"{path} holds wrong settings or words: {error}") from error
    if problem := _problem(weights):
        raise ValueError(f"{path} cannot be used: {problem}.")
    return weights


def _problem(weights: Weights) -> str | None:
    """The first problem of a classifier's parameters or classes, or None."""
    parameters, settings, vocabulary, classes, _ = weights
    C = len(classes)
    if C < 2 or not all(isinstance(label, Label) for label in classes) or len(set(classes)) < C:
        return (
            "its classes must be at least two different strings, numbers or Booleans; got"
            f" {list(classes)}"
        )
    if set(parameters) != set(ARRAYS):
        return f"its arrays must be {', '.join(ARRAYS)}; got {', '.join(sorted(parameters))}"
    dtype = parameters["W_h"].dtype
    if dtype not in (np.float32, np.float64):
        return f"`W_h` must be float32 or float64; got {dtype}"
    for name in ("embedding", "W_h"):
        if parameters[name].ndim != 2:
            return f"`{name}` must have two axes; got shape {parameters[name].shape}"
    D, H = max(parameters["embedding"].shape[1], 1), settings.hidden_size
    rows = H if isinstance(cell_of(parameters), RNNParams) else 4 * H
    outputs = 1 if C == 2 else C
    shapes = {
        "embedding": (len(vocabulary), D),
        "W_x": (rows, D),
        "W_h": (rows, H),
        "b": (rows,),
        "W_out": (outputs, 2 * H if settings.readout == "meanmax" else H),
        "b_out": (outputs,),
    }
    for name, shape in shapes.items():
        array = parameters[name]
        if array.shape != shape:
            return f"`{name}` must have shape {shape}; got {array.shape}"
        if array.dtype != dtype:
            return f"`{name}` must be {dtype} like `W_h`; got {array.dtype}"
        if not np.isfinite(array).all():
            return f"`{name}` must be finite; it holds NaN or infinity"
    return None
