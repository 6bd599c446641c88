"""The layers composed into a classifier, from word ids to logits: forward and backward.

Its parameters are a dict of arrays, so that saving, clipping and updating loop over names:

========== ================ =====================================================
name       shape            what
========== ================ =====================================================
embedding  (V, D)           word vectors; row 0 is padding's
W_x, W_h,  as in the cell   weights of the recurrence: an :class:`RNNParams` or
b                           an :class:`LSTMParams`
W_out      (K, R)           read-out weights, R = H, or 2H for "meanmax"; K = 1 for
                            two classes, and K = C for C classes more than two
b_out      (K,)             read-out bias
========== ================ =====================================================
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from numpy_lstm.initializers import Recurrent, glorot_uniform
from numpy_lstm.layers import (
    AffineCache,
    BagCache,
    ReadoutCache,
    RowGradient,
    affine_backward,
    affine_forward,
    bag_backward,
    bag_forward,
    dropout_backward,
    dropout_forward,
    readout_backward,
    readout_forward,
)
from numpy_lstm.losses import cross_entropy, cross_entropy_backward
from numpy_lstm.lstm import LSTMCache
from numpy_lstm.recurrent import (
    cell_of,
    init_cell,
    recurrence_backward,
    recurrence_forward,
)
from numpy_lstm.rnn import RNNCache
from numpy_lstm.types import Array, Batch, Ints, Model, Readout


class Classifier(NamedTuple):
    """Parameters, and the settings of the forward pass."""

    parameters: dict[str, Array]
    bag_size: int  # words averaged into one step
    readout: Readout


class Masks(NamedTuple):
    """Dropout masks of one batch; the same at every step of a review."""

    inputs: Array  # (N, D)
    features: Array  # (N, R)


class ClassifierCache(NamedTuple):
    """The caches of all layers, for :func:`classifier_backward`."""

    bag: BagCache
    recurrence: RNNCache | LSTMCache
    readout: ReadoutCache
    affine: AffineCache
    masks: Masks | None


class ClassifierGradients(NamedTuple):
    """Results of :func:`classifier_backward`."""

    parameters: dict[str, Array | RowGradient]
    dxs: Array  # (T, N, D) in the inputs of the recurrence, before dropout
    dh_norms: Array  # (T, N)
    dc_norms: Array | None  # (T, N), None for the vanilla RNN


# Of a batch's loss, which comes first, and the logits; as of loss_and_gradients.
Gradients = Callable[[Classifier, Batch, Masks | None], tuple[float, Array, ClassifierGradients]]


def init_classifier(
    model: Model,
    vectors: Array,
    hidden_size: int,
    *,
    readout: Readout,
    rng: np.random.Generator,
    forget_bias: float = 1.0,
    recurrent: Recurrent = "orthogonal",
    n_classes: int = 2,
) -> dict[str, Array]:
    """Initial parameters, in the dtype of `vectors`.

    Parameters
    ----------
    model : {"rnn", "lstm"}
    vectors : ndarray, shape (V, D)
        Initial word vectors; copied.
    hidden_size : int
        H, at least 1.
    readout : {"last", "mean", "max", "meanmax"}
    rng : numpy.random.Generator
    forget_bias, recurrent
        As for :func:`~numpy_lstm.init_lstm`; `forget_bias` is not used by the vanilla RNN.
    n_classes : int
        C, at least 2.

    Returns
    -------
    dict of ndarray
    """
    D, dtype = vectors.shape[1], vectors.dtype
    cell = init_cell(
        model,
        D,
        hidden_size,
        rng=rng,
        forget_bias=forget_bias,
        recurrent=recurrent,
        dtype=dtype,
    )
    features = 2 * hidden_size if readout == "meanmax" else hidden_size
    outputs = 1 if n_classes == 2 else n_classes
    return {
        "embedding": vectors.copy(),
        **cell._asdict(),
        "W_out": glorot_uniform(outputs, features, rng=rng).astype(dtype),
        "b_out": np.zeros(outputs, dtype),
    }


def classifier_forward(
    classifier: Classifier,
    tokens: Ints,
    lengths: Ints,
    masks: Masks | None = None,
    state: Sequence[Array] = (),
) -> tuple[Array, ClassifierCache]:
    """Log-odds that each review is positive; with more than two classes, a logit for each.

    Parameters
    ----------
    classifier : Classifier
    tokens : ndarray of int, shape (L, N)
        Word ids, time first.
    lengths : ndarray of int, shape (N,)
        Words of each review, in 1 … L.
    masks : Masks, optional
        Dropout masks; omitted for evaluation.
    state : sequence of ndarray, each of shape (N, H)
        The recurrence's initial state, h_0, and of an LSTM c_0; 0 if empty.

    Returns
    -------
    logits : ndarray, shape (N,), or (N, C) for C classes more than two
    cache : ClassifierCache
    """
    parameters, bag_size, readout = classifier
    xs, steps, bag = bag_forward(tokens, lengths, parameters["embedding"], bag_size)
    if masks is not None:
        xs = dropout_forward(xs, masks.inputs)
    out = recurrence_forward(xs, cell_of(parameters), steps, state)
    features, readout_cache = readout_forward(out.hs, out.h_T, steps, readout)
    if masks is not None:
        features = dropout_forward(features, masks.features)
    outputs, affine = affine_forward(features, parameters["W_out"], parameters["b_out"])
    logits = outputs[:, 0] if outputs.shape[1] == 1 else outputs
    return logits, ClassifierCache(bag, out.cache, readout_cache, affine, masks)


def classifier_backward(dlogits: Array, cache: ClassifierCache) -> ClassifierGradients:
    """Gradients of :func:`classifier_forward` in all parameters and in the recurrence's inputs.

    Parameters
    ----------
    dlogits : ndarray, shape (N,) or (N, C)
    cache : ClassifierCache

    Returns
    -------
    ClassifierGradients
    """
    doutputs = dlogits[:, np.newaxis] if dlogits.ndim == 1 else dlogits
    dfeatures, dW_out, db_out = affine_backward(doutputs, cache.affine)
    if cache.masks is not None:
        dfeatures = dropout_backward(dfeatures, cache.masks.features)
    dhs, dh_T = readout_backward(dfeatures, cache.readout)
    g = recurrence_backward(cache.recurrence, dhs, dh_T)
    dxs = g.dxs if cache.masks is None else dropout_backward(g.dxs, cache.masks.inputs)
    parameters = {
        "embedding": bag_backward(dxs, cache.bag),
        **g.dparams._asdict(),
        "W_out": dW_out,
        "b_out": db_out,
    }
    return ClassifierGradients(parameters, dxs, g.dh_norms, getattr(g, "dc_norms", None))


def loss_and_gradients(
    classifier: Classifier, batch: Batch, masks: Masks | None = None
) -> tuple[float, Array, ClassifierGradients]:
    """Cross-entropy of a batch, its logits, and the gradients.

    Parameters
    ----------
    classifier : Classifier
    batch : Batch
    masks : Masks, optional
        Dropout masks; omitted for evaluation.

    Returns
    -------
    loss : float
        Sum of the reviews' losses in nats, weighted by ``batch.weights``.
    logits : ndarray, shape (N,) or (N, C)
    gradients : ClassifierGradients
    """
    logits, cache = classifier_forward(classifier, batch.tokens, batch.lengths, masks)
    loss, loss_cache = cross_entropy(logits, batch.labels, batch.weights)
    gradients = classifier_backward(cross_entropy_backward(loss_cache), cache)
    return float(loss), logits, gradients
