"""Single vectors, np.outer, and a dataclass for each step."""

from dataclasses import dataclass

import numpy as np


def s(z):
    return 1 / (1 + np.exp(-z))


@dataclass
class Saved:
    x: np.ndarray
    h_prev: np.ndarray
    h: np.ndarray
    c_prev: np.ndarray = None
    c: np.ndarray = None
    gates: dict = None
    weights: tuple = None


def rnn_step(x, h_prev, params):
    W, U, b = params
    h = np.tanh(W.dot(x) + U.dot(h_prev) + b)  # (1) (2)
    return h, Saved(x, h_prev, h, weights=params)


def rnn_step_backward(dh, saved):
    W, U, _ = saved.weights
    dz = dh * (1 - saved.h**2)  # (3)
    dW = np.outer(dz, saved.x)  # (4)
    dU = np.outer(dz, saved.h_prev)  # (4)
    dx = W.T.dot(dz)  # (5)
    dh_prev = U.T.dot(dz)  # (6)
    return dx, dh_prev, (dW, dU, dz)


def lstm_step(x, h_prev, c_prev, params):
    W, U, b = params
    z = (W.dot(x) + U.dot(h_prev) + b).reshape(4, -1)  # (9)
    gates = {"i": s(z[0]), "f": s(z[1]), "g": np.tanh(z[2]), "o": s(z[3])}  # (10) (11) (12) (13)
    c = gates["f"] * c_prev + gates["i"] * gates["g"]  # (14)
    h = gates["o"] * np.tanh(c)  # (15)
    return h, c, Saved(x, h_prev, h, c_prev, c, gates, params)


def lstm_step_backward(dh, dc, saved):
    W, U, _ = saved.weights
    i, f, g, o = (saved.gates[k] for k in "ifgo")
    do = dh * np.tanh(saved.c)  # (16)
    dc = dc + dh * o * (1 - np.tanh(saved.c) ** 2)  # (17)
    di = dc * g  # (18)
    df = dc * saved.c_prev  # (19)
    dg = dc * i  # (20)
    dzi = di * i * (1 - i)  # (22)
    dzf = df * f * (1 - f)  # (23)
    dzg = dg * (1 - g**2)  # (24)
    dzo = do * o * (1 - o)  # (25)
    dz = np.concatenate([dzi, dzf, dzg, dzo])
    dW = np.outer(dz, saved.x)  # (26)
    dU = np.outer(dz, saved.h_prev)  # (26)
    dx = W.T.dot(dz)  # (27)
    dh_prev = U.T.dot(dz)  # (28)
    dc_prev = dc * f  # (21)
    return dx, dh_prev, dc_prev, (dW, dU, dz)


def rnn_forward(xs, params, h0):
    tape, h = [], h0
    for x in xs:
        h, saved = rnn_step(x, h, params)  # (loop)
        tape.append(saved)
    return np.stack([saved.h for saved in tape]), h, tape


def rnn_backward(tape, dhs, dh_T):
    W, U, b = tape[0].weights
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(b.shape)
    dh, dxs = dh_T, np.zeros((len(tape), W.shape[1]))
    for t in range(len(tape))[::-1]:
        dxs[t], dh, (a, k, e) = rnn_step_backward(dh + dhs[t], tape[t])  # (loop)
        dW += a  # (loop)
        dU += k  # (loop)
        db += e  # (loop)
    return dxs, (dW, dU, db), dh


def lstm_forward(xs, params, h0, c0):
    tape, h, c = [], h0, c0
    for x in xs:
        h, c, saved = lstm_step(x, h, c, params)  # (loop)
        tape.append(saved)
    return np.stack([saved.h for saved in tape]), h, c, tape


def lstm_backward(tape, dhs, dh_T, dc_T):
    W, U, b = tape[0].weights
    dW, dU, db = np.zeros(W.shape), np.zeros(U.shape), np.zeros(b.shape)
    dh, dc, dxs = dh_T, dc_T, np.zeros((len(tape), W.shape[1]))
    for t in range(len(tape))[::-1]:
        dxs[t], dh, dc, (a, k, e) = lstm_step_backward(dh + dhs[t], dc, tape[t])  # (loop)
        dW += a  # (loop)
        dU += k  # (loop)
        db += e  # (loop)
    return dxs, (dW, dU, db), dh, dc
