"""Which words moved the logit, and how far: integrated gradients.

Sundararajan, M., Taly, A. and Yan, Q. (2017) 'Axiomatic attribution for deep networks', Proc. 34th
ICML, PMLR 70, pp. 3319-3328.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm.cells import Array
from numpy_lstm.classifier import Masks, classifier_backward, classifier_forward
from numpy_lstm.layers import Ints, Readout

POINTS = 32  # of the quadrature; the error on trained models is then about 1e-3 of the logit


class Explanation(NamedTuple):
    """A logit as a sum: what the classifier says without the words, and what each word adds."""

    baseline: float  # log-odds of a review as long whose word vectors are all zero
    contributions: Array  # (L,) log-odds, positive towards label 1


def explain(
    parameters: dict[str, Array], tokens: Ints, *, bag_size: int, readout: Readout
) -> Explanation:
    """Integrate the logit's gradient along the straight line from zero to the word vectors.

    Implements Sundararajan, Taly and Yan (2017), eq. (1), by Gauss-Legendre quadrature in float64.
    Their completeness holds but for its error: `baseline` and `contributions` add up to the logit.

    Parameters
    ----------
    parameters : dict of ndarray
        Of a classifier; not changed.
    tokens : ndarray of int, shape (L,)
        Word ids of one review.
    bag_size : int
    readout : {"last", "mean", "max", "meanmax"}

    Returns
    -------
    Explanation
    """
    used, rows = np.unique(tokens, return_inverse=True)
    exact = {
        name: (array[used] if name == "embedding" else array).astype(np.float64)
        for name, array in parameters.items()
    }
    nodes, weights = np.polynomial.legendre.leggauss(POINTS)
    # From [-1, 1] to [0, 1]; a last point, without weight, is the baseline itself.
    along = np.append((nodes + 1) / 2, 0)[:, np.newaxis]
    # All points of the line are one batch: copies of the review, each scaled as dropout would.
    logits, cache = classifier_forward(
        exact,
        np.repeat(rows[:, np.newaxis], POINTS + 1, axis=1),
        np.full(POINTS + 1, len(tokens)),
        bag_size=bag_size,
        readout=readout,
        masks=Masks(inputs=along, features=np.ones((POINTS + 1, 1))),
    )
    dxs = classifier_backward(np.ones(POINTS + 1), cache).dxs[:, :POINTS]
    # The mask's backward has multiplied by the point's place on the line; taken out again.
    gradient = (weights / 2 / along[:POINTS, 0]) @ dxs  # (T, D)
    step = np.arange(len(tokens)) // bag_size
    in_bag = np.bincount(step)[step]
    contributions = (exact["embedding"][rows] * gradient[step]).sum(axis=1) / in_bag
    return Explanation(float(logits[-1]), contributions)
