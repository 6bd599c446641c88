from unittest.mock import patch

import numpy as np
import pytest
from scipy.stats import spearmanr

from numpy_lstm import gradient_flow as flow
from numpy_lstm.classifier import Classifier
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import gradient_flow as experiment
from numpy_lstm.experiments import reviews
from numpy_lstm.experiments.statistics import spread
from numpy_lstm.experiments.truncated import carousel_only
from numpy_lstm.settings import Settings
from numpy_lstm.training import Evaluation, classifier_of, initial_state, probe_batch
from numpy_lstm.types import Batch
from tests.experiments.hand_made import (
    only,
    prepared,
    reviews_of,
    state_of,
    trials,
)
from tests.on_record import contents, prose

CONDITIONS = experiment.conditions(False)
PREPARED = prepared(
    reviews_of([0], [2, 3]),
    reviews_of([0, 1, 1], [*range(2, 12)] * 4, [*range(11, 1, -1)] * 5, [2]),
    reviews_of([0], [2]),
)
OWN = Settings(seed=0, hidden_size=4, vector_size=3)
H = OWN.hidden_size


def untrained(condition, seed=0):
    own = Settings(
        hidden_size=4, vector_size=3, forget_bias=CONDITIONS[condition].get("forget_bias", 1.0)
    )
    return experiment.untrained(CONDITIONS[condition], PREPARED.vectors, seed, own)


@pytest.mark.parametrize("bias", [0, 1, 3])
def test_the_forget_bias_is_the_conditions(bias):
    parameters = untrained(f"lstm, b_f={bias}")
    assert parameters["b"].tolist() == [*[0] * H, *[bias] * H, *[0] * 2 * H]
    same = initial_state("lstm", PREPARED.vectors, OWN).parameters
    for name in ("W_x", "W_h", "embedding", "W_out"):
        np.testing.assert_array_equal(parameters[name], same[name])


@pytest.mark.parametrize(("name", "scale"), [("", 1), (" x 0.5", 0.5), (" x 1.5", 1.5)])
def test_orthogonal_weights_are_scaled_as_the_condition_says(name, scale):
    W_h = untrained(f"rnn, orthogonal{name}")["W_h"]
    np.testing.assert_allclose(W_h @ W_h.T, scale**2 * np.eye(H), atol=1e-6)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_uniform_weights_are_those_of_the_experiments(model):
    parameters = untrained(f"{model}, uniform")
    for name, array in reviews.uniform_cell(model, 3, OWN).items():
        np.testing.assert_array_equal(parameters[name], array)


@pytest.mark.parametrize(("condition", "gate"), [("lstm, f = 1/2", 0.5), ("lstm, f = 1", 1.0)])
def test_the_instruments_forget_gate_is_held_and_nothing_recurs(condition, gate):
    parameters = untrained(condition)
    assert not parameters["W_h"].any()
    assert not parameters["W_x"][H : 2 * H].any()
    np.testing.assert_array_equal(1 / (1 + np.exp(-parameters["b"][H : 2 * H])), gate)
    same = initial_state("lstm", PREPARED.vectors, OWN).parameters
    for rows in (slice(H), slice(2 * H, None)):
        np.testing.assert_array_equal(parameters["W_x"][rows], same["W_x"][rows])
        np.testing.assert_array_equal(parameters["b"][rows], same["b"][rows])


def test_initial_weights_come_from_the_seed():
    assert not np.isclose(
        untrained("lstm, b_f=1")["W_x"], untrained("lstm, b_f=1", seed=1)["W_x"]
    ).any()


SIZES = {"hidden_size": 4, "vector_size": 3, "bag_size": 2, "max_length": 24, "probes": 2}


def run(condition, fit=None):
    with (
        patch.object(reviews, "data", only(PREPARED, 5, False)),
        patch.object(reviews, "fit", fit),
        patch.object(reviews, "evaluate", lambda *_: Evaluation(0.5, 0.75)),
    ):
        return experiment.run({**CONDITIONS[condition], **SIZES}, 5, False)


