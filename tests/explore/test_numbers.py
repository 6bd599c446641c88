"""Each number on the page is the package's: worked out here by other ways of it."""

from pathlib import Path
from unittest.mock import patch

import numpy as np
import pytest

import numpy_lstm as nl
from numpy_lstm import bptt, gradient_flow
from numpy_lstm.cells import LSTMParams, sigmoid
from numpy_lstm.classifier import classifier_forward
from numpy_lstm.explore import (
    break_it,
    epochs,
    examples,
    lag_and_padding,
    measured,
    one_step,
    small_models,
    starting_weights,
    words,
)
from numpy_lstm.explore.bugs import CARRY, PLAIN, SLOPE, planted
from numpy_lstm.explore.drawing import heights
from numpy_lstm.training import Evaluation
from numpy_lstm.types import Batch
from numpy_lstm.weights import Weights, save_weights
from tests.comparing import assert_same

ROOT = Path(__file__).parents[2]
DEFAULTS = {control.name: control.default for control in starting_weights.CONTROLS}


# --- the starting weights ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "what", "left"),
    [
        ({"gain": 1.5}, "rnn_h", 1.1e-5),  # ρ > 1, and it vanishes
        ({}, "lstm_c", 2.2e-8),  # an LSTM vanishes too
        ({"lag": 100}, "rnn_h", 0.12),  # an RNN keeps more
        ({"lag": 100}, "lstm_c", 0.014),
    ],
)
def test_the_views_lessons_are_in_its_numbers(changes, what, left):
    found = getattr(starting_weights.flow(DEFAULTS | changes), what)[100]
    assert float(f"{found:.1e}") == left


@pytest.mark.parametrize(
    "changes", [{}, {"gain": 2.0, "kind": "uniform"}, {"lag": 50, "forget_bias": 3.0}]
)
def test_the_norms_are_those_of_the_fast_recurrences(changes):
    setting = DEFAULTS | changes
    found, (rnn, lstm) = starting_weights.flow(setting), starting_weights.cells(setting)
    xs = np.random.default_rng(1).standard_normal((starting_weights.T, 1, starting_weights.D))
    xs[len(xs) - setting["lag"] :] = 0
    dh_T = np.random.default_rng(2).standard_normal((1, starting_weights.H))
    dh_T /= np.linalg.norm(dh_T)
    dr = nl.rnn_backward(nl.rnn_forward(xs, rnn).cache, dh_T=dh_T)
    dl = nl.lstm_backward(nl.lstm_forward(xs, lstm).cache, dh_T=dh_T)
    np.testing.assert_allclose(found.rnn_h, dr.dh_norms[::-1, 0], rtol=1e-9)
    np.testing.assert_allclose(found.lstm_c, dl.dc_norms[::-1, 0], rtol=1e-9)
    np.testing.assert_allclose(found.lstm_h, dl.dh_norms[::-1, 0], rtol=1e-9)
    x = np.linalg.norm(dl.dxs[::-1, 0], axis=1)
    np.testing.assert_allclose(found.lstm_x, x, rtol=1e-9)


@pytest.mark.parametrize(("instrument", "factor"), [("half", 0.5), ("one", 1.0)])
def test_the_instrument_reads_true(instrument, factor):
    found = starting_weights.flow(DEFAULTS | {"instrument": instrument})
    # The first step back comes through h besides; from there on through c alone.
    assert_same(found.lstm_c[1:] / found.lstm_c[:-1], np.full(len(found.lstm_c) - 1, factor))
    assert_same(found.forget_product, factor ** np.arange(len(found.forget_product)))


def test_the_charts_show_the_logarithms_of_the_norms():
    found = starting_weights.flow(DEFAULTS)
    states = starting_weights.answer(DEFAULTS)["charts"][0]["lines"]
    expected = np.log10(found.rnn_h)
    np.testing.assert_allclose(states[0]["y"], expected, atol=0.0051)
    radius = next(line for line in states if line["role"] == "radius")
    assert radius["y"] == [0.0, round(119 * float(np.log10(found.radius)), 2) + 0.0]


def test_a_norm_that_is_zero_or_missing_is_drawn_as_none():
    assert heights(np.array([1.0, 0.0, np.nan, 1e-5])) == [0.0, None, None, -5.0]


# --- epochs --------------------------------------------------------------------------------------


