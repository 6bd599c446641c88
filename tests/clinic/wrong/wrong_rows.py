"""A matrix for each gate on [h, x]; one gate's weights stand in another's place, backward."""

import numpy as np

LAYOUT = "coursera"


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def lstm_step(xt, a_prev, c_prev, parameters):
    p = parameters
    concat = np.concatenate((a_prev, xt), axis=0)
    ft = sigmoid(np.dot(p["Wf"], concat) + p["bf"])
    it = sigmoid(np.dot(p["Wi"], concat) + p["bi"])
    cct = np.tanh(np.dot(p["Wc"], concat) + p["bc"])
    ot = sigmoid(np.dot(p["Wo"], concat) + p["bo"])
    c_next = ft * c_prev + it * cct
    a_next = ot * np.tanh(c_next)
    return a_next, c_next, None, (a_next, c_next, a_prev, c_prev, ft, it, cct, ot, concat, p)


def lstm_step_backward(da_next, dc_next, cache):
    a_next, c_next, a_prev, c_prev, ft, it, cct, ot, concat, p = cache
    n_a = len(a_next)
    grads = {}
    dot = da_next * np.tanh(c_next) * ot * (1 - ot)
    common = dc_next + ot * (1 - np.tanh(c_next) ** 2) * da_next
    dcct = common * it * (1 - cct**2)
    dit = common * cct * it * (1 - it)
    dft = common * c_prev * ft * (1 - ft)
    for name, delta in (("f", dft), ("i", dit), ("c", dcct), ("o", dot)):
        grads["dW" + name] = np.dot(delta, concat.T)
        grads["db" + name] = np.sum(delta, axis=1, keepdims=True)
    dconcat = (
        np.dot(p["Wf"].T, dft)
        + np.dot(p["Wi"].T, dit)
        + np.dot(p["Wc"].T, dcct)
        + np.dot(p["Wi"].T, dot)  # WRONG (27)
    )
    grads["da_prev"], grads["dxt"] = dconcat[:n_a], dconcat[n_a:]
    grads["dc_prev"] = common * ft
    return grads
