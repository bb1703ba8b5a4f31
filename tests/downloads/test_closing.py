"""The end of a day, and what may happen beside it: nothing is lost, and nothing counted twice."""

from uuid import UUID

import pytest
from pytest_django import DjangoCaptureOnCommitCallbacks, Settings

from apps.core import valkey
from apps.downloads.closing import close_expired, tally_unfinished
from apps.downloads.models import (
    Coverage,
    Download,
    DropTally,
    ListenerTotal,
    LoggedDay,
)
from apps.downloads.provisional import settle_provisional
from apps.downloads.revision import read_revision
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, at, make_hit, whole
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
def test_pages_are_told_that_the_logs_took_something_back(
    aired: Aired,
    send: Send,
    count: Count,
    django_capture_on_commit_callbacks: DjangoCaptureOnCommitCallbacks,
) -> None:
    """Of their own accord they never show less than they did."""
    send(*aired.hits(make_hit(status=302)))
    count()
    before = read_revision(valkey.connection())

    for is_logged in (False, True):
        if is_logged:
            LoggedDay.objects.create(day=DAY, show=aired.episode.show)
        with django_capture_on_commit_callbacks(execute=True):
            assert settle_provisional(DAY) == is_logged
        assert (read_revision(valkey.connection()) != before) is is_logged


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


@pytest.mark.usefixtures("noon")
def test_a_counter_whose_clock_is_slow_counts_nothing_of_a_closed_day(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole()))
    count()
    close_expired(now=LATER)  # by somebody else's clock

    send(*aired.hits(whole(), make_hit((0, 1000), ip="198.51.100.1"), whole(agent="curl/8")))
    count()

    assert Download.objects.count() == 1
    assert not Coverage.objects.exists()
    assert dict(DropTally.objects.values_list("reason", "count")) == {
        "outside_window": 2,
        "bot": 1,
    }
