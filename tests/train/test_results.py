"""What a run writes and prints: each number is that of the right epoch, model and reviews."""

import csv
import io
import json
import signal
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from dataclasses import asdict
from pathlib import Path
from typing import Any
from unittest.mock import patch

import numpy as np
import pytest

from numpy_lstm.data.corpus import Corpus, content_hash
from numpy_lstm.data.imdb import DataNotFoundError
from numpy_lstm.settings import Settings
from numpy_lstm.train import job
from numpy_lstm.train.folder import RESULTS, write_gradient_norms, write_history
from numpy_lstm.train.options import Options
from numpy_lstm.train.progress_bar import SIGNALS, Display
from numpy_lstm.training import Diverged, Epoch, Evaluation, TrainingState
from numpy_lstm.weights import load_weights
from tests.experiments.hand_made import reviews_of
from tests.train.hand_made import FAR, SETTINGS, arrays, norms_of, small_data, state_of

LOSSES = {"rnn": (0.7, 0.5, 0.6), "lstm": (0.4, 0.9, 0.8)}  # best epochs 2 and 1
SCORES = {"rnn": Evaluation(0.45, 0.25), "lstm": Evaluation(0.35, 0.75)}
BAG = {"test_accuracy": 0.5, "test_loss": 0.6, "val_accuracy": 0.7, "parameters": 4, "C": 1.0}
CONFIG = {
    "dataset": "synthetic",
    "models": ["rnn", "lstm"],
    "settings": asdict(SETTINGS),
    "content": "abc",
}


def scored(folder: Path) -> tuple[dict[str, Any], dict[str, TrainingState], str]:
    """The metrics, the states and what is printed of a run whose training is made by hand."""
    runs = {model: state_of(model, losses) for model, losses in LOSSES.items()}
    data = small_data()

    def evaluate(parameters: Any, reviews: Any, settings: Any) -> Evaluation:
        assert settings is SETTINGS
        assert reviews is data.splits.test
        (model,) = [m for m, s in runs.items() if parameters is s.best_parameters] or [None]
        assert model, "these are not the best parameters"
        return SCORES[model]

    def bag(splits: Any, vectors: Any) -> Any:
        assert splits is data.splits
        assert vectors is data.vectors
        return BAG

    def draw(*given: Any) -> None:
        assert (folder / "metrics.json").exists()
        assert given == (folder, runs, "synthetic", SETTINGS.bag_size)

    printed = io.StringIO()
    with (
        patch.object(job, "_train_model", lambda model, *_: runs[model]),
        patch.object(job, "evaluate", evaluate),
        patch.object(job, "bag_of_embeddings", bag),
        patch.object(job, "versions", lambda: {"python": "3"}),
        patch.object(job.figures, "draw", draw),
        patch.object(job.time, "perf_counter", lambda: 107.5),
        redirect_stdout(printed),
    ):
        metrics = job._train_and_score(folder, CONFIG, SETTINGS, data, Display(), 100.0)
    return metrics, runs, printed.getvalue()


