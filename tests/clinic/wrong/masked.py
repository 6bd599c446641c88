"""A mask that keeps h past the end of an example, and forgets to keep c."""

import numpy as np

PADDED = True


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, params, h0, c0, lengths):
    W, U, b = params
    n = h0.shape[1]
    h, c, hs, tape = h0, c0, [], []
    for t, x in enumerate(xs):
        on = (t < lengths)[:, None]
        z = x @ W.T + h @ U.T + b
        i, f = sigmoid(z[:, :n]), sigmoid(z[:, n : 2 * n])
        g, o = np.tanh(z[:, 2 * n : 3 * n]), sigmoid(z[:, 3 * n :])
        c_new = f * c + i * g  # WRONG (loop)
        h_new = np.where(on, o * np.tanh(c_new), h)
        tape.append((x, h, c, i, f, g, o, c_new, on))
        h, c = h_new, c_new
        hs.append(np.where(on, h, 0))
    return np.array(hs), h, c, (tape, params)


def lstm_backward(cache, dhs, dh_T, dc_T):
    tape, (W, U, b) = cache
    dh, dc, dxs, dW, dU, db = dh_T, dc_T, [], 0, 0, 0
    for own, (x, h, c, i, f, g, o, c_new, on) in zip(dhs[::-1], tape[::-1]):
        dh = dh + own
        t = np.tanh(c_new)
        dh_on = dh * on
        dct = dc + dh_on * o * (1 - t**2)
        dz = np.hstack(
            [
                dct * g * i * (1 - i),
                dct * c * f * (1 - f),
                dct * i * (1 - g**2),
                dh_on * t * o * (1 - o),
            ]
        )
        dxs.append(dz @ W)
        dW, dU, db = dW + dz.T @ x, dU + dz.T @ h, db + dz.sum(0)
        dh = dz @ U + dh * (1 - on)
        dc = dct * f
    return np.array(dxs[::-1]), (dW, dU, db), dh, dc
