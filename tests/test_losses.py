"""The losses by hand, at the edges of float64, and against each other.

Their gradients stand in test_gradients.py.
"""

from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from numpy_lstm.losses import (
    binary_cross_entropy,
    binary_cross_entropy_backward,
    class_probabilities,
    cross_entropy,
    cross_entropy_backward,
    likeliest,
    log_odds,
    log_odds_backward,
    softmax_cross_entropy,
    softmax_cross_entropy_backward,
    squared_error,
    squared_error_backward,
)
from tests.comparing import assert_same

LN2, LN3 = np.log(2), np.log(3)
logits_and_labels = st.lists(
    st.tuples(st.floats(-1000, 1000), st.integers(0, 1)), min_size=1, max_size=5
)


def binary(logits: Any, labels: Any, weights: Any = None) -> tuple[float, np.ndarray]:
    loss, cache = binary_cross_entropy(np.asarray(logits), np.asarray(labels), weights)
    return float(loss), binary_cross_entropy_backward(cache)


def test_binary_cross_entropy_by_hand() -> None:
    # σ(0) = ½ and σ(ln 3) = ¾: the labels 1 and 0 have the probabilities ½ and ¼.
    loss, dlogits = binary([0.0, LN3], [1, 0])
    assert loss == pytest.approx((LN2 + 2 * LN2) / 2, rel=1e-15)
    assert_same(dlogits, np.array([-1 / 2, 3 / 4]) / 2)


def test_a_sure_and_right_logit_costs_what_is_left_of_doubt() -> None:
    # log(1 + exp(-50)) is 2e-22. Through a probability it would be 0, for σ(50) rounds to 1.
    loss, dlogits = binary([50.0], [1])
    assert loss == pytest.approx(np.exp(-50), rel=1e-12)
    assert dlogits == pytest.approx(0, abs=1e-15)


def test_a_sure_and_wrong_logit_costs_its_size() -> None:
    loss, dlogits = binary([1000.0, -1000.0], [0, 1])
    assert loss == 1000
    assert_same(dlogits, np.array([1, -1]) / 2)


@given(pairs=logits_and_labels)
def test_swapping_the_labels_and_the_sign_of_the_logits_changes_nothing(
    pairs: list[tuple[float, int]],
) -> None:
    logits, labels = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    loss, dlogits = binary(logits, labels)
    swapped_loss, swapped_dlogits = binary(-logits, 1 - labels)
    assert loss == pytest.approx(swapped_loss, rel=1e-15)
    assert_same(dlogits, -swapped_dlogits)


@given(pairs=logits_and_labels)
def test_the_binary_loss_is_softmax_of_two_classes(pairs: list[tuple[float, int]]) -> None:
    logits, labels = np.array([p[0] for p in pairs]), np.array([p[1] for p in pairs])
    loss, dlogits = binary(logits, labels)
    both = np.stack([np.zeros_like(logits), logits], axis=1)
    softmax_loss, cache = softmax_cross_entropy(both, labels)
    assert loss == pytest.approx(float(softmax_loss), rel=1e-12, abs=1e-15)
    assert_same(dlogits, softmax_cross_entropy_backward(cache)[:, 1])


def test_softmax_cross_entropy_by_hand() -> None:
    # exp gives 1, 2, 5 and 1, 1, 2: the labels 1 and 2 have the probabilities ¼ and ½.
    logits, labels = np.log([[1.0, 2, 5], [1, 1, 2]]), np.array([1, 2])
    loss, cache = softmax_cross_entropy(logits, labels)
    assert loss == pytest.approx((2 * LN2 + LN2) / 2, rel=1e-15)
    expected = np.array([[1 / 8, -3 / 4, 5 / 8], [1 / 4, 1 / 4, -1 / 2]]) / 2
    assert_same(softmax_cross_entropy_backward(cache), expected)


def test_softmax_is_finite_for_any_logits_and_blind_to_a_shift() -> None:
    logits, labels = np.array([[0.0, 3.0, -1000.0]]), np.array([1])
    loss, cache = softmax_cross_entropy(logits, labels)
    shifted_loss, shifted_cache = softmax_cross_entropy(logits + 1024, labels)
    assert loss == shifted_loss == pytest.approx(np.log1p(np.exp(-3)), rel=1e-15)
    dlogits = softmax_cross_entropy_backward(cache)
    assert_same(softmax_cross_entropy_backward(shifted_cache), dlogits)
    assert dlogits.sum() == pytest.approx(0, abs=1e-15)


def test_squared_error_by_hand() -> None:
    loss, cache = squared_error(np.array([1.0, 5.0]), np.array([3.0, 4.0]))
    assert loss == (4 + 1) / 2
    assert_same(squared_error_backward(cache), np.array([-4, 2]) / 2)


LOSSES = [
    (binary_cross_entropy, binary_cross_entropy_backward, np.array([0.3, -2.0, 1.0])),
    (softmax_cross_entropy, softmax_cross_entropy_backward, np.array([[0.3, 1], [-2, 0], [1, 1]])),
    (squared_error, squared_error_backward, np.array([0.3, -2.0, 1.0])),
]
LOSS_NAMES = [loss.__name__ for loss, _, _ in LOSSES]


