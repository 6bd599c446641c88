"""Tell the sentiment of reviews."""

from __future__ import annotations

import argparse
import codecs
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from numpy_lstm.losses import class_probabilities, likeliest, log_odds
from numpy_lstm.training import classifier_of

if TYPE_CHECKING:
    from numpy_lstm.weights import Weights

RUNS = Path("runs")


def main(argv: list[str] | None = None) -> int:
    """Run the command line; returns its exit status."""
    arguments = parse(argv)
    # For ASCII terminals, and for lone surrogates: bytes of an argument that are not UTF-8.
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    try:
        texts = arguments.reviews or read_reviews(arguments.file)
        path = find_weights(arguments.weights)
        print_results(path, texts, arguments)
    except (ValueError, OSError, MemoryError) as error:
        if isinstance(error, BrokenPipeError):  # the reader of the output has closed it
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return 0
        print(f"error: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        return 130
    return 0


def parse(argv: list[str] | None) -> argparse.Namespace:
    """Read the options."""
    parser = argparse.ArgumentParser(
        prog="python -m numpy_lstm.predict",
        usage="%(prog)s [options] [REVIEW ...]",
        description=f"{__doc__} Without REVIEW or --file, they are read from standard input.",
    )
    parser.add_argument("reviews", nargs="*", metavar="REVIEW", help="a review's text")
    parser.add_argument("--file", type=Path, metavar="PATH", help="reviews in UTF-8, one a line")
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
    return arguments


def read_reviews(path: Path | None) -> list[str]:
    """Reviews from a file, or from standard input if it is None, one per line.

    Bytes that are not UTF-8 separate words, as in the training data.

    Raises
    ------
    ValueError
        If there is no review, or the file is UTF-16.
    OSError
        If the file cannot be read.
    """
    name = str(path) if path else "standard input"
    if path is None and sys.stdin.isatty():
        print("Type reviews, one a line; end with Ctrl-D.", file=sys.stderr)
    contents = path.read_bytes() if path else sys.stdin.buffer.read()
    if contents.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        raise ValueError(f"{name} must be UTF-8; got UTF-16.")
    text = contents.decode("utf-8-sig", errors="replace")
    lines = text.removesuffix("\n").split("\n") if text else []
    if not lines:
        raise ValueError(f"{name} holds no review; wanted one a line.")
    return [line.removesuffix("\r") for line in lines]


def find_weights(given: Path | None) -> Path:
    """The given weights file, or that of the newest run, the LSTM's if there are two.

    Raises
    ------
    ValueError
        If there is none.
    """
    if given is not None and not given.is_dir():
        return given
    found = sorted((given or RUNS).glob("weights-*.npz" if given else "*/weights-*.npz"))
    if not found:
        raise ValueError(
            f"there is no trained model in {given or RUNS}/. Train one, in a few minutes, by"
            " python -m numpy_lstm.train, or name one by --weights PATH."
        )
    newest = max(found, key=lambda path: path.stat().st_mtime_ns).parent
    return next(path for path in found if path.parent == newest)


def print_results(path: Path, texts: list[str], arguments: argparse.Namespace) -> None:
    """Score the texts and print a result for each."""
    from numpy_lstm.predict import formatting
    from numpy_lstm.weights import load_weights

    weights = load_weights(path)
    if arguments.weights is None:
        print(f"Model: {path}", file=sys.stderr)
    if weights.dataset == "synthetic":
        print(
            "This model has read the built-in reviews only: expect nothing of it on real ones.",
            file=sys.stderr,
        )
    results = list(results_of(weights, texts, explained=bool(arguments.explain or arguments.html)))
    if arguments.html:
        formatting.write_page(arguments.html, results, path)
    in_color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    for result in results:
        if arguments.json:
            if not arguments.explain:
                result.pop("explanation", None)
            print(json.dumps(result))
        else:
            print(formatting.line(result))
            if arguments.explain and result["label"]:
                print(formatting.paragraph(result, in_color=in_color))


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
            words = [weights.vocabulary.words[k] for k in tokens.tolist()]
            result["explanation"] = {
                "baseline": baseline,
                "residual": logit - baseline - float(contributions.sum()),
                "words": list(zip(words, contributions.tolist(), strict=True)),
            }
        yield result


if __name__ == "__main__":
    sys.exit(main())
