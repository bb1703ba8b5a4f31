"""Recording: written to the process's journal at once, and in the stream soon after."""

import json
import os
import threading
from pathlib import Path
from typing import Any

import pytest
import redis
from pytest_django import Settings

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import hits, shipper, shipping, stream, writer
from apps.downloads.hit import Hit, MalformedHitError, read_hit
from apps.downloads.models import Download, DropTally
from tests.downloads.conftest import Aired, Count
from tests.downloads.making import asked, make_hit, whole
from tests.downloads.recording import NOWHERE, child, files, streamed
from tests.waiting import wait_until


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """What happens from time to time happens all the time."""
    monkeypatch.setattr(shipper, "RETRY_SECONDS", 0.01)
    monkeypatch.setattr(shipper, "LOOK_SECONDS", 0.02)


def record(*recorded: Hit) -> None:
    for hit in recorded:
        hits.record(hit)


def record_without_valkey(settings: Settings, *recorded: Hit) -> None:
    """By a process that never reaches Valkey, and has ended."""
    reachable, settings.REDIS_URL = settings.REDIS_URL, NOWHERE
    try:
        record(*recorded)
        hits.close(seconds=5)
    finally:
        settings.REDIS_URL = reachable


def test_a_hit_survives_its_journey() -> None:
    hit = asked("0-65535", agent="Ünïcode ÿ \x01/1.0", ip="2001:db8::1", referrer="example.com")

    assert read_hit(hit.to_json()) == hit


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
        ("duration_ms", None),
        ("episode", "not-a-uuid"),
        ("episode", 7),
    ],
)
def test_a_field_of_another_type_makes_no_hit(field: str, value: object) -> None:
    fields = json.loads(whole().to_json()) | {field: value}

    with pytest.raises(MalformedHitError):
        read_hit(json.dumps(fields).encode())


