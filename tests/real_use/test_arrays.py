"""Arrays and weights as they come: a right result, or an error that names what is wrong."""

import re
from typing import Any

import numpy as np
import pytest

import numpy_lstm as nl
from numpy_lstm import bptt
from numpy_lstm.classifier import Classifier, init_classifier
from numpy_lstm.gradient_flow import jacobian_singular_values
from numpy_lstm.layers import RowGradient, bag_forward, readout_forward
from numpy_lstm.losses import binary_cross_entropy, softmax_cross_entropy, squared_error
from numpy_lstm.optim import Adam, clip_by_global_norm
from numpy_lstm.types import Batch
from tests.arguments import BACKWARD, FORWARD, arguments
from tests.strategies import CELLS, Cell

both_cells = pytest.mark.parametrize("cell", CELLS)


def message_of(call: Any, *given: Any, **named: Any) -> str:
    with pytest.raises(ValueError) as caught:
        call(*given, **named)
    return str(caught.value)


class Tensor:
    """As much of a tensor of PyTorch as matters here."""

    def __init__(self, array: Any, *, convertible: bool = True) -> None:
        self.array, self.convertible = np.asarray(array), convertible

    def detach(self) -> "Tensor":
        return self

    def cpu(self) -> "Tensor":
        return self

    def numpy(self) -> np.ndarray:
        return self.array

    def __array__(self, dtype: Any = None, copy: Any = None) -> np.ndarray:
        if not self.convertible:
            raise TypeError("Got unsupported ScalarType BFloat16")
        return self.array


class Frame:
    """As much of a data frame of pandas."""

    def to_numpy(self) -> np.ndarray:
        return np.ones((4, 2, 3))


class Sparse:
    """As much of a sparse array of SciPy."""

    def toarray(self) -> np.ndarray:
        return np.ones((4, 2, 3))


# --- the recurrences -------------------------------------------------------------------------


@both_cells
@pytest.mark.parametrize("name", ["xs", "h0"])
@pytest.mark.parametrize(
    ("value", "words"),
    [
        ([[1.0, 2.0]], "got list. Use np.array({})."),
        (((1.0, 2.0),), "got tuple. Use np.array({})."),
        (Tensor(np.ones(3)), "got Tensor. Use {}.detach().cpu().numpy()."),
        (Frame(), "got Frame. Use {}.to_numpy()."),
        (Sparse(), "got Sparse. Use {}.toarray()."),
        (np.ma.masked_array(np.ones((4, 2, 3)), True), "got MaskedArray. Use {}.filled(0)."),
        (np.ones((2, 5)).view(np.matrix), "got matrix. Use np.array({})."),
        ("text", "got str."),
    ],
)
def test_what_is_no_array_is_refused_with_the_way_to_make_one(
    cell: Cell, name: str, value: Any, words: str
) -> None:
    message = message_of(FORWARD[cell], **{**arguments(cell), name: value})
    assert message == f"`{name}` must be a NumPy array; {words.format(name)}"


@both_cells
def test_none_in_place_of_inputs_or_weights_is_named(cell: Cell) -> None:
    xs, params = arguments(cell).values()
    kind = type(params).__name__
    assert message_of(FORWARD[cell], None, params) == "`xs` must be a NumPy array; got NoneType."
    assert message_of(FORWARD[cell], xs, None) == f"`params` must be {kind}; got NoneType."
    broken = params._replace(W_h=None)
    assert message_of(FORWARD[cell], xs, broken) == "`W_h` must be a NumPy array; got NoneType."
    loop = getattr(bptt, f"{cell}_forward")
    states = [np.zeros((2, 5))] * (1 if cell == "rnn" else 2)
    assert "`xs` must be a NumPy array" in message_of(loop, None, params, *states)
    for k, name in enumerate(["h0", "c0"][: len(states)]):
        given = [*states[:k], np.zeros((2, 4)), *states[k + 1 :]]
        assert f"`{name}` must have shape" in message_of(loop, xs, params, *given)


