"""Epochs: what training does to the gradient's reach, as a run has recorded it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from numpy_lstm.explore import small_models
from numpy_lstm.explore.controls import Answer, Control, Question, View
from numpy_lstm.explore.drawing import (
    axis,
    chart,
    heights,
    line,
    log_axis,
    number,
    round_ticks,
    table,
)
from numpy_lstm.files import read_arrays
from numpy_lstm.types import MODEL_NAMES, Array

FILE = "gradient_norms.npz"  # of a run, as numpy_lstm.train writes it
FAR = 50  # steps back, where the sentence and the questions look, if the reviews are that long
STATES = {"rnn": "h", "lstm": "c"}  # in which each cell's gradient travels
LEAST = -12  # power of ten at which the axes end


class Recorded(NamedTuple):
    """Norms of a run, by model: each array is (epochs + 1, T, reviews), row k at distance k."""

    inputs: dict[str, Array]
    states: dict[str, Array]

    @property
    def epochs(self) -> int:
        """Epochs of the model that was trained longest."""
        return max(len(norms) for norms in self.inputs.values()) - 1

    @property
    def far(self) -> int:
        """The distance at which the epochs are compared."""
        return min(FAR, next(iter(self.inputs.values())).shape[1] - 1)


def read(folder: Path) -> Recorded:
    """Read what a run has recorded.

    Raises
    ------
    ValueError
        If it is not there, or is no such record.
    OSError
        If it cannot be read.
    """
    path = folder / FILE
    if not path.exists():
        raise ValueError(
            f"`--run` {folder} holds no {FILE}: name the folder of a run that has ended, such as"
            " runs/20260101-120000."
        )
    arrays = read_arrays(path)
    inputs = {model: arrays[f"{model}_x"] for model in MODEL_NAMES if f"{model}_x" in arrays}
    states = {
        model: arrays[f"{model}_{STATES[model]}"]
        for model in inputs
        if f"{model}_{STATES[model]}" in arrays
    }
    found = [*inputs.values(), *states.values()]
    sound = all(norms.ndim == 3 and norms.size and norms.dtype.kind == "f" for norms in found)
    steps_and_reviews = {norms.shape[1:] for norms in found}  # every model reads the same reviews
    if not sound or len(states) < len(inputs) or len(steps_and_reviews) != 1:
        raise ValueError(f"`--run` {folder}: its {FILE} does not hold the norms of a run.")
    return Recorded(inputs, states)


class Summary(NamedTuple):
    """Quartiles of what is shown, by model: each array is (epochs + 1, 3, T)."""

    what: str  # ratio or norm
    quartiles: dict[str, Array]
    far: int


def summarized(recorded: Recorded, where: str, measure: str) -> Summary:
    """The quartiles of every epoch.

    Parameters
    ----------
    recorded : Recorded
    where : {"states", "inputs"}
    measure : {"ratio", "norm"}
    """
    found = {
        model: np.array([quartiles(one, ratio=measure == "ratio") for one in norms])
        for model, norms in getattr(recorded, where).items()
    }
    return Summary(measure, found, recorded.far)


def quartiles(norms: Array, *, ratio: bool) -> Array:
    """Lower quartile, median and upper quartile of the reviews, by distance: shape (3, T).

    As a ratio, each review's norms are divided by its own at the last step.
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        values = norms / norms[:1] if ratio else norms
    found: Array = np.nanquantile(values, [0.25, 0.5, 0.75], axis=1)
    return found


def view(run: Path | None) -> View:
    """The view of a run; without one, of the small models that come with the package.

    Raises
    ------
    ValueError, OSError
        If the run's record cannot be read.
    """
    if run is None and not (small_models.FOLDER / FILE).exists():
        return _missing()
    recorded = read(run or small_models.FOLDER)
    whose = f"This is the run in {run}." if run else "These are the two small models of the package"
    lead = whose if run else f"{whose}, trained on IMDB, one word a step."

    @cache  # a slider goes through the epochs of one summary
    def summary(where: str, measure: str) -> Summary:
        return summarized(recorded, where, measure)

    return View(
        "epochs",
        "Epochs",
        f"{lead} After each epoch, the gradient of each review's own loss was recorded on the same"
        " validation reviews. As a ratio, a review's norm is divided by its norm at the last step.",
        controls_of(recorded),
        questions_of(summary("states", "ratio")),
        lambda setting: answer(
            summary(str(setting["where"]), str(setting["measure"])), int(setting["epoch"])
        ),
    )


def controls_of(recorded: Recorded) -> tuple[Control, ...]:
    """The epochs of the run, and what is shown of them."""
    return (
        Control("epoch", "epoch", "slider", 0, tuple(range(recorded.epochs + 1))),
        Control(
            "where",
            "gradient in",
            "choice",
            "states",
            ("states", "inputs"),
            ("the state: h of the RNN, c of the LSTM", "the input x"),
        ),
        Control(
            "measure",
            "shown as",
            "choice",
            "ratio",
            ("ratio", "norm"),
            ("ratio to the last step", "norm"),
        ),
    )


