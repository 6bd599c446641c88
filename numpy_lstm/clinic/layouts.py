"""How a learner's arrays and functions look, and how ours become theirs and back.

A layout says how arrays lie (rows or columns, the order of the gates, one matrix or many) and what
the four functions take and return, as ``"x, h, c, params -> h, c, cache"``. The names there are:

- ``x``, ``h``, ``c``, ``dx``, ``dh``, ``dc`` of a step; of its backward pass ``dh_prev`` and
  ``dc_prev`` come out;
- ``xs``, ``hs``, ``h0``, ``c0``, ``h_T``, ``c_T`` of a sequence, and the same with ``d``;
- ``params``, all weights in one object, and ``dparams``; or each weight by its own name, its
  gradient with ``d`` before it;
- ``cache``, anything that forward hands to backward; ``lengths``; ``_`` for what does not matter.

For the RNN all names of cell states drop out. What a function returns as a dict, or as an object
with attributes, is taken by name: ``dh_prev="da_prev"`` in `names` says by which.
"""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.clinic.problem import H, N
from numpy_lstm.types import MODEL_NAMES, Array, Model

OF_THE_CELL = {"c", "dc", "dc_prev", "c0", "c_T", "dc0", "dc_T"}
ARRAYS = {"x", "h", "c", "dx", "dh", "dc", "dh_prev", "dc_prev", "h0", "c0", "h_T", "c_T"}
ARRAYS |= {"dh0", "dc0", "dh_T", "dc_T"}
SEQUENCES = {"xs", "hs", "dxs", "dhs"}
NAMES = {"g": "gc"}  # the candidate is called c in many a network


