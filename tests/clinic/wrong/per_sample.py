"""A loop over the examples of a batch, one after another."""

import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_step(x, h_prev, c_prev, params):
    W, U, b = params
    n = h_prev.shape[1]
    h, c, kept = np.zeros_like(h_prev), np.zeros_like(c_prev), []
    for s in range(len(x)):
        z = W @ x[s] + U @ h_prev[s] + b
        i, f, g, o = (
            sigmoid(z[:n]),
            sigmoid(z[n : 2 * n]),
            np.tanh(z[2 * n : 3 * n]),
            sigmoid(z[3 * n :]),
        )
        c[s] = f * c_prev[s] + i * g
        h[s] = o * np.tanh(c[s])
        kept.append((i, f, g, o))
    return h, c, (x, h_prev, c_prev, c, kept, params)


def lstm_step_backward(dh, dc_next, cache):
    x, h_prev, c_prev, c, kept, (W, U, b) = cache
    dx, dh_prev, dc_prev = np.zeros_like(x), np.zeros_like(h_prev), np.zeros_like(c_prev)
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    for s in range(len(x)):
        i, f, g, o = kept[s]
        t = np.tanh(c[s])
        do = dh[s] * t
        dc = dc_next[s] + dh[s] * o * (1 - t * t)
        di = dc * g
        df = dc * (c_prev[s] - g)  # WRONG (19)
        dg = dc * i
        dc_prev[s] = dc * f
        da = np.concatenate(
            [di * i * (1 - i), df * f * (1 - f), dg * (1 - g * g), do * o * (1 - o)]
        )
        dW += np.outer(da, x[s])
        dU += np.outer(da, h_prev[s])
        db += da
        dx[s] = W.T @ da
        dh_prev[s] = U.T @ da
    return dx, dh_prev, dc_prev, (dW, dU, db)
