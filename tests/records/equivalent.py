"""Mutants that no test can tell from the source, and why: for tests/records/mutation.py."""

from typing import NamedTuple


class Equivalent(NamedTuple):
    """In `function` of `file`, the lines `old` replaced by `new`, without their indentation."""

    file: str
    function: str
    old: str
    new: str
    why: str


COPY = "One more copy is made; nothing else changes."
SHORTEST = "The loop over several ends with the shortest, and that is none the longer."

EQUIVALENT: list[Equivalent] = [
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
        "for row in np.flatnonzero(counts > FEW).tolist():",
        "for row in np.flatnonzero(counts >= FEW).tolist():",
        "A word of exactly FEW uses is summed a second time, to the same sum.",
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
        "rnn.py",
        "rnn_forward",
        "W_x, W_h, b = (array.astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (array.astype(dtype, copy=None) for array in params)",
        COPY,
    ),
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "W_x, W_h, b = (array.astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (array.astype(dtype, ) for array in params)",
        COPY,
    ),
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "W_x, W_h, b = (array.astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (array.astype(dtype, copy=True) for array in params)",
        COPY,
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "W_x, W_h, b = (_swap(array).astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (_swap(array).astype(dtype, copy=None) for array in params)",
        COPY,
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "W_x, W_h, b = (_swap(array).astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (_swap(array).astype(dtype, ) for array in params)",
        COPY,
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "W_x, W_h, b = (_swap(array).astype(dtype, copy=False) for array in params)",
        "W_x, W_h, b = (_swap(array).astype(dtype, copy=True) for array in params)",
        COPY,
    ),
    Equivalent(
        "rnn.py",
        "rnn_forward",
        "for h_prev, h_t in zip(s[first:last], s[first + 1 : last + 1]):",
        "for h_prev, h_t in zip(s[first:last], s[first + 1 : last + 2]):",
        SHORTEST,
    ),
    Equivalent(
        "lstm.py",
        "_swap",
        "gates = array.reshape(4, -1, *array.shape[1:])",
        "gates = array.reshape(4, -1, )",
        "A gate's rows are contiguous, and can be moved as one long row.",
    ),
    Equivalent(
        "lstm.py",
        "_swap",
        "gates = array.reshape(4, -1, *array.shape[1:])",
        "gates = array.reshape(4, -1, *array.shape[2:])",
        "A gate's rows are contiguous, and can be moved as one long row.",
    ),
    Equivalent(
        "lstm.py",
        "_swap",
        "gates = array.reshape(4, -1, *array.shape[1:])",
        "gates = array.reshape(4, -2, *array.shape[1:])",
        "NumPy takes any negative size for the one to be worked out.",
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "r[first + 1 : last + 1, :H],",
        "r[first + 1 : last + 2, :H],",
        SHORTEST,
    ),
    Equivalent(
        "lstm.py",
        "lstm_forward",
        "s[first + 1 : last + 1],",
        "s[first + 1 : last + 2],",
        SHORTEST,
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
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] - 1))  # np.unique would sort again",
        "firsts = np.flatnonzero(np.diff(rows, prepend=rows[0] + 1))  # np.unique would sort again",
        "Any number will do that is not the first row's own.",
    ),
]
