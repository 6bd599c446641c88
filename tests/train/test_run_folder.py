"""What a command line asks for, and the folder that a run works in."""

import dataclasses
import io
import json
import sys
from contextlib import redirect_stderr, redirect_stdout
from datetime import datetime
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from numpy_lstm.settings import Settings
from numpy_lstm.train import __main__ as command
from numpy_lstm.train import folder as run_folder
from numpy_lstm.train import job
from numpy_lstm.train.folder import RESULTS, check_folder, new_run, remove_results, resumed_run
from numpy_lstm.train.options import Options, option

CONFIG = {
    "dataset": "imdb",
    "models": ["rnn", "lstm"],
    "settings": {"seed": 4},
    "content": "abc",
    "source": None,
}


def test_results_are_all_files_that_a_run_writes() -> None:
    assert sorted(RESULTS) == [
        *("checkpoint-lstm.npz", "checkpoint-rnn.npz", "config.json"),
        *("gradient_norms.npz", "gradient_norms.png", "history.csv"),
        *("lstm_rnn_performance_comparison.png", "metrics.json"),
        *("weights-lstm.npz", "weights-rnn.npz"),
    ]


def test_only_results_are_removed_and_all_of_them(tmp_path: Path) -> None:
    for name in (*RESULTS, "mine.txt", "checkpoint-mine.npz"):
        (tmp_path / name).write_text("old")
    remove_results(tmp_path)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["checkpoint-mine.npz", "mine.txt"]


@pytest.mark.parametrize("name", RESULTS)
def test_any_result_of_another_run_keeps_its_folder(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_text("old")
    check_folder(tmp_path, overwrite=True)
    with pytest.raises(ValueError, match=f"holds the results of another run \\({name}\\)"):
        check_folder(tmp_path, overwrite=False)
    with (
        pytest.raises(ValueError, match="holds the results"),
        new_run(tmp_path, overwrite=False),
    ):
        pass
    with new_run(tmp_path, overwrite=True):
        pass
    assert (tmp_path / ".lock").exists()
    assert (tmp_path / name).read_text() == "old"  # until its run begins


class Clock(datetime):
    """It is always the same second."""

    @classmethod
    def now(cls, tz: Any = None) -> Any:
        return datetime(2024, 5, 6, 17, 8, 9)


def test_a_run_without_a_folder_is_named_by_its_date_and_time(tmp_path: Path) -> None:
    with (
        patch.object(run_folder, "RUNS", tmp_path / "runs"),
        patch.object(run_folder, "datetime", Clock),
    ):
        for name in ("20240506-170809", "20240506-170809-2", "20240506-170809-3"):
            with new_run(None, overwrite=False) as folder:
                assert folder == tmp_path / "runs" / name
                (folder / ".keep").write_text("")
        with new_run(None, overwrite=False) as folder:
            assert folder.name.endswith("-4")
        assert not folder.exists()  # nothing was put in it
    assert len([*(tmp_path / "runs").iterdir()]) == 3
    assert Path("runs") == run_folder.RUNS


def test_an_empty_folder_of_the_users_stays_and_one_that_was_made_goes(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in ("mine", "made/by us"):
        with new_run(tmp_path / name, overwrite=False):
            pass
    assert [path.name for path in tmp_path.rglob("*")] == ["mine"]


def test_a_run_locks_its_folder_and_leaves_it_free(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / ".checkpoint-rnn.npz.1.tmp").touch()  # of a run that was killed
    with resumed_run(tmp_path) as config:
        assert config == CONFIG
        assert sorted(path.name for path in tmp_path.iterdir()) == [".lock", "config.json"]
        with pytest.raises(ValueError, match="in use by another run"), resumed_run(tmp_path):
            pass
    with resumed_run(tmp_path):
        pass


def test_whoever_finds_a_folder_in_use_leaves_its_lock(tmp_path: Path) -> None:
    with new_run(tmp_path / "a", overwrite=False) as folder:
        for _ in range(2):
            with (
                pytest.raises(ValueError, match="in use by another run"),
                new_run(folder, overwrite=False),
            ):
                pass
        assert (folder / ".lock").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"dataset": "news"}, "`dataset` must be one of"),
        ({"models": ["lstm", "rnn"]}, "`models` must be rnn and lstm"),
        ({"models": []}, "`models` must be rnn and lstm"),
        ({"settings": {"layers": 2}}, "knows no setting layers"),
        ({"settings": {"epochs": 0}}, "`epochs` must be at least 1"),
        ({"source": 3}, "`source` must be"),
    ],
)
def test_a_configuration_that_is_wrong_is_refused(
    changes: dict[str, Any], words: str, tmp_path: Path
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({**CONFIG, **changes}))
    with pytest.raises(ValueError, match=words), resumed_run(tmp_path):
        pass


# --- the command line ----------------------------------------------------------------------------


