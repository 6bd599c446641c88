from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm import gradient_flow as flow
from numpy_lstm.data.corpus import keep_last
from numpy_lstm.experiments import gradient_flow as experiment
from numpy_lstm.experiments import reviews
from numpy_lstm.plots import COLORS, DASHES, series
from numpy_lstm.settings import Settings
from numpy_lstm.training import classifier_of, initial_state, probe_batch
from tests.experiments.hand_made import (
    color_of,
    drawn,
    labelled,
    only,
    points,
    prepared,
    reviews_of,
    some_axes,
    state_of,
    trials,
)

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
    ):
        return experiment.run({**CONDITIONS[condition], **SIZES}, 5, False)


@pytest.mark.parametrize(("condition", "factor"), [("lstm, f = 1/2", 0.5), ("lstm, f = 1", 1.0)])
def test_the_instruments_show_what_they_are_built_to_show(condition, factor):
    result = run(condition)
    assert result["decay_per_step"]["c"] == pytest.approx(factor, rel=1e-12)
    assert "h" not in result["decay_per_step"]
    assert result["spectral_radius"] == result["largest_singular_value"] == 0
    np.testing.assert_allclose(result["forget_product"], factor ** np.arange(12.0), rtol=1e-5)
    medians = result["norms"]["c"]["median"]
    assert len(medians) == 12  # the two longest reviews, of 24 words and two to a step
    np.testing.assert_allclose(medians, medians[0] * factor ** np.arange(12.0), rtol=1e-5)


@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_a_trained_cell_is_measured_at_its_best_epoch_on_validation_reviews(model):
    best = initial_state(model, PREPARED.vectors, OWN).parameters
    given = []

    def fit(*arguments):
        given.append(arguments)
        return state_of(best, [0.5], [0.5])

    condition = f"{model}, trained"
    result = run(condition, fit)
    settings = Settings(seed=5, **SIZES)
    assert given[0][0] == model and given[0][2] is PREPARED.vectors and given[0][3] == settings
    cut = given[0][1]
    assert cut.validation.lengths.tolist() == [24, 24, 1]
    classifier, probes = classifier_of(best, settings), probe_batch(cut.validation, 2)
    norms, inner = flow.record(classifier, probes), flow.diagnose(classifier, probes)
    for name, measured in norms._asdict().items():
        if measured is None:
            assert model == "rnn" and name == "c" and name not in result["norms"]
            continue
        assert result["decay_per_step"][name] == flow.decay_per_step(measured)
        for edge, share in (("low", 0.25), ("median", 0.5), ("high", 0.75)):
            np.testing.assert_allclose(
                result["norms"][name][edge], np.quantile(measured, share, axis=1), rtol=1e-5
            )
    for name in ("spectral_radius", "largest_singular_value", "saturated"):
        assert result[name] == getattr(inner, name)
    assert list(result["jacobians"]) == ["1", "2", "5", "10"]  # there are 12 steps
    for lag, values in result["jacobians"].items():
        exact = flow.jacobian_singular_values(classifier, probes, int(lag))
        np.testing.assert_allclose(values, exact, rtol=1e-5)
    if model == "lstm":
        np.testing.assert_allclose(result["forget_product"], inner.forget_product, rtol=1e-5)
    else:
        assert result["forget_product"] == []


@pytest.mark.parametrize("condition", ["rnn, orthogonal x 0.5", "lstm, b_f=3"])
def test_an_untrained_cell_is_that_of_the_conditions_weights_and_seed(condition):
    own = reviews.settings_of({**CONDITIONS[condition], **SIZES}, 5, False)
    parameters = experiment.untrained(CONDITIONS[condition], PREPARED.vectors, 5, own)
    cut = reviews.cut(PREPARED.splits, lambda part: keep_last(part, 24))
    norms = flow.record(classifier_of(parameters, own), probe_batch(cut.validation, 2))
    result = run(condition)
    np.testing.assert_allclose(
        result["norms"]["x"]["median"], np.median(norms.x, axis=1), rtol=1e-5
    )


