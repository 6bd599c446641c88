from dataclasses import replace
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.data.prepare import Prepared
from numpy_lstm.data.text import Vocabulary
from numpy_lstm.experiments import exchange, reviews
from numpy_lstm.experiments.gradient_flow import measured
from numpy_lstm.experiments.runner import by_condition
from numpy_lstm.settings import Settings
from numpy_lstm.training import initial_state, train
from tests.experiments.hand_made import drawn, points, prepared, reviews_of, tick_labels, trials
from tests.on_record import contents, prose

CONDITIONS = exchange.conditions(False)
A, B = exchange.PAIRS[0]


def data_of(k):
    """Two prepared data sets of different reviews."""
    texts = [[2 + (k + n) % 9, 3, 4 + n % 7] * 3 for n in range(6)]
    return prepared(
        reviews_of([0, 1] * 3, *texts), reviews_of([0, 1], [2 + k, 3] * 3, [4, 5 + k]),
        reviews_of([1], [6, 7]),
    )  # fmt: skip


DATA = {
    A: data_of(0),
    B: data_of(1)._replace(vectors=np.full((12, 3), 0.25, np.float32)),
}
SIZES = {"hidden_size": 4, "bag_size": 1, "epochs": 1, "probes": 2, "dropout": 0.25}


def run(name, seed=0):
    settings = {**CONDITIONS[name], **SIZES}
    with patch.object(reviews, "data", lambda seed, quick: DATA[seed]):
        return exchange.run(settings, seed, False)


def test_every_combination_is_a_condition():
    combinations = dict(list(CONDITIONS.items())[:16])
    assert len({*map(str, combinations.values())}) == 16
    for name, settings in combinations.items():
        parts = [f"{part} {settings[part]}" for part in ("data", "vectors", "weights", "order")]
        assert name == ", ".join(parts) and settings["model"] == "rnn"
    assert exchange.conditions(True) == CONDITIONS


def test_the_control_is_all_of_a_but_for_a_trace_in_w_h():
    control = dict(list(CONDITIONS.items())[16:])
    assert [name[-1] for name in control] == ["1", "2", "3", "4"]
    began = []

    def keep(state, splits, own):
        began.append({name: array.copy() for name, array in state.parameters.items()})
        train(state, splits, own)

    with patch.object(exchange, "train", keep):
        for name in (next(iter(CONDITIONS)), *control):
            assert {*run(name)["seeds"].values()} == {A}
    plain, *others = began
    for other in others:
        relative = other["W_h"] / plain["W_h"] - 1
        assert 1e-7 < np.sqrt((relative**2).mean()) < 3e-6
        for name in plain.keys() - {"W_h"}:
            np.testing.assert_array_equal(other[name], plain[name])
    assert len({other["W_h"].tobytes() for other in began}) == 5


def test_the_pairs_are_the_extremes_of_the_results_on_record():
    listed = contents("gradient_flow")["trials"]
    assert list(exchange.PAIRS) == exchange.extremes(listed, len(exchange.PAIRS))


def test_extremes_are_the_smallest_and_the_largest_decay_of_the_trained_rnn():
    decays = [0.9, 0.7, 0.95, 0.8, 0.85]
    of_rnn = [{"decay_per_step": {"x": decay, "h": 1 - decay}} for decay in decays]
    of_lstm = [{"decay_per_step": {"x": 0.1}}] * 5
    listed = trials({"rnn, trained": of_rnn, "lstm, trained": of_lstm})
    assert exchange.extremes(listed, 1) == [(1, 2)]
    assert exchange.extremes(listed, 9) == [(1, 2), (3, 0)]


