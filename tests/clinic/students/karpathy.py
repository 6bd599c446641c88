"""One matrix [1, x, h], arrays for all steps laid out beforehand, gates i, f, o, g side by side."""

import numpy as np


def lstm_forward(X, WLSTM, c0, h0):
    n, b, d = X.shape
    k = h0.shape[1]
    Hin = np.zeros((n, b, d + k + 1))
    Hout, IFOG, IFOGf = np.zeros((n, b, k)), np.zeros((n, b, 4 * k)), np.zeros((n, b, 4 * k))
    C, Ct = np.zeros((n, b, k)), np.zeros((n, b, k))
    for t in range(n):
        prevh = Hout[t - 1] if t > 0 else h0  # (loop)
        Hin[t, :, 0] = 1
        Hin[t, :, 1 : d + 1] = X[t]  # (loop)
        Hin[t, :, d + 1 :] = prevh  # (loop)
        IFOG[t] = Hin[t].dot(WLSTM)  # (9)
        IFOGf[t, :, : 3 * k] = 1.0 / (1.0 + np.exp(-IFOG[t, :, : 3 * k]))  # (10) (11) (13)
        IFOGf[t, :, 3 * k :] = np.tanh(IFOG[t, :, 3 * k :])  # (12)
        prevc = C[t - 1] if t > 0 else c0  # (loop)
        C[t] = IFOGf[t, :, :k] * IFOGf[t, :, 3 * k :] + IFOGf[t, :, k : 2 * k] * prevc  # (14)
        Ct[t] = np.tanh(C[t])  # (15)
        Hout[t] = IFOGf[t, :, 2 * k : 3 * k] * Ct[t]  # (15)
    return Hout, C[-1], Hout[-1], (WLSTM, Hin, IFOGf, C, Ct, c0)


def lstm_backward(dHout_in, cache, dcn, dhn):
    WLSTM, Hin, IFOGf, C, Ct, c0 = cache
    n, b, k = dHout_in.shape
    d = Hin.shape[2] - k - 1
    dIFOG, dIFOGf = np.zeros(IFOGf.shape), np.zeros(IFOGf.shape)
    dWLSTM, dHin = np.zeros(WLSTM.shape), np.zeros(Hin.shape)
    dC, dX = np.zeros(C.shape), np.zeros((n, b, d))
    dHout = dHout_in.copy()
    dC[n - 1] += dcn  # (loop)
    dHout[n - 1] += dhn  # (loop)
    for t in reversed(range(n)):
        tanhCt = Ct[t]
        dIFOGf[t, :, 2 * k : 3 * k] = tanhCt * dHout[t]  # (16)
        dC[t] += (1 - tanhCt**2) * (IFOGf[t, :, 2 * k : 3 * k] * dHout[t])  # (17)
        before = C[t - 1] if t > 0 else c0
        dIFOGf[t, :, k : 2 * k] = before * dC[t]  # (19)
        dcarried = IFOGf[t, :, k : 2 * k] * dC[t]  # (21)
        dIFOGf[t, :, :k] = IFOGf[t, :, 3 * k :] * dC[t]  # (18)
        dIFOGf[t, :, 3 * k :] = IFOGf[t, :, :k] * dC[t]  # (20)
        dIFOG[t, :, 3 * k :] = (1 - IFOGf[t, :, 3 * k :] ** 2) * dIFOGf[t, :, 3 * k :]  # (24)
        y = IFOGf[t, :, : 3 * k]
        dIFOG[t, :, : 3 * k] = (y * (1.0 - y)) * dIFOGf[t, :, : 3 * k]  # (22) (23) (25)
        dWLSTM += np.dot(Hin[t].transpose(), dIFOG[t])  # (26)
        dHin[t] = dIFOG[t].dot(WLSTM.transpose())  # (27) (28)
        dX[t] = dHin[t, :, 1 : d + 1]  # (27)
        if t > 0:
            dHout[t - 1] += dHin[t, :, d + 1 :]  # (loop)
            dC[t - 1] += dcarried  # (loop)
        else:
            dh0 = dHin[t, :, d + 1 :]  # (loop)
            dc0 = dcarried  # (loop)
    return dX, dWLSTM, dc0, dh0
