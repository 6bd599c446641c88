"""Why did one repository measure 50.4 % (RNN) and 78.8 % (LSTM), and what would one change bring?

The repository is chavaanilkumar/Long-Short-Term-Memory-Networks-Conquered-the-Vanishing-Gradient on
GitHub; its figures are those that its notebook printed. Its configuration: 10,000 words, 500 steps,
random embeddings of 128 numbers, 128 units, Adam at 0.001, batches of 64, ten epochs, no dropout,
the initial weights and the optimizer of Keras; a fifth of the training reviews for validation;
reviews cut and padded at the end, no mask, the last state read; the weights of the last epoch
count. It is trained here as published. Then, for two epochs, the padding stands in front, or there
is a mask instead. For tweets, Dwarampudi and Reddy (2019) report a fall of an LSTM from 80 % to
50 % when padded at the end instead of in front. Accuracy by the amount of padding tells which
reviews are learned. Before training it is measured how much of the gradient crosses the padding,
from Keras's first weights and from ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.classifier import Classifier, ClassifierGradients, Masks, loss_and_gradients
from numpy_lstm.data.batches import make_batch
from numpy_lstm.data.corpus import Reviews, keep_first, select
from numpy_lstm.data.text import PAD
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import spread
from numpy_lstm.gradient_flow import record
from numpy_lstm.initializers import glorot_uniform, orthogonal
from numpy_lstm.layers import RowGradient
from numpy_lstm.training import Diverged, classifier_of, initial_state, predict_logits, train
from numpy_lstm.types import MODEL_NAMES, Array, Batch, Ints, Model

CROSSES = "x_at_review_end_over_last_step"
PIVOTS = ("test_accuracy", CROSSES)
PUBLISHED: dict[str, Any] = {
    "padding": "post",
    "stop_after": 10,
    "epochs": 10**6,  # over which the learning rate falls to 0: constant in the first ten
    "patience": 0,
    "bag_size": 1,
    "hidden_size": 128,
    "vector_size": 128,
    "vocabulary_size": 10_000,
    "max_length": 500,
    "validation_fraction": 0.2,
    "learning_rate": 1e-3,
    "clip": 1e9,  # no clipping in effect; JSON has no infinity
    "dropout": 0.0,
    "probes": 1,
}
CHANGES: dict[str, dict[str, Any]] = {
    "as published": {},
    "padded in front": {"padding": "pre", "stop_after": 2},
    "masked": {"padding": "none", "stop_after": 2},
}
KERAS, OURS = FIRST_WEIGHTS = ("Keras's first weights", "our first weights")  # not trained
EPSILON = 1e-7  # Keras's in Adam; ours is 1e-8, which makes larger steps of gradients that vanish
# Accuracy on 5,000 validation reviews after each epoch, as that repository's notebook printed it.
PRINTED: dict[str, Sequence[float]] = {
    "rnn": (0.5042, 0.5058, 0.5034, 0.5018, 0.5018, 0.4970, 0.4934, 0.5026, 0.5032, 0.5034),
    "lstm": (0.5136, 0.5072, 0.5106, 0.5138, 0.5194, 0.5154, 0.5036, 0.5062, 0.6980, 0.7926),
}
# The training losses of the LSTM, as printed there.
PRINTED_LOSSES = (0.6945, 0.6953, 0.6707, 0.6474, 0.6394, 0.6366, 0.6358, 0.6347, 0.6257, 0.5586)
PROBES = 128  # validation reviews whose gradients are measured
VALIDATED = 1000  # validation reviews that are scored after each epoch, to save time
FILLED = (0, 100, 200, 300, 400, 500)  # most steps of padding in each group


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Each cell with each change, and before training."""
    untrained = {start: {"start": start, "stop_after": 0} for start in FIRST_WEIGHTS}
    return {
        f"{model}, {name}": {"model": model, **PUBLISHED, **given}
        for model in ("rnn", "lstm")
        for name, given in (CHANGES | untrained).items()
    }