def test_the_epochs_are_the_quartiles_of_the_record():
    arrays = np.load(small_models.FOLDER / epochs.FILE)
    recorded = epochs.read(small_models.FOLDER)
    norms = arrays["rnn_h"][3].astype(np.float64)
    ratios = norms / norms[0]
    low, median, high = epochs.quartiles(recorded.states["rnn"][3], ratio=True)
    np.testing.assert_allclose(median, np.median(ratios, axis=1), rtol=1e-5)
    np.testing.assert_allclose(low, np.quantile(ratios, 0.25, axis=1), rtol=1e-5)
    np.testing.assert_allclose(high, np.quantile(ratios, 0.75, axis=1), rtol=1e-5)
    answer = epochs.answer(epochs.summarized(recorded, "states", "ratio"), 3)
    assert answer["charts"][0]["lines"][0]["y"] == heights(median)
    assert answer["charts"][1]["lines"][0]["y"][3] == heights(median)[recorded.far]


def test_a_run_of_one_model_can_be_shown_and_other_folders_are_refused(tmp_path):
    norms = 0.5 ** np.arange(6.0)[:, np.newaxis] * np.ones((3, 6, 4))
    np.savez(tmp_path / epochs.FILE, rnn_x=norms, rnn_h=norms, lengths=np.full(4, 6))
    view = epochs.view(tmp_path)
    (question,) = view.questions
    assert question.options == {"both": "Yes.", "neither": "No."}
    assert question.judge()[0] == "neither"
    setting = {"epoch": 2, "where": "inputs", "measure": "norm"}
    assert "0.031 in the RNN" in view.answer(setting)["sentence"]
    with pytest.raises(ValueError, match=r"holds no gradient_norms\.npz"):
        epochs.view(tmp_path / "elsewhere")
    for arrays in (
        {"lengths": np.full(4, 6)},
        {"rnn_x": norms},
        {"rnn_x": norms, "rnn_h": norms[:, :3]},
        {"rnn_x": norms[:0], "rnn_h": norms[:0]},
        {"rnn_x": norms.astype(str), "rnn_h": norms.astype(str)},
    ):
        np.savez(tmp_path / epochs.FILE, **arrays)
        with pytest.raises(ValueError, match="does not hold the norms of a run"):
            epochs.view(tmp_path)
    (tmp_path / epochs.FILE).write_bytes(b"PK")
    with pytest.raises(ValueError, match="is not a sound"):
        epochs.view(tmp_path)


# --- words ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("model", ["rnn", "lstm"])
@pytest.mark.parametrize("label", [0, 1])
def test_the_gradient_at_a_word_is_the_losss_divided_by_the_error(model, label):
    text = examples.EXAMPLES[2][1]
    small = words.models()[model]
    classifier = small.epochs[4]
    tokens = small.vocabulary.encode([text]).tokens[:, np.newaxis]
    lengths = np.array([len(tokens)])
    batch = Batch(tokens, lengths, np.array([label]), np.ones(1))
    logits, _ = classifier_forward(classifier, tokens, lengths)
    error = abs(float(sigmoid(logits)[0]) - label)
    recorded = gradient_flow.record(classifier, batch)
    found = words.read(text, model, 4, contributions=False)
    assert found.logit == pytest.approx(float(logits[0]), rel=1e-12)
    np.testing.assert_allclose(found.x, recorded.x[::-1, 0] / error, rtol=1e-9)
    np.testing.assert_allclose(found.h, recorded.h[::-1, 0] / error, rtol=1e-9)
    if model == "lstm":
        np.testing.assert_allclose(found.c, recorded.c[::-1, 0] / error, rtol=1e-9)


def test_contributions_are_those_of_the_command_that_explains(tmp_path):
    from numpy_lstm.predict.__main__ import results_of

    text, small = examples.EXAMPLES[1][1], words.models()["lstm"]
    weights = Weights(small.epochs[6].parameters, small.settings, small.vocabulary)
    save_weights(tmp_path / "weights.npz", weights)
    (result,) = results_of(weights, [text], explained=True)
    found = words.read(text, "lstm", 6, contributions=True)
    expected = [value for _, value in result["explanation"]["words"]]
    np.testing.assert_allclose(found.contributions, expected, rtol=1e-9, atol=1e-12)
    assert found.baseline == pytest.approx(result["explanation"]["baseline"])
    assert found.logit == pytest.approx(result["logit"])


