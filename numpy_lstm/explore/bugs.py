"""Bugs of other people's code, as edits of the plain loops, :mod:`numpy_lstm.bptt` and its steps.

They were found in public, hand-written networks. The tests plant these and others, in the fast code
too, and hold that each is caught (``tests/planted.py``).
"""

from __future__ import annotations

import inspect
from types import SimpleNamespace
from typing import Any, NamedTuple

from numpy_lstm import bptt, cells
from numpy_lstm.types import Model


class Bug(NamedTuple):
    """One mistake: `old` stands exactly once in `file` and is replaced by `new`."""

    public: int  # which of the fifteen kinds of bugs of public code
    what: str
    file: str
    old: str
    new: str
    cell: Model  # in which it shows


PLAIN = (
    Bug(
        2,
        "dh is not carried back",
        "bptt.py",
        "dx_t, dh_next, dparams_t = rnn_step_backward(dh_t, cache)",
        "dx_t, _, dparams_t = rnn_step_backward(dh_t, cache)",
        "rnn",
    ),
    Bug(
        2,
        "dc is not carried back",
        "bptt.py",
        "dx_t, dh_next, dc_next, dparams_t = ",
        "dx_t, dh_next, _, dparams_t = ",
        "lstm",
    ),
    Bug(
        3,
        "only the cell path goes back in time",
        "bptt.py",
        "if truncated:",
        "if True:",
        "lstm",
    ),
    Bug(
        3,
        "only the cell path goes back in time",
        "cells.py",
        "dh_prev = da_t @ W_h  # (28)",
        "dh_prev = 0 * h_prev  # (28)",
        "lstm",
    ),
    Bug(
        4,
        "W_h where its transpose belongs",
        "cells.py",
        "dh_prev = da_t @ W_h  # (6)",
        "dh_prev = da_t @ W_h.T  # (6)",
        "rnn",
    ),
    Bug(
        6,
        "σ(f) for σ'(f)",
        "cells.py",
        "da_f = df_t * f_t * (1 - f_t)",
        "da_f = df_t * f_t",
        "lstm",
    ),
    Bug(
        10,
        "the gradient at the final cell state is forgotten",
        "bptt.py",
        "dh_next, dc_next = dh_T, dc_T",
        "dh_next, dc_next = dh_T, np.zeros_like(dc_T)",
        "lstm",
    ),
    Bug(
        11,
        "backward clips",
        "bptt.py",
        "dparams = RNNParams(*map(np.add, dparams, dparams_t))",
        "dparams = RNNParams(*(np.clip(a + b, -1, 1) for a, b in zip(dparams, dparams_t)))",
        "rnn",
    ),
    Bug(
        13,
        "σ(2x) for σ(x)",
        "cells.py",
        "return 0.5 + 0.5 * np.tanh(0.5 * a)",
        "return 0.5 + 0.5 * np.tanh(a)",
        "lstm",
    ),
)


# Of which the page asks: σ for σ' at the forget gate, and dc that is not carried back.
SLOPE, CARRY = 5, 1


def changed(bug: Bug) -> tuple[str, str, str]:
    """Where a bug is, what stands there, and what stands there instead of."""
    return bug.file, bug.new.strip(), bug.old.strip()


def planted(bug: Bug | None) -> Any:
    """The functions of both files, compiled from their own source with a mistake in it, or none.

    Nothing outside changes: the package's own functions stay right.

    Returns
    -------
    namespace
        With ``lstm_step``, ``lstm_backward`` and so on.

    Raises
    ------
    ValueError
        If what is to be replaced does not stand in its file once.
    """
    ours: dict[str, Any] = {}
    for module in (cells, bptt):
        file, text = f"{module.__name__.rpartition('.')[2]}.py", inspect.getsource(module)
        if bug is not None and bug.file == file:
            if text.count(bug.old) != 1:
                raise ValueError(f"`bug`: {bug.old!r} must stand once in {file}")
            text = text.replace(bug.old, bug.new)
        names: dict[str, Any] = {"__name__": module.__name__}
        exec(compile(text, file, "exec"), names)
        # Functions are those that were compiled here, also where bptt.py imports them; the types
        # are the package's, as its checks of arguments ask for them.
        functions = {k: v for k, v in names.items() if inspect.isfunction(v)}
        ours |= {name: v for name, v in functions.items() if v.__globals__ is names}
        names |= {k: v for k, v in vars(module).items() if isinstance(v, type)} | ours
    return SimpleNamespace(**ours)
