"""Build the report: ``python -m report`` writes ``report/lstm_tutorial_report.pdf``."""

from report import PDF, build

PDF.write_bytes(build())
print(PDF)
