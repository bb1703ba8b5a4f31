"""In which period the bytes for one listener add up: the UTC day, and how long a day is open."""

from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

# Late reports are normal up to 24 h after the day's end; the rest is for outages.
KEY_LIFETIME = timedelta(hours=72)
# A web server whose clock runs ahead by more than this reports nonsense.
CLOCK_TOLERANCE = timedelta(minutes=10)


def moment(epoch_ms: int) -> datetime:
    """A time in UTC; raises ValueError or OverflowError when no calendar holds it."""
    return datetime.fromtimestamp(epoch_ms / 1000, UTC)


def day_of(at: datetime) -> date:
    """The UTC calendar day in which a request began (IAB v2.3, 5.5.1; the day is our choice)."""
    return at.astimezone(UTC).date()


@lru_cache(maxsize=1024)
def key_expires_at(day: date) -> datetime:
    """When the day's key is destroyed: nothing can be counted for that day any more."""
    return datetime.combine(day, time.min, UTC) + timedelta(days=1) + KEY_LIFETIME


def is_open(at: datetime, *, now: datetime) -> bool:
    """Whether a request that began at ``at`` may still be counted."""
    return at <= now + CLOCK_TOLERANCE and now < key_expires_at(day_of(at))


def last_expired_day(now: datetime) -> date:
    """The latest day whose key has to be gone at ``now``."""
    return (now - KEY_LIFETIME - timedelta(days=1)).astimezone(UTC).date()
