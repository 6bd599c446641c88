from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.experiments import reviews, verdict
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.gradient_flow import GradientNorms
from numpy_lstm.plots import cell
from numpy_lstm.settings import Settings
from numpy_lstm.training import predict_logits
from tests.experiments.hand_made import (
    color_of,
    drawn,
    labelled,
    prepared,
    reviews_of,
    state_of,
    tick_labels,
    trials,
)
from tests.on_record import ROOT, contents, prose

CONDITIONS = verdict.conditions(False)


def test_each_condition_is_what_it_is_named_for():
    assert CONDITIONS == {
        "rnn, orthogonal": {"model": "rnn"},
        "rnn, orthogonal x 1.5": {"model": "rnn", "scale": 1.5},
        "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
        "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    }
    assert verdict.conditions(True).items() <= CONDITIONS.items()


def norms_of(*states):
    """Norms in h of two reviews, or in c if there is a second array."""
    h, c = (np.array(state, float) if state else None for state in (*states, None)[:2])
    return GradientNorms(h=h, c=c, x=np.full_like(h, np.nan))


def run(condition, norms, losses=([0.5, 0.4], [0.3, 0.6])):
    """The result of a run whose training is made by hand, and what was trained."""
    data = prepared(
        reviews_of([0, 1], [2], [3]),
        reviews_of([0], [2]),
        # 3, 10 and 11 steps of four words
        reviews_of([1, 0, 1], [2] * 12, [3] * 40, [4] * 41),
    )
    given = {}

    def fit_each_rate(model, splits, vectors, settings, rates, *, scale):
        given.update(model=model, settings=settings, rates=rates, scale=scale)
        states = {
            rate: state_of({}, of, of, norms) for rate, of in zip((0.1, 0.2), losses, strict=True)
        }
        for rate, state in states.items():
            state.history[0] = state.history[0]._replace(train_loss=rate)
        assert splits is data.splits and vectors is data.vectors
        return 0.2, states

    with (
        patch.object(verdict, "synthetic_corpus", lambda rng: rng.random()),
        patch.object(verdict, "prepare", lambda corpus, settings: {FIRST_OF_SEED_3: data}[corpus]),
        patch.object(reviews, "fit_each_rate", fit_each_rate),
        patch.object(reviews, "scores", lambda state, *_: {"best_epoch": state.best_epoch}),
        patch.object(verdict, "predict_logits", lambda *_: np.array([1.0, 1.0, -1.0])),
    ):
        return verdict.run(CONDITIONS[condition], 3, False), given


FIRST_OF_SEED_3 = np.random.default_rng(3).random()
START, FIRST = [[2, 4], [1, 1]], [[1, 1], [3, 5]]


def test_the_training_is_that_of_the_built_in_reviews_from_the_condition_and_the_seed():
    _, given = run("lstm, b_f=0", [norms_of(START)] * 3)
    built_in = Settings.for_dataset("synthetic", seed=3, forget_bias=0.0, probes=64)
    assert given == {
        "model": "lstm",
        "settings": built_in,
        "rates": (1e-3, 2.5e-3, 5e-3, 1e-2),
        "scale": 1.0,
    }
    _, given = run("rnn, orthogonal x 1.5", [norms_of(START)] * 3)
    assert (given["model"], given["scale"]) == ("rnn", 1.5)


def test_the_best_rate_is_tested_and_the_lowest_training_loss_is_of_any_rate():
    result, _ = run("rnn, orthogonal", [norms_of(START), norms_of(FIRST), norms_of(START)])
    assert result["learning_rate"] == 0.2 and result["best_epoch"] == 1
    assert result["val_losses"] == {"0.1": [0.5, 0.4], "0.2": [0.3, 0.6]}
    assert result["lowest_train_loss"] == 0.1
    # Of 3, 10 and 11 steps the first alone is right.
    assert result["right_by_steps"] == [(1, 2), (0, 1), (0, 0), (0, 0), (0, 0), (0, 0)]


def test_what_is_kept_in_the_state_is_the_median_of_the_reviews_ratios():
    result, _ = run("rnn, orthogonal", [norms_of(START), norms_of(FIRST), norms_of(START)])
    assert result["state_by_distance"] == {"start": [1.0, 0.375], "best": [1.0, 4.0]}
    in_c = [norms_of(START, FIRST), norms_of(START, FIRST), norms_of(START, START)]
    result, _ = run("lstm, b_f=1", in_c)
    assert result["state_by_distance"] == {"start": [1.0, 4.0], "best": [1.0, 4.0]}


def results_of(accuracy, kept=1.0):
    return {
        "test_accuracy": accuracy,
        "lowest_train_loss": accuracy / 2,
        "state_by_distance": {"start": [1.0] * 20 + [0.5, 9.0], "best": [1.0] * 20 + [kept, 9.0]},
        "right_by_steps": [[1, 2], [3, 4], [0, 0], [1, 1], [0, 1], [int(accuracy * 100), 100]],
    }


def test_the_summary_has_the_seeds_and_what_is_left_twenty_steps_back():
    listed = trials({"rnn, orthogonal": [results_of(0.5, 0.1), results_of(0.7, 0.3)]})
    own = verdict.summarize(listed)["rnn, orthogonal"]
    assert own["test_accuracy"]["mean"] == pytest.approx(0.6)
    assert own["lowest_train_loss"] == {"n": 2, "median": 0.3, "min": 0.25, "max": 0.35}
    assert own["state_20_back_start"]["median"] == 0.5
    assert own["state_20_back_best"] == {"n": 2, "median": 0.2, "min": 0.1, "max": 0.3}


def test_the_figure_has_a_line_and_the_seeds_of_each_cell():
    names = ["rnn, orthogonal", "lstm, b_f=1"]
    listed = trials({name: [results_of(0.5), results_of(0.9)] for name in names})
    accuracy, start, best = drawn(verdict.draw, listed).axes
    assert list(labelled(accuracy)) == ["vanilla RNN, orthogonal", "LSTM, $b_f = 1$"]
    for name in names:
        own = [line for line in accuracy.lines if color_of(line) == cell(name)["color"].upper()]
        means, seeds = (line.get_ydata() for line in own[:2])
        np.testing.assert_allclose(means, [50, 75, np.nan, 100, 0, 70])
        np.testing.assert_allclose(seeds[[0, 5, 6, 11]], [50, 50, 50, 90])
    assert list(tick_labels(accuracy, "x").values()) == ["≤10", "≤15", "≤20", "≤30", "≤40", ">40"]
    for axes, when, title in ((start, "start", "before training"), (best, "best", "best epoch")):
        assert axes.get_title().endswith(title) and axes.get_yscale() == "log"
        for line in axes.lines:
            np.testing.assert_array_equal(
                line.get_ydata(), results_of(0.5)["state_by_distance"][when]
            )


def test_the_answers_are_the_classifiers():
    assert verdict.predict_logits is predict_logits


def test_the_page_says_what_the_results_say():
    page, results = prose("verdict"), by_condition(contents("verdict")["trials"])
    shortest = {}
    for b in (0, 1):
        counts = np.sum([of["right_by_steps"] for of in results[f"lstm, b_f={b}"]], axis=0)
        shares = 100 * counts[:, 0] / counts[:, 1]
        assert np.ptp(shares[1:]) < 1.5 and shares[0] < shares[1:].min()
        shortest[b] = f"{shares[0]:.1f} % (b_f = {b})"
    assert f"at most ten steps, on {shortest[0]} and {shortest[1]}." in page
    guesses = []
    for start in ("orthogonal", "orthogonal x 1.5"):
        right, all_of = np.sum([of["right_by_steps"][0] for of in results[f"rnn, {start}"]], axis=0)
        assert abs(right / all_of - 0.5) < 2 * 0.5 / all_of**0.5
        guesses.append(f"{100 * right / all_of:.1f} %")
    assert "is near, the vanilla RNNs guess too: {} and {} (x 1.5).".format(*guesses) in page
    # All conditions of a seed have the same test reviews.
    counts = np.sum([of["right_by_steps"] for of in results["lstm, b_f=0"]], axis=0)[:, 1]
    short = counts[: verdict.STEPS.index(20) + 1].sum() / counts.sum()
    teaching = (ROOT / "docs" / "teaching.md").read_text(encoding="utf-8")
    assert "half of the reviews have at most 20 steps" in " ".join(teaching.split())
    assert 0.48 < short < 0.53
    lowest = [
        contents("verdict")["summary"][f"rnn, {start}"]["lowest_train_loss"]
        for start in ("orthogonal", "orthogonal x 1.5")
    ]
    losses = [f"{of['median']:.3f}" for of in lowest]
    assert "falls below that of a coin, to {} and {} in the median, while".format(*losses) in page
    assert "of the LSTMs' gradient at least a third is left 20 steps back" in page
    kept = [contents("verdict")["summary"][f"lstm, b_f={b}"]["state_20_back_best"] for b in (0, 1)]
    assert min(of["min"] for of in kept) > 1 / 3
    epochs: dict[str, list[int]] = {"rnn": [], "lstm": []}
    for name, of_seeds in results.items():
        epochs[name.partition(",")[0]] += [of["best_epoch"] for of in of_seeds]
    assert "is the seventh to the fourteenth of an LSTM; of nine of the ten vanilla RNNs" in page
    assert (min(epochs["lstm"]), max(epochs["lstm"])) == (7, 14)
    assert len(epochs["rnn"]) == 10 and sum(epoch <= 4 for epoch in epochs["rnn"]) == 9
