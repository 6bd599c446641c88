"""A run that is killed, crowded out or led astray loses nothing that it had."""

import contextlib
import json
import multiprocessing
import os
import re
import shutil
import sys
import time

import numpy as np
import pytest

from numpy_lstm import training
from numpy_lstm.data.synthetic import synthetic_corpus
from numpy_lstm.files import read_arrays, write_atomically
from numpy_lstm.train import baselines, job
from numpy_lstm.train import folder as run_folder
from numpy_lstm.train.__main__ import main
from numpy_lstm.training import Diverged
from numpy_lstm.weights import load_weights
from tests.test_training import trained

KILLS = 30
SMALL = [
    *("--dataset", "synthetic", "--epochs", "2", "--hidden-size", "4", "--bag-size", "1"),
    *("--vector-size", "4", "--probes", "4", "--max-length", "20", "--batch-size", "8"),
]
# A child process is forked from a server that has imported all this: a start takes milliseconds.
PRELOAD = [
    "tests.train.test_nothing_lost",
    "numpy_lstm.train.progress_bar",
    "sklearn.utils.extmath",
    "tqdm",
]
PRELOAD += ["sklearn.linear_model", "sklearn.pipeline"]

pytestmark = pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGKILL and no flock")


def run(cache, largest_file, errors, arguments):
    """The command line on 96 built-in reviews, with a checkpoint after every step.

    Figures are written, but not drawn: that would take three quarters of the time.
    """
    import resource

    os.environ["NUMPY_LSTM_CACHE"] = str(cache)
    job.synthetic_corpus = lambda rng: synthetic_corpus(rng, n_train=96, n_test=40)
    job.CHECKPOINT_EVERY = 0.0
    baselines.STRENGTHS = (1.0,)
    for name in ("comparison", "gradient_norms"):
        setattr(job.figures, name, lambda path, *_: write_atomically(path, lambda file: None))
    if largest_file is not None:  # as on a disk that is full after so many bytes
        resource.setrlimit(resource.RLIMIT_FSIZE, (largest_file, largest_file))
    with (
        open(os.devnull, "w") as nowhere,
        open(errors, "w") as error_file,
        contextlib.redirect_stdout(nowhere),
        contextlib.redirect_stderr(error_file),
    ):
        sys.exit(main(arguments))


@pytest.fixture(scope="module")
def started(tmp_path_factory):
    """A function that starts the command line in a process of its own."""
    work = tmp_path_factory.mktemp("started")
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOAD)

    def start(folder, *arguments, largest_file=None):
        arguments = [*arguments, "--out", str(folder)]
        process = context.Process(
            target=run, args=(work / "cache", largest_file, work / "errors", arguments)
        )
        process.start()
        return process

    start.errors = work / "errors"
    return start


@pytest.fixture(scope="module")
def undisturbed(started, tmp_path_factory):
    """The folder of a run that nothing happened to."""
    folder = tmp_path_factory.mktemp("undisturbed") / "run"
    process = started(folder, *SMALL)
    process.join()
    assert process.exitcode == 0
    return folder


def failed(started, *arguments, **limits):
    """The one line on standard error of a run that must end with status 2."""
    process = started(*arguments, **limits)
    process.join()
    (line,) = started.errors.read_text().splitlines()
    assert process.exitcode == 2
    return line


def state_of(folder):
    """All that a run leaves behind, but for how long it took."""
    metrics = json.loads((folder / "metrics.json").read_text())
    del metrics["seconds"]
    arrays = {}
    for scores in metrics["models"].values():
        del scores["seconds"]
    for path in sorted(folder.glob("*.npz")):
        arrays |= {f"{path.name}/{name}": array for name, array in read_arrays(path).items()}
    for model in metrics["models"]:
        state = json.loads(str(arrays.pop(f"checkpoint-{model}.npz/state")))
        metrics[model] = [state["t"], [line[:4] for line in state["history"]]]
    return metrics, arrays


def assert_same_state(folder, expected):
    metrics, arrays = state_of(folder)
    expected_metrics, expected_arrays = state_of(expected)
    assert metrics == expected_metrics
    assert arrays.keys() == expected_arrays.keys()
    for name, array in arrays.items():
        np.testing.assert_array_equal(array, expected_arrays[name], err_msg=name)
    assert not list(folder.glob(".*.tmp"))


