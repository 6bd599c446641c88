import numpy as np
import pytest

from numpy_lstm.experiments import gradient_flow as experiment
from numpy_lstm.experiments import gradient_flow_figure as figure
from numpy_lstm.plots import CELLS, COLORS, DASHES, MARKERS, cell
from tests.experiments.hand_made import color_of, drawn, labelled, points, some_axes, trials
from tests.experiments.test_gradient_flow import a_result, a_trained_result

OTHER = {
    "largest_singular_value": 8.0,
    "spectral_radius": 0.125,
    "forget_product": [1.0, 0.125, 0.015625],
}


def grouped():
    """Two seeds of every condition; in the k-th untrained one the state falls by 2^-k a step."""
    found = {}
    for k, condition in enumerate(experiment.conditions(False)):
        if condition.endswith("trained"):
            found[condition] = [
                a_trained_result(x=x, line=(1.0, x, x / (4 + k)), test_accuracy=x)
                for x in (0.5 + k / 4, 0.625 + k / 4)
            ]
            continue
        found[condition] = [
            a_result(state_by_distance=[1.0, scale * 2.0**-k, 4.0**-k], **theory)
            # The geometric mean of the scales is 2, and of theory 4, 1/4, and 1, 1/4, 1/16.
            for scale, theory in ((1.0, {}), (4.0, OTHER))
        ]
    return found


def test_centers_and_theory_are_geometric_means_over_the_seeds():
    results = [
        a_result(state_by_distance=[1.0, 2.0, 3.0], forget_product=[1.0, 0.25]),
        a_result(
            state_by_distance=[4.0, 8.0],
            forget_product=[1.0, 1.0, 0.5],
            largest_singular_value=8.0,
        ),
    ]
    np.testing.assert_allclose(figure.center(results), [2.0, 4.0])  # what both have
    np.testing.assert_allclose(figure.forget_product(results), [1.0, 0.5])
    np.testing.assert_allclose(
        figure.powers(results, "largest_singular_value", 3), [1.0, 4.0, 16.0]
    )
    np.testing.assert_allclose(figure.powers(results, "spectral_radius", 3), [1, 0.5, 0.25])
    huge = [a_result(largest_singular_value=1e200)]
    assert figure.powers(huge, "largest_singular_value", 3)[2] == np.inf


def test_untrained_cells_are_drawn_with_their_theory_in_their_color():
    rnn, lstm = some_axes(), some_axes()
    results = grouped()
    figure.draw_untrained(rnn, lstm, results)
    for axes, model in ((rnn, "rnn"), (lstm, "lstm")):
        expected = [c for c in figure.DRAWN if c.startswith(model)]
        lines = axes.lines[: 2 * len(expected)]
        for k, condition in enumerate(expected):
            measured, theory = lines[2 * k], lines[2 * k + 1]
            center = figure.center(results[condition])
            assert points(measured) == [(x, round(y, 9)) for x, y in enumerate(center)]
            power = 4.0 if model == "rnn" else 0.25
            assert points(theory) == [(x, round(power**x, 9)) for x in range(3)]
            assert color_of(measured) == color_of(theory) == cell(condition)["color"].upper()
            assert measured.get_linestyle() == theory.get_linestyle()
            assert measured.get_linewidth() > theory.get_linewidth()
        names = {text.get_text(): text.get_color() for text in axes.texts}
        assert names == {
            figure.DRAWN[condition][0]: cell(condition)["color"] for condition in expected
        }
        assert axes.get_yscale() == "log" and axes.get_ylabel() == "norm over that at k = 0"
    # The spectral radius is drawn for the uniform RNN.
    radius = rnn.lines[8]
    assert points(radius) == [(x, round(0.25**x, 9)) for x in range(3)]
    assert color_of(radius) == cell("rnn, uniform")["color"] and radius.get_linestyle() == "--"
    assert rnn.get_title() == "vanilla RNN, untrained: ‖∂L/∂h‖"
    assert lstm.get_title() == "LSTM, untrained: ‖∂L/∂c‖"
    named, dashed = labelled(rnn).items()
    assert named[0] == r"thin: $σ_\mathrm{max}(W_h)^k$" and named[1].get_linestyle() == "None"
    assert dashed[0] == "$ρ(W_h)^k$" and dashed[1].get_linestyle() == "--"
    assert list(labelled(lstm)) == [r"thin: mean $∏\,f_t$"]