@pytest.mark.parametrize(("condition", "factor"), [("lstm, f = 1/2", 0.5), ("lstm, f = 1", 1.0)])
def test_the_instruments_show_what_they_are_built_to_show(condition, factor):
    result = run(condition)
    assert result["decay_per_step"]["c"] == factor
    assert "h" not in result["decay_per_step"]
    assert result["kept"]["h"] == {k: [0.0] * 3 for k in ("1", "5", "10", "first step")}
    assert result["spectral_radius"] == result["largest_singular_value"] == 0
    # The two longest reviews, of 24 words and two to a step; four digits are kept.
    powers = factor ** np.arange(12.0)
    np.testing.assert_allclose(result["forget_product"], powers, rtol=1e-3)
    np.testing.assert_allclose(result["state_by_distance"], powers, rtol=1e-3)
    assert result["error_of_the_instrument"] < 1e-15


def test_the_error_of_an_instrument_is_its_largest_of_all_steps_and_reviews():
    # Steps by 1/2 and 0.45, which is 10 % too small; and one 2 % too large.
    c = np.array([[8.0, 1.0], [4.0, 0.51], [1.8, 0.255]])
    norms = flow.GradientNorms(h=c, c=c, x=c)
    with patch.object(flow, "record", lambda *_: norms):
        assert run("lstm, f = 1/2")["error_of_the_instrument"] == pytest.approx(0.1)
        assert run("lstm, f = 1")["error_of_the_instrument"] == pytest.approx(0.55)
        assert "error_of_the_instrument" not in run("lstm, b_f=1")


def random_norms(seed, model):
    h, c, x = np.random.default_rng(seed).uniform(0.1, 1, (3, 12, 2))
    return flow.GradientNorms(h, c if model == "lstm" else None, x)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_trained_cell_is_measured_at_its_best_epoch_on_validation_reviews(model):
    best = initial_state(model, PREPARED.vectors, OWN).parameters
    norms = [random_norms(k, model) for k in range(4)]
    given = []

    def fit(*arguments):
        given.append(arguments)
        return state_of(best, [0.5, 0.25, 0.75], [0.5, 0.625, 0.875], norms)

    condition = f"{model}, trained"
    result = run(condition, fit)
    settings = Settings(seed=5, **SIZES)
    assert given[0][0] == model and given[0][2] is PREPARED.vectors and given[0][3] == settings
    cut = given[0][1]
    assert cut.validation.lengths.tolist() == [24, 24, 1]
    assert (result["test_accuracy"], result["best_epoch"]) == (0.75, 2)
    assert result["val_losses"] == [0.5, 0.25, 0.75]
    assert result["val_accuracies"] == [0.5, 0.625, 0.875]
    # Before training and after each epoch.
    assert result["by_epoch"] == [experiment.measured(of_epoch) for of_epoch in norms]
    assert {name: result[name] for name in ("decay_per_step", "kept")} == result["by_epoch"][2]
    ratios = norms[2].x / norms[2].x[0]
    for edge, share in (("low", 0.25), ("median", 0.5)):
        expected = np.quantile(ratios, share, axis=1)
        np.testing.assert_allclose(result["x_by_distance"][edge], expected, rtol=1e-3)
    classifier, probes = classifier_of(best, settings), probe_batch(cut.validation, 2)
    assert result["x_over_x_with_words_before"] == experiment.over_same_steps(
        classifier, probes, norms[2].x
    )
    inner = flow.diagnose(classifier, probes)
    for name in ("spectral_radius", "largest_singular_value", "saturated"):
        assert result[name] == getattr(inner, name)
    assert list(result["jacobians"]) == ["1", "2", "5", "10"]  # there are 12 steps
    for lag, values in result["jacobians"].items():
        exact = flow.jacobian_singular_values(classifier, probes, int(lag))
        # Of the vanilla RNN there are only four, of the LSTM eight.
        np.testing.assert_allclose(values, exact[[0, -1]], rtol=1e-3)
    if model == "lstm":
        np.testing.assert_allclose(result["forget_product"], inner.forget_product, rtol=1e-3)
    else:
        assert result["forget_product"] == []


def test_the_largest_and_the_tenth_singular_value_are_kept():
    assert experiment.largest_and_tenth(np.arange(12.0, 0, -1)) == [12, 3]
    assert experiment.largest_and_tenth(np.array([2.0, 1.0])) == [2, 1]


