"""The same recurrences in PyTorch: the only place in the tests that speaks to it."""

from typing import Any

import numpy as np
import torch

from tests.strategies import Case


def to_torch(array: np.ndarray) -> torch.Tensor:
    return torch.tensor(array, dtype=torch.float64, requires_grad=True)


def pytorch_results(case: Case) -> tuple[dict[str, Any], dict[str, Any]]:
    """Outputs, and gradients in the point, of ``nn.RNN`` or ``nn.LSTM`` on a packed batch."""
    T, _, D = case.point["xs"].shape
    H = case.point["h0"].shape[1]
    is_lstm = "c0" in case.point
    module = (torch.nn.LSTM if is_lstm else torch.nn.RNN)(D, H, dtype=torch.float64)
    W_x, W_h, b = case.point["params"]
    # PyTorch adds two biases. Whatever the split, each gets the whole gradient.
    weights = {"weight_ih_l0": W_x, "weight_hh_l0": W_h, "bias_ih_l0": b, "bias_hh_l0": 0 * b}
    module.load_state_dict({name: torch.tensor(array) for name, array in weights.items()})

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

    def gradient(tensor: torch.Tensor) -> np.ndarray:
        assert tensor.grad is not None
        return tensor.grad.numpy()

    names = ("hs", "h_T", "c_T")[: len(returned)]
    outputs = {name: value.detach().numpy() for name, value in zip(names, returned, strict=True)}
    parameters = dict(module.named_parameters())
    gradients = {
        "xs": gradient(xs),
        "params": type(case.point["params"])(
            *(gradient(parameters[f"{name}_l0"]) for name in ("weight_ih", "weight_hh", "bias_ih"))
        ),
        **{name: gradient(s)[0] for name, s in zip(("h0", "c0"), states, strict=False)},
    }
    return outputs, gradients