@both_cells
def test_weights_in_another_container_are_refused_with_the_way_to_convert_them(cell: Cell) -> None:
    xs, params = arguments(cell).values()
    kind = type(params).__name__
    for given, hint in (
        (tuple(params), f"got tuple. Use {kind}(*params)."),
        (list(params), f"got list. Use {kind}(*params)."),
        (params._asdict(), f"got dict. Use {kind}(**params)."),
        ({"weight": params.W_x}, "got dict."),
        (Module(), "got Module. Use numpy_lstm.from_torch(module.state_dict())."),
    ):
        assert message_of(FORWARD[cell], xs, given) == f"`params` must be {kind}; {hint}"
    other = arguments("lstm" if cell == "rnn" else "rnn")["params"]
    assert "functions of its own" in message_of(FORWARD[cell], xs, other)


@both_cells
@pytest.mark.parametrize(
    ("dtype", "hint"),
    [
        ("float16", "Use xs.astype(np.float32)."),
        ("int64", "Use xs.astype(np.float32)."),
        ("bool", "Use xs.astype(np.float32)."),
        (">f8", "Use xs.astype(np.float64)."),
        ("longdouble", "Use xs.astype(np.float64)."),
        ("object", "Are its rows all of one length?"),
    ],
)
def test_another_dtype_is_refused_with_the_way_to_cast_it(
    cell: Cell, dtype: str, hint: str
) -> None:
    xs, params = arguments(cell).values()
    message = message_of(FORWARD[cell], xs.astype(dtype), params)
    assert re.match(r"`xs` must be float32, float64 or complex128; got \S+\. ", message)
    assert message.endswith(hint)


@both_cells
def test_any_layout_in_memory_gives_the_same_result(cell: Cell) -> None:
    """Views, transposed, reversed, read-only and in Fortran's order, of inputs and of weights."""
    xs, params = arguments(cell).values()
    rows = len(params.b)
    rng = np.random.default_rng(0)
    xs, h0 = rng.standard_normal((4, 2, 3)), rng.standard_normal((2, 5))
    params = type(params)(
        rng.standard_normal((rows, 3)), rng.standard_normal((rows, 5)), rng.standard_normal(rows)
    )
    dhs = rng.standard_normal((4, 2, 5))

    def results(change: Any) -> list[np.ndarray]:
        out = FORWARD[cell](change(xs), type(params)(*map(change, params)), [4, 2], change(h0))
        g = BACKWARD[cell](out.cache, change(dhs))
        return [out.hs, out.h_T, g.dxs, g.dh0, *g.dparams, g.dh_norms]

    def read_only(array: np.ndarray) -> np.ndarray:
        array = array.copy()
        array.flags.writeable = False
        return array

    plain = results(np.copy)
    for change in (
        read_only,
        np.asfortranarray,
        lambda array: np.repeat(array, 2, axis=-1)[..., ::2],
        lambda array: array[::-1].copy()[::-1],
    ):
        for one, other in zip(results(change), plain, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-13, atol=1e-15)


@both_cells
@pytest.mark.parametrize(
    ("lengths", "words"),
    [
        ([4.0, 2.0], "whole numbers; got dtype float64. Use lengths.astype(int)."),
        ([True, False], "whole numbers; got dtype bool"),
        ([[4], [2, 1]], "one whole number per review"),
        ([4, None], "whole numbers; got dtype object"),
        (["4", "2"], "whole numbers; got dtype <U1"),
        ({4, 2}, "whole numbers; got dtype object"),
        (4, "shape (N=2,); got ()"),
        ([[4, 2]], "shape (N=2,); got (1, 2)"),
        ([-1, 4], "1 … T=4; got -1 … 4"),
        ([4, 5], "1 … T=4; got 4 … 5"),
        (np.array([2**64 - 1, 4], np.uint64), "1 … T=4"),
        (np.ma.masked_array([4, 2], [0, 1]), "got MaskedArray"),
        (Tensor([4, 2], convertible=False), "one whole number per review"),
    ],
)
def test_lengths_that_are_none_are_named(cell: Cell, lengths: Any, words: str) -> None:
    message = message_of(FORWARD[cell], **arguments(cell), lengths=lengths)
    assert message.startswith("`lengths` must ")
    assert words in message


