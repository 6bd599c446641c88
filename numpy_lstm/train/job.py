"""A complete training job: the data, the models one after the other, the results."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

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
from numpy_lstm.train.checkpoint import load_checkpoint, problem_of, save_checkpoint
from numpy_lstm.train.folder import (
    CONFIG,
    MODELS,
    remove_results,
    write_gradient_norms,
    write_history,
)
from numpy_lstm.train.options import Options, option
from numpy_lstm.train.progress_bar import Display
from numpy_lstm.train.table import table
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
    seed = started["settings"].get("seed", Settings.seed)
    return load_corpus(started["dataset"], data, seed, given_as)


def run(
    options: Options, folder: Path, started: dict[str, Any] | None, display: Display
) -> dict[str, Any]:
    """Run the job, or the rest of a resumed one; return the contents of ``metrics.json``.

    Parameters
    ----------
    options : Options
    folder : Path
        Locked by this process.
    started : dict, optional
        The configuration of the run that is resumed.
    display : Display

    Raises
    ------
    Stopped
        If the user stopped it; what :func:`run` needs to go on is saved.
    ValueError, OSError, DataNotFoundError, numpy_lstm.training.Diverged
        With a message for the user.
    """
    clock = time.perf_counter()
    if started:
        _check_same(options, started, folder)
        options = Options(
            started["dataset"], options.data, tuple(started["models"]), started["settings"]
        )
        corpus = _load_again(started, options.data, folder)
    else:
        seed = options.settings.get("seed", Settings.seed)
        corpus = load_corpus(options.dataset, options.data, seed)
    sys.stdout.flush()  # which reviews they are, before a long silence
    settings = Settings.for_dataset(corpus.name, **options.settings)
    config = {
        "dataset": corpus.name,
        "models": [*(options.models or MODELS)],
        "settings": dataclasses.asdict(settings),
        "content": content_hash(corpus),
    }
    if started and started["content"] != config["content"]:
        found = "`--data`" if options.data else corpus.source or f"data set {corpus.name}"
        raise ValueError(
            f"{found}: other reviews than the run in {folder} started with, or this version reads"
            " them otherwise. Name those reviews by --data PATH, or start anew."
        )
    prepared = prepare(corpus, settings)
    if not started:
        remove_results(folder)
        write_json(folder / CONFIG, {**config, "source": corpus.source})
    try:
        return _train_and_score(folder, config, settings, prepared, display, clock)
    except KeyboardInterrupt:
        raise Stopped from None


def _check_same(options: Options, started: dict[str, Any], folder: Path) -> None:
    """Compare all that was given with the run that is resumed."""
    given = {option(name): value for name, value in options.settings.items()}
    settings = Settings.for_dataset(started["dataset"], **started["settings"])
    before = {option(name): value for name, value in dataclasses.asdict(settings).items()}
    if options.dataset != "auto":
        dataset = "imdb" if started["dataset"] == "reviews" else started["dataset"]
        given["--dataset"], before["--dataset"] = options.dataset, dataset
    if options.models:
        given["--model"], before["--model"] = (
            "both" if len(models) > 1 else models[0]
            for models in (options.models, started["models"])
        )
    for name, value in given.items():
        if value != before[name]:
            raise ValueError(
                f"`{name}` is {value}, but the run in {folder} was started with {before[name]}: a"
                " resumed run keeps its settings."
            )


def _train_and_score(
    folder: Path,
    config: dict[str, Any],
    settings: Settings,
    prepared: Prepared,
    display: Display,
    clock: float,
) -> dict[str, Any]:
    """Train and score, write the results, print them, and draw the figures last."""
    runs: dict[str, TrainingState] = {}
    scores: dict[str, dict[str, Any]] = {}
    for model in config["models"]:
        runs[model] = _train_model(model, prepared, settings, config, folder, display)
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
            "gradient_20_steps_back": _far_back(state, state.best_epoch),
            "gradient_20_steps_back_at_start": _far_back(state, 0),
        }
    metrics = {
        "dataset": config["dataset"],
        "seed": settings.seed,
        "config": config,
        "versions": versions(),
        "seconds": time.perf_counter() - clock,
        "sizes": {name: len(reviews.labels) for name, reviews in prepared.splits._asdict().items()},
        "models": scores,
        "baselines": {"bag": bag_of_embeddings(prepared.splits, prepared.vectors)},
    }
    _write_results(folder, metrics, runs, prepared, settings)
    print(table(metrics), flush=True)
    figures.draw(folder, runs, config["dataset"], settings.bag_size)
    return metrics


def _train_model(
    model: Model,
    prepared: Prepared,
    settings: Settings,
    config: dict[str, Any],
    folder: Path,
    display: Display,
) -> TrainingState:
    path = folder / f"checkpoint-{model}.npz"
    which = {"model": model, **config, **config["settings"]}
    del which["settings"]
    state = initial_state(model, prepared.vectors, settings)
    if path.exists():
        steps = -(-len(prepared.splits.train.labels) // settings.batch_size)
        state = _loaded(path, state, settings, which, steps)
    saved = time.monotonic()

    def save(state: TrainingState) -> None:
        nonlocal saved
        save_checkpoint(path, state, which)
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
            save_weights(best, _weights(state, prepared, settings, config["dataset"]))
            kept = f"The weights of epoch {state.best_epoch}, the best, are kept in {best}."
        raise Diverged(
            f"{error}. {kept} Start anew with a smaller --lr or a smaller --clip: resumed, the run"
            " would come to the same step."
        ) from error
    if display.stop_requested or not is_finished(state, settings):
        save(state)
        raise Stopped
    return state


def _loaded(
    path: Path, fresh: TrainingState, settings: Settings, which: dict[str, Any], steps: int
) -> TrainingState:
    anew = "Restore what was changed, or delete it to train this model anew."
    try:
        state = load_checkpoint(path, settings, which)
    except ValueError as error:
        raise ValueError(f"{error} {anew}") from error
    if problem := problem_of(state, fresh, settings, steps):
        raise ValueError(f"{path} does not fit this run: {problem}. {anew}")
    return state


def _decay(state: TrainingState, epoch: int) -> float | None:
    """The decay of the gradient in the inputs."""
    return _number(gradient_flow.decay_per_step(state.norms[epoch].x))


def _far_back(state: TrainingState, epoch: int) -> float | None:
    """The gradient in the state that carries it, 20 steps before the last one, over the last's."""
    h, c, _ = state.norms[epoch]
    return _number(gradient_flow.ratio_at(h if c is None else c, 20))


def _number(value: float) -> float | None:
    """The number, or None: JSON has no NaN."""
    return value if np.isfinite(value) else None


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
    write_json(folder / "metrics.json", metrics)  # last: all numbers and weights are there
