"""The end of a day, and what may happen beside it: nothing is lost, and nothing counted twice."""

import threading
from collections.abc import Callable
from datetime import timedelta
from uuid import UUID

import pytest
from django.db import connection, transaction
from pytest_django import Settings

from apps.core.clock import now
from apps.downloads import counting, coverage
from apps.downloads.batch import Message
from apps.downloads.closing import close_expired, tally_unfinished
from apps.downloads.hit import Hit
from apps.downloads.models import Download, DropTally, ListenerTotal, LoggedDay
from apps.downloads.open_days import keys_for
from apps.downloads.provisional import settle_provisional
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, at, make_hit, whole
from tests.factories import EpisodeFactory
from tests.waiting import wait_until

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


class Beside:
    """Something that another connection does, until it has to wait for ours."""

    def __init__(self, action: Callable[[], object]) -> None:
        self.error: Exception | None = None
        self._action = action
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._action()
        except Exception as error:
            self.error = error
        finally:
            connection.close()

    def wait_until_it_waits(self) -> None:
        wait_until(self._is_waiting)

    def end(self) -> None:
        self._thread.join(20)
        assert not self._thread.is_alive()
        assert self.error is None

    def _is_waiting(self) -> bool:
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
                "AND wait_event_type = 'Lock'"
            )
            return bool(cursor.fetchone()[0])


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
