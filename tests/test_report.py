"""The report says what the code and the results say, and everybody can read it."""

import io
import json
import math
import re
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pypdf
import pytest
import typst

import report
from numpy_lstm.experiments import lag, verdict
from numpy_lstm.experiments.gradient_or_memory import LEAD
from report import (
    PAGE,
    PDF,
    ROOT,
    SOURCE,
    build,
    build_page,
    figures,
    fingerprint,
    handed_over,
    inputs,
)
from report import __main__ as command
from tests.experiments.hand_made import figures_kept
from tests.on_record import contents as results

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


def rounded(value: float, digits: int) -> str:
    """A half goes up, as in Typst; Python would take it to the even digit."""
    return f"{math.floor(value * 10**digits + 0.5) / 10**digits:.{digits}f}"


def test_the_numbers_of_the_committed_pdf_are_the_results(committed: pypdf.PdfReader) -> None:
    """A second way from the results to the text, beside numbers.typ."""
    text = text_of(committed)
    comparison, flow = results("comparison")["summary"], results("gradient_flow")["summary"]
    of_verdict = results("verdict")["summary"]
    expected = [f"by{100 * comparison['lstm - rnn']['mean']:.2f}points"]
    for of in (
        comparison["lstm"],
        comparison["tf-idf"],
        *(of_verdict[cell]["test_accuracy"] for cell in ("rnn, orthogonal", "lstm, b_f=1")),
    ):
        mean, low, high = (100 * of[name] for name in ("mean", "low", "high"))
        expected.append(f"{mean:.2f}%({low:.2f}to{high:.2f})")
    cells = [("rnn, uniform", "h"), ("rnn, orthogonal", "h"), ("rnn, trained", "x")]
    cells += [("lstm, trained", "x"), *((f"lstm, b_f={b}", "c") for b in (0, 1, 3))]
    for condition, state in cells:
        of = flow[condition][state]
        median, least, most = (rounded(of[name], 3) for name in ("median", "min", "max"))
        expected.append(f"×{median}({least}to{most})")
    for check in results("gradient_checks")["checks"]:
        if check["method"] == "complex step":
            mantissa, exponent = f"{check['worst']:.1e}".split("e")
            expected.append(f"{mantissa}×10−{abs(int(exponent))}")
    for condition in ("lstm, b_f=1, K=200", "lstm, b_f=3, K=200", "rnn, orthogonal, K=200"):
        of = results("lag")["summary"][condition]["test_accuracy"]
        median, least, most = (rounded(100 * of[name], 1) for name in ("median", "min", "max"))
        expected.append(f"{median}%({least}to{most})")
    lagged = [t["result"] for t in results("lag")["trials"] if t["settings"]["lag"]]
    crosses = [result["x_at_review_end_over_last_step"][0] for result in lagged]
    accuracies = [100 * result["test_accuracy"] for result in lagged]
    weak = [of for share, of in zip(crosses, accuracies, strict=True) if share < 1e-7]
    strong = [of for share, of in zip(crosses, accuracies, strict=True) if share > 1e-6]
    expected.append(f"notrainingpasses{rounded(max(weak), 1)}%")
    expected.append(f"{sum(of > 55 for of in strong)}of{len(strong)}passfifty-five")
    of_padding, of_cuts = results("padding")["summary"], results("gradient_or_memory")["summary"]
    for condition in ("as published", "padded in front", "masked"):
        median = of_padding[f"lstm, {condition}"]["test_accuracy"]["median"]
        expected.append(f"{rounded(100 * median, 1)}%")
    means = [of_cuts[f"lstm, b_f=1, {treatment}"] for treatment in ("gradient of 1997", "whole")]
    for treatment, words in (
        ("whole", "thisleadislarger,{}points"),
        ("gradient cut at 10", "{}ofthesepointsremain"),
        ("memory cut at 10", "withbothmemoriescutthere,{}."),
    ):
        lead = of_cuts[f"lstm, b_f=1, {treatment}"][LEAD]
        mean, low, high = (rounded(100 * lead[name], 1) for name in ("mean", "low", "high"))
        expected.append(words.format(f"{mean}({low}to{high})"))
    for of in means:
        expected.append(f"{rounded(100 * of['test_accuracy']['mean'], 1)}%")
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


