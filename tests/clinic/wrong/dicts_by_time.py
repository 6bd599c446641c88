"""Dicts by time, the gates by name within; the loss's gradient comes at every step."""

import numpy as np

LAYOUT = "gates"


def sigma(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, p, h0, c0):
    cache = {-1: {"h": h0, "c": c0}}
    for t in range(len(xs)):
        prev = cache[t - 1]
        now = {"x": xs[t]}
        for k in ["i", "f", "o"]:
            now[k] = sigma(xs[t] @ p["W" + k].T + prev["h"] @ p["U" + k].T + p["b" + k])
        now["g"] = np.tanh(xs[t] @ p["Wg"].T + prev["h"] @ p["Ug"].T + p["bg"])
        now["c"] = now["f"] * prev["c"] + now["i"] * now["g"]
        now["h"] = now["o"] * np.tanh(now["c"])
        cache[t] = now
    hs = np.array([cache[t]["h"] for t in range(len(xs))])
    return hs, now["h"], now["c"], (cache, p)


def lstm_backward(cache, dhs, dh_T, dc_T):
    cache, p = cache
    T = len(dhs)
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    d = {T: {"h": dh_T, "c": dc_T}}
    dxs = np.zeros((T, *cache[0]["x"].shape))
    for t in range(T - 1, -1, -1):
        s, prev, after = cache[t], cache[t - 1], d[t + 1]
        dh = dhs[t] + after["h"]
        dc = after["c"] + dh * s["o"] * (1 - np.tanh(prev["c"]) ** 2)  # WRONG (17)
        gates = {
            "o": dh * np.tanh(s["c"]) * s["o"] * (1 - s["o"]),
            "i": dc * s["g"] * s["i"] * (1 - s["i"]),
            "f": dc * prev["c"] * s["f"] * (1 - s["f"]),
            "g": dc * s["i"] * (1 - s["g"] ** 2),
        }
        d[t] = {"c": dc * s["f"], "h": 0}
        for k, value in gates.items():
            grads["W" + k] += value.T @ s["x"]
            grads["U" + k] += value.T @ prev["h"]
            grads["b" + k] += value.sum(axis=0)
            dxs[t] += value @ p["W" + k]
            d[t]["h"] = d[t]["h"] + value @ p["U" + k]
    return dxs, grads, d[0]["h"], d[0]["c"]
