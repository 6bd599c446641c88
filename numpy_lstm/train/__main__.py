"""Train a vanilla RNN and an LSTM side by side, and see what their gradients do."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import sys
from datetime import datetime
from pathlib import Path
from typing import Any, get_args

from numpy_lstm.settings import Settings, requirement_not_met
from numpy_lstm.terminal import standard_streams
from numpy_lstm.types import MODEL_NAMES, Model, Readout

HELP = {
    "seed": "of everything random: the same seed gives the same figures",
    "epochs": "at most so many passes over the training reviews",
    "patience": "stop after so many epochs without a better validation loss; 0 never stops early",
    "batch_size": "reviews in a batch",
    "hidden_size": "hidden units",
    "bag_size": "words averaged into one time step",
    "max_length": "the last so many words of a review are read",
    "readout": "what the classifier sees of the hidden states",
    "learning_rate": "Adam's step size at the start; it falls along a straight line to 0",
    "clip": "largest joint norm of all gradients",
    "dropout": "share of inputs and of features that is dropped in training",
    "forget_bias": "the LSTM's forget bias at the start",
    "vocabulary_size": "most words the models know",
    "vector_size": "numbers in a word vector",
    "validation_fraction": "share of the training reviews to validate on, split by film",
    "probes": "validation reviews on which the gradient norms are recorded",
}
FULL_DISK = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}
NAMES = {**MODEL_NAMES, "bag": "order-free bag"}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    with standard_streams(needed=False):  # a run must not die of what it prints
        return _main(argv)


def _main(argv: list[str] | None) -> int:
    arguments = parse(argv)
    from numpy_lstm.data.imdb import DataNotFoundError
    from numpy_lstm.train.job import Options, Stopped, run
    from numpy_lstm.train.progress_bar import Display
    from numpy_lstm.training import Diverged

    given = vars(arguments)
    settings = {name: given.pop(name) for name in HELP if name in given}
    options = Options(
        dataset=arguments.dataset,
        data=arguments.data,
        models=get_args(Model) if arguments.model == "both" else (arguments.model,),
        out=arguments.out or Path("runs") / datetime.now().strftime("%Y%m%d-%H%M%S"),
        settings=settings,
        resume=arguments.resume,
        overwrite=arguments.overwrite,
    )
    display = Display()
    try:
        with display.listening():
            metrics = run(options, display)
    except Stopped:
        print(f"Stopped. Go on with: python -m numpy_lstm.train --resume --out {options.out}")
        return 130
    except (ValueError, OSError, DataNotFoundError, Diverged, MemoryError) as error:
        print(f"error: {error}", file=sys.stderr, end="")
        if isinstance(error, OSError) and error.errno in FULL_DISK:
            print(
                f". Make room, and go on with --resume --out {options.out}", file=sys.stderr, end=""
            )
        print(file=sys.stderr)
        return 2
    print(table(metrics))
    print(f"Results, figures and weights are in {options.out}")
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the options. Settings not given are omitted: their defaults depend on the data set."""
    parser = argparse.ArgumentParser(
        prog="python -m numpy_lstm.train",
        usage="%(prog)s [options]",
        description=__doc__,
    )
    parser.add_argument(
        "--dataset",
        choices=("auto", "imdb", "synthetic"),
        default="auto",
        help="auto: IMDB if it can be had, else the built-in reviews (default: auto)",
    )
    parser.add_argument(
        "--data",
        metavar="PATH",
        help="an IMDB archive or an extracted aclImdb/; also the variable NUMPY_LSTM_IMDB",
    )
    parser.add_argument(
        "--model",
        choices=("both", *get_args(Model)),
        default="both",
        help="what to train (default: both)",
    )
    parser.add_argument(
        "--out", type=Path, metavar="DIR", help="where results go (default: runs/<date>-<time>)"
    )
    parser.add_argument(
        "--resume", action="store_true", help="go on in --out DIR where a stopped run left off"
    )
    parser.add_argument("--overwrite", action="store_true", help="replace the results in --out DIR")
    synthetic = Settings.for_dataset("synthetic")
    for field in dataclasses.fields(Settings):
        default, built_in = field.default, getattr(synthetic, field.name)
        shown = f"{default}" if built_in == default else f"{default}; built-in reviews: {built_in}"
        parser.add_argument(
            _option(field.name),
            dest=field.name,
            type=type(default),
            choices=get_args(Readout) if field.name == "readout" else None,
            metavar=None if field.name == "readout" else "N" if isinstance(default, int) else "X",
            default=argparse.SUPPRESS,
            help=f"{HELP[field.name]} (default: {shown})",
        )
    arguments = parser.parse_args(argv)
    _check(parser, vars(arguments))
    return arguments


def table(metrics: dict[str, Any]) -> str:
    """The results as a table in plain text."""
    titles = ("", "test accuracy", "test loss", "gradient a step", "parameters", "seconds")
    lines = ["{:15}{:>14}{:>11}{:>17}{:>12}{:>9}".format(*titles)]
    for name, scores in {**metrics["models"], **metrics["baselines"]}.items():
        decay, seconds = scores.get("gradient_decay_per_step"), scores.get("seconds")
        lines.append(
            f"{NAMES[name]:15}{100 * scores['test_accuracy']:12.2f} %{scores['test_loss']:11.4f}"
            + (f"{f'×{decay:.3f}':>17}" if decay is not None else " " * 17)
            + f"{scores['parameters']:12,}"
            + (f"{seconds:9.1f}" if seconds is not None else "")
        )
    return "\n".join(lines)


def _option(name: str) -> str:
    return "--lr" if name == "learning_rate" else "--" + name.replace("_", "-")


def _check(parser: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    for name in HELP:
        if name in given and (wanted := requirement_not_met(name, given[name])):
            parser.error(f"argument {_option(name)}: must be {wanted}; got {given[name]}")
    if given["resume"] and given["out"] is None:
        parser.error("argument --resume: needs --out DIR, the folder of the run to go on with")
    if given["resume"] and given["overwrite"]:
        parser.error("argument --overwrite: not together with --resume")


if __name__ == "__main__":
    sys.exit(main())
