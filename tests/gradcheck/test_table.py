"""What ``python -m numpy_lstm.gradcheck`` prints: every array there is, and no wrong one unseen."""

import re
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from numpy_lstm import classifier
from numpy_lstm.gradcheck import __main__ as gradcheck_table
from numpy_lstm.gradcheck.__main__ import main
from numpy_lstm.layers import RowGradient

CELL = ["W_x", "W_h", "b"]
CLASSIFIER = ["embedding", *CELL, "W_out", "b_out"]
ARRAYS = {
    "vanilla RNN, one step": ["x_t", "h_prev", *CELL],
    "LSTM, one step": ["x_t", "h_prev", "c_prev", *CELL],
    "vanilla RNN, sequences of 3, 5, 1, 4 steps": ["xs", *CELL, "h0"],
    "LSTM, sequences of 3, 5, 1, 4 steps": ["xs", *CELL, "h0", "c0"],
    **{
        f"classifier, {cell}, bags of 2 words, dropout, read-out: {readout}": CLASSIFIER
        for cell in ("vanilla RNN", "LSTM")
        for readout in ("last", "mean", "max", "meanmax")
    },
}


def arrays_of(table: str) -> dict[str, list[str]]:
    """The names of the arrays under each title, of rows that give two errors."""
    rows: dict[str, list[str]] = {}
    for block in table.split("\n\n")[1:-1]:
        title, *lines = block.splitlines()
        matches = [re.match(r"  (\w+) +\(.*\)( +\d\.\de[+-]\d\d){2}", line) for line in lines]
        rows[title] = [match[1] for match in matches if match]
    return rows


@pytest.fixture(scope="module")
def table() -> str:
    """What the command prints."""
    command = [sys.executable, "-W", "error", "-m", "numpy_lstm.gradcheck"]
    done = subprocess.run(command, capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


def test_every_array_is_in_the_table_and_right(table: str) -> None:
    assert arrays_of(table) == ARRAYS
    assert "WRONG" not in table
    assert table.endswith("Every gradient is right.\n")


def test_classifiers_are_checked_on_bags_that_are_not_full(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def forward(one: Any, tokens: Any, lengths: Any, masks: Any) -> Any:
        read.append(lengths.tolist())
        return classifier.classifier_forward(one, tokens, lengths, masks)

    monkeypatch.setattr(gradcheck_table, "classifier_forward", forward)
    for _ in gradcheck_table.classifiers(np.random.default_rng(0)):
        pass
    assert len(read) == 8  # two cells with four read-outs
    assert all(len({length % 2 for length in lengths}) == 2 for lengths in read)


def test_another_seed_is_another_batch(
    table: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(gradcheck_table, "classifiers", lambda rng: ())
    outputs = []
    for seed in "01":
        assert main(["--seed", seed]) == 0
        outputs.append(capsys.readouterr().out)
    first, other = (output.split("\n\n")[1:-1] for output in outputs)
    assert table.split("\n\n")[1 : len(first) + 1] == first
    assert all(block != of_other for block, of_other in zip(first, other, strict=True))
    assert arrays_of(outputs[0]) == arrays_of(outputs[1])


def with_wrong(result: Callable[..., Any], change: Callable[[Any], Any]) -> Callable[..., Any]:
    return lambda *arguments: change(result(*arguments))


def wrong_rows(output: str) -> list[str]:
    return [line.split()[0] for line in output.splitlines() if line.endswith("WRONG")]


def test_a_gradient_off_by_a_thousandth_is_marked_and_named(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_wrong(
        gradcheck_table.lstm_step_backward, lambda g: (g[0], g[1], 1.001 * g[2], g[3])
    )
    monkeypatch.setattr(gradcheck_table, "lstm_step_backward", wrong)
    monkeypatch.setattr(gradcheck_table, "classifiers", lambda rng: ())
    assert main([]) == 1
    output = capsys.readouterr().out
    assert wrong_rows(output) == ["c_prev"]
    for method in ("complex step", "central"):
        assert re.search(
            rf"\nLSTM, one step, {method}, c_prev\[\d, \d\]: gradient \S+, measured \S+, "
            r"relative error 1\.0e-03\n",
            output,
        )
    assert "Every gradient is right." not in output


def test_a_gradient_that_is_not_finite_is_wrong(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_wrong(gradcheck_table.rnn_step_backward, lambda g: (np.nan * g[0], g[1], g[2]))
    monkeypatch.setattr(gradcheck_table, "rnn_step_backward", wrong)
    monkeypatch.setattr(gradcheck_table, "classifiers", lambda rng: ())
    assert main([]) == 1
    output = capsys.readouterr().out
    assert "vanilla RNN, one step\n  cannot be judged   WRONG\n" in output
    assert "vanilla RNN, one step: x_t of `gradient` must be finite; it holds NaN" in output


@pytest.mark.slow
def test_a_wrong_layer_shows_with_every_cell_and_readout(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    wrong = with_wrong(classifier.bag_backward, lambda g: RowGradient(g.rows, -g.values))
    monkeypatch.setattr(classifier, "bag_backward", wrong)
    assert main([]) == 1
    assert wrong_rows(capsys.readouterr().out) == ["embedding"] * 8


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--seed", "-1"], "argument --seed: must be at least 0; got -1"),
        (["--seed", "x"], "argument --seed: invalid int value: 'x'"),
        (["--cell", "rnn"], "unrecognized arguments: --cell rnn"),
    ],
)
def test_a_bad_option_is_named(
    argv: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as error:
        main(argv)
    assert error.value.code == 2
    assert capsys.readouterr().err.endswith(f"error: {message}\n")