@dataclass(frozen=True)
class Layout:
    """The way a learner's arrays lie, and what the functions take and return."""

    # (N, D), (D, N), (D, 1), (D,): the last two for a single example
    batch: Literal["rows", "columns", "column", "vector"] = "rows"
    gates: str = "ifgo"  # in this order; the candidate is g or c
    # Name of each array, and what it multiplies: x, h, 1 (a bias), or some of them side by side.
    # With {} in its name there is one array for each gate.
    weights: Mapping[str, str] = field(default_factory=lambda: {"W_x": "x", "W_h": "h", "b": "1"})
    inputs_first: bool = False  # (D, 4H) instead of (4H, D)
    bias: Literal["flat", "row", "column"] = "flat"  # (4H,), (1, 4H), (4H, 1)
    params: Literal["tuple", "dict"] = "tuple"
    time: int | None = 0  # the axis of the steps; None for a list of steps
    step: str = "x, h, c, params -> h, c, cache"
    step_backward: str = "dh, dc, cache -> dx, dh_prev, dc_prev, dparams"
    forward: str = "xs, params, h0, c0 -> hs, h_T, c_T, cache"
    backward: str = "cache, dhs, dh_T, dc_T -> dxs, dparams, dh0, dc0"
    names: Mapping[str, str] = field(default_factory=dict)
    others: Mapping[str, tuple[int, ...]] = field(default_factory=dict)  # more arrays in `params`
    rnn: Mapping[str, Any] = field(default_factory=dict)  # what is different for the RNN

    @property
    def examples(self) -> int:
        """N that the functions are written for."""
        return 1 if self.batch in ("column", "vector") else N

    # --- ours to theirs ---------------------------------------------------------------------------

    def array(self, ours: Array) -> Array:
        """An array of one step, (N, features), as the learner has it."""
        shapes = {"rows": ours, "columns": ours.T, "column": ours.T, "vector": ours[0]}
        return np.array(shapes[self.batch], order="C")

    def sequence(self, ours: Array) -> Any:
        """An array of all steps, (T, N, features), as the learner has it."""
        steps = [self.array(step) for step in ours]
        return steps if self.time is None else np.stack(steps, axis=self.time)

    def weight_arrays(self, params: RNNParams | LSTMParams) -> dict[str, Array]:
        """The weights by the learner's names."""
        H = params.W_h.shape[1]
        blocks = {"x": params.W_x, "h": params.W_h, "1": params.b[:, np.newaxis]}
        biases = sum(parts == "1" for parts in self.weights.values())
        found: dict[str, Array] = {}
        for name, parts in self.weights.items():
            whole = np.hstack([blocks[part] for part in parts])
            if parts == "1" and biases > 1:  # two that are added: a third and two thirds
                whole = whole * (1 if "1" in found_parts(found, self.weights) else 2) * (1 / 3)
            if isinstance(params, RNNParams):
                found[name.format("")] = self._oriented(whole, parts)
                continue
            gate = {k: whole["ifgo".index(k) * H :][:H] for k in "ifgo"}
            order = [self.gate(k) for k in self.gates]
            if "{}" in name:
                found |= {
                    name.format(letter): self._oriented(gate[k], parts)
                    for letter, k in zip(self.gates, order, strict=True)
                }
            else:
                found[name] = self._oriented(np.vstack([gate[k] for k in order]), parts)
        return found

    def weights_object(self, params: RNNParams | LSTMParams) -> Any:
        """The learner's ``params``."""
        found = self.weight_arrays(params)
        if self.params == "dict":
            return found | {name: _filler(shape) for name, shape in self.others.items()}
        if list(found) == list(params._fields):
            return type(params)(**found)
        return tuple(found.values()) if len(found) > 1 else next(iter(found.values()))

    def gate(self, letter: str) -> str:
        """Our letter of a gate: the candidate's is g."""
        return "g" if letter in NAMES["g"] else letter

    def _oriented(self, block: Array, parts: str) -> Array:
        if parts == "1":
            shapes = {"flat": block[:, 0], "row": block.T, "column": block}
            return np.array(shapes[self.bias], order="C")
        return np.array(block.T if self.inputs_first else block, order="C")

    # --- theirs to ours ---------------------------------------------------------------------------

    def our_array(self, theirs: Array, features: int) -> Array:
        """An array of one step, (N, features), from the learner's."""
        if self.batch == "rows":
            return theirs.reshape(-1, features) if theirs.ndim == 1 else theirs
        return theirs.reshape(1, -1) if self.batch in ("column", "vector") else theirs.T

    def our_sequence(self, theirs: Any, features: int) -> Array:
        """An array of all steps, (T, N, features), from the learner's."""
        if isinstance(theirs, Mapping):  # hs[-1] is a common place for h0
            theirs = [theirs[t] for t in sorted(k for k in theirs if k >= 0)]
        steps = theirs if self.time is None else np.moveaxis(np.asarray(theirs), self.time, 0)
        return np.stack([self.our_array(np.asarray(step), features) for step in steps])

    def our_weights(self, theirs: dict[str, Array], like: Any) -> dict[str, list[Array]]:
        """Gradients of W_x, W_h and b; of two biases both."""
        H, D = like.W_h.shape[1], like.W_x.shape[1]
        widths = {"x": D, "h": H, "1": 1}
        found: dict[str, list[Array]] = {"W_x": [], "W_h": [], "b": []}
        for name, parts in self.weights.items():
            if isinstance(like, RNNParams):
                whole = self._upright(theirs[name.format("")], parts)
            else:
                if "{}" in name:
                    gate = {
                        self.gate(k): self._upright(theirs[name.format(k)], parts)
                        for k in self.gates
                    }
                else:
                    upright = self._upright(theirs[name], parts)
                    gate = {self.gate(k): upright[i * H :][:H] for i, k in enumerate(self.gates)}
                whole = np.vstack([gate[k] for k in "ifgo"])
            ends = np.cumsum([widths[part] for part in parts])[:-1]
            for part, block in zip(parts, np.split(whole, ends, axis=1), strict=True):
                key = {"x": "W_x", "h": "W_h", "1": "b"}[part]
                found[key].append(block[:, 0] if part == "1" else block)
        return found

    def _upright(self, array: Array, parts: str) -> Array:
        if parts == "1":
            return array.reshape(-1, 1)
        return array.T if self.inputs_first else array


def _filler(shape: tuple[int, ...]) -> Array:
    """Numbers for what the cell does not use, such as a read-out."""
    return np.cos(np.arange(np.prod(shape)) + 1.0).reshape(shape)


def found_parts(found: Mapping[str, Any], weights: Mapping[str, str]) -> set[str]:
    """What the arrays that are there already multiply."""
    return {parts for name, parts in weights.items() if name in found}


# --- what functions take and return ---------------------------------------------------------------

Tree = str | tuple[Any, ...]


def signature(text: str, cell: Model) -> tuple[Tree, Tree]:
    """What a function takes and what it returns, as nested tuples of names.

    Parameters
    ----------
    text : str
        Such as ``"x, (h, c), params -> h, cache"``.
    cell : {"rnn", "lstm"}
        For the RNN the names of cell states drop out.

    Returns
    -------
    tuple of two trees
    """
    takes, arrow, returns = text.partition("->")
    if not arrow:
        raise ValueError(
            f"a layout's signature must be 'what, it, takes -> what, it, returns'; got {text!r}"
        )
    return _parsed(takes, cell), _parsed(returns, cell)


