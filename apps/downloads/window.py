"""In which period the bytes for one listener add up: the UTC day, and how long a day is open."""

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

# Late reports are normal up to 24 h after the day's end; the rest is for outages.
KEY_LIFETIME = timedelta(hours=72)
# A web server whose clock runs ahead by more than this reports nonsense.
CLOCK_TOLERANCE = timedelta(minutes=10)

_MILLISECOND = timedelta(milliseconds=1)
_DAY_MS = timedelta(days=1) // _MILLISECOND
_KEY_LIFETIME_MS = KEY_LIFETIME // _MILLISECOND
_TOLERANCE_MS = CLOCK_TOLERANCE // _MILLISECOND
_EPOCH = date(1970, 1, 1)
_FIRST_PODCAST_MS = (date(2003, 1, 1) - _EPOCH) // _MILLISECOND


def epoch_ms(at: datetime) -> int:
    """A time in milliseconds of Unix time."""
    return (at - datetime.fromtimestamp(0, UTC)) // _MILLISECOND


def moment(at_ms: int) -> datetime:
    """Milliseconds of Unix time as a time in UTC."""
    return datetime.fromtimestamp(at_ms / 1000, UTC)


def open_day(at_ms: int, *, now_ms: int) -> date | None:
    """The UTC day in which a request began, or None when nothing of it can be counted any more.

    IAB v2.3, 5.5.1; the calendar day is our choice. Times are in milliseconds of Unix time, and
    may be any number: this is asked for every hit.
    """
    number = at_ms // _DAY_MS
    if at_ms > now_ms + _TOLERANCE_MS or now_ms >= (number + 1) * _DAY_MS + _KEY_LIFETIME_MS:
        return None
    return _day(number)


def any_day(at_ms: int, *, now_ms: int) -> date | None:
    """The UTC day in which a request began, open or not; None before podcasts and in the future."""
    if not _FIRST_PODCAST_MS <= at_ms <= now_ms + _TOLERANCE_MS:
        return None
    return _day(at_ms // _DAY_MS)


@lru_cache(maxsize=8192)
def _day(number: int) -> date:
    return _EPOCH + timedelta(days=number)


def last_expired_day(now: datetime) -> date:
    """The latest day whose key has to be gone: nothing can be counted for it any more."""
    return (now - KEY_LIFETIME - timedelta(days=1)).astimezone(UTC).date()
