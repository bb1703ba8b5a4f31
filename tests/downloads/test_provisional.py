"""Downloads known from requests only: those who were sent on to a bucket or a CDN."""

from typing import Any

import pytest
import time_machine

from apps.downloads import counting
from apps.downloads.batch import Message
from apps.downloads.closing import close_expired
from apps.downloads.drop_days import dropped
from apps.downloads.hit import Hit
from apps.downloads.models import (
    Coverage,
    DayTotal,
    Download,
    HourTotal,
    ListenerTotal,
    LoggedDay,
    MonthTotal,
)
from apps.downloads.rebuilding import rebuild
from apps.downloads.totals import Period, Scope
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import NOON, at, make_hit, whole
from tests.downloads.storing import counted
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.usefixtures("noon")

CLOSED = "2026-10-18T00:00:00Z"


def sent_on(**fields: Any) -> Hit:
    return make_hit(status=302, **fields)


def read_from_log(*hits: Hit) -> None:
    """As an import of logs does."""
    messages = [Message(hit.to_json(), hit, 0) for hit in hits]
    counting.count(messages, also=lambda: None, is_from_log=True)


def totals(aired: Aired) -> set[tuple[int, int]]:
    """(downloads, of these provisional) as hours, days and months of the show tell."""
    of_show = {"show": aired.episode.show_id, "episode": None}
    return {
        *HourTotal.objects.filter(**of_show).values_list("downloads", "provisional"),
        *DayTotal.objects.filter(**of_show, dimension="app").values_list(
            "downloads", "provisional"
        ),
        *MonthTotal.objects.filter(**of_show, dimension="").values_list("downloads", "provisional"),
    }


def test_whoever_is_sent_on_counts_at_once_and_provisionally(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(sent_on(), sent_on(range="bytes=65536-", when=at("12:10")), sent_on()))

    assert len(count()) == 1
    assert Download.objects.get().is_provisional
    assert totals(aired) == {(1, 1)}


def test_bots_heads_and_probes_that_are_sent_on_do_not_count(
    aired: Aired, send: Send, count: Count
) -> None:
    send(
        *aired.hits(
            sent_on(agent="Googlebot/2.1"), sent_on(method="HEAD"), sent_on(range="bytes=0-1")
        )
    )

    assert count() == []
    assert counted() == 0


def test_bytes_in_the_log_make_it_certain_and_count_nothing_twice(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(sent_on()))
    count()

    read_from_log(*aired.hits(whole(), whole()))

    assert not Download.objects.get().is_provisional
    assert totals(aired) == {(1, 0)}
    close_later()
    assert totals(aired) == {(1, 0)}


def test_another_version_of_the_file_in_the_log_makes_it_certain(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(sent_on()))
    count()
    read_from_log(*aired.hits(whole(rendition=aired.episode.id)))

    assert not Download.objects.get().is_provisional
    assert totals(aired) == {(1, 0)}


def close_later() -> None:
    with time_machine.travel(CLOSED, tick=False):
        close_expired(now=NOON.replace(day=18, hour=0))


def test_what_the_logs_do_not_confirm_was_no_download(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(sent_on(), sent_on(ip="198.51.100.1"), sent_on(ip="198.51.100.2")))
    count()
    read_from_log(*aired.hits(whole(), make_hit((0, 1000), ip="198.51.100.1")))
    assert totals(aired) == {(3, 2)}

    close_later()

    assert counted() == 1
    assert totals(aired) == {(1, 0)}
    assert ListenerTotal.objects.get().listeners == 1
    assert not any(table.wrong or table.missing for table in rebuild(replace=False))


def test_the_listener_of_a_download_taken_back_stays_one_by_another(
    aired: Aired, send: Send, count: Count
) -> None:
    second = Aired(EpisodeFactory(show=aired.episode.show))
    send(*aired.hits(sent_on()))
    count()
    send(*second.hits(whole(when=at("12:20"))))
    count()
    assert [row.is_first_of_listener for row in Download.objects.order_by("id")] == [True, False]
    LoggedDay.objects.create(day=NOON.date(), show=aired.episode.show)

    close_later()

    assert Download.objects.get().is_first_of_listener
    assert ListenerTotal.objects.get().listeners == 1


def test_without_any_log_the_day_stays_what_the_requests_say(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(sent_on()))
    count()
    close_later()

    assert totals(aired) == {(1, 1)}
    assert Download.objects.get().is_provisional


def test_a_closed_day_leaves_downloads_tallies_and_nothing_of_listeners(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(), make_hit((0, 1000), ip="198.51.100.1")))
    count()
    close_later()

    assert counted() == 1
    assert not Coverage.objects.exists()
    today = Period.last_days(1, today=NOON.date())
    (left,) = dropped(Scope(show=aired.episode.show_id), today)
    assert (left.reason, left.count) == ("below_threshold", 1)
