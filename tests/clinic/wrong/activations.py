"""Activations are objects with a method for the value and one for the slope."""

import numpy as np


class Logistic:
    def of(self, z):
        return 1 / (1 + np.exp(-z))

    def grad(self, z):
        return self.of(z) * (1 - self.of(z))


class Tanh:
    def of(self, z):
        return np.tanh(z)

    def grad(self, z):
        return 1 - np.tanh(z) ** 2


class Cell:
    gate, act = Logistic(), Tanh()

    def __init__(self, W, U, b):
        self.W, self.U, self.b = W, U, b

    def forward(self, x, h, c):
        self.x, self.h, self.c = x, h, c
        self.zi, self.zf, self.zg, self.zo = np.split(x @ self.W.T + h @ self.U.T + self.b, 4, 1)
        self.new = self.gate.of(self.zf) * c + self.gate.of(self.zi) * self.act.of(self.zg)
        return self.gate.of(self.zo) * self.act.of(self.new), self.new

    def backward(self, dh, dc):
        dc = dc + dh * self.gate.of(self.zo) * self.act.grad(self.new)
        di = dc * self.act.of(self.zg) * self.gate.grad(self.zi)
        df = dc * self.c * self.gate.grad(self.zg)  # WRONG (23)
        dg = dc * self.gate.of(self.zi) * self.act.grad(self.zg)
        do = dh * self.act.of(self.new) * self.gate.grad(self.zo)
        d = np.concatenate([di, df, dg, do], axis=1)
        return (
            d @ self.W,
            d @ self.U,
            dc * self.gate.of(self.zf),
            (d.T @ self.x, d.T @ self.h, d.sum(0)),
        )


def lstm_step(x, h, c, params):
    cell = Cell(*params)
    return *cell.forward(x, h, c), cell


def lstm_step_backward(dh, dc, cell):
    return cell.backward(dh, dc)
