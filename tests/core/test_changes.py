"""Changes are heard by every event loop of every process, and a line that is lost is noticed."""

import asyncio
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest
from django.conf import LazySettings
from django.conf import settings as django_settings

from apps.core import valkey
from apps.core.local_cache import Bounds
from apps.core.read_through import ReadThrough
from hosting.engines.valkey import Valkey
from tests.loops import running_loop
from tests.waiting import wait_until

pytestmark = pytest.mark.usefixtures("clean_valkey")


class Row:
    """What the database holds; a load can be held up after it has read."""

    def __init__(self) -> None:
        self.value = "first"
        self.reads = 0
        self.may_answer = threading.Event()
        self.may_answer.set()

    def load(self, key: str) -> str:
        value = self.value
        self.reads += 1
        assert self.may_answer.wait(10)
        return value


KEPT = ReadThrough[str, str](
    "changed",
    parse_key=str,
    pack=str.encode,
    unpack=bytes.decode,
    lifetime_seconds=60,
    bounds=Bounds(entries=10),
)
KEY = "a:key"


class Loop:
    """A web process's event loop, which lives in a thread."""

    def __init__(self, loop: asyncio.AbstractEventLoop, row: Row) -> None:
        self.loop = loop
        self.row = row

    def begin(self) -> "Future[str | None]":
        return asyncio.run_coroutine_threadsafe(KEPT.find(KEY, self.row.load), self.loop)

    def ask(self) -> str | None:
        return self.begin().result(20)

    def remembered(self) -> str | None:
        async def peek() -> str | None:
            return KEPT.local.peek(KEY)

        return asyncio.run_coroutine_threadsafe(peek(), self.loop).result(20)

    def learn(self) -> None:
        """Ask until the answer is remembered."""
        wait_until(lambda: self.ask() == self.remembered())


@contextmanager
def running(row: Row) -> Iterator[Loop]:
    with running_loop() as loop:
        yield Loop(loop, row)


@pytest.fixture
def row() -> Row:
    return Row()


@pytest.fixture
def web(row: Row) -> Iterator[Loop]:
    with running(row) as loop:
        yield loop


def lines() -> list[dict[str, str]]:
    """The subscriptions of this worker's key space."""
    clients = valkey.connection().client_list()
    return [client for client in clients if client["name"] == valkey.key("changes")]


def test_a_warm_answer_needs_neither_valkey_nor_the_database(web: Loop, row: Row) -> None:
    web.learn()
    reads = row.reads
    valkey.connection().delete(valkey.key("changed", KEY))
    assert web.ask() == "first"
    assert row.reads == reads


def test_all_loops_of_the_process_that_makes_a_change_see_it_before_anything_else(
    web: Loop, row: Row
) -> None:
    with running(row) as other:
        web.learn()
        other.learn()
        row.value = "second"
        KEPT.announce_change([KEY])
        assert (web.remembered(), other.remembered()) == (None, None)
        assert (web.ask(), other.ask()) == ("second", "second")


@pytest.mark.parametrize("change", ["KEPT.announce_change([KEY])", "KEPT.replace({KEY: 'second'})"])
def test_a_change_in_another_process_is_heard(web: Loop, row: Row, change: str) -> None:
    web.learn()
    row.value = "second"
    in_another_process(f"from tests.core.test_changes import KEPT, KEY; {change}")
    wait_until(lambda: web.remembered() is None)
    assert web.ask() == "second"
    web.learn()


def in_another_process(code: str, *options: str) -> str:
    """What it says on both outputs."""
    environment = {
        "DJANGO_SETTINGS_MODULE": "hosting.settings",
        "LONGWAVE_REDIS_PREFIX": django_settings.REDIS_PREFIX,
        "REDIS_URL": django_settings.REDIS_URL,
    }
    return subprocess.run(
        [sys.executable, *options, "-c", f"import django; django.setup()\n{code}"],
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=True,
        timeout=60,
    ).stdout


def test_a_load_that_was_under_way_when_a_change_was_announced_is_not_kept(
    web: Loop, row: Row
) -> None:
    web.learn()
    KEPT.announce_change([KEY])
    reads = row.reads
    row.may_answer.clear()
    overtaken = web.begin()
    wait_until(lambda: row.reads > reads)
    row.value = "second"
    in_another_process("from tests.core.test_changes import KEPT, KEY; KEPT.announce_change([KEY])")
    row.may_answer.set()
    assert overtaken.result(20) == "first"  # asked before the change
    assert web.remembered() is None
    assert web.ask() == "second"


def test_a_line_that_is_cut_empties_the_memory_and_mends_itself(web: Loop, row: Row) -> None:
    web.learn()
    (line,) = lines()
    row.value = "second"  # and the news of it is lost with the line
    valkey.connection().delete(valkey.key("changed", KEY))
    valkey.connection().client_kill_filter(_id=line["id"])
    wait_until(lambda: web.remembered() is None)
    assert web.ask() == "second"
    web.learn()
    assert lines()[0]["id"] != line["id"]
    KEPT.announce_change([KEY])
    assert web.remembered() is None


@pytest.fixture
def own_valkey(tmp_path: Path, settings: LazySettings) -> Iterator[Valkey]:
    """An engine that the test may stop."""
    engine = Valkey(tmp_path / "valkey", tmp_path / "log", password="secret", durable=False)
    engine.start()
    shared_url, settings.REDIS_URL = settings.REDIS_URL, engine.url
    valkey.connection.cache_clear()
    try:
        yield engine
    finally:
        valkey.connection().close()
        valkey.connection.cache_clear()
        settings.REDIS_URL = shared_url
        engine.stop()


def test_while_valkey_restarts_nothing_is_remembered_and_every_answer_is_right(
    own_valkey: Valkey, row: Row
) -> None:
    with running(row) as web:
        web.learn()
        own_valkey.stop()
        wait_until(lambda: web.remembered() is None)
        for value in ("second", "third", "fourth"):
            row.value = value
            assert web.ask() == value
            assert web.remembered() is None
        own_valkey.spawn()
        wait_until(own_valkey.is_ready)
        valkey.connection().delete(valkey.key("changed", KEY))
        web.learn()
        assert web.remembered() == "fourth"


def test_a_valkey_that_falls_silent_is_not_trusted_for_long(own_valkey: Valkey, row: Row) -> None:
    assert own_valkey.process is None or own_valkey.process.pid
    with running(row) as web:
        web.learn()
        assert own_valkey.process is not None
        engine = psutil.Process(own_valkey.process.pid)
        engine.send_signal(signal.SIGSTOP)
        try:
            wait_until(lambda: web.remembered() is None)
            row.value = "second"
            assert web.ask() == "second"
        finally:
            engine.send_signal(signal.SIGCONT)
        KEPT.announce_change([KEY])
        web.learn()
        assert web.remembered() == "second"


@pytest.mark.parametrize(
    "run", ["asyncio.run(main())", "uvloop.run(main())", "async_to_sync(main)()"]
)
def test_a_loop_ends_without_a_word_about_its_line(run: str) -> None:
    code = f"""
import asyncio, uvloop
from asgiref.sync import async_to_sync
from apps.core import changes
async def main():
    while not changes.line().is_sure():
        await asyncio.sleep(0.01)
{run}
"""
    assert in_another_process(code, "-X", "dev", "-W", "error::ResourceWarning") == ""
