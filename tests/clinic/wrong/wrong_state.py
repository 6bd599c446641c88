"""Single example in columns; the loop goes on with a state of another step."""

import numpy as np

LAYOUT = "min-char-rnn"


def rnn_forward(xs, hprev, Wxh, Whh, bh):
    hs = {-1: np.copy(hprev)}
    for t in range(len(xs)):
        hs[t] = np.tanh(Wxh @ xs[t] + Whh @ hs[t - 1] + bh)
    return hs, (xs, hs, Wxh, Whh)


def rnn_backward(dys, cache):
    xs, hs, Wxh, Whh = cache
    dWxh, dWhh, dbh = np.zeros_like(Wxh), np.zeros_like(Whh), np.zeros((len(Whh), 1))
    dhnext = np.zeros_like(hs[0])
    dxs = []
    for t in reversed(range(len(xs))):
        dh = dys[t] + dhnext
        dhraw = (1 - hs[t] * hs[t]) * dh
        dbh += dhraw
        dWxh += dhraw @ xs[t].T
        dWhh += dhraw @ hs[0].T  # WRONG (4)
        dxs.append(Wxh.T @ dhraw)
        dhnext = Whh.T @ dhraw
    return dxs[::-1], dhnext, dWxh, dWhh, dbh
