"""The table, the ranges and the figures of a run show the right number under the right name."""

import io
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
from matplotlib.collections import PolyCollection
from matplotlib.figure import Figure

from numpy_lstm import plots
from numpy_lstm.train import committed, figures
from numpy_lstm.train.table import NOTE, table
from numpy_lstm.types import MODEL_NAMES
from tests.experiments.hand_made import color_of, figures_kept, labelled, points
from tests.train.hand_made import norms_of, state_of

LOSSES = {"rnn": (0.7, 0.5, 0.6), "lstm": (0.4, 0.9, 0.8)}  # best epochs 2 and 1
SIZES = {"train": 4, "validation": 2, "test": 3}
SETTINGS = {"seed": 3, "epochs": 5, "hidden_size": 8}


def scores(accuracy: float, loss: float, back: float | None, seconds: float) -> dict[str, Any]:
    return {
        "test_accuracy": accuracy,
        "test_loss": loss,
        "val_accuracy": 0.999,
        "parameters": 1234567,
        "cell_parameters": 99,
        "seconds": seconds,
        "gradient_20_steps_back": back,
        "gradient_20_steps_back_at_start": 0.5,
    }


METRICS = {
    "dataset": "imdb",
    "seed": 3,
    "config": {"settings": SETTINGS},
    "sizes": SIZES,
    "models": {"rnn": scores(0.8125, 0.4321, 0.000123, 12.34), "lstm": scores(0.875, 0.3, 0.5, 5)},
    "baselines": {
        "bag": {"test_accuracy": 0.75, "test_loss": 0.5, "val_accuracy": 0.9, "parameters": 129}
    },
}


@contextmanager
def ranges(*kinds: Any) -> Iterator[None]:
    """Inside, these are the committed ones."""

    class Path:
        @staticmethod
        def read_text(encoding: str) -> str:
            return json.dumps(kinds)

    with patch.object(committed, "PATH", Path):
        yield


def kind(**changes: Any) -> dict[str, Any]:
    return {
        "run": {"dataset": "imdb", "settings": {"epochs": 5, "hidden_size": 8}},
        "sizes": SIZES,
        "seeds": 5,
        "test_accuracy": {"rnn": [0.7, 0.84], "lstm": [0.851, 0.9]},
        **changes,
    }


def test_the_table_has_each_score_in_its_row_and_column() -> None:
    with ranges():
        lines = table(METRICS).split("\n")
    assert [line.split() for line in lines[1:4]] == [
        "vanilla RNN 81.25 % 0.4321 ×0.00012 1,234,567 12.3".split(),
        "LSTM 87.50 % 0.3000 ×0.5 1,234,567 5.0".split(),
        "order-free bag 75.00 % 0.5000 129".split(),
    ]
    titles = ["test accuracy", "test loss", "gradient 20 back", "parameters", "seconds"]
    ends = [lines[0].index(title) + len(title) for title in titles]
    assert [lines[1][:end].split()[-1] for end in ends] == [
        *("%", "0.4321", "×0.00012", "1,234,567", "12.3")
    ]
    assert lines[3][ends[2] : ends[3]].strip() == "129"
    assert "\n".join(lines[4:]) == NOTE


def test_the_note_on_the_gradient_stands_only_below_numbers_that_it_explains() -> None:
    short = {"rnn": scores(0.5, 0.5, None, 1.0), "lstm": scores(0.5, 0.5, None, 1.0)}
    with ranges():
        assert NOTE not in table({**METRICS, "models": short})
        assert NOTE in table({**METRICS, "models": {**short, "rnn": scores(0.5, 0.5, 0.1, 1.0)}})
    assert all(word in NOTE for word in ("h of the RNN, c of the LSTM", "20 steps", "best epoch"))


