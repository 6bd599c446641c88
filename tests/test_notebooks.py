"""Each notebook runs from top to bottom, and what it prints is what is committed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from numpy_lstm.data.imdb import load_imdb

nbformat = pytest.importorskip("nbformat", reason="nbformat is not installed")
nbclient = pytest.importorskip("nbclient", reason="nbclient is not installed")

ROOT = Path(__file__).parents[1]
NOTEBOOKS = sorted((ROOT / "notebooks").glob("*.ipynb"))
KERNEL = "this-python"  # not "python3": a user's own of that name may be another Python

each_notebook = pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)


@pytest.fixture(scope="module")
def fonts(tmp_path_factory):
    """A folder of Matplotlib's own with its list of fonts, which takes so long that it says so."""
    folder = tmp_path_factory.mktemp("matplotlib")
    command = [sys.executable, "-c", "import matplotlib.font_manager"]
    subprocess.run(command, env={**os.environ, "MPLCONFIGDIR": str(folder)}, check=True)
    return folder


@pytest.fixture
def kernel(tmp_path, monkeypatch, fonts):
    """A kernel of the Python that runs the tests, with nothing of the user's."""
    folder = tmp_path / "jupyter" / "kernels" / KERNEL
    folder.mkdir(parents=True)
    command = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    spec = {"argv": command, "display_name": KERNEL, "language": "python"}
    (folder / "kernel.json").write_text(json.dumps(spec))
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    for variable in ("JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR", "IPYTHONDIR"):
        monkeypatch.setenv(variable, str(tmp_path / variable.lower()))
    monkeypatch.setenv("MPLCONFIGDIR", str(fonts))
    monkeypatch.setenv("PYTHONPATH", str(ROOT), prepend=os.pathsep)
    # A stray flag of OpenBLAS, shown by tests/test_stray_flag.py.
    stray = "ignore:invalid value encountered in matmul:RuntimeWarning"
    monkeypatch.setenv("PYTHONWARNINGS", stray)
    return KERNEL


@pytest.fixture
def no_imdb(tmp_path, monkeypatch):
    monkeypatch.delenv("NUMPY_LSTM_IMDB", raising=False)
    monkeypatch.setenv("NUMPY_LSTM_CACHE", str(tmp_path / "cache"))


def execute(path, kernel, folder):
    """The notebook with the outputs of a run in `folder`; a cell that fails is an error here."""
    notebook = nbformat.read(path, as_version=4)
    client = nbclient.NotebookClient(
        notebook,
        timeout=None,
        kernel_name=kernel,
        resources={"metadata": {"path": str(folder)}},
        coalesce_streams=True,
    )
    client.execute()
    return notebook


def code_cells(notebook):
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def texts(notebook, name):
    """All that the notebook printed to "stdout" or "stderr"."""
    printed = [output for cell in code_cells(notebook) for output in cell.outputs]
    return "".join(output.text for output in printed if output.get("name") == name)


def outputs(notebook, *, with_numbers):
    """Of each code cell the kinds of its outputs, and their texts."""
    return [
        [
            (
                output.output_type,
                output.get("name", ""),
                sorted(output.get("data", {})),
                comparable(output.get("text", ""), with_numbers),
            )
            for output in cell.outputs
        ]
        for cell in code_cells(notebook)
    ]


def comparable(text, with_numbers):
    """The text; or without its numbers, and without the blanks that stand for digits."""
    return text if with_numbers else re.sub(r"[-+]?\d+(\.\d+)?(e[-+]\d+)?", "#", text).split()


def notebook_param(path):
    """The one that trains is slow."""
    slow = path.stem == "lstm_comparison_code"
    return pytest.param(path, id=path.stem, marks=[pytest.mark.slow] if slow else [])


# What Jupyter's libraries warn of is theirs; what a notebook warns of stands in its outputs.
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", [notebook_param(path) for path in NOTEBOOKS])
@pytest.mark.usefixtures("no_imdb")
def test_the_notebook_runs_and_prints_what_is_committed(path, kernel, tmp_path):
    committed = nbformat.read(path, as_version=4)
    executed = execute(path, kernel, tmp_path)
    # Training takes other roundings with another processor, and after some epochs goes elsewhere:
    # there the words must agree. What stands beside a calculation by hand must agree to the digit.
    exact = path.stem == "backpropagation_by_hand"
    now, then = (outputs(notebook, with_numbers=exact) for notebook in (executed, committed))
    assert now == then


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.skipif(
    "NUMPY_LSTM_IMDB" not in os.environ, reason="NUMPY_LSTM_IMDB does not name the real reviews"
)
def test_the_comparison_holds_on_imdb_too(kernel, tmp_path):
    load_imdb()  # parsed before: that would be said on standard error
    notebook = execute(ROOT / "notebooks" / "lstm_comparison_code.ipynb", kernel, tmp_path)
    assert "Data set: IMDB\n" in texts(notebook, "stdout")
    assert not texts(notebook, "stderr")


@each_notebook
def test_the_committed_notebook_is_a_whole_run_from_top_to_bottom(path):
    notebook = nbformat.read(path, as_version=4)
    nbformat.validate(notebook)
    cells = code_cells(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    printed = [output for cell in cells for output in cell.outputs]
    assert printed
    assert not [output for output in printed if output.output_type == "error"]
    assert not texts(notebook, "stderr")


@each_notebook
def test_the_committed_notebook_says_nothing_of_the_machine_it_ran_on(path):
    notebook = nbformat.read(path, as_version=4)
    assert notebook.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python"},
    }
    assert all(set(cell.metadata) <= {"jupyter"} for cell in notebook.cells)
    assert not re.search(r"/(tmp|home|root|Users|work|usr)/|[A-Z]:\\\\", path.read_text("utf-8"))


def test_both_notebooks_are_there():
    assert [path.stem for path in NOTEBOOKS] == ["backpropagation_by_hand", "lstm_comparison_code"]
