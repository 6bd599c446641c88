"""Live against PyTorch, where it is installed (extra `oracle`): random batches, losses, Adam."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.layers import RowGradient
from numpy_lstm.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from numpy_lstm.optim import Adam
from tests.comparing import assert_same, returned
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case

torch: Any = pytest.importorskip("torch", reason="PyTorch is not installed (extra `oracle`)")
pytorch: Any = pytest.importorskip("tests.pytorch")


@pytest.mark.parametrize("cell", CELLS)
@given(recipe=recipes())
def test_random_batches_give_what_pytorch_gives(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    outputs, gradients = pytorch.pytorch_results(case)
    assert_same(returned(case.run()), outputs)
    ours = case.gradients()
    assert_same({name: getattr(ours, f"d{name}") for name in case.point}, gradients)


@given(N=st.integers(1, 5), scale=st.floats(0.01, 100), seed=st.integers(0, 2**32 - 1))
def test_losses_are_those_of_pytorch(N: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    functional = torch.nn.functional

    logits, labels = scale * rng.standard_normal(N), rng.integers(0, 2, N)
    z = pytorch.to_torch(logits)
    expected = functional.binary_cross_entropy_with_logits(z, torch.tensor(labels * 1.0))
    expected.backward()
    loss, cache = binary_cross_entropy(logits, labels)
    assert_same([loss, binary_cross_entropy_backward(cache)], [expected.item(), z.grad.numpy()])

    logits, labels = scale * rng.standard_normal((N, 6)), rng.integers(0, 6, N)
    z = pytorch.to_torch(logits)
    expected = functional.cross_entropy(z, torch.tensor(labels))
    expected.backward()
    loss, cache = softmax_cross_entropy(logits, labels)
    assert_same([loss, softmax_cross_entropy_backward(cache)], [expected.item(), z.grad.numpy()])


@given(steps=st.integers(1, 10), seed=st.integers(0, 2**32 - 1))
def test_adam_is_that_of_pytorch_and_lazy_adam_its_sparse_one(steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    W, table = rng.standard_normal((3, 2)), rng.standard_normal((6, 2))
    dense, sparse = pytorch.to_torch(W), pytorch.to_torch(table)
    # SparseAdam adds epsilon before the bias correction, the paper after it: not here, too small.
    tiny = 1e-20
    optimizers = [
        torch.optim.Adam([dense], 0.1, eps=tiny),
        torch.optim.SparseAdam([sparse], 0.1, eps=tiny),
    ]
    adam, parameters = Adam(0.1, epsilon=tiny), {"W": W, "table": table}
    for _ in range(steps):
        dW = rng.standard_normal(W.shape)
        rows = np.flatnonzero(rng.random(6) < 0.5)  # perhaps none
        values = rng.standard_normal((len(rows), 2))
        dense.grad = torch.tensor(dW)
        sparse.grad = torch.sparse_coo_tensor(
            torch.tensor(rows[np.newaxis]), torch.tensor(values), (6, 2), check_invariants=True
        )
        for optimizer in optimizers:
            optimizer.step()
        adam.step(parameters, {"W": dW, "table": RowGradient(rows, values)})
    assert_same(parameters["W"], dense.detach().numpy())
    assert_same(parameters["table"], sparse.detach().numpy())
