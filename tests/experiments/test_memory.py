from types import SimpleNamespace
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.data.long_lag import Sequences, adding, first_symbol, temporal_order
from numpy_lstm.experiments import memory
from numpy_lstm.initializers import init_lstm, init_rnn
from numpy_lstm.plots import CELLS, name_of
from numpy_lstm.recurrent import cell_of, recurrence_forward
from tests.experiments.hand_made import color_of, drawn, labelled, tick_labels, trials
from tests.on_record import contents, prose

CONDITIONS = memory.conditions(False)
STARTS = {
    "rnn, orthogonal": {"model": "rnn"},
    "rnn, uniform": {"model": "rnn", "recurrent": "uniform"},
    "lstm, b_f=0": {"model": "lstm", "forget_bias": 0.0},
    "lstm, b_f=1": {"model": "lstm", "forget_bias": 1.0},
    "lstm, b_f=3": {"model": "lstm", "forget_bias": 3.0},
    "lstm, chrono": {"model": "lstm", "chrono": True},
}


def test_the_answer_of_each_task_stands_where_it_should():
    rng = np.random.default_rng(0)
    xs, targets = first_symbol(20, 50, rng)
    assert xs.shape == (21, 50, 12)
    np.testing.assert_array_equal(xs[0].argmax(axis=1), targets)
    assert (xs[1:].argmax(axis=2) >= 2).all()  # never again

    xs, targets = adding(20, 2000, rng)
    np.testing.assert_array_equal(xs[:10, :, 1].sum(axis=0), 1)
    np.testing.assert_array_equal(xs[10:, :, 1].sum(axis=0), 1)
    np.testing.assert_allclose((xs[..., 0] * xs[..., 1]).sum(axis=0), targets, rtol=1e-6)
    assert np.mean((targets - 1) ** 2) == pytest.approx(1 / 6, rel=0.1)

    xs, targets = temporal_order(50, 200, rng)
    symbols = xs.argmax(axis=2)
    for k in range(200):
        first, second = np.flatnonzero(symbols[:, k] < 2)
        assert 5 <= first < 10 and 25 <= second < 30
        assert targets[k] == 2 * symbols[first, k] + symbols[second, k]


def test_each_condition_is_what_it_is_named_for():
    for name, settings in CONDITIONS.items():
        task, rest = name.split(", ", 1)
        cell, T = rest.rsplit(", T=", 1)
        assert settings == {
            "task": task,
            "T": int(T),
            "cell": cell,
            "updates": 1000 if task == "first_symbol" else 2000,
            **STARTS[cell],
        }
    of_task = {
        task: sorted({s["T"] for s in CONDITIONS.values() if s["task"] == task})
        for task in ("first_symbol", "adding", "temporal_order")
    }
    assert of_task == {
        "first_symbol": [10, 20, 40, 80, 160],
        "adding": [25, 50, 100],
        "temporal_order": [25, 50, 100],
    }
    assert len(CONDITIONS) == 6 * 11
    drawings = {task: (function, outputs) for task, (function, outputs) in memory.TASKS.items()}
    assert drawings == {
        "first_symbol": (first_symbol, 2),
        "adding": (adding, 1),
        "temporal_order": (temporal_order, 4),
    }
    quick = memory.conditions(True)
    assert {(s["task"], s["T"]) for s in quick.values()} == {
        ("first_symbol", 10),
        ("adding", 25),
        ("temporal_order", 25),
    }


@pytest.mark.parametrize(
    ("needed", "expected"),
    [
        ([640, 320], {"solved": True, "sequences": 320, "learning_rate": 3e-3}),
        ([320, 640], {"solved": True, "sequences": 320, "learning_rate": 1e-3}),
        ([None, 960], {"solved": True, "sequences": 960, "learning_rate": 3e-3}),
        ([960, None], {"solved": True, "sequences": 960, "learning_rate": 1e-3}),
        ([None, None], {"solved": False, "sequences": None, "learning_rate": None}),
    ],
)
def test_the_rate_that_solves_the_task_first_counts(needed, expected):
    of_rate = dict(zip((1e-3, 3e-3), needed, strict=True))

    def sequences_needed(settings, seed, rate):
        assert (settings, seed) == ({"T": 5}, 7)
        return of_rate[rate]

    with patch.object(memory, "sequences_needed", sequences_needed):
        result = memory.run({"T": 5}, 7, False)
    assert result == {**expected, "sequences_by_rate": needed}