def answer(summary: Summary, epoch: int) -> Answer:
    """Quartiles against the distance at an epoch, and at one distance against the epoch."""
    what, found, far = summary
    last = max(map(len, found.values())) - 1
    at_epoch = {model: every[min(epoch, len(every) - 1)] for model, every in found.items()}
    by_epoch = {model: every[:, :, far].T for model, every in found.items()}
    scale = _axis(what, np.concatenate([every.ravel() for every in found.values()]))
    T = max(of_model.shape[1] for of_model in at_epoch.values())
    medians = {model: of_model[1, far] for model, of_model in at_epoch.items()}
    before = {model: of_model[1, 0] for model, of_model in by_epoch.items()}
    when = f"After epoch {epoch}" if epoch else "Before training"
    said = " and ".join(f"{number(float(medians[m]))} in the {_name(m)}" for m in medians)
    started = " and ".join(number(float(before[m])) for m in before)
    return {
        "charts": [
            chart(
                f"{when}: median and quartiles of the reviews",
                axis("steps before the last one, k", 0, T - 1, round_ticks(0, T - 1)),
                scale,
                [_line(model, of_model) for model, of_model in at_epoch.items()],
                marks=[{"x": far, "label": f"k = {far}"}],
                wide=True,
            ),
            chart(
                f"{far} steps back, epoch by epoch",
                axis("epoch", -0.1, last + 0.1, round_ticks(0, last)),
                scale,
                [_line(model, of_model) | {"marks": True} for model, of_model in by_epoch.items()],
                marks=[{"x": epoch, "label": ""}],
                wide=True,
                flat=True,
            ),
        ],
        "table": table(
            f"Median {what} {far} steps back, and the quartiles of the reviews",
            ("epoch", *(MODEL_NAMES[model] for model in by_epoch)),
            [(e, *(_cell(of_model, e) for of_model in by_epoch.values())) for e in range(last + 1)],
        ),
        "sentence": (
            f"{when}, the median {what} {far} steps back is {said}"
            + (f"; before training it was {started}." if epoch else ".")
        ),
    }


def questions_of(summary: Summary) -> tuple[Question, ...]:
    """Both questions, or the one that can be asked of a single model; of ratios in the states."""
    far = summary.far
    shares = {model: every[:, 1, far].tolist() for model, every in summary.quartiles.items()}
    last = max(map(len, shares.values())) - 1
    both = set(shares) == set(MODEL_NAMES)
    who = "the models become" if both else "the model becomes"
    steady = Question(
        f"In training {who} better at the task. Does the share of the gradient that reaches {far}"
        " steps back grow from each epoch to the next?",
        {"both": "In both models.", "one": "In one of them.", "neither": "In neither."}
        if both
        else {"both": "Yes.", "neither": "No."},
        {"epoch": last},
        lambda: _steadiness(shares),
    )
    if not both:
        return (steady,)
    cure = Question(
        f"Before training, the median review has {number(shares['rnn'][0])} of the RNN's gradient"
        f" {far} steps back, and {number(shares['lstm'][0])} of the LSTM's. How do the"
        f" shares compare after epoch {last}?",
        {
            "cured": "The RNN's is at least half of the LSTM's.",
            "part": "The RNN's is between a tenth and a half of it.",
            "behind": "The RNN's is less than a tenth of it.",
        },
        {"epoch": last},
        lambda: _comparison(shares, far),
    )
    return (cure, steady)


def _comparison(shares: dict[str, list[float]], far: int) -> tuple[str, str]:
    rnn, lstm = (shares[model][-1] for model in ("rnn", "lstm"))
    right = "cured" if rnn >= lstm / 2 else "part" if rnn >= lstm / 10 else "behind"
    return right, (
        f"{number(rnn)} of the RNN's gradient reaches {far} steps back, and {number(lstm)} of the"
        " LSTM's."
        + (" Training changes both, and does not make them alike." if right != "cured" else "")
    )


def _steadiness(shares: dict[str, list[float]]) -> tuple[str, str]:
    steady = [bool(np.all(np.diff(values) > 0)) for values in shares.values()]
    right = "both" if all(steady) else "one" if any(steady) else "neither"
    falls = [int(np.sum(np.diff(values) < 0)) for values in shares.values()]
    listed = " and ".join(
        f"{n} of {len(values) - 1} times in the {_name(model)}"
        for n, (model, values) in zip(falls, shares.items(), strict=True)
    )
    return right, f"from one epoch to the next it falls {listed}."


def _missing() -> View:
    def refuse(*_: Any) -> Any:
        raise ValueError(small_models.MISSING)

    question = Question(
        "There is nothing to predict: no run was found.", {"go": "Why?"}, {}, refuse
    )
    return View("epochs", "Epochs", small_models.MISSING, (), (question,), refuse)


def _axis(what: str, values: Array) -> dict[str, Any]:
    """A logarithmic axis around the values."""
    positive = values[values > 0]
    low = int(max(np.floor(np.log10(positive.min())), LEAST)) if len(positive) else LEAST
    high = int(np.ceil(np.log10(positive.max()))) if len(positive) else 0
    every = 1 if high - low <= 6 else 2
    return log_axis(what, low - (high - low) % every, max(high, low + 1), every)


def _line(model: str, found: Array) -> dict[str, Any]:
    low, median, high = map(heights, found)
    return line(_name(model), model, median, low=low, high=high)


def _name(model: str) -> str:
    return "RNN" if model == "rnn" else "LSTM"


def _cell(found: Array, epoch: int) -> str:
    if epoch >= found.shape[1]:
        return ""
    low, median, high = (number(float(value)) for value in found[:, epoch])
    return f"{median} ({low} to {high})"
