"""Hits for tests: episode A of "how a download is counted" and who listens to it."""

from collections.abc import Iterable, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from msgspec.structs import replace

from apps.core.ids import new_id
from apps.downloads.hit import Hit
from apps.downloads.intervals import Interval

SIZE, HEADER, DURATION_MS = 29_000_000, 200_000, 1_800_000
THRESHOLD = 1_160_000

NOON = datetime(2026, 10, 14, 12, tzinfo=UTC)
EPISODE, SHOW, ORGANIZATION, RENDITION = (UUID(int=number) for number in range(1, 5))

OVERCAST = "Overcast/3.0 (+http://overcast.fm/; iOS podcast app)"
POCKET_CASTS = "Pocket Casts"
ANTENNAPOD = "AntennaPod/3.4.0"
CHROME = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/130.0.0.0 Safari/537.36"
)
ADDRESS = "203.0.113.9"


def at(text: str) -> datetime:
    """A time on 14 October 2026 ("12:30"), or on the day named before it ("15 00:03")."""
    day, _, clock = text.rpartition(" ")
    hour, minute = clock.split(":")
    return NOON.replace(day=int(day or 14), hour=int(hour), minute=int(minute))


def make_hit(
    *sent: Interval,
    when: datetime = NOON,
    **fields: Any,
) -> Hit:
    """A hit on episode A by Overcast, who was sent these intervals."""
    complete: dict[str, Any] = {
        "id": new_id(),
        "at": int(when.timestamp() * 1000),
        "episode": EPISODE,
        "show": SHOW,
        "organization": ORGANIZATION,
        "rendition": RENDITION,
        "size": SIZE,
        "header": HEADER,
        "duration_ms": DURATION_MS,
        "method": "GET",
        "status": 206 if "range" in fields else 200,
        "ip": ADDRESS,
        "agent": OVERCAST,
        "sent": tuple(sent),
    } | fields
    return Hit(**complete)


def asked(text: str, **fields: Any) -> Hit:
    """A hit for the bytes ``first-last`` as a Range header names them, all of them sent."""
    first, _, last = text.partition("-")
    end = int(last) + 1 if last else fields.get("size", SIZE)
    return make_hit((int(first), end), range=f"bytes={text}", **fields)


def whole(**fields: Any) -> Hit:
    """A full GET."""
    return make_hit((0, fields.get("size", SIZE)), **fields)


AGENTS = [OVERCAST, POCKET_CASTS, ANTENNAPOD, CHROME, "Castro 2020.14/1287", "Podverse/F-Droid"]

CASES: dict[str, tuple[Sequence[Hit], int]] = {
    "a full GET": ([whole()], 1),
    "the same twice, two hours apart": ([whole(), whole(when=at("14:00"))], 1),
    "a probe, then the file in two ranges": ([asked("0-1"), asked("0-65535"), asked("65536-")], 1),
    "one byte less than the threshold": ([asked("0-1159998")], 0),
    "exactly the threshold": ([asked("0-1159999")], 1),
    "the sum passes the threshold, the union does not": (
        [asked("0-699999"), asked("500000-1159998")],
        0,
    ),
    "two ranges far apart": ([asked("0-579999"), asked("10000000-10579999")], 1),
    "a 200 aborted after 500,000 bytes": ([make_hit((0, 500_000))], 0),
    "aborted at 900,000 bytes, resumed an hour later": (
        [
            make_hit((0, 900_000), range="bytes=0-"),
            asked("900000-", when=at("13:00")),
        ],
        1,
    ),
    "half on either side of midnight in UTC": (
        [
            asked("0-699999", when=at("13 23:58")),
            asked("700000-1399999", when=at("14 00:03")),
        ],
        0,
    ),
    "two addresses in one IPv6 /64, and one in another": (
        [
            whole(ip="2001:db8:1:2::1"),
            whole(ip="2001:db8:1:2:ffff::2"),
            whole(ip="2001:db8:1:3::1"),
        ],
        2,
    ),
    "ten GETs, six agents, one address": (
        [whole(agent=AGENTS[number % 6]) for number in (0, 1, 2, 3, 4, 5, 0, 1, 2, 3)],
        6,
    ),
    "HEAD, 304, 404 and 416 never count": (
        [
            make_hit(method="HEAD"),
            make_hit(status=304),
            make_hit(status=404),
            make_hit(status=416, range="bytes=99999999-"),
        ],
        0,
    ),
    "a file of 40 seconds needs all of its bytes": (
        [make_hit((0, 639_999), size=640_000, duration_ms=40_000)],
        0,
    ),
    "all bytes of a file of 40 seconds": ([whole(size=640_000, duration_ms=40_000)], 1),
    "a file replaced in mid-day counts once": (
        [whole(), whole(rendition=UUID(int=99), when=at("14:00"))],
        1,
    ),
    "two versions of a file never add up": (
        [asked("0-699999"), asked("700000-1399999", rendition=UUID(int=99))],
        0,
    ),
    "two IPv4 addresses": ([whole(), whole(ip="203.0.113.10")], 2),
    "the mapped form of an IPv4 address is the same listener": (
        [whole(), whole(ip=f"::ffff:{ADDRESS}")],
        1,
    ),
}


def placed(hits: Iterable[Hit], **ids: Any) -> list[Hit]:
    """The same hits on another episode."""
    return [replace(hit, **ids) for hit in hits]
