"""One matrix on [h, x]; a namedtuple for each step; buffers that are written in place."""

from collections import namedtuple

import numpy as np

Step = namedtuple("Step", "z c_prev i f g o ct W")
Plain = namedtuple("Plain", "z h W")


def sigmoid(a):
    out = np.exp(-a)
    out += 1
    return np.reciprocal(out, out=out)


def rnn_step(x, h_prev, params):
    W, b = params
    z = np.hstack([h_prev, x])
    h = np.tanh(z @ W.T + b)  # (1) (2)
    return h, Plain(z, h, W)


def rnn_step_backward(dh, s):
    H = dh.shape[1]
    da = dh.copy()
    da *= 1 - s.h**2  # (3)
    dz = da @ s.W  # (5) (6)
    dW = da.T @ s.z  # (4)
    db = da.sum(axis=0)  # (4)
    return dz[:, H:], dz[:, :H], (dW, db)


def lstm_step(x, h_prev, c_prev, params):
    W, b = params
    z = np.hstack([h_prev, x])
    a = z @ W.T + b  # (9)
    i, f, g, o = np.split(a, 4, axis=1)
    i = sigmoid(i)  # (10)
    f = sigmoid(f)  # (11)
    g = np.tanh(g)  # (12)
    o = sigmoid(o)  # (13)
    c = f * c_prev
    c += i * g  # (14)
    ct = np.tanh(c)
    h = o * ct  # (15)
    return h, c, Step(z, c_prev, i, f, g, o, ct, W)


def lstm_step_backward(dh, dc_next, s):
    H = dh.shape[1]
    dc = dh * s.o
    dc *= 1 - s.ct**2
    dc += dc_next  # (17)
    da = np.empty((len(dh), 4 * H))
    da[:, :H] = dc * s.g * s.i * (1 - s.i)  # (18) (22)
    da[:, H : 2 * H] = dc * s.c_prev * s.f * (1 - s.f)  # (19) (23)
    da[:, 2 * H : 3 * H] = dc * s.i * (1 - s.g**2)  # (20) (24)
    da[:, 3 * H :] = dh * s.ct * s.o * (1 - s.o)  # (16) (25)
    dz = da @ s.W  # (27) (28)
    dW = da.T @ s.z  # (26)
    db = da.sum(axis=0)  # (26)
    dc *= s.f  # (21)
    return dz[:, H:], dz[:, :H], dc, (dW, db)


def rnn_forward(xs, params, h0):
    T, N, H = len(xs), *h0.shape
    hs, tape = np.zeros((T + 1, N, H)), []
    hs[0] = h0  # (loop)
    for t in range(T):
        hs[t + 1], step = rnn_step(xs[t], hs[t], params)  # (loop)
        tape.append(step)
    return hs[1:], hs[-1], tape


def rnn_backward(tape, dhs, dh_T):
    dhs = dhs.copy()
    dhs[-1] += dh_T  # (loop)
    dxs, dW, db = [], 0, 0
    for t in range(len(tape) - 1, -1, -1):
        dx, dh_prev, (dW_t, db_t) = rnn_step_backward(dhs[t], tape[t])  # (loop)
        dW = dW + dW_t  # (loop)
        db = db + db_t  # (loop)
        dxs.append(dx)
        if t > 0:
            dhs[t - 1] += dh_prev  # (loop)
    return np.array(dxs)[::-1], (dW, db), dh_prev


def lstm_forward(xs, params, h0, c0):
    T, N, H = len(xs), *h0.shape
    hs, cs, tape = np.zeros((T + 1, N, H)), np.zeros((T + 1, N, H)), []
    hs[0] = h0  # (loop)
    cs[0] = c0  # (loop)
    for t in range(T):
        hs[t + 1], cs[t + 1], step = lstm_step(xs[t], hs[t], cs[t], params)  # (loop)
        tape.append(step)
    return hs[1:], hs[-1], cs[-1], tape


def lstm_backward(tape, dhs, dh_T, dc_T):
    dhs = dhs.copy()
    dhs[-1] += dh_T  # (loop)
    dc = dc_T  # (loop)
    dxs, dW, db = [], 0, 0
    for t in range(len(tape) - 1, -1, -1):
        dx, dh_prev, dc, (dW_t, db_t) = lstm_step_backward(dhs[t], dc, tape[t])  # (loop)
        dW = dW + dW_t  # (loop)
        db = db + db_t  # (loop)
        dxs.append(dx)
        if t > 0:
            dhs[t - 1] += dh_prev  # (loop)
    return np.array(dxs)[::-1], (dW, db), dh_prev, dc
