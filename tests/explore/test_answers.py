"""What is said of numbers that are known: each stands under its own name, in its own place.

The numbers are made up, so that no two are alike; that the real ones are right is tested beside.
"""

from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.cells import lstm_step, rnn_step
from numpy_lstm.explore import (
    break_it,
    epochs,
    examples,
    lag_and_padding,
    one_step,
    starting_weights,
    words,
)
from numpy_lstm.explore.controls import Control, View
from numpy_lstm.explore.drawing import SPACE
from numpy_lstm.explore.epochs import Summary
from numpy_lstm.explore.starting_weights import Flow
from numpy_lstm.explore.views import about
from numpy_lstm.explore.words import Reading

STARTS = {control.name: control.default for control in starting_weights.CONTROLS}
STEP = {control.name: control.default for control in one_step.CONTROLS if not control.local}


def heights_of(chart):
    return {line["name"]: line["y"] for line in chart["lines"]}


def near(expected):
    return pytest.approx(expected, abs=0.0051)  # of a decade: the axes are rounded to 0.01


def plain(sentence):
    return sentence.replace(SPACE, " ")


def falling(first, steps):
    """A tenth every ten steps."""
    return first * 10.0 ** (-np.arange(steps) / 10)


# --- the starting weights ------------------------------------------------------------------------


def made_up(**changes):
    T = starting_weights.T
    flow = Flow(
        *(falling(first, T) for first in (2, 3, 4, 5, 6)),
        gates={name: np.full(T, mean) for name, mean in {"f": 0.8, "i": 0.4, "o": 0.3}.items()},
        forget_product=falling(7, T),
        radius=3**0.1,
        stretch=2**0.1,
    )
    return flow._replace(**changes)


def test_each_norm_of_the_starting_weights_stands_under_its_name():
    with patch.object(starting_weights, "flow", lambda setting: made_up()):
        answer = starting_weights.answer(STARTS)
    states, inputs, gates = map(heights_of, answer["charts"])
    start = {name: y[0] for name, y in states.items()}
    assert start["RNN h"] == near(np.log10(2))
    assert start["LSTM h"] == near(np.log10(4)) and start["LSTM c"] == near(np.log10(5))
    assert {name: y[0] for name, y in inputs.items() if name in ("RNN", "LSTM")} == {
        "RNN": near(np.log10(3)),
        "LSTM": near(np.log10(6)),
    }
    for drawn in (states, inputs):
        assert drawn["∏ f"][0] == near(np.log10(7))
        assert drawn["σₘₐₓᵏ"] == [0, near(11.9 * np.log10(2))]
        assert drawn["ρᵏ"] == [0, near(11.9 * np.log10(3))]
    assert [gates[name][7] for name in ("forget", "input", "output")] == [0.8, 0.4, 0.3]


def test_the_table_and_the_sentence_of_the_starting_weights():
    with patch.object(starting_weights, "flow", lambda setting: made_up()):
        answer = starting_weights.answer(STARTS)
    row = dict(zip(answer["table"]["columns"], answer["table"]["rows"][1], strict=True))
    assert row == {
        "k": 10,
        "RNN h": "0.20",
        "RNN x": "0.30",
        "LSTM h": "0.40",
        "LSTM c": "0.50",
        "LSTM x": "0.60",
        "σₘₐₓᵏ": "2.0",
        "ρᵏ": "3.0",
        "∏ f": "0.70",
        "mean f": "0.80",
    }
    assert plain(answer["sentence"]) == (
        "100 steps back, of a gradient of norm 1, 2.0 × 10⁻¹⁰ is left in the RNN's h, where ρ¹⁰⁰"
        " would be 5.9 × 10⁴, and 5.0 × 10⁻¹⁰ in the LSTM's c, where the forget gates alone would"
        " leave 7.0 × 10⁻¹⁰."
    )


