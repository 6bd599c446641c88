"""Tell the sentiment of reviews."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from numpy_lstm.data.text import UNKNOWN
from numpy_lstm.losses import class_probabilities, likeliest, log_odds
from numpy_lstm.predict.formatting import check_page, line, paragraph, write_page
from numpy_lstm.predict.reading import read_reviews
from numpy_lstm.predict.written import as_written
from numpy_lstm.terminal import program, standard_streams
from numpy_lstm.training import classifier_of

if TYPE_CHECKING:
    from numpy_lstm.weights import Weights

RUNS = Path("runs")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    try:
        with standard_streams(needed=True):
            return _main(argv)
    except BrokenPipeError:  # the reader of the output has seen enough
        return 0


def _main(argv: list[str] | None) -> int:
    arguments = parse(argv)
    try:
        if arguments.html:
            check_page(arguments.html)
        texts = arguments.reviews or read_reviews(arguments.file, arguments.column)
        path = find_weights(arguments.weights)
        print_results(path, texts, arguments)
        sys.stdout.flush()
    except BrokenPipeError:
        raise
    except (ValueError, OSError, MemoryError) as error:
        print(f"error: {str(error) or 'out of memory'}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog=program("predict"),
        usage="%(prog)s [options] [REVIEW ...]",
        description=f"{__doc__} Without REVIEW or --file, they are read from standard input.",
        epilog="A review that begins with - goes behind --, as in: predict -- -10/10",
    )
    parser.add_argument("reviews", nargs="*", metavar="REVIEW", help="a review's text")
    parser.add_argument(
        "--file",
        type=Path,
        metavar="PATH",
        help="reviews in UTF-8, one a line, or a table (.csv, .tsv); each may be packed (.gz)",
    )
    parser.add_argument(
        "--column",
        metavar="NAME",
        help="the table's column of reviews (default: the one called review, text or the like)",
    )
    parser.add_argument(
        "--weights",
        type=Path,
        metavar="PATH",
        help="a weights file, or the folder of a run (default: the newest run in runs/)",
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    parser.add_argument(
        "--explain", action="store_true", help="show the words that moved the logit"
    )
    parser.add_argument(
        "--html", type=Path, metavar="PATH", help="write a page that shows these words in color"
    )
    arguments = parser.parse_args(argv)
    if arguments.reviews and arguments.file:
        parser.error("argument --file: not together with reviews as arguments")
    if arguments.reviews and arguments.column is not None:
        parser.error("argument --column: not together with reviews as arguments")
    return arguments


def find_weights(given: Path | None) -> Path:
    """The given weights file, or that of the newest run in the folder, the LSTM's if there are two.

    Raises
    ------
    ValueError
        If there is none.
    """
    if given is not None and not given.is_dir():
        return given
    folder = given or RUNS
    found = sorted(folder.glob("weights-*.npz")) or sorted(folder.glob("*/weights-*.npz"))
    if not found and next(folder.glob("checkpoint-*.npz"), None):
        raise ValueError(
            f"there is no trained model in {folder}/ yet: the run has not ended. If it was stopped,"
            f" go on with it by {program('train')} --resume --out {folder}"
        )
    if not found:
        raise ValueError(
            f"there is no trained model in {folder}/. Train one, in a few minutes, by"
            f" {program('train')}, or name one by --weights PATH."
        )
    newest = max(found, key=lambda path: path.stat().st_mtime_ns).parent
    return next(path for path in found if path.parent == newest)


def print_results(path: Path, texts: list[str], arguments: argparse.Namespace) -> None:
    """Score the texts and print a result for each."""
    from numpy_lstm.weights import load_weights

    weights = load_weights(path)
    if path != arguments.weights:
        print(f"Model: {path}", file=sys.stderr)
    if weights.dataset == "synthetic":
        print(
            "This model has read the built-in reviews only: expect nothing of it on real ones.",
            file=sys.stderr,
        )
    explained = bool(arguments.explain or arguments.html)
    results: Iterable[dict[str, Any]] = results_of(weights, texts, explained=explained)
    if arguments.html:
        results = list(results)
        write_page(arguments.html, results, path)
        print(f"Wrote {arguments.html}", file=sys.stderr)
    in_color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for result in results:
        if arguments.json:
            if not arguments.explain:
                result.pop("explanation", None)
            print(json.dumps(result))
        else:
            print(line(result))
            if arguments.explain and result["label"]:
                print(paragraph(result, in_color=in_color))


def results_of(weights: Weights, texts: list[str], *, explained: bool) -> Iterator[dict[str, Any]]:
    """Label and probabilities of each text; None if the model knows no word of it.

    "probability", "logit" (the log-odds) and the explanation are those of the second of two
    classes, and otherwise those of the label.
    """
    from numpy_lstm.predict.integrated_gradients import explain
    from numpy_lstm.predict.scoring import score

    classifier = classifier_of(weights.parameters, weights.settings)
    logits, known, reviews = score(weights, texts)
    binary = len(weights.classes) == 2
    labels, probabilities = likeliest(logits), class_probabilities(logits)
    for n, text in enumerate(texts):
        tokens = reviews.tokens[reviews.starts[n] : reviews.starts[n + 1]]
        label = 1 if binary else int(labels[n])
        logit = float(log_odds(logits[n : n + 1], label)[0])
        by_name = dict(zip(map(str, weights.classes), probabilities[n].tolist(), strict=True))
        result: dict[str, Any] = {
            "review": text,
            "label": weights.classes[labels[n]] if known[n] else None,
            "probability_of": weights.classes[label],
            "probability": float(probabilities[n, label]) if known[n] else None,
            "logit": logit if known[n] else None,
            "probabilities": by_name if known[n] else None,
            "words_known": int(known[n]),
        }
        if explained:
            baseline, contributions = explain(classifier, tokens, label)
            # An empty text was read as one unknown word, which nobody wrote.
            words = as_written(text, len(tokens)) or [""]
            result["explanation"] = {
                "baseline": baseline,
                "residual": logit - baseline - float(contributions.sum()),
                "words": list(zip(words, contributions.tolist(), strict=True)),
                "unknown": np.flatnonzero(tokens == UNKNOWN).tolist(),  # places in "words"
            }
        yield result


if __name__ == "__main__":
    sys.exit(main())
