"""Runs the trials of an experiment in parallel, and saves each one.

A trial is one condition from one seed. The file of results is written after every trial: an
interrupted run resumes with the missing trials, and a run with more seeds adds only the new ones.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterable, Mapping
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any, NamedTuple

from joblib import Parallel, delayed
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from numpy_lstm.environment import versions
from numpy_lstm.experiments.statistics import describe
from numpy_lstm.files import make_folder, parse_json, write_json

EXPERIMENTS = (
    "verdict",
    "comparison",
    "gradient_or_memory",
    "gradient_flow",
    "exchange",
    "lag",
    "padding",
    "memory",
    "words",
    "best",
    "saliency",
    "small_sets",
)


class Trial(NamedTuple):
    """One condition from one seed, and its result."""

    condition: str
    settings: dict[str, Any]
    seed: int
    seconds: float
    result: dict[str, Any]


Trials = dict[tuple[str, int], Trial]  # by condition and seed
TRIAL_KINDS: tuple[tuple[type, ...], ...] = ((str,), (dict,), (int,), (int, float), (dict,))


def module(name: str) -> ModuleType:
    """The module of an experiment."""
    return import_module(f"numpy_lstm.experiments.{name}")


def title(name: str) -> str:
    """The first sentence of an experiment's module: its question."""
    return (module(name).__doc__ or "").partition("\n")[0]


def check(name: str, *, quick: bool, folder: Path) -> None:
    """Refuse, before any work, a folder that :func:`run_experiment` would refuse.

    Raises
    ------
    ValueError, OSError
        As there.
    """
    make_folder(folder)
    _read(folder / f"{name}.json", module(name).conditions(quick), quick)


def run_experiment(
    name: str, *, seeds: int, jobs: int, quick: bool, folder: Path
) -> dict[str, Any]:
    """Run the trials that ``folder/NAME.json`` lacks, then summarize and draw all of them.

    joblib runs the trials on its current backend: its own processes, or those of a cluster inside
    ``with joblib.parallel_config(backend="dask")``. A trial uses one thread, so that `jobs` trials
    share the cores without disturbing each other.

    Parameters
    ----------
    name : str
        One of :data:`EXPERIMENTS`.
    seeds : int
        Seeds 0 … seeds - 1 for every condition.
    jobs : int
        Trials at a time; -1 is one per core, as in joblib.
    quick : bool
        A smoke run of tiny sizes; its results have no meaning.
    folder : Path
        For ``NAME.json`` and ``NAME.png``.

    Returns
    -------
    dict
        The contents of ``NAME.json``.

    Raises
    ------
    ValueError
        If the file is damaged, or holds trials of other settings, or of the other kind of run
        (quick or not).
    OSError
        If the folder cannot be written to.
    """
    experiment = module(name)
    conditions: dict[str, dict[str, Any]] = experiment.conditions(quick)
    path = folder / f"{name}.json"
    make_folder(folder)
    trials, recorded = _read(path, conditions, quick)
    try:
        _contents(name, experiment, conditions, trials, quick)
    except (ValueError, KeyError, TypeError, IndexError) as error:  # results of another shape
        raise ValueError(f"{path} is damaged: {error!r}. Move it away to start anew.") from error
    # Seed by seed: an interrupted run then has some seeds of all conditions.
    missing = [
        (condition, seed)
        for seed in range(seeds)
        for condition in conditions
        if (condition, seed) not in trials
    ]
    work = (
        delayed(run_trial)(name, condition, conditions[condition], seed, quick)
        for condition, seed in missing
    )
    done = Parallel(n_jobs=jobs, return_as="generator_unordered")(work)
    for trial in tqdm(done, total=len(missing), unit="trial", desc=name, disable=None):
        # Another process may have added trials to the file.
        trials |= _read(path, conditions, quick)[0]
        trials[trial.condition, trial.seed] = trial
        # On one line: one number per line would double the size of the file.
        write_json(path, _contents(name, experiment, conditions, trials, quick), indent=None)
    contents = _contents(name, experiment, conditions, trials, quick)
    if not missing:
        contents["versions"] = recorded  # those that the trials were run with
    write_json(path, contents, indent=None)
    experiment.draw(folder / f"{name}.png", contents["trials"])
    return contents


def run_trial(name: str, condition: str, settings: dict[str, Any], seed: int, quick: bool) -> Trial:
    """Run one condition from one seed on one thread, in this process or on a cluster."""
    clock = time.perf_counter()
    with threadpool_limits(1, user_api="blas"):
        result = module(name).run(settings, seed, quick)
    return Trial(condition, settings, seed, round(time.perf_counter() - clock, 2), result)


def by_condition(trials: Iterable[Mapping[str, Any]]) -> dict[str, list[dict[str, Any]]]:
    """The results of each condition, in the order of the conditions and of the seeds."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for trial in trials:
        grouped.setdefault(trial["condition"], []).append(trial["result"])
    return grouped


def accuracies(trials: Iterable[Mapping[str, Any]]) -> dict[str, dict[str, float]]:
    """Mean and interval of the test accuracy of each condition."""
    return {
        condition: describe([result["test_accuracy"] for result in results])
        for condition, results in by_condition(trials).items()
    }


def _contents(
    name: str,
    experiment: ModuleType,
    conditions: dict[str, dict[str, Any]],
    trials: Trials,
    quick: bool,
) -> dict[str, Any]:
    order = list(conditions)
    in_order = sorted(trials, key=lambda key: (order.index(key[0]), key[1]))
    listed = [trials[key]._asdict() for key in in_order]
    return {
        "experiment": name,
        "question": title(name),
        "command": f"python -m numpy_lstm.experiments {name}",
        "quick": quick,
        "versions": versions(),
        "seconds": round(sum(trial.seconds for trial in trials.values()), 1),
        "summary": experiment.summarize(listed) if listed else {},
        "trials": listed,
    }


def _read(
    path: Path, conditions: dict[str, dict[str, Any]], quick: bool
) -> tuple[Trials, dict[str, str]]:
    """The trials of a file, and the versions that they were run with; none if there is no file."""
    if not path.exists():
        return {}, {}
    try:
        contents = parse_json(path.read_text(encoding="utf-8"), finite=False)
        trials = [Trial(**trial) for trial in contents["trials"]]
        for trial in trials:
            for value, kinds in zip(trial, TRIAL_KINDS, strict=True):
                if type(value) not in kinds:
                    raise TypeError(f"a trial holds {value!r}")
            if trial.seed < 0 or not 0 <= trial.seconds < math.inf:
                raise ValueError(f"a trial has seed {trial.seed} and took {trial.seconds} seconds")
        known = {(trial.condition, trial.seed): trial for trial in trials}
        if len(known) < len(trials):
            raise ValueError("a trial stands twice")
        recorded = dict(contents["versions"])
        of_this_kind = contents["quick"] is quick
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error}. Move it away to start anew.") from error
    if not of_this_kind or any(conditions.get(t.condition) != t.settings for t in trials):
        raise ValueError(
            f"{path} holds trials of other settings. Move it away, or choose another --out."
        )
    return known, recorded