def test_metrics_are_those_of_the_best_epoch_on_the_test_reviews(tmp_path: Path) -> None:
    metrics, _, _ = scored(tmp_path)
    models = metrics.pop("models")
    assert metrics == {
        "dataset": "synthetic",
        "seed": 0,
        "config": CONFIG,
        "versions": {"python": "3"},
        "seconds": 7.5,
        "sizes": {"train": 4, "validation": 2, "test": 3},
        "baselines": {"bag": BAG},
    }
    expected = {
        "rnn": {
            "test_accuracy": 0.25,
            "test_loss": 0.45,
            "val_accuracy": 0.52,
            "best_epoch": 2,
            "parameters": 12 * 3 + 2 * 3 + 2 * 2 + 2 + 2 + 1,
            "cell_parameters": 2 * 3 + 2 * 2 + 2,
            "seconds": 99.5,
            "gradient_decay_per_step": 0.62,
            "gradient_decay_per_step_at_start": 0.6,
            "gradient_20_steps_back": 0.52**20,
            "gradient_20_steps_back_at_start": 0.5**20,
        },
        "lstm": {
            "test_accuracy": 0.75,
            "test_loss": 0.35,
            "val_accuracy": 0.51,
            "best_epoch": 1,
            "parameters": 12 * 3 + 8 * 3 + 8 * 2 + 8 + 2 + 1,
            "cell_parameters": 8 * 3 + 8 * 2 + 8,
            "seconds": 99.5,
            "gradient_decay_per_step": 0.61,
            "gradient_decay_per_step_at_start": 0.6,
            "gradient_20_steps_back": 0.71**20,
            "gradient_20_steps_back_at_start": 0.7**20,
        },
    }
    assert list(models) == ["rnn", "lstm"]
    for model, scores in expected.items():
        assert models[model].keys() == scores.keys()
        for name, value in scores.items():
            assert np.isclose(models[model][name], value, rtol=1e-9), (model, name)


def test_the_files_hold_what_the_run_returns_and_prints(tmp_path: Path) -> None:
    metrics, _, printed = scored(tmp_path)
    assert json.loads((tmp_path / "metrics.json").read_text()) == metrics
    assert printed == job.table(metrics) + "\n"
    assert {path.name for path in tmp_path.iterdir()} == {
        *("metrics.json", "history.csv", "gradient_norms.npz", "weights-rnn.npz"),
        "weights-lstm.npz",
    }
    with np.load(tmp_path / "gradient_norms.npz") as norms:
        # The probes have four words after the cut, in bags of three: two steps.
        assert norms["lengths"].tolist() == [2, 2]


def test_each_weights_file_has_its_models_best_weights_and_all_they_need(tmp_path: Path) -> None:
    scored(tmp_path)
    for model in LOSSES:
        weights = load_weights(tmp_path / f"weights-{model}.npz")
        for name, array in arrays(model, 2000).items():
            np.testing.assert_array_equal(weights.parameters[name], array)
        assert weights.settings == SETTINGS
        assert weights.vocabulary.words == small_data().vocabulary.words
        assert weights.classes == ("negative", "positive")
        assert weights.dataset == "synthetic"


def test_history_has_every_column_under_its_name(tmp_path: Path) -> None:
    histories = {m: state_of(m, losses).history[:2] for m, losses in LOSSES.items()}
    write_history(tmp_path / "h.csv", histories)
    assert (tmp_path / "h.csv").read_bytes() == (
        b"model,epoch,train_loss,val_loss,val_accuracy,seconds,tokens_per_second\n"
        b"rnn,1,11.0,0.7,0.51,21.0,31.0\n"
        b"rnn,2,12.0,0.5,0.52,22.0,32.0\n"
        b"lstm,1,11.0,0.4,0.51,21.0,31.0\n"
        b"lstm,2,12.0,0.9,0.52,22.0,32.0\n"
    )
    with open(tmp_path / "h.csv", newline="") as file:
        assert next(csv.DictReader(file))["val_loss"] == "0.7"


def test_norms_are_kept_by_model_state_epoch_distance_and_review(tmp_path: Path) -> None:
    eleven = tuple(2.0 - k % 8 / 8 for k in range(11))
    runs = {"rnn": state_of("rnn", eleven), "lstm": state_of("lstm", LOSSES["lstm"])}
    write_gradient_norms(tmp_path / "g.npz", runs, np.array([FAR, FAR]))
    with np.load(tmp_path / "g.npz") as norms:
        assert {*norms} == {
            *("lengths", "rnn_h", "rnn_x", "rnn_best_epoch"),
            *("lstm_h", "lstm_c", "lstm_x", "lstm_best_epoch"),
        }
        assert norms["rnn_h"].shape == (12, FAR, 2)
        for model in runs:
            for epoch in range(len(norms[f"{model}_h"])):
                for name, array in norms_of(model, epoch)._asdict().items():
                    if array is not None:
                        np.testing.assert_array_equal(norms[f"{model}_{name}"][epoch], array)
        assert norms["lengths"].tolist() == [FAR, FAR]
        assert (norms["rnn_best_epoch"], norms["lstm_best_epoch"]) == (8, 1)


