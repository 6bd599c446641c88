"""The report says what the code and the results say, and everybody can read it."""

import io
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

import pypdf
import pytest
import typst

import report
from numpy_lstm.experiments import comparison, lag
from report import PDF, ROOT, SOURCE, build, figures, fingerprint, handed_over, inputs
from report import __main__ as command
from tests.experiments.hand_made import figures_kept

FOLDER = SOURCE.parent
WORDS = (1800, 2000)


given = cache(handed_over)


@cache
def query(selector: str) -> list[Any]:
    """Elements of the compiled document."""
    found: list[Any] = json.loads(
        typst.query(SOURCE, selector, root=ROOT, ignore_system_fonts=True, sys_inputs=given())
    )
    return found


@pytest.fixture(scope="module")
def built() -> bytes:
    return build()


@pytest.fixture(scope="module")
def today(built: bytes) -> pypdf.PdfReader:
    return pypdf.PdfReader(io.BytesIO(built))


@pytest.fixture(scope="module")
def committed() -> pypdf.PdfReader:
    return pypdf.PdfReader(PDF)


def text_of(reader: pypdf.PdfReader) -> str:
    """All characters; where a line breaks does not matter."""
    return re.sub(r"\s", "", "".join(page.extract_text() for page in reader.pages))


def results(name: str) -> Any:
    return json.loads((ROOT / "results" / f"{name}.json").read_text(encoding="utf-8"))


# --- equations -----------------------------------------------------------------------------------

LIST = r"((?:\(\d+\)|to|and|,|#|\s)+)"


def cited(code: str) -> list[int]:
    """Numbers of the report's equations that comments and docstrings cite."""
    # Another paper's equation follows its year: "(2017), eq. (1)".
    lists = re.findall(rf"(?<!\), )\beqs?\.\s+{LIST}", code)
    lists += re.findall(r"  #\s+(\(\d+\)(?:,\s+\(\d+\))*)", code)
    numbers = []
    for each in lists:
        for first, last in re.findall(r"\((\d+)\)(?:\s+to\s+\((\d+)\))?", each):
            numbers += range(int(first), int(last or first) + 1)
    return numbers


def test_citations_are_found() -> None:
    assert cited("a = b  # (3)  (N, H)\nc = d  # (10), (11), (13)") == [3, 10, 11, 13]
    assert cited("report eqs. (6), (8) to\n    (9). See Yan (2017), eq. (1).") == [6, 8, 9]


def numbered() -> list[int]:
    labels = [each.get("label", "") for each in query("math.equation.where(block: true)")]
    return [int(number) for number in re.findall(r"<eq-(\d+)>", " ".join(labels))]


def test_equations_are_numbered_from_one_on_in_their_order() -> None:
    assert numbered() == list(range(1, len(numbered()) + 1))


def test_each_equation_that_the_code_cites_exists() -> None:
    files = list((ROOT / "numpy_lstm").rglob("*.py"))
    assert len(files) > 30
    for file in files:
        missing = set(cited(file.read_text(encoding="utf-8"))) - set(numbered())
        assert not missing, (file, missing)


def test_each_equation_of_a_cell_is_cited_once_and_stands_beside_its_line() -> None:
    # step() sets an equation beside the line of cells.py with its number.
    of_cells = [int(n) for n in re.findall(r"^#step\((\d+),", SOURCE.read_text("utf-8"), re.M)]
    in_code = cited((ROOT / "numpy_lstm" / "cells.py").read_text(encoding="utf-8"))
    assert in_code == of_cells
    theory = set(numbered()) - set(of_cells)
    assert theory == {7, 8}  # the Jacobian and their product: no line of a cell


# --- length --------------------------------------------------------------------------------------


def prose(content: Any) -> Iterator[str]:
    """The text of a paragraph, with numbers and citations, without formulae."""
    kind = content.get("func")
    if kind in ("text", "raw"):
        yield content["text"]
    elif kind in ("space", "linebreak"):
        yield " "
    elif kind == "sequence":
        for child in content["children"]:
            yield from prose(child)
    elif kind == "styled":
        yield from prose(content["child"])
    elif "body" in content and kind != "equation":
        yield from prose(content["body"])


