"""Trees of arrays: NamedTuples, dicts, lists and tuples, nested to any depth."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from numpy_lstm.types import Array

Tree = Any  # an array, or a NamedTuple, dict, list or tuple of trees


def leaves(tree: Tree, path: str = "") -> dict[str, Any]:
    """Everything in `tree` that is not itself a tree, by its path (`params.W_x`, `[0].b`).

    >>> leaves({"cells": [1.0, 2.0], "bias": 3.0})
    {'cells[0]': 1.0, 'cells[1]': 2.0, 'bias': 3.0}
    """
    if isinstance(tree, dict):
        children = [(_step(key), child) for key, child in tree.items()]
    elif hasattr(tree, "_fields"):
        children = [(f".{name}", getattr(tree, name)) for name in tree._fields]
    elif isinstance(tree, (list, tuple)):
        children = [(f"[{i}]", child) for i, child in enumerate(tree)]
    else:
        return {path.removeprefix("."): tree}
    return {p: leaf for step, child in children for p, leaf in leaves(child, path + step).items()}


def rebuild(tree: Tree, values: Iterator[Any]) -> Tree:
    """A tree like `tree`, with the next of `values` in place of each leaf."""
    if isinstance(tree, dict):
        return {key: rebuild(child, values) for key, child in tree.items()}
    if hasattr(tree, "_fields"):
        return type(tree)(*(rebuild(child, values) for child in tree))
    if isinstance(tree, (list, tuple)):
        return type(tree)(rebuild(child, values) for child in tree)
    return next(values)


def float64_arrays(name: str, tree: Tree) -> dict[str, Array]:
    """The arrays of `tree`, the argument `name`, by path; ValueError unless float64 and finite."""
    arrays = {}
    for path, leaf in leaves(tree).items():
        place = f"{path} of `{name}`" if path else f"`{name}`"
        if isinstance(leaf, np.ma.MaskedArray):
            raise ValueError(f"{place} must not be masked. Use .filled(0), and mask inside of `f`.")
        try:
            array = arrays[path] = np.asarray(leaf)
        except (TypeError, RuntimeError) as error:  # such as a tensor with a gradient of its own
            raise ValueError(
                f"{place} must be a NumPy array; got {type(leaf).__name__}: {error}"
            ) from error
        if array.dtype != np.float64:
            hint = "Keep what has no derivative (lengths, token ids) out; cast the rest."
            raise ValueError(f"{place} must be float64; got {array.dtype}. {hint}")
        if array.size == 0:
            raise ValueError(f"{place} must not be empty; got shape {array.shape}")
        if not np.isfinite(array).all():
            raise ValueError(f"{place} must be finite; it holds NaN or infinity")
    if not arrays:
        raise ValueError(f"`{name}` must hold an array; got {tree}")
    return arrays


def _step(key: object) -> str:
    return f".{key}" if isinstance(key, str) and key.isidentifier() else f"[{key!r}]"