def test_a_number_that_is_none_is_null_and_no_nan() -> None:
    assert job._number(float("nan")) is None
    assert job._number(float("inf")) is None
    assert job._number(0.0) == 0.0


# --- the training of one model -------------------------------------------------------------------


class Listener(Display):
    """A display that notes what it is told."""

    def __init__(self, *, stop: bool = False) -> None:
        super().__init__(bar=False)
        self.told: list[Any] = []
        self.stop_after_a_step = stop

    @contextmanager
    def training(self, model: str, state: TrainingState, settings: Settings) -> Iterator[None]:
        self.told.append(model)
        yield

    def step(self, state: TrainingState, steps: int, loss: float, accuracy: float) -> None:
        self.told.append((steps, loss, accuracy))
        self.stop_requested = self.stop_after_a_step

    def epoch(self, state: TrainingState) -> None:
        self.told.append(state.history[-1].epoch)


def train_model(folder: Path, train: Any, display: Display, model: str = "rnn") -> TrainingState:
    with patch.object(job, "train", train):
        return job._train_model(model, small_data(), SETTINGS, CONFIG, folder, display)


def one_epoch(state: TrainingState, *_: Any, after_step: Any, after_epoch: Any) -> None:
    """Two steps of an epoch, of which the second is not made after a stop."""
    for _ in range(2):
        state.step += 1
        state.reviews += 2
        state.optimizer.t += 1
        state.epoch_seconds += 0.5
        state.optimizer.m = state.optimizer.v = arrays("rnn", state.step)
        if not after_step(state, 2, 0.5, 0.75):
            return
    state.step, state.reviews, state.epoch_seconds = 0, 0, 0.0
    state.epoch = SETTINGS.epochs  # the last one
    state.history = [Epoch(k, 1.0, 1.0 / k, 0.5, 1.0, 1.0) for k in range(1, state.epoch + 1)]
    state.norms = [norms_of("rnn", k) for k in range(state.epoch + 1)]
    state.optimizer.t = 2 * state.epoch
    after_epoch(state)


def test_a_checkpoint_is_written_after_every_epoch_and_then_only_as_often_as_said(
    tmp_path: Path,
) -> None:
    for seconds, clock, times in (
        (0.0, range(10), 3),  # after both steps and at the end
        (3.5, (0, 5, 6, 7, 8, 9), 2),  # not again a moment later
        (1e9, range(10), 1),
    ):
        display, saved = Listener(), []
        with (
            patch.object(job, "CHECKPOINT_EVERY", seconds),
            patch.object(job, "save_checkpoint", lambda *given, s=saved: s.append(given)),
            patch.object(job.time, "monotonic", iter(clock).__next__),
        ):
            state = train_model(tmp_path, one_epoch, display)
        assert display.told == ["rnn", (2, 0.5, 0.75), (2, 0.5, 0.75), SETTINGS.epochs]
        assert len(saved) == times
        for path, what, which in saved:
            assert path == tmp_path / "checkpoint-rnn.npz"
            assert what is state
            run = {"model": "rnn", "dataset": "synthetic", "models": ["rnn", "lstm"]}
            assert which == {**run, "content": "abc", **asdict(SETTINGS)}
    assert job.CHECKPOINT_EVERY == 120


