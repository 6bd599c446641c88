"""The tutorial report: its Typst source, and how it becomes a PDF."""

from __future__ import annotations

from pathlib import Path

import typst

ROOT = Path(__file__).parents[1]
SOURCE = Path(__file__).with_name("lstm_tutorial_report.typ")
PDF = SOURCE.with_suffix(".pdf")


def build() -> bytes:
    """The report as tagged, accessible PDF (PDF/UA-1), from the source and `results/` of today.

    The same bytes for the same inputs: the fonts are those that come with Typst, the date is the
    source's. Typst refuses what is not accessible, such as a formula without a text.
    """
    pdf = typst.compile(
        SOURCE, root=ROOT, ignore_system_fonts=True, format="pdf", pdf_standards="ua-1"
    )
    assert isinstance(pdf, bytes)
    return pdf
