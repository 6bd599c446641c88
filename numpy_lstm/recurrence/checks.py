"""Checks of arguments: arrays, shapes, lengths, dtypes, random generators."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from numpy_lstm.cells import LSTMParams, RNNParams
from numpy_lstm.types import Array

# How arrays of other libraries become NumPy's, by a method that gives them away.
CONVERSIONS = {
    "filled": ".filled(0)",  # masked arrays
    "detach": ".detach().cpu().numpy()",  # PyTorch
    "to_numpy": ".to_numpy()",  # pandas
    "toarray": ".toarray()",  # SciPy's sparse arrays
    "numpy": ".numpy()",  # TensorFlow
}


def check_sequence(
    xs: Array,
    params: RNNParams | LSTMParams,
    kind: type[RNNParams] | type[LSTMParams],
    states: dict[str, Array | None],
) -> np.dtype:
    """Check shapes and dtypes of a sequence, its weights and its initial states.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
    params : RNNParams or LSTMParams
    kind : type
        The one of the two that it must be.
    states : dict
        Name of each initial state and its array of shape (N, H), or None.

    Returns
    -------
    numpy.dtype
        The dtype to compute in: the common one, or complex128 if mixed with float64.

    Raises
    ------
    ValueError
        If an argument does not fit; the message names it.
    """
    _check_params(params, kind)
    W_x, W_h, b = params
    gates = 1 if kind is RNNParams else 4
    for name, array in (("xs", xs), ("W_x", W_x), ("W_h", W_h), ("b", b), *states.items()):
        if array is not None or name not in states:
            check_array(name, array)
    H = W_h.shape[-1] if W_h.ndim == 2 else 0
    if H == 0 or W_h.shape != (gates * H, H):
        raise ValueError(f"`W_h` must have shape ({_rows(gates)}, H); got {W_h.shape}.")
    if W_x.ndim != 2 or W_x.shape[0] != gates * H:
        raise ValueError(f"`W_x` must have shape ({_rows(gates)}={gates * H}, D); got {W_x.shape}.")
    if b.shape != (gates * H,):
        raise ValueError(f"`b` must have shape ({_rows(gates)}={gates * H},); got {b.shape}.")
    D = W_x.shape[1]
    if xs.ndim != 3 or xs.shape[2] != D:
        hint = " A single sequence? Use xs[:, np.newaxis]." if xs.ndim == 2 else ""
        if xs.ndim == 3 and D in xs.shape[:2]:
            hint = " The axes are time, review, input."
        raise ValueError(f"`xs` must have shape (T, N, D={D}); got {xs.shape}.{hint}")
    T, N, _ = xs.shape
    if T == 0 or N == 0:
        raise ValueError(f"`xs` must hold at least one step and one review; got shape {xs.shape}.")
    for name, state in states.items():
        if state is not None and state.shape != (N, H):
            raise ValueError(f"`{name}` must have shape (N={N}, H={H}); got {state.shape}.")
    return _common_dtype({"xs": xs, "W_x": W_x, "W_h": W_h, "b": b, **states})


def check_incoming(
    dtype: np.dtype, shape: tuple[int, int, int], dhs: Array | None, **final: Array | None
) -> None:
    """Check the dtype of a backward pass, and its incoming gradients; None stands for zero.

    `dhs` must have `shape`, (T, N, H); `final`, the gradients in final states, (N, H).
    """
    if dtype.kind == "c":  # complex128 is for the complex-step check of a forward pass
        raise ValueError(
            "`cache` must come from a float32 or float64 forward pass; got complex128."
        )
    for name, gradient in {"dhs": dhs, **final}.items():
        wanted = shape if name == "dhs" else shape[1:]
        if gradient is None:
            continue
        check_array(name, gradient)
        if gradient.shape != wanted:
            raise ValueError(f"`{name}` must have shape {wanted}; got {gradient.shape}.")
        if gradient.dtype != dtype:
            raise ValueError(
                f"`{name}` must be {dtype} like the forward pass; got {gradient.dtype}."
            )


def check_lengths(lengths: object, T: int, N: int) -> NDArray[np.intp]:
    """Lengths as whole numbers in 1 … T, one per review; None means all T."""
    if lengths is None:
        return np.full(N, T)
    if isinstance(lengths, np.ma.MaskedArray):
        check_array("lengths", lengths)
    try:
        array = np.asarray(lengths)
    except (TypeError, ValueError, RuntimeError) as error:
        raise ValueError(f"`lengths` must be one whole number per review; {error}") from error
    if array.dtype.kind not in "iu":
        hint = " Use lengths.astype(int)." if array.dtype.kind == "f" else ""
        raise ValueError(f"`lengths` must be whole numbers; got dtype {array.dtype}.{hint}")
    if array.shape != (N,):
        raise ValueError(f"`lengths` must have shape (N={N},); got {array.shape}.")
    if array.min() < 1 or array.max() > T:
        raise ValueError(
            f"`lengths` must lie in 1 … T={T}; got {array.min()} … {array.max()}."
            " A review without a step cannot be run: leave it out."
        )
    return array.astype(np.intp)


def check_array(name: str, value: object) -> None:
    """Raise a ValueError unless `value`, the argument `name`, is a plain NumPy array."""
    if isinstance(value, np.ndarray) and not isinstance(value, (np.ma.MaskedArray, np.matrix)):
        return
    hint = f" Use np.array({name})." if isinstance(value, (list, tuple, np.matrix)) else ""
    for method, conversion in CONVERSIONS.items():
        if not hint and hasattr(value, method):
            hint = f" Use {name}{conversion}."
    raise ValueError(f"`{name}` must be a NumPy array; got {type(value).__name__}.{hint}")


def check_cache(cache: object, kind: type, forward: str) -> None:
    """Raise a ValueError unless `cache` is of the type that `forward` returns as its cache."""
    if not isinstance(cache, kind):
        hint = " Use its .cache." if hasattr(cache, "cache") else ""
        raise ValueError(
            f"`cache` must be the cache of {forward}; got {type(cache).__name__}.{hint}"
        )


def check_rng(rng: object) -> None:
    """Raise a ValueError unless `rng` is a random generator."""
    if not isinstance(rng, np.random.Generator):
        name = getattr(rng, "__name__", repr(rng))
        seed = rng if isinstance(rng, (int, np.integer)) and rng >= 0 else 0
        raise ValueError(
            f"`rng` must be a numpy.random.Generator; got {name}."
            f" Use np.random.default_rng({int(seed)})."
        )


def _check_params(params: object, kind: type[RNNParams] | type[LSTMParams]) -> None:
    if isinstance(params, kind):
        return
    hint = ""
    if isinstance(params, (RNNParams, LSTMParams)):
        hint = " The other cell has functions of its own."
    elif isinstance(params, dict) and set(params) == set(kind._fields):
        hint = f" Use {kind.__name__}(**params)."
    elif isinstance(params, (list, tuple)) and len(params) == len(kind._fields):
        hint = f" Use {kind.__name__}(*params)."
    elif hasattr(params, "state_dict"):
        hint = " Use numpy_lstm.from_torch(module.state_dict())."
    raise ValueError(f"`params` must be {kind.__name__}; got {type(params).__name__}.{hint}")


def _rows(gates: int) -> str:
    return "H" if gates == 1 else f"{gates}H"


def _common_dtype(arrays: dict[str, Array | None]) -> np.dtype:
    dtypes = {name: array.dtype for name, array in arrays.items() if array is not None}
    for name, dtype in dtypes.items():
        if dtype not in (np.float32, np.float64, np.complex128):
            exact = dtype.kind == "f" and dtype.itemsize > 4  # big-endian, or of more bits
            hint = f" Use {name}.astype(np.float{64 if exact else 32})."
            if dtype.kind == "O":
                hint = " Are its rows all of one length?"
            raise ValueError(f"`{name}` must be float32, float64 or complex128; got {dtype}.{hint}")
    common = np.result_type(*dtypes.values())
    for name, dtype in dtypes.items():
        if dtype != common and not (common == np.complex128 and dtype == np.float64):
            raise ValueError(f"`{name}` must be {common} like the other arrays; got {dtype}.")
    return common
