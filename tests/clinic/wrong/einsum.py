"""Einsum over a stack of gates, (4, N, H); a dataclass for each step."""

from dataclasses import dataclass

import numpy as np


@dataclass
class Step:
    x: np.ndarray
    h: np.ndarray
    c: np.ndarray
    gates: np.ndarray
    tc: np.ndarray
    weights: tuple


def lstm_step(x, h, c, params):
    W, U, b = (a.reshape(4, -1, *a.shape[1:]) for a in params)
    z = np.einsum("kad,nd->kna", W, x) + np.einsum("kab,nb->kna", U, h) + b[:, None]
    gates = 1 / (1 + np.exp(-z))
    gates[2] = np.tanh(z[2])
    i, f, g, o = gates
    c_next = f * c + i * g
    tc = np.tanh(c_next)
    return o * tc, c_next, Step(x, h, c, gates, tc, (W, U))


def lstm_step_backward(dh, dc, step):
    i, f, g, o = step.gates
    W, U = step.weights
    dc_total = dc + dh * o * (1 - step.tc**2)
    upstream = np.stack([dc_total * g, dc_total * step.c, dc_total * i, dh * step.tc])
    slopes = step.gates * (1 - step.gates)
    slopes[2] = 1 - g**2
    dz = upstream * slopes
    dW = np.einsum("kna,nd->kad", dz, step.x)
    dU = np.einsum("kna,nb->kba", dz, step.h)  # WRONG (26)
    db = dz.sum(axis=1)
    dx = np.einsum("kna,kad->nd", dz, W)
    dh_prev = np.einsum("kna,kab->nb", dz, U)
    n = dh.shape[1]
    return dx, dh_prev, dc_total * f, (dW.reshape(4 * n, -1), dU.reshape(4 * n, -1), db.ravel())
