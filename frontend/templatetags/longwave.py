"""Small words for templates: icons, where one is, times, sizes and durations."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django import template
from django.template.context import Context
from django.templatetags.static import static
from django.utils import dateformat
from django.utils.html import format_html
from django.utils.safestring import SafeString, mark_safe

from apps.media.models import Image
from frontend.statistics import words
from podcasts.urls import artwork_url

register = template.Library()

TIME_FORMATS = {
    "date": "j M Y",
    "datetime": "j M Y, H:i",
    "time": "H:i",
    "ago": "j M Y, H:i",
}


@register.simple_tag
def icon(name: str, label: str = "", css: str = "") -> SafeString:
    """``{% icon "play" %}``: hidden from screen readers unless it has a label of its own."""
    classes = f"icon {css}".strip()
    href = f"{static('vendor/lucide/icons.svg')}#{name}"
    if label:
        return format_html(
            '<svg class="{}" role="img" aria-label="{}"><use href="{}"/></svg>',
            classes,
            label,
            href,
        )
    return format_html(
        '<svg class="{}" aria-hidden="true" focusable="false"><use href="{}"/></svg>',
        classes,
        href,
    )


@register.simple_tag(takes_context=True)
def current(context: Context, *view_names: str) -> SafeString:
    """``aria-current`` when the page shown is one of these; "page" for the first of them."""
    request = context.get("request")
    match = getattr(request, "resolver_match", None)
    if match is None or match.view_name not in view_names:
        return mark_safe("")
    return mark_safe(  # noqa: S308 - one of two constants
        'aria-current="page"' if match.view_name == view_names[0] else 'aria-current="true"'
    )


@register.simple_tag
def local_time(moment: datetime | None, style: str = "datetime") -> SafeString:
    """A ``<time>`` in UTC that times.js shows in the reader's zone.

    ``style``: date, datetime, time, or ago ("5 minutes ago", kept current).
    """
    if moment is None:
        return mark_safe('<span class="muted">—</span>')
    moment = moment.astimezone(UTC)
    written = dateformat.format(moment, TIME_FORMATS[style])
    if style != "date":
        written += " UTC"
    return format_html(
        '<time datetime="{}" data-local="{}">{}</time>', moment.isoformat(), style, written
    )


@register.filter
def clock(milliseconds: float | None) -> str:
    """A position or length as players show it: ``3:05``, ``1:02:03``."""
    if milliseconds is None:
        return ""
    hours, rest = divmod(int(milliseconds) // 1000, 3600)
    minutes, seconds = divmod(rest, 60)
    return f"{hours}:{minutes:02}:{seconds:02}" if hours else f"{minutes}:{seconds:02}"


@register.filter
def spoken_duration(milliseconds: float | None) -> str:
    """A length as people say it: ``48 min``, ``1 h 5 min``, ``40 s``."""
    if milliseconds is None:
        return ""
    seconds = round(milliseconds / 1000)
    if seconds < 60:
        return f"{seconds} s"
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return f"{minutes} min"
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


@register.filter
def data_size(size_bytes: float | str | None) -> str:
    """Bytes in decimal units, as disks and mobile contracts count them: ``34.2 MB``.

    Nothing for nothing: "" is what a template has for a row that a script will fill.
    """
    if size_bytes is None or size_bytes == "":
        return ""
    size = float(size_bytes)
    for unit in ("bytes", "kB", "MB", "GB", "TB"):
        if size < 1000 or unit == "TB":
            break
        size /= 1000
    return f"{size:.0f} {unit}" if unit == "bytes" or size >= 100 else f"{size:.1f} {unit}"


@register.filter
def compact(number: float | None) -> str:
    """A count that fits a small space: ``950``, ``12.3k``, ``4.1M``."""
    if number is None:
        return "—"
    value = float(number)
    for suffix in ("", "k", "M", "G"):
        if abs(value) < 999.5 or suffix == "G":
            break
        value /= 1000
    written = f"{value:.0f}" if not suffix or abs(value) >= 99.95 else f"{value:.1f}"
    return written.removesuffix(".0") + suffix


@register.filter
def grouped(number: int | str | None) -> str:
    """A count with narrow spaces between the thousands: ``12 345``; "" stays "" (see data_size)."""
    if isinstance(number, str):
        return number
    return "—" if number is None else words.grouped(number)


@register.filter
def initials(name: object) -> str:
    """One or two letters that stand for a name where there is no picture."""
    parts = str(name).split()
    return "".join(part[0] for part in (parts[:1] + parts[-1:] if len(parts) > 1 else parts))


@register.filter
def widget_kind(field: Any) -> str:
    """Which of our field layouts a bound field wants: see forms/field.html and controls.css."""
    return {
        "checkbox": "check",
        "radioselect": "radio",
        "explainedradioselect": "explained",
        "explainedcheckboxes": "explained",
        "checkboxselectmultiple": "checkboxes",
    }.get(field.widget_type, "input")


@register.filter
def whole_seconds(milliseconds: float | None) -> int:
    """A length for ``max`` of a seek bar."""
    return int(milliseconds or 0) // 1000


@register.filter
def art_url(image: Image, size: str) -> str:
    """A picture's address on this site: relative, so that ``img-src 'self'`` always allows it."""
    return urlsplit(artwork_url(image, str(size))).path


@register.filter
def undo_address(message: Any) -> str:
    """The address in a message's ``undo:...`` tag, to which its undo button posts."""
    tags = str(message.extra_tags or "").split()
    return next((tag.removeprefix("undo:") for tag in tags if tag.startswith("undo:/")), "")
