"""Backpropagation through time as a plain loop over the steps of :mod:`numpy_lstm.cells`.

This file specifies a whole sequence, as ``cells.py`` specifies a step. :mod:`numpy_lstm.rnn` and
:mod:`numpy_lstm.lstm` compute the same faster, also for reviews of different lengths, and are
tested against it. Here a batch has sequences of one length; ``out.cache[t]`` belongs to step t + 1.

The loop backward is the loop forward upside down. The gradient in h_t has two parts: ``dh_loss``,
the loss's own gradient in h_t, and ``dh_next``, which comes from step t + 1. Their sum is ``dh_t``.
What the backward pass of a step returns as dh_prev is ``dh_next`` for the step before it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.cells import (
    LSTMParams,
    LSTMStepCache,
    RNNParams,
    RNNStepCache,
    lstm_step,
    lstm_step_backward,
    rnn_step,
    rnn_step_backward,
)
from numpy_lstm.recurrence.checks import check_sequence
from numpy_lstm.types import Array


class RNNOutput(NamedTuple):
    """Results of a forward pass of the vanilla RNN."""

    hs: Array  # (T, N, H) h_1 … h_T
    h_T: Array  # (N, H)
    cache: Any  # for the backward pass of the same module


class RNNGradients(NamedTuple):
    """Results of a backward pass of the vanilla RNN."""

    dxs: Array  # (T, N, D)
    dparams: RNNParams
    dh0: Array  # (N, H)
    dh_norms: Array  # (T, N) of the total gradient in each h_t, per review


class LSTMOutput(NamedTuple):
    """Results of a forward pass of the LSTM."""

    hs: Array  # (T, N, H) h_1 … h_T
    h_T: Array  # (N, H)
    c_T: Array  # (N, H)
    cache: Any  # for the backward pass of the same module


class LSTMGradients(NamedTuple):
    """Results of a backward pass of the LSTM."""

    dxs: Array  # (T, N, D)
    dparams: LSTMParams
    dh0: Array  # (N, H)
    dc0: Array  # (N, H)
    dh_norms: Array  # (T, N) of the total gradient in each h_t, per review
    dc_norms: Array  # (T, N) and in each c_t


def rnn_forward(xs: Array, params: RNNParams, h0: Array) -> RNNOutput:
    """Run the vanilla RNN over a batch of sequences of the same length.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is x_{t+1} of the papers.
    params : RNNParams
        Weights.
    h0 : ndarray, shape (N, H)
        Initial hidden states.

    Returns
    -------
    RNNOutput
        Its cache is a list: one :class:`~numpy_lstm.cells.RNNStepCache` per step.

    Examples
    --------
    >>> params = RNNParams(W_x=np.eye(1), W_h=np.eye(1), b=np.zeros(1))
    >>> rnn_forward(np.full((3, 1, 1), 0.5), params, np.zeros((1, 1))).hs.ravel().round(4)
    array([0.4621, 0.7452, 0.8469])
    """
    check_sequence(xs, params, RNNParams, {"h0": h0})
    hs, caches = [], []
    h_t = h0
    for x_t in xs:
        h_t, cache = rnn_step(x_t, h_t, params)
        hs.append(h_t)
        caches.append(cache)
    return RNNOutput(np.stack(hs), h_t, caches)


def rnn_backward(caches: list[RNNStepCache], dhs: Array, dh_T: Array) -> RNNGradients:
    """Backpropagate through time (Werbos, 1990).

    Parameters
    ----------
    caches : list of RNNStepCache
        From :func:`rnn_forward`.
    dhs : ndarray, shape (T, N, H)
        Direct gradient of the loss in each h_t, without the paths through later steps.
    dh_T : ndarray, shape (N, H)
        Gradient of the loss in `h_T`; it is added to ``dhs[-1]``.

    Returns
    -------
    RNNGradients
    """
    dxs, dh_norms = [], []
    dparams = RNNParams(*map(np.zeros_like, caches[0].params))
    dh_next = dh_T
    for dh_loss, cache in zip(dhs[::-1], caches[::-1], strict=True):
        dh_t = dh_loss + dh_next  # the total gradient in h_t
        dh_norms.append(np.linalg.norm(dh_t, axis=1))
        dx_t, dh_next, dparams_t = rnn_step_backward(dh_t, cache)
        dxs.append(dx_t)
        dparams = RNNParams(*map(np.add, dparams, dparams_t))  # every step has the same weights
    return RNNGradients(np.stack(dxs[::-1]), dparams, dh_next, np.stack(dh_norms[::-1]))


def lstm_forward(xs: Array, params: LSTMParams, h0: Array, c0: Array) -> LSTMOutput:
    """Run the LSTM over a batch of sequences of the same length.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
        Inputs, time first: ``xs[t]`` is x_{t+1} of the papers.
    params : LSTMParams
        Weights, gate rows in the order i, f, g, o.
    h0, c0 : ndarray, shape (N, H)
        Initial hidden and cell states.

    Returns
    -------
    LSTMOutput
        Its cache is a list: one :class:`~numpy_lstm.cells.LSTMStepCache` per step.
    """
    check_sequence(xs, params, LSTMParams, {"h0": h0, "c0": c0})
    hs, caches = [], []
    h_t, c_t = h0, c0
    for x_t in xs:
        h_t, c_t, cache = lstm_step(x_t, h_t, c_t, params)
        hs.append(h_t)
        caches.append(cache)
    return LSTMOutput(np.stack(hs), h_t, c_t, caches)


def lstm_backward(
    caches: list[LSTMStepCache], dhs: Array, dh_T: Array, dc_T: Array, *, truncated: bool = False
) -> LSTMGradients:
    """Backpropagate through time.

    Parameters
    ----------
    caches : list of LSTMStepCache
        From :func:`lstm_forward`.
    dhs : ndarray, shape (T, N, H)
        Direct gradient of the loss in each h_t, without the paths through later steps.
    dh_T, dc_T : ndarray, shape (N, H)
        Gradients of the loss in `h_T` and `c_T`.
    truncated : bool
        Whether to omit the gradient through W_h, report eq. (28), as Hochreiter and Schmidhuber
        (1997, appendix A.1) do, so that only the carousel, eq. (21), connects the steps. The
        result is then not the gradient of the loss.

    Returns
    -------
    LSTMGradients
        ``dh0`` is 0 if truncated.
    """
    dxs, dh_norms, dc_norms = [], [], []
    dparams = LSTMParams(*map(np.zeros_like, caches[0].params))
    dh_next, dc_next = dh_T, dc_T
    for dh_loss, cache in zip(dhs[::-1], caches[::-1], strict=True):
        dh_t = dh_loss + dh_next  # the total gradient in h_t
        dc_t = dc_next + dh_t * cache.o_t * (1 - cache.tanh_c**2)  # (17)  again, for its norm
        dh_norms.append(np.linalg.norm(dh_t, axis=1))
        dc_norms.append(np.linalg.norm(dc_t, axis=1))
        dx_t, dh_next, dc_next, dparams_t = lstm_step_backward(dh_t, dc_next, cache)
        if truncated:
            dh_next = np.zeros_like(dh_next)
        dxs.append(dx_t)
        dparams = LSTMParams(*map(np.add, dparams, dparams_t))  # every step has the same weights
    return LSTMGradients(
        np.stack(dxs[::-1]),
        dparams,
        dh_next,
        dc_next,
        np.stack(dh_norms[::-1]),
        np.stack(dc_norms[::-1]),
    )
