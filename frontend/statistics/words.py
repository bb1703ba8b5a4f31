"""How counts, days and hours are written in charts."""

from datetime import date, datetime

from apps.downloads.charts import Bucket, Grain

PROVISIONAL = "Provisional: late reports can still raise it"


def counted(count: int, noun: str = "download") -> str:
    """``1 download``, ``12 345 downloads`` with narrow spaces."""
    return f"{grouped(count)} {noun}{'' if count == 1 else 's'}"


def grouped(count: int) -> str:
    """``12 345`` with narrow spaces."""
    return f"{count:,}".replace(",", "\u202f")


def day(moment: date) -> str:
    """``14 Oct``."""
    return f"{moment.day} {moment:%b}"


def whole_day(moment: date) -> str:
    """``Wed, 14 Oct 2026``."""
    return f"{moment:%a}, {moment.day} {moment:%b %Y}"


def hour(moment: datetime) -> str:
    """``Wed, 14 Oct, 15:00``."""
    return f"{moment:%a}, {moment.day} {moment:%b, %H:%M}"


def bucket_label(bucket: Bucket, grain: Grain, *, has_years: bool) -> str:
    """Below the axis; with the year where there is more than one."""
    return f"{bucket.first:%b %Y}" if grain is Grain.MONTH or has_years else day(bucket.first)


def bucket_words(bucket: Bucket, grain: Grain) -> str:
    """In a tooltip."""
    if grain is Grain.MONTH:
        return f"{bucket.first:%B %Y}"
    if grain is Grain.WEEK and bucket.first != bucket.last:
        return f"{day(bucket.first)} to {day(bucket.last)} {bucket.last:%Y}"
    return whole_day(bucket.first)


def hours_after(hours: int) -> str:
    """How long after publication: ``6 hours``, ``3 days``, ``3 days 6 hours``."""
    days, rest = divmod(hours, 24)
    parts = [
        f"{count} {noun}{'' if count == 1 else 's'}"
        for count, noun in ((days, "day"), (rest, "hour"))
        if count
    ]
    return " ".join(parts)


def minutes_ago(minutes: int) -> str:
    """As js/live-hour.js has no need to say it again: ``This minute``, ``12 minutes ago``."""
    if not minutes:
        return "This minute"
    return f"{minutes} minute{'' if minutes == 1 else 's'} ago"
