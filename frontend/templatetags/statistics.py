"""How cells of charts' tables are written."""

from datetime import date, datetime

from django import template

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


@register.filter
def is_number(value: Cell) -> bool:
    """Whether the cell stands at the right."""
    return value is None or isinstance(value, int)