@both_cells
def test_lengths_may_come_from_any_library(cell: Cell) -> None:
    hs = FORWARD[cell](**arguments(cell), lengths=np.array([4, 2])).hs
    for lengths in ([4, 2], (4, 2), np.array([4, 2], np.uint8), Tensor([4, 2])):
        np.testing.assert_array_equal(FORWARD[cell](**arguments(cell), lengths=lengths).hs, hs)


@both_cells
def test_a_sequence_without_inputs_runs_on_its_biases(cell: Cell) -> None:
    xs, params = arguments(cell).values()
    alone = FORWARD[cell](xs[:, :, :0], params._replace(W_x=params.W_x[:, :0]))
    same = FORWARD[cell](0 * xs, params)
    np.testing.assert_array_equal(alone.hs, same.hs)
    assert BACKWARD[cell](alone.cache, dh_T=np.ones((2, 5))).dxs.shape == (4, 2, 0)


@both_cells
def test_weights_changed_between_forward_and_backward_change_no_gradient(cell: Cell) -> None:
    """As of two passes with the same weights, when the first one's update comes between."""
    xs, params = arguments(cell).values()
    cache = FORWARD[cell](xs, params).cache
    before = BACKWARD[cell](cache, dh_T=np.ones((2, 5)))
    for array in params:
        array *= 7
    after = BACKWARD[cell](cache, dh_T=np.ones((2, 5)))
    np.testing.assert_array_equal(after.dxs, before.dxs)
    for one, other in zip(after.dparams, before.dparams, strict=True):
        np.testing.assert_array_equal(one, other)


@both_cells
def test_what_is_no_cache_is_refused(cell: Cell) -> None:
    out = FORWARD[cell](**arguments(cell))
    assert message_of(BACKWARD[cell], out).endswith("Use its .cache.")
    other: Cell = "lstm" if cell == "rnn" else "rnn"
    for value in (None, (), FORWARD[other](**arguments(other)).cache):
        message = message_of(BACKWARD[cell], value)
        assert message.startswith(f"`cache` must be the cache of {cell}_forward; got ")


# --- initial weights -------------------------------------------------------------------------


@pytest.mark.parametrize("init", [nl.init_rnn, nl.init_lstm])
@pytest.mark.parametrize(
    ("rng", "words"),
    [
        (None, "got None. Use np.random.default_rng(0)."),
        (0, "got 0. Use np.random.default_rng(0)."),
        (42, "got 42. Use np.random.default_rng(42)."),
        (np.random, "got numpy.random. Use np.random.default_rng(0)."),
        (np.random.RandomState(0), "Use np.random.default_rng(0)."),
    ],
)
def test_a_seed_in_place_of_a_generator_gets_a_hint(init: Any, rng: Any, words: str) -> None:
    message = message_of(init, 3, 4, rng=rng)
    assert message.startswith("`rng` must be a numpy.random.Generator; ")
    assert message.endswith(words)


@pytest.mark.parametrize("value", [None, "1", float("nan"), [1.0, 2.0]])
def test_a_forget_bias_that_is_no_number_is_refused(value: Any) -> None:
    message = message_of(nl.init_lstm, 3, 4, rng=np.random.default_rng(0), forget_bias=value)
    assert message == f"`forget_bias` must be a finite number; got {value!r}."


def test_a_dtype_that_numpy_does_not_know_is_refused() -> None:
    for dtype in ("bogus", "torch.float32", object(), "float16"):
        message = message_of(nl.init_rnn, 3, 4, rng=np.random.default_rng(0), dtype=dtype)
        assert message.startswith("`dtype` must be float32 or float64; got ")


# --- PyTorch and Keras -----------------------------------------------------------------------


def state_of(params: Any, wrap: Any = Tensor) -> dict[str, Any]:
    return {name: wrap(array) for name, array in nl.to_torch(params).items()}