@pytest.mark.parametrize(
    ("rnn", "lstm", "keeps_more"), [(0.3, 0.1, "rnn"), (0.15, 0.1, "same"), (0.1, 0.3, "lstm")]
)
def test_the_cell_that_keeps_twice_as_much_keeps_more(rnn, lstm, keeps_more):
    found = made_up(rnn_h=np.full(120, rnn), lstm_c=np.full(120, lstm))
    right, measured = starting_weights._both(found)
    assert right == keeps_more
    assert measured.startswith(f"the RNN keeps {rnn:.2f}, the LSTM {lstm:.2f}.")


@pytest.mark.parametrize(
    ("norm", "fate"), [(10.5, "explodes"), (9.5, "stays"), (0.011, "stays"), (0.009, "vanishes")]
)
def test_what_became_of_a_gradient_is_judged_in_each_cells_own_state(norm, fate):
    there = np.full(120, norm)
    assert starting_weights._rnn(made_up(rnn_h=there))[0] == fate
    assert starting_weights._lstm(made_up(lstm_c=there))[0] == fate


def test_gates_and_spectrum_are_those_of_the_cells_from_the_last_step_back():
    setting = STARTS | {"kind": "uniform", "gain": 2.0, "forget_bias": 3.0, "lag": 20}
    found, (rnn, lstm) = starting_weights.flow(setting), starting_weights.cells(setting)
    xs = np.random.default_rng(1).standard_normal((starting_weights.T, 1, starting_weights.D))
    xs[-20:] = 0
    h = c = np.zeros((1, starting_weights.H))
    caches = []
    for x_t in xs:
        h, c, cache = lstm_step(x_t, h, c, lstm)
        caches.append(cache)
    f = np.array([cache.f_t[0] for cache in caches])
    for k in (0, 1, 2, 50):  # the units' own products, and then their mean
        expected = f[len(f) - k :].prod(axis=0).mean()
        assert found.forget_product[k] == pytest.approx(expected, rel=1e-9)
    for name in "fio":
        means = [getattr(cache, f"{name}_t").mean() for cache in caches]
        np.testing.assert_allclose(found.gates[name], means[::-1], rtol=1e-12)
    assert found.radius == pytest.approx(max(abs(np.linalg.eigvals(rnn.W_h))))
    assert found.stretch == pytest.approx(np.linalg.svd(rnn.W_h, compute_uv=False)[0])
    assert found.stretch > 1.2 * found.radius


# --- epochs --------------------------------------------------------------------------------------


def of_epochs(first):
    """Quartiles (3 epochs, 3, T = 4): the median is `first`, twice and three times that at k = 0.

    It falls to a tenth at every step; the quartiles are half of it and twice as much.
    """
    epoch, k = np.ogrid[1:4, :4]
    return np.stack([share * first * epoch * 0.1**k for share in (0.5, 1, 2)], axis=1)


def test_an_epochs_shares_stand_beside_those_before_training():
    summary = Summary("ratio", {"rnn": of_epochs(1.0), "lstm": of_epochs(4.0)}, 2)
    answer = epochs.answer(summary, 2)
    assert answer["sentence"] == (
        "After epoch 2, the median ratio 2 steps back is 0.030 in the RNN and 0.12 in the LSTM;"
        " before training it was 0.010 and 0.040."
    )
    assert epochs.answer(summary, 0)["sentence"] == (
        "Before training, the median ratio 2 steps back is 0.010 in the RNN and 0.040 in the LSTM."
    )
    assert answer["table"]["rows"][1] == (
        1,
        "0.020 (0.010 to 0.040)",
        "0.080 (0.040 to 0.16)",
    )
    by_distance, by_epoch = (chart["lines"][1] for chart in answer["charts"])
    for part, share in (("low", 0.5), ("y", 1), ("high", 2)):
        of_lstm = 4 * share * np.array([1, 2, 3])
        assert by_distance[part] == near(list(np.log10(of_lstm[2] * 0.1 ** np.arange(4))))
        assert by_epoch[part] == near(list(np.log10(0.01 * of_lstm)))


