"""Where the time of a training step goes."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict
from threading import get_ident
from typing import Any
from unittest.mock import patch

import numpy as np
from threadpoolctl import threadpool_limits

from benchmarks.plan import Plan
from benchmarks.processes import THREADS, WARM_UP
from benchmarks.tasks import BATCHES, MODELS, TrainingStep
from numpy_lstm import classifier, lstm, rnn, training
from numpy_lstm.data import batches
from numpy_lstm.optim import Adam
from numpy_lstm.training import initial_state, train_step

# Which functions, by the names under which the classifier and the training call them.
PARTS: dict[str, list[tuple[Any, str]]] = {
    "embedding forward": [(classifier, "bag_forward")],
    "recurrence forward": [(classifier, "recurrence_forward")],
    "readout and loss": [
        (classifier, "readout_forward"),
        (classifier, "affine_forward"),
        (classifier, "cross_entropy"),
        (classifier, "cross_entropy_backward"),
        (classifier, "affine_backward"),
        (classifier, "readout_backward"),
    ],
    "recurrence backward": [(classifier, "recurrence_backward")],
    "norms": [(lstm, "norms"), (rnn, "norms")],  # within the recurrence backward
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
            seconds = profile_steps(TrainingStep(model, settings), BATCHES * plan.rounds)
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
    """For each part, the seconds of every step."""
    spent: dict[str, dict[int, float]] = {}  # of each part, by thread

    def timed(part: str, function: Callable[..., Any]) -> Callable[..., Any]:
        def call(*arguments: Any, **named: Any) -> Any:
            begin = time.perf_counter()
            result = function(*arguments, **named)
            spent[part][get_ident()] += time.perf_counter() - begin
            return result

        return call

    reviews, size = task.draw_reviews(), task.settings.batch_size
    state = initial_state(task.model, task.draw_vectors(), task.settings)
    seconds: dict[str, list[float]] = {part: [] for part in (*PARTS, "rest", "whole")}
    with ExitStack() as stack:
        stack.enter_context(threadpool_limits(THREADS))
        for part, functions in PARTS.items():
            for owner, name in functions:
                stack.enter_context(patch.object(owner, name, timed(part, getattr(owner, name))))
        for k in range(WARM_UP + steps):
            spent.update((part, defaultdict(float)) for part in PARTS)
            begin = time.perf_counter()
            batch = batches.make_batch(reviews, k % BATCHES * size + np.arange(size))
            train_step(state, batch, task.settings)
            whole = time.perf_counter() - begin
            step = {part: sum(by.values()) / max(1, len(by)) for part, by in spent.items()}
            step["recurrence backward"] -= step["norms"]
            step["rest"], step["whole"] = whole - sum(step.values()), whole
            if k >= WARM_UP:
                for part, values in seconds.items():
                    values.append(step[part])
    return seconds
