"""Optimizers and clipping against steps of the published algorithms, taken by hand."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.layers import RowGradient
from numpy_lstm.optim import Adam, clip_by_global_norm
from tests.comparing import assert_identical, assert_same

# --- clipping ------------------------------------------------------------------------------------


def test_clipping_scales_all_gradients_by_one_factor() -> None:
    # The joint norm is √(2² + 3² + 6²) = 7.
    gradients = {
        "W": np.array([[2.0, -3.0]]),
        "embedding": RowGradient(np.array([4]), np.array([[6.0]])),
    }
    clipped, norm = clip_by_global_norm(gradients, 3.5)
    assert norm == 7
    assert_identical(
        clipped,
        {
            "W": np.array([[1.0, -1.5]]),
            "embedding": RowGradient(np.array([4]), np.array([[3.0]])),
        },
    )
    assert_identical(gradients["W"], np.array([[2.0, -3.0]]))  # not changed


@pytest.mark.parametrize("max_norm", [5.0, 5.1, np.inf])
def test_a_norm_up_to_the_limit_is_left_alone(max_norm: float) -> None:
    gradients = {"W": np.array([3.0, -4.0])}
    clipped, norm = clip_by_global_norm(gradients, max_norm)
    assert norm == 5
    assert clipped["W"] is gradients["W"]
    assert_identical(clipped, {"W": np.array([3.0, -4.0])})


def test_an_exploding_float32_gradient_is_clipped_to_the_limit_and_not_to_zero() -> None:
    # The square of 3e30 is beyond float32: a norm taken in float32 would be infinite.
    gradients = {"W": np.array([3e30, -4e30], np.float32)}
    clipped, norm = clip_by_global_norm(gradients, 1.0)
    assert norm == pytest.approx(5e30, rel=1e-6)
    assert_same(clipped, {"W": np.array([0.6, -0.8])}, tolerance=1e-6)
    assert clipped["W"].dtype == np.float32


# --- Adam ----------------------------------------------------------------------------------------


def test_adam_by_hand() -> None:
    adam = Adam(learning_rate=0.5, beta1=0.5, beta2=0.75, epsilon=1.0)
    parameters = {"w": np.array([10.0])}

    # m = ½·0 + ½·4 = 2 and v = ¼·16 = 4; corrected 2 / (1 - ½) = 4 and 4 / (1 - ¾) = 16.
    adam.step(parameters, {"w": np.array([4.0])})
    assert_same(parameters["w"], np.array([10 - 0.5 * 4 / (4 + 1)]))  # 9.6

    # m = ½·2 + ½·(-2) = 0: what came first is forgotten as fast as it is corrected for.
    adam.step(parameters, {"w": np.array([-2.0])})
    assert_same(parameters["w"], np.array([9.6]))

    # m = ½·0 + ½·8 = 4, v = ¾ (¾·4 + ¼·4) + ¼·64 = 19; the corrections are ⅞ and 37/64.
    adam.step(parameters, {"w": np.array([8.0])})
    expected = 9.6 - 0.5 * (4 / (7 / 8)) / (np.sqrt(19 / (37 / 64)) + 1)
    assert_same(parameters["w"], np.array([expected]))
    assert adam.t == 3


def kingma_and_ba(
    theta: np.ndarray, gradients: list[np.ndarray], alpha: float, beta1: float, beta2: float
) -> np.ndarray:
    """Algorithm 1 of Kingma and Ba (2015), line for line; epsilon is 1e-8."""
    m = v = np.zeros_like(theta)
    for t, g in enumerate(gradients, start=1):
        m = beta1 * m + (1 - beta1) * g
        v = beta2 * v + (1 - beta2) * g**2
        m_hat = m / (1 - beta1**t)
        v_hat = v / (1 - beta2**t)
        theta = theta - alpha * m_hat / (np.sqrt(v_hat) + 1e-8)
    return theta


@given(
    steps=st.integers(1, 20),
    alpha=st.floats(1e-4, 1),
    beta1=st.floats(0, 0.99),
    beta2=st.floats(0, 0.9999),
    seed=st.integers(0, 2**32 - 1),
)
def test_adam_follows_the_published_algorithm(
    steps: int, alpha: float, beta1: float, beta2: float, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    start = rng.standard_normal((3, 2))
    gradients = list(rng.standard_normal((steps, 3, 2)) * 10 ** rng.uniform(-4, 4, (steps, 1, 1)))
    expected = kingma_and_ba(start, gradients, alpha, beta1, beta2)

    adam, parameters = Adam(alpha, beta1, beta2), {"W": start.copy()}
    for gradient in gradients:
        adam.step(parameters, {"W": gradient})
    assert_same(parameters["W"], expected)

    # A table of which every row is used is no different.
    adam, parameters = Adam(alpha, beta1, beta2), {"W": start.copy()}
    for gradient in gradients:
        adam.step(parameters, {"W": RowGradient(np.arange(3), gradient)})
    assert_same(parameters["W"], expected)


def test_every_row_of_a_large_table_takes_one_step() -> None:
    rng = np.random.default_rng(0)
    gradients = list(rng.standard_normal((2, 700, 3)))  # more rows than are updated together
    adam, parameters = Adam(), {"table": np.zeros((700, 3))}
    for gradient in gradients:
        adam.step(parameters, {"table": RowGradient(np.arange(700), gradient)})
    assert_same(
        parameters["table"] / 1e-3,
        kingma_and_ba(np.zeros((700, 3)), gradients, 1.0, 0.9, 0.999),
    )


def test_the_defaults_are_those_of_the_paper() -> None:
    gradients = list(np.random.default_rng(0).standard_normal((5, 2)) * 1e-7)
    adam, parameters = Adam(), {"W": np.zeros(2)}
    for gradient in gradients:
        adam.step(parameters, {"W": gradient})
    assert_same(
        parameters["W"] / 1e-3,
        kingma_and_ba(np.zeros(2), gradients, 1.0, 0.9, 0.999),
    )


def test_rows_that_are_not_used_neither_move_nor_forget() -> None:
    table = np.array([[1.0], [2.0], [3.0]])
    adam, parameters = Adam(learning_rate=0.1), {"table": table.copy()}
    adam.step(parameters, {"table": RowGradient(np.array([0, 2]), np.array([[1.0], [1.0]]))})
    moments = adam.m["table"].copy(), adam.v["table"].copy()
    assert_same(parameters["table"], np.array([[0.9], [2.0], [2.9]]), tolerance=1e-8)

    adam.step(parameters, {"table": RowGradient(np.array([1]), np.array([[1.0]]))})
    assert_identical(adam.m["table"][[0, 2]], moments[0][[0, 2]])
    assert_identical(adam.v["table"][[0, 2]], moments[1][[0, 2]])
    # Row 1 moves for the first time at step 2, and is corrected for two steps, as in SparseAdam.
    m_hat, v_hat = 0.1 / (1 - 0.9**2), 0.001 / (1 - 0.999**2)
    expected = np.array([[0.9], [2 - 0.1 * m_hat / (np.sqrt(v_hat) + 1e-8)], [2.9]])
    assert_same(parameters["table"], expected, tolerance=1e-8)


def test_a_step_is_in_place_keeps_float32_and_leaves_the_gradients_alone() -> None:
    W, table = np.ones((2, 2), np.float32), np.ones((3, 2), np.float32)
    gradients = {
        "W": np.full((2, 2), 0.5, np.float32),
        "table": RowGradient(np.array([2]), np.full((1, 2), 0.5, np.float32)),
    }
    gradients["W"].flags.writeable = gradients["table"].values.flags.writeable = False
    parameters = {"W": W, "table": table}
    Adam(0.1).step(parameters, gradients)
    assert parameters["W"] is W
    assert parameters["table"] is table
    assert W.dtype == table.dtype == np.float32
    assert (W < 1).all()
    assert (table == 1).all(axis=1).tolist() == [True, True, False]


def test_adam_takes_steps_of_the_learning_rate_however_large_the_gradient() -> None:
    parameters = {"W": np.zeros(3)}
    Adam(learning_rate=0.01).step(parameters, {"W": np.array([1e-3, -1.0, 1e6])})
    assert_same(parameters["W"], np.array([-0.01, 0.01, -0.01]), tolerance=1e-6)
