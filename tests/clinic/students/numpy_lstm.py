"""The package's layout; the backward pass written compactly."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def rnn_step(x, h_prev, params):
    W_x, W_h, b = params
    a = x @ W_x.T + h_prev @ W_h.T + b  # (1)
    h = np.tanh(a)  # (2)
    return h, (x, h_prev, h, params)


def rnn_step_backward(dh, cache):
    x, h_prev, h, (W_x, W_h, _) = cache
    da = (1 - h * h) * dh  # (3)
    dW_x = da.T @ x  # (4)
    dW_h = da.T @ h_prev  # (4)
    db = da.sum(0)  # (4)
    dx = da @ W_x  # (5)
    dh_prev = da @ W_h  # (6)
    return dx, dh_prev, (dW_x, dW_h, db)


def rnn_forward(xs, params, h0):
    h = h0
    hs, caches = [], []
    for x in xs:
        h, cache = rnn_step(x, h, params)  # (loop)
        hs.append(h)
        caches.append(cache)
    return np.array(hs), h, caches


def rnn_backward(caches, dhs, dh_T):
    dh = dh_T  # (loop)
    grads = [0, 0, 0]
    dxs = []
    for t in range(len(caches) - 1, -1, -1):
        dh_total = dh + dhs[t]  # (loop)
        dx, dh, step = rnn_step_backward(dh_total, caches[t])  # (loop)
        grads = [a + b for a, b in zip(grads, step)]  # (loop)
        dxs.append(dx)
    return np.array(dxs[::-1]), grads, dh


def lstm_step(x, h_prev, c_prev, params):
    W_x, W_h, b = params
    z = x @ W_x.T + h_prev @ W_h.T + b  # (9)
    H = h_prev.shape[1]
    i = sigmoid(z[:, :H])  # (10)
    f = sigmoid(z[:, H : 2 * H])  # (11)
    g = np.tanh(z[:, 2 * H : 3 * H])  # (12)
    o = sigmoid(z[:, 3 * H :])  # (13)
    c = f * c_prev + i * g  # (14)
    h = o * np.tanh(c)  # (15)
    return h, c, (x, h_prev, c_prev, i, f, g, o, c, params)


def lstm_step_backward(dh, dc, cache):
    x, h_prev, c_prev, i, f, g, o, c, (W_x, W_h, _) = cache
    tc = np.tanh(c)
    do = dh * tc  # (16)
    dc = dc + dh * o * (1 - tc**2)  # (17)
    di = dc * g  # (18)
    df = dc * c_prev  # (19)
    dg = dc * i  # (20)
    dc_prev = dc * f  # (21)
    dai = di * i * (1 - i)  # (22)
    daf = df * f * (1 - f)  # (23)
    dag = dg * (1 - g**2)  # (24)
    dao = do * o * (1 - o)  # (25)
    da = np.hstack([dai, daf, dag, dao])
    dW_x = da.T @ x  # (26)
    dW_h = da.T @ h_prev  # (26)
    db = da.sum(0)  # (26)
    dx = da @ W_x  # (27)
    dh_prev = da @ W_h  # (28)
    return dx, dh_prev, dc_prev, (dW_x, dW_h, db)


def lstm_forward(xs, params, h0, c0):
    h, c = h0, c0
    hs, caches = [], []
    for x in xs:
        h, c, cache = lstm_step(x, h, c, params)  # (loop)
        hs.append(h)
        caches.append(cache)
    return np.array(hs), h, c, caches


def lstm_backward(caches, dhs, dh_T, dc_T):
    dh, dc = dh_T, dc_T  # (loop)
    grads = [0, 0, 0]
    dxs = []
    for t in range(len(caches) - 1, -1, -1):
        dh_total = dh + dhs[t]  # (loop)
        dx, dh, dc, step = lstm_step_backward(dh_total, dc, caches[t])  # (loop)
        grads = [a + b for a, b in zip(grads, step)]  # (loop)
        dxs.append(dx)
    return np.array(dxs[::-1]), grads, dh, dc
