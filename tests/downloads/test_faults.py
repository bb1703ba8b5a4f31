"""The whole path from a recorded hit to a download while Valkey dies and comes back."""

import asyncio
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
from apps.downloads import hits
from apps.downloads.counter import Counter
from apps.downloads.hit import Hit
from apps.downloads.models import Coverage, DropTally
from hosting.engines.binaries import valkey_server
from hosting.engines.ports import free_port, is_listening
from tests.downloads.conftest import Aired
from tests.downloads.making import make_hit, whole
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
    return Coverage.objects.filter(counted_at__isnull=False).count()


def test_no_hit_is_lost_or_counted_twice_when_valkey_is_killed(
    own_valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hits, "_gate", hits._Gate())
    monkeypatch.setattr(hits, "RETRY_SECONDS", 0.0)
    aired = Aired(EpisodeFactory())

    def listeners(first: int, last: int) -> list[Hit]:
        found = []
        for number in range(first, last):
            found += aired.hits(
                whole(ip=f"10.0.0.{number}", when=now()), make_hit(method="HEAD", when=now())
            )
        return found

    async def record(recorded: list[Hit]) -> None:
        await asyncio.gather(*(hits.record(hit) for hit in recorded))
        await valkey.async_connection().aclose()

    with counting():
        asyncio.run(record(listeners(0, 30)))
        wait_until(lambda: counted() == 30)
        own_valkey.kill()
        asyncio.run(record(listeners(30, 60)))
        assert list(django_settings.SPOOL_ROOT.iterdir())
        own_valkey.start()
        asyncio.run(record(listeners(60, 90)))
        wait_until(lambda: counted() == 90 and not list(django_settings.SPOOL_ROOT.iterdir()))
        wait_until(lambda: DropTally.objects.filter(count=90).exists())

    assert counted() == 90
    assert list(DropTally.objects.values_list("reason", "count")) == [("method", 90)]
