"""The command ``numpy-lstm``, which ``python -m numpy_lstm`` is too: it starts the others."""

from __future__ import annotations

import argparse
import sys
from difflib import get_close_matches
from importlib import import_module

from numpy_lstm import __version__
from numpy_lstm.terminal import program, run

# Each is numpy_lstm.NAME.__main__.main, imported only when it is called.
COMMANDS = {
    "train": "train a vanilla RNN and an LSTM on movie reviews",
    "predict": "tell the sentiment of reviews",
    "gradcheck": "check every gradient of the package",
    "clinic": "say which line of your own RNN or LSTM is wrong",
    "experiments": "run the experiments behind the report",
    "explore": "turn the forget bias and see the gradient move, in a browser",
}


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    arguments = sys.argv[1:] if argv is None else argv
    if not arguments or arguments[0] not in COMMANDS:
        return run(lambda: _about(arguments), needed=True)
    try:
        module = import_module(f"numpy_lstm.{arguments[0]}.__main__")
        return int(module.main(arguments[1:]))
    except KeyboardInterrupt:
        return 130


def _about(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog=program(),
        usage="%(prog)s COMMAND [options]",
        description="A vanilla RNN and an LSTM in NumPy alone.",
        epilog="%(prog)s COMMAND --help lists the options of a command.",
    )
    parser.add_argument("-V", "--version", action="version", version=f"numpy-lstm {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")
    for name, what in COMMANDS.items():
        commands.add_parser(name, help=what)
    options = ["-h", "--help", "-V", "--version"]
    if arguments and arguments[0] not in options:
        near = get_close_matches(arguments[0].lower(), [*COMMANDS, *options], n=1)
        hint = f"Did you mean {near[0]}?" if near else f"There are {', '.join(COMMANDS)}."
        parser.exit(2, f"{parser.prog}: error: no command {arguments[0]!r}. {hint}\n")
    parser.parse_args(arguments)
    parser.print_help()
    return 0


if __name__ == "__main__":
    sys.exit(main())
