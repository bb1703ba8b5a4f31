"""The consumer: exactly once, whatever is repeated, broken or killed."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
import redis
from django.db import connection
from msgspec.structs import replace
from pytest_django import Settings

from apps.core import valkey
from apps.downloads import counting, coverage, positions, stream
from apps.downloads import tallies as tallies_of_drops
from apps.downloads.counter import BATCH_MESSAGES, Counter
from apps.downloads.models import (
    Coverage,
    DayKey,
    Download,
    DropTally,
    HitBatch,
    HourTotal,
    StreamPosition,
)
from apps.downloads.quarantine import release_address, waiting_for_review
from apps.downloads.rules import DropReason
from tests.downloads.conftest import Aired, Count, Send
from tests.downloads.making import AGENTS, NOON, asked, at, make_hit, whole
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.usefixtures("noon")


def counted() -> int:
    return Download.objects.filter(held_address=None).count()


def tallies() -> dict[str, int]:
    return dict(DropTally.objects.values_list("reason", "count"))


def test_a_download_carries_who_and_what_and_is_announced(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(ip="8.8.8.8")))

    (announced,) = count()

    row = Download.objects.get()
    assert (row.app, row.category, row.device, row.platform, row.country) == (
        "Overcast",
        "app",
        "iPhone",
        "mobile",
        "US",
    )
    assert (row.day, row.local_day, row.first_at) == (NOON.date(), NOON.date(), NOON)
    assert row.is_first_of_listener
    assert not row.is_provisional
    covered = Coverage.objects.get()
    assert covered.served == ((0, 29_000_000),)
    assert covered.threshold_bytes == 1_160_000
    assert covered.download_id == row.id
    assert (announced.episode, announced.show) == (aired.episode.id, aired.episode.show_id)
    assert (announced.app, announced.country, announced.at) == ("Overcast", "US", row.counted_at)


@pytest.mark.parametrize("order", [slice(None), slice(None, None, -1)])
def test_a_country_that_was_told_goes_before_that_of_the_address(
    aired: Aired, send: Send, count: Count, order: slice
) -> None:
    hits = aired.hits(*(whole(ip="8.8.8.8", country=told) for told in ("", "NZ", "")))
    send(*hits[order])

    (announced,) = count()

    assert (announced.country, Download.objects.get().country) == ("NZ", "NZ")


def test_the_hour_of_a_download_is_that_of_its_first_request_in_any_order(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(when=at("12:20"))))
    count()
    send(*aired.hits(asked("0-1000", when=at("09:15"))))
    count()

    assert Download.objects.get().first_at == at("09:15")
    hours = HourTotal.objects.filter(episode=aired.episode.id, downloads__gt=0)
    assert list(hours.values_list("hour", "downloads")) == [(at("09:00"), 1)]


def test_the_address_and_the_agent_are_stored_nowhere(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(ip="198.51.100.77", agent="Overcast/3.0 secret-marker")))
    count()

    with connection.cursor() as cursor:
        for model in (Coverage, DayKey, Download, DropTally, HitBatch, HourTotal, StreamPosition):
            cursor.execute(f"SELECT t::text FROM {model._meta.db_table} t")  # noqa: S608
            for (row,) in cursor.fetchall():
                assert "198.51.100.77" not in row
                assert b"198.51.100.77".hex() not in row
                assert "secret-marker" not in row


def test_what_is_committed_leaves_the_stream(
    aired: Aired, send: Send, count: Count, client: redis.Redis
) -> None:
    send(*aired.hits(whole(), make_hit(method="HEAD")))
    count()

    assert client.xlen(stream.name()) == 0


def test_drops_are_tallied_by_day_show_and_reason(aired: Aired, send: Send, count: Count) -> None:
    send(
        *aired.hits(
            make_hit(method="HEAD"),
            make_hit(method="HEAD", when=at("09:00")),
            asked("0-1"),
            whole(agent="Googlebot/2.1"),
            whole(when=NOON - timedelta(days=30)),
        )
    )
    assert count() == []

    assert tallies() == {"method": 2, "probe": 1, "bot": 1, "outside_window": 1}
    assert set(DropTally.objects.values_list("day", "show", "episode")) == {
        (NOON.date(), aired.episode.show_id, aired.episode.id)
    }


def test_a_dropped_stream_is_tallied_once_however_often_it_reports(
    aired: Aired, send: Send, count: Count
) -> None:
    bot = UUID(int=7)
    reports = [make_hit((0, end), id=bot, agent="curl/8", final=False) for end in (100, 200)]
    last = make_hit((0, 300), id=bot, agent="curl/8")
    send(*aired.hits(*reports, last, last))
    count()

    assert tallies() == {"bot": 1}


def test_a_drop_repeated_in_a_later_batch_is_tallied_once(
    aired: Aired, send: Send, client: redis.Redis
) -> None:
    (head,) = aired.hits(make_hit(method="HEAD"))
    counter = Counter()
    for _ in range(2):
        send(head)
        counter.step()

    assert tallies() == {"method": 1}


@pytest.mark.parametrize(
    "message",
    [b"", b"[]", b"{}", b"\xff\xfe", b'{"id": "no uuid"}', b"[" * 100_000, b"null"],
)
def test_a_message_that_is_no_hit_is_tallied_and_counting_goes_on(
    message: bytes, aired: Aired, send: Send, count: Count
) -> None:
    send(message, *aired.hits(whole()))

    assert len(count()) == 1
    assert tallies() == {"malformed": 1}


def test_an_entry_without_our_field_is_tallied(
    aired: Aired, count: Count, client: redis.Redis
) -> None:
    client.xadd(stream.name(), {"other": "x"})
    count()

    assert tallies() == {"malformed": 1}


def test_a_message_that_the_database_refuses_does_not_stop_its_batch(
    aired: Aired, send: Send, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    good, bad = aired.hits(whole(), whole(ip="203.0.113.66"))

    def country_of(address: str) -> str:
        return "TOO LONG" if address == bad.ip else ""

    monkeypatch.setattr("apps.downloads.settling.country_of", country_of)
    send(good, bad, *aired.hits(whole(ip="203.0.113.10")))

    assert len(count()) == 2
    assert tallies() == {"malformed": 1}


def test_hits_of_a_deleted_episode_are_tallied_without_it(
    aired: Aired, send: Send, count: Count
) -> None:
    hits = aired.hits(whole())
    send(*hits)
    count()
    aired.episode.delete()
    send(*hits)

    assert count() == []
    assert counted() == 1  # what was counted before stays
    assert tallies() == {DropReason.UNKNOWN_EPISODE: 1}


def test_the_show_and_organisation_are_the_episodes_own_whatever_the_hit_says(
    aired: Aired, send: Send, count: Count
) -> None:
    (hit,) = aired.hits(whole())
    send(replace(hit, show=UUID(int=1), organization=UUID(int=2)))
    count()

    row = Coverage.objects.get()
    assert (row.show_id, row.organization_id) == (
        aired.episode.show_id,
        aired.episode.organization_id,
    )


def test_a_backlog_of_several_batches_is_counted_whole(
    aired: Aired, send: Send, count: Count
) -> None:
    listeners = BATCH_MESSAGES + 50
    send(*aired.hits(*(whole(ip=f"10.0.{n // 250}.{n % 250}") for n in range(listeners))))

    assert len(count()) == listeners


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("at_step", ["unite", "settle", "tally"])
def test_a_death_before_the_commit_changes_nothing_and_the_batch_is_counted_later(
    at_step: str,
    aired: Aired,
    send: Send,
    count: Count,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    send(*aired.hits(whole(), asked("0-1"), make_hit(method="HEAD")))
    original: Callable[..., Any] = getattr(counting, at_step)

    def die(*args: Any, **kwargs: Any) -> None:
        original(*args, **kwargs)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(counting, at_step, die)
        with pytest.raises(Killed):
            count()
    assert (counted(), tallies()) == (0, {})

    assert len(count()) == 1
    assert tallies() == {"probe": 1, "method": 1}


def test_a_death_after_the_commit_counts_nothing_twice(
    aired: Aired, send: Send, count: Count, monkeypatch: pytest.MonkeyPatch, client: redis.Redis
) -> None:
    send(*aired.hits(whole(), make_hit(method="HEAD")))

    def die(*args: Any) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(stream, "done", die)
        with pytest.raises(Killed):
            count()
    assert client.xlen(stream.name()) == 2

    count()

    assert (counted(), tallies()) == (1, {"method": 1})
    assert client.xlen(stream.name()) == 0


def test_a_counter_whose_name_another_went_by_writes_nothing(
    aired: Aired, send: Send, client: redis.Redis
) -> None:
    slow, fast = Counter(), Counter()
    slow.step()
    send(*aired.hits(make_hit(method="HEAD")))
    fast.step()
    fast.step()
    send(*aired.hits(make_hit(method="HEAD")))

    with pytest.raises(positions.PositionMovedError):
        slow.step()
    assert tallies() == {"method": 1}

    slow.step()  # it finds out how far its name is, and goes on
    assert tallies() == {"method": 2}


def test_consumers_share_the_stream_and_count_each_message_once(aired: Aired, send: Send) -> None:
    counters = [Counter(consumer=str(number)) for number in range(3)]
    for counter in counters:
        counter.step()
    for number in range(9):
        send(*aired.hits(whole(ip=f"10.0.0.{number}"), make_hit(method="HEAD")))
        counters[number % 3].step()

    assert counted() == 9
    assert tallies() == {"method": 9}


def test_what_a_dead_consumer_was_given_is_counted_by_another(
    aired: Aired, send: Send, monkeypatch: pytest.MonkeyPatch, client: redis.Redis
) -> None:
    dead, living = Counter(consumer="7"), Counter(consumer="8")
    for counter in (dead, living):
        counter.step()
    send(*aired.hits(whole(), make_hit(method="HEAD")))
    with monkeypatch.context() as patch:
        patch.setattr(counting, "unite", lambda pieces: (_ for _ in ()).throw(Killed))
        with pytest.raises(Killed):
            dead.step()
    send(*aired.hits(whole(ip="203.0.113.10")))
    living.step()
    assert (counted(), tallies()) == (1, {})

    living.adopt()

    assert (counted(), tallies()) == (2, {"method": 1})
    assert client.xlen(stream.name()) == 0


def test_a_new_stream_whose_clock_was_set_back_is_counted(
    aired: Aired, send: Send, client: redis.Redis
) -> None:
    counter = Counter()
    counter.step()
    StreamPosition.objects.update(position=f"{2**60}-0")
    client.delete(stream.name(), valkey.key("hits", "epoch"))
    send(*aired.hits(whole()))
    for _ in range(3):
        counter.step()

    assert counted() == 1


def test_a_listener_is_counted_under_the_key_of_the_day(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole(), whole(when=at("13 20:00"))))
    count()

    assert DayKey.objects.count() == 2
    assert len(set(Coverage.objects.values_list("listener_key", flat=True))) == 2


def test_one_address_means_different_listeners_to_two_organisations(
    aired: Aired, send: Send, count: Count
) -> None:
    send(*aired.hits(whole()), *Aired(EpisodeFactory()).hits(whole()))
    count()

    assert len(set(Coverage.objects.values_list("listener_key", flat=True))) == 2
    assert len(set(Coverage.objects.values_list("address_key", flat=True))) == 2


def test_downloads_beyond_the_ceiling_of_an_address_wait_for_review(
    aired: Aired, send: Send, count: Count, settings: Settings
) -> None:
    settings.ADDRESS_CEILING = 2
    send(*aired.hits(*(whole(agent=agent) for agent in AGENTS), whole(ip="203.0.113.10")))

    assert len(count()) == 3
    (waiting,) = waiting_for_review()
    assert (waiting.downloads, waiting.apps, waiting.shows) == (4, 4, 1)
    assert counted() == 3

    release_address(
        organization=waiting.organization, day=waiting.day, address_key=waiting.address_key
    )
    assert counted() == 7
    assert waiting_for_review() == []


def test_the_ceiling_holds_over_batches(
    aired: Aired, send: Send, count: Count, settings: Settings
) -> None:
    settings.ADDRESS_CEILING = 2
    for agent in AGENTS:
        send(*aired.hits(whole(agent=agent)))
        count()

    assert counted() == 2


def test_a_row_of_absurdly_many_pieces_stops_growing(
    aired: Aired, send: Send, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coverage, "MAX_SERVED_STORED_BYTES", 1000)
    for start in range(0, 40_000, 4_000):
        pieces = [(start + n * 4, start + n * 4 + 1) for n in range(1000)]
        send(*aired.hits(make_hit(*pieces)))
        count()

    assert 1000 <= len(Coverage.objects.get().served) < 10_000


def test_of_tallied_responses_the_last_ones_are_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tallies_of_drops, "REMEMBERED_DROPS", 3)
    tallied = tallies_of_drops.Tallied()
    for number in range(5):
        tallied.add([UUID(int=number)])

    assert [UUID(int=number) in tallied for number in range(5)] == [False, False, True, True, True]
