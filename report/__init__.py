"""The tutorial report: its Typst source, and how it becomes a PDF and a web page."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from unittest.mock import patch

from report import figures

ROOT = Path(__file__).parents[1]
SOURCE = Path(__file__).with_name("lstm_tutorial_report.typ")
PDF = SOURCE.with_suffix(".pdf")
PAGE = SOURCE.with_suffix(".html")


def inputs() -> list[Path]:
    """The files of results that the report reads, its own source, and what draws its figures."""
    ends = ("typ", "bib", "css", "py")
    source = sorted(path for end in ends for path in SOURCE.parent.glob(f"*.{end}"))
    read = "".join(path.read_text(encoding="utf-8") for path in source)
    names = sorted(set(re.findall(r'"/(results/[^"]+\.json)"', read)))
    return [ROOT / name for name in names] + source + figures.SOURCE


def fingerprint() -> str:
    """Of the inputs. Both files carry it, so that a drawing too can be told to be out of date."""
    digest = hashlib.sha256()
    for path in inputs():
        digest.update(path.read_text(encoding="utf-8").encode())  # the same on Windows
    return digest.hexdigest()[:16]


def handed_over() -> dict[str, str]:
    """What the Typst source asks for by `sys.inputs`: the figures, and the fingerprint."""
    return {"fingerprint": fingerprint(), **figures.svg(ROOT / "results")}


def build() -> bytes:
    """The report as tagged, accessible PDF (PDF/UA-1), from the source and `results/` of today.

    The same bytes for the same inputs: the fonts are those that come with Typst, the date is the
    source's. Typst refuses what is not accessible, such as a formula without a text.
    """
    import typst  # of the extra `report`

    pdf = typst.compile(
        SOURCE,
        root=ROOT,
        ignore_system_fonts=True,
        sys_inputs=handed_over(),
        format="pdf",
        pdf_standards="ua-1",
    )
    assert isinstance(pdf, bytes)
    return pdf


def build_page() -> bytes:
    """The same text as one web page, with its formulae as MathML; the PDF is the authority."""
    import typst  # of the extra `report`

    # Typst calls its HTML a preview, and wants to be asked for it.
    with patch.dict(os.environ, TYPST_FEATURES="html"):
        page = typst.compile(
            SOURCE,
            root=ROOT,
            ignore_system_fonts=True,
            sys_inputs={**handed_over(), "web": "yes"},
            format="html",
        )
    assert isinstance(page, bytes)
    return page