def test_the_body_has_between_1800_and_2000_words() -> None:
    """Words of the running text. Headings, formulae, code beside them, figures, tables, captions
    and references are not paragraphs of it.
    """
    paragraphs = ["".join(prose(paragraph["body"])) for paragraph in query("par")]
    words = [word for word in " ".join(paragraphs).split() if re.search(r"\w", word)]
    assert WORDS[0] <= len(words) <= WORDS[1], len(words)


def test_the_readme_says_how_many_pages_there_are(committed: pypdf.PdfReader) -> None:
    words = ["six", "seven", "eight", "nine", "ten"]
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert f": {words[len(committed.pages) - 6]} pages, each" in readme


# --- results -------------------------------------------------------------------------------------


def test_the_committed_pdf_is_that_of_the_source_and_the_results(
    committed: pypdf.PdfReader, today: pypdf.PdfReader
) -> None:
    assert text_of(committed) == text_of(today), "build it anew: python -m report"
    # The text of a drawing does not tell what is drawn.
    assert committed.metadata is not None
    assert committed.metadata["/Keywords"] == f"made from {fingerprint()}"
    assert ROOT / "results" / "comparison.json" in inputs()


def test_the_same_inputs_give_the_same_bytes(built: bytes) -> None:
    assert build() == built


def test_the_numbers_of_the_committed_pdf_are_the_results(committed: pypdf.PdfReader) -> None:
    """A second way from the results to the text, beside numbers.typ."""
    text = text_of(committed)
    comparison, flow = results("comparison")["summary"], results("gradient_flow")["summary"]
    lstm = comparison["lstm"]
    mean, low, high = (100 * lstm[name] for name in ("mean", "low", "high"))
    expected = [f"{mean:.2f}%({low:.2f}to{high:.2f})"]
    for condition in ("rnn", "rnn-wide", "tf-idf"):
        expected.append(f"{abs(100 * comparison[f'lstm - {condition}']['mean']):.2f}points")
    cells = [("rnn, uniform", "h"), ("rnn, orthogonal", "h"), ("rnn, trained", "x")]
    cells += [("lstm, trained", "x"), *((f"lstm, b_f={b}", "c") for b in (0, 1, 3))]
    for condition, state in cells:
        of = flow[condition][state]
        expected.append(f"×{of['mean']:.3f}({of['low']:.3f}to{of['high']:.3f})")
    for check in results("gradient_checks")["checks"]:
        if check["method"] == "complex step":
            mantissa, exponent = f"{check['worst']:.1e}".split("e")
            expected.append(f"{mantissa}×10−{abs(int(exponent))}")
    for condition in ("lstm, b_f=1, K=200", "lstm, b_f=3, K=200", "rnn, orthogonal, K=200"):
        of = results("lag")["summary"][condition]["test_accuracy"]
        mean, low, high = (100 * of[name] for name in ("mean", "low", "high"))
        expected.append(f"{mean:.1f}%({low:.1f}to{high:.1f})")
    for condition in ("half as wide", "padded in front"):
        for cell in ("rnn", "lstm"):
            of = results("padding")["summary"][f"{cell}, {condition}"]["test_accuracy"]
            # A half goes up, as in Typst; Python would take it to the even digit.
            mean, low, high = (
                math.floor(1e4 * of[name] + 0.5) / 100 for name in ("mean", "low", "high")
            )
            expected.append(f"{mean:.2f}%({low:.2f}to{high:.2f})")
    mutation = results("mutation")
    expected.append(f"Of{mutation['mutants']:,}smallchanges")
    expected.append(f"{mutation['killed']:,}madeatestfail")
    for number in expected:
        assert number in text, number


CALL = r"(?<=[\w\])])\([^()]*\)"