def test_norms_are_over_those_of_the_same_review_at_its_last_step():
    norms = np.array([[4.0, 0.5, 0.0], [2.0, 1.0, 0.0]])
    np.testing.assert_array_equal(experiment.kept(norms), [[1, 1, np.nan], [0.5, 2, np.nan]])


def test_a_reviews_error_does_not_count():
    """Norms of a review that is a thousand times as wrong are a thousand times as large."""
    norms = random_norms(0, "rnn")
    wrong = norms._replace(h=norms.h * [1e3, 1e-3], x=norms.x * [1e3, 1e-3])
    assert experiment.measured(wrong)["kept"] == experiment.measured(norms)["kept"]


def test_quartiles_are_over_the_reviews_at_the_distances_and_at_the_first_step():
    by_distance = np.arange(60.0)[:, np.newaxis] * np.array([1.0, 2, 3, 4, np.nan])
    assert experiment.at_distances(by_distance) == {
        "1": [1.75, 2.5, 3.25],
        "5": [8.75, 12.5, 16.25],
        "10": [17.5, 25, 32.5],
        "20": [35, 50, 65],
        "50": [87.5, 125, 162.5],
        "first step": [103.2, 147.5, 191.8],  # four digits
    }


def test_a_decay_is_kept_for_every_norm_that_has_one():
    fall = 0.5 ** np.arange(6.0)[:, np.newaxis] * np.ones(3)
    last_alone = np.zeros((6, 3))
    last_alone[0] = 1
    norms = flow.GradientNorms(h=last_alone, c=fall, x=fall**2)
    assert experiment.measured(norms)["decay_per_step"] == {"c": 0.5, "x": 0.25}


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_the_same_steps_are_compared_with_and_without_words_before(model):
    rng = np.random.default_rng(3)
    parameters = initial_state(model, PREPARED.vectors, OWN).parameters
    parameters["W_h"] *= 2  # so that the earlier words matter
    classifier = Classifier(parameters, 2, "last")
    tokens = rng.integers(2, 12, (23, 3))  # 12 steps, the last one of a single word
    whole = Batch(tokens, np.full(3, 23), np.array([0, 1, 1]), np.ones(3))
    later = Batch(tokens[12:], np.full(3, 11), whole.labels, whole.weights)
    before, alone = (flow.record(classifier, batch).x for batch in (whole, later))
    ratios = (alone / alone[0]) / (before[:6] / before[0])
    result = experiment.over_same_steps(classifier, whole, before)
    for edge, share in (("low", 0.25), ("median", 0.5), ("high", 0.75)):
        # The sequence's first step comes first.
        expected = np.quantile(ratios[::-1], share, axis=1)
        np.testing.assert_allclose(result[edge], expected, rtol=1e-3)
    assert result["median"][5] == 1 and abs(result["median"][0] - 1) > 0.01


@pytest.mark.parametrize("condition", ["rnn, orthogonal x 0.5", "lstm, b_f=3"])
def test_an_untrained_cell_is_that_of_the_conditions_weights_and_seed(condition):
    own = reviews.settings_of({**CONDITIONS[condition], **SIZES}, 5, False)
    parameters = experiment.untrained(CONDITIONS[condition], PREPARED.vectors, 5, own)
    cut = reviews.cut(PREPARED.splits, lambda part: keep_last(part, 24))
    norms = flow.record(classifier_of(parameters, own), probe_batch(cut.validation, 2))
    result = run(condition)
    state = norms.h if norms.c is None else norms.c
    expected = np.median(state / state[0], axis=1)
    np.testing.assert_allclose(result["state_by_distance"], expected, rtol=1e-3)
    assert result["kept"] == experiment.measured(norms)["kept"]
    assert "by_epoch" not in result and "test_accuracy" not in result


