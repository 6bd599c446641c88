"""PyTorch's ``nn.LSTM`` and ``nn.RNN``, as they come."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle

import torch
from torch import nn

from benchmarks.tasks import Recurrence, TrainingStep
from numpy_lstm import LSTMParams, RNNParams
from numpy_lstm.training import initial_state

THREADS = f"torch.set_num_threads(2); {torch.backends.cpu.get_cpu_capability()}"


@contextmanager
def recurrence(task: Recurrence) -> Iterator[Callable[[], tuple[torch.Tensor, ...]]]:
    """Forward and BPTT; reviews of different lengths as a packed sequence."""
    torch.set_num_threads(2)
    arrays = task.draw()
    module = _recurrent_module(arrays[1])
    xs, dhs = (torch.from_numpy(array) for array in (arrays[0], arrays[2]))
    xs.requires_grad_()
    wanted = [xs, *module.parameters()]  # W_x, W_h and two biases, each with the whole gradient

    def call() -> tuple[torch.Tensor, ...]:
        if task.lengths is None:
            hs, _ = module(xs)
        else:
            lengths = torch.tensor(task.lengths)
            packed = nn.utils.rnn.pack_padded_sequence(xs, lengths, enforce_sorted=False)
            hs, _ = nn.utils.rnn.pad_packed_sequence(module(packed)[0], total_length=task.T)
        return torch.autograd.grad(hs, wanted, dhs)[:4]

    yield call


@contextmanager
def training_step(task: TrainingStep) -> Iterator[Callable[[], float]]:
    """The usual loop: a dense gradient of the embedding, and Adam on all of its rows."""
    torch.set_num_threads(2)
    settings = task.settings
    initial = initial_state(task.model, task.draw_vectors(), settings).parameters
    cell = (LSTMParams if task.model == "lstm" else RNNParams)(
        initial["W_x"], initial["W_h"], initial["b"]
    )
    embedding = nn.Embedding(settings.vocabulary_size, settings.vector_size)
    embedding.load_state_dict({"weight": torch.tensor(initial["embedding"])})
    recurrent = _recurrent_module(cell)
    linear = nn.Linear(settings.hidden_size, 1)
    linear.load_state_dict(
        {"weight": torch.tensor(initial["W_out"]), "bias": torch.tensor(initial["b_out"])}
    )
    parameters = [*embedding.parameters(), *recurrent.parameters(), *linear.parameters()]
    optimizer = torch.optim.Adam(parameters, settings.learning_rate)
    criterion = nn.BCEWithLogitsLoss()
    batches = cycle(
        (torch.tensor(batch.tokens), torch.tensor(batch.labels, dtype=torch.float32))
        for batch in task.draw_batches()
    )

    def call() -> float:
        tokens, labels = next(batches)
        optimizer.zero_grad()
        _, final = recurrent(embedding(tokens))
        h_T = final[0][0] if task.model == "lstm" else final[0]
        loss = criterion(linear(h_T)[:, 0], labels)
        loss.backward()
        nn.utils.clip_grad_norm_(parameters, settings.clip)
        optimizer.step()
        return float(loss.item())

    yield call


def _recurrent_module(params: LSTMParams | RNNParams) -> nn.Module:
    H, D = params.W_h.shape[1], params.W_x.shape[1]
    module = (nn.LSTM if isinstance(params, LSTMParams) else nn.RNN)(D, H)
    # PyTorch adds two biases; ours stands in the first.
    W_x, W_h, b = (torch.tensor(array) for array in params)
    weights = {"weight_ih_l0": W_x, "weight_hh_l0": W_h, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    module.load_state_dict(weights)
    return module
