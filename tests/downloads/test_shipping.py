"""Journals of dead processes: each line enters the stream once, whoever ships, dies or repeats."""

import errno
import fcntl
import os
import threading
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import journal, shipping, stream
from apps.downloads.models import DropTally
from tests.downloads.conftest import Aired, Count
from tests.downloads.making import whole
from tests.downloads.recording import NOWHERE, files, streamed

LINES = [b"line %04d" % number for number in range(100)]


def stamped(message: bytes, *, age_seconds: float = 0.0) -> bytes:
    return b"%013d %b\n" % ((time.time() - age_seconds) * 1000, message)


def leave(messages: Iterable[bytes], *, age_seconds: float = 0.0) -> Path:
    """A journal of a process that has died."""
    file = journal.create(django_settings.SPOOL_ROOT)
    for message in messages:
        file.append(stamped(message, age_seconds=age_seconds))
    file.close()
    return file.path


def drain(client: redis.Redis, **options: Any) -> int:
    return shipping.drain(client, django_settings.SPOOL_ROOT, **options)


def late(client: redis.Redis) -> list[bytes]:
    """The messages that are marked as late."""
    entries: Any = client.xrange(stream.name())
    return [fields[stream.FIELD] for _, fields in entries if stream.SPOOLED_FIELD in fields]


def test_what_a_dead_process_left_is_shipped_and_removed(client: redis.Redis) -> None:
    leave(LINES[:50])
    leave(LINES[50:])
    drain(client)

    assert streamed(client) == LINES
    assert files() == []
    assert client.keys(valkey.key("spool", "*")) == []


def test_a_folder_that_nobody_wrote_to_is_no_fault(client: redis.Redis) -> None:
    assert drain(client) == 0


def test_the_journal_of_a_living_process_is_left_alone(client: redis.Redis) -> None:
    file = journal.create(django_settings.SPOOL_ROOT)
    file.append(stamped(b"mine"))
    drain(client)
    assert streamed(client) == []

    file.close()
    drain(client)
    assert streamed(client) == [b"mine"]


@pytest.mark.parametrize(
    "name", ["77-0123456789abcdef.jsonl", "77-0123456789abcdef.1760000000000000000.drain"]
)
def test_what_an_earlier_version_spooled_is_shipped_as_late(name: str, client: redis.Redis) -> None:
    folder = django_settings.SPOOL_ROOT
    folder.mkdir(0o700)
    (folder / name).write_bytes(b"".join(line + b"\n" for line in LINES))
    drain(client)

    assert streamed(client) == LINES
    assert late(client) == LINES
    assert files() == []


def test_an_earlier_version_that_still_writes_goes_on_in_a_new_file(client: redis.Redis) -> None:
    folder = django_settings.SPOOL_ROOT
    folder.mkdir(0o700)
    path = folder / "77-0123456789abcdef.jsonl"
    path.write_bytes(b"first\n")
    with path.open("ab") as writer:
        fcntl.flock(writer, fcntl.LOCK_EX)
        drain(client)
        assert streamed(client) == []
    drain(client)
    path.write_bytes(b"second\n")
    drain(client)

    assert streamed(client) == [b"first", b"second"]


def test_what_an_earlier_version_had_begun_to_drain_goes_on_there(client: redis.Redis) -> None:
    folder = django_settings.SPOOL_ROOT
    folder.mkdir(0o700)
    (folder / "77-01.1760.drain").write_bytes(b"one\ntwo\n")
    client.set(valkey.key("spool", "77-01.1760.drain"), 4)
    drain(client)

    assert streamed(client) == [b"two"]


def test_only_what_is_late_is_marked(client: redis.Redis) -> None:
    file = journal.create(django_settings.SPOOL_ROOT)
    for message, age in ((b"a", 3600), (b"b", 6), (b"c", 3), (b"d", 0)):
        file.append(stamped(message, age_seconds=age))
    file.close()
    drain(client)

    assert streamed(client) == [b"a", b"b", b"c", b"d"]
    assert late(client) == [b"a", b"b"]


def test_a_torn_last_line_is_tallied_and_the_others_are_counted(
    client: redis.Redis, count: Count, aired: Aired
) -> None:
    (hit,) = aired.hits(whole(when=now()))
    with leave([hit.to_json()]).open("ab") as torn:
        torn.write(stamped(whole().to_json())[:50])
    drain(client)

    assert len(count()) == 1
    assert list(DropTally.objects.values_list("reason", "count")) == [("malformed", 1)]


class Killed(BaseException):
    """As if the process had ended here."""


