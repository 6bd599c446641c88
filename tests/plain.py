"""What the fast recurrences must equal: the plain loops of bptt, each review alone, at its length.

No padding, no parts, no blocks: a review of a batch is a batch of one.
"""

from typing import Any

import numpy as np

from numpy_lstm import bptt
from tests.comparing import mapped
from tests.strategies import Case

STEPWISE = {"xs", "dhs", "hs", "dxs", "dh_norms", "dc_norms"}  # (T, N, …); the others are (N, H)


def plain(case: Case) -> Case:
    """The same case, to be run by the plain loops."""
    cell = "lstm" if "c0" in case.point else "rnn"
    run_alone = getattr(bptt, f"{cell}_forward")
    run_back_alone = getattr(bptt, f"{cell}_backward")

    def forward(xs: Any, params: Any, lengths: Any, **initial: Any) -> Any:
        outs = [
            run_alone(xs[:length, [n]], params, **{name: initial[name][[n]] for name in initial})
            for n, length in enumerate(lengths)
        ]
        return _side_by_side(outs, len(xs))

    def backward(caches: Any, dhs: Any, **final: Any) -> Any:
        gradients = [
            run_back_alone(cache, dhs[: len(cache), [n]], **{k: final[k][[n]] for k in final})
            for n, cache in enumerate(caches)
        ]
        return _side_by_side(gradients, len(dhs))

    return case._replace(forward=forward, backward=backward)


def _side_by_side(alone: list[Any], T: int) -> Any:
    """What a batch of these reviews returns: 0 past their lengths."""

    def joined(name: str, arrays: tuple[Any, ...]) -> Any:
        if name == "cache":
            return arrays
        if name == "dparams":
            return mapped(lambda *each: sum(each), *arrays)
        if name not in STEPWISE:
            return np.concatenate(arrays)
        padding = [np.zeros((T - len(a), *a.shape[1:]), a.dtype) for a in arrays]
        return np.hstack(list(map(np.concatenate, zip(arrays, padding, strict=True))))

    first = alone[0]
    return type(first)(*map(joined, first._fields, zip(*alone, strict=True)))
