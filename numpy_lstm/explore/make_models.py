"""Makes the small trained models of the page: ``python -m numpy_lstm.explore.make_models``.

A vanilla RNN and an LSTM, trained on IMDB word by word, with their weights before training and
after each epoch, rounded to 16 bits, and the norms of the gradient of these very weights. No
review is kept.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import get_args

import numpy as np

from numpy_lstm import gradient_flow
from numpy_lstm.data.imdb import DataNotFoundError, load_imdb
from numpy_lstm.data.prepare import Prepared, prepare
from numpy_lstm.explore import small_models
from numpy_lstm.files import make_folder
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.settings import Settings
from numpy_lstm.terminal import run
from numpy_lstm.train.folder import write_gradient_norms
from numpy_lstm.training import (
    TrainingState,
    classifier_of,
    evaluate,
    initial_state,
    probe_batch,
    train,
)
from numpy_lstm.types import Array, Batch, Model

SETTINGS = Settings(
    epochs=6,
    patience=0,
    hidden_size=24,
    vector_size=16,
    vocabulary_size=3000,
    max_length=100,
    bag_size=1,
    dropout=0.2,
    learning_rate=3e-3,
    probes=32,
)


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    return run(lambda: _main(argv), needed=False)


def _main(argv: list[str] | None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m numpy_lstm.explore.make_models",
        usage="%(prog)s [options]",
        description="Train the small models that the page shows, on IMDB, and replace them.",
    )
    parser.add_argument(
        "--data", metavar="PATH", help="an IMDB archive; also the variable NUMPY_LSTM_IMDB"
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="DIR",
        default=small_models.FOLDER,
        help="where they go (default: where the page looks for them)",
    )
    arguments = parser.parse_args(argv)
    try:
        make_folder(arguments.out)
        make(prepare(load_imdb(arguments.data), SETTINGS), SETTINGS, arguments.out)
    except (ValueError, OSError, DataNotFoundError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2
    return 0


def make(prepared: Prepared, settings: Settings, folder: Path) -> None:
    """Train both models and write them, and the norms of their gradients, to a folder."""
    probes = probe_batch(prepared.splits.validation, settings.probes)
    runs = {}
    for model in get_args(Model):
        state = initial_state(model, prepared.vectors, settings)
        epochs = [_rounded(state)]

        def keep(state: TrainingState, epochs: list[dict[str, Array]] = epochs) -> None:
            epochs.append(_rounded(state))
            print(state.history[-1], flush=True)

        train(state, prepared.splits, settings, after_epoch=keep)
        state.norms = [_norms_of(parameters, settings, probes) for parameters in epochs]
        accuracies = [
            evaluate(parameters, prepared.splits.test, settings).accuracy for parameters in epochs
        ]
        print(model, accuracies)
        small_models.save(model, epochs, settings, prepared.vocabulary, accuracies, folder)
        runs[model] = state
    lengths = -(-probes.lengths // settings.bag_size)
    write_gradient_norms(folder / "gradient_norms.npz", runs, lengths)


def _norms_of(parameters: dict[str, Array], settings: Settings, probes: Batch) -> GradientNorms:
    """Of the weights as they are kept; in seven digits, of which nobody sees more than two."""
    recorded = gradient_flow.record(classifier_of(parameters, settings), probes)
    h, x = recorded.h.astype(np.float32), recorded.x.astype(np.float32)
    return GradientNorms(h, None if recorded.c is None else recorded.c.astype(np.float32), x)


def _rounded(state: TrainingState) -> dict[str, Array]:
    """A copy of the weights as 16 bits hold them."""
    return {
        name: array.astype(np.float16).astype(np.float32)
        for name, array in state.parameters.items()
    }


if __name__ == "__main__":
    sys.exit(main())
