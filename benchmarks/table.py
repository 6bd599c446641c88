"""The figures as docs/benchmarks.md shows them, straight from ``benchmarks.json``."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from numpy_lstm.types import MODEL_NAMES

Part = dict[str, Any]

GRID_RATIOS = ("ours / pytorch", "ours / floor")


def block(results: dict[str, Part]) -> str:
    """Markdown of all parts that were measured."""
    renderers = {
        "grid": _grid,
        "step": _step,
        "length": _length,
        "ragged": _ragged,
        "norms": _norms,
        "tricks": _tricks,
        "profile": _profile,
        "operations": _operations,
        "preparation": _preparation,
    }
    return "\n\n".join(
        render(results[name]) for name, render in renderers.items() if name in results
    )


def _grid(part: Part) -> str:
    machine, versions = part["machine"], part["machine"]["versions"]
    rates = [case["results"]["floor"]["flops_per_second"] / 1e9 for case in part["cases"]]
    rows = []
    for case in part["cases"]:
        results, ratios = case["results"], case["ratios"]
        times = (_ms(results[name]) for name in ("ours", "pytorch", "cells", "floor"))
        rows.append(
            (MODEL_NAMES[case["model"]], _sizes(case), *times, *_quotients(ratios, *GRID_RATIOS))
        )
    for model, ratios in part["geometric_means"].items():
        means = _quotients(ratios, *GRID_RATIOS)
        rows.append((MODEL_NAMES[model], "geometric mean", "", "", "", "", *means))
    intro = (
        f"Forward and backward through time, float32, on {machine['cores']} cores ({machine['cpu']}"
        f"), NumPy {versions['numpy']}, PyTorch {versions['torch']}; two threads each; median of"
        f" {part['rounds']} rounds, in ms. The floor is what the matrix products alone would take"
        f" at the rate of one large product in the same rounds ({min(rates):.0f} to"
        f" {max(rates):.0f} GFLOP/s)."
    )
    header = ("", "N, T, D, H", "ours", "PyTorch", "`cells.py`", "floor")
    return f"{intro}\n\n" + _table((*header, "ours / PyTorch", "ours / floor"), rows)


def _step(part: Part) -> str:
    settings = part["cases"][0]["settings"]
    rows = [
        (
            MODEL_NAMES[case["model"]],
            *(_ms(case["results"][name]) for name in ("ours", "pytorch", "keras")),
            *_quotients(case["ratios"], "ours / pytorch", "keras / ours"),
        )
        for case in part["cases"]
    ]
    versions = part["machine"]["versions"]
    intro = (
        f"A whole training step, word ids to changed weights, in ms: {settings['batch_size']}"
        f" reviews of {settings['max_length']} words, vocabulary"
        f" {settings['vocabulary_size']:,}, D = {settings['vector_size']},"
        f" H = {settings['hidden_size']}, last state, clipping, Adam (ours moves only the word"
        f" vectors that the batch uses); Keras {versions['keras']}."
    )
    header = ("", "ours", "PyTorch", "Keras", "ours / PyTorch", "Keras / ours")
    return f"{intro}\n\n" + _table(header, rows)


def _length(part: Part) -> str:
    rows = [
        (
            MODEL_NAMES[case["model"]],
            f"{case['T']:,}",
            *(_ms(case["results"][name]) for name in ("ours", "pytorch")),
            *_quotients(case["ratios"], "ours / pytorch"),
            *(_megabytes(case["results"][name]) for name in ("ours", "pytorch")),
            *_quotients(case["memory_ratios"], "ours / pytorch"),
        )
        for case in part["cases"]
    ]
    laws = ", ".join(
        f"T^{fit['median']:.2f} and T^{fit['peak_bytes']:.2f} ({MODEL_NAMES[model]})"
        for model, fit in part["exponents"].items()
    )
    first = part["cases"][0]
    intro = (
        f"Time and peak memory against T, at N = {first['N']}, D = {first['D']}, H = {first['H']}:"
        f" ours grow as {laws}."
    )
    header = ("", "T", "ours, ms", "PyTorch, ms", "ours / PyTorch")
    memory = ("ours, MB", "PyTorch, MB", "ours / PyTorch")
    return f"{intro}\n\n" + _table((*header, *memory), rows)


def _ragged(part: Part) -> str:
    rows = [
        (
            MODEL_NAMES[case["model"]],
            *(_ms(case["results"][name]) for name in ("ours", "ours, padded")),
            *_quotients(case["ratios"], "ours / ours, padded"),
            *(_ms(case["results"][name]) for name in ("pytorch, packed", "pytorch, padded")),
        )
        for case in part["cases"]
    ]
    intro = (
        f"One batch of {part['cases'][0]['N']} reviews of different lengths"
        f" ({part['lengths_from']}), and the same padded to the longest; {part['real_share']:.0%}"
        " of the padded batch's steps are real. In ms."
    )
    header = ("", "ours", "ours, padded", "quotient", "PyTorch, packed", "PyTorch, padded")
    return f"{intro}\n\n" + _table(header, rows)


def _norms(part: Part) -> str:
    costs = ", ".join(
        f"{100 * (case['ratios']['with / without'] - 1):.1f} % ({MODEL_NAMES[case['model']]})"
        for case in part["cases"]
    )
    return (
        "What recording the gradient's norm at every step adds to the time of the backward pass"
        f" at N, T, D, H = {_sizes(part['cases'][0])}: {costs}."
    )


def _tricks(part: Part) -> str:
    cases = part["cases"]
    names = {
        "second_thread": "the second thread",
        "pieces": "matrices in pieces",
        "kept_memory": "memory that is kept",
        "blocks": "blocks of steps",
    }
    rows = [
        (what, *(_quotients(case["ratios"], f"without {name} / ours")[0] for case in cases))
        for name, what in names.items()
    ]
    intro = "How many times as long forward and backward take without one of the tricks."
    header = ("without", *(f"{MODEL_NAMES[case['model']]}, {_sizes(case)}" for case in cases))
    return f"{intro}\n\n" + _table(header, rows)


def _profile(part: Part) -> str:
    cases = part["cases"]
    rows = [
        (name, *(f"{100 * case['shares'][name]:.1f} %" for case in cases))
        for name in cases[0]["shares"]
        if name != "whole"
    ]
    whole = (sum(case["seconds"]["whole"]) / len(case["seconds"]["whole"]) for case in cases)
    rows.append(("ms a step", *(_number(1000 * seconds) for seconds in whole)))
    what = {"brief": "the step above", "job": "the default job's"}
    header = ("", *(f"{MODEL_NAMES[case['model']]}, {what[case['name']]}" for case in cases))
    settings = cases[-1]["settings"]
    intro = (
        "Where the time of our training step goes, in the step above and in one of the default job"
        f" ({settings['batch_size']} reviews of {settings['max_length']} words,"
        f" {settings['bag_size']} averaged into a step, dropout, vocabulary"
        f" {settings['vocabulary_size']:,})."
    )
    return f"{intro}\n\n" + _table(header, rows)


def _operations(part: Part) -> str:
    cases = part["cases"]
    rows = [
        (
            name,
            *(
                f"{1e6 * case['operations'][name]['seconds']:.1f}"
                f" ({1e6 * case['operations'][name]['floor']:.1f})"
                for case in cases
            ),
        )
        for name in cases[0]["operations"]
    ]
    rows.append(
        ("sum", *(f"{1e6 * case['sum']:.0f} ({1e6 * case['floor']:.0f})" for case in cases))
    )
    rows.append(("a step in the package", *(f"{1e6 * case['measured']:.0f}" for case in cases)))
    intro = (
        "Where the microseconds of the LSTM's time step go, forward and backward, in one thread's"
        " part of the batch; in brackets what each operation would take at best: its arithmetic at"
        " the rate of a large matrix product, or its bytes at the rate at which NumPy adds arrays"
        " that fit into the cache. Each was timed alone; the last line is a step of both threads"
        " together, with all that comes besides: calls, Python's lock, memory outside the cache."
    )
    header = ("N, T, D, H (columns)", *(f"{_sizes(case)} ({case['columns']})" for case in cases))
    return f"{intro}\n\n" + _table(header, rows)


def _preparation(part: Part) -> str:
    if "skipped" in part:
        return f"What comes before the first step was not timed: {part['skipped']}."
    times = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in part["seconds"].items())
    return f"What comes before the first step, for the {part['reviews']:,} reviews: {times}."


def _table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    cells = [tuple(header), *(tuple(row) for row in rows)]
    cells.insert(1, tuple("---" for _ in cells[0]))
    return "\n".join("| " + " | ".join(row) + " |" for row in cells)


def _sizes(case: dict[str, Any]) -> str:
    return ", ".join(str(case[name]) for name in "NTDH")


def _ms(result: dict[str, Any]) -> str:
    return "–" if "skipped" in result else _number(1000 * result["median"])


def _megabytes(result: dict[str, Any]) -> str:
    return "–" if "skipped" in result else _number(result["peak_bytes"] / 1e6)


def _quotients(ratios: dict[str, float | None], *names: str) -> list[str]:
    return ["–" if ratios[name] is None else f"{ratios[name]:.2f}" for name in names]


def _number(value: float) -> str:
    """Three significant digits, or all those before the point.

    >>> [_number(value) for value in (0.1234, 1.234, 12.34, 1234.5)]
    ['0.123', '1.23', '12.3', '1,234']
    """
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
