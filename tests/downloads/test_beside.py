"""What may happen beside a counter: nobody waits in a circle, nor for long, and sums stay right."""

from datetime import timedelta
from typing import Any

import pytest
import time_machine
from django.db import connection, transaction
from pytest_django import Settings

from apps.core.clock import now
from apps.downloads import (
    counting,
    coverage,
    first_days,
    history,
    locks,
    months,
    rollups,
    shadow,
)
from apps.downloads.batch import Message
from apps.downloads.closing import close_expired
from apps.downloads.hit import Hit
from apps.downloads.models import (
    ClosedDay,
    DayKey,
    Download,
    DropTally,
    FirstDays,
    LoggedDay,
    MonthArrival,
    MonthListeners,
)
from apps.downloads.open_days import destroy, keys_for
from apps.downloads.provisional import settle_provisional
from apps.downloads.quarantine import release_address
from apps.downloads.rebuilding import rebuild
from apps.downloads.tasks import open_days_ahead
from tests.beside import Beside
from tests.downloads.conftest import Aired
from tests.downloads.making import AGENTS, NOON, make_hit, whole
from tests.downloads.storing import store_download
from tests.factories import EpisodeFactory

DAY = NOON.date()
LATER = NOON.replace(day=18, hour=0)


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
def test_a_day_is_closed_beside_a_counter_without_a_deadlock(
    noon: time_machine.Traveller, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both change the totals of the month, and both need the tables of days."""
    aired = Aired(EpisodeFactory())
    count_now(*aired.hits(make_hit(status=302)))
    LoggedDay.objects.create(day=DAY, show=aired.episode.show)
    noon.move_to(LATER)
    keys_for([LATER.date()])
    closing: list[Beside] = []
    unite = coverage.unite

    def unite_after_waiting(*args: object) -> object:
        closing.append(Beside(lambda: close_expired(now=LATER)))
        closing[0].wait_until_it_waits()
        return unite(*args)  # type: ignore[arg-type]

    monkeypatch.setattr(counting, "unite", unite_after_waiting)
    count_now(*aired.hits(whole(when=LATER)))
    closing[0].end()

    assert [download.day for download in Download.objects.all()] == [LATER.date()]
    assert [key.day for key in DayKey.objects.all()] == [LATER.date()]
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.mark.django_db(transaction=True)
def test_a_day_is_closed_later_where_somebody_counts_for_long(
    noon: time_machine.Traveller, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", "50ms")
    aired = Aired(EpisodeFactory())
    count_now(*aired.hits(make_hit((0, 1000))))
    closed: list[int] = []

    def close() -> None:
        closed.append(close_expired(now=LATER))

    with transaction.atomic():
        shadow.wait_for_recounts()  # as an import of years does
        Beside(close).end()
    assert DayKey.objects.filter(day=DAY).exists()
    assert not ClosedDay.objects.exists()

    close()
    assert closed == [0, 1]
    assert not DayKey.objects.filter(day=DAY).exists()


@pytest.mark.django_db(transaction=True)
def test_what_is_released_while_totals_are_built_anew_is_in_them(
    noon: time_machine.Traveller,
    transactional_db: None,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    settings.ADDRESS_CEILING = 1
    aired = Aired(EpisodeFactory())
    count_now(*aired.hits(whole(), whole(agent=AGENTS[1])))
    held = Download.objects.get(held_address__isnull=False)
    address, releasing = bytes(held.held_address or b""), list[Beside]()
    add_all = rollups.add_all

    def add_all_and_release() -> None:
        add_all()
        releasing.append(
            Beside(
                lambda: release_address(
                    organization=held.organization_id, day=DAY, address_key=address
                )
            )
        )
        releasing[0].wait_until_it_waits()

    monkeypatch.setattr(rollups, "add_all", add_all_and_release)
    rebuild(replace=True)
    releasing[0].end()
    monkeypatch.undo()

    assert Download.objects.filter(held_address=None).count() == 2
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.fixture
def rebuilding(monkeypatch: pytest.MonkeyPatch) -> list[Beside]:
    """The rebuild that begins when somebody has changed totals, and comes to first days."""
    begun: list[Beside] = []
    add_up_again = first_days.add_up_again

    def add_up_after_waiting(*args: Any, **kwargs: Any) -> None:
        begun.append(Beside(lambda: rebuild(replace=True)))
        begun[0].wait_until_it_waits()
        add_up_again(*args, **kwargs)

    monkeypatch.setattr(first_days, "add_up_again", add_up_after_waiting)
    return begun


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
    transactional_db: None, rebuilding: list[Beside]
) -> None:
    episode, today, address = EpisodeFactory(), now().date(), b"a" * 16
    store_download(episode, at=now(), held_address=address)

    release_address(organization=episode.organization_id, day=today, address_key=address)
    rebuilding[0].end()

    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.mark.django_db(transaction=True)
def test_totals_are_not_built_anew_beside_the_end_of_an_import(
    noon: time_machine.Traveller, transactional_db: None, rebuilding: list[Beside]
) -> None:
    long_ago = NOON - timedelta(days=400)
    aired = Aired(EpisodeFactory(published_at=long_ago - timedelta(hours=1)))
    first_days.store_closed(now=NOON)
    hits = aired.hits(whole(when=long_ago))

    with history.importing() as found:
        found.count([Message(hit.to_json(), hit, 0) for hit in hits], also=lambda: None)
    rebuilding[0].end()

    assert set(FirstDays.objects.values_list("downloads", flat=True)) == {1}
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.mark.django_db(transaction=True)
def test_an_import_of_history_keeps_nobody_waiting_and_adds_to_what_happened_meanwhile(
    noon: time_machine.Traveller, transactional_db: None
) -> None:
    aired = Aired(EpisodeFactory())
    closed_days = [NOON.replace(day=day) for day in (2, 3)]  # of the month in which it is
    old = aired.hits(*(whole(when=at) for at in closed_days), whole(agent="", when=closed_days[0]))

    with history.importing() as found:
        found.count([Message(hit.to_json(), hit, 0) for hit in old], also=lambda: None)
        for action in (
            lambda: count_now(*aired.hits(whole(), whole(agent=""))),
            lambda: rebuild(replace=True),
            lambda: keys_for([NOON.date() + timedelta(days=600)]),  # no other test has opened it
            lambda: destroy(NOON.date() + timedelta(days=600)),
        ):
            Beside(action).end()

    assert sorted(Download.objects.values_list("day", flat=True)) == [
        *(at.date() for at in closed_days),
        DAY,
    ]
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))
    month = DAY.replace(day=1)
    show = aired.episode.show_id
    assert MonthListeners.objects.get().listeners == 1
    assert MonthArrival.objects.count() == 1  # of the counter, with the same listener
    assert months.listeners_by_month(show, month, month) == {month: 1}
    assert dict(DropTally.objects.values_list("day", "count")) == {
        closed_days[0].date(): 1,
        DAY: 1,
    }


@pytest.mark.django_db(transaction=True)
def test_an_import_that_has_come_to_open_days_and_a_counter_do_not_wait_in_a_circle(
    noon: time_machine.Traveller, transactional_db: None
) -> None:
    """Neither knows which shows the other one counts next; the totals of the platform are one."""
    ours, theirs = Aired(EpisodeFactory()), Aired(EpisodeFactory())
    keys_for([DAY])
    messages = [
        [Message(hit.to_json(), hit, 0) for hit in aired.hits(whole())] for aired in (ours, theirs)
    ]

    with history.importing() as found:
        found.count(messages[0], also=lambda: None)
        counting_theirs = Beside(lambda: count_now(*theirs.hits(whole(agent=AGENTS[1]))))
        counting_theirs.wait_until_it_waits()
        found.count(messages[1], also=lambda: None)
    counting_theirs.end()

    assert Download.objects.count() == 3
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


@pytest.mark.django_db(transaction=True)
def test_two_imports_of_history_do_not_take_the_same_day_for_free(transactional_db: None) -> None:
    def import_nothing() -> None:
        with history.importing():
            pass

    with history.importing():
        other = Beside(import_nothing)
        other.join()

    assert isinstance(other.error, locks.BusyError)


@pytest.mark.django_db(transaction=True)
def test_a_backup_keeps_no_counter_waiting_behind_a_day_to_be_opened(
    noon: time_machine.Traveller, transactional_db: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(locks, "PATIENCE", "50ms")
    keys_for([DAY])
    noon.move_to(NOON.replace(year=2027))  # no other test has opened its days
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("LOCK TABLE downloads_coverage IN ACCESS SHARE MODE")
        Beside(open_days_ahead).end()

    assert [key.day for key in DayKey.objects.all()] == [DAY]
    open_days_ahead()
    assert DayKey.objects.count() == 4