def test_every_drawn_name_is_that_of_its_cell():
    assert {condition: name for condition, (name, *_) in figure.DRAWN.items()} == {
        "rnn, orthogonal": "orthogonal",
        "rnn, uniform": "uniform",
        "rnn, orthogonal x 0.5": "orthogonal × 0.5",
        "rnn, orthogonal x 1.5": "orthogonal × 1.5",
        "lstm, b_f=0": "$b_f = 0$",
        "lstm, b_f=1": "$b_f = 1$",
        "lstm, b_f=3": "$b_f = 3$",
        "lstm, uniform": "uniform",
        "lstm, f = 1/2": "f held at ½",
        "lstm, f = 1": "f held at 1",
    }


def test_no_two_cells_look_alike_and_a_models_usual_start_looks_like_the_model():
    for which in range(3):
        rnns, lstms = (
            [of[which] for name, of in CELLS.items() if name.startswith(model)]
            for model in ("rnn", "lstm")
        )
        if which != 1:  # by color, and by mark
            assert len({*rnns, *lstms}) == len(CELLS)
        assert len(set(map(str, rnns))) == len(rnns) == 4
        assert len(set(map(str, lstms))) == len(lstms) == 7
    for model, start in (("rnn", "orthogonal"), ("lstm", "b_f=1")):
        assert CELLS[f"{model}, {start}"] == (COLORS[model], DASHES[model], MARKERS[model])


def names_of(axes):
    return {text.get_text(): text.get_color() for text in axes.texts}


NAMES = {"vanilla RNN": COLORS["rnn"], "LSTM": COLORS["lstm"]}


@pytest.mark.parametrize(
    ("edge", "scale", "name"), [("median", 1, "median"), ("low", 0.5, "lower quartile")]
)
def test_every_seed_of_the_trained_cells_is_a_line(edge, scale, name):
    axes = some_axes()
    figure.draw_seeds(axes, grouped(), edge)
    assert axes.get_yscale() == "log" and axes.get_xlabel() == "steps before the last one, k"
    drawn_lines = {color_of(line): [] for line in axes.lines}
    for line in axes.lines:
        drawn_lines[color_of(line)].append(line.get_ydata())
    np.testing.assert_allclose(
        drawn_lines[COLORS["rnn"]], scale * np.array([[1, 0.5, 0.125], [1, 0.625, 0.15625]])
    )
    np.testing.assert_allclose(
        drawn_lines[COLORS["lstm"]], scale * np.array([[1, 0.75, 0.15], [1, 0.875, 0.175]])
    )
    assert names_of(axes) == NAMES
    assert axes.get_title() == f"trained: {name} of ‖∂L/∂x‖"
    assert figure.of_model("rnn") == {"color": COLORS["rnn"], "linestyle": DASHES["rnn"]}


def test_the_higher_name_stands_above():
    axes = some_axes()
    figure.name_lines(axes, {"rnn": (3, 2.0), "lstm": (3, 1.0)})
    above, below = axes.texts
    assert (above.get_text(), above.get_va(), above.xy) == ("vanilla RNN", "bottom", (3, 2.0))
    assert (below.get_text(), below.get_va(), below.xy) == ("LSTM", "top", (3, 1.0))


def test_every_epoch_of_every_seed_is_drawn_and_the_best_one_marked():
    axes = some_axes()
    figure.draw_epochs(axes, grouped())
    lines, marks = axes.lines[::2], axes.lines[1::2]
    assert [points(line) for line in lines] == [
        [(0, 0.1), (1, x), (2, x - 0.25)] for x in (0.5, 0.625, 0.75, 0.875)
    ]
    assert [points(mark) for mark in marks] == [[(1, x)] for x in (0.5, 0.625, 0.75, 0.875)]
    colors = 2 * [COLORS["rnn"]] + 2 * [COLORS["lstm"]]
    assert [color_of(line) for line in lines] == [color_of(mark) for mark in marks] == colors
    assert [mark.get_marker() for mark in marks] == ["s", "s", "o", "o"]
    assert names_of(axes) == NAMES