def padded(part: Reviews, length: int, padding: str) -> Reviews:
    """Reviews cut to their first words, or filled up with the padding word as an ordinary word.

    Examples
    --------
    >>> part = Reviews(np.array([7, 8], dtype=np.int32), np.array([0, 2]), np.zeros(1), np.zeros(1))
    >>> padded(part, 4, "post").tokens
    array([7, 8, 0, 0], dtype=int32)
    """
    part = keep_first(part, length)
    if padding == "none":
        return part
    table = np.full((len(part.labels), length), PAD, np.int32)
    real = np.arange(length) < part.lengths[:, np.newaxis]
    table[real if padding == "post" else real[:, ::-1]] = part.tokens
    return part._replace(tokens=table.ravel(), starts=length * np.arange(len(table) + 1))


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train and evaluate one condition, or measure what crosses the padding before training."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(
        seed, quick, own.vocabulary_size, own.vector_size, own.validation_fraction
    )
    rng = np.random.default_rng(seed)
    validation = prepared.splits.validation
    some = rng.permutation(len(validation.labels))[:VALIDATED]
    splits = reviews.cut(
        prepared.splits._replace(validation=select(validation, some)),
        lambda part: padded(part, own.max_length, settings["padding"]),
    )
    # Keras's Embedding starts from U(-0.05, 0.05), also for the padding word.
    vectors = rng.uniform(-0.05, 0.05, prepared.vectors.shape).astype(np.float32)
    state = initial_state(settings["model"], vectors, own)
    if settings.get("start") != OURS:
        cell = keras_cell(settings["model"], vectors.shape[1], own.hidden_size, rng)
        state.parameters.update(cell)
    # Of each review, the words that are read.
    words = [np.minimum(part.lengths, own.max_length) for part in prepared.splits]
    filled = own.max_length - words[-1]
    if not settings["stop_after"]:
        classifier = classifier_of(state.parameters, own)
        return {
            CROSSES: crossing(classifier, splits.validation, words[1][some]),
            "test_positive_by_filled": count_by_filled(splits.test.labels == 1, filled),
            "train_without_padding": float(np.mean(words[0] == own.max_length)),
        }
    state.optimizer.epsilon = EPSILON
    last: dict[str, Array] = {}
    with suppress(Diverged):  # without clipping a gradient may overflow
        train(
            state,
            splits,
            own,
            after_step=lambda state, *_: state.epoch < settings["stop_after"],
            # Kept, as training notices only after a step of the next epoch that it is to stop.
            after_epoch=lambda state: last.update(deepcopy(state.parameters)),
            gradients_of=dense_gradients,
        )
    logits = predict_logits(last or state.parameters, splits.test, own)
    right = (logits > 0) == splits.test.labels
    return {
        "test_accuracy": float(right.mean()),
        "test_right_by_filled": count_by_filled(right, filled),
        "train_losses": [epoch.train_loss for epoch in state.history],
        "val_accuracies": [epoch.val_accuracy for epoch in state.history],
        "training_seconds": round(state.seconds, 1),
    }


def crossing(classifier: Classifier, padded_reviews: Reviews, ends: Ints) -> float:
    """Of the median review, the gradient in x at its own last word over that at the last step.

    Parameters
    ----------
    classifier : Classifier
    padded_reviews : Reviews
        All of one length, the padding behind. The first 128 are looked at.
    ends : ndarray of int, shape (N,)
        Words of each review, without its padding.
    """
    batch = make_batch(padded_reviews, np.arange(min(PROBES, len(ends))))
    by_distance = record(classifier, batch).x
    places = np.arange(by_distance.shape[1])
    at_review_end = by_distance[len(by_distance) - ends[places], places]
    return float(np.median(at_review_end / by_distance[0]))


def keras_cell(model: Model, D: int, H: int, rng: np.random.Generator) -> dict[str, Array]:
    """W_x, W_h and b as in a new ``LSTM`` or ``SimpleRNN`` of Keras.

    Keras draws one matrix for all gates: Glorot's limit is that of 4H outputs, and only the columns
    of the whole W_h are orthonormal (:func:`numpy_lstm.initializers.orthogonal`). So the gradient
    vanishes faster than with :func:`numpy_lstm.init_lstm`, which draws a matrix for each gate.
    """
    gates = 4 if model == "lstm" else 1
    b = np.zeros((gates, H), np.float32)
    b[1:2] = 1  # the forget gate's, if there is one
    return {
        "W_x": glorot_uniform(gates * H, D, rng=rng).astype(np.float32),
        "W_h": orthogonal(H, gates, rng=rng).astype(np.float32),
        "b": b.ravel(),
    }


def dense_gradients(
    classifier: Classifier, batch: Batch, masks: Masks | None
) -> tuple[float, Array, ClassifierGradients]:
    """The loss, the logits and the gradients, that of the embedding as a full array.

    Keras's Adam goes on moving the vectors of words that a batch does not have, by their moments.
    """
    loss, logits, gradients = loss_and_gradients(classifier, batch, masks)
    of_rows = gradients.parameters["embedding"]
    assert isinstance(of_rows, RowGradient)
    whole = np.zeros_like(classifier.parameters["embedding"])
    whole[of_rows.rows] = of_rows.values
    parameters = {**gradients.parameters, "embedding": whole}
    return loss, logits, gradients._replace(parameters=parameters)