def names_in(tree: Tree) -> list[str]:
    """All names of a tree, in order.

    Parameters
    ----------
    tree : tree of str

    Returns
    -------
    list of str
    """
    return [tree] if isinstance(tree, str) else [name for each in tree for name in names_in(each)]


def _parsed(text: str, cell: Model) -> tuple[Any, ...]:
    def plain(node: ast.expr) -> Tree:
        if isinstance(node, ast.Name):
            return node.id
        if isinstance(node, ast.Tuple):
            each = [plain(e) for e in node.elts]
            return tuple(e for e in each if cell == "lstm" or e not in OF_THE_CELL)
        raise ValueError(f"a layout must have names and commas; got {text!r}")

    try:
        tree = plain(ast.parse(text.strip().rstrip(",") + ",", mode="eval").body)
    except SyntaxError:
        raise ValueError(f"a layout must have names and commas; got {text!r}") from None
    assert isinstance(tree, tuple)
    return tuple(e[0] if isinstance(e, tuple) and len(e) == 1 else e for e in tree)


def absent(layout: Layout, cell: Model, *, sequence: bool) -> frozenset[str]:
    """What a learner's functions do not have: it is zero.

    Parameters
    ----------
    layout : Layout
    cell : {"rnn", "lstm"}
    sequence : bool
        Whether they are those of a sequence, which may lack initial states and last gradients.

    Returns
    -------
    frozenset of str
    """
    bias = frozenset() if "1" in "".join(layout.weights.values()) else frozenset({"b"})
    if not sequence:
        return bias
    taken = {
        name
        for text in (layout.forward, layout.backward)
        for name in names_in(signature(text, cell)[0])
    }
    return bias | ({"h0", "c0", "dhs", "dh_T", "dc_T"} - taken)


# --- presets --------------------------------------------------------------------------------------

PRESETS: dict[str, Layout] = {
    "numpy_lstm": Layout(),
    "pytorch": Layout(
        weights={"W_ih": "x", "W_hh": "h", "b_ih": "1", "b_hh": "1"},
        step="x, (h, c), W_ih, W_hh, b_ih, b_hh -> (h, c), cache",
        step_backward="(dh, dc), cache -> dx, (dh_prev, dc_prev), dW_ih, dW_hh, db_ih, db_hh",
        forward="xs, (h0, c0), W_ih, W_hh, b_ih, b_hh -> hs, (h_T, c_T), cache",
        backward="dhs, (dh_T, dc_T), cache -> dxs, (dh0, dc0), dW_ih, dW_hh, db_ih, db_hh",
    ),
    "keras": Layout(
        gates="ifco",
        weights={"kernel": "x", "recurrent_kernel": "h", "bias": "1"},
        inputs_first=True,
        time=1,
        step="x, (h, c), kernel, recurrent_kernel, bias -> h, (_, c), cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dkernel, drecurrent_kernel, dbias",
        forward="xs, (h0, c0), kernel, recurrent_kernel, bias -> hs, h_T, c_T, cache",
        backward="dhs, dh_T, dc_T, cache -> dxs, dh0, dc0, dkernel, drecurrent_kernel, dbias",
    ),
    "cs231n": Layout(
        gates="ifog",
        weights={"Wx": "x", "Wh": "h", "b": "1"},
        inputs_first=True,
        time=1,
        step="x, h, c, Wx, Wh, b -> h, c, cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dWx, dWh, db",
        forward="xs, h0, Wx, Wh, b -> hs, cache",
        backward="dhs, cache -> dxs, dh0, dWx, dWh, db",
    ),
    "karpathy": Layout(
        gates="ifog",
        weights={"WLSTM": "1xh"},
        inputs_first=True,
        step="x, h, c, WLSTM -> h, c, cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dWLSTM",
        forward="xs, WLSTM, c0, h0 -> hs, c_T, h_T, cache",
        backward="dhs, cache, dc_T, dh_T -> dxs, dWLSTM, dc0, dh0",
    ),
    "min-char-rnn": Layout(
        batch="column",
        weights={"Wxh": "x", "Whh": "h", "bh": "1"},
        bias="column",
        step="x, h, c, Wxh, Whh, bh -> h, c, cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dWxh, dWhh, dbh",
        forward="xs, h0, c0, Wxh, Whh, bh -> hs, cache",
        backward="dhs, cache -> dxs, dh0, dc0, dWxh, dWhh, dbh",
    ),
    "coursera": Layout(
        batch="columns",
        gates="fico",
        weights={"W{}": "hx", "b{}": "1"},
        bias="column",
        params="dict",
        others={"Wy": (2, H), "by": (2, 1)},
        time=-1,
        step="x, h, c, params -> h, c, _, cache",
        step_backward="dh, dc, cache -> dx, dh_prev, dc_prev, dparams",
        forward="xs, h0, params -> hs, _, _, cache",
        backward="dhs, cache -> dxs, dparams, dh0",
        names={"dx": "dxt", "dh_prev": "da_prev", "dxs": "dx", "dh0": "da0"},
        rnn={
            "weights": {"Wax": "x", "Waa": "h", "ba": "1"},
            "others": {"Wya": (2, H), "by": (2, 1)},
            "forward": "xs, h0, params -> hs, _, cache",
        },
    ),
    "gates": Layout(gates="ifgo", weights={"W{}": "x", "U{}": "h", "b{}": "1"}, params="dict"),
    "concatenated": Layout(weights={"W": "hx", "b": "1"}),
    "columns": Layout(batch="columns", bias="column"),
    "vectors": Layout(batch="vector"),
}


