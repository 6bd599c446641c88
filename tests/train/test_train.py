"""The command line as a user meets it."""

import csv
import errno
import io
import json
import os
import re
import signal
import subprocess
import sys

import numpy as np
import pytest

from numpy_lstm.train import job
from numpy_lstm.train.__main__ import main

SMALL = [
    *("--dataset", "synthetic", "--epochs", "2", "--hidden-size", "8"),
    *("--vector-size", "6", "--probes", "20", "--max-length", "40"),
]


@pytest.fixture(autouse=True)
def small_corpus(monkeypatch, tmp_path_factory):
    """A few hundred built-in reviews, and no cache or data but the test's own.

    Figures are written, but only `finished` draws them: that is most of a small run's time.
    """
    from numpy_lstm.data.synthetic import synthetic_corpus

    for name in ("comparison", "gradient_norms"):
        monkeypatch.setattr(job.figures, name, lambda path, *_: path.touch())
    monkeypatch.setattr(
        job, "synthetic_corpus", lambda rng: synthetic_corpus(rng, n_train=300, n_test=100)
    )
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.delenv("NUMPY_LSTM_IMDB", raising=False)


@pytest.fixture(scope="module")
def finished(tmp_path_factory):
    """The folder of a finished small run."""
    folder = tmp_path_factory.mktemp("finished")
    with pytest.MonkeyPatch.context() as patch:
        from numpy_lstm.data.synthetic import synthetic_corpus

        patch.setattr(
            job, "synthetic_corpus", lambda rng: synthetic_corpus(rng, n_train=300, n_test=100)
        )
        patch.setenv("NUMPY_LSTM_CACHE", str(folder / "cache"))
        assert main([*SMALL, "--out", str(folder / "run")]) == 0
    return folder / "run"


def read_metrics(folder):
    return json.loads((folder / "metrics.json").read_text())


def without_times(metrics):
    del metrics["seconds"]
    for scores in metrics["models"].values():
        del scores["seconds"]
    return metrics


def error_of(capsys, *arguments):
    """The single line on standard error of a call that must end with status 2."""
    try:
        status = main(list(arguments))
    except SystemExit as end:
        status = end.code
    assert status == 2
    lines = capsys.readouterr().err.splitlines()
    lines = [line for line in lines if not line.startswith("usage:")]
    assert len(lines) == 1, lines
    return lines[0]


def test_a_run_leaves_the_files_of_the_contract(finished):
    for name in (
        "metrics.json",
        "history.csv",
        "gradient_norms.npz",
        "lstm_rnn_performance_comparison.png",
        "gradient_norms.png",
        "weights-rnn.npz",
        "weights-lstm.npz",
    ):
        assert (finished / name).stat().st_size > 0


def test_metrics_hold_what_the_contract_names(finished):
    metrics = read_metrics(finished)
    assert metrics["dataset"] == "synthetic"
    assert metrics["seed"] == 0
    assert set(metrics) >= {"config", "versions", "seconds", "sizes", "models"}
    sizes = metrics["sizes"]
    assert sizes["train"] + sizes["validation"] == 300
    assert sizes["test"] == 100
    for model in ("rnn", "lstm"):
        scores = metrics["models"][model]
        assert 0 <= scores["test_accuracy"] <= 1
        assert scores["best_epoch"] in (1, 2)
        assert scores["parameters"] > 0
        assert np.isfinite(scores["gradient_decay_per_step"])
    assert 0 <= metrics["baselines"]["bag"]["test_accuracy"] <= 1


def test_the_lstm_has_four_times_the_cell_parameters_of_the_rnn(finished):
    models = read_metrics(finished)["models"]
    assert models["lstm"]["cell_parameters"] == 4 * models["rnn"]["cell_parameters"]


def test_history_has_a_line_for_each_model_and_epoch(finished):
    with open(finished / "history.csv", newline="") as file:
        lines = list(csv.DictReader(file))
    assert [(line["model"], line["epoch"]) for line in lines] == [
        ("rnn", "1"),
        ("rnn", "2"),
        ("lstm", "1"),
        ("lstm", "2"),
    ]
    assert set(lines[0]) == {
        *("model", "epoch", "train_loss", "val_loss", "val_accuracy"),
        *("seconds", "tokens_per_second"),
    }


def test_gradient_norms_are_saved_by_epoch_distance_and_review(finished):
    with np.load(finished / "gradient_norms.npz") as norms:
        lengths = norms["lengths"]
        for name in ("rnn_h", "rnn_x", "lstm_h", "lstm_c", "lstm_x"):
            assert norms[name].shape == (3, lengths.max(), len(lengths))
            assert norms[name].dtype == np.float64
            assert (norms[name][:, 0] > 0).all()
        assert "rnn_c" not in norms


def test_the_same_seed_gives_the_same_metrics_to_the_last_digit(finished, tmp_path):
    assert main([*SMALL, "--out", str(tmp_path / "again")]) == 0
    assert without_times(read_metrics(tmp_path / "again")) == without_times(read_metrics(finished))


def test_another_run_is_never_overwritten_unless_asked(finished, tmp_path, capsys):
    before = (finished / "metrics.json").read_bytes()
    message = error_of(capsys, *SMALL, "--out", str(finished))
    assert "--overwrite" in message and "--resume" in message
    assert (finished / "metrics.json").read_bytes() == before
    out = str(tmp_path / "out")
    assert main([*SMALL, "--model", "rnn", "--out", out]) == 0
    assert main([*SMALL, "--model", "lstm", "--out", out, "--overwrite"]) == 0
    assert list(read_metrics(tmp_path / "out")["models"]) == ["lstm"]
    assert not (tmp_path / "out" / "weights-rnn.npz").exists()


