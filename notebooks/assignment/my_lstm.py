"""The assignment: a vanilla RNN and an LSTM, forward and backward, in NumPy.

Each ``...`` is a blank, and the number behind it an equation of the report. Each row of a batch is
an example, so the W x of the report is written x @ W.T. Shapes: N examples, D inputs, H units.

    python -m numpy_lstm.clinic my_lstm.py

tells you what comes next, and which line is wrong.
"""

import numpy as np


def sigmoid(a):
    return 0.5 + 0.5 * np.tanh(0.5 * a)


# --- the vanilla RNN ------------------------------------------------------------------------------


def rnn_step(x, h_prev, params):
    """From x, (N, D), and h_prev, (N, H), to h, (N, H), and a cache for the backward pass."""
    W_x, W_h, b = params  # (H, D), (H, H), (H,)
    a = ...  # (1)
    h = ...  # (2)
    cache = x, h_prev, h, params
    return h, cache


def rnn_step_backward(dh, cache):
    """From the gradient of the loss in h to those in x, in h_prev, and in the weights."""
    x, h_prev, h, (W_x, W_h, b) = cache
    da = ...  # (3)
    dW_x = ...  # (4)
    dW_h = ...  # (4)
    db = ...  # (4)
    dx = ...  # (5)
    dh_prev = ...  # (6)
    return dx, dh_prev, (dW_x, dW_h, db)


def rnn_forward(xs, params, h0):
    """All steps: from xs, (T, N, D), to hs, (T, N, H), the last state, and the caches."""
    h = h0
    hs, caches = [], []
    for x in xs:
        h, cache = ...  # one step
        hs.append(h)
        caches.append(cache)
    return np.stack(hs), h, caches


def rnn_backward(caches, dhs, dh_T):
    """Backpropagation through time.

    dhs[t] is the loss's own gradient in the state of step t; dh_T is that in the last state.
    """
    T = len(caches)
    dxs = [None] * T
    dW_x, dW_h, db = (np.zeros_like(w) for w in caches[0][-1])
    dh_next = ...  # what comes to the last step from behind
    for t in reversed(range(T)):
        dh = ...  # the whole gradient in h_t
        dxs[t], dh_next, (dW_x_t, dW_h_t, db_t) = ...  # one step back
        dW_x = ...  # the sum over the steps
        dW_h = ...
        db = ...
    return np.stack(dxs), (dW_x, dW_h, db), dh_next


# --- the LSTM -------------------------------------------------------------------------------------


def lstm_step(x, h_prev, c_prev, params):
    """From x, (N, D), h_prev and c_prev, (N, H), to h, c, (N, H), and a cache."""
    W_x, W_h, b = params  # (4H, D), (4H, H), (4H,): rows of i, f, g, o
    H = h_prev.shape[1]
    a = ...  # (9)
    i = ...  # (10), of a[:, :H]
    f = ...  # (11), of a[:, H : 2 * H]
    g = ...  # (12), of a[:, 2 * H : 3 * H]
    o = ...  # (13), of a[:, 3 * H :]
    c = ...  # (14)
    h = ...  # (15)
    cache = x, h_prev, c_prev, i, f, g, o, c, params
    return h, c, cache


def lstm_step_backward(dh, dc_next, cache):
    """From the gradients in h and c, as they come from later steps, to all others."""
    x, h_prev, c_prev, i, f, g, o, c, (W_x, W_h, b) = cache
    do = ...  # (16)
    dc = ...  # (17)
    di = ...  # (18)
    df = ...  # (19)
    dg = ...  # (20)
    dc_prev = ...  # (21)
    da_i = ...  # (22)
    da_f = ...  # (23)
    da_g = ...  # (24)
    da_o = ...  # (25)
    da = np.concatenate([da_i, da_f, da_g, da_o], axis=1)  # (N, 4H)
    dW_x = ...  # (26)
    dW_h = ...  # (26)
    db = ...  # (26)
    dx = ...  # (27)
    dh_prev = ...  # (28)
    return dx, dh_prev, dc_prev, (dW_x, dW_h, db)


def lstm_forward(xs, params, h0, c0):
    """All steps: from xs, (T, N, D), to hs, (T, N, H), the last states, and the caches."""
    h, c = h0, c0
    hs, caches = [], []
    for x in xs:
        h, c, cache = ...  # one step
        hs.append(h)
        caches.append(cache)
    return np.stack(hs), h, c, caches


def lstm_backward(caches, dhs, dh_T, dc_T):
    """Backpropagation through time; dh_T and dc_T are the loss's gradients in the last states."""
    T = len(caches)
    dxs = [None] * T
    dW_x, dW_h, db = (np.zeros_like(w) for w in caches[0][-1])
    dh_next = ...  # what comes to the last step from behind
    dc_next = ...
    for t in reversed(range(T)):
        dh = ...  # the whole gradient in h_t
        dxs[t], dh_next, dc_next, (dW_x_t, dW_h_t, db_t) = ...  # one step back
        dW_x = ...  # the sum over the steps
        dW_h = ...
        db = ...
    return np.stack(dxs), (dW_x, dW_h, db), dh_next, dc_next