def test_a_stop_saves_and_the_next_call_goes_on_from_there(tmp_path: Path) -> None:
    begun = state_of("rnn", (0.5, 0.6))

    def stops(state: TrainingState, *_: Any, **__: Any) -> None:
        vars(state).update(vars(begun))

    with pytest.raises(job.Stopped):
        train_model(tmp_path, stops, Listener())
    seen = []

    def goes_on(state: TrainingState, *_: Any, **__: Any) -> None:
        seen.append(state)

    with pytest.raises(job.Stopped):
        train_model(tmp_path, goes_on, Listener())
    assert [(s.epoch, s.step, s.seconds, s.optimizer.t) for s in seen] == [(2, 1, 99.5, 5)]
    np.testing.assert_array_equal(seen[0].best_parameters["W_h"], begun.best_parameters["W_h"])
    np.testing.assert_array_equal(seen[0].parameters["W_h"], begun.parameters["W_h"])


def test_a_request_to_stop_ends_the_training_after_the_step_and_is_saved(tmp_path: Path) -> None:
    display = Listener(stop=True)
    with pytest.raises(job.Stopped):
        train_model(tmp_path, one_epoch, display)
    assert display.told == ["rnn", (2, 0.5, 0.75)]
    with np.load(tmp_path / "checkpoint-rnn.npz") as stored:
        assert json.loads(str(stored["state"]))["step"] == 1


def test_a_run_that_diverges_keeps_the_best_weights_and_not_the_last(tmp_path: Path) -> None:
    def diverges(state: TrainingState, *_: Any, **__: Any) -> None:
        vars(state).update(vars(state_of("rnn", (0.7, 0.5, 0.6))))
        raise Diverged("the loss is nan")

    try:
        train_model(tmp_path, diverges, Listener())
    except Diverged as error:
        assert "the loss is nan. The weights of epoch 2, the best, are kept in" in str(error)
    else:
        raise AssertionError("no error")
    weights = load_weights(tmp_path / "weights-rnn.npz")
    np.testing.assert_array_equal(weights.parameters["W_h"], arrays("rnn", 2000)["W_h"])
    assert weights.dataset == "synthetic"


# --- which run it is -----------------------------------------------------------------------------


def corpus(name: str = "synthetic", source: str | None = None) -> Corpus:
    none = reviews_of([-1], [0])
    return Corpus(
        name, ["a", "b"], reviews_of([1, 0], [0], [1]), reviews_of([1], [1]), none, source
    )


def ran(
    folder: Path, options: Options, started: dict[str, Any] | None, found: Corpus
) -> list[tuple[Any, ...]]:
    """The calls of a run's parts that take what was asked for."""
    calls: list[tuple[Any, ...]] = []

    def load(*given: Any) -> Corpus:
        calls.append(given)
        return found

    with (
        patch.object(job, "load_corpus", load),
        patch.object(job, "prepare", lambda *given: given),
        patch.object(job, "_train_and_score", lambda *given: calls.append(given) or {}),
    ):
        job.run(options, folder, started, Display())
    return calls


def test_a_new_run_notes_what_it_is_and_removes_what_was_there(tmp_path: Path) -> None:
    for name in (*RESULTS, "mine.txt"):
        (tmp_path / name).write_text("old")
    options = Options("auto", "here", ("lstm",), {"seed": 7, "learning_rate": 0.25})
    found = corpus(source="/there")
    load, train = ran(tmp_path, options, None, found)
    assert load == ("auto", "here", 7)
    settings = Settings.for_dataset("synthetic", seed=7, learning_rate=0.25)
    config = {
        "dataset": "synthetic",
        "models": ["lstm"],
        "settings": asdict(settings),
        "content": content_hash(found),
    }
    assert train[:4] == (tmp_path, config, settings, (found, settings))
    assert json.loads((tmp_path / "config.json").read_text()) == {**config, "source": "/there"}
    assert sorted(path.name for path in tmp_path.iterdir()) == ["config.json", "mine.txt"]


def started_of(found: Corpus, **settings: Any) -> dict[str, Any]:
    return {
        "dataset": found.name,
        "models": ["lstm"],
        "settings": asdict(Settings(**settings)),
        "content": content_hash(found),
        "source": None,
    }


