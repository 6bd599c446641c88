"""A minus sign that crept in."""

import numpy as np


def rnn_step(x, h_prev, params):
    W_x, W_h, b = params
    h = np.tanh(np.matmul(x, W_x.T) + np.matmul(h_prev, W_h.T) + b)
    return h, {"inputs": (x, h_prev), "h": h, "params": params}


def rnn_step_backward(dh, cache):
    x, h_prev = cache["inputs"]
    W_x, W_h, b = cache["params"]
    dtanh = (cache["h"] ** 2 - 1) * dh  # WRONG (3)
    db = np.sum(dtanh, axis=0)
    dW_x = np.matmul(dtanh.T, x)
    dW_h = np.matmul(dtanh.T, h_prev)
    return np.matmul(dtanh, W_x), np.matmul(dtanh, W_h), (dW_x, dW_h, db)
