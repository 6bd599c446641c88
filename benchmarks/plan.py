"""The sizes of everything that is measured."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

from numpy_lstm.settings import Settings

Sizes = tuple[int, int, int, int]  # N, T, D, H


class Plan(NamedTuple):
    """What a run of the benchmarks measures."""

    quick: bool  # only to see that everything works: its times mean nothing
    rounds: int
    pause: float  # seconds before each run, in which the threads of the one before fall asleep
    least: float  # seconds that a run lasts at least: short tasks are called again until then
    grid: tuple[Sizes, ...]
    usual: Sizes  # where no grid is run
    vanishing: Sizes  # where the gradient of the last state vanishes
    lengths: tuple[int, ...]  # values of T for time and memory against T
    square: int  # side of the matrices by which the rate of multiplication is measured
    brief: Settings  # of a training step beside PyTorch: a word a step, no dropout
    job: Settings  # of a training step of the job with its defaults


FULL = Plan(
    quick=False,
    rounds=11,
    pause=0.05,
    least=0.05,
    grid=(
        (64, 200, 128, 128),
        (64, 200, 100, 256),
        (256, 100, 128, 128),
        (64, 400, 128, 64),
        (32, 100, 64, 64),
        (16, 50, 32, 32),
    ),
    usual=(64, 200, 128, 128),
    vanishing=(64, 400, 128, 64),
    lengths=(100, 200, 400, 800, 1600, 3200),
    square=2048,
    brief=Settings(
        batch_size=64,
        max_length=500,
        vocabulary_size=10_000,
        vector_size=128,
        hidden_size=128,
        bag_size=1,
        dropout=0.0,
    ),
    job=Settings(),
)

_SMALL = Settings(batch_size=4, max_length=12, vocabulary_size=30, vector_size=6, hidden_size=5)

QUICK = Plan(
    quick=True,
    rounds=2,
    pause=0.0,
    least=0.0,
    grid=((4, 6, 5, 3),),
    usual=(4, 6, 5, 3),
    vanishing=(4, 6, 5, 3),
    lengths=(50, 100),
    square=64,
    brief=replace(_SMALL, bag_size=1, dropout=0.0),
    job=_SMALL,
)
