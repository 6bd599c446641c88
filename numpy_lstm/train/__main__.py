"""Train a vanilla RNN and an LSTM side by side, and see what their gradients do."""

from __future__ import annotations

import argparse
import dataclasses
import errno
import os
import shlex
import shutil
import subprocess
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Any, get_args

from numpy_lstm.settings import Settings, requirement_not_met
from numpy_lstm.terminal import program, standard_streams
from numpy_lstm.train.options import Options, option
from numpy_lstm.types import Model, Readout

HELP = {
    "seed": (
        "of everything random: the same seed gives the same figures on one machine; another"
        " processor changes last digits, which training enlarges to about a percent"
    ),
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


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    with standard_streams(needed=False):  # a run must not die of what it prints
        arguments = parse(argv)
        try:
            return _run(arguments)
        except KeyboardInterrupt:
            print("Stopped before the training began.")
            return 130


def _run(arguments: argparse.Namespace) -> int:
    from numpy_lstm.data.imdb import DataNotFoundError
    from numpy_lstm.train.folder import CONFIG, MODELS, new_run, resumed_run
    from numpy_lstm.train.job import Stopped, run
    from numpy_lstm.train.progress_bar import Display
    from numpy_lstm.training import Diverged

    options = Options(
        dataset=arguments.dataset,
        data=arguments.data,
        models={None: None, "both": MODELS}.get(arguments.model, (arguments.model,)),
        settings={name: vars(arguments)[name] for name in HELP if name in arguments},
    )
    display, folder = Display(), arguments.out
    try:
        with display.listening(), ExitStack() as held:
            started = None
            if arguments.resume:
                started = held.enter_context(resumed_run(folder))
            else:
                folder = held.enter_context(new_run(folder, overwrite=arguments.overwrite))
            run(options, folder, started, display)
    except Stopped:
        print(f"Stopped. Go on with: {resume_command(folder, arguments.data)}")
        return 130
    except (ValueError, OSError, DataNotFoundError, Diverged, MemoryError) as error:
        advice = ""
        if getattr(error, "errno", None) in FULL_DISK and folder and (folder / CONFIG).exists():
            advice = f". Make room, and go on with: {resume_command(folder, arguments.data)}"
        print(f"error: {error}{advice}", file=sys.stderr)
        return 2
    print(f"Results, figures and weights are in {folder}")
    return 0


def resume_command(folder: Path, data: str | None) -> str:
    """The command that goes on with a run, to be pasted into a shell."""
    name, *more = program("train").split()
    called = sys.executable if name == "python" else os.path.abspath(sys.argv[0])
    first = name if shutil.which(name) == called else called
    words = [first, *more, "--resume", "--out", str(folder)]
    if data:
        words += ["--data", data]
    return subprocess.list2cmdline(words) if os.name == "nt" else shlex.join(words)


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the options. Settings not given are omitted: their defaults depend on the data set."""
    parser = argparse.ArgumentParser(
        prog=program("train"),
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
        type=os.path.expanduser,
        metavar="PATH",
        help="an IMDB archive or an extracted aclImdb/; also the variable NUMPY_LSTM_IMDB",
    )
    parser.add_argument(
        "--model",
        choices=("both", *get_args(Model)),
        help="what to train (default: both)",
    )
    parser.add_argument(
        "--out", type=_folder, metavar="DIR", help="where results go (default: runs/<date>-<time>)"
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
            option(field.name),
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


def _folder(text: str) -> Path:
    if not text.strip():
        raise argparse.ArgumentTypeError("must name a folder; got an empty name")
    try:
        return Path(text).expanduser()
    except RuntimeError as error:  # "~somebody" who is not known
        raise argparse.ArgumentTypeError(f"there is no home folder for {text}") from error


def _check(parser: argparse.ArgumentParser, given: dict[str, Any]) -> None:
    for name in HELP:
        if name in given and (wanted := requirement_not_met(name, given[name])):
            parser.error(f"argument {option(name)}: must be {wanted}; got {given[name]}")
    if given["resume"] and given["out"] is None:
        parser.error("argument --resume: needs --out DIR, the folder of the run to go on with")
    if given["resume"] and given["overwrite"]:
        parser.error("argument --overwrite: not together with --resume")


if __name__ == "__main__":
    sys.exit(main())
