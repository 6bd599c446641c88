"""One buffer for the gates' gradients, written in place; the order of two lines is wrong."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step(x, h_prev, c_prev, params):
    W, U, b = params
    n = h_prev.shape[1]
    act = x @ W.T + h_prev @ U.T + b
    act[:, : 2 * n] = sigmoid(act[:, : 2 * n])
    act[:, 2 * n : 3 * n] = np.tanh(act[:, 2 * n : 3 * n])
    act[:, 3 * n :] = sigmoid(act[:, 3 * n :])
    i, f, g, o = np.split(act, 4, axis=1)
    c = f * c_prev + i * g
    return o * np.tanh(c), c, (x, h_prev, c_prev, i, f, g, o, c, params)


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c, (W, U, b) = cache
    n = dh.shape[1]
    tc = np.tanh(c)
    dc = dc + dh * o * (1 - tc * tc)
    d = np.zeros((len(dh), 4 * n))
    d[:, 3 * n :] = dh * tc
    d[:, :n] = dc * g
    d[:, n : 2 * n] = dc * c_prev
    dc *= f
    d[:, 2 * n : 3 * n] = dc * i  # WRONG (20)
    d[:, :n] *= i * (1 - i)
    d[:, n : 2 * n] *= f * (1 - f)
    d[:, 2 * n : 3 * n] *= 1 - g * g
    d[:, 3 * n :] *= o * (1 - o)
    return d @ W, d @ U, dc, (d.T @ x, d.T @ h_prev, d.sum(axis=0))
