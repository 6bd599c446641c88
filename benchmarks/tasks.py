"""What is computed: the same inputs, weights and reviews for every contender, in float32."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from numpy_lstm import LSTMParams, RNNParams, init_lstm, init_rnn
from numpy_lstm.data.batches import make_batch
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.settings import Settings
from numpy_lstm.types import Array, Batch, Model

MODELS: tuple[Model, ...] = ("lstm", "rnn")
BATCHES = 4  # different batches that the steps of training take in turn


class Recurrence(NamedTuple):
    """Forward and BPTT over one batch: gradients in the inputs and in all weights.

    They come from a random gradient in every hidden state, or in the last one alone.
    """

    model: Model
    N: int
    T: int
    D: int
    H: int
    lengths: tuple[int, ...] | None = None  # steps of each review; None: all T
    last: bool = False  # only the last state has a gradient, which vanishes on the way back

    @property
    def flops(self) -> int:
        """Additions and multiplications of all matrix products.

        Forward one product with W_x and one with W_h; backward two with each: for the gradient in
        what it was multiplied by, and for the gradient in itself.
        """
        gates = 4 if self.model == "lstm" else 1
        return 3 * 2 * gates * self.H * (self.D + self.H) * self.T * self.N

    def draw(self) -> tuple[Array, RNNParams | LSTMParams, Array]:
        """Inputs (T, N, D), weights, and the gradient in the hidden states (T, N, H)."""
        rng = np.random.default_rng(0)
        init = init_lstm if self.model == "lstm" else init_rnn
        params = init(self.D, self.H, rng=rng)
        xs = rng.standard_normal((self.T, self.N, self.D), np.float32)
        dhs = rng.standard_normal((self.T, self.N, self.H), np.float32)
        if self.last:
            dhs[:-1] = 0
        return xs, params, dhs


class TrainingStep(NamedTuple):
    """One whole step of training a classifier, from word ids to changed parameters.

    Forward, binary cross-entropy, backward, clipping, Adam. All reviews have
    `settings.max_length` words. PyTorch and Keras read them word by word, without dropout; beside
    them, `settings` must say the same.
    """

    model: Model
    settings: Settings

    def draw_reviews(self) -> Reviews:
        """As many reviews as fill the batches; the k-th word has a probability of c / k.

        That is Zipf's law, which words of real reviews follow closely: a few come hundreds of
        times in a batch, most never.
        """
        settings, rng = self.settings, np.random.default_rng(0)
        n = BATCHES * settings.batch_size
        frequencies = 1 / np.arange(1, settings.vocabulary_size + 1)
        tokens = rng.choice(
            settings.vocabulary_size,
            size=n * settings.max_length,
            p=frequencies / frequencies.sum(),
        )
        return Reviews(
            tokens.astype(np.int32),
            starts=settings.max_length * np.arange(n + 1),
            labels=rng.integers(0, 2, n).astype(np.int8),
            films=np.arange(n, dtype=np.int32),
        )

    def draw_batches(self) -> list[Batch]:
        """The reviews of :meth:`draw_reviews` in batches."""
        reviews, size = self.draw_reviews(), self.settings.batch_size
        return [make_batch(reviews, k * size + np.arange(size)) for k in range(BATCHES)]

    def draw_vectors(self) -> Array:
        """Word vectors to start from."""
        shape = self.settings.vocabulary_size, self.settings.vector_size
        return 0.1 * np.random.default_rng(1).standard_normal(shape, np.float32)
