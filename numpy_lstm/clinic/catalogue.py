"""Known bugs, each as an edit of our own code, so that its gradient can be computed.

Fifteen kinds were found in public, hand-written networks; the other bugs are the slips that are
nearest at hand. No two of them give the same gradient: a test holds that.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import permutations
from typing import NamedTuple

from numpy_lstm.clinic.equations import LOOP, Number
from numpy_lstm.clinic.reference import Edit
from numpy_lstm.types import Model


class Public(NamedTuple):
    """One of the fifteen kinds of bugs of public code."""

    what: str
    seen: str  # where
    missed: str  # why a check does not see it


PUBLIC = {
    1: Public(
        "dh of step t − 1 stands where that of step t is still needed",
        "the LSTM of numpy/numpy-tutorials, NLP from scratch",
        "at one step all but dc_0 is right",
    ),
    2: Public(
        "nothing is carried back through time",
        "two notebooks",
        "at one step there is nothing to carry, and the loss falls all the same",
    ),
    3: Public(
        "only the cell path goes back in time",
        "rushter/MLAlgorithms",
        "with W_h small it hardly shows",
    ),
    4: Public(
        "W_h stands where its transpose belongs",
        "the RNN of victorzhou.com",
        "tiny initial weights hide it",
    ),
    5: Public(
        "tanh′ is taken of what is already a tanh",
        "kjpou1/rnn_lstm_from_scratch, rushter/MLAlgorithms",
        "near 0 tanh is the identity: tiny weights hide it from an absolute tolerance",
    ),
    6: Public(
        "σ stands where σ′ belongs",
        "several hand-written networks",
        "an absolute tolerance lets it through if the weights are tiny",
    ),
    7: Public(
        "bias gradients are copied from another gate",
        "learn_dl",
        "a check of the matrices alone does not look at biases",
    ),
    8: Public(
        "a gradient is added to itself, or is another one under a second name",
        "RNN-from-scratch",
        "the loss falls all the same",
    ),
    9: Public(
        "the inputs' gradient is zero, lacks tanh′, or knows its own step only",
        "ML-From-Scratch, rushter/MLAlgorithms",
        "a check of the weights alone does not look at inputs",
    ),
    10: Public(
        "the gradient that arrives at the final state is forgotten",
        "deeplearning4j, issue 8838",
        "a loss of the outputs alone sends none",
    ),
    11: Public(
        "the backward pass clips",
        "eliben/deep-learning-samples",
        "small gradients are not clipped",
    ),
    12: Public(
        "the backward pass changes its cache",
        "oreilly-japan/deep-learning-from-scratch-2",
        "the first call is right",
    ),
    13: Public(
        "σ(2x) stands for σ(x)",
        "an example of HIPS/autograd",
        "the gradient is that of the wrong forward pass",
    ),
    14: Public(
        "the checker cannot fail",
        "giulio-zhou/rnn",
        "it is the check itself",
    ),
    15: Public(
        "padding goes on changing the state",
        "many a network with masks in the loss only",
        "every derivative is right, for the wrong forward pass",
    ),
}


class Bug(NamedTuple):
    """A mistake in one cell."""

    what: str
    cell: Model
    equation: Number
    edits: tuple[Edit, ...]
    public: int | None = None  # which of the fifteen


def bugs(cell: Model) -> list[Bug]:
    """All known bugs of a cell.

    Parameters
    ----------
    cell : {"rnn", "lstm"}

    Returns
    -------
    list of Bug
    """
    own = _lstm() if cell == "lstm" else _rnn()
    return [*own, *_both(cell)]


def _backward(
    cell: Model, what: str, equation: Number, old: str, new: str, public: int | None = None
) -> Bug:
    return Bug(what, cell, equation, (Edit(f"{cell}_step_backward", old, new),), public)


def _rnn() -> Iterator[Bug]:
    bug = partial(_backward, "rnn")
    slope = "dh_t * (1 - h_t**2)"
    yield bug("no tanh′", 3, slope, "1 * dh_t")
    yield bug("tanh′ of what is already a tanh", 3, slope, "dh_t * (1 - np.tanh(h_t) ** 2)", 5)
    yield bug("1 − a² for 1 − tanh²(a)", 3, slope, "dh_t * (1 - np.arctanh(h_t) ** 2)")
    yield bug("σ′ for tanh′", 3, slope, "dh_t * h_t * (1 - h_t)")
    yield bug("1 − h for 1 − h²", 3, slope, "dh_t * (1 - h_t)")
    yield bug("1 + h² for 1 − h²", 3, slope, "dh_t * (1 + h_t**2)")
    yield bug("dW_h with h_t for h_{t−1}", 4, "W_h=da_t.T @ h_prev", "W_h=da_t.T @ h_t")
    yield bug("dW_h transposed", 4, "W_h=da_t.T @ h_prev", "W_h=h_prev.T @ da_t")
    yield bug("dW_h from dh, without tanh′", 4, "W_h=da_t.T", "W_h=dh_t.T")
    yield bug("dW_x from dh, without tanh′", 4, "W_x=da_t.T", "W_x=dh_t.T")
    yield bug("db from dh, without tanh′", 4, "b=da_t.sum(axis=0)", "b=dh_t.sum(axis=0)")
    yield bug("the mean over the batch for the sum, in db", 4, "da_t.sum(", "da_t.mean(")
    yield bug("dx is zero", 5, "da_t @ W_x", "0 * da_t @ W_x", 9)
    yield bug("dx lacks tanh′", 5, "da_t @ W_x", "dh_t @ W_x", 9)
    yield bug("W_h where its transpose belongs", 6, "da_t @ W_h", "da_t @ W_h.T", 4)
    yield bug("dh_prev lacks tanh′", 6, "da_t @ W_h", "dh_t @ W_h")
    yield bug("dh_prev is zero", 6, "da_t @ W_h", "0 * da_t @ W_h")
    yield bug("dh_prev lacks W_h", 6, "da_t @ W_h", "1 * da_t")


def _lstm() -> Iterator[Bug]:
    bug = partial(_backward, "lstm")
    yield bug("c for tanh(c)", 16, "dh_t * tanh_c", "dh_t * np.arctanh(tanh_c)")
    yield bug(
        "tanh of what is already a tanh, in do", 16, "dh_t * tanh_c", "dh_t * np.tanh(tanh_c)"
    )
    yield bug("do lacks tanh(c)", 16, "dh_t * tanh_c", "1 * dh_t")

    dc = "dc_next + dh_t * o_t * (1 - tanh_c**2)"
    yield bug("the path through h_t is left out", 17, dc, "1 * dc_next")
    yield bug("dc of the next step is left out", 17, dc, dc.removeprefix("dc_next + "))
    yield bug("no tanh′ in dc", 17, dc, "dc_next + dh_t * o_t")
    yield bug("no o in dc", 17, dc, "dc_next + dh_t * (1 - tanh_c**2)")
    yield bug("neither o nor tanh′ in dc", 17, dc, "dc_next + dh_t")
    yield bug(
        "tanh′ of what is already a tanh, in dc",
        17,
        dc,
        "dc_next + dh_t * o_t * (1 - np.tanh(tanh_c) ** 2)",
        5,
    )
    yield bug(
        "1 − c² for 1 − tanh²(c)", 17, dc, "dc_next + dh_t * o_t * (1 - np.arctanh(tanh_c) ** 2)"
    )
    yield bug("1 − tanh(c) for 1 − tanh²(c)", 17, dc, "dc_next + dh_t * o_t * (1 - tanh_c)")
    yield bug("1 − h² for 1 − tanh²(c)", 17, dc, "dc_next + dh_t * o_t * (1 - (o_t * tanh_c) ** 2)")
    yield bug("σ′ for tanh′, in dc", 17, dc, "dc_next + dh_t * o_t * tanh_c * (1 - tanh_c)")
    yield bug("tanh(c) for tanh′(c), in dc", 17, dc, "dc_next + dh_t * o_t * tanh_c")
    yield bug("tanh′ multiplies both parts", 17, dc, "(dc_next + dh_t * o_t) * (1 - tanh_c**2)")
    yield bug("o multiplies both parts", 17, dc, "(dc_next + dh_t * (1 - tanh_c**2)) * o_t")
    yield bug(
        "f multiplies the next step's dc already here", 17, dc, dc.replace("next", "next * f_t")
    )
    yield bug("dc += dc", 17, dc, "2 * dh_t * o_t * (1 - tanh_c**2)", 8)

    yield bug("i for g", 18, "dc_t * g_t", "dc_t * i_t")
    yield bug("di lacks g", 18, "dc_t * g_t", "1 * dc_t")
    yield bug("c_t for c_{t−1}", 19, "dc_t * c_prev", "dc_t * np.arctanh(tanh_c)")
    yield bug("tanh(c_t) for c_{t−1}", 19, "dc_t * c_prev", "dc_t * tanh_c")
    yield bug("tanh(c_{t−1}) for c_{t−1}", 19, "dc_t * c_prev", "dc_t * np.tanh(c_prev)")
    yield bug("df lacks c_{t−1}", 19, "dc_t * c_prev", "1 * dc_t")
    yield bug("g for i", 20, "dc_t * i_t", "dc_t * g_t")
    yield bug("dg lacks i", 20, "dc_t * i_t", "1 * dc_t")
    yield bug("dc_prev lacks f", 21, "dc_t * f_t", "1 * dc_t")
    yield bug("i for f in dc_prev", 21, "dc_t * f_t", "dc_t * i_t")
    yield bug("dc_prev lacks the part through h_t", 21, "dc_t * f_t", "dc_next * f_t")
    yield bug("dc_prev is zero", 21, "dc_t * f_t", "0 * dc_t")
    back = "    return dx_t, dh_prev, dc_prev, dparams"
    late = "    dc_prev = (dc_next + dh_prev * o_t * (1 - tanh_c**2)) * f_t\n"
    yield bug("dh is overwritten before dc_prev uses it", 21, back, late + back, 1)

    for gate, equation in (("i", 22), ("f", 23), ("o", 25)):
        d, v = f"d{gate}_t", f"{gate}_t"
        old = f"da_{gate} = {d} * {v} * (1 - {v})"
        new = f"da_{gate} = {d}"
        yield bug(f"σ for σ′ at {gate}", equation, old, f"{new} * {v}", 6)
        yield bug(f"1 − σ for σ′ at {gate}", equation, old, f"{new} * (1 - {v})")
        yield bug(f"no σ′ at {gate}", equation, old, new)
        yield bug(f"tanh′ for σ′ at {gate}", equation, old, f"{new} * (1 - {v}**2)")
        twice = f"{new} * sigmoid({v}) * (1 - sigmoid({v}))"
        yield bug(f"σ′ of what is already a σ, at {gate}", equation, old, twice)
        lost = f"{new} * {v} * 1 - {v}"
        yield bug(f"parentheses lost at {gate}", equation, old, lost)
    slope = "da_g = dg_t * (1 - g_t**2)"
    yield bug("σ′ for tanh′ at g", 24, slope, "da_g = dg_t * g_t * (1 - g_t)")
    yield bug(
        "tanh′ of what is already a tanh, at g",
        24,
        slope,
        "da_g = dg_t * (1 - np.tanh(g_t) ** 2)",
        5,
    )
    yield bug("1 − g for 1 − g²", 24, slope, "da_g = dg_t * (1 - g_t)")
    yield bug("no tanh′ at g", 24, slope, "da_g = 1 * dg_t")

    every = Edit("lstm_step_backward", "dg_t * (1 - g_t**2)", "dg_t * (1 - np.tanh(g_t) ** 2)")
    gates = [
        Edit("lstm_step_backward", f"* {v} * (1 - {v})", f"* sigmoid({v}) * (1 - sigmoid({v}))")
        for v in ("i_t", "f_t", "o_t")
    ]
    squashed = "the slope of what is already squashed, at all gates"
    yield Bug(squashed, "lstm", 22, tuple(gates))
    yield Bug(squashed + " and the candidate", "lstm", 22, (*gates, every))

    stack = "np.concatenate([da_i, da_f, da_g, da_o], axis=1)"
    for order in list(permutations("ifgo"))[1:]:
        names = ", ".join(f"da_{gate}" for gate in order)
        what = "da is stacked in another order of the gates than the weights"
        yield bug(what, 27, stack, f"np.concatenate([{names}], axis=1)")
    yield bug("dW_h with h_t for h_{t−1}", 26, "W_h=da_t.T @ h_prev", "W_h=da_t.T @ (o_t * tanh_c)")
    yield bug(
        "every gate gets the bias gradient of the first",
        26,
        "b=da_t.sum(axis=0)",
        "b=np.tile(da_i.sum(axis=0), 4)",
        7,
    )
    yield bug("the mean over the batch for the sum, in db", 26, "da_t.sum(", "da_t.mean(")
    yield bug("dx is zero", 27, "da_t @ W_x", "0 * da_t @ W_x", 9)
    yield bug(
        "W_h's blocks stand where their transposes belong",
        28,
        "da_t @ W_h",
        "da_t @ np.concatenate([W.T for W in np.split(W_h, 4)])",
        4,
    )
    yield bug(
        "only the cell path goes back in time: dh_prev is zero",
        28,
        "da_t @ W_h",
        "0 * da_t @ W_h",
        3,
    )
    for gate in "ifgo":
        parts = ", ".join(f"da_{k}" if k != gate else f"0 * da_{k}" for k in "ifgo")
        left = f"dh_prev lacks the part of gate {gate}"
        yield bug(left, 28, "da_t @ W_h", f"np.concatenate([{parts}], axis=1) @ W_h")


def _both(cell: Model) -> Iterator[Bug]:
    """What goes wrong around the steps, and in sums over batch and steps."""
    step, loop = f"{cell}_step_backward", f"{cell}_backward"
    kind = "LSTMParams" if cell == "lstm" else "RNNParams"
    weights = 26 if cell == "lstm" else 4
    last = "* (cache is caches[-1])"

    def of_loop(what: str, old: str, new: str, public: int | None = None) -> Bug:
        return Bug(what, cell, LOOP, (Edit(loop, old, new),), public)

    total = "dh_t = dh_loss + dh_next"
    yield of_loop("dh is not carried back", total, f"{total} {last}", 2)
    yield of_loop(
        "the loss's own gradient is added at the last step only",
        total,
        f"dh_t = dh_loss {last} + dh_next",
    )
    yield of_loop(
        "the loss's own gradients are read from the wrong end", "zip(dhs[::-1]", "zip(dhs"
    )
    yield of_loop(
        "every step has the last one's cache", "caches[::-1]", "len(caches) * [caches[-1]]"
    )
    add = f"{kind}(*map(np.add, dparams, dparams_t))"
    yield of_loop(
        "the weights' gradients are overwritten, not summed over the steps", add, "dparams_t"
    )
    yield of_loop(
        "the weights' gradients are those of the last step alone",
        add,
        "dparams_t if cache is caches[-1] else dparams",
    )
    yield of_loop(
        "the mean over the steps for the sum, in the weights' gradients",
        add,
        f"{kind}(*(a + b / len(caches) for a, b in zip(dparams, dparams_t)))",
    )
    yield of_loop(
        "db is overwritten, not summed over the steps", add, f"{add}._replace(b=dparams_t.b)"
    )
    yield of_loop("dxs is left in the order of the loop", "dxs[::-1]", "dxs")
    clipped = "np.clip({}, -{n}, {n})"
    arrays = "dx_t, dh_next, dc_next, dparams_t" if cell == "lstm" else "dx_t, dh_next, dparams_t"
    call = f"{arrays} = {step}("
    for n in (1, 5):
        cut = clipped.format("dh_next", n=n)
        yield of_loop(f"dh is clipped at {n} at every step", total, f"dh_t = dh_loss + {cut}", 11)
    whole = "np.clip({}, -1, 1)".format("a + b")
    yield of_loop(
        "the weights' gradients are clipped at 1 at every step",
        add,
        f"{kind}(*({whole} for a, b in zip(dparams, dparams_t)))",
        11,
    )
    if cell == "lstm":
        given = "(dh_t, dc_next, cache)"
        start = "dh_next, dc_next = dh_T, dc_T"
        yield of_loop(
            "dc is not carried back", f"{step}{given}", f"{step}(dh_t, dc_next {last}, cache)", 2
        )
        nothing = (
            Edit(loop, total, f"{total} {last}"),
            Edit(loop, f"{step}{given}", f"{step}(dh_t, dc_next {last}, cache)"),
        )
        yield Bug("neither dh nor dc is carried back", cell, LOOP, nothing, 2)
        yield of_loop("dc_T is forgotten", start, "dh_next, dc_next = dh_T, 0 * dc_T", 10)
        yield of_loop("dh_T is forgotten", start, "dh_next, dc_next = 0 * dh_T, dc_T")
        yield of_loop("dh_T and dc_T are forgotten", start, "dh_next, dc_next = 0 * dh_T, 0 * dc_T")
        yield of_loop(
            "dh and dc change places",
            call,
            "dx_t, dc_next, dh_next, dparams_t = lstm_step_backward(",
        )
    else:
        yield of_loop("dh_T is forgotten", "dh_next = dh_T", "dh_next = 0 * dh_T")
    mean = Edit(
        step,
        f"dparams = {kind}(W_x=da_t.T @ x_t, W_h=da_t.T @ h_prev, b=da_t.sum(axis=0))",
        f"dparams = {kind}(W_x=da_t.T @ x_t / len(x_t), W_h=da_t.T @ h_prev / len(x_t), "
        "b=da_t.mean(axis=0))",
    )
    yield Bug("the mean over the batch for the sum", cell, weights, (mean,))
    both = Edit(
        step,
        f"dparams = {kind}(W_x=da_t.T @ x_t, W_h=da_t.T @ h_prev, b=da_t.sum(axis=0))",
        f"dparams = {kind}(W_x=da_t.T @ x_t, W_h=0 * (da_t.T @ h_prev), b=da_t.sum(axis=0))",
    )
    yield Bug("dW_h is zero", cell, weights, (both,))
