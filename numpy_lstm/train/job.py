"""A complete training job: the data, the models one after the other, the results."""

from __future__ import annotations

import dataclasses
import os
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Literal, NamedTuple

import numpy as np

from numpy_lstm import gradient_flow
from numpy_lstm.data.cache import cache_folder
from numpy_lstm.data.corpus import Corpus, content_hash
from numpy_lstm.data.imdb import DataNotFoundError, load_imdb
from numpy_lstm.data.prepare import Prepared, prepare
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.environment import versions
from numpy_lstm.files import write_json
from numpy_lstm.settings import Settings
from numpy_lstm.train import figures
from numpy_lstm.train.baselines import bag_of_embeddings
from numpy_lstm.train.checkpoint import load_checkpoint, save_checkpoint
from numpy_lstm.train.folder import (
    CONFIG,
    check_folder,
    new_run,
    resumed_run,
    write_gradient_norms,
    write_history,
)
from numpy_lstm.train.progress_bar import Display
from numpy_lstm.training import (
    Diverged,
    TrainingState,
    evaluate,
    initial_state,
    is_finished,
    probe_batch,
    train,
)
from numpy_lstm.types import Model
from numpy_lstm.weights import Weights, save_weights

CHECKPOINT_EVERY = 120.0  # seconds, besides the end of each epoch


class Options(NamedTuple):
    """Options of the command line."""

    dataset: Literal["auto", "imdb", "synthetic"]
    data: str | None
    models: tuple[Model, ...]
    out: Path
    settings: dict[str, Any]  # those given; the others take the data set's defaults
    resume: bool
    overwrite: bool


class Stopped(Exception):
    """The run was stopped on request; its state is saved."""


def load_corpus(dataset: str, data: str | None, seed: int, given_as: str = "`--data`") -> Corpus:
    """Load the requested reviews; the first printed line says which they are.

    Raises
    ------
    DataNotFoundError
        If `dataset` is "imdb" and IMDB is not available.
    ValueError
        If a given path holds something else, or is given for built-in reviews.
    """
    if dataset == "synthetic":
        if data is not None:
            raise ValueError(f"{given_as} {data} is not read: the reviews are the built-in ones.")
        print("Data set: built-in reviews (synthetic)")
        return synthetic_corpus(np.random.default_rng(seed))
    try:
        corpus = load_imdb(data, given_as=given_as)
    except DataNotFoundError as error:
        if dataset != "auto":
            raise
        print("Data set: BUILT-IN REVIEWS (synthetic), because IMDB could not be had.")
        print(error)
        return synthetic_corpus(np.random.default_rng(seed))
    name = "IMDB (Maas et al., 2011)" if corpus.name == "imdb" else "reviews"
    print(f"Data set: {name}, from {corpus.source or cache_folder()}")
    if not len(corpus.unlabeled.labels):
        print("It has no unlabeled reviews: the word vectors come from the labeled ones alone.")
    return corpus


def _load_again(started: dict[str, Any], data: str | None, folder: Path) -> Corpus:
    """Load the reviews of an earlier run, from `data` or else from where they were.

    Raises
    ------
    DataNotFoundError
        If they are those of IMDB, and not available.
    ValueError
        If they are gone.
    """
    given_as = "`--data`"
    if data is None and (source := started["source"]):
        if os.path.exists(source):
            data, given_as = source, f"`source` in {folder / CONFIG}"
        elif started["dataset"] != "imdb" and not os.environ.get("NUMPY_LSTM_IMDB"):
            raise ValueError(
                f"The reviews of the run in {folder} are no longer at {source}. Name where they"
                " are by --data PATH."
            )
    return load_corpus(started["dataset"], data, started["settings"]["seed"], given_as)


def run(options: Options, display: Display) -> dict[str, Any]:
    """Run the job, or the rest of a resumed one; return the contents of ``metrics.json``.

    Raises
    ------
    Stopped
        If `display.stop_requested` became true; everything is saved.
    ValueError, OSError, DataNotFoundError, numpy_lstm.training.Diverged
        With a message for the user.
    """
    clock = time.perf_counter()
    with ExitStack() as held:
        started: dict[str, Any] = {}
        if options.resume:
            started = held.enter_context(resumed_run(options.out))
        else:
            check_folder(options.out, overwrite=options.overwrite)
        if started:
            corpus = _load_again(started, options.data, options.out)
        else:
            seed = options.settings.get("seed", Settings.seed)
            corpus = load_corpus(options.dataset, options.data, seed)
        settings = _settings(corpus.name, options, started)
        config = {
            "dataset": corpus.name,
            "models": tuple(started.get("models", options.models)),
            "settings": dataclasses.asdict(settings),
            "content": content_hash(corpus),
        }
        if not started:
            held.enter_context(new_run(options.out, overwrite=options.overwrite))
            write_json(options.out / CONFIG, {**config, "source": corpus.source})
        elif started["content"] != config["content"]:
            found = "`--data`" if options.data else corpus.source or f"data set {corpus.name}"
            raise ValueError(
                f"{found}: other reviews than the run in {options.out} started with, or this"
                " version reads them otherwise. Name those reviews by --data PATH, or start anew."
            )
        return _train_and_score(options, config, settings, corpus, display, clock)


