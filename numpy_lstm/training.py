"""The training loop: the same for both models, so that only the cell differs.

No random state is kept between steps: the order of an epoch is drawn from (seed, epoch), the
dropout masks of a step from (seed, epoch, step). So both models see the same reviews in the same
order, and a resumed run gives the same results to the last bit.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from numpy_lstm import gradient_flow
from numpy_lstm.classifier import (
    Classifier,
    Gradients,
    Masks,
    classifier_forward,
    init_classifier,
    loss_and_gradients,
)
from numpy_lstm.data.batches import by_length, length_buckets, make_batch
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Splits
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.layers import dropout_mask
from numpy_lstm.losses import cross_entropy, likeliest
from numpy_lstm.optim import Adam, clip_by_global_norm
from numpy_lstm.settings import Settings
from numpy_lstm.types import Array, Batch, Model


class Evaluation(NamedTuple):
    """Scores of a classifier on a set of reviews."""

    loss: float  # nats per review
    accuracy: float  # in [0, 1]


class Epoch(NamedTuple):
    """One line of the history."""

    epoch: int  # from 1
    train_loss: float  # mean over the epoch, with dropout on
    val_loss: float
    val_accuracy: float
    seconds: float
    tokens_per_second: float


@dataclass
class TrainingState:
    """The contents of a checkpoint: all that a run needs to continue."""

    parameters: dict[str, Array]
    optimizer: Adam
    best_parameters: dict[str, Array]
    epoch: int = 0  # epochs finished
    step: int = 0  # steps finished in the current epoch
    reviews: int = 0  # seen in the current epoch
    tokens: int = 0  # of those reviews
    loss_sum: float = 0.0  # over those reviews
    seconds: float = 0.0  # of training, in all sessions
    epoch_seconds: float = 0.0
    history: list[Epoch] = field(default_factory=list)
    norms: list[GradientNorms] = field(default_factory=list)  # at the start and after each epoch

    @property
    def best_epoch(self) -> int:
        """The epoch, from 1, of the smallest validation loss; 0 before the first has ended."""
        losses = [epoch.val_loss for epoch in self.history]
        return losses.index(min(losses)) + 1 if losses else 0


class Diverged(Exception):
    """The loss is no longer a finite number."""


def initial_state(
    model: Model, vectors: Array, settings: Settings, n_classes: int = 2
) -> TrainingState:
    """Initial parameters and a new optimizer."""
    parameters = init_classifier(
        model,
        vectors,
        settings.hidden_size,
        readout=settings.readout,
        rng=np.random.default_rng(settings.seed),
        forget_bias=settings.forget_bias,
        n_classes=n_classes,
    )
    best = {name: array.copy() for name, array in parameters.items()}
    return TrainingState(parameters, Adam(settings.learning_rate), best)


def classifier_of(parameters: dict[str, Array], settings: Settings) -> Classifier:
    """The classifier with these parameters and settings."""
    return Classifier(parameters, settings.bag_size, settings.readout)


def is_finished(state: TrainingState, settings: Settings) -> bool:
    """Whether all epochs have run, or the validation loss has stopped falling."""
    waited = state.epoch - state.best_epoch
    return state.epoch >= settings.epochs or waited >= settings.patience > 0


def train(
    state: TrainingState,
    splits: Splits,
    settings: Settings,
    *,
    after_step: Callable[[TrainingState, int, float, float], bool] = lambda *_: True,
    after_epoch: Callable[[TrainingState], None] = lambda _: None,
    gradients_of: Gradients = loss_and_gradients,
) -> None:
    """Train until finished or told to stop; `state` is updated in place.

    Parameters
    ----------
    state : TrainingState
        From :func:`initial_state`, or from a run that was stopped.
    splits : Splits
    settings : Settings
    after_step : callable
        Called with the state, the number of steps in an epoch, and the loss and the accuracy
        of the step's batch; training stops after the step if it returns False.
    after_epoch : callable
        Called with the state after an epoch has been evaluated.
    gradients_of : callable
        The loss, logits and gradients of a classifier on a batch, as of
        :func:`~numpy_lstm.classifier.loss_and_gradients`.

    Raises
    ------
    Diverged
        If a training loss or a gradient is not finite (`state` is then as before that step), or a
        validation loss. The best parameters remain those of the best epoch.
    """
    probes = probe_batch(splits.validation, settings.probes)
    if not state.norms:
        state.norms.append(gradient_flow.record(classifier_of(state.parameters, settings), probes))
    while not is_finished(state, settings):
        clock = time.perf_counter()
        batches = length_buckets(
            splits.train.lengths,
            settings.batch_size,
            rng=np.random.default_rng((settings.seed, state.epoch)),
        )
        for indices in batches[state.step :]:
            batch = make_batch(splits.train, indices)
            done = (state.epoch + state.step / len(batches)) / settings.epochs
            state.optimizer.learning_rate = settings.learning_rate * (1 - done)
            loss, accuracy = train_step(state, batch, settings, gradients_of)
            state.step += 1
            state.reviews += len(indices)
            state.tokens += int(batch.lengths.sum())
            state.loss_sum += loss * len(indices)
            now = time.perf_counter()
            state.epoch_seconds += now - clock
            state.seconds += now - clock
            clock = now
            if not after_step(state, len(batches), loss, accuracy) and state.step < len(batches):
                return
        _finish_epoch(state, splits, probes, settings)
        after_epoch(state)


@np.errstate(all="ignore")  # after an overflow the loss is not finite, which is checked
def train_step(
    state: TrainingState,
    batch: Batch,
    settings: Settings,
    gradients_of: Gradients = loss_and_gradients,
) -> tuple[float, float]:
    """One step of gradient descent; returns the batch's loss (nats per review) and accuracy.

    The norms of these gradients, in float32 and with dropout, are not kept;
    :func:`numpy_lstm.gradient_flow.record` computes the norms of each review's own loss.
    """
    masks = draw_masks(state, len(batch.labels), settings)
    classifier = classifier_of(state.parameters, settings)
    loss, logits, gradients = gradients_of(classifier, batch, masks)
    clipped, norm = clip_by_global_norm(gradients.parameters, settings.clip)
    if not np.isfinite(loss + norm):
        raise Diverged(
            f"the loss is {loss} and the gradient's norm {norm} at step {state.step + 1}"
            f" of epoch {state.epoch + 1}"
        )
    state.optimizer.step(state.parameters, clipped)
    return loss, float((likeliest(logits) == batch.labels).mean())


def draw_masks(state: TrainingState, n_reviews: int, settings: Settings) -> Masks | None:
    """Dropout masks of the next step for the whole batch, or None without dropout."""
    if settings.dropout == 0:
        return None
    rng = np.random.default_rng((settings.seed, state.epoch, state.step))
    inputs = state.parameters["embedding"].shape[1]
    features = state.parameters["W_out"].shape[1]
    return Masks(
        inputs=dropout_mask((n_reviews, inputs), settings.dropout, rng=rng),
        features=dropout_mask((n_reviews, features), settings.dropout, rng=rng),
    )


def predict_logits(parameters: dict[str, Array], reviews: Reviews, settings: Settings) -> Array:
    """Logits of each review, in the order of `reviews`, without dropout: shape (n,) or (n, C).

    In float64, whatever the dtype of the parameters: BLAS rounds a column of a product depending on
    its position and the number of columns, so a float32 logit would depend on its batch from the
    seventh digit on. In float64 only its last bits do.
    """
    # Only the vectors of words that occur: to convert all of them takes longer than one review.
    occurs = np.zeros(len(parameters["embedding"]), dtype=bool)
    occurs[reviews.tokens] = True
    row = occurs.cumsum(dtype=np.int32) - 1
    reviews = reviews._replace(tokens=row[reviews.tokens])
    few = {**parameters, "embedding": parameters["embedding"][occurs]}
    exact = {name: array.astype(np.float64, copy=False) for name, array in few.items()}
    classifier = classifier_of(exact, settings)
    K = len(parameters["b_out"])
    logits = np.empty((len(reviews.labels), K) if K > 1 else len(reviews.labels))
    for indices in by_length(reviews.lengths, settings.batch_size):
        batch = make_batch(reviews, indices)
        logits[indices], _ = classifier_forward(classifier, batch.tokens, batch.lengths)
    return logits


def evaluate(parameters: dict[str, Array], reviews: Reviews, settings: Settings) -> Evaluation:
    """Loss and accuracy on a set of reviews, with the weights of the reviews."""
    logits = predict_logits(parameters, reviews, settings)
    weights = None
    if reviews.weights is not None:
        weights = reviews.weights / reviews.weights.sum(dtype=np.float64)
    loss, _ = cross_entropy(logits, reviews.labels, weights)
    accuracy = np.average(likeliest(logits) == reviews.labels, weights=weights)
    return Evaluation(float(loss), float(accuracy))


def probe_batch(reviews: Reviews, n: int) -> Batch:
    """The `n` longest reviews, each cut to its last words so that all have the same length."""
    longest = np.argsort(-reviews.lengths, kind="stable")[:n]
    batch = make_batch(reviews, longest)
    common = int(batch.lengths.min())
    rows = batch.lengths - common + np.arange(common)[:, np.newaxis]
    return batch._replace(
        tokens=np.take_along_axis(batch.tokens, rows, axis=0),
        lengths=np.full_like(batch.lengths, common),
    )


@np.errstate(all="ignore")
def _finish_epoch(state: TrainingState, splits: Splits, probes: Batch, settings: Settings) -> None:
    clock = time.perf_counter()
    scores = evaluate(state.parameters, splits.validation, settings)
    if not np.isfinite(scores.loss):
        raise Diverged(
            f"the validation loss is {scores.loss} after step {state.step}, the last of epoch"
            f" {state.epoch + 1}"
        )
    state.norms.append(gradient_flow.record(classifier_of(state.parameters, settings), probes))
    state.epoch += 1
    state.history.append(
        Epoch(
            epoch=state.epoch,
            train_loss=state.loss_sum / state.reviews,
            val_loss=scores.loss,
            val_accuracy=scores.accuracy,
            seconds=state.epoch_seconds,
            tokens_per_second=state.tokens / state.epoch_seconds,
        )
    )
    state.step, state.reviews, state.tokens = 0, 0, 0
    state.loss_sum, state.epoch_seconds = 0.0, 0.0
    if state.best_epoch == state.epoch:
        state.best_parameters = {name: array.copy() for name, array in state.parameters.items()}
    state.seconds += time.perf_counter() - clock
