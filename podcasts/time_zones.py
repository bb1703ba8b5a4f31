"""The time zones that a show's charts may be drawn in: the IANA database's own names."""

from functools import cache
from zoneinfo import available_timezones

from django.core.exceptions import ValidationError

# Names of the database that are no places: links to files, and offsets with inverted signs.
_NO_PLACES = ("Etc/", "posix/", "right/", "SystemV/", "US/")


@cache
def time_zones() -> tuple[str, ...]:
    """All names to choose from, UTC first."""
    places = sorted(
        name for name in available_timezones() if "/" in name and not name.startswith(_NO_PLACES)
    )
    return ("UTC", *places)


def validate_time_zone(name: str) -> None:
    """Raise ValidationError unless charts can be drawn in this zone."""
    if name not in time_zones():
        raise ValidationError("Choose a time zone from the list.", code="time_zone_unknown")
