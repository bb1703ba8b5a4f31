"""Recording: durable in the stream, or on disk while Valkey is away and later in the stream."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from pytest_django import Settings

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import hits, spool, stream
from apps.downloads.hit import Hit, MalformedHitError
from apps.downloads.models import Coverage, DropTally
from tests.downloads.conftest import Aired, Count
from tests.downloads.making import asked, make_hit, whole

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _fresh_process(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a process knows about the stream at its start."""
    monkeypatch.setattr(hits, "_gate", hits._Gate())


def record(*recorded: Hit) -> None:
    async def one_after_the_other() -> None:
        for hit in recorded:
            await hits.record(hit)
        await hits.settle()
        await valkey.async_connection().aclose()

    asyncio.run(one_after_the_other())


def record_without_valkey(settings: Settings, *recorded: Hit) -> None:
    reachable, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    try:
        record(*recorded)
    finally:
        settings.REDIS_URL = reachable


def streamed(client: redis.Redis) -> list[bytes]:
    entries: Any = client.xrange(stream.name())
    return [fields[b"h"] for _, fields in entries]


def files(suffix: str = "") -> list[Path]:
    return sorted(django_settings.SPOOL_ROOT.glob(f"*{suffix}"))


def test_a_hit_survives_its_journey() -> None:
    hit = asked("0-65535", agent="Ünïcode \udcff/1.0", ip="2001:db8::1", referrer="example.com")

    assert Hit.from_json(hit.to_json()) == hit


def test_an_unknown_duration_is_zero() -> None:
    fields = json.loads(whole().to_json()) | {"duration_ms": None}

    assert Hit.from_json(json.dumps(fields).encode()).duration_ms == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("at", "yesterday"),
        ("at", 2**70),
        ("size", 1.5),
        ("status", True),
        ("sent", [[1]]),
        ("sent", [["0", "1"]]),
        ("sent", 5),
        ("agent", None),
        ("episode", "not-a-uuid"),
        ("episode", 7),
    ],
)
def test_a_field_of_another_type_makes_no_hit(field: str, value: object) -> None:
    fields = json.loads(whole().to_json()) | {field: value}

    with pytest.raises(MalformedHitError):
        Hit.from_json(json.dumps(fields).encode())


def test_a_recorded_hit_is_in_the_stream_when_record_returns(client: redis.Redis) -> None:
    hit = whole()
    record(hit)

    assert streamed(client) == [hit.to_json()]
    assert files() == []


def test_a_listener_who_leaves_does_not_take_the_hit_along(client: redis.Redis) -> None:
    async def leave_at_once() -> None:
        request = asyncio.create_task(hits.record(whole()))
        await asyncio.sleep(0)
        request.cancel()
        with pytest.raises(asyncio.CancelledError):
            await request
        await hits.settle()
        await valkey.async_connection().aclose()

    asyncio.run(leave_at_once())

    assert len(streamed(client)) == 1


@pytest.mark.parametrize("turns", [1, 2, 3])
def test_an_ending_loop_takes_no_hit_along(turns: int, client: redis.Redis) -> None:
    recorded = [whole() for _ in range(3)]

    async def end_at_once() -> None:
        requests = [asyncio.create_task(hits.record(hit)) for hit in recorded]
        for _ in range(turns):
            await asyncio.sleep(0)
        assert not any(request.done() for request in requests)

    asyncio.run(end_at_once())
    spool.drain(client)

    assert {hit.to_json() for hit in recorded} == set(streamed(client))


def test_a_burst_is_recorded_whole_and_in_order(client: redis.Redis) -> None:
    recorded = [whole() for _ in range(hits.MAX_ROUND_TRIP_HITS * 2 + 1)]

    async def all_at_once() -> None:
        await asyncio.gather(*(hits.record(hit) for hit in recorded))
        await valkey.async_connection().aclose()

    asyncio.run(all_at_once())

    assert streamed(client) == [hit.to_json() for hit in recorded]
    assert files() == []


def test_a_hit_that_comes_as_a_round_trip_ends_is_durable_without_delay(
    client: redis.Redis,
) -> None:
    first, second = whole().to_json(), whole().to_json()

    async def send_one_when_the_other_is_durable() -> None:
        sender = hits._sender()
        later: list[asyncio.Future[None]] = []
        durable = sender.send(first)
        durable.add_done_callback(lambda _: later.append(sender.send(second)))
        async with asyncio.timeout(5):
            await durable
            await later[0]
        await hits.settle()
        await valkey.async_connection().aclose()

    asyncio.run(send_one_when_the_other_is_durable())

    assert streamed(client) == [first, second]
    assert files() == []


def test_hits_wait_on_disk_while_valkey_is_away(client: redis.Redis, settings: Settings) -> None:
    recorded = [whole(), asked("0-1")]
    record_without_valkey(settings, *recorded)
    assert streamed(client) == []

    spool.drain(client)

    assert streamed(client) == [hit.to_json() for hit in recorded]
    assert files() == []


def test_only_the_owner_of_the_process_can_read_the_spool(
    client: redis.Redis, settings: Settings
) -> None:
    record_without_valkey(settings, whole())

    (path,) = files()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


def test_the_first_hit_after_an_outage_brings_the_spool_along(
    client: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "RETRY_SECONDS", 0.0)
    record_without_valkey(settings, whole(), whole())
    record(whole())

    assert len(streamed(client)) == 3
    assert files() == []