@pytest.mark.parametrize("part", [*exchange.PARTS, None])
def test_a_part_comes_from_the_seed_that_the_condition_says(part):
    name = ", ".join(f"{other} {'b' if other == part else 'a'}" for other in exchange.PARTS)
    result = run(name)
    seeds = {other: B if other == part else A for other in exchange.PARTS}
    assert result["seeds"] == seeds
    own = Settings(seed=seeds["order"], **SIZES)
    state = initial_state(
        "rnn", DATA[seeds["vectors"]].vectors, replace(own, seed=seeds["weights"])
    )
    train(state, DATA[seeds["data"]].splits, own)
    assert result["by_epoch"] == [measured(norms) for norms in state.norms]
    assert result["decay_per_step"] == measured(state.norms[1])["decay_per_step"]
    if part:  # and every part matters
        others = run(", ".join(f"{other} a" for other in exchange.PARTS))
        assert result["by_epoch"] != others["by_epoch"]


def test_only_so_many_pairs_are_known():
    with pytest.raises(ValueError, match=r"`seeds` must be at most \d"):
        run(next(iter(CONDITIONS)), seed=len(exchange.PAIRS))


def test_vectors_are_carried_over_word_by_word():
    vectors = np.arange(8, dtype=np.float32).reshape(4, 2)
    own = Prepared(None, Vocabulary(["x", "y"]), vectors)
    other = Prepared(None, Vocabulary(["z", "x"]), -vectors)
    # <pad>, <unk> and x are the other's; y is not known there.
    expected = [[0, -1], [-2, -3], [-6, -7], [6, 7]]
    np.testing.assert_array_equal(exchange.vectors_of(own, other), expected)
    np.testing.assert_array_equal(exchange.vectors_of(own, own), vectors)


def results():
    """The decay is 0.5, and 0.25 more with b's weights, 0.125 more with b's weights and order."""
    found = {}
    for name, settings in CONDITIONS.items():  # the control counts as a's
        weights, order = (settings[part] == "b" for part in ("weights", "order"))
        found[name] = [
            {
                "decay_per_step": {"x": 0.5 + weights / 4 + weights * order / 8 + pair / 16},
                "test_accuracy": 0.75 + pair / 8,
            }
            for pair in (0, 1)
        ]
    return found


def test_the_summary_has_every_combination_and_what_each_part_changes():
    summary = exchange.summarize(trials(results()))
    assert list(summary)[:20] == list(CONDITIONS)
    own = summary["data b, vectors a, weights b, order b"]
    assert own["x"] == {"n": 2, "median": 0.90625, "min": 0.875, "max": 0.9375}
    assert own["test_accuracy"]["median"] == 0.8125
    changes = {name: of["x"]["median"] for name, of in list(summary.items())[20:]}
    assert changes == {
        "data: b - a": 0,
        "vectors: b - a": 0,
        # Of six comparisons, without the two that hold a alone or b alone: order b in two of them.
        "weights: b - a": pytest.approx(0.25 + 0.125 * 3 / 6),
        "order: b - a": pytest.approx(0.125 * 3 / 6),
    }
    some = dict(list(results().items())[:3])
    assert list(exchange.summarize(trials(some))) == list(some)


def test_the_figure_has_a_row_for_every_combination_and_a_number_for_every_pair():
    (axes,) = drawn(exchange.draw, trials(results())).axes
    assert list(tick_labels(axes).values()) == list(CONDITIONS)
    for row, (of_pairs, line) in enumerate(zip(results().values(), axes.lines, strict=True)):
        decays = [result["decay_per_step"]["x"] for result in of_pairs]
        assert points(line) == [(decay, row) for decay in decays]
        numbers = axes.texts[2 * row : 2 * row + 2]
        assert [(text.get_text(), text.xy) for text in numbers] == [
            (str(pair + 1), (decay, row)) for pair, decay in enumerate(decays)
        ]


