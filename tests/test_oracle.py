"""Live against PyTorch, where it is installed (extra `oracle`).

Do the stored numbers of test_reference.py still hold, and do random batches agree too? Nothing is
checked here alone but what takes its modules themselves: the benchmarks' contender, and tensors.
"""

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import numpy_lstm as nl
from benchmarks.contenders import ours
from benchmarks.plan import QUICK
from benchmarks.tasks import MODELS, Recurrence, TrainingStep
from numpy_lstm.layers import RowGradient
from numpy_lstm.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
)
from numpy_lstm.optim import Adam
from tests.comparing import assert_same, returned
from tests.reference import make_reference
from tests.reference.make_reference import ADAM
from tests.strategies import CELLS, Cell, Recipe, recipes, sequence_case
from tests.test_benchmarks import FLOAT32
from tests.test_convert import TOLERANCE as ROUNDING_OF_FLOAT32
from tests.test_convert import D, H, N, T, params_of, states_of
from tests.test_reference import PYTORCH

WHY = "PyTorch is not installed (extra `oracle`): its stored numbers were checked, not its own"
torch: Any = pytest.importorskip("torch", reason=WHY)
pytorch: Any = pytest.importorskip("tests.pytorch")


def test_the_stored_numbers_are_what_pytorch_computes_today() -> None:
    today = make_reference.pytorch()
    assert today.pop("modules") == {
        name: {path: tuple(each) for path, each in module.items()}
        for name, module in PYTORCH["modules"].items()
    }
    for section in ("rnn", "lstm", "losses", "adam"):
        arrays, wanted = ({k: np.array(v) for k, v in s[section].items()} for s in (today, PYTORCH))
        assert_same(arrays, wanted)


@pytest.mark.parametrize("cell", CELLS)
@given(recipe=recipes())
def test_random_batches_give_what_pytorch_gives(cell: Cell, recipe: Recipe) -> None:
    case = sequence_case(cell, recipe)
    outputs, gradients = pytorch.pytorch_results(case, nl.to_torch(case.point["params"]))
    assert_same(returned(case.run()), outputs)
    g = case.gradients()
    assert_same(g.dxs, gradients["xs"])
    assert_same(g.dh0, gradients["h0"])
    if cell == "lstm":
        assert_same(g.dc0, gradients["c0"])
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0")
    assert_same(list(g.dparams), [gradients[name] for name in names])