def markup(source: str) -> str:
    """What stands in a Typst source as text: no code, formulae, strings, labels or comments."""
    text = re.sub(r"^\s*//.*$", "", source, flags=re.M)
    text = re.sub(r'\$[^$]*\$|"[^"]*"|`[^`]*`', "", text)
    while re.search(CALL, text):
        text = re.sub(CALL, "", text)
    text = re.sub(r"^#(?:let|import|show)\b.*$", "", text, flags=re.M)
    return re.sub(r"#[\w.-]+|<[\w-]+>|@[\w-]+", "", text)


def literals(source: str) -> list[str]:
    """Numbers that stand in the text itself: any digits but a year of the literature."""
    years = r"\b(?:19|20)\d\d\b"
    return re.findall(r"\S*\d\S*", re.sub(years, "", markup(source)))


def test_no_result_stands_in_the_source() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    assert literals(source) == []
    # Nor in a formula or in the text of one.
    code = re.sub(r"^\s*//.*$", "", source, flags=re.M)
    assert re.findall(r"\d[.,]\d|\d\s*%", re.sub(r"\d, \d(?=;|\))", "", code)) == []
    others = "\n".join(path.read_text("utf-8") for path in FOLDER.glob("*.typ") if path != SOURCE)
    captions = re.findall(r"\[([^\[\]]*)\]", others)
    assert captions
    assert not [each for each in captions if re.search(r"\d\.\d+\b|\d\s*%", each)]


@pytest.mark.parametrize(
    "planted",
    ["reaches 89.6 % of", "leads by #points(x.at(y)) and 2 points", "(0.97 to 0.98)", "T = 800."],
)
def test_a_planted_result_is_found(planted: str) -> None:
    assert literals(f"The LSTM @maas2011 {planted} the #e(3) of 1997, $x^2$.")


# --- accessible ----------------------------------------------------------------------------------


def elements(node: Any) -> Iterator[Any]:
    """The structure's elements, depth first."""
    node = node.get_object()
    if isinstance(node, pypdf.generic.ArrayObject):
        for each in node:
            yield from elements(each)
    elif isinstance(node, pypdf.generic.DictionaryObject) and "/S" in node:
        yield node
        yield from elements(node.get("/K", pypdf.generic.NullObject()))


def test_the_committed_pdf_is_tagged_and_declares_pdf_ua(committed: pypdf.PdfReader) -> None:
    root: Any = committed.trailer["/Root"]
    assert root["/MarkInfo"]["/Marked"]
    assert root["/Lang"] == "en-GB"
    assert root["/ViewerPreferences"]["/DisplayDocTitle"]
    assert committed.xmp_metadata is not None
    metadata = committed.xmp_metadata.rdf_root.toxml()
    assert "<pdfuaid:part>1</pdfuaid:part>" in metadata
    assert "Vanilla RNN and LSTM" in str(committed.xmp_metadata.dc_title)
    kinds = [str(each["/S"]) for each in elements(root["/StructTreeRoot"]["/K"])]
    wanted = {"/H1", "/P", "/Table", "/TH", "/Figure", "/Formula", "/Caption", "/Code", "/BibEntry"}
    assert wanted <= set(kinds)


def test_every_figure_and_formula_has_a_text(committed: pypdf.PdfReader) -> None:
    root: Any = committed.trailer["/Root"]
    found = {"/Figure": 0, "/Formula": 0}
    for each in elements(root["/StructTreeRoot"]["/K"]):
        if each["/S"] in found:
            found[each["/S"]] += 1
            assert len(each.get("/Alt", "")) > 0, each
    # Those within a drawing are part of its text.
    assert 0 < found["/Formula"] <= len(query("math.equation"))
    assert found["/Figure"] >= 3
    assert all(each["alt"] for each in query("math.equation"))


def test_a_drawn_figure_needs_no_font_and_has_no_date() -> None:
    drawings = [each for each in given().values() if "<svg" in each]
    assert len(drawings) == 4
    for each in drawings:
        assert "<text" not in each and "<dc:date" not in each