def asked(*argv: str) -> tuple[int, str, str, list[Any]]:
    """Status, output and errors of a call, and what the job was asked for."""
    asked_for: list[Any] = []
    out, err = io.StringIO(), io.StringIO()
    with (
        patch.object(job, "run", lambda *given: asked_for.extend(given)),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        status = command._run(command.parse([*argv]))
    return status, out.getvalue(), err.getvalue(), asked_for


@pytest.mark.parametrize(
    ("argv", "options"),
    [
        ([], Options("auto", None, None, {})),
        (["--model", "both"], Options("auto", None, ("rnn", "lstm"), {})),
        (["--model", "lstm"], Options("auto", None, ("lstm",), {})),
        (["--dataset", "imdb", "--data", "x"], Options("imdb", "x", None, {})),
        (
            ["--lr", "0.5", "--seed", "3"],
            Options("auto", None, None, {"seed": 3, "learning_rate": 0.5}),
        ),
    ],
)
def test_the_job_is_asked_for_what_is_typed(
    argv: list[str], options: Options, tmp_path: Path
) -> None:
    status, out, _, (got, folder, started, _) = asked(*argv, "--out", str(tmp_path / "run"))
    assert (status, got, folder, started) == (0, options, tmp_path / "run", None)
    assert out == f"Results, figures and weights are in {tmp_path / 'run'}\n"


def test_a_resumed_run_is_given_its_configuration(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text(json.dumps(CONFIG))
    status, _, _, (got, folder, started, _) = asked("--resume", "--out", str(tmp_path))
    assert (status, got, folder) == (0, Options("auto", None, None, {}), tmp_path)
    assert started == CONFIG


def test_results_of_another_run_are_replaced_only_if_that_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "metrics.json").write_text("old")
    status, _, errors, asked_for = asked("--out", str(tmp_path))
    assert (status, asked_for) == (2, [])
    assert "--overwrite" in errors
    assert asked("--out", str(tmp_path), "--overwrite")[0] == 0


def test_a_stopped_run_ends_with_130_and_the_command_that_goes_on(tmp_path: Path) -> None:
    def stopped(*_: Any) -> None:
        raise job.Stopped

    out = io.StringIO()
    with patch.object(job, "run", stopped), redirect_stdout(out):
        arguments = command.parse(["--out", str(tmp_path / "a b"), "--data", "x y"])
        assert command._run(arguments) == 130
    words = f"-m numpy_lstm.train --resume --out '{tmp_path}/a b' --data 'x y'"
    if sys.platform != "win32":
        assert out.getvalue().endswith(f"{words}\n")
    assert out.getvalue().startswith("Stopped. Go on with: ")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--resume"], "argument --resume: needs --out DIR"),
        (["--resume", "--overwrite", "--out", "o"], "argument --overwrite: not together with"),
        (["--lr", "0"], "argument --lr: must be positive; got 0"),
        (["--out", " "], "argument --out: must name a folder"),
    ],
)
def test_an_option_that_is_wrong_is_named(argv: list[str], message: str) -> None:
    err = io.StringIO()
    with pytest.raises(SystemExit) as ended, redirect_stderr(err):
        command.parse(argv)
    assert ended.value.code == 2 and message in err.getvalue()


@pytest.mark.skipif(sys.platform == "win32", reason="a path of another kind")
def test_the_command_that_goes_on_is_the_same_in_any_folder() -> None:
    with patch.object(sys, "argv", ["bin/numpy-lstm", "train"]):
        words = command.resume_command(Path("o"), None).split()
    assert words == [str(Path.cwd() / "bin/numpy-lstm"), "train", "--resume", "--out", "o"]


def test_every_setting_has_its_option_its_type_and_its_help() -> None:
    assert [option(name) for name in ("learning_rate", "bag_size", "seed")] == [
        *("--lr", "--bag-size", "--seed")
    ]
    given = {
        **{"seed": 9, "epochs": 8, "patience": 7, "batch_size": 6, "hidden_size": 5},
        **{"bag_size": 4, "max_length": 3, "readout": "mean", "learning_rate": 0.25},
        **{"clip": 0.75, "dropout": 0.125, "forget_bias": -2.0, "vocabulary_size": 33},
        **{"vector_size": 22, "validation_fraction": 0.375, "probes": 11},
    }
    argv = [word for name, value in given.items() for word in (option(name), str(value))]
    parsed = vars(command.parse(argv))
    assert {name: parsed[name] for name in given} == given
    assert given.keys() == command.HELP.keys() == {f.name for f in dataclasses.fields(Settings)}
    assert not {*given} & {*vars(command.parse([]))}  # those not given take the data set's


def test_help_names_both_defaults_where_they_differ() -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit), redirect_stdout(out):
        command.parse(["--help"])
    text = " ".join(out.getvalue().split())
    assert "hidden units (default: 128; built-in reviews: 64)" in text
    assert "words averaged into one time step (default: 4)" in text
    assert "at the start; it falls along a straight line to 0 (default: 0.002;" in text
