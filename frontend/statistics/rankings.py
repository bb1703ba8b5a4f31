"""What the downloads of a period come from: apps, devices, countries and websites."""

from collections.abc import Mapping, Sequence

from apps.downloads import chart_tables, charts
from apps.downloads.charts import Part
from apps.downloads.models import Dimension
from apps.downloads.subject import Subject
from apps.downloads.totals import Period
from apps.live.country_names import country_name
from frontend.statistics.panel import NOTHING, Panel, Rank

MOST_RANKED = 8


def part_panels(subject: Subject, period: Period) -> list[Panel]:
    """Apps, devices, countries and websites."""
    return [part_panel(subject, period, key) for key in _PARTS]


def part_panel(subject: Subject, period: Period, key: str) -> Panel:
    """One of ``PART_KEYS``."""
    dimension, title, column, unknown, note, empty = _PARTS[key]
    parts = charts.parts(subject.scope, period, dimension)
    names = {part.value: _part_name(dimension, part.value) or unknown for part in parts}
    return Panel(
        key=key,
        title=title,
        note=note,
        table=chart_tables.part_table(parts, key=dimension.value, label=column, names=names),
        ranks=_ranks(parts, names, has_codes=dimension is Dimension.COUNTRY),
        empty="" if parts else empty,
    )


def _ranks(parts: Sequence[Part], names: Mapping[str, str], *, has_codes: bool) -> list[Rank]:
    total = sum(part.downloads for part in parts)
    return [
        Rank(
            name=names[part.value],
            count=part.downloads,
            percent=round(100 * part.downloads / total),
            width=round(100 * part.downloads / parts[0].downloads, 2),
            code=part.value if has_codes else "",
        )
        for part in parts[:MOST_RANKED]
    ]


# Key of the export: dimension, title, first column, unknown, note, what to say when empty.
_PARTS: Mapping[str, tuple[Dimension, str, str, str, str, str]] = {
    "apps": (Dimension.APP, "Apps", "App", "Unknown app", "", NOTHING),
    "devices": (Dimension.DEVICE, "Devices", "Device", "Unknown device", "", NOTHING),
    "countries": (Dimension.COUNTRY, "Countries", "Code", "Unknown", "", NOTHING),
    "websites": (
        Dimension.REFERRER,
        "Websites",
        "Site",
        "Unknown",
        "On which a player was used",
        "Nobody used a player on a website. Your public page has one.",
    ),
}
PART_KEYS = tuple(_PARTS)


def _part_name(dimension: Dimension, value: str) -> str:
    return country_name(value) if dimension is Dimension.COUNTRY else value