def needed(task, good, updates=250, rate=1e-3, seed=0):
    """`sequences_needed` of a cell that is not trained: its evaluations are good as `good` says.

    Also what the optimizer was given, and the batches that were drawn.
    """
    outputs = {"first_symbol": 2, "adding": 1, "temporal_order": 4}[task]
    done = SimpleNamespace(steps=0, evaluations=0, batches=[], rates=set(), given=[])

    def batch(T, N, rng):
        done.batches.append((T, N, float(rng.random())))
        targets = np.full(N, 1.0) if outputs == 1 else np.arange(N) % outputs
        return Sequences(np.zeros((T, N, 2), np.float32), targets)

    def predict(parameters, xs):
        answers = good[done.evaluations]
        done.evaluations += 1
        return answers(xs.shape[1]), None, None

    def gradients_of(parameters, sequences):
        assert parameters["W_out"].shape[0] == outputs and sequences.xs.shape[1] == 32
        return {"w": np.array([3.0, 4.0])}

    class Optimizer:
        def __init__(self, rate):
            done.rates.add(rate)

        def step(self, parameters, gradients):
            done.steps += 1
            done.given.append(gradients["w"])

    with (
        patch.dict(memory.TASKS, {task: (batch, outputs)}),
        patch.object(memory, "predict", predict),
        patch.object(memory, "gradients_of", gradients_of),
        patch.object(memory, "Adam", Optimizer),
    ):
        settings = {"task": task, "T": 5, "updates": updates, "model": "rnn"}
        return memory.sequences_needed(settings, seed, rate), done


def right(share, classes=2):
    """Answers of which this share is right."""

    def answers(N):
        table = np.eye(classes)[np.arange(N) % classes]
        wrong = N - round(share * N)
        table[:wrong] = np.roll(table[:wrong], 1, axis=1)
        return table

    return answers


def off(squared):
    """Answers to targets of 1 with this mean squared error; their mean error is 0."""

    def answers(N):
        signs = np.where(np.arange(N) % 2, 1.0, -1.0)
        return (1 + signs * np.sqrt(squared))[:, np.newaxis]

    return answers


# 254 of 256 right answers are more than 99 %, 253 are less.
GOOD, BAD = right(254 / 256), right(253 / 256)


def test_a_task_is_solved_by_two_good_evaluations_in_a_row():
    sequences, done = needed("first_symbol", [GOOD, BAD, GOOD, GOOD, BAD])
    assert sequences == 100 * 32  # of 32 sequences each update, evaluated every 25
    assert done.steps == 100 and done.evaluations == 4
    sequences, done = needed("first_symbol", [GOOD, BAD] * 5)
    assert sequences is None and done.steps == 250 and done.evaluations == 10
    assert needed("first_symbol", [BAD] * 8 + [GOOD] * 2)[0] == 250 * 32  # the last chance
    assert needed("temporal_order", [right(254 / 256, 4)] * 2)[0] == 50 * 32
    assert needed("temporal_order", [right(253 / 256, 4)] * 2, updates=50)[0] is None


def test_adding_is_solved_at_a_mean_squared_error_below_a_hundredth():
    assert needed("adding", [off(0.0099)] * 2)[0] == 50 * 32
    assert needed("adding", [off(0.0101)] * 2, updates=50)[0] is None


def test_every_batch_is_new_and_comes_from_the_seed():
    _, done = needed("first_symbol", [GOOD] * 2)
    assert [N for _, N, _ in done.batches] == [1, *[*[32] * 25, 256] * 2]
    assert {T for T, _, _ in done.batches} == {5}
    assert len({drawn for *_, drawn in done.batches}) == len(done.batches)
    _, again = needed("first_symbol", [GOOD] * 2)
    _, other = needed("first_symbol", [GOOD] * 2, seed=1)
    assert again.batches == done.batches != other.batches


def test_gradients_are_clipped_and_the_rate_is_the_one_given():
    _, done = needed("first_symbol", [GOOD] * 2, rate=0.25)
    assert done.rates == {0.25}
    np.testing.assert_allclose(done.given, [[0.6, 0.8]] * 50)


