"""Yesterday can't be linked: once a day is closed, nothing that is left leads to who listened."""

import hashlib
import hmac
from collections.abc import Iterator
from datetime import date, datetime

import pytest
import time_machine
from django.db import connection
from pytest_django import Settings

from apps.downloads import archive, months, sketch
from apps.downloads.closing import close_expired
from apps.downloads.hit import Hit
from apps.downloads.models import (
    DayKey,
    Download,
    DropTally,
    HitBatch,
    MonthArrival,
    MonthKey,
    MonthListeners,
)
from apps.downloads.open_days import keys_for
from apps.downloads.partitions import PARTITIONED
from apps.downloads.quarantine import release_address
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import NOON, asked, at, make_hit, whole

DAY = NOON.date()
ADDRESS = "198.51.100.77"
ADDRESS_V6 = "2001:db8:7:7::7"
AGENT = "Overcast/3.0 (secret-marker)"
CLOSED = NOON.replace(day=18, hour=0)
MONTH_OVER = datetime(2026, 11, 4, tzinfo=NOON.tzinfo)

pytestmark = pytest.mark.usefixtures("noon")


def everything() -> Iterator[tuple[str, str]]:
    """Each row of each table of this room, partitions included, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE 'downloads%%' "
            "AND relkind IN ('r', 'm') ORDER BY relname"
        )
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT t::text FROM "{table}" AS t')  # noqa: S608
            yield from ((table, row) for (row,) in cursor.fetchall())


def partitions_of(day: date) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relname LIKE %s", [f"downloads_%{day:%Y%m%d}%"]
        )
        return [name for (name,) in cursor.fetchall()]


def traces(hits: list[Hit], keys: list[bytes], aired: Aired) -> dict[str, str]:
    """All that somebody who knows the listener, and the keys as they were, could look for."""
    organization = aired.episode.organization_id
    found = {"the agent": "secret-marker", "the agent's hash": _sha(AGENT)}
    for address in (ADDRESS, ADDRESS_V6, "2001:db8:7:7::/64"):
        found |= {f"{address} itself": address, f"{address} hashed": _sha(address)}
        found |= {f"{address} in bytes": address.encode().hex()}
        for number, key in enumerate(keys):
            who = keyed(key, f"listener|{organization}|{address}|{AGENT}")
            found |= {f"{address} under key {number}": who.hex()}
            place = keyed(key, f"address|{organization}|{address}")
            found |= {f"{address} alone under key {number}": place.hex()}
    for number, key in enumerate(keys):
        sealing = hmac.digest(key, b"archive of hits", "sha256")
        found |= {f"key {number}": key.hex(), f"key {number} of the archive": sealing.hex()}
    return found | {f"response {hit.id}": str(hit.id) for hit in hits}


def keyed(key: bytes, who: str) -> bytes:
    """What stands for a listener or an address, as a row has it while the key is there."""
    return hmac.digest(key, who.encode(), "sha256")[:16]


def _sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


@pytest.fixture
def yesterday(aired: Aired, send: Send, count: Count) -> list[Hit]:
    """A day with downloads, one of them held and released, one unfinished and one dropped."""
    hits = aired.hits(
        whole(ip=ADDRESS, agent=AGENT, referrer="radio.example"),
        whole(ip=ADDRESS_V6, agent=AGENT),
        asked("0-1000", ip="192.0.2.5", agent=AGENT),
        make_hit(method="HEAD", ip=ADDRESS, agent=AGENT),
        whole(ip=ADDRESS, agent=AGENT, when=at("13 12:00")),
    )
    send(*hits)
    count()
    return hits


def test_nothing_that_is_left_of_a_closed_day_leads_to_a_listener(
    yesterday: list[Hit], aired: Aired
) -> None:
    day_keys, month_keys = DayKey.objects.all(), MonthKey.objects.all()
    keys = [bytes(row.key) for row in day_keys] + [bytes(row.key) for row in month_keys]
    assert len(keys) == 3
    sought = traces(yesterday, keys, aired)
    before = "\n".join(row for _, row in everything())
    known = [what for what, trace in sought.items() if trace in before]
    assert f"{ADDRESS} under key 0" in known  # what is looked for can be found
    assert "key 0" in known

    close_expired(now=MONTH_OVER)

    left = list(everything())
    assert {(table, what) for table, row in left for what, t in sought.items() if t in row} == set()
    assert not DayKey.objects.exists()
    assert not MonthKey.objects.exists()
    assert not MonthArrival.objects.exists()


def test_only_the_sketch_of_the_month_outlives_the_day_and_it_names_nobody_without_its_key(
    yesterday: list[Hit], aired: Aired
) -> None:
    """The month's key is all that is left while the month lasts; no row has a listener's own."""
    close_expired(now=CLOSED)

    organization = aired.episode.organization_id
    (month,) = MonthKey.objects.all()
    who = keyed(bytes(month.key), f"listener|{organization}|{ADDRESS}|{AGENT}").hex()
    assert not [table for table, row in everything() if who in row]


def test_what_waits_for_a_sketch_tells_of_a_listener_no_more_than_the_sketch_will(
    yesterday: list[Hit],
) -> None:
    """Three bytes each: which register, and what it rises to."""
    marks = bytes(MonthArrival.objects.get().marks)
    assert len(marks) == 3 * 3  # two addresses, of which one came on two days

    months.fold_all()

    assert not MonthArrival.objects.exists()
    held = bytes(MonthListeners.objects.get().sketch)
    assert held == sketch.add(sketch.empty(), marks)


def test_every_byte_string_that_is_left_is_known_to_hold_no_person(yesterday: list[Hit]) -> None:
    """A new column of bytes has to be thought about here."""
    close_expired(now=MONTH_OVER)
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT table_name, column_name FROM information_schema.columns "
            "WHERE table_name LIKE 'downloads%%' AND data_type = 'bytea'"
        )
        columns = cursor.fetchall()
        filled = set()
        for table, column in columns:
            cursor.execute(
                f'SELECT 1 FROM "{table}" WHERE "{column}" IS NOT NULL'  # noqa: S608
            )
            if cursor.fetchone():
                filled.add((table, column))

    assert filled == {("downloads_monthlisteners", "sketch")}


def test_the_tables_of_a_closed_day_are_gone_and_what_was_counted_stays(
    yesterday: list[Hit], aired: Aired
) -> None:
    assert len({name for name in partitions_of(DAY) if name.endswith(f"{DAY:%Y%m%d}")}) == len(
        PARTITIONED
    )
    downloads = list(Download.objects.order_by("id").values())
    assert len(downloads) == 3

    close_expired(now=CLOSED)

    assert partitions_of(DAY) == []
    assert list(Download.objects.order_by("id").values()) == downloads
    assert dict(DropTally.objects.values_list("reason", "count")) == {
        "method": 1,
        "below_threshold": 1,
    }


def test_no_download_and_no_total_can_be_told_from_another_listeners(
    aired: Aired, send: Send, count: Count
) -> None:
    """Two people with one app in one country leave rows that differ in nothing but their number."""
    send(*aired.hits(whole(ip="198.51.100.77"), whole(ip="198.51.100.78")))
    count()
    close_expired(now=CLOSED)

    one, other = map(dict[str, object], Download.objects.values())
    assert {name for name in one if one[name] != other[name]} == {"id"}


def test_sealed_hits_open_with_the_key_of_their_day_only(yesterday: list[Hit]) -> None:
    keys = keys_for([DAY, date(2026, 10, 13)])
    (batch,) = archive.read(DAY, keys[DAY])
    assert [ADDRESS.encode() in line for line in batch[1]].count(True) == 2

    with pytest.raises(archive.UnreadableError):
        list(archive.read(DAY, keys[date(2026, 10, 13)]))
    assert all(ADDRESS.encode() not in bytes(row.sealed) for row in HitBatch.objects.all())


def test_a_closed_day_never_has_a_key_again(yesterday: list[Hit]) -> None:
    close_expired(now=CLOSED)

    assert keys_for([DAY, CLOSED.date()]).keys() == {CLOSED.date()}
    assert partitions_of(DAY) == []


def test_a_download_that_still_waits_when_its_day_ends_names_no_address_that_can_be_found(
    aired: Aired, send: Send, count: Count, settings: Settings
) -> None:
    settings.ADDRESS_CEILING = 1
    send(*aired.hits(whole(ip=ADDRESS), whole(ip=ADDRESS, agent=AGENT)))
    count()
    held = Download.objects.get(held_address__isnull=False)
    assert held.held_address is not None
    key = keys_for([DAY])[DAY]
    who = f"address|{aired.episode.organization_id}|{ADDRESS}"
    assert bytes(held.held_address) == keyed(key, who)

    close_expired(now=CLOSED)

    # Without the key it is a random name, which says that some downloads are one address's.
    assert key.hex() not in "".join(row for _, row in everything())
    with time_machine.travel(CLOSED, tick=False):
        release_address(
            organization=aired.episode.organization_id,
            day=DAY,
            address_key=bytes(held.held_address),
        )
    assert not Download.objects.filter(held_address__isnull=False).exists()