# --- the web page ---------------------------------------------------------------------------------


def test_the_committed_page_is_that_of_the_source_and_the_results() -> None:
    assert build_page() == PAGE.read_bytes(), "build it anew: python -m report"


class Page(HTMLParser):
    """What of a page can be asked without a browser."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        self.ids += [value for name, value in attrs if name == "id" and value]


def test_the_page_needs_no_network_and_its_links_lead_somewhere() -> None:
    page = Page(PAGE.read_text(encoding="utf-8"))
    links = [of["href"] for tag, of in page.tags if tag == "a" and of.get("href")]
    assert len(links) > 40
    for link in links:
        assert link is not None
        if link.startswith("#"):
            assert page.ids.count(link[1:]) == 1, link
        elif not link.startswith("https://"):
            assert (PAGE.parent / link.partition("#")[0]).is_file(), link
    assert not [tag for tag, _ in page.tags if tag in ("script", "link")]
    for tag, of in page.tags:
        source = of.get("src") or "data:"
        if tag == "iframe":
            assert source in links and of["title"]
        else:
            assert source.startswith("data:")


def test_the_page_has_every_numbered_equation_and_a_text_for_each_drawing() -> None:
    html = PAGE.read_text(encoding="utf-8")
    page = Page(html)
    assert [n for n in range(1, 29) if f"eq-{n}" not in page.ids] == []
    assert sum(tag == "math" for tag, _ in page.tags) > 100
    drawings = [of for tag, of in page.tags if tag == "img" or of.get("role") == "img"]
    assert len(drawings) == 5
    assert all(of.get("alt") or of.get("aria-label") for of in drawings)


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
    assert len(drawings) == 3
    for each in drawings:
        assert "<text" not in each and "<dc:date" not in each


def test_figures_are_drawn_in_the_reports_letters() -> None:
    for each in (each for each in given().values() if "<svg" in each):
        assert {*re.findall(r'<path id="([A-Za-z]+)-', each)} == {"STIXGeneral"}


def test_each_figure_is_drawn_of_its_experiment_under_its_name(tmp_path: Path) -> None:
    for name in ("verdict", "gradient_flow", "lag"):
        (tmp_path / f"{name}.json").write_text(json.dumps({"trials": [name]}))
    drawn = {
        name: (experiment, lambda path, trials, name=name: path.write_text(f"{name} of {trials}"))
        for name, (experiment, _) in figures.DRAWN.items()
    }
    with patch.object(figures, "DRAWN", drawn):
        assert figures.svg(tmp_path) == {
            "verdict": "verdict of ['verdict']",
            "untrained": "untrained of ['gradient_flow']",
            "lag": "lag of ['lag']",
        }
    assert {name: draw for name, (_, draw) in figures.DRAWN.items()} == {
        "verdict": verdict.draw,
        "untrained": figures.untrained,
        "lag": lag.draw,
    }


def test_the_panels_hold_what_their_captions_say() -> None:
    called = []
    with (
        figures_kept() as kept,
        patch.object(
            figures.gradient_flow_figure, "draw_untrained", lambda *given: called.append(given)
        ),
    ):
        figures.untrained(Path("a.svg"), [])
    rnn, lstm = kept[0].axes
    assert called == [(rnn, lstm, {})]


def test_the_inputs_are_all_that_the_report_is_made_of() -> None:
    names = {str(path.relative_to(ROOT)).replace("\\", "/") for path in inputs()}
    assert names >= {
        *("report/__init__.py", "report/figures.py", "report/lstm_tutorial_report.typ"),
        *("numpy_lstm/plots.py", "numpy_lstm/experiments/gradient_flow_figure.py"),
        *("numpy_lstm/experiments/verdict.py", "numpy_lstm/experiments/lag.py"),
        *("results/comparison.json", "results/gradient_or_memory.json"),
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
