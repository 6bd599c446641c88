"""One time step of each cell, forward and backward, equation by equation as in the report.

This file specifies a step, and :mod:`numpy_lstm.bptt` a sequence; both are written to be read.
:mod:`numpy_lstm.rnn` and :mod:`numpy_lstm.lstm` compute the same faster and are tested against
them. Numbers in parentheses are equations of the report. Each row of a batch is one review, so
the ``W x`` of the papers is written ``x @ W.T``. "Gradient in v" means the gradient of the loss
with respect to v.

In shapes, N is the number of reviews in the batch, D of inputs, H of hidden units.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.types import Array


class RNNParams(NamedTuple):
    """Weights of the vanilla RNN (Elman, 1990)."""

    W_x: Array  # (H, D)
    W_h: Array  # (H, H)
    b: Array  # (H,)


class LSTMParams(NamedTuple):
    """Weights of the LSTM; gate rows in the order i, f, g, o, as in PyTorch."""

    W_x: Array  # (4H, D)
    W_h: Array  # (4H, H)
    b: Array  # (4H,)


class RNNStepCache(NamedTuple):
    """Values for the backward step: the step's inputs, and h_t because tanh' is 1 - h_t**2."""

    x_t: Array  # (N, D)
    h_prev: Array  # (N, H)
    h_t: Array  # (N, H)
    params: RNNParams


class LSTMStepCache(NamedTuple):
    """Values for the backward step: the step's inputs, the gates, the candidate and tanh(c_t)."""

    x_t: Array  # (N, D)
    h_prev: Array  # (N, H)
    c_prev: Array  # (N, H)
    i_t: Array  # (N, H)
    f_t: Array  # (N, H)
    g_t: Array  # (N, H)
    o_t: Array  # (N, H)
    tanh_c: Array  # (N, H)
    params: LSTMParams


def sigmoid(a: Array) -> Array:
    """Logistic function, 1 / (1 + exp(-a)), computed as (1 + tanh(a / 2)) / 2.

    This form cannot overflow, and it works for complex `a` too.

    Parameters
    ----------
    a : ndarray
        Pre-activations, of any shape.

    Returns
    -------
    ndarray
        Of the same shape and dtype; in [0, 1] where `a` is real.

    Examples
    --------
    >>> sigmoid(np.array([-1000.0, 0.0, 1000.0]))
    array([0. , 0.5, 1. ])
    """
    return 0.5 + 0.5 * np.tanh(0.5 * a)


def rnn_step(x_t: Array, h_prev: Array, params: RNNParams) -> tuple[Array, RNNStepCache]:
    """One step of the vanilla RNN.

    The simple recurrent network of Elman (1990), with tanh instead of the logistic function.

    Parameters
    ----------
    x_t : ndarray, shape (N, D)
        Inputs of this step.
    h_prev : ndarray, shape (N, H)
        Hidden states after the previous step.
    params : RNNParams
        Weights.

    Returns
    -------
    h_t : ndarray, shape (N, H)
        Hidden states after this step, each in [-1, 1].
    cache : RNNStepCache
        For :func:`rnn_step_backward`.
    """
    W_x, W_h, b = params
    a_t = x_t @ W_x.T + h_prev @ W_h.T + b  # (1)  (N, H)
    h_t = np.tanh(a_t)  # (2)  (N, H)
    return h_t, RNNStepCache(x_t, h_prev, h_t, params)


def rnn_step_backward(dh_t: Array, cache: RNNStepCache) -> tuple[Array, Array, RNNParams]:
    """Gradients of one step of the vanilla RNN (Werbos, 1990).

    Parameters
    ----------
    dh_t : ndarray, shape (N, H)
        Total gradient of the loss in h_t: from this step's output and from all later steps.
    cache : RNNStepCache
        From :func:`rnn_step`.

    Returns
    -------
    dx_t : ndarray, shape (N, D)
    dh_prev : ndarray, shape (N, H)
        The part of the gradient in h_prev that comes through this step, for the previous step.
    dparams : RNNParams
        This step's part of the gradient, to be summed over the steps of a sequence.
    """
    x_t, h_prev, h_t, (W_x, W_h, _) = cache
    da_t = dh_t * (1 - h_t**2)  # (3)  (N, H)
    dparams = RNNParams(W_x=da_t.T @ x_t, W_h=da_t.T @ h_prev, b=da_t.sum(axis=0))  # (4)
    dx_t = da_t @ W_x  # (5)  (N, D)
    dh_prev = da_t @ W_h  # (6)  (N, H)
    return dx_t, dh_prev, dparams