@pytest.mark.parametrize(("loss", "backward", "outputs"), LOSSES, ids=LOSS_NAMES)
def test_weights_say_what_each_review_counts_for(loss: Any, backward: Any, outputs: Any) -> None:
    targets = np.array([1, 0, 1])
    weights = np.array([0.75, 0.25, 0.0])
    weighted, cache = loss(outputs, targets, weights)
    singles = [loss(outputs[[n]], targets[[n]]) for n in range(3)]
    assert weighted == pytest.approx(0.75 * singles[0][0] + 0.25 * singles[1][0], rel=1e-15)
    gradients = [w * backward(single[1]) for w, single in zip(weights, singles, strict=True)]
    assert_same(backward(cache), np.concatenate(gradients))


@pytest.mark.parametrize(
    ("which", "dtype"),
    [(0, np.int8), (0, np.int64), (1, np.int8), (1, np.int64), (2, np.float32)],
    ids=["binary, int8", "binary, int64", "softmax, int8", "softmax, int64", "squared, float32"],
)
def test_float32_outputs_give_a_float32_gradient(which: int, dtype: Any) -> None:
    loss, backward, outputs = LOSSES[which]
    value, cache = loss(outputs.astype(np.float32), np.array([1, 0, 1], dtype))
    exact, exact_cache = loss(outputs, np.array([1, 0, 1]))
    assert value == pytest.approx(float(exact), rel=1e-6)
    assert backward(cache).dtype == np.float32
    assert_same(backward(cache), backward(exact_cache), tolerance=1e-6)


@pytest.mark.parametrize(("loss", "backward", "outputs"), LOSSES, ids=LOSS_NAMES)
def test_backward_twice_gives_the_same_and_changes_nothing(
    loss: Any, backward: Any, outputs: Any
) -> None:
    targets = np.array([1, 0, 1])
    outputs.flags.writeable = targets.flags.writeable = False
    _, cache = loss(outputs, targets)
    np.testing.assert_array_equal(backward(cache), backward(cache))


def test_cross_entropy_is_the_binary_one_of_one_logit_and_softmax_of_many() -> None:
    logits, labels = np.array([0.5, -2.0, 3.0]), np.array([1, 1, 0])
    two = np.column_stack([np.zeros(3), logits])
    assert cross_entropy(logits, labels)[0] == binary_cross_entropy(logits, labels)[0]
    assert cross_entropy(two, labels)[0] == softmax_cross_entropy(two, labels)[0]
    one = cross_entropy_backward(cross_entropy(logits, labels)[1])
    both = cross_entropy_backward(cross_entropy(two, labels)[1])
    assert_same(both, np.column_stack([-one, one]))


def test_probabilities_classes_and_log_odds_by_hand() -> None:
    assert_same(class_probabilities(np.array([0.0, LN3])), np.array([[2, 2], [1, 3]]) / 4)
    assert_same(class_probabilities(np.log([[2.0, 3.0, 5.0]])), np.array([[2, 3, 5]]) / 10)
    assert likeliest(np.array([-1.0, 0.0, 1.0])).tolist() == [0, 0, 1]
    assert likeliest(np.array([[0.0, 2.0, 1.0], [5.0, 2.0, 1.0]])).tolist() == [1, 0]
    assert_same(log_odds(np.array([LN3]), 1), np.array([LN3]))
    assert_same(log_odds(np.array([LN3]), 0), np.array([-LN3]))
    three = np.log([[2.0, 3.0, 5.0]])
    for label, odds in enumerate((2 / 8, 3 / 7, 5 / 5)):
        assert_same(np.exp(log_odds(three, label)), np.array([odds]))
    assert_same(log_odds_backward(three, 1), np.array([[-2 / 7, 1, -5 / 7]]))


def test_log_odds_of_sure_logits_do_not_overflow() -> None:
    sure = np.array([[0.0, 2000.0, -2000.0]])
    assert [log_odds(sure, label)[0] for label in range(3)] == [-2000, 2000, -4000]
    assert_same(class_probabilities(sure), np.array([[0.0, 1.0, 0.0]]))


def test_cross_entropy_weighs_the_reviews_with_one_logit_and_with_many() -> None:
    labels, weights = np.array([1, 0]), np.array([0.25, 0.75])
    one = np.array([LN3, 0.0])  # costs of log 4/3 and log 2
    expected = (2 * LN2 - LN3) / 4 + 3 * LN2 / 4
    for logits in (one, np.column_stack([np.zeros(2), one])):
        loss, cache = cross_entropy(logits, labels, weights)
        assert loss == pytest.approx(expected, rel=1e-14)
        assert cache.weights is weights


def test_classes_are_whole_numbers_that_can_index() -> None:
    assert likeliest(np.array([-1.0, 1.0])).dtype == np.intp
    assert likeliest(np.array([[-1.0, 1.0]])).dtype == np.intp


@pytest.mark.parametrize("argument", ["outputs", "targets", "weights"])
def test_what_is_no_array_is_named(argument: str) -> None:
    given: dict[str, Any] = {name: np.ones(2) for name in ("outputs", "targets", "weights")}
    with pytest.raises(ValueError, match=f"`{argument}` must be a NumPy array; got list"):
        squared_error(**{**given, argument: [1.0, 1.0]})


def test_labels_that_are_none_are_shown() -> None:
    with pytest.raises(ValueError, match=r"`labels` must be 0 or 1; got \[0 2\]"):
        binary_cross_entropy(np.zeros(2), np.array([0, 2]))
    with pytest.raises(ValueError, match=r"whole numbers in 0 … 2; got \[0 3\]"):
        softmax_cross_entropy(np.zeros((2, 3)), np.array([0, 3]))
