"""A single example in columns, as in min-char-rnn: dicts by time, hs[-1], += into zeros."""

import numpy as np


def rnn_forward(xs, hprev, Wxh, Whh, bh):
    hs = {-1: np.copy(hprev)}
    for t in range(len(xs)):
        hs[t] = np.tanh(np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh)  # (1) (2)
    return hs, (xs, hs, Wxh, Whh, bh)


def rnn_backward(dys, cache):
    xs, hs, Wxh, Whh, bh = cache
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dxs = [None] * len(xs)
    dhnext = np.zeros_like(hs[0])
    for t in reversed(range(len(xs))):
        dh = dys[t] + dhnext  # (loop)
        dhraw = (1 - hs[t] * hs[t]) * dh  # (3)
        dbh += dhraw  # (4)
        dWxh += np.dot(dhraw, xs[t].T)  # (4)
        dWhh += np.dot(dhraw, hs[t - 1].T)  # (4)
        dxs[t] = np.dot(Wxh.T, dhraw)  # (5)
        dhnext = np.dot(Whh.T, dhraw)  # (6)
    return dxs, dhnext, dWxh, dWhh, dbh


def lstm_forward(xs, hprev, cprev, Wxh, Whh, bh):
    hs, cs, gates = {-1: np.copy(hprev)}, {-1: np.copy(cprev)}, {}
    n = len(hprev)
    for t in range(len(xs)):
        a = np.dot(Wxh, xs[t]) + np.dot(Whh, hs[t - 1]) + bh  # (9)
        i = 1 / (1 + np.exp(-a[:n]))  # (10)
        f = 1 / (1 + np.exp(-a[n : 2 * n]))  # (11)
        g = np.tanh(a[2 * n : 3 * n])  # (12)
        o = 1 / (1 + np.exp(-a[3 * n :]))  # (13)
        cs[t] = f * cs[t - 1] + i * g  # (14)
        hs[t] = o * np.tanh(cs[t])  # (15)
        gates[t] = i, f, g, o
    return hs, (xs, hs, cs, gates, Wxh, Whh, bh)


def lstm_backward(dys, cache):
    xs, hs, cs, gates, Wxh, Whh, bh = cache
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros_like(bh)
    dxs = [None] * len(xs)
    dhnext, dcnext = np.zeros_like(hs[0]), np.zeros_like(cs[0])
    for t in reversed(range(len(xs))):
        i, f, g, o = gates[t]
        dh = dys[t] + dhnext  # (loop)
        do = dh * np.tanh(cs[t])  # (16)
        dc = dh * o * (1 - np.tanh(cs[t]) ** 2) + dcnext  # (17)
        di = dc * g  # (18)
        df = dc * cs[t - 1]  # (19)
        dg = dc * i  # (20)
        dcnext = dc * f  # (21)
        da = np.vstack(
            [
                di * i * (1 - i),  # (22)
                df * f * (1 - f),  # (23)
                dg * (1 - g * g),  # (24)
                do * o * (1 - o),  # (25)
            ]
        )
        dbh += da  # (26)
        dWxh += np.dot(da, xs[t].T)  # (26)
        dWhh += np.dot(da, hs[t - 1].T)  # (26)
        dxs[t] = np.dot(Wxh.T, da)  # (27)
        dhnext = np.dot(Whh.T, da)  # (28)
    return dxs, dhnext, dcnext, dWxh, dWhh, dbh
