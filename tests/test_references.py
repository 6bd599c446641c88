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
AUTHOR = rf"({SURNAME}(?: {SURNAME})?), (?:[A-Z]\.-?)+"
AUTHORS = rf"{AUTHOR}(?:, {AUTHOR})*(?: and {AUTHOR}| et al\.)?"
# Authors (year) 'Title of an article', venue. Authors (year) *Title of a book*. Publisher or URL.
ENTRY = re.compile(
    rf"(?P<authors>{AUTHORS}) \((?P<year>\d{{4}})\) (?:'[^']+'|\*[^*]+\*)[.,] (?P<where>.+)\."
)
# An entry as a docstring repeats it, from its authors to its pages.
REPEATED = re.compile(rf"{AUTHORS} \(\d{{4}}\) '[^']+', .+? pp\. \d+–\d+")


class Work(NamedTuple):
    """An entry of REFERENCES.md."""

    surnames: tuple[str, ...]
    several: bool  # three authors or more: "et al." may stand for them
    year: str


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
        listed.append(Work(surnames, several, entry["year"]))
    return listed


def meant(authors, year, listed):
    """The works that a citation may mean; it should be one."""
    surnames = tuple(re.findall(SURNAME, authors))
    if authors.endswith("et al."):
        return [w for w in listed if w.several and w.surnames[:1] == surnames and w.year == year]
    return [w for w in listed if w.surnames == surnames and w.year == year]


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


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.relative_to(ROOT).as_posix())
def test_every_citation_is_that_of_one_entry(path):
    for authors, year in citations(written(path)):
        assert len(meant(authors, year, WORKS)) == 1, f"{authors}, {year}"


def test_every_entry_is_cited():
    cited = [citation for path in FILES for citation in citations(written(path))]
    found = {work for authors, year in cited for work in meant(authors, year, WORKS)}
    assert set(WORKS) - found == set()


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
