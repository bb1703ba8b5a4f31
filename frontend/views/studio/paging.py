"""How lists of the studio are cut into pages."""

from typing import Any

from django.core.paginator import Page, Paginator
from django.http import HttpRequest

PAGE_SIZE = 25


def page_of(request: HttpRequest, rows: Any, *, size: int = PAGE_SIZE) -> "Page[Any]":
    """The page asked for; one that doesn't exist (any more) is the last, nonsense the first."""
    return Paginator(rows, size).get_page(request.GET.get("page"))
