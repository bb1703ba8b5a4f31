"""How cells of charts' tables are written."""

from datetime import date, datetime

from django import template
from django.http import QueryDict
from django.template.context import Context
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from apps.downloads.chart_tables import Cell
from frontend.statistics import words

register = template.Library()


@register.filter
def cell(value: Cell) -> str:
    """For people: days and hours in words, thousands apart, a dash for what isn't there."""
    if value is None:
        return "—"
    if isinstance(value, datetime):
        return f"{value:%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return words.whole_day(value)
    return words.grouped(value) if isinstance(value, int) else value


@register.simple_tag(takes_context=True)
def kept_query(context: Context, *replaced: str) -> SafeString:
    """Hidden fields for what the page's address says, but for the names that a form has itself."""
    query: QueryDict = context["request"].GET
    kept = [(name, query.getlist(name)) for name in query if name not in replaced]
    return format_html_join(
        "",
        '<input type="hidden" name="{}" value="{}">',
        ((name, value) for name, values in kept for value in values),
    )


@register.filter
def is_number(value: Cell) -> bool:
    """Whether the cell stands at the right."""
    return value is None or isinstance(value, int)
