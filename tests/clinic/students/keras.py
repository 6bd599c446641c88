"""Keras's kernels, batch first; a backward pass that is one function, with products of its own."""

import numpy as np


def hard_to_overflow(z):
    return 0.5 * (1 + np.tanh(z / 2))


def rnn_step(x, h, kernel, recurrent_kernel, bias):
    z = np.dot(x, kernel) + np.dot(h, recurrent_kernel) + bias  # (1)
    output = np.tanh(z)  # (2)
    return output, output, {"x": x, "h": h, "out": output, "k": kernel, "r": recurrent_kernel}


def rnn_step_backward(d_out, cache):
    dz = d_out * (1.0 - np.square(cache["out"]))  # (3)
    dkernel = np.dot(cache["x"].T, dz)  # (4)
    drecurrent = np.dot(cache["h"].T, dz)  # (4)
    dbias = np.sum(dz, axis=0)  # (4)
    dx = np.dot(dz, cache["k"].T)  # (5)
    dh = np.dot(dz, cache["r"].T)  # (6)
    return dx, dh, dkernel, drecurrent, dbias


def rnn_forward(inputs, h, kernel, recurrent_kernel, bias):
    outputs, caches = [], []
    for t in range(inputs.shape[1]):
        h, _, cache = rnn_step(inputs[:, t, :], h, kernel, recurrent_kernel, bias)  # (loop)
        outputs.append(h)
        caches.append(cache)
    return np.stack(outputs, axis=1), h, caches


def rnn_backward(d_outputs, dh, caches):
    dxs, totals = [], None
    for t in reversed(range(len(caches))):
        dx, dh, *grads = rnn_step_backward(d_outputs[:, t] + dh, caches[t])  # (loop)
        dxs.insert(0, dx)
        if totals is None:
            totals = grads
        else:
            totals = [a + b for a, b in zip(totals, grads)]  # (loop)
    return np.stack(dxs, 1), dh, *totals


def lstm_step(x, states, kernel, recurrent_kernel, bias):
    h_tm1, c_tm1 = states
    z = np.dot(x, kernel)
    z += np.dot(h_tm1, recurrent_kernel)  # (9)
    z = z + bias
    z0, z1, z2, z3 = np.split(z, 4, axis=1)
    i = hard_to_overflow(z0)  # (10)
    f = hard_to_overflow(z1)  # (11)
    candidate = np.tanh(z2)  # (12)
    c = f * c_tm1 + i * candidate  # (14)
    o = hard_to_overflow(z3)  # (13)
    h = o * np.tanh(c)  # (15)
    cache = dict(
        x=x, h_tm1=h_tm1, c_tm1=c_tm1, i=i, f=f, g=candidate, c=c, o=o, k=kernel, r=recurrent_kernel
    )
    return h, [h, c], cache


def lstm_step_backward(dh, dc, cache):
    i, f, g, o = (cache[name] for name in "ifgo")
    tanh_c = np.tanh(cache["c"])
    dc_total = dc + dh * o * (1 - tanh_c * tanh_c)  # (17)
    dz = np.zeros((len(dh), 4, dh.shape[1]))
    dz[:, 0] = dc_total * g * i * (1 - i)  # (18) (22)
    dz[:, 1] = dc_total * cache["c_tm1"] * f * (1 - f)  # (19) (23)
    dz[:, 2] = dc_total * i * (1 - g * g)  # (20) (24)
    dz[:, 3] = dh * tanh_c * o * (1 - o)  # (16) (25)
    dz = dz.reshape(len(dh), -1)
    dkernel = cache["x"].T.dot(dz)  # (26)
    drecurrent = cache["h_tm1"].T.dot(dz)  # (26)
    dbias = dz.sum(axis=0)  # (26)
    dx = dz.dot(cache["k"].T)  # (27)
    dh_tm1 = dz.dot(cache["r"].T)  # (28)
    return dx, dh_tm1, dc_total * f, dkernel, drecurrent, dbias


def lstm_forward(inputs, states, kernel, recurrent_kernel, bias):
    outputs, caches = [], []
    for t in range(inputs.shape[1]):
        h, states, cache = lstm_step(inputs[:, t], states, kernel, recurrent_kernel, bias)  # (loop)
        outputs.append(h)
        caches.append(cache)
    return np.stack(outputs, axis=1), states[0], states[1], caches


def lstm_backward(d_outputs, dh, dc, caches):
    dxs, totals = [], None
    for t in reversed(range(len(caches))):
        dx, dh, dc, *grads = lstm_step_backward(d_outputs[:, t] + dh, dc, caches[t])  # (loop)
        dxs.insert(0, dx)
        if totals is None:
            totals = grads
        else:
            totals = [a + b for a, b in zip(totals, grads)]  # (loop)
    return np.stack(dxs, 1), dh, dc, *totals
