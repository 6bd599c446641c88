"""The gradient is scaled to a norm of at most 5 before it is returned."""

import numpy as np


def rnn_forward(xs, params, h0):
    h, tape = h0, []
    for x in xs:
        h_new = np.tanh(x @ params.W_x.T + h @ params.W_h.T + params.b)
        tape.append((x, h, h_new))
        h = h_new
    return np.array([step[2] for step in tape]), h, (tape, params)


def rnn_backward(cache, dhs, dh_T):
    tape, params = cache
    dW_x, dW_h, db = (np.zeros_like(w) for w in params)
    dxs, dh = [], dh_T
    for (x, h, h_new), own in zip(tape[::-1], dhs[::-1]):
        da = (dh + own) * (1 - h_new**2)
        dW_x += da.T @ x
        dW_h += da.T @ h
        db += da.sum(axis=0)
        dxs.insert(0, da @ params.W_x)
        dh = da @ params.W_h
    norm = np.sqrt(sum((g**2).sum() for g in (dW_x, dW_h, db)))
    scale = min(1, 5 / norm)  # WRONG (loop)
    return np.array(dxs), (scale * dW_x, scale * dW_h, scale * db), dh