def test_quartiles_are_over_the_reviews_that_have_the_step():
    norms = np.array([[4.0, 1, 2, 3, 5], [np.nan, 10, np.nan, np.nan, 30]])
    assert experiment.quartiles(norms) == {
        "low": [2.0, 15.0],
        "median": [3.0, 20.0],
        "high": [4.0, 25.0],
    }


def test_numbers_are_kept_to_six_digits():
    assert experiment.rounded(np.array([1 / 3, 2e-20 / 3, 0.0])) == [0.333333, 6.66667e-21, 0.0]
    assert experiment.rounded(None) == []


def a_result(c=(1.0,), h=(1.0,), x=(1.0,), decays=None, **given):
    return {
        "norms": {
            name: {"low": [v / 2 for v in of], "median": list(of), "high": [3 * v for v in of]}
            for name, of in (("h", h), ("c", c), ("x", x))
        },
        "decay_per_step": decays or {"c": 0.5},
        "spectral_radius": 0.5,
        "largest_singular_value": 2.0,
        "saturated": 0.25,
        "forget_product": [1.0, 0.5, 0.25],
        "jacobians": {"1": [2.0] * 9 + [0.5] + [0.1], "2": [4.0] * 9 + [0.25] + [0.1]},
        **given,
    }


def test_the_summary_has_the_means_over_the_seeds():
    summary = experiment.summarize(
        trials(
            {
                "rnn, trained": [
                    a_result(decays={"h": 0.5, "x": 0.8}, saturated=0.5, spectral_radius=1.5),
                    a_result(decays={"h": 0.7, "x": 0.9}, largest_singular_value=4.0),
                ]
            }
        )
    )
    means = {name: of["mean"] for name, of in summary["rnn, trained"].items()}
    assert means == pytest.approx(
        {
            "h": 0.6,
            "x": 0.85,
            "spectral_radius": 1.0,
            "largest_singular_value": 3.0,
            "saturated": 0.375,
        }
    )


def test_the_error_of_an_instrument_is_its_largest_of_all_steps_and_seeds():
    # Steps by 1/2 and 0.45, which is 10 % too small; then one 2 % too large, in another seed.
    half = [a_result(c=(8.0, 4.0, 1.8)), a_result(c=(1.0, 0.51))]
    # Held at 1: a step 4 % too small, and one 3 % too large.
    one = [a_result(c=(1.0, 0.96)), a_result(c=(1.0, 1.03, 1.03))]
    summary = experiment.summarize(trials({"lstm, f = 1/2": half, "lstm, f = 1": one}))
    name = "largest_error_of_the_instrument"
    assert summary["lstm, f = 1/2"][name] == pytest.approx(0.1)
    assert summary["lstm, f = 1"][name] == pytest.approx(0.04)


# --- the figure ----------------------------------------------------------------------------------


OTHER = {
    "largest_singular_value": 8.0,
    "spectral_radius": 0.125,
    "forget_product": [1.0, 0.125, 0.015625],
}


def grouped():
    """Two seeds of every condition; the k-th has norms of k + 1 in c and of 10 (k + 1) in h."""
    found = {}
    for k, condition in enumerate(CONDITIONS):
        one = (k + 1) * np.array([1.0, 0.5, 0.25])
        found[condition] = [
            a_result(c=scale * one, h=10 * scale * one, x=100 * scale * one, **theory)
            # The geometric mean of the scales is 2, and of theory 4, 1/4, and 1, 1/4, 1/16.
            for scale, theory in ((1.0, {}), (4.0, OTHER))
        ]
    return found


def test_centers_and_theory_are_geometric_means_over_the_seeds():
    results = [
        a_result(c=(1.0, 2.0, 3.0), forget_product=[1.0, 0.25]),
        a_result(c=(4.0, 8.0), forget_product=[1.0, 1.0, 0.5], largest_singular_value=8.0),
    ]
    np.testing.assert_allclose(experiment.center(results, "c"), [2.0, 4.0])  # what both have
    np.testing.assert_allclose(experiment.forget_product(results), [1.0, 0.5])
    np.testing.assert_allclose(
        experiment.powers(results, "largest_singular_value", 3), [1.0, 4.0, 16.0]
    )
    np.testing.assert_allclose(experiment.powers(results, "spectral_radius", 3), [1, 0.5, 0.25])
    huge = [a_result(largest_singular_value=1e200)]
    assert experiment.powers(huge, "largest_singular_value", 3)[2] == np.inf


