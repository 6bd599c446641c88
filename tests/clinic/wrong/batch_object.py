"""A class that keeps its cache and its gradients in attributes; gates f, g, i, o in one matrix."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


class LSTM:
    def __init__(self, Wx, Wh, b):
        self.params = [Wx, Wh, b]
        self.grads = [np.zeros_like(Wx), np.zeros_like(Wh), np.zeros_like(b)]
        self.cache = None

    def forward(self, x, h_prev, c_prev):
        Wx, Wh, b = self.params
        H = h_prev.shape[1]
        A = np.dot(x, Wx) + np.dot(h_prev, Wh) + b
        f = sigmoid(A[:, :H])
        g = np.tanh(A[:, H : 2 * H])
        i = sigmoid(A[:, 2 * H : 3 * H])
        o = sigmoid(A[:, 3 * H :])
        c_next = f * c_prev + g * i
        h_next = o * np.tanh(c_next)
        self.cache = (x, h_prev, c_prev, i, f, g, o, c_next)
        return h_next, c_next

    def backward(self, dh_next, dc_next):
        Wx, Wh, b = self.params
        x, h_prev, c_prev, i, f, g, o, c_next = self.cache
        tanh_c_next = np.tanh(c_next)
        ds = dc_next + (dh_next * o) * (1 - tanh_c_next**2)
        dc_prev = ds * f
        di = ds * g
        df = ds * c_prev
        do = dh_next * tanh_c_next
        dg = ds * i
        di *= i * (1 - i)
        df *= f * (1 - i)  # WRONG (23)
        do *= o * (1 - o)
        dg *= 1 - g**2
        dA = np.hstack((df, dg, di, do))
        dWh = np.dot(h_prev.T, dA)
        dWx = np.dot(x.T, dA)
        db = dA.sum(axis=0)
        self.grads[0][...] = dWx
        self.grads[1][...] = dWh
        self.grads[2][...] = db
        dx = np.dot(dA, Wx.T)
        dh_prev = np.dot(dA, Wh.T)
        return dx, dh_prev, dc_prev


ORDER = [1, 2, 0, 3]  # f, g, i, o out of i, f, g, o


def lstm_step(x, h, c, params):
    H = h.shape[1]
    rows = np.concatenate([np.arange(H) + k * H for k in ORDER])
    layer = LSTM(params.W_x[rows].T, params.W_h[rows].T, params.b[rows])
    h, c = layer.forward(x, h, c)
    return h, c, layer


def lstm_step_backward(dh, dc, layer):
    H = dh.shape[1]
    dx, dh_prev, dc_prev = layer.backward(dh, dc)
    rows = np.concatenate([np.arange(H) + k * H for k in np.argsort(ORDER)])
    dWx, dWh, db = layer.grads
    return dx, dh_prev, dc_prev, (dWx.T[rows], dWh.T[rows], db[rows])
