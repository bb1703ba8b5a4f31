"""The end of a day, and what may happen beside it: nothing is lost, and nothing counted twice."""

from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.db import transaction
from pytest_django import Settings

from apps.core.clock import now
from apps.downloads import counting, coverage, first_days
from apps.downloads.batch import Message
from apps.downloads.closing import close_expired, tally_unfinished
from apps.downloads.hit import Hit
from apps.downloads.models import Download, DropTally, ListenerTotal, LoggedDay
from apps.downloads.open_days import keys_for
from apps.downloads.provisional import settle_provisional
from apps.downloads.quarantine import release_address
from apps.downloads.rebuilding import rebuild
from tests.downloads.beside import Beside
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, at, make_hit, whole
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory

DAY = NOON.date()
LATER = NOON.replace(day=18, hour=0)


def below_threshold() -> list[int]:
    tallies = DropTally.objects.filter(reason="below_threshold")
    return list(tallies.values_list("count", flat=True))


@pytest.mark.usefixtures("noon")
def test_a_listener_is_unfinished_once_whatever_the_number_of_file_versions(
    aired: Aired, send: Send, count: Count
) -> None:
    for number in (1, 2):
        send(*aired.hits(make_hit((0, 1000), rendition=UUID(int=number))))
    count()
    tally_unfinished(DAY)
    assert below_threshold() == [1]

    send(*aired.hits(whole(rendition=UUID(int=3))))
    count()
    tally_unfinished(DAY)
    assert below_threshold() == []


@pytest.mark.usefixtures("noon")
def test_what_is_known_of_a_closed_day_stays(aired: Aired, send: Send, count: Count) -> None:
    send(*aired.hits(make_hit((0, 1000))))
    count()
    close_expired(now=LATER)

    tally_unfinished(DAY)  # as a task may that began before

    assert below_threshold() == [1]


@pytest.mark.usefixtures("noon")
def test_whoever_took_too_little_by_the_logs_is_unfinished(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(make_hit(status=302), make_hit((0, 1000))))
    count()
    LoggedDay.objects.create(day=DAY, show=aired.episode.show)
    close_expired(now=LATER)

    assert not Download.objects.exists()
    assert below_threshold() == [1]


@pytest.mark.usefixtures("noon")
def test_a_listener_whose_download_was_taken_back_may_come_again(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(make_hit(status=302)))
    count()
    LoggedDay.objects.create(day=DAY, show=aired.episode.show)
    assert settle_provisional(DAY) == 1
    assert not ListenerTotal.objects.exists()

    send(*aired.hits(whole()))
    count()
    assert ListenerTotal.objects.get().listeners == 1


@pytest.mark.usefixtures("noon")
def test_a_listener_who_counts_is_not_lost_behind_a_download_that_is_held(
    aired: Aired, send: Send, count: Count, settings: Settings
) -> None:
    settings.ADDRESS_CEILING = 2
    others = [Aired(EpisodeFactory(show=aired.episode.show)) for _ in range(2)]
    send(*aired.hits(make_hit(status=302, agent=AGENTS[1])))
    for number, each in enumerate(others):  # the second is beyond the ceiling, and began earlier
        send(*each.hits(whole(when=at(f"{11 - number}:00"))))
        count()
    LoggedDay.objects.create(day=DAY, show=aired.episode.show)
    assert Download.objects.filter(held_address__isnull=False).count() == 1

    settle_provisional(DAY)

    assert ListenerTotal.objects.get().listeners == 1
    assert list(Download.objects.order_by("id").values_list("is_first_of_listener", flat=True)) == [
        True,
        False,
    ]


def count_now(*hits: Hit) -> None:
    messages = [Message(hit.to_json(), hit, 0) for hit in hits]
    counting.count(messages, also=lambda: None)


@pytest.mark.django_db(transaction=True)
def test_a_download_that_is_confirmed_at_the_same_moment_is_not_taken_back(
    transactional_db: None,
) -> None:
    aired = Aired(EpisodeFactory())
    today = now().date()
    LoggedDay.objects.create(day=today, show=aired.episode.show)
    count_now(*aired.hits(make_hit(status=302, when=now())))

    with transaction.atomic():
        count_now(*aired.hits(whole(when=now())))
        settling = Beside(lambda: settle_provisional(today))
        settling.wait_until_it_waits()
    settling.end()

    assert not Download.objects.get().is_provisional


@pytest.mark.django_db(transaction=True)
def test_a_day_is_opened_beside_a_counter_without_a_deadlock(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    aired = Aired(EpisodeFactory())
    far_day = now().date() + timedelta(days=500)  # no other test has opened it
    keys_for([now().date()])
    opening: list[Beside] = []
    unite = coverage.unite

    def unite_after_waiting(*args: object) -> object:
        opening.append(Beside(lambda: keys_for([far_day])))
        opening[0].wait_until_it_waits()
        return unite(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "unite", unite_after_waiting)
    count_now(*aired.hits(whole(when=now())))
    opening[0].end()

    assert Download.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_totals_are_not_built_anew_beside_downloads_that_are_taken_back(
    transactional_db: None,
) -> None:
    aired = Aired(EpisodeFactory())
    today = now().date()
    LoggedDay.objects.create(day=today, show=aired.episode.show)
    count_now(*aired.hits(make_hit(status=302, when=now())))

    with transaction.atomic():
        settle_provisional(today)
        rebuilding = Beside(lambda: rebuild(replace=True))
        rebuilding.wait_until_it_waits()
    rebuilding.end()

    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.mark.django_db(transaction=True)
def test_totals_are_not_built_anew_beside_downloads_that_are_released(
    transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    episode, today, address = EpisodeFactory(), now().date(), b"a" * 16
    store_download(episode, at=now(), held_address=address)
    rebuilding: list[Beside] = []
    add_up_again = first_days.add_up_again

    def add_up_after_waiting(*args: Any, **kwargs: Any) -> None:
        rebuilding.append(Beside(lambda: rebuild(replace=True)))
        rebuilding[0].wait_until_it_waits()
        add_up_again(*args, **kwargs)

    monkeypatch.setattr(first_days, "add_up_again", add_up_after_waiting)
    release_address(organization=episode.organization_id, day=today, address_key=address)
    rebuilding[0].end()

    assert not any(table.wrong or table.missing for table in rebuild(replace=False))