def test_the_page_says_what_the_results_say():
    page, index, flow = map(prose, ("exchange", "README", "gradient_flow"))
    recorded = contents("exchange")
    decays: dict = {}
    for trial in recorded["trials"]:
        decays.setdefault(trial["condition"], []).append(trial["result"]["decay_per_step"]["x"])
    trained = [
        trial
        for trial in contents("gradient_flow")["trials"]
        if trial["condition"] == "rnn, trained"
    ]
    seeds = np.array([trial["result"]["decay_per_step"]["x"] for trial in trained])
    all_a, all_b = (", ".join(f"{part} {of}" for part in exchange.PARTS) for of in "ab")
    for name, which in ((all_a, 0), (all_b, 1)):
        assert decays[name] == seeds[[pair[which] for pair in exchange.PAIRS]].tolist()
    control = np.array([of for name, of in decays.items() if "off" in name])
    mixed = np.array(
        [of for name, of in decays.items() if "off" not in name and name not in (all_a, all_b)]
    )
    assert (control.shape, mixed.shape, seeds.shape) == ((4, 5), (14, 5), (20,))

    ranges = [f"{of.min():.3f} to {of.max():.3f}" for of in (control, seeds)]
    assert "is {} in 20 trainings, and {} in the 20 seeds.".format(*ranges) in page
    assert "a factor of {} in the vanilla RNN; twenty seeds give {}.".format(*ranges) in index
    deviations = control.std(0, ddof=1)
    within, over = np.sqrt((deviations**2).mean()), seeds.std(ddof=1)
    assert (
        f"is {within:.3f}, pooled over the five seeds ({deviations.min():.3f} to"
        f" {deviations.max():.3f}); among the 20 seeds it is {over:.3f}."
    ) in page
    assert (
        f"have a standard deviation of {within:.3f}, those of the twenty seeds {over:.3f}" in flow
    )
    slower = (control > np.array(decays[all_a])).sum()
    assert f"In {slower} of the 20 controls the gradient falls more slowly" in page
    places = np.searchsorted(np.sort(seeds), decays[all_a])
    assert places.tolist() == [0, 1, 2, 3, 4]
    assert (4 * (20 - places - 1) / 20).sum() == 17 and (4 * (20 - places - 1) / 19).sum() < 18
    larger = sum(
        one > of_a
        for part in exchange.PARTS
        for one, of_a in zip(
            decays[all_a.replace(f"{part} a", f"{part} b")], decays[all_a], strict=True
        )
    )
    assert f"in {larger} of 20 trainings, hardly more often" in page
    grouped = by_condition(recorded["trials"])
    changes = np.array([exchange.gains(grouped, part) for part in exchange.PARTS])
    means, halves = changes.mean(1), 2.776 * changes.std(1, ddof=1) / np.sqrt(5)  # Student's
    assert f"by each part is {means.min():.3f} to {means.max():.3f}, and each" in page
    assert (np.abs(means) < halves).all() and 0.02 <= (means + halves).min().round(2)
    assert (means + halves).max().round(3) == 0.045
    along = {
        name: [np.array([e["decay_per_step"]["x"] for e in of["by_epoch"][1:]]) for of in own]
        for name, own in grouped.items()
    }
    moves = [float(np.ptp(epochs)) for of_pairs in along.values() for epochs in of_pairs]
    assert f"moves by {np.median(moves):.2f} in the median and by up to {max(moves):.2f}." in page
    means_of = np.array(
        [[of.mean() for of in of_pairs] for name, of_pairs in along.items() if "off" in name]
    )
    of_seeds = [
        np.mean([epoch["decay_per_step"]["x"] for epoch in trial["result"]["by_epoch"][1:]])
        for trial in trained
    ]
    assert (
        f"deviations of {np.sqrt(means_of.var(0, ddof=1).mean()):.3f} within a seed and"
        f" {np.std(of_seeds, ddof=1):.3f} over the seeds."
    ) in page
    early = [trial for trial in recorded["trials"] if trial["result"]["best_epoch"] < 3]
    late = [trial for trial in recorded["trials"] if trial["result"]["best_epoch"] >= 3]
    ends = [
        [100 * trial["result"]["test_accuracy"] for trial in listed] for listed in (early, late)
    ]
    assert len(early) == 6
    assert f"they have {min(ends[0]):.1f} to {max(ends[0]):.1f} %, the others" in page
    assert f"the others {min(ends[1]):.1f} % or more." in page
    of_14 = [
        trial
        for trial in early
        if (trial["result"]["seeds"]["vectors"], trial["result"]["seeds"]["order"]) == (14, 14)
    ]
    assert len(of_14) == 3 and sum("off" in trial["settings"] for trial in early) == 1