def lstm_step(
    x_t: Array, h_prev: Array, c_prev: Array, params: LSTMParams
) -> tuple[Array, Array, LSTMStepCache]:
    """One step of the LSTM.

    Implements the LSTM of Hochreiter and Schmidhuber (1997) with the forget gate of Gers,
    Schmidhuber and Cummins (2000). Differences from both: one cell per block, tanh for both
    squashing functions, and the full gradient instead of the truncated one of 1997. It is the
    vanilla LSTM of Greff et al. (2017) without peepholes.

    Parameters
    ----------
    x_t : ndarray, shape (N, D)
        Inputs of this step.
    h_prev, c_prev : ndarray, shape (N, H)
        Hidden and cell states after the previous step.
    params : LSTMParams
        Weights, gate rows in the order i, f, g, o.

    Returns
    -------
    h_t, c_t : ndarray, shape (N, H)
        Hidden and cell states after this step: |h_t| is at most 1, |c_t| grows by at most 1.
    cache : LSTMStepCache
        For :func:`lstm_step_backward`.
    """
    W_x, W_h, b = params
    a_t = x_t @ W_x.T + h_prev @ W_h.T + b  # (9)  (N, 4H)
    a_i, a_f, a_g, a_o = np.split(a_t, 4, axis=1)  # each (N, H)
    i_t = sigmoid(a_i)  # (10)  input gate: Hochreiter and Schmidhuber (1997)
    f_t = sigmoid(a_f)  # (11)  forget gate: Gers, Schmidhuber and Cummins (2000)
    g_t = np.tanh(a_g)  # (12)  candidate
    o_t = sigmoid(a_o)  # (13)  output gate: Hochreiter and Schmidhuber (1997)
    c_t = f_t * c_prev + i_t * g_t  # (14)  the carousel; f_t is 1 in the paper of 1997
    tanh_c = np.tanh(c_t)
    h_t = o_t * tanh_c  # (15)
    return h_t, c_t, LSTMStepCache(x_t, h_prev, c_prev, i_t, f_t, g_t, o_t, tanh_c, params)


def lstm_step_backward(
    dh_t: Array, dc_next: Array, cache: LSTMStepCache
) -> tuple[Array, Array, Array, LSTMParams]:
    """Gradients of one step of the LSTM.

    Parameters
    ----------
    dh_t : ndarray, shape (N, H)
        Total gradient of the loss in h_t: from this step's output and from all later steps.
    dc_next : ndarray, shape (N, H)
        The part of the gradient in c_t from the next step, or from a loss on c_T; the part
        through h_t is added here.
    cache : LSTMStepCache
        From :func:`lstm_step`.

    Returns
    -------
    dx_t : ndarray, shape (N, D)
    dh_prev, dc_prev : ndarray, shape (N, H)
        The parts of the gradients in h_prev and c_prev through this step, for the previous step.
    dparams : LSTMParams
        This step's part of the gradient, to be summed over the steps of a sequence.
    """
    x_t, h_prev, c_prev, i_t, f_t, g_t, o_t, tanh_c, (W_x, W_h, _) = cache
    do_t = dh_t * tanh_c  # (16)
    dc_t = dc_next + dh_t * o_t * (1 - tanh_c**2)  # (17)  the total gradient in c_t
    di_t = dc_t * g_t  # (18)
    df_t = dc_t * c_prev  # (19)
    dg_t = dc_t * i_t  # (20)
    dc_prev = dc_t * f_t  # (21)  the carousel backwards: no matrix, no slope of tanh
    da_i = di_t * i_t * (1 - i_t)  # (22)
    da_f = df_t * f_t * (1 - f_t)  # (23)
    da_g = dg_t * (1 - g_t**2)  # (24)
    da_o = do_t * o_t * (1 - o_t)  # (25)
    da_t = np.concatenate([da_i, da_f, da_g, da_o], axis=1)  # (N, 4H)
    dparams = LSTMParams(W_x=da_t.T @ x_t, W_h=da_t.T @ h_prev, b=da_t.sum(axis=0))  # (26)
    dx_t = da_t @ W_x  # (27)  (N, D)
    dh_prev = da_t @ W_h  # (28)  (N, H)
    return dx_t, dh_prev, dc_prev, dparams
