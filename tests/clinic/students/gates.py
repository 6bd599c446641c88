"""Dicts with a matrix for each gate; loops over the gates' names."""

import numpy as np

SLOPES = {
    "i": lambda y: y * (1 - y),
    "f": lambda y: y * (1 - y),
    "o": lambda y: y * (1 - y),
    "g": lambda y: 1 - y**2,
}


def squash(gate, z):
    return np.tanh(z) if gate == "g" else 1 / (1 + np.exp(-z))


def rnn_step(x, h_prev, p):
    z = x @ p["W"].T
    z = z + h_prev @ p["U"].T + p["b"]  # (1)
    h = np.tanh(z)  # (2)
    return h, {"x": x, "h_prev": h_prev, "h": h, "p": p}


def rnn_step_backward(dh, cache):
    p = cache["p"]
    dz = dh - dh * cache["h"] ** 2  # (3)
    grads = {}
    grads["W"] = dz.T @ cache["x"]  # (4)
    grads["U"] = dz.T @ cache["h_prev"]  # (4)
    grads["b"] = np.ones(len(dz)) @ dz  # (4)
    dx = dz @ p["W"]  # (5)
    dh_prev = dz @ p["U"]  # (6)
    return dx, dh_prev, grads


def lstm_step(x, h_prev, c_prev, p):
    y = {}
    for k in "ifgo":
        z = x @ p["W" + k].T + h_prev @ p["U" + k].T + p["b" + k]  # (9)
        y[k] = squash(k, z)  # (10) (11) (12) (13)
    c = y["f"] * c_prev + y["i"] * y["g"]  # (14)
    tanh_c = np.tanh(c)
    h = y["o"] * tanh_c  # (15)
    return h, c, {"x": x, "h_prev": h_prev, "c_prev": c_prev, "y": y, "tanh_c": tanh_c, "p": p}


def lstm_step_backward(dh, dc, cache):
    y, p = cache["y"], cache["p"]
    dc = dc + dh * y["o"] * (1 - cache["tanh_c"] ** 2)  # (17)
    d = {
        "o": dh * cache["tanh_c"],  # (16)
        "i": dc * y["g"],  # (18)
        "f": dc * cache["c_prev"],  # (19)
        "g": dc * y["i"],  # (20)
    }
    dx, dh_prev, grads = 0, 0, {}
    for k in "ifgo":
        dz = d[k] * SLOPES[k](y[k])  # (22) (23) (24) (25)
        grads["W" + k] = dz.T @ cache["x"]  # (26)
        grads["U" + k] = dz.T @ cache["h_prev"]  # (26)
        grads["b" + k] = dz.sum(axis=0)  # (26)
        dx = dx + dz @ p["W" + k]  # (27)
        dh_prev = dh_prev + dz @ p["U" + k]  # (28)
    return dx, dh_prev, dc * y["f"], grads


def _loop(step, xs, p, states):
    hs, caches = [], []
    for x in xs:
        *states, cache = step(x, *states, p)  # (loop)
        hs.append(states[0])
        caches.append(cache)
    return np.stack(hs), *states, caches


def rnn_forward(xs, p, h0):
    return _loop(rnn_step, xs, p, [h0])


def lstm_forward(xs, p, h0, c0):
    return _loop(lstm_step, xs, p, [h0, c0])


def _back(step, caches, dhs, dstates):
    sums, dxs = {}, []
    for dh, cache in zip(dhs[::-1], caches[::-1]):
        first = dstates[0] + dh  # (loop)
        dx, *dstates, grads = step(first, *dstates[1:], cache)  # (loop)
        dxs.append(dx)
        for name in grads:
            sums[name] = sums.get(name, 0) + grads[name]  # (loop)
    return np.stack(dxs[::-1]), sums, *dstates


def rnn_backward(caches, dhs, dh_T):
    return _back(rnn_step_backward, caches, dhs, [dh_T])


def lstm_backward(caches, dhs, dh_T, dc_T):
    return _back(lstm_step_backward, caches, dhs, [dh_T, dc_T])
