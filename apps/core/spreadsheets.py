"""Rows as CSV (RFC 4180) that a spreadsheet may open."""

import csv
from collections.abc import Iterable, Sequence
from io import StringIO

# What begins a formula for a spreadsheet that opens the file, see the OWASP page "CSV Injection".
_FORMULA_BEGINS = ("=", "+", "-", "@", "\t", "\r")


def csv_text(lines: Iterable[Sequence[object]]) -> str:
    """All lines, the columns' names first; None is an empty cell."""
    text = StringIO()
    csv.writer(text).writerows([_harmless(cell) for cell in line] for line in lines)
    return text.getvalue()


def _harmless(cell: object) -> object:
    """An app's name or a title is somebody else's text: it must not become a formula."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA_BEGINS) else cell
