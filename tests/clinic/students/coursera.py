"""As in a well-known course: columns, a matrix for each gate on [a_prev; x], dicts everywhere."""

import numpy as np


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    e = np.exp(x - x.max(axis=0))
    return e / e.sum(axis=0)


def rnn_step(xt, a_prev, parameters):
    Wax, Waa, ba = parameters["Wax"], parameters["Waa"], parameters["ba"]
    a_next = np.tanh(np.dot(Waa, a_prev) + np.dot(Wax, xt) + ba)  # (1) (2)
    yt_pred = softmax(np.dot(parameters["Wya"], a_next) + parameters["by"])
    return a_next, yt_pred, (a_next, a_prev, xt, parameters)


def rnn_step_backward(da_next, cache):
    a_next, a_prev, xt, parameters = cache
    dz = (1 - a_next**2) * da_next  # (3)
    return {
        "dxt": np.dot(parameters["Wax"].T, dz),  # (5)
        "dWax": np.dot(dz, xt.T),  # (4)
        "da_prev": np.dot(parameters["Waa"].T, dz),  # (6)
        "dWaa": np.dot(dz, a_prev.T),  # (4)
        "dba": np.sum(dz, axis=1, keepdims=True),  # (4)
    }


def rnn_forward(x, a0, parameters):
    a = np.zeros((a0.shape[0], x.shape[1], x.shape[2]))
    caches, y = [], []
    a_next = a0
    for t in range(x.shape[2]):
        a_next, yt, cache = rnn_step(x[:, :, t], a_next, parameters)  # (loop)
        a[:, :, t] = a_next  # (loop)
        y.append(yt)
        caches.append(cache)
    return a, y, (caches, x)


def rnn_backward(da, caches):
    caches, x = caches
    dx = np.zeros_like(x)
    da_prevt = np.zeros(da.shape[:2])
    sums = {"dWax": 0, "dWaa": 0, "dba": 0}
    for t in reversed(range(x.shape[2])):
        gradients = rnn_step_backward(da[:, :, t] + da_prevt, caches[t])  # (loop)
        da_prevt = gradients["da_prev"]  # (loop)
        dx[:, :, t] = gradients["dxt"]  # (loop)
        for name in sums:
            sums[name] = sums[name] + gradients[name]  # (loop)
    return {"dx": dx, "da0": da_prevt, **sums}


def lstm_step(xt, a_prev, c_prev, parameters):
    Wf, bf, Wi, bi = (parameters[k] for k in ("Wf", "bf", "Wi", "bi"))
    Wc, bc, Wo, bo = (parameters[k] for k in ("Wc", "bc", "Wo", "bo"))
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(np.dot(Wf, concat) + bf)  # (9) (11)
    it = sigmoid(np.dot(Wi, concat) + bi)  # (9) (10)
    cct = np.tanh(np.dot(Wc, concat) + bc)  # (9) (12)
    c_next = ft * c_prev + it * cct  # (14)
    ot = sigmoid(np.dot(Wo, concat) + bo)  # (9) (13)
    a_next = ot * np.tanh(c_next)  # (15)
    yt_pred = softmax(np.dot(parameters["Wy"], a_next) + parameters["by"])
    return (
        a_next,
        c_next,
        yt_pred,
        (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters),
    )


def lstm_step_backward(da_next, dc_next, cache):
    a_next, c_next, a_prev, c_prev, ft, it, cct, ot, xt, parameters = cache
    n_a = a_next.shape[0]
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)  # (16) (25)
    dc = dc_next + ot * (1 - np.square(np.tanh(c_next))) * da_next  # (17)
    dcct = dc * it * (1 - np.square(cct))  # (20) (24)
    dit = dc * cct * it * (1 - it)  # (18) (22)
    dft = dc * c_prev * ft * (1 - ft)  # (19) (23)
    concat = np.concatenate((a_prev, xt), axis=0).T
    dWf = np.dot(dft, concat)  # (26)
    dWi = np.dot(dit, concat)  # (26)
    dWc = np.dot(dcct, concat)  # (26)
    dWo = np.dot(dot, concat)  # (26)
    dbf = np.sum(dft, axis=1, keepdims=True)  # (26)
    dbi = np.sum(dit, axis=1, keepdims=True)  # (26)
    dbc = np.sum(dcct, axis=1, keepdims=True)  # (26)
    dbo = np.sum(dot, axis=1, keepdims=True)  # (26)
    Wf, Wi, Wc, Wo = (parameters[k] for k in ("Wf", "Wi", "Wc", "Wo"))
    da_prev = np.dot(Wf[:, :n_a].T, dft) + np.dot(Wi[:, :n_a].T, dit)
    da_prev = da_prev + np.dot(Wc[:, :n_a].T, dcct) + np.dot(Wo[:, :n_a].T, dot)  # (28)
    dc_prev = dc * ft  # (21)
    dxt = np.dot(Wf[:, n_a:].T, dft) + np.dot(Wi[:, n_a:].T, dit)
    dxt = dxt + np.dot(Wc[:, n_a:].T, dcct) + np.dot(Wo[:, n_a:].T, dot)  # (27)
    return {
        "dxt": dxt,
        "da_prev": da_prev,
        "dc_prev": dc_prev,
        "dWf": dWf,
        "dbf": dbf,
        "dWi": dWi,
        "dbi": dbi,
        "dWc": dWc,
        "dbc": dbc,
        "dWo": dWo,
        "dbo": dbo,
    }


def lstm_forward(x, a0, parameters):
    caches = []
    a = np.zeros((a0.shape[0], x.shape[1], x.shape[2]))
    c, y = np.zeros_like(a), []
    a_next, c_next = a0, np.zeros(a0.shape)
    for t in range(x.shape[2]):
        a_next, c_next, yt, cache = lstm_step(x[:, :, t], a_next, c_next, parameters)  # (loop)
        a[:, :, t] = a_next  # (loop)
        c[:, :, t] = c_next
        y.append(yt)
        caches.append(cache)
    return a, y, c, (caches, x)


def lstm_backward(da, caches):
    caches, x = caches
    dx = np.zeros(x.shape)
    da_prevt, dc_prevt = np.zeros(da.shape[:2]), np.zeros(da.shape[:2])
    sums = {name: 0 for name in "dWf dbf dWi dbi dWc dbc dWo dbo".split()}
    for t in reversed(range(x.shape[2])):
        gradients = lstm_step_backward(da[:, :, t] + da_prevt, dc_prevt, caches[t])  # (loop)
        da_prevt = gradients["da_prev"]  # (loop)
        dc_prevt = gradients["dc_prev"]  # (loop)
        dx[:, :, t] = gradients["dxt"]  # (loop)
        for name in sums:
            sums[name] = sums[name] + gradients[name]  # (loop)
    return {"dx": dx, "da0": da_prevt, **sums}
