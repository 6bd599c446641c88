"""Gradients of a training step that go back only part of the way, the forward pass being whole.

- Cut at a seam: no further than k words before the end (truncated backpropagation through time,
  Williams and Peng, 1990).
- Of 1997: through the LSTM's cell state alone, the constant error carousel (Hochreiter and
  Schmidhuber), without the detour through the gates and W_h.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from numpy_lstm.cells import RNNParams
from numpy_lstm.classifier import (
    Classifier,
    ClassifierGradients,
    Masks,
    classifier_backward,
    classifier_forward,
)
from numpy_lstm.layers import bag_forward, dropout_forward
from numpy_lstm.losses import cross_entropy, cross_entropy_backward
from numpy_lstm.recurrent import cell_of, recurrence_forward
from numpy_lstm.types import Array, Batch


def gradient_cut(
    classifier: Classifier, batch: Batch, masks: Masks | None = None, *, k: int
) -> tuple[float, Array, ClassifierGradients]:
    """As :func:`~numpy_lstm.classifier.loss_and_gradients`, but of the last k words alone.

    The earlier words are read first, and the state after them is where the last k begin.

    Parameters
    ----------
    classifier : Classifier
        With one word per step.
    batch : Batch
    masks : Masks, optional
        Dropout masks; omitted for evaluation.
    k : int
        Words between the seam and the end, at least 1.

    Returns
    -------
    loss : float
    logits : ndarray, shape (N,)
    gradients : ClassifierGradients
        ``dxs`` and the norms are those of the last k words.
    """
    early = np.maximum(batch.lengths - k, 0)
    state = state_after(classifier, batch.tokens, early, masks)
    # Beyond a review's own length any word will do: the lengths say that it is not read.
    rows = np.minimum(early + np.arange(k)[:, np.newaxis], len(batch.tokens) - 1)
    tokens, lengths = np.take_along_axis(batch.tokens, rows, axis=0), batch.lengths - early
    logits, cache = classifier_forward(classifier, tokens, lengths, masks, state)
    loss, loss_cache = cross_entropy(logits, batch.labels, batch.weights)
    return float(loss), logits, classifier_backward(cross_entropy_backward(loss_cache), cache)


def state_after(
    classifier: Classifier, tokens: Array, lengths: Array, masks: Masks | None
) -> list[Array]:
    """The state after the first words of each review, 0 without any: h, and of an LSTM c.

    The longest reviews come first, as in every batch.
    """
    params = cell_of(classifier.parameters)
    H, n = params.W_h.shape[1], np.count_nonzero(lengths)
    names = ("h_T",) if isinstance(params, RNNParams) else ("h_T", "c_T")
    states = [np.zeros((len(lengths), H), params.W_h.dtype) for _ in names]
    if n:
        table = classifier.parameters["embedding"]
        xs, _, _ = bag_forward(tokens[: lengths.max(), :n], lengths[:n], table)
        if masks is not None:
            xs = dropout_forward(xs, masks.inputs[:n])
        out = recurrence_forward(xs, params, lengths[:n])
        for state, name in zip(states, names, strict=True):
            state[:n] = getattr(out, name)
    return states


def carousel_only(
    classifier: Classifier, batch: Batch, masks: Masks | None = None
) -> tuple[float, Array, ClassifierGradients]:
    """As :func:`~numpy_lstm.classifier.loss_and_gradients`, but no gradient goes back through W_h.

    As in :func:`numpy_lstm.bptt.lstm_backward` with ``truncated=True``: what W_h sends back to the
    step before, report eq. (28), is left out, by a W_h of zeros in the backward pass.
    """
    logits, cache = classifier_forward(classifier, batch.tokens, batch.lengths, masks)
    loss, loss_cache = cross_entropy(logits, batch.labels, batch.weights)
    recurrence: Any = cache.recurrence
    params = recurrence.params._replace(W_h=np.zeros_like(recurrence.params.W_h))
    cache = cache._replace(recurrence=recurrence._replace(params=params))
    return float(loss), logits, classifier_backward(cross_entropy_backward(loss_cache), cache)