def test_a_text_without_a_word_is_asked_for_one_and_html_stays_text():
    setting = {"example": "own", "text": "...", "epoch": 6, "shown": "gradient"}
    assert words.answer(setting)["sentence"].endswith("type a review.")
    setting["text"] = "It is <b>not</b> 3 < 4 & “good”"
    answer = words.answer(setting)
    assert answer["words"]["words"] == ["It", "is", "not", "3", "4", "good"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("good", ", the gradient at the only word is "),
        ("good bad film", ", the gradient at the first word is "),
        ("a good film it is", " times that at the last 2 in the RNN,"),
        ("good " * 30, " times that at the last 10 in the RNN,"),
    ],
)
def test_the_ends_of_a_short_text_share_no_word(text, said):
    setting = {"example": "own", "text": text, "epoch": 6, "shown": "gradient"}
    assert said in words.answer(setting)["sentence"]


def test_a_word_that_the_models_do_not_know_is_said():
    setting = {"example": "own", "text": "good zzyzx", "epoch": 6, "shown": "gradient"}
    told = words.answer(setting)["words"]
    assert told["unknown"] == [1]
    assert [known[0] for known in told["details"]] == [
        "“good”, word 1 of 2",
        "“zzyzx”, word 2 of 2, which the models do not know",
    ]


def test_a_long_text_is_read_from_its_end():
    setting = {
        "example": "own",
        "text": "bad " * 90 + "good " * 90,
        "epoch": 6,
        "shown": "gradient",
    }
    read = words.answer(setting)["words"]["words"]
    assert read == 10 * ["bad"] + 90 * ["good"]


# --- one step ------------------------------------------------------------------------------------


STEP = {control.name: control.default for control in one_step.CONTROLS if not control.local}


def test_the_lines_are_those_of_both_functions_and_the_slider_has_as_many():
    answer = one_step.answer(STEP)
    assert len(answer["lines"]) == one_step.LINES
    source = (ROOT / "numpy_lstm" / "cells.py").read_text(encoding="utf-8").splitlines()
    for line in answer["lines"]:
        assert source[line["place"] - 1].strip().startswith(line["source"])
    assert [e["equation"] for e in answer["lines"] if e["equation"]] == list(range(9, 29))


@pytest.mark.parametrize(
    ("cut", "zero"),
    [
        ("none", []),
        ("carousel", ["dc_prev"]),
        ("recurrent", ["dh_prev"]),
        ("both", ["dc_prev", "dh_prev"]),
    ],
)
def test_what_is_behind_a_cut_is_zero_and_nothing_else(cut, zero):
    _, _, arrives = one_step.step(STEP | {"cut": cut})
    assert [name for name, value in arrives.items() if value == 0] == sorted(
        zero, key=list(arrives).index
    )


def test_without_equation_28_the_gradient_is_the_truncated_one_of_the_plain_loop():
    params = nl.init_lstm(
        one_step.D, one_step.H, rng=np.random.default_rng(0), forget_bias=3.0, dtype=np.float64
    )
    xs = np.random.default_rng(1).standard_normal((one_step.T, 1, one_step.D))
    dh_T = np.random.default_rng(2).standard_normal((1, one_step.H))
    zeros = np.zeros((1, one_step.H))
    caches = bptt.lstm_forward(xs, params, zeros, zeros).cache
    for cut, truncated in (((), False), ((28,), True)):
        g = bptt.lstm_backward(
            caches,
            np.zeros((one_step.T, 1, one_step.H)),
            dh_T / np.linalg.norm(dh_T),
            zeros,
            truncated=truncated,
        )
        expected = np.linalg.norm(g.dxs[::-1, 0], axis=1)
        np.testing.assert_allclose(one_step.reach(3.0, cut), expected, rtol=1e-9)


def test_with_both_paths_cut_nothing_arrives_one_step_back():
    assert not one_step.reach(1.0, (21, 28))[1:].any()


# --- lag and padding -----------------------------------------------------------------------------


def test_a_mask_is_as_no_padding_and_padding_behind_keeps_the_gradient_off():
    for cell in lag_and_padding.CELLS:
        behind, front, masked = (
            lag_and_padding.at_its_end(cell, 100, place) for place in ("behind", "front", "masked")
        )
        assert masked == pytest.approx(lag_and_padding.at_its_end(cell, 0, "behind"), rel=1e-12)
        assert behind < front and behind < masked


def test_what_was_measured_is_what_the_results_say():
    assert measured.measured() == measured.contents(ROOT / "results")


# --- break it ------------------------------------------------------------------------------------


