"""What PyTorch computes: the only place in the tests that speaks to it.

Every function takes NumPy arrays and returns them, so that what it returns can be stored.
"""

from typing import Any

import numpy as np
import torch

from tests.strategies import Case


def to_torch(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def pytorch_results(
    case: Case, state: dict[str, np.ndarray]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs and gradients of ``nn.RNN`` or ``nn.LSTM`` on a packed batch.

    The weights are those of `state`, by PyTorch's names, and not those of the case.
    """
    T, _, D = case.point["xs"].shape
    H = case.point["h0"].shape[1]
    is_lstm = "c0" in case.point
    module = (torch.nn.LSTM if is_lstm else torch.nn.RNN)(D, H, dtype=torch.float64)
    module.load_state_dict({name: torch.tensor(array) for name, array in state.items()})

    xs = to_torch(case.point["xs"])
    states = [to_torch(case.point[name][np.newaxis]) for name in ("h0", "c0")[: 1 + is_lstm]]
    pack = torch.nn.utils.rnn.pack_padded_sequence
    packed = pack(xs, torch.tensor(case.lengths), enforce_sorted=False)
    packed_hs, final = module(packed, tuple(states) if is_lstm else states[0])
    hs, _ = torch.nn.utils.rnn.pad_packed_sequence(packed_hs, total_length=T)
    returned = [hs, *(state[0] for state in (final if is_lstm else [final]))]

    loss = sum(
        (torch.tensor(d) * value).sum()
        for d, value in zip(case.incoming.values(), returned, strict=True)
    )
    assert isinstance(loss, torch.Tensor)
    loss.backward()

    names = ("hs", "h_T", "c_T")[: len(returned)]
    outputs = {name: value.detach().numpy() for name, value in zip(names, returned, strict=True)}
    gradients = {
        "xs": _gradient(xs),
        **{name: _gradient(parameter) for name, parameter in module.named_parameters()},
        **{name: _gradient(s)[0] for name, s in zip(("h0", "c0"), states, strict=False)},
    }
    return outputs, gradients


def binary_cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The loss, and its gradient in the logits."""
    z = to_torch(logits)
    function = torch.nn.functional.binary_cross_entropy_with_logits
    return _value_and_gradient(function(z, torch.tensor(labels * 1.0)), z)


def cross_entropy(logits: np.ndarray, labels: np.ndarray) -> tuple[float, np.ndarray]:
    """The same of several classes."""
    z = to_torch(logits)
    return _value_and_gradient(torch.nn.functional.cross_entropy(z, torch.tensor(labels)), z)


def adam(
    W: np.ndarray, table: np.ndarray, dWs: Any, rows: Any, values: Any, rate: float, epsilon: float
) -> tuple[np.ndarray, np.ndarray]:
    """`W` after steps of ``Adam``, and `table` after as many of ``SparseAdam``.

    A step has a gradient of `W`, and one of some rows of the table.
    """
    dense, sparse = to_torch(W), to_torch(table)
    optimizers = [
        torch.optim.Adam([dense], rate, eps=epsilon),
        torch.optim.SparseAdam([sparse], rate, eps=epsilon),
    ]
    for dW, some, numbers in zip(dWs, rows, values, strict=True):
        dense.grad = torch.tensor(dW)
        sparse.grad = torch.sparse_coo_tensor(
            torch.tensor(some[np.newaxis]),
            torch.tensor(numbers),
            table.shape,
            check_invariants=True,
        )
        for optimizer in optimizers:
            optimizer.step()
    return dense.detach().numpy(), sparse.detach().numpy()


def module_states() -> dict[str, dict[str, tuple[list[int], str]]]:
    """Shapes and dtypes of the arrays of modules: the first fits our cells, the others do not."""
    nn = torch.nn
    modules = {
        "LSTM": nn.LSTM(3, 4),
        "LSTM, two layers": nn.LSTM(3, 4, num_layers=2),
        "LSTM, bidirectional": nn.LSTM(3, 4, bidirectional=True),
        "LSTM, projected": nn.LSTM(3, 4, proj_size=2),
        "GRU": nn.GRU(3, 4),
        "LSTM, half": nn.LSTM(3, 4).half(),
        "LSTM in another module": nn.Sequential(nn.LSTM(3, 4)),
    }
    return {
        name: {
            path: (list(tensor.shape), str(tensor.numpy().dtype))
            for path, tensor in module.state_dict().items()
        }
        for name, module in modules.items()
    }


def _value_and_gradient(loss: torch.Tensor, z: torch.Tensor) -> tuple[float, np.ndarray]:
    loss.backward()
    return loss.item(), _gradient(z)


def _gradient(tensor: torch.Tensor) -> np.ndarray:
    assert tensor.grad is not None
    return tensor.grad.numpy()
