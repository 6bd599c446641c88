"""Word vectors from counts of words that occur near each other.

Positive pointwise mutual information over a window, reduced by a truncated singular value
decomposition: at this size as good as trained vectors (Levy and Goldberg, 2014; Levy, Goldberg and
Dagan, 2015), and on one machine always the same. This is preparation, not the subject of the
project, so it uses scikit-learn (Pedregosa et al., 2011) and SciPy (Virtanen et al., 2020).

Levy, O. and Goldberg, Y. (2014) 'Neural word embedding as implicit matrix factorization', Advances
in Neural Information Processing Systems, 27, pp. 2177–2185.
Levy, O., Goldberg, Y. and Dagan, I. (2015) 'Improving distributional similarity with lessons
learned from word embeddings', Transactions of the Association for Computational Linguistics, 3,
pp. 211–225.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from numpy_lstm.data.cache import cache_folder, load_arrays, save_arrays
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.text import UNKNOWN

if TYPE_CHECKING:
    from scipy.sparse import csr_array

WINDOW = 5  # words to each side
SMOOTHING = 0.75  # power of the context's frequency: lowers the weight of rare contexts
SCALE = 0.5  # root mean square of the vectors' entries; chosen on the validation reviews
FORMAT = 3  # raise it when the vectors change: cached ones are then replaced


def word_vectors(
    corpora: Sequence[Reviews],
    vocabulary_size: int,
    dimensions: int,
    *,
    seed: int,
    cache_dir: Path | None = None,
) -> npt.NDArray[np.float32]:
    """Learn a vector for each word of the vocabulary, or take it from the cache.

    Parameters
    ----------
    corpora : sequence of Reviews
        Texts to count, as ids of the vocabulary; never the test reviews.
    vocabulary_size : int
        V; ids 0 (padding) and 1 (unknown) are not words and are not counted.
    dimensions : int
        D; if the vocabulary has fewer words, the remaining columns are zero.
    seed : int
        For the randomized decomposition.
    cache_dir : Path, optional
        Where the vectors are kept, by a hash of their inputs; by default `cache_folder()`.

    Returns
    -------
    ndarray of float32, shape (V, D)
        Rows 0 and 1 are zero; the root mean square from row 1 on is `SCALE`, 0 without pairs.
    """
    settings = [FORMAT, vocabulary_size, dimensions, seed, WINDOW, SMOOTHING, SCALE]
    key = hashlib.sha256(json.dumps(settings).encode())
    for reviews in corpora:
        key.update(reviews.tokens.tobytes())
        key.update(reviews.starts.tobytes())
    path = (cache_folder() if cache_dir is None else cache_dir) / f"vectors-{key.hexdigest()}.npz"
    cached = load_arrays(path)
    if cached is not None and "vectors" in cached:
        return cached["vectors"]
    vectors = learn_vectors(corpora, vocabulary_size, dimensions, seed=seed)
    save_arrays(path, {"vectors": vectors})
    return vectors


def learn_vectors(
    corpora: Sequence[Reviews], vocabulary_size: int, dimensions: int, *, seed: int
) -> npt.NDArray[np.float32]:
    """The same as :func:`word_vectors`, without the cache."""
    counts = cooccurrences(corpora, vocabulary_size)
    return reduce_pmi(positive_pmi(counts), dimensions, seed)


def cooccurrences(corpora: Sequence[Reviews], vocabulary_size: int) -> csr_array:
    """Counts of two words at most `WINDOW` words apart in the same review.

    Returns
    -------
    csr_array of float32, shape (V, V)
        Symmetric. Pairs seen once are left out: they are the majority, and mostly chance.
    """
    from scipy.sparse import csr_array

    shape = (vocabulary_size, vocabulary_size)
    counts = csr_array(shape, dtype=np.float32)
    for reviews in corpora:
        tokens = reviews.tokens
        review = np.repeat(np.arange(len(reviews.labels), dtype=np.int32), reviews.lengths)
        for distance in range(1, WINDOW + 1):
            left, right = tokens[:-distance], tokens[distance:]
            pair = (review[:-distance] == review[distance:]) & (left > UNKNOWN) & (right > UNKNOWN)
            ones = np.ones(np.count_nonzero(pair), np.float32)
            counts += csr_array((ones, (left[pair], right[pair])), shape=shape)
    counts = counts + counts.T
    counts.data[counts.data < 2] = 0
    counts.eliminate_zeros()
    return counts


def positive_pmi(counts: csr_array) -> csr_array:
    """Positive pointwise mutual information: max(0, log(p(word, context) / (p(word) p(context)))).

    With Levy, Goldberg and Dagan's (2015) context distribution smoothing.
    """
    from scipy.sparse import csr_array

    if counts.nnz == 0:
        return counts  # there are no probabilities
    totals = counts.sum(axis=1)
    smoothed = totals**SMOOTHING
    smoothed /= smoothed.sum()
    rows = np.repeat(np.arange(counts.shape[0]), np.diff(counts.indptr))
    pmi = np.log(counts.data / (totals[rows] * smoothed[counts.indices]))
    positive = csr_array(
        (np.maximum(pmi, 0).astype(np.float32), counts.indices, counts.indptr), shape=counts.shape
    )
    positive.eliminate_zeros()
    return positive


def reduce_pmi(pmi: csr_array, dimensions: int, seed: int) -> npt.NDArray[np.float32]:
    """The vectors of `word_vectors`, by a truncated singular value decomposition."""
    from sklearn.utils.extmath import randomized_svd
    from threadpoolctl import threadpool_limits

    rank = min(dimensions, pmi.shape[0])
    # The number of threads changes the order of BLAS's sums, and so the vectors' last digits.
    with threadpool_limits(1, user_api="blas"):
        U, S, _ = randomized_svd(pmi, rank, n_iter=2, random_state=seed)
    vectors = np.zeros((pmi.shape[0], dimensions), np.float32)
    # The square root of the singular values, as Levy, Goldberg and Dagan (2015) advise.
    vectors[:, :rank] = U * np.sqrt(S)
    vectors[: UNKNOWN + 1] = 0  # exactly: rounding may leave traces
    size = np.sqrt((vectors[1:] ** 2).mean())
    return vectors * (SCALE / size if size > 0 else 0)