@pytest.mark.parametrize(("rnn", "right"), [(0.5, "cured"), (0.4, "part"), (0.09, "behind")])
def test_training_has_cured_the_rnn_if_it_keeps_half_of_what_the_lstm_does(rnn, right):
    said = epochs._comparison({"rnn": [0.9, rnn], "lstm": [0.2, 1.0]}, 2)
    assert said[0] == right
    assert said[1].startswith(f"{epochs.number(rnn)} of the RNN's gradient reaches 2 steps back")


def test_it_is_counted_how_often_a_share_falls():
    shares = {"rnn": [0.1, 0.3, 0.2, 0.1], "lstm": [0.1, 0.2, 0.3, 0.4]}
    right, said = epochs._steadiness(shares)
    assert right == "one"
    assert said.endswith("it falls 2 of 3 times in the RNN and 0 of 3 times in the LSTM.")


# --- words ---------------------------------------------------------------------------------------


def readings(**more):
    """Of two words; no two numbers are alike."""
    x, h, c = np.array([0.1, 0.4]), np.array([0.2, 0.7]), np.array([0.3, 0.9])
    gates = np.array([[0.11, 0.12, 0.13], [0.21, 0.22, 0.23]])  # i, f, o
    added = {"contributions": None, "baseline": 0.0, **more}
    return {
        "rnn": Reading(1.0, x, h, None, np.array([1.1, 1.2]), None, **added),
        "lstm": Reading(-2.0, 2 * x, 2 * h, c, np.array([2.1, 2.2]), gates, **added),
    }


def test_each_number_of_a_word_stands_under_its_name():
    found = readings(contributions=np.array([0.5, -0.25]), baseline=0.75)
    table = words._table(["a", "film"], found)
    row = dict(zip(table["columns"], table["rows"][1], strict=True))
    assert row == {
        "word": "film",
        "RNN x": "0.40",
        "LSTM x": "0.80",
        "RNN h": "0.70",
        "LSTM h": "1.4",
        "LSTM c": "0.90",
        "forget": "0.22",
        "input": "0.21",
        "output": "0.23",
        "RNN contribution": "−0.25",
        "LSTM contribution": "−0.25",
    }
    assert words._details("film", 1, found, known=True) == [
        "“film”, word 2 of 2",
        "RNN: gradient 0.40 in x, 0.70 in h; ‖h‖ = 1.2; contributes −0.25",
        "LSTM: gradient 0.80 in x, 1.4 in h, 0.90 in c; ‖c‖ = 2.2; gates: forget 0.22, input 0.21,"
        " output 0.23; contributes −0.25",
    ]


def test_a_word_is_as_deep_as_its_own_gradient_or_contribution():
    assert words._row("lstm", readings()["lstm"])["shares"] == [0.25, 1.0]
    with_them = readings(contributions=np.array([0.5, -0.25]))["lstm"]
    row = words._row("lstm", with_them)
    assert row["shares"] == [1.0, -0.5]
    assert row["verdict"] == "P(positive) = 0.12"  # of a logit of -2


def test_the_first_words_are_compared_with_the_last_ones():
    said = words._sentence(readings(), 3, contributions=False)
    assert "the first word is 0.25 times that at the last word in the RNN, and 0.25 times" in said
    found = readings(contributions=np.array([0.5, -0.25]), baseline=0.75)
    assert words._sentence(found, 0, contributions=True) == (
        "Before training, the contributions add up to each model's log-odds of positive: RNN +1.00,"
        " of which +0.75 without words and +0.25 from them; LSTM −2.00, of which +0.75 without"
        " words and +0.25 from them, −3.00 unexplained."
    )


