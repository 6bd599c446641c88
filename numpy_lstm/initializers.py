"""Initial weights, which decide how far back an untrained network remembers.

The norm of a gradient that is carried back over many steps depends on the singular values of W_h.
PyTorch draws W_h uniformly (spectral radius about 0.58), Keras makes it orthogonal (every singular
value 1): a comparison of two cells with different initializers compares the initializers.
"""

from __future__ import annotations

import numbers
from typing import Literal

import numpy as np
from numpy.typing import DTypeLike

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.recurrence.checks import check_rng
from numpy_lstm.types import Array

Recurrent = Literal["orthogonal", "uniform"]


def orthogonal(size: int, blocks: int = 1, *, rng: np.random.Generator) -> Array:
    """Random orthogonal matrix, uniform over all of them (Saxe, McClelland and Ganguli, 2014).

    The identity, used for rectified units by Le, Jaitly and Hinton (2015), is one of them.

    Parameters
    ----------
    size : int
        Columns, and rows of a block.
    blocks : int
        Square blocks below each other. Of several, as in Keras's LSTM, only the columns of the
        whole are orthonormal: the largest singular value of one of many large blocks is
        2 sqrt(blocks - 1) / blocks, for four 0.866.
    rng : numpy.random.Generator

    Returns
    -------
    Q : ndarray, shape (blocks * size, size), float64
        Every singular value of the whole is 1.
    """
    Q, R = np.linalg.qr(rng.standard_normal((blocks * size, size)))
    # QR alone is not unique: fixing the signs of R's diagonal makes the draw uniform.
    return Q * np.sign(np.diag(R))


def glorot_uniform(rows: int, columns: int, *, rng: np.random.Generator) -> Array:
    """Draw from U(-r, r) with r = sqrt(6 / (rows + columns)) (Glorot and Bengio, 2010).

    Parameters
    ----------
    rows, columns : int
        Outputs and inputs of the layer.
    rng : numpy.random.Generator

    Returns
    -------
    W : ndarray, shape (rows, columns), float64
    """
    limit = np.sqrt(6.0 / (rows + columns))
    return rng.uniform(-limit, limit, (rows, columns))


def init_rnn(
    input_size: int,
    hidden_size: int,
    *,
    rng: np.random.Generator,
    recurrent: Recurrent = "orthogonal",
    dtype: DTypeLike = np.float32,
) -> RNNParams:
    """Initial weights of a vanilla RNN.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, at least 1.
    rng : numpy.random.Generator
    recurrent : {"orthogonal", "uniform"}
        W_h: orthogonal (Saxe et al., 2014), or from U(-1/sqrt(H), 1/sqrt(H)) as in PyTorch.
    dtype : dtype
        float32 or float64. Drawn in float64 and then rounded, so both hold the same weights.

    Returns
    -------
    RNNParams
        W_x (H, D) is Glorot's, b (H,) is zero.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, `rng` is no generator, or `recurrent` or `dtype`
        is not one of the above.

    Examples
    --------
    >>> params = init_rnn(3, 4, rng=np.random.default_rng(0), dtype=np.float64)
    >>> bool(np.allclose(params.W_h @ params.W_h.T, np.eye(4)))
    True
    """
    _check_arguments(input_size, hidden_size, rng, recurrent, dtype)
    return RNNParams(
        W_x=glorot_uniform(hidden_size, input_size, rng=rng).astype(dtype),
        W_h=_recurrent_block(hidden_size, recurrent, rng).astype(dtype),
        b=np.zeros(hidden_size, dtype),
    )


def init_lstm(
    input_size: int,
    hidden_size: int,
    *,
    rng: np.random.Generator,
    forget_bias: float = 1.0,
    recurrent: Recurrent = "orthogonal",
    dtype: DTypeLike = np.float32,
) -> LSTMParams:
    """Initial weights of an LSTM.

    Parameters
    ----------
    input_size, hidden_size : int
        D and H, at least 1.
    rng : numpy.random.Generator
    forget_bias : float
        Bias of the forget gate (Gers et al., 2000; Jozefowicz, Zaremba and Sutskever, 2015). With
        zero inputs the cell state halves every 1, 2.2, 5.5 or 14 steps for 0, 1, 2 or 3.
    recurrent : {"orthogonal", "uniform"}
        Each gate's block of W_h separately: orthogonal, or from U(-1/sqrt(H), 1/sqrt(H)).
    dtype : dtype
        float32 or float64. Drawn in float64 and then rounded, so both hold the same weights.

    Returns
    -------
    LSTMParams
        Gate rows i, f, g, o; each gate's W_x is Glorot's; b is zero except for the forget gate.

    Raises
    ------
    ValueError
        If a size is not a positive whole number, `rng` is no generator, `forget_bias` is not
        finite, or `recurrent` or `dtype` is not one of the above.
    """
    _check_arguments(input_size, hidden_size, rng, recurrent, dtype)
    if not isinstance(forget_bias, numbers.Real) or not np.isfinite(forget_bias):
        raise ValueError(f"`forget_bias` must be a finite number; got {forget_bias!r}.")
    b = np.zeros((4, hidden_size), dtype)
    b[1] = forget_bias
    return LSTMParams(
        W_x=np.concatenate(
            [glorot_uniform(hidden_size, input_size, rng=rng) for _ in range(4)]
        ).astype(dtype),
        W_h=np.concatenate(
            [_recurrent_block(hidden_size, recurrent, rng) for _ in range(4)]
        ).astype(dtype),
        b=b.reshape(-1),
    )


def _recurrent_block(size: int, recurrent: Recurrent, rng: np.random.Generator) -> Array:
    if recurrent == "orthogonal":
        return orthogonal(size, rng=rng)
    return rng.uniform(-1.0, 1.0, (size, size)) / np.sqrt(size)


def _check_arguments(
    input_size: int,
    hidden_size: int,
    rng: np.random.Generator,
    recurrent: Recurrent,
    dtype: DTypeLike,
) -> None:
    check_rng(rng)
    for name, size in (("input_size", input_size), ("hidden_size", hidden_size)):
        if not isinstance(size, (int, np.integer)) or isinstance(size, bool) or size < 1:
            raise ValueError(f"`{name}` must be a positive whole number; got {size!r}.")
    if recurrent not in ("orthogonal", "uniform"):
        raise ValueError(f"`recurrent` must be 'orthogonal' or 'uniform'; got {recurrent!r}.")
    try:
        got: object = np.dtype(dtype)
    except TypeError:  # such as a dtype of PyTorch
        got = dtype
    if got not in (np.float32, np.float64):
        raise ValueError(f"`dtype` must be float32 or float64; got {got}.")
