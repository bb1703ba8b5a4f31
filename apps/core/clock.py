"""The time, in one place, always aware and in UTC."""

from datetime import UTC, datetime


def now() -> datetime:
    """The current moment in UTC."""
    return datetime.now(UTC)


def in_utc(moment: datetime) -> datetime:
    """The same aware moment in UTC; OverflowError at the ends of the calendar.

    What people send is turned so before the database reads it: offsets of RFC 3339 go to 23:59,
    PostgreSQL's to 15:59.
    """
    return moment.astimezone(UTC)
