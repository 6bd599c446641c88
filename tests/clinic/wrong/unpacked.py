"""What the forward pass keeps is taken out in another order: i and f have changed places."""

import numpy as np


def squash(z):
    return 1 / (1 + np.exp(-z))


def lstm_step(x, h, c, params):
    W, U, b = params
    i, f, g, o = np.split(x @ W.T + h @ U.T + b, 4, axis=1)
    i, f, g, o = squash(i), squash(f), np.tanh(g), squash(o)
    new = f * c + i * g
    return o * np.tanh(new), new, (x, h, c, i, f, g, o, np.tanh(new), W, U)


def lstm_step_backward(dh, dc, cache):
    x, h, c, f, i, g, o, t, W, U = cache
    dc = dc + dh * o * (1 - t**2)
    di = dc * g
    df = dc * c
    dg = dc * i
    zi = di * i * (1 - i)  # WRONG (22)
    zf = df * f * (1 - f)
    zg = dg * (1 - g**2)
    zo = dh * t * o * (1 - o)
    z = np.hstack([zi, zf, zg, zo])
    return z @ W, z @ U, dc * f, (z.T @ x, z.T @ h, z.sum(axis=0))