def test_a_resumed_run_is_the_run_that_was_started_and_removes_nothing(tmp_path: Path) -> None:
    for name in RESULTS:
        (tmp_path / name).write_text("old")
    found = corpus("imdb")
    started = started_of(found, seed=3, epochs=2, bag_size=1)
    load, train = ran(tmp_path, Options("auto", None, None, {}), started, found)
    assert load == ("imdb", None, 3, "`--data`")
    load, _ = ran(tmp_path, Options("auto", "x", None, {}), started, found)
    assert load == ("imdb", "x", 3, "`--data`")
    assert train[2] == Settings(seed=3, epochs=2, bag_size=1)
    assert train[1] == {name: started[name] for name in CONFIG}
    assert {path.name: path.read_text() for path in tmp_path.iterdir()} == dict.fromkeys(
        RESULTS, "old"
    )


def test_a_resumed_run_on_other_reviews_is_refused(tmp_path: Path) -> None:
    found = corpus()
    started = {**started_of(found), "content": "0" * 64}
    try:
        ran(tmp_path, Options("auto", None, None, {}), started, found)
    except ValueError as error:
        assert "other reviews than the run in" in str(error)
    else:
        raise AssertionError("other reviews were taken")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (Options("auto", None, None, {"learning_rate": 0.5}), "`--lr` is 0.5, but"),
        (Options("auto", None, None, {"seed": 4}), "started with 3"),
        (Options("synthetic", None, None, {}), "`--dataset` is synthetic"),
        (Options("auto", None, ("rnn",), {}), "`--model` is rnn"),
        (Options("auto", None, ("rnn", "lstm"), {}), "`--model` is both"),
    ],
)
def test_a_resumed_run_takes_no_other_settings(given: Options, words: str, tmp_path: Path) -> None:
    found = corpus("reviews")
    try:
        ran(tmp_path, given, started_of(found, seed=3), found)
    except ValueError as error:
        assert words in str(error)
    else:
        raise AssertionError("other settings were taken")


def test_a_setting_that_an_earlier_version_did_not_store_has_its_default(tmp_path: Path) -> None:
    found = corpus("reviews")
    started = started_of(found)
    del started["settings"]["probes"]
    assert ran(tmp_path, Options("auto", None, None, {"probes": Settings.probes}), started, found)
    with pytest.raises(ValueError, match=r"`--probes` is 9, but .* was started with 256"):
        ran(tmp_path, Options("auto", None, None, {"probes": 9}), started, found)


def test_a_resumed_run_may_be_told_again_what_it_is(tmp_path: Path) -> None:
    found = corpus("reviews")
    given = Options("imdb", None, ("lstm",), {"seed": 3, "epochs": 5})
    assert ran(tmp_path, given, started_of(found, seed=3), found)


def loaded(dataset: str, seed: int, imdb: Any) -> tuple[Any, list[str]]:
    """The reviews, and the lines that are printed."""
    printed = io.StringIO()
    with (
        patch.object(job, "load_imdb", imdb),
        patch.object(job, "synthetic_corpus", lambda rng: ("synthetic", rng.integers(10**9))),
        redirect_stdout(printed),
    ):
        return job.load_corpus(dataset, None, seed), printed.getvalue().splitlines()


def not_here(*_: Any, **__: Any) -> Corpus:
    raise DataNotFoundError("IMDB is not here")


def test_the_first_line_says_which_reviews_are_read() -> None:
    drawn = np.random.default_rng(5).integers(10**9)
    assert loaded("synthetic", 5, not_here) == (
        ("synthetic", drawn),
        ["Data set: built-in reviews (synthetic)"],
    )
    assert loaded("auto", 5, not_here) == (
        ("synthetic", drawn),
        [
            "Data set: BUILT-IN REVIEWS (synthetic), because IMDB could not be had.",
            "IMDB is not here",
        ],
    )
    for name, called in (("imdb", "IMDB (Maas et al., 2011)"), ("reviews", "reviews")):
        found = corpus(name, "/there")
        lines = [f"Data set: {called}, from /there"]
        assert loaded("auto", 0, lambda *_, c=found, **__: c) == (found, lines)
    none = found.unlabeled._replace(labels=np.zeros(0, np.int8))
    _, lines = loaded("imdb", 0, lambda *_, **__: found._replace(unlabeled=none))
    assert lines[1].startswith("It has no unlabeled reviews")
    with pytest.raises(DataNotFoundError):
        loaded("imdb", 0, not_here)


