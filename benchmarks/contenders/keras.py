"""Keras, as the usual example writes this classifier."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import keras
import numpy as np
import tensorflow as tf

from benchmarks.tasks import TrainingStep

THREADS = "tf.config.threading: two threads within an operation, two between operations"


@contextmanager
def training_step(task: TrainingStep) -> Iterator[Callable[[], object]]:
    """``train_on_batch`` of an embedding, a recurrent and a dense layer."""
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(2)
    settings = task.settings
    recurrent = keras.layers.LSTM if task.model == "lstm" else keras.layers.SimpleRNN
    model = keras.Sequential(
        [
            keras.layers.Embedding(settings.vocabulary_size, settings.vector_size),
            recurrent(settings.hidden_size),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        keras.optimizers.Adam(settings.learning_rate, global_clipnorm=settings.clip),
        keras.losses.BinaryCrossentropy(from_logits=True),
    )
    batches = cycle(
        (np.ascontiguousarray(batch.tokens.T), batch.labels[:, np.newaxis].astype(np.float32))
        for batch in task.draw_batches()
    )
    yield lambda: model.train_on_batch(*next(batches))
