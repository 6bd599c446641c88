"""The summary of an experiment as Markdown tables."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

Rows = list[list[str]]


def tables(summary: Mapping[str, Any], *pivots: str) -> str:
    """The summary of an experiment, a row per condition; or quantities as two-way tables.

    Parameters
    ----------
    summary : mapping
        Condition to its numbers and texts, or means and intervals of
        :func:`~numpy_lstm.experiments.statistics.describe`, or medians and ranges of
        :func:`~numpy_lstm.experiments.statistics.spread`.
    *pivots : str
        The quantities of the two-way tables, for conditions named "one part, other part"; the part
        with fewer values makes the columns, and conditions without the quantity are left out. One
        that no condition has makes no table.

    Returns
    -------
    str
        Markdown. Means have their interval in parentheses, medians the least and the most;
        accuracies are in %.

    Examples
    --------
    >>> print(tables({"rnn, K=0": {"solved": 0.5}, "rnn, K=1": {"solved": None}}, "solved"))
    | solved | rnn |
    |---|---|
    | K=0 | 0.500 |
    | K=1 | – |
    """
    if not pivots:
        return _markdown(_listed(summary))
    rows_of = (_two_way(summary, pivot) for pivot in pivots)
    return "\n\n".join(_markdown(rows) for rows in rows_of if rows)


def _two_way(summary: Mapping[str, Any], pivot: str) -> Rows:
    cells = {
        tuple(condition.rsplit(", ", 1)): _text(pivot, own if "mean" in own else own[pivot])
        for condition, own in summary.items()
        if "mean" in own or pivot in own
    }
    if not cells:
        return []
    sides = [list(dict.fromkeys(names)) for names in zip(*cells, strict=True)]
    swapped = len(sides[0]) > len(sides[1])
    top, left = sides[::-1] if swapped else sides
    rows = [[pivot.replace("_", " "), *top]]
    for name in left:
        keys = [(name, other) if swapped else (other, name) for other in top]
        rows.append([name, *(cells.get(key, "") for key in keys)])
    return rows


def _listed(summary: Mapping[str, Any]) -> Rows:
    own = {
        condition: {"": value} if "mean" in value else value for condition, value in summary.items()
    }
    names = list(dict.fromkeys(name for values in own.values() for name in values))
    rows = [["", *(name.replace("_", " ") or "mean (interval)" for name in names)]]
    for condition, values in own.items():
        cells = (
            _text(name or "accuracy", values[name]) if name in values else "" for name in names
        )
        rows.append([condition, *cells])
    return rows


def _text(name: str, value: Any) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return value
    if isinstance(value, Mapping):
        keys = ("mean", "low", "high") if "mean" in value else ("median", "min", "max")
        center, low, high = (_number(name, value[key]) for key in keys)
        return f"{center} ({low} to {high})"
    return _number(name, value)


def _number(name: str, value: float) -> str:
    if isinstance(value, int):
        return str(value)
    return f"{100 * value:.2f}" if name.endswith("accuracy") else f"{value:#.3g}".rstrip(".")


def _markdown(rows: Rows) -> str:
    head, *body = ("| " + " | ".join(row) + " |" for row in rows)
    return "\n".join([head, "|" + "---|" * len(rows[0]), *body])
