"""An LSTM without a bias: a matrix for each gate on [x, h], states and gates kept in lists."""

import numpy as np

from numpy_lstm.clinic import Layout

LAYOUT = Layout(
    weights={"W_{}": "xh"},
    inputs_first=True,
    params="dict",
    forward="xs, h0, c0, params -> hs, cache",
    backward="dhs, cache -> dparams",
)


def squash(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, h, c, params):
    tape, hs = [], []
    for x in xs:
        joined = np.hstack([x, h])
        f, i, o = (squash(joined @ params[f"W_{k}"]) for k in "fio")
        g = np.tanh(joined @ params["W_g"])
        before, c = c, f * c + i * g
        h = o * np.tanh(c)
        tape.append((joined, before, f, i, o, g, c))
        hs.append(h)
    return np.stack(hs), (tape, params)


def lstm_backward(errors, cache):
    tape, params = cache
    total = {name: np.zeros_like(W) for name, W in params.items()}
    n = errors.shape[2]
    dh = dc = 0
    for (joined, before, f, i, o, g, c), error in zip(tape[::-1], errors[::-1]):
        dh = dh + error
        dc = dc + dh * o * (1 - np.tanh(c) ** 2)
        deltas = {
            "f": dc * before * f * (1 - f),
            "i": dc * g * i * (1 - g),  # WRONG (22)
            "o": dh * np.tanh(c) * o * (1 - o),
            "g": dc * i * (1 - g * g),
        }
        for k, delta in deltas.items():
            total[f"W_{k}"] += joined.T @ delta
        dh = sum(delta @ params[f"W_{k}"].T for k, delta in deltas.items())[:, -n:]
        dc = dc * f
    return total
