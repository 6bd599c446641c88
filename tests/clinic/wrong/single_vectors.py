"""Nodes of a list, one for each step, with differences kept in a parameter object; np.outer."""

import numpy as np


def sigmoid(x):
    return 1.0 / (1 + np.exp(-x))


def sigmoid_derivative(values):
    return values * (1 - values)


def tanh_derivative(values):
    return 1.0 - values**2


class Param:
    def __init__(self, W, U, b):
        n = len(b) // 4
        for k, gate in enumerate("ifgo"):
            part = slice(k * n, (k + 1) * n)
            setattr(self, "w" + gate, np.hstack([W[part], U[part]]))
            setattr(self, "b" + gate, b[part])
            setattr(self, "w" + gate + "_diff", np.zeros((n, W.shape[1] + n)))
            setattr(self, "b" + gate + "_diff", np.zeros(n))


class State:
    pass


class Node:
    def __init__(self, param):
        self.param, self.state = param, State()

    def bottom_data_is(self, x, s_prev, h_prev):
        p, s = self.param, self.state
        self.s_prev, self.h_prev, self.x_dim = s_prev, h_prev, len(x)
        self.xc = np.hstack((x, h_prev))
        s.g = np.tanh(np.dot(p.wg, self.xc) + p.bg)
        s.i = sigmoid(np.dot(p.wi, self.xc) + p.bi)
        s.f = sigmoid(np.dot(p.wf, self.xc) + p.bf)
        s.o = sigmoid(np.dot(p.wo, self.xc) + p.bo)
        s.s = s.g * s.i + s_prev * s.f
        s.h = np.tanh(s.s) * s.o

    def top_diff_is(self, top_diff_h, top_diff_s):
        p, st = self.param, self.state
        ds = st.o * tanh_derivative(np.tanh(st.s)) * top_diff_h + top_diff_s
        do = np.tanh(st.s) * top_diff_h
        di = st.g * ds
        dg = st.i * ds
        df = self.s_prev * ds
        di_input = sigmoid_derivative(st.i) * di
        df_input = sigmoid_derivative(st.f) * df
        do_input = sigmoid_derivative(st.o) * do
        dg_input = tanh_derivative(st.i) * dg  # WRONG (24)
        p.wi_diff += np.outer(di_input, self.xc)
        p.wf_diff += np.outer(df_input, self.xc)
        p.wo_diff += np.outer(do_input, self.xc)
        p.wg_diff += np.outer(dg_input, self.xc)
        p.bi_diff += di_input
        p.bf_diff += df_input
        p.bo_diff += do_input
        p.bg_diff += dg_input
        dxc = np.zeros_like(self.xc)
        dxc += np.dot(p.wi.T, di_input)
        dxc += np.dot(p.wf.T, df_input)
        dxc += np.dot(p.wo.T, do_input)
        dxc += np.dot(p.wg.T, dg_input)
        self.bottom_diff_s = ds * st.f
        self.bottom_diff_h = dxc[self.x_dim :]
        self.bottom_diff_x = dxc[: self.x_dim]


LAYOUT = "vectors"


def lstm_forward(xs, params, h0, c0):
    nodes, s, h = [], c0, h0
    for x in xs:
        node = Node(Param(*params))
        node.bottom_data_is(x, s, h)
        s, h = node.state.s, node.state.h
        nodes.append(node)
    return np.array([node.state.h for node in nodes]), h, s, nodes


def lstm_backward(nodes, dhs, dh_T, dc_T):
    dh, ds = dh_T, dc_T
    dxs, total = [], 0
    for node, own in zip(nodes[::-1], dhs[::-1]):
        p = Param(
            np.hstack([node.param.wi] * 1)[:, : node.x_dim].repeat(4, 0) * 0,
            np.zeros((4 * len(dh), len(dh))),
            np.zeros(4 * len(dh)),
        )
        for gate in "ifgo":
            setattr(p, "w" + gate, getattr(node.param, "w" + gate))
        node.param = p
        node.top_diff_is(dh + own, ds)
        dh, ds = node.bottom_diff_h, node.bottom_diff_s
        dxs.append(node.bottom_diff_x)
        w = np.vstack([getattr(p, f"w{gate}_diff") for gate in "ifgo"])
        b = np.hstack([getattr(p, f"b{gate}_diff") for gate in "ifgo"])
        total = total + np.hstack([w, b[:, None]])
    d = nodes[0].x_dim
    return np.array(dxs[::-1]), (total[:, :d], total[:, d:-1], total[:, -1]), dh, ds
