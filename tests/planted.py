"""Bugs of other people's code, to be planted into a copy of ours.

All fifteen were found in public, hand-written networks. Most had passed some check of their
authors: one of cells but not of layers, at T = 1, with tiny weights, of two arrays out of eight,
with an upstream gradient of ones. Each row names the test of ours that must catch it.
"""

import inspect
from collections.abc import Iterator
from typing import Any, NamedTuple, get_args

from numpy_lstm.clinic import catalogue
from numpy_lstm.clinic.reference import HOMES, edited
from numpy_lstm.types import Model


class Bug(NamedTuple):
    """One mistake: `old` stands exactly once in `file` and is replaced by `new`."""

    number: int  # of the fifteen
    what: str
    file: str
    old: str
    new: str
    caught_by: str  # test file and test
    arguments: dict[str, Any]  # what pytest would pass to it


STEP = "test_gradients.test_{}_step_gradients"
SEQUENCE = "test_gradients.test_sequence_gradients_agree_with_the_complex_step"
PLAIN = "test_bptt.test_gradients_of_the_plain_loops"
ALONE = "test_properties.test_a_padded_batch_equals_its_reviews_run_alone"
RNN, LSTM = {"cell": "rnn"}, {"cell": "lstm"}
EXACT = {"method": "complex step"}


def of_the_catalogue() -> Iterator[Bug]:
    """Those in a step or a plain loop: the clinic's catalogue has them as edits of one function."""
    for cell in get_args(Model):
        for bug in catalogue.bugs(cell):
            # No test of ours has gradients as large as 5, of which nothing is clipped then.
            if bug.public and len(bug.edits) == 1 and "clipped at 5" not in bug.what:
                (edit,) = bug.edits
                step = "step" in edit.function
                yield Bug(
                    bug.public,
                    f"{cell}: {bug.what}",
                    "cells.py" if step else "bptt.py",
                    inspect.getsource(HOMES[edit.function]),
                    edited(edit),
                    STEP.format(cell) if step else PLAIN,
                    EXACT if step else {"cell": cell, **EXACT},
                )


