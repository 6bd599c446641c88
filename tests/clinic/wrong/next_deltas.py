"""Arrays over time with the start at index -1; dc takes the next step's f and delta in one line."""

import numpy as np

from numpy_lstm.clinic import Layout

LAYOUT = Layout(
    batch="column",
    bias="column",
    params="dict",
    weights={"W{}": "x", "R{}": "h", "b{}": "1"},
    forward="xs, params -> hs, cache",
    backward="dhs, cache -> dparams",
)


def squash(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, params):
    steps, n = len(xs), len(params["bi"])
    kept = {k: np.zeros((steps + 1, n, 1)) for k in "ifgohc"}
    for t in range(steps):
        for k in "ifgo":
            net = params[f"W{k}"] @ xs[t] + params[f"R{k}"] @ kept["h"][t - 1] + params[f"b{k}"]
            kept[k][t] = np.tanh(net) if k == "g" else squash(net)
        kept["c"][t] = kept["f"][t] * kept["c"][t - 1] + kept["i"][t] * kept["g"][t]
        kept["h"][t] = kept["o"][t] * np.tanh(kept["c"][t])
    return kept["h"][:-1], (xs, params, kept)


def lstm_backward(errors, cache):
    xs, params, kept = cache
    i, f, g, o, h, c = (kept[k] for k in "ifgohc")
    delta = {k: np.zeros_like(h) for k in "ifgohc"}
    total = {name: np.zeros_like(value) for name, value in params.items()}
    back = np.zeros_like(h[0])
    for t in reversed(range(len(xs))):
        delta["h"][t] = errors[t] + back
        slope = 1 - np.tanh(c[t]) ** 2
        delta["c"][t] = delta["c"][t + 1] * f[t + 1] + delta["h"][t] * o[t] * slope
        delta["i"][t] = delta["c"][t] * g[t] * i[t] * (1 - i[t])
        delta["f"][t] = delta["c"][t] * c[t - 1] * f[t] * (1 - f[t])
        delta["g"][t] = delta["c"][t] * i[t] * (1 - g[t] ** 2)
        delta["o"][t] = delta["h"][t] * np.tanh(c[t]) * o[t] * (1 - o[t])
        own = {**{k: delta[k][t] for k in "ifo"}, "g": delta["c"][t]}
        back = sum(params[f"R{k}"].T @ own[k] for k in "ifgo")  # WRONG (28)
        for k in "ifgo":
            total[f"W{k}"] += delta[k][t] @ xs[t].T
            total[f"R{k}"] += delta[k][t] @ h[t - 1].T
            total[f"b{k}"] += delta[k][t]
    return total
