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
                    np.multiply(dc_t, f[t], out=dc)  # (21)
                    np.matmul(W_hT, da[t], out=dh)  # (28)
""",
        """\
                    np.matmul(W_hT, da[t], out=dh)  # (28)
                    np.multiply(dc + dh * dc_by_dh[t], f[t], out=dc)  # (21)
""",
        SEQUENCE,
        LSTM,
    ),
    # 2. Every step is trained by itself.
    Bug(2, "dh is not carried back", "rnn.py", "dh_total[t] += dh", "pass", SEQUENCE, RNN),
    Bug(2, "dh is not carried back", "lstm.py", "dh_t += dh", "pass", SEQUENCE, LSTM),
    Bug(2, "dc is not carried back", "lstm.py", "dc_t += dc", "pass", SEQUENCE, LSTM),
    # 3. With W_h small it hardly shows.
    Bug(
        3,
        "only the cell path goes back in time",
        "lstm.py",
        "np.matmul(W_hT, da[t], out=dh)",
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
        "dtanh = 1 - h * h",
        "dtanh = 1 - np.tanh(h) ** 2",
        SEQUENCE,
        RNN,
    ),
    Bug(
        5,
        "tanh' of what is already a tanh",
        "lstm.py",
        "np.multiply(tanh_c, tanh_c, out=tanh_c)",
        "np.multiply(np.tanh(tanh_c), np.tanh(tanh_c), out=tanh_c)",
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
        "    factors[:, H:] *= sigmoids\n",
        "    factors[:, H:] *= sigmoids\n    factors[:, H : 2 * H] = sigmoids[:, :H]\n",
        SEQUENCE,
        LSTM,
    ),
    # 7.
    Bug(
        7,
        "every gate gets the bias gradient of the first",
        "lstm.py",
        "    dparams = LSTMParams(*(_swap(array) for array in dparams))\n",
        "    dparams = LSTMParams(*(_swap(array) for array in dparams))\n"
        "    dparams = dparams._replace(b=np.tile(dparams.b[:H], 4))\n",
        SEQUENCE,
        LSTM,
    ),
    # 8. Added to itself; or one array under two names.
    Bug(8, "dc += dc", "lstm.py", "dc_t += dc  # (17)", "dc_t += dc_t  # (17)", SEQUENCE, LSTM),
    Bug(
        8,
        "da is dh_total under another name",
        "rnn.py",
        "da = np.empty_like(dh_total)",
        "da = dh_total",
        "test_properties.test_recorded_norms_are_those_of_the_gradient_in_each_state",
        RNN,
    ),
    # 9.
    Bug(
        9,
        "dx is zero",
        "rnn.py",
        "np.matmul(da.swapaxes(1, 2), params.W_x)",
        "0.0",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx lacks tanh'",
        "rnn.py",
        "np.matmul(da.swapaxes(1, 2), params.W_x)",
        "np.matmul(dh_total.swapaxes(1, 2), params.W_x)",
        SEQUENCE,
        RNN,
    ),
    Bug(
        9,
        "dx comes from the same step only",
        "rnn.py",
        "np.matmul(da.swapaxes(1, 2), params.W_x)",
        "np.matmul((gather(dhs, block, stair, H, dtype) * dtanh).swapaxes(1, 2), params.W_x)",
        SEQUENCE,
        RNN,
    ),
    # 10.
    Bug(
        10,
        "the gradient at the final cell state is forgotten",
        "lstm.py",
        "dc = widen(dc, dc_T, stair, layout.order)",
        "dc = widen(dc, None, stair, layout.order)",
        SEQUENCE,
        LSTM,
    ),
    # 11. What a clipped gradient is checked against is not a gradient either.
    Bug(
        11,
        "backward clips",
        "sequence.py",
        "dW_x += da @ x.reshape(-1, x.shape[2])",
        "dW_x += np.clip(da @ x.reshape(-1, x.shape[2]), -1, 1)",
        SEQUENCE,
        LSTM,
    ),
    # 12. The first call is right: it has read what it overwrites. One pass only will not see it.
    Bug(
        12,
        "backward saves a buffer and writes into the cache",
        "lstm.py",
        "np.multiply(dc_t, f[t], out=dc)",
        "dc = np.multiply(dc_t, f[t], out=f[t])",
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
        "lay_out(check_lengths(lengths, T, N))",
        "lay_out(np.full(N, T))",
        ALONE,
        RNN,
    ),
    Bug(
        15,
        "padding goes on changing the state",
        "lstm.py",
        "lay_out(check_lengths(lengths, T, N))",
        "lay_out(np.full(N, T))",
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