def test_untrained_cells_are_drawn_with_their_theory_in_their_color():
    rnn, lstm = some_axes(), some_axes()
    results = grouped()
    experiment.draw_untrained(rnn, lstm, results)
    names = {"rnn": {}, "lstm": {}}
    for axes, model, state in ((rnn, "rnn", "h"), (lstm, "lstm", "c")):
        expected = [c for c in experiment.DRAWN if c.startswith(model)]
        lines = axes.lines[: 2 * len(expected)]
        for k, condition in enumerate(expected):
            center = experiment.center(results[condition], state)
            measured, theory = lines[2 * k], lines[2 * k + 1]
            assert points(measured) == [(x, round(y, 9)) for x, y in enumerate(center)]
            power = 4.0 if model == "rnn" else 0.25
            assert points(theory) == [(x, round(center[0] * power**x, 9)) for x in range(3)]
            color = series(experiment.DRAWN[condition][0])["color"]
            assert color_of(measured) == color_of(theory) == color
        names[model] = {text.get_text(): text.get_color() for text in axes.texts}
        assert axes.get_yscale() == "log"
    assert names["rnn"] == {
        "orthogonal": series(0)["color"],
        "uniform": series(1)["color"],
        "orthogonal × ½": series(2)["color"],
        "orthogonal × 3/2": series(3)["color"],
    }
    assert list(names["lstm"]) == [
        "$b_f = 0$",
        "$b_f = 1$",
        "$b_f = 3$",
        "uniform",
        "f held at ½",
        "f held at 1",
    ]
    # The spectral radius is drawn for the uniform RNN.
    dotted = rnn.lines[8]
    first = experiment.center(results["rnn, uniform"], "h")[0]
    assert points(dotted) == [(x, round(first * 0.25**x, 9)) for x in range(3)]
    assert color_of(dotted) == series(1)["color"] and dotted.get_linestyle() == ":"
    assert rnn.get_title() == "vanilla RNN, untrained: ‖∂L/∂h‖"
    assert lstm.get_title() == "LSTM, untrained: ‖∂L/∂c‖"
    solid, dots = labelled(rnn).items()
    assert solid[0] == r"$σ_\mathrm{max}(W_h)^k$" and solid[1].get_linestyle() == "-"
    assert dots[0] == "$ρ(W_h)^k$" and dots[1].get_linestyle() == ":"
    assert list(labelled(lstm)) == [r"mean $∏\,f_t$"]


def test_every_drawn_name_stands_at_its_own_line():
    assert {c: (name, series_) for c, (series_, name, *_) in experiment.DRAWN.items()} == {
        "rnn, orthogonal": ("orthogonal", 0),
        "rnn, uniform": ("uniform", 1),
        "rnn, orthogonal x 0.5": ("orthogonal × ½", 2),
        "rnn, orthogonal x 1.5": ("orthogonal × 3/2", 3),
        "lstm, b_f=0": ("$b_f = 0$", 2),
        "lstm, b_f=1": ("$b_f = 1$", 3),
        "lstm, b_f=3": ("$b_f = 3$", 4),
        "lstm, uniform": ("uniform", 5),
        "lstm, f = 1/2": ("f held at ½", 0),
        "lstm, f = 1": ("f held at 1", 1),
    }


def of_models(axes):
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "steps before the last one, k"
    lines = labelled(axes)
    assert list(lines)[:2] == ["vanilla RNN", "LSTM"]
    assert [color_of(lines[name]) for name in ("vanilla RNN", "LSTM")] == [
        COLORS["rnn"],
        COLORS["lstm"],
    ]
    return lines