def test_without_the_detour_the_gradient_falls_as_the_gates_do():
    own = reviews.settings_of({**CONDITIONS["lstm, b_f=1"], **SIZES}, 5, False)
    parameters = experiment.untrained(CONDITIONS["lstm, b_f=1"], PREPARED.vectors, 5, own)
    cut = reviews.cut(PREPARED.splits, lambda part: keep_last(part, 24))
    probes = probe_batch(cut.validation, 2)
    alone = flow.record(classifier_of(parameters, own), probes, carousel_only)
    result = run("lstm, b_f=1")
    assert result["c_without_detour"] == pytest.approx(flow.decay_per_step(alone.c), rel=1e-3)
    assert run("lstm, f = 1/2")["c_without_detour"] == 0.5
    assert "c_without_detour" not in run("rnn, uniform")
    results = [a_result(c_without_detour=factor) for factor in (0.8, 0.5, 0.6)]
    summary = experiment.summarize(trials({"lstm, b_f=1": results}))
    assert centers(summary["lstm, b_f=1"])["c_without_detour"] == (0.6, 0.5, 0.8)


def test_numbers_are_kept_to_four_digits():
    assert experiment.rounded(np.array([1 / 3, 2e-20 / 3, 0.0])) == [0.3333, 6.667e-21, 0.0]
    assert experiment.rounded(None) == []


def a_result(x=0.5, low=0.1, median=0.2, **given):
    return {
        "decay_per_step": {"x": x},
        "kept": {"x": {"50": [low, median, 0.3], "first step": [0.4, 0.5, 0.6]}},
        "spectral_radius": 0.5,
        "largest_singular_value": 2.0,
        "saturated": 0.25,
        "state_by_distance": [1.0, 0.5, 0.25],
        "forget_product": [1.0, 0.5, 0.25],
        **given,
    }


def a_trained_result(x=0.5, line=(1.0, 0.5), **given):
    return a_result(
        **{
            "x": x,
            "by_epoch": [{"decay_per_step": {"x": v}} for v in (0.1, x, x - 0.25)],
            "best_epoch": 1,
            "test_accuracy": 0.75,
            "x_by_distance": {"low": [v / 2 for v in line], "median": list(line)},
            "x_over_x_with_words_before": {"low": [0.5], "median": [4.0, 1.0], "high": [9.0]},
            "jacobians": {"1": [2.0, 0.5], "2": [4.0, 0.25]},
            **given,
        }
    )


def centers(of):
    return {name: (value["median"], value["min"], value["max"]) for name, value in of.items()}


def test_the_summary_has_the_median_and_the_range_of_the_seeds():
    rnns = [
        a_result(x=0.5, saturated=0.5, spectral_radius=1.5, low=0.01, median=0.5),
        a_result(x=0.7, largest_singular_value=4.0),
        a_result(x=0.8),
    ]
    summary = experiment.summarize(trials({"rnn, uniform": rnns}))
    assert centers(summary["rnn, uniform"]) == {
        "x": (0.7, 0.5, 0.8),
        "x_50_back,_lower_quartile": (0.1, 0.01, 0.1),
        "x_50_back,_median": (0.2, 0.2, 0.5),
        "spectral_radius": (0.5, 0.5, 1.5),
        "largest_singular_value": (2.0, 2.0, 4.0),
        "saturated": (0.25, 0.25, 0.5),
    }


def test_of_trained_cells_the_summary_has_the_epochs_and_the_accuracy():
    epochs = [{"decay_per_step": {"x": v}} for v in (0.1, 0.9, 0.6, 0.8)]
    results = [a_trained_result(by_epoch=epochs, test_accuracy=0.5), a_trained_result()]
    own = centers(experiment.summarize(trials({"rnn, trained": results}))["rnn, trained"])
    assert own["test_accuracy"] == (0.625, 0.5, 0.75)
    # Not of the cell before training.
    assert own["range_of_x_over_the_epochs"] == pytest.approx((0.275, 0.25, 0.3))


def test_seeds_are_counted_in_which_the_rnn_keeps_more_than_the_lstm():
    rnns = [a_trained_result(low=low, median=m) for low, m in ((0.1, 0.5), (0.3, 0.6), (0.1, 0.1))]
    lstms = [a_trained_result(low=0.2, median=m) for m in (0.4, 0.5, 0.3)]
    results = {"rnn, trained": rnns, "lstm, trained": lstms}
    own = experiment.summarize(trials(results))["rnn, trained"]
    assert own["seeds_above_the_lstm,_median"] == 2
    assert own["seeds_above_the_lstm,_lower_quartile"] == 1
    results["lstm, trained"] = lstms[:2]
    assert (
        "seeds_above_the_lstm,_median" not in experiment.summarize(trials(results))["rnn, trained"]
    )


