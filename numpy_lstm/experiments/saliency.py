"""Which words move the verdict, and does the vanilla RNN still see the first ones?

Both models read one word per step. For a few short validation reviews, the depth of a word's color
is the norm of the logit's gradient in its vector, as in Madsen (2019); its square is the
sensitivity of Arras et al. (2017). The models of the first seed are shown.
"""

from __future__ import annotations

import html
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from numpy_lstm import plots
from numpy_lstm.classifier import Classifier, classifier_backward, classifier_forward
from numpy_lstm.data.batches import make_batch
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.experiments.statistics import describe, spread
from numpy_lstm.files import write_atomically
from numpy_lstm.recurrence.norms import norms
from numpy_lstm.types import MODEL_NAMES

SIZES: dict[str, Any] = {
    "epochs": 4,
    "patience": 0,
    "hidden_size": 64,
    "vector_size": 64,
    "max_length": 100,
    "bag_size": 1,
    "probes": 1,
}
SHOWN = 2  # reviews in the figure, the shortest of 30 to 45 words
WORDS = (30, 45)


def conditions(quick: bool) -> dict[str, dict[str, Any]]:
    """Both models."""
    return {model: {"model": model, **SIZES} for model in ("rnn", "lstm")}


def run(settings: dict[str, Any], seed: int, quick: bool) -> dict[str, Any]:
    """Train one model, and measure the gradient of its logit in every word of some reviews."""
    own = reviews.settings_of(settings, seed, quick)
    prepared = reviews.data(seed, quick, vector_size=settings["vector_size"])
    splits = reviews.cut(prepared.splits, lambda part: keep_last(part, own.max_length))
    progress = reviews.fit(settings["model"], splits, prepared.vectors, own)
    lengths = splits.validation.lengths
    short = np.flatnonzero((lengths >= WORDS[0]) & (lengths <= WORDS[1]))
    batch = make_batch(splits.validation, short)
    exact = {name: array.astype(np.float64) for name, array in progress.best_parameters.items()}
    logits, cache = classifier_forward(
        Classifier(exact, 1, own.readout), batch.tokens, batch.lengths
    )
    gradients = classifier_backward(np.ones_like(logits), cache)
    by_word = norms(gradients.dxs.swapaxes(1, 2))  # (T, N)
    first, last = (
        [by_word[step(n), k] for k, n in enumerate(batch.lengths)]
        for step in (lambda n: slice(0, 10), lambda n: slice(n - 10, n))
    )
    shown = [
        {
            "words": [prepared.vocabulary.words[token] for token in batch.tokens[:n, k]],
            "norms": [float(f"{norm:.4g}") for norm in by_word[:n, k]],
            "logit": float(f"{logits[k]:.4g}"),
            "label": int(batch.labels[k]),
        }
        for k, n in list(enumerate(batch.lengths))[-SHOWN:]
    ]
    return {
        **reviews.scores(progress, splits, own),
        "first_to_last": float(np.mean(first) / np.mean(last)),
        "reviews": shown if seed == 0 else [],
    }


def summarize(trials: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Ratio of the mean norms over the first ten and over the last ten words."""
    return {
        model: {
            "first_to_last": spread([result["first_to_last"] for result in results]),
            "test_accuracy": describe([result["test_accuracy"] for result in results]),
        }
        for model, results in by_condition(trials).items()
    }


def draw(path: Path, trials: Sequence[dict[str, Any]]) -> None:
    """The first seed's reviews as colored text, in a PNG and an HTML page."""
    grouped = {model: results[0]["reviews"] for model, results in by_condition(trials).items()}
    rows = [
        (model, review)
        for k in range(SHOWN)
        for model in grouped
        for review in grouped[model][k : k + 1]
    ]
    with plots.figure(path, len(rows), 1, 7.0, len(rows)) as (drawing, panels):
        for axes, (model, review) in zip(panels, rows, strict=True):
            axes.set_axis_off()
            axes.set_xlim(0, 100)
            axes.set_ylim(-3, 1)
            axes.set_title(_title(model, review), fontsize=8, loc="left")
            column, line = 0.0, 0
            for word, depth in zip(review["words"], _depths(review["norms"]), strict=True):
                if column + len(word) > 98:
                    column, line = 0.0, line + 1
                axes.text(
                    column,
                    -line,
                    word,
                    fontsize=8,
                    family="monospace",
                    color=_letters(model, depth),
                    bbox={"color": plots.COLORS[model], "alpha": depth, "pad": 1.0},
                )
                column += 1.02 * (len(word) + 1)
        drawing.suptitle("Norm of the logit's gradient in each word (darkest: a review's largest)")
    body = "\n".join(
        f"<h2>{html.escape(_title(model, review))}</h2>\n<p>"
        + " ".join(
            f'<span style="background:rgba({_rgb(model)},{depth:.2f});'
            f'color:{_letters(model, depth)}">{html.escape(word)}</span>'
            for word, depth in zip(review["words"], _depths(review["norms"]), strict=True)
        )
        + "</p>"
        for model, review in rows
    )
    page = (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Saliency</title></head>\n<body>\n{body}\n</body></html>\n"
    )
    write_atomically(path.with_suffix(".html"), lambda file: file.write(page.encode()))


def _title(model: str, review: dict[str, Any]) -> str:
    truth = "positive" if review["label"] else "negative"
    return f"{MODEL_NAMES[model]}: log-odds of positive {review['logit']:+.1f}, truth {truth}"


def _depths(norms_: list[float]) -> list[float]:
    largest = max(norms_)
    return [norm / largest if largest else 0.0 for norm in norms_]


def _letters(model: str, depth: float) -> str:
    """White or black: which has more contrast on the model's color (WCAG 2.2's luminance)."""
    red, green, blue = (
        (1 - depth * (1 - int(part) / 255)) ** 2.2 for part in _rgb(model).split(",")
    )
    return "white" if 0.2126 * red + 0.7152 * green + 0.0722 * blue < 0.18 else "black"


def _rgb(model: str) -> str:
    color = plots.COLORS[model]
    return ",".join(str(int(color[k : k + 2], 16)) for k in (1, 3, 5))
