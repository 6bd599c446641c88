"""W @ x with examples in columns; the weights' gradients in one product after the loop."""

import numpy as np


def sig(v):
    return 1.0 / (1.0 + np.exp(-v))


def rnn_step(x, h, params):
    new = np.tanh(params.W_x @ x + params.W_h @ h + params.b)  # (1) (2)
    return new, [x, h, new, params]


def rnn_step_backward(dnew, cache):
    x, h, new, params = cache
    delta = np.multiply(dnew, 1 - new**2)  # (3)
    dW_x = delta @ x.T  # (4)
    dW_h = delta @ h.T  # (4)
    db = delta.sum(axis=1, keepdims=True)  # (4)
    dx = params.W_x.T @ delta  # (5)
    dh = params.W_h.T @ delta  # (6)
    return dx, dh, [dW_x, dW_h, db]


def rnn_forward(xs, params, h0):
    hs, state = [], h0
    for x in xs:
        state = np.tanh(params.W_x @ x + params.W_h @ state + params.b)  # (1) (2)
        hs.append(state)
    return np.array(hs), state, (xs, np.array([h0, *hs]), params)


def rnn_backward(cache, dhs, dh_T):
    xs, hs, params = cache
    T = len(xs)
    deltas = np.zeros_like(dhs)
    dh = dh_T  # (loop)
    for t in reversed(range(T)):
        dh = dh + dhs[t]  # (loop)
        deltas[t] = dh * (1 - hs[t + 1] ** 2)  # (3)
        dh = params.W_h.T @ deltas[t]  # (6)
    dW_x = np.einsum("tkn,tdn->kd", deltas, xs)  # (4)
    dW_h = np.einsum("tkn,thn->kh", deltas, hs[:-1])  # (4)
    db = deltas.sum(axis=(0, 2))  # (4)
    dxs = params.W_x.T @ deltas  # (5)
    return dxs, (dW_x, dW_h, db), dh


def lstm_step(x, h, c, params):
    a = params.W_x @ x + params.W_h @ h + params.b  # (9)
    k = len(h)
    i = sig(a[:k])  # (10)
    f = sig(a[k : 2 * k])  # (11)
    g = np.tanh(a[2 * k : 3 * k])  # (12)
    o = sig(a[3 * k :])  # (13)
    c_new = f * c + i * g  # (14)
    h_new = o * np.tanh(c_new)  # (15)
    return h_new, c_new, [x, h, c, i, f, g, o, c_new, params]


def lstm_step_backward(dh, dc, cache):
    x, h, c, i, f, g, o, c_new, params = cache
    t = np.tanh(c_new)
    dc_all = dc + dh * o * (1 - t * t)  # (17)
    delta = np.vstack(
        (
            dc_all * g * i * (1 - i),  # (18) (22)
            dc_all * c * f * (1 - f),  # (19) (23)
            dc_all * i * (1 - g * g),  # (20) (24)
            dh * t * o * (1 - o),  # (16) (25)
        )
    )
    dW_x = delta @ x.T  # (26)
    dW_h = delta @ h.T  # (26)
    db = delta.sum(axis=1, keepdims=True)  # (26)
    dx = params.W_x.T @ delta  # (27)
    dh_prev = params.W_h.T @ delta  # (28)
    dc_prev = dc_all * f  # (21)
    return dx, dh_prev, dc_prev, [dW_x, dW_h, db]


def lstm_forward(xs, params, h0, c0):
    h, c, hs, caches = h0, c0, [], []
    for x in xs:
        h, c, cache = lstm_step(x, h, c, params)  # (loop)
        hs.append(h)
        caches.append(cache)
    return np.array(hs), h, c, caches


def lstm_backward(caches, dhs, dh_T, dc_T):
    params = caches[0][-1]
    T = len(caches)
    deltas = [None] * T
    dh, dc = dh_T, dc_T  # (loop)
    for t in reversed(range(T)):
        x, h_prev, c_prev, i, f, g, o, c, _ = caches[t]
        dh = dh + dhs[t]  # (loop)
        tc = np.tanh(c)
        do = dh * tc  # (16)
        dc = dc + dh * o * (1 - tc**2)  # (17)
        di, df = dc * g, dc * c_prev  # (18) (19)
        dg = dc * i  # (20)
        dc = dc * f  # (21)
        deltas[t] = np.concatenate(
            [di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)]
        )
        dh = params.W_h.T @ deltas[t]  # (28)
    x_all = np.concatenate([cache[0] for cache in caches], axis=1)
    h_all = np.concatenate([cache[1] for cache in caches], axis=1)
    delta_all = np.concatenate(deltas, axis=1)
    dW_x = delta_all @ x_all.T  # (26)
    dW_h = delta_all @ h_all.T  # (26)
    db = delta_all.sum(axis=1)  # (26)
    dxs = np.array([params.W_x.T @ delta for delta in deltas])  # (27)
    return dxs, (dW_x, dW_h, db), dh, dc
