"""Every work that is cited stands in REFERENCES.md, and every work that stands there is cited."""

import json
import re
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]

SURNAME = r"[A-ZÀ-Þ][\w-]+"
# Kingma and Ba (2015); Gers et al., 2000; Levy, Goldberg and Dagan's (2015)
CITATION = re.compile(
    rf"(?P<authors>{SURNAME}(?:, {SURNAME})*(?: and {SURNAME}| et al\.)?)(?:['’]s)?"
    r"(?:, | \(|(?<=et al\.) )(?P<year>(?:19|20)\d\d)\b"
)
AUTHOR = rf"((?:van )?{SURNAME}(?: {SURNAME})?), (?:[^\W\d_a-z]\.-?)+"
AUTHORS = rf"{AUTHOR}(?:, {AUTHOR})*(?: and {AUTHOR}| et al\.)?"
# Authors (year) 'Title of an article', venue. Authors (year) *Title of a book*. Publisher or URL.
ENTRY = re.compile(
    rf"(?P<authors>{AUTHORS}) \((?P<year>\d{{4}})\) (?:'[^']+'|\*[^*]+\*)[.,] (?P<where>.+)\."
)
# An entry as a docstring repeats it, from its authors to its pages.
REPEATED = re.compile(rf"{AUTHORS} \(\d{{4}}\) '[^']+', .+? pp\. \d+–\d+")


KEY = re.compile(r"@([a-z]+\d{4})\b")  # how a Typst file cites its .bib file: @elman1990


class Work(NamedTuple):
    """An entry of REFERENCES.md."""

    surnames: tuple[str, ...]
    several: bool  # three authors or more: "et al." may stand for them
    year: str
    text: str


def one_line(text):
    """The text with its lines, and the lines of a comment, joined."""
    return re.sub(r"\s*\n\s*(?:# )?", " ", text)


def citations(text):
    """Whom the text cites and the year: ("Gers et al.", "2000")."""
    text = one_line(text).replace("~", " ")
    text = re.sub(r"[*_](?=et al\.)|(?<=et al\.)[*_]", "", text)  # in italics
    return [(match["authors"], match["year"]) for match in CITATION.finditer(text)]


def works(text):
    """The entries of a list of references, one a paragraph."""
    listed = []
    for paragraph in text.split("\n\n")[2:]:
        entry = ENTRY.fullmatch(one_line(paragraph.strip()))
        assert entry, f"not an entry: {paragraph}"
        surnames = tuple(re.findall(AUTHOR, entry["authors"]))
        several = len(surnames) > 2 or "et al." in entry["authors"]
        listed.append(Work(surnames, several, entry["year"], entry[0].replace("*", "")))
    return listed


def meant(authors, year, listed):
    """The works that a citation may mean; it should be one."""
    surnames = tuple(re.findall(SURNAME, authors))
    if authors.endswith("et al."):
        return [w for w in listed if w.several and w.surnames[:1] == surnames and w.year == year]
    return [w for w in listed if w.surnames == surnames and w.year == year]


def bibliography(text):
    """The entries of a .bib file: the fields of each, by its key."""
    return {
        key: dict(re.findall(r"^ *(\w+) = \{(.*)\},?$", fields, re.M))
        for key, fields in re.findall(r"^@\w+\{(\w+),\n(.*?)^\}", text, re.M | re.S)
    }


def described(fields, listed):
    """The works that agree with an entry of a .bib file in all that both say."""
    said = [fields[name] for name in ("title", "pages", "doi") if name in fields]
    said = [re.sub("[{}]", "", text).replace("--", "–").casefold() for text in said]
    first = fields["author"].partition(",")[0]
    return [
        work
        for work in listed
        if (work.surnames[0], work.year) == (first, fields["year"])
        and all(text in work.text.casefold() for text in said)
    ]


def written(path):
    """What stands in a file; of a notebook, what was typed into its cells."""
    text = path.read_text(encoding="utf-8")
    if path.suffix != ".ipynb":
        return text
    return "\n\n".join("".join(cell["source"]) for cell in json.loads(text)["cells"])