FIELDS = {"batch": ("rows", "columns", "column", "vector"), "bias": ("flat", "row", "column")}
FIELDS |= {"params": ("tuple", "dict")}
PASSES = {
    "step": {"h", "c"},
    "step_backward": {"dx", "dh_prev", "dc_prev"},
    "forward": {"hs", "h_T", "c_T"},
    "backward": {"dxs", "dh0", "dc0"},
}


def _check(layout: Layout) -> None:
    """ValueError if there is no such layout."""
    for name, allowed in FIELDS.items():
        if getattr(layout, name) not in allowed:
            what = f"must be one of {', '.join(allowed)}; got {getattr(layout, name)!r}"
            raise ValueError(f"`{name}` of a layout {what}")
    if sorted(map(layout.gate, layout.gates)) != sorted("ifgo"):
        raise ValueError(
            f"`gates` of a layout must be i, f, g, o in some order; got {layout.gates!r}"
        )
    if layout.time not in (None, 0, 1, 2, -1):
        raise ValueError(f"`time` of a layout must be an axis or None; got {layout.time!r}")
    blocks = "".join(layout.weights.values())
    if not {"x", "h"} <= set(blocks) <= set("xh1"):
        raise ValueError(
            f"`weights` of a layout must say of each array what it multiplies, x, h or 1, and must "
            f"have x and h; got {dict(layout.weights)}"
        )
    weights = {f"d{name.format(k)}" for name in layout.weights for k in ("", *layout.gates)}
    known = ARRAYS | SEQUENCES | weights | {name[1:] for name in weights}
    known |= {"params", "dparams", "cache", "lengths", "_"}
    for name, results in PASSES.items():
        takes, returns = signature(getattr(layout, name), "lstm")
        for each in (*names_in(takes), *names_in(returns)):
            if each not in known:
                raise ValueError(f"`{name}` of a layout has {each!r}, which is no name of anything")
        gradients = {"dparams", *weights} if name.endswith("backward") else set()
        if not (results | gradients) & set(names_in(returns)):
            raise ValueError(f"`{name}` of a layout returns nothing that can be examined")


def chosen(layout: str | Layout, cell: Model) -> Layout:
    """A preset by its name, or the layout itself, for one of the cells.

    Parameters
    ----------
    layout : str or Layout
    cell : {"rnn", "lstm"}

    Returns
    -------
    Layout

    Raises
    ------
    ValueError
        If there is no preset of that name, no such layout or no such cell.
    """
    if cell not in MODEL_NAMES:
        raise ValueError(f"`cell` must be one of {', '.join(MODEL_NAMES)}; got {cell!r}")
    if not isinstance(layout, Layout):
        if layout not in PRESETS:
            names = ", ".join(PRESETS)
            raise ValueError(f"`layout` must be one of {names}, or a Layout; got {layout!r}")
        layout = PRESETS[layout]
    layout = replace(layout, **layout.rnn) if cell == "rnn" else layout
    _check(layout)
    return layout