def test_cells_start_as_their_condition_says():
    for cell, given in STARTS.items():
        parameters = memory.fresh({**given, "T": 101}, 3, 4, np.random.default_rng(0))
        init = init_rnn if given["model"] == "rnn" else init_lstm
        named = {key: given[key] for key in ("recurrent", "forget_bias") if key in given}
        expected = init(3, 32, rng=np.random.default_rng(0), **named)
        np.testing.assert_array_equal(parameters["W_x"], expected.W_x, err_msg=cell)
        np.testing.assert_array_equal(parameters["W_h"], expected.W_h, err_msg=cell)
        if cell != "lstm, chrono":
            np.testing.assert_array_equal(parameters["b"], expected.b, err_msg=cell)
        assert parameters["W_out"].shape == (4, 32) and parameters["W_out"].std() > 0.05
        assert parameters["b_out"].tolist() == [0] * 4
        assert {array.dtype for array in parameters.values()} == {np.dtype(np.float32)}
    assert parameters["b"].shape == (128,)


def test_chrono_opens_the_forget_gates_for_up_to_t_and_the_input_gates_as_little():
    forget = []
    for seed in range(30):
        parameters = memory.fresh(
            {**STARTS["lstm, chrono"], "T": 101}, 2, 1, np.random.default_rng(seed)
        )
        i, f, candidate, o = np.split(parameters["b"], 4)
        np.testing.assert_array_equal(i, -f)
        assert not candidate.any() and not o.any()
        forget.append(np.exp(f))
    steps = np.concatenate(forget)  # uniform in [1, 100]
    assert 1 <= steps.min() < 2 and 99 < steps.max() <= 100.001
    assert steps.mean() == pytest.approx(50.5, rel=0.1)


@pytest.mark.parametrize("task", ["first_symbol", "adding", "temporal_order"])
@pytest.mark.parametrize("model", ["rnn", "lstm"])
def test_gradients_are_those_of_the_tasks_loss(task, model):
    draw, outputs = memory.TASKS[task]
    rng = np.random.default_rng(0)
    batch = draw(6 if task == "first_symbol" else 20, 4, rng)
    parameters = memory.fresh({"model": model, "T": 6}, batch.xs.shape[2], outputs, rng)
    gradients = memory.gradients_of(parameters, batch)
    assert gradients.keys() == parameters.keys()
    exact = {name: array.astype(np.float64) for name, array in parameters.items()}
    xs = batch.xs.astype(np.float64)

    def loss(name, change):
        changed = {**exact, name: exact[name] + change}
        h = recurrence_forward(xs, cell_of(changed)).h_T
        answers = h @ changed["W_out"].T + changed["b_out"]
        if outputs == 1:
            return ((answers[:, 0] - batch.targets) ** 2).mean()
        log_sums = np.log(np.exp(answers).sum(axis=1))
        return (log_sums - answers[np.arange(4), batch.targets]).mean()

    for name in ("b_out", "b"):  # of the read-out, and of the cell
        steps = 1e-5 * np.eye(len(exact[name]))
        slopes = [(loss(name, step) - loss(name, -step)) / 2e-5 for step in steps]
        np.testing.assert_allclose(gradients[name], slopes, rtol=1e-3, atol=1e-5, err_msg=name)
    h = recurrence_forward(xs, cell_of(exact)).h_T
    answers, *_ = memory.predict(parameters, batch.xs)
    # In float32 an answer near 0 is as inexact as the terms that cancel in it.
    np.testing.assert_allclose(answers, h @ parameters["W_out"].T, rtol=1e-5, atol=1e-6)


def of_seeds(*needed):
    return [{"solved": n is not None, "sequences": n} for n in needed]


def test_the_summary_counts_the_seeds_that_solve_a_task():
    summary = memory.summarize(
        trials({"some": of_seeds(9600, None, 320, 6400, None), "none": of_seeds(None, None)})
    )
    assert summary["some"] == {
        "seeds": 5,
        "solved": 0.6,
        "median_sequences": 6400,
        "solved_by_and_after": "3, 6,400",
    }
    assert summary["none"] == {
        "seeds": 2,
        "solved": 0.0,
        "median_sequences": None,
        "solved_by_and_after": "0",
    }