def _train_and_score(
    options: Options,
    config: dict[str, Any],
    settings: Settings,
    corpus: Corpus,
    display: Display,
    clock: float,
) -> dict[str, Any]:
    """Train and score in a locked folder, and write the results."""
    prepared = prepare(corpus, settings)
    runs: dict[str, TrainingState] = {}
    scores: dict[str, dict[str, Any]] = {}
    for model in config["models"]:
        runs[model] = _train_model(model, prepared, settings, corpus.name, options.out, display)
    for model, state in runs.items():
        test = evaluate(state.best_parameters, prepared.splits.test, settings)
        best = state.history[state.best_epoch - 1]
        scores[model] = {
            "test_accuracy": test.accuracy,
            "test_loss": test.loss,
            "val_accuracy": best.val_accuracy,
            "best_epoch": state.best_epoch,
            "parameters": sum(array.size for array in state.parameters.values()),
            "cell_parameters": sum(state.parameters[name].size for name in ("W_x", "W_h", "b")),
            "seconds": state.seconds,
            "gradient_decay_per_step": _decay(state, state.best_epoch),
            "gradient_decay_per_step_at_start": _decay(state, 0),
        }
    metrics = {
        "dataset": corpus.name,
        "seed": settings.seed,
        "config": config,
        "versions": versions(),
        "seconds": time.perf_counter() - clock,
        "sizes": {name: len(reviews.labels) for name, reviews in prepared.splits._asdict().items()},
        "models": scores,
        "baselines": {"bag": bag_of_embeddings(prepared.splits, prepared.vectors)},
    }
    _write_results(options.out, metrics, runs, prepared, settings)
    return metrics


def _settings(dataset: str, options: Options, started: dict[str, Any]) -> Settings:
    if not started:
        return Settings.for_dataset(dataset, **options.settings)
    for name, value in options.settings.items():
        before = started["settings"][name]
        if value != before:
            raise ValueError(
                f"`--{name.replace('_', '-')}` is {value}, but the run in {options.out} was started"
                f" with {before}: a resumed run keeps its settings."
            )
    return Settings(**started["settings"])


def _train_model(
    model: Model,
    prepared: Prepared,
    settings: Settings,
    dataset: str,
    folder: Path,
    display: Display,
) -> TrainingState:
    path = folder / f"checkpoint-{model}.npz"
    if path.exists():
        try:
            state = load_checkpoint(path, settings)
        except ValueError as error:
            raise ValueError(f"{path} is damaged: {error}. Delete it to train anew.") from error
    else:
        state = initial_state(model, prepared.vectors, settings)
    saved = time.monotonic()

    def save(state: TrainingState) -> None:
        nonlocal saved
        save_checkpoint(path, state)
        saved = time.monotonic()

    def after_step(state: TrainingState, steps: int, loss: float, accuracy: float) -> bool:
        display.step(state, steps, loss, accuracy)
        if time.monotonic() - saved > CHECKPOINT_EVERY:
            save(state)
        return not display.stop_requested

    def after_epoch(state: TrainingState) -> None:
        save(state)
        display.epoch(state)

    try:
        with display.training(model, state, settings):
            train(
                state,
                prepared.splits,
                settings,
                after_step=after_step,
                after_epoch=after_epoch,
            )
    except Diverged as error:
        kept = "No epoch had ended before."
        if state.best_epoch:
            best = folder / f"weights-{model}.npz"
            save_weights(best, _weights(state, prepared, settings, dataset))
            kept = f"The weights of epoch {state.best_epoch}, the best, are kept in {best}."
        raise Diverged(
            f"{error}. {kept} Start anew with a smaller --lr or a smaller --clip: resumed, the run"
            " would come to the same step."
        ) from error
    if not is_finished(state, settings):
        save(state)
        raise Stopped
    return state


def _decay(state: TrainingState, epoch: int) -> float | None:
    """The decay of the gradient in the inputs, or None: JSON has no NaN."""
    decay = gradient_flow.decay_per_step(state.norms[epoch].x)
    return None if np.isnan(decay) else decay


def _weights(state: TrainingState, prepared: Prepared, settings: Settings, dataset: str) -> Weights:
    return Weights(state.best_parameters, settings, prepared.vocabulary, dataset=dataset)


def _write_results(
    folder: Path,
    metrics: dict[str, Any],
    runs: dict[str, TrainingState],
    prepared: Prepared,
    settings: Settings,
) -> None:
    probes = probe_batch(prepared.splits.validation, settings.probes)
    histories = {model: state.history for model, state in runs.items()}
    for model, state in runs.items():
        save_weights(
            folder / f"weights-{model}.npz",
            _weights(state, prepared, settings, metrics["dataset"]),
        )
    write_history(folder / "history.csv", histories)
    write_gradient_norms(
        folder / "gradient_norms.npz", runs, -(-probes.lengths // settings.bag_size)
    )
    dataset = metrics["dataset"]
    figures.comparison(folder / "lstm_rnn_performance_comparison.png", histories, dataset)
    figures.gradient_norms(folder / "gradient_norms.png", runs, dataset, settings.bag_size)
    write_json(folder / "metrics.json", metrics)  # last: it marks the run as complete
