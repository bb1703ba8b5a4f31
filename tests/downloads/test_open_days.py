"""Days with their keys and tables, and what the database itself refuses."""

import hmac
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import pytest
import time_machine
from django.db import IntegrityError, transaction

from apps.downloads.keys import Keyed
from apps.downloads.models import Coverage, DayKey, DropTally
from apps.downloads.open_days import keys_for
from apps.downloads.tasks import close_days
from podcasts.models import Episode
from tests.downloads.making import NOON
from tests.factories import EpisodeFactory

DAY = NOON.date()


@pytest.mark.django_db
def test_a_day_keeps_its_key_until_72_hours_after_its_end() -> None:
    first = keys_for([DAY, DAY + timedelta(days=1)])
    assert keys_for([DAY]) == {DAY: first[DAY]}

    with time_machine.travel("2026-10-17T23:59:59Z", tick=False):
        close_days()
    assert DayKey.objects.count() == 2

    with time_machine.travel("2026-10-18T00:00:00Z", tick=False):
        close_days()
        close_days()
    assert list(DayKey.objects.values_list("day", flat=True)) == [DAY + timedelta(days=1)]


@pytest.mark.django_db
def test_every_day_has_another_key_of_32_bytes() -> None:
    keys = keys_for([DAY - timedelta(days=number) for number in range(4)])

    assert len(set(keys.values())) == 4
    assert {len(key) for key in keys.values()} == {32}


def test_each_part_of_a_listener_changes_the_key() -> None:
    def key(
        day_key: bytes = b"k" * 32,
        organization: int = 1,
        address: str = "203.0.113.9",
        agent: str = "A",
    ) -> bytes:
        return Keyed(day_key).listener(UUID(int=organization), address, agent)

    others = [
        key(day_key=b"K" * 32),
        key(organization=2),
        key(address="203.0.113.8"),
        key(agent="a"),
        key(agent="A "),
        Keyed(b"k" * 32).address(UUID(int=1), "203.0.113.9"),
    ]

    assert key() == key()
    assert len({key(), *others}) == 7


def test_keys_are_the_hmac_of_what_they_stand_for() -> None:
    who = f"listener|{UUID(int=1)}|203.0.113.9|Overcast/3.0"

    found = Keyed(b"k" * 32).listener(UUID(int=1), "203.0.113.9", "Overcast/3.0")

    assert found == hmac.digest(b"k" * 32, who.encode(), "sha256")[:16]


@pytest.fixture
def episode(db: None) -> Episode:
    keys_for([DAY])
    made: Episode = EpisodeFactory()
    return made


def row(episode: Episode, **fields: Any) -> Coverage:
    return Coverage(
        **{
            "organization_id": episode.organization_id,
            "show_id": episode.show_id,
            "episode": episode,
            "rendition_id": UUID(int=1),
            "day": DAY,
            "listener_key": b"l" * 16,
            "address_key": b"a" * 16,
            "served": [(0, 100)],
            "threshold_bytes": 100,
            "first_at": NOON,
        }
        | fields
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"served": [(0, 99)], "download_id": 1, "attributed_at": NOON},
        {"served": [], "download_id": 1, "attributed_at": NOON},
        {"served": [(0, 50), (51, 100)], "download_id": 1, "attributed_at": NOON},
        {"download_id": 1},
        {"attributed_at": NOON},
        {"is_provisional": True},
        {"threshold_bytes": 0},
    ],
)
def test_the_database_refuses_a_download_that_is_none(
    episode: Episode, fields: dict[str, Any]
) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        row(episode, **fields).save(force_insert=True)


def test_the_database_refuses_to_count_a_listener_twice(episode: Episode) -> None:
    row(episode, download_id=1, attributed_at=NOON).save(force_insert=True)
    other = row(episode, rendition_id=UUID(int=2))
    other.save(force_insert=True)

    with pytest.raises(IntegrityError), transaction.atomic():
        Coverage.objects.filter(pk=other.pk).update(download_id=2, attributed_at=NOON)


def test_intervals_go_in_and_out_of_the_database_united(episode: Episode) -> None:
    row(episode, served=[(50, 60), (0, 10), (5, 20)]).save(force_insert=True)

    found = Coverage.objects.get()
    assert found.served == ((0, 20), (50, 60))
    assert Coverage.objects.filter(served=[(0, 20), (50, 60)]).exists()
    assert not Coverage.objects.filter(served=[(0, 20)]).exists()


def test_a_tally_without_a_show_is_one_row(db: None) -> None:
    DropTally.objects.create(day=DAY, reason="malformed", count=1)

    with pytest.raises(IntegrityError), transaction.atomic():
        DropTally.objects.create(day=date(2026, 10, 14), reason="malformed", count=1)