def test_figures_are_drawn_in_the_reports_letters() -> None:
    for each in (each for each in given().values() if "<svg" in each):
        assert {*re.findall(r'<path id="([A-Za-z]+)-', each)} == {"STIXGeneral"}


def test_each_figure_is_drawn_of_its_experiment_under_its_name(tmp_path: Path) -> None:
    for name in ("gradient_flow", "comparison", "lag"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"trials": [name]}))
    drawn = {
        name: (experiment, lambda path, trials, name=name: path.write_text(f"{name} of {trials}"))
        for name, (experiment, _) in figures.DRAWN.items()
    }
    with patch.object(figures, "DRAWN", drawn):
        assert figures.svg(tmp_path) == {
            "untrained": "untrained of ['gradient_flow']",
            "trained": "trained of ['gradient_flow']",
            "accuracies": "accuracies of ['comparison']",
            "lag": "lag of ['lag']",
        }
    assert {name: draw for name, (_, draw) in figures.DRAWN.items()} == {
        "untrained": figures.untrained,
        "trained": figures.trained,
        "accuracies": comparison.draw,
        "lag": lag.draw,
    }


def test_the_panels_hold_what_their_captions_say() -> None:
    called = []
    with (
        figures_kept() as kept,
        patch.object(
            figures,
            "gradient_flow",
            SimpleNamespace(
                draw_untrained=lambda *given: called.append(("untrained", *given)),
                draw_seeds=lambda *given: called.append(("seeds", *given)),
                draw_quartiles=lambda *given: called.append(("quartiles", *given)),
            ),
        ),
    ):
        figures.untrained(Path("a.svg"), [])
        figures.trained(Path("b.svg"), [])
    (rnn, lstm), (left, right) = kept[0].axes, kept[1].axes
    assert called == [
        ("untrained", rnn, lstm, {}),
        ("seeds", left, {}),
        ("quartiles", right, {}),
    ]


def test_the_inputs_are_all_that_the_report_is_made_of() -> None:
    names = {str(path.relative_to(ROOT)).replace("\\", "/") for path in inputs()}
    assert names >= {
        *("report/__init__.py", "report/figures.py", "report/lstm_tutorial_report.typ"),
        *("numpy_lstm/plots.py", "numpy_lstm/experiments/gradient_flow.py"),
        *("numpy_lstm/experiments/comparison.py", "numpy_lstm/experiments/lag.py"),
        "results/gradient_flow.json",
    }
    assert any(name.endswith(".bib") for name in names)
    assert all(path.is_file() for path in inputs())


def test_without_typst_the_command_says_what_to_install(capsys: pytest.CaptureFixture[str]) -> None:
    with patch.object(report, "build", side_effect=ImportError("No module named 'typst'")):
        assert command.main([]) == 2
    assert 'pip install -e ".[report]"' in capsys.readouterr().err


def test_no_two_formulae_share_a_text_by_mistake() -> None:
    """The same formula twice has the same text; two that differ have two."""
    source = SOURCE.read_text(encoding="utf-8")
    pairs = re.findall(r'"([^"]+)",\s*\$([^$]+)\$', source)
    assert len(pairs) > 40
    texts: dict[str, str] = {}
    for text, formula in pairs:
        assert texts.setdefault(text, formula) == formula, text


# --- references ----------------------------------------------------------------------------------


def test_the_list_holds_what_is_cited_and_nothing_else() -> None:
    source = SOURCE.read_text(encoding="utf-8")
    keys = re.findall(r"^@\w+\{(\w+),", (FOLDER / "references.bib").read_text("utf-8"), re.M)
    used = set(re.findall(r"@([a-z]+\d{4})", source)) | set(re.findall(r"cite\(<(\w+)>", source))
    assert set(keys) == used
    assert keys == sorted(keys)


def test_the_files_that_the_report_names_exist() -> None:
    names = re.findall(r"`((?:numpy_lstm|tests|results)/[\w/.]+)`", SOURCE.read_text("utf-8"))
    assert names
    for name in names:
        assert (ROOT / Path(name)).exists(), name
