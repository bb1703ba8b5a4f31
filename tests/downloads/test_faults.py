"""The whole path from a recorded hit to a download while Valkey dies and comes back."""

import os
import random
import signal
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from django.conf import settings as django_settings
from pytest_django import Settings

from apps.core import valkey
from apps.core.clock import now
from apps.downloads import hits, shipper, shipping
from apps.downloads.counter import Counter
from apps.downloads.models import Download, DropTally
from hosting.engines.binaries import valkey_server
from hosting.engines.ports import free_port, is_listening
from tests.downloads.conftest import Aired
from tests.downloads.making import make_hit, whole
from tests.downloads.recording import child, files, streamed
from tests.factories import EpisodeFactory
from tests.waiting import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.django_db(transaction=True)]


class OwnValkey:
    """A server that this test alone uses, so that it may be killed."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self._folder = folder
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [
                valkey_server(),
                *("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self._folder)),
                *("--appendonly", "yes", "--appendfsync", "always", "--logfile", "log"),
            ]
        )
        wait_until(lambda: is_listening(self.port))

    def kill(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()


@pytest.fixture
def own_valkey(tmp_path: Path, settings: Settings) -> Iterator[OwnValkey]:
    server = OwnValkey(tmp_path)
    settings.REDIS_URL = f"redis://127.0.0.1:{server.port}/0"
    valkey.connection.cache_clear()
    server.start()
    yield server
    server.kill()
    valkey.connection.cache_clear()


@contextmanager
def counting() -> Iterator[None]:
    stop = threading.Event()
    thread = threading.Thread(target=Counter().run, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(timeout=30)


def counted() -> int:
    return Download.objects.count()


def test_no_hit_is_lost_or_counted_twice_when_valkey_is_killed(
    own_valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shipper, "RETRY_SECONDS", 0.05)
    aired = Aired(EpisodeFactory())

    def listen(first: int, last: int) -> None:
        for number in range(first, last):
            for hit in aired.hits(
                whole(ip=f"10.0.0.{number}", when=now()), make_hit(method="HEAD", when=now())
            ):
                hits.record(hit)

    with counting():
        listen(0, 30)
        wait_until(lambda: counted() == 30)
        own_valkey.kill()
        listen(30, 60)
        assert not hits.settle(seconds=0)
        own_valkey.start()
        listen(60, 90)
        wait_until(lambda: counted() == 90)
        wait_until(lambda: DropTally.objects.filter(count=90).exists())

    assert counted() == 90
    assert list(DropTally.objects.values_list("reason", "count")) == [("method", 90)]


def test_a_hit_of_a_process_that_died_before_it_was_shipped_is_counted_once(
    own_valkey: OwnValkey,
) -> None:
    aired = Aired(EpisodeFactory())
    messages = [
        hit.to_json()
        for number in range(20)
        for hit in aired.hits(whole(ip=f"10.0.0.{number}", when=now()))
    ]
    own_valkey.kill()
    with child(
        f"for message in {messages!r}: hits.record_message(message)\n"
        "print('recorded', flush=True)\n"
        "import time; time.sleep(60)\n"
    ) as web:
        assert web.stdout is not None
        assert web.stdout.readline() == b"recorded\n"
        web.kill()
        web.wait()
    assert len(files()) == 1
    own_valkey.start()
    with counting():
        wait_until(lambda: counted() == 20 and files() == [])

    assert counted() == 20


@pytest.mark.parametrize("is_valkey_killed_too", [False, True])
def test_processes_killed_at_any_moment_lose_and_repeat_nothing(
    is_valkey_killed_too: bool, own_valkey: OwnValkey
) -> None:
    """Each tells how far it has recorded; at most the line under way may be there beyond that."""
    confirmed: dict[int, int] = {}
    chance = random.Random(7)
    for life in range(6):
        with child(
            "import itertools\n"
            "from apps.downloads import writer; writer.FILE_BYTES = 20_000\n"
            "for number in itertools.count():\n"
            f"    hits.record_message(b'{life} %d ' % number + b'x' * 500)\n"
            "    print(number, flush=True)\n"
        ) as web:
            assert web.stdout is not None
            last, end = 0, chance.randrange(100, 2000)
            while last < end:
                last = int(web.stdout.readline())
            if is_valkey_killed_too and life % 2:
                own_valkey.kill()
            os.kill(web.pid, signal.SIGKILL)
            last = max([last, *(int(line) for line in web.stdout if line.endswith(b"\n"))])
            web.wait()
            confirmed[life] = last
        if is_valkey_killed_too and life % 2:
            own_valkey.start()
    client = valkey.own_connection()
    shipping.drain(client, django_settings.SPOOL_ROOT)

    found = streamed(client)
    for life, last in confirmed.items():
        numbers = [int(line.split()[1]) for line in found if line.startswith(b"%d " % life)]
        assert numbers in (list(range(last + 1)), list(range(last + 2)))
    assert files() == []