def test_a_recorded_hit_is_on_disk_at_once(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    hit = whole()
    hits.record(hit)

    (path,) = files()
    assert path.read_bytes().endswith(b" " + hit.to_json() + b"\n")


def test_a_recorded_hit_comes_into_the_stream_by_itself(client: redis.Redis) -> None:
    hit = whole()
    hits.record(hit)

    wait_until(lambda: streamed(client) == [hit.to_json()])


def test_hits_come_whole_and_in_order(client: redis.Redis) -> None:
    recorded = [whole() for _ in range(500)]
    record(*recorded)

    assert hits.settle()
    assert streamed(client) == [hit.to_json() for hit in recorded]


def test_any_thread_may_record(client: redis.Redis) -> None:
    def write(name: int) -> None:
        for number in range(300):
            hits.record_message(b"%d-%d" % (name, number))

    threads = [threading.Thread(target=write, args=(name,)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert hits.settle()
    assert sorted(streamed(client)) == sorted(
        b"%d-%d" % (w, n) for w in range(4) for n in range(300)
    )


def test_closing_ships_what_is_left_and_leaves_no_trace(client: redis.Redis) -> None:
    record(*(whole() for _ in range(100)))
    hits.close()

    assert len(streamed(client)) == 100
    assert files() == []
    assert client.keys(valkey.key("spool", "*")) == []


def test_recording_goes_on_after_a_close(client: redis.Redis) -> None:
    record(whole())
    hits.close()
    record(whole())

    assert hits.settle()
    assert len(streamed(client)) == 2


@pytest.mark.parametrize(
    ("limit", "value"), [("FILE_SECONDS", 0.0), ("FILE_BYTES", 1)], ids=["old", "long"]
)
def test_a_file_that_is_shipped_does_not_stay(
    limit: str, value: float, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, limit, value)
    record(whole())
    wait_until(lambda: files() == [])
    record(whole())
    wait_until(lambda: files() == [])

    assert len(streamed(client)) == 2
    assert client.keys(valkey.key("spool", "*")) == []


def test_changing_files_under_load_loses_and_repeats_nothing(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FILE_BYTES", 5_000)
    monkeypatch.setattr(shipper, "PAUSE_SECONDS", 0.0)
    lines = [b"line %05d " % number + b"x" * 50 for number in range(5000)]
    begun = set()
    for line in lines:
        hits.record_message(line)
        begun.update(files())

    assert hits.settle()
    assert streamed(client) == lines
    assert len(begun) > 2


def test_hits_wait_in_one_file_while_valkey_is_away(
    client: redis.Redis, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "FILE_BYTES", 1)
    recorded = [whole(), asked("0-1"), whole()]
    record_without_valkey(settings, *recorded)
    assert streamed(client) == []
    assert len(files()) == 1

    shipping.drain(client, settings.SPOOL_ROOT)

    assert streamed(client) == [hit.to_json() for hit in recorded]
    assert files() == []


def test_only_the_owner_of_the_process_can_read_the_journal(settings: Settings) -> None:
    settings.REDIS_URL = NOWHERE
    record(whole())

    (path,) = files()
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700


@pytest.mark.parametrize("rouse", [hits.start, lambda: record(whole())], ids=["start", "hit"])
def test_a_new_process_ships_what_a_dead_one_left(
    rouse: Any, client: redis.Redis, settings: Settings
) -> None:
    left = [whole(), whole()]
    record_without_valkey(settings, *left)
    rouse()

    wait_until(lambda: {hit.to_json() for hit in left} <= set(streamed(client)))


def test_a_full_stream_lets_hits_wait_until_it_is_read(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(stream, "MAX_LENGTH", 2)
    record(whole(), whole())
    assert hits.settle()
    record(*(whole() for _ in range(3)))
    assert not hits.settle(seconds=0.1)
    assert len(streamed(client)) == 2

    client.xtrim(stream.name(), maxlen=0, approximate=False)

    assert hits.settle()
    assert len(streamed(client)) == 3


def test_what_waited_is_counted_once_even_if_it_had_arrived_before(
    client: redis.Redis, settings: Settings, count: Count, aired: Aired
) -> None:
    arrived = aired.hits(whole(when=now()), make_hit(method="HEAD", when=now()))
    record_without_valkey(settings, *arrived)
    record(*arrived)
    assert hits.settle()
    wait_until(lambda: len(streamed(client)) == 4)
    count()

    assert Download.objects.count() == 1
    assert list(DropTally.objects.values_list("reason", "count")) == [("method", 1)]


def test_a_valkey_that_lost_its_last_moments_gets_them_again(client: redis.Redis) -> None:
    recorded = [whole(), whole()]
    record(recorded[0])
    assert hits.settle()
    client.delete(stream.name(), *client.keys(valkey.key("spool", "*")))
    record(recorded[1])

    wait_until(lambda: streamed(client) == [hit.to_json() for hit in recorded])


def test_a_loss_is_noticed_before_the_file_goes(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    hit = whole()
    record(hit)
    assert hits.settle()
    client.delete(stream.name(), *client.keys(valkey.key("spool", "*")))
    hits.close()

    assert streamed(client) == []  # a close is bounded: the file is there for the next process
    hits.start()
    wait_until(lambda: streamed(client) == [hit.to_json()])


def test_a_journal_that_somebody_cut_holds_nothing_up(client: redis.Redis) -> None:
    record(whole())
    assert hits.settle()
    os.truncate(files()[0], 0)
    record(whole())  # beyond the hole, so the end is missing
    os.truncate(files()[0], 0)
    later = whole()

    def is_later_there() -> bool:
        hits.record(later)
        return later.to_json() in streamed(client)

    wait_until(is_later_there)


class TestWithoutRoom:
    """The disk is full, or fails."""

    def test_what_memory_can_hold_is_shipped_and_no_line_is_halved(
        self, client: redis.Redis
    ) -> None:
        with child(
            "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))\n"
            "for letter in b'abc': hits.record_message(bytes([letter]) * 800)\n"
            "hits.record_message(b'd' * 50)\n"
            "print(hits.settle(), flush=True)\n"
        ) as process:
            output, _ = process.communicate(timeout=60)

        assert output == b"True\n"
        assert sorted(streamed(client)) == [b"a" * 800, b"b" * 800, b"c" * 800, b"d" * 50]

    def test_a_folder_that_cannot_be_made_loses_nothing(
        self, client: redis.Redis, settings: Settings, tmp_path: Path
    ) -> None:
        (tmp_path / "file").touch()
        settings.SPOOL_ROOT = tmp_path / "file" / "spool"
        record(*(whole() for _ in range(10)))

        assert hits.settle()
        assert len(streamed(client)) == 10

    def test_memory_is_bounded_and_the_loss_is_logged_once(
        self,
        client: redis.Redis,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
        caplog: pytest.LogCaptureFixture,
    ) -> None:
        (tmp_path / "file").touch()
        settings.SPOOL_ROOT = tmp_path / "file" / "spool"
        monkeypatch.setattr(writer, "MEMORY_BYTES", 500)
        monkeypatch.setattr(stream, "MAX_LENGTH", 0)
        for _ in range(100):
            hits.record_message(b"x" * 86)
        monkeypatch.setattr(stream, "MAX_LENGTH", 1000)

        assert hits.settle()
        assert len(streamed(client)) == 4
        assert len([r for r in caplog.records if r.levelname == "ERROR"]) == 1

    def test_portions_in_memory_are_each_shipped_once(
        self,
        client: redis.Redis,
        settings: Settings,
        tmp_path: Path,
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        (tmp_path / "file").touch()
        settings.SPOOL_ROOT = tmp_path / "file" / "spool"
        monkeypatch.setattr(writer, "PORTION_BYTES", 300)
        lines = [b"line %04d" % number for number in range(2000)]
        for line in lines:
            hits.record_message(line)

        assert hits.settle()
        assert sorted(streamed(client)) == lines


def test_a_forked_child_has_a_journal_of_its_own(client: redis.Redis) -> None:
    with child(
        "import os, time\n"
        "hits.record_message(b'parent')\n"
        "pid = os.fork()\n"
        "hits.record_message(b'child' if pid == 0 else b'parent again')\n"
        "hits.close(5)\n"
        "if pid: os.waitpid(pid, 0)\n"
        "else: os._exit(0)\n"
    ) as process:
        process.communicate(timeout=60)

    assert sorted(streamed(client)) == [b"child", b"parent", b"parent again"]


def test_a_forked_child_does_not_keep_its_parents_journal_locked(
    client: redis.Redis, settings: Settings
) -> None:
    with child(
        "import os, signal, sys\n"
        "settings.REDIS_URL = 'redis://127.0.0.1:1/0'\n"
        "hits.record_message(b'parent')\n"
        "if os.fork() == 0:\n"
        "    print('forked', flush=True)\n"
        "    sys.stdin.read()\n"
        "    os._exit(0)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"forked\n"
        process.wait()
        shipping.drain(client, settings.SPOOL_ROOT)
        assert streamed(client) == [b"parent"]


def test_a_process_that_ends_in_order_ships_first(client: redis.Redis) -> None:
    with child("hits.record_message(b'last words')\n") as process:
        assert process.wait(60) == 0

    assert streamed(client) == [b"last words"]
    assert files() == []
