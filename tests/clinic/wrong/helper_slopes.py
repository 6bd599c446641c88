"""Slopes as small functions; the one of tanh takes what is not squashed yet."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def dsigmoid(s):
    return s * (1 - s)


def dtanh(z):
    return 1 - np.tanh(z) ** 2


def lstm_step(x, h, c, params):
    W, U, b = params
    n = h.shape[1]
    z = x @ W.T + h @ U.T + b
    i, f, o = (sigmoid(z[:, k * n : (k + 1) * n]) for k in (0, 1, 3))
    g = np.tanh(z[:, 2 * n : 3 * n])
    c_new = f * c + i * g
    return o * np.tanh(c_new), c_new, dict(x=x, h=h, c=c, i=i, f=f, g=g, o=o, c_new=c_new, p=params)


def lstm_step_backward(dh, dc, k):
    W, U, b = k["p"]
    dc = dc + dh * k["o"] * dtanh(k["c_new"])
    do = dh * np.tanh(k["c_new"])
    zi = dc * k["g"] * dsigmoid(k["i"])
    zf = dc * k["c"] * dsigmoid(k["f"])
    zg = dc * k["i"] * dtanh(k["c_new"])  # WRONG (24)
    zo = do * dsigmoid(k["o"])
    z = np.concatenate([zi, zf, zg, zo], axis=1)
    return z @ W, z @ U, dc * k["f"], (z.T @ k["x"], z.T @ k["h"], z.sum(axis=0))
