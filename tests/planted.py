"""Bugs of other people's code, to be planted into a copy of ours.

All fifteen were found in public, hand-written networks. Most had passed some check of their
authors: one of cells but not of layers, at T = 1, with tiny weights, of two arrays out of eight,
with an upstream gradient of ones. Each row names the test of ours that must catch it.
"""

from typing import Any, NamedTuple


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
ALONE = "test_properties.test_a_padded_batch_equals_its_reviews_run_alone"
RNN, LSTM = {"cell": "rnn"}, {"cell": "lstm"}
EXACT = {"method": "complex step"}

BUGS = [
    # 1. The gradient in h of step t - 1 stands where that of step t is still needed. It takes two
    #    steps to see it: at T = 1 nothing is overwritten before its time.
    Bug(
        1,
        "dh is overwritten before dc uses it",
        "lstm.py",
        """\
                    dc_t *= dh_t
                    dc_t += dc  # (17)
                    d_by_dc_t *= dc_t
                    d_by_dh_t *= dh_t
                    dc = dc_prev  # (21)
                    np.matmul(W_hT_pieces, da_t, out=dh_pieces)  # (28)
""",
        """\
                    dc_by_dh = dc_t.copy()
                    dc_t *= dh_t
                    dc_t += dc  # (17)
                    f = d_by_dc_t[0].copy()
                    d_by_dc_t *= dc_t
                    d_by_dh_t *= dh_t
                    np.matmul(W_hT_pieces, da_t, out=dh_pieces)  # (28)
                    dc = (dc + dh * dc_by_dh) * f  # (21)
""",
        SEQUENCE,
        LSTM,
    ),
    # 2. Every step is trained by itself.
    Bug(2, "dh is not carried back", "rnn.py", "dh_t += dh", "pass", SEQUENCE, RNN),
    Bug(2, "dh is not carried back", "lstm.py", "dh_t += dh", "pass", SEQUENCE, LSTM),
    Bug(2, "dc is not carried back", "lstm.py", "dc_t += dc", "pass", SEQUENCE, LSTM),
    # 3. With W_h small it hardly shows.
    Bug(
        3,
        "only the cell path goes back in time",
        "lstm.py",
        "np.matmul(W_hT_pieces, da_t, out=dh_pieces)",
        "dh[:] = 0",
        SEQUENCE,
        LSTM,
    ),
    Bug(
        3,
        "only the cell path goes back in time",
        "cells.py",
        "dh_prev = da_t @ W_h  # (28)",
        "dh_prev = 0 * h_prev  # (28)",
        STEP.format("lstm"),
        EXACT,
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
        "W_h where its transpose belongs",
        "cells.py",
        "dh_prev = da_t @ W_h  # (6)",
        "dh_prev = da_t @ W_h.T  # (6)",
        STEP.format("rnn"),
        EXACT,
    ),
    Bug(
        4,
        "W_h where its transpose belongs, gate by gate",
        "lstm.py",
        "np.ascontiguousarray(_swap(params.W_h).T)",
        "np.hstack(np.split(_swap(params.W_h), 4))",
        SEQUENCE,
        LSTM,
    ),
    # 5. Near 0 tanh is the identity: tiny weights hide it.
    Bug(
        5,
        "tanh' of what is already a tanh",
        "rnn.py",
        "np.multiply(h, h, out=da)",
        "np.multiply(np.tanh(h), np.tanh(h), out=da)",
        SEQUENCE,
        RNN,
    ),
    Bug(
        5,
        "tanh' of what is already a tanh",
        "lstm.py",
        "np.tanh(r[1:, :H], out=dc_by_dh)",
        "np.tanh(np.tanh(r[1:, :H]), out=dc_by_dh)",
        SEQUENCE,
        LSTM,
    ),
    # 6.
    Bug(
        6,
        "σ(f) for σ'(f)",
        "cells.py",
        "da_f = df_t * f_t * (1 - f_t)",
        "da_f = df_t * f_t",
        STEP.format("lstm"),
        EXACT,
    ),
    Bug(
        6,
        "σ(f) for σ'(f)",
        "lstm.py",
        "    of_f_and_i *= f_and_i\n",
        "    of_f_and_i *= f_and_i\n    of_f_and_i[:, :H] = f\n",
        SEQUENCE,
        LSTM,
    ),
    # 7.
    Bug(
        7,
        "every gate gets the bias gradient of the first",
        "lstm.py",
        "db += da.sum(axis=1)",
        "db += np.tile(da[:H].sum(axis=1), 4)",
        SEQUENCE,
        LSTM,
    ),
    # 8. Added to itself; or one array under two names.
    Bug(8, "dc += dc", "lstm.py", "dc_t += dc  # (17)", "dc_t += dc_t  # (17)", SEQUENCE, LSTM),
    Bug(
        8,
        "da is dh_total under another name",
        "rnn.py",
        'workspace("d", (k, H, n), dtype)',
        'workspace("dh_total", (k, H, n), dtype)',
        SEQUENCE,
        RNN,
    ),
    # 9.
    Bug(
        9,
        "dx is zero",
        "rnn.py",
        "dx.reshape(k, n, D)",
        "0.0",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx lacks tanh'",
        "rnn.py",
        "np.matmul(da.T, W_x",
        "np.matmul(dh_total.swapaxes(1, 2).reshape(k * n, H), W_x",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx comes from the same step only",
        "rnn.py",
        "np.matmul(da.T, W_x",
        "np.matmul((dhs[steps, stair.columns] * (1 - h * h).swapaxes(1, 2)).reshape(-1, H), W_x",
        SEQUENCE,
        RNN,
    ),
    # 10.
    Bug(
        10,
        "the gradient at the final cell state is forgotten",
        "lstm.py",
        "widen(dc, dc_T, stair, part)",
        "widen(dc, None, stair, part)",
        SEQUENCE,
        LSTM,
    ),
    # 11. What a clipped gradient is checked against is not a gradient either.
    Bug(
        11,
        "backward clips",
        "lstm.py",
        "dW_x += np.matmul(da, x, ",
        "dW_x += np.clip(da @ x, -1, 1, ",
        SEQUENCE,
        LSTM,
    ),
    # 12. The first call is right: it has read what it overwrites. One pass only will not see it.
    Bug(
        12,
        "backward saves a buffer and writes into the cache",
        "lstm.py",
        "np.tanh(r[1:, :H], out=dc_by_dh)",
        "dc_by_dh[:] = np.tanh(r[1:, :H], out=r[1:, :H])",
        "test_properties.test_two_backward_calls_agree_and_nothing_passed_in_has_changed",
        LSTM,
    ),
    # 13.
    Bug(
        13,
        "σ(2x) for σ(x)",
        "cells.py",
        "return 0.5 + 0.5 * np.tanh(0.5 * a)",
        "return 0.5 + 0.5 * np.tanh(a)",
        STEP.format("lstm"),
        EXACT,
    ),
    Bug(13, "σ(2x) for σ(x)", "lstm.py", "array[H:] *= 0.5", "pass", SEQUENCE, LSTM),
    # 14. A checker that cannot fail, or that measures somewhere else.
    Bug(
        14,
        "the checker prints and asserts nothing",
        "gradcheck.py",
        "failed = [r for r in results if r.error > limit]",
        "failed = print(*results) or []",
        "test_gradcheck.test_the_message_gives_argument_position_both_numbers_and_error",
        {},
    ),
    Bug(
        14,
        "the checker does not restore what it has moved",
        "derivatives.py",
        """\
        for i in range(self.x.size):
            axis = np.zeros_like(self.x)
""",
        """\
        axis = np.zeros_like(self.x)
        for i in range(self.x.size):
""",
        "test_gradcheck.test_a_right_gradient_passes",
        {"method": "central", "scale": 0.3},
    ),
    # 15. Backward is right for the wrong forward pass: every derivative agrees.
    Bug(
        15,
        "padding goes on changing the state",
        "rnn.py",
        "lay_out(check_lengths(lengths, T, N), H)",
        "lay_out(np.full(N, T), H)",
        ALONE,
        RNN,
    ),
    Bug(
        15,
        "padding goes on changing the state",
        "lstm.py",
        "lay_out(check_lengths(lengths, T, N), H)",
        "lay_out(np.full(N, T), H)",
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