def test_the_figure_has_a_panel_for_each_task_and_a_line_for_each_cell():
    cells = list(STARTS)

    def share(settings):
        """Seeds of four that solve it; different for each task, length and cell."""
        if settings["T"] > 50:
            return 0
        return (list(memory.TASKS).index(settings["task"]) + cells.index(settings["cell"])) % 5

    results = {
        name: of_seeds(*[320 if seed < share(settings) else None for seed in range(4)])
        for name, settings in CONDITIONS.items()
    }
    figure, names = drawn(memory.draw, trials(results, CONDITIONS)), list(map(name_of, cells))
    titles = [axes.get_title() for axes in figure.axes]
    assert titles == ["first symbol", "adding", "temporal order"]
    for panel, (task, axes) in enumerate(zip(memory.TASKS, figure.axes, strict=True)):
        lengths = memory.LENGTHS[task]
        assert list(labelled(axes)) == names
        for k, line in enumerate(axes.lines):
            expected = [(panel + k) % 5 / 4 if T <= 50 else 0 for T in lengths]
            aside = 1.03 ** (k - 2.5)
            np.testing.assert_allclose(line.get_xdata(), [aside * T for T in lengths])
            assert line.get_ydata().tolist() == expected
            color, dashes, marker = CELLS[cells[k]]
            assert (color_of(line), line.get_marker()) == (color, marker)
            assert line.get_linestyle() == ("-" if dashes == "solid" else "--")
        low, high = axes.get_ylim()
        assert low < -0.03 and high > 1.03  # no mark is cut
        assert axes.get_xscale() == "log" and axes.get_xlabel() == "steps, T"
        assert tick_labels(axes, "x") == {float(T): str(T) for T in lengths}
    assert figure.axes[0].get_ylabel() == "share of seeds that solve it"
    assert [text.get_text() for text in figure.legends[0].get_texts()] == names


def test_the_page_says_what_the_results_say():
    recorded, page = contents("memory"), prose("memory")

    def solved(task, cell):
        """By the length: seeds of five that solve the task."""
        return {
            T: round(5 * recorded["summary"][f"{task}, {cell}, T={T}"]["solved"])
            for T in memory.LENGTHS[task]
        }

    def needed(task, cell, T):
        return recorded["summary"][f"{task}, {cell}, T={T}"]["median_sequences"]

    assert "At first symbol the start decides more than the cell." in page
    assert "With b_f = 0 the LSTM fails from T = 40 on, where" in page
    assert "the orthogonal vanilla RNN still solves it in four seeds of five" in page
    assert "with b_f = 1 it goes to 80, with b_f = 3 to 160." in page
    first = {cell: solved("first_symbol", cell) for cell in STARTS}
    assert first["lstm, b_f=0"] == {10: 5, 20: 5, 40: 0, 80: 0, 160: 0}
    assert first["rnn, orthogonal"][40] == 4
    assert first["lstm, b_f=1"] == {10: 5, 20: 5, 40: 5, 80: 5, 160: 0}
    assert set(first["lstm, b_f=3"].values()) == {5}
    assert "needs the fewest sequences at T = 50 and 100, and no more than any other at 25." in page
    for T in memory.LENGTHS["adding"]:
        chrono, *others = (needed("adding", cell, T) for cell in reversed(STARTS))
        fewest = min(other for other in others if other)
        assert chrono < fewest or (chrono == fewest and T == 25)
    assert "In first symbol b_f = 3 needs fewer at every T." in page
    for T in memory.LENGTHS["first_symbol"]:
        b_3, chrono = (needed("first_symbol", f"lstm, {of}", T) for of in ("b_f=3", "chrono"))
        assert b_3 < chrono
    assert (
        "in temporal order b_f = 3 needs nearly twice the sequences of b_f = 1 at every T." in page
    )
    for T in memory.LENGTHS["temporal_order"]:
        b_1, b_3 = (needed("temporal_order", f"lstm, b_f={b}", T) for b in (1, 3))
        assert 1.7 < b_3 / b_1 < 2
    assert (
        "Adding and, at T = 100, temporal order are solved by LSTMs and by no vanilla RNN" in page
    )
    for cell in ("rnn, orthogonal", "rnn, uniform"):
        assert not any(solved("adding", cell).values()) and not solved("temporal_order", cell)[100]
    assert "solves adding at T = 100 in two seeds of five, and temporal order there in none" in page
    b_0 = [solved(task, "lstm, b_f=0")[100] for task in ("adding", "temporal_order")]
    assert b_0 == [2, 0]
    assert "no T here is too long for chrono initialisation" in page
    assert all(set(solved(task, "lstm, chrono").values()) == {5} for task in memory.TASKS)
    rates = [
        trial["result"]["learning_rate"]
        for trial in recorded["trials"]
        if trial["settings"]["model"] == "rnn" and trial["result"]["solved"]
    ]
    assert f"all but one of the {len(rates)} runs of a vanilla RNN that solved a task" in page
    assert rates.count(max(memory.RATES)) == len(rates) - 1