def test_a_run_that_was_interrupted_resumes_to_the_same_metrics(finished, tmp_path, capsys):
    out = str(tmp_path / "out")

    class Impatient(job.Display):
        steps = 0

        def step(self, *arguments):
            super().step(*arguments)
            self.steps += 1
            self.stop_requested = self.steps == 7

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("numpy_lstm.train.progress_bar.Display", Impatient)
        assert main([*SMALL, "--out", out]) == 130
        assert f"--resume --out {out}" in capsys.readouterr().out
        assert not (tmp_path / "out" / "metrics.json").exists()
        assert main(["--resume", "--out", out]) == 130
    assert main(["--resume", "--out", out]) == 0
    assert without_times(read_metrics(tmp_path / "out")) == without_times(read_metrics(finished))


@pytest.mark.skipif(os.name == "nt", reason="Windows sends Ctrl-C another way")
def test_ctrl_c_leaves_a_state_that_resumes(tmp_path):
    command = [sys.executable, "-m", "numpy_lstm.train", *SMALL, "--out", str(tmp_path / "out")]
    command += ["--epochs", "1000", "--patience", "0"]
    before = signal.signal(signal.SIGINT, signal.SIG_DFL)  # a child ignores what its parent ignores
    run = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    signal.signal(signal.SIGINT, before)
    with run:
        while "epoch 1/" not in run.stdout.readline():
            assert run.poll() is None
        run.send_signal(signal.SIGINT)
        last = run.stdout.read().splitlines()[-1]
    assert run.returncode == 130
    assert re.fullmatch(
        r"Stopped\. Go on with: \S*python\S* -m numpy_lstm\.train --resume .*", last
    )


def test_a_resumed_run_keeps_its_settings(finished, capsys):
    message = error_of(capsys, "--resume", "--out", str(finished), "--hidden-size", "9")
    assert "--hidden-size" in message and "8" in message


def test_a_damaged_checkpoint_is_named(tmp_path, capsys):
    assert main([*SMALL, "--model", "rnn", "--out", str(tmp_path)]) == 0
    checkpoint = tmp_path / "checkpoint-rnn.npz"
    checkpoint.write_bytes(checkpoint.read_bytes()[:1000])
    assert "checkpoint-rnn.npz is damaged" in error_of(capsys, "--resume", "--out", str(tmp_path))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--epochs", "0"], "--epochs"),
        (["--bag-size", "-1"], "--bag-size"),
        (["--hidden-size", "0"], "--hidden-size"),
        (["--batch-size", "0"], "--batch-size"),
        (["--max-length", "0"], "--max-length"),
        (["--vocabulary-size", "2"], "--vocabulary-size"),
        (["--seed", "-1"], "--seed"),
        (["--lr", "0"], "--lr"),
        (["--lr", "nan"], "--lr"),
        (["--clip", "-1"], "--clip"),
        (["--dropout", "1"], "--dropout"),
        (["--validation-fraction", "1"], "--validation-fraction"),
        (["--hidden-size", "many"], "--hidden-size"),
        (["--readout", "first"], "--readout"),
        (["--resume"], "--out"),
        (["--resume", "--overwrite", "--out", "x"], "--overwrite"),
        (["--nonsense"], "--nonsense"),
        (["--dataset", "imdb", "--data", "nowhere.tar.gz"], "nowhere.tar.gz"),
        (["--resume", "--out", "no-such-run"], "no-such-run"),
    ],
)
def test_bad_options_end_with_one_clear_line(arguments, words, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert words in error_of(capsys, *arguments)
    assert list(tmp_path.iterdir()) == []  # and leave nothing behind


def test_an_out_that_is_a_file_is_refused(tmp_path, capsys):
    (tmp_path / "file").touch()
    assert "is a file" in error_of(capsys, *SMALL, "--out", str(tmp_path / "file"))


def test_a_full_disk_is_an_error_and_not_a_traceback(tmp_path, capsys, monkeypatch):
    def full(path, arrays):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    monkeypatch.setattr("numpy_lstm.train.checkpoint.write_arrays", full)
    assert "No space left on device" in error_of(capsys, *SMALL, "--out", str(tmp_path / "out"))


def no_network(*_, **__):
    from numpy_lstm.data.imdb import DataNotFoundError

    raise DataNotFoundError("IMDB is not here. Three ways to supply it: …")


def test_auto_without_imdb_says_so_first_and_goes_on(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(job, "load_imdb", no_network)
    assert main(["--dataset", "auto", *SMALL[2:], "--model", "rnn", "--out", str(tmp_path)]) == 0
    first, second, *_ = capsys.readouterr().out.splitlines()
    assert "BUILT-IN REVIEWS" in first
    assert "Three ways" in second
    assert read_metrics(tmp_path)["dataset"] == "synthetic"


def test_imdb_never_falls_back(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(job, "load_imdb", no_network)
    assert "Three ways" in error_of(capsys, "--dataset", "imdb", "--out", str(tmp_path / "out"))
    assert not (tmp_path / "out").exists()


def test_an_ascii_terminal_shows_what_it_can(tmp_path, monkeypatch):
    terminal = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    monkeypatch.setattr(sys, "stdout", terminal)
    assert main([*SMALL, "--model", "rnn", "--bag-size", "1", "--out", str(tmp_path)]) == 0
    terminal.flush()
    assert re.search(rb" \\xd7\d", terminal.buffer.getvalue())  # the factor of the gradient


def test_help_shows_every_default(capsys):
    with pytest.raises(SystemExit):
        main(["--help"])
    text = " ".join(capsys.readouterr().out.split())
    for words in ("--hidden-size", "(default: 128;", "--resume", "--overwrite"):
        assert words in text