def test_the_range_is_that_of_runs_that_differ_in_the_seed_alone() -> None:
    line = "The repository's 5 seeds: vanilla RNN 70.0 to 84.0 %, LSTM 85.1 to 90.0 %"
    other = kind(seeds=1, run={"dataset": "synthetic", "settings": {}})
    with ranges(other, kind()):
        assert committed.committed_range(METRICS) == line
        assert table(METRICS).endswith(f"{NOTE}\n{line}")
    for different in (
        kind(run={"dataset": "synthetic", "settings": {"epochs": 5, "hidden_size": 8}}),
        kind(run={"dataset": "imdb", "settings": {"epochs": 6, "hidden_size": 8}}),
        kind(sizes={**SIZES, "train": 5}),
    ):
        with ranges(different):
            assert committed.committed_range(METRICS) is None
    assert METRICS["config"] == {"settings": {**SETTINGS, "seed": 3}}  # not changed


def metrics_of(rnn: float, lstm: float, seed: int, dataset: str) -> dict[str, Any]:
    settings = {"seed": seed, "epochs": 4}
    models = {"rnn": {"test_accuracy": rnn}, "lstm": {"test_accuracy": lstm}}
    return {
        "dataset": dataset,
        "config": {"settings": settings},
        "sizes": SIZES,
        "models": models,
    }


def test_the_committed_ranges_are_the_smallest_and_the_largest_of_all_seeds(tmp_path: Path) -> None:
    trials = [
        {"condition": condition, "result": {"test_accuracy": accuracy, "val_accuracy": 0.99}}
        for condition, accuracy in (
            *(("rnn", 0.5), ("lstm", 0.8), ("rnn", 0.4), ("lstm", 0.7)),
            *(("bag", 0.1), ("wide rnn", 0.95)),
        )
    ]
    built_in = [metrics_of(0.6, 0.9, 0, "synthetic"), metrics_of(0.5, 0.95, 1, "synthetic")]
    built_in.append(metrics_of(0.55, 0.93, 2, "synthetic"))
    (tmp_path / "imdb").mkdir()
    assert len(committed.SEEDS) == 5
    for name, contents in (
        ("imdb/metrics.json", metrics_of(0.45, 0.85, 0, "imdb")),
        ("built_in.json", built_in),
        ("comparison.json", {"trials": trials}),
    ):
        (tmp_path / name).write_text(json.dumps(contents))
    assert committed.contents(tmp_path) == [
        {
            "run": {"dataset": "imdb", "settings": {"epochs": 4}},
            "sizes": SIZES,
            "seeds": 2,
            "test_accuracy": {"rnn": [0.4, 0.5], "lstm": [0.7, 0.85]},
        },
        {
            "run": {"dataset": "synthetic", "settings": {"epochs": 4}},
            "sizes": SIZES,
            "seeds": 3,
            "test_accuracy": {"rnn": [0.5, 0.6], "lstm": [0.9, 0.95]},
        },
    ]


def test_the_built_in_runs_have_a_seed_each_and_are_made_once(tmp_path: Path) -> None:
    results = tmp_path / "results"
    (results / "imdb").mkdir(parents=True)
    trials = [
        {"condition": model, "result": {"test_accuracy": accuracy}}
        for model, accuracy in (("rnn", 0.5), ("lstm", 0.8))
    ]
    main_job = metrics_of(0.45, 0.85, 0, "imdb")
    (results / "imdb" / "metrics.json").write_text(json.dumps(main_job))
    (results / "comparison.json").write_text(json.dumps({"trials": trials}))
    seeds = []

    def run(command: list[str], check: bool) -> None:
        assert check and command[:3] == [sys.executable, "-m", "numpy_lstm.train"]
        options = dict(zip(command[3::2], command[4::2], strict=True))
        assert options["--dataset"] == "synthetic" and len(options) == 3
        seed = int(options["--seed"])
        seeds.append(seed)
        made = metrics_of(0.5 + seed / 100, 0.75 - seed / 100, seed, "synthetic")
        (Path(options["--out"]) / "metrics.json").write_text(json.dumps(made))

    with (
        patch.object(committed.subprocess, "run", run),
        patch.object(committed, "PATH", tmp_path / "committed.json"),
        patch.object(committed, "RESULTS", results),
    ):
        committed.main()
        committed.main()
    assert seeds == [0, 1, 2, 3, 4]
    written = json.loads((tmp_path / "committed.json").read_text())
    assert written == committed.contents(results)
    assert written[1]["seeds"] == 5
    assert written[1]["test_accuracy"] == {"rnn": [0.5, 0.54], "lstm": [0.71, 0.75]}


