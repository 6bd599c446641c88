"""The figures as docs/benchmarks.md shows them, straight from ``benchmarks.json``."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median
from typing import Any

from numpy_lstm.types import MODEL_NAMES

Part = dict[str, Any]

GRID_RATIOS = ("ours / pytorch", "ours / floor")


def block(results: dict[str, Part]) -> str:
    """Markdown of all parts that were measured, each with the kind of processor."""
    renderers = {
        "grid": ("Forward and backward through time", _grid),
        "grid_avx2": ("Forward and backward through time", _grid),
        "step": ("A whole training step", _step),
        "length": ("Time and memory against T", _length),
        "ragged": ("Reviews of different lengths", _ragged),
        "vanishing": ("A gradient that vanishes", _vanishing),
        "profile": ("Where the time of a training step goes", _profile),
        "preparation": ("Before the first step", _preparation),
        "page": ("The page", _page),
    }
    blocks = []
    for name, (title, render) in renderers.items():
        if name in results:
            part = results[name]
            text = f"Not measured: {part['skipped']}." if "skipped" in part else render(part)
            blocks.append(f"## {title} ({kind(part)})\n\n{text}")
    return "\n\n".join(blocks)


def summary(results: dict[str, Part]) -> str:
    """The README's table: our time over that of others."""
    grids = [results["grid"], results["grid_avx2"]]
    header = [f"recurrence / PyTorch's, {kind(grid)}" for grid in grids]
    header += [
        f"training step / {other}, {kind(results['step'])}" for other in ("PyTorch's", "Keras's")
    ]
    rows = []
    for step in results["step"]["cases"]:
        model, cells = step["model"], []
        for grid in grids:
            ratios = [c["ratios"]["ours / pytorch"] for c in grid["cases"] if c["model"] == model]
            mean = grid["geometric_means"][model]["ours / pytorch"]
            cells.append(f"{mean:.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
        rows.append(
            (
                MODEL_NAMES[model],
                *cells,
                *_quotients(step["ratios"], "ours / pytorch", "ours / keras"),
            )
        )
    return _table(("", *header), rows)


def kind(part: Part) -> str:
    """On which kind of processor a part was measured."""
    kind = str(part["machine"]["kind"])
    return f"restricted to AVX2 on an {kind} machine" if "environment" in part else kind


def _grid(part: Part) -> str:
    machine, cases = part["machine"], part["cases"]
    rows, rates, calls, often, spread = [], [], [], {}, []
    for case in cases:
        results, floor, name = case["results"], case["results"]["floor"], MODEL_NAMES[case["model"]]
        times = [_ms(results[who]) for who in ("ours", "pytorch", "bptt")]
        floors = [_number(1000 * floor[what]) for what in ("products", "calls")]
        quotients = _quotients(case["ratios"], *GRID_RATIOS)
        rows.append((name, _sizes(case), *times, *floors, *quotients))
        rates.append(floor["flops_per_second"] / 1e9)
        calls.append(floor["seconds_a_call"] * 1e6)
        often[name] = f"{floor['calls_a_step']} ({name})"
        rounds = [result["seconds"] for result in results.values() if "seconds" in result]
        spread += [max(seconds) / min(seconds) for seconds in rounds]
    for model, ratios in part["geometric_means"].items():
        means = _quotients(ratios, *GRID_RATIOS)
        rows.append((MODEL_NAMES[model], "geometric mean", *5 * [""], *means))
    libraries = "; ".join(cases[0]["results"]["ours"]["libraries"])
    intro = (
        f"float32, on {machine['cores']} cores ({machine['cpu']}), two threads each; PyTorch"
        f" {machine['versions']['torch']}; {libraries}. Median of {part['rounds']} rounds, in ms;"
        f" the slowest round took {median(spread):.1f} times as long as the fastest, in the median"
        f" of all cases and contenders, and {max(spread):.1f} times at most. The floor is products"
        " and calls: what the matrix products alone would take at the rate of one large product in"
        f" the same rounds ({min(rates):.0f} to {max(rates):.0f} GFLOP/s), and what calling NumPy"
        " would take if each call of our loops were as short as one on arrays of"
        f" one number ({min(calls):.2f} to {max(calls):.2f} µs). The loops' calls in a step,"
        f" forward and back: {', '.join(often.values())}."
    )
    if "environment" in part:
        variables = " ".join(f'{name}="{value}"' for name, value in part["environment"].items())
        intro += f" Restricted by `{variables}`."
    header = ("", "N, T, D, H", "ours", "PyTorch", "`bptt.py`", "products", "calls")
    return f"{intro}\n\n" + _table((*header, "ours / PyTorch", "ours / floor"), rows)


def _step(part: Part) -> str:
    settings = part["cases"][0]["settings"]
    rows = [
        (
            MODEL_NAMES[case["model"]],
            *(_ms(case["results"][name]) for name in ("ours", "pytorch", "keras")),
            *_quotients(case["ratios"], "ours / pytorch", "ours / keras"),
        )
        for case in part["cases"]
    ]
    versions = part["machine"]["versions"]
    intro = (
        f"Word ids to changed weights, in ms: {settings['batch_size']}"
        f" reviews of {settings['max_length']} words, vocabulary"
        f" {settings['vocabulary_size']:,}, D = {settings['vector_size']},"
        f" H = {settings['hidden_size']}, last state, clipping, Adam (ours moves only the word"
        f" vectors that the batch uses); Keras {versions['keras']}."
    )
    header = ("", "ours", "PyTorch", "Keras", "ours / PyTorch", "ours / Keras")
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
        f"At N = {first['N']}, D = {first['D']}, H = {first['H']}:"
        f" our time and peak memory grow as {laws}."
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


def _vanishing(part: Part) -> str:
    first = part["cases"][0]
    names = ("ours", "pytorch", "bptt")
    rows = [
        (
            MODEL_NAMES[case["model"]],
            *(
                cell
                for name in names
                for cell in (
                    _ms(case["results"][name]),
                    _ms(case["results"][f"{name}, last"]),
                    *_quotients(case["ratios"], f"{name}, last / {name}"),
                )
            ),
        )
        for case in part["cases"]
    ]
    intro = (
        f"At N, T, D, H = {_sizes(first)}: forward and back from a gradient in every hidden state,"
        " and from one in the last alone, which vanishes. The operations are the same; with"
        " subnormal numbers, below 1e-38, they take longer. Ours sets such numbers to 0"
        " beforehand. In ms."
    )
    header = [""]
    for name in ("ours", "PyTorch", "`bptt.py`"):
        header += [f"{name}, every", f"{name}, last", "quotient"]
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
        "Of our training step, the one above and one of the default job"
        f" ({settings['batch_size']} reviews of {settings['max_length']} words,"
        f" {settings['bag_size']} averaged into a step, dropout, vocabulary"
        f" {settings['vocabulary_size']:,}). What records the gradient's norms at every step is a"
        " share of its own; of what two threads do at once, the mean of both is counted. The last"
        " row is the mean of this run, with a clock around each part: it is no second measurement"
        " of the median above, which is of other rounds on a machine that others use too."
    )
    return f"{intro}\n\n" + _table(header, rows)


def _preparation(part: Part) -> str:
    times = ", ".join(f"{what} {seconds:.1f} s" for what, seconds in part["seconds"].items())
    return f"For the {part['reviews']:,} reviews: {times}."


def _page(part: Part) -> str:
    first = part["first"]
    drawn = part["browser"] is not None
    rows = [
        (
            view,
            *(
                _number(1000 * found[name][what])
                for name in (("answer", "picture") if drawn else ("answer",))
                for what in ("median", "longest")
            ),
        )
        for view, found in part["moves"].items()
    ]
    intro = (
        "From `python -m numpy_lstm.explore` to the first answer"
        f" {first['answer']['median']:.2f} s, {first['answer']['longest']:.2f} s at most"
    )
    header = ["view", "answer", "longest"]
    if drawn:
        intro += (
            f", and to the first picture, in headless Chromium {part['browser']}, which runs"
            f" already, {first['picture']['median']:.2f} s, {first['picture']['longest']:.2f} s at"
            " most"
        )
        header += ["picture", "longest"]
    intro += ". From each move of a slider to its answer, and until it is drawn, in ms:"
    return f"{intro}\n\n" + _table(header, rows)


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