def test_a_resumed_run_looks_for_its_reviews_where_they_were(tmp_path: Path) -> None:
    with patch.object(job, "load_corpus", lambda *given: given):
        started = {"dataset": "reviews", "source": str(tmp_path), "settings": {"seed": 9}}
        where = f"`source` in {tmp_path / 'config.json'}"
        assert job._load_again(started, None, tmp_path) == ("reviews", str(tmp_path), 9, where)
        assert job._load_again(started, "x", tmp_path) == ("reviews", "x", 9, "`--data`")
        gone = {**started, "dataset": "imdb", "source": str(tmp_path / "gone")}
        assert job._load_again(gone, None, tmp_path) == ("imdb", None, 9, "`--data`")


# --- the terminal --------------------------------------------------------------------------------


def test_an_epochs_line_has_the_validation_scores_of_that_epoch() -> None:
    state = state_of("lstm", (0.7, 0.5))
    printed, display = io.StringIO(), Display(bar=False)
    with redirect_stdout(printed), display.training("lstm", state, SETTINGS):
        display.epoch(state)
    assert printed.getvalue() == (
        "LSTM epoch 2/12: loss 12.0000, validation loss 0.5000, accuracy 52.00 %, 22 s\n"
    )


def test_the_bar_stands_where_the_run_stands() -> None:
    state = state_of("rnn", (0.7, 0.5))
    state.step, state.reviews, state.loss_sum = 10, 20, 5.0
    with redirect_stderr(io.StringIO()):
        display = Display(bar=True)
        with display.training("rnn", state, SETTINGS):
            bar = display._bar
            assert bar.desc.startswith("RNN  epoch 3/12")
            display.step(state, 40, 0.5, 1.0)
            assert (bar.n, bar.total) == (2 * 40 + 10, 12 * 40)
            assert bar.desc == "RNN  epoch 3/12"
            assert bar.postfix == "loss 0.250, accuracy 51 %"


def test_signals_have_their_handlers_back_after_a_run() -> None:
    numbers = [getattr(signal, name) for name in SIGNALS if hasattr(signal, name)]
    with ExitStack() as restored:
        for number in numbers:
            before = signal.signal(number, lambda *_: None)
            restored.callback(signal.signal, number, before)
        ours = [signal.getsignal(number) for number in numbers]
        with Display(bar=False).listening():
            assert all(signal.getsignal(n) not in ours for n in numbers)
        assert [signal.getsignal(number) for number in numbers] == ours
        with pytest.raises(OSError), Display(bar=False).listening():
            raise OSError
        assert [signal.getsignal(number) for number in numbers] == ours


def test_whatever_ends_a_process_is_heard_unless_it_is_ignored() -> None:
    assert SIGNALS == ("SIGINT", "SIGTERM", "SIGHUP")
    before = signal.signal(signal.SIGTERM, signal.SIG_IGN)  # as under nohup
    try:
        with Display(bar=False).listening():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_first_signal_in_training_is_a_request_and_any_other_an_interrupt() -> None:
    state = state_of("rnn", (0.7,))

    def interrupted() -> bool:
        try:
            signal.raise_signal(signal.SIGTERM)
        except KeyboardInterrupt:
            return True
        return False

    before = signal.signal(signal.SIGTERM, lambda *_: None)
    try:
        display = Display(bar=False)
        with display.listening():
            with display.training("rnn", state, SETTINGS):
                assert not interrupted()
                assert display.stop_requested
                assert interrupted()
            display.stop_requested = False
            assert interrupted()
            assert not display.stop_requested
    finally:
        signal.signal(signal.SIGTERM, before)