@pytest.mark.slow
def test_a_run_killed_thirty_times_ends_in_the_same_bits(started, undisturbed, tmp_path):
    begun = time.perf_counter()
    started(tmp_path / "again", *SMALL).join()
    duration = time.perf_counter() - begun
    assert_same_state(tmp_path / "again", undisturbed)

    rng = np.random.default_rng(0)
    kills, in_training, finished = 0, 0, 0
    enough = KILLS  # on a busy machine runs differ in time: then more are killed while they start
    while kills < enough or not finished:
        folder = tmp_path / f"killed-{finished}"
        is_begun = (folder / "config.json").exists()
        process = started(folder, *(["--resume"] if is_begun else SMALL))
        # At any moment, and at last not at all.
        process.join(rng.uniform(0, duration) if kills < enough else None)
        if process.exitcode is None:
            process.kill()
            process.join()
            kills += 1
            in_training += any(folder.glob("checkpoint*")) and not any(folder.glob("weights*"))
            if kills == enough < 10 * KILLS and in_training <= KILLS / 3:
                enough += 1
        else:
            assert process.exitcode == 0, started.errors.read_text()
            assert_same_state(folder, undisturbed)
            finished += 1
    assert in_training > KILLS / 3


def test_a_run_on_a_full_disk_says_so_and_goes_on_when_there_is_room(
    started, undisturbed, tmp_path
):
    folder = tmp_path / "run"
    sizes = sorted(path.stat().st_size for path in undisturbed.glob("*.npz"))
    for arguments, largest_file in ((SMALL, 1000), (["--resume"], sizes[-2])):
        line = failed(started, folder, *arguments, largest_file=largest_file)
        assert "File too large" in line and str(folder / "checkpoint") in line
        assert line.endswith(f"-m numpy_lstm.train --resume --out {folder}")
        assert not list(folder.glob(".*.tmp"))
    process = started(folder, "--resume")
    process.join()
    assert process.exitcode == 0
    assert_same_state(folder, undisturbed)


def test_what_a_killed_run_left_unfinished_is_removed(started, undisturbed, tmp_path):
    folder = tmp_path / "run"
    shutil.copytree(undisturbed, folder)
    (folder / ".checkpoint-rnn.npz.123.tmp").write_bytes(b"half")
    started(folder, "--resume").join()
    assert_same_state(folder, undisturbed)


@pytest.mark.parametrize("arguments", [[], ["--overwrite"], ["--resume"]])
def test_a_second_run_into_one_folder_is_refused(started, undisturbed, tmp_path, arguments):
    folder = tmp_path / "run"
    shutil.copytree(undisturbed, folder)
    before = (folder / "config.json").read_bytes()
    settings = [] if arguments == ["--resume"] else SMALL
    with run_folder.resumed_run(folder):
        line = failed(started, folder, *settings, *arguments)
    assert ("in use by another run" in line) == bool(arguments)
    assert ("holds the results of another run" in line) == (not arguments)
    assert (folder / "config.json").read_bytes() == before


def test_two_new_runs_at_once_cannot_share_a_folder(tmp_path):
    with run_folder.new_run(tmp_path, overwrite=False):
        with (
            pytest.raises(ValueError, match="in use by another run"),
            run_folder.new_run(tmp_path, overwrite=False),
        ):
            pass
    with run_folder.new_run(tmp_path, overwrite=False):
        pass  # free again


def test_a_diverging_run_stops_at_the_step_and_keeps_the_best_weights(started, tmp_path):
    folder = tmp_path / "run"
    # Such a rate overflows float32 in the first epoch.
    line = failed(started, folder, *SMALL, "--lr", "1e38")
    assert re.search(
        r"the loss is (nan|inf) and the gradient's norm \S+ at step \d+ of epoch 1", line
    )
    assert "No epoch had ended before. Start anew with a smaller --lr" in line
    assert sorted(path.name for path in folder.glob("weights*")) == []


def test_divergence_after_an_epoch_keeps_that_epochs_weights(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(
        job, "synthetic_corpus", lambda rng: synthetic_corpus(rng, n_train=96, n_test=40)
    )
    train = job.train

    def astray(state, splits, settings, *, after_step, after_epoch):
        def spoil(state):
            after_epoch(state)
            if state.epoch == 1:
                state.parameters["W_h"][0, 0] = np.inf

        train(state, splits, settings, after_step=after_step, after_epoch=spoil)

    monkeypatch.setattr(job, "train", astray)
    folder = tmp_path / "run"
    assert main([*SMALL, "--model", "rnn", "--out", str(folder)]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "at step 1 of epoch 2" in line
    assert re.search(r"The weights of epoch 1, the best, are kept in .*weights-rnn\.npz", line)
    load_weights(folder / "weights-rnn.npz")  # refuses what is not finite
    checkpoint = read_arrays(folder / "checkpoint-rnn.npz")
    assert all(np.isfinite(checkpoint[name]).all() for name in checkpoint if "parameters/" in name)


def test_a_validation_loss_that_is_not_finite_is_divergence(monkeypatch):
    with pytest.raises(Diverged, match="the validation loss is nan after step 13, the last of"):
        monkeypatch.setattr(training, "evaluate", lambda *_: training.Evaluation(float("nan"), 0.5))
        trained("rnn")