LSTM = nl.init_lstm(3, 4, rng=np.random.default_rng(0))


class Module:
    def state_dict(self) -> dict[str, Any]:
        return state_of(LSTM)


class Layer:
    def get_weights(self) -> list[np.ndarray]:
        return nl.to_keras(LSTM)


@pytest.mark.parametrize(
    ("state", "words"),
    [
        (Module(), "got Module. Use module.state_dict()."),
        (iter(state_of(LSTM).items()), "Use dict(...)."),  # as of named_parameters()
        (None, "got NoneType"),
        ({f"lstm.{k}": v for k, v in state_of(LSTM).items()}, "state_dict() of the layer alone"),
        ({**state_of(LSTM), "weight_hr_l0": Tensor(np.ones((2, 4)))}, "without projection"),
        ({**state_of(LSTM), "weight_ih_l0_reverse": Tensor(1)}, "in one direction"),
        ({**state_of(LSTM), "weight_ih_l1": Tensor(1)}, "Only one layer"),
        (state_of(LSTM, lambda a: Tensor(a[:12])), "A GRU has no counterpart"),
        (state_of(LSTM, lambda a: Tensor(a.astype(np.float16))), "got float16. Convert them to"),
        (state_of(LSTM, lambda a: Tensor(a, convertible=False)), "BFloat16"),
        (state_of(LSTM, lambda a: [[1.0], [1.0, 2.0]]), "got a list which is none"),
    ],
)
def test_what_from_torch_cannot_take_is_refused_with_the_reason(state: Any, words: str) -> None:
    message = message_of(nl.from_torch, state)
    assert message.startswith("`state` must ")
    assert words in message


@pytest.mark.parametrize(
    ("weights", "words"),
    [
        (Layer(), "got Layer. Use layer.get_weights()."),
        (iter(nl.to_keras(LSTM)), "must be a list of arrays"),
        (None, "got NoneType"),
        (nl.to_keras(LSTM) * 2, "in one direction; got 6 arrays"),
        (nl.to_keras(LSTM)[::-1], "must be of a vanilla RNN or an LSTM"),
        ([a[..., :12] for a in nl.to_keras(LSTM)], "A GRU has no counterpart"),
        ([a.astype(np.float16) for a in nl.to_keras(LSTM)], "got float16. Convert them to"),
        ([[[1.0], [1.0, 2.0]]] * 3, "got a list which is none"),
    ],
)
def test_what_from_keras_cannot_take_is_refused_with_the_reason(weights: Any, words: str) -> None:
    message = message_of(nl.from_keras, weights)
    assert message.startswith("`weights` must ")
    assert words in message


# --- layers, losses, updates -----------------------------------------------------------------


TABLE, TOKENS = np.ones((5, 2)), np.array([[1, 2], [3, 4]])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"tokens": [[1, 2]]}, "`tokens` must be whole numbers of shape (L, N); got list"),
        ({"tokens": TOKENS * 1.0}, "`tokens` must be whole numbers of shape (L, N); got float64"),
        ({"tokens": TOKENS[0]}, "got int64 of shape (2,)"),
        ({"tokens": TOKENS + 1}, "`tokens` must lie in 0 … 4, the rows of `table`; got 2 … 5"),
        ({"tokens": TOKENS - 2}, "got -1 … 2"),  # NumPy would count from the end
        ({"lengths": np.array([0, 2])}, "`lengths` must lie in 1 … T=2"),
        ({"bag_size": 0}, "`bag_size` must be a positive whole number; got 0"),
        ({"bag_size": 1.5}, "`bag_size` must be a positive whole number; got 1.5"),
    ],
)
def test_word_ids_out_of_range_are_named(change: Any, words: str) -> None:
    right = {"tokens": TOKENS, "lengths": np.array([2, 2]), "table": TABLE}
    assert words in message_of(bag_forward, **{**right, **change})