def test_without_a_bug_the_compiled_loops_are_the_packages():
    ours, rng = planted(None), np.random.default_rng(0)
    params = LSTMParams(*(rng.standard_normal(s) for s in ((8, 3), (8, 2), (8,))))
    xs, states = rng.standard_normal((4, 2, 3)), rng.standard_normal((2, 2, 2))
    ends = rng.standard_normal((2, 2, 2))
    dhs = rng.standard_normal((4, 2, 2))
    one = ours.lstm_backward(ours.lstm_forward(xs, params, *states).cache, dhs, *ends)
    other = bptt.lstm_backward(bptt.lstm_forward(xs, params, *states).cache, dhs, *ends)
    np.testing.assert_array_equal(one.dxs, other.dxs)
    np.testing.assert_array_equal(one.dparams.W_h, other.dparams.W_h)
    assert ours.lstm_step is not bptt.lstm_step


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_no_check_notices_anything_where_there_is_no_bug(cell):
    assert not any(check.notices for check in break_it.checks(None, cell))


@pytest.mark.parametrize(
    "k",
    [pytest.param(k, marks=[pytest.mark.slow] if k % 5 else []) for k in range(len(PLAIN))],
    ids=[f"{bug.public} {bug.what}" for bug in PLAIN],
)
def test_every_bug_is_noticed_by_a_check_of_everything_and_leaves_the_package_as_it_is(k):
    _, _, found = break_it.results(k)
    assert found[3].notices
    assert len({check.name for check in found}) == len(found)
    answer = break_it.answer({"bug": k})
    assert sum(row[1] == "yes" for row in answer["open"]["rows"]) == sum(c.notices for c in found)


def test_the_bugs_that_the_page_asks_of_are_those_that_it_names():
    assert (PLAIN[SLOPE].public, PLAIN[SLOPE].cell) == (6, "lstm") and "f" in PLAIN[SLOPE].what
    assert (PLAIN[CARRY].public, PLAIN[CARRY].cell) == (2, "lstm") and "dc" in PLAIN[CARRY].what


# --- the small models ----------------------------------------------------------------------------


def test_the_small_models_are_small_and_their_norms_finite():
    files = list(small_models.FOLDER.iterdir())
    assert {path.name for path in files} == {"rnn.npz", "lstm.npz", epochs.FILE}
    assert sum(path.stat().st_size for path in files) < 2_000_000
    loaded = small_models.load()
    for small in loaded.values():
        assert len(small.epochs) == len(small.test_accuracies) == small.settings.epochs + 1
        assert small.test_accuracies[-1] > 0.8 > 0.6 > small.test_accuracies[0]
    recorded = epochs.read(small_models.FOLDER)
    for norms in (*recorded.inputs.values(), *recorded.states.values()):
        assert norms.shape == (7, 100, 32) and np.isfinite(norms).all()


def test_what_is_saved_is_what_is_loaded(tmp_path):
    small = words.models()["lstm"]
    parameters = [classifier.parameters for classifier in small.epochs]
    given = (parameters, small.settings, small.vocabulary, small.test_accuracies)
    for model in ("rnn", "lstm"):
        small_models.save(model, *given, tmp_path)
    again = small_models.load(tmp_path)["lstm"]
    assert again.vocabulary.words == small.vocabulary.words and again.settings == small.settings
    for one, other in zip(again.epochs, small.epochs, strict=True):
        np.testing.assert_array_equal(one.parameters["W_h"], other.parameters["W_h"])


def test_the_command_that_makes_them_makes_such_files(tmp_path):
    """On a few built-in reviews, as the committed ones need IMDB and minutes."""
    from dataclasses import replace

    from numpy_lstm.data.prepare import prepare
    from numpy_lstm.data.synthetic import synthetic_corpus
    from numpy_lstm.explore import make_models

    settings = replace(
        make_models.SETTINGS, epochs=1, hidden_size=3, vector_size=2, vocabulary_size=30, probes=2,
        max_length=6,
    )  # fmt: skip
    prepared = prepare(
        synthetic_corpus(np.random.default_rng(0), n_train=60, n_test=20),
        settings,
        keep_vectors=False,
    )
    evaluated = []

    def evaluate(parameters, reviews, settings):
        evaluated.append(reviews)
        return Evaluation(0.0, len(evaluated) / 10)

    with patch.object(make_models, "evaluate", evaluate):
        make_models.make(prepared, settings, tmp_path)
    loaded = small_models.load(tmp_path)
    assert all(reviews is prepared.splits.test for reviews in evaluated)
    assert [loaded[model].test_accuracies for model in ("rnn", "lstm")] == [[0.1, 0.2], [0.3, 0.4]]
    recorded = epochs.read(tmp_path)
    assert len(loaded["rnn"].epochs) == 2 and recorded.epochs == 1
    assert epochs.answer(epochs.summarized(recorded, "states", "ratio"), 1)["sentence"]