def test_a_full_stream_sends_hits_to_disk_until_it_is_read(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_LENGTH", 2)
    monkeypatch.setattr(hits, "LENGTH_CHECK_SECONDS", 0.0)
    record(*(whole() for _ in range(5)))
    assert len(streamed(client)) == 2

    spool.drain(client)  # still full: everything stays
    assert len(streamed(client)) == 2
    client.xtrim(stream.name(), maxlen=0, approximate=False)
    spool.drain(client)

    assert len(streamed(client)) == 3


def test_what_waited_is_counted_once_even_if_it_had_arrived_before(
    client: redis.Redis, settings: Settings, count: Count, aired: Aired
) -> None:
    arrived = aired.hits(whole(when=now()), make_hit(method="HEAD", when=now()))
    record_without_valkey(settings, *arrived)
    record(*arrived)
    spool.drain(client)
    count()

    assert Coverage.objects.filter(counted_at__isnull=False).count() == 1
    assert list(DropTally.objects.values_list("reason", "count")) == [("method", 1)]


def test_a_torn_last_line_is_tallied_and_the_others_are_counted(
    client: redis.Redis, count: Count, aired: Aired
) -> None:
    (hit,) = aired.hits(whole(when=now()))
    spool.append(hit.to_json())
    with files()[0].open("ab") as torn:
        torn.write(whole().to_json()[:50])
    spool.drain(client)

    assert len(count()) == 1
    assert list(DropTally.objects.values_list("reason", "count")) == [("malformed", 1)]


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_drain_that_dies_is_continued_where_it_stopped(
    moment: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = [b"line %04d" % number for number in range(100)]
    for line in lines:
        spool.append(line)
    monkeypatch.setattr(spool, "_CHUNK_BYTES", 95)
    add = spool._add_chunk
    chunks = iter(range(100))

    def die(client: redis.Redis, key: str, offset: int, chunk: bytes) -> None:
        is_last = next(chunks) == 4
        if is_last and moment == "before":
            raise Killed
        add(client, key, offset, chunk)
        if is_last:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(spool, "_add_chunk", die)
        with pytest.raises(Killed):
            spool.drain(client)
    assert 0 < len(streamed(client)) < 100
    spool.drain(client)

    assert streamed(client) == lines
    assert files() == []


def test_a_chunk_whose_answer_was_lost_is_not_added_again(client: redis.Redis) -> None:
    for _ in range(2):
        spool._add_chunk(client, valkey.key("spool", "x"), 0, b"one\ntwo\n")

    assert streamed(client) == [b"one", b"two"]


def test_a_bounded_drain_leaves_the_rest_for_later(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spool, "_CHUNK_BYTES", 100)
    for number in range(100):
        spool.append(b"line %04d" % number)

    assert spool.drain(client, at_most_bytes=200) < 400
    while spool.drain(client, at_most_bytes=200):
        pass

    assert len(streamed(client)) == 100


def test_a_drain_without_valkey_loses_nothing(client: redis.Redis) -> None:
    spool.append(b"kept")
    with pytest.raises(redis.ConnectionError):
        spool.drain(redis.Redis.from_url(NOWHERE, retry=None))
    spool.drain(client)

    assert streamed(client) == [b"kept"]


def test_writers_and_drains_at_the_same_time_lose_and_repeat_nothing(client: redis.Redis) -> None:
    writing = threading.Event()
    writing.set()

    def write(name: int) -> None:
        for number in range(200):
            spool.append(b"%d-%d" % (name, number))

    def drain() -> None:
        while writing.is_set():
            spool.drain(client)

    writers = [threading.Thread(target=write, args=(name,)) for name in range(3)]
    drains = [threading.Thread(target=drain) for _ in range(2)]
    for thread in [*writers, *drains]:
        thread.start()
    for thread in writers:
        thread.join()
    writing.clear()
    for thread in drains:
        thread.join()
    spool.drain(client)

    found = streamed(client)
    assert sorted(found) == sorted(b"%d-%d" % (w, n) for w in range(3) for n in range(200))


def run_python(code: str) -> subprocess.Popen[bytes]:
    setup = (
        "import sys; from pathlib import Path; from django.conf import settings;"
        f"settings.configure(SPOOL_ROOT=Path({str(django_settings.SPOOL_ROOT)!r}));"
        "from apps.downloads import spool\n"
    )
    return subprocess.Popen([sys.executable, "-c", setup + code], stdout=subprocess.PIPE)


@pytest.mark.faults
def test_lines_of_a_killed_writer_are_whole_and_all_there(client: redis.Redis) -> None:
    writer = run_python(
        "import itertools\n"
        "for number in itertools.count():\n"
        "    spool.append(b'%d ' % number + b'x' * 2000)\n"
        "    print(number, flush=True)\n"
    )
    assert writer.stdout is not None
    confirmed = 0
    while confirmed < 200:
        confirmed = int(writer.stdout.readline())
    os.kill(writer.pid, signal.SIGKILL)
    confirmed = max([confirmed, *(int(line) for line in writer.stdout if line.endswith(b"\n"))])
    writer.wait()
    writer.stdout.close()
    spool.drain(client)

    found = streamed(client)
    assert len(found) >= confirmed + 1
    for number, line in enumerate(found):
        assert line == b"%d " % number + b"x" * 2000


def test_a_full_disk_never_leaves_half_a_line(client: redis.Redis) -> None:
    writer = run_python(
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
        "spool.append(b'a' * 800)\n"
        "try: spool.append(b'b' * 800)\n"
        "except OSError: print('refused')\n"
        "spool.append(b'c' * 100)\n"
    )
    output, _ = writer.communicate(timeout=60)
    spool.drain(client)

    assert output == b"refused\n"
    assert streamed(client) == [b"a" * 800, b"c" * 100]


def test_a_fault_of_ours_keeps_no_response_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(messages: list[str]) -> None:
        raise RuntimeError("a fault")

    async def send() -> None:
        async with asyncio.timeout(5):
            await hits.record(whole())

    monkeypatch.setattr(hits, "_deliver", fail)
    asyncio.run(send())
    assert len(files()) == 1