@pytest.mark.parametrize("moment", ["before", "after"])
def test_a_drain_that_dies_is_continued_where_it_stopped(
    moment: str, client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    leave(LINES)
    monkeypatch.setattr(journal, "CHUNK_BYTES", 95)
    ship = shipping.ship
    chunks = iter(range(100))

    def die(client: redis.Redis, lines: journal.Lines) -> None:
        is_last = next(chunks) == 4
        if is_last and moment == "before":
            raise Killed
        ship(client, lines)
        if is_last:
            raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(shipping, "ship", die)
        with pytest.raises(Killed):
            drain(client)
    assert 0 < len(streamed(client)) < 100
    drain(client)

    assert streamed(client) == LINES
    assert files() == []


def test_lines_whose_answer_was_lost_are_not_added_again(client: redis.Redis) -> None:
    lines = journal.MemoryLines()
    lines.append(stamped(b"one"))
    shipping.ship(client, lines)
    lines.append(stamped(b"two"))
    lines.shipped = 0
    shipping.ship(client, lines)  # refused, and told how far it is
    shipping.ship(client, lines)

    assert streamed(client) == [b"one", b"two"]
    assert shipping.finish(client, lines)


@hypothesis_settings(max_examples=50, deadline=None)
@given(steps=st.lists(st.tuples(st.integers(0, 2), st.sampled_from(["append", "ship", "lag"]))))
def test_shippers_that_do_not_know_of_each_other_add_each_line_once(
    steps: list[tuple[int, str]],
) -> None:
    client = valkey.connection()
    client.delete(stream.name())
    lines = journal.MemoryLines()
    written: list[bytes] = []
    known = [0, 0, 0]
    for who, step in [*steps, (0, "append"), *[(0, "ship")] * 3]:
        if step == "append":
            written.append(b"%d" % len(written))
            lines.append(stamped(written[-1]))
        elif step == "lag":
            known[who] = 0
        elif known[who] < lines.size:
            lines.shipped = known[who]
            shipping.ship(client, lines)
            known[who] = lines.shipped

    assert streamed(client) == written
    client.delete(stream.name(), *client.keys(valkey.key("spool", "*")))


def test_a_bounded_drain_leaves_the_rest_for_later(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CHUNK_BYTES", 100)
    leave(LINES)

    assert drain(client, at_most_bytes=200) < 400
    while drain(client, at_most_bytes=200):
        pass

    assert streamed(client) == LINES


def test_a_full_stream_ends_a_drain_and_loses_nothing(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CHUNK_BYTES", 100)
    monkeypatch.setattr(stream, "MAX_LENGTH", 10)
    leave(LINES)
    drain(client)
    assert 10 <= len(streamed(client)) < 20

    monkeypatch.setattr(stream, "MAX_LENGTH", 1000)
    drain(client)
    assert streamed(client) == LINES


def test_a_drain_without_valkey_loses_nothing(client: redis.Redis) -> None:
    leave([b"kept"])
    with pytest.raises(redis.ConnectionError):
        drain(redis.Redis.from_url(NOWHERE, retry=None))
    drain(client)

    assert streamed(client) == [b"kept"]


def test_a_file_that_cannot_be_read_holds_no_other_up_and_is_told_of_once(
    client: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    (django_settings.SPOOL_ROOT / "0-unreadable.journal").mkdir(parents=True)
    leave(LINES)
    drain(client)
    drain(client)

    assert streamed(client) == LINES
    assert len([r for r in caplog.records if "0-unreadable" in r.getMessage()]) == 1


def test_without_locks_no_file_is_begun(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(descriptor: int, operation: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(OSError, match="No locks"):
        journal.create(django_settings.SPOOL_ROOT)

    assert files() == []


def test_drains_at_the_same_time_repeat_nothing(
    client: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "CHUNK_BYTES", 100)
    is_writing = threading.Event()
    is_writing.set()

    def drain_all_the_time() -> None:
        while is_writing.is_set():
            drain(client)

    drains = [threading.Thread(target=drain_all_the_time) for _ in range(3)]
    for thread in drains:
        thread.start()
    for first in range(0, 100, 10):
        leave(LINES[first : first + 10])
    is_writing.clear()
    for thread in drains:
        thread.join()
    drain(client)

    assert sorted(streamed(client)) == LINES
    assert files() == []


def test_a_file_is_locked_before_anybody_can_take_it_for_abandoned(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Whoever creates one begins anew when it was taken in the moment before."""
    lock = fcntl.flock
    taken: list[Path] = []

    def take_first(descriptor: int, operation: int) -> None:
        if not taken:
            taken.extend(files())
            taken[0].unlink()
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", take_first)
    file = journal.create(django_settings.SPOOL_ROOT)

    assert file.path not in taken
    assert os.path.samestat(os.fstat(file.descriptor), file.path.stat())
    file.close()
