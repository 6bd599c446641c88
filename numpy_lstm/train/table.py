"""The results of a run as text."""

from __future__ import annotations

from typing import Any

from numpy_lstm.train.committed import committed_range
from numpy_lstm.types import MODEL_NAMES

NAMES = {**MODEL_NAMES, "bag": "order-free bag"}
NOTE = """\
gradient 20 back: its norm in the state (h of the RNN, c of the LSTM) 20 steps
before the last one, over that at the last; median of the probes, best epoch"""


def table(metrics: dict[str, Any]) -> str:
    """The results as a table in plain text, and what helps to judge them."""
    titles = ("", "test accuracy", "test loss", "gradient 20 back", "parameters", "seconds")
    lines = ["{:15}{:>14}{:>11}{:>18}{:>12}{:>9}".format(*titles)]
    for name, scores in {**metrics["models"], **metrics["baselines"]}.items():
        ratio, seconds = scores.get("gradient_20_steps_back"), scores.get("seconds")
        lines.append(
            f"{NAMES[name]:15}{100 * scores['test_accuracy']:12.2f} %{scores['test_loss']:11.4f}"
            + (f"{f'×{ratio:.2g}':>18}" if ratio is not None else " " * 18)
            + f"{scores['parameters']:12,}"
            + (f"{seconds:9.1f}" if seconds is not None else "")
        )
    if any(scores["gradient_20_steps_back"] is not None for scores in metrics["models"].values()):
        lines.append(NOTE)
    return "\n".join([*lines, *filter(None, [committed_range(metrics)])])
