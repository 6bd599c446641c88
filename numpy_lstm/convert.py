"""The two cells' weights in the layouts of PyTorch and Keras, as plain arrays.

Neither PyTorch (Ansel et al., 2024) nor Keras (Chollet et al., 2015) is imported. Both order the
gates as we do, i, f, g, o (Keras calls g c). Keras's kernels are transposed. PyTorch adds two
biases; :func:`to_torch` sets the second to 0.

>>> import numpy_lstm as nl
>>> params = nl.init_lstm(3, 2, rng=np.random.default_rng(0))
>>> {name: array.shape for name, array in nl.to_torch(params).items()}
{'weight_ih_l0': (8, 3), 'weight_hh_l0': (8, 2), 'bias_ih_l0': (8,), 'bias_hh_l0': (8,)}
>>> [array.shape for array in nl.to_keras(params)]
[(3, 8), (2, 8), (8,)]
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.types import Array

TORCH = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")


def to_torch(params: RNNParams | LSTMParams) -> dict[str, Array]:
    """The weights under the names of ``torch.nn.RNN`` (tanh) and ``torch.nn.LSTM``, one layer.

    ``module.load_state_dict({name: torch.from_numpy(array) for name, array in arrays.items()})``

    Parameters
    ----------
    params : RNNParams or LSTMParams
        Copied, not changed.

    Returns
    -------
    dict of ndarray
        ``weight_ih_l0`` (gates H, D), ``weight_hh_l0`` (gates H, H), ``bias_ih_l0`` and
        ``bias_hh_l0`` (gates H,), the second bias zero.
    """
    W_x, W_h, b = params
    return dict(zip(TORCH, (W_x.copy(), W_h.copy(), b.copy(), np.zeros_like(b)), strict=True))


def from_torch(state: Mapping[str, Any]) -> RNNParams | LSTMParams:
    """The weights of a ``torch.nn.RNN`` or ``torch.nn.LSTM``: one layer, one direction.

    Parameters
    ----------
    state : mapping
        The module's ``state_dict()``, or arrays under the same names; missing biases are 0. The
        activation is assumed to be tanh: the weights do not show a ReLU.

    Returns
    -------
    RNNParams or LSTMParams
        In the module's dtype.

    Raises
    ------
    ValueError
        If `state` is no mapping, its weights are not those of one layer, or their shapes or dtypes
        fit neither cell.
    """
    if not isinstance(state, Mapping):
        hint = "module.state_dict()" if hasattr(state, "state_dict") else "dict(...)"
        raise ValueError(
            f"`state` must be a mapping of names to arrays; got {type(state).__name__}. Use {hint}."
        )
    if set(state) not in (set(TORCH), set(TORCH[:2])):
        hint = "Only one layer in one direction, without projection, can be taken."
        if all(str(name).endswith(TORCH) for name in state) and state:
            hint = "Take the state_dict() of the layer alone, not that of a module around it."
        got = ", ".join(map(str, state)) or "nothing"
        raise ValueError(f"`state` must hold {', '.join(TORCH)}; got {got}. {hint}")
    W_x, W_h, *biases = (_array("state", state[name]) for name in TORCH if name in state)
    return _params("state", W_x, W_h, biases)


def to_keras(params: RNNParams | LSTMParams) -> list[Array]:
    """The weights in the order of ``set_weights`` of Keras's ``SimpleRNN`` and ``LSTM``.

    Parameters
    ----------
    params : RNNParams or LSTMParams
        Copied, not changed.

    Returns
    -------
    list of ndarray
        Kernel (D, gates H), recurrent kernel (H, gates H) and bias (gates H,).
    """
    W_x, W_h, b = params
    return [W_x.T.copy(), W_h.T.copy(), b.copy()]


def from_keras(weights: Sequence[Any]) -> RNNParams | LSTMParams:
    """The weights of a Keras ``SimpleRNN`` or ``LSTM`` with its usual activations.

    Parameters
    ----------
    weights : sequence of ndarray
        From ``get_weights()``; a missing bias is 0.

    Returns
    -------
    RNNParams or LSTMParams

    Raises
    ------
    ValueError
        If there are not two or three arrays, or their shapes or dtypes fit neither cell.
    """
    if not isinstance(weights, Sequence):
        hint = " Use layer.get_weights()." if hasattr(weights, "get_weights") else ""
        raise ValueError(f"`weights` must be a list of arrays; got {type(weights).__name__}.{hint}")
    if len(weights) not in (2, 3):
        raise ValueError(
            "`weights` must hold the kernel, the recurrent kernel and the bias of one layer in one"
            f" direction; got {len(weights)} arrays."
        )
    kernel, recurrent, *biases = (_array("weights", array) for array in weights)
    return _params("weights", kernel.T.copy(), recurrent.T.copy(), biases)


def _array(argument: str, value: Any) -> Array:
    """A copy of an array or a tensor, without an import of the library that it is of."""
    if hasattr(value, "detach"):  # a tensor of PyTorch, which may need a gradient
        value = value.detach().cpu()
    try:
        array: Array = np.asarray(value).copy()
    except (TypeError, ValueError, RuntimeError) as error:  # such as bfloat16, ragged lists
        raise ValueError(
            f"`{argument}` must hold float32 or float64 arrays; got a {type(value).__name__}"
            f" which is none: {error}. Convert it to float32 first."
        ) from error
    return array


def _params(argument: str, W_x: Array, W_h: Array, biases: list[Array]) -> RNNParams | LSTMParams:
    """Check shapes and dtypes, and add up the biases."""
    rows, H = W_h.shape if W_h.ndim == 2 else (0, 1)
    shapes = [array.shape for array in (W_x, W_h, *biases)]
    if (
        rows not in (H, 4 * H)
        or W_x.ndim != 2
        or len(W_x) != rows
        or any(b.shape != (rows,) for b in biases)
    ):
        raise ValueError(
            f"`{argument}` must be of a vanilla RNN or an LSTM, with H or 4H rows in our layout"
            f" (inputs, states, biases); got {', '.join(map(str, shapes))} there."
            + (" A GRU has no counterpart." if rows == 3 * H else "")
        )
    for array in (W_x, W_h, *biases):
        if array.dtype != W_h.dtype or array.dtype not in (np.float32, np.float64):
            raise ValueError(
                f"`{argument}` must be float32 or float64 throughout; got {array.dtype}."
                " Convert them to float32 first."
            )
    b = sum(biases, np.zeros(rows, W_h.dtype))
    return RNNParams(W_x, W_h, b) if rows == H else LSTMParams(W_x, W_h, b)