BUGS = [
    # 1. The gradient in h of step t - 1 stands where that of step t is still needed. It takes two
    #    steps to see it: at T = 1 nothing is overwritten before its time.
    Bug(
        1,
        "dh is overwritten before dc uses it",
        "lstm.py",
        """\
                dc_t *= dh_t
                dc_t += dc_next  # (17)
                da_ifg *= dc_t  # (18) to (20), (22) to (24)
                np.multiply(dc_t, f_t, out=dc_next)  # (21)
                np.matmul(W_hT, da_t, out=dh_next)  # (28)
""",
        """\
                dc_by_dh = dc_t.copy()
                dc_t *= dh_t
                dc_t += dc_next  # (17)
                da_ifg *= dc_t  # (18) to (20), (22) to (24)
                np.matmul(W_hT, da_t, out=dh_next)  # (28)
                dc_next = (dc_next + dh_next * dc_by_dh) * f_t  # (21)
""",
        SEQUENCE,
        LSTM,
    ),
    # 2. Every step is trained by itself.
    Bug(2, "dh is not carried back", "rnn.py", "dh_t += dh_next", "pass", SEQUENCE, RNN),
    Bug(2, "dh is not carried back", "lstm.py", "dh_t += dh_next", "pass", SEQUENCE, LSTM),
    Bug(2, "dc is not carried back", "lstm.py", "dc_t += dc_next", "pass", SEQUENCE, LSTM),
    # 3. With W_h small it hardly shows.
    Bug(
        3,
        "only the cell path goes back in time",
        "lstm.py",
        "np.matmul(W_hT, da_t, out=dh_next)",
        "dh_next[:] = 0",
        SEQUENCE,
        LSTM,
    ),
    # 4. The LSTM's W_h is not square, so there it would not even run; but one gate's block is.
    Bug(
        4,
        "W_h where its transpose belongs",
        "rnn.py",
        "params.W_h.T)",
        "params.W_h)",
        SEQUENCE,
        RNN,
    ),
    Bug(
        4,
        "W_h where its transpose belongs, gate by gate",
        "lstm.py",
        "np.ascontiguousarray(params.W_h.T)",
        "np.hstack(np.split(params.W_h, 4))",
        SEQUENCE,
        LSTM,
    ),
    # 5. Near 0 tanh is the identity: tiny weights hide it.
    Bug(
        5,
        "tanh' of what is already a tanh",
        "rnn.py",
        "np.multiply(block_hs[1:], block_hs[1:], out=da)",
        "np.square(np.tanh(block_hs[1:]), out=da)",
        SEQUENCE,
        RNN,
    ),
    Bug(
        5,
        "tanh' of what is already a tanh",
        "lstm.py",
        "np.tanh(cs[1:], out=dc)",
        "np.tanh(np.tanh(cs[1:]), out=dc)",
        SEQUENCE,
        LSTM,
    ),
    # 6.
    Bug(
        6,
        "σ(f) for σ'(f)",
        "lstm.py",
        "da_f *= f\n",
        "da_f[:] = f\n",
        SEQUENCE,
        LSTM,
    ),
    # 7.
    Bug(
        7,
        "every gate gets the bias gradient of the first",
        "lstm.py",
        "dW[:, -1].copy()",
        "np.tile(dW[:H, -1], 4)",
        SEQUENCE,
        LSTM,
    ),
    # 8. Added to itself; or one array under two names.
    Bug(8, "dc += dc", "lstm.py", "dc_t += dc_next", "dc_t += dc_t", SEQUENCE, LSTM),
    Bug(
        8,
        "da is dh under another name",
        "rnn.py",
        "dh[:] = 0 if",
        "da = dh; dh[:] = 0 if",
        SEQUENCE,
        RNN,
    ),
    # 9.
    Bug(
        9,
        "dx is zero",
        "rnn.py",
        "np.matmul(da.T, params.W_x, out=dx).reshape(k, n, D)",
        "0.0",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx lacks tanh'",
        "rnn.py",
        "np.matmul(da.T, ",
        "np.matmul(dh.swapaxes(1, 2).reshape(k * n, H), ",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx comes from the same step only",
        "rnn.py",
        "np.matmul(da.T, ",
        "np.matmul((dhs[steps, reviews] * (1 - block_hs[1:] ** 2).swapaxes(1, 2)).reshape(-1, H), ",
        SEQUENCE,
        RNN,
    ),
    # 10.
    Bug(
        10,
        "the gradient at the final cell state is forgotten",
        "lstm.py",
        "join_reviews(dc_next, dc_T, block)",
        "join_reviews(dc_next, None, block)",
        SEQUENCE,
        LSTM,
    ),
    Bug(
        10,
        "the gradient at the final state is that of the longest reviews alone",
        "recurrence/packing.py",
        "if others is not None:",
        "if others is not None and m == 0:",
        SEQUENCE,
        RNN,
    ),
    # 11. What a clipped gradient is checked against is not a gradient either.
    Bug(
        11,
        "backward clips",
        "lstm.py",
        "dW += np.matmul(da, inputs.reshape(k * n, D + H + 1), ",
        "dW += np.clip(da @ inputs.reshape(k * n, D + H + 1), -1, 1, ",
        SEQUENCE,
        LSTM,
    ),
    # 12. The first call is right: it has read what it overwrites. One pass only will not see it.
    Bug(
        12,
        "backward saves a buffer and writes into the cache",
        "lstm.py",
        "np.tanh(cs[1:], out=dc)",
        "dc[:] = np.tanh(cs[1:], out=cs[1:])",
        "test_properties.test_two_backward_calls_agree_and_nothing_passed_in_has_changed",
        LSTM,
    ),
    # 13.
    Bug(
        13,
        "σ(2x) for σ(x)",
        "lstm.py",
        "scale * np.column_stack([params.W_x, params.b]), scale * params.W_h",
        "np.column_stack([params.W_x, params.b]), params.W_h",
        SEQUENCE,
        LSTM,
    ),
    *of_the_catalogue(),
    # 14. A checker that cannot fail, or that measures somewhere else.
    Bug(
        14,
        "the checker prints and asserts nothing",
        "gradcheck/check.py",
        "failed = [r for r in results if r.error > limit]",
        "failed = print(*results) or []",
        "gradcheck.test_check.test_the_message_gives_argument_position_both_numbers_and_error",
        {},
    ),
    Bug(
        14,
        "the checker does not restore what it has moved",
        "gradcheck/derivatives.py",
        """\
        for i in range(self.x.size):
            axis = np.zeros_like(self.x)
""",
        """\
        axis = np.zeros_like(self.x)
        for i in range(self.x.size):
""",
        # The gradient passes even so: what fails is measured again, by other code.
        "gradcheck.test_derivatives.test_each_number_is_moved_alone",
        {},
    ),
    # 15. Backward is right for the wrong forward pass: every derivative agrees.
    Bug(
        15,
        "padding goes on changing the state",
        "rnn.py",
        "pack(check_lengths(lengths, T, N), H)",
        "pack(np.full(N, T), H)",
        ALONE,
        RNN,
    ),
    Bug(
        15,
        "padding goes on changing the state",
        "lstm.py",
        "pack(check_lengths(lengths, T, N), H)",
        "pack(np.full(N, T), H)",
        ALONE,
        LSTM,
    ),
    Bug(
        15,
        "padding goes on changing the state",
        "recurrence/packing.py",
        "n in zip(ends.tolist(), running.tolist(), strict=True)",
        "n in zip(ends.tolist(), len(ends) * [len(order)])",
        ALONE,
        LSTM,
    ),
    Bug(
        15,
        "the mean counts padding",
        "layers.py",
        "features.append(hs.sum(axis=0) / lengths[:, np.newaxis].astype(hs.dtype))",
        "features.append(hs.mean(axis=0))",
        "test_gradients.test_readout_gradients",
        {"kind": "mean", **EXACT},
    ),
    Bug(
        15,
        "the maximum looks at padding",
        "layers.py",
        "np.where(past[..., np.newaxis], -2, hs.real)",
        "hs.real",
        "test_gradients.test_readout_gradients",
        {"kind": "max", **EXACT},
    ),
]