TEXT = (ROOT / "REFERENCES.md").read_text(encoding="utf-8")
WORKS = works(TEXT)
FILES = sorted(
    path
    for pattern in ("numpy_lstm/**/*.py", "README.md", "report/**/*.typ", "notebooks/*.ipynb")
    for path in ROOT.glob(pattern)
)


BIB = bibliography("\n".join(written(path) for path in sorted(ROOT.glob("report/*.bib"))))


def cited(path):
    """Each citation in a file, and the works that it may mean."""
    text = written(path)
    found = [
        (f"{authors}, {year}", meant(authors, year, WORKS)) for authors, year in citations(text)
    ]
    if path.suffix == ".typ":
        found += [(f"@{key}", described(BIB[key], WORKS)) for key in KEY.findall(text)]
    return found


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_citation_is_that_of_one_entry(path):
    assert [citation for citation, found in cited(path) if len(found) != 1] == []


def test_every_entry_is_cited():
    found = {work for path in FILES for _, works in cited(path) for work in works}
    assert [work.text for work in WORKS if work not in found] == []


def test_the_entries_are_sorted_and_at_least_twenty():
    keys = [([name.casefold() for name in work.surnames], work.year) for work in WORKS]
    assert all(one < two for one, two in pairwise(keys))
    assert len(WORKS) >= 20


def test_the_citations_that_the_style_knows_are_found():
    text = """
    As in Elman (1990), and in Hochreiter and Schmidhuber (1997) with Levy, Goldberg and
    Dagan's (2015) advice (Gers et al., 2000; Wang
    # and Manning, 2012, table 2); see _et al._: Maas _et al._ (2011), in 2015 steps of (2000).
    """
    assert citations(text) == [
        ("Elman", "1990"),
        ("Hochreiter and Schmidhuber", "1997"),
        ("Levy, Goldberg and Dagan", "2015"),
        ("Gers et al.", "2000"),
        ("Wang and Manning", "2012"),
        ("Maas et al.", "2011"),
    ]


@pytest.mark.parametrize(
    "planted",
    [
        "Nobody (1990)",
        "(Elman, 1991)",
        "(Elman et al., 1990)",
        "Hochreiter and Elman (1997)",
        "(Hochreiter et al., 1997)",
        "Gers and\n    Cummins (2000)",
        "_Nobody et al._ 2015",
    ],
)
def test_a_citation_of_what_is_not_listed_is_noticed(planted):
    ((authors, year),) = citations(f"The gate is that of {planted}.")
    assert meant(authors, year, WORKS) == []


def test_an_entry_of_a_bib_file_that_differs_is_noticed():
    text = """\
@article{gers2000,
  author = {Gers, Felix A. and Schmidhuber, Jürgen and Cummins, Fred},
  year = {2000},
  title = {Learning to forget: Continual prediction with {LSTM}},
  pages = {2451--2471},
}
"""
    assert KEY.findall("The forget gate @gers2000, (@gers2000)") == ["gers2000"] * 2
    (work,) = described(bibliography(text)["gers2000"], WORKS)
    assert work.surnames == ("Gers", "Schmidhuber", "Cummins")
    for right, wrong in (
        ("{2000}", "{1999}"),
        ("2471", "2472"),
        ("forget", "keep"),
        ("Gers,", "G,"),
    ):
        assert described(bibliography(text.replace(right, wrong))["gers2000"], WORKS) == []


def test_an_entry_that_names_no_place_is_noticed():
    with pytest.raises(AssertionError, match="not an entry"):
        works("# References\n\nWhat is cited.\n\nNobody, A. (1990) 'On nothing'.\n")


def test_an_entry_that_a_docstring_repeats_is_the_same_there():
    listed = one_line(TEXT).replace("*", "")
    repeated = [
        match[0]
        for path in sorted((ROOT / "numpy_lstm").rglob("*.py"))
        for match in REPEATED.finditer(one_line(written(path)))
    ]
    assert len(repeated) >= 8
    for entry in repeated:
        assert entry in listed
