"""As in the exercises of cs231n: x @ Wx, gates i, f, o, g, batch first, no c0."""

import numpy as np


def sigmoid(x):
    pos_mask = x >= 0
    z = np.zeros_like(x)
    z[pos_mask] = np.exp(-x[pos_mask])
    z[~pos_mask] = np.exp(x[~pos_mask])
    top = np.ones_like(x)
    top[~pos_mask] = z[~pos_mask]
    return top / (1 + z)


def rnn_step(x, prev_h, Wx, Wh, b):
    next_h = np.tanh(x.dot(Wx) + prev_h.dot(Wh) + b)  # (1) (2)
    return next_h, (x, prev_h, Wx, Wh, next_h)


def rnn_step_backward(dnext_h, cache):
    x, prev_h, Wx, Wh, next_h = cache
    dtanh = dnext_h * (1 - next_h**2)  # (3)
    dx = dtanh.dot(Wx.T)  # (5)
    dprev_h = dtanh.dot(Wh.T)  # (6)
    dWx = x.T.dot(dtanh)  # (4)
    dWh = prev_h.T.dot(dtanh)  # (4)
    db = dtanh.sum(axis=0)  # (4)
    return dx, dprev_h, dWx, dWh, db


def rnn_forward(x, h0, Wx, Wh, b):
    N, T, _ = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    cache = []
    prev = h0
    for t in range(T):
        h[:, t], step = rnn_step(x[:, t], prev, Wx, Wh, b)  # (loop)
        prev = h[:, t]  # (loop)
        cache.append(step)
    return h, cache


def rnn_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev = np.zeros((N, T, D)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, H)), np.zeros((H, H)), np.zeros(H)
    for t in range(T - 1, -1, -1):
        out = rnn_step_backward(dh[:, t, :] + dprev, cache[t])  # (loop)
        dx[:, t, :], dprev = out[0], out[1]  # (loop)
        dWx += out[2]  # (loop)
        dWh += out[3]  # (loop)
        db += out[4]  # (loop)
    return dx, dprev, dWx, dWh, db


def lstm_step(x, prev_h, prev_c, Wx, Wh, b):
    H = prev_h.shape[1]
    a = x.dot(Wx) + prev_h.dot(Wh) + b  # (9)
    i = sigmoid(a[:, 0:H])  # (10)
    f = sigmoid(a[:, H : 2 * H])  # (11)
    o = sigmoid(a[:, 2 * H : 3 * H])  # (13)
    g = np.tanh(a[:, 3 * H : 4 * H])  # (12)
    next_c = f * prev_c + i * g  # (14)
    next_h = o * np.tanh(next_c)  # (15)
    return next_h, next_c, (x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c)


def lstm_step_backward(dnext_h, dnext_c, cache):
    x, prev_h, prev_c, Wx, Wh, i, f, o, g, next_c = cache
    dnext_c = dnext_c + o * (1 - np.tanh(next_c) ** 2) * dnext_h  # (17)
    dprev_c = f * dnext_c  # (21)
    di = g * dnext_c  # (18)
    df = prev_c * dnext_c  # (19)
    do = np.tanh(next_c) * dnext_h  # (16)
    dg = i * dnext_c  # (20)
    da_i = i * (1 - i) * di  # (22)
    da_f = f * (1 - f) * df  # (23)
    da_o = o * (1 - o) * do  # (25)
    da_g = (1 - g**2) * dg  # (24)
    da = np.hstack((da_i, da_f, da_o, da_g))
    dx = da.dot(Wx.T)  # (27)
    dWx = x.T.dot(da)  # (26)
    dprev_h = da.dot(Wh.T)  # (28)
    dWh = prev_h.T.dot(da)  # (26)
    db = np.sum(da, axis=0)  # (26)
    return dx, dprev_h, dprev_c, dWx, dWh, db


def lstm_forward(x, h0, Wx, Wh, b):
    N, T, _ = x.shape
    h = np.zeros((N, T, h0.shape[1]))
    cache = {}
    prev_h, prev_c = h0, np.zeros_like(h0)
    for t in range(T):
        prev_h, prev_c, cache[t] = lstm_step(x[:, t, :], prev_h, prev_c, Wx, Wh, b)  # (loop)
        h[:, t, :] = prev_h  # (loop)
    return h, cache


def lstm_backward(dh, cache):
    N, T, H = dh.shape
    D = cache[0][0].shape[1]
    dx, dprev_h, dprev_c = np.zeros((N, T, D)), np.zeros((N, H)), np.zeros((N, H))
    dWx, dWh, db = np.zeros((D, 4 * H)), np.zeros((H, 4 * H)), np.zeros(4 * H)
    for t in reversed(range(T)):
        dnext_h = dprev_h + dh[:, t, :]  # (loop)
        step = lstm_step_backward(dnext_h, dprev_c, cache[t])  # (loop)
        dx[:, t, :], dprev_h, dprev_c = step[:3]  # (loop)
        dWx += step[3]  # (loop)
        dWh += step[4]  # (loop)
        db += step[5]  # (loop)
    return dx, dprev_h, dWx, dWh, db
