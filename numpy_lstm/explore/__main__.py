"""Turn the forget bias, and see the gradient move: a page in your browser."""

from __future__ import annotations

import argparse
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from numpy_lstm.files import check_replaceable, write_atomically
from numpy_lstm.terminal import program, run

if TYPE_CHECKING:
    from numpy_lstm.explore.controls import View


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    return run(lambda: _main(argv), needed=False)


def _main(argv: list[str] | None) -> int:
    arguments = parse(argv)
    from numpy_lstm.explore.page import MARK, packed_answers, page
    from numpy_lstm.explore.views import views_of

    try:
        views = views_of(arguments.run)
        if arguments.out:
            check_replaceable(arguments.out, MARK, "--out")
            text, _ = page(views, packed_answers(views))
            write_atomically(arguments.out, lambda file: file.write(text.encode()))
            print(f"Wrote {arguments.out}")
            return 0
        return serve(views, arguments)
    except (ValueError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 2


def serve(views: dict[str, View], arguments: argparse.Namespace) -> int:
    """Serve the page until Ctrl-C."""
    from numpy_lstm.explore.server import Server, has_browser, open_browser

    with Server(views, arguments.port) as server:
        print(f"{server.address}  (Ctrl-C ends it)", flush=True)
        if not arguments.no_browser and has_browser():
            open_browser(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            print()
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog=program("explore"),
        usage="%(prog)s [options]",
        description=f"{__doc__} It is served to this machine alone, until Ctrl-C.",
    )
    parser.add_argument(
        "--run",
        type=Path,
        metavar="DIR",
        help="show the epochs of this run (default: of a small one that comes with the package)",
    )
    parser.add_argument(
        "--out",
        type=Path,
        metavar="FILE",
        help="write the page to one file, with numbers worked out beforehand, and serve nothing",
    )
    parser.add_argument(
        "--port", type=_port, metavar="N", help="where to serve (default: 8765, or any free one)"
    )
    parser.add_argument("--no-browser", action="store_true", help="open no browser")
    arguments = parser.parse_args(argv)
    if arguments.out and (arguments.port is not None or arguments.no_browser):
        parser.error("argument --out: not together with --port or --no-browser; it serves nothing")
    return arguments


def _port(text: str) -> int:
    if not (re.fullmatch("[0-9]{1,5}", text) and int(text) < 65536):
        raise argparse.ArgumentTypeError("must be a whole number below 65536")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
