"""The rules by themselves: threshold, window, and which hits are dropped for which reason."""

from collections.abc import Container
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from apps.downloads.agents import classify
from apps.downloads.hit import Hit
from apps.downloads.rules import Accepted, DropReason, judge
from apps.downloads.threshold import threshold_bytes
from apps.downloads.window import epoch_ms, last_expired_day, open_day
from tests.downloads.making import CHROME, NOON, THRESHOLD, asked, make_hit, whole


@pytest.mark.parametrize(
    ("size_bytes", "header_bytes", "duration_ms", "expected"),
    [
        (29_000_000, 200_000, 1_800_000, 1_160_000),
        (29_000_001, 200_000, 1_800_000, 1_160_001),  # rounded up
        (960_000, 0, 60_000, 960_000),
        (960_000, 0, 59_999, 960_000),
        (960_000, 0, 0, 960_000),
        (960_000, 960_000, 120_000, 960_000),
        (960_000, 2_000_000, 120_000, 960_000),
        (1, 0, 10_000_000, 1),
        (2**40, 0, 120_000, 2**39),
    ],
)
def test_a_download_is_the_header_and_a_minute(
    size_bytes: int, header_bytes: int, duration_ms: int, expected: int
) -> None:
    assert (
        threshold_bytes(size_bytes=size_bytes, header_bytes=header_bytes, duration_ms=duration_ms)
        == expected
    )


def test_a_file_without_bytes_has_no_threshold() -> None:
    with pytest.raises(ValueError, match="without bytes"):
        threshold_bytes(size_bytes=0, header_bytes=0, duration_ms=1)


@given(st.integers(1, 2**40), st.integers(0, 2**40), st.integers(0, 10**9))
def test_a_threshold_can_always_be_reached_and_never_without_bytes(
    size_bytes: int, header_bytes: int, duration_ms: int
) -> None:
    found = threshold_bytes(
        size_bytes=size_bytes, header_bytes=header_bytes, duration_ms=duration_ms
    )

    assert 1 <= found <= size_bytes


DAY = date(2026, 10, 14)


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        (datetime(2026, 10, 14, 12, 0, tzinfo=UTC), True),
        (datetime(2026, 10, 14, 11, 50, tzinfo=UTC), True),  # a clock that is a little ahead
        (datetime(2026, 10, 14, 11, 49, tzinfo=UTC), False),
        (datetime(2026, 10, 17, 23, 59, 59, tzinfo=UTC), True),
        (datetime(2026, 10, 18, tzinfo=UTC), False),
    ],
)
def test_a_day_is_open_until_72_hours_after_its_end(now: datetime, expected: bool) -> None:
    day = open_day(epoch_ms(NOON), now_ms=epoch_ms(now))
    assert day == (DAY if expected else None)


@given(st.datetimes(datetime(2020, 1, 1), datetime(2040, 1, 1), timezones=st.just(UTC)))  # noqa: DTZ001
def test_a_key_is_destroyed_exactly_when_its_day_is_closed(now: datetime) -> None:
    day = last_expired_day(now)

    noon, now_ms = datetime.combine(day, time(12), UTC), epoch_ms(now)
    assert open_day(epoch_ms(noon), now_ms=now_ms) is None
    assert open_day(epoch_ms(noon + timedelta(days=1)), now_ms=now_ms) == day + timedelta(days=1)