def test_of_short_reviews_the_first_step_stands_for_far_back():
    short = a_result(kept={"x": {"1": [0.7, 0.8, 0.9], "first step": [0.4, 0.5, 0.6]}})
    assert experiment.far(short, "lower_quartile") == 0.4
    assert experiment.far(a_result(), "median") == 0.2


def test_the_error_of_an_instrument_is_its_largest_of_all_seeds():
    results = [a_result(error_of_the_instrument=error) for error in (0.1, 0.3, 0.2)]
    summary = experiment.summarize(trials({"lstm, f = 1/2": results}))
    assert summary["lstm, f = 1/2"]["largest_error_of_the_instrument"] == 0.3


def test_the_page_says_what_the_results_say():
    recorded, page = contents("gradient_flow"), prose("gradient_flow")
    summary = recorded["summary"]["rnn, trained"]
    rnn, lstm = (
        [t["result"] for t in recorded["trials"] if t["condition"] == f"{model}, trained"]
        for model in ("rnn", "lstm")
    )
    assert len(rnn) == len(lstm) == 20
    above = [summary[f"seeds_above_the_lstm,_{edge}"] for edge in ("median", "lower_quartile")]
    assert "in {} of the 20 seeds, and the lower quartile in {}.".format(*above) in page
    x, of_lstm = ([each["decay_per_step"]["x"] for each in own] for own in (rnn, lstm))
    faster = sum(factor < min(of_lstm) for factor in x)
    assert f"In {faster} of the 20 seeds the vanilla RNN's gradient falls faster" in page
    scores, of_lstm_scores = ([each["test_accuracy"] for each in own] for own in (rnn, lstm))
    best = np.array([each["best_epoch"] for each in lstm])
    third = best == 3
    of_all, of_third = (
        spearmanr(np.array(of_lstm)[which], np.array(of_lstm_scores)[which]).statistic
        for which in (best > 0, third)
    )
    assert (
        f"with the accuracy is {spearmanr(x, scores).statistic:.2f}, and {of_all:.2f} in the LSTM,"
        f" where it is {of_third:.2f} among the {third.sum()} seeds whose best epoch is the third:"
    ) in page
    slowest = np.argmax(x)
    assert slowest == np.argmin(scores)
    epochs = [each["best_epoch"] for each in rnn]
    assert epochs[slowest] == 2 and epochs.count(2) == 1
    a, b = (
        recorded["summary"][f"{model}, trained"]["range_of_x_over_the_epochs"]
        for model in ("rnn", "lstm")
    )
    said = f"by {a['median']:.2f} in the median seed and by up to {a['max']:.2f}; "
    assert f"{said}the LSTM's by {b['median']:.2f}, at most {b['max']:.2f}." in page
    first = [
        np.median([each["x_over_x_with_words_before"]["median"] for each in own], axis=0)
        for own in (rnn, lstm)
    ]
    assert f"{first[0][0]:.1f} times (the LSTM {first[1][0]:.1f} times)" in page
    assert f"tenth {first[0][9]:.1f} times ({first[1][9]:.1f} times)" in page
    firsts = [[r["x_over_x_with_words_before"]["median"][0] for r in own] for own in (rnn, lstm)]
    ends = [f"{min(of):.2g} and {max(of):.2g}" for of in firsts]
    assert "lie between {} ({}).".format(*ends) in page
    largest = (spread([each["jacobians"]["100"][0] for each in own]) for own in (rnn, lstm))
    listed = [f"{of['median']:.2g} ({of['min']:.2g} to {of['max']:.2g})" for of in largest]
    assert "the largest is {} in the vanilla RNN and {} in the LSTM.".format(*listed) in page
    held = [t["result"] for t in recorded["trials"] if t["condition"] == "lstm, f = 1"]
    for k in ("1", "10", "100"):
        middle = np.median([each["kept"]["x"][k][1] for each in held])
        assert f"falls to {middle:.2f} at the first step back and stays there" in page
