"""What goes on right now: listeners of the last minute and the speed."""

from datetime import datetime
from uuid import UUID

import redis
from django.conf import settings as django_settings

from apps.core import valkey
from apps.downloads import activity, stream
from apps.downloads.activity import LISTENING_MS, SPEED_SECONDS, ByteMeter, Pulse, take_pulse
from apps.downloads.batch import Message
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from apps.downloads.summary import Activity, BatchSummary
from tests.downloads.conftest import Aired, Send
from tests.downloads.making import EPISODE, ORGANIZATION, SHOW, make_hit, whole

OTHER_SHOW, OTHER_EPISODE = UUID(int=50), UUID(int=51)
NOW_MS = 1_800_000_000_000


def message(hit: Hit | None, added_at_ms: int = NOW_MS, *, is_spooled: bool = False) -> Message:
    return Message(b"", hit, added_at_ms, is_spooled)


def test_reports_of_one_response_add_only_their_new_bytes() -> None:
    meter, response = ByteMeter(), UUID(int=1)
    cumulative = [[(0, 100)], [(0, 250)], [(0, 250), (400, 410)]]

    found = [
        meter.new_bytes(make_hit(*sent, id=response, final=index == 2))
        for index, sent in enumerate(cumulative)
    ]

    assert found == [100, 150, 10]
    assert meter.new_bytes(make_hit((0, 100), id=response)) == 100  # the last one was final


def test_reports_that_name_only_new_bytes_are_understood_as_well() -> None:
    meter, response = ByteMeter(), UUID(int=1)

    found = [
        meter.new_bytes(make_hit(sent, id=response, final=False)) for sent in [(0, 100), (100, 250)]
    ]

    assert found == [100, 150]


def test_a_pulse_has_every_scope_of_a_hit_and_the_last_sign_of_life() -> None:
    early, late = message(whole()), message(whole(), NOW_MS + 5000)
    elsewhere = message(make_hit((0, 7), show=OTHER_SHOW, episode=OTHER_EPISODE))
    bot = message(make_hit((0, 50), agent="curl/8"))
    pulse = take_pulse(
        [late, early, elsewhere, bot, message(None)],
        [(late, b"ann"), (early, b"ann"), (elsewhere, b"bob")],
        ByteMeter(),
    )

    assert pulse.listeners == {
        SHOW: {b"ann": NOW_MS + 5000},
        EPISODE: {b"ann": NOW_MS + 5000},
        OTHER_SHOW: {b"bob": NOW_MS},
        OTHER_EPISODE: {b"bob": NOW_MS},
        ORGANIZATION: {b"ann": NOW_MS + 5000, b"bob": NOW_MS},
        None: {b"ann": NOW_MS + 5000, b"bob": NOW_MS},
    }
    assert pulse.shows == {SHOW, OTHER_SHOW}
    assert pulse.touched == {SHOW, EPISODE, OTHER_SHOW, OTHER_EPISODE, ORGANIZATION}
    assert pulse.bytes_sent == 2 * 29_000_000 + 7 + 50


def test_what_waited_on_disk_is_not_going_on_now() -> None:
    late = message(whole(), is_spooled=True)

    assert take_pulse([late], [(late, b"ann")], ByteMeter()) == Pulse()


def test_listeners_and_speed_fade_by_themselves(client: redis.Redis) -> None:
    pulse = take_pulse(
        [message(make_hit((0, 1000)), NOW_MS - 2000)],
        [(message(whole(), NOW_MS - 2000), b"ann"), (message(whole(), NOW_MS), b"bob")],
        ByteMeter(),
    )
    activity.store(client, pulse)

    def at(now_ms: int) -> list[Activity]:
        return activity.read(client, [SHOW, None, OTHER_SHOW], now_ms=now_ms)

    now = Activity(listeners=2, bytes_per_second=1000 // SPEED_SECONDS)
    assert at(NOW_MS) == [now, now, Activity()]
    assert at(NOW_MS + LISTENING_MS - 2000)[0] == Activity(listeners=1)
    assert at(NOW_MS + LISTENING_MS)[0] == Activity()


def test_everything_of_the_moment_expires(client: redis.Redis) -> None:
    one = message(whole())
    activity.store(client, take_pulse([one], [(one, b"ann")], ByteMeter()))
    names = list(client.scan_iter(match=f"{django_settings.REDIS_PREFIX}:activity:*"))

    assert len(names) == 6  # listeners of four scopes, bytes, and the busiest tenants
    assert all(client.ttl(name) > 0 for name in names)


def test_a_busy_scope_that_nobody_watches_holds_the_last_minute_only(client: redis.Redis) -> None:
    for minute in range(5):
        at_ms = NOW_MS + minute * LISTENING_MS
        hits = [(message(whole(), at_ms), b"%d of %d" % (n, minute)) for n in range(3)]
        activity.store(client, take_pulse([], hits, ByteMeter()))

    assert client.zcard(valkey.key("activity", SHOW, "listeners")) == 3
    assert client.zcard(valkey.key("activity", "platform", "listeners")) == 3


def test_the_counter_tells_of_downloads_bytes_and_listeners(
    aired: Aired, send: Send, client: redis.Redis, noon: datetime
) -> None:
    heard: list[BatchSummary] = []
    send(*aired.hits(whole(), make_hit((0, 100), ip="203.0.113.10")))
    Counter(heard.append).step()

    (summary,) = heard
    show = aired.episode.show_id
    assert summary.messages == 2
    assert [download.show for download in summary.downloads] == [show]
    assert summary.bytes_sent == 29_000_100
    assert summary.touched == {show, aired.episode.id, aired.episode.organization_id}
    assert client.zcard(valkey.key("activity", show, "listeners")) == 2


def test_a_dashboard_that_fails_stops_no_counting(
    aired: Aired, send: Send, client: redis.Redis, noon: datetime
) -> None:
    def fail(summary: BatchSummary) -> None:
        raise RuntimeError("nobody is there")

    send(*aired.hits(whole()))

    assert Counter(fail).step() == 1
    assert client.xlen(stream.name()) == 0


def test_the_busiest_tenants_come_first(client: redis.Redis) -> None:
    busy, calm = UUID(int=60), UUID(int=61)
    hits = [
        make_hit((0, 50_000), organization=busy),
        make_hit((0, 10_000), organization=calm, episode=OTHER_EPISODE),
        make_hit((0, 20_000), organization=calm, episode=OTHER_EPISODE),
    ]
    activity.store(client, take_pulse([message(hit) for hit in hits], [], ByteMeter()))

    def at(now_ms: int) -> list[tuple[UUID, int]]:
        return activity.hottest_senders(client, now_ms=now_ms, limit=5)

    assert at(NOW_MS) == []  # the stretch is not over
    assert at(NOW_MS + 10_000) == [(busy, 5_000), (calm, 3_000)]
    assert at(NOW_MS + 20_000) == []
