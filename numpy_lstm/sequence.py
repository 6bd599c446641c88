"""What both recurrences share: the checks, the order of the reviews, and the staircase.

A batch of reviews of different lengths is a staircase. Sorted with the longest review first, the
reviews still running at step t are the first n_t columns, and n_t only ever falls. A
:class:`Stair` is a run of steps over which the same reviews run; inside it every array is full and
contiguous, so that nothing is spent on padding and no mask is needed.

Reviews do not depend on each other, so a large batch is cut into two such staircases of equal work,
for two threads (:mod:`numpy_lstm.threads`).
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from numpy_lstm.cells import Array

BLOCK = 512  # columns (steps times reviews) of a block
WORTHWHILE = 4096  # numbers in a state from which a second thread pays for its handling
STEP = 16  # columns that take as long as what a step takes besides
SMALL = 10**6  # multiplications up to which OpenBLAS does not copy the matrices it is given


class Stair(NamedTuple):
    """Steps start … stop - 1, over which the same reviews run."""

    start: int
    stop: int
    columns: slice | NDArray[np.intp]  # where these reviews stand in the caller's batch
    width: int  # how many they are


class Part(NamedTuple):
    """Some reviews of a batch, and how they are worked through."""

    columns: slice | NDArray[np.intp]  # where they stand in the caller's batch, longest first
    width: int  # how many they are
    stairs: list[Stair]


def check_sequence(
    xs: Array, params: tuple[Array, Array, Array], gates: int, states: dict[str, Array | None]
) -> np.dtype:
    """Check shapes and dtypes of a sequence, its weights and its initial states.

    Parameters
    ----------
    xs : ndarray, shape (T, N, D)
    params : RNNParams or LSTMParams
    gates : int
        How many blocks of H rows the weights have: 1 or 4.
    states : dict
        Name of each initial state and its array of shape (N, H), or None.

    Returns
    -------
    numpy.dtype
        The dtype to compute in: the common one, or complex128 where it meets float64.

    Raises
    ------
    ValueError
        Names the argument, what was wanted and what came.
    """
    W_x, W_h, b = params
    for name, array in (("xs", xs), ("W_x", W_x), ("W_h", W_h), ("b", b), *states.items()):
        if array is not None and not isinstance(array, np.ndarray):
            raise ValueError(f"`{name}` must be a NumPy array; got {type(array).__name__}.")
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


def check_gradient(
    name: str, gradient: Array | None, shape: tuple[int, ...], dtype: np.dtype
) -> None:
    """Check one incoming gradient of a backward pass; None stands for zero."""
    if gradient is None:
        return
    if not isinstance(gradient, np.ndarray):
        raise ValueError(f"`{name}` must be a NumPy array; got {type(gradient).__name__}.")
    if gradient.shape != shape:
        raise ValueError(f"`{name}` must have shape {shape}; got {gradient.shape}.")
    if gradient.dtype != dtype:
        raise ValueError(f"`{name}` must be {dtype} like the forward pass; got {gradient.dtype}.")


def check_real(dtype: np.dtype) -> None:
    """Backward passes are for real numbers; complex128 is for checking forward passes."""
    if dtype.kind == "c":
        raise ValueError(
            "`cache` must come from a float32 or float64 forward pass; got complex128."
        )


def check_lengths(lengths: object, T: int, N: int) -> NDArray[np.intp]:
    """Lengths as whole numbers in 1 … T, one a review; None means all T."""
    if lengths is None:
        return np.full(N, T)
    array = np.asarray(lengths)
    if array.dtype.kind not in "iu":
        raise ValueError(f"`lengths` must be whole numbers; got dtype {array.dtype}.")
    if array.shape != (N,):
        raise ValueError(f"`lengths` must have shape (N={N},); got {array.shape}.")
    if array.min() < 1 or array.max() > T:
        raise ValueError(
            f"`lengths` must lie in 1 … T={T}; got {array.min()} … {array.max()}."
            " A review without a step cannot be run: leave it out."
        )
    return array.astype(np.intp)


def lay_out(lengths: NDArray[np.intp], hidden_size: int) -> list[Part]:
    """Sort a batch by length, deal it into one part or two, and cut their steps into stairs.

    Examples
    --------
    >>> (part,) = lay_out(np.array([2, 5, 2]), hidden_size=4)
    >>> for stair in part.stairs:
    ...     print(stair.start, stair.stop, stair.width, stair.columns)
    0 2 3 [1 0 2]
    2 5 1 [1]
    """
    order = np.argsort(-lengths, kind="stable")
    is_sorted = bool((order[:-1] < order[1:]).all())
    N = len(lengths)
    cut = _halves(lengths[order]) if N > 1 and N * hidden_size >= WORTHWHILE else N

    def columns(first: int, width: int) -> slice | NDArray[np.intp]:
        # A slice makes views where an index array would copy: for batches that come sorted.
        return slice(first, first + width) if is_sorted else order[first : first + width]

    parts = []
    for first, last in ((0, cut), (cut, N)) if cut < N else ((0, N),):
        stops, ending = np.unique(lengths[order[first:last]], return_counts=True)
        widths = ending[::-1].cumsum()[::-1].tolist()  # those that stop at a stair's end or later
        starts = [0, *stops[:-1].tolist()]
        stairs = [
            Stair(start, stop, columns(first, width), width)
            for start, stop, width in zip(starts, stops.tolist(), widths, strict=True)
        ]
        parts.append(Part(columns(first, last - first), last - first, stairs))
    return parts


def _halves(lengths: NDArray[np.intp]) -> int:
    """How many of the reviews, longest first, make half of the work.

    The long ones for one thread, the short ones for the other: dealt in turn, each thread would
    go through all steps, with few reviews in the late ones.
    """
    work = lengths.cumsum()
    long = work[:-1] + STEP * lengths[0]
    short = work[-1] - work[:-1] + STEP * lengths[1:]
    return int(np.maximum(long, short).argmin()) + 1


def blocks(stair: Stair) -> list[range]:
    """A stair's steps in blocks, on which the work that needs no order is done at once.

    What a block needs stays in the processor's cache, and a block of steps side by side makes one
    large matrix product of many small ones. That saves a third to a half of the time.
    """
    size = max(1, BLOCK // stair.width)
    return [
        range(start, min(start + size, stair.stop))
        for start in range(stair.start, stair.stop, size)
    ]


def in_pieces(W: Array, n: int) -> Array:
    """A matrix that is to multiply n columns, cut into blocks of rows if it is large.

    OpenBLAS copies the matrices of a product before it multiplies, unless the product is small.
    Many small products instead of a large one save a twentieth to a tenth of the time of forward
    and backward together with 128 hidden units.

    Returns
    -------
    ndarray, shape (rows, K) or (pieces, rows / pieces, K)
        A view. Its products with (K, n) are those of `W`, but for the shape.
    """
    rows, K = W.shape
    pieces = 1
    while rows % (2 * pieces) == 0 and rows // pieces * K * n > SMALL:
        pieces *= 2
    return W.reshape(pieces, rows // pieces, K) if pieces > 1 else W


def project(W: Array, x: Array, out: Array) -> None:
    """``W @ x_t`` for the steps of a block at once: x (k, D, n) to out (k, rows, n)."""
    k, _, n = x.shape
    pieces = in_pieces(W, n)
    x = x if pieces is W else x[:, np.newaxis]
    np.matmul(pieces, x, out=out.reshape(k, *pieces.shape[:-1], n))


def widen(running: Array, final: Array | None, stair: Stair, part: Part) -> Array:
    """Gradient in a stair's last states: `running` from later steps, then those that end here.

    Parameters
    ----------
    running : ndarray, shape (H, n)
        Gradients of the n reviews that run on after the stair.
    final : ndarray, shape (N, H), or None
        Gradients of the loss in the final states, in the caller's order.
    stair : Stair
    part : Part
        The part that the stair is of.

    Returns
    -------
    ndarray, shape (H, stair.width)
    """
    H, n = running.shape
    wide = np.zeros((H, stair.width), running.dtype)
    wide[:, :n] = running
    if final is not None:
        wide[:, n:] = final[part.columns][n : stair.width].T
    return wide


def side_by_side(block: Array, out: Array) -> Array:
    """The steps of a block beside each other: (k, rows, n) to (rows, k n).

    One GEMM then sums over all steps.
    """
    k, rows, n = block.shape
    out.reshape(rows, k, n)[:] = block.swapaxes(0, 1)
    return out


def norms(block: Array) -> Array:
    """Euclidean norm of each column: (k, H, n) to (k, n).

    A gradient that vanishes is no smaller than its norm says: where the squares would underflow,
    the columns are scaled before they are squared.
    """
    squares = np.einsum("khn,khn->kn", block, block)
    if squares.min() > np.finfo(block.dtype).tiny / np.finfo(block.dtype).eps:
        return np.sqrt(squares)
    largest = np.abs(block).max(axis=1)
    scaled = block / np.where(largest > 0, largest, 1)[:, np.newaxis]
    return largest * np.sqrt(np.einsum("khn,khn->kn", scaled, scaled))


def _rows(gates: int) -> str:
    return "H" if gates == 1 else f"{gates}H"


def _common_dtype(arrays: dict[str, Array | None]) -> np.dtype:
    dtypes = {name: array.dtype for name, array in arrays.items() if array is not None}
    for name, dtype in dtypes.items():
        if dtype not in (np.float32, np.float64, np.complex128):
            hint = f" Use {name}.astype(np.float32)." if dtype.kind in "iub" else ""
            raise ValueError(f"`{name}` must be float32, float64 or complex128; got {dtype}.{hint}")
    common = np.result_type(*dtypes.values())
    for name, dtype in dtypes.items():
        if dtype != common and not (common == np.complex128 and dtype == np.float64):
            raise ValueError(f"`{name}` must be {common} like the other arrays; got {dtype}.")
    return common
