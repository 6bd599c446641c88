"""Batch first; dc is multiplied by the forget gate of another step."""

import numpy as np

LAYOUT = "keras"


def sg(z):
    return 0.5 * (1 + np.tanh(z / 2))


def lstm_forward(x, states, kernel, recurrent, bias):
    h, c = states
    tape, out = [], []
    for t in range(x.shape[1]):
        z = x[:, t] @ kernel + h @ recurrent + bias
        zi, zf, zc, zo = np.split(z, 4, axis=-1)
        i, f, cand, o = sg(zi), sg(zf), np.tanh(zc), sg(zo)
        c_new = f * c + i * cand
        h_new = o * np.tanh(c_new)
        tape.append((x[:, t], h, c, i, f, cand, o, c_new))
        out.append(h_new)
        h, c = h_new, c_new
    return np.stack(out, 1), h, c, (tape, kernel, recurrent, bias)


def lstm_backward(dout, dh, dc, cache):
    tape, kernel, recurrent, bias = cache
    dk, dr, db = np.zeros_like(kernel), np.zeros_like(recurrent), np.zeros_like(bias)
    dx = []
    f_next = None
    for t in range(len(tape) - 1, -1, -1):
        x, h_prev, c_prev, i, f, cand, o, c = tape[t]
        dh = dh + dout[:, t]
        tc = np.tanh(c)
        carried = dc if f_next is None else dc * f  # WRONG (21)
        dc = carried + dh * o * (1 - tc**2)
        dz = np.concatenate(
            [
                dc * cand * i * (1 - i),
                dc * c_prev * f * (1 - f),
                dc * i * (1 - cand**2),
                dh * tc * o * (1 - o),
            ],
            axis=1,
        )
        dk += x.T @ dz
        dr += h_prev.T @ dz
        db += dz.sum(0)
        dx.append(dz @ kernel.T)
        dh = dz @ recurrent.T
        f_next = f
    return np.stack(dx[::-1], 1), dh, dc * f, dk, dr, db