def test_gates_and_states_are_those_of_the_step():
    text = examples.EXAMPLES[1][1]
    for model in ("rnn", "lstm"):
        small = words.models()[model]
        parameters = small.epochs[2].parameters
        found = words.read(text, model, 2, contributions=False)
        xs = parameters["embedding"][small.vocabulary.encode([text]).tokens]
        params = words.cell_of(parameters)
        h = c = np.zeros((1, params.W_h.shape[1]))
        for k, x_t in enumerate(xs[:, np.newaxis]):
            if model == "rnn":
                h, _ = rnn_step(x_t, h, params)
                assert found.state[k] == pytest.approx(np.linalg.norm(h))
                continue
            h, c, cache = lstm_step(x_t, h, c, params)
            assert found.state[k] == pytest.approx(np.linalg.norm(c))
            means = [gate.mean() for gate in (cache.i_t, cache.f_t, cache.o_t)]
            np.testing.assert_allclose(found.gates[k], means, rtol=1e-9)


# --- one step ------------------------------------------------------------------------------------


def test_what_a_cut_leaves_is_a_share_of_the_whole():
    left = {(): 8, (28,): 4, (21,): 2, (21, 28): 0}
    with patch.object(one_step, "reach", lambda bias, cut: falling(left[cut], one_step.T)):
        answer = one_step.answer(STEP | {"cut": "recurrent"})
    assert plain(answer["sentence"]).endswith(
        "with forget bias 1, the gradient in the input of a cell of 16 units has the norm"
        " 8.0 × 10⁻⁴ 40 steps back; without (28), through W_h, 0.50 of it is left."
    )
    row = dict(zip(answer["table"]["columns"], answer["table"]["rows"][2], strict=True))
    assert row == {
        "k": 10,
        "all paths": "0.80",
        "without (28)": "0.40",
        "without (21)": "0.20",
        "without both": "0",
    }
    starts = {name.split(":")[0]: y[0] for name, y in heights_of(answer["charts"][0]).items()}
    assert starts == {
        "all paths": near(np.log10(8)),
        "without (28)": near(np.log10(4)),
        "without (21)": near(np.log10(2)),
    }


# --- lag and padding -----------------------------------------------------------------------------


def made_up_accuracies():
    """Of `lag` 50 % and one more for ten steps, of `padding` no two alike."""
    return {
        "lag": {
            cell: {
                str(K): [0.5 + K / 1000, 0.49 + K / 1000, 0.52 + K / 1000]
                for K in (lag_and_padding.LAGS)
            }
            for cell in lag_and_padding.CELLS
        },
        "padding": {
            "rnn": {
                "behind": [0.5, 0.48, 0.51],
                "front": [0.6, 0.58, 0.61],
                "masked": [0.7, 0.68, 0.71],
            },
            "lstm": {
                "behind": [0.52, 0.5, 0.53],
                "front": [0.82, 0.8, 0.83],
                "masked": [0.9, 0.88, 0.91],
            },
        },
    }


def known():
    """Instead of what was measured, and of the norms."""
    first = {"behind": 2, "front": 3, "masked": 4}
    return patch.multiple(
        lag_and_padding,
        measured=made_up_accuracies,
        reach=lambda cell, lag, place: falling(first[place], lag + 50),
    )


def test_accuracies_and_norms_stand_beside_their_lag_and_place():
    with known():
        answer = lag_and_padding.answer({"cell": "lstm, b_f=1", "lag": 50})
    row = dict(zip(answer["table"]["columns"], answer["table"]["rows"][2], strict=True))
    assert {name: plain(str(cell)) for name, cell in row.items()} == {
        "K": "50",
        "padded behind": "2.0 × 10⁻⁵",
        "padded in front": "3.0",
        "masked": "4.0",
        "median accuracy": "55.0",
        "least to most": "54.0 to 57.0",
    }
    assert plain(answer["sentence"]) == (
        "With 50 empty steps behind the review, the gradient at its end is 2.0 × 10⁻⁵, and 3.0 with"
        " them in front; trained and tested with 50 steps behind, this cell's median accuracy is"
        " 55.0 %."
    )
    along, at_the_end, by_lag, by_place = answer["charts"]
    assert {name: y[0] for name, y in heights_of(along).items()} == {
        "padded behind": near(np.log10(2)),
        "padded in front": near(np.log10(3)),
        "masked": near(np.log10(4)),
    }
    assert heights_of(at_the_end)["padded behind"][2] == near(np.log10(2e-5))
    (line,) = by_lag["lines"]
    assert [line[part][2] for part in ("low", "y", "high")] == [54, 55, 57]
    assert {line["name"]: line["y"] for line in by_place["lines"]} == {
        "RNN": [50, 60, 70],
        "LSTM": [52, 82, 90],
    }
    assert by_place["x"]["labels"] == ["behind", "in front", "masked"]


