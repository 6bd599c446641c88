"""Where the time of a training step goes."""

from __future__ import annotations

import multiprocessing
import time
from collections import defaultdict
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict
from typing import Any

import numpy as np
from numpy_lstm.threads import two_threads

from benchmarks.plan import Plan
from benchmarks.processes import WARM_UP
from benchmarks.tasks import BATCHES, MODELS, TrainingStep
from numpy_lstm import classifier, training
from numpy_lstm.data import batches
from numpy_lstm.optim import Adam
from numpy_lstm.training import initial_state, train_step

# Which functions, by the names under which the classifier and the training call them.
PARTS: dict[str, list[tuple[Any, str]]] = {
    "embedding forward": [(classifier, "bag_forward")],
    "recurrence forward": [(classifier, "lstm_forward"), (classifier, "rnn_forward")],
    "readout and loss": [
        (classifier, "readout_forward"),
        (classifier, "affine_forward"),
        (classifier, "binary_cross_entropy"),
        (classifier, "binary_cross_entropy_backward"),
        (classifier, "affine_backward"),
        (classifier, "readout_backward"),
    ],
    "recurrence backward": [(classifier, "lstm_backward"), (classifier, "rnn_backward")],
    "embedding backward": [(classifier, "bag_backward")],
    "dropout": [
        (training, "draw_masks"),
        (classifier, "dropout_forward"),
        (classifier, "dropout_backward"),
    ],
    "clipping": [(training, "clip_by_global_norm")],
    "Adam": [(Adam, "step")],
    "batching": [(batches, "make_batch")],
}


def profile(plan: Plan) -> dict[str, Any]:
    """Seconds of each part of a training step, and its share of the whole."""
    cases = []
    for name, settings in (("brief", plan.brief), ("job", plan.job)):
        for model in MODELS:
            context = multiprocessing.get_context("spawn")  # so that the timers stay in there
            with ProcessPoolExecutor(1, context) as process:
                task = TrainingStep(model, settings)
                seconds = process.submit(profile_steps, task, BATCHES * plan.rounds).result()
            shares = {part: sum(seconds[part]) / sum(seconds["whole"]) for part in seconds}
            found = [f"{part}: {share:.1%}" for part, share in shares.items()]
            print(model, name, *found, sep="  ", flush=True)
            cases.append(
                {
                    "model": model,
                    "name": name,
                    "settings": asdict(settings),
                    "seconds": seconds,
                    "shares": shares,
                }
            )
    return {"cases": cases}


def profile_steps(task: TrainingStep, steps: int) -> dict[str, list[float]]:
    """For each part, the seconds of every step; changes the package in this process for good."""
    spent: dict[str, float] = defaultdict(float)

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            result = function(*arguments, **named)
            spent[part] += time.perf_counter() - begin
            return result

        return call

    for part, functions in PARTS.items():
        for owner, name in functions:
            setattr(owner, name, timed(part, getattr(owner, name)))

    reviews, size = task.draw_reviews(), task.settings.batch_size
    state = initial_state(task.model, task.draw_vectors(), task.settings)
    seconds: dict[str, list[float]] = {part: [] for part in (*PARTS, "rest", "whole")}
    with two_threads():
        for k in range(WARM_UP + steps):
            spent.clear()
            begin = time.perf_counter()
            batch = batches.make_batch(reviews, k % BATCHES * size + np.arange(size))
            train_step(state, batch, task.settings)
            whole = time.perf_counter() - begin
            spent["rest"], spent["whole"] = whole - sum(spent.values()), whole
            if k >= WARM_UP:
                for part, values in seconds.items():
                    values.append(spent[part])
    return seconds
