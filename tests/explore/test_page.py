"""The page in one file: whole, small, and of the current code; and the command that writes it."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from numpy_lstm.explore.__main__ import main
from numpy_lstm.explore.page import FOLDER, MARK, pack, page, unpack
from numpy_lstm.explore.views import every_answer, offered_settings, views_of
from tests.explore.test_views import VIEWS

ROOT = Path(__file__).parents[2]
COMMITTED = ROOT / "docs" / "explore.html"
ANSWERS = re.compile(r'<script type="text/plain" id="answers">(.*?)</script>', re.S)
SAMPLED = 3  # settings of each view that are worked out again


def committed():
    return COMMITTED.read_text(encoding="utf-8")


def test_the_committed_page_is_small():
    assert COMMITTED.stat().st_size < 1_500_000


def test_the_committed_page_is_of_the_current_page_and_controls():
    (packed,) = ANSWERS.findall(committed())
    assert page(VIEWS, packed)[0] == committed(), "write it anew: see docs/explore.md"


def alike(one, other, path=""):
    """Equal but for the last digit of a number: another processor rounds otherwise."""
    if isinstance(other, dict):
        assert list(one) == list(other), path
        for name in other:
            alike(one[name], other[name], f"{path}.{name}")
    elif isinstance(other, (list, tuple)):
        assert len(one) == len(other), path
        for k, (a, b) in enumerate(zip(one, other, strict=True)):
            alike(a, b, f"{path}[{k}]")
    elif isinstance(other, float) and one is not None:
        assert one == pytest.approx(other, abs=0.021), path
    elif isinstance(other, str):
        assert re.sub(r"[\d⁰¹²³⁴⁵⁶⁷⁸⁹].*", "", one) == re.sub(r"[\d⁰¹²³⁴⁵⁶⁷⁸⁹].*", "", other), path
    else:
        assert one == other, path


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_the_committed_page_has_the_answers_of_the_current_code(view):
    (packed,) = ANSWERS.findall(committed())
    found = unpack(packed)[view.name]
    settings = dict(offered_settings(view.controls))
    assert list(found["answers"]) == list(settings)
    assert len(found["outcomes"]) == len(view.questions)
    for key in list(settings)[:: max(len(settings) // SAMPLED, 1)]:
        alike(found["answers"][key], view.answer(settings[key]), key)


def test_every_answer_of_a_view_is_packed_and_unpacked(monkeypatch):
    view = VIEWS["lag-and-padding"]
    answers = {view.name: every_answer(view)}
    packed = pack(answers)
    assert max(map(len, packed.splitlines())) <= 76
    again = unpack(packed)[view.name]
    assert again["outcomes"][0]["right"] == "chance"
    alike(again["answers"]["3 2"], answers[view.name]["answers"]["3 2"])


def test_the_docs_name_every_view_and_option_and_their_links_lead_somewhere():
    docs = (ROOT / "docs" / "explore.md").read_text(encoding="utf-8")
    for view in VIEWS.values():
        assert f"| {view.title} |" in docs and f"- **{view.title}.**" in docs
    for option in ("--run DIR", "--out FILE", "--port N", "--no-browser"):
        assert f"| `{option}` |" in docs
    for link in re.findall(r"\]\(([^)#:]+)\)", docs):
        assert (COMMITTED.parent / link).exists(), link


def test_the_page_loads_nothing():
    for text in (page(VIEWS)[0], committed()):
        outside = re.findall(r"(?:src|href|url|import)\W{1,3}(?:https?:)?//\S+", text)
        assert outside == []
        assert set(re.findall(r"https?://[^\s\"'<]+", text)) == {"http://www.w3.org/2000/svg"}
        assert "innerHTML" not in text and "document.write" not in text


def test_what_is_told_cannot_end_its_script():
    view = VIEWS["break-it"]._replace(title="</script><script>alert(1)</script>")
    text, _ = page({"break-it": view})
    assert "<script>alert" not in text and "\\u003c/script>" in text


def test_only_what_the_policy_names_may_run():
    text, policy = page(VIEWS)
    assert policy.removesuffix("; frame-ancestors 'none'") in text
    assert "connect-src 'self'" in policy
    assert "connect-src 'none'" in page(VIEWS, "")[1]
    assert "style=" not in text.split("<script")[0]  # the policy would refuse it


def test_the_script_works_out_nothing():
    script = (FOLDER / "explore.js").read_text(encoding="utf-8")
    used = set(re.findall(r"Math\.(\w+)", script))
    assert used <= {"round", "min", "max", "abs"}  # places on the screen
    assert "**" not in re.sub(r"/\*.*?\*/", "", script, flags=re.S)


def test_the_script_and_the_style_pass_a_linter():
    biome = shutil.which("biome")
    if biome is None:
        pytest.skip("Biome is not installed: npm install --global @biomejs/biome@2")
    files = [FOLDER / "explore.js", FOLDER / "explore.css"]
    command = [biome, "check", "--error-on-warnings", "--colors=off", *files]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stdout + done.stderr


def colors(scheme):
    """The named colors of the style, light or dark."""
    style = (FOLDER / "explore.css").read_text(encoding="utf-8")
    blocks = re.findall(r":root \{(.*?)\}", style, re.S)
    return dict(re.findall(r"--([\w-]+): #(\w{6});", blocks[scheme == "dark"]))


def luminance(color):
    """Of WCAG 2."""
    parts = [int(color[k : k + 2], 16) / 255 for k in (0, 2, 4)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return sum(w * c for w, c in zip((0.2126, 0.7152, 0.0722), linear, strict=True))


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_what_is_written_can_be_read_in_light_and_dark(scheme):
    named = colors(scheme)
    for text in ("ink", "soft", "rnn", "lstm", "third"):
        for ground in ("paper", "card"):
            values = sorted(luminance(named[name]) for name in (text, ground))
            assert (values[1] + 0.05) / (values[0] + 0.05) >= 4.5, (text, ground)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_word_can_be_read_on_its_strongest_color(scheme):
    script = (FOLDER / "explore.js").read_text(encoding="utf-8")
    (most,) = re.findall(r"Math\.round\((\d+) \* Math\.abs\(share\)\)", script)
    named, share = colors(scheme), int(most) / 100
    for role in ("rnn", "lstm", "against"):
        pairs = [
            (int(named[role][k : k + 2], 16), int(named["paper"][k : k + 2], 16)) for k in (0, 2, 4)
        ]
        mixed = "".join(f"{round(share * a + (1 - share) * b):02x}" for a, b in pairs)
        values = sorted([luminance(named["ink"]), luminance(mixed)])
        assert (values[1] + 0.05) / (values[0] + 0.05) >= 4.5, role


@pytest.mark.parametrize("view", VIEWS.values(), ids=VIEWS)
def test_no_two_lines_of_a_chart_have_the_same_dashes(view):
    style = (FOLDER / "explore.css").read_text(encoding="utf-8")
    rules = dict(re.findall(r"^\.([\w-]+) \{(.*?)\}", style, re.S | re.M))
    setting = {c.name: c.default for c in view.controls if not c.local}
    for chart in view.answer(setting | view.questions[0].setting)["charts"]:
        lines = [line for line in chart["lines"] if line.get("marks") != "only"]
        dashes = [re.findall(r"stroke-dasharray: (.*?);", rules[line["role"]]) for line in lines]
        assert len(set(map(str, dashes))) == len(lines), chart["title"]


# --- the command ---------------------------------------------------------------------------------


def few(monkeypatch):
    """One view, so that a page is written quickly."""
    name = "numpy_lstm.explore.views.views_of"
    monkeypatch.setattr(name, lambda run: {"lag-and-padding": views_of(None)["lag-and-padding"]})


def test_the_command_writes_the_page_and_replaces_a_page_of_its_own(tmp_path, monkeypatch, capsys):
    few(monkeypatch)
    out = tmp_path / "page.html"
    for _ in range(2):
        assert main(["--out", str(out)]) == 0
    assert out.read_bytes().startswith(MARK)
    assert capsys.readouterr().out == 2 * f"Wrote {out}\n"


def test_the_command_replaces_nothing_else(tmp_path, monkeypatch, capsys):
    few(monkeypatch)
    out = tmp_path / "thesis.html"
    out.write_text("<!DOCTYPE html>\n<p>mine")
    for there in (out, tmp_path):
        assert main(["--out", str(there)]) == 2
        assert "is no page of this command" in capsys.readouterr().err
    assert out.read_text() == "<!DOCTYPE html>\n<p>mine"


def test_a_page_that_cannot_be_written_is_said_before_the_work(tmp_path, monkeypatch, capsys):
    monkeypatch.setattr("numpy_lstm.explore.page.packed_answers", None)
    out = tmp_path / "none" / "page.html"
    assert main(["--out", str(out)]) == 2
    assert capsys.readouterr().err.startswith(f"error: `--out` {out} cannot be written: ")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--port", "70000"], "must be a whole number below 65536"),
        (["--port", "-1"], "must be a whole number below 65536"),
        (["--port", "00000000070000"], "must be a whole number below 65536"),
        (["--out", "x.html", "--port", "1"], "not together with --port"),
        (["--out", "x.html", "--no-browser"], "not together with --port"),
    ],
)
def test_what_does_not_fit_is_said(arguments, message, capsys):
    with pytest.raises(SystemExit, match="2"):
        main(arguments)
    assert message in capsys.readouterr().err


def test_a_run_that_is_none_is_an_error_of_one_line(tmp_path, capsys):
    assert main(["--run", str(tmp_path)]) == 2
    assert "holds no gradient_norms.npz" in capsys.readouterr().err
