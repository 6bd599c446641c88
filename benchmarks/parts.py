"""What is compared. Every part gives its cases: what was run, all times, and their ratios."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np

from benchmarks.calls import calls_a_step
from benchmarks.machine import without_avx512
from benchmarks.plan import Plan
from benchmarks.processes import Entry, Result, geometric_mean, race, ratio
from benchmarks.tasks import MODELS, Recurrence, TrainingStep
from numpy_lstm.data.imdb import DataNotFoundError, load_imdb

Part = dict[str, Any]
CALLS = 1000  # of NumPy, in one run of those that do next to nothing


def grid(plan: Plan, environment: dict[str, str] | None = None) -> Part:
    """Forward and BPTT at several sizes, beside PyTorch, the plain loop, and the floor.

    The floor has two parts, both of the same rounds: the matrix products at the rate that this
    machine reaches on one large product; and the calls of NumPy in a thread that goes through all
    steps, each as short as a call on an array of one number.
    """
    pairs = (
        ("ours", "pytorch"),
        ("ours", "bptt"),
        ("ours", "floor"),
        ("bptt", "pytorch"),
        ("floor", "pytorch"),
    )
    calls = {model: calls_a_step(model) for model in MODELS}
    cases = []
    for model in MODELS:
        for sizes in plan.grid:
            task = Recurrence(model, *sizes)
            results = race(
                {
                    **_all("recurrence", task, "ours", "bptt", "pytorch"),
                    "product": Entry("floor", "product", plan.square),
                    "calls": Entry("floor", "calls", CALLS),
                },
                plan,
                environment,
            )
            rate = 2 * plan.square**3 / results["product"]["median"]
            call = results["calls"]["median"] / CALLS
            floor = {"products": task.flops / rate, "calls": task.T * calls[model] * call}
            results["floor"] = {
                "flops": task.flops,
                "flops_per_second": rate,
                "calls_a_step": calls[model],
                "seconds_a_call": call,
                **floor,
                "median": sum(floor.values()),
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


def grid_avx2(plan: Plan) -> Part:
    """The grid again, as on a machine that has no AVX-512."""
    environment = without_avx512()
    if not environment:
        return {"cases": [], "skipped": "this machine has no AVX-512, so it would be the same"}
    return {"environment": environment, **grid(plan, environment)}


def step(plan: Plan) -> Part:
    """A whole training step, beside PyTorch and Keras."""
    cases = []
    for model in MODELS:
        task = TrainingStep(model, plan.brief)
        results = race(_all("training_step", task, "ours", "pytorch", "keras"), plan)
        cases.append(_case(task, results, ("ours", "pytorch"), ("ours", "keras")))
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
    lengths, source = review_lengths(N, plan)
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


def vanishing(plan: Plan) -> Part:
    """From a gradient in the last state alone, which vanishes, beside one in every state.

    The operations are the same, but on the way to 0 a float32 becomes subnormal.
    """
    cases = []
    for model in MODELS:
        every = Recurrence(model, *plan.vanishing)
        last = every._replace(last=True)
        contenders = ("ours", "pytorch", "bptt")
        results = race(
            {
                **{name: Entry(name, "recurrence", every) for name in contenders},
                **{f"{name}, last": Entry(name, "recurrence", last) for name in contenders},
            },
            plan,
        )
        pairs = [(f"{name}, last", name) for name in contenders]
        cases.append(_case(last, results, *pairs, ("ours, last", "pytorch, last")))
    return {"cases": cases}


def review_lengths(n: int, plan: Plan) -> tuple[tuple[int, ...], str]:
    """Lengths of `n` reviews drawn at random, cut as in the job, and where they come from."""
    rng, longest = np.random.default_rng(0), plan.job.max_length
    try:
        if plan.quick:
            raise DataNotFoundError
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
