"""How the weights start: their singular values, their ranges, their repeatability."""

from typing import Any

import numpy as np
import pytest

from numpy_lstm import init_lstm, init_rnn
from numpy_lstm.initializers import glorot_uniform, orthogonal
from tests.comparing import assert_identical, assert_same, mapped

H, D = 30, 20


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def test_every_singular_value_of_an_orthogonal_matrix_is_one() -> None:
    assert_same(np.linalg.svd(orthogonal(50, rng=rng())).S, np.ones(50))


def test_blocks_of_an_orthogonal_matrix_have_orthonormal_columns_together_and_shrink() -> None:
    Q = orthogonal(200, 4, rng=rng())
    assert Q.shape == (800, 200)
    assert_same(np.linalg.svd(Q).S, np.ones(200))
    largest = [np.linalg.svd(block).S.max() for block in np.split(Q, 4)]
    np.testing.assert_allclose(largest, 2 * np.sqrt(3) / 4, rtol=0.03)


def test_orthogonal_matrices_have_no_preferred_direction() -> None:
    # Uniform over all of them, each entry has mean 0 and variance 1/n. QR alone prefers a sign.
    n, draws = 4, 2000
    generator = rng()
    mean = np.mean([orthogonal(n, rng=generator) for _ in range(draws)], axis=0)
    assert abs(mean).max() < 4 * np.sqrt(1 / n / draws)


def test_glorot_fills_its_range_evenly() -> None:
    W = glorot_uniform(400, 200, rng=rng())
    limit = np.sqrt(6 / 600)
    assert W.shape == (400, 200)
    assert 0.999 * limit < W.max() <= limit
    assert -limit <= W.min() < -0.999 * limit
    assert W.var() == pytest.approx(limit**2 / 3, rel=0.01)


@pytest.mark.parametrize("init", [init_rnn, init_lstm])
def test_each_gates_recurrent_block_is_orthogonal_on_its_own(init: Any) -> None:
    W_h = init(D, H, rng=rng(), dtype=np.float64).W_h
    for block in W_h.reshape(-1, H, H):
        assert_same(block @ block.T, np.eye(H))


@pytest.mark.parametrize("init", [init_rnn, init_lstm])
def test_uniform_recurrent_weights_are_those_of_pytorch(init: Any) -> None:
    params = init(D, 100, rng=rng(), recurrent="uniform", dtype=np.float64)
    for block in params.W_h.reshape(-1, 100, 100):
        assert 0.999 / 10 < abs(block).max() <= 1 / 10  # 1 / √H
        assert block.var() == pytest.approx(1 / 300, rel=0.05)


def test_uniform_recurrent_weights_are_those_of_pytorch_whatever_the_size() -> None:
    for H in (25, 400):
        W_h = init_rnn(D, H, rng=rng(), recurrent="uniform", dtype=np.float64).W_h
        assert abs(W_h).max() == pytest.approx(1 / np.sqrt(H), rel=0.01)
        assert W_h.min() < -0.98 / np.sqrt(H)


@pytest.mark.parametrize("recurrent", ["orthogonal", "uniform"])
@pytest.mark.parametrize("name", ["W_x", "W_h"])
def test_every_gate_is_drawn_anew(name: str, recurrent: Any) -> None:
    gates = getattr(init_lstm(D, H, rng=rng(), recurrent=recurrent), name).reshape(4, H, -1)
    for k in range(4):
        for j in range(k):
            assert (gates[k] != gates[j]).mean() > 0.99


@pytest.mark.parametrize("init", [init_rnn, init_lstm])
def test_each_gates_input_block_is_glorots(init: Any) -> None:
    limit = np.sqrt(6 / (H + D))
    for block in init(D, H, rng=rng(), dtype=np.float64).W_x.reshape(-1, H, D):
        assert 0.98 * limit < abs(block).max() <= limit


@pytest.mark.parametrize(("init", "gates"), [(init_rnn, 1), (init_lstm, 4)])
@pytest.mark.parametrize("recurrent", ["orthogonal", "uniform"])
def test_every_gate_has_its_rows(init: Any, gates: int, recurrent: Any) -> None:
    for inputs, units in ((D, H), (3, 4), (1, 1)):
        W_x, W_h, b = init(inputs, units, rng=rng(), recurrent=recurrent)
        assert W_x.shape == (gates * units, inputs)
        assert W_h.shape == (gates * units, units)
        assert b.shape == (gates * units,)


def test_only_the_forget_gate_has_a_bias() -> None:
    assert_identical(init_rnn(D, 2, rng=rng()).b, np.zeros(2, np.float32))
    b = init_lstm(D, 2, rng=rng()).b
    assert_identical(b, np.array([0, 0, 1, 1, 0, 0, 0, 0], np.float32))
    b = init_lstm(D, 2, rng=rng(), forget_bias=-2.5).b
    assert_identical(b, np.array([0, 0, -2.5, -2.5, 0, 0, 0, 0], np.float32))


@pytest.mark.parametrize("init", [init_rnn, init_lstm])
@pytest.mark.parametrize("recurrent", ["orthogonal", "uniform"])
def test_one_seed_gives_one_set_of_weights_and_float32_is_float64_rounded(
    init: Any, recurrent: str
) -> None:
    exact = init(D, H, rng=rng(5), recurrent=recurrent, dtype=np.float64)
    assert_identical(init(D, H, rng=rng(5), recurrent=recurrent, dtype=np.float64), exact)
    rounded = init(D, H, rng=rng(5), recurrent=recurrent)
    assert_identical(rounded, mapped(np.float32, exact))
    other = init(D, H, rng=rng(6), recurrent=recurrent)
    assert not (other.W_h == rounded.W_h).any()


@pytest.mark.parametrize("init", [init_rnn, init_lstm])
@pytest.mark.parametrize(
    ("sizes", "change", "message"),
    [
        ((0, 4), {}, "`input_size` must be a positive whole number; got 0."),
        ((3, -1), {}, "`hidden_size` must be a positive whole number; got -1."),
        ((3, 4.0), {}, "`hidden_size` must be a positive whole number; got 4.0."),
        ((True, 4), {}, "`input_size` must be a positive whole number; got True."),
        (
            (3, 4),
            {"recurrent": "glorot"},
            "`recurrent` must be 'orthogonal' or 'uniform'; got 'glorot'.",
        ),
        ((3, 4), {"dtype": np.float16}, "`dtype` must be float32 or float64; got float16."),
    ],
)
def test_a_wrong_argument_is_named(
    init: Any, sizes: tuple[Any, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(ValueError) as error:
        init(*sizes, rng=rng(), **change)
    assert str(error.value) == message


def test_sizes_may_be_numpy_integers() -> None:
    params = init_rnn(np.int64(3), np.int32(4), rng=rng())
    assert_identical(params, init_rnn(3, 4, rng=rng()))