# --- figures -------------------------------------------------------------------------------------


def drawn(draw: Any, *arguments: Any) -> Figure:
    with figures_kept() as kept, patch.object(figures, "figure", plots.figure):
        draw(Path("x.png"), *arguments)
    (drawing,) = kept
    return drawing


def test_the_curves_are_the_validation_scores_of_each_model_in_percent() -> None:
    histories = {model: state_of(model, losses).history for model, losses in LOSSES.items()}
    drawing = drawn(figures.comparison, histories, "synthetic")
    loss, accuracy = drawing.axes
    assert loss.get_ylabel() == "validation loss (nats per review)"
    assert accuracy.get_ylabel() == "validation accuracy (%)"
    assert [axes.get_xlabel() for axes in drawing.axes] == ["epoch", "epoch"]
    assert drawing.get_suptitle() == ("Validation loss and accuracy: built-in reviews (synthetic)")
    assert all(tick == int(tick) for axes in drawing.axes for tick in axes.get_xticks())
    for axes, values in (
        (loss, LOSSES),
        (accuracy, dict.fromkeys(LOSSES, (51.0, 52.0, 53.0))),
    ):
        lines = labelled(axes)
        assert [*lines] == ["vanilla RNN", "LSTM"]
        for model in LOSSES:
            line = lines[MODEL_NAMES[model]]
            assert points(line) == [(k, v) for k, v in enumerate(values[model], 1)]
            assert color_of(line) == plots.COLORS[model]
            assert line.get_marker() == plots.MARKERS[model]
            assert (line.get_linestyle() == "-") == (model == "lstm")
    legend = accuracy.get_legend()
    assert legend
    assert [text.get_text() for text in legend.get_texts()] == ["vanilla RNN", "LSTM"]


def test_the_data_set_of_a_figure_is_called_by_its_name() -> None:
    assert figures.DATA_SETS == {
        "imdb": "IMDB",
        "reviews": "reviews other than IMDB's",
        "synthetic": "built-in reviews (synthetic)",
    }


def middle(norms: Any) -> list[tuple[float, float]]:
    """The median of two reviews at each distance, as points."""
    return [(k, round(float(value), 9)) for k, value in enumerate(norms.mean(axis=1))]


def test_gradients_are_drawn_before_training_and_at_each_models_best_epoch() -> None:
    runs = {model: state_of(model, losses) for model, losses in LOSSES.items()}
    drawing = drawn(figures.gradient_norms, runs, "imdb", 4)
    assert drawing.get_suptitle() == "How far the gradient reaches: IMDB"
    titles = [axes.get_title() for axes in drawing.axes]
    assert titles == [
        *("input, before training", "states, before training"),
        *("input, best epoch", "states, best epoch"),
    ]
    best = {"rnn": 2, "lstm": 1}
    factors = {"rnn": ("0.600", "0.620"), "lstm": ("0.600", "0.610")}
    for row in (0, 1):
        inputs, states = drawing.axes[2 * row : 2 * row + 2]
        assert inputs.get_ylabel() == "‖∂L/∂x‖ (nats per unit)"
        assert states.get_ylabel() == "‖∂L/∂h‖, ‖∂L/∂c‖ (nats per unit)"
        expected = {}
        for model in runs:
            h, c, x = norms_of(model, best[model] if row else 0)
            name = MODEL_NAMES[model]
            label = f"{name}: ×{factors[model][row]} a step"
            assert label in labelled(inputs)
            line = labelled(inputs)[label]
            assert points(line) == middle(x)
            assert color_of(line) == plots.COLORS[model]
            expected[f"{name}: h"] = (middle(h), plots.COLORS[model])
            if c is not None:
                expected[f"{name}: c (cell state)"] = (middle(c), plots.COLORS[model])
        shown = {label: (points(x), color_of(x)) for label, x in labelled(states).items()}
        assert shown == expected
        assert len(labelled(inputs)) == 2
    below = [axes.get_xlabel() for axes in drawing.axes[2:]]
    assert below == ["steps before the last one (1 step = 4 words)"] * 2
    assert all(axes.get_yscale() == "log" and axes.get_legend() for axes in drawing.axes)
    limits = {axes.get_ylim() for axes in drawing.axes}
    assert len(limits) == 1  # so that heights can be compared
    low, high = limits.pop()
    assert low < 0.5**24 and high > 3


