"""PyTorch's names and two biases; a class of keywords for a cache; slopes as small functions."""

from types import SimpleNamespace

import numpy as np


def sigmoid(a):
    return np.where(a >= 0, 1 / (1 + np.exp(-np.abs(a))), 1 - 1 / (1 + np.exp(-np.abs(a))))


def dsigmoid(y):
    return y * (1 - y)


def dtanh(y):
    return 1 - y**2


def rnn_step(x, h, W_ih, W_hh, b_ih, b_hh):
    gates = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh  # (1)
    h_next = np.tanh(gates)  # (2)
    return h_next, SimpleNamespace(x=x, h=h, h_next=h_next, W_ih=W_ih, W_hh=W_hh)


def rnn_step_backward(dh, s):
    dgates = dh * dtanh(s.h_next)  # (3)
    dW_ih = np.einsum("nk,nd->kd", dgates, s.x)  # (4)
    dW_hh = np.einsum("nk,nd->kd", dgates, s.h)  # (4)
    db = np.einsum("nk->k", dgates)  # (4)
    dx = np.einsum("nk,kd->nd", dgates, s.W_ih)  # (5)
    dh_prev = np.einsum("nk,kd->nd", dgates, s.W_hh)  # (6)
    return dx, dh_prev, dW_ih, dW_hh, db, db


def rnn_forward(xs, h0, W_ih, W_hh, b_ih, b_hh):
    h, tape = h0, []
    output = np.empty((len(xs), *h0.shape))
    for t in range(len(xs)):
        h, saved = rnn_step(xs[t], h, W_ih, W_hh, b_ih, b_hh)  # (loop)
        output[t] = h  # (loop)
        tape.append(saved)
    return output, h, tape


def rnn_backward(doutput, dh_n, tape):
    W_ih, W_hh = tape[0].W_ih, tape[0].W_hh
    dW_ih, dW_hh = np.zeros_like(W_ih), np.zeros_like(W_hh)
    db = np.zeros(len(W_ih))
    dxs = np.empty((len(tape), *tape[0].x.shape))
    dh = dh_n.copy()  # (loop)
    for t in range(len(tape))[::-1]:
        dh = dh + doutput[t]  # (loop)
        dxs[t], dh, one, two, three, _ = rnn_step_backward(dh, tape[t])  # (loop)
        dW_ih += one  # (loop)
        dW_hh += two  # (loop)
        db += three  # (loop)
    return dxs, dh, dW_ih, dW_hh, db, db


def lstm_step(x, state, W_ih, W_hh, b_ih, b_hh):
    h, c = state
    gates = x @ W_ih.T + b_ih + h @ W_hh.T + b_hh  # (9)
    ingate, forgetgate, cellgate, outgate = np.split(gates, 4, axis=1)
    ingate = sigmoid(ingate)  # (10)
    forgetgate = sigmoid(forgetgate)  # (11)
    cellgate = np.tanh(cellgate)  # (12)
    outgate = sigmoid(outgate)  # (13)
    cy = forgetgate * c + ingate * cellgate  # (14)
    hy = outgate * np.tanh(cy)  # (15)
    saved = SimpleNamespace(
        x=x, h=h, c=c, i=ingate, f=forgetgate, g=cellgate, o=outgate, cy=cy, W_ih=W_ih, W_hh=W_hh
    )
    return (hy, cy), saved


def lstm_step_backward(dstate, s):
    dh, dc = dstate
    tanh_cy = np.tanh(s.cy)
    d_outgate = dh * tanh_cy * dsigmoid(s.o)  # (16) (25)
    d_cy = dc + dh * s.o * dtanh(tanh_cy)  # (17)
    d_ingate = d_cy * s.g * dsigmoid(s.i)  # (18) (22)
    d_forgetgate = d_cy * s.c * dsigmoid(s.f)  # (19) (23)
    d_cellgate = d_cy * s.i * dtanh(s.g)  # (20) (24)
    dc_prev = d_cy * s.f  # (21)
    dgates = np.concatenate((d_ingate, d_forgetgate, d_cellgate, d_outgate), 1)
    dW_ih = np.einsum("nk,nd->kd", dgates, s.x)  # (26)
    dW_hh = np.einsum("nk,nd->kd", dgates, s.h)  # (26)
    db = np.einsum("nk->k", dgates)  # (26)
    dx = np.einsum("nk,kd->nd", dgates, s.W_ih)  # (27)
    dh_prev = np.einsum("nk,kd->nd", dgates, s.W_hh)  # (28)
    return dx, (dh_prev, dc_prev), dW_ih, dW_hh, db, db


def lstm_forward(xs, state, W_ih, W_hh, b_ih, b_hh):
    tape, output = [], np.empty((len(xs), *state[0].shape))
    for t in range(len(xs)):
        state, saved = lstm_step(xs[t], state, W_ih, W_hh, b_ih, b_hh)  # (loop)
        output[t] = state[0]  # (loop)
        tape.append(saved)
    return output, state, tape


def lstm_backward(doutput, dstate, tape):
    W_ih, W_hh = tape[0].W_ih, tape[0].W_hh
    dW_ih, dW_hh = np.zeros_like(W_ih), np.zeros_like(W_hh)
    db = np.zeros(len(W_ih))
    dxs = np.empty((len(tape), *tape[0].x.shape))
    dh, dc = dstate  # (loop)
    for t in range(len(tape))[::-1]:
        dh = dh + doutput[t]  # (loop)
        dxs[t], (dh, dc), one, two, three, _ = lstm_step_backward((dh, dc), tape[t])  # (loop)
        dW_ih += one  # (loop)
        dW_hh += two  # (loop)
        db += three  # (loop)
    return dxs, (dh, dc), dW_ih, dW_hh, db, db