def verdict(hit: Hit, data_centres: Container[str] = ()) -> Accepted | DropReason:
    return judge(
        hit,
        agent=classify(hit.agent),
        day=open_day(hit.at, now_ms=epoch_ms(NOON + timedelta(hours=1))),
        data_centres=data_centres,
    )


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"method": "HEAD"}, DropReason.METHOD),
        ({"method": "OPTIONS"}, DropReason.METHOD),
        ({"method": "get"}, DropReason.METHOD),
        ({"status": 304}, DropReason.STATUS),
        ({"status": 416}, DropReason.STATUS),
        ({"via": "cdn"}, DropReason.CDN_FETCH),
        ({"status": 500}, DropReason.STATUS),
        (
            {"agent": "atc/1.0 watchOS/7.1 model/Watch4,2 hwp/t8006 build/18R590 (6; dt:191)"},
            DropReason.APPLE_WATCH,
        ),
        ({"agent": "(null)/(null) watchOS/5.0.1 model/Watch3,3"}, DropReason.APPLE_WATCH),
        ({"agent": ""}, DropReason.BLANK_AGENT),
        ({"agent": " \t"}, DropReason.BLANK_AGENT),
        ({"agent": "Spotify/1.0"}, DropReason.BOT),
        ({"agent": "Go-http-client/2.0"}, DropReason.SERVER_LIBRARY),
        ({"agent": "FancySPIDER/1"}, DropReason.CRAWLER),
        ({"agent": "x-crawler 2"}, DropReason.CRAWLER),
        ({"ip": ""}, DropReason.NO_ADDRESS),
        ({"ip": "unknown"}, DropReason.NO_ADDRESS),
        ({"range": "bytes=0-1", "status": 206}, DropReason.PROBE),
        ({"range": " Bytes = 0 - 1 ", "status": 206}, DropReason.PROBE),
        ({"sent": ()}, DropReason.NOTHING_SENT),
        ({"sent": ((29_000_000, 30_000_000),)}, DropReason.NOTHING_SENT),
        ({"size": 0}, DropReason.MALFORMED),
        ({"size": -5}, DropReason.MALFORMED),
        ({"header": -1}, DropReason.MALFORMED),
        ({"duration_ms": -1}, DropReason.MALFORMED),
        ({"at": 2**62}, DropReason.OUTSIDE_WINDOW),
        ({"at": 0}, DropReason.OUTSIDE_WINDOW),
        # The first rule that applies names the reason.
        ({"method": "HEAD", "agent": "Googlebot/2.1"}, DropReason.METHOD),
        ({"agent": "Googlebot/2.1", "range": "bytes=0-1"}, DropReason.BOT),
    ],
)
def test_each_drop_has_its_reason(fields: dict[str, Any], reason: DropReason) -> None:
    hit = make_hit((0, 2_000_000))
    assert verdict(replace(hit, **fields)) is reason
    assert reason.label


@pytest.mark.parametrize(
    "agent",
    [
        "Watch/1140 CFNetwork/3860.200.71 Darwin/25.1.0",
        "AppleCoreMedia/1.0.0.20R361 (Apple Watch; U; CPU OS 9_0 like Mac OS X; en_us)",
        "Spotify/8.7.10 iOS/15.3.1 (iPhone13,2)",
        "SomethingNew/1.0",
        "atc/1.0",
    ],
)
def test_other_watches_listeners_and_unknown_agents_count(agent: str) -> None:
    assert isinstance(verdict(whole(agent=agent)), Accepted)


@pytest.mark.parametrize("header", ["bytes=0-1", "bytes=0-10", "bytes=0-", "bytes=1-1", "x=0-1"])
def test_only_the_first_two_bytes_are_a_probe(header: str) -> None:
    expected = header == "bytes=0-1"

    assert (verdict(make_hit((0, 2), range=header)) is DropReason.PROBE) is expected


def test_data_centres_are_filtered_for_browsers_only() -> None:
    centres = {"203.0.113.9"}

    assert verdict(whole(agent=CHROME), centres) is DropReason.DATA_CENTRE
    assert isinstance(verdict(whole(), centres), Accepted)
    assert isinstance(verdict(whole(agent=CHROME, ip="203.0.113.10"), centres), Accepted)


def test_an_accepted_hit_says_for_whom_and_how_much() -> None:
    found = verdict(asked("0-99", ip="2001:db8:0:7:aaaa::1"))

    assert isinstance(found, Accepted)
    assert (found.day, found.address) == (DAY, "2001:db8:0:7::/64")
    assert (found.sent, found.threshold_bytes) == (((0, 100),), THRESHOLD)