def test_every_seed_of_the_trained_cells_is_a_line_under_one_name_a_model():
    axes = some_axes()
    experiment.draw_seeds(axes, grouped())
    of_models(axes)
    # In x; of the first two conditions, the RNN's and the LSTM's.
    assert [points(line) for line in axes.lines] == [
        [(0, 100), (1, 50), (2, 25)],
        [(0, 400), (1, 200), (2, 100)],
        [(0, 200), (1, 100), (2, 50)],
        [(0, 800), (1, 400), (2, 200)],
    ]
    assert [color_of(line) for line in axes.lines] == 2 * [COLORS["rnn"]] + 2 * [COLORS["lstm"]]
    assert axes.get_title() == "trained, every seed: ‖∂L/∂x‖"
    assert experiment.of_model("rnn") == {"color": COLORS["rnn"], "linestyle": DASHES["rnn"]}


def test_quartiles_of_the_first_seed_are_a_band_around_its_median():
    axes = some_axes()
    experiment.draw_quartiles(axes, grouped())
    lines = of_models(axes)
    assert points(lines["vanilla RNN"]) == [(0, 100), (1, 50), (2, 25)]
    assert points(lines["LSTM"]) == [(0, 200), (1, 100), (2, 50)]
    firsts = [points(line)[0][1] for line in axes.lines]
    assert firsts == [100, 50, 300, 200, 100, 600]  # median, lower and upper quartile
    band = axes.collections[0].get_paths()[0].vertices
    assert band[:, 1].min() == 12.5 and band[:, 1].max() == 300
    assert axes.get_title() == "trained, seed 0, quartiles: ‖∂L/∂x‖"


def test_the_largest_and_the_tenth_singular_value_are_drawn_with_theory():
    results = grouped()
    nines = {"1": [9.0] * 10, "2": [8.0] * 10}
    results["lstm, trained"] = [a_result(jacobians=nines), a_result(jacobians=nines, **OTHER)]
    third = a_result(jacobians={"1": [20.0] * 9 + [5.0], "2": [40.0] * 9 + [2.5]})
    cube = {**third, "largest_singular_value": 16.0, "spectral_radius": 1 / 16}
    results["rnn, trained"] = [a_result(), a_result(), cube]  # geometric means 4 and 1/4
    axes = some_axes()
    experiment.draw_jacobians(axes, results)
    lines = labelled(axes)
    assert list(lines)[:4] == [
        "vanilla RNN: largest",
        "vanilla RNN: tenth",
        "LSTM: largest",
        "LSTM: tenth",
    ]
    # The median seed, not the mean.
    assert points(lines["vanilla RNN: largest"]) == [(1, 2), (2, 4)]
    assert points(lines["vanilla RNN: tenth"]) == [(1, 0.5), (2, 0.25)]
    assert points(lines["LSTM: largest"]) == [(1, 9), (2, 8)]
    assert color_of(lines["vanilla RNN: tenth"]) == COLORS["rnn"]
    assert color_of(lines["LSTM: tenth"]) == COLORS["lstm"]
    theory, other, radius = axes.lines[2], axes.lines[5], axes.lines[6]
    assert points(theory) == [(0, 1), (1, 4), (2, 16)] and color_of(theory) == COLORS["rnn"]
    assert points(other) == [(0, 1), (1, 0.25), (2, 0.0625)] and color_of(other) == COLORS["lstm"]
    assert points(radius) == [(0, 1), (1, 0.25), (2, 0.0625)] and radius.get_linestyle() == ":"
    assert color_of(radius) == COLORS["rnn"]
    assert axes.get_yscale() == "log"
    assert list(lines)[4:] == [r"$σ_\mathrm{max}(W_h)^k$; LSTM: $∏\,f_t$", "$ρ(W_h)^k$"]


def test_the_figure_has_the_four_panels():
    results = grouped()
    figure = drawn(experiment.draw, trials(results))
    titles = [axes.get_title() for axes in figure.axes]
    assert [title.partition(":")[0] for title in titles] == [
        "vanilla RNN, untrained",
        "LSTM, untrained",
        "trained, every seed",
        "singular values of $∂s_T/∂s_{T-k}$, median seed",
    ]


def test_norms_are_over_those_of_the_same_review_at_its_last_step():
    norms = np.array([[4.0, 0.5, 0.0], [2.0, 1.0, 0.0]])
    np.testing.assert_array_equal(experiment.kept(norms), [[1, 1, np.nan], [0.5, 2, np.nan]])
