"""The figures' style, and how they are saved."""

import matplotlib
import pytest
from matplotlib.image import imread

from numpy_lstm import plots
from numpy_lstm.types import MODEL_NAMES


def test_the_models_keep_their_names_and_looks():
    assert MODEL_NAMES == {"rnn": "vanilla RNN", "lstm": "LSTM"}
    assert plots.COLORS == {"rnn": "#BB5566", "lstm": "#004488"}
    assert plots.DASHES["lstm"] == "solid" and plots.DASHES["rnn"] != "solid"
    assert plots.MARKERS == {"rnn": "s", "lstm": "o"}


def test_many_lines_are_told_apart_by_color_and_neighbors_by_their_dashes():
    styles = [plots.series(k) for k in range(8)]
    assert len({style["color"] for style in styles}) == 8
    dashes = [str(style["linestyle"]) for style in styles]
    assert dashes[0] == "solid" and dashes[:4] == dashes[4:] and len(set(dashes)) == 4
    assert plots.series(8) == plots.series(0)


@pytest.mark.parametrize("suffix", ["png", "svg"])
def test_the_same_drawing_gives_the_same_bytes(suffix, tmp_path):
    for name in ("a", "b"):
        with plots.figure(tmp_path / f"{name}.{suffix}", 1, 2, 2.0, 1.0) as (drawing, axes):
            assert len(axes) == 2
            axes[0].plot([1, 2], [3, 4], label="line")
            axes[0].legend()
            drawing.suptitle("title")
    one, other = ((tmp_path / f"{name}.{suffix}").read_bytes() for name in ("a", "b"))
    assert one == other
    assert one.startswith(b"\x89PNG" if suffix == "png" else b"<?xml")


def test_a_figure_has_its_size_its_resolution_and_the_style(tmp_path):
    before = matplotlib.rcParams["font.size"]
    with plots.figure(tmp_path / "figure.png", 2, 3, 3.0, 2.0) as (drawing, axes):
        assert tuple(drawing.get_size_inches()) == (3, 2)
        assert [panel.get_subplotspec().num1 for panel in axes] == list(range(6))  # row by row
        assert matplotlib.rcParams["font.size"] == 9
        assert not axes[0].spines["top"].get_visible() and axes[0].spines["left"].get_visible()
    assert matplotlib.rcParams["font.size"] == before
    assert imread(tmp_path / "figure.png").shape[:2] == (400, 600)


def test_a_figure_that_fails_replaces_nothing(tmp_path):
    path = tmp_path / "figure.png"
    path.write_text("before")
    with pytest.raises(RuntimeError), plots.figure(path, 1, 1, 1.0, 1.0):
        raise RuntimeError
    assert path.read_text() == "before"


def test_what_a_user_has_configured_changes_no_figure(tmp_path):
    with matplotlib.rc_context({"lines.linewidth": 9, "axes.facecolor": "red"}):
        with plots.figure(tmp_path / "figure.png", 1, 1, 1.0, 1.0) as (_, (axes,)):
            (line,) = axes.plot([1, 2])
            assert line.get_linewidth() == matplotlib.rcParamsDefault["lines.linewidth"]
            assert axes.get_facecolor() == (1, 1, 1, 1)
