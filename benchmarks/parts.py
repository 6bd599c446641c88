"""What is compared. Every part gives its cases: what was run, all times, and their ratios."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.plan import Plan
from benchmarks.processes import Entry, Result, geometric_mean, race, ratio
from benchmarks.tasks import MODELS, Recurrence, TrainingStep
from numpy_lstm.data.imdb import DataNotFoundError, load_imdb

Part = dict[str, Any]


def grid(plan: Plan) -> Part:
    """Forward and BPTT at several sizes, beside PyTorch, the textbook's loop, and the floor.

    The floor is the time that the matrix products alone would take at the rate that this machine
    reaches, in the same rounds, on one large product.
    """
    pairs = (
        ("ours", "pytorch"),
        ("ours", "cells"),
        ("ours", "floor"),
        ("cells", "pytorch"),
        ("floor", "pytorch"),
    )
    cases = []
    for model in MODELS:
        for sizes in plan.grid:
            task = Recurrence(model, *sizes)
            results = race(
                {
                    **_all("recurrence", task, "ours", "cells", "pytorch"),
                    "square product": Entry("matmul", "square", plan.square),
                },
                plan,
            )
            rate = 2 * plan.square**3 / results["square product"]["median"]
            results["floor"] = {
                "flops": task.flops,
                "flops_per_second": rate,
                "median": task.flops / rate,
            }
            cases.append(_case(task, results, *pairs))
    means = {
        model: {
            name: geometric_mean([c["ratios"][name] for c in cases if c["model"] == model])
            for name in cases[0]["ratios"]
        }
        for model in MODELS
    }
    return {"cases": cases, "geometric_means": means}


def step(plan: Plan) -> Part:
    """A whole training step, beside PyTorch and Keras."""
    cases = []
    for model in MODELS:
        task = TrainingStep(model, plan.brief)
        results = race(_all("training_step", task, "ours", "pytorch", "keras"), plan)
        cases.append(_case(task, results, ("ours", "pytorch"), ("keras", "ours")))
    return {
        "words": "all reviews of full length; the k-th word drawn with probability c / k (Zipf)",
        "adam": (
            "ours updates only the rows of the embedding whose words are in the batch,"
            " like PyTorch's SparseAdam; the others' Adam updates all rows"
        ),
        "cases": cases,
    }


def length(plan: Plan) -> Part:
    """Time and peak memory against the number of steps T, beside PyTorch.

    ``exponents`` are k in a law T^k fitted through all T: 1 is linear.
    """
    N, _, D, H = plan.usual
    cases = []
    for model in MODELS:
        for T in plan.lengths:
            task = Recurrence(model, N, T, D, H)
            results = race(_all("recurrence", task, "ours", "pytorch"), plan)
            case = _case(task, results, ("ours", "pytorch"))
            memory = ratio(results, "ours", "pytorch", "peak_bytes")
            cases.append({**case, "memory_ratios": {"ours / pytorch": memory}})
    exponents = {
        model: {
            what: _exponent(
                plan.lengths,
                [c["results"]["ours"][what] for c in cases if c["model"] == model],
            )
            for what in ("median", "peak_bytes")
        }
        for model in MODELS
    }
    return {"cases": cases, "exponents": exponents}


def ragged(plan: Plan) -> Part:
    """Reviews of different lengths in one batch, beside the same padded to the longest."""
    N, _, D, H = plan.usual
    lengths, source = review_lengths(N, plan.job.max_length)
    cases = []
    for model in MODELS:
        of_own_length = Recurrence(model, N, max(lengths), D, H, lengths)
        padded = of_own_length._replace(lengths=None)
        results = race(
            {
                "ours": Entry("ours", "recurrence", of_own_length),
                "ours, padded": Entry("ours", "recurrence", padded),
                "pytorch, packed": Entry("pytorch", "recurrence", of_own_length),
                "pytorch, padded": Entry("pytorch", "recurrence", padded),
            },
            plan,
        )
        pairs = ("ours", "ours, padded"), ("pytorch, packed", "pytorch, padded")
        cases.append(_case(of_own_length, results, *pairs, ("ours", "pytorch, packed")))
    return {
        "lengths_from": source,
        "real_share": sum(lengths) / (N * max(lengths)),  # of all steps of the padded batch
        "cases": cases,
    }


def norms(plan: Plan) -> Part:
    """What it costs to record the gradient's norm at every step: BPTT with and without."""
    cases = []
    for model in MODELS:
        task = Recurrence(model, *plan.usual)
        results = race(
            {
                "with": Entry("ours", "backward", task),
                "without": Entry("ours_without_norms", "backward", task),
            },
            plan,
        )
        cases.append(_case(task, results, ("with", "without")))
    return {"cases": cases}


def tricks(plan: Plan) -> Part:
    """What each trick of the sequence code saves: forward and BPTT with it and without it."""
    cases = []
    for model in MODELS:
        for sizes in (plan.usual, plan.small):
            task = Recurrence(model, *sizes)
            without = ("second_thread", "pieces", "kept_memory", "blocks")
            entries = {f"without {trick}": Entry("ours_without", trick, task) for trick in without}
            results = race({"ours": Entry("ours", "recurrence", task), **entries}, plan)
            cases.append(_case(task, results, *((name, "ours") for name in entries)))
    return {"cases": cases}


def review_lengths(n: int, longest: int) -> tuple[tuple[int, ...], str]:
    """Lengths of `n` reviews drawn at random, cut at `longest`, and where they come from."""
    rng = np.random.default_rng(0)
    try:
        lengths = load_imdb(allow_download=False).train.lengths
    except DataNotFoundError:
        source = "drawn from a log-normal distribution like IMDB's: median 190, sigma 0.64"
        lengths = rng.lognormal(np.log(190), 0.64, size=25_000).round().astype(np.int64).clip(1)
    else:
        source = "IMDB training reviews"
    drawn = rng.choice(lengths, n, replace=False)
    return tuple(np.minimum(drawn, longest).tolist()), f"{source}, cut at {longest} words"


def _all(function: str, task: object, *contenders: str) -> dict[str, Entry]:
    return {name: Entry(name, function, task) for name in contenders}


def _case(
    task: Recurrence | TrainingStep, results: dict[str, Result], *pairs: tuple[str, str]
) -> dict[str, Any]:
    what = task._asdict()
    if isinstance(task, TrainingStep):
        what["settings"] = asdict(task.settings)
    ratios = {f"{one} / {other}": ratio(results, one, other) for one, other in pairs}
    sizes = [f"{name}={what[name]}" for name in "NTDH" if name in what]
    found = [f"{name}: {value:.3f}" for name, value in ratios.items() if value is not None]
    print(task.model, *sizes, *found, sep="  ", flush=True)
    return {**what, "results": results, "ratios": ratios}


def _exponent(lengths: tuple[int, ...], values: list[float]) -> float:
    return float(np.polyfit(np.log(lengths), np.log(values), 1)[0])
