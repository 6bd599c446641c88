"""The figures of results: what draws those of the documentation, as SVG in the report's letters."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from numpy_lstm import plots
from numpy_lstm.experiments import gradient_flow_figure, lag, verdict
from numpy_lstm.experiments.runner import by_condition

SOURCE = [Path(str(module.__file__)) for module in (plots, gradient_flow_figure, lag, verdict)]
LETTERS: Any = {
    "font.family": "STIXGeneral",
    "mathtext.fontset": "stix",
}  # they come with Matplotlib
WIDTH, HEIGHT = 6.5, 2.5  # inches: the text's width


def untrained(path: Path, trials: Any) -> None:
    """Cells as they start."""
    with plots.figure(path, 1, 2, WIDTH, HEIGHT) as (_, (rnn, lstm)):
        gradient_flow_figure.draw_untrained(rnn, lstm, by_condition(trials))


DRAWN: dict[str, tuple[str, Callable[[Path, Any], None]]] = {
    "verdict": ("verdict", verdict.draw),
    "untrained": ("gradient_flow", untrained),
    "lag": ("lag", lag.draw),
}


def svg(results: Path) -> dict[str, str]:
    """Each figure, by the name that the Typst source calls it."""
    drawn = {}
    # In the style itself: what is configured outside of it changes no figure.
    with TemporaryDirectory() as folder, patch.dict(plots.STYLE, LETTERS):
        for name, (experiment, draw) in DRAWN.items():
            contents = json.loads((results / f"{experiment}.json").read_text(encoding="utf-8"))
            path = Path(folder) / f"{name}.svg"
            draw(path, contents["trials"])
            drawn[name] = path.read_text(encoding="utf-8")
    return drawn