@given(N=st.integers(1, 5), scale=st.floats(0.01, 100), seed=st.integers(0, 2**32 - 1))
def test_losses_are_those_of_pytorch(N: int, scale: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    logits, labels = scale * rng.standard_normal(N), rng.integers(0, 2, N)
    loss, cache = binary_cross_entropy(logits, labels)
    expected = pytorch.binary_cross_entropy(logits, labels)
    assert_same([loss, binary_cross_entropy_backward(cache)], list(expected))

    logits, labels = scale * rng.standard_normal((N, 6)), rng.integers(0, 6, N)
    loss, cache = softmax_cross_entropy(logits, labels)
    expected = pytorch.cross_entropy(logits, labels)
    assert_same([loss, softmax_cross_entropy_backward(cache)], list(expected))


@given(steps=st.integers(1, 10), seed=st.integers(0, 2**32 - 1))
def test_adam_is_that_of_pytorch_and_lazy_adam_its_sparse_one(steps: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    W, table, dWs = (rng.standard_normal(shape) for shape in [(3, 2), (6, 2), (steps, 3, 2)])
    rows = [np.flatnonzero(rng.random(6) < 0.5) for _ in dWs]  # perhaps none
    values = [rng.standard_normal((len(some), 2)) for some in rows]
    # SparseAdam adds epsilon before the bias correction, the paper after it: not here, too small.
    expected = pytorch.adam(W, table, dWs, rows, values, **ADAM)
    adam, parameters = Adam(ADAM["rate"], epsilon=ADAM["epsilon"]), {"W": W, "table": table}
    for dW, some, numbers in zip(dWs, rows, values, strict=True):
        adam.step(parameters, {"W": dW, "table": RowGradient(some, numbers)})
    assert_same(list(parameters.values()), list(expected))


@pytest.mark.parametrize("cell", CELLS)
def test_weights_in_float32_go_to_pytorch_and_back(cell: Cell) -> None:
    xs = np.random.default_rng(2).standard_normal((T, N, D)).astype(np.float32)
    module = (torch.nn.RNN if cell == "rnn" else torch.nn.LSTM)(D, H)
    with torch.no_grad():
        params = nl.from_torch(module.state_dict())
        theirs = module(torch.from_numpy(xs))[0].numpy()
        np.testing.assert_allclose(states_of(params, xs), theirs, rtol=0, atol=ROUNDING_OF_FLOAT32)

        params = params_of(cell)
        state = {name: torch.from_numpy(array) for name, array in nl.to_torch(params).items()}
        module.load_state_dict(state)
        theirs = module(torch.from_numpy(xs))[0].numpy()
        np.testing.assert_allclose(states_of(params, xs), theirs, rtol=0, atol=ROUNDING_OF_FLOAT32)


def test_modules_and_tensors_of_pytorch_are_taken_or_refused() -> None:
    layer = torch.nn.LSTM(3, 4, batch_first=True)
    ours = nl.from_torch(layer.state_dict())
    for one, other in zip(nl.from_torch(dict(layer.named_parameters())), ours, strict=True):
        np.testing.assert_array_equal(one, other)
    for call, words in (
        (lambda: nl.from_torch(torch.nn.LSTM(3, 4).bfloat16().state_dict()), "^`state` must "),
        (lambda: nl.from_torch(layer), r"Use module.state_dict\(\)"),
        (lambda: nl.from_torch(layer.named_parameters()), r"Use dict\(...\)"),
        (
            lambda: nl.lstm_forward(torch.ones(4, 2, 3), ours),
            r"Use xs.detach\(\).cpu\(\).numpy\(\)",
        ),
    ):
        with pytest.raises(ValueError, match=words):
            call()


# --- the contender of the benchmarks -------------------------------------------------------------


@pytest.mark.parametrize("lengths", [None, (7, 2, 5, 2)])
@pytest.mark.parametrize("model", MODELS)
def test_the_contender_computes_what_ours_computes(model: Any, lengths: Any) -> None:
    from benchmarks.contenders import pytorch

    task = Recurrence(model, N=4, T=7, D=5, H=3, lengths=lengths)
    with ours.recurrence(task) as one, pytorch.recurrence(task) as other:
        for a, b in zip(one(), other(), strict=True):
            np.testing.assert_allclose(a, b.numpy(), **FLOAT32)


@pytest.mark.parametrize("model", MODELS)
def test_the_contender_trains_from_the_same_loss(model: Any) -> None:
    from benchmarks.contenders import pytorch

    task = TrainingStep(model, QUICK.brief)
    with ours.training_step(task) as one, pytorch.training_step(task) as other:
        np.testing.assert_allclose(one(), other(), **FLOAT32)


def test_the_contender_has_our_learning_rate_and_clips_where_we_do() -> None:
    """Its two biases move as far as ours alone, each: so the steps after the first differ."""
    from benchmarks.contenders import pytorch

    task = TrainingStep("lstm", replace(QUICK.brief, learning_rate=0.25, clip=0.5))
    clip = torch.nn.utils.clip_grad_norm_
    with (
        patch.object(torch.optim, "Adam", wraps=torch.optim.Adam) as adam,
        patch.object(torch.nn.utils, "clip_grad_norm_", wraps=clip) as clipped,
        pytorch.training_step(task) as call,
    ):
        call()
    assert adam.call_args.args[1] == 0.25 and clipped.call_args.args[1] == 0.5
    assert clipped.call_args.args[0] is adam.call_args.args[0]
