"""What the table of gradient checks says of an array is what was measured of it."""

import io
from contextlib import redirect_stdout
from typing import Any
from unittest.mock import patch

import numpy as np

from numpy_lstm.gradcheck import TOLERANCE, ArrayError, check_gradient, gradient_errors
from numpy_lstm.gradcheck import __main__ as command
from numpy_lstm.gradcheck.check import WrongGradient
from numpy_lstm.gradcheck.pytrees import leaves, rebuild

NONE: Any = lambda *_: iter(())  # noqa: E731


def printed(*checks: command.Check) -> tuple[int, str]:
    """The status and the table of these checks."""
    out = io.StringIO()
    with (
        patch.object(command, "steps", lambda _: iter(checks)),
        patch.object(command, "sequences", NONE),
        patch.object(command, "classifiers", NONE),
        redirect_stdout(out),
    ):
        return command._print_table([]), out.getvalue()


def check(off: float, title: str = "square") -> command.Check:
    """A sum of squares, whose gradient in b is wrong by `off`, beside 8."""
    a, b = np.array([[1.0, 2.0, 3.0]]), np.array([3.0, 4.0])

    def loss(point: Any) -> Any:
        return np.sum(point["a"] ** 2) + np.sum(point["b"] ** 2)

    return command.Check(title, loss, {"a": a, "b": b}, {"a": 2 * a, "b": 2 * b + [0, off]})


def test_a_right_gradient_ends_with_status_0_and_the_worst_of_all() -> None:
    status, table = printed(check(0.0))
    assert status == 0
    lines = table.splitlines()
    assert lines[1].split() == ["array", "shape", "complex", "step", "central"]
    rows = [line.split() for line in lines if line.startswith("  ")][-2:]
    assert [row[0] for row in rows] == ["a", "b"]
    assert rows[0][1:3] == ["(1,", "3)"] and rows[1][1] == "(2,)"
    worst = {k: max(float(row[k]) for row in rows) for k in (-2, -1)}
    assert f"Worst of all, complex step: {worst[-2]:.1e} (tolerance 1e-12)" in lines
    assert f"Worst of all, central: {worst[-1]:.1e} (tolerance 1e-06)" in lines
    assert lines[-1] == "Every gradient is right."
    assert TOLERANCE == {"complex step": 1e-12, "central": 1e-6, "direction": 1e-6}


def test_a_wrong_gradient_ends_with_status_1_and_is_named() -> None:
    status, table = printed(check(0.0, "first"), check(8e-3, "second"))
    assert status == 1
    marked = [line for line in table.splitlines() if line.endswith("   WRONG")]
    assert [line.split() for line in marked] == [
        ["b", "(2,)", "1.0e-03", "1.0e-03", "WRONG"],
    ]
    assert "Worst of all, complex step: 1.0e-03" in table
    named = table[table.index("\nWrong:") :].splitlines()[2:]
    for method, line in zip(("complex step", "central"), named, strict=True):
        start = f"second, {method}, b[1]: gradient 8.008, measured 8"
        assert line == f"{start}, relative error 1.0e-03"
    assert "Every gradient is right." not in table


def test_a_gradient_wrong_for_one_method_alone_is_wrong() -> None:
    status, table = printed(check(8e-9))
    assert status == 1
    line, *others = table[table.index("\nWrong:") :].splitlines()[2:]
    assert others == []
    assert line.startswith("square, complex step, b[1]: ")
    assert line.endswith("relative error 1.0e-09")


def test_reviews_of_a_classifier_weigh_each_otherwise() -> None:
    """Else a backward pass without the weights would be right."""
    weighed = []
    entropy = command.binary_cross_entropy

    def kept(logits: Any, labels: Any, weights: Any) -> Any:
        weighed.append(weights)
        return entropy(logits, labels, weights)

    with patch.object(command, "binary_cross_entropy", kept):
        assert len([*command.classifiers(np.random.default_rng(0))]) == len(weighed) == 8
    for weights in weighed:
        assert len({*weights}) == command.N and np.isclose(weights.sum(), 1)


def test_all_arrays_of_all_parts_are_checked() -> None:
    rng = np.random.default_rng(0)
    for part in (command.steps, command.sequences, command.classifiers):
        for each in part(rng):
            assert leaves(each.point).keys() == leaves(each.gradient).keys()
    checks = [*command.steps(rng), *command.sequences(rng), *command.classifiers(rng)]
    assert len(checks) == 12
    assert len({command.T, command.N, command.D, command.H}) == 4  # no array fits by chance
    assert [each.title for each in checks[:4]] == [
        *("vanilla RNN, one step", "LSTM, one step"),
        *(f"{name}, sequences of 3, 5, 1, 4 steps" for name in ("vanilla RNN", "LSTM")),
    ]
    assert [each.title for each in checks[4:]] == [
        f"classifier, {name}, bags of 2 words, dropout, read-out: {readout}"
        for name in ("vanilla RNN", "LSTM")
        for readout in ("last", "mean", "max", "meanmax")
    ]


def test_an_error_is_relative_to_the_largest_number_of_its_own_array() -> None:
    square = check(8e-3)
    a, b = gradient_errors(square.loss, square.point, square.gradient)
    assert (a.path, b.path, b.position) == ("a", "b", (1,))
    assert np.isclose(b.error, 8e-3 / 8.008, rtol=1e-9)
    assert (b.analytic, b.measured) == (8.008, 8.0)
    assert a.error < 1e-14
    try:
        check_gradient(square.loss, square.point, square.gradient)
    except WrongGradient as error:
        text = str(error)
    assert text == (
        "the gradient fails the complex step check (tolerance 1e-12):\n  b[1]: gradient 8.008,"
        " measured 8, relative error 1.0e-03"
    )
    check_gradient(square.loss, square.point, square.gradient, tolerance=1.001e-3)
    # The largest error that passes: 2 for 1 is off by a half.
    check_gradient(np.sum, np.ones(1), np.full(1, 2.0), tolerance=0.5)
    along = check_gradient(
        square.loss,
        square.point,
        check(0).gradient,
        method="direction",
        rng=np.random.default_rng(),
    )
    assert [each.position for each in along] == [None, None]


def test_an_error_along_a_direction_or_at_a_kink_says_so() -> None:
    error = ArrayError("a.b", "direction", 0.5, None, 1.0, 2.0, 0.0)
    assert str(error) == (
        "a.b along a random direction: gradient 1, measured 2, relative error 5.0e-01"
    )
    kink = error._replace(position=(1, 2), kink=(-1.0, 3.0))
    assert str(kink) == (
        "a.b[1, 2]: gradient 1, measured 2, relative error 5.0e-01, at a kink: -1 is the slope to"
        " the left, 3 to the right"
    )


def test_leaves_have_their_own_paths_and_are_put_back_in_their_places() -> None:
    tree = {"a": [1, (2, 3)], "b c": {"d": 4}}
    named = leaves(tree)
    assert named == {"a[0]": 1, "a[1][0]": 2, "a[1][1]": 3, "['b c'].d": 4}
    assert rebuild(tree, iter([10, 20, 30, 40])) == {"a": [10, (20, 30)], "b c": {"d": 40}}
