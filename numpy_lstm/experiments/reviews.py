"""Shared by the experiments on reviews: the data, and the training of one classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import cache, lru_cache
from typing import Any

import numpy as np

from numpy_lstm.classifier import Gradients, loss_and_gradients
from numpy_lstm.data.corpus import Corpus, Reviews, select
from numpy_lstm.data.imdb import load_imdb
from numpy_lstm.data.prepare import Prepared, Splits, prepare
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.recurrent import init_cell
from numpy_lstm.settings import Settings
from numpy_lstm.training import TrainingState, evaluate, initial_state, train
from numpy_lstm.types import Array, Model

QUICK: dict[str, Any] = {
    "epochs": 1,
    "hidden_size": 8,
    "vector_size": 8,
    "vocabulary_size": 500,
    "max_length": 60,
    "probes": 16,
}


@cache
def corpus(quick: bool) -> Corpus:
    """IMDB; for a smoke run, a few built-in reviews."""
    if quick:
        return synthetic_corpus(np.random.default_rng(0), n_train=150, n_test=40)
    return load_imdb()


@lru_cache(maxsize=2)
def data(
    seed: int,
    quick: bool,
    vocabulary_size: int = Settings.vocabulary_size,
    vector_size: int = Settings.vector_size,
    validation_fraction: float = Settings.validation_fraction,
) -> Prepared:
    """The reviews whole, as :func:`numpy_lstm.data.prepare.prepare` makes them, kept in memory."""
    settings = Settings(
        seed=seed,
        vocabulary_size=QUICK["vocabulary_size"] if quick else vocabulary_size,
        vector_size=QUICK["vector_size"] if quick else vector_size,
        validation_fraction=validation_fraction,
        max_length=10**9,
    )
    return prepare(corpus(quick), settings)


def settings_of(given: dict[str, Any], seed: int, quick: bool) -> Settings:
    """The training job's defaults with the changes of a condition; tiny sizes in a smoke run."""
    fields = {name: value for name, value in given.items() if name in Settings.__dataclass_fields__}
    return Settings(**{**fields, **(QUICK if quick else {}), "seed": seed})


def cut(
    splits: Splits,
    function: Callable[[Reviews], Reviews],
    n_train: int | None = None,
    seed: int = 0,
) -> Splits:
    """Apply `function` to all parts, and keep `n_train` random training reviews."""
    train = splits.train
    if n_train is not None:
        order = np.random.default_rng(seed).permutation(len(train.labels))
        train = select(train, order[:n_train])
    return Splits(*map(function, splits._replace(train=train)))


def texts(part: Reviews, words: Sequence[str] | None = None) -> list[str]:
    """Reviews as texts of their words, or of word ids, for scikit-learn."""
    tokens = part.tokens.astype(str) if words is None else np.array(words, object)[part.tokens]
    pieces = np.split(tokens, part.starts[1:])[:-1]
    return [" ".join(piece) for piece in pieces]


def fit(
    model: Model,
    splits: Splits,
    vectors: Array,
    settings: Settings,
    *,
    recurrent: str = "orthogonal",
    scale: float = 1.0,
    stop_after: int | None = None,
    gradients_of: Gradients = loss_and_gradients,
) -> TrainingState:
    """Train one classifier from initial weights.

    With `recurrent` "uniform", W_x and W_h start as in PyTorch, U(-1/sqrt(H), 1/sqrt(H)); W_h is
    multiplied by `scale`. `stop_after` limits the number of epochs but does not change the learning
    rates.
    """
    state = initial_state(model, vectors, settings)
    if recurrent == "uniform":
        state.parameters.update(uniform_cell(model, vectors.shape[1], settings))
    state.parameters["W_h"] *= np.float32(scale)

    def go_on(state: TrainingState, *_: object) -> bool:
        return stop_after is None or state.epoch < stop_after

    train(state, splits, settings, after_step=go_on, gradients_of=gradients_of)
    return state


