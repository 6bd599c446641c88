"""Charts, tables and numbers as plain data: the page draws them and computes nothing.

A chart's coordinates are those of its axes. On a logarithmic axis they are the logarithms, and the
ticks bring their own labels.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from numpy_lstm.types import Array

SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")
SPACE = "\N{NO-BREAK SPACE}"
LEAST = 1e-99  # below, a norm is drawn as none


def number(value: float) -> str:
    """Two digits, for a sentence or a table.

    >>> number(2.17e-8).split(), number(0.1216), number(427.0), number(0.0)
    (['2.2', '×', '10⁻⁸'], '0.12', '430', '0')
    >>> number(0.1022), number(-2.0)
    ('0.10', '−2.0')
    """
    if not np.isfinite(value):
        return "none"
    if value == 0:
        return "0"
    if 1e-3 <= abs(value) < 9.95:
        return f"{value:#.2g}".replace("-", "−")
    if 1 <= abs(value) < 1e4:
        text = np.format_float_positional(value, precision=2, fractional=False, trim="-")
        return text.replace("-", "−")
    digits, exponent = f"{value:.1e}".split("e")
    return f"{digits}{SPACE}×{SPACE}{power(int(exponent))}".replace("-", "−")


def power(exponent: int) -> str:
    """A power of ten.

    >>> power(-5)
    '10⁻⁵'
    """
    return "1" if exponent == 0 else f"10{str(exponent).translate(SUPERSCRIPTS)}"


def heights(norms: Array) -> list[float | None]:
    """Places on a logarithmic axis to a hundredth of a decade; None for 0 and NaN."""
    with np.errstate(invalid="ignore"):
        positive = np.where(norms > LEAST, norms, np.nan)
    return plain(np.log10(positive), 2)


def plain(values: Array, digits: int) -> list[float | None]:
    """Rounded numbers; None for NaN, which JSON lacks."""
    rounded = np.round(np.asarray(values, np.float64), digits) + 0.0  # and no -0.0
    return [value if np.isfinite(value) else None for value in rounded.tolist()]


def line(name: str, role: str, y: Sequence[float | None], **more: Any) -> dict[str, Any]:
    """A line of a chart; `role` is what it stands for, which decides its color and dashes.

    `more` is "x", if its points are not at 0, 1, 2, …; "low" and "high", the edges of a band; and
    "marks", whether each point is marked, or "only" for no line between.
    """
    return {"name": name, "role": role, "y": y, **more}


def chart(
    title: str, x: Mapping[str, Any], y: Mapping[str, Any], lines: Sequence[Any], **more: Any
) -> dict[str, Any]:
    """A chart.

    `more` may have "marks", vertical lines with a label; "wide" and "flat", how much room it takes;
    and "follows", the local control whose value is marked.
    """
    return {"title": title, "x": x, "y": y, "lines": lines, **more}


def axis(label: str, low: float, high: float, ticks: Sequence[float], **how: Any) -> dict[str, Any]:
    """An axis with numbers at its ticks; `how` may give their "labels"."""
    labels = how.get("labels") or [f"{tick:g}".replace("-", "−") for tick in ticks]
    return {"label": label, "low": low, "high": high, "ticks": list(ticks), "labels": list(labels)}


def round_ticks(low: int, high: int) -> list[int]:
    """At most seven ticks, at round numbers.

    >>> round_ticks(0, 119), round_ticks(1, 30)
    ([0, 20, 40, 60, 80, 100], [5, 10, 15, 20, 25, 30])
    """
    every = next(step for step in (1, 2, 5, 10, 20, 50, 100, 200, 500) if high - low < 7 * step)
    return list(range(-(-low // every) * every, high + 1, every))


def log_axis(label: str, low: int, high: int, every: int) -> dict[str, Any]:
    """A logarithmic axis from one power of ten to another."""
    ticks = range(low, high + 1, every)
    return {**axis(label, low, high, ticks, labels=[power(tick) for tick in ticks]), "log": True}


def table(
    caption: str, columns: Sequence[str], rows: Sequence[Sequence[str | int]]
) -> dict[str, Any]:
    """The numbers behind a picture; the first cell of a row names it."""
    return {"caption": caption, "columns": columns, "rows": rows}