def test_the_accuracy_of_every_seed_stands_at_its_decay():
    axes = some_axes()
    figure.draw_accuracies(axes, grouped())
    rnn, lstm = axes.lines
    assert points(rnn) == [(0.5, 50), (0.625, 62.5)] and color_of(rnn) == COLORS["rnn"]
    assert points(lstm) == [(0.75, 75), (0.875, 87.5)] and color_of(lstm) == COLORS["lstm"]
    assert (rnn.get_marker(), lstm.get_marker()) == ("s", "o")
    assert names_of(axes) == NAMES


def test_the_beginning_of_every_seed_is_a_line():
    axes = some_axes()
    figure.draw_beginnings(axes, grouped())
    assert [points(line) for line in axes.lines] == [[(1, 4), (2, 1)]] * 4
    assert [color_of(line) for line in axes.lines] == 2 * [COLORS["rnn"]] + 2 * [COLORS["lstm"]]
    assert names_of(axes) == NAMES


def test_the_largest_and_the_tenth_singular_value_are_drawn_with_theory():
    results = grouped()
    nines = {"1": [9.0, 9.0], "2": [8.0, 8.0]}
    results["lstm, trained"] = [
        a_trained_result(jacobians=nines),
        a_trained_result(jacobians=nines, **OTHER),
    ]
    third = a_trained_result(jacobians={"1": [20.0, 5.0], "2": [40.0, 2.5]})
    cube = {**third, "largest_singular_value": 16.0, "spectral_radius": 1 / 16}
    results["rnn, trained"] = [a_trained_result(), a_trained_result(), cube]  # means 4 and 1/4
    axes = some_axes()
    figure.draw_jacobians(axes, results)
    largest, tenth, theory, of_lstm, _, other, radius = axes.lines[:7]
    # The median seed, not the mean.
    assert points(largest) == [(1, 2), (2, 4)] and color_of(largest) == COLORS["rnn"]
    assert points(tenth) == [(1, 0.5), (2, 0.25)] and color_of(tenth) == COLORS["rnn"]
    assert (largest.get_marker(), tenth.get_marker()) == ("o", "v")
    assert points(of_lstm) == [(1, 9), (2, 8)] and color_of(of_lstm) == COLORS["lstm"]
    assert names_of(axes) == {
        f"{name}, {which}": color for name, color in NAMES.items() for which in ("largest", "tenth")
    }
    assert points(theory) == [(0, 1), (1, 4), (2, 16)] and color_of(theory) == COLORS["rnn"]
    assert points(other) == [(0, 1), (1, 0.25), (2, 0.0625)] and color_of(other) == COLORS["lstm"]
    assert points(radius) == [(0, 1), (1, 0.25), (2, 0.0625)] and radius.get_linestyle() == "--"
    assert color_of(radius) == COLORS["rnn"]
    assert axes.get_yscale() == "log"
    assert list(labelled(axes)) == [r"thin: $σ_\mathrm{max}(W_h)^k$; LSTM: $∏\,f_t$", "$ρ(W_h)^k$"]


def test_the_figure_has_the_eight_panels():
    drawing = drawn(experiment.draw, trials(grouped()))
    assert [axes.get_title() for axes in drawing.axes] == [
        "vanilla RNN, untrained: ‖∂L/∂h‖",
        "LSTM, untrained: ‖∂L/∂c‖",
        "trained: median of ‖∂L/∂x‖",
        "trained: lower quartile of ‖∂L/∂x‖",
        "trained, every seed: factor a step of ‖∂L/∂x‖",
        "trained, every seed: test accuracy (%)",
        "singular values of $∂s_T/∂s_{T-k}$, median seed",
        "‖∂L/∂x‖ of the second half alone,\nover that with words before",
    ]