def test_gradients_are_those_of_the_runs_own_reviews_and_bags() -> None:
    runs = {"rnn": state_of("rnn", LOSSES["rnn"])}
    for dataset, bag_size, words in (("reviews", 1, "1 word"), ("synthetic", 16, "16 words")):
        drawing = drawn(figures.gradient_norms, runs, dataset, bag_size)
        title = f"How far the gradient reaches: {figures.DATA_SETS[dataset]}"
        assert drawing.get_suptitle() == title
        wanted = f"steps before the last one (1 step = {words})"
        assert [axes.get_xlabel() for axes in drawing.axes[2:]] == [wanted] * 2


def test_the_two_states_of_the_lstm_are_told_apart_by_their_dashes() -> None:
    runs = {"lstm": state_of("lstm", LOSSES["lstm"])}
    for axes in drawn(figures.gradient_norms, runs, "imdb", 4).axes[1::2]:
        lines = labelled(axes)
        assert [lines[f"LSTM: {x}"].get_linestyle() for x in ("h", "c (cell state)")] == ["-", ":"]


def test_a_band_is_the_median_and_the_quartiles_of_the_positive_norms() -> None:
    axes = Figure().subplots()
    norms = np.array([[1.0, 2.0, 3.0, 4.0, 10.0], [0.0, 2.0, np.nan, 4.0, 0.0], [0.0] * 5])
    figures._band(axes, norms, "lstm", "name")
    assert points(labelled(axes)["name"]) == [(0, 3.0), (1, 3.0)]
    (band,) = axes.collections
    assert isinstance(band, PolyCollection)
    corners = {tuple(map(float, corner)) for corner in band.get_paths()[0].vertices}
    assert corners == {(0, 2.0), (0, 4.0), (1, 2.5), (1, 3.5)}
    empty = Figure().subplots()
    figures._band(empty, np.zeros((2, 3)), "rnn", "nothing")
    assert points(labelled(empty)["nothing"]) == []


def test_a_step_of_one_word_is_no_step_of_words() -> None:
    assert [figures._words(n) for n in (1, 4)] == ["1 word", "4 words"]


def test_both_figures_are_drawn_under_their_names_and_one_that_fails_is_told() -> None:
    runs = {model: state_of(model, losses) for model, losses in LOSSES.items()}
    calls = []

    def fails(*given: Any) -> None:
        calls.append(given)
        raise RuntimeError("no font")

    told = io.StringIO()
    with (
        patch.object(figures, "comparison", fails),
        patch.object(figures, "gradient_norms", lambda *given: calls.append(given)),
        redirect_stderr(told),
    ):
        figures.draw(Path("out"), runs, "imdb", 4)
    histories = {model: state.history for model, state in runs.items()}
    assert calls == [
        (Path("out/lstm_rnn_performance_comparison.png"), histories, "imdb"),
        (Path("out/gradient_norms.png"), runs, "imdb", 4),
    ]
    assert told.getvalue().startswith(
        "warning: lstm_rnn_performance_comparison.png could not be drawn (RuntimeError: no font)."
    )
    assert told.getvalue().count("warning") == 1