def test_a_readout_takes_lengths_as_the_recurrence_does() -> None:
    hs = np.ones((3, 2, 4))
    assert readout_forward(hs, hs[-1], [3, 1], "mean")[0].shape == (2, 4)  # type: ignore[arg-type]
    assert "`lengths` must lie in 1 … T=3" in message_of(readout_forward, hs, hs[-1], [3, 0])


def test_targets_of_another_shape_are_not_broadcast() -> None:
    """(N,) minus (N, 1) is (N, N): a loss of the wrong pairs, without an error."""
    three = np.ones(3)
    message = "`targets` must have shape (N=3,); got (3, 1)."
    assert message_of(squared_error, three, three[:, np.newaxis]) == message
    assert message_of(binary_cross_entropy, three, np.ones((3, 1), int)) == message
    assert "`weights` must have shape (N=3,); got (1,)." in message_of(
        squared_error, three, three, np.ones(1)
    )


@pytest.mark.parametrize("labels", [[-1, 1, 1], [1, 2, 1], [0.5, 1, 0]])
def test_labels_other_than_zero_and_one_are_refused(labels: Any) -> None:
    message = message_of(binary_cross_entropy, np.ones(3), np.array(labels))
    assert message.startswith("`labels` must be 0 or 1; got [")


@pytest.mark.parametrize("labels", [[-1, 1], [0, 3], [0.0, 1.0]])
def test_labels_of_no_class_are_refused(labels: Any) -> None:
    message = message_of(softmax_cross_entropy, np.ones((2, 3)), np.array(labels))
    assert message.startswith("`labels` must be whole numbers in 0 … 2; got [")


@pytest.mark.parametrize(
    ("gradients", "words"),
    [
        ({"V": np.ones(2)}, "`gradients` must be of parameters: W, b; got one of V"),
        ({"b": np.ones(2), "W": np.ones(2)}, "`W` must have shape (3, 2); got (2,)"),
        ({"b": np.ones(1)}, "`b` must have shape (2,); got (1,)"),
        ({"b": [1.0, 1.0]}, "`b` must be a NumPy array; got list"),
        ({"W": RowGradient(np.arange(2), np.ones((2, 1)))}, "shape (2, 2); got (2, 1)"),
    ],
)
def test_a_gradient_that_does_not_fit_changes_nothing(gradients: Any, words: str) -> None:
    parameters = {"W": np.ones((3, 2)), "b": np.ones(2)}
    adam = Adam()
    assert words in message_of(adam.step, parameters, gradients)
    assert adam.t == 0
    assert all((array == 1).all() for array in parameters.values())


@pytest.mark.parametrize("max_norm", [0, -1.0, float("nan")])
def test_gradients_are_not_clipped_to_nothing(max_norm: float) -> None:
    message = message_of(clip_by_global_norm, {"b": np.ones(2)}, max_norm)
    assert message == f"`max_norm` must be positive; got {max_norm}."


@pytest.mark.parametrize("lag", [0, -1, 4, 1.5, None])
def test_a_lag_that_the_batch_does_not_have_is_refused(lag: Any) -> None:
    parameters = init_classifier("rnn", TABLE, 3, readout="last", rng=np.random.default_rng(0))
    tokens, lengths = np.ones((4, 2), int), np.full(2, 4)
    batch = Batch(tokens, lengths, np.zeros(2, int), np.full(2, 0.5))
    message = message_of(jacobian_singular_values, Classifier(parameters, 1, "last"), batch, lag)
    assert message.startswith("`lag` must be a whole number in 1 … 3")
    assert message.endswith(f"got {lag!r}.")


# --- the package -----------------------------------------------------------------------------


def test_the_estimator_is_listed_before_it_is_imported() -> None:
    assert {*nl.__all__, "__version__"} <= set(dir(nl))


def test_the_estimator_speaks_of_texts_and_not_of_films() -> None:
    classifier = nl.ReviewClassifier(validation_fraction=0.999, max_iter=1)
    message = message_of(classifier.fit, ["good film", "bad film"] * 3, [1, 0] * 3)
    assert "6 texts cannot be split" in message
    assert "films" not in message
