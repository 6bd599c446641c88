"""Build the report: ``python -m report`` writes the PDF and the web page."""

from __future__ import annotations

import argparse
import sys

from numpy_lstm import terminal
from numpy_lstm.files import write_atomically


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    return terminal.run(lambda: _main(argv), needed=False)


def _main(argv: list[str] | None) -> int:
    argparse.ArgumentParser(
        "python -m report",
        description="Build report/lstm_tutorial_report.pdf and .html from the source and results/.",
    ).parse_args(argv)
    from report import PAGE, PDF, build, build_page

    try:
        pdf, page = build(), build_page()
    except ImportError as error:
        print(f'error: {error}: pip install -e ".[report]"', file=sys.stderr)
        return 2
    write_atomically(PDF, lambda file: file.write(pdf))
    write_atomically(PAGE, lambda file: file.write(page))
    print(PDF, PAGE, sep="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
