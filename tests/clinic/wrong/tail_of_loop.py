"""Lists of steps; the loop stops one step early."""

import numpy as np


def rnn_forward(xs, params, h0):
    W_x, W_h, b = params
    states = [h0]
    for x in xs:
        states.append(np.tanh(x @ W_x.T + states[-1] @ W_h.T + b))
    return np.array(states[1:]), states[-1], (xs, states, params)


def rnn_backward(cache, dhs, dh_T):
    xs, states, (W_x, W_h, b) = cache
    T = len(xs)
    dstates = [dh.copy() for dh in dhs]
    dstates[-1] += dh_T
    dxs = np.zeros_like(xs)
    dW_x, dW_h, db = np.zeros_like(W_x), np.zeros_like(W_h), np.zeros_like(b)
    for t in range(T - 1, -1, -1):
        delta = dstates[t] * (1 - states[t + 1] ** 2)
        if t > 1:  # WRONG (loop)
            dstates[t - 1] += delta @ W_h
        dxs[t] = delta @ W_x
        dW_x += delta.T @ xs[t]
        dW_h += delta.T @ states[t]
        db += delta.sum(axis=0)
    return dxs, (dW_x, dW_h, db), delta @ W_h
