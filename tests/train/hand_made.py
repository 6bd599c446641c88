"""A run made by hand: states, reviews and numbers of which every one is known and different."""

from typing import Any

import numpy as np

from numpy_lstm.data.prepare import Prepared
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.optim import Adam
from numpy_lstm.settings import Settings
from numpy_lstm.training import Epoch, TrainingState
from tests.experiments.hand_made import prepared, reviews_of

D, H, WORDS = 3, 2, 12
SETTINGS = Settings(
    epochs=12, patience=0, batch_size=2, hidden_size=H, vector_size=D, bag_size=3, max_length=9
)
FAR = 25  # steps of which norms are recorded


def arrays(model: str, first: float) -> dict[str, Any]:
    """Arrays of the parameters' shapes that hold first, first + 1, ..."""
    rows = H if model == "rnn" else 4 * H
    shapes = {
        "embedding": (WORDS, D),
        "W_x": (rows, D),
        "W_h": (rows, H),
        "b": (rows,),
        "W_out": (1, H),
        "b_out": (1,),
    }
    made = {}
    for name, shape in shapes.items():
        made[name] = np.arange(first, first + np.prod(shape), dtype=np.float32).reshape(shape)
        first += made[name].size
    return made


def falling(factor: float) -> Any:
    """Norms of two reviews that fall by this factor a step."""
    return factor ** np.arange(float(FAR))[:, np.newaxis] * [1.0, 3.0]


def norms_of(model: str, epoch: int) -> GradientNorms:
    """In h, c and x they fall differently, and in each epoch otherwise."""
    more = epoch / 100
    c = None if model == "rnn" else falling(0.7 + more)
    return GradientNorms(falling(0.5 + more), c, falling(0.6 + more))


def state_of(model: str, losses: tuple[float, ...]) -> TrainingState:
    """In the middle of the epoch after those with these validation losses."""
    history = [
        Epoch(k, 10.0 + k, loss, 0.5 + k / 100, 20.0 + k, 30.0 + k)
        for k, loss in enumerate(losses, 1)
    ]
    optimizer = Adam(0.1)
    optimizer.t = 2 * len(losses) + 1
    optimizer.m, optimizer.v = arrays(model, 3000), arrays(model, 4000)
    return TrainingState(
        parameters=arrays(model, 1000),
        optimizer=optimizer,
        best_parameters=arrays(model, 2000),
        epoch=len(losses),
        step=1,
        reviews=2,
        tokens=40,
        loss_sum=1.25,
        seconds=99.5,
        epoch_seconds=7.25,
        history=history,
        norms=[norms_of(model, epoch) for epoch in range(len(losses) + 1)],
    )


def small_data() -> Prepared:
    """Four reviews to train on, two to validate on, three to test on."""
    return prepared(
        reviews_of([0, 1, 0, 1], [2, 3], [4, 5, 6], [7], [8, 9]),
        reviews_of([1, 0], [2, 4, 6, 8, 10], [3, 5, 7, 9]),
        reviews_of([1, 1, 0], [2], [3], [4]),
        D,
    )
