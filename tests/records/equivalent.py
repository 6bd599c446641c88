"""Mutants that no test can tell from the source, and why: for tests/records/mutation.py."""

from typing import NamedTuple


class Equivalent(NamedTuple):
    """In `function` of `file`, the lines `old` replaced by `new`, without their indentation."""

    file: str
    function: str
    old: str
    new: str
    why: str


EQUIVALENT: list[Equivalent] = [
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=None):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, ):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), block_hs in zip(blocks, kept, strict=False):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "rnn.py",
        "rnn_backward",
        "if n > dh_next.shape[1]:",
        "if n >= dh_next.shape[1]:",
        "Where no review joins, the gradient is copied, and stays the same.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=None):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, ):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=True):",
        "for (steps, reviews, k, n), (gates, block_cs, block_hs) in zip(blocks, kept, strict=False):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "c_t += np.multiply(i_t, g_t, out=scratch)  # (14)",
        "c_t += np.multiply(i_t, g_t, out=None)  # (14)",
        "The result goes into fresh memory in place of kept memory; it is the same.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "c_t += np.multiply(i_t, g_t, out=scratch)  # (14)",
        "c_t += np.multiply(i_t, g_t, )  # (14)",
        "The result goes into fresh memory in place of kept memory; it is the same.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "np.multiply(o_t, np.tanh(c_t, out=scratch), out=h_t)  # (15)",
        "np.multiply(o_t, np.tanh(c_t, out=None), out=h_t)  # (15)",
        "The result goes into fresh memory in place of kept memory; it is the same.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "np.multiply(o_t, np.tanh(c_t, out=scratch), out=h_t)  # (15)",
        "np.multiply(o_t, np.tanh(c_t, ), out=h_t)  # (15)",
        "The result goes into fresh memory in place of kept memory; it is the same.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_backward",
        "if n > dh_next.shape[1]:",
        "if n >= dh_next.shape[1]:",
        "Where no review joins, the gradient is copied, and stays the same.",
    ),
    Equivalent(
        "recurrence/packing.py",
        "pack",
        'order = np.argsort(-lengths, kind="stable")',
        'order = np.argsort(-lengths, kind="STABLE")',
        "NumPy ignores the case.",
    ),
    Equivalent(
        "recurrence/packing.py",
        "_blocks",
        "for end, n in zip(ends.tolist(), running.tolist(), strict=True):",
        "for end, n in zip(ends.tolist(), running.tolist(), strict=None):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "recurrence/packing.py",
        "_blocks",
        "for end, n in zip(ends.tolist(), running.tolist(), strict=True):",
        "for end, n in zip(ends.tolist(), running.tolist(), ):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "recurrence/packing.py",
        "_blocks",
        "for end, n in zip(ends.tolist(), running.tolist(), strict=True):",
        "for end, n in zip(ends.tolist(), running.tolist(), strict=False):",
        "What is zipped has the same length whatever comes in.",
    ),
    Equivalent(
        "recurrence/packing.py",
        "Memory.__init__",
        "self._all: Array = np.empty(0, dtype)",
        "self._all: Array = np.empty(1, dtype)",
        "The first call asks for more than that, and gets it.",
    ),
    Equivalent(
        "layers.py",
        "bag_backward",
        "dbags = (dxs / counts).reshape(-1, dxs.shape[2])  # what each word of a bag receives",
        "dbags = (dxs / counts).reshape(-2, dxs.shape[2])  # what each word of a bag receives",
        "NumPy takes any negative size for the one to be worked out.",
    ),
    Equivalent(
        "layers.py",
        "add_rows",
        'order = np.argsort(rows, kind="stable")',
        'order = np.argsort(rows, kind="STABLE")',
        "NumPy ignores the case.",
    ),
    Equivalent(
        "layers.py",
        "add_rows",
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))  # np.unique would sort again",
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] + 1))  # np.unique would sort again",
        "Any number will do that is not the first row's own.",
    ),
    Equivalent(
        "layers.py",
        "add_rows",
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))  # np.unique would sort again",
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 2))  # np.unique would sort again",
        "Any number will do that is not the first row's own.",
    ),
    Equivalent(
        "layers.py",
        "add_rows",
        "for row in np.flatnonzero(counts > RARE).tolist():",
        "for row in np.flatnonzero(counts >= RARE).tolist():",
        "A word of exactly RARE uses is summed a second time, to the same sum.",
    ),
    Equivalent(
        "layers.py",
        "readout_forward",
        "argmax = np.where(past[..., np.newaxis], -2, hs.real).argmax(axis=0)",
        "argmax = np.where(past[..., np.newaxis], -3, hs.real).argmax(axis=0)",
        "No state is below -1, so any smaller number will do.",
    ),
    Equivalent(
        "layers.py",
        "readout_backward",
        "dhs += running * (dfeatures[:, :H] / lengths[:, np.newaxis].astype(dfeatures.dtype))",
        "dhs = running * (dfeatures[:, :H] / lengths[:, np.newaxis].astype(dfeatures.dtype))",
        "What it is added to is 0.",
    ),
    Equivalent(
        "layers.py",
        "readout_backward",
        "dhs += running * (dfeatures[:, :H] / lengths[:, np.newaxis].astype(dfeatures.dtype))",
        "dhs += running * (dfeatures[:, :H] / lengths[:, np.newaxis].astype(None))",
        "A quotient of float32s, taken in float64 and then rounded to float32, is the same.",
    ),
    Equivalent(
        "losses.py",
        "binary_cross_entropy",
        "positive = against.real > 0",
        "positive = against.real >= 0",
        "At 0 both forms of the loss are log 2, and both slopes ½.",
    ),
    Equivalent(
        "losses.py",
        "binary_cross_entropy",
        "positive = against.real > 0",
        "positive = against.real > 1",
        "The form for negative logits holds up to where exp overflows, at 709.",
    ),
]