def fit_each_rate(
    model: Model,
    splits: Splits,
    vectors: Array,
    settings: Settings,
    rates: Sequence[float],
    **how: Any,
) -> tuple[float, dict[float, TrainingState]]:
    """:func:`fit` at each learning rate, and the rate of the smallest validation loss."""
    trained = {
        rate: fit(model, splits, vectors, replace(settings, learning_rate=rate), **how)
        for rate in rates
    }
    losses = {rate: training_scores(state)["val_loss"] for rate, state in trained.items()}
    return min(losses, key=lambda rate: losses[rate]), trained


def fit_best_rate(
    model: Model,
    splits: Splits,
    vectors: Array,
    settings: Settings,
    grid: Sequence[float],
    first: Sequence[float],
    *,
    gradients_of: Gradients = loss_and_gradients,
    **how: Any,
) -> tuple[float, dict[float, TrainingState]]:
    """:func:`fit` at the rate of the smallest validation loss, found by successive halving.

    Each of the rates `first` is trained for one epoch, and then the next one of `grid` as long as
    the best stands at an end. The two best go on to the last epoch (Jamieson and Talwalkar, 2016),
    and again the next one of `grid` if the better one stands at an end.

    Returns
    -------
    rate : float
    trained : dict
        The states of all rates, some of them after one epoch.
    """

    def start(rate: float, stop_after: int | None) -> TrainingState:
        own = replace(settings, learning_rate=rate)
        return fit(
            model, splits, vectors, own, stop_after=stop_after, gradients_of=gradients_of, **how
        )

    def loss(rate: float) -> float:
        return float(training_scores(trained[rate])["val_loss"])

    trained = {rate: start(rate, 1) for rate in first}
    while (wider := beyond(min(trained, key=loss), trained, grid)) is not None:
        trained[wider] = start(wider, 1)
    for rate in sorted(trained, key=loss)[:2]:
        own = replace(settings, learning_rate=rate)
        train(trained[rate], splits, own, gradients_of=gradients_of)
    # More epochs never raise the smallest loss, so the best is no rate that stopped after one.
    while (wider := beyond(min(trained, key=loss), trained, grid)) is not None:
        trained[wider] = start(wider, None)
    return min(trained, key=loss), trained


def beyond(best: float, tried: Iterable[float], grid: Sequence[float]) -> float | None:
    """The rate of `grid` next to the best one if that stands at an end of those tried.

    Examples
    --------
    >>> beyond(4, tried=[2, 4], grid=[1, 2, 4, 8])
    8
    >>> beyond(1, tried=[1, 2], grid=[1, 2, 4, 8])  # the end of the grid
    """
    place = grid.index(best)
    untried = (rate for rate in grid[max(place - 1, 0) : place + 2] if rate not in tried)
    return next(untried, None)


def uniform_cell(model: Model, input_size: int, settings: Settings) -> dict[str, Array]:
    """A cell with W_x and W_h as PyTorch initializes them; b is 0 except for the forget bias."""
    rng, H = np.random.default_rng(settings.seed), settings.hidden_size
    cell = init_cell(
        model, input_size, H, rng=rng, recurrent="uniform", forget_bias=settings.forget_bias
    )
    limit = 1 / np.sqrt(H)
    return {**cell._asdict(), "W_x": rng.uniform(-limit, limit, cell.W_x.shape).astype(np.float32)}


def scores(state: TrainingState, splits: Splits, settings: Settings) -> dict[str, Any]:
    """Scores of a trained classifier, also on the test reviews, which are used only here."""
    test = evaluate(state.best_parameters, splits.test, settings)
    return {"test_accuracy": test.accuracy, "test_loss": test.loss, **training_scores(state)}


def training_scores(state: TrainingState) -> dict[str, Any]:
    """Scores of a trained classifier without the test reviews."""
    best = state.history[state.best_epoch - 1]
    return {
        "val_accuracy": best.val_accuracy,
        "val_loss": best.val_loss,
        "best_epoch": state.best_epoch,
        "epochs": state.epoch,
        "training_seconds": round(state.seconds, 1),
    }
