import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def lstm_forward(xs, params, h0, c0):
    W, U, b = params
    h, c, hs, tape = h0, c0, [], []
    for x in xs:
        zi, zf, zg, zo = np.split(x @ W.T + h @ U.T + b, 4, axis=1)
        i, f, g, o = sigmoid(zi), sigmoid(zf), np.tanh(zg), sigmoid(zo)
        c_new = f * c + i * g
        tape.append((x, h, c, i, f, g, o, np.tanh(c_new)))
        h, c = o * np.tanh(c_new), c_new
        hs.append(h)
    return np.array(hs), h, c, (tape, params)


def lstm_backward(cache, dhs, dh_T, dc_T):
    tape, (W, U, b) = cache
    dW, dU, db = np.zeros_like(W), np.zeros_like(U), np.zeros_like(b)
    dh, dc, dxs = dh_T, dc_T, []
    for t in reversed(range(len(tape))):
        x, h_prev, c_prev, i, f, g, o, tanh_c = tape[t]
        dh = dh + dhs[t]
        do = dh * tanh_c
        ds = dc + dh * o * (1 - tanh_c**2)
        di, df, dg = ds * g, ds * c_prev, ds * i
        dz = np.hstack([di * i * (1 - i), df * f * (1 - f), dg * (1 - g**2), do * o * (1 - o)])
        dW += dz.T @ x
        dU += dz.T @ h_prev
        db += dz.sum(axis=0)
        dxs.insert(0, dz @ W)
        dh = dz @ U
        dc = (dc + dh * o * (1 - tanh_c**2)) * f
    return np.array(dxs), (dW, dU, db), dh, dc
