"""Results, reviews and training states made by hand, and figures as objects instead of files."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from numpy_lstm import plots
from numpy_lstm.data.corpus import Reviews
from numpy_lstm.data.prepare import Prepared, Splits
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.optim import Adam
from numpy_lstm.training import Epoch, TrainingState

WORDS = [*"abcdefghij"]  # ids 2 to 11


def trials(results: Mapping[str, Sequence[Any]], settings: Any = None) -> list[dict[str, Any]]:
    """What a file of results holds: the results of each condition, one a seed."""
    return [
        {
            "condition": condition,
            "settings": {} if settings is None else settings[condition],
            "seed": seed,
            "seconds": 10.0 + seed,
            "result": result,
        }
        for condition, of_seeds in results.items()
        for seed, result in enumerate(of_seeds)
    ]


def accuracies_of(results: Mapping[str, Sequence[float]]) -> dict[str, list[dict[str, float]]]:
    return {name: [{"test_accuracy": share} for share in of] for name, of in results.items()}


def reviews_of(labels: Sequence[int], *texts: Sequence[int]) -> Reviews:
    """Reviews with these labels and word ids."""
    return Reviews(
        np.concatenate(texts).astype(np.int32),
        np.cumsum([0, *map(len, texts)]),
        np.array(labels, np.int8),
        np.arange(len(texts), dtype=np.int32),
    )


def texts_of(part: Reviews) -> list[list[int]]:
    return [piece.tolist() for piece in np.split(part.tokens, part.starts[1:-1])]


def prepared(train: Reviews, validation: Reviews, test: Reviews, D: int = 3) -> Prepared:
    vectors = np.random.default_rng(0).standard_normal((2 + len(WORDS), D)).astype(np.float32)
    return Prepared(Splits(train, validation, test), Vocabulary(WORDS), vectors)


def only(answer: Any, *expected: Any, **named: Any) -> Callable[..., Any]:
    """In place of a function that must be called with these arguments."""

    def function(*given: Any, **given_named: Any) -> Any:
        assert (given, given_named) == (expected, named)
        return answer

    return function


def state_of(
    parameters: Mapping[str, Any],
    losses: Sequence[float],
    accuracies: Sequence[float],
    norms: Sequence[GradientNorms] = (),
) -> TrainingState:
    """After training: `parameters` are the best, the last ones are NaN."""
    history = [
        Epoch(k + 1, 9.0, loss, accuracy, 1.0, 1.0)
        for k, (loss, accuracy) in enumerate(zip(losses, accuracies, strict=True))
    ]
    best = {name: np.asarray(array) for name, array in parameters.items()}
    last = {name: np.full(array.shape, np.nan) for name, array in best.items()}
    return TrainingState(
        last, Adam(0.1), best, epoch=len(history), seconds=12.34, history=history, norms=[*norms]
    )


@contextmanager
def figures_kept() -> Iterator[list[Figure]]:
    """Inside, figures are drawn and listed, and no file is written."""
    kept: list[Figure] = []
    original = plots.figure

    @contextmanager
    def figure(*arguments: Any) -> Any:
        with original(*arguments) as (drawing, axes):
            kept.append(drawing)
            yield drawing, axes

    with (
        patch.object(plots, "figure", figure),
        patch.object(plots, "write_atomically", lambda *_: None),
    ):
        yield kept


def drawn(draw: Callable[[Path, Any], None], listed: Any, path: Path = Path("x.png")) -> Figure:
    """The figure that `draw` makes of the trials."""
    with figures_kept() as kept:
        draw(path, listed)
    (drawing,) = kept
    return drawing


def some_axes() -> Axes:
    return Figure().subplots()


def points(line: Any) -> list[tuple[float, float]]:
    return [(round(float(x), 9), round(float(y), 9)) for x, y in zip(*line.get_data(), strict=True)]


def color_of(line: Any) -> str:
    return to_hex(line.get_color()).upper()


def labelled(axes: Axes) -> dict[str, Any]:
    """The lines that a legend would name."""
    return {str(x.get_label()): x for x in axes.lines if not str(x.get_label()).startswith("_")}


def tick_labels(axes: Axes, which: str = "y") -> dict[float, str]:
    axis = getattr(axes, f"{which}axis")
    return {
        float(place): text.get_text()
        for place, text in zip(axis.get_majorticklocs(), axis.get_ticklabels(), strict=True)
    }