def count_by_filled(right: Array, filled: Array) -> list[tuple[int, int]]:
    """Numbers of right and of all reviews with 0 steps of padding, up to 100 steps, and so on.

    Examples
    --------
    >>> count_by_filled(np.array([True, False, True, True]), np.array([0, 0, 100, 101]))
    [(1, 2), (1, 1), (1, 1), (0, 0), (0, 0), (0, 0)]
    """
    groups = np.searchsorted(FILLED, filled)
    return [(int(np.sum(right[groups == k])), int(np.sum(groups == k))) for k in range(len(FILLED))]


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Test accuracy, on all reviews and by the steps of padding; what crosses before training."""
    summary: dict[str, Any] = {}
    for condition, results in by_condition(trials).items():
        own = summary[condition] = {
            name: spread([result[name] for result in results])
            for name in PIVOTS
            if name in results[0]
        }
        if "test_right_by_filled" in results[0]:
            counts = np.sum([result["test_right_by_filled"] for result in results], axis=0)
            for steps, of_group in zip(FILLED, counts, strict=True):
                own[f"at_most_{steps}_steps_of_padding"] = share(of_group)
    return summary


def share(right_and_all: Sequence[int] | Array) -> float | None:
    """The first number divided by the second; None if that is 0."""
    right, total = right_and_all
    return float(right / total) if total else None


def percents(by_filled: Sequence[Sequence[int]]) -> Array:
    """The shares of the groups, in percent; NaN, a gap in a line, for one without reviews."""
    return 100 * np.array([share(counts) for counts in by_filled], np.float64)


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """Every seed: a row for each change; as published, by epochs and by steps of padding."""
    grouped = by_condition(trials)
    with plots.figure(path, 1, 3, 7.4, 3.0) as (drawing, (changes, epochs, groups)):
        for model, shift in (("rnn", -0.15), ("lstm", 0.15)):
            style: dict[str, Any] = {"color": plots.COLORS[model], "linestyle": plots.DASHES[model]}
            mark: dict[str, Any] = {"marker": plots.MARKERS[model], "markersize": 4}
            for row, change in enumerate(CHANGES):
                values = [
                    100 * result["test_accuracy"]
                    for result in grouped.get(f"{model}, {change}", [])
                ]
                places = [row + shift] * len(values)
                changes.plot(values, places, **{**style, **mark, "linestyle": "none"})
            for k, result in enumerate(grouped.get(f"{model}, as published", [])):
                style["label"] = MODEL_NAMES[model] if k == 0 else None
                percent = 100 * np.array(result["val_accuracies"])
                epochs.plot(np.arange(len(percent)) + 1, percent, linewidth=1, **style)
                groups.plot(FILLED, percents(result["test_right_by_filled"]), **style, **mark)
            printed = 100 * np.array(PRINTED[model])
            style = {**style, "color": "black", "label": f"{MODEL_NAMES[model]}, the notebook"}
            epochs.plot(np.arange(len(printed)) + 1, printed, linewidth=1.6, **style)
        dots: dict[str, Any] = {"color": "black", "linewidth": 0.8, "linestyle": (0, (1, 2))}
        changes.axvline(50, **dots)
        epochs.axhline(50, **dots)
        for result in grouped.get(f"lstm, {KERAS}", [])[:1]:  # of all seeds alike
            positive = percents(result["test_positive_by_filled"])
            groups.plot(FILLED, positive, **dots, label="the same answer to all")
            groups.plot(FILLED, 100 - positive, **dots)
        changes.set_yticks(range(len(CHANGES)), list(CHANGES))
        changes.set_ylim(len(CHANGES) - 0.5, -0.5)
        changes.set_xlabel("test accuracy (%); a mark is a seed")
        epochs.set_title("as published", fontsize=9)
        epochs.set_xticks(range(2, 11, 2))
        epochs.set_xlabel("epochs")
        epochs.set_ylabel("validation accuracy (%)")
        groups.set_title("after ten epochs", fontsize=9)
        groups.set_xlabel("steps of padding, at most")
        groups.set_ylabel("test accuracy (%)")
        lines = dict(zip(*reversed(groups.get_legend_handles_labels()), strict=True))
        lines |= dict(zip(*reversed(epochs.get_legend_handles_labels()), strict=True))
        drawing.legend(lines.values(), lines, loc="outside lower center", ncols=3)
        drawing.suptitle("IMDB, that repository's configuration and one change at a time")