def test_the_questions_on_padding_are_answered_by_what_was_measured():
    with known():
        without_bias, in_front = lag_and_padding._no_forget_bias(), lag_and_padding._in_front()
    right, said = without_bias
    assert right == "some"
    assert said.startswith(
        "60.0 % (59.0 to 62.0), the median of five seeds, the least and the most."
    )
    right, said = in_front
    assert right == "all"
    assert said.startswith(
        "82.0 % after two epochs, and 90.0 % with a mask, where it is 52.0 % after ten with the"
        " padding behind: medians of five seeds."
    )


# --- break it ------------------------------------------------------------------------------------


def of_bug(step=False, everything=False, tiny=False):
    """Losses that fall by 0.6 and by 0.2, and what six checks find."""
    noticed = [step, False, True, everything, tiny, False]
    checks = [break_it.Check(f"check {k}", n, f"found {k}") for k, n in enumerate(noticed)]
    falls = (np.linspace(0.7, 0.7 - fall, break_it.STEPS + 1) for fall in (0.6, 0.2))
    right, wrong = (tuple(fall.tolist()) for fall in falls)
    return patch.object(break_it, "results", lambda bug: (right, wrong, checks))


def test_a_bugs_loss_stands_beside_the_right_one():
    with of_bug(everything=True):
        answer, learns = break_it.answer({"bug": 0}), break_it._still_learns()
    assert answer["sentence"] == (
        f"With the bug the loss falls from 0.70 to 0.50 in {break_it.STEPS} steps, with the right"
        " gradient to 0.10; 2 of 6 checks notice it."
    )
    assert answer["table"]["rows"][-1] == (break_it.STEPS, "0.100", "0.500")
    assert {name: y[-1] for name, y in heights_of(answer["charts"][0]).items()} == {
        "right": 0.1,
        "with the bug": 0.5,
    }
    assert answer["open"]["rows"][3] == ("check 3", "yes", "found 3")
    assert answer["open"]["rows"][4] == ("check 4", "no", "found 4")
    assert learns[0] == "less" and learns[1].startswith("the loss falls from 0.70 to 0.50, with")


@pytest.mark.parametrize(
    ("step", "everything", "right"),
    [(True, True, "both"), (True, False, "step"), (False, True, "loop"), (False, False, "none")],
)
def test_who_notices_a_bug_is_told_of_the_step_and_of_the_whole_loop(step, everything, right):
    with of_bug(step, everything, tiny=not step):
        assert break_it._tiny_weights()[0] == ("no" if step else "yes")
        found = break_it._who_notices()
    assert found[0] == right
    assert found[1].startswith("the check of one step finds: found 0; that of the loop: found 3.")


# --- the page in one file ------------------------------------------------------------------------


def test_in_the_file_each_value_that_is_offered_has_its_own_text():
    named = Control("a", "a", "choice", 3, (1, 2, 3), ("one", "two", "three"), offered=(1, 3))
    numbers = Control("b", "b", "slider", 0.0, (-1.0, -0.5, 0.0), offered=(-0.5, 0.0))
    told = about(View("v", "v", "v", (named, numbers), (), lambda setting: {}), live=False)
    assert [control["texts"] for control in told["controls"]] == [["one", "three"], ["−0.5", "0"]]
